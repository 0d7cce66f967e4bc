/*
 * The root of one job: overlay, files, the machine's trees, proc, sys and dev; then pivot_root into it.
 */
#ifndef BOBBIN_ROOTFS_H
#define BOBBIN_ROOTFS_H

#include "error.h"
#include "order.h"
#include "sandbox.h"

int make_root(const struct sandbox *sandbox, const struct order *order, struct failure *failure);

/*
 * Makes the working directory and the order's files beneath `root`, owned by the job's user. Only while nothing but
 * the overlay is mounted there: PID 1 writes with the machine's rights, and must find no proc to write to.
 */
int place_files(int root, uint32_t uid_base, const struct order *order, struct failure *failure);

#endif
