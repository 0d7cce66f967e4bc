/*
 * What a job may not see or change in proc and sysfs, although the kernel would let a root of a user namespace look.
 */
#ifndef BOBBIN_MASK_H
#define BOBBIN_MASK_H

#include "error.h"

/* In the nursery, where the machine's /sys is in sight: notes of which processors there is something to hide. */
int mask_prepare(struct failure *failure);

/* On the stage, where no image is in sight: hides what tells of the machine, and makes the rest of it read-only. */
int mask_kernel_files(struct failure *failure);

/* The same of sysfs alone, where another was put in its place. */
int mask_sysfs(struct failure *failure);

/* Makes the sysctls read-only; the job's process must have written those of its user namespace. */
int mask_sysctls(struct failure *failure);

#endif
