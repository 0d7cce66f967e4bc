/*
 * Headers of a tar archive (tar.h).
 */
#include "tar.h"

#include <stdio.h>
#include <string.h>

#define NAME_FIELD 100
#define MODE 100
#define UID 108
#define GID 116
#define SIZE 124
#define MTIME 136
#define CHECKSUM 148
#define TYPE 156
#define TARGET 157
#define MAGIC 257
#define LARGEST_OCTAL 077777777777ULL

static void put_octal(uint8_t *block, size_t at, size_t digits, uint64_t value)
{
    for (; digits-- > 0; value >>= 3) block[at + digits] = (uint8_t)('0' + (value & 7));
}

/* A size that twelve octal digits cannot hold is written as a binary number, marked by its first bit. */
static void put_size(uint8_t *block, uint64_t size)
{
    if (size <= LARGEST_OCTAL) {
        put_octal(block, SIZE, 11, size);
        return;
    }
    block[SIZE] = 0x80;
    for (int i = 11; i > 3; i--, size >>= 8) block[SIZE + i] = (uint8_t)size;
}

static void seal(uint8_t *block)
{
    unsigned sum = 0;
    memcpy(block + MAGIC, "ustar  ", 8);
    memset(block + CHECKSUM, ' ', 8);
    for (int i = 0; i < TAR_BLOCK; i++) sum += block[i];
    put_octal(block, CHECKSUM, 6, sum);
    block[CHECKSUM + 6] = 0;
}

static uint8_t *next(struct tar_header *header, size_t length)
{
    uint8_t *block = header->blocks + header->length;
    size_t whole = (length + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
    memset(block, 0, whole);
    header->length += whole;
    return block;
}

static void put_long(struct tar_header *header, char type, const char *text)
{
    size_t length = strlen(text) + 1;
    uint8_t *block = next(header, TAR_BLOCK);
    strcpy((char *)block, "././@LongLink");
    put_octal(block, MODE, 7, 0);
    put_octal(block, UID, 7, 0);
    put_octal(block, GID, 7, 0);
    put_octal(block, MTIME, 11, 0);
    put_size(block, length);
    block[TYPE] = (uint8_t)type;
    seal(block);
    memcpy(next(header, length), text, length);
}

bool tar_describe(struct tar_header *header, const char *path, const char *target, const struct stat *status)
{
    mode_t mode = status->st_mode;
    char type = S_ISREG(mode) ? '0' : S_ISDIR(mode) ? '5' : S_ISLNK(mode) ? '2' : S_ISFIFO(mode) ? '6' : 0;
    if (!type) return false;
    char name[PATH_MAX + 2];
    snprintf(name, sizeof name, "%.*s%s", PATH_MAX, path, S_ISDIR(mode) ? "/" : "");
    header->length = 0;
    if (strlen(name) > NAME_FIELD) put_long(header, 'L', name);
    if (strlen(target) > NAME_FIELD) put_long(header, 'K', target);
    uint8_t *block = next(header, TAR_BLOCK);
    memcpy(block, name, strnlen(name, NAME_FIELD));
    memcpy(block + TARGET, target, strnlen(target, NAME_FIELD));
    put_octal(block, MODE, 7, mode & 07777);
    put_octal(block, UID, 7, status->st_uid);
    put_octal(block, GID, 7, status->st_gid);
    put_octal(block, MTIME, 11, status->st_mtime < 0 ? 0 : (uint64_t)status->st_mtime);
    put_size(block, S_ISREG(mode) ? (uint64_t)status->st_size : 0);
    block[TYPE] = (uint8_t)type;
    seal(block);
    return true;
}
