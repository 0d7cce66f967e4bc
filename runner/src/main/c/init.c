/*
 * PID 1: parks, then one loop over its descriptors until the JVM has recorded the end. All signals are blocked,
 * SIGCHLD is read from a descriptor; what the job can send has no effect on it.
 */
#include "init.h"
#include "job.h"
#include "mask.h"
#include "network.h"
#include "park.h"
#include "terminal.h"

#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

void init_watch(struct init *init, int descriptor, enum source source, const struct process *process, uint32_t events)
{
    uint64_t number = process ? process->number : 0;
    struct epoll_event event = {.events = events, .data.u64 = number << SOURCE_BITS | source};
    epoll_ctl(init->poll, EPOLL_CTL_ADD, descriptor, &event);
}

/* The process that an event is about; NULL if it is gone since. */
static struct process *of_event(struct init *init, const struct epoll_event *event)
{
    uint32_t number = (uint32_t)(event->data.u64 >> SOURCE_BITS);
    if (number == init->own.number) return &init->own;
    struct process *process = init->execs;
    while (process && process->number != number) process = process->next;
    return process;
}

static void close_foreign(const struct sandbox *sandbox)
{
    int kept[2 * CGROUPS_MOST + 7], count = 0;
    kept[count++] = sandbox->listener;
    kept[count++] = sandbox->journal;
    kept[count++] = sandbox->journals;
    kept[count++] = sandbox->uid_claim;
    kept[count++] = sandbox->network;
    kept[count++] = sandbox->house;
    kept[count++] = sandbox->machine;
    for (int i = 0; i < sandbox->cgroups.count; i++) kept[count++] = sandbox->cgroups.each[i].directory;
    for (int i = 0; i < sandbox->spares->count; i++) kept[count++] = sandbox->spares->each[i].directory;
    close_all_but(kept, count);
}

/* The nursery's standard descriptors are the machine's, and a parked sandbox pins no mount of the machine. */
static int replace_standard(struct failure *failure)
{
    CLOSED int null = open(STAGE_DEV "/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0) return fail(failure, "open the null device");
#ifndef __SANITIZE_ADDRESS__ /* whose findings go to the nursery's log */
    if (dup2(null, 2) < 0) return fail(failure, "open the null device");
#endif
    return 0;
}

static int prepare(struct init *init)
{
    struct failure *failure = &init->own.failure;
    prctl(PR_SET_NAME, "bobbin-init");
    umask(0);
    close_foreign(init->sandbox);
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    init->poll = epoll_create1(EPOLL_CLOEXEC);
    init->signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    if (init->poll < 0 || init->signals < 0) return fail(failure, "make the loop of PID 1");
    init_watch(init, init->signals, OF_SIGNALS, NULL, EPOLLIN);
    if (init_make_link(init) < 0) return -1;
    CLOSED int user_namespace = -1;
    if (park(init->sandbox, &user_namespace, failure) < 0 || replace_standard(failure) < 0) return -1;
    if (!init->sandbox->host_network && (init->network = network_view(STAGE_PROC, failure)) < 0) return -1;
    if (start_process(init, &init->own, user_namespace) < 0) return -1;
    /* Meanwhile the job's process places itself. */
    if (mask_kernel_files(failure) < 0) return -1;
    if (init->sandbox->journals < 0) return 0;
    init->user_namespace = user_namespace;
    user_namespace = -1;
    return 0;
}

/* The nursery may give this network namespace to another sandbox: everything of the job is dead, so what is left of its
 * use shows. */
static void leave(const struct init *init)
{
    _exit(network_untouched(init->network) ? EXIT_NETWORK_UNTOUCHED : 0);
}

static bool take_signal(struct slice body, uint32_t *signal)
{
    struct field field;
    return field_find(body, FIELD_SIGNAL, &field) == 1 && field_u32(&field, signal) && *signal > 0 && *signal <= 64;
}

static bool take_by(struct slice body, char *by, size_t size)
{
    struct field field;
    if (field_find(body, FIELD_BY, &field) != 1) return false;
    snprintf(by, size, "%.*s", (int)field.value.length, (char *)field.value.data);
    return true;
}

static bool handle_cancel(struct init *init, struct process *process, struct slice body)
{
    char by[sizeof process->by];
    if (!is_live(process)) return true;
    if (!take_by(body, by, sizeof by)) return false;
    if (!process->reason) memcpy(process->by, by, sizeof by);
    end_kill(init, process, REASON_CANCELLED);
    return true;
}

static bool handle_consumed(struct process *process, struct slice body)
{
    struct field field;
    uint64_t position;
    if (field_find(body, FIELD_POSITION, &field) != 1 || !field_u64(&field, &position)) return false;
    if (position > process->consumed) process->consumed = position;
    return true;
}

static bool handle_signal(struct process *process, struct slice body)
{
    uint32_t signal;
    if (!take_signal(body, &signal)) return false;
    end_signal(process, signal);
    return true;
}

static bool handle_stop(struct init *init, struct slice body)
{
    struct field field;
    uint32_t signal;
    uint64_t grace;
    if (!take_signal(body, &signal) || field_find(body, FIELD_GRACE_MILLIS, &field) != 1 || !field_u64(&field, &grace)
        || grace >= NEVER / 2)
        return false;
    if (!init->stopping && !take_by(body, init->stop_by, sizeof init->stop_by)) return false;
    end_stop(init, signal, grace);
    return true;
}

static bool handle_recorded(struct init *init, struct process *process)
{
    if (process->phase != PARKED && process->phase != ENDED) return false;
    if (is_own(process)) leave(init);
    process->recorded = true;
    return true;
}

static bool handle_resize(const struct process *process, struct slice body)
{
    struct field field;
    uint32_t rows, columns;
    if (field_find(body, FIELD_ROWS, &field) != 1 || !field_u32(&field, &rows) || rows == 0 || rows > UINT16_MAX)
        return false;
    if (field_find(body, FIELD_COLUMNS, &field) != 1 || !field_u32(&field, &columns) || columns == 0
        || columns > UINT16_MAX)
        return false;
    struct failure ignored; /* it may have ended at this moment */
    if (process->terminal && process->outputs[0].pipe >= 0)
        terminal_resize(process->outputs[0].pipe, rows, columns, &ignored);
    return true;
}

/* A frame about the process that it names, or about the sandbox's own. */
static bool handle_named(struct init *init, const struct frame *frame)
{
    struct process *process;
    if (!exec_find(init, frame->body, &process)) return false;
    if (!process) return true;
    switch (frame->type) {
    case FRAME_CANCEL:
        if (process->phase == PARKED) leave(init);
        return handle_cancel(init, process, frame->body);
    case FRAME_CONSUMED: return handle_consumed(process, frame->body);
    case FRAME_STDIN:
        return process->phase >= STARTING && process->phase <= ENDED && input_take(init, process, frame->body);
    case FRAME_SIGNAL: return handle_signal(process, frame->body);
    case FRAME_RESIZE: return handle_resize(process, frame->body);
    case FRAME_RECORDED: return handle_recorded(init, process);
    default: return false;
    }
}

static void handle_frame(struct init *init, const struct frame *frame)
{
    bool understood;
    switch (frame->type) {
    case FRAME_ORDER:
        if ((understood = init->own.phase == PARKED)) init_start(init, frame->body);
        break;
    case FRAME_EXEC: understood = exec_begin(init, frame->body); break;
    case FRAME_STOP: understood = handle_stop(init, frame->body); break;
    default: understood = handle_named(init, frame);
    }
    if (!understood) channel_close(&init->jvm);
}

static void hear(struct init *init)
{
    if (init->jvm.peer < 0 || !channel_receive(&init->jvm)) return;
    struct frame frame;
    int heard;
    while ((heard = channel_next(&init->jvm, &frame)) == 1) handle_frame(init, &frame);
    if (heard < 0) channel_close(&init->jvm);
}

static void greet(struct init *init)
{
    if (!channel_accept(&init->jvm)) return;
    init->peer_polled_out = false;
    init_watch(init, init->jvm.peer, OF_PEER, NULL, EPOLLIN);
    report_states(init);
}

static void handle_event(struct init *init, const struct epoll_event *event)
{
    struct process *process = of_event(init, event);
    if (!process) return;
    switch ((enum source)(event->data.u64 & ((1U << SOURCE_BITS) - 1))) {
    case OF_LISTENER: greet(init); break;
    case OF_PEER:
        if (event->events & EPOLLOUT) channel_flush(&init->jvm);
        if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) hear(init);
        break;
    case OF_SIGNALS: end_reap(init); break;
    case OF_LINK: link_event(init, process); break;
    case OF_INPUT: input_give(init, process); break;
    case OF_STDOUT: output_read(init, process, 0); break;
    case OF_STDERR: output_read(init, process, 1); break;
    }
}

/* When this sandbox gives up waiting for a JVM. */
static uint64_t leave_at(const struct init *init)
{
    enum phase phase = init->own.phase;
    if (init->jvm.peer >= 0) return NEVER;
    if (phase == PARKED || phase == PARKING || phase == FAILED) return init->alone_since + LONELY_MILLIS;
    if (phase != ENDED && init->own.reason) return NEVER;
    if (!init->orphan_millis) return phase == ENDED ? init->alone_since + LONELY_MILLIS : NEVER;
    return init->alone_since + init->orphan_millis;
}

/* An ended job waits for a JVM as long as its journal has a name; without one nobody can ask for it any more. */
static bool is_forgotten(const struct init *init)
{
    struct stat status;
    return fstat(init->sandbox->journal, &status) < 0 || status.st_nlink == 0;
}

static uint64_t next_deadline(const struct init *init)
{
    uint64_t next = earlier(leave_at(init), earlier(init->sweep_at, init->stop_at));
    next = earlier(next, process_deadline(&init->own));
    for (const struct process *each = init->execs; each; each = each->next)
        next = earlier(next, process_deadline(each));
    return next;
}

static void act_on_process(struct init *init, struct process *process, uint64_t now)
{
    if (now >= process->start_by) {
        process->start_by = NEVER;
        fail_as(&process->failure, ETIMEDOUT, "start the job's process");
        if (process->phase == PARKING) process->phase = FAILED;
        else end_kill(init, process, REASON_SETUP);
    }
    if (now >= process->time_up) {
        process->time_up = NEVER;
        end_kill(init, process, REASON_TIME);
    }
    if (now >= process->retry_at)
        process->retry_at = journal_flush(&process->journal) ? NEVER : now + RETRY_MILLIS;
    if (now >= process->resume_at) process->resume_at = NEVER;
    if (now >= process->tell_at) process->tell_at = NEVER;
    if (now >= process->nudge_at) {
        process->nudge_at = process->reaped ? NEVER : now + NUDGE_MILLIS;
        if (!process->reaped) kill(process->pid, SIGCONT);
    }
}

static void act_on_time(struct init *init)
{
    uint64_t now = milliseconds();
    if (now < next_deadline(init)) return;
    if (now >= leave_at(init)) {
        if (is_live(&init->own)) end_kill(init, &init->own, REASON_ORPHANED);
        else if (init->own.phase != ENDED || init->orphan_millis || is_forgotten(init)) leave(init);
        else init->alone_since = now;
    }
    act_on_process(init, &init->own, now);
    for (struct process *each = init->execs; each; each = each->next) act_on_process(init, each, now);
    if (now >= init->stop_at) {
        init->stop_at = NEVER;
        if (!init->own.reason) snprintf(init->own.by, sizeof init->own.by, "%s", init->stop_by);
        end_kill(init, &init->own, REASON_CANCELLED);
    }
    if (now >= init->sweep_at) end_reap(init);
}

/* Keeps EPOLLOUT asked for exactly while something is queued. */
static void poll_peer(struct init *init)
{
    if (init->jvm.peer < 0 || channel_congested(&init->jvm) == init->peer_polled_out) return;
    init->peer_polled_out = !init->peer_polled_out;
    struct epoll_event event = {.events = EPOLLIN | (init->peer_polled_out ? EPOLLOUT : 0), .data.u64 = OF_PEER};
    epoll_ctl(init->poll, EPOLL_CTL_MOD, init->jvm.peer, &event);
}

static void settle_process(struct init *init, struct process *process)
{
    output_poll(init, process);
    if (journal_stalled(&process->journal) && process->retry_at == NEVER)
        process->retry_at = milliseconds() + RETRY_MILLIS;
    report_growth(init, process);
}

/* Once a turn: what follows from all that happened in it. */
static void settle_turn(struct init *init)
{
    if (init->own.phase != PARKING && !init->greeted) {
        init->greeted = true;
        init_watch(init, init->jvm.listener, OF_LISTENER, NULL, EPOLLIN);
    }
    end_finish(init);
    for (struct process *each = init->execs; each; each = each->next) settle_process(init, each);
    settle_process(init, &init->own);
    exec_forget(init);
    poll_peer(init);
}

_Noreturn void init_main(struct sandbox *sandbox)
{
    struct init init = {
        .sandbox = sandbox,
        .far_link = -1,
        .network = -1,
        .user_namespace = -1,
        .cgroup_namespace = -1,
        .jvm = {.listener = sandbox->listener, .peer = -1},
        .alone_since = milliseconds(),
        .sweep_at = NEVER,
        .stop_at = NEVER,
    };
    process_prepare(&init.own);
    init.own.journal.file = sandbox->journal;
    if (prepare(&init) < 0) init.own.phase = FAILED;
    if (init.poll < 0) leave(&init);
    for (bool connected = false;;) {
        settle_turn(&init);
        if (connected && init.jvm.peer < 0) init.alone_since = milliseconds();
        connected = init.jvm.peer >= 0;
        struct epoll_event events[8];
        int count = epoll_wait(init.poll, events, 8, until(next_deadline(&init)));
        for (int i = 0; i < count; i++) handle_event(&init, &events[i]);
        act_on_time(&init);
    }
}
