#include "filter.h"
#include "sys.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int read_all(int file, void *to, size_t length)
{
    for (size_t have = 0; have < length;) {
        ssize_t got = read(file, (uint8_t *)to + have, length - have);
        if (got <= 0) return -1;
        have += (size_t)got;
    }
    return 0;
}

/* Says so on descriptor 3 once it is loaded. The filter may forbid whatever comes after. */
static _Noreturn void hold(const struct filter *filter, int told)
{
    struct failure ignored;
    prctl(PR_SET_NAME, "bobbin-filter");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (dup2(told, 3) < 0 || close_range(4, ~0U, 0) < 0 || close_range(0, 2, 0) < 0) _exit(errno);
    if (filter_load(filter, &ignored) < 0) _exit(errno);
    if (write(3, "", 1) != 1) _exit(errno);
    for (;;) pause();
}

/*
 * A child loads it, so that the nursery itself stays without, and keeps it for as long as the nursery lives: if no program
 * of BPF is left on a machine, the kernel gives its memory for them back, and making it again stops every processor
 * for a moment, which a busy machine would pay for with each job.
 */
static int try(const struct filter *filter, struct failure *failure)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return fail(failure, "make a pipe to try the system-call filter");
    CLOSED int told = ends[0];
    pid_t child = fork();
    if (child == 0) hold(filter, ends[1]);
    close(ends[1]);
    if (child < 0) return fail(failure, "fork to try the system-call filter");
    char byte;
    if (read(told, &byte, 1) == 1) return kill(child, SIGSTOP), 0; /* it may not be allowed to wait */
    int status;
    if (waitpid(child, &status, 0) < 0) return fail(failure, "try the system-call filter");
    return fail_as(failure, WIFEXITED(status) ? WEXITSTATUS(status) : EPERM, "load the system-call filter");
}

int filter_read(const char *path, struct filter *filter, struct failure *failure)
{
    CLOSED int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0 || fstat(file, &status) < 0) return fail(failure, "open the system-call filter %s", path);
    size_t size = (size_t)status.st_size;
    if (size == 0 || size % sizeof(struct sock_filter) || size / sizeof(struct sock_filter) > BPF_MAXINSNS)
        return fail_as(failure, EINVAL, "use %s as a system-call filter", path);
    filter->program = malloc(size);
    if (!filter->program || read_all(file, filter->program, size) < 0) return fail(failure, "read %s", path);
    filter->instructions = (uint16_t)(size / sizeof(struct sock_filter));
    return try(filter, failure);
}

int filter_load(const struct filter *filter, struct failure *failure)
{
    if (filter->instructions == 0) return 0;
    struct sock_fprog program = {.len = filter->instructions, .filter = filter->program};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        return fail(failure, "load the system-call filter");
    return 0;
}
