/*
 * Sources are found in the nursery's mount namespace (volumes) and in the machine's (binds), where PID 1 stands for a
 * moment: neither a parked sandbox nor the nursery has to hold a mount for it. Targets belong to the image and to whoever
 * shares a volume: each is resolved by the kernel with the sandbox's root as its root, at a time when nothing of the
 * kernel's is mounted there.
 */
#include "mounts.h"
#include "rootfs.h"
#include "sys.h"

#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define BYTES_PER_INODE 4096
#define FEWEST_INODES 1024

static int stand_in(int namespace, struct failure *failure)
{
    return setns(namespace, CLONE_NEWNS) < 0 ? fail(failure, "go where the mounts are") : 0;
}

static int clone_tree(int directory, const char *path, unsigned flags, const char *target, struct failure *failure)
{
    int tree = open_tree(directory, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
    return tree < 0 ? fail(failure, "open what to mount at %s", target) : tree;
}

static int bring_volume(int house, const struct order_mount *each, struct failure *failure)
{
    char path[sizeof NURSERY_VOLUMES + ID_LENGTH + sizeof VOLUME_FILES + 2];
    snprintf(path, sizeof path, NURSERY_VOLUMES "/%.36s/" VOLUME_FILES, each->source);
    if (stand_in(house, failure) < 0) return -1;
    return clone_tree(AT_FDCWD, path, 0, each->target, failure);
}

/* Only directories and regular files: a device or a socket of the machine is no place for data. */
static int bring_bind(int machine, const struct order_mount *each, struct failure *failure)
{
    if (machine < 0) return fail_as(failure, EPERM, "mount anything of the machine at %s", each->target);
    if (stand_in(machine, failure) < 0) return -1;
    CLOSED int base = open_under(AT_FDCWD, each->base, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
    if (base < 0) return fail(failure, "open %s", each->base);
    CLOSED int source = open_under(base, *each->source ? each->source : ".", O_PATH, 0,
                                   RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
    struct stat status;
    if (source < 0 || fstat(source, &status) < 0)
        return fail(failure, "find %.100s beneath %.100s", each->source, each->base);
    if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))
        return fail_as(failure, EINVAL, "mount %.180s, which is neither a directory nor a file", each->source);
    return clone_tree(source, "", AT_EMPTY_PATH, each->target, failure);
}

static int set_number(int context, const char *key, uint64_t value, struct failure *failure)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return fsconfig(context, FSCONFIG_SET_STRING, key, text, 0) < 0 ? fail(failure, "set %s=%s of a tmpfs", key, text)
                                                                     : 0;
}

static int make_tmpfs(uint32_t owner, const struct order_mount *each, struct failure *failure)
{
    uint64_t inodes = each->bytes / BYTES_PER_INODE;
    CLOSED int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0) return fail(failure, "open tmpfs");
    if (set_number(context, "uid", owner, failure) < 0 || set_number(context, "gid", owner, failure) < 0
        || set_number(context, "size", each->bytes, failure) < 0
        || set_number(context, "nr_inodes", inodes < FEWEST_INODES ? FEWEST_INODES : inodes, failure) < 0)
        return -1;
    if (fsconfig(context, FSCONFIG_SET_STRING, "mode", "1777", 0) < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return fail(failure, "make the tmpfs for %s", each->target);
    int tree = fsmount(context, 0x1 /* FSMOUNT_CLOEXEC */, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    return tree < 0 ? fail(failure, "make the tmpfs for %s", each->target) : tree;
}

/* No rights of the machine come with a tree, and nothing that is mounted there later. */
static int restrain(int tree, const struct order_mount *each, int user_namespace, struct failure *failure)
{
    struct mount_attr attributes = {
        .attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV
            | (each->flags & MOUNT_READ_ONLY ? MOUNT_ATTR_RDONLY : 0),
        .propagation = MS_PRIVATE,
        .userns_fd = (uint64_t)user_namespace,
    };
    if (mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0) return 0;
    if (errno == EINVAL || errno == EPERM)
        return fail_as(failure, EOPNOTSUPP, "map the ids of what to mount at %s, which its file system must know how to",
                       each->target);
    return fail(failure, "map the ids of what to mount at %s", each->target);
}

static int bring_one(const struct sandbox *sandbox, const struct order_mount *each, int user_namespace,
                     struct failure *failure)
{
    if (each->kind == MOUNT_TMPFS) return make_tmpfs(sandbox->uid_base, each, failure);
    CLOSED int tree = each->kind == MOUNT_VOLUME ? bring_volume(sandbox->house, each, failure)
                                                 : bring_bind(sandbox->machine, each, failure);
    if (tree < 0 || restrain(tree, each, user_namespace, failure) < 0) return -1;
    int brought = tree;
    tree = -1;
    return brought;
}

int mounts_bring(const struct sandbox *sandbox, const struct order *order, pid_t job, struct mounts *mounts,
                 struct failure *failure)
{
    for (int i = 0; i < MOUNTS_MOST; i++) mounts->tree[i] = -1;
    if (order->mount_count == 0) return 0;
    char path[64];
    snprintf(path, sizeof path, STAGE_PROC "/%d/ns/user", job);
    CLOSED int user_namespace = open(path, O_RDONLY | O_CLOEXEC);
    CLOSED int home = open(STAGE_PROC "/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (user_namespace < 0 || home < 0) return fail(failure, "open the sandbox's namespaces");
    int result = 0;
    for (size_t i = 0; i < order->mount_count && result == 0; i++) {
        mounts->tree[i] = bring_one(sandbox, &order->mounts[i], user_namespace, failure);
        if (mounts->tree[i] < 0) result = -1;
    }
    struct failure lost;
    if (stand_in(home, &lost) == 0) return result;
    *failure = lost;
    return -1;
}

static int find_target(int root, const char *target)
{
    return open_under(root, target, O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* A missing place is made by the job's user, as the working directory is. */
static int make_target(int root, const char *target, bool directory, struct failure *failure)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", target);
    if (directory) return make_path(root, path, failure);
    char *slash = strrchr(path, '/');
    *slash = 0;
    if (*path && make_path(root, path, failure) < 0) return -1;
    *slash = '/';
    CLOSED int file = open_under(root, path, O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY, 0644,
                                 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    return file < 0 ? fail(failure, "make the file %s in the image", target) : 0;
}

/* Where a link in the image led to is not what the caller saw: what comes later would hide it, or it would hide the root. */
static int check_place(int place, const char *target, struct failure *failure)
{
    static const char *const taken[] = {"/proc", "/sys", "/dev"};
    char link[64], name[PATH_MAX];
    snprintf(link, sizeof link, STAGE_PROC "/self/fd/%d", place);
    ssize_t length = readlink(link, name, sizeof name);
    if (length < 0 || length == sizeof name) return fail_as(failure, ENAMETOOLONG, "name the place of %s", target);
    name[length] = 0;
    if (strncmp(name, STAGE_ROOT "/", sizeof STAGE_ROOT) != 0)
        return fail_as(failure, EINVAL, "mount at %s, which is the root itself", target);
    const char *inside = name + sizeof STAGE_ROOT - 1;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        size_t prefix = strlen(taken[i]);
        if (strncmp(inside, taken[i], prefix) == 0 && (inside[prefix] == 0 || inside[prefix] == '/'))
            return fail_as(failure, EINVAL, "mount at %s, which is in %s", target, taken[i]);
    }
    return 0;
}

static bool is_empty(int tree)
{
    int directory = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = directory < 0 ? NULL : fdopendir(directory);
    if (!entries) {
        close_descriptor(&directory);
        return false;
    }
    int count = 0;
    while (count < 3 && readdir(entries)) count++;
    closedir(entries);
    return count == 2;
}

/* A volume without anything in it becomes the user's whose directory of the image it covers. */
static int give_empty(int tree, int place, uint32_t uid_base, const char *target, struct failure *failure)
{
    struct stat status;
    if (!is_empty(tree)) return 0;
    if (fstat(place, &status) < 0) return fail(failure, "look at %s", target);
    if (status.st_uid - uid_base >= IDS_PER_SANDBOX || status.st_gid - uid_base >= IDS_PER_SANDBOX) return 0;
    if (fchownat(tree, "", status.st_uid, status.st_gid, AT_EMPTY_PATH) < 0
        || fchmodat(tree, ".", status.st_mode & 01777, 0) < 0)
        return fail(failure, "give the volume at %s its owner", target);
    return 0;
}

static int place_one(int root, uint32_t uid_base, const struct order_mount *each, int tree, struct failure *failure)
{
    struct stat status;
    if (fstat(tree, &status) < 0) return fail(failure, "look at what to mount at %s", each->target);
    CLOSED int place = find_target(root, each->target);
    if (place < 0 && errno == ENOENT) {
        if (make_target(root, each->target, S_ISDIR(status.st_mode), failure) < 0) return -1;
        place = find_target(root, each->target);
    }
    if (place < 0) return fail(failure, "find %s in the image", each->target);
    if (check_place(place, each->target, failure) < 0) return -1;
    if (each->kind == MOUNT_VOLUME && !(each->flags & MOUNT_READ_ONLY)
        && give_empty(tree, place, uid_base, each->target, failure) < 0)
        return -1;
    if (move_mount(tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
        return fail(failure, "mount %s", each->target);
    return 0;
}

int mounts_place(int root, uint32_t uid_base, const struct order *order, struct mounts *mounts, struct failure *failure)
{
    if (order->mount_count == 0) return 0;
    if (act_as(uid_base + order->uid, uid_base + order->gid, failure) < 0) return -1;
    int result = 0;
    for (size_t i = 0; i < order->mount_count && result == 0; i++) {
        result = place_one(root, uid_base, &order->mounts[i], mounts->tree[i], failure);
        shut(&mounts->tree[i]);
    }
    struct failure ignored;
    return act_as(0, 0, result < 0 ? &ignored : failure) < 0 ? -1 : result;
}

void mounts_release(struct mounts *mounts)
{
    for (int i = 0; i < MOUNTS_MOST; i++) shut(&mounts->tree[i]);
}
