/*
 * Files that an order brings, and its working directory. Paths belong to the image, the caller and whoever shares a
 * volume: each is resolved by the kernel with the sandbox's root as its root.
 */
#include "rootfs.h"
#include "sys.h"

#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define BENEATH (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

int act_as(uid_t uid, gid_t gid, struct failure *failure)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    setfsgid(gid);
    setfsuid(uid);
    if ((uid_t)setfsuid(UINT32_MAX) != uid || (gid_t)setfsgid(UINT32_MAX) != gid)
        return fail_as(failure, EPERM, "make files as user %u", uid);
    /* The kernel has taken the rights over files with the id, and may have made PID 1 open to be looked at. */
    if (syscall(SYS_capget, &header, data) < 0) return fail(failure, "read the capabilities of PID 1");
    data[0].effective = data[0].permitted;
    data[1].effective = data[1].permitted;
    /* With this one nothing would keep what is laid here to the size of a volume. */
    if (uid) data[CAP_TO_INDEX(CAP_SYS_RESOURCE)].effective &= ~CAP_TO_MASK(CAP_SYS_RESOURCE);
    if (syscall(SYS_capset, &header, data) < 0) return fail(failure, "keep the capabilities of PID 1");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return fail(failure, "keep PID 1 undumpable");
    return 0;
}

static int open_directory(int root, const char *path)
{
    return open_under(root, path, O_PATH | O_DIRECTORY, 0, BENEATH);
}

/* One missing directory, whose parents exist. */
static int make_directory(int root, char *path)
{
    char *slash = strrchr(path, '/');
    *slash = 0;
    CLOSED int parent = open_directory(root, *path ? path : "/");
    *slash = '/';
    return parent < 0 ? -1 : mkdirat(parent, slash + 1, 0755);
}

int make_path(int root, char *path, struct failure *failure)
{
    CLOSED int whole = open_directory(root, path);
    if (whole >= 0) return 0;
    if (errno != ENOENT) return fail(failure, "open the directory %s in the image", path);
    for (char *end = strchr(path + 1, '/');; end = strchr(end + 1, '/')) {
        if (end) *end = 0;
        CLOSED int part = open_directory(root, path);
        int made = part >= 0 ? 0 : make_directory(root, path);
        if (made < 0) fail(failure, "make the directory %s in the image", path);
        if (end) *end = '/';
        if (made < 0) return -1;
        if (!end) return 0;
    }
}

static void trim_slashes(char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') path[--length] = 0;
}

static int write_content(int file, const struct slice *content, const char *path, struct failure *failure)
{
    for (uint32_t written = 0; written < content->length;) {
        ssize_t some = write(file, content->data + written, content->length - written);
        if (some < 0) return fail(failure, "write the file %s", path);
        written += (uint32_t)some;
    }
    return 0;
}

static int place_file(int root, const char *workdir, const struct input_file *each, uid_t uid, gid_t gid,
                      struct failure *failure)
{
    char path[2 * PATH_MAX], parent[2 * PATH_MAX];
    const char *base = each->path.data[0] == '/' || strcmp(workdir, "/") == 0 ? "" : workdir;
    snprintf(path, sizeof path, "%s%s%.*s", base, each->path.data[0] == '/' ? "" : "/", (int)each->path.length,
             (char *)each->path.data);
    strcpy(parent, path);
    char *slash = strrchr(parent, '/');
    *slash = 0;
    trim_slashes(parent);
    if (*parent && make_path(root, parent, failure) < 0) return -1;
    /* Without blocking on a fifo that the image may have there; and only a regular file is written to. */
    CLOSED int file = open_under(root, path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY, 0600, BENEATH);
    struct stat status;
    if (file < 0 || fstat(file, &status) < 0) return fail(failure, "open the file %s in the image", path);
    if (!S_ISREG(status.st_mode)) return fail_as(failure, EINVAL, "write %s, which is no regular file", path);
    if (ftruncate(file, 0) < 0) return fail(failure, "empty the file %s", path);
    if (write_content(file, &each->content, path, failure) < 0) return -1;
    if (fchown(file, uid, gid) < 0 || fchmod(file, each->mode) < 0)
        return fail(failure, "set owner and mode of %s", path);
    return 0;
}

static int place_all(int root, const char *workdir, uint32_t uid_base, const struct order *order,
                     struct failure *failure)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", workdir);
    if (strcmp(workdir, "/") != 0 && make_path(root, path, failure) < 0) return -1;
    for (size_t i = 0; i < order->file_count; i++)
        if (place_file(root, workdir, &order->files[i], uid_base + order->uid, uid_base + order->gid, failure) < 0)
            return -1;
    return 0;
}

int place_files(int root, uint32_t uid_base, const struct order *order, struct failure *failure)
{
    char workdir[PATH_MAX] = "/";
    if (order->workdir) snprintf(workdir, sizeof workdir, "%s", order->workdir);
    trim_slashes(workdir);
    CLOSED int directory = strcmp(workdir, "/") == 0 ? -1 : open_directory(root, workdir);
    if (order->file_count == 0 && (directory >= 0 || strcmp(workdir, "/") == 0)) return 0;
    if (act_as(uid_base + order->uid, uid_base + order->gid, failure) < 0) return -1;
    int result = place_all(root, workdir, uid_base, order, failure);
    struct failure ignored;
    return act_as(0, 0, result < 0 ? &ignored : failure) < 0 ? -1 : result;
}

/* In place of whatever the image has there, a link included. */
static int place_name(int etc, const char *name, const struct slice *content, uint32_t owner, struct failure *failure)
{
    if (!content->length) return 0;
    uint64_t beneath = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
    CLOSED int before = open_under(etc, name, O_PATH, 0, beneath);
    if (before < 0 && errno == EXDEV) return 0;
    if (unlinkat(etc, name, 0) < 0 && errno != ENOENT) return fail(failure, "replace /etc/%s of the image", name);
    CLOSED int file = open_under(etc, name, O_WRONLY | O_CREAT | O_EXCL, 0644, beneath);
    if (file < 0) return fail(failure, "make /etc/%s", name);
    if (write_content(file, content, name, failure) < 0) return -1;
    return fchown(file, owner, owner) < 0 ? fail(failure, "give /etc/%s its owner", name) : 0;
}

static int place_both(int root, uint32_t uid_base, const struct order *order, struct failure *failure)
{
    char path[] = "/etc";
    if (make_path(root, path, failure) < 0) return -1;
    CLOSED int etc = open_under(root, path, O_RDONLY | O_DIRECTORY, 0, BENEATH);
    if (etc < 0) return fail(failure, "open /etc of the image");
    if (place_name(etc, "hosts", &order->hosts, uid_base, failure) < 0) return -1;
    return place_name(etc, "resolv.conf", &order->resolvers, uid_base, failure);
}

int place_names(int root, uint32_t uid_base, const struct order *order, struct failure *failure)
{
    if (!order->hosts.length && !order->resolvers.length) return 0;
    if (act_as(uid_base, uid_base, failure) < 0) return -1;
    int result = place_both(root, uid_base, order, failure);
    struct failure ignored;
    return act_as(0, 0, result < 0 ? &ignored : failure) < 0 ? -1 : result;
}
