/*
 * Work on the files of a sandbox (files.h). What is written is made aside and renamed, so that a file is the old one or
 * the new one, whole.
 *
 *   stat PATH             one record about what PATH names, itself if that is a symbolic link
 *   list PATH             a record about each thing in the directory
 *   read PATH FROM COUNT  so many bytes of the file
 *   tree PATH             a tar archive of it and all below it on the same file system
 *   write PATH MODE       standard input into the file, or a new one with that octal mode
 *   put PATH              things below the directory as records on standard input tell
 *   mkdir PATH MODE       a directory, and what is missing above it
 *   delete PATH [tree]    a file or an empty directory; with `tree` all below it
 *
 * A record is a struct entry in host order, the path, for links the target, and in `put` the content.
 */
#include "files.h"
#include "error.h"
#include "sys.h"
#include "tar.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define DEEPEST 200
#define BLOCK 65536
#define UNSAID UINT32_MAX
#define ASIDE ".bobbin-aside"

struct entry {
    uint32_t kind; /* 'f', 'd', 'l', 'h' a hard link, 'p' a named pipe, 'o' anything else */
    uint32_t mode, uid, gid;
    uint64_t size, mtime; /* the latter in nanoseconds since 1970 */
    uint32_t path_length, target_length;
};

static uint8_t block[BLOCK];
static volatile sig_atomic_t stopped;

/* What is given on standard input is to be forgotten: whoever gives it ends it, after this signal. */
static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

static int open_path(const char *path, int flags)
{
    return open_under(AT_FDCWD, path, flags, 0, RESOLVE_NO_MAGICLINKS);
}

/* A handle of the directory that `path` lies in, and its last part. */
static int open_parent(const char *path, char *name, struct failure *failure)
{
    char copy[PATH_MAX];
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') length--;
    if (length >= sizeof copy) return fail_as(failure, ENAMETOOLONG, "name so long a path");
    memcpy(copy, path, length);
    copy[length] = 0;
    char *slash = strrchr(copy, '/');
    const char *last = slash ? slash + 1 : copy;
    if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
        return fail_as(failure, EINVAL, "change the directory %s itself", path);
    if (strlen(last) > NAME_MAX) return fail_as(failure, ENAMETOOLONG, "name so long a file");
    strcpy(name, last);
    if (slash) *slash = 0;
    int parent = open_path(slash ? (*copy ? copy : "/") : ".", O_PATH | O_DIRECTORY);
    return parent < 0 ? fail(failure, "open the directory of %s", path) : parent;
}

static int send_all(const void *data, size_t length, struct failure *failure)
{
    for (size_t sent = 0; sent < length;) {
        ssize_t some = write(1, (const uint8_t *)data + sent, length - sent);
        if (some < 0) return fail(failure, "answer");
        sent += (size_t)some;
    }
    return 0;
}

static bool receive_all(void *to, size_t length)
{
    for (size_t have = 0; have < length;) {
        ssize_t got = read(0, (uint8_t *)to + have, length - have);
        if (got <= 0) return false;
        have += (size_t)got;
    }
    return true;
}

static uint32_t kind_of(mode_t mode)
{
    return S_ISREG(mode) ? 'f' : S_ISDIR(mode) ? 'd' : S_ISLNK(mode) ? 'l' : S_ISFIFO(mode) ? 'p' : 'o';
}

static int tell(int parent, const char *name, struct failure *failure)
{
    struct stat status;
    char target[PATH_MAX];
    ssize_t target_length = 0;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return fail(failure, "look at %s", name);
    if (S_ISLNK(status.st_mode) && (target_length = readlinkat(parent, name, target, sizeof target)) < 0)
        return fail(failure, "read the link %s", name);
    struct entry entry = {
        .kind = kind_of(status.st_mode),
        .mode = status.st_mode & 07777,
        .uid = status.st_uid,
        .gid = status.st_gid,
        .size = S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0,
        .mtime = (uint64_t)status.st_mtim.tv_sec * 1000000000U + (uint64_t)status.st_mtim.tv_nsec,
        .path_length = (uint32_t)strlen(name),
        .target_length = (uint32_t)target_length,
    };
    if (send_all(&entry, sizeof entry, failure) < 0 || send_all(name, entry.path_length, failure) < 0) return -1;
    return send_all(target, entry.target_length, failure);
}

static int stat_path(const char *path, struct failure *failure)
{
    char name[NAME_MAX + 1];
    CLOSED int parent = open_parent(path, name, failure);
    if (parent >= 0) return tell(parent, name, failure);
    if (failure->code != EINVAL) return -1;
    CLOSED int directory = open_path(path, O_PATH | O_DIRECTORY);
    return directory < 0 ? fail(failure, "open %s", path) : tell(directory, ".", failure);
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int list(const char *path, struct failure *failure)
{
    int directory = open_path(path, O_RDONLY | O_DIRECTORY);
    DIR *entries = directory < 0 ? NULL : fdopendir(directory);
    if (!entries) return fail(failure, "open the directory %s", path);
    for (struct dirent *each; (each = readdir(entries));) {
        if (is_dots(each->d_name)) continue;
        /* what went away meanwhile is not in it */
        if (tell(dirfd(entries), each->d_name, failure) < 0 && failure->code != ENOENT) return -1;
    }
    return 0;
}

/* Only a plain file, and without waiting for a named pipe's other end. */
static int open_file(int parent, const char *path, int flags, struct failure *failure)
{
    int file = open_under(parent, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | flags, 0, RESOLVE_NO_MAGICLINKS);
    struct stat status;
    if (file < 0) return fail(failure, "open %s", path);
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) return file;
    close(file);
    return fail_as(failure, S_ISDIR(status.st_mode) ? EISDIR : EINVAL, "read %s as a file", path);
}

static int read_file(const char *path, uint64_t from, uint64_t count, struct failure *failure)
{
    CLOSED int file = open_file(AT_FDCWD, path, 0, failure);
    if (file < 0) return -1;
    while (count > 0) {
        ssize_t got = pread(file, block, count < BLOCK ? count : BLOCK, (off_t)from);
        if (got < 0) return fail(failure, "read %s", path);
        if (got == 0) return 0;
        if (send_all(block, (size_t)got, failure) < 0) return -1;
        from += (uint64_t)got;
        count -= (uint64_t)got;
    }
    return 0;
}

/* As many bytes as the header said, whatever became of the file meanwhile. */
static int tar_content(int file, uint64_t size, struct failure *failure)
{
    for (uint64_t left = size; left > 0;) {
        size_t want = left < BLOCK ? (size_t)left : BLOCK;
        ssize_t got = read(file, block, want);
        if (got <= 0) {
            memset(block, 0, want);
            got = (ssize_t)want;
        }
        if (send_all(block, (size_t)got, failure) < 0) return -1;
        left -= (uint64_t)got;
    }
    memset(block, 0, TAR_BLOCK);
    return send_all(block, (size_t)(-size & (TAR_BLOCK - 1)), failure);
}

static int tar_tree(int parent, const char *name, char *path, dev_t device, int depth, struct failure *failure);

static int tar_below(int parent, const char *name, char *path, dev_t device, int depth, struct failure *failure)
{
    if (depth >= DEEPEST) return fail_as(failure, ELOOP, "go deeper than %d directories", DEEPEST);
    int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = directory < 0 ? NULL : fdopendir(directory);
    if (!entries) return fail(failure, "open the directory %.150s", path);
    size_t length = strlen(path);
    int result = 0;
    for (struct dirent *each; result == 0 && (each = readdir(entries));) {
        if (is_dots(each->d_name)) continue;
        if (length + strlen(each->d_name) + 2 > PATH_MAX) result = fail_as(failure, ENAMETOOLONG, "name so long a path");
        else {
            sprintf(path + length, "/%s", each->d_name);
            result = tar_tree(dirfd(entries), each->d_name, path, device, depth + 1, failure);
            if (result < 0 && failure->code == ENOENT) result = 0;
            path[length] = 0;
        }
    }
    closedir(entries);
    return result;
}

/* What lies on other file systems, such as proc, is left out; a directory of them is there, and empty. */
static int tar_tree(int parent, const char *name, char *path, dev_t device, int depth, struct failure *failure)
{
    struct stat status;
    char target[PATH_MAX] = "";
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return fail(failure, "look at %.150s", path);
    if (S_ISLNK(status.st_mode) && readlinkat(parent, name, target, sizeof target - 1) < 0)
        return fail(failure, "read the link %.150s", path);
    CLOSED int file = S_ISREG(status.st_mode) ? open_file(parent, name, O_NOFOLLOW, failure) : -1;
    if (S_ISREG(status.st_mode) && (file < 0 || fstat(file, &status) < 0)) return fail(failure, "open %.150s", path);
    struct tar_header headers;
    if (!tar_describe(&headers, path, target, &status)) return 0;
    if (send_all(headers.blocks, headers.length, failure) < 0) return -1;
    if (file >= 0) return tar_content(file, (uint64_t)status.st_size, failure);
    if (!S_ISDIR(status.st_mode) || status.st_dev != device) return 0;
    return tar_below(parent, name, path, device, depth, failure);
}

static int tree(const char *path, struct failure *failure)
{
    char name[NAME_MAX + 1], inside[PATH_MAX];
    struct stat status;
    CLOSED int parent = open_parent(path, name, failure);
    if (parent < 0 && failure->code == EINVAL) {
        if ((parent = open_path(path, O_PATH | O_DIRECTORY)) >= 0) strcpy(name, ".");
    }
    if (parent < 0 || fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return fail(failure, "open %s", path);
    strcpy(inside, name);
    if (tar_tree(parent, name, inside, status.st_dev, 0, failure) < 0) return -1;
    memset(block, 0, 2 * TAR_BLOCK);
    return send_all(block, 2 * TAR_BLOCK, failure);
}

static int make_parents(const char *path, struct failure *failure)
{
    char part[PATH_MAX];
    if (strlen(path) >= sizeof part) return fail_as(failure, ENAMETOOLONG, "name so long a path");
    for (const char *end = strchr(path + 1, '/'); end; end = strchr(end + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(end - path), path);
        CLOSED int there = open_path(part, O_PATH | O_DIRECTORY);
        if (there >= 0) continue;
        char name[NAME_MAX + 1];
        CLOSED int parent = errno == ENOENT ? open_parent(part, name, failure) : fail(failure, "open %s", part);
        if (parent < 0) return -1;
        if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST) return fail(failure, "make the directory %s", part);
    }
    return 0;
}

/* Standard input into `file`: so many bytes, or with UINT64_MAX all. */
static int fill(int file, uint64_t size, const char *path, struct failure *failure)
{
    for (uint64_t left = size; left > 0;) {
        ssize_t got = read(0, block, left < BLOCK ? (size_t)left : BLOCK);
        if (stopped) return fail_as(failure, ECANCELED, "write %s", path);
        if (got < 0) return fail(failure, "receive %s", path);
        if (got == 0) return size == UINT64_MAX ? 0 : fail_as(failure, ENODATA, "receive all of %s", path);
        for (ssize_t written = 0; written < got;) {
            ssize_t some = write(file, block + written, (size_t)(got - written));
            if (some < 0) return fail(failure, "write %s", path);
            written += some;
        }
        if (size != UINT64_MAX) left -= (uint64_t)got;
    }
    return 0;
}

static int dress(int file, const struct entry *entry, const char *path, struct failure *failure)
{
    const struct timespec times[2] = {
        {.tv_nsec = UTIME_NOW},
        {.tv_sec = (time_t)(entry->mtime / 1000000000U), .tv_nsec = (long)(entry->mtime % 1000000000U)},
    };
    if (entry->uid != UNSAID && fchown(file, entry->uid, entry->gid) < 0) return fail(failure, "set the owner of %s", path);
    if (fchmod(file, entry->mode & 07777) < 0) return fail(failure, "set the mode of %s", path);
    if (entry->mtime != UINT64_MAX && futimens(file, times) < 0) return fail(failure, "set the time of %s", path);
    return 0;
}

static int make_file(int parent, const char *name, const struct entry *entry, const char *path, struct failure *failure)
{
    char aside[64];
    snprintf(aside, sizeof aside, ASIDE "-%d-%llx", getpid(), (unsigned long long)nanoseconds(CLOCK_MONOTONIC));
    CLOSED int file = openat(parent, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return fail(failure, "make %s", path);
    if (fill(file, entry->size, path, failure) == 0 && dress(file, entry, path, failure) == 0) {
        if (renameat(parent, aside, parent, name) == 0) return 0;
        fail(failure, "put %s in its place", path);
    }
    unlinkat(parent, aside, 0);
    return -1;
}

static int make_directory(int parent, const char *name, const struct entry *entry, const char *path,
                          struct failure *failure)
{
    if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST) return fail(failure, "make the directory %s", path);
    CLOSED int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return directory < 0 ? fail(failure, "open the directory %s", path) : dress(directory, entry, path, failure);
}

static int make_other(int parent, const char *name, const struct entry *entry, const char *path, const char *target,
                      struct failure *failure)
{
    unlinkat(parent, name, 0);
    int made = entry->kind == 'l' ? symlinkat(target, parent, name)
        : entry->kind == 'h'      ? linkat(AT_FDCWD, target, parent, name, 0)
        : entry->kind == 'p'      ? mkfifoat(parent, name, 0600)
                                  : (errno = EPERM, -1);
    if (made < 0) return fail(failure, "make %s", path);
    if (entry->kind == 'h' || entry->uid == UNSAID) return 0;
    return fchownat(parent, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0
        ? fail(failure, "set the owner of %s", path) : 0;
}

static int make(const char *path, const struct entry *entry, const char *target, struct failure *failure)
{
    char name[NAME_MAX + 1];
    if (make_parents(path, failure) < 0) return -1;
    CLOSED int parent = open_parent(path, name, failure);
    if (parent < 0) return -1;
    switch (entry->kind) {
    case 'f': return make_file(parent, name, entry, path, failure);
    case 'd': return make_directory(parent, name, entry, path, failure);
    default: return make_other(parent, name, entry, path, target, failure);
    }
}

/* A name from outside, below `base`; one that climbs is refused. */
static int receive_name(const char *base, uint32_t length, char *path, struct failure *failure)
{
    char name[PATH_MAX];
    if (length >= sizeof name || strlen(base) + length + 2 > PATH_MAX)
        return fail_as(failure, ENAMETOOLONG, "name so long a path");
    if (!receive_all(name, length)) return fail_as(failure, ENODATA, "receive a name");
    name[length] = 0;
    for (char *part = name; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL)
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || !part[2]))
            return fail_as(failure, EINVAL, "leave the directory by %s", name);
    sprintf(path, "%s/%s", base, name);
    return 0;
}

static int put(const char *base, struct failure *failure)
{
    CLOSED int there = open_path(base, O_PATH | O_DIRECTORY);
    if (there < 0) return fail(failure, "open the directory %s", base);
    if (strcmp(base, "/") == 0) base = "";
    struct entry entry;
    char path[PATH_MAX], target[PATH_MAX];
    while (receive_all(&entry, sizeof entry)) {
        if (receive_name(base, entry.path_length, path, failure) < 0) return -1;
        if (entry.kind == 'h') {
            if (receive_name(base, entry.target_length, target, failure) < 0) return -1;
        } else if (entry.target_length >= sizeof target || !receive_all(target, entry.target_length))
            return fail_as(failure, ENODATA, "receive the target of %s", path);
        else target[entry.target_length] = 0;
        if (make(path, &entry, target, failure) < 0) return -1;
    }
    return 0;
}

/* What `path` leads to, if that is a file, keeps its owner and mode. */
static int write_file(const char *path, uint32_t mode, struct failure *failure)
{
    struct entry entry = {.kind = 'f', .mode = mode, .uid = UNSAID, .size = UINT64_MAX, .mtime = UINT64_MAX};
    char real[PATH_MAX];
    struct stat status;
    if (!realpath(path, real) || stat(real, &status) < 0) return make(path, &entry, "", failure);
    if (!S_ISREG(status.st_mode))
        return fail_as(failure, S_ISDIR(status.st_mode) ? EISDIR : EINVAL, "write %s as a file", path);
    entry.mode = status.st_mode;
    entry.uid = status.st_uid;
    entry.gid = status.st_gid;
    return make(real, &entry, "", failure);
}

static int make_path(const char *path, uint32_t mode, struct failure *failure)
{
    struct entry entry = {.kind = 'd', .mode = mode, .uid = UNSAID, .mtime = UINT64_MAX};
    return make(path, &entry, "", failure);
}

static int delete_below(int parent, const char *name, int depth, struct failure *failure)
{
    if (unlinkat(parent, name, 0) == 0) return 0;
    if (errno != EISDIR && errno != EPERM) return fail(failure, "delete %s", name);
    if (depth >= DEEPEST) return fail_as(failure, ELOOP, "go deeper than %d directories", DEEPEST);
    int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = directory < 0 ? NULL : fdopendir(directory);
    if (!entries) return fail(failure, "delete %s", name);
    int result = 0;
    for (struct dirent *each; result == 0 && (each = readdir(entries));)
        if (!is_dots(each->d_name)) result = delete_below(dirfd(entries), each->d_name, depth + 1, failure);
    closedir(entries);
    if (result < 0) return -1;
    return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? fail(failure, "delete the directory %s", name) : 0;
}

static int delete(const char *path, bool whole, struct failure *failure)
{
    char name[NAME_MAX + 1];
    CLOSED int parent = open_parent(path, name, failure);
    if (parent < 0) return -1;
    if (whole) return delete_below(parent, name, 0, failure);
    if (unlinkat(parent, name, 0) == 0) return 0;
    if ((errno == EISDIR || errno == EPERM) && unlinkat(parent, name, AT_REMOVEDIR) == 0) return 0;
    return fail(failure, "delete %s", path);
}

static int work(char **arguments, struct failure *failure)
{
    const char *what = arguments[0], *path = arguments[1], *more = path ? arguments[2] : NULL;
    if (!path || path[0] != '/') return fail_as(failure, EINVAL, "work on a path that is not absolute");
    if (strcmp(what, "stat") == 0) return stat_path(path, failure);
    if (strcmp(what, "list") == 0) return list(path, failure);
    if (strcmp(what, "tree") == 0) return tree(path, failure);
    if (strcmp(what, "put") == 0) return put(path, failure);
    if (strcmp(what, "delete") == 0) return delete(path, more != NULL, failure);
    if (strcmp(what, "write") == 0 && more) return write_file(path, (uint32_t)strtoul(more, NULL, 8), failure);
    if (strcmp(what, "mkdir") == 0 && more) return make_path(path, (uint32_t)strtoul(more, NULL, 8), failure);
    if (strcmp(what, "read") == 0 && more && arguments[3])
        return read_file(path, strtoull(more, NULL, 10), strtoull(arguments[3], NULL, 10), failure);
    return fail_as(failure, EINVAL, "do \"%.30s\" to files", what);
}

void files_main(char **arguments)
{
    struct failure failure = {0};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, stop);
    umask(0);
    int result = work(arguments, &failure);
    const char *code = strerrorname_np(failure.code);
    if (result < 0) dprintf(2, "%s cannot %s\n", code ? code : "EIO", failure.what);
    _exit(result < 0);
}
