/*
 * The root of one job: overlay, files, the machine's trees, proc, sys and dev; then pivot_root into it.
 */
#ifndef BOBBIN_ROOTFS_H
#define BOBBIN_ROOTFS_H

#include "error.h"
#include "order.h"
#include "sandbox.h"

#include <sys/types.h>

/* `job` is the parked process, whose user namespace is the sandbox's. */
int make_root(const struct sandbox *sandbox, const struct order *order, pid_t job, struct failure *failure);

/*
 * Makes the working directory and the order's files beneath `root`, owned by the job's user. Only while nothing of the
 * kernel's is mounted there: PID 1 writes with rights over the machine, and must find no proc to write to. Nothing that
 * an order mounts can be one, since those have no mapped ids.
 */
int place_files(int root, uint32_t uid_base, const struct order *order, struct failure *failure);

/* Lays the order's /etc/hosts and /etc/resolv.conf, with the same care; not where something is mounted. */
int place_names(int root, uint32_t uid_base, const struct order *order, struct failure *failure);

/* Makes what is missing of `path`, an absolute one without a slash at its end, as whoever PID 1 acts for. */
int make_path(int root, char *path, struct failure *failure);

/*
 * From now on files are made for this user and group, with all rights over files kept: an idmapped mount takes no file
 * of an owner that it does not map, such as the machine's root.
 */
int act_as(uid_t uid, gid_t gid, struct failure *failure);

#endif
