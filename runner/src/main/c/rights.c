/*
 * Rights of the job's process, in an order that matters: cgroups need the machine's root, the sysctl needs the user
 * namespace's, and capabilities go last. None of this is ever done by PID 1 to itself.
 */
#include "rights.h"
#include "park.h"
#include "sys.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/vfs.h>

#define BIT(capability) (1ULL << (capability))
#define KEPT                                                                                                      \
    (BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_KILL) | BIT(CAP_SETGID) \
     | BIT(CAP_SETUID) | BIT(CAP_SETPCAP) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_CHROOT))

#define OPEN_FILES 1024

int enter_cgroups(const struct cgroups *cgroups, struct failure *failure)
{
    /*
     * "0" in `tasks`, not in cgroup.procs: for the calling thread alone the kernel does without its machine-wide lock
     * of all forks, which takes milliseconds to get. In v2, where this does not exist, the process was cloned into its
     * place.
     */
    for (int i = 0; i < cgroups->count; i++)
        if (!is_unified(cgroups->each[i].kind) && write_text(cgroups->each[i].directory, "tasks", "0", failure) < 0)
            return -1;
    return 0;
}

static int enter_user_namespace(int user_namespace, struct failure *failure)
{
    if (setns(user_namespace, CLONE_NEWUSER) < 0) return fail(failure, "enter the user namespace");
    if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return fail(failure, "take root's ids of the user namespace");
    return 0;
}

int enter_first(const struct job_place *place, struct failure *failure)
{
    if (enter_cgroups(place->cgroups, failure) < 0) return -1;
    /* A lower value than the machine gave needs a right that PID 1 may lack; the job then keeps PID 1's. */
    struct failure ignored;
    write_text(AT_FDCWD, STAGE_PROC "/self/oom_score_adj", "0", &ignored);
    if (unshare(CLONE_NEWCGROUP) < 0) return fail(failure, "make the cgroup namespace");
    if (enter_user_namespace(place->user_namespace, failure) < 0) return -1;
    return write_text(AT_FDCWD, STAGE_PROC "/sys/user/max_user_namespaces", "0", failure);
}

/* The job's root has a proc of ours at its place, which nobody inside can replace; that it is one is made sure of. */
static void be_killed_first(void)
{
    CLOSED int file = open_under(AT_FDCWD, "/proc/thread-self/oom_score_adj", O_WRONLY, 0, RESOLVE_NO_MAGICLINKS);
    struct statfs system;
    if (file < 0 || fstatfs(file, &system) < 0 || system.f_type != PROC_SUPER_MAGIC) return;
    (void)!write(file, "0", 1);
}

int enter_again(const struct job_place *place, struct failure *failure)
{
    /* Everything that needs a file of the machine comes before the cgroup, where the job's limits begin to hold. */
    be_killed_first();
    if (enter_cgroups(place->cgroups, failure) < 0) return -1;
    if (setns(place->cgroup_namespace, CLONE_NEWCGROUP) < 0) return fail(failure, "enter the cgroup namespace");
    return enter_user_namespace(place->user_namespace, failure);
}

static int set_capabilities(uint64_t effective, uint64_t permitted, struct failure *failure)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)effective, .permitted = (uint32_t)permitted},
        {.effective = (uint32_t)(effective >> 32), .permitted = (uint32_t)(permitted >> 32)},
    };
    return syscall(SYS_capset, &header, data) < 0 ? fail(failure, "set the capabilities") : 0;
}

/* Without no_new_privs this capability loads filters. It is in no bounding set, so execve takes it from whoever it is. */
static uint64_t until_execve(const struct rights *more)
{
    return more->new_privileges ? BIT(CAP_SYS_ADMIN) : 0;
}

int drop_rights(const struct filter *filter, const struct rights *more, struct failure *failure)
{
    uint64_t kept = KEPT | more->capabilities;
    for (int capability = 0; capability < 64; capability++) {
        if (kept >> capability & 1) continue;
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
        if (errno != EINVAL || capability <= CAP_AUDIT_READ) return fail(failure, "drop capability %d", capability);
        break; /* past the last one of this kernel */
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return fail(failure, "clear ambient capabilities");
    if (set_capabilities(kept | until_execve(more), kept | until_execve(more), failure) < 0) return -1;
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0) return fail(failure, "join a session keyring");
    if (!more->new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return fail(failure, "set no_new_privs");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return fail(failure, "set the process undumpable");
    return filter_load(filter, failure); /* after everything that it forbids */
}

static int set_limits(const struct order *order, struct failure *failure)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0) return fail(failure, "read the limit of open files");
    if (files.rlim_cur > OPEN_FILES) files.rlim_cur = OPEN_FILES;
    if (setrlimit(RLIMIT_NOFILE, &files) < 0) return fail(failure, "limit open files");
    /* One byte, not none: only this value also keeps the kernel from running the machine's own core dump program. */
    if (setrlimit(RLIMIT_CORE, &(struct rlimit){1, 1}) < 0) return fail(failure, "limit core dumps");
    for (size_t i = 0; i < order->limit_count; i++) {
        struct rlimit limit = {order->limits[i].soft, order->limits[i].hard};
        if (setrlimit((int)order->limits[i].resource, &limit) < 0)
            return fail(failure, "set resource limit %u", order->limits[i].resource);
    }
    return 0;
}

int become_user(const struct order *order, struct failure *failure)
{
    if (set_limits(order, failure) < 0) return -1;
    if (order->uid == 0 && order->gid == 0 && order->group_count == 0) return 0;
    uint64_t still = order->filter.instructions ? until_execve(&order->rights) : 0;
    if (still && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return fail(failure, "keep the capability to load a filter");
    if (setgroups(order->group_count, order->groups) < 0) return fail(failure, "set the supplementary groups");
    if (setresgid(order->gid, order->gid, order->gid) < 0) return fail(failure, "become group %u", order->gid);
    if (setresuid(order->uid, order->uid, order->uid) < 0) return fail(failure, "become user %u", order->uid);
    return still && order->uid ? set_capabilities(still, still, failure) : 0;
}
