/*
 * From the order to execve: the job's process is forked when parking, and told to go when its root is ready.
 */
#include "init.h"
#include "job.h"
#include "park.h"
#include "rootfs.h"

#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define WORK_BYTES (RECORD_HEADER + RECORD_LONGEST)

int init_make_link(struct init *init)
{
    int link[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link) < 0)
        return fail(&init->failure, "make the link to the job's process");
    struct timeval deadline = {.tv_sec = START_MILLIS / 1000};
    setsockopt(link[0], SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
    init->link = link[0];
    init->far_link = link[1];
    return 0;
}

static int make_ends(struct init *init, struct job_ends *ends, struct failure *failure)
{
    int pipes[3][2];
    for (int i = 0; i < 3; i++) {
        if (pipe2(pipes[i], O_CLOEXEC) < 0) return fail(failure, "make the job's pipes");
        /* A job opens /dev/stdout anew by its owner's rights. */
        if (fchown(pipes[i][0], init->sandbox->uid_base, init->sandbox->uid_base) < 0)
            return fail(failure, "give the pipes to the job");
        int ours = i == 0 ? pipes[i][1] : pipes[i][0];
        if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0) return fail(failure, "set a pipe non-blocking");
    }
    init->input.pipe = pipes[0][1];
    init->outputs[0].pipe = pipes[1][0];
    init->outputs[1].pipe = pipes[2][0];
    *ends = (struct job_ends){init->far_link, {pipes[0][0], pipes[1][1], pipes[2][1]}};
    return 0;
}

int init_fork_job(struct init *init, int user_namespace)
{
    struct job_ends ends;
    if (make_ends(init, &ends, &init->failure) < 0) return -1;
    init->start_by = milliseconds() + START_MILLIS;
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    const struct cgroups *cgroups = &init->sandbox->cgroups;
    for (int i = 0; i < cgroups->count; i++) {
        if (!is_unified(cgroups->each[i].kind)) continue;
        arguments.flags = CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)cgroups->each[i].directory;
    }
    init->main = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    if (init->main < 0) return fail(&init->failure, "fork the job's process");
    if (init->main == 0) job_main(init->sandbox, user_namespace, &ends);
    shut(&init->far_link);
    for (int i = 0; i < 3; i++) close(ends.standard[i]);
    init_watch(init, init->link, OF_LINK, EPOLLIN);
    return 0;
}

static int write_cgroup(const struct sandbox *sandbox, char *write, struct failure *failure)
{
    char *file = strchr(write, '\n'), *value = file ? strchr(file + 1, '\n') : NULL;
    if (!value) return fail_as(failure, EBADMSG, "read the cgroup setting %.100s", write);
    *file++ = 0;
    *value++ = 0;
    for (int i = 0; i < sandbox->cgroups.count; i++) {
        if (strcmp(sandbox->cgroups.each[i].kind, write) != 0) continue;
        if (strchr(file, '/')) return fail_as(failure, EBADMSG, "name a cgroup file %.100s", file);
        return write_text(sandbox->cgroups.each[i].directory, file, value, failure);
    }
    return fail_as(failure, ENOENT, "find the cgroup %.100s of %.100s", write, file);
}

static int give_pipes(struct init *init, uint32_t uid_base)
{
    const struct order *order = &init->order;
    if (order->uid == 0 && order->gid == 0) return 0;
    const int pipes[] = {init->input.pipe, init->outputs[0].pipe, init->outputs[1].pipe};
    for (int i = 0; i < 3; i++)
        if (pipes[i] >= 0 && fchown(pipes[i], uid_base + order->uid, uid_base + order->gid) < 0)
            return fail(&init->failure, "give the pipes to the job's user");
    return 0;
}

static int carry_out(struct init *init)
{
    const struct order *order = &init->order;
    for (size_t i = 0; i < order->cgroup_write_count; i++)
        if (write_cgroup(init->sandbox, order->cgroup_writes[i], &init->failure) < 0) return -1;
    if (make_root(init->sandbox, order, &init->failure) < 0) return -1;
    if (order->hostname && sethostname(order->hostname, strlen(order->hostname)) < 0)
        return fail(&init->failure, "set the host name");
    if (give_pipes(init, init->sandbox->uid_base) < 0) return -1;
    init->stamp_sandbox = nanoseconds(CLOCK_MONOTONIC);
    return job_go(init->link, order, &init->failure);
}

/* What outlives the order itself, whose files may be large. */
static void remember(struct init *init)
{
    const struct order *order = &init->order;
    init->output_limit = order->output_bytes;
    init->output_policy = order->output_policy;
    init->time_millis = order->time_millis;
    init->orphan_millis = order->orphan_millis < NEVER / 2 ? order->orphan_millis : 0;
    for (size_t i = 0; i < order->cgroup_read_count; i++)
        put_text(&init->reads, FIELD_CGROUP_READ, order->cgroup_reads[i]);
    if (order->stdin_policy == STDIN_BYTES) {
        uint8_t *at = buffer_extend(&init->input.waiting, order->input.length);
        if (at && order->input.length) memcpy(at, order->input.data, order->input.length);
        init->input.taken = order->input.length;
    }
    init->input.last = order->stdin_policy != STDIN_OPEN;
    if (order->stdin_policy == STDIN_EMPTY) input_close(init);
}

void init_start(struct init *init, struct slice body)
{
    init->phase = STARTING;
    init->work = malloc(WORK_BYTES);
    journal_begin(&init->journal, init->sandbox->journal);
    init->announced = init->journal.end;
    int read = order_read(body, &init->order, &init->failure);
    if (!init->work) read = fail_as(&init->failure, ENOMEM, "make room for the job's output");
    if (read == 0) {
        journal_append_data(&init->journal, RECORD_META, init->order.meta.data, init->order.meta.length);
        if (init->order.output_bytes && init->order.output_policy != OUTPUT_KILL) journal_append_gap(&init->journal);
        remember(init);
        if (init->reads.exhausted || init->input.waiting.exhausted)
            read = fail_as(&init->failure, ENOMEM, "make room for the order");
    }
    if (read < 0 || carry_out(init) < 0) end_kill(init, REASON_SETUP);
    else init->start_by = milliseconds() + START_MILLIS;
}

static void started(struct init *init)
{
    init->stamp_exec = nanoseconds(CLOCK_MONOTONIC);
    init->phase = RUNNING;
    init->tell_at = milliseconds() + TELL_MILLIS;
    struct buffer record = {0};
    buffer_extend(&record, RECORD_HEADER);
    put_u64(&record, FIELD_STAMP_SANDBOX, init->stamp_sandbox);
    put_u64(&record, FIELD_STAMP_EXEC, init->stamp_exec);
    if (!record.exhausted) journal_append(&init->journal, RECORD_STARTED, record.data, record.length - RECORD_HEADER);
    buffer_release(&record);
    journal_begin_output(&init->journal);
    init->started_end = init->journal.end;
    if (init->time_millis && init->time_millis < NEVER / 2) init->time_up = milliseconds() + init->time_millis;
    input_give(init);
}

static void not_executed(struct init *init, const struct verdict *verdict)
{
    const char *program = init->order.arguments[0];
    bool searched = !strchr(program, '/');
    init->failure.code = verdict->failure.code;
    snprintf(init->failure.what, sizeof init->failure.what, "%s", program);
    const char *why = searched && verdict->failure.code == ENOENT ? "command not found" : NULL;
    if (!why) why = strerrordesc_np(verdict->failure.code);
    char sentence[512];
    int length = snprintf(sentence, sizeof sentence, "bobbin: %.400s: %s\n", program, why ? why : "cannot execute");
    journal_append_data(&init->journal, RECORD_STDERR, sentence, (size_t)length);
    init->reason = init->reason ? init->reason : REASON_EXEC;
}

void init_link_event(struct init *init)
{
    struct verdict verdict;
    if (init->link < 0) return;
    ssize_t got = recv(init->link, &verdict, sizeof verdict, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got == sizeof verdict && verdict.kind == JOB_READY && init->phase == PARKING) {
        init->phase = PARKED;
        init->start_by = NEVER;
        return;
    }
    shut(&init->link);
    init->start_by = NEVER;
    if (init->phase == PARKING || init->phase == PARKED) {
        if (got == sizeof verdict) init->failure = verdict.failure;
        else fail_as(&init->failure, ESRCH, "keep the job's process parked");
        init->phase = FAILED;
        if (init->jvm.peer >= 0) report_state(init);
        return;
    }
    if (got == 0 && !init->reason) started(init);
    else if (got == sizeof verdict && verdict.kind == JOB_NOT_EXECUTED) not_executed(init, &verdict);
    else if (got == sizeof verdict && !init->reason) {
        init->failure = verdict.failure;
        end_kill(init, REASON_SETUP);
    }
    order_release(&init->order);
}
