/*
 * The nursery's own place on the machine: its cgroups, and a mount namespace with nothing but what sandboxes are made
 * of. A copy of the machine's whole mount table would cost every start, and would let a parked sandbox pin a mount.
 */
#include "mask.h"
#include "nursery.h"
#include "park.h"
#include "sys.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int enter_cgroups(const struct settings *settings, struct failure *failure)
{
    for (int i = 0; i < settings->supervisor_cgroup_count; i++) {
        const char *path = settings->supervisor_cgroups[i].directory;
        CLOSED int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0) return fail(failure, "open the cgroup %s", path);
        if (write_text(directory, "cgroup.procs", "0", failure) < 0) return -1;
    }
    return 0;
}

static int open_all(const struct placement *placements, int count, struct cgroups *cgroups, struct failure *failure)
{
    for (int i = 0; i < count; i++) {
        int directory = open(placements[i].directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0) return fail(failure, "open the cgroup %s", placements[i].directory);
        cgroups->each[cgroups->count].kind = placements[i].kind;
        cgroups->each[cgroups->count++].directory = directory;
    }
    return 0;
}

static int open_parents(struct nursery *nursery, struct failure *failure)
{
    const struct settings *settings = nursery->settings;
    if (open_all(settings->cgroups, settings->cgroup_count, &nursery->parents, failure) < 0) return -1;
    return open_all(settings->spare_cgroups, settings->spare_cgroup_count, &nursery->spares, failure);
}

/* A private bind of `from` at `to` in the new root, which is the working directory. */
static int bring(const char *from, const char *to, struct failure *failure)
{
    CLOSED int tree = open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0) return fail(failure, "open %s", from);
    if (mkdir(to, 0700) < 0) return fail(failure, "make a place for %s", from);
    if (move_mount(tree, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH) < 0) return fail(failure, "bring %s", from);
    return 0;
}

static int bring_all(const struct settings *settings, struct failure *failure)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/sandboxes", settings->data_dir);
    if (mkdir(path, 0700) < 0 && errno != EEXIST) return fail(failure, "make %s", path);
    if (bring(path, NURSERY_SANDBOXES + 1, failure) < 0) return -1;
    snprintf(path, sizeof path, "%s/volumes", settings->data_dir);
    if (mkdir(path, 0700) < 0 && errno != EEXIST) return fail(failure, "make %s", path);
    if (bring(path, NURSERY_VOLUMES + 1, failure) < 0) return -1;
    snprintf(path, sizeof path, "%s/s", settings->run_dir);
    if (mkdir(path, 0700) < 0 && errno != EEXIST) return fail(failure, "make %s", path);
    if (bring(path, NURSERY_RUN + 1, failure) < 0) return -1;
    if (bring(settings->store, NURSERY_STORE + 1, failure) < 0) return -1;
    if (bring(settings->uid_locks, NURSERY_LOCKS + 1, failure) < 0) return -1;
    if (mkdir(NURSERY_TREES + 1, 0700) < 0 || mkdir(NURSERY_STAGE + 1, 0700) < 0 || mkdir(NURSERY_EMPTY + 1, 0555) < 0)
        return fail(failure, "make the nursery's directories");
    for (int i = 0; i < settings->trees.count; i++) {
        snprintf(path, sizeof path, NURSERY_TREES "/%d", i);
        if (bring(settings->trees.path[i], path + 1, failure) < 0) return -1;
    }
    return 0;
}

/* The mount namespace that this process is in. */
static int open_mounts(struct failure *failure)
{
    int namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    return namespace < 0 ? fail(failure, "open the mount namespace") : namespace;
}

int house_enter(struct nursery *nursery, struct failure *failure)
{
    if (enter_cgroups(nursery->settings, failure) < 0 || open_parents(nursery, failure) < 0) return -1;
    struct failure ignored;
    write_text(AT_FDCWD, "/proc/self/oom_score_adj", "-999", &ignored); /* where permitted */
    if (nursery->settings->binds && (nursery->machine = open_mounts(failure)) < 0) return -1;
    if (unshare(CLONE_NEWNS) < 0) return fail(failure, "make the nursery's mount namespace");
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return fail(failure, "make the nursery's mounts private");
    if ((nursery->house = open_mounts(failure)) < 0) return -1;
    if (mask_prepare(failure) < 0) return -1;
    /* Over any directory that surely exists; the old root goes away as a whole. */
    if (mount("nursery", "/proc", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=700,size=1m") < 0)
        return fail(failure, "mount the nursery's root");
    CLOSED int root = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0 || fchdir(root) < 0) return fail(failure, "enter the nursery's root");
    if (bring_all(nursery->settings, failure) < 0) return -1;
    if (mknod("null", S_IFCHR | 0600, makedev(1, 3)) < 0) return fail(failure, "make the nursery's null device");
    if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return fail(failure, "move into the nursery's root");
    CLOSED int null = open("/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0) return fail(failure, "open the nursery's null device");
    return 0;
}
