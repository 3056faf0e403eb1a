/* The queue of received bytes: order, zero copy for full segments, and no buffer held for a few
 * bytes each. */
#include "lib/unit.h"

#include <string.h>

#include "base/rng.h"
#include "dataplane/tcp/tcp_recvq.h"

#define ROOM 2048

static struct seg *make(struct seg_pool *pool, uint32_t from, uint32_t len)
{
    struct seg *s = seg_alloc(pool);

    assert_non_null(s);
    s->len = len;
    for (uint32_t i = 0; i < len; i++)
        s->data[i] = (uint8_t)((from + i) * 31 >> 3);
    return s;
}

static void check_front(const struct tcp_recvq *q, uint32_t from)
{
    struct span runs[8];
    unsigned count = tcp_recvq_peek(q, runs, 8);

    for (unsigned r = 0; r < count; r++) {
        for (uint32_t i = 0; i < runs[r].len; i++)
            assert_int_equal(runs[r].ptr[i], (uint8_t)((from + i) * 31 >> 3));
        from += runs[r].len;
    }
}

static void random_run(uint64_t seed, uint32_t len_max)
{
    struct seg_pool *pool = seg_plain_create(4096, 64, ROOM);
    struct tcp_recvq q;
    struct rng r;
    uint32_t in = 0;
    uint32_t out = 0;

    rng_seed(&r, seed);
    tcp_recvq_init(&q);
    for (unsigned round = 0; round < 2000; round++) {
        uint32_t len = 1 + (uint32_t)rng_below(&r, len_max);

        tcp_recvq_push(&q, make(pool, in, len));
        in += len;
        if (rng_below(&r, 3) == 0) {
            uint32_t n = (uint32_t)rng_below(&r, q.bytes + 1);

            tcp_recvq_consume(&q, n);
            out += n;
        }
        assert_int_equal(q.bytes, in - out);
        assert_int_equal(pool->ops->available(pool), 4096 - q.count);
        /* Two neighbours together fill a buffer, beyond the first few. */
        assert_true(q.count <= 2 * (q.bytes / ROOM) + TCP_RECVQ_SPARSE + 2);
        check_front(&q, out);
    }
    tcp_recvq_clear(&q);
    seg_plain_destroy(pool);
}

static void order_is_kept_and_buffers_are_filled(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        random_run(seed, 1);
        random_run(seed, 200);
        random_run(seed, 1000);
        random_run(seed, 1460);
    }
}

static void full_segments_are_not_copied(void **state)
{
    struct seg_pool *pool = seg_plain_create(64, 64, ROOM);
    const uint8_t *where[30];
    struct span runs[30];
    struct tcp_recvq q;

    (void)state;
    tcp_recvq_init(&q);
    for (unsigned i = 0; i < 30; i++) {
        struct seg *s = make(pool, i * 1448, 1448);

        where[i] = s->data;
        tcp_recvq_push(&q, s);
    }
    assert_int_equal(tcp_recvq_peek(&q, runs, 30), 30);
    for (unsigned i = 0; i < 30; i++)
        assert_ptr_equal(runs[i].ptr, where[i]);
    tcp_recvq_clear(&q);
    seg_plain_destroy(pool);
}

static void a_segment_that_others_hold_is_not_written_to(void **state)
{
    struct seg_pool *pool = seg_plain_create(4, 64, ROOM);
    struct seg *first = make(pool, 0, 10);
    struct tcp_recvq q;

    (void)state;
    tcp_recvq_init(&q);
    seg_ref(first);
    tcp_recvq_push(&q, first);
    tcp_recvq_push(&q, make(pool, 10, 10));
    assert_int_equal(first->len, 10);
    assert_int_equal(q.count, 2);
    tcp_recvq_clear(&q);
    seg_release(first);
    seg_plain_destroy(pool);
}

static void consuming_more_than_there_is_is_our_fault(void **state)
{
    struct tcp_recvq q;

    (void)state;
    tcp_recvq_init(&q);
    expect_assert_failure(tcp_recvq_consume(&q, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_kept_and_buffers_are_filled),
        cmocka_unit_test(full_segments_are_not_copied),
        cmocka_unit_test(a_segment_that_others_hold_is_not_written_to),
        cmocka_unit_test(consuming_more_than_there_is_is_our_fault),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
