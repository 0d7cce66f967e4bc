/*
 * What the job's process may do: its namespaces, capabilities and limits.
 */
#ifndef BOBBIN_RIGHTS_H
#define BOBBIN_RIGHTS_H

#include "error.h"
#include "order.h"
#include "sandbox.h"

/*
 * Places the caller in the job's cgroups and their namespace, as a member of `user_namespace` with root's ids in it.
 */
int enter_job(const struct cgroups *cgroups, int user_namespace, struct failure *failure);

/* Gives up every capability that is not a job's, for good, and all ways to gain more. */
int drop_rights(struct failure *failure);

/* Limits, groups and ids of the order; for a user other than root no capability is left. */
int become_user(const struct order *order, struct failure *failure);

#endif
