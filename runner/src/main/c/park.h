/*
 * Parking: everything of a sandbox that no order changes.
 */
#ifndef BOBBIN_PARK_H
#define BOBBIN_PARK_H

#include "error.h"
#include "sandbox.h"

/* Attributes of a mount of which nothing can be made but read. */
#define INERT (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define TTY_GROUP 5 /* of terminals, as seen inside */

/*
 * Makes the stage and moves into it: proc, sysfs and an assembled /dev, a view of the whole store and of the machine's
 * trees with the sandbox's ids. Leaves the descriptor of the job's user namespace in `user_namespace`.
 */
int park(const struct sandbox *sandbox, int *user_namespace, struct failure *failure);

/* Fills `directory`, an empty one below the working directory, with a /dev that belongs to the job's root. */
int make_devices(const char *directory, uint32_t uid_base, struct failure *failure);

/* Lets the job's root bind low ports and ping in the network namespace of the proc at `proc`. */
int permit_network(const char *proc, uint32_t uid_base, struct failure *failure);

/* Writes a short text to an existing file, such as a sysctl, in one call. */
int write_text(int directory, const char *path, const char *text, struct failure *failure);

#endif
