/*
 * One process that PID 1 started for a caller, from its order to the record of its end: the sandbox's own, or one more
 * of an EXEC. Each has pipes, a journal and limits of its own.
 */
#ifndef BOBBIN_PROCESS_H
#define BOBBIN_PROCESS_H

#include "error.h"
#include "journal.h"
#include "order.h"
#include "sandbox.h"

#include <sys/resource.h>
#include <sys/types.h>

/* The first two, and FAILED, are of the sandbox's own process only. */
enum phase { PARKING, PARKED, STARTING, RUNNING, ENDED, FAILED };

struct output {
    int pipe; /* -1 at its end; of a terminal our end of it, the first output of two */
    bool polled;
};

struct input {
    int pipe; /* -1 when nothing more can be given */
    bool polled, last, owed; /* owed: a STDIN_TAKEN is to be sent */
    struct buffer waiting;
    size_t given; /* bytes of `waiting` that are in the pipe */
    uint64_t taken, written; /* from the JVM; into the pipe */
};

struct process {
    struct process *next;
    uint32_t number;         /* what events of the loop call it; never used twice */
    char id[ID_LENGTH + 1];  /* empty: the sandbox's own */
    enum phase phase;
    bool late;               /* forked into the sandbox's finished root, as is every one of an EXEC */
    bool terminal;           /* in place of pipes */
    bool wide;               /* its pipes are, since it has printed much */
    int link;                /* to the process until execve; -1 afterwards */
    pid_t pid;               /* 0: the sandbox idles */
    bool reaped, recorded;   /* recorded: the JVM asks for it no more */
    int status;
    struct rusage usage;     /* of it and what it waited for */

    struct journal journal;
    uint64_t announced, consumed, started_end; /* the last: where the record STARTED ends */
    struct output outputs[2];
    struct input input;
    uint64_t window;         /* number of the one that small_reads counts in */
    unsigned small_reads;

    struct order order;      /* until execve */
    struct buffer reads;     /* the order's CGROUP_READ fields, for the end */
    struct buffer before;    /* what they said at the start, as EVIDENCE_BEFORE */
    uint64_t output_limit, time_millis;
    uint32_t output_policy;

    uint32_t signalled;      /* the last FRAME_SIGNAL, 0 if there was none */
    uint32_t reason;         /* REASON_…, 0 while there is none */
    struct failure failure;
    char by[64];
    struct buffer end;       /* the END record */
    uint64_t stamp_sandbox, stamp_exec, stamp_end;
    uint64_t start_by, time_up, retry_at, resume_at, tell_at;
    uint64_t nudge_at;       /* of work on files, which a program in the sandbox may have stopped */
};

static inline bool is_own(const struct process *process)
{
    return process->id[0] == 0;
}

/* Whether it is to have an end that it does not have yet. */
static inline bool is_live(const struct process *process)
{
    return process->phase == STARTING || process->phase == RUNNING;
}

/* A process before anything of it exists. */
void process_prepare(struct process *process);
/* Releases what an ended one holds. */
void process_release(struct process *process);
/* The next moment at which something is to be done about it. */
uint64_t process_deadline(const struct process *process);

#endif
