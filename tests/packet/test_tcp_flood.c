/*
 * What hostile peers send in quantity: memory stays where it was, and an honest peer is served in
 * between. The wire drops what we send, but for the last header, which the honest peer reads.
 */
#include "lib/unit.h"

#include <malloc.h>
#include <string.h>

#include "base/limits.h"
#include "base/rng.h"
#include "dataplane/tcp/tcp_conn.h"
#include "tcp_rig.h"

#define SEGS   512
#define BLOCKS 64
#define SYNS   256

static int open_rig(void **state)
{
    static struct tcp_rig rig;
    struct tcp_config config = { .connections_max = BLOCKS,
                                 .syn_rcvd_max = SYNS,
                                 .time_wait_max = 64,
                                 .receive_bytes_max = 1024 * 1024,
                                 .send_bytes_max = 65536,
                                 .time_wait_ms = 60000 };

    *state = &rig;
    return tcp_rig_open(&rig, &config, SEGS) ? 0 : -1;
}

static int close_rig(void **state)
{
    tcp_rig_close(*state);
    return 0;
}

/* Somebody honest, 50 ms away, in the midst of a flood. */
struct honest {
    uint32_t addr;
    uint32_t iss; /* as our SYN-ACK said */
};

static void honest_syn(struct tcp_rig *r, struct honest *h, uint32_t addr)
{
    tcp_rig_be(r, addr, 4000);
    assert_true(tcp_rig_input(r, TCP_SYN, 1000, 0, 0));
    assert_int_equal(r->last.flags, TCP_SYN | TCP_ACK);
    *h = (struct honest){ .addr = addr, .iss = r->last.seq };
}

/* Its ACK, with its first bytes; it is served and leaves. */
static void honest_ack(struct tcp_rig *r, const struct honest *h)
{
    struct stream *s;

    tcp_rig_be(r, h->addr, 4000);
    assert_true(tcp_rig_input(r, TCP_ACK | TCP_PSH, 1001, h->iss + 1, 100));
    s = tcp_accept(r->tcp, NULL);
    assert_non_null(s);
    assert_true(s->ready & STREAM_READABLE);
    tcp_flush(r->tcp);
    assert_int_equal(r->last.ack, 1101);
    s->ops->abort(s);
    s->ops->close(s);
}

/*
 * A million SYNs in ten seconds, from addresses that are not theirs: no memory is taken, and each
 * of the hundred that answer gets in.
 */
static void spoofed_syns_keep_nobody_out(void **state)
{
    struct tcp_rig *r = *state;
    size_t heap = mallinfo2().uordblks;
    struct honest h = { 0 };
    unsigned served = 0;
    struct rng rng;

    rng_seed(&rng, 5);
    for (uint32_t i = 0; i < 1000000; i++) {
        r->clock.now_ns += 10 * NS_PER_US;
        tcp_rig_be(r, 0x0b000000 + (uint32_t)rng_below(&rng, 1U << 24),
                   (uint16_t)(1024 + i % 60000));
        assert_true(tcp_rig_input(r, TCP_SYN, (uint32_t)rng_next(&rng), 0, 0));
        if (i % 10000 == 0)
            honest_syn(r, &h, 0x0c000000 + i);
        if (i % 10000 == 5000) {
            honest_ack(r, &h);
            served++;
        }
        if (i % 100 == 0) {
            tcp_timers(r->tcp);
            tcp_flush(r->tcp);
        }
        assert_int_equal(tcp_rig_held(r), 0);
    }
    assert_int_equal(served, 100);
    assert_true(tcp_connections(r->tcp) <= SYNS);
    assert_int_equal(mallinfo2().uordblks, heap);
    assert_true(counter_get(&r->counters, COUNTER_TCP_SYN_COOKIES_SENT) > 999000);
    assert_true(counter_get(&r->counters, COUNTER_TCP_SYN_COOKIES_RECV) > 90);
    /* And when it is over, all of it goes by itself. */
    for (unsigned i = 0; i < 100; i++) {
        r->clock.now_ns += NS_PER_S;
        tcp_timers(r->tcp);
        tcp_flush(r->tcp);
    }
    assert_int_equal(tcp_connections(r->tcp), 0);
}

/* A cookie promises nothing: whoever comes back when all blocks are taken comes again later. */
static void a_cookie_waits_for_a_block(void **state)
{
    struct tcp_rig *r = *state;
    struct stream *streams[BLOCKS];
    struct honest late;

    for (unsigned i = 0; i < SYNS; i++) {
        tcp_rig_be(r, 0x0b000000 + i, 4000);
        assert_true(tcp_rig_input(r, TCP_SYN, i, 0, 0));
    }
    honest_syn(r, &late, 0x0c000000);
    for (unsigned i = 0; i < BLOCKS; i++)
        streams[i] = tcp_rig_connect(r, 0x0d000000 + i, 4000);
    tcp_rig_be(r, late.addr, 4000);
    r->sent = 0;
    assert_true(tcp_rig_input(r, TCP_ACK | TCP_PSH, 1001, late.iss + 1, 100));
    assert_int_equal(r->sent, 0);
    assert_null(tcp_accept(r->tcp, NULL));
    for (unsigned i = 0; i < BLOCKS; i++) {
        streams[i]->ops->abort(streams[i]);
        streams[i]->ops->close(streams[i]);
    }
    honest_ack(r, &late);
}

/* RFC 6528, 3: for one four-tuple a clock of 4 us, for another one from elsewhere. */
static uint32_t half_open_iss(struct tcp_rig *r, uint16_t port)
{
    uint32_t iss;

    tcp_rig_be(r, 0x0b000001, port);
    assert_true(tcp_rig_input(r, TCP_SYN, 1000, 0, 0));
    assert_int_equal(r->last.flags, TCP_SYN | TCP_ACK);
    iss = r->last.seq;
    assert_true(tcp_rig_input(r, TCP_RST, 1001, 0, 0));
    return iss;
}

static void sequence_numbers_cannot_be_foreseen(void **state)
{
    struct tcp_rig *r = *state;
    uint32_t first = half_open_iss(r, 4000);
    uint32_t other = half_open_iss(r, 4001);
    uint32_t near = 0;

    tcp_rig_wait(r, 10 * NS_PER_S);
    assert_in_range(half_open_iss(r, 4000) - first, 2500000 - 1100, 2500000 + 1100);
    assert_in_range(half_open_iss(r, 4001) - other, 2500000 - 1100, 2500000 + 1100);
    for (uint16_t port = 5000; port < 5256; port++) {
        uint32_t iss = half_open_iss(r, port);

        near += iss - first < 1U << 24 || first - iss < 1U << 24;
    }
    assert_true(near < 16); /* 2 are expected of 256, were they drawn by lot */
}

/* One byte a segment, in order, unread: the buffers held are those that the bytes fill. */
static void tiny_segments_in_order(void **state)
{
    struct tcp_rig *r = *state;
    struct stream *s = tcp_rig_connect(r, 0x0c000001, 4000);
    uint32_t ack = r->last.seq + 1;

    for (uint32_t i = 0; i < 60000; i++) {
        assert_true(tcp_rig_input(r, TCP_ACK, 1001 + i, ack, 1));
        tcp_flush(r->tcp);
    }
    assert_true(tcp_rig_held(r) <= 60000 / 1800 + 2);
    s->ops->abort(s);
    s->ops->close(s);
    assert_int_equal(tcp_rig_held(r), 0);
}

/* One byte a segment, every second one missing (CVE-2018-5390): caps hold, and the honest peer gets
 * through. */
static void tiny_segments_with_gaps(void **state)
{
    struct tcp_rig *r = *state;
    struct stream *s = tcp_rig_connect(r, 0x0c000001, 4000);
    uint32_t ack = r->last.seq + 1;
    struct stream *other;

    for (uint32_t i = 0; i < 60000; i++) {
        assert_true(tcp_rig_input(r, TCP_ACK, 1002 + 2 * i, ack, 1));
        tcp_flush(r->tcp);
        assert_true(tcp_rig_held(r) <= LIMIT_TCP_REASM_RANGES);
    }
    other = tcp_rig_connect(r, 0x0c000002, 4000);
    other->ops->abort(other);
    other->ops->close(other);
    s->ops->abort(s);
    s->ops->close(s);
    assert_int_equal(tcp_rig_held(r), 0);
}

/* Gaps that never close keep nobody from having one: of the core's last ranges the oldest go. */
static void old_gaps_make_room(void **state)
{
    static void *others[BLOCKS * LIMIT_TCP_REASM_RANGES];
    struct tcp_rig *r = *state;
    struct pool *pool = r->tcp->ranges.pool;
    uint32_t taken = 0;
    uint32_t ack;

    while (pool_used(pool) + 2 < pool_count(pool))
        others[taken++] = pool_get(pool);
    for (uint32_t peer = 1; peer <= 2; peer++) {
        tcp_rig_connect(r, 0x0c000000 + peer, 4000);
        ack = r->last.seq + 1;
        for (uint32_t i = 0; i < 2; i++)
            assert_true(tcp_rig_input(r, TCP_ACK, 1002 + 2 * i, ack, 1));
        tcp_flush(r->tcp);
        assert_int_equal(r->last.sack_count, 2);
    }
    while (taken > 0)
        pool_put(pool, others[--taken]);
    assert_int_equal(pool_used(pool), 2); /* the second's; the first one's are gone */
    assert_int_equal(counter_get(&r->counters, COUNTER_TCP_REASM_DROPS), 1);
}

/* Many peers that fill their windows and read nothing: some segments stay for the others. */
static void unread_windows_leave_a_reserve(void **state)
{
    struct tcp_rig *r = *state;
    struct stream *streams[32];
    struct stream *late;
    uint32_t acks[32];

    for (unsigned c = 0; c < 32; c++) {
        streams[c] = tcp_rig_connect(r, 0x0c000100 + c, 4000);
        acks[c] = r->last.seq + 1;
    }
    for (unsigned c = 0; c < 32; c++) {
        tcp_rig_be(r, 0x0c000100 + c, 4000);
        for (uint32_t i = 0; i < 100; i++) {
            assert_true(tcp_rig_input(r, TCP_ACK, 1001 + 1460 * i, acks[c], 1460));
            tcp_flush(r->tcp);
        }
    }
    assert_true(tcp_rig_held(r) <= SEGS - SEGS / 8 + 32);
    assert_true(counter_get(&r->counters, COUNTER_TCP_MEMORY_DROPS) > 0);
    tcp_rig_be(r, 0x0d000001, 4000);
    r->sent = 0;
    assert_true(tcp_rig_input(r, TCP_SYN, 1000, 0, 0));
    assert_int_equal(r->sent, 0); /* new ones wait until there is plenty */
    for (unsigned c = 0; c < 20; c++) {
        streams[c]->ops->abort(streams[c]);
        streams[c]->ops->close(streams[c]);
    }
    late = tcp_rig_connect(r, 0x0d000001, 4000);
    late->ops->abort(late);
    late->ops->close(late);
    for (unsigned c = 20; c < 32; c++) {
        streams[c]->ops->abort(streams[c]);
        streams[c]->ops->close(streams[c]);
    }
    assert_int_equal(tcp_rig_held(r), 0);
    assert_int_equal(tcp_connections(r->tcp), 0);
}

/* Each connection that ends leaves a TIME-WAIT entry: a fixed number of them, the oldest goes. */
static void time_waits_have_a_cap(void **state)
{
    struct tcp_rig *r = *state;

    for (unsigned i = 0; i < 1000; i++) {
        struct stream *s = tcp_rig_connect(r, 0x0c000100 + i, 4000);
        uint32_t ack = r->last.seq + 1;

        s->ops->shutdown(s);
        s->ops->close(s);
        tcp_flush(r->tcp);
        assert_true(tcp_rig_input(r, TCP_ACK | TCP_FIN, 1001, ack + 1, 0));
        tcp_flush(r->tcp);
        assert_int_equal(tcp_connections(r->tcp), 0);
        assert_int_equal(tcp_rig_held(r), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(spoofed_syns_keep_nobody_out, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(a_cookie_waits_for_a_block, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(sequence_numbers_cannot_be_foreseen, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(tiny_segments_in_order, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(tiny_segments_with_gaps, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(old_gaps_make_room, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(unread_windows_leave_a_reserve, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(time_waits_have_a_cap, open_rig, close_rig),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
