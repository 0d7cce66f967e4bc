/*
 * The sandbox's own process where the parked one will not do: that has given up rights which the order asks for by name, or
 * it made its cgroup namespace before it had all its cgroups. It is let go, and another is forked into the finished root
 * as those of EXEC frames are.
 */
#include "init.h"
#include "mask.h"
#include "network.h"
#include "park.h"
#include "rights.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

pid_t fork_placed(const struct cgroups *cgroups)
{
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    for (int i = 0; i < cgroups->count; i++) {
        if (!is_unified(cgroups->each[i].kind)) continue;
        arguments.flags = CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)cgroups->each[i].directory;
    }
    return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

/* Beginning at cgroups which are newer than the parked process' namespace. */
static bool make_cgroup_namespace(const struct init *init)
{
    struct failure ignored;
    return enter_cgroups(&init->sandbox->cgroups, &ignored) == 0 && unshare(CLONE_NEWCGROUP) == 0;
}

/* Which the sandbox's user namespace owns, so that its root has rights there. */
static bool make_network_namespace(const struct init *init)
{
    return setns(init->user_namespace, CLONE_NEWUSER) == 0 && unshare(CLONE_NEWNET) == 0;
}

/* Says nothing if it cannot, and is killed when its namespace is held. */
static _Noreturn void help(const struct init *init, bool (*make)(const struct init *init), int told)
{
    prctl(PR_SET_NAME, "bobbin-helper");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!make(init) || write(told, "", 1) != 1) _exit(1);
    for (;;) pause();
}

static int open_namespace(pid_t pid, const char *name, struct failure *failure)
{
    char path[64];
    snprintf(path, sizeof path, STAGE_PROC "/%d/ns/%s", pid, name);
    int namespace = open(path, O_RDONLY | O_CLOEXEC);
    return namespace < 0 ? fail(failure, "hold the job's %s namespace", name) : namespace;
}

/* A namespace that a helper makes by `make`; nothing of a job runs yet. */
static int new_namespace(const struct init *init, const char *name, bool (*make)(const struct init *init),
                         struct failure *failure)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return fail(failure, "make a pipe to a helper");
    CLOSED int told = ends[0];
    pid_t helper = fork_placed(&init->sandbox->cgroups);
    if (helper == 0) help(init, make, ends[1]);
    close(ends[1]);
    if (helper < 0) return fail(failure, "fork a helper");
    char byte;
    int namespace = read(told, &byte, 1) == 1 ? open_namespace(helper, name, failure)
                                              : fail_as(failure, ECHILD, "make the %s namespace", name);
    kill(helper, SIGKILL);
    waitpid(helper, NULL, __WALL);
    return namespace;
}

int own_network(struct init *init, struct failure *failure)
{
    if (init->sandbox->host_network) return fail_as(failure, EPERM, "take the machine's own network for a job's");
    shut(&init->network); /* nobody else gets it */
    CLOSED int namespace = new_namespace(init, "net", make_network_namespace, failure);
    if (namespace < 0 || network_move(namespace, failure) < 0) return -1;
    if (permit_network(STAGE_PROC, init->sandbox->uid_base, failure) < 0) return -1;
    /* It shows the links of the network in which it is mounted. */
    unsigned long inert = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;
    if (mount("sysfs", STAGE_SYS, "sysfs", inert, NULL) < 0) return fail(failure, "mount sysfs again");
    return mask_sysfs(failure);
}

int hold_namespaces(struct init *init, bool regrouped, struct failure *failure)
{
    init->cgroup_namespace = regrouped ? new_namespace(init, "cgroup", make_cgroup_namespace, failure)
                                       : open_namespace(init->own.pid, "cgroup", failure);
    if (init->cgroup_namespace < 0) return -1;
    if (init->user_namespace < 0) init->user_namespace = open_namespace(init->own.pid, "user", failure);
    return init->user_namespace < 0 ? -1 : 0;
}

int start_late(struct init *init)
{
    struct process *own = &init->own;
    kill(own->pid, SIGKILL);
    waitpid(own->pid, NULL, __WALL);
    own->pid = 0;
    shut(&own->link);
    shut(&own->outputs[0].pipe);
    shut(&own->outputs[1].pipe);
    shut(&own->input.pipe);
    int result = start_process(init, own, init->user_namespace);
    if (own->order.stdin_policy == STDIN_EMPTY) input_close(own);
    return result;
}
