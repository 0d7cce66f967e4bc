/*
 * PID 1: parks, then one loop over its descriptors until the JVM has recorded the end. All signals are blocked,
 * SIGCHLD is read from a descriptor; what the job can send has no effect on it.
 */
#include "init.h"
#include "job.h"
#include "network.h"
#include "park.h"

#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

void init_watch(struct init *init, int descriptor, enum source source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u32 = source};
    epoll_ctl(init->poll, EPOLL_CTL_ADD, descriptor, &event);
}

/* Closes every descriptor above the standard ones that is not this sandbox's. */
static void close_foreign(const struct sandbox *sandbox)
{
    int kept[CGROUPS_MOST + 4], count = 0;
    kept[count++] = sandbox->listener;
    kept[count++] = sandbox->journal;
    kept[count++] = sandbox->uid_block;
    kept[count++] = sandbox->network;
    for (int i = 0; i < sandbox->cgroups.count; i++) kept[count++] = sandbox->cgroups.each[i].directory;
    for (int from = 3;;) {
        int next = -1;
        for (int i = 0; i < count; i++)
            if (kept[i] >= from && (next < 0 || kept[i] < next)) next = kept[i];
        if (next < 0) {
            close_range((unsigned)from, ~0U, 0);
            return;
        }
        if (next > from) close_range((unsigned)from, (unsigned)next - 1, 0);
        from = next + 1;
    }
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
    struct failure *failure = &init->failure;
    prctl(PR_SET_NAME, "bobbin-init");
    umask(0);
    close_foreign(init->sandbox);
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    init->poll = epoll_create1(EPOLL_CLOEXEC);
    init->signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    if (init->poll < 0 || init->signals < 0) return fail(failure, "make the loop of PID 1");
    init_watch(init, init->signals, OF_SIGNALS, EPOLLIN);
    if (init_make_link(init) < 0) return -1;
    CLOSED int user_namespace = -1;
    if (park(init->sandbox, &user_namespace, failure) < 0 || replace_standard(failure) < 0) return -1;
    if ((init->network = network_view(STAGE_PROC, failure)) < 0) return -1;
    return init_fork_job(init, user_namespace);
}

/* The nursery may give this network namespace to another sandbox: everything of the job is dead, so what is left of its
 * use shows. */
static void leave(const struct init *init)
{
    _exit(network_untouched(init->network) ? EXIT_NETWORK_UNTOUCHED : 0);
}

static void handle_frame(struct init *init, const struct frame *frame)
{
    struct field field;
    uint64_t position;
    uint32_t signal;
    bool understood = true;
    switch (frame->type) {
    case FRAME_ORDER:
        if ((understood = init->phase == PARKED)) init_start(init, frame->body);
        break;
    case FRAME_CANCEL:
        if (init->phase == PARKED) leave(init);
        if (init->phase == ENDED) break;
        if ((understood = field_find(frame->body, FIELD_BY, &field) == 1)) {
            if (!init->reason)
                snprintf(init->by, sizeof init->by, "%.*s", (int)field.value.length, (char *)field.value.data);
            end_kill(init, REASON_CANCELLED);
        }
        break;
    case FRAME_CONSUMED:
        understood = field_find(frame->body, FIELD_POSITION, &field) == 1 && field_u64(&field, &position);
        if (understood && position > init->consumed) init->consumed = position;
        break;
    case FRAME_STDIN:
        understood = init->phase >= STARTING && init->phase <= ENDED && input_take(init, frame->body);
        break;
    case FRAME_SIGNAL:
        understood = field_find(frame->body, FIELD_SIGNAL, &field) == 1 && field_u32(&field, &signal)
            && signal > 0 && signal <= 64;
        if (understood && init->phase == RUNNING && !init->main_reaped) {
            init->signalled = signal;
            kill(init->main, (int)signal);
        }
        break;
    case FRAME_RECORDED:
        if (init->phase == PARKED || init->phase == ENDED) leave(init);
        understood = false;
        break;
    default: understood = false;
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
    init_watch(init, init->jvm.peer, OF_PEER, EPOLLIN);
    report_state(init);
}

static void handle_event(struct init *init, const struct epoll_event *event)
{
    switch ((enum source)event->data.u32) {
    case OF_LISTENER: greet(init); break;
    case OF_PEER:
        if (event->events & EPOLLOUT) channel_flush(&init->jvm);
        if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) hear(init);
        break;
    case OF_SIGNALS: end_reap(init); break;
    case OF_LINK: init_link_event(init); break;
    case OF_INPUT: input_give(init); break;
    case OF_STDOUT: output_read(init, 0); break;
    case OF_STDERR: output_read(init, 1); break;
    }
}

/* When this sandbox gives up waiting for a JVM. */
static uint64_t leave_at(const struct init *init)
{
    if (init->jvm.peer >= 0) return NEVER;
    if (init->phase == PARKED || init->phase == PARKING || init->phase == FAILED)
        return init->alone_since + LONELY_MILLIS;
    if (init->phase != ENDED && init->reason) return NEVER;
    if (!init->orphan_millis)
        return init->phase == ENDED ? init->alone_since + LONELY_MILLIS : NEVER;
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
    uint64_t next = earlier(leave_at(init), earlier(init->start_by, init->time_up));
    next = earlier(next, earlier(init->resume_at, init->tell_at));
    return earlier(next, earlier(init->retry_at, init->sweep_at));
}

static void act_on_time(struct init *init)
{
    uint64_t now = milliseconds();
    if (now < next_deadline(init)) return;
    if (now >= leave_at(init)) {
        if (init->phase == STARTING || init->phase == RUNNING) end_kill(init, REASON_ORPHANED);
        else if (init->phase != ENDED || init->orphan_millis || is_forgotten(init)) leave(init);
        else init->alone_since = now;
    }
    if (now >= init->start_by) {
        init->start_by = NEVER;
        fail_as(&init->failure, ETIMEDOUT, "start the job's process");
        if (init->phase == PARKING) init->phase = FAILED;
        else end_kill(init, REASON_SETUP);
    }
    if (now >= init->time_up) {
        init->time_up = NEVER;
        end_kill(init, REASON_TIME);
    }
    if (now >= init->retry_at) init->retry_at = journal_flush(&init->journal) ? NEVER : now + RETRY_MILLIS;
    if (now >= init->resume_at) init->resume_at = NEVER;
    if (now >= init->tell_at) init->tell_at = NEVER;
    if (now >= init->sweep_at) end_reap(init);
}

/* Keeps EPOLLOUT asked for exactly while something is queued. */
static void poll_peer(struct init *init)
{
    if (init->jvm.peer < 0 || channel_congested(&init->jvm) == init->peer_polled_out) return;
    init->peer_polled_out = !init->peer_polled_out;
    struct epoll_event event = {.events = EPOLLIN | (init->peer_polled_out ? EPOLLOUT : 0), .data.u32 = OF_PEER};
    epoll_ctl(init->poll, EPOLL_CTL_MOD, init->jvm.peer, &event);
}

/* Once a turn: what follows from all that happened in it. */
static void settle_turn(struct init *init)
{
    if (init->phase != PARKING && !init->greeted) {
        init->greeted = true;
        init_watch(init, init->jvm.listener, OF_LISTENER, EPOLLIN);
    }
    end_finish(init);
    output_poll(init);
    if (journal_stalled(&init->journal) && init->retry_at == NEVER) init->retry_at = milliseconds() + RETRY_MILLIS;
    report_growth(init);
    poll_peer(init);
}

_Noreturn void init_main(struct sandbox *sandbox)
{
    struct init init = {
        .sandbox = sandbox,
        .link = -1,
        .far_link = -1,
        .network = -1,
        .jvm = {.listener = sandbox->listener, .peer = -1},
        .journal.file = sandbox->journal,
        .outputs = {{-1, false}, {-1, false}},
        .input = {.pipe = -1},
        .alone_since = milliseconds(),
        .start_by = NEVER,
        .time_up = NEVER,
        .retry_at = NEVER,
        .sweep_at = NEVER,
        .resume_at = NEVER,
        .tell_at = NEVER,
    };
    if (prepare(&init) < 0) init.phase = FAILED;
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
