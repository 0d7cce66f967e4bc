/*
 * Ranges of 65,536 user ids, each of one sandbox at a time on the whole machine. A claim is a lock on one byte of a
 * file that all Bobbins share, and belongs to the open file: it lives as long as any process holds that. PID 1 holds its
 * own, so a nursery that dies leaves its sandboxes' ranges claimed; those of sandboxes that last are held by the nursery
 * too, so that their files have an owner while they do not run.
 */
#include "nursery.h"
#include "sys.h"

#define FIRST_ID 0x70000000U
#define LAST_ID 0x7FFD0000U /* not itself */
#define RANGES ((LAST_ID - FIRST_ID) / IDS_PER_SANDBOX)
#define CLAIMS NURSERY_LOCKS "/ranges"

/* The open file that claims a range; -1 if somebody else has it. */
static int claim(unsigned range)
{
    CLOSED int file = open(CLAIMS, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = range, .l_len = 1};
    if (file < 0 || fcntl(file, F_OFD_SETLK, &lock) < 0) return -1;
    int claimed = file;
    file = -1;
    return claimed;
}

static struct kept *find(const struct nursery *nursery, uint32_t uid_base)
{
    struct kept *kept = nursery->kept;
    while (kept && kept->uid_base != uid_base) kept = kept->next;
    return kept;
}

static bool is_range(uint32_t uid_base)
{
    return uid_base >= FIRST_ID && uid_base < LAST_ID && (uid_base - FIRST_ID) % IDS_PER_SANDBOX == 0;
}

/* A range that the caller knows, because it kept it. Who had it before may still be ending. */
static int claim_known(struct nursery *nursery, uint32_t uid_base, struct failure *failure)
{
    if (!is_range(uid_base)) return fail_as(failure, EINVAL, "use the uid range at %u", uid_base);
    for (const struct child *child = nursery->children; child; child = child->next)
        if (child->uid_base == uid_base) return fail_as(failure, EBUSY, "claim the uid range at %u", uid_base);
    const struct kept *kept = find(nursery, uid_base);
    int file = kept && kept->file >= 0 ? fcntl(kept->file, F_DUPFD_CLOEXEC, 0)
                                       : claim((uid_base - FIRST_ID) / IDS_PER_SANDBOX);
    return file < 0 ? fail_as(failure, EBUSY, "claim the uid range at %u", uid_base) : file;
}

int ids_claim(struct nursery *nursery, uint32_t *uid_base, struct failure *failure)
{
    if (*uid_base) return claim_known(nursery, *uid_base, failure);
    /* Each nursery begins elsewhere, so that they seldom meet. */
    if (!nursery->next_range) nursery->next_range = (unsigned)getpid() * 61U;
    for (unsigned tried = 0; tried < RANGES; tried++) {
        unsigned range = nursery->next_range++ % RANGES;
        uint32_t base = FIRST_ID + range * IDS_PER_SANDBOX;
        int file = find(nursery, base) ? -1 : claim(range);
        if (file < 0) continue;
        *uid_base = base;
        return file;
    }
    return fail_as(failure, EUSERS, "claim a range of user ids");
}

int ids_keep(struct nursery *nursery, uint32_t uid_base, int file, struct failure *failure)
{
    if (!is_range(uid_base)) return fail_as(failure, EINVAL, "keep the uid range at %u", uid_base);
    struct kept *kept = find(nursery, uid_base);
    if (!kept) {
        kept = malloc(sizeof *kept);
        if (!kept) return fail(failure, "make room for a uid range");
        *kept = (struct kept){uid_base, -1, nursery->kept};
        nursery->kept = kept;
    }
    /* A sandbox of an earlier nursery may hold it still; then its next start claims it. */
    if (kept->file < 0)
        kept->file = file >= 0 ? fcntl(file, F_DUPFD_CLOEXEC, 0) : claim((uid_base - FIRST_ID) / IDS_PER_SANDBOX);
    return 0;
}

void ids_free(struct nursery *nursery, uint32_t uid_base)
{
    for (struct kept **at = &nursery->kept; *at; at = &(*at)->next) {
        struct kept *kept = *at;
        if (kept->uid_base != uid_base) continue;
        *at = kept->next;
        shut(&kept->file);
        free(kept);
        return;
    }
}
