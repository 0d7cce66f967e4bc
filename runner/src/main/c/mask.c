/*
 * Masks are mounts over files of proc and sysfs, in the sandbox's own mount namespace, and go with these to the job's root.
 * Each is put on a handle that was seen to be of that file system, and what hides a file is seen to be the null device, so
 * that nothing put there by a mistake elsewhere can turn a mask into a door.
 */
#include "mask.h"
#include "park.h"
#include "sandbox.h"
#include "sys.h"

#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define BENEATH (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)

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

static const struct kernel_files masked[] = {
    {STAGE_PROC, PROC_SUPER_MAGIC, proc_hidden, proc_read_only},
    {STAGE_SYS, SYSFS_MAGIC, sys_hidden, nothing},
};
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

/* Does `act` to each of `names` that this kernel has. */
static int each(const struct kernel_files *files, const char *const *names,
                int (*act)(int place, const char *name, struct failure *failure), struct failure *failure)
{
    CLOSED int root = open(files->mount, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (root < 0) return fail(failure, "open %s", files->mount);
    for (; *names; names++) {
        CLOSED int place = open_under(root, *names, O_PATH | O_NOFOLLOW, 0, BENEATH);
        if (place < 0 && errno == ENOENT) continue;
        struct statfs system;
        if (place < 0 || fstatfs(place, &system) < 0) return fail(failure, "open %s to mask it", *names);
        if ((uint64_t)system.f_type != files->magic) return fail_as(failure, EXDEV, "find the kernel's own %s", *names);
        if (act(place, *names, failure) < 0) return -1;
    }
    return 0;
}

static int mask(const struct kernel_files *files, struct failure *failure)
{
    return each(files, files->hidden, hide, failure) < 0 || each(files, files->read_only, lock, failure) < 0 ? -1 : 0;
}

int mask_kernel_files(struct failure *failure)
{
    for (size_t i = 0; i < sizeof masked / sizeof *masked; i++)
        if (mask(&masked[i], failure) < 0) return -1;
    return 0;
}

int mask_sysctls(struct failure *failure)
{
    return mask(&locked, failure);
}
