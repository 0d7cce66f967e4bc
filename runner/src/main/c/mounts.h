/*
 * What an order mounts besides the image: volumes, directories and files of the machine, tmpfs.
 */
#ifndef BOBBIN_MOUNTS_H
#define BOBBIN_MOUNTS_H

#include "error.h"
#include "order.h"
#include "sandbox.h"

#include <sys/types.h>

/* One tree for each mount of an order, attached nowhere; -1 where it is not, or no longer. */
struct mounts {
    int tree[MOUNTS_MOST];
};

/*
 * Brings the trees with the ids of the sandbox, in whose user namespace `job` is, from the nursery and from the machine.
 * Goes there and comes back to the root of the stage, so only while nothing of a job runs.
 */
int mounts_bring(const struct sandbox *sandbox, const struct order *order, pid_t job, struct mounts *mounts,
                 struct failure *failure);

/* Puts them in their places beneath `root`, which lies on the stage; a missing place is made. */
int mounts_place(int root, uint32_t uid_base, const struct order *order, struct mounts *mounts,
                 struct failure *failure);

void mounts_release(struct mounts *mounts);

#endif
