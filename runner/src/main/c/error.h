/*
 * The one way to fail: an errno and what was tried, on what. A failure travels in this struct to where a frame can
 * carry it; PID 1 never prints. Functions that can fail take it last and return -1 after fail().
 */
#ifndef BOBBIN_ERROR_H
#define BOBBIN_ERROR_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

struct failure {
    int code;
    char what[244];
};

/* Notes errno and the sentence; always -1, so that callers can return it. */
__attribute__((format(printf, 2, 3))) static inline int fail(struct failure *failure, const char *what, ...)
{
    int code = errno;
    va_list arguments;
    va_start(arguments, what);
    vsnprintf(failure->what, sizeof failure->what, what, arguments);
    va_end(arguments);
    failure->code = code;
    errno = code;
    return -1;
}

/* As fail(), for what no system call reported. */
#define fail_as(failure, code, ...) (errno = (code), fail((failure), __VA_ARGS__))

#endif
