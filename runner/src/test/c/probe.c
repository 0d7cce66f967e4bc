/*
 * The program that tests run inside sandboxes: one static binary, one sub-command for each thing a test wants to see
 * happen there. Prints to stdout, explains failures on stderr, and exits 1 on one.
 */
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int failed(const char *what)
{
    fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
    return 1;
}

static long number(int count, char **arguments, long otherwise)
{
    return count > 0 ? atol(arguments[0]) : otherwise;
}

static int echo(int count, char **arguments)
{
    for (int i = 0; i < count; i++) printf("%s%s", i ? " " : "", arguments[i]);
    puts("");
    return 0;
}

static int exit_with(int count, char **arguments)
{
    return (int)number(count, arguments, 0);
}

static int env(int count, char **arguments)
{
    (void)count, (void)arguments;
    for (char **each = environ; *each; each++) puts(*each);
    return 0;
}

/* Touches N MiB, printing after each 16. */
static int alloc(int count, char **arguments)
{
    long megabytes = number(count, arguments, 1);
    for (long i = 1; i <= megabytes; i++) {
        char *memory = malloc(1 << 20);
        if (!memory) return failed("malloc");
        memset(memory, 1, 1 << 20);
        if (i % 16 == 0) printf("%ld\n", i), fflush(stdout);
    }
    puts("allocated");
    return 0;
}

/* Starts N children that sleep; prints how many there are. With 0: as many as it can, for ever. */
static int fork_many(int count, char **arguments)
{
    long wanted = number(count, arguments, 1), made = 0;
    if (wanted == 0)
        for (;;) fork();
    while (made < wanted) {
        pid_t pid = fork();
        if (pid < 0) break;
        if (pid == 0) {
            sleep(1000);
            _exit(0);
        }
        made++;
    }
    printf("%ld\n", made);
    return made == wanted ? 0 : 1;
}

static int sleep_for(int count, char **arguments)
{
    double seconds = count > 0 ? atof(arguments[0]) : 1;
    usleep((useconds_t)(seconds * 1000000));
    return 0;
}

static int cat(int count, char **arguments)
{
    int from = count > 0 ? open(arguments[0], O_RDONLY) : 0;
    if (from < 0) return failed(arguments[0]);
    char bytes[65536];
    ssize_t got;
    while ((got = read(from, bytes, sizeof bytes)) > 0)
        for (ssize_t put = 0; put < got;) {
            ssize_t some = write(1, bytes + put, (size_t)(got - put));
            if (some < 0) return failed("write");
            put += some;
        }
    return got < 0 ? failed("read") : 0;
}

/* Lines of /proc/self/status that begin with one of the words. */
static int status(const char *const *words)
{
    FILE *file = fopen("/proc/self/status", "r");
    if (!file) return failed("/proc/self/status");
    char line[4096];
    while (fgets(line, sizeof line, file))
        for (const char *const *word = words; *word; word++)
            if (strncmp(line, *word, strlen(*word)) == 0) fputs(line, stdout);
    fclose(file);
    return 0;
}

static int caps(int count, char **arguments)
{
    (void)count, (void)arguments;
    static const char *const words[] = {"Cap", "NoNewPrivs", "Seccomp:", NULL};
    return status(words);
}

static int ids(int count, char **arguments)
{
    (void)count, (void)arguments;
    static const char *const words[] = {"Uid", "Gid", "Groups", "Sig", "Shd", NULL};
    return status(words);
}

static int links_of(const char *directory)
{
    DIR *opened = opendir(directory);
    if (!opened) return failed(directory);
    for (struct dirent *each; (each = readdir(opened));) {
        char path[PATH_MAX], target[PATH_MAX];
        if (each->d_name[0] == '.' || atoi(each->d_name) == dirfd(opened)) continue;
        snprintf(path, sizeof path, "%s/%s", directory, each->d_name);
        ssize_t length = readlink(path, target, sizeof target);
        if (length >= 0) printf("%s %.*s\n", each->d_name, (int)length, target);
    }
    closedir(opened);
    return 0;
}

static int fds(int count, char **arguments)
{
    (void)count, (void)arguments;
    return links_of("/proc/self/fd");
}

static int ns(int count, char **arguments)
{
    (void)count, (void)arguments;
    return links_of("/proc/self/ns");
}

/* Writes BYTES bytes to PATH. */
static int write_to(int count, char **arguments)
{
    if (count < 2) return failed("write PATH BYTES");
    int file = open(arguments[0], O_WRONLY | O_CREAT, 0644);
    if (file < 0) return failed(arguments[0]);
    char bytes[65536];
    memset(bytes, 'x', sizeof bytes);
    for (long left = atol(arguments[1]); left > 0;) {
        ssize_t some = write(file, bytes, left < (long)sizeof bytes ? (size_t)left : sizeof bytes);
        if (some < 0) return failed("write");
        left -= some;
    }
    return 0;
}

/* A descendant in its own session keeps stdout open and writes to it later; the main process ends at once. */
static int orphan(int count, char **arguments)
{
    long seconds = number(count, arguments, 1000);
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            puts("orphan");
            fflush(stdout);
            sleep((unsigned)seconds);
            puts("orphan still here");
        }
        exit(0);
    }
    wait(NULL);
    return 0;
}

static int lines(int count, char **arguments)
{
    long wanted = number(count, arguments, 10), millis = count > 1 ? atol(arguments[1]) : 0;
    for (long i = 0; i < wanted; i++) {
        printf("%ld\n", i);
        if (!millis) continue;
        fflush(stdout);
        usleep((useconds_t)millis * 1000);
    }
    return 0;
}

/* BYTES bytes, each telling its own place, so that a lost or doubled one is seen. */
static int spew(int count, char **arguments)
{
    long left = number(count, arguments, 1 << 20);
    int to = count > 1 ? atoi(arguments[1]) : 1;
    static char bytes[65536 + 251];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)('!' + i % 251 % 90);
    for (long at = 0; left > 0;) {
        ssize_t some = write(to, bytes + at % 251, left < 65536 ? (size_t)left : 65536);
        if (some < 0) return failed("write");
        left -= some;
        at += some;
    }
    return 0;
}

/* N bytes, each its own write. */
static int drip(int count, char **arguments)
{
    for (long left = number(count, arguments, 1000); left > 0; left--)
        if (write(1, ".", 1) != 1) return failed("write");
    return 0;
}

static volatile sig_atomic_t told_to_end;

static void end_soon(int signal)
{
    (void)signal;
    told_to_end = 1;
}

/*
 * `counted SEED MICROS`: numbered lines, one a write, each with a hash of SEED and its number, every so often until
 * SIGTERM; the last says how many there were.
 */
static int counted(int count, char **arguments)
{
    const char *seed = count > 0 ? arguments[0] : "0";
    long micros = count > 1 ? atol(arguments[1]) : 1000;
    signal(SIGTERM, end_soon);
    long line = 0;
    for (; !told_to_end; line++) {
        char text[128];
        int start = snprintf(text, sizeof text, "%.40s %ld", seed, line);
        uint64_t hash = 0xcbf29ce484222325U;
        for (int i = 0; i < start; i++) hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3U;
        int length = snprintf(text, sizeof text, "%ld %016llx\n", line, (unsigned long long)hash);
        if (write(1, text, (size_t)length) != length) return failed("write");
        usleep((useconds_t)micros);
    }
    dprintf(1, "end %ld\n", line);
    return 42;
}

static int stop(int count, char **arguments)
{
    (void)count, (void)arguments;
    raise(SIGSTOP);
    puts("continued");
    return 0;
}

static int segv(int count, char **arguments)
{
    (void)count, (void)arguments;
    raise(SIGSEGV);
    return 0;
}

static int ignoreterm(int count, char **arguments)
{
    long seconds = number(count, arguments, 1000);
    signal(SIGTERM, SIG_IGN);
    puts("ready");
    fflush(stdout);
    sleep((unsigned)seconds);
    return 0;
}

static int cwd(int count, char **arguments)
{
    (void)count, (void)arguments;
    char path[PATH_MAX];
    if (!getcwd(path, sizeof path)) return failed("getcwd");
    puts(path);
    return 0;
}

/* Opens PATH for reading and writing, and says what the kernel says. */
static int try_open(int count, char **arguments)
{
    for (int i = 0; i < count; i++) {
        int reading = open(arguments[i], O_RDONLY | O_NONBLOCK), read_error = reading < 0 ? errno : 0;
        int writing = open(arguments[i], O_WRONLY | O_NONBLOCK), write_error = writing < 0 ? errno : 0;
        printf("%s %s %s\n", arguments[i], read_error ? strerrorname_np(read_error) : "read", write_error
               ? strerrorname_np(write_error) : "write");
    }
    return 0;
}

/* N threads that sleep; prints how many there are, then sleeps itself. */
static void *rest(void *nothing)
{
    pause();
    return nothing;
}

static int threads(int count, char **arguments)
{
    long wanted = number(count, arguments, 10000), made = 0;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    for (pthread_t thread; made < wanted && pthread_create(&thread, &small, rest, NULL) == 0;) made++;
    printf("%ld\n", made);
    fflush(stdout);
    sleep(1000);
    return 0;
}

/* Empty files until no more can be made; prints how many there are and why it ended. */
static int inodes(int count, char **arguments)
{
    const char *directory = count > 0 ? arguments[0] : "/tmp";
    for (long made = 0;; made++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%ld", directory, made);
        int file = open(path, O_WRONLY | O_CREAT, 0644);
        if (file < 0) {
            printf("%ld %s\n", made, strerrorname_np(errno));
            return 0;
        }
        close(file);
    }
}

/* Fills a pipe of its own that nobody reads, and waits there. */
static int full_pipe(int count, char **arguments)
{
    (void)count, (void)arguments;
    int ends[2];
    if (pipe(ends) < 0) return failed("pipe");
    char bytes[4096] = {0};
    puts("filling");
    fflush(stdout);
    while (write(ends[1], bytes, sizeof bytes) > 0) {}
    return failed("write");
}

/* As alloc, in a child; ends with CODE whatever became of it. */
static int alloc_in_child(int count, char **arguments)
{
    if (fork() == 0) exit(alloc(count, arguments));
    int status;
    wait(&status);
    printf("child ended with %d\n", status);
    return count > 1 ? atoi(arguments[1]) : 0;
}

/* Closes stdout and stderr, and goes on without them for a while. */
static int close_output(int count, char **arguments)
{
    long millis = number(count, arguments, 200);
    puts("last words");
    fflush(stdout);
    close(1);
    close(2);
    usleep((useconds_t)millis * 1000);
    return 3;
}

/* A datagram to the loopback interface, a connection over it, a packet without a route, or a socket that outlives us for
 * a while because it is on its way through itself. */
static int traffic(int count, char **arguments)
{
    const char *kind = count > 0 ? arguments[0] : "";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (strcmp(kind, "tcp") == 0) {
        int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
        bind(listener, (struct sockaddr *)&address, sizeof address);
        listen(listener, 1);
        if (connect(client, (struct sockaddr *)&address, sizeof address) < 0) return 1;
        close(client); /* first, so that this side waits in TIME_WAIT */
        close(accept(listener, NULL, NULL));
        return 0;
    }
    if (strcmp(kind, "flight") == 0) {
        int pair[2];
        char control[CMSG_SPACE(sizeof pair)] = {0}, byte = 0;
        struct iovec data = {&byte, 1};
        struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){CMSG_LEN(sizeof pair), SOL_SOCKET, SCM_RIGHTS};
        if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0) return 1;
        memcpy(CMSG_DATA(header), pair, sizeof pair);
        return sendmsg(pair[0], &message, 0) == 1 ? 0 : 1;
    }
    if (strcmp(kind, "noroute") == 0) address.sin_addr.s_addr = htonl(0x08080808);
    int out = socket(AF_INET, SOCK_DGRAM, 0);
    return sendto(out, "x", 1, 0, (struct sockaddr *)&address, sizeof address) == 1 || strcmp(kind, "noroute") == 0 ? 0 : 1;
}

/* Exchanges what two paths name for what the next two name, and back, for ever, and stays longest where all is as it was:
 * whoever looks several times is then often right each time, on a slow machine too, and often not. */
static int swap(int count, char **arguments)
{
    if (count < 2) return 2;
    for (uint64_t turn = 0;; turn++) {
        char **pair = count >= 4 && turn % 3 == 2 ? arguments + 2 : arguments;
        int as_it_was = count >= 4 ? turn % 6 == 0 || turn % 6 == 2 : turn % 2 == 0;
        usleep(as_it_was ? (useconds_t)(random() % 300) : 1);
        if (renameat2(AT_FDCWD, pair[0], AT_FDCWD, pair[1], RENAME_EXCHANGE) < 0 && errno != ENOENT)
            return failed("exchange");
    }
}

static const struct {
    const char *name;
    int (*run)(int count, char **arguments);
} commands[] = {
    {"echo", echo}, {"exit", exit_with}, {"env", env}, {"alloc", alloc}, {"fork", fork_many}, {"sleep", sleep_for},
    {"cat", cat}, {"caps", caps}, {"ids", ids}, {"fds", fds}, {"ns", ns}, {"write", write_to}, {"orphan", orphan},
    {"lines", lines}, {"spew", spew}, {"drip", drip}, {"stop", stop}, {"segv", segv}, {"ignoreterm", ignoreterm},
            {"cwd", cwd}, {"open", try_open}, {"threads", threads}, {"inodes", inodes}, {"fullpipe", full_pipe},
            {"traffic", traffic}, {"allocchild", alloc_in_child}, {"closeoutput", close_output},
            {"counted", counted}, {"swap", swap}, {"calls", calls}, {"attempt", attempt},
};

int main(int count, char **arguments)
{
    for (size_t i = 0; count > 1 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, arguments[1]) == 0) return commands[i].run(count - 2, arguments + 2);
    fprintf(stderr, "probe: unknown command; one of:");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) fprintf(stderr, " %s", commands[i].name);
    fprintf(stderr, "\n");
    return 2;
}
