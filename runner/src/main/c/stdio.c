/*
 * The job's standard input and output: pipes into the journal, frames into a pipe.
 */
#include "init.h"
#include "park.h"

#include <string.h>
#include <sys/epoll.h>

#define READS_A_TURN 8
#define BULK "../bulk/" /* from the job's own cgroup, beside which it lies */

static uint64_t total(const struct init *init)
{
    return init->journal.sums[0].bytes + init->journal.sums[1].bytes;
}

/* Under OUTPUT_BLOCK the program waits for readers that are too far behind; without a JVM nobody comes nearer. */
static bool held(const struct init *init)
{
    const struct journal *journal = &init->journal;
    if (journal_stalled(journal) || init->resume_at != NEVER) return true;
    if (init->output_policy != OUTPUT_BLOCK || !init->output_limit) return false;
    uint64_t consumed = init->consumed > journal->from ? init->consumed : journal->from;
    return journal->end >= consumed && journal->end - consumed >= init->output_limit;
}

/* Keeps the journal within its limit: lets go of what is oldest, under OUTPUT_BLOCK of what everybody has read. */
static void shed(struct init *init)
{
    struct journal *journal = &init->journal;
    uint64_t limit = init->output_limit, step = limit / 8;
    if (!journal->gap || journal_stalled(journal) || journal->end - journal->low <= limit) return;
    uint64_t before = init->output_policy == OUTPUT_DROP ? journal->end : init->consumed;
    if (before > journal->end) before = journal->end;
    if (before <= journal->low || before - journal->low < step) return;
    if (!journal_drop(journal, limit - step, before)) end_kill(init, REASON_OUTPUT);
}

/* Bytes that may be kept of the next read; what is past the limit under OUTPUT_KILL ends the job. */
static size_t admit(struct init *init, size_t length)
{
    if (init->output_policy != OUTPUT_KILL || !init->output_limit) return length;
    uint64_t left = init->output_limit - total(init);
    if (length <= left) return length;
    end_kill(init, REASON_OUTPUT);
    return (size_t)left;
}

static void count_small_read(struct init *init)
{
    uint64_t window = milliseconds() / WINDOW_MILLIS;
    if (window != init->window) init->small_reads = 0;
    init->window = window;
    if (++init->small_reads >= SMALL_READS_A_WINDOW) init->resume_at = (window + 1) * WINDOW_MILLIS;
}

/*
 * Once there has been much output: from now on this process has the processor like any job, and not before all. In v1
 * it moves its one thread, which takes no machine-wide lock. Where there is no such cgroup it stays.
 */
static void stand_back(struct init *init)
{
    if (init->bulk || total(init) < BULK_BYTES) return;
    init->bulk = true;
    for (int i = 0; i < init->sandbox->cgroups.count; i++) {
        struct failure ignored;
        int directory = init->sandbox->cgroups.each[i].directory;
        if (faccessat(directory, BULK "tasks", W_OK, AT_EACCESS) == 0) write_text(directory, BULK "tasks", "0", &ignored);
        else write_text(directory, BULK "cgroup.procs", "0", &ignored);
    }
}

/* One read into the journal; its length, 0 if there is nothing for now or, with the pipe closed, ever. */
static size_t pump(struct init *init, int which)
{
    struct output *output = &init->outputs[which];
    uint8_t *data = init->work + RECORD_HEADER;
    ssize_t got = read(output->pipe, data, RECORD_LONGEST);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) {
        shut(&output->pipe);
        output->polled = false;
        return 0;
    }
    if (got < SMALL_READ) count_small_read(init);
    size_t kept = admit(init, (size_t)got);
    if (kept) journal_append(&init->journal, which == 0 ? RECORD_STDOUT : RECORD_STDERR, init->work, kept);
    shed(init);
    stand_back(init);
    return (size_t)got;
}

void output_read(struct init *init, int which)
{
    for (int i = 0; i < READS_A_TURN && init->outputs[which].pipe >= 0; i++)
        if (held(init) || pump(init, which) < RECORD_LONGEST) return;
}

/*
 * Once every process is dead nobody can write any more, and what the pipes hold is all there is: little enough to be
 * kept in memory if the disk is full, so that the end can be told even then.
 */
void output_drain(struct init *init)
{
    for (int i = 0; i < 2; i++) {
        int *pipe = &init->outputs[i].pipe;
        if (init->phase == STARTING || !init->work) shut(pipe);
        while (*pipe >= 0 && pump(init, i) > 0) {}
        shut(pipe);
    }
}

/*
 * Polls the pipes exactly while they may be read: a hang-up would be reported without end otherwise. Before execve
 * nothing is read, so STARTED comes before all output.
 */
void output_poll(struct init *init)
{
    if (init->phase != RUNNING) return;
    bool wanted = !held(init);
    for (int i = 0; i < 2; i++) {
        struct output *output = &init->outputs[i];
        if (output->pipe < 0 || output->polled == wanted) continue;
        output->polled = wanted;
        if (wanted) init_watch(init, output->pipe, i == 0 ? OF_STDOUT : OF_STDERR, EPOLLIN);
        else epoll_ctl(init->poll, EPOLL_CTL_DEL, output->pipe, NULL);
    }
}

void input_close(struct init *init)
{
    shut(&init->input.pipe);
    init->input.polled = false;
    init->input.given = 0;
    buffer_release(&init->input.waiting);
}

void input_give(struct init *init)
{
    struct input *input = &init->input;
    while (input->pipe >= 0 && input->given < input->waiting.length) {
        ssize_t some = write(input->pipe, input->waiting.data + input->given, input->waiting.length - input->given);
        if (some < 0 && errno == EAGAIN) {
            if (!input->polled) init_watch(init, input->pipe, OF_INPUT, EPOLLOUT);
            input->polled = true;
            return;
        }
        if (some < 0) {
            input_close(init);
            return;
        }
        input->given += (size_t)some;
        input->written += (uint64_t)some;
    }
    if (input->pipe >= 0 && input->polled) epoll_ctl(init->poll, EPOLL_CTL_DEL, input->pipe, NULL);
    input->polled = false;
    input->given = 0;
    buffer_release(&input->waiting);
    if (input->last) shut(&input->pipe);
}

/* A frame of standard input: what was taken before is trimmed off, and a gap is refused. */
bool input_take(struct init *init, struct slice body)
{
    struct input *input = &init->input;
    struct field field;
    uint64_t position;
    struct slice data = {0};
    if (field_find(body, FIELD_POSITION, &field) != 1 || !field_u64(&field, &position) || position > input->taken)
        return false;
    if (field_find(body, FIELD_DATA, &field) == 1) data = field.value;
    uint64_t known = input->taken - position;
    if (known > data.length) known = data.length;
    size_t fresh = data.length - (size_t)known;
    if (input->last && fresh) return false;
    if (input->pipe >= 0 && fresh) {
        if (input->waiting.length - input->given + fresh > STDIN_BUFFERED + FRAME_LONGEST) return false;
        if (input->given) {
            buffer_drop(&input->waiting, input->given);
            input->given = 0;
        }
        uint8_t *at = buffer_extend(&input->waiting, fresh);
        if (!at) {
            input->waiting.exhausted = false;
            return false;
        }
        memcpy(at, data.data + known, fresh);
    }
    input->taken += fresh;
    if (field_find(body, FIELD_LAST, &field) == 1) input->last = true;
    input->owed = true;
    if (init->phase == RUNNING) input_give(init);
    return true;
}
