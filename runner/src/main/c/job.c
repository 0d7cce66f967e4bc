/*
 * The job's process (job.h). Until execve it is undumpable and alone in its user namespace; it holds four descriptors
 * beyond the standard ones, at fixed numbers, and nothing of the machine.
 */
#include "job.h"
#include "files.h"
#include "rights.h"
#include "sys.h"
#include "terminal.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define LINK 3
#define STANDARD 4 /* and the two after it */
#define FIRST_SPARE 7
#define ABOVE_ALL_FIXED 16

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void say(enum verdict_kind kind, const struct failure *failure)
{
    struct verdict verdict = {.kind = kind};
    if (failure) verdict.failure = *failure;
    (void)!write(LINK, &verdict, sizeof verdict); /* a socket or a pipe; every signal is blocked until execve */
}

/* Moves the four ends to their numbers, by way of numbers that none of them has. */
static int settle(const struct job_ends *ends, struct failure *failure)
{
    const int from[] = {ends->link, ends->standard[0], ends->standard[1], ends->standard[2]};
    int aside[4];
    for (int i = 0; i < 4; i++)
        if ((aside[i] = fcntl(from[i], F_DUPFD_CLOEXEC, ABOVE_ALL_FIXED)) < 0)
            return fail(failure, "move a descriptor aside");
    for (int i = 0; i < 4; i++)
        if (dup3(aside[i], LINK + i, O_CLOEXEC) < 0) return fail(failure, "give a descriptor its number");
    if (close_range(FIRST_SPARE, ~0U, 0) < 0) return fail(failure, "close what is not the job's");
    return 0;
}

static bool receive_all(void *to, size_t length)
{
    for (size_t have = 0; have < length;) {
        ssize_t got = read(LINK, (uint8_t *)to + have, length - have);
        if (got <= 0) return false;
        have += (size_t)got;
    }
    return true;
}

static int receive_order(struct order *order, struct failure *failure)
{
    uint32_t length;
    if (!receive_all(&length, sizeof length)) _exit(EXIT_NOT_SET_UP);
    FREED uint8_t *body = malloc((size_t)length + 1);
    if (!body) return fail(failure, "make room for the job's part of the order");
    if (!receive_all(body, length)) return fail(failure, "receive the job's part of the order");
    return order_read((struct slice){body, length}, order, failure);
}

/* Goes to the working directory by handle, and makes sure that it is beneath the root. */
static int enter_workdir(const char *path, struct failure *failure)
{
    CLOSED int directory = open_under(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_MAGICLINKS);
    if (directory < 0 || fchdir(directory) < 0) return fail(failure, "enter the working directory %s", path);
    char name[PATH_MAX];
    /* The system call, not the library's: that one would hide an unreachable directory behind another error. */
    if (syscall(SYS_getcwd, name, sizeof name) < 0) return fail(failure, "name the working directory %s", path);
    if (name[0] != '/') return fail_as(failure, EXDEV, "stay beneath the root in %s", path);
    return 0;
}

static int set_standard(uint32_t stdin_policy, bool parked, struct failure *failure)
{
    int input = STANDARD;
    /* In a root that others have used /dev/null may be anything, and the closed pipe says the same. */
    if (parked && stdin_policy == STDIN_EMPTY && (input = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
        return fail(failure, "open /dev/null");
    if (dup2(input, 0) < 0 || dup2(STANDARD + 1, 1) < 0 || dup2(STANDARD + 2, 2) < 0)
        return fail(failure, "set standard input and output");
    if (close_range(STANDARD, ~0U, 0) < 0) return fail(failure, "close descriptors");
    return 0;
}

/* In place of the pipes with which it parked. Its user owns it. */
static int enter_terminal(uint32_t number, struct failure *failure)
{
    CLOSED int terminal = terminal_open(number, failure);
    if (terminal < 0) return -1;
    for (int i = 0; i < 3; i++)
        if (dup2(terminal, i) < 0) return fail(failure, "set standard input and output");
    return terminal_take(0, failure);
}

static const char *search_path(char **environment)
{
    for (; *environment; environment++)
        if (strncmp(*environment, "PATH=", 5) == 0) return *environment + 5;
    return DEFAULT_PATH;
}

/* execve along PATH as a shell does it; returns only if nothing could be executed, with the errno that says most. */
static void execute(const struct order *order)
{
    const char *program = order->arguments[0];
    if (strchr(program, '/')) {
        execve(program, order->arguments, order->environment);
        return;
    }
    int most_telling = ENOENT;
    char path[PATH_MAX];
    for (const char *each = search_path(order->environment);; each++) {
        size_t length = strcspn(each, ":");
        int whole = snprintf(path, sizeof path, "%.*s%s%s", (int)length, each, length ? "/" : "./", program);
        if ((size_t)whole < sizeof path) {
            execve(path, order->arguments, order->environment);
            if (errno == EACCES) most_telling = EACCES;
            else if (errno != ENOENT && errno != ENOTDIR) return;
        }
        each += length;
        if (!*each) break;
    }
    errno = most_telling;
}

/*
 * The last part, the same for every process. Behind the order's own filter, which may be of any strictness, stands only what
 * the server has made sure of that it lets through (NamedFilters.java).
 */
static _Noreturn void become(struct order *order, bool parked)
{
    struct failure failure = {0};
    umask(022);
    /* As root of the namespace, so that a user's job can start in a directory that only root may search. */
    if (enter_workdir(order->workdir ? order->workdir : "/", &failure) < 0
        || set_standard(order->stdin_policy, parked, &failure) < 0 || become_user(order, &failure) < 0
        || (parked && order->terminal && enter_terminal(order->terminal - 1, &failure) < 0)
        || (!order->on_files && filter_load(&order->filter, &failure) < 0)) {
        say(JOB_NOT_SET_UP, &failure);
        _exit(EXIT_NOT_SET_UP);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (order->on_files && !parked) {
        close(LINK); /* its end says that the work begins */
        files_main(order->arguments);
    }
    execute(order);
    fail(&failure, "%s", order->arguments[0]);
    say(JOB_NOT_EXECUTED, &failure);
    _exit(failure.code == ENOENT || failure.code == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

_Noreturn void job_main(const struct job_place *place, const struct job_ends *ends)
{
    struct failure failure = {0};
    struct order order;
    prctl(PR_SET_NAME, "bobbin-job");
    int entered = setsid() < 0 ? fail(&failure, "make the session") : enter_first(place, &failure);
    if (settle(ends, &failure) < 0) _exit(EXIT_NOT_SET_UP);
    if (entered < 0 || drop_rights(place->filter, &(struct rights){0}, &failure) < 0) {
        say(JOB_NOT_SET_UP, &failure);
        _exit(EXIT_NOT_SET_UP);
    }
    say(JOB_READY, NULL);
    if (receive_order(&order, &failure) < 0) {
        say(JOB_NOT_SET_UP, &failure);
        _exit(EXIT_NOT_SET_UP);
    }
    become(&order, true);
}

/*
 * As soon as it is in the user namespace, or in a cgroup that is throttled, the job can stop this process: what else it
 * holds of PID 1's, such as other processes' pipes, is closed before.
 */
static void close_others(const struct job_place *place, const struct job_ends *ends)
{
    int kept[CGROUPS_MOST + 6], count = 0;
    kept[count++] = ends->link;
    for (int i = 0; i < 3; i++) kept[count++] = ends->standard[i];
    kept[count++] = place->user_namespace;
    kept[count++] = place->cgroup_namespace;
    for (int i = 0; i < place->cgroups->count; i++) kept[count++] = place->cgroups->each[i].directory;
    close_all_but(kept, count);
}

_Noreturn void exec_main(const struct job_place *place, const struct job_ends *ends, struct order *order)
{
    struct failure failure = {0};
    prctl(PR_SET_NAME, "bobbin-job");
    close_others(place, ends);
    int entered = setsid() < 0 ? fail(&failure, "make the session") : enter_again(place, &failure);
    if (settle(ends, &failure) < 0) _exit(EXIT_NOT_SET_UP);
    if (entered == 0 && order->rows && order->columns) entered = terminal_take(STANDARD, &failure);
    if (entered < 0 || drop_rights(place->filter, &order->rights, &failure) < 0) {
        say(JOB_NOT_SET_UP, &failure);
        _exit(EXIT_NOT_SET_UP);
    }
    become(order, false);
}

int job_go(int link, const struct order *order, struct failure *failure)
{
    struct buffer message = {0};
    uint8_t *length = buffer_extend(&message, 4);
    order_excerpt(order, &message);
    int result = 0;
    if (!length || message.exhausted) result = fail_as(failure, ENOMEM, "make room for the job's part of the order");
    else {
        /* Host byte order: both ends are this program. The socket has a send deadline. */
        uint32_t body = (uint32_t)message.length - 4;
        memcpy(message.data, &body, sizeof body);
        for (size_t sent = 0; sent < message.length;) {
            ssize_t some = send(link, message.data + sent, message.length - sent, MSG_NOSIGNAL);
            if (some < 0) {
                result = fail(failure, "send the job's process its order");
                break;
            }
            sent += (size_t)some;
        }
    }
    buffer_release(&message);
    return result;
}
