/* Which messages exist, beside a model that looks through all records before each commit. */
#include "lib/unit.h"

#include <string.h>

#include "base/rng.h"
#include "spool/spool_index.h"

#define RECORDS_MAX 200
#define SEGMENTS    3

struct item {
    struct spool_record record;
    uint32_t segment;
    struct spool_commit commit;
};

struct log_of_records {
    struct item items[RECORDS_MAX];
    unsigned count;
};

/* --- the model ------------------------------------------------------------------------------- */

/* Has the ticket, or the id, a commit before `at`? */
static bool committed_before(const struct log_of_records *l, unsigned at, bool by_id)
{
    for (unsigned i = 0; i < at; i++) {
        const struct item *a = &l->items[i];

        if (a->record.type != RECORD_COMMIT)
            continue;
        if (by_id ? a->commit.id == l->items[at].commit.id && !committed_before(l, i, false)
                  : a->record.ticket == l->items[at].record.ticket)
            return true;
    }
    return false;
}

/* V10 */
static bool whole(const struct log_of_records *l, unsigned at)
{
    const struct item *c = &l->items[at];
    uint64_t bytes = 0;
    uint32_t number = 0;
    uint32_t crc = 0;

    for (unsigned i = 0; i < at; i++) {
        const struct spool_record *r = &l->items[i].record;

        if (r->type != RECORD_EXTENT || r->ticket != c->record.ticket)
            continue;
        if (r->number != number)
            return false;
        crc = spool_format_extents_crc(crc, r->ticket, number++, r->body_crc);
        bytes += r->body_bytes;
    }
    return number == c->commit.extents && bytes == c->commit.stored_bytes &&
           crc == c->commit.extents_crc;
}

/* --- records drawn from a seed --------------------------------------------------------------- */

static const uint8_t bytes_of_all[64] = "whatever stands in an extent";

static struct item draw_extent(struct rng *rng, const struct log_of_records *l)
{
    struct item a = { .record = { .type = RECORD_EXTENT, .ticket = 1 + rng_below(rng, 12) } };

    for (unsigned i = 0; i < l->count; i++)
        a.record.number += l->items[i].record.type == RECORD_EXTENT &&
                           l->items[i].record.ticket == a.record.ticket;
    if (rng_below(rng, 20) == 0)
        a.record.number++;
    a.record.body_bytes = (uint32_t)rng_below(rng, sizeof(bytes_of_all));
    a.record.body_crc = (uint32_t)rng_next(rng);
    return a;
}

/* Right in most cases. */
static struct item draw_commit(struct rng *rng, const struct log_of_records *l)
{
    struct item a = { .record = { .type = RECORD_COMMIT, .ticket = 1 + rng_below(rng, 12) } };

    a.commit.id = 1 + rng_below(rng, 10);
    for (unsigned i = 0; i < l->count; i++) {
        const struct spool_record *r = &l->items[i].record;

        if (r->type != RECORD_EXTENT || r->ticket != a.record.ticket)
            continue;
        a.commit.extents_crc = spool_format_extents_crc(a.commit.extents_crc, r->ticket,
                                                        a.commit.extents++, r->body_crc);
        a.commit.stored_bytes += r->body_bytes;
    }
    a.commit.body_bytes = a.commit.stored_bytes;
    if (rng_below(rng, 10) == 0)
        a.commit.extents_crc ^= 1;
    if (rng_below(rng, 10) == 0)
        a.commit.stored_bytes++;
    if (rng_below(rng, 10) == 0)
        a.commit.extents++;
    a.record.body_bytes = sizeof(a.commit);
    return a;
}

static void add(struct spool_index *x, struct log_of_records *l, struct item a)
{
    struct span body = a.record.type == RECORD_COMMIT ? span_of(&a.commit, sizeof(a.commit))
                                                      : span_of(bytes_of_all, a.record.body_bytes);

    l->items[l->count++] = a;
    assert_true(spool_index_add(x, a.segment, &a.record, body));
}

/* --- comparing ------------------------------------------------------------------------------- */

/* The messages of the model in order of their commits, against the index. */
static void same_messages(const struct spool_index *x, const struct log_of_records *l)
{
    uint32_t messages = 0;
    uint32_t damaged = 0;
    uint32_t doubles = 0;
    uint64_t id_max = 0;

    for (unsigned i = 0; i < l->count; i++) {
        const struct spool_commit *c = &l->items[i].commit;
        const struct spool_index_message *m;
        uint32_t at;

        if (l->items[i].record.type != RECORD_COMMIT || committed_before(l, i, false))
            continue;
        if (c->id > id_max)
            id_max = c->id;
        if (committed_before(l, i, true)) {
            doubles++;
            continue;
        }
        assert_true(messages < x->message_count);
        m = &x->messages[messages];
        assert_int_equal(m->id, c->id);
        assert_int_equal(m->stored_bytes, c->stored_bytes);
        assert_int_equal(m->damaged, !whole(l, i));
        assert_int_equal(m->segment, l->items[i].segment);
        assert_true(spool_map_find(&x->by_id, c->id, &at));
        assert_int_equal(at, messages);
        damaged += m->damaged;
        messages++;
    }
    assert_int_equal(x->message_count, messages);
    assert_int_equal(x->damaged, damaged);
    assert_int_equal(x->doubles, doubles);
    assert_int_equal(x->id_max, id_max);
}

static void same_drops(const struct spool_index *x, const struct log_of_records *l)
{
    uint32_t dropped = 0;

    for (uint64_t ticket = 1; ticket <= 12; ticket++) {
        bool begun = false;
        bool committed = false;

        for (unsigned i = 0; i < l->count; i++) {
            begun = begun || l->items[i].record.ticket == ticket;
            committed = committed || (l->items[i].record.ticket == ticket &&
                                      l->items[i].record.type == RECORD_COMMIT);
        }
        dropped += begun && !committed;
    }
    assert_int_equal(spool_index_dropped(x), dropped);
}

static void like_the_model(void **state)
{
    static struct log_of_records l;
    uint32_t seen_damaged = 0;
    uint32_t seen_doubles = 0;
    uint32_t seen_whole = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct spool_index x = { .keep_texts = seed % 2 == 0 };
        struct rng rng;

        rng_seed(&rng, seed);
        l.count = 0;
        for (uint64_t n = rng_below(&rng, RECORDS_MAX); n > 0; n--) {
            struct item a = rng_below(&rng, 4) > 0 ? draw_extent(&rng, &l) : draw_commit(&rng, &l);

            a.segment = (uint32_t)rng_below(&rng, SEGMENTS);
            add(&x, &l, a);
        }
        same_messages(&x, &l);
        same_drops(&x, &l);
        seen_damaged += x.damaged;
        seen_doubles += x.doubles;
        seen_whole += x.message_count - x.damaged;
        spool_index_destroy(&x);
    }
    assert_true(seen_damaged > 100);
    assert_true(seen_doubles > 100);
    assert_true(seen_whole > 100);
}

/* A commit and each of its extents count where they stand, and nothing of who was never committed.
 */
static void live_is_where_it_stands(void **state)
{
    static struct log_of_records l;
    struct spool_index x = { 0 };
    uint32_t live[SEGMENTS] = { 0 };
    struct item e = { .record = { .type = RECORD_EXTENT, .ticket = 1, .body_bytes = 5 } };
    struct item c = { .record = { .type = RECORD_COMMIT, .ticket = 1 }, .segment = 2 };

    (void)state;
    l.count = 0;
    add(&x, &l, e);
    e.record.number = 1;
    e.segment = 1;
    add(&x, &l, e);
    c.commit = (struct spool_commit){ .id = 9, .stored_bytes = 10, .extents = 2 };
    c.commit.extents_crc = spool_format_extents_crc(spool_format_extents_crc(0, 1, 0, 0), 1, 1, 0);
    c.record.body_bytes = sizeof(c.commit);
    add(&x, &l, c);
    e.record.ticket = 2;
    e.record.number = 0;
    add(&x, &l, e);
    assert_int_equal(x.damaged, 0);
    spool_index_live(&x, live);
    assert_int_equal(live[0], 1);
    assert_int_equal(live[1], 1);
    assert_int_equal(live[2], 1);
    assert_int_equal(spool_index_dropped(&x), 1);
    spool_index_destroy(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_the_model),
        cmocka_unit_test(live_is_where_it_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
