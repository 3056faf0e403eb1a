/* Reassembly against a bitmap: what was kept is what comes out, in order, whatever came in, and
 * under the caps. */
#include "lib/unit.h"

#include <string.h>

#include "base/rng.h"
#include "dataplane/tcp/tcp_reasm.h"
#include "dataplane/tcp/tcp_seq.h"

#define SPACE 4096

struct model {
    struct seg_pool *pool;
    struct tcp_reasm_source source;
    struct tcp_reasm reasm;
    uint32_t base;  /* sequence number of bit 0 */
    uint32_t taken; /* bytes that came out */
    bool have[SPACE];
};

static uint8_t byte_at(uint32_t seq)
{
    return (uint8_t)(seq * 2654435761U >> 24);
}

static void begin_source(struct tcp_reasm_source *s, uint32_t ranges)
{
    s->pool = pool_create("ranges", ranges, sizeof(struct tcp_range));
    assert_non_null(s->pool);
    rng_seed(&s->lot, 1);
}

static void begin(struct model *m, uint32_t base)
{
    memset(m, 0, sizeof(*m));
    m->pool = seg_plain_create(LIMIT_TCP_REASM_SEGS + 64, 0, 2048);
    m->base = base;
    begin_source(&m->source, LIMIT_TCP_REASM_RANGES + 1);
    tcp_reasm_init(&m->reasm, &m->source);
}

static void end(struct model *m)
{
    tcp_reasm_clear(&m->reasm);
    pool_destroy(m->source.pool);
    seg_plain_destroy(m->pool);
}

static struct seg *make(struct model *m, uint32_t from, uint32_t len)
{
    struct seg *s = seg_alloc(m->pool);

    assert_non_null(s);
    s->seq = m->base + from;
    s->len = len;
    for (uint32_t i = 0; i < len; i++)
        s->data[i] = byte_at(s->seq + i);
    return s;
}

static enum tcp_reasm_result insert(struct model *m, uint32_t from, uint32_t len)
{
    struct tcp_wire_sack twice;
    enum tcp_reasm_result result = tcp_reasm_insert(&m->reasm, make(m, from, len), &twice);
    bool fresh = false;
    uint32_t first = from;
    uint32_t past;

    if (result == TCP_REASM_FULL)
        return result;
    /* The first run of the segment that the bitmap knows. */
    while (first < from + len && !m->have[first])
        first++;
    for (past = first; past < from + len && m->have[past]; past++)
        continue;
    assert_int_equal(twice.end - twice.start, past - first);
    if (past > first)
        assert_int_equal(twice.start - m->base, first);
    for (uint32_t i = from; i < from + len; i++) {
        fresh |= !m->have[i];
        m->have[i] = true;
    }
    assert_int_equal(result, fresh ? TCP_REASM_KEPT : TCP_REASM_DUPLICATE);
    return result;
}

/* Ranges, bytes and blocks say what the bitmap says. */
static void check(struct model *m)
{
    struct tcp_wire_sack blocks[LIMIT_TCP_REASM_RANGES];
    unsigned count = tcp_reasm_blocks(&m->reasm, blocks, LIMIT_TCP_REASM_RANGES);
    uint32_t bytes = 0;
    uint32_t runs = 0;

    for (uint32_t i = m->taken; i < SPACE; i++) {
        bytes += m->have[i];
        runs += m->have[i] && (i == m->taken || !m->have[i - 1]);
    }
    assert_int_equal(m->reasm.bytes, bytes);
    assert_int_equal(m->reasm.count, runs);
    assert_int_equal(count, runs);
    for (unsigned b = 0; b < count; b++) {
        uint32_t from = blocks[b].start - m->base;
        uint32_t to = blocks[b].end - m->base;

        assert_true(from < to && to <= SPACE);
        assert_true(from == m->taken || !m->have[from - 1]);
        assert_true(to == SPACE || !m->have[to]);
        for (uint32_t i = from; i < to; i++)
            assert_true(m->have[i]);
    }
}

static void take_all(struct model *m)
{
    struct seg *s;

    while ((s = tcp_reasm_take(&m->reasm, m->base + m->taken)) != NULL) {
        assert_int_equal(s->seq, m->base + m->taken);
        assert_true(s->len > 0);
        for (uint32_t i = 0; i < s->len; i++) {
            assert_int_equal(s->data[i], byte_at(s->seq + i));
            assert_true(m->have[m->taken + i]);
        }
        m->taken += s->len;
        seg_release(s);
    }
    assert_true(m->taken == SPACE || !m->have[m->taken]);
}

static void random_run(uint64_t seed, uint32_t base, uint32_t len_max)
{
    struct model m;
    struct rng r;

    begin(&m, base);
    rng_seed(&r, seed);
    for (unsigned round = 0; round < 3000 && m.taken < SPACE; round++) {
        uint32_t from = (uint32_t)rng_below(&r, SPACE);
        uint32_t len = 1 + (uint32_t)rng_below(&r, len_max);

        if (from < m.taken)
            from = m.taken;
        if (from + len > SPACE)
            len = SPACE - from;
        if (len > 0)
            insert(&m, from, len);
        check(&m);
        if (rng_below(&r, 8) == 0) {
            take_all(&m);
            check(&m);
        }
    }
    end(&m);
}

static void random_segments_come_out_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        random_run(seed, 1000, 200);
        random_run(seed, 1000, 1500);
    }
}

static void sequence_numbers_may_wrap(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++)
        random_run(seed, UINT32_MAX - SPACE / 2, 300);
}

/* Bytes that the reader has by another way (a retransmission that filled the gap and more) are
 * dropped. */
static void what_was_overtaken_is_cut(void **state)
{
    struct model m;
    struct seg *s;

    (void)state;
    begin(&m, 0);
    insert(&m, 100, 50);
    insert(&m, 150, 50);
    insert(&m, 300, 10);
    s = tcp_reasm_take(&m.reasm, 175);
    assert_non_null(s);
    assert_int_equal(s->seq, 175);
    assert_int_equal(s->len, 25);
    seg_release(s);
    assert_null(tcp_reasm_take(&m.reasm, 200));
    assert_int_equal(m.reasm.bytes, 10);
    assert_null(tcp_reasm_take(&m.reasm, 400));
    assert_int_equal(m.reasm.bytes, 0);
    end(&m);
}

/* RFC 2018, 4: the first block tells of the segment that came last. */
static void the_newest_block_comes_first(void **state)
{
    struct tcp_wire_sack blocks[3];
    struct model m;

    (void)state;
    begin(&m, 0);
    insert(&m, 100, 10);
    insert(&m, 200, 10);
    insert(&m, 300, 10);
    insert(&m, 400, 10);
    insert(&m, 210, 10);
    assert_int_equal(tcp_reasm_blocks(&m.reasm, blocks, 3), 3);
    assert_int_equal(blocks[0].start, 200);
    assert_int_equal(blocks[0].end, 220);
    assert_int_equal(blocks[1].start, 400);
    assert_int_equal(blocks[2].start, 300);
    end(&m);
}

static void ranges_have_a_cap(void **state)
{
    struct model m;

    (void)state;
    begin(&m, 0);
    for (uint32_t i = 0; i < LIMIT_TCP_REASM_RANGES; i++)
        assert_int_equal(insert(&m, 2 * i + 1, 1), TCP_REASM_KEPT);
    assert_int_equal(insert(&m, 2 * LIMIT_TCP_REASM_RANGES + 1, 1), TCP_REASM_FULL);
    assert_int_equal(insert(&m, 2, 1), TCP_REASM_KEPT); /* closes a gap */
    assert_int_equal(insert(&m, 2 * LIMIT_TCP_REASM_RANGES + 1, 1), TCP_REASM_KEPT);
    check(&m);
    end(&m);
}

static void the_core_has_a_cap_of_ranges(void **state)
{
    struct model m;

    (void)state;
    begin(&m, 0);
    pool_destroy(m.source.pool);
    begin_source(&m.source, 2);
    assert_int_equal(insert(&m, 10, 1), TCP_REASM_KEPT);
    assert_int_equal(insert(&m, 20, 1), TCP_REASM_KEPT);
    assert_int_equal(insert(&m, 30, 1), TCP_REASM_FULL);
    assert_int_equal(insert(&m, 21, 1), TCP_REASM_KEPT);
    check(&m);
    end(&m);
}

/* The longest walk that an arrival can cause. */
static uint32_t depth_of(const struct tcp_range *at)
{
    uint32_t below = at == NULL ? 0 : depth_of(at->below);
    uint32_t above = at == NULL ? 0 : depth_of(at->above);

    return at == NULL ? 0 : 1 + (below > above ? below : above);
}

/* Places 0 .. RANGES - 1 in the orders that make a tree or a list long. */
static uint32_t up(uint32_t i)
{
    return i;
}

static uint32_t down(uint32_t i)
{
    return LIMIT_TCP_REASM_RANGES - 1 - i;
}

static uint32_t from_both_ends(uint32_t i)
{
    return i % 2 == 0 ? up(i / 2) : down(i / 2);
}

static uint32_t scattered(uint32_t i)
{
    return i * 389 % LIMIT_TCP_REASM_RANGES;
}

/* CVE-2018-5390: whatever the order of single bytes with gaps between them, and whatever has left
 * meanwhile, a walk is some times the 10 steps of a tree that is even. */
static void no_order_makes_a_long_walk(void **state)
{
    uint32_t (*const orders[])(uint32_t) = { up, down, from_both_ends, scattered };
    struct model m;

    (void)state;
    for (unsigned o = 0; o < sizeof(orders) / sizeof(orders[0]); o++) {
        begin(&m, UINT32_MAX - SPACE / 4);
        for (uint32_t i = 0; i < LIMIT_TCP_REASM_RANGES; i++) {
            assert_int_equal(insert(&m, 1 + 2 * orders[o](i), 1), TCP_REASM_KEPT);
            assert_true(depth_of(m.reasm.root) <= 40);
        }
        for (uint32_t gap = 2; gap < LIMIT_TCP_REASM_RANGES; gap += 4) {
            assert_int_equal(insert(&m, gap, 1), TCP_REASM_KEPT);
            assert_true(depth_of(m.reasm.root) <= 40);
        }
        check(&m);
        end(&m);
    }
}

/* A megabyte in single bytes must not hold a megabyte of buffers. */
static void tiny_segments_are_gathered(void **state)
{
    struct model m;

    (void)state;
    begin(&m, 0);
    for (uint32_t i = 1; i < SPACE; i++)
        assert_int_equal(insert(&m, i, 1), TCP_REASM_KEPT);
    assert_true(m.reasm.segs <= 4);
    m.have[0] = true;
    m.taken = 1;
    take_all(&m);
    assert_int_equal(m.taken, SPACE);
    end(&m);
}

/* Segments too full to be gathered, one behind the other, until a cap says no; returns how many
 * were kept. */
static uint32_t fill_up(uint32_t room, uint32_t len)
{
    struct seg_pool *pool = seg_plain_create(LIMIT_TCP_REASM_SEGS + 64, 0, room);
    struct tcp_reasm_source source;
    struct tcp_reasm r;
    uint32_t kept = 0;

    begin_source(&source, 1);
    tcp_reasm_init(&r, &source);
    for (uint32_t i = 0; i < LIMIT_TCP_REASM_SEGS + 10; i++) {
        struct seg *s = seg_alloc(pool);
        struct tcp_wire_sack twice;

        assert_non_null(s);
        s->seq = 1000 + i * len;
        s->len = len;
        kept += tcp_reasm_insert(&r, s, &twice) == TCP_REASM_KEPT;
    }
    assert_true(r.segs <= LIMIT_TCP_REASM_SEGS);
    assert_true(r.bytes <= LIMIT_TCP_REASM_BYTES);
    assert_int_equal(r.bytes, kept * len);
    tcp_reasm_clear(&r);
    assert_int_equal(pool->ops->available(pool), LIMIT_TCP_REASM_SEGS + 64);
    pool_destroy(source.pool);
    seg_plain_destroy(pool);
    return kept;
}

static void segments_have_a_cap(void **state)
{
    (void)state;
    assert_int_equal(fill_up(1500, 1000), LIMIT_TCP_REASM_SEGS);
}

static void bytes_have_a_cap(void **state)
{
    (void)state;
    assert_int_equal(fill_up(2048, 2000), LIMIT_TCP_REASM_BYTES / 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_segments_come_out_in_order),
        cmocka_unit_test(sequence_numbers_may_wrap),
        cmocka_unit_test(what_was_overtaken_is_cut),
        cmocka_unit_test(the_newest_block_comes_first),
        cmocka_unit_test(ranges_have_a_cap),
        cmocka_unit_test(the_core_has_a_cap_of_ranges),
        cmocka_unit_test(no_order_makes_a_long_walk),
        cmocka_unit_test(tiny_segments_are_gathered),
        cmocka_unit_test(segments_have_a_cap),
        cmocka_unit_test(bytes_have_a_cap),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
