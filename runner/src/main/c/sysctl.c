/*
 * Names are resolved beneath a handle, without links, and what is found is seen to be of proc before it is written to.
 * Which names a caller may give is the server's to check; that none is of a network which is the machine's is checked
 * here too.
 */
#include "sysctl.h"
#include "sys.h"

#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#define NAME_LONGEST 255
#define PING_GROUPS "net.ipv4.ping_group_range"
#define BENEATH (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)

int sysctl_open(const char *proc, struct failure *failure)
{
    int whole = open_tree(AT_FDCWD, proc, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    return whole < 0 ? fail(failure, "open the sysctls of the sandbox") : whole;
}

/* The kernel takes groups as the writer's user namespace has them, and PID 1 is in the machine's first. */
static int map_groups(const char *value, uint32_t uid_base, char *mapped, size_t size)
{
    unsigned long long low, high;
    char rest;
    if (sscanf(value, "%llu %llu %c", &low, &high, &rest) != 2 || low >= IDS_PER_SANDBOX) return -1;
    if (high >= IDS_PER_SANDBOX) high = IDS_PER_SANDBOX - 1;
    snprintf(mapped, size, "%llu %llu", uid_base + low, uid_base + high);
    return 0;
}

int sysctl_write(int proc, uint32_t uid_base, const char *name, const char *value, struct failure *failure)
{
    char path[sizeof "sys/" + NAME_LONGEST], mapped[48];
    if (strlen(name) > NAME_LONGEST || strchr(name, '/'))
        return fail_as(failure, EINVAL, "name the sysctl %.100s", name);
    snprintf(path, sizeof path, "sys/%s", name);
    for (char *at = path; (at = strchr(at, '.'));) *at = '/';
    if (strcmp(name, PING_GROUPS) == 0) {
        if (map_groups(value, uid_base, mapped, sizeof mapped) < 0)
            return fail_as(failure, EINVAL, "read \"%.60s\" as groups for the sysctl %s", value, name);
        value = mapped;
    }
    CLOSED int file = open_under(proc, path, O_WRONLY | O_NOFOLLOW, 0, BENEATH);
    struct statfs system;
    if (file < 0 || fstatfs(file, &system) < 0) return fail(failure, "set the sysctl %.140s", name);
    if (system.f_type != PROC_SUPER_MAGIC) return fail_as(failure, EXDEV, "find the kernel's own sysctl %.140s", name);
    size_t length = strlen(value);
    ssize_t written = write(file, value, length);
    if (written < 0) return fail(failure, "set the sysctl %.140s to \"%.60s\"", name, value);
    if ((size_t)written != length)
        return fail_as(failure, EIO, "set the sysctl %.140s to all of \"%.60s\"", name, value);
    return 0;
}

/* The name of an algorithm makes the kernel load its module, if whoever writes it may; a job shall not. */
static int load_no_modules(struct failure *failure)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return fail(failure, "read the capabilities");
    data[0].effective &= ~(1U << CAP_SYS_MODULE);
    data[0].permitted &= ~(1U << CAP_SYS_MODULE);
    if (syscall(SYS_capset, &header, data) < 0) return fail(failure, "drop the capability to load modules");
    return 0;
}

int sysctls_set(const struct sandbox *sandbox, const struct order *order, struct failure *failure)
{
    CLOSED int proc = sysctl_open(STAGE_PROC, failure);
    if (proc < 0 || load_no_modules(failure) < 0) return -1;
    for (size_t i = 0; i < order->sysctl_count; i++) {
        char *name = order->sysctls[i], *value = strchr(name, '=');
        if (!value) return fail_as(failure, EBADMSG, "read the sysctl %.100s", name);
        *value++ = 0;
        if (sandbox->host_network && strncmp(name, "net.", 4) == 0)
            return fail_as(failure, EPERM, "set the sysctl %.140s of the machine's own network", name);
        if (sysctl_write(proc, sandbox->uid_base, name, value, failure) < 0) return -1;
    }
    return 0;
}
