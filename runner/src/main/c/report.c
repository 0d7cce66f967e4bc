/*
 * What PID 1 tells the JVM: its state on every connection, and how far the journal has grown. A slow JVM costs
 * nothing: it is told the newest position when it can listen again, and reads the file.
 */
#include "init.h"

#include <unistd.h>

static uint32_t state_of(const struct init *init)
{
    switch (init->phase) {
    case PARKING:
    case PARKED: return STATE_PARKED;
    case STARTING:
    case RUNNING: return STATE_RUNNING;
    case ENDED: return STATE_ENDED;
    case FAILED: break;
    }
    return STATE_FAILED;
}

void report_state(struct init *init)
{
    struct buffer out = {0};
    size_t start = frame_open(&out, FRAME_STATE);
    uint32_t state = state_of(init);
    put_u32(&out, FIELD_STATE, state);
    put_u64(&out, FIELD_POSITION, init->journal.end);
    put_u64(&out, FIELD_STDIN_TAKEN, init->input.taken);
    if (state == STATE_FAILED) {
        put_u32(&out, FIELD_ERRNO, (uint32_t)init->failure.code);
        put_text(&out, FIELD_WHAT, init->failure.what);
    }
    if (state == STATE_ENDED)
        put_bytes(&out, FIELD_END, init->end.data + RECORD_HEADER, init->end.length - RECORD_HEADER);
    frame_close(&out, start);
    if (!out.exhausted) channel_send(&init->jvm, out.data, out.length);
    buffer_release(&out);
    init->announced = init->journal.end;
    init->input.owed = false;
    /* Nothing can follow a failed parking. The frame is in the socket, which outlives this process. */
    if (state == STATE_FAILED && init->jvm.peer >= 0) _exit(1);
}

static void report_taken(struct init *init)
{
    struct input *input = &init->input;
    if (!input->owed || input->waiting.length - input->given > STDIN_BUFFERED) return;
    input->owed = false;
    uint8_t frame[FRAME_HEADER + FIELD_HEADER + 8];
    store_frame_header(frame, FRAME_STDIN_TAKEN, FIELD_HEADER + 8);
    store_field_header(frame + FRAME_HEADER, FIELD_POSITION, 8);
    store_u64(frame + FRAME_HEADER + FIELD_HEADER, input->taken);
    channel_send(&init->jvm, frame, sizeof frame);
}

/* What was appended since the last announcement, if it is little and still there. */
static bool read_growth(const struct init *init, uint8_t *to, uint64_t grown)
{
    return grown <= GREW_INLINE && init->announced >= init->journal.low
        && pread(init->journal.file, to, grown, (off_t)init->announced) == (ssize_t)grown;
}

/* The last announcement carries the END record's fields, so that nobody has to look for them in the file. */
static void report_end(struct init *init, uint64_t grown)
{
    struct buffer out = {0};
    size_t start = frame_open(&out, FRAME_GREW);
    put_u64(&out, FIELD_POSITION, init->journal.end);
    if (read_growth(init, init->work, grown)) put_bytes(&out, FIELD_DATA, init->work, grown);
    put_bytes(&out, FIELD_END, init->end.data + RECORD_HEADER, init->end.length - RECORD_HEADER);
    frame_close(&out, start);
    if (!out.exhausted) channel_send(&init->jvm, out.data, out.length);
    buffer_release(&out);
}

void report_growth(struct init *init)
{
    if (init->jvm.peer < 0 || channel_congested(&init->jvm)) return;
    report_taken(init);
    uint64_t grown = init->journal.end - init->announced;
    /* Until execve only META is there, and nobody waits for that. */
    if (grown == 0 || !init->work || init->phase == STARTING) return;
    /* A short job is told of once: each frame wakes threads of the JVM, which take the processor from the job. */
    if (init->tell_at != NEVER && init->phase == RUNNING && init->journal.end == init->started_end) return;
    init->tell_at = NEVER;
    if (init->phase == ENDED) {
        report_end(init, grown);
        init->announced = init->journal.end;
        return;
    }
    uint8_t *frame = init->work;
    size_t length = FRAME_HEADER + FIELD_HEADER + 8;
    store_field_header(frame + FRAME_HEADER, FIELD_POSITION, 8);
    store_u64(frame + FRAME_HEADER + FIELD_HEADER, init->journal.end);
    if (read_growth(init, frame + length + FIELD_HEADER, grown)) {
        store_field_header(frame + length, FIELD_DATA, (uint32_t)grown);
        length += FIELD_HEADER + grown;
    }
    store_frame_header(frame, FRAME_GREW, (uint32_t)(length - FRAME_HEADER));
    init->announced = init->journal.end;
    channel_send(&init->jvm, frame, length);
}
