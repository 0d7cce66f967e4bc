/*
 * The job's /dev, made on the stage before any image is in sight, and what it may do in its network namespace. Without
 * the owners given here the job's root could not make a directory in /dev, use a terminal, bind a low port or ping.
 */
#include "park.h"
#include "sys.h"
#include "sysctl.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const struct {
    const char *name;
    unsigned major, minor;
} nodes[] = {{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

static const struct {
    const char *name, *target;
} links[] = {
    {"fd", "/proc/self/fd"},
    {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"},
    {"ptmx", "pts/ptmx"},
};

static int mount_below(const char *dev, const char *name, const char *type, const char *options,
                       struct failure *failure)
{
    char path[32];
    snprintf(path, sizeof path, "%s/%s", dev, name);
    if (mkdir(path, 0755) < 0) return fail(failure, "make dev/%s", name);
    if (mount(type, path, type, MS_NOSUID | MS_NOEXEC, options) < 0) return fail(failure, "mount dev/%s", name);
    return 0;
}

static int fill(int dev, uint32_t owner, struct failure *failure)
{
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        if (mknodat(dev, nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) < 0
            || fchownat(dev, nodes[i].name, owner, owner, AT_SYMLINK_NOFOLLOW) < 0)
            return fail(failure, "make dev/%s", nodes[i].name);
    }
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        if (symlinkat(links[i].target, dev, links[i].name) < 0
            || fchownat(dev, links[i].name, owner, owner, AT_SYMLINK_NOFOLLOW) < 0)
            return fail(failure, "make dev/%s", links[i].name);
    }
    return 0;
}

/* A mount of its own, as the stage allows no devices and what is in it may be run. */
static int mount_over(const char *directory, struct failure *failure)
{
    CLOSED int tree = open_tree(AT_FDCWD, directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    struct mount_attr attributes = {
        .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
        .attr_clr = MOUNT_ATTR_NODEV,
    };
    if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0
        || move_mount(tree, "", AT_FDCWD, directory, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return fail(failure, "mount dev");
    return 0;
}

int make_devices(const char *directory, uint32_t uid_base, struct failure *failure)
{
    if (mount_over(directory, failure) < 0) return -1;
    CLOSED int dev = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dev < 0) return fail(failure, "open dev");
    if (fill(dev, uid_base, failure) < 0) return -1;
    char options[96];
    snprintf(options, sizeof options, "newinstance,gid=%u,mode=620,ptmxmode=666", uid_base + TTY_GROUP);
    if (mount_below(directory, "pts", "devpts", options, failure) < 0) return -1;
    snprintf(options, sizeof options, "mode=1777,uid=%u,gid=%u", uid_base, uid_base);
    if (mount_below(directory, "shm", "tmpfs", options, failure) < 0) return -1;
    if (mount_below(directory, "mqueue", "mqueue", NULL, failure) < 0) return -1;
    static const char *const unowned[] = {"", "pts", "pts/ptmx", "mqueue"};
    for (size_t i = 0; i < sizeof unowned / sizeof *unowned; i++)
        if (fchownat(dev, unowned[i], uid_base, uid_base, AT_EMPTY_PATH) < 0)
            return fail(failure, "give dev/%s to the job", unowned[i]);
    return 0;
}

int permit_network(const char *proc, uint32_t uid_base, struct failure *failure)
{
    CLOSED int handle = sysctl_open(proc, failure);
    if (handle < 0) return -1;
    if (sysctl_write(handle, uid_base, "net.ipv4.ip_unprivileged_port_start", "0", failure) < 0) return -1;
    return sysctl_write(handle, uid_base, "net.ipv4.ping_group_range", "0 65535", failure);
}
