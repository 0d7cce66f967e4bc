/*
 * PID 1 of a sandbox: its state, and the parts of its one loop. Nothing here blocks but the work of an order itself.
 */
#ifndef BOBBIN_INIT_H
#define BOBBIN_INIT_H

#include "channel.h"
#include "error.h"
#include "process.h"
#include "sandbox.h"
#include "sys.h"

#include <sys/types.h>

#define LONELY_MILLIS 10000 /* a parked sandbox without a JVM */
#define START_MILLIS 5000   /* of a process that has not executed yet */
#define RETRY_MILLIS 100    /* of a journal whose disk is full */
#define SWEEP_MILLIS 10     /* between two attempts to kill everything */
#define NUDGE_MILLIS 10     /* between two SIGCONTs to work on files */
#define TELL_MILLIS 2       /* that the job has started, unless there is more to tell before */
#define STDIN_BUFFERED 262144
#define EXECS_MOST 1024     /* processes of EXEC frames whose end is not recorded */

/*
 * A program that writes byte by byte must not keep PID 1, which its cgroup does not limit, busy with small records:
 * past so many of them in one window its pipes wait for the next, and fill.
 */
#define WINDOW_MILLIS 10
#define SMALL_READS_A_WINDOW 256
#define SMALL_READ 4096

/* Who an event of epoll is about; the number of a process stands above it. */
enum source { OF_LISTENER, OF_PEER, OF_SIGNALS, OF_LINK, OF_INPUT, OF_STDOUT, OF_STDERR };

#define SOURCE_BITS 8

struct init {
    struct sandbox *sandbox;
    int poll, signals, far_link, network; /* the last: where what was done with the network shows */
    struct channel jvm;
    bool greeted, peer_polled_out;

    struct process own; /* its phase is the sandbox's */
    struct process *execs;
    uint32_t exec_count, numbers;
    bool all_dead, sweeping;
    bool bulk; /* moved to the cgroup of those that pump much */
    uint8_t *work; /* a record of output, or a frame about it; from the order on */

    bool lasting, stopping;
    int user_namespace, cgroup_namespace; /* what processes enter that are forked later; -1 if there will be none */
    char stop_by[64];

    uint64_t orphan_millis;
    uint64_t alone_since, sweep_at, stop_at;
};

/* start.c: the order, until execve */
/* Before the job's network namespace is entered, or the job would see it there. */
int init_make_link(struct init *init);
int start_process(struct init *init, struct process *process, int user_namespace);
void init_start(struct init *init, struct slice body);
/* Keeps what outlives the order itself, whose files may be large; may leave a failure. */
void remember(struct process *process);
/* The records before those of the process. */
void begin_journal(struct process *process);
void link_event(struct init *init, struct process *process);

/* late.c: the sandbox's own process where the parked one will not do */
/* Forks a process into the job's cgroup of version 2, if there is one; 0 in the new one. */
pid_t fork_placed(const struct cgroups *cgroups);
/*
 * What processes that are forked later will enter: the parked one's namespaces, or a new one of cgroups if there are more of
 * these by now. While the stage's proc is in its place.
 */
int hold_namespaces(struct init *init, bool regrouped, struct failure *failure);
/* A network that the sandbox's user namespace owns, in place of the one in which it parked; eth0 goes along. */
int own_network(struct init *init, struct failure *failure);
/* Puts another process in the place of the parked one; the root is ready. */
int start_late(struct init *init);

/* exec.c: more processes in a sandbox that lasts */
bool exec_begin(struct init *init, struct slice body);
bool exec_find(struct init *init, struct slice body, struct process **process);
void exec_forget(struct init *init);

/* stdio.c: pipes to the journal, frames to the standard input */
void output_read(struct init *init, struct process *process, int which);
void output_drain(struct init *init, struct process *process);
void output_poll(struct init *init, struct process *process);
bool input_take(struct init *init, struct process *process, struct slice body);
void input_give(struct init *init, struct process *process);
void input_close(struct process *process);

/* end.c: killing, reaping, the END record */
void end_kill(struct init *init, struct process *process, uint32_t reason);
void end_reap(struct init *init);
void end_finish(struct init *init);
void end_signal(struct process *process, uint32_t signal);
void end_stop(struct init *init, uint32_t signal, uint64_t grace_millis);

/* evidence.c: what the cgroup's files say */
void put_evidence(const struct init *init, const struct process *process, uint16_t tag, struct buffer *to);

/* report.c: what the JVM is told */
void report_states(struct init *init);
void report_state(struct init *init, struct process *process);
void report_refused(struct init *init, const char *id, const struct failure *failure);
void report_growth(struct init *init, struct process *process);

void init_watch(struct init *init, int descriptor, enum source source, const struct process *process, uint32_t events);

#endif
