/*
 * The job's process, from the fork in PID 1 to execve: parked with everything done that no order changes.
 */
#ifndef BOBBIN_JOB_H
#define BOBBIN_JOB_H

#include "error.h"
#include "order.h"
#include "sandbox.h"

#define EXIT_NOT_FOUND 127
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_SET_UP 125

/*
 * What the job's process says over its link; the end of the link, which is close-on-exec, says that execve succeeded.
 */
enum verdict_kind { JOB_READY = 1, JOB_NOT_SET_UP, JOB_NOT_EXECUTED };

struct verdict {
    enum verdict_kind kind;
    struct failure failure;
};

/* The ends that belong to the job: the link to PID 1, standard input to read, standard output and error to write. */
struct job_ends {
    int link, standard[3];
};

/* What a process enters on its way. */
struct job_place {
    const struct cgroups *cgroups;
    int user_namespace;
    int cgroup_namespace; /* -1: it makes one, the first of its sandbox */
    const struct filter *filter;
};

/* A process that parks until its order comes over the link. */
_Noreturn void job_main(const struct job_place *place, const struct job_ends *ends);

/* A process of a sandbox that has its root already, beside others of the job that may wish it ill. */
_Noreturn void exec_main(const struct job_place *place, const struct job_ends *ends, struct order *order);

/* Sends the parked process on its way. */
int job_go(int link, const struct order *order, struct failure *failure);

#endif
