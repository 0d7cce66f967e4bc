/*
 * bobbin-facts: what a process sees and may do where it is run, as lines; what that means is judged elsewhere. A program of
 * its own, so that it can be put into a sandbox of any image and into other programs' containers.
 *
 *   bobbin-facts               link PATH TARGET, text PATH LINE, path PATH KIND READ WRITE, device NAME KIND,
 *                              try ATTEMPT ANSWER, and last `done`; then waits for the end of standard input
 *   bobbin-facts alloc MIB     uses so much memory
 *   bobbin-facts fork N        starts so many children that wait, and prints how many there are
 *   bobbin-facts spin MILLIS   computes for so long and prints the microseconds of processor that it got
 *   bobbin-facts fill MIB      writes a file in the working directory and prints how many MiB fit
 *   bobbin-facts spew          prints for ever
 *   bobbin-facts rest          waits for ever
 */
#include "attempts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define MIB (1 << 20)

static const char *const links[] = {"/proc/self/cwd", "/proc/self/root", "/proc/self/exe"};

static const char *const texts[] = {
    "/proc/self/status", "/proc/self/uid_map", "/proc/self/gid_map", "/proc/self/mountinfo", "/proc/self/cgroup",
    "/proc/self/limits", "/proc/self/oom_score_adj", "/proc/self/net/dev", "/proc/sys/kernel/hostname",
    "/proc/sys/user/max_user_namespaces",
};

static const char *const paths[] = {
    "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/key-users", "/proc/keys", "/proc/kmsg",
    "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
    "/sys/firmware", "/sys/devices/virtual/powercap",
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe", "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/hostname",
    "/proc/sys/net/ipv4/ip_forward", "/sys", "/sys/kernel", "/sys/kernel/uevent_helper", "/sys/fs/cgroup",
    "/sys/power/state", "/proc/1/root", "/proc/1/cwd", "/proc/1/exe", "/proc/1/environ", "/proc/1/mem", "/proc/1/maps",
    "/proc/1/fd/0", "/proc/1/ns/mnt", "/proc/1/oom_score_adj", "/proc/1/clear_refs", "/dev/kmsg", "/dev/mem",
};

int failed(const char *what)
{
    fprintf(stderr, "bobbin-facts: %s: %s\n", what, strerror(errno));
    return 1;
}

static const char *error_name(void)
{
    const char *name = strerrorname_np(errno);
    return name ? name : "?";
}

static void say_link(const char *path)
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof target);
    if (length >= 0) printf("link %s %.*s\n", path, (int)length, target);
    else printf("link %s %s\n", path, error_name());
}

/* Links whose names are not known before: descriptors and namespaces. */
static void say_links(const char *directory)
{
    DIR *opened = opendir(directory);
    for (struct dirent *each; opened && (each = readdir(opened));) {
        char path[PATH_MAX];
        if (each->d_name[0] == '.' || atoi(each->d_name) == dirfd(opened)) continue;
        snprintf(path, sizeof path, "%s/%s", directory, each->d_name);
        say_link(path);
    }
    if (opened) closedir(opened);
    else printf("link %s %s\n", directory, error_name());
}

static void say_text(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[8192];
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        printf("text %s %s\n", path, line);
    }
    if (file) fclose(file);
    else printf("text %s %s\n", path, error_name());
}

static void kind_of(const struct stat *status, char *kind, size_t size)
{
    unsigned major = major(status->st_rdev), minor = minor(status->st_rdev);
    if (S_ISDIR(status->st_mode)) snprintf(kind, size, "directory");
    else if (S_ISLNK(status->st_mode)) snprintf(kind, size, "link");
    else if (S_ISCHR(status->st_mode)) snprintf(kind, size, "character:%u:%u", major, minor);
    else if (S_ISBLK(status->st_mode)) snprintf(kind, size, "block:%u:%u", major, minor);
    else snprintf(kind, size, "file");
}

static const char *reading_directory(const char *path)
{
    DIR *opened = opendir(path);
    if (!opened) return error_name();
    int entries = 0;
    while (readdir(opened)) entries++;
    closedir(opened);
    return entries > 2 ? "data" : "empty";
}

static const char *reading(const char *path)
{
    char byte;
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (file < 0) return error_name();
    ssize_t got = read(file, &byte, 1);
    const char *answer = got > 0 ? "data" : got == 0 ? "empty" : error_name();
    close(file);
    return answer;
}

/* Nothing is written; that it could be is seen from the opening. */
static const char *writing(const char *path, mode_t mode)
{
    if (S_ISDIR(mode)) return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 ? "open" : error_name();
    int file = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (file < 0) return error_name();
    close(file);
    return "open";
}

static void say_path(const char *path)
{
    struct stat status;
    char kind[64];
    if (stat(path, &status) < 0) {
        printf("path %s absent %s %s\n", path, error_name(), error_name());
        return;
    }
    kind_of(&status, kind, sizeof kind);
    const char *read = S_ISDIR(status.st_mode) ? reading_directory(path) : reading(path);
    printf("path %s %s %s", path, kind, read);
    printf(" %s\n", writing(path, status.st_mode));
}

/* Directories whose names depend on the machine. */
static void say_processors(void)
{
    DIR *opened = opendir("/sys/devices/system/cpu");
    for (struct dirent *each; opened && (each = readdir(opened));) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "/sys/devices/system/cpu/%s/thermal_throttle", each->d_name);
        if (access(path, F_OK) == 0) say_path(path);
    }
    if (opened) closedir(opened);
}

static void say_devices(void)
{
    DIR *opened = opendir("/dev");
    for (struct dirent *each; opened && (each = readdir(opened));) {
        struct stat status;
        char kind[64];
        if (each->d_name[0] == '.' || fstatat(dirfd(opened), each->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0) continue;
        kind_of(&status, kind, sizeof kind);
        printf("device %s %s\n", each->d_name, kind);
    }
    if (opened) closedir(opened);
}

/* In the machine's first process namespace nothing is tried, since nothing says that anything would be held back. */
static bool on_machine(void)
{
    char target[64] = "";
    return readlink("/proc/self/ns/pid", target, sizeof target - 1) < 0 || strcmp(target, "pid:[4026531836]") == 0;
}

static int facts(void)
{
    say_links("/proc/self/fd"); /* before this opens anything itself */
    say_links("/proc/self/ns");
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) say_link(links[i]);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) say_text(texts[i]);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) say_path(paths[i]);
    say_processors();
    say_devices();
    if (!on_machine()) attempt_all();
    puts("done");
    fflush(stdout);
    char byte;
    while (read(0, &byte, 1) > 0) {}
    return 0;
}

static int use_memory(long mebibytes)
{
    for (long i = 0; i < mebibytes; i++) {
        char *memory = malloc(MIB);
        if (!memory) return failed("malloc");
        memset(memory, 1, MIB);
    }
    puts("used");
    return 0;
}

static int start_children(long wanted)
{
    long made = 0;
    for (; made < wanted; made++) {
        pid_t child = fork();
        if (child < 0) break;
        if (child == 0) {
            for (;;) pause();
        }
    }
    printf("%ld\n", made);
    fflush(stdout);
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM); /* where nothing else ends them */
    return 0;
}

static int64_t microseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static int compute(long millis)
{
    int64_t end = microseconds(CLOCK_MONOTONIC) + millis * 1000;
    while (microseconds(CLOCK_MONOTONIC) < end) {}
    printf("%lld\n", (long long)microseconds(CLOCK_PROCESS_CPUTIME_ID));
    return 0;
}

static int fill(long mebibytes)
{
    static char block[MIB];
    int file = open("fill", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return failed("make a file");
    memset(block, 1, sizeof block);
    long written = 0;
    while (written < mebibytes && write(file, block, sizeof block) == sizeof block) written++;
    printf("%ld\n", written);
    unlink("fill");
    return 0;
}

static int spew(void)
{
    char line[1024];
    memset(line, 'x', sizeof line);
    while (write(1, line, sizeof line) > 0) {}
    return 1;
}

int main(int count, char **arguments)
{
    const char *what = count > 1 ? arguments[1] : "";
    long number = count > 2 ? atol(arguments[2]) : 0;
    if (count == 1) return facts();
    if (strcmp(what, "alloc") == 0) return use_memory(number);
    if (strcmp(what, "fork") == 0) return start_children(number);
    if (strcmp(what, "spin") == 0) return compute(number);
    if (strcmp(what, "fill") == 0) return fill(number);
    if (strcmp(what, "spew") == 0) return spew();
    if (strcmp(what, "rest") == 0) return pause();
    return errno = EINVAL, failed(what);
}
