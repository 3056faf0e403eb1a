/* A list of messages with what is to be expected of each; a look marks those that it finds. */
#include "sim/check_durable.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/byteorder.h"

#define MESSAGES_MAX 65536

enum fate {
    FATE_OPEN,    /* asked for, no word yet */
    FATE_THERE,   /* must be there */
    FATE_REFUSED, /* must not be there, unless the stop allows doubles */
    FATE_EITHER,  /* the next look decides */
    FATE_DOUBLE,  /* as before, and it was refused */
    FATE_ABSENT,  /* must not be there */
};

struct entry {
    uint64_t id;
    uint64_t body_bytes;
    enum fate fate;
    bool found;
};

struct check_durable {
    struct entry entries[MESSAGES_MAX];
    uint32_t count;
    uint32_t durable;
    uint32_t doubles;
};

struct check_durable *check_durable_create(void)
{
    struct check_durable *c = calloc(1, sizeof(*c));

    ASSERT(c != NULL);
    return c;
}

void check_durable_destroy(struct check_durable *c)
{
    free(c);
}

/* --- what a message looks like ---------------------------------------------------------------- */

static uint64_t word(uint64_t id, uint64_t n)
{
    uint64_t x = id * 0x9e3779b97f4a7c15ULL + n * 0xd1342543de82ef95ULL + 1;

    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9ULL;
    return x ^ x >> 32;
}

void check_durable_fill(uint64_t id, uint64_t offset, uint8_t *to, uint32_t len)
{
    uint32_t done = 0;

    while (done < len) {
        uint8_t bytes[8];
        uint32_t skip = (uint32_t)((offset + done) % 8);
        uint32_t part = 8 - skip;

        if (part > len - done)
            part = len - done;
        store_le64(bytes, word(id, (offset + done) / 8));
        memcpy(to + done, bytes + skip, part);
        done += part;
    }
}

void check_durable_texts(uint64_t id, struct buf *envelope, struct buf *header)
{
    static uint8_t bytes[2048];
    uint32_t recipients = (uint32_t)(word(id, 1) % 20);
    uint32_t header_bytes = (uint32_t)(word(id, 2) % 600);
    bool put = mail_field_put(envelope, MAIL_FIELD_SENDER, SPAN_LITERAL("a@example.org"));

    for (uint32_t i = 0; i < recipients; i++) {
        uint32_t len = (uint32_t)(word(id, 3 + i) % 64);

        check_durable_fill(id + i, 0, bytes, len);
        put = put && mail_field_put(envelope, MAIL_FIELD_RECIPIENT, span_of(bytes, len));
    }
    check_durable_fill(id, 1, bytes, header_bytes);
    put = put && buf_put(header, span_of(bytes, header_bytes));
    ASSERT(put);
}

/* --- what is said ----------------------------------------------------------------------------- */

static struct entry *entry_of(struct check_durable *c, uint64_t id)
{
    for (uint32_t i = c->count; i > 0; i--)
        if (c->entries[i - 1].id == id)
            return &c->entries[i - 1];
    return NULL;
}

void check_durable_asked(struct check_durable *c, uint64_t id, uint64_t body_bytes)
{
    ASSERT(c->count < MESSAGES_MAX);
    ASSERT(entry_of(c, id) == NULL); /* two messages never share an id */
    c->entries[c->count++] = (struct entry){ .id = id, .body_bytes = body_bytes };
}

void check_durable_told(struct check_durable *c, uint64_t id, enum spool_state said)
{
    struct entry *e = entry_of(c, id);

    ASSERT(e != NULL);
    ASSERT(e->fate == FATE_OPEN); /* one word for each */
    ASSERT(said >= SPOOL_DURABLE);
    e->fate = said == SPOOL_DURABLE ? FATE_THERE : FATE_REFUSED;
    c->durable += said == SPOOL_DURABLE;
}

void check_durable_stopped(struct check_durable *c, bool doubles)
{
    for (uint32_t i = 0; i < c->count; i++) {
        struct entry *e = &c->entries[i];

        if (e->fate == FATE_OPEN)
            e->fate = FATE_EITHER;
        else if (e->fate == FATE_REFUSED)
            e->fate = doubles ? FATE_DOUBLE : FATE_ABSENT;
    }
}

/* --- what is there ---------------------------------------------------------------------------- */

static bool fail(struct buf *why, const char *what, uint64_t id)
{
    buf_printf(why, "message %016" PRIx64 " %s", id, what);
    return false;
}

static bool same_texts(const struct mail *m)
{
    static uint8_t room[2][8192];
    struct buf envelope = { room[0], 0, sizeof(room[0]) };
    struct buf header = { room[1], 0, sizeof(room[1]) };

    check_durable_texts(m->id, &envelope, &header);
    return span_equal(m->envelope, span_of(envelope.ptr, envelope.len)) &&
           span_equal(m->header, span_of(header.ptr, header.len));
}

static bool same_body(struct spool_reader *r, uint64_t index, const struct mail *m)
{
    static uint8_t room[32768];
    static uint8_t expected[32768];
    uint64_t offset = 0;
    int64_t n;

    for (;; offset += (uint64_t)n) {
        struct buf out = { room, 0, sizeof(room) };

        n = spool_reader_body(r, index, offset, &out);
        if (n <= 0)
            return n == 0 && offset == m->body_bytes;
        check_durable_fill(m->id, offset, expected, (uint32_t)n);
        if (memcmp(room, expected, (size_t)n) != 0)
            return false;
    }
}

static bool look_at(struct check_durable *c, struct spool_reader *r, uint64_t index,
                    struct buf *why)
{
    struct entry *e;
    struct mail m;

    if (!spool_reader_at(r, index, &m))
        return fail(why, "cannot be listed", index);
    e = entry_of(c, m.id);
    if (e == NULL)
        return fail(why, "is there, and was never committed", m.id);
    if (e->found)
        return fail(why, "is there twice", m.id);
    e->found = true;
    if (e->fate == FATE_ABSENT)
        return fail(why, "is there, and was refused or gone before", m.id);
    if (m.body_bytes != e->body_bytes || !same_texts(&m))
        return fail(why, "has another size, envelope or header", m.id);
    if (!same_body(r, index, &m))
        return fail(why, "is damaged", m.id);
    return true;
}

/* What was not found, and what the look decides for ever. */
static bool settle(struct check_durable *c, struct buf *why)
{
    for (uint32_t i = 0; i < c->count; i++) {
        struct entry *e = &c->entries[i];

        ASSERT(e->fate != FATE_OPEN); /* a look comes after a stop */
        ASSERT(e->fate != FATE_REFUSED);
        if (e->fate == FATE_THERE && !e->found)
            return fail(why, "was said to be durable, and is lost", e->id);
        c->doubles += e->fate == FATE_DOUBLE && e->found;
        e->fate = e->found ? FATE_THERE : FATE_ABSENT;
        e->found = false;
    }
    return true;
}

bool check_durable_look(struct check_durable *c, struct spool_io *io, struct buf *why)
{
    struct spool_reader *r = spool_reader_open(io, why);
    bool good = true;

    if (r == NULL)
        return false;
    for (uint64_t i = 0; good && i < spool_reader_count(r); i++)
        good = look_at(c, r, i, why);
    spool_reader_close(r);
    return good && settle(c, why);
}

uint32_t check_durable_count(const struct check_durable *c)
{
    return c->durable;
}

uint32_t check_durable_doubles(const struct check_durable *c)
{
    return c->doubles;
}
