/*
 * Appends records to a journal with one write each. A full disk is not an error here but a reason to wait: the rest of
 * the record is kept, the caller stops reading the program's pipes, and the program blocks until there is room again.
 */
#include "journal.h"
#include "sys.h"

#include <string.h>
#include <sys/uio.h>

static void store_record_header(struct journal *journal, uint8_t *at, uint8_t kind, const uint8_t *data, size_t length)
{
    struct stream_sum *sum = NULL;
    if (kind == RECORD_STDOUT) sum = &journal->sums[0];
    if (kind == RECORD_STDERR) sum = &journal->sums[1];
    store_u32(at, (uint32_t)length);
    store_u32(at + 4, kind);
    store_u64(at + 8, nanoseconds(CLOCK_REALTIME));
    store_u64(at + 16, sum ? sum->bytes : 0);
    if (!sum) return;
    sum->bytes += length;
    sum->crc = crc32c(sum->crc, data, length);
}

/* Keeps what is left of a record. Without memory even for that, waiting and trying again is all that is left. */
static void keep(struct journal *journal, const uint8_t *data, size_t length)
{
    if (length == 0) return;
    uint8_t *at;
    while (!(at = buffer_extend(&journal->kept, length))) {
        journal->kept.exhausted = false;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    memcpy(at, data, length);
}

static size_t write_parts(struct journal *journal, struct iovec *parts, int count)
{
    if (journal_stalled(journal)) return 0;
    ssize_t written = writev(journal->file, parts, count);
    return written < 0 ? 0 : (size_t)written;
}

void journal_begin(struct journal *journal, int file)
{
    uint8_t header[JOURNAL_HEADER] = JOURNAL_MAGIC;
    *journal = (struct journal){.file = file};
    store_u32(header + 8, JOURNAL_VERSION);
    size_t written = write_parts(journal, &(struct iovec){header, sizeof header}, 1);
    keep(journal, header + written, sizeof header - written);
    if (journal_stalled(journal)) journal->begun = written;
    else journal->end = sizeof header;
}

void journal_append(struct journal *journal, uint8_t kind, uint8_t *record, size_t length)
{
    store_record_header(journal, record, kind, record + RECORD_HEADER, length);
    size_t whole = RECORD_HEADER + length, written = write_parts(journal, &(struct iovec){record, whole}, 1);
    if (written == whole) {
        journal->end += whole;
        return;
    }
    keep(journal, record + written, whole - written);
    journal->begun += written;
}

void journal_append_data(struct journal *journal, uint8_t kind, const void *data, size_t length)
{
    uint8_t header[RECORD_HEADER];
    store_record_header(journal, header, kind, data, length);
    struct iovec parts[] = {{header, sizeof header}, {(void *)data, length}};
    size_t whole = sizeof header + length, written = write_parts(journal, parts, 2);
    if (written == whole) {
        journal->end += whole;
        return;
    }
    size_t of_header = written < sizeof header ? written : sizeof header;
    keep(journal, header + of_header, sizeof header - of_header);
    keep(journal, (const uint8_t *)data + (written - of_header), length - (written - of_header));
    journal->begun += written;
}

bool journal_flush(struct journal *journal)
{
    while (journal_stalled(journal)) {
        ssize_t written = write(journal->file, journal->kept.data, journal->kept.length);
        if (written <= 0) return false;
        buffer_drop(&journal->kept, (size_t)written);
        journal->begun += (uint64_t)written;
    }
    journal->end += journal->begun;
    journal->begun = 0;
    return true;
}
