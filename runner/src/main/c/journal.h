/*
 * The append-only record of what a process printed (format: frame.h). Records are appended whole: what the disk did
 * not take is kept and tried again by journal_flush(), and `end` never points into a record.
 */
#ifndef BOBBIN_JOURNAL_H
#define BOBBIN_JOURNAL_H

#include "wire.h"

struct stream_sum {
    uint64_t bytes;
    uint32_t crc;
};

struct journal {
    int file;
    uint64_t end;              /* of the last record that is whole in the file */
    uint64_t begun;            /* bytes in the file behind `end`, of records that are not whole yet */
    struct stream_sum sums[2]; /* of STDOUT and STDERR, counting what is kept for later too */
    struct buffer kept;        /* what the disk has not taken yet */
    uint64_t gap;              /* where the data of the GAP record lies; 0 if there is none */
    uint64_t from, low;        /* the records between these are gone */
    uint64_t punched;          /* the space before this is free */
    uint64_t dropped;          /* bytes of the streams in those records */
};

void journal_begin(struct journal *journal, int file);

/* Appends a record whose data begins RECORD_HEADER bytes into `record`, where the header is filled in. */
void journal_append(struct journal *journal, uint8_t kind, uint8_t *record, size_t length);

/* As journal_append(), for data that has no room in front of it. */
void journal_append_data(struct journal *journal, uint8_t kind, const void *data, size_t length);

/* Appends the record that will say which others are gone. */
void journal_append_gap(struct journal *journal);

/* From here on records may be dropped. */
void journal_begin_output(struct journal *journal);

/*
 * Drops records, oldest first, until only `keep` bytes are left, but none that ends behind `before` and never the last.
 * False if this file system cannot free the space.
 */
bool journal_drop(struct journal *journal, uint64_t keep, uint64_t before);

/* Tries again what the disk did not take; true if nothing is left. */
bool journal_flush(struct journal *journal);

static inline bool journal_stalled(const struct journal *journal)
{
    return journal->kept.length > 0;
}

uint32_t crc32c(uint32_t crc, const uint8_t *data, size_t length);
uint32_t crc32c_portable(uint32_t crc, const uint8_t *data, size_t length);

#endif
