/* The ready list, copying in and out, and the streams in memory that other rooms' tests stand on.
 */
#include "lib/unit.h"

#include <string.h>

#include "base/rng.h"
#include "base/stream.h"
#include "lib/fault.h"
#include "lib/mem_stream.h"

#define SEGS 64

static struct seg_pool *pool;
static struct list ready;
static struct mem_pair *pair;
static struct stream *a;
static struct stream *b;

static void open_pair(uint32_t chunk, uint32_t run_max, uint32_t room)
{
    struct mem_stream_config config = {
        .pool = { pool, pool },
        .ready = { &ready, &ready },
        .chunk = chunk,
        .run_max = run_max,
        .room = room,
    };

    pair = mem_stream_create(&config);
    assert_non_null(pair);
    a = mem_stream_end(pair, 0);
    b = mem_stream_end(pair, 1);
}

static int set_up(void **state)
{
    (void)state;
    pool = seg_plain_create(SEGS, 128, STREAM_RESERVE_MAX);
    list_init(&ready);
    return pool == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    mem_stream_destroy(pair);
    pair = NULL;
    assert_true(list_empty(&ready));
    assert_int_equal(pool->ops->available(pool), SEGS);
    seg_plain_destroy(pool);
    return 0;
}

static struct stream *pop_ready(void)
{
    struct list_node *n = list_pop(&ready);

    return n == NULL ? NULL : LIST_ENTRY(n, struct stream, ready_link);
}

static void only_a_new_bit_is_news(void **state)
{
    (void)state;
    open_pair(0, 0, 0);
    while (pop_ready() != NULL)
        continue;
    stream_set(a, STREAM_WRITABLE); /* was true */
    assert_null(pop_ready());
    stream_clear(a, STREAM_WRITABLE);
    assert_null(pop_ready());
    stream_set(a, STREAM_WRITABLE | STREAM_READABLE);
    stream_set(a, STREAM_ENDED); /* on the list already */
    assert_ptr_equal(pop_ready(), a);
    assert_null(pop_ready());
    stream_requeue(a);
    stream_requeue(a);
    assert_ptr_equal(pop_ready(), a);
    assert_null(pop_ready());
    assert_int_equal(a->ready, STREAM_WRITABLE | STREAM_READABLE | STREAM_ENDED | STREAM_DRAINED);
}

/* All bytes in order, whatever the chunks, runs, rooms, and sizes of the calls. */
static void bytes_arrive_in_order(void **state)
{
    static uint8_t sent[200000];
    static uint8_t got[sizeof(sent)];
    struct rng r;

    (void)state;
    rng_seed(&r, 11);
    for (unsigned i = 0; i < sizeof(sent); i++)
        sent[i] = (uint8_t)rng_next(&r);
    for (unsigned round = 0; round < 30; round++) {
        uint32_t in = 0;
        uint32_t out = 0;

        mem_stream_destroy(pair);
        open_pair((uint32_t)rng_below(&r, 2) * (1 + (uint32_t)rng_below(&r, 3000)),
                  (uint32_t)rng_below(&r, 50), (uint32_t)rng_below(&r, 2) * 2000);
        while (out < sizeof(sent)) {
            uint32_t cap = 1 + (uint32_t)rng_below(&r, 20000);

            in += stream_write(a, span_first(span_of(sent + in, (uint32_t)sizeof(sent) - in), cap));
            mem_stream_step(pair);
            out += b->ops->read(
                b, got + out, span_first(span_of(got + out, (uint32_t)sizeof(got) - out), cap).len);
        }
        assert_int_equal(in, sizeof(sent));
        assert_memory_equal(sent, got, sizeof(sent));
        assert_int_equal(b->ready & STREAM_READABLE, 0);
        assert_int_equal(b->ops->read(b, got, 1), 0);
    }
}

static void chunks_arrive_step_by_step(void **state)
{
    uint8_t got[16];

    (void)state;
    open_pair(3, 0, 0);
    assert_int_equal(stream_write(a, SPAN_LITERAL("abcdefg")), 7);
    assert_int_equal(b->ready & STREAM_READABLE, 0);
    assert_int_equal(a->ready & STREAM_DRAINED, 0);
    assert_int_equal(mem_stream_step(pair), 3);
    assert_int_equal(b->ops->read(b, got, 16), 3);
    mem_stream_set_stall(pair, 0, true);
    assert_int_equal(mem_stream_step(pair), 0);
    mem_stream_set_stall(pair, 0, false);
    assert_int_equal(mem_stream_step(pair), 3);
    a->ops->shutdown(a);
    a->ops->shutdown(a);
    assert_int_equal(mem_stream_step(pair), 2); /* a byte and the end */
    assert_int_equal(a->ready & STREAM_DRAINED, STREAM_DRAINED);
    assert_int_equal(b->ready & STREAM_ENDED, STREAM_ENDED);
    assert_int_equal(b->ops->read(b, got + 3, 13), 4);
    assert_memory_equal(got, "abcdefg", 7);
    assert_int_equal(mem_stream_step(pair), 0);
}

static void room_is_bounded(void **state)
{
    static uint8_t bytes[5000];
    uint8_t got[1200];

    (void)state;
    open_pair(0, 0, 2400);
    assert_int_equal(stream_write(a, span_of(bytes, sizeof(bytes))), 2400);
    assert_int_equal(a->ready & STREAM_WRITABLE, 0);
    assert_null(a->ops->reserve(a, 1));
    while (pop_ready() != NULL)
        continue;
    assert_int_equal(b->ops->read(b, got, 1199), 1199);
    assert_int_equal(a->ready & STREAM_WRITABLE, 0);
    assert_int_equal(b->ops->read(b, got, 1), 1);
    assert_int_equal(a->ready & STREAM_WRITABLE, STREAM_WRITABLE);
    assert_ptr_equal(pop_ready(), a);
}

static void abort_fails_both_ends(void **state)
{
    (void)state;
    open_pair(0, 0, 0);
    stream_write(a, SPAN_LITERAL("lost"));
    a->ops->abort(a);
    a->ops->abort(a);
    assert_int_equal(a->ready, STREAM_FAILED);
    assert_int_equal(b->ready, STREAM_FAILED);
    assert_null(b->ops->reserve(b, 1));
    assert_int_equal(pool->ops->available(pool), SEGS);
}

static void close_resets_what_was_not_ended(void **state)
{
    uint8_t got[8];

    (void)state;
    open_pair(0, 0, 0);
    stream_write(a, SPAN_LITERAL("bye"));
    a->ops->shutdown(a);
    a->ops->close(a);
    assert_int_equal(b->ops->read(b, got, 8), 3);
    assert_int_equal(b->ready & (STREAM_ENDED | STREAM_FAILED), STREAM_ENDED);
    stream_write(b, SPAN_LITERAL("anybody?"));
    assert_int_equal(b->ready & STREAM_FAILED, STREAM_FAILED);
    mem_stream_destroy(pair);
    open_pair(0, 0, 0);
    a->ops->close(a); /* no shutdown */
    assert_int_equal(b->ready & STREAM_FAILED, STREAM_FAILED);
    while (pop_ready() != NULL)
        continue;
}

/* With the n-th allocation failing, a write is short, and goes on when asked again. */
static void short_pool_makes_writes_short(void **state)
{
    static uint8_t bytes[5 * STREAM_RESERVE_MAX];
    static uint8_t got[sizeof(bytes)];
    struct fault_pool faulty;
    uint64_t n = 0;

    (void)state;
    fault_pool_init(&faulty, pool);
    memset(bytes, 'm', sizeof(bytes));
    do {
        struct mem_stream_config config = { .pool = { &faulty.pool, pool },
                                            .ready = { &ready, &ready } };
        uint32_t first;

        mem_stream_destroy(pair);
        pair = mem_stream_create(&config);
        a = mem_stream_end(pair, 0);
        b = mem_stream_end(pair, 1);
        fault_set(&faulty.fault, ++n, 1);
        first = stream_write(a, span_of(bytes, sizeof(bytes)));
        assert_int_equal(first, n <= 5 ? (n - 1) * STREAM_RESERVE_MAX : sizeof(bytes));
        stream_write(a, span_of(bytes + first, (uint32_t)sizeof(bytes) - first));
        assert_int_equal(b->ops->read(b, got, sizeof(got)), sizeof(bytes));
    } while (faulty.fault.hit);
    assert_int_equal(n, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_a_new_bit_is_news, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_arrive_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(chunks_arrive_step_by_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(room_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(abort_fails_both_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(close_resets_what_was_not_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(short_pool_makes_writes_short, set_up, tear_down),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
