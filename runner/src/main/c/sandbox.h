/*
 * What the nursery hands to a new PID 1, and where things lie in the nursery's own small root and in the stage, the
 * tmpfs that is a parked sandbox's root until the order brings the real one.
 */
#ifndef BOBBIN_SANDBOX_H
#define BOBBIN_SANDBOX_H

#include "filter.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define IDS_PER_SANDBOX 65536U
#define CGROUPS_MOST 8
#define HOST_TREES_MOST 16

/* in the nursery's root */
#define NURSERY_STORE "/store"
#define NURSERY_RUN "/run"
#define NURSERY_SANDBOXES "/sandboxes"
#define NURSERY_LOCKS "/locks"
#define NURSERY_TREES "/h"
#define NURSERY_STAGE "/stage"
#define NURSERY_VOLUMES "/volumes"
#define NURSERY_EMPTY "/empty"

/* in the stage */
#define STAGE_UPPER "/u"
#define STAGE_WORK "/w"
#define STAGE_ROOT "/m"
#define STAGE_STORE "/s"
#define STAGE_PROC "/p"
#define STAGE_SYS "/y"
#define STAGE_DEV "/d"
#define STAGE_EMPTY "/e"
#define STAGE_TREES "/h"
#define STAGE_KEPT "/k" /* of a sandbox that lasts: its own directory on disk */

/* in that directory */
#define KEPT_UPPER "upper"
#define KEPT_WORK "work"
#define KEPT_JOURNALS "journals"
#define JOURNAL_SUFFIX ".journal"

#define VOLUME_FILES "data" /* in the directory of a volume */

#define ID_LENGTH 36

/* The job's cgroups, one directory a kind. */
struct cgroups {
    struct {
        const char *kind;
        int directory;
    } each[CGROUPS_MOST];
    int count;
};

/* Kinds are v1 controllers, but for this one. */
static inline bool is_unified(const char *kind)
{
    return strcmp(kind, "v2") == 0;
}

struct host_trees {
    const char *path[HOST_TREES_MOST]; /* where they are on the machine, and in a root */
    int count;
};

/* Whether `text` has the shape of an id, which is safe as the name of a file. */
static inline bool is_id(const uint8_t *text, uint32_t length)
{
    if (length != ID_LENGTH) return false;
    for (uint32_t i = 0; i < length; i++)
        if (!(text[i] >= '0' && text[i] <= '9') && !(text[i] >= 'a' && text[i] <= 'f') && text[i] != '-') return false;
    return true;
}

struct sandbox {
    const char *id;
    uint32_t uid_base;
    int journals; /* where journals of further processes are made; -1 if it does not last */
    int listener, journal, network;
    bool host_network; /* then `network` is the machine's */
    int uid_claim; /* held only to keep the range claimed */
    int house, machine; /* the nursery's mount namespace, and the machine's if there may be binds: until the root is made */
    struct cgroups cgroups;
    const struct cgroups *spares; /* below these one is made if the order names it */
    const struct host_trees *trees;
    const struct filter *filter;
};

/* PID 1 of a new sandbox: parks, waits for its order, carries it out. */
_Noreturn void init_main(struct sandbox *sandbox);

#endif
