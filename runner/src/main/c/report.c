/*
 * What PID 1 tells the JVM: its state on every connection, and how far the journal has grown. A slow JVM costs
 * nothing: it is told the newest position when it can listen again, and reads the file.
 */
#include "init.h"

#include <string.h>
#include <unistd.h>

static uint32_t state_of(const struct process *process)
{
    switch (process->phase) {
    case PARKING:
    case PARKED: return STATE_PARKED;
    case STARTING:
    case RUNNING: return STATE_RUNNING;
    case ENDED: return STATE_ENDED;
    case FAILED: break;
    }
    return STATE_FAILED;
}

static void send_and_release(struct init *init, struct buffer *out, size_t start)
{
    frame_close(out, start);
    if (!out->exhausted) channel_send(&init->jvm, out->data, out->length);
    buffer_release(out);
}

static void put_name(struct buffer *out, const struct process *process)
{
    if (!is_own(process)) put_text(out, FIELD_EXEC, process->id);
}

static void tell_state(struct init *init, struct process *process, uint32_t execs)
{
    struct buffer out = {0};
    size_t start = frame_open(&out, FRAME_STATE);
    uint32_t state = state_of(process);
    put_name(&out, process);
    put_u32(&out, FIELD_STATE, state);
    put_u64(&out, FIELD_POSITION, process->journal.end);
    put_u64(&out, FIELD_STDIN_TAKEN, process->input.taken);
    if (execs) put_u32(&out, FIELD_EXECS, execs);
    if (state == STATE_FAILED) {
        put_u32(&out, FIELD_ERRNO, (uint32_t)process->failure.code);
        put_text(&out, FIELD_WHAT, process->failure.what);
    }
    if (state == STATE_ENDED)
        put_bytes(&out, FIELD_END, process->end.data + RECORD_HEADER, process->end.length - RECORD_HEADER);
    send_and_release(init, &out, start);
    process->announced = process->journal.end;
    process->input.owed = false;
    /* Nothing can follow a failed parking. The frame is in the socket, which outlives this process. */
    if (state == STATE_FAILED && init->jvm.peer >= 0) _exit(1);
}

void report_state(struct init *init, struct process *process)
{
    tell_state(init, process, 0);
}

void report_states(struct init *init)
{
    uint32_t known = 0;
    for (const struct process *each = init->execs; each; each = each->next) known += !each->recorded;
    tell_state(init, &init->own, known);
    for (struct process *each = init->execs; each; each = each->next)
        if (!each->recorded) tell_state(init, each, 0);
}

void report_refused(struct init *init, const char *id, const struct failure *failure)
{
    struct buffer out = {0};
    size_t start = frame_open(&out, FRAME_STATE);
    put_text(&out, FIELD_EXEC, id);
    put_u32(&out, FIELD_STATE, STATE_FAILED);
    put_u64(&out, FIELD_POSITION, 0);
    put_u32(&out, FIELD_ERRNO, (uint32_t)failure->code);
    put_text(&out, FIELD_WHAT, failure->what);
    send_and_release(init, &out, start);
}

static void report_taken(struct init *init, struct process *process)
{
    struct input *input = &process->input;
    if (!input->owed || input->waiting.length - input->given > STDIN_BUFFERED) return;
    input->owed = false;
    struct buffer out = {0};
    size_t start = frame_open(&out, FRAME_STDIN_TAKEN);
    put_name(&out, process);
    put_u64(&out, FIELD_POSITION, input->taken);
    send_and_release(init, &out, start);
}

/* What was appended since the last announcement, if it is little and still there. */
static bool read_growth(const struct process *process, uint8_t *to, uint64_t grown)
{
    return grown <= GREW_INLINE && process->announced >= process->journal.low
        && pread(process->journal.file, to, grown, (off_t)process->announced) == (ssize_t)grown;
}

/* The last announcement carries the END record's fields, so that nobody has to look for them in the file. */
static void report_end(struct init *init, struct process *process, uint64_t grown)
{
    struct buffer out = {0};
    size_t start = frame_open(&out, FRAME_GREW);
    put_name(&out, process);
    put_u64(&out, FIELD_POSITION, process->journal.end);
    if (read_growth(process, init->work, grown)) put_bytes(&out, FIELD_DATA, init->work, grown);
    put_bytes(&out, FIELD_END, process->end.data + RECORD_HEADER, process->end.length - RECORD_HEADER);
    send_and_release(init, &out, start);
}

/* Put together in place, so that the bytes are read to where they are sent from. */
static void report_output(struct init *init, struct process *process, uint64_t grown)
{
    uint8_t *frame = init->work;
    size_t length = FRAME_HEADER;
    if (!is_own(process)) {
        store_field_header(frame + length, FIELD_EXEC, ID_LENGTH);
        memcpy(frame + length + FIELD_HEADER, process->id, ID_LENGTH);
        length += FIELD_HEADER + ID_LENGTH;
    }
    store_field_header(frame + length, FIELD_POSITION, 8);
    store_u64(frame + length + FIELD_HEADER, process->journal.end);
    length += FIELD_HEADER + 8;
    if (read_growth(process, frame + length + FIELD_HEADER, grown)) {
        store_field_header(frame + length, FIELD_DATA, (uint32_t)grown);
        length += FIELD_HEADER + grown;
    }
    store_frame_header(frame, FRAME_GREW, (uint32_t)(length - FRAME_HEADER));
    channel_send(&init->jvm, frame, length);
}

void report_growth(struct init *init, struct process *process)
{
    if (init->jvm.peer < 0 || channel_congested(&init->jvm)) return;
    report_taken(init, process);
    uint64_t grown = process->journal.end - process->announced;
    /* Until execve only META is there, and nobody waits for that. */
    if (grown == 0 || !init->work || process->phase == STARTING) return;
    /* A short job is told of once: each frame wakes threads of the JVM, which take the processor from the job. */
    if (process->tell_at != NEVER && process->phase == RUNNING && process->journal.end == process->started_end) return;
    process->tell_at = NEVER;
    if (process->phase == ENDED) report_end(init, process, grown);
    else report_output(init, process, grown);
    process->announced = process->journal.end;
}
