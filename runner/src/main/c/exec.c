/*
 * More processes in a sandbox that lasts. Each is forked from PID 1, which stands in the sandbox's root, and enters what
 * the first one entered; each has pipes and a journal of its own.
 */
#include "init.h"

#include <string.h>

static struct process *find(struct init *init, const char *id)
{
    struct process *process = init->execs;
    while (process && strcmp(process->id, id) != 0) process = process->next;
    return process;
}

/* Copies the id in `tag`: 1, 0 if there is none, -1 if it is none. */
static int take_id(struct slice body, uint16_t tag, char *id)
{
    struct field field;
    int found = field_find(body, tag, &field);
    if (found != 1) return found;
    if (!is_id(field.value.data, field.value.length)) return -1;
    memcpy(id, field.value.data, ID_LENGTH);
    id[ID_LENGTH] = 0;
    return 1;
}

/* The process that a frame is about, NULL if that is not known any more; false if the frame makes no sense. */
bool exec_find(struct init *init, struct slice body, struct process **process)
{
    char id[ID_LENGTH + 1];
    int found = take_id(body, FIELD_EXEC, id);
    *process = found == 1 ? find(init, id) : found == 0 ? &init->own : NULL;
    return found >= 0;
}

static int may_begin(const struct init *init, struct failure *failure)
{
    if (!init->lasting) return fail_as(failure, EPERM, "run another process in a sandbox that does not last");
    if (init->own.phase != RUNNING || init->own.reason || init->own.reaped || init->stopping)
        return fail_as(failure, ESRCH, "run a process in a sandbox that ends");
    if (init->exec_count >= EXECS_MOST) return fail_as(failure, EAGAIN, "run more than %d processes", EXECS_MOST);
    return 0;
}

static int open_journal(struct init *init, struct process *process, const char *journal, struct failure *failure)
{
    char name[ID_LENGTH + sizeof JOURNAL_SUFFIX];
    snprintf(name, sizeof name, "%s" JOURNAL_SUFFIX, journal);
    int file = openat(init->sandbox->journals, name, O_CREAT | O_EXCL | O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return fail(failure, "make the journal %s", name);
    journal_begin(&process->journal, file);
    process->announced = process->journal.end;
    return 0;
}

/* From here on it has a journal, so whatever goes wrong is in there. */
static void go(struct init *init, struct process *process)
{
    begin_journal(process);
    remember(process);
    process->stamp_sandbox = nanoseconds(CLOCK_MONOTONIC);
    put_evidence(init, process, FIELD_EVIDENCE_BEFORE, &process->before);
    int result = process->failure.code ? -1 : start_process(init, process, init->user_namespace);
    if (process->order.stdin_policy == STDIN_EMPTY) input_close(process);
    if (result == 0) return;
    process->reaped = true;
    end_kill(init, process, REASON_SETUP);
}

static struct process *make(struct init *init, const char *id, const char *journal, struct slice body,
                            struct failure *failure)
{
    struct process *process = calloc(1, sizeof *process);
    if (!process) return fail(failure, "make room for a process"), NULL;
    process_prepare(process);
    strcpy(process->id, id);
    if (order_read(body, &process->order, failure) < 0
        || (process->order.argument_count == 0 && fail_as(failure, EBADMSG, "find a command in the order") < 0)
        || open_journal(init, process, journal, failure) < 0) {
        process_release(process);
        free(process);
        return NULL;
    }
    process->number = ++init->numbers;
    process->phase = STARTING;
    process->late = true;
    process->next = init->execs;
    init->execs = process;
    init->exec_count++;
    return process;
}

bool exec_begin(struct init *init, struct slice body)
{
    char id[ID_LENGTH + 1], journal[ID_LENGTH + 1];
    if (take_id(body, FIELD_EXEC, id) != 1 || take_id(body, FIELD_JOURNAL, journal) != 1) return false;
    struct failure failure = {0};
    struct process *process = find(init, id);
    if (process) {
        /* It was asked for before, by a server that did not hear the answer. */
        report_state(init, process);
        return true;
    }
    if (may_begin(init, &failure) == 0 && (process = make(init, id, journal, body, &failure))) go(init, process);
    else report_refused(init, id, &failure);
    return true;
}

/* Lets go of processes that nobody asks for any more and that have left nothing that writes. Once a turn, so that no event of
 * the turn meets one that is gone. */
void exec_forget(struct init *init)
{
    for (struct process **at = &init->execs; *at;) {
        struct process *process = *at;
        bool writing = process->outputs[0].pipe >= 0 || process->outputs[1].pipe >= 0;
        if (!process->recorded || process->phase != ENDED || writing) {
            at = &process->next;
            continue;
        }
        *at = process->next;
        init->exec_count--;
        process_release(process);
        free(process);
    }
}
