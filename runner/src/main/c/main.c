/*
 * bobbin-init: reads the nursery's settings, leaves everything of the process that started it behind, and becomes the
 * nursery. The other role, PID 1 of a sandbox, begins in spawn.c as a child of that.
 */
#include "nursery.h"
#include "sys.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define LONELY_SECONDS 10

_Noreturn void give_up(const struct failure *failure)
{
    dprintf(2, "bobbin-init: cannot %s: %s\n", failure->what, strerror(failure->code));
    _exit(1);
}

static _Noreturn void misused(const char *why)
{
    dprintf(2, "bobbin-init: %s\n", why);
    _exit(2);
}

/* KIND=DIR, split in a copy. */
static void add_placement(struct placement *placements, int *count, const char *text)
{
    char *kind = strdup(text), *equals = kind ? strchr(kind, '=') : NULL;
    if (!equals || equals[1] != '/' || *count == CGROUPS_MOST)
        misused("a cgroup is given as KIND=/DIRECTORY, at most 8 of them");
    *equals = 0;
    placements[(*count)++] = (struct placement){kind, equals + 1};
}

static void read_settings(int count, char **arguments, struct settings *settings)
{
    static const struct option options[] = {
        {"control", required_argument, NULL, 'c'}, {"run-dir", required_argument, NULL, 'r'},
        {"data-dir", required_argument, NULL, 'd'}, {"store", required_argument, NULL, 's'},
        {"cgroup", required_argument, NULL, 'g'}, {"supervisor-cgroup", required_argument, NULL, 'G'},
        {"spare-cgroup", required_argument, NULL, 'S'},
        {"host-tree", required_argument, NULL, 't'}, {"uid-locks", required_argument, NULL, 'u'},
        {"lonely-seconds", required_argument, NULL, 'l'}, {"binds", no_argument, NULL, 'b'},
        {"filter", required_argument, NULL, 'f'},
        {NULL, 0, NULL, 0},
    };
    *settings = (struct settings){.lonely_millis = LONELY_SECONDS * 1000};
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        switch (option) {
        case 'c': settings->control = strdup(optarg); break;
        case 'r': settings->run_dir = strdup(optarg); break;
        case 'd': settings->data_dir = strdup(optarg); break;
        case 's': settings->store = strdup(optarg); break;
        case 'u': settings->uid_locks = strdup(optarg); break;
        case 'g': add_placement(settings->cgroups, &settings->cgroup_count, optarg); break;
        case 'G': add_placement(settings->supervisor_cgroups, &settings->supervisor_cgroup_count, optarg); break;
        case 'S': add_placement(settings->spare_cgroups, &settings->spare_cgroup_count, optarg); break;
        case 't':
            if (settings->trees.count == HOST_TREES_MOST || optarg[0] != '/' || !optarg[1])
                misused("a host tree is an absolute path, at most 16 of them");
            settings->trees.path[settings->trees.count++] = strdup(optarg);
            break;
        case 'b': settings->binds = true; break;
        case 'f': settings->filter = strdup(optarg); break;
        case 'l': settings->lonely_millis = strtoull(optarg, NULL, 10) * 1000; break;
        default: _exit(2);
        }
    }
    if (optind != count || !settings->control || !settings->run_dir || !settings->data_dir || !settings->store
        || !settings->uid_locks)
        misused("--control, --run-dir, --data-dir, --store and --uid-locks must be given");
}

/* Neither an argument nor a variable of the JVM can be read in /proc of a sandbox's PID 1. */
static void wipe(char **arguments, char **environment)
{
    char *start = arguments[0], *end = start;
    for (char **each = arguments; *each; each++) end = *each + strlen(*each);
    for (char **each = environment; *each; each++)
        if (*each >= start) end = *each + strlen(*each);
    memset(start, 0, (size_t)(end - start));
}

static void detach(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    /* By the system call, since the library keeps two signals for itself and a JVM leaves those ignored. */
    static const uint64_t by_default[8];
    for (int number = 1; number < NSIG; number++) syscall(SYS_rt_sigaction, number, by_default, NULL, sizeof(uint64_t));
    setsid(); /* fails in a session leader, which is what is wanted */
    umask(0);
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    close_range(3, ~0U, 0);
    int null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        dup2(null, 0);
        dup2(null, 1);
        if (fcntl(2, F_GETFD) < 0) dup2(null, 2);
        if (null > 2) close(null);
    }
}

int main(int count, char **arguments, char **environment)
{
    struct settings settings;
    struct failure failure;
    detach();
    read_settings(count, arguments, &settings);
    if (run_sealed(arguments, &failure) < 0) give_up(&failure);
    wipe(arguments, environment);
    clearenv();
    prctl(PR_SET_NAME, "bobbin-nursery");
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    nursery_main(&settings);
}
