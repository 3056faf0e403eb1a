/* See rig.h. Whatever must go well here is asserted: a test that stands on sand says so. */
#include "lib/unit.h"

#include "unit/spool/rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mail.h"

#define STEPS_MAX 20000 /* more is a hang */

void rig_make(struct rig *r, uint64_t seed)
{
    memset(r, 0, sizeof(*r));
    rng_seed(&r->rng, seed);
    r->clock = (struct clock){ NS_PER_S, 1790000000000ULL };
    r->disk = sim_disk_create(&r->clock, &r->rng, false);
    r->io = sim_disk_io(r->disk);
    r->config = (struct spool_config){
        .bytes_max = 32 * RIG_SEGMENT_BYTES,
        .segment_bytes = RIG_SEGMENT_BYTES,
        .ports = 1,
        .extents_per_port = 8,
        .messages_per_port = 8,
    };
}

void rig_unmake(struct rig *r)
{
    rig_close(r);
    sim_disk_destroy(r->disk);
}

bool rig_open(struct rig *r)
{
    struct spool_env env = { .io = r->io, .counters = &r->counters };
    struct buf why = { (uint8_t *)r->why, 0, sizeof(r->why) - 1 };

    assert_null(r->spool);
    memset(r->why, 0, sizeof(r->why));
    r->spool = spool_open(&r->config, &env, &r->recovery, &why);
    r->port = r->spool != NULL ? spool_port(r->spool, 0) : NULL;
    assert_true((r->spool == NULL) == (why.len > 0));
    return r->spool != NULL;
}

void rig_close(struct rig *r)
{
    spool_close(r->spool);
    r->spool = NULL;
    r->port = NULL;
}

void rig_step(struct rig *r)
{
    uint64_t next;

    spool_turn(r->spool);
    next = sim_disk_next_ns(r->disk);
    if (next != UINT64_MAX && next > r->clock.now_ns)
        r->clock.now_ns = next;
}

void rig_settle(struct rig *r)
{
    for (unsigned steps = 0; !spool_idle(r->spool); steps++) {
        assert_true(steps < STEPS_MAX);
        rig_step(r);
    }
}

void rig_fail_nth(struct rig *r, uint64_t nth)
{
    struct sim_disk_faults faults = { .nth = nth };

    sim_disk_set_faults(r->disk, &faults);
}

void rig_fail_call(struct rig *r, uint64_t nth)
{
    struct sim_disk_faults faults = { .nth_call = nth };

    sim_disk_set_faults(r->disk, &faults);
}

void rig_fill(uint64_t id, uint64_t offset, uint8_t *to, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        to[i] = (uint8_t)((offset + i) * 31 + id * 7 + ((offset + i) >> 8));
}

struct spool_message *rig_send(struct rig *r, uint64_t id, uint32_t bytes)
{
    struct spool_message *m = spool_message_begin(r->port, NULL);
    struct mail mail = { .body_bytes = bytes, .id = id };
    uint8_t room[64];
    struct buf envelope = { room, 0, sizeof(room) };

    assert_non_null(m);
    assert_true(mail_field_put(&envelope, MAIL_FIELD_SENDER, SPAN_LITERAL("a@x.example")));
    mail.envelope = span_of(room, envelope.len);
    mail.header = SPAN_LITERAL("Received: by a test\r\n");
    for (uint32_t done = 0, steps = 0; done < bytes; steps++) {
        struct spool_extent *e = spool_extent_get(r->port);

        assert_true(steps < STEPS_MAX);
        if (e == NULL) {
            rig_step(r);
            continue;
        }
        e->len = bytes - done < e->cap ? bytes - done : e->cap;
        rig_fill(id, done, e->data, e->len);
        spool_message_append(r->port, m, e);
        done += e->len;
    }
    assert_true(spool_message_commit(r->port, m, &mail));
    return m;
}

enum spool_state rig_answer(struct rig *r)
{
    struct spool_message *m = spool_port_poll(r->port);
    enum spool_state state;

    for (unsigned steps = 0; m == NULL; steps++) {
        assert_true(steps < STEPS_MAX);
        rig_step(r);
        m = spool_port_poll(r->port);
    }
    state = m->state;
    spool_message_release(r->port, m);
    return state;
}

struct spool_reader *rig_read(struct rig *r)
{
    struct buf why = { (uint8_t *)r->why, 0, sizeof(r->why) - 1 };
    struct spool_reader *reader;

    memset(r->why, 0, sizeof(r->why));
    reader = spool_reader_open(r->io, &why);
    assert_string_equal(r->why, "");
    assert_non_null(reader);
    return reader;
}

static bool body_is(struct spool_reader *reader, uint64_t index, uint64_t id, uint32_t bytes)
{
    static uint8_t want[LIMIT_EXTENT_BYTES];
    static uint8_t got[LIMIT_EXTENT_BYTES];
    uint64_t at = 0;

    for (;;) {
        struct buf out = { got, 0, sizeof(got) };
        int64_t n = spool_reader_body(reader, index, at, &out);

        if (n <= 0)
            return n == 0 && at == bytes;
        rig_fill(id, at, want, (uint32_t)n);
        if (memcmp(want, got, (size_t)n) != 0)
            return false;
        at += (uint64_t)n;
    }
}

bool rig_reads(struct spool_reader *reader, uint64_t id, uint32_t bytes)
{
    uint64_t index;

    return spool_reader_find(reader, id, &index) && !spool_reader_damaged(reader, index) &&
           body_is(reader, index, id, bytes);
}

bool rig_holds(struct rig *r, uint64_t id, uint32_t bytes)
{
    struct spool_reader *reader = rig_read(r);
    bool holds = rig_reads(reader, id, bytes);

    spool_reader_close(reader);
    return holds;
}

/* --- segments by hand ------------------------------------------------------------------------ */

static void make(struct rig_image *g, const struct spool_segment_header *h)
{
    *g = (struct rig_image){
        .bytes = calloc(1, h->segment_bytes),
        .header = *h,
        .generation = h->generation,
        .at = SPOOL_BLOCK_BYTES,
    };
    assert_non_null(g->bytes);
    spool_format_header_encode(&g->header, g->bytes);
}

void rig_image_make(struct rig_image *g, uint64_t sequence, uint64_t generation)
{
    make(g, &(struct spool_segment_header){ .sequence = sequence,
                                            .generation = generation,
                                            .segment_bytes = RIG_SEGMENT_BYTES });
}

void rig_image_make_sized(struct rig_image *g, uint64_t sequence, uint64_t bytes)
{
    make(g, &(struct spool_segment_header){
                .sequence = sequence, .generation = sequence, .segment_bytes = bytes });
}

void rig_image_free(struct rig_image *g)
{
    free(g->bytes);
}

void rig_image_follow(struct rig_image *g, uint64_t previous, uint64_t previous_end, uint32_t flags)
{
    g->header.previous = previous;
    g->header.previous_end = previous_end;
    g->header.flags = flags;
    spool_format_header_encode(&g->header, g->bytes);
}

uint64_t rig_image_record(struct rig_image *g, struct spool_record r, const void *body)
{
    uint64_t at = g->at;

    r.generation = g->generation;
    r.offset = at;
    if (r.span_bytes == 0)
        r.span_bytes = spool_format_span(r.body_bytes);
    assert_true(at + r.span_bytes <= g->header.segment_bytes);
    spool_format_record_seal(&r, body);
    memcpy(g->bytes + at, &r, sizeof(r));
    memcpy(g->bytes + at + sizeof(r), body, r.body_bytes);
    g->at += r.span_bytes;
    return at;
}

uint64_t rig_image_extent(struct rig_image *g, struct rig_mail *m, const char *text)
{
    struct spool_record r = {
        .type = RECORD_EXTENT,
        .ticket = m->ticket,
        .number = m->extents,
        .body_bytes = (uint32_t)strlen(text),
    };
    uint32_t body_crc = spool_format_crc(g->generation, text, r.body_bytes);

    m->crc = spool_format_extents_crc(m->crc, m->ticket, m->extents++, body_crc);
    m->bytes += r.body_bytes;
    return rig_image_record(g, r, text);
}

uint64_t rig_image_commit(struct rig_image *g, const struct rig_mail *m)
{
    struct spool_commit c = {
        .id = m->id,
        .body_bytes = m->bytes,
        .stored_bytes = m->bytes,
        .extents = m->extents,
        .extents_crc = m->crc,
    };
    struct spool_record r = {
        .type = RECORD_COMMIT,
        .ticket = m->ticket,
        .number = m->extents,
        .body_bytes = sizeof(c),
    };

    return rig_image_record(g, r, &c);
}

void rig_image_message(struct rig_image *g, uint64_t id, const char *text)
{
    struct rig_mail m = { .ticket = id, .id = id };

    rig_image_extent(g, &m, text);
    rig_image_commit(g, &m);
}

void rig_image_resume(struct rig_image *g, uint64_t previous_end, uint64_t generation)
{
    struct spool_resume body = { generation, previous_end };
    struct spool_record r = {
        .type = RECORD_RESUME,
        .body_bytes = sizeof(body),
        .span_bytes = SPOOL_BLOCK_BYTES,
    };

    g->at = spool_format_block_up(g->at);
    rig_image_record(g, r, &body);
    g->generation = generation;
}

void rig_image_put(const struct rig_image *g, struct rig *r, uint32_t number)
{
    char name[SPOOL_NAME_BYTES];

    spool_format_name(number, name);
    sim_disk_put(r->disk, name, g->bytes, g->header.segment_bytes);
}
