/*
 * Appends records to a journal with one write each. A full disk is not an error here but a reason to wait: the rest of
 * the record is kept, the caller stops reading the program's pipes, and the program blocks until there is room again.
 */
#include "journal.h"
#include "sys.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#define MARK 16 /* bytes of data of a GAP record */
#define BLOCK 4096

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

/* Where the next record will begin. */
static uint64_t next_position(const struct journal *journal)
{
    return journal->end + journal->begun + journal->kept.length;
}

void journal_append_gap(struct journal *journal)
{
    uint8_t record[RECORD_HEADER + MARK] = {0};
    journal->gap = next_position(journal) + RECORD_HEADER;
    journal_append(journal, RECORD_GAP, record, MARK);
}

void journal_begin_output(struct journal *journal)
{
    journal->from = journal->low = journal->punched = next_position(journal);
}

/* The one write that does not append: O_APPEND would ignore the position. */
static bool publish(const struct journal *journal, uint64_t low)
{
    uint8_t mark[MARK];
    store_u64(mark, journal->from);
    store_u64(mark + 8, low);
    int flags = fcntl(journal->file, F_GETFL);
    if (flags < 0 || fcntl(journal->file, F_SETFL, flags & ~O_APPEND) < 0) return false;
    ssize_t written = pwrite(journal->file, mark, sizeof mark, (off_t)journal->gap);
    return fcntl(journal->file, F_SETFL, flags) == 0 && written == sizeof mark;
}

/* Frees whole blocks only, so each punch begins at the one that the last could not free. */
static bool punch(struct journal *journal)
{
    uint64_t start = journal->punched / BLOCK * BLOCK;
    if (start < journal->from) start = journal->from;
    if (fallocate(journal->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)start,
                  (off_t)(journal->low - start)) < 0)
        return errno == ENOSPC || errno == EINTR; /* the next one frees this too */
    journal->punched = journal->low;
    return true;
}

bool journal_drop(struct journal *journal, uint64_t keep, uint64_t before)
{
    uint8_t read[BLOCK];
    uint64_t low = journal->low, dropped = journal->dropped, at = 0, have = 0;
    while (journal->end - low > keep) {
        if (low + RECORD_HEADER > at + have) {
            ssize_t got = pread(journal->file, read, sizeof read, (off_t)low);
            if (got < RECORD_HEADER) return false;
            at = low;
            have = (uint64_t)got;
        }
        uint32_t length = load_u32(read + (low - at));
        uint64_t next = low + RECORD_HEADER + length;
        if (next > before || next >= journal->end) break;
        dropped += length;
        low = next;
    }
    if (low == journal->low) return true;
    if (!publish(journal, low)) return false;
    journal->low = low;
    journal->dropped = dropped;
    return punch(journal);
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
