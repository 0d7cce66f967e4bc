/*
 * The nursery: one process per run directory that makes sandboxes and waits for their PID 1s. It never runs a job's
 * code.
 */
#ifndef BOBBIN_NURSERY_H
#define BOBBIN_NURSERY_H

#include "channel.h"
#include "error.h"
#include "filter.h"
#include "network.h"
#include "sandbox.h"

#include <stdbool.h>
#include <sys/types.h>


struct placement {
    const char *kind, *directory;
};

struct settings {
    const char *control, *run_dir, *data_dir, *store, *uid_locks, *filter; /* the last NULL: none */
    struct placement cgroups[CGROUPS_MOST], supervisor_cgroups[CGROUPS_MOST], spare_cgroups[CGROUPS_MOST];
    int cgroup_count, supervisor_cgroup_count, spare_cgroup_count;
    struct host_trees trees;
    uint64_t lonely_millis;
    bool binds; /* whether directories of the machine may be mounted */
};

/* The range of user ids of a sandbox that lasts; file: -1 while somebody else holds the claim. */
struct kept {
    uint32_t uid_base;
    int file;
    struct kept *next;
};

struct child {
    char id[ID_LENGTH + 1];
    pid_t pid;
    int pidfd, network;
    uint32_t uid_base;
    struct child *next;
};

struct nursery {
    struct channel jvm;
    int signals;
    const struct settings *settings;
    struct cgroups parents; /* two kinds in one hierarchy share a directory */
    struct cgroups spares;  /* where a sandbox gets a cgroup only if it asks */
    struct kept *kept;
    unsigned next_range;
    struct networks networks;
    struct filter filter;
    struct child *children;
    bool retiring;
    int house, machine; /* mount namespaces, see struct sandbox */
};

/* ids.c: ranges of user ids, claimed on the whole machine by an open file */
int ids_claim(struct nursery *nursery, uint32_t *uid_base, struct failure *failure); /* 0: any range */
/* Keeps a range for a sandbox that lasts, whether it is there or not, until ids_free(). */
int ids_keep(struct nursery *nursery, uint32_t uid_base, int file, struct failure *failure); /* -1: claim it */
void ids_free(struct nursery *nursery, uint32_t uid_base);

/* house.c: the nursery's own place: cgroups, mounts, standard descriptors */
int house_enter(struct nursery *nursery, struct failure *failure);

/* spawn.c: one sandbox, which lasts if a journal is named */
struct child *spawn(struct nursery *nursery, const char *id, const char *journal, uint32_t uid_base, bool host_network,
                    struct failure *failure);
/* Removes the cgroups and the socket of a sandbox that is gone; false if something is left, as while a process of it is
 * still exiting. */
bool clear(const struct nursery *nursery, const char *id);

/* nursery.c */
_Noreturn void nursery_main(const struct settings *settings);

/* sealed.c: goes on as a copy of this program that nobody can change; returns in the copy */
int run_sealed(char **arguments, struct failure *failure);

/* Says on stderr, the nursery's log, what could not be done, and exits. */
_Noreturn void give_up(const struct failure *failure);

#endif
