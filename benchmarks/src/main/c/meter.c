/*
 * Measures one way to run a program, again and again, from one or several clients at once. Small and native, so that on
 * a small machine what measures takes next to nothing from what is measured.
 *
 *   meter spawn CLIENTS COUNT MILLIS PAUSE PROGRAM [ARGUMENT...]   posix_spawn and wait; {} becomes a name of this run
 *   meter http  CLIENTS COUNT MILLIS PAUSE PORT PATH < BODY        POST PATH, one kept-alive connection a client
 *   meter text  CLIENTS COUNT MILLIS PAUSE PORT PATH < BODY        the same, of answers that are lines and tell errors in them
 *   meter drain PATH PORT                                          GET PATH and forget it all, until its end
 *
 * {number} in BODY becomes a number of this run, of as many characters.
 * Each client waits PAUSE microseconds before each run. Ends after COUNT runs or MILLIS, whichever is first. Prints a line
 * for each run, its nanoseconds and, of HTTP, the answer's timeline; then "wall NANOSECONDS failures N". A run that does not end with status 0 is a failure.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LONGEST_ANSWER 65536
#define LONGEST_TIMELINE 192
#define MOST_CLIENTS 256
#define MOST_ARGUMENTS 63
#define ANSWER_SECONDS 30
#define NUMBER 8

extern char **environ;

struct sample {
    uint64_t nanos;
    char timeline[LONGEST_TIMELINE];
};

static struct {
    long count;
    uint64_t until;
    unsigned pause_micros;
    char **program;
    int port;
    char *request, *number;
    size_t request_length;
    bool text;
    posix_spawn_file_actions_t actions;
    struct sample *samples;
    atomic_long begun, done, failures;
    pthread_barrier_t start;
} all;

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static bool run_spawned(long number)
{
    pid_t child;
    int status;
    char name[64], *arguments[MOST_ARGUMENTS + 1];
    snprintf(name, sizeof name, "meter-%d-%ld", getpid(), number);
    size_t count = 0;
    for (; all.program[count] && count < MOST_ARGUMENTS; count++)
        arguments[count] = strcmp(all.program[count], "{}") == 0 ? name : all.program[count];
    arguments[count] = NULL;
    if (posix_spawnp(&child, arguments[0], &all.actions, NULL, arguments, environ) != 0) return false;
    return waitpid(child, &status, 0) == child && status == 0;
}

static int connect_to(int port)
{
    int one = 1, connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval deadline = {.tv_sec = ANSWER_SECONDS};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connection < 0 || connect(connection, (struct sockaddr *)&address, sizeof address) < 0) die("connect");
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    return connection;
}

/* Reads one whole answer, of known length or in chunks; false if the connection broke. */
static bool read_answer(int connection, char *answer)
{
    static const char last_chunk[] = "\r\n0\r\n\r\n";
    const size_t last = sizeof last_chunk - 1;
    size_t have = 0, whole = 0;
    while (!whole || have < whole) {
        if (have == LONGEST_ANSWER) return false;
        ssize_t got = recv(connection, answer + have, LONGEST_ANSWER - have, 0);
        if (got <= 0) return false;
        have += (size_t)got;
        answer[have] = 0;
        char *body = strstr(answer, "\r\n\r\n"), *length = strcasestr(answer, "\r\ncontent-length:");
        if (whole || !body) continue;
        if (!length || length > body) {
            if (strcmp(answer + have - last, last_chunk) == 0) return true;
            continue;
        }
        whole = (size_t)(body + 4 - answer) + strtoul(length + 17, NULL, 10);
    }
    return true;
}

static bool run_over_http(int connection, const char *request, char *answer, struct sample *sample)
{
    for (size_t sent = 0; sent < all.request_length;) {
        ssize_t some = send(connection, request + sent, all.request_length - sent, MSG_NOSIGNAL);
        if (some < 0) return false;
        sent += (size_t)some;
    }
    if (!read_answer(connection, answer)) return false;
    sample->nanos = now() - sample->nanos;
    char *timeline = strstr(answer, "\"timeline\":{"), *end = timeline ? strchr(timeline, '}') : NULL;
    if (end && end - timeline < LONGEST_TIMELINE)
        snprintf(sample->timeline, sizeof sample->timeline, "%.*s", (int)(end - timeline - 10), timeline + 11);
    if (strncmp(answer + 8, " 200", 4) != 0) return false;
    if (all.text) return !strstr(answer, "\n[error] ") && !strstr(answer, "\nBuild failed: ");
    return strstr(answer, "\"cause\":\"exited\"") && strstr(answer, "\"exit_code\":0");
}

/* The request of one client. */
static char *copy_request(void)
{
    if (!all.port) return NULL;
    char *copy = malloc(all.request_length);
    if (!copy) die("malloc");
    return memcpy(copy, all.request, all.request_length);
}

static void put_number(char *request, uint64_t nanos)
{
    char number[NUMBER + 1];
    snprintf(number, sizeof number, "%08x", (unsigned)(nanos / 1000));
    memcpy(request + (all.number - all.request), number, NUMBER);
}

static void *client(void *unused)
{
    (void)unused;
    int connection = all.port ? connect_to(all.port) : -1;
    char *answer = malloc(LONGEST_ANSWER + 1), *request = copy_request();
    if (!answer) die("malloc");
    pthread_barrier_wait(&all.start);
    while (now() < all.until) {
        if (all.pause_micros) usleep(all.pause_micros);
        long mine = atomic_fetch_add(&all.begun, 1);
        if (mine >= all.count) break;
        struct sample *sample = &all.samples[mine];
        sample->nanos = now();
        if (all.number) put_number(request, sample->nanos);
        bool well = all.port ? run_over_http(connection, request, answer, sample) : run_spawned(mine);
        if (!all.port) sample->nanos = now() - sample->nanos;
        if (well) {
            atomic_fetch_add(&all.done, 1);
            continue;
        }
        if (atomic_fetch_add(&all.failures, 1) == 0) fprintf(stderr, "meter: a run failed: %.600s\n", all.port ? answer : "");
        sample->nanos = 0;
        if (all.port) close(connection), connection = connect_to(all.port);
    }
    if (connection >= 0) close(connection);
    free(request);
    free(answer);
    return NULL;
}

static void make_request(const char *path)
{
    size_t room = 1 << 22, length = 0;
    char *body = malloc(room);
    if (!body) die("malloc");
    for (ssize_t got; (got = read(0, body + length, room - length)) > 0;) length += (size_t)got;
    all.request = malloc(length + strlen(path) + 256);
    if (!all.request) die("malloc");
    int head = sprintf(all.request,
                       "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                       "Content-Length: %zu\r\n\r\n",
                       path, all.port, length);
    memcpy(all.request + head, body, length);
    all.request_length = (size_t)head + length;
    all.number = memmem(all.request, all.request_length, "{number}", NUMBER);
    free(body);
}

/* MSG_TRUNC lets the kernel drop what it has received, so that reading costs as little as it can. */
static int drain(const char *path, int port)
{
    char request[512];
    int connection = connect_to(port);
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/plain\r\nConnection: close\r\n\r\n",
                          path, port);
    if (send(connection, request, (size_t)length, MSG_NOSIGNAL) != length) die("send");
    while (recv(connection, NULL, 1 << 20, MSG_TRUNC) > 0) {}
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "drain") == 0) return drain(argv[2], atoi(argv[3]));
    all.text = argc > 1 && strcmp(argv[1], "text") == 0;
    bool http = all.text || (argc > 1 && strcmp(argv[1], "http") == 0);
    if (argc < (http ? 8 : 7))
        return fprintf(stderr, "usage: meter spawn|http|text CLIENTS COUNT MILLIS PAUSE PROGRAM...|PORT PATH\n"), 2;
    long clients = strtol(argv[2], NULL, 10);
    all.count = strtol(argv[3], NULL, 10);
    uint64_t limit = strtoull(argv[4], NULL, 10) * 1000000U;
    all.pause_micros = (unsigned)strtoul(argv[5], NULL, 10);
    if (clients < 1 || clients > MOST_CLIENTS || all.count < 1) return fprintf(stderr, "meter: how many?\n"), 2;
    if (http) {
        all.port = (int)strtol(argv[6], NULL, 10);
        make_request(argv[7]);
    }
    all.program = argv + 6;
    posix_spawn_file_actions_init(&all.actions);
    posix_spawn_file_actions_addopen(&all.actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&all.actions, 1, "/dev/null", O_WRONLY, 0);
    all.samples = calloc((size_t)all.count, sizeof *all.samples);
    if (!all.samples || pthread_barrier_init(&all.start, NULL, (unsigned)clients + 1) != 0) die("make room");
    all.until = UINT64_MAX;
    pthread_t threads[MOST_CLIENTS];
    for (long i = 0; i < clients; i++)
        if (pthread_create(&threads[i], NULL, client, NULL) != 0) die("start a client");
    uint64_t began = now();
    all.until = began + limit;
    pthread_barrier_wait(&all.start);
    for (long i = 0; i < clients; i++) pthread_join(threads[i], NULL);
    uint64_t wall = now() - began;
    for (long i = 0; i < all.count; i++)
        if (all.samples[i].nanos) printf("%lu %s\n", (unsigned long)all.samples[i].nanos, all.samples[i].timeline);
    printf("wall %lu failures %ld\n", (unsigned long)wall, atomic_load(&all.failures));
    return 0;
}
