/*
 * Builds a job's root from the parts that parking laid out on the stage. Every target is reached by a handle beneath
 * the new root, because the image decides what is there; when this returns, nothing else of the machine can be
 * reached.
 */
#include "rootfs.h"
#include "mounts.h"
#include "sys.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* The stage itself needs some. */
#define INODES_OF_STAGE 64

static int limit_disk(const struct order *order, struct failure *failure)
{
    if (!order->disk_bytes && !order->disk_inodes) return 0;
    char options[96];
    int length = 0;
    if (order->disk_bytes) length = snprintf(options, sizeof options, "size=%" PRIu64, order->disk_bytes);
    if (order->disk_inodes)
        snprintf(options + length, sizeof options - (size_t)length, "%snr_inodes=%" PRIu64, length ? "," : "",
                 order->disk_inodes + INODES_OF_STAGE);
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV, options) < 0)
        return fail(failure, "limit the disk to %s", options);
    return 0;
}

static const char *upper_of(bool lasting)
{
    return lasting ? STAGE_KEPT "/" KEPT_UPPER : STAGE_UPPER;
}

static const char *work_of(bool lasting)
{
    return lasting ? STAGE_KEPT "/" KEPT_WORK : STAGE_WORK;
}

static int set(int context, const char *key, const char *value, struct failure *failure)
{
    if (fsconfig(context, FSCONFIG_SET_STRING, key, value, 0) < 0)
        return fail(failure, "set %s=%.180s of the overlay", key, value);
    return 0;
}

static int configure(int context, bool lasting, const struct order *order, struct failure *failure)
{
    const char *const settings[][2] = {
        {"upperdir", upper_of(lasting)},
        {"workdir", work_of(lasting)},
        {"index", "off"},
        {"metacopy", "off"},
        {"redirect_dir", "nofollow"},
    };
    char layer[PATH_MAX + sizeof STAGE_STORE];
    for (size_t i = 0; i < order->layer_count; i++) {
        snprintf(layer, sizeof layer, STAGE_STORE "/%s", order->layers[i]);
        if (set(context, "lowerdir+", layer, failure) < 0) return -1;
    }
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (set(context, settings[i][0], settings[i][1], failure) < 0) return -1;
    if (order->is_volatile && fsconfig(context, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0)
        return fail(failure, "set volatile of the overlay");
    if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) return fail(failure, "make the overlay");
    return 0;
}

/* The same for Linux before 6.8, which takes all layers in one string, with all options in one page. */
static int mount_at_once(bool lasting, const struct order *order, struct failure *failure)
{
    char options[4096];
    size_t length = (size_t)snprintf(options, sizeof options,
                                     "upperdir=%s,workdir=%s,index=off,metacopy=off,redirect_dir=nofollow%s,lowerdir=",
                                     upper_of(lasting), work_of(lasting), order->is_volatile ? ",volatile" : "");
    for (size_t i = 0; i < order->layer_count; i++) {
        const char *layer = order->layers[i];
        if (strpbrk(layer, ":,\\")) return fail_as(failure, EINVAL, "name the layer %.180s", layer);
        length += (size_t)snprintf(options + length, sizeof options - length, "%s" STAGE_STORE "/%s", i ? ":" : "",
                                   layer);
        if (length >= sizeof options)
            return fail_as(failure, E2BIG, "mount %zu layers, for which this kernel is too old (needs Linux 6.8)",
                           order->layer_count);
    }
    if (mount("overlay", STAGE_ROOT, "overlay", MS_NODEV, options) < 0) return fail(failure, "mount the overlay");
    int root = open(STAGE_ROOT, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return root < 0 ? fail(failure, "open the overlay") : root;
}

/* The overlay, mounted on the stage; returns a handle of its root. */
static int mount_overlay(bool lasting, const struct order *order, struct failure *failure)
{
    if (order->layer_count == 0) return fail_as(failure, EINVAL, "find a layer in the order");
    CLOSED int context = fsopen("overlay", FSOPEN_CLOEXEC);
    if (context < 0) return fail(failure, "open the overlay file system");
    if (configure(context, lasting, order, failure) < 0)
        return failure->code == EINVAL ? mount_at_once(lasting, order, failure) : -1;
    CLOSED int overlay = fsmount(context, 0x1 /* FSMOUNT_CLOEXEC */, MOUNT_ATTR_NODEV);
    if (overlay < 0) return fail(failure, "mount the overlay");
    if (move_mount(overlay, "", AT_FDCWD, STAGE_ROOT, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return fail(failure, "put the overlay in its place");
    int root = overlay;
    overlay = -1;
    return root;
}

/* Moves a mount of the stage onto `target`, a directory beneath `root`. */
static int move_onto(const char *from, int root, const char *target, uint64_t resolve, struct failure *failure)
{
    CLOSED int place = open_under(root, target, O_PATH | O_DIRECTORY, 0,
                                  resolve | RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    if (place < 0) return fail(failure, "find /%s in the image", target);
    if (move_mount(AT_FDCWD, from, place, "", MOVE_MOUNT_T_EMPTY_PATH) < 0) return fail(failure, "mount /%s", target);
    return 0;
}

static int move_trees(const struct host_trees *trees, int root, struct failure *failure)
{
    for (int i = 0; i < trees->count; i++) {
        char from[32];
        snprintf(from, sizeof from, STAGE_TREES "/%d", i);
        if (move_onto(from, root, trees->path[i] + 1, 0, failure) < 0) return -1;
    }
    return 0;
}

/* proc, sys and dev are made where an image lacks them; one that has a symbolic link there is refused. */
static int move_kernel_trees(int root, uint32_t owner, struct failure *failure)
{
    static const char *const trees[][2] = {{STAGE_PROC, "proc"}, {STAGE_SYS, "sys"}, {STAGE_DEV, "dev"}};
    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
        const char *target = trees[i][1];
        if (move_onto(trees[i][0], root, target, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV, failure) == 0) continue;
        if (failure->code != ENOENT) return -1;
        if (mkdirat(root, target, 0755) < 0 || fchownat(root, target, owner, owner, AT_SYMLINK_NOFOLLOW) < 0)
            return fail(failure, "make /%s in the image", target);
        if (move_onto(trees[i][0], root, target, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV, failure) < 0) return -1;
    }
    return 0;
}

int make_root(const struct sandbox *sandbox, const struct order *order, pid_t job, struct failure *failure)
{
    bool lasting = sandbox->journals >= 0;
    __attribute__((cleanup(mounts_release))) struct mounts mounts;
    if (mounts_bring(sandbox, order, job, &mounts, failure) < 0) return -1;
    if (!lasting && limit_disk(order, failure) < 0) return -1;
    CLOSED int root = mount_overlay(lasting, order, failure);
    if (root < 0) return -1;
    if (order->host_trees && move_trees(sandbox->trees, root, failure) < 0) return -1;
    if (mounts_place(root, sandbox->uid_base, order, &mounts, failure) < 0) return -1;
    if (place_files(root, sandbox->uid_base, order, failure) < 0) return -1;
    if (place_names(root, sandbox->uid_base, order, failure) < 0) return -1;
    if (move_kernel_trees(root, sandbox->uid_base, failure) < 0) return -1;
    /* The parked process stands in the stage's root; pivot_root takes it along. */
    if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0) return fail(failure, "move into the new root");
    if (umount2(".", MNT_DETACH) < 0) return fail(failure, "leave the stage");
    if (chdir("/") < 0) return fail(failure, "enter the new root");
    return 0;
}
