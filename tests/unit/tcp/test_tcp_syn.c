/* Half-open entries: retries after 1, 2, 4, 8, 16 and 32 seconds, a fixed number of them, and what
 * goes into 32 bytes comes out again. */
#include "lib/unit.h"

#include "base/clock.h"
#include "base/rng.h"
#include "dataplane/tcp/tcp_syn.h"
#include "dataplane/tcp/tcp_wire.h"

#define SIZE    16
#define LATE_NS (2 * TCP_SYN_TICK_NS + 70 * NS_PER_MS) /* a sweep late, at most */

static struct tcp_syn syn_of(uint32_t irs)
{
    return (struct tcp_syn){
        .local = { .addr = addr_from_v4(0x0a000001), .port = 465 },
        .peer = { .addr = { { 0x20, 1, 0x0d, 0xb8, [15] = 7 } }, .port = 50000 },
        .irs = irs,
        .ts_recent = irs + 1,
        .mss = 1460,
        .wscale = 7,
        .options = TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_TS,
        .listener = 3,
    };
}

/* When tcp_syn_due first says so, looking each time that it asks for. */
static uint64_t wait_for_due(struct tcp_syn_table *t, uint64_t now)
{
    while (tcp_syn_due(t, now) == TCP_SYN_NONE)
        now = tcp_syn_next_ns(t);
    return now;
}

static void retries_double_and_end(void **state)
{
    struct tcp_syn_entry entries[SIZE];
    struct tcp_syn syn = syn_of(1);
    const uint64_t start = 123456789012345;
    uint64_t after = start;
    struct tcp_syn_table t;
    uint32_t n;

    (void)state;
    tcp_syn_init(&t, entries, SIZE);
    assert_int_equal(tcp_syn_next_ns(&t), UINT64_MAX);
    n = tcp_syn_add(&t, &syn, start);
    for (unsigned i = 0; i <= TCP_SYN_RETRIES; i++) {
        uint64_t due = wait_for_due(&t, after);

        after += NS_PER_S << i;
        assert_true(due >= after && due < after + LATE_NS);
        assert_int_equal(tcp_syn_retry(&t, n), i < TCP_SYN_RETRIES);
        assert_int_equal(tcp_syn_due(&t, due), TCP_SYN_NONE);
    }
    tcp_syn_remove(&t, n);
    assert_int_equal(tcp_syn_next_ns(&t), UINT64_MAX);
}

static void assert_same(const struct tcp_syn *a, const struct tcp_syn *b)
{
    assert_true(addr_equal(&a->local.addr, &b->local.addr));
    assert_true(addr_equal(&a->peer.addr, &b->peer.addr));
    assert_int_equal(a->local.port, b->local.port);
    assert_int_equal(a->peer.port, b->peer.port);
    assert_true(a->created_ns == b->created_ns);
    assert_int_equal(a->irs, b->irs);
    assert_int_equal(a->ts_recent, b->ts_recent);
    assert_int_equal(a->mss, b->mss);
    assert_int_equal(a->wscale, b->wscale);
    assert_int_equal(a->options, b->options);
    assert_int_equal(a->listener, b->listener);
    assert_int_equal(b->retries, 0);
}

static void all_of_it_comes_out_again(void **state)
{
    struct tcp_syn_entry entries[SIZE];
    struct tcp_syn_table t;
    struct rng r;

    (void)state;
    rng_seed(&r, 2);
    tcp_syn_init(&t, entries, SIZE);
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t now = rng_next(&r) >> 8;
        uint64_t later = now + rng_below(&r, 200 * NS_PER_S);
        struct tcp_syn in = syn_of((uint32_t)rng_next(&r));
        struct tcp_syn out;
        uint32_t n;

        in.local.port = (uint16_t)(1 + rng_below(&r, 4));
        in.peer.port = (uint16_t)(1 + rng_below(&r, 65535));
        in.mss = (uint16_t)rng_below(&r, TCP_SYN_MSS_MAX + 1);
        in.options = (uint8_t)(rng_below(&r, 32) | TCP_HAS_MSS);
        in.wscale = in.options & TCP_HAS_WSCALE ? (uint8_t)rng_below(&r, 15) : 0;
        n = tcp_syn_add(&t, &in, now);
        tcp_syn_get(&t, n, later, &out);
        in.created_ns = now / TCP_SYN_TICK_NS * TCP_SYN_TICK_NS;
        assert_same(&in, &out);
        tcp_syn_remove(&t, n);
    }
}

/* Places are used again, none twice at a time, and a live entry is found by each way of looking. */
static void it_does_what_an_array_does(void **state)
{
    struct tcp_syn_entry entries[SIZE];
    bool live[SIZE] = { false };
    struct tcp_syn_table t;
    uint32_t count = 0;
    struct rng r;

    (void)state;
    rng_seed(&r, 3);
    tcp_syn_init(&t, entries, SIZE);
    for (unsigned i = 0; i < 20000; i++) {
        struct tcp_syn syn = syn_of(i);
        uint32_t first = 0;

        if (rng_below(&r, 2) == 0) {
            uint32_t n = tcp_syn_add(&t, &syn, i);

            assert_int_equal(n == TCP_SYN_NONE, count == SIZE);
            if (n == TCP_SYN_NONE)
                continue;
            assert_false(live[n]);
            live[n] = true;
            count++;
        } else {
            uint32_t n = (uint32_t)rng_below(&r, SIZE);

            if (!live[n])
                continue;
            tcp_syn_remove(&t, n);
            live[n] = false;
            count--;
        }
        assert_int_equal(t.used, count);
        while (first < SIZE && !live[first])
            first++;
        assert_int_equal(tcp_syn_next(&t, 0), first == SIZE ? TCP_SYN_NONE : first);
    }
}

static void there_are_so_many_local_endpoints_and_no_more(void **state)
{
    struct tcp_syn_entry entries[SIZE];
    struct tcp_syn syn = syn_of(1);
    struct tcp_syn_table t;

    (void)state;
    tcp_syn_init(&t, entries, SIZE);
    for (uint16_t port = 1; port <= LIMIT_TCP_LOCALS; port++) {
        syn.local.port = port;
        tcp_syn_remove(&t, tcp_syn_add(&t, &syn, 0));
    }
    syn.local.port++;
    assert_int_equal(tcp_syn_add(&t, &syn, 0), TCP_SYN_NONE);
    syn.local.port--;
    assert_int_not_equal(tcp_syn_add(&t, &syn, 0), TCP_SYN_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retries_double_and_end),
        cmocka_unit_test(all_of_it_comes_out_again),
        cmocka_unit_test(it_does_what_an_array_does),
        cmocka_unit_test(there_are_so_many_local_endpoints_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
