/*
 * The stage of a parked sandbox (start-up steps that are the same for every job, so done before anybody asks). PID 1
 * stays in the machine's first user namespace: every mount here belongs to that one, and the job can change none of
 * them.
 */
#include "park.h"
#include "sys.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define HELPER_STACK 8192
#define HOST_NAME "bobbin" /* unless the order has one; never the machine's */

int write_text(int directory, const char *path, const char *text, struct failure *failure)
{
    CLOSED int file = openat(directory, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return fail(failure, "open %s", path);
    size_t length = strlen(text);
    ssize_t written = write(file, text, length);
    if (written < 0) return fail(failure, "write \"%.60s\" to %s", text, path);
    if ((size_t)written != length) return fail_as(failure, EIO, "write all of \"%.60s\" to %s", text, path);
    return 0;
}

static __attribute__((noreturn)) int sleep_for_ever(void *unused)
{
    (void)unused;
    for (;;) pause();
}

/*
 * A user namespace that maps 0 to `uid_base`. Its first member is a helper that only sleeps, in PID 1's own memory, and
 * is ended as soon as the namespace is held by a descriptor; it runs before anything of a job exists, so nobody can stop
 * it.
 */
static int make_user_namespace(uint32_t uid_base, int *user_namespace, struct failure *failure)
{
    static uint64_t stack[HELPER_STACK / sizeof(uint64_t)];
    /* no signal at its end */
    pid_t helper = clone(sleep_for_ever, stack + sizeof stack / sizeof *stack, CLONE_NEWUSER | CLONE_VM, NULL);
    if (helper < 0) return fail(failure, "make the user namespace");
    char path[64], map[64];
    snprintf(map, sizeof map, "0 %u %u\n", uid_base, IDS_PER_SANDBOX);
    snprintf(path, sizeof path, "p/%d/uid_map", helper);
    int result = write_text(AT_FDCWD, path, map, failure);
    snprintf(path, sizeof path, "p/%d/gid_map", helper);
    if (result == 0) result = write_text(AT_FDCWD, path, map, failure);
    snprintf(path, sizeof path, "p/%d/ns/user", helper);
    if (result == 0 && (*user_namespace = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        result = fail(failure, "open the user namespace");
    kill(helper, SIGKILL);
    waitpid(helper, NULL, __WALL);
    return result;
}

/* A view of `from` at `to` with the sandbox's ids; one mount serves every layer below it. */
static int make_view(const char *from, const char *to, int user_namespace, struct failure *failure)
{
    CLOSED int tree = open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0) return fail(failure, "open the tree %s", from);
    struct mount_attr attributes = {
        .attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV,
        .userns_fd = (uint64_t)user_namespace,
    };
    if (mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0)
        return fail(failure, "map the ids of %s", from);
    if (move_mount(tree, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return fail(failure, "mount %s on the stage", from);
    return 0;
}

static int make_trees(const struct host_trees *trees, int user_namespace, struct failure *failure)
{
    for (int i = 0; i < trees->count; i++) {
        char from[32], to[32];
        snprintf(from, sizeof from, NURSERY_TREES "/%d", i);
        snprintf(to, sizeof to, "h/%d", i);
        if (mkdir(to, 0755) < 0) return fail(failure, "make %s on the stage", to);
        if (make_view(from, to, user_namespace, failure) < 0) return -1;
    }
    return 0;
}

/*
 * What hides directories. It is the same one for every sandbox: each file system costs all of them, since the kernel keeps
 * a line for every file system in every memory cgroup.
 */
static int make_empty(struct failure *failure)
{
    if (mkdir(STAGE_EMPTY + 1, 0755) < 0) return fail(failure, "make %s on the stage", STAGE_EMPTY);
    CLOSED int tree = open_tree(AT_FDCWD, NURSERY_EMPTY, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    struct mount_attr attributes = {.attr_set = INERT};
    if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0)
        return fail(failure, "make an empty directory");
    if (move_mount(tree, "", AT_FDCWD, STAGE_EMPTY + 1, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return fail(failure, "mount %s on the stage", STAGE_EMPTY);
    return 0;
}

/* A view of the directory of a sandbox that lasts; its files belong to its own ids already. */
static int make_kept_view(const char *id, struct failure *failure)
{
    char from[sizeof NURSERY_SANDBOXES + ID_LENGTH + 1];
    snprintf(from, sizeof from, NURSERY_SANDBOXES "/%s", id);
    if (mkdir(STAGE_KEPT + 1, 0755) < 0) return fail(failure, "make %s on the stage", STAGE_KEPT);
    CLOSED int tree = open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0) return fail(failure, "open the tree %s", from);
    if (move_mount(tree, "", AT_FDCWD, STAGE_KEPT + 1, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return fail(failure, "mount %s on the stage", from);
    return 0;
}

int park(const struct sandbox *sandbox, int *user_namespace, struct failure *failure)
{
    if (setns(sandbox->network, CLONE_NEWNET) < 0) return fail(failure, "enter the network namespace");
    close(sandbox->network);
    /* Every mount of the nursery is private, and so are their copies: nothing here reaches the host. */
    if (mount("stage", NURSERY_STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0)
        return fail(failure, "mount the stage");
    if (chdir(NURSERY_STAGE) < 0) return fail(failure, "enter the stage");
    static const char *const directories[] = {"u", "w", "m", "s", "p", "y", "d", "h"};
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
        if (mkdir(directories[i], 0755) < 0) return fail(failure, "make %s on the stage", directories[i]);
    if (chown("u", sandbox->uid_base, sandbox->uid_base) < 0)
        return fail(failure, "give the upper directory to the job");
    unsigned long inert = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (mount("proc", "p", "proc", inert, NULL) < 0) return fail(failure, "mount proc");
    if (mount("sysfs", "y", "sysfs", inert | MS_RDONLY, NULL) < 0) return fail(failure, "mount sysfs");
    if (make_user_namespace(sandbox->uid_base, user_namespace, failure) < 0) return -1;
    if (make_view(NURSERY_STORE, "s", *user_namespace, failure) < 0) return -1;
    if (make_trees(sandbox->trees, *user_namespace, failure) < 0) return -1;
    if (make_empty(failure) < 0) return -1;
    if (sandbox->journals >= 0 && make_kept_view(sandbox->id, failure) < 0) return -1;
    if (make_devices("d", sandbox->uid_base, failure) < 0) return -1;
    if (!sandbox->host_network && permit_network("p", sandbox->uid_base, failure) < 0) return -1;
    if (sethostname(HOST_NAME, sizeof HOST_NAME - 1) < 0) return fail(failure, "set the host name");
    if (syscall(SYS_pivot_root, ".", ".") < 0) return fail(failure, "move into the stage");
    if (umount2(".", MNT_DETACH) < 0) return fail(failure, "leave the nursery's root");
    if (chdir("/") < 0) return fail(failure, "enter the stage's root");
    return 0;
}
