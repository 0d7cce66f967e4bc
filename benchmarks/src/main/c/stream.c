/*
 * Takes the time of one program's output on its way to one reader.
 *
 *   stream pipe PROGRAM [ARGUMENT...]    the program writes to a pipe, one process copies from there to a local socket, this
 *                                        one reads that: the least that any server does
 *   stream http WHERE < BODY             POST /v1/run to the server that listens on this unix socket or loopback port, and
 *                                        its output as text/plain
 *
 * Prints "NANOSECONDS BYTES", from before the program or the request until the end of the output. Of HTTP the bytes include
 * what frames the chunks, some millionths of them.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PIECE (64 * 1024)
#define LONGEST_BODY 65536

extern char **environ;

static char piece[PIECE];

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

static void write_all(int to, const char *bytes, size_t count)
{
    for (size_t done = 0; done < count;) {
        ssize_t some = write(to, bytes + done, count - done);
        if (some < 0) die("write");
        done += (size_t)some;
    }
}

static uint64_t read_to_the_end(int from)
{
    uint64_t bytes = 0;
    ssize_t got;
    while ((got = read(from, piece, sizeof piece)) > 0) bytes += (uint64_t)got;
    if (got < 0) die("read");
    return bytes;
}

static pid_t start(char **program, int output)
{
    pid_t child;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (posix_spawnp(&child, program[0], &actions, NULL, program, environ) != 0) die(program[0]);
    return child;
}

static uint64_t through_a_pipe(char **program)
{
    int pipe_ends[2], ends[2], status;
    if (pipe2(pipe_ends, O_CLOEXEC) < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) die("pipe");
    pid_t child = start(program, pipe_ends[1]);
    close(pipe_ends[1]);
    pid_t pump = fork();
    if (pump < 0) die("fork");
    if (pump == 0) {
        close(ends[0]);
        ssize_t got;
        while ((got = read(pipe_ends[0], piece, sizeof piece)) > 0) write_all(ends[1], piece, (size_t)got);
        _exit(got < 0);
    }
    close(pipe_ends[0]);
    close(ends[1]);
    uint64_t bytes = read_to_the_end(ends[0]);
    if (waitpid(pump, &status, 0) != pump || status != 0) die("the pump");
    if (waitpid(child, &status, 0) != child || status != 0) die("the program");
    return bytes;
}

static int connect_to(const char *where)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(where))};
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    snprintf(local.sun_path, sizeof local.sun_path, "%s", where);
    bool path = *where == '/';
    int connection = socket(path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0 || connect(connection, path ? (struct sockaddr *)&local : (struct sockaddr *)&loopback,
                                  path ? sizeof local : sizeof loopback) < 0)
        die(where);
    return connection;
}

static uint64_t over_http(const char *where)
{
    static char body[LONGEST_BODY], head[256];
    size_t length = fread(body, 1, sizeof body, stdin);
    int connection = connect_to(where);
    int head_length = snprintf(head, sizeof head,
                               "POST /v1/run HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n"
                               "Connection: close\r\nContent-Length: %zu\r\n\r\n",
                               length);
    write_all(connection, head, (size_t)head_length);
    write_all(connection, body, length);
    return read_to_the_end(connection);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc < 3 || (strcmp(argv[1], "pipe") != 0 && strcmp(argv[1], "http") != 0))
        return fprintf(stderr, "usage: stream pipe PROGRAM [ARGUMENT...] | http WHERE < BODY\n"), 2;
    uint64_t began = now();
    uint64_t bytes = strcmp(argv[1], "pipe") == 0 ? through_a_pipe(argv + 2) : over_http(argv[2]);
    printf("%lu %lu\n", (unsigned long)(now() - began), (unsigned long)bytes);
    return 0;
}
