/*
 * The job's standard input and output: pipes or a terminal into the journal, frames into a pipe or that terminal.
 */
#include "init.h"
#include "park.h"
#include "terminal.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#define READS_A_TURN 8
#define TERMINAL_LEFT 65536
#define BULK "../bulk/" /* from the job's own cgroup, beside which it lies */

static uint64_t total(const struct process *process)
{
    return process->journal.sums[0].bytes + process->journal.sums[1].bytes;
}

/* Under OUTPUT_BLOCK the program waits for readers that are too far behind; without a JVM nobody comes nearer. */
static bool held(const struct process *process)
{
    const struct journal *journal = &process->journal;
    if (process->resume_at != NEVER) return true;
    if (process->phase == ENDED) return false;
    if (journal_stalled(journal)) return true;
    if (process->output_policy != OUTPUT_BLOCK || !process->output_limit) return false;
    uint64_t consumed = process->consumed > journal->from ? process->consumed : journal->from;
    return journal->end >= consumed && journal->end - consumed >= process->output_limit;
}

/* Keeps the journal within its limit: lets go of what is oldest, under OUTPUT_BLOCK of what everybody has read. */
static void shed(struct init *init, struct process *process)
{
    struct journal *journal = &process->journal;
    uint64_t limit = process->output_limit, step = limit / 8;
    if (!journal->gap || journal_stalled(journal) || journal->end - journal->low <= limit) return;
    uint64_t before = process->output_policy == OUTPUT_DROP ? journal->end : process->consumed;
    if (before > journal->end) before = journal->end;
    if (before <= journal->low || before - journal->low < step) return;
    if (!journal_drop(journal, limit - step, before)) end_kill(init, process, REASON_OUTPUT);
}

/* Bytes that may be kept of the next read; what is past the limit under OUTPUT_KILL ends the job. */
static size_t admit(struct init *init, struct process *process, size_t length)
{
    if (process->output_policy != OUTPUT_KILL || !process->output_limit) return length;
    uint64_t left = process->output_limit - total(process);
    if (length <= left) return length;
    end_kill(init, process, REASON_OUTPUT);
    return (size_t)left;
}

static void count_small_read(struct process *process)
{
    uint64_t window = milliseconds() / WINDOW_MILLIS;
    if (window != process->window) process->small_reads = 0;
    process->window = window;
    if (++process->small_reads >= SMALL_READS_A_WINDOW) process->resume_at = (window + 1) * WINDOW_MILLIS;
}

/* Room in the pipes for what is read in one turn, so that program and reader wake each other less often. */
static void widen(struct process *process)
{
    process->wide = true;
    for (int i = 0; i < 2; i++) fcntl(process->outputs[i].pipe, F_SETPIPE_SZ, READS_A_TURN * RECORD_LONGEST);
}

/*
 * Once there has been much output: from now on this process has the processor like any job, and not before all. In v1
 * it moves its one thread, which takes no machine-wide lock. Where there is no such cgroup it stays.
 */
static void stand_back(struct init *init, struct process *process)
{
    if (total(process) < BULK_BYTES) return;
    if (!process->wide) widen(process);
    if (init->bulk) return;
    init->bulk = true;
    for (int i = 0; i < init->sandbox->cgroups.count; i++) {
        struct failure ignored;
        int directory = init->sandbox->cgroups.each[i].directory;
        if (faccessat(directory, BULK "tasks", W_OK, AT_EACCESS) == 0) write_text(directory, BULK "tasks", "0", &ignored);
        else write_text(directory, BULK "cgroup.procs", "0", &ignored);
    }
}

/* One read into the journal; its length, 0 if there is nothing for now or, with the pipe closed, ever. */
static size_t pump(struct init *init, struct process *process, int which)
{
    struct output *output = &process->outputs[which];
    uint8_t *data = init->work + RECORD_HEADER;
    ssize_t got = read(output->pipe, data, RECORD_LONGEST);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) {
        shut(&output->pipe);
        output->polled = false;
        return 0;
    }
    if (got < SMALL_READ) count_small_read(process);
    size_t kept = admit(init, process, (size_t)got);
    if (kept) journal_append(&process->journal, which == 0 ? RECORD_STDOUT : RECORD_STDERR, init->work, kept);
    shed(init, process);
    stand_back(init, process);
    return (size_t)got;
}

/*
 * What a process of an EXEC started and left behind goes on writing into its pipes. Nobody asks for that any more, but a
 * program must not fail for it: a little is read now and then, and thrown away.
 */
static void discard(struct init *init, struct process *process, int which)
{
    ssize_t got = read(process->outputs[which].pipe, init->work, RECORD_LONGEST);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) shut(&process->outputs[which].pipe);
    process->resume_at = milliseconds() + WINDOW_MILLIS;
}

void output_read(struct init *init, struct process *process, int which)
{
    for (int i = 0; i < READS_A_TURN && process->outputs[which].pipe >= 0; i++) {
        if (held(process)) return;
        if (process->phase == ENDED) discard(init, process, which);
        else if (pump(init, process, which) < RECORD_LONGEST) return;
    }
}

/*
 * Once every process is dead nobody can write any more, and what the pipes hold is all there is: little enough to be
 * kept in memory if the disk is full, so that the end can be told even then. Of a process of an EXEC what it started may
 * live and write on: what is in the pipes now is all that is asked for.
 */
void output_drain(struct init *init, struct process *process)
{
    for (int i = 0; i < 2; i++) {
        struct output *output = &process->outputs[i];
        int left = 0;
        if (process->phase == STARTING || !init->work) shut(&output->pipe);
        if (output->pipe >= 0 && !is_own(process) && ioctl(output->pipe, FIONREAD, &left) < 0) left = 0;
        /* What is on its way through a terminal is not counted there, and never more than this. */
        if (process->terminal) left = TERMINAL_LEFT;
        while (output->pipe >= 0 && (is_own(process) || left > 0)) {
            size_t got = pump(init, process, i);
            if (got == 0) break;
            left -= (int)got;
        }
        if (is_own(process)) shut(&output->pipe);
    }
}

/*
 * Polls the pipes exactly while they may be read: a hang-up would be reported without end otherwise. Before execve
 * nothing is read, so STARTED comes before all output.
 */
void output_poll(struct init *init, struct process *process)
{
    if (process->phase != RUNNING && (process->phase != ENDED || is_own(process))) return;
    bool wanted = !held(process);
    for (int i = 0; i < 2; i++) {
        struct output *output = &process->outputs[i];
        if (output->pipe < 0 || output->polled == wanted) continue;
        output->polled = wanted;
        if (wanted) init_watch(init, output->pipe, i == 0 ? OF_STDOUT : OF_STDERR, process, EPOLLIN);
        else epoll_ctl(init->poll, EPOLL_CTL_DEL, output->pipe, NULL);
    }
}

void input_close(struct process *process)
{
    shut(&process->input.pipe);
    process->input.polled = false;
    process->input.given = 0;
    buffer_release(&process->input.waiting);
}

void input_give(struct init *init, struct process *process)
{
    struct input *input = &process->input;
    while (input->pipe >= 0 && input->given < input->waiting.length) {
        ssize_t some = write(input->pipe, input->waiting.data + input->given, input->waiting.length - input->given);
        if (some < 0 && errno == EAGAIN) {
            if (!input->polled) init_watch(init, input->pipe, OF_INPUT, process, EPOLLOUT);
            input->polled = true;
            return;
        }
        if (some < 0) {
            input_close(process);
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

/* Nothing more will be given: a pipe is closed, into a terminal the end is typed. */
static void end_input(struct process *process)
{
    struct input *input = &process->input;
    if (process->terminal && !input->last) {
        uint8_t *end = buffer_extend(&input->waiting, 1);
        if (end) *end = TERMINAL_END;
        input->waiting.exhausted = false;
    }
    input->last = true;
}

/* A frame of standard input: what was taken before is trimmed off, and a gap is refused. */
bool input_take(struct init *init, struct process *process, struct slice body)
{
    struct input *input = &process->input;
    struct field field;
    uint64_t position;
    struct slice data = {0};
    if (field_find(body, FIELD_POSITION, &field) != 1 || !field_u64(&field, &position) || position > input->taken)
        return false;
    if (field_find(body, FIELD_DATA, &field) == 1) data = field.value;
    uint64_t known = input->taken - position;
    if (known > data.length) known = data.length;
    size_t fresh = data.length - (size_t)known;
    /* What comes behind its end is as lost as what comes when nobody reads. */
    if (input->pipe >= 0 && fresh && !input->last) {
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
    if (field_find(body, FIELD_LAST, &field) == 1) end_input(process);
    input->owed = true;
    if (process->phase == RUNNING) input_give(init, process);
    return true;
}
