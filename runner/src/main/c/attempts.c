/*
 * Each attempt is made in a process of its own and answered with `done`, or how the kernel refused it. Nothing is done to the
 * machine if one succeeds where nothing protects it: arguments are such that the kernel looks at rights first and finds
 * nothing to do then, and mounts go into a mount namespace of the attempt's own wherever that may be made.
 */
#include "attempts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static long io_uring(void)
{
    struct io_uring_params parameters = {0};
    return syscall(SYS_io_uring_setup, 1, &parameters);
}

static long user_faults(void) { return syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* user mode only */); }
static long key_add(void) { return syscall(SYS_add_key, "user", "bobbin-probe", "x", 1, KEY_SPEC_SESSION_KEYRING); }
static long key_request(void) { return syscall(SYS_request_key, "user", "bobbin-probe", NULL, KEY_SPEC_SESSION_KEYRING); }
static long key_control(void) { return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0); }

static long bpf(void)
{
    union bpf_attr attributes = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    return syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
}

static long perf_events(void)
{
    struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attributes,
                                         .config = PERF_COUNT_SW_DUMMY, .exclude_kernel = 1};
    return syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}

static long load_module(void) { return syscall(SYS_finit_module, -1, "", 0); }
static long load_kernel(void) { return syscall(SYS_kexec_load, 0, 0, NULL, 0x8000 /* no such flag */); }
static long turn_off(void) { return syscall(SYS_reboot, 0, 0, 0, NULL); }
static long swap_on(void) { return syscall(SYS_swapon, "/nothing", 0); }
static long set_clock(void) { return syscall(SYS_clock_settime, 99, NULL); }
static long set_host_name(void)
{
    char name[65] = "";
    gethostname(name, sizeof name - 1);
    return sethostname(name, strlen(name));
}

static long read_kernel_log(void) { return syscall(SYS_syslog, 10, NULL, 0); }

static long open_by_handle(void)
{
    struct { struct file_handle handle; char bytes[64]; } named = {.handle.handle_bytes = 64};
    int mount;
    if (syscall(SYS_name_to_handle_at, AT_FDCWD, "/tmp", &named.handle, &mount, 0) < 0) named.handle.handle_bytes = 8;
    int root = open("/", O_RDONLY);
    return syscall(SYS_open_by_handle_at, root, &named.handle, O_RDONLY);
}

/* Whoever may mount may usually do this first; whoever may not has changed nothing. */
static void step_aside(void)
{
    if (unshare(CLONE_NEWNS) == 0) mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static long mount_at(const char *source, const char *target, const char *type, unsigned long flags, const char *options)
{
    step_aside();
    return mount(source, target, type, flags, options);
}

static long mount_tmpfs(void) { return mount_at("x", "/tmp", "tmpfs", 0, NULL); }
static long mount_proc(void) { return mount_at("proc", "/tmp", "proc", 0, NULL); }
static long mount_cgroup(void) { return mount_at("x", "/tmp", "cgroup", 0, "rdma"); }
static long mount_cgroup2(void) { return mount_at("x", "/tmp", "cgroup2", 0, NULL); }
static long mount_bind(void) { return mount_at("/proc", "/tmp", NULL, MS_BIND | MS_REC, NULL); }
static long remount(void) { return mount_at(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL); }

static long unmount(void)
{
    step_aside();
    return umount2("/proc/sys", MNT_DETACH);
}

static long mount_by_handle(void) { return syscall(SYS_fsopen, "tmpfs", 0); }
static long copy_mount(void) { return syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE); }

static long pivot(void)
{
    step_aside();
    return syscall(SYS_pivot_root, ".", ".");
}

static long in_new_user_namespace(long (*then)(void))
{
    return unshare(CLONE_NEWUSER) < 0 ? -1 : then();
}

static long mount_as_new_root(void) { return in_new_user_namespace(mount_tmpfs); }
static long unshare_user(void) { return unshare(CLONE_NEWUSER); }
static long unshare_mount(void) { return unshare(CLONE_NEWNS); }
static long unshare_net(void) { return unshare(CLONE_NEWNET); }
static long unshare_cgroup(void) { return unshare(CLONE_NEWCGROUP); }

static long end_of(long pid)
{
    if (pid == 0) _exit(0);
    return pid < 0 ? -1 : waitpid((pid_t)pid, NULL, __WALL);
}

static long clone_user(void) { return end_of(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)); }

static long clone3_user(void)
{
    struct clone_args arguments = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    return end_of(syscall(SYS_clone3, &arguments, sizeof arguments));
}

/* Of its own, which would be no gain; the call must not be there at all. */
static long enter_namespace(void) { return setns(open("/proc/self/ns/uts", O_RDONLY), CLONE_NEWUTS); }
static long enter_by_pidfd(void) { return setns((int)syscall(SYS_pidfd_open, 1, 0), CLONE_NEWNS); }

static long make_device(const char *path, mode_t kind, dev_t device)
{
    long result = mknod(path, kind | 0600, device);
    if (result == 0) unlink(path);
    return result;
}

static long make_memory_device(void) { return make_device("/tmp/bobbin-mem", S_IFCHR, makedev(1, 1)); }
static long make_disk(void) { return make_device("/dev/bobbin-disk", S_IFBLK, makedev(8, 0)); }

static long vsock(void) { return socket(AF_VSOCK, SOCK_STREAM, 0); }
static long crypto_socket(void) { return socket(AF_ALG, SOCK_SEQPACKET, 0); }
static long packet_socket(void) { return socket(AF_PACKET, SOCK_RAW, 0); }
static long raw_socket(void) { return socket(AF_INET, SOCK_RAW, 1); }
static long audit_socket(void) { return socket(AF_NETLINK, SOCK_RAW, 9); }
static long event_socket(void) { return socket(AF_NETLINK, SOCK_RAW, 15); }

/* Says only whether there is a way: nothing is sent. */
static long route_to(int family, const char *host)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
    struct sockaddr_in6 wide = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
    inet_pton(family, host, family == AF_INET ? (void *)&address.sin_addr : (void *)&wide.sin6_addr);
    int out = socket(family, SOCK_DGRAM, 0);
    if (out < 0) return -1;
    return family == AF_INET ? connect(out, (struct sockaddr *)&address, sizeof address)
                             : connect(out, (struct sockaddr *)&wide, sizeof wide);
}

static long metadata_route(void) { return route_to(AF_INET, "169.254.169.254"); }
static long world_route(void) { return route_to(AF_INET, "192.0.2.1"); }
static long private_route(void) { return route_to(AF_INET, "10.0.0.1"); }
static long wide_route(void) { return route_to(AF_INET6, "2001:db8::1"); }

static long spare_from_killing(void)
{
    int file = open("/proc/self/oom_score_adj", O_WRONLY);
    return file < 0 ? -1 : write(file, "-1000", 5);
}

static long persona(void) { return personality(ADDR_NO_RANDOMIZE); }

/* Into a terminal of its own. */
static long type(void)
{
    int ours = posix_openpt(O_RDWR | O_NOCTTY);
    if (ours < 0 || grantpt(ours) < 0 || unlockpt(ours) < 0) return -1;
    setsid();
    int theirs = open(ptsname(ours), O_RDWR);
    return theirs < 0 ? -1 : ioctl(theirs, TIOCSTI, "x");
}

static long trace_init(void) { return ptrace(PTRACE_ATTACH, 1, NULL, NULL); }
static long seize_init(void) { return ptrace(PTRACE_SEIZE, 1, NULL, NULL); }

static long read_init(void)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {(void *)0x400000, 1};
    return process_vm_readv(1, &here, 1, &there, 1, 0);
}

static long take_descriptor(void) { return syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, 1, 0), 0, 0); }
static long compare_init(void) { return syscall(SYS_kcmp, 1, getpid(), KCMP_VM, 0, 0); }
static long stop_init(void) { return kill(1, SIGSTOP); }
static long kill_init(void) { return kill(1, SIGKILL); }
/* The same rights as for setting them. */
static long limit_init(void)
{
    struct rlimit files;
    return prlimit(1, RLIMIT_NOFILE, NULL, &files);
}

static long trace_child(void)
{
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit(0);
    }
    int status;
    return waitpid(child, &status, 0) == child && WIFSTOPPED(status) ? ptrace(PTRACE_CONT, child, NULL, NULL) : -1;
}

#ifdef __x86_64__
/* 32-bit calls of a 64-bit process; what they point to must lie below 4 GiB. */
static long by_interrupt(long number, long first, long second, long third, long fourth)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result)
                     : "a"(number), "b"(first), "c"(second), "d"(third), "S"(fourth)
                     : "r8", "r9", "r10", "r11", "memory");
    if ((int)result >= 0) return (int)result;
    errno = -(int)result;
    return -1;
}

static long low(const void *bytes, size_t length)
{
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    return at == MAP_FAILED ? 0 : (long)memcpy(at, bytes, length);
}

static long narrow_vsock(void) { return by_interrupt(359, AF_VSOCK, SOCK_STREAM, 0, 0); }

static long hidden_vsock(void)
{
    const int arguments[] = {AF_VSOCK, SOCK_STREAM, 0};
    return by_interrupt(102, 1, low(arguments, sizeof arguments), 0, 0);
}

static long narrow_mount(void)
{
    step_aside();
    return by_interrupt(21, low("x", 2), low("/tmp", 5), low("tmpfs", 6), 0);
}

static long narrow_keys(void) { return by_interrupt(288, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0); }
static long narrow_unshare(void) { return by_interrupt(310, CLONE_NEWUSER, 0, 0, 0); }
static long narrow_uring(void) { return by_interrupt(425, 1, 0, 0, 0); }
static long x32_keys(void) { return syscall(0x40000000 | SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0); }
static long wide_ioctl(void)
{
    int ours = posix_openpt(O_RDWR | O_NOCTTY);
    if (ours < 0 || grantpt(ours) < 0 || unlockpt(ours) < 0) return -1;
    setsid();
    int theirs = open(ptsname(ours), O_RDWR);
    return theirs < 0 ? -1 : syscall(SYS_ioctl, theirs, TIOCSTI | 1L << 32, "x");
}
#endif

static const struct {
    const char *name;
    long (*run)(void);
} known[] = {
    {"io_uring", io_uring}, {"userfaultfd", user_faults}, {"add_key", key_add}, {"request_key", key_request},
    {"keyctl", key_control}, {"bpf", bpf}, {"perf_event_open", perf_events}, {"finit_module", load_module},
    {"kexec_load", load_kernel}, {"reboot", turn_off}, {"swapon", swap_on}, {"clock_settime", set_clock},
    {"sethostname", set_host_name}, {"syslog", read_kernel_log}, {"open_by_handle_at", open_by_handle},
    {"mount-tmpfs", mount_tmpfs}, {"mount-proc", mount_proc}, {"mount-cgroup", mount_cgroup},
    {"mount-cgroup2", mount_cgroup2}, {"bind", mount_bind}, {"remount", remount}, {"umount", unmount},
    {"fsopen", mount_by_handle}, {"open_tree", copy_mount}, {"pivot_root", pivot},
    {"mount-as-new-root", mount_as_new_root}, {"unshare-user", unshare_user}, {"unshare-mount", unshare_mount},
    {"unshare-net", unshare_net}, {"unshare-cgroup", unshare_cgroup}, {"clone-user", clone_user},
    {"clone3-user", clone3_user}, {"setns", enter_namespace}, {"setns-pidfd", enter_by_pidfd},
    {"mknod-mem", make_memory_device}, {"mknod-disk", make_disk}, {"vsock", vsock}, {"alg", crypto_socket},
    {"packet", packet_socket}, {"raw", raw_socket}, {"audit", audit_socket}, {"uevent", event_socket},
    {"route-metadata", metadata_route}, {"route-world", world_route}, {"route-private", private_route},
    {"route-ipv6", wide_route}, {"oom-score", spare_from_killing}, {"personality", persona}, {"tiocsti", type}, {"trace-init", trace_init}, {"seize-init", seize_init},
    {"read-init", read_init}, {"pidfd_getfd", take_descriptor}, {"kcmp", compare_init}, {"stop-init", stop_init},
    {"kill-init", kill_init}, {"limit-init", limit_init}, {"trace-child", trace_child},
#ifdef __x86_64__
    {"i386-vsock", narrow_vsock}, {"i386-socketcall-vsock", hidden_vsock}, {"i386-mount", narrow_mount},
    {"i386-keyctl", narrow_keys}, {"i386-unshare", narrow_unshare}, {"x32-keyctl", x32_keys}, {"i386-io_uring", narrow_uring},
    {"tiocsti-wide", wide_ioctl},
#endif
};

static int make(size_t which, const char *prefix)
{
    const char *name = known[which].name;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        errno = 0;
        long result = known[which].run();
        const char *error = result >= 0 ? "done" : strerrorname_np(errno);
        printf("%s%s %s\n", prefix, name, error ? error : "?");
        fflush(stdout);
        _exit(0);
    }
    int status;
    if (waitpid(child, &status, 0) != child) return failed("waitpid");
    if (WIFSIGNALED(status)) printf("%s%s %s\n", prefix, name, sigabbrev_np(WTERMSIG(status)));
    return 0;
}

int attempt(int count, char **arguments)
{
    for (int i = 0; i < count; i++) {
        size_t which = 0;
        while (which < sizeof known / sizeof *known && strcmp(known[which].name, arguments[i])) which++;
        if (which == sizeof known / sizeof *known) return errno = EINVAL, failed(arguments[i]);
        if (make(which, "")) return 1;
    }
    return 0;
}

void attempt_all(void)
{
    /* Where this is process 1 itself, which a container's only process is, it would be stopped for good. */
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (getpid() != 1 || !strstr(known[i].name, "-init")) make(i, "try ");
}
