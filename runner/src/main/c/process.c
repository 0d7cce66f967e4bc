/*
 * The processes of a sandbox: making an entry, and letting go of it (process.h).
 */
#include "process.h"
#include "sys.h"

void process_prepare(struct process *process)
{
    *process = (struct process){
        .link = -1,
        .journal.file = -1,
        .outputs = {{-1, false}, {-1, false}},
        .input = {.pipe = -1},
        .start_by = NEVER,
        .time_up = NEVER,
        .retry_at = NEVER,
        .resume_at = NEVER,
        .tell_at = NEVER,
        .nudge_at = NEVER,
    };
}

void process_release(struct process *process)
{
    shut(&process->link);
    shut(&process->journal.file);
    shut(&process->outputs[0].pipe);
    shut(&process->outputs[1].pipe);
    shut(&process->input.pipe);
    buffer_release(&process->journal.kept);
    buffer_release(&process->input.waiting);
    buffer_release(&process->reads);
    buffer_release(&process->before);
    buffer_release(&process->end);
    order_release(&process->order);
}

uint64_t process_deadline(const struct process *process)
{
    uint64_t next = earlier(process->start_by, process->time_up);
    next = earlier(next, earlier(process->resume_at, process->tell_at));
    return earlier(next, earlier(process->retry_at, process->nudge_at));
}
