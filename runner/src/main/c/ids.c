/*
 * Ranges of 65,536 user ids, each of one sandbox at a time on the whole machine. They are claimed by the block with a
 * lock on a file; the lock lives as long as any process holds the open file, so a nursery that dies leaves its
 * sandboxes' ranges claimed, and the last of them to end frees the block.
 */
#include "nursery.h"
#include "sys.h"

#include <stdio.h>
#include <sys/file.h>

#define FIRST_ID 0x70000000U
#define LAST_ID 0x7FFD0000U /* not itself */
#define RANGES ((LAST_ID - FIRST_ID) / IDS_PER_SANDBOX)
#define BLOCKS ((RANGES + BLOCK_RANGES - 1) / BLOCK_RANGES)

static uint32_t base_of(const struct block *block, unsigned index)
{
    return FIRST_ID + (block->number * BLOCK_RANGES + index) * IDS_PER_SANDBOX;
}

static unsigned ranges_in(const struct block *block)
{
    unsigned left = RANGES - block->number * BLOCK_RANGES;
    return left < BLOCK_RANGES ? left : BLOCK_RANGES;
}

static struct block *held(const struct nursery *nursery, unsigned number)
{
    struct block *block = nursery->blocks;
    while (block && block->number != number) block = block->next;
    return block;
}

static struct block *lock(struct nursery *nursery, unsigned number)
{
    char path[64];
    snprintf(path, sizeof path, NURSERY_LOCKS "/%u", number);
    CLOSED int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0 || flock(file, LOCK_EX | LOCK_NB) < 0) return NULL;
    struct block *block = malloc(sizeof *block);
    if (!block) return NULL;
    *block = (struct block){file, number, 0, 0, nursery->blocks};
    nursery->blocks = block;
    file = -1;
    return block;
}

static struct block *take(struct block *block, unsigned index, uint32_t *uid_base)
{
    block->used |= 1ULL << index;
    *uid_base = base_of(block, index);
    return block;
}

static struct block *take_any(struct block *block, uint32_t *uid_base)
{
    for (unsigned index = 0; index < ranges_in(block); index++)
        if (!((block->used | block->kept) >> index & 1)) return take(block, index, uid_base);
    return NULL;
}

/* The block of the range at `base`, locked. */
static struct block *block_of(struct nursery *nursery, uint32_t base, unsigned *index, struct failure *failure)
{
    if (base < FIRST_ID || base >= LAST_ID || (base - FIRST_ID) % IDS_PER_SANDBOX)
        return fail_as(failure, EINVAL, "use the uid range at %u", base), NULL;
    unsigned range = (base - FIRST_ID) / IDS_PER_SANDBOX;
    *index = range % BLOCK_RANGES;
    struct block *block = held(nursery, range / BLOCK_RANGES);
    if (!block) block = lock(nursery, range / BLOCK_RANGES);
    if (!block) fail_as(failure, EBUSY, "claim the uid range at %u, which somebody else on this machine holds", base);
    return block;
}

/* A range that the caller knows, because it kept it. */
static struct block *take_this(struct nursery *nursery, uint32_t *uid_base, struct failure *failure)
{
    unsigned index;
    struct block *block = block_of(nursery, *uid_base, &index, failure);
    if (!block) return NULL;
    if (block->used >> index & 1) return fail_as(failure, EBUSY, "claim the uid range at %u", *uid_base), NULL;
    return take(block, index, uid_base);
}

struct block *ids_claim(struct nursery *nursery, uint32_t *uid_base, struct failure *failure)
{
    if (*uid_base) return take_this(nursery, uid_base, failure);
    for (struct block *block = nursery->blocks; block; block = block->next)
        if (take_any(block, uid_base)) return block;
    for (unsigned number = 0; number < BLOCKS; number++) {
        struct block *block = held(nursery, number) ? NULL : lock(nursery, number);
        if (block) return take_any(block, uid_base);
    }
    return fail_as(failure, EUSERS, "claim a range of user ids"), NULL;
}

int ids_keep(struct nursery *nursery, uint32_t uid_base, struct failure *failure)
{
    unsigned index;
    struct block *block = block_of(nursery, uid_base, &index, failure);
    if (!block) return -1;
    block->kept |= 1ULL << index;
    return 0;
}

/* Takes the bits out of its block, and lets go of a block that is empty, but for one that serves the next sandbox. */
static void clear_bits(struct nursery *nursery, uint32_t uid_base, bool used, bool kept)
{
    if (uid_base < FIRST_ID || uid_base >= LAST_ID) return;
    unsigned range = (uid_base - FIRST_ID) / IDS_PER_SANDBOX;
    uint64_t bit = 1ULL << range % BLOCK_RANGES;
    for (struct block **at = &nursery->blocks; *at; at = &(*at)->next) {
        struct block *block = *at;
        if (block->number != range / BLOCK_RANGES) continue;
        if (used) block->used &= ~bit;
        if (kept) block->kept &= ~bit;
        if (block->used || block->kept || (at == &nursery->blocks && !block->next)) return;
        *at = block->next;
        close(block->file);
        free(block);
        return;
    }
}

void ids_release(struct nursery *nursery, uint32_t uid_base)
{
    clear_bits(nursery, uid_base, true, false);
}

void ids_free(struct nursery *nursery, uint32_t uid_base)
{
    clear_bits(nursery, uid_base, false, true);
}
