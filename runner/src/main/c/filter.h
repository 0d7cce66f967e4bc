/*
 * A system-call filter: a program of classic BPF, which the server has made and only the kernel understands. A process
 * that has loaded one keeps it for good, and so does all that it executes.
 */
#ifndef BOBBIN_FILTER_H
#define BOBBIN_FILTER_H

#include "error.h"

#include <stdint.h>

struct filter {
    void *program;
    uint16_t instructions; /* 0: there is none */
};

/* Takes the program in the file `path` into memory, and makes sure that this kernel accepts it. */
int filter_read(const char *path, struct filter *filter, struct failure *failure);

/* Restricts the caller, which has no_new_privs. */
int filter_load(const struct filter *filter, struct failure *failure);

#endif
