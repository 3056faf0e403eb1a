/*
 * Walks the records of one segment that count, in order (FORMAT.md V7 to V9). Used by recovery and
 * by readers, so that both see the same messages.
 *
 * Happy path: spool_scan_begin; spool_scan_next until it no longer says SCAN_RECORD.
 */
#ifndef POSTERN_SPOOL_SCAN_H
#define POSTERN_SPOOL_SCAN_H

#include "spool/spool_format.h"
#include "spool/spool_io.h"

/* The window: a whole record from any place of a block, and enough for a quick read. */
#define SPOOL_SCAN_WINDOW_BYTES (2u * 1024 * 1024)

enum spool_scan_step {
    SCAN_RECORD,
    SCAN_END,     /* `position` is where the segment ends */
    SCAN_UNKNOWN, /* a record of a newer Postern stands at `position` */
    SCAN_ERROR,   /* the disk gives `error` at `position` */
};

struct spool_scan {
    struct spool_io *io;
    int file;
    uint64_t end;        /* no record goes past it: the file's end, or the one that V8 names */
    bool closed;         /* V8 names it, so V9 holds */
    uint64_t generation; /* in force at `position` */
    uint64_t position;   /* of the next record */
    uint64_t lost_bytes; /* stepped over by V9 */
    uint64_t read_bytes;
    int error;       /* errno */
    uint8_t *window; /* SPOOL_SCAN_WINDOW_BYTES, block aligned; the caller's */
    uint64_t window_at;
    uint32_t window_len;
};

/* Ready to walk from the first record; io, file, end, closed, generation and window are set. */
void spool_scan_begin(struct spool_scan *scan);
/* `body` lives until the next call. Resume records are obeyed, not given out. */
enum spool_scan_step spool_scan_next(struct spool_scan *scan, struct spool_record *record,
                                     struct span *body);

#endif
