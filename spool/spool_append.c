/*
 * Happy path: a record is copied into the open batch; the batch is written when it is full, or when
 * none is under way, so that the next one is whatever arrived meanwhile. Completions move
 * durable_end over the unbroken row of good ones; commits before it are answered.
 *
 * Failure modes: a write fails or is short: the segment is sealed, the row of writes runs dry, and
 * all that has a record past durable_end fails. No room: the segment changes (spool_segment.c), or
 * the message is refused.
 */
#include "spool/spool_append.h"

#include <errno.h>

#include "spool/spool_roll.h"
#include "spool/spool_segment.h"

enum spool_state spool_append_verdict(int error)
{
    ASSERT(error != 0);
    return error == ENOSPC || error == EDQUOT || error == EFBIG ? SPOOL_FULL : SPOOL_FAILED;
}

static struct spool_flight *take_off(struct spool *s, struct spool_batch *b, uint32_t len)
{
    unsigned at = (s->flight_first + s->flight_count) % LIMIT_SPOOL_DEPTH;
    struct spool_flight *f = &s->flights[at];

    ASSERT(s->phase == PHASE_RUN || s->phase == PHASE_DRAIN);
    ASSERT(s->flight_count < LIMIT_SPOOL_DEPTH);
    ASSERT(s->offset % SPOOL_BLOCK_BYTES == 0);
    ASSERT(s->offset + len <= s->active->zeroed);
    *f = (struct spool_flight){ .kind = FLIGHT_BATCH, .flying = true, .offset = s->offset };
    f->len = len;
    f->batch = b;
    s->flight_count++;
    s->offset += len;
    return f;
}

static void submit(struct spool *s, struct spool_flight *f)
{
    struct spool_io_request r = {
        .op = SPOOL_IO_OP_WRITE_DURABLE,
        .file = s->active->file,
        .offset = f->offset,
        .data = f->batch->data,
        .len = f->len,
        .tag = f,
    };

    ASSERT(f->len > 0);
    ASSERT(f->len % SPOOL_BLOCK_BYTES == 0);
    s->io->ops->submit(s->io, &r);
}

bool spool_append_close_batch(struct spool *s)
{
    struct spool_batch *b = s->open;
    uint32_t len;
    struct spool_record last;

    if (b == NULL)
        return true;
    if (s->flight_count == LIMIT_SPOOL_DEPTH)
        return false;
    ASSERT(b->len > 0);
    ASSERT(b->offset == s->offset);
    len = (uint32_t)spool_format_block_up(b->len);
    memset(b->data + b->len, 0, len - b->len);
    memcpy(&last, b->data + b->last, sizeof(last));
    spool_format_record_stretch(&last, last.span_bytes + len - b->len);
    memcpy(b->data + b->last, &last, sizeof(last));
    s->batches_flying++;
    s->open = NULL;
    submit(s, take_off(s, b, len));
    return true;
}

void spool_append_submit(struct spool *s)
{
    if (s->open != NULL && s->batches_flying == 0 && s->phase == PHASE_RUN)
        (void)spool_append_close_batch(s); /* false: a completion will bring us here again */
}

/* A free batch becomes the open one; false: all are under way. */
static bool open_batch(struct spool *s)
{
    for (unsigned i = 0; i < LIMIT_SPOOL_BATCHES; i++) {
        struct spool_batch *b = &s->batches[i];

        if (b->used)
            continue;
        b->used = true;
        b->offset = s->offset;
        b->len = 0;
        b->last = 0;
        s->open = b;
        return true;
    }
    return false;
}

/* No room for `bytes` more at the end of what is placed: PLACED means there is. */
static enum spool_append_result room_for(struct spool *s, uint64_t at, uint32_t bytes)
{
    uint64_t end = spool_format_block_up(at + bytes);

    if (end > s->active->limit) {
        if (!spool_append_close_batch(s))
            return APPEND_WAIT;
        return spool_roll_want(s) ? APPEND_WAIT : APPEND_REFUSED;
    }
    return end > s->active->zeroed ? APPEND_WAIT : APPEND_PLACED;
}

/* Before anything is placed: PLACED means that `active` takes records. */
static enum spool_append_result ready(struct spool *s)
{
    if (s->phase == PHASE_RUN)
        return APPEND_PLACED;
    return spool_roll_want(s) ? APPEND_WAIT : APPEND_REFUSED;
}

/* Makes room for a record in the open batch. */
static enum spool_append_result batch_room(struct spool *s, uint32_t bytes)
{
    enum spool_append_result result = ready(s);

    if (result != APPEND_PLACED)
        return result;
    if (s->open != NULL && s->open->len + bytes > LIMIT_SPOOL_BATCH_BYTES &&
        !spool_append_close_batch(s))
        return APPEND_WAIT;
    result = room_for(s, s->offset + (s->open != NULL ? s->open->len : 0), bytes);
    if (result != APPEND_PLACED)
        return result;
    return s->open != NULL || open_batch(s) ? APPEND_PLACED : APPEND_WAIT;
}

static struct spool_record record_for(const struct spool *s, const struct spool_port_message *m,
                                      enum spool_record_type type, uint32_t body_bytes)
{
    return (struct spool_record){
        .type = (uint16_t)type,
        .generation = s->generation,
        .ticket = m->ticket,
        .number = m->extents,
        .body_bytes = body_bytes,
        .span_bytes = spool_format_span(body_bytes),
    };
}

/* Puts a record whose body stands in its place already at the end of the open batch. */
static void batch_put(struct spool *s, struct spool_record *r)
{
    struct spool_batch *b = s->open;
    uint8_t *at = b->data + b->len;
    uint32_t used = (uint32_t)sizeof(*r) + r->body_bytes;

    r->offset = b->offset + b->len;
    spool_format_record_seal(r, at + sizeof(*r));
    memcpy(at, r, sizeof(*r));
    memset(at + used, 0, r->span_bytes - used);
    b->last = b->len;
    b->len += r->span_bytes;
    ASSERT(b->len <= LIMIT_SPOOL_BATCH_BYTES);
}

static void count_extent(struct spool_port_message *m, const struct spool_record *r)
{
    m->extents_crc = spool_format_extents_crc(m->extents_crc, m->ticket, m->extents, r->body_crc);
    m->extents++;
    m->stored_bytes += r->body_bytes;
}

enum spool_append_result spool_append_extent(struct spool *s, struct spool_port_extent *e)
{
    struct spool_port_message *m = e->message;
    struct spool_record r = record_for(s, m, RECORD_EXTENT, e->pub.len);
    enum spool_append_result result = batch_room(s, r.span_bytes);

    ASSERT(m->verdict == SPOOL_FILLING);
    ASSERT(!m->committed);
    if (result != APPEND_PLACED)
        return result;
    r.generation = s->generation;
    memcpy(s->open->data + s->open->len + sizeof(r), e->pub.data, e->pub.len);
    batch_put(s, &r);
    count_extent(m, &r);
    spool_segment_hold(s, m, r.offset + r.span_bytes);
    spool_port_send_home(e);
    return APPEND_PLACED;
}

enum spool_append_result spool_append_commit(struct spool *s, struct spool_port_message *m)
{
    struct spool_record r = record_for(s, m, RECORD_COMMIT, m->texts_bytes);
    enum spool_append_result result = batch_room(s, r.span_bytes);
    struct spool_commit commit;
    uint8_t *body;

    ASSERT(!m->committed);
    if (result != APPEND_PLACED)
        return result;
    r.generation = s->generation;
    body = s->open->data + s->open->len + sizeof(r);
    memcpy(body, m->texts, m->texts_bytes);
    memcpy(&commit, body, sizeof(commit));
    commit.stored_bytes = m->stored_bytes;
    commit.extents = m->extents;
    commit.extents_crc = m->extents_crc;
    ASSERT(commit.body_bytes <= commit.stored_bytes);
    memcpy(body, &commit, sizeof(commit));
    batch_put(s, &r);
    spool_segment_hold(s, m, r.offset + r.span_bytes);
    m->committed = true;
    list_append(&s->committed, &m->wait);
    spool_port_texts_taken(m);
    return APPEND_PLACED;
}

/* --- what completions mean -------------------------------------------------------------------- */

/* W4: the commits that durable_end has passed. */
static void answer_durable(struct spool *s)
{
    while (!list_empty(&s->committed)) {
        struct spool_port_message *m =
            LIST_ENTRY(s->committed.head.next, struct spool_port_message, wait);

        ASSERT(m->last_sequence == s->active->sequence);
        if (m->last_end > s->durable_end)
            return;
        list_remove(&m->wait);
        list_remove(&m->live);
        counter_inc(s->env.counters, COUNTER_SPOOL_COMMITS);
        spool_port_reply(m, ITEM_DONE, SPOOL_DURABLE);
    }
}

/*
 * Moves durable_end over the unbroken row of good writes. From the first failed one on nothing
 * counts, and the ended ones are only taken off.
 */
static void shorten_row(struct spool *s)
{
    while (s->flight_count > 0) {
        const struct spool_flight *f = &s->flights[s->flight_first];

        if (f->flying)
            return;
        if (f->failed)
            s->holed = true;
        if (!s->holed) {
            ASSERT(f->offset == s->durable_end);
            s->durable_end = f->offset + f->len;
        }
        s->flight_first = (s->flight_first + 1) % LIMIT_SPOOL_DEPTH;
        s->flight_count--;
    }
}

void spool_append_done(struct spool *s, struct spool_flight *f, int32_t result)
{
    ASSERT(f->kind == FLIGHT_BATCH);
    ASSERT(f->flying);
    ASSERT(s->flight_count > 0);
    f->flying = false;
    f->failed = result < 0 || (uint32_t)result != f->len;
    f->batch->used = false;
    s->batches_flying--;
    counter_inc(s->env.counters, f->failed ? COUNTER_SPOOL_WRITE_ERRORS : COUNTER_SPOOL_WRITES);
    if (f->failed)
        spool_roll_seal(s, result < 0 ? -result : EIO);
    else
        counter_add(s->env.counters, COUNTER_SPOOL_WRITE_BYTES, f->len);
    shorten_row(s);
    answer_durable(s);
}

void spool_append_doom(struct spool *s, struct spool_port_message *m, enum spool_state verdict)
{
    ASSERT(m->verdict == SPOOL_FILLING);
    ASSERT(!m->committed);
    m->verdict = verdict;
    spool_segment_let_go(s, m);
    spool_port_notice(m, verdict);
}

void spool_append_cut(struct spool *s)
{
    enum spool_state verdict = spool_append_verdict(s->error);

    ASSERT(s->sealed);
    ASSERT(s->flight_count == 0);
    if (s->open != NULL)
        s->open->used = false;
    s->open = NULL;
    s->offset = s->durable_end;
    for (struct list_node *n = s->live.head.next; n != &s->live.head; n = n->next) {
        struct spool_port_message *m = LIST_ENTRY(n, struct spool_port_message, live);

        if (m->verdict != SPOOL_FILLING || m->last_sequence != s->active->sequence ||
            m->last_end <= s->durable_end)
            continue;
        if (!m->committed) {
            spool_append_doom(s, m, verdict);
            continue;
        }
        m->verdict = verdict;
        list_remove(&m->wait);
        list_append(&s->withheld, &m->wait);
    }
    ASSERT(list_empty(&s->committed));
}

void spool_append_answer_withheld(struct spool *s, bool cut_is_durable)
{
    struct list_node *n;

    while ((n = list_pop(&s->withheld)) != NULL) {
        struct spool_port_message *m = LIST_ENTRY(n, struct spool_port_message, wait);

        ASSERT(m->committed);
        ASSERT(m->verdict != SPOOL_FILLING);
        list_remove(&m->live);
        /* S10: without the cut the disk may show it again, and then its extents must be there. */
        if (cut_is_durable)
            spool_segment_let_go(s, m);
        else
            counter_inc(s->env.counters, COUNTER_SPOOL_UNCUT);
        spool_port_reply(m, ITEM_DONE, m->verdict);
    }
}
