/*
 * Who reaches whom: `talk serve PORT` answers each TCP connection and each datagram with the address that it comes from;
 * `talk to tcp|udp|once ADDRESS PORT [FROM]` prints that answer, or why there is none; `once` is one datagram.
 * `talk repeat` sends a datagram every 10 ms, for ever, to whoever sent it one.
 */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MILLIS 2000
#define TRIES 2

static struct sockaddr_in address_of(const char *host, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    inet_pton(AF_INET, host, &address.sin_addr);
    return address;
}

static int serve(const char *port)
{
    struct sockaddr_in address = address_of("0.0.0.0", port);
    int streams = socket(AF_INET, SOCK_STREAM, 0), datagrams = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
    socklen_t length = sizeof address;
    signal(SIGPIPE, SIG_IGN);
    setsockopt(streams, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(streams, (struct sockaddr *)&address, sizeof address) < 0 || listen(streams, 64) < 0)
        return failed("listen");
    getsockname(streams, (struct sockaddr *)&address, &length);
    if (bind(datagrams, (struct sockaddr *)&address, sizeof address) < 0) return failed("bind");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    struct pollfd polled[] = {{.fd = streams, .events = POLLIN}, {.fd = datagrams, .events = POLLIN}};
    for (;;) {
        char text[INET_ADDRSTRLEN] = "", byte;
        poll(polled, 2, -1);
        length = sizeof address;
        int stream = polled[0].revents ? accept(streams, (struct sockaddr *)&address, &length) : -1;
        if (stream >= 0) {
            inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
            if (write(stream, text, strlen(text)) < 0) failed("write");
            close(stream);
        }
        length = sizeof address;
        if (!polled[1].revents || recvfrom(datagrams, &byte, 1, 0, (struct sockaddr *)&address, &length) < 0) continue;
        inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
        sendto(datagrams, text, strlen(text), 0, (struct sockaddr *)&address, length);
    }
}

static int repeat(void)
{
    struct sockaddr_in address = address_of("0.0.0.0", "0");
    int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t length = sizeof address;
    char byte;
    if (bind(datagrams, (struct sockaddr *)&address, sizeof address) < 0) return failed("bind");
    getsockname(datagrams, (struct sockaddr *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    if (recvfrom(datagrams, &byte, 1, 0, (struct sockaddr *)&address, &length) < 0) return failed("recvfrom");
    for (;; usleep(10000)) sendto(datagrams, "x\n", 2, 0, (struct sockaddr *)&address, length);
}

/* The answer of `to`, or a word for why there is none. */
static const char *ask(int type, int most, const struct sockaddr_in *to, const struct sockaddr_in *from)
{
    static char answer[64];
    int any = socket(AF_INET, type | SOCK_NONBLOCK, 0), error = 0;
    struct pollfd polled = {.fd = any, .events = POLLOUT};
    socklen_t size = sizeof error;
    if (from && bind(any, (const struct sockaddr *)from, sizeof *from) < 0) return strerrorname_np(errno);
    if (connect(any, (const struct sockaddr *)to, sizeof *to) < 0 && errno != EINPROGRESS) return strerrorname_np(errno);
    if (poll(&polled, 1, PATIENCE_MILLIS) == 0) return "silence";
    getsockopt(any, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) return strerrorname_np(error);
    polled.events = POLLIN;
    for (int tries = 0; tries < most; tries++) {
        if (type == SOCK_DGRAM && send(any, "x", 1, 0) < 0) return strerrorname_np(errno);
        if (poll(&polled, 1, PATIENCE_MILLIS / TRIES) == 0) continue;
        ssize_t got = read(any, answer, sizeof answer - 1);
        if (got < 0) return strerrorname_np(errno);
        answer[got] = 0;
        return answer;
    }
    return "silence";
}

int talk(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[0], "serve") == 0) return serve(arguments[1]);
    if (count == 1 && strcmp(arguments[0], "repeat") == 0) return repeat();
    if (count < 4 || strcmp(arguments[0], "to") != 0) return 2;
    int type = strcmp(arguments[1], "tcp") == 0 ? SOCK_STREAM : SOCK_DGRAM;
    struct sockaddr_in to = address_of(arguments[2], arguments[3]), from;
    if (count == 5) from = address_of(arguments[4], "0");
    int tries = strcmp(arguments[1], "once") == 0 ? 1 : TRIES;
    const char *answer = ask(type, tries, &to, count == 5 ? &from : NULL);
    printf("%s\n", answer);
    return 0;
}
