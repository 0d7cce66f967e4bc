/*
 * Settings of the kernel (sysctls) that are of the sandbox's own namespaces. PID 1 is in these, so the proc file system
 * of the sandbox shows it no others of their names.
 */
#ifndef BOBBIN_SYSCTL_H
#define BOBBIN_SYSCTL_H

#include "error.h"
#include "order.h"
#include "sandbox.h"

/* A handle of the proc file system at `proc` without what is mounted over parts of it against the job. */
int sysctl_open(const char *proc, struct failure *failure);

/*
 * Writes a setting by its name with dots; `proc` is a handle of a proc file system with nothing over it. Groups are as
 * seen inside.
 */
int sysctl_write(int proc, uint32_t uid_base, const char *name, const char *value, struct failure *failure);

/* Those of an order, on the stage. */
int sysctls_set(const struct sandbox *sandbox, const struct order *order, struct failure *failure);

#endif
