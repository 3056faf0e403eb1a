/* Reassembly against a slow model, its bounds, and what spoils a packet for good. */
#include "lib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "dataplane/net/net_frag.h"
#include "lib/fault.h"

#define SEGS  64
#define ROOM  2048
#define BYTES 1200

struct table {
    struct seg_pool *plain;
    struct fault_pool pool;
    struct counters counters;
    struct net_frag frag;
    uint64_t now_ns;
    uint8_t bytes[ROOM + 64];
};

static int setup(void **state)
{
    struct table *t = calloc(1, sizeof(*t));

    *state = t;
    if (t == NULL)
        return 1;
    t->plain = seg_plain_create(SEGS, 128, ROOM);
    fault_pool_init(&t->pool, t->plain);
    net_frag_init(&t->frag, &t->pool.pool, &t->counters);
    t->now_ns = NS_PER_S;
    for (unsigned i = 0; i < sizeof(t->bytes); i++)
        t->bytes[i] = (uint8_t)(i * 31 + i / 256);
    return 0;
}

static int teardown(void **state)
{
    struct table *t = *state;

    net_frag_release(&t->frag);
    seg_plain_destroy(t->plain); /* asserts that all are home */
    free(t);
    return 0;
}

/* Bytes from `start` to `end` of packet `id`. True: whole, and checked to be `total` bytes. */
static bool add(struct table *t, uint32_t id, uint32_t start, uint32_t end, uint32_t total)
{
    struct net_frag_key key = { .id = id };
    struct net_frag_piece piece = { .offset = start,
                                    .more = end != total,
                                    .proto = start == 0 ? 6 : 99,
                                    .tos = 2,
                                    .bytes = span_of(t->bytes + start, end - start) };
    struct net_frag_whole whole;

    if (!net_frag_add(&t->frag, &key, &piece, t->now_ns, &whole))
        return false;
    assert_int_equal(whole.s->len, total);
    assert_memory_equal(whole.s->data, t->bytes, total);
    assert_int_equal(whole.proto, 6);
    assert_int_equal(whole.tos, 2);
    seg_release(whole.s);
    return true;
}

static uint32_t held(const struct table *t)
{
    return SEGS - t->plain->ops->available(t->plain);
}

static void every_order(void **state)
{
    static const uint32_t cuts[5] = { 0, 400, 408, 800, 1003 };
    struct table *t = *state;

    for (unsigned order = 0; order < 256; order++) {
        unsigned seen = 0, done = 0;

        for (unsigned i = 0; i < 4; i++) {
            unsigned which = order >> 2 * i & 3;

            if ((seen & 1u << which) == 0)
                done += add(t, order, cuts[which], cuts[which + 1], 1003);
            seen |= 1u << which;
        }
        assert_int_equal(done, seen == 15);
        if (seen != 15) {
            t->now_ns += LIMIT_NET_FRAG_MS * NS_PER_MS;
            net_frag_tick(&t->frag, t->now_ns);
        }
        assert_int_equal(held(t), 0);
    }
    assert_int_equal(counter_get(&t->counters, COUNTER_IP_REASM_OKS), 24);
    assert_int_equal(counter_get(&t->counters, COUNTER_IP_REASM_FAILS), 256 - 24);
}

/* RFC 5722, 3: one that overlaps spoils all, and what comes later with it. */
static void overlaps_spoil_the_packet(void **state)
{
    static const struct {
        uint32_t start, end;
    } second[] = { { 392, 800 }, { 0, 400 + 8 }, { 8, 16 }, { 0, 392 }, { 399 / 8 * 8, BYTES } };
    struct table *t = *state;

    for (unsigned i = 0; i < sizeof(second) / sizeof(second[0]); i++) {
        assert_false(add(t, i, 0, 400, BYTES));
        assert_false(add(t, i, second[i].start, second[i].end, BYTES));
        assert_int_equal(held(t), 0);
        assert_false(add(t, i, 400, BYTES, BYTES));
        assert_false(add(t, i, 0, 400, BYTES));
        assert_int_equal(held(t), 0);
        assert_int_equal(counter_get(&t->counters, COUNTER_IP_REASM_FAILS), i + 1);
    }
}

/* The same piece twice is the network's doing; the same place with other bytes is not. */
static void copies_are_passed_over(void **state)
{
    struct table *t = *state;

    assert_false(add(t, 1, 0, 400, BYTES));
    assert_false(add(t, 1, 0, 400, BYTES));
    assert_true(add(t, 1, 400, BYTES, BYTES));
    assert_false(add(t, 2, 0, 400, BYTES));
    t->bytes[17] ^= 1;
    assert_false(add(t, 2, 0, 400, BYTES));
    assert_false(add(t, 2, 400, BYTES, BYTES));
    assert_int_equal(held(t), 0);
    assert_int_equal(counter_get(&t->counters, COUNTER_IP_REASM_FAILS), 1);
}

static void two_ends_spoil_it(void **state)
{
    static const uint32_t other[] = { 800, 1600 };
    struct table *t = *state;

    for (unsigned i = 0; i < 2; i++) {
        assert_false(add(t, 10 + i, 400, BYTES, BYTES));
        assert_false(add(t, 10 + i, other[i] - 8, other[i], other[i]));
        assert_false(add(t, 20 + i, 400, BYTES, BYTES));
        assert_false(add(t, 20 + i, BYTES, BYTES + 8, 0)); /* more, behind the end */
        assert_false(add(t, 30 + i, 800, 808, 0));
        assert_false(add(t, 30 + i, 0, 400, 400)); /* an end before what is there */
        assert_int_equal(held(t), 0);
    }
    assert_int_equal(counter_get(&t->counters, COUNTER_IP_REASM_FAILS), 6);
}

static void bounds_of_a_packet(void **state)
{
    struct table *t = *state;

    assert_false(add(t, 1, ROOM - 8, ROOM + 8, 0)); /* more than a segment holds */
    assert_false(add(t, 2, 0, 12, 0));              /* no whole eights, and more to come */
    assert_false(add(t, 3, 8, 8, 0));               /* nothing */
    assert_int_equal(held(t), 0);
    for (uint32_t i = 0; i <= LIMIT_NET_FRAG_PIECES; i++)
        assert_false(add(t, 4, i * 16, i * 16 + 8, 0));
    assert_int_equal(held(t), 0);
    assert_int_equal(counter_get(&t->counters, COUNTER_IP_REASM_FAILS), 4);
    assert_false(add(t, 5, 0, 1024, ROOM));
    assert_true(add(t, 5, 1024, ROOM, ROOM));
}

static void a_flood_holds_no_more_than_its_share(void **state)
{
    struct table *t = *state;

    for (uint32_t id = 0; id < 10000; id++) {
        t->now_ns += NS_PER_MS;
        assert_false(add(t, id, 0, 400, BYTES));
        assert_true(held(t) <= LIMIT_NET_FRAG_PACKETS);
    }
    /* The newest are there still. */
    assert_true(add(t, 9999, 400, BYTES, BYTES));
    assert_true(add(t, 10000 - LIMIT_NET_FRAG_PACKETS, 400, BYTES, BYTES));
    assert_false(add(t, 10000 - LIMIT_NET_FRAG_PACKETS - 1, 400, BYTES, BYTES));
    assert_int_equal(counter_get(&t->counters, COUNTER_IP_REASM_FAILS),
                     10000 - LIMIT_NET_FRAG_PACKETS);
}

static void time_is_up(void **state)
{
    struct table *t = *state;
    uint64_t due_ns = t->now_ns + LIMIT_NET_FRAG_MS * NS_PER_MS;

    assert_true(t->frag.due_ns == UINT64_MAX);
    assert_false(add(t, 1, 0, 400, BYTES));
    assert_true(t->frag.due_ns == due_ns);
    net_frag_tick(&t->frag, due_ns - 1);
    assert_int_equal(held(t), 1);
    net_frag_tick(&t->frag, due_ns);
    assert_int_equal(held(t), 0);
    assert_true(t->frag.due_ns == UINT64_MAX);
    assert_false(add(t, 1, 400, BYTES, BYTES));
}

static void no_segment(void **state)
{
    struct table *t = *state;

    fault_set(&t->pool.fault, 1, 1);
    assert_false(add(t, 1, 0, 400, BYTES));
    assert_int_equal(counter_get(&t->counters, COUNTER_IP_REASM_FAILS), 1);
    assert_false(add(t, 1, 0, 400, BYTES));
    assert_true(add(t, 1, 400, BYTES, BYTES));
}

/* RFC 3168, 5.3: a mark on one piece is a mark on the packet. */
static void a_mark_is_kept(void **state)
{
    struct table *t = *state;
    struct net_frag_key key = { .id = 1 };
    struct net_frag_piece piece = { .more = true, .tos = 0x2a, .bytes = span_of(t->bytes, 8) };
    struct net_frag_whole whole;

    assert_false(net_frag_add(&t->frag, &key, &piece, t->now_ns, &whole));
    piece = (struct net_frag_piece){ .offset = 8, .tos = 0x2b, .bytes = span_of(t->bytes, 8) };
    assert_true(net_frag_add(&t->frag, &key, &piece, t->now_ns, &whole));
    assert_int_equal(whole.tos, 0x2b);
    seg_release(whole.s);
}

static void keys_tell_packets_apart(void **state)
{
    struct net_frag_key keys[5] = { { .id = 1 },
                                    { .id = 2 },
                                    { .id = 1, .proto = 1 },
                                    { .id = 1, .src = { { 1 } } },
                                    { .id = 1, .dst = { { 1 } } } };
    struct table *t = *state;
    struct net_frag_piece piece = { .more = true, .bytes = span_of(t->bytes, 8) };
    struct net_frag_whole whole;

    for (unsigned i = 0; i < 5; i++)
        assert_false(net_frag_add(&t->frag, &keys[i], &piece, t->now_ns, &whole));
    assert_int_equal(held(t), 5);
}

/* Random pieces of one packet: whole when, and only when, the model says so: each byte once. */
static void as_the_slow_model(void **state)
{
    struct table *t = *state;
    struct rng rng;

    rng_seed(&rng, 7);
    for (uint32_t id = 0; id < 2000; id++) {
        uint8_t seen[16] = { 0 };
        unsigned count = 0, got = 0;
        bool spoilt = false, done = false;

        for (unsigned i = 0; i < 100 && !done && !spoilt; i++) {
            uint32_t start = (uint32_t)(rng_next(&rng) % 16);
            uint32_t end = start + 1 + (uint32_t)(rng_next(&rng) % 4);
            unsigned taken = 0;

            end = end > 16 ? 16 : end;
            for (uint32_t b = start; b < end; b++)
                taken += seen[b] != 0;
            if (taken > 0 && i < 60)
                continue; /* else it would nearly always be spoilt */
            spoilt = taken > 0;
            for (uint32_t b = start; b < end; b++)
                seen[b] = (uint8_t)++count;
            got += end - start;
            done = add(t, id, start * 8, end * 8, 128);
            assert_int_equal(done, got == 16 && !spoilt);
        }
        if (!done) {
            t->now_ns += LIMIT_NET_FRAG_MS * NS_PER_MS;
            net_frag_tick(&t->frag, t->now_ns);
        }
        assert_int_equal(held(t), 0);
    }
    assert_true(counter_get(&t->counters, COUNTER_IP_REASM_OKS) > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_order, setup, teardown),
        cmocka_unit_test_setup_teardown(overlaps_spoil_the_packet, setup, teardown),
        cmocka_unit_test_setup_teardown(copies_are_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(two_ends_spoil_it, setup, teardown),
        cmocka_unit_test_setup_teardown(bounds_of_a_packet, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flood_holds_no_more_than_its_share, setup, teardown),
        cmocka_unit_test_setup_teardown(time_is_up, setup, teardown),
        cmocka_unit_test_setup_teardown(no_segment, setup, teardown),
        cmocka_unit_test_setup_teardown(a_mark_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_tell_packets_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(as_the_slow_model, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
