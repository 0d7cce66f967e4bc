/*
 * Terminals of processes: pairs of the sandbox's own devpts, made by PID 1 and owned by the process's user.
 */
#ifndef BOBBIN_TERMINAL_H
#define BOBBIN_TERMINAL_H

#include "error.h"

#include <stdint.h>
#include <sys/types.h>

/* In an interactive terminal this typed at the start of a line is the end of input. */
#define TERMINAL_END 4

/* Makes one: our end, non-blocking, and the process's. */
int terminal_make(int *ours, int *theirs, uid_t uid, gid_t group, struct failure *failure);

/* What it is called, and the process's end of the one so called. */
int terminal_number(int ours, uint32_t *number, struct failure *failure);
int terminal_open(uint32_t number, struct failure *failure);

int terminal_resize(int ours, uint32_t rows, uint32_t columns, struct failure *failure);

/* Makes `theirs` the terminal of this session, which the caller leads. */
int terminal_take(int theirs, struct failure *failure);

#endif
