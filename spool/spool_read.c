/*
 * Readers' side: what is on disk at the moment of opening, by the same rules as recovery. Bodies
 * are read when asked for and checked again, since a segment may be used anew behind a reader's
 * back.
 *
 * Failure modes: a directory that cannot be read: no reader, with a sentence. A message that has
 * lost a part, or whose segment has gone meanwhile: -1 for its body.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mail.h"
#include "spool/spool.h"
#include "spool/spool_recover.h"

/* A record of any size, read by whole blocks: it may begin anywhere in the first. */
#define RECORD_BYTES (LIMIT_SPOOL_RECORD_BYTES + SPOOL_BLOCK_BYTES)
#define NOTES_BYTES  65536

struct spool_reader {
    struct spool_io *io;
    struct spool_found found;
    uint8_t *record;        /* RECORD_BYTES: the last extent read */
    uint32_t record_extent; /* which one it is; SPOOL_INDEX_NONE: none */
    int file;               /* of file_segment; -1: none */
    uint32_t file_segment;
    /* Where the last call ended, so that reading on does not walk the chain from its front. */
    uint64_t at_message;
    uint32_t at_extent;
    uint64_t at_offset; /* of that extent's first byte in the body */
    char *notes;        /* sentences of recovery, a line each, NUL-ended */
    struct buf notes_buf;
};

static void keep_note(void *arg, const char *sentence)
{
    struct spool_reader *r = arg;

    (void)buf_printf(&r->notes_buf, "%s\n",
                     sentence); /* past the room: the first ones tell enough */
}

static struct spool_reader *make(struct spool_io *io)
{
    struct spool_reader *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return NULL;
    r->io = io;
    r->file = -1;
    r->record_extent = SPOOL_INDEX_NONE;
    r->at_message = UINT64_MAX;
    r->record = aligned_alloc(SPOOL_BLOCK_BYTES, RECORD_BYTES);
    r->notes = calloc(1, NOTES_BYTES);
    r->notes_buf = (struct buf){ (uint8_t *)r->notes, 0, NOTES_BYTES };
    r->found.note = keep_note;
    r->found.note_arg = r;
    r->found.index.keep_texts = true;
    return r;
}

static void unmake(struct spool_reader *r)
{
    spool_recover_destroy(&r->found);
    free(r->record);
    free(r->notes);
    free(r);
}

struct spool_reader *spool_reader_open(struct spool_io *io, struct buf *why)
{
    struct spool_reader *r = make(io);

    if (r == NULL || r->record == NULL || r->notes == NULL) {
        buf_printf(why, "memory is short");
        if (r != NULL)
            unmake(r);
        return NULL;
    }
    if (!spool_recover_load(io, &r->found, why)) {
        unmake(r);
        return NULL;
    }
    return r;
}

void spool_reader_close(struct spool_reader *r)
{
    if (r == NULL)
        return;
    if (r->file >= 0)
        r->io->ops->close(r->io, r->file);
    unmake(r);
}

const char *spool_reader_notes(const struct spool_reader *r)
{
    return r->notes;
}

void spool_reader_totals(const struct spool_reader *r, struct spool_recovery *out)
{
    *out = (struct spool_recovery){
        .messages = r->found.index.message_count - r->found.index.damaged,
        .dropped = spool_index_dropped(&r->found.index),
        .bytes_read = r->found.read_bytes,
        .id_max = r->found.index.id_max,
        .damaged = r->found.index.damaged,
    };
    for (uint32_t i = 0; i < r->found.count; i++)
        out->segments += r->found.segments[i].find == FIND_GOOD;
}

uint64_t spool_reader_count(const struct spool_reader *r)
{
    return r->found.index.message_count;
}

bool spool_reader_at(const struct spool_reader *r, uint64_t index, struct mail *out)
{
    const struct spool_index_message *m;

    if (index >= r->found.index.message_count)
        return false;
    m = &r->found.index.messages[index];
    *out = (struct mail){
        .envelope = span_of(m->texts, m->envelope_bytes),
        .header = span_of(m->texts + m->envelope_bytes, m->header_bytes),
        .body_bytes = m->body_bytes,
        .flags = m->flags,
        .id = m->id,
    };
    return true;
}

bool spool_reader_damaged(const struct spool_reader *r, uint64_t index)
{
    ASSERT(index < r->found.index.message_count);
    return r->found.index.messages[index].damaged;
}

bool spool_reader_find(const struct spool_reader *r, uint64_t id, uint64_t *index)
{
    uint32_t at;

    if (!spool_map_find(&r->found.index.by_id, id, &at))
        return false;
    *index = at;
    return true;
}

/* The file of a segment, kept open until another one is needed. */
static int file_of(struct spool_reader *r, uint32_t segment)
{
    char name[SPOOL_NAME_BYTES];

    if (r->file >= 0 && r->file_segment == segment)
        return r->file;
    if (r->file >= 0)
        r->io->ops->close(r->io, r->file);
    spool_format_name(r->found.segments[segment].number, name);
    r->file = r->io->ops->open(r->io, name, SPOOL_IO_READ, 0);
    r->file_segment = segment;
    return r->file;
}

/* The body of an extent's record, read and checked; NULL: it is not there any more. */
static const uint8_t *extent_load(struct spool_reader *r, uint32_t extent)
{
    const struct spool_index_extent *e = &r->found.index.extents[extent];
    uint64_t from = e->offset & ~(uint64_t)(SPOOL_BLOCK_BYTES - 1);
    uint32_t skip = (uint32_t)(e->offset - from);
    uint64_t need = spool_format_block_up(skip + sizeof(struct spool_record) + e->bytes);
    struct spool_format_place at = { e->generation, e->offset, UINT64_MAX };
    struct spool_record record;
    int file;
    int64_t got;

    if (r->record_extent == extent)
        return r->record + skip + sizeof(record);
    r->record_extent = SPOOL_INDEX_NONE;
    file = file_of(r, e->segment);
    if (file < 0 || need > RECORD_BYTES)
        return NULL;
    got = r->io->ops->read(r->io, file, from, r->record, (uint32_t)need);
    if (got < (int64_t)(skip + sizeof(record) + e->bytes))
        return NULL;
    if (spool_format_record_check(r->record + skip, &at, &record) != SPOOL_VALID ||
        record.body_bytes != e->bytes ||
        !spool_format_body_check(&record, r->record + skip + sizeof(record)))
        return NULL;
    r->record_extent = extent;
    return r->record + skip + sizeof(record);
}

/* Sets at_extent to the one that holds a body's offset; false: the chain ends before it. */
static bool seek(struct spool_reader *r, uint64_t index, uint64_t offset)
{
    const struct spool_index *x = &r->found.index;

    if (r->at_message != index || offset < r->at_offset) {
        r->at_message = index;
        r->at_extent = x->messages[index].first;
        r->at_offset = 0;
    }
    while (r->at_extent != SPOOL_INDEX_NONE &&
           offset - r->at_offset >= x->extents[r->at_extent].bytes) {
        r->at_offset += x->extents[r->at_extent].bytes;
        r->at_extent = x->extents[r->at_extent].next;
    }
    return r->at_extent != SPOOL_INDEX_NONE;
}

int64_t spool_reader_body(struct spool_reader *r, uint64_t index, uint64_t offset, struct buf *out)
{
    const struct spool_index_message *m;
    const uint8_t *body;
    uint64_t n;

    ASSERT(index < r->found.index.message_count);
    m = &r->found.index.messages[index];
    if (m->damaged)
        return -1;
    if (offset >= m->body_bytes)
        return 0;
    if (!seek(r, index, offset))
        return -1;
    body = extent_load(r, r->at_extent);
    if (body == NULL)
        return -1;
    n = r->found.index.extents[r->at_extent].bytes - (offset - r->at_offset);
    if (n > m->body_bytes - offset)
        n = m->body_bytes - offset;
    if (n > buf_room(out))
        n = buf_room(out);
    memcpy(out->ptr + out->len, body + (offset - r->at_offset), n);
    out->len += (uint32_t)n;
    return (int64_t)n;
}
