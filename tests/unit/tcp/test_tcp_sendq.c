/* The send queue against an array: any range between una and end is what was committed, whatever
 * was acknowledged. */
#include "lib/unit.h"

#include "base/rng.h"
#include "dataplane/tcp/tcp_sendq.h"

#define TOTAL 200000

static uint8_t bytes[TOTAL];

static void push(struct tcp_sendq *q, struct seg_pool *pool, uint32_t from, uint32_t len)
{
    struct seg *s = seg_alloc(pool);

    assert_non_null(s);
    memcpy(s->data, bytes + from, len);
    s->len = len;
    tcp_sendq_push(q, s);
}

static void random_run(uint64_t seed, uint32_t first, uint32_t len_max)
{
    struct seg_pool *pool = seg_plain_create(512, 128, 1536);
    struct tcp_sendq q;
    struct rng r;
    uint32_t in = 0;
    uint32_t acked = 0;

    rng_seed(&r, seed);
    for (uint32_t i = 0; i < TOTAL; i++)
        bytes[i] = (uint8_t)rng_next(&r);
    tcp_sendq_init(&q, first);
    while (in + len_max < TOTAL) {
        uint32_t len = (uint32_t)rng_below(&r, len_max + 1);
        uint8_t out[3000];

        if (tcp_sendq_bytes(&q) < 64000) {
            push(&q, pool, in, len);
            in += len;
        }
        if (in > acked) {
            uint32_t from = acked + (uint32_t)rng_below(&r, in - acked);
            uint32_t n = (uint32_t)rng_below(&r, in - from + 1);

            n = n < sizeof(out) ? n : (uint32_t)sizeof(out);
            tcp_sendq_copy(&q, first + from, out, n);
            assert_memory_equal(out, bytes + from, n);
        }
        if (rng_below(&r, 4) == 0) {
            uint32_t n = (uint32_t)rng_below(&r, in - acked + 1);

            assert_int_equal(tcp_sendq_ack(&q, first + acked + n), n);
            acked += n;
        }
        assert_int_equal(tcp_sendq_bytes(&q), in - acked);
        assert_int_equal(pool->ops->available(pool), 512 - q.count);
    }
    tcp_sendq_clear(&q);
    assert_int_equal(tcp_sendq_bytes(&q), 0);
    seg_plain_destroy(pool);
}

static void any_range_is_what_was_committed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        random_run(seed, 7, 1400);
        random_run(seed, 7, 30);
    }
}

static void sequence_numbers_may_wrap(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++)
        random_run(seed, UINT32_MAX - TOTAL / 2, 1400);
}

static void small_commits_share_a_segment(void **state)
{
    struct seg_pool *pool = seg_plain_create(128, 128, 1536);
    struct tcp_sendq q;

    (void)state;
    tcp_sendq_init(&q, 0);
    for (unsigned i = 0; i < 100; i++)
        push(&q, pool, i, 10);
    assert_int_equal(q.count, 1);
    tcp_sendq_clear(&q);
    seg_plain_destroy(pool);
}

static void acknowledging_what_was_not_committed_is_our_fault(void **state)
{
    struct tcp_sendq q;

    (void)state;
    tcp_sendq_init(&q, 100);
    expect_assert_failure(tcp_sendq_ack(&q, 101));
    expect_assert_failure(tcp_sendq_ack(&q, 99));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_range_is_what_was_committed),
        cmocka_unit_test(sequence_numbers_may_wrap),
        cmocka_unit_test(small_commits_share_a_segment),
        cmocka_unit_test(acknowledging_what_was_not_committed_is_our_fault),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
