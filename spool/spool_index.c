/* Arrays that grow by doubling; extents of a message are a chain through one array of all. */
#include "spool/spool_index.h"

#include <stdlib.h>

#define ROOM_MIN 256

void spool_index_destroy(struct spool_index *x)
{
    for (uint32_t i = 0; i < x->message_count; i++)
        free(x->messages[i].texts);
    free(x->extents);
    free(x->tickets);
    free(x->messages);
    spool_map_destroy(&x->by_ticket);
    spool_map_destroy(&x->by_id);
    *x = (struct spool_index){ 0 };
}

/* Room for one more item of an array; false: memory is short. */
static bool make_room(void **array, uint32_t count, uint32_t *room, size_t size)
{
    uint32_t bigger = *room == 0 ? ROOM_MIN : *room * 2;
    void *grown;

    if (count < *room)
        return true;
    if (bigger <= *room)
        return false;
    grown = realloc(*array, bigger * size);
    if (grown == NULL)
        return false;
    *array = grown;
    *room = bigger;
    return true;
}

/* The ticket's entry, made when it is new; NULL: memory is short. */
static struct spool_index_ticket *ticket_of(struct spool_index *x, uint64_t ticket)
{
    uint32_t at;

    if (spool_map_find(&x->by_ticket, ticket, &at))
        return &x->tickets[at];
    if (!make_room((void **)&x->tickets, x->ticket_count, &x->ticket_room, sizeof(*x->tickets)) ||
        !spool_map_put(&x->by_ticket, ticket, x->ticket_count))
        return NULL;
    at = x->ticket_count++;
    x->tickets[at] = (struct spool_index_ticket){ .ticket = ticket,
                                                  .first = SPOOL_INDEX_NONE,
                                                  .last = SPOOL_INDEX_NONE };
    return &x->tickets[at];
}

static bool add_extent(struct spool_index *x, uint32_t segment, const struct spool_record *r)
{
    struct spool_index_ticket *t = ticket_of(x, r->ticket);
    uint32_t at = x->extent_count;

    if (t == NULL)
        return false;
    if (r->number != t->extents || t->committed) {
        t->broken = true;
        return true;
    }
    if (!make_room((void **)&x->extents, at, &x->extent_room, sizeof(*x->extents)))
        return false;
    x->extent_count++;
    x->extents[at] = (struct spool_index_extent){
        .offset = r->offset,
        .generation = r->generation,
        .segment = segment,
        .bytes = r->body_bytes,
        .next = SPOOL_INDEX_NONE,
    };
    if (t->last == SPOOL_INDEX_NONE)
        t->first = at;
    else
        x->extents[t->last].next = at;
    t->last = at;
    t->crc = spool_format_extents_crc(t->crc, r->ticket, r->number, r->body_crc);
    t->extents++;
    t->stored_bytes += r->body_bytes;
    return true;
}

/* V10 */
static bool whole(const struct spool_index_ticket *t, const struct spool_commit *c)
{
    return !t->broken && t->extents == c->extents && t->stored_bytes == c->stored_bytes &&
           t->crc == c->extents_crc;
}

static uint8_t *texts_load(const struct spool_format_parts *parts)
{
    size_t bytes = (size_t)parts->envelope.len + parts->header.len;
    uint8_t *texts = malloc(bytes + 1);

    if (texts == NULL)
        return NULL;
    memcpy(texts, parts->envelope.ptr, parts->envelope.len);
    memcpy(texts + parts->envelope.len, parts->header.ptr, parts->header.len);
    return texts;
}

static bool put_message(struct spool_index *x, struct spool_index_message m,
                        const struct spool_format_parts *parts)
{
    if (!make_room((void **)&x->messages, x->message_count, &x->message_room,
                   sizeof(*x->messages)) ||
        !spool_map_put(&x->by_id, m.id, x->message_count))
        return false;
    if (x->keep_texts && (m.texts = texts_load(parts)) == NULL)
        return false;
    x->messages[x->message_count++] = m;
    if (m.damaged)
        x->damaged++;
    return true;
}

static bool add_commit(struct spool_index *x, uint32_t segment, const struct spool_record *r,
                       struct span body)
{
    struct spool_index_message message;
    struct spool_index_ticket *t = ticket_of(x, r->ticket);
    struct spool_format_parts parts;
    uint32_t twin;

    if (t == NULL)
        return false;
    if (!spool_format_commit_decode(body, &parts) || t->committed) {
        t->broken = true;
        return true;
    }
    t->committed = true;
    if (parts.commit.id > x->id_max)
        x->id_max = parts.commit.id;
    /* V11 */
    if (spool_map_find(&x->by_id, parts.commit.id, &twin)) {
        x->doubles++;
        return true;
    }
    message = (struct spool_index_message){
        .id = parts.commit.id,
        .body_bytes = parts.commit.body_bytes,
        .stored_bytes = parts.commit.stored_bytes,
        .envelope_bytes = parts.envelope.len,
        .header_bytes = parts.header.len,
        .flags = parts.commit.flags,
        .first = t->first,
        .segment = segment,
        .damaged = !whole(t, &parts.commit),
    };
    return put_message(x, message, &parts);
}

bool spool_index_add(struct spool_index *x, uint32_t segment, const struct spool_record *record,
                     struct span body)
{
    ASSERT(body.len == record->body_bytes);
    if (record->type == RECORD_EXTENT)
        return add_extent(x, segment, record);
    ASSERT(record->type == RECORD_COMMIT);
    return add_commit(x, segment, record, body);
}

uint32_t spool_index_dropped(const struct spool_index *x)
{
    uint32_t dropped = 0;

    for (uint32_t i = 0; i < x->ticket_count; i++)
        dropped += !x->tickets[i].committed;
    return dropped;
}

void spool_index_live(const struct spool_index *x, uint32_t *live)
{
    for (uint32_t i = 0; i < x->message_count; i++) {
        const struct spool_index_message *m = &x->messages[i];

        live[m->segment]++;
        for (uint32_t e = m->first; e != SPOOL_INDEX_NONE; e = x->extents[e].next)
            live[x->extents[e].segment]++;
    }
}
