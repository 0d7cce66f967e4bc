/*
 * How a process ends: one of an EXEC by itself or with what it started; the sandbox's own with everything in it. What is
 * to die is killed and reaped, pipes are drained, and one END record says why, how much was printed and what the kernel
 * counted.
 */
#include "init.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/vfs.h>
#include <sys/wait.h>

/* Everything that the sandbox runs is to die. */
static void kill_all(struct init *init)
{
    struct process *own = &init->own;
    init->sweeping = true;
    init->stop_at = NEVER;
    kill(-1, SIGKILL);
    init->sweep_at = milliseconds() + SWEEP_MILLIS;
    if (own->pid || own->reaped) return;
    /* One that idles has nothing to reap. */
    own->reaped = true;
    own->stamp_end = nanoseconds(CLOCK_MONOTONIC);
    init->sweep_at = 0;
}

void end_kill(struct init *init, struct process *process, uint32_t reason)
{
    if (!process->reason) process->reason = reason;
    process->time_up = NEVER;
    process->start_by = NEVER;
    if (is_own(process)) {
        kill_all(init);
        return;
    }
    if (process->reaped) return;
    /* Its process group is its own as soon as it has made its session. */
    kill(-process->pid, SIGKILL);
    kill(process->pid, SIGKILL);
}

void end_signal(struct process *process, uint32_t signal)
{
    if (process->phase != RUNNING || process->reaped) return;
    process->signalled = signal;
    kill(process->pid ? process->pid : -1, (int)signal);
}

void end_stop(struct init *init, uint32_t signal, uint64_t grace_millis)
{
    struct process *own = &init->own;
    if (own->phase != RUNNING || own->reason || init->stopping) return;
    init->stopping = true;
    init->stop_at = milliseconds() + grace_millis;
    end_signal(own, signal);
    end_reap(init);
}

static void reaped(struct init *init, struct process *process, int status, const struct rusage *usage)
{
    process->stamp_end = nanoseconds(CLOCK_MONOTONIC);
    process->reaped = true;
    process->status = status;
    process->usage = *usage;
    process->time_up = NEVER;
    process->start_by = NEVER;
    process->nudge_at = NEVER;
    bool swept = !is_own(process) && (init->sweeping || init->own.reaped) && WIFSIGNALED(status)
        && WTERMSIG(status) == SIGKILL;
    if (!process->reason) process->reason = swept ? REASON_SANDBOX : REASON_EXITED;
    input_close(process);
}

static struct process *of_pid(struct init *init, pid_t pid)
{
    if (pid == init->own.pid) return &init->own;
    struct process *process = init->execs;
    while (process && (process->pid != pid || process->reaped)) process = process->next;
    return process;
}

void end_reap(struct init *init)
{
    struct signalfd_siginfo ignored;
    /* SIGCHLD never queues, so one read empties it; and that there is none is no reason not to look. */
    (void)!read(init->signals, &ignored, sizeof ignored);
    link_event(init, &init->own);
    for (struct process *each = init->execs; each; each = each->next) link_event(init, each);
    for (;;) {
        int status;
        struct rusage usage;
        pid_t pid = wait4(-1, &status, WNOHANG | __WALL, &usage);
        struct process *process = pid > 0 ? of_pid(init, pid) : NULL;
        if (process) reaped(init, process, status, &usage);
        if (pid > 0) continue;
        init->all_dead = pid < 0;
        break;
    }
    init->sweep_at = NEVER;
    if (!init->all_dead && (init->own.reaped || init->sweeping)) {
        kill(-1, SIGKILL);
        init->sweep_at = milliseconds() + SWEEP_MILLIS;
    }
    if (init->all_dead && init->stopping && !init->own.pid && !init->own.reason) {
        snprintf(init->own.by, sizeof init->own.by, "%s", init->stop_by);
        end_kill(init, &init->own, REASON_CANCELLED);
    }
}

static void put_usage(const struct process *process, struct buffer *end)
{
    struct rusage usage = process->usage;
    if (is_own(process) && getrusage(RUSAGE_CHILDREN, &usage) < 0) return;
    put_u64(end, FIELD_USER_MICROS, (uint64_t)usage.ru_utime.tv_sec * 1000000U + (uint64_t)usage.ru_utime.tv_usec);
    put_u64(end, FIELD_SYSTEM_MICROS, (uint64_t)usage.ru_stime.tv_sec * 1000000U + (uint64_t)usage.ru_stime.tv_usec);
}

/* The root is an overlay, which answers for its upper file system. */
static void put_disk(struct buffer *end)
{
    struct statfs disk;
    if (statfs("/", &disk) < 0 || disk.f_blocks == 0) return;
    put_u64(end, FIELD_DISK_USED_BYTES, (uint64_t)(disk.f_blocks - disk.f_bfree) * (uint64_t)disk.f_bsize);
    put_u64(end, FIELD_DISK_USED_INODES, (uint64_t)(disk.f_files - disk.f_ffree));
}

static void put_end(struct init *init, struct process *process, struct buffer *end)
{
    uint32_t reason = process->reason;
    if (process->stamp_sandbox) put_u64(end, FIELD_STAMP_SANDBOX, process->stamp_sandbox);
    if (process->stamp_exec) put_u64(end, FIELD_STAMP_EXEC, process->stamp_exec);
    put_u64(end, FIELD_STAMP_END, process->stamp_end);
    put_u32(end, FIELD_REASON, reason);
    if (reason != REASON_SETUP) put_u32(end, FIELD_STATUS, (uint32_t)process->status);
    if (reason == REASON_CANCELLED) put_text(end, FIELD_BY, process->by);
    if (reason == REASON_SETUP || reason == REASON_EXEC) {
        put_u32(end, FIELD_ERRNO, (uint32_t)process->failure.code);
        put_text(end, FIELD_WHAT, process->failure.what);
    }
    const struct journal *journal = &process->journal;
    put_u64(end, FIELD_STDOUT_BYTES, journal->sums[0].bytes);
    put_u32(end, FIELD_STDOUT_CRC32C, journal->sums[0].crc);
    put_u64(end, FIELD_STDERR_BYTES, journal->sums[1].bytes);
    put_u32(end, FIELD_STDERR_CRC32C, journal->sums[1].crc);
    if (journal->dropped) put_u64(end, FIELD_DROPPED_BYTES, journal->dropped);
    put_u64(end, FIELD_STDIN_BYTES, process->input.written);
    if (process->signalled) put_u32(end, FIELD_SIGNALLED, process->signalled);
    put_usage(process, end);
    if (is_own(process) && process->stamp_sandbox && !init->lasting) put_disk(end);
    uint8_t *before = buffer_extend(end, process->before.length);
    if (before && process->before.length) memcpy(before, process->before.data, process->before.length);
    put_evidence(init, process, FIELD_EVIDENCE, end);
}

static void finish(struct init *init, struct process *process)
{
    output_drain(init, process);
    struct buffer record = {0};
    buffer_extend(&record, RECORD_HEADER);
    put_end(init, process, &record);
    if (record.exhausted) {
        /* No memory for the record now: the next turn tries again. */
        buffer_release(&record);
        process->retry_at = milliseconds() + RETRY_MILLIS;
        return;
    }
    journal_append(&process->journal, RECORD_END, record.data, record.length - RECORD_HEADER);
    process->end = record;
    order_release(&process->order);
    process->phase = ENDED;
    if (journal_stalled(&process->journal)) report_state(init, process);
}

void end_finish(struct init *init)
{
    for (struct process *each = init->execs; each; each = each->next)
        if (is_live(each) && each->reaped) finish(init, each);
    if (is_live(&init->own) && init->own.reaped && init->all_dead) finish(init, &init->own);
}
