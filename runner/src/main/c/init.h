/*
 * PID 1 of a sandbox: its state, and the parts of its one loop. Nothing here blocks but the work of an order itself.
 */
#ifndef BOBBIN_INIT_H
#define BOBBIN_INIT_H

#include "channel.h"
#include "error.h"
#include "journal.h"
#include "order.h"
#include "sandbox.h"
#include "sys.h"

#include <sys/types.h>

#define LONELY_MILLIS 10000 /* a parked sandbox without a JVM */
#define START_MILLIS 5000   /* of a process that has not executed yet */
#define RETRY_MILLIS 100    /* of a journal whose disk is full */
#define SWEEP_MILLIS 10     /* between two attempts to kill everything */
#define TELL_MILLIS 2       /* that the job has started, unless there is more to tell before */
#define STDIN_BUFFERED 262144

/*
 * A program that writes byte by byte must not keep PID 1, which its cgroup does not limit, busy with small records:
 * past so many of them in one window its pipes wait for the next, and fill.
 */
#define WINDOW_MILLIS 10
#define SMALL_READS_A_WINDOW 256
#define SMALL_READ 4096

enum phase { PARKING, PARKED, STARTING, RUNNING, ENDED, FAILED };

/* Who an event of epoll is about. */
enum source { OF_LISTENER, OF_PEER, OF_SIGNALS, OF_LINK, OF_INPUT, OF_STDOUT, OF_STDERR };

struct output {
    int pipe; /* -1 at its end */
    bool polled;
};

struct input {
    int pipe; /* -1 when nothing more can be given */
    bool polled, last, owed; /* owed: a STDIN_TAKEN is to be sent */
    struct buffer waiting;
    size_t given; /* bytes of `waiting` that are in the pipe */
    uint64_t taken, written; /* from the JVM; into the pipe */
};

struct init {
    struct sandbox *sandbox;
    enum phase phase;
    int poll, signals, link, far_link, network; /* the last: where what was done with the network shows */
    struct channel jvm;
    bool greeted, peer_polled_out;
    struct journal journal;
    uint64_t announced, consumed, started_end; /* the last: where the record STARTED ends */

    pid_t main;
    bool main_reaped, all_dead, sweeping;
    int status;
    struct output outputs[2];
    struct input input;
    uint64_t window; /* number of the one that small_reads counts in */
    unsigned small_reads;
    bool bulk; /* moved to the cgroup of those that pump much */
    uint8_t *work; /* a record of output, or a frame about it; from the order on */

    struct order order; /* until execve */
    struct buffer reads; /* the order's CGROUP_READ fields, for the end */
    uint64_t output_limit, time_millis, orphan_millis;
    uint32_t output_policy;

    uint32_t signalled; /* the last FRAME_SIGNAL, 0 if there was none */
    uint32_t reason; /* REASON_…, 0 while there is none */
    struct failure failure;
    char by[64];
    struct buffer end; /* payload of the END record */
    uint64_t stamp_sandbox, stamp_exec, stamp_end;
    uint64_t alone_since, start_by, time_up, retry_at, sweep_at, resume_at, tell_at;
};

/* start.c: the order, until execve */
int init_make_link(struct init *init); /* before the job's network namespace is entered, or the job would see it there */
int init_fork_job(struct init *init, int user_namespace);
void init_start(struct init *init, struct slice body);
void init_link_event(struct init *init);

/* stdio.c: pipes to the journal, frames to the standard input */
void output_read(struct init *init, int which);
void output_drain(struct init *init);
void output_poll(struct init *init);
bool input_take(struct init *init, struct slice body);
void input_give(struct init *init);
void input_close(struct init *init);

/* end.c: killing, reaping, the END record */
void end_kill(struct init *init, uint32_t reason);
void end_reap(struct init *init);
void end_finish(struct init *init);

/* report.c: what the JVM is told */
void report_state(struct init *init);
void report_growth(struct init *init);

void init_watch(struct init *init, int descriptor, enum source source, uint32_t events);

#endif
