#include "filter.h"
#include "sys.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
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

/* A child loads it, so that the nursery itself stays without. */
static int try(const struct filter *filter, struct failure *failure)
{
    pid_t child = fork();
    if (child < 0) return fail(failure, "fork to try the system-call filter");
    if (child == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        _exit(filter_load(filter, failure) == 0 ? 0 : errno);
    }
    int status;
    if (waitpid(child, &status, 0) < 0) return fail(failure, "try the system-call filter");
    if (status == 0) return 0;
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
