/*
 * The kernel calls that the C library of the build machine may lack, and descriptors that close themselves.
 */
#ifndef BOBBIN_SYS_H
#define BOBBIN_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

#define CLOSED __attribute__((cleanup(close_descriptor)))
#define FREED __attribute__((cleanup(free_memory)))

static inline void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0) close(*descriptor);
}

/* Closes what a struct holds, so that closing twice is harmless. */
static inline void shut(int *descriptor)
{
    close_descriptor(descriptor);
    *descriptor = -1;
}

/* Closes every descriptor above the standard ones but these. */
static inline void close_all_but(const int *kept, int count)
{
    for (int from = 3;;) {
        int next = -1;
        for (int i = 0; i < count; i++)
            if (kept[i] >= from && (next < 0 || kept[i] < next)) next = kept[i];
        if (next < 0) {
            close_range((unsigned)from, ~0U, 0);
            return;
        }
        if (next > from) close_range((unsigned)from, (unsigned)next - 1, 0);
        from = next + 1;
    }
}

static inline void free_memory(void *pointer)
{
    free(*(void **)pointer);
}

#define OPEN_TRIES 100

/* openat2: the only way any path that an image or a caller chose is resolved. */
static inline int open_under(int directory, const char *path, int flags, unsigned mode, uint64_t resolve)
{
    struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
    int descriptor;
    /* EAGAIN: something on the machine was renamed just while a ".." was followed. */
    for (int tries = 0; (descriptor = (int)syscall(SYS_openat2, directory, path, &how, sizeof how)) < 0; tries++)
        if (errno != EAGAIN || tries == OPEN_TRIES) break;
    return descriptor;
}

static inline uint64_t nanoseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* A deadline in milliseconds of CLOCK_MONOTONIC; NEVER is later than all others. */
#define NEVER UINT64_MAX

static inline uint64_t milliseconds(void)
{
    return nanoseconds(CLOCK_MONOTONIC) / 1000000U;
}

static inline uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

/* What poll and epoll_wait take for `deadline`. */
static inline int until(uint64_t deadline)
{
    if (deadline == NEVER) return -1;
    uint64_t now = milliseconds();
    if (deadline <= now) return 0;
    return deadline - now > 3600000 ? 3600000 : (int)(deadline - now);
}

#endif
