/*
 * Happy path: list the directory; read each segment's header; order them by sequence; take each
 * one's end from its successor (V8); walk the records of each into the index (V7).
 *
 * Failure modes: a file that is no segment, a header or record that is damaged or foreign, a
 * segment that is shorter than it says: noted by name, and what can be read is read. A directory
 * that cannot be listed, a file that cannot be opened, short memory: the load fails.
 */
#include "spool/spool_recover.h"

#include <stdlib.h>

#include "base/limits.h"
#include "spool/spool_scan.h"

#define SENTENCE_BYTES 256

static void note(const struct spool_found *found, const struct buf *sentence)
{
    ASSERT(sentence->len < sentence->cap);
    if (found->note != NULL)
        found->note(found->note_arg, (const char *)sentence->ptr);
}

static void note_segment(const struct spool_found *found, const struct spool_found_segment *s,
                         const char *what)
{
    uint8_t text[SENTENCE_BYTES];
    struct buf sentence = { text, 0, sizeof(text) };
    char name[SPOOL_NAME_BYTES];

    spool_format_name(s->number, name);
    if (buf_printf(&sentence, "%s: %s", name, what))
        note(found, &sentence);
}

static void note_lost(const struct spool_found *found, const struct spool_found_segment *s)
{
    uint8_t text[SENTENCE_BYTES];
    struct buf sentence = { text, 0, sizeof(text) };

    if (buf_printf(&sentence, "damaged: %llu bytes of records before offset %llu cannot be read",
                   (unsigned long long)s->lost_bytes, (unsigned long long)s->end))
        note_segment(found, s, (const char *)text);
}

/* Judges a segment by its header. False: the disk gives an error, with a sentence in *why. */
static bool look_at(struct spool_io *io, struct spool_found *found, struct spool_found_segment *s,
                    uint8_t *window, struct buf *why)
{
    char name[SPOOL_NAME_BYTES];
    int file;
    int64_t got;

    spool_format_name(s->number, name);
    file = io->ops->open(io, name, SPOOL_IO_READ, 0);
    got = file < 0 ? file : io->ops->read(io, file, 0, window, SPOOL_BLOCK_BYTES);
    if (file >= 0)
        io->ops->close(io, file);
    if (got < 0) {
        buf_printf(why, "%s cannot be read: %s", name, strerror((int)-got));
        return false;
    }
    if (got < SPOOL_BLOCK_BYTES) {
        s->find = FIND_UNUSED;
        return true;
    }
    found->read_bytes += (uint64_t)got;
    switch (spool_format_header_check(window, &s->header)) {
    case SPOOL_VALID: s->find = FIND_GOOD; break;
    case SPOOL_NONE: s->find = FIND_UNUSED; break;
    case SPOOL_UNKNOWN:
        s->find = FIND_FOREIGN;
        note_segment(found, s, "from a newer Postern (its version or flags are not known here)");
        break;
    case SPOOL_SPOILED:
        s->find = FIND_DAMAGED;
        note_segment(found, s, "no segment, or its header is damaged: left alone");
        break;
    }
    return true;
}

/* The names that are segments' become found->segments. */
static bool segments_load(struct spool_io *io, struct spool_found *found, struct buf *why)
{
    struct spool_io_entry *entries = calloc(LIMIT_SPOOL_SEGMENTS, sizeof(*entries));
    int count;

    found->segments = calloc(LIMIT_SPOOL_SEGMENTS, sizeof(*found->segments));
    if (entries == NULL || found->segments == NULL) {
        free(entries);
        buf_printf(why, "memory is short");
        return false;
    }
    count = io->ops->list(io, entries, LIMIT_SPOOL_SEGMENTS);
    if (count < 0)
        buf_printf(why, "the directory cannot be read: %s", strerror(-count));
    else if (count > LIMIT_SPOOL_SEGMENTS)
        buf_printf(why, "more than %d files in the directory", LIMIT_SPOOL_SEGMENTS);
    for (int i = 0; i < count && count <= LIMIT_SPOOL_SEGMENTS; i++) {
        struct spool_found_segment *s = &found->segments[found->count];

        if (spool_format_name_parse(entries[i].name, &s->number)) {
            s->file_bytes = entries[i].bytes;
            s->named_end = UINT64_MAX;
            if (s->number > found->number_max)
                found->number_max = s->number;
            found->count++;
        } else if (strcmp(entries[i].name, "lock") != 0) {
            uint8_t text[SENTENCE_BYTES];
            struct buf sentence = { text, 0, sizeof(text) };

            if (buf_printf(&sentence, "%s: no file of a spool, left alone", entries[i].name))
                note(found, &sentence);
        }
    }
    free(entries);
    return count >= 0 && count <= LIMIT_SPOOL_SEGMENTS;
}

static int by_age(const void *left, const void *right)
{
    const struct spool_found_segment *a = left;
    const struct spool_found_segment *b = right;
    bool a_good = a->find == FIND_GOOD;
    bool b_good = b->find == FIND_GOOD;

    if (a_good != b_good)
        return a_good ? 1 : -1;
    if (a_good && a->header.sequence != b->header.sequence)
        return a->header.sequence < b->header.sequence ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static struct spool_found_segment *find_sequence(const struct spool_found *found, uint64_t sequence)
{
    for (uint32_t i = found->count; i > 0; i--) {
        struct spool_found_segment *s = &found->segments[i - 1];

        if (s->find == FIND_GOOD && s->header.sequence == sequence)
            return s;
    }
    return NULL;
}

/* Two files with one sequence number: somebody made a copy. The one with the lower number counts.
 */
static void drop_copies(struct spool_found *found)
{
    for (uint32_t i = 1; i < found->count; i++) {
        struct spool_found_segment *s = &found->segments[i];
        const struct spool_found_segment *before = &found->segments[i - 1];

        if (s->find != FIND_GOOD || before->find != FIND_GOOD ||
            s->header.sequence != before->header.sequence)
            continue;
        note_segment(found, s, "has the sequence number of another segment: left alone");
        s->find = FIND_DAMAGED;
        qsort(found->segments, found->count, sizeof(*found->segments), by_age);
        i = 0;
    }
}

/* V8 */
static void name_ends(struct spool_found *found)
{
    for (uint32_t i = 0; i < found->count; i++) {
        const struct spool_found_segment *later = &found->segments[i];
        struct spool_found_segment *s;

        if (later->find != FIND_GOOD || later->header.previous == 0)
            continue;
        s = find_sequence(found, later->header.previous);
        if (s != NULL && later->header.previous_end < s->named_end)
            s->named_end = later->header.previous_end;
    }
}

/* Where a segment's bytes end, whatever it says of itself. */
static uint64_t size_of(const struct spool_found_segment *s)
{
    uint64_t bytes = s->header.segment_bytes;

    if (s->file_bytes < bytes)
        bytes = s->file_bytes & ~(uint64_t)(SPOOL_BLOCK_BYTES - 1);
    return s->named_end < bytes ? s->named_end : bytes;
}

static bool walk(struct spool_found *found, uint32_t at, struct spool_scan *scan, struct buf *why)
{
    struct spool_found_segment *s = &found->segments[at];
    enum spool_scan_step step;
    struct spool_record record;
    struct span body;

    spool_scan_begin(scan);
    while ((step = spool_scan_next(scan, &record, &body)) == SCAN_RECORD) {
        if (!spool_index_add(&found->index, at, &record, body)) {
            buf_printf(why, "memory is short");
            return false;
        }
    }
    s->end = scan->position;
    s->generation = scan->generation;
    s->lost_bytes = scan->lost_bytes;
    found->read_bytes += scan->read_bytes;
    if (step == SCAN_UNKNOWN) {
        s->find = FIND_FOREIGN;
        note_segment(found, s, "holds a record of a newer Postern");
    }
    if (step == SCAN_ERROR) {
        char name[SPOOL_NAME_BYTES];

        spool_format_name(s->number, name);
        buf_printf(why, "%s cannot be read at offset %llu: %s", name,
                   (unsigned long long)scan->position, strerror(scan->error));
    }
    return step != SCAN_ERROR;
}

/* Walks one segment into the index. False: with a sentence in *why. */
static bool read_segment(struct spool_io *io, struct spool_found *found, uint32_t at,
                         uint8_t *window, struct buf *why)
{
    struct spool_found_segment *s = &found->segments[at];
    struct spool_scan scan = { .io = io, .window = window };
    char name[SPOOL_NAME_BYTES];
    bool read;

    spool_format_name(s->number, name);
    scan.end = size_of(s);
    scan.closed = s->named_end != UINT64_MAX;
    scan.generation = s->header.generation;
    scan.file = io->ops->open(io, name, SPOOL_IO_READ, 0);
    if (scan.file < 0) {
        buf_printf(why, "%s cannot be opened: %s", name, strerror(-scan.file));
        return false;
    }
    read = walk(found, at, &scan, why);
    io->ops->close(io, scan.file);
    if (s->file_bytes < s->header.segment_bytes)
        note_segment(found, s, "shorter than its header says");
    if (s->lost_bytes > 0)
        note_lost(found, s);
    return read;
}

static bool read_all(struct spool_io *io, struct spool_found *found, uint8_t *window,
                     struct buf *why)
{
    for (uint32_t i = 0; i < found->count; i++)
        if (!look_at(io, found, &found->segments[i], window, why))
            return false;
    qsort(found->segments, found->count, sizeof(*found->segments), by_age);
    drop_copies(found);
    name_ends(found);
    for (uint32_t i = 0; i < found->count; i++)
        if (found->segments[i].find == FIND_GOOD && !read_segment(io, found, i, window, why))
            return false;
    return true;
}

/* What counts is in the index by now; says what is wrong with it, and where messages stand. */
static bool sum_up_load(struct spool_found *found, struct buf *why)
{
    uint32_t *live = calloc(found->count + 1u, sizeof(*live));
    uint8_t text[SENTENCE_BYTES];
    struct buf sentence = { text, 0, sizeof(text) };

    if (live == NULL) {
        buf_printf(why, "memory is short");
        return false;
    }
    spool_index_live(&found->index, live);
    for (uint32_t i = 0; i < found->count; i++)
        found->segments[i].live = live[i];
    free(live);
    if (found->index.damaged + found->index.doubles > 0 &&
        buf_printf(&sentence, "%u messages have lost a part, %u ids were given twice",
                   found->index.damaged, found->index.doubles))
        note(found, &sentence);
    return true;
}

bool spool_recover_load(struct spool_io *io, struct spool_found *out, struct buf *why)
{
    uint8_t *window = aligned_alloc(SPOOL_BLOCK_BYTES, SPOOL_SCAN_WINDOW_BYTES);
    bool loaded;

    ASSERT(out->count == 0);
    if (window == NULL) {
        buf_printf(why, "memory is short");
        return false;
    }
    loaded = segments_load(io, out, why) && read_all(io, out, window, why) && sum_up_load(out, why);
    free(window);
    return loaded;
}

void spool_recover_destroy(struct spool_found *found)
{
    free(found->segments);
    found->segments = NULL;
    found->count = 0;
    spool_index_destroy(&found->index);
}

struct spool_found_segment *spool_recover_newest(const struct spool_found *found)
{
    struct spool_found_segment *last = found->count > 0 ? &found->segments[found->count - 1] : NULL;

    return last != NULL && last->find == FIND_GOOD ? last : NULL;
}
