/*
 * Reads a spool directory: which segments there are, where each ends, which messages exist. What it
 * finds is the same for the writer at start and for readers.
 */
#ifndef POSTERN_SPOOL_RECOVER_H
#define POSTERN_SPOOL_RECOVER_H

#include "spool/spool_index.h"
#include "spool/spool_io.h"

enum spool_find {
    FIND_UNUSED, /* made, or cut short before its first use */
    FIND_GOOD,
    FIND_DAMAGED, /* not to be read, and never to be written */
    FIND_FOREIGN, /* from a newer Postern, as a whole or from `end` on */
};

struct spool_found_segment {
    struct spool_segment_header header; /* of a good one */
    uint64_t file_bytes;
    uint64_t end;        /* where its records end */
    uint64_t generation; /* in force there */
    uint64_t named_end;  /* V8; UINT64_MAX: no later segment names it */
    uint64_t lost_bytes; /* V9 */
    uint32_t number;     /* of its name */
    uint32_t live;       /* records of messages that exist */
    enum spool_find find;
};

/* A sentence about something that is not as it should be, NUL-ended. */
typedef void (*spool_recover_note_fn)(void *arg, const char *sentence);

struct spool_found {
    struct spool_found_segment *segments; /* good ones last, by sequence: the last is the newest */
    uint32_t count;
    struct spool_index index;
    uint64_t read_bytes;
    uint32_t number_max; /* of the names */
    spool_recover_note_fn note;
    void *note_arg;
};

/*
 * Fills `out`, of which note, note_arg and index.keep_texts are set and the rest is zero. False
 * with a sentence in *why: the directory cannot be read, or memory is short. Destroy `out` in both
 * cases.
 */
bool spool_recover_load(struct spool_io *io, struct spool_found *out, struct buf *why);
void spool_recover_destroy(struct spool_found *found);
/* The newest good segment, or NULL. */
struct spool_found_segment *spool_recover_newest(const struct spool_found *found);

#endif
