/*
 * From the order to execve: the job's process is forked when parking, and told to go when its root is ready.
 */
#include "init.h"
#include "job.h"
#include "mask.h"
#include "network.h"
#include "park.h"
#include "rootfs.h"
#include "sysctl.h"
#include "terminal.h"

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
        return fail(&init->own.failure, "make the link to the job's process");
    struct timeval deadline = {.tv_sec = START_MILLIS / 1000};
    setsockopt(link[0], SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
    init->own.link = link[0];
    init->far_link = link[1];
    return 0;
}

/* A process of an EXEC has its order, so that its link is only one way; and a socket would be seen in the sandbox. */
static int make_exec_link(struct process *process, struct job_ends *ends, struct failure *failure)
{
    int link[2];
    if (pipe2(link, O_CLOEXEC) < 0) return fail(failure, "make the link to the job's process");
    process->link = link[0];
    ends->link = link[1];
    return fcntl(process->link, F_SETFL, O_NONBLOCK) < 0 ? fail(failure, "set the link non-blocking") : 0;
}

/* One terminal in place of three pipes. */
static int make_terminal(struct init *init, struct process *process, struct job_ends *ends, struct failure *failure)
{
    const struct order *order = &process->order;
    uint32_t uid_base = init->sandbox->uid_base;
    int *ours = &process->outputs[0].pipe;
    process->terminal = true;
    if (terminal_make(ours, &ends->standard[0], uid_base + order->uid, uid_base + TTY_GROUP, failure) < 0) return -1;
    if (terminal_resize(*ours, order->rows, order->columns, failure) < 0) return -1;
    process->input.pipe = fcntl(*ours, F_DUPFD_CLOEXEC, 0);
    for (int i = 1; i < 3; i++) ends->standard[i] = fcntl(ends->standard[0], F_DUPFD_CLOEXEC, 0);
    if (process->input.pipe < 0 || ends->standard[1] < 0 || ends->standard[2] < 0)
        return fail(failure, "share the terminal");
    return 0;
}

static int make_ends(struct init *init, struct process *process, struct job_ends *ends, struct failure *failure)
{
    int pipes[3][2];
    if (process->late && make_exec_link(process, ends, failure) < 0) return -1;
    if (!process->late) {
        ends->link = init->far_link;
        init->far_link = -1;
    }
    if (process->late && process->order.rows && process->order.columns)
        return make_terminal(init, process, ends, failure);
    int *const ours[] = {&process->input.pipe, &process->outputs[0].pipe, &process->outputs[1].pipe};
    uint32_t uid = init->sandbox->uid_base + process->order.uid, gid = init->sandbox->uid_base + process->order.gid;
    for (int i = 0; i < 3; i++) {
        if (pipe2(pipes[i], O_CLOEXEC) < 0) return fail(failure, "make the job's pipes");
        *ours[i] = i == 0 ? pipes[i][1] : pipes[i][0];
        ends->standard[i] = i == 0 ? pipes[i][0] : pipes[i][1];
        /* A job opens /dev/stdout anew by its owner's rights. */
        if (fchown(pipes[i][0], uid, gid) < 0) return fail(failure, "give the pipes to the job");
        if (fcntl(*ours[i], F_SETFL, O_NONBLOCK) < 0) return fail(failure, "set a pipe non-blocking");
    }
    return 0;
}

static void close_ends(struct job_ends *ends)
{
    shut(&ends->link);
    for (int i = 0; i < 3; i++) shut(&ends->standard[i]);
}

/* Forks; the sandbox's own process parks, one that is late goes its way at once. */
static int fork_into(struct init *init, struct process *process, int user_namespace, struct job_ends *ends)
{
    const struct cgroups *cgroups = &init->sandbox->cgroups;
    struct job_place place = {cgroups, user_namespace, init->cgroup_namespace, init->sandbox->filter};
    process->pid = fork_placed(cgroups);
    if (process->pid == 0 && !process->late) job_main(&place, ends);
    if (process->pid == 0) exec_main(&place, ends, &process->order);
    if (process->pid > 0) return 0;
    process->pid = 0;
    return fail(&process->failure, "fork the job's process");
}

int start_process(struct init *init, struct process *process, int user_namespace)
{
    struct job_ends ends = {-1, {-1, -1, -1}};
    process->start_by = milliseconds() + START_MILLIS;
    int result = make_ends(init, process, &ends, &process->failure);
    if (result == 0) result = fork_into(init, process, user_namespace, &ends);
    close_ends(&ends);
    if (result == 0) init_watch(init, process->link, OF_LINK, process, EPOLLIN);
    return result;
}

/* One that an order asks for and parking did not make, as most sandboxes need none in that hierarchy. */
static int make_spare(struct sandbox *sandbox, const char *kind, struct failure *failure)
{
    struct cgroups *cgroups = &sandbox->cgroups;
    for (int i = 0; i < sandbox->spares->count && cgroups->count < CGROUPS_MOST; i++) {
        if (strcmp(sandbox->spares->each[i].kind, kind) != 0) continue;
        int parent = sandbox->spares->each[i].directory;
        if (mkdirat(parent, sandbox->id, 0755) < 0) return fail(failure, "make the %s cgroup", kind);
        int directory = openat(parent, sandbox->id, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (directory < 0) return fail(failure, "open the %s cgroup", kind);
        cgroups->each[cgroups->count].kind = sandbox->spares->each[i].kind;
        cgroups->each[cgroups->count++].directory = directory;
        return 0;
    }
    return fail_as(failure, ENOENT, "find the cgroup %.100s", kind);
}

static bool has_cgroup(const struct sandbox *sandbox, const char *kind)
{
    for (int i = 0; i < sandbox->cgroups.count; i++)
        if (strcmp(sandbox->cgroups.each[i].kind, kind) == 0) return true;
    return false;
}

static int write_cgroup(struct sandbox *sandbox, char *write, struct failure *failure)
{
    char *file = strchr(write, '\n'), *value = file ? strchr(file + 1, '\n') : NULL;
    if (!value) return fail_as(failure, EBADMSG, "read the cgroup setting %.100s", write);
    *file++ = 0;
    *value++ = 0;
    if (!has_cgroup(sandbox, write) && make_spare(sandbox, write, failure) < 0) return -1;
    for (int i = 0; i < sandbox->cgroups.count; i++) {
        if (strcmp(sandbox->cgroups.each[i].kind, write) != 0) continue;
        if (strchr(file, '/')) return fail_as(failure, EBADMSG, "name a cgroup file %.100s", file);
        return write_text(sandbox->cgroups.each[i].directory, file, value, failure);
    }
    return fail_as(failure, ENOENT, "find the cgroup %.100s of %.100s", write, file);
}

static int give_pipes(const struct init *init, struct process *process)
{
    const struct order *order = &process->order;
    uint32_t uid_base = init->sandbox->uid_base;
    if (order->uid == 0 && order->gid == 0) return 0;
    const int pipes[] = {process->input.pipe, process->outputs[0].pipe, process->outputs[1].pipe};
    for (int i = 0; i < 3; i++)
        if (pipes[i] >= 0 && fchown(pipes[i], uid_base + order->uid, uid_base + order->gid) < 0)
            return fail(&process->failure, "give the pipes to the job's user");
    return 0;
}

/* The sandbox's own process parked with pipes, and opens the terminal that replaces them. */
static int give_terminal(struct init *init, struct process *own)
{
    struct job_ends ends = {-1, {-1, -1, -1}};
    shut(&own->outputs[0].pipe);
    shut(&own->outputs[1].pipe);
    shut(&own->input.pipe);
    uint32_t number = 0;
    int result = make_terminal(init, own, &ends, &own->failure);
    if (result == 0) result = terminal_number(own->outputs[0].pipe, &number, &own->failure);
    close_ends(&ends);
    own->order.terminal = number + 1;
    return result;
}

static int give_standard(struct init *init, struct process *own)
{
    const struct order *order = &own->order;
    return order->rows && order->columns && order->argument_count ? give_terminal(init, own) : give_pipes(init, own);
}

/* Writes limits, and brings the parked process to cgroups made for them; processes that are forked later go there by
 * themselves. */
static int limit(struct init *init, const struct order *order, bool *regrouped, struct failure *failure)
{
    struct cgroups *cgroups = &init->sandbox->cgroups;
    int parked_in = cgroups->count;
    for (size_t i = 0; i < order->cgroup_write_count; i++)
        if (write_cgroup(init->sandbox, order->cgroup_writes[i], failure) < 0) return -1;
    char pid[16];
    snprintf(pid, sizeof pid, "%d", init->own.pid);
    for (int i = parked_in; i < cgroups->count; i++)
        if (write_text(cgroups->each[i].directory, "tasks", pid, failure) < 0) return -1;
    *regrouped = cgroups->count > parked_in;
    return 0;
}

static int carry_out(struct init *init)
{
    struct process *own = &init->own;
    const struct order *order = &own->order;
    struct failure *failure = &own->failure;
    if (order->lasting && init->sandbox->journals < 0) return fail_as(failure, EINVAL, "let a passing sandbox last");
    bool regrouped = false;
    if (limit(init, order, &regrouped, failure) < 0) return -1;
    const struct rights *rights = &order->rights;
    bool more = rights->capabilities || rights->new_privileges || rights->own_network;
    own->late = order->argument_count && (regrouped || more);
    if ((order->lasting || more || own->late) && hold_namespaces(init, regrouped, failure) < 0) return -1;
    init->lasting = order->lasting;
    if (rights->own_network && own_network(init, failure) < 0) return -1;
    if (order->sysctl_count) {
        shut(&init->network); /* it is not as it was made, and its counters would not tell */
        if (sysctls_set(init->sandbox, order, failure) < 0) return -1;
    }
    /* After those, so that IPv6 is off whatever they say of all interfaces. */
    const struct slice *network = &order->network;
    if (network->length && network_join(network->data, network->data + 4, STAGE_PROC, failure) < 0) return -1;
    if (make_root(init->sandbox, order, own->pid, failure) < 0) return -1;
    shut(&init->sandbox->house);
    shut(&init->sandbox->machine);
    if (order->hostname && sethostname(order->hostname, strlen(order->hostname)) < 0)
        return fail(failure, "set the host name");
    if (!own->late && give_standard(init, own) < 0) return -1;
    own->stamp_sandbox = nanoseconds(CLOCK_MONOTONIC);
    if (own->late) return start_late(init);
    return order->argument_count ? job_go(own->link, order, failure) : 0;
}

void remember(struct process *process)
{
    const struct order *order = &process->order;
    process->output_limit = order->output_bytes;
    process->output_policy = order->output_policy;
    process->time_millis = order->time_millis;
    for (size_t i = 0; i < order->cgroup_read_count; i++)
        put_text(&process->reads, FIELD_CGROUP_READ, order->cgroup_reads[i]);
    if (order->stdin_policy == STDIN_BYTES) {
        uint8_t *at = buffer_extend(&process->input.waiting, order->input.length);
        if (at && order->input.length) memcpy(at, order->input.data, order->input.length);
        process->input.taken = order->input.length;
    }
    process->input.last = order->stdin_policy != STDIN_OPEN;
    if (process->reads.exhausted || process->input.waiting.exhausted)
        fail_as(&process->failure, ENOMEM, "make room for the order");
}

void begin_journal(struct process *process)
{
    const struct order *order = &process->order;
    journal_append_data(&process->journal, RECORD_META, order->meta.data, order->meta.length);
    if (order->output_bytes && order->output_policy != OUTPUT_KILL) journal_append_gap(&process->journal);
}

static void started(struct init *init, struct process *process)
{
    process->stamp_exec = nanoseconds(CLOCK_MONOTONIC);
    process->phase = RUNNING;
    process->tell_at = milliseconds() + TELL_MILLIS;
    if (process->order.on_files) process->nudge_at = milliseconds() + NUDGE_MILLIS;
    struct buffer record = {0};
    buffer_extend(&record, RECORD_HEADER);
    put_u64(&record, FIELD_STAMP_SANDBOX, process->stamp_sandbox);
    put_u64(&record, FIELD_STAMP_EXEC, process->stamp_exec);
    if (!record.exhausted)
        journal_append(&process->journal, RECORD_STARTED, record.data, record.length - RECORD_HEADER);
    buffer_release(&record);
    journal_begin_output(&process->journal);
    process->started_end = process->journal.end;
    if (process->time_millis && process->time_millis < NEVER / 2)
        process->time_up = milliseconds() + process->time_millis;
    input_give(init, process);
}

/* The sandbox has its root and no process: what parked for one is let go. */
static void idle(struct init *init)
{
    struct process *own = &init->own;
    kill(own->pid, SIGKILL);
    own->pid = 0;
    shut(&own->link);
    own->start_by = NEVER;
    shut(&own->outputs[0].pipe);
    shut(&own->outputs[1].pipe);
    input_close(own);
    started(init, own);
    own->tell_at = NEVER; /* somebody waits for just this, and nothing more will come */
    order_release(&own->order);
}

void init_start(struct init *init, struct slice body)
{
    struct process *own = &init->own;
    own->phase = STARTING;
    init->work = malloc(WORK_BYTES);
    journal_begin(&own->journal, init->sandbox->journal);
    own->announced = own->journal.end;
    int read = order_read(body, &own->order, &own->failure);
    if (!init->work) read = fail_as(&own->failure, ENOMEM, "make room for the job's output");
    if (read == 0) {
        begin_journal(own);
        remember(own);
        init->orphan_millis = own->order.orphan_millis < NEVER / 2 ? own->order.orphan_millis : 0;
        if (own->order.stdin_policy == STDIN_EMPTY) input_close(own);
        if (own->failure.code) read = -1;
    }
    if (read < 0 || carry_out(init) < 0) end_kill(init, own, REASON_SETUP);
    else if (own->order.argument_count == 0) idle(init);
    else own->start_by = milliseconds() + START_MILLIS;
}

static void not_executed(struct process *process, const struct verdict *verdict)
{
    const char *program = process->order.arguments[0];
    bool searched = !strchr(program, '/');
    process->failure.code = verdict->failure.code;
    snprintf(process->failure.what, sizeof process->failure.what, "%s", program);
    const char *why = searched && verdict->failure.code == ENOENT ? "command not found" : NULL;
    if (!why) why = strerrordesc_np(verdict->failure.code);
    char sentence[512];
    int length = snprintf(sentence, sizeof sentence, "bobbin: %.400s: %s\n", program, why ? why : "cannot execute");
    journal_append_data(&process->journal, RECORD_STDERR, sentence, (size_t)length);
    process->reason = process->reason ? process->reason : REASON_EXEC;
}

/* What ends the parking of a sandbox, for better or worse. */
static void parked(struct init *init, const struct verdict *verdict)
{
    struct process *own = &init->own;
    own->start_by = NEVER;
    bool ready = verdict && verdict->kind == JOB_READY && own->phase == PARKING;
    if (ready && mask_sysctls(&own->failure) == 0) {
        own->phase = PARKED;
        return;
    }
    shut(&own->link);
    if (verdict && !ready) own->failure = verdict->failure;
    if (!verdict) fail_as(&own->failure, ESRCH, "keep the job's process parked");
    own->phase = FAILED;
    if (init->jvm.peer >= 0) report_state(init, own);
}

void link_event(struct init *init, struct process *process)
{
    struct verdict verdict;
    if (process->link < 0) return;
    ssize_t got = process->late ? read(process->link, &verdict, sizeof verdict)
                                : recv(process->link, &verdict, sizeof verdict, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    bool said = got == sizeof verdict;
    if (process->phase == PARKING || process->phase == PARKED) {
        parked(init, said ? &verdict : NULL);
        return;
    }
    shut(&process->link);
    process->start_by = NEVER;
    if (got == 0 && !process->reason) started(init, process);
    else if (said && verdict.kind == JOB_NOT_EXECUTED) not_executed(process, &verdict);
    else if (said && !process->reason) {
        process->failure = verdict.failure;
        end_kill(init, process, REASON_SETUP);
    }
    order_release(&process->order);
}
