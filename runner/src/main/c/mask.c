/*
 * Masks are mounts over files of proc and sysfs, in the sandbox's own mount namespace, and go with these to the job's root.
 * Each is put on a handle that was seen to be of that file system, and what hides a file is seen to be the null device, so
 * that nothing put there by a mistake elsewhere can turn a mask into a door.
 */
#include "mask.h"
#include "park.h"
#include "sandbox.h"
#include "sys.h"

#include <dirent.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define BENEATH (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)

/* What is hidden of each processor: how often it was too hot, by which one job can watch another. */
#ifndef OF_PROCESSOR
#define OF_PROCESSOR "thermal_throttle"
#endif
#define PROCESSORS "devices/system/cpu"

struct kernel_files {
    const char *mount;
    uint64_t magic;
    const char *const *hidden, *const *read_only;
};

static const char *const nothing[] = {NULL};
static const char *const proc_hidden[] = {"acpi", "asound", "interrupts", "kcore", "key-users", "keys", "kmsg",
                                          "latency_stats", "sched_debug", "scsi", "timer_list", "timer_stats", NULL};
static const char *const proc_read_only[] = {"bus", "fs", "irq", "sysrq-trigger", NULL};
static const char *const sys_hidden[] = {"firmware", "devices/virtual/powercap", NULL};
static const char *const sysctls[] = {"sys", NULL};

static const struct kernel_files of_proc = {STAGE_PROC, PROC_SUPER_MAGIC, proc_hidden, proc_read_only};
static const struct kernel_files of_sys = {STAGE_SYS, SYSFS_MAGIC, sys_hidden, nothing};
/* Numbers of processors, as they were when the nursery began. */
static unsigned *processors;
static size_t processor_count;

static const struct kernel_files locked = {STAGE_PROC, PROC_SUPER_MAGIC, nothing, sysctls};

static int put(int mount, int place, const char *name, struct failure *failure)
{
    if (move_mount(mount, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
        return fail(failure, "mask %s", name);
    return 0;
}

static int open_null(struct failure *failure)
{
    CLOSED int null = open(STAGE_DEV "/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    if (null < 0 || fstat(null, &status) < 0) return fail(failure, "open the null device");
    if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
        return fail_as(failure, ENODEV, "find the null device at its place");
    int copy = open_tree(null, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    return copy < 0 ? fail(failure, "copy the mount of the null device") : copy;
}

static int open_empty(struct failure *failure)
{
    int mount = open_tree(AT_FDCWD, STAGE_EMPTY, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
    return mount < 0 ? fail(failure, "copy the mount of the empty directory") : mount;
}

static int hide(int place, const char *name, struct failure *failure)
{
    struct stat status;
    if (fstat(place, &status) < 0) return fail(failure, "look at %s", name);
    CLOSED int mount = S_ISDIR(status.st_mode) ? open_empty(failure) : open_null(failure);
    return mount < 0 ? -1 : put(mount, place, name, failure);
}

static int lock(int place, const char *name, struct failure *failure)
{
    CLOSED int mount = open_tree(place, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    struct mount_attr attributes = {.attr_set = INERT};
    if (mount < 0 || mount_setattr(mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0)
        return fail(failure, "make %s read-only", name);
    return put(mount, place, name, failure);
}

/* A handle of what is called `name` beneath `root`; -1, and no failure but ENOENT, if there is no such thing. */
static int open_place(int root, const char *name, uint64_t magic, struct failure *failure)
{
    CLOSED int place = open_under(root, name, O_PATH | O_NOFOLLOW, 0, BENEATH);
    if (place < 0 && errno == ENOENT) return -1;
    struct statfs system;
    if (place < 0 || fstatfs(place, &system) < 0) return fail(failure, "open %s to mask it", name);
    if ((uint64_t)system.f_type != magic) return fail_as(failure, EXDEV, "find the kernel's own %s", name);
    int found = place;
    place = -1;
    return found;
}

static int open_root(const char *mount, struct failure *failure)
{
    int root = open(mount, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return root < 0 ? fail(failure, "open %s", mount) : root;
}

/* Does `act` to each of `names` that this kernel has. */
static int each(const struct kernel_files *files, const char *const *names,
                int (*act)(int place, const char *name, struct failure *failure), struct failure *failure)
{
    CLOSED int root = open_root(files->mount, failure);
    if (root < 0) return -1;
    for (; *names; names++) {
        CLOSED int place = open_place(root, *names, files->magic, failure);
        if (place < 0 && errno == ENOENT) continue;
        if (place < 0 || act(place, *names, failure) < 0) return -1;
    }
    return 0;
}

/* All by copies of one empty directory, as a machine may have hundreds of processors. */
static int hide_of_processors(struct failure *failure)
{
    CLOSED int root = processor_count ? open_root(STAGE_SYS, failure) : -1;
    CLOSED int empty = -1;
    if (processor_count && root < 0) return -1;
    for (size_t i = 0; i < processor_count; i++) {
        char name[sizeof PROCESSORS + sizeof OF_PROCESSOR + 16];
        snprintf(name, sizeof name, PROCESSORS "/cpu%u/" OF_PROCESSOR, processors[i]);
        CLOSED int place = open_place(root, name, SYSFS_MAGIC, failure);
        if (place < 0 && errno == ENOENT) continue; /* it was taken out */
        CLOSED int mount = place < 0 ? -1
            : empty < 0 ? open_empty(failure)
                        : open_tree(empty, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
        if (place < 0 || mount < 0) return place < 0 ? -1 : fail(failure, "copy an empty directory");
        if (put(mount, place, name, failure) < 0) return -1;
        if (empty < 0) empty = open_under(root, name, O_PATH | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    }
    return 0;
}

int mask_prepare(struct failure *failure)
{
    DIR *all = opendir("/sys/" PROCESSORS);
    int result = all || errno == ENOENT ? 0 : fail(failure, "list the processors");
    for (struct dirent *each; all && result == 0 && (each = readdir(all));) {
        char path[NAME_MAX + sizeof OF_PROCESSOR + 2], rest;
        unsigned number;
        if (sscanf(each->d_name, "cpu%u%c", &number, &rest) != 1) continue;
        snprintf(path, sizeof path, "%s/" OF_PROCESSOR, each->d_name);
        if (faccessat(dirfd(all), path, F_OK, 0) < 0) continue;
        unsigned *more = reallocarray(processors, processor_count + 1, sizeof *processors);
        if (!more) result = fail(failure, "make room for the processors");
        else (processors = more)[processor_count++] = number;
    }
    if (all) closedir(all);
    return result;
}

static int mask(const struct kernel_files *files, struct failure *failure)
{
    return each(files, files->hidden, hide, failure) < 0 || each(files, files->read_only, lock, failure) < 0 ? -1 : 0;
}

int mask_sysfs(struct failure *failure)
{
    return mask(&of_sys, failure) < 0 ? -1 : hide_of_processors(failure);
}

int mask_kernel_files(struct failure *failure)
{
    return mask(&of_proc, failure) < 0 ? -1 : mask_sysfs(failure);
}

int mask_sysctls(struct failure *failure)
{
    return mask(&locked, failure);
}
