/*
 * How a job ends: everything of it is killed and reaped, its pipes are drained, and one END record says why, how much
 * it printed and what the kernel counted.
 */
#include "init.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#define EVIDENCE_LONGEST 16384

void end_kill(struct init *init, uint32_t reason)
{
    if (!init->reason) init->reason = reason;
    init->time_up = NEVER;
    init->start_by = NEVER;
    init->sweeping = true;
    kill(-1, SIGKILL);
    init->sweep_at = milliseconds() + SWEEP_MILLIS;
}

static void reaped_main(struct init *init, int status)
{
    init->stamp_end = nanoseconds(CLOCK_MONOTONIC);
    init->main_reaped = true;
    init->status = status;
    init->time_up = NEVER;
    init->start_by = NEVER;
    if (!init->reason) init->reason = REASON_EXITED;
    input_close(init);
}

void end_reap(struct init *init)
{
    struct signalfd_siginfo ignored;
    /* SIGCHLD never queues, so one read empties it; and that there is none is no reason not to look. */
    (void)!read(init->signals, &ignored, sizeof ignored);
    init_link_event(init);
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);
        if (pid > 0 && pid == init->main) reaped_main(init, status);
        if (pid > 0) continue;
        init->all_dead = pid < 0;
        break;
    }
    init->sweep_at = NEVER;
    if (!init->all_dead && (init->main_reaped || init->sweeping)) {
        kill(-1, SIGKILL);
        init->sweep_at = milliseconds() + SWEEP_MILLIS;
    }
}

static void put_evidence(struct init *init, struct buffer *end)
{
    struct slice rest = {init->reads.data, (uint32_t)init->reads.length};
    struct field read_field;
    FREED char *text = malloc(EVIDENCE_LONGEST);
    while (text && field_read(&rest, &read_field) == 1) {
        uint32_t length = read_field.value.length;
        char *file = memchr(read_field.value.data, '\n', length);
        if (!file || length >= EVIDENCE_LONGEST / 2) continue;
        memcpy(text, read_field.value.data, length);
        text[length] = 0;
        size_t kind = (size_t)(file - (char *)read_field.value.data);
        const char *name = text + kind + 1;
        for (int i = 0; i < init->sandbox->cgroups.count; i++) {
            const char *candidate = init->sandbox->cgroups.each[i].kind;
            if (strncmp(candidate, text, kind) != 0 || candidate[kind] != 0) continue;
            if (strchr(name, '/')) break;
            CLOSED int from = openat(init->sandbox->cgroups.each[i].directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
            ssize_t got = from < 0 ? -1 : read(from, text + length + 1, EVIDENCE_LONGEST - length - 1);
            if (got < 0) break;
            text[length] = '\n';
            put_bytes(end, FIELD_EVIDENCE, text, length + 1 + (size_t)got);
            break;
        }
    }
}

static void put_usage(struct buffer *end)
{
    struct rusage usage;
    if (getrusage(RUSAGE_CHILDREN, &usage) < 0) return;
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

static void put_end(struct init *init, struct buffer *end)
{
    uint32_t reason = init->reason;
    if (init->stamp_sandbox) put_u64(end, FIELD_STAMP_SANDBOX, init->stamp_sandbox);
    if (init->stamp_exec) put_u64(end, FIELD_STAMP_EXEC, init->stamp_exec);
    put_u64(end, FIELD_STAMP_END, init->stamp_end);
    put_u32(end, FIELD_REASON, reason);
    if (reason != REASON_SETUP) put_u32(end, FIELD_STATUS, (uint32_t)init->status);
    if (reason == REASON_CANCELLED) put_text(end, FIELD_BY, init->by);
    if (reason == REASON_SETUP || reason == REASON_EXEC) {
        put_u32(end, FIELD_ERRNO, (uint32_t)init->failure.code);
        put_text(end, FIELD_WHAT, init->failure.what);
    }
    put_u64(end, FIELD_STDOUT_BYTES, init->journal.sums[0].bytes);
    put_u32(end, FIELD_STDOUT_CRC32C, init->journal.sums[0].crc);
    put_u64(end, FIELD_STDERR_BYTES, init->journal.sums[1].bytes);
    put_u32(end, FIELD_STDERR_CRC32C, init->journal.sums[1].crc);
    if (init->journal.dropped) put_u64(end, FIELD_DROPPED_BYTES, init->journal.dropped);
    put_u64(end, FIELD_STDIN_BYTES, init->input.written);
    if (init->signalled) put_u32(end, FIELD_SIGNALLED, init->signalled);
    put_usage(end);
    if (init->stamp_sandbox) put_disk(end);
    put_evidence(init, end);
}

void end_finish(struct init *init)
{
    if (init->phase != STARTING && init->phase != RUNNING) return;
    if (!init->main_reaped || !init->all_dead) return;
    output_drain(init);
    struct buffer record = {0};
    buffer_extend(&record, RECORD_HEADER);
    put_end(init, &record);
    if (record.exhausted) {
        /* No memory for the record now: the next turn tries again. */
        buffer_release(&record);
        init->retry_at = milliseconds() + RETRY_MILLIS;
        return;
    }
    journal_append(&init->journal, RECORD_END, record.data, record.length - RECORD_HEADER);
    init->end = record;
    order_release(&init->order);
    init->phase = ENDED;
    if (journal_stalled(&init->journal)) report_state(init);
}
