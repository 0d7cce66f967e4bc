/*
 * What the job's process may do: its namespaces, capabilities and limits.
 */
#ifndef BOBBIN_RIGHTS_H
#define BOBBIN_RIGHTS_H

#include "error.h"
#include "job.h"
#include "order.h"

/* Places the caller in the job's cgroups. */
int enter_cgroups(const struct cgroups *cgroups, struct failure *failure);

/*
 * Places the caller in the job's cgroups and their namespace, as a member of the user namespace with root's ids in it:
 * the first of a sandbox, on the stage, and any later one, in the job's root.
 */
int enter_first(const struct job_place *place, struct failure *failure);
int enter_again(const struct job_place *place, struct failure *failure);

/*
 * Gives up every capability that is neither a job's nor among `more`, for good, all ways to gain more unless it says
 * otherwise, and the calls that `filter` forbids.
 */
int drop_rights(const struct filter *filter, const struct rights *more, struct failure *failure);

/* Limits, groups and ids of the order; for a user other than root no capability is left when it has executed. */
int become_user(const struct order *order, struct failure *failure);

#endif
