/*
 * Headers of a tar archive, in GNU's format, which every tar reads.
 */
#ifndef BOBBIN_TAR_H
#define BOBBIN_TAR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define TAR_BLOCK 512

/* Of one file: its own, and before it those that hold a long name and a long target. */
struct tar_header {
    size_t length;
    uint8_t blocks[2 * (2 * TAR_BLOCK + PATH_MAX) + TAR_BLOCK];
};

/* False for what has no place in an archive, such as a socket. */
bool tar_describe(struct tar_header *header, const char *path, const char *target, const struct stat *status);

#endif
