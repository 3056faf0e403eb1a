/*
 * What hostile peers send in quantity: memory stays where it was, and an honest peer is served in
 * between. The wire drops what we send, but for the last header, which the honest peer reads.
 */
#include "lib/unit.h"

#include <malloc.h>
#include <string.h>

#include "base/limits.h"
#include "base/rng.h"
#include "dataplane/tcp/tcp.h"
#include "dataplane/tcp/tcp_wire.h"

#define SEGS   512
#define BLOCKS 64
#define SYNS   256

struct rig {
    struct tcp_lower lower;
    struct tcp *tcp;
    struct seg_pool *pool;
    struct clock clock;
    struct counters counters;
    struct list ready;
    struct tcp_header last; /* that we sent */
    uint32_t peer_addr;
    uint16_t peer_port;
    uint64_t sent;
};

static void rig_send(struct tcp_lower *l, struct seg *s, const struct addr *src,
                     const struct addr *dst)
{
    struct rig *r = LIST_ENTRY(l, struct rig, lower);

    (void)src;
    (void)dst;
    assert_true(tcp_wire_parse(s->data, s->len, &r->last));
    r->sent++;
    seg_release(s);
}

static uint16_t rig_mtu(struct tcp_lower *l, const struct addr *dst)
{
    (void)l;
    (void)dst;
    return 1500;
}

static int open_rig(void **state)
{
    static struct rig rig;
    struct rig *r = &rig;
    struct tcp_config config = { .connections_max = BLOCKS,
                                 .syn_rcvd_max = SYNS,
                                 .time_wait_max = 64,
                                 .receive_bytes_max = 1024 * 1024,
                                 .send_bytes_max = 65536,
                                 .time_wait_ms = 60000 };
    struct endpoint at = { .port = 465 };
    struct tcp_env env = {
        .lower = &r->lower,
        .clock = &r->clock,
        .counters = &r->counters,
        .ready = &r->ready,
        .secret = { 3, 4 },
    };

    memset(r, 0, sizeof(*r));
    r->lower = (struct tcp_lower){ .send = rig_send, .mtu = rig_mtu };
    r->clock.now_ns = NS_PER_S;
    list_init(&r->ready);
    r->pool = seg_plain_create(SEGS, 128, 2048);
    env.pool = r->pool;
    r->tcp = tcp_create(&config, &env);
    *state = r;
    return r->tcp != NULL && tcp_listen(r->tcp, &at, r) ? 0 : -1;
}

static int close_rig(void **state)
{
    struct rig *r = *state;

    tcp_destroy(r->tcp);
    seg_plain_destroy(r->pool);
    return 0;
}

static uint32_t held(const struct rig *r)
{
    return SEGS - r->pool->ops->available(r->pool);
}

/* A segment from the rig's present peer. False: there was no buffer to receive it in. */
static bool input(struct rig *r, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    struct tcp_header h = {
        .src_port = r->peer_port,
        .dst_port = 465,
        .seq = seq,
        .ack = ack,
        .flags = flags,
        .wnd = 60000,
        .mss = 1460,
        .options = flags & TCP_SYN ? TCP_HAS_MSS | TCP_HAS_SACK_OK : 0,
    };
    struct tcp_packet p = { .src = addr_from_v4(r->peer_addr), .dst = addr_from_v4(0x0a000002) };
    struct seg *s = seg_alloc(r->pool);

    if (s == NULL)
        return false;
    s->len = tcp_wire_emit(&h, s->data);
    memset(s->data + s->len, 'x', len);
    s->len += len;
    tcp_input(r->tcp, s, &p);
    return true;
}

static void be_peer(struct rig *r, uint32_t addr, uint16_t port)
{
    r->peer_addr = addr;
    r->peer_port = port;
}

static struct stream *connect_as(struct rig *r, uint32_t addr, uint16_t port)
{
    struct stream *s;

    be_peer(r, addr, port);
    assert_true(input(r, TCP_SYN, 1000, 0, 0));
    assert_int_equal(r->last.flags, TCP_SYN | TCP_ACK);
    assert_true(input(r, TCP_ACK, 1001, r->last.seq + 1, 0));
    s = tcp_accept(r->tcp, NULL);
    assert_non_null(s);
    return s;
}

/* Somebody honest, 50 ms away, in the midst of a flood. */
struct honest {
    uint32_t addr;
    uint32_t iss; /* as our SYN-ACK said */
};

static void honest_syn(struct rig *r, struct honest *h, uint32_t addr)
{
    be_peer(r, addr, 4000);
    assert_true(input(r, TCP_SYN, 1000, 0, 0));
    assert_int_equal(r->last.flags, TCP_SYN | TCP_ACK);
    *h = (struct honest){ .addr = addr, .iss = r->last.seq };
}

/* Its ACK, with its first bytes; it is served and leaves. */
static void honest_ack(struct rig *r, const struct honest *h)
{
    struct stream *s;

    be_peer(r, h->addr, 4000);
    assert_true(input(r, TCP_ACK | TCP_PSH, 1001, h->iss + 1, 100));
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
    struct rig *r = *state;
    size_t heap = mallinfo2().uordblks;
    struct honest h = { 0 };
    unsigned served = 0;
    struct rng rng;

    rng_seed(&rng, 5);
    for (uint32_t i = 0; i < 1000000; i++) {
        r->clock.now_ns += 10 * NS_PER_US;
        be_peer(r, 0x0b000000 + (uint32_t)rng_below(&rng, 1U << 24), (uint16_t)(1024 + i % 60000));
        assert_true(input(r, TCP_SYN, (uint32_t)rng_next(&rng), 0, 0));
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
        assert_int_equal(held(r), 0);
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
    struct rig *r = *state;
    struct stream *streams[BLOCKS];
    struct honest late;

    for (unsigned i = 0; i < SYNS; i++) {
        be_peer(r, 0x0b000000 + i, 4000);
        assert_true(input(r, TCP_SYN, i, 0, 0));
    }
    honest_syn(r, &late, 0x0c000000);
    for (unsigned i = 0; i < BLOCKS; i++)
        streams[i] = connect_as(r, 0x0d000000 + i, 4000);
    be_peer(r, late.addr, 4000);
    r->sent = 0;
    assert_true(input(r, TCP_ACK | TCP_PSH, 1001, late.iss + 1, 100));
    assert_int_equal(r->sent, 0);
    assert_null(tcp_accept(r->tcp, NULL));
    for (unsigned i = 0; i < BLOCKS; i++) {
        streams[i]->ops->abort(streams[i]);
        streams[i]->ops->close(streams[i]);
    }
    honest_ack(r, &late);
}

/* One byte a segment, in order, unread: the buffers held are those that the bytes fill. */
static void tiny_segments_in_order(void **state)
{
    struct rig *r = *state;
    struct stream *s = connect_as(r, 0x0c000001, 4000);
    uint32_t ack = r->last.seq + 1;

    for (uint32_t i = 0; i < 60000; i++) {
        assert_true(input(r, TCP_ACK, 1001 + i, ack, 1));
        tcp_flush(r->tcp);
    }
    assert_true(held(r) <= 60000 / 1800 + 2);
    s->ops->abort(s);
    s->ops->close(s);
    assert_int_equal(held(r), 0);
}

/* One byte a segment, every second one missing (CVE-2018-5390): caps hold, and the honest peer gets
 * through. */
static void tiny_segments_with_gaps(void **state)
{
    struct rig *r = *state;
    struct stream *s = connect_as(r, 0x0c000001, 4000);
    uint32_t ack = r->last.seq + 1;
    struct stream *other;

    for (uint32_t i = 0; i < 60000; i++) {
        assert_true(input(r, TCP_ACK, 1002 + 2 * i, ack, 1));
        tcp_flush(r->tcp);
        assert_true(held(r) <= LIMIT_TCP_REASM_RANGES);
    }
    other = connect_as(r, 0x0c000002, 4000);
    other->ops->abort(other);
    other->ops->close(other);
    s->ops->abort(s);
    s->ops->close(s);
    assert_int_equal(held(r), 0);
}

/* Many peers that fill their windows and read nothing: some segments stay for the others. */
static void unread_windows_leave_a_reserve(void **state)
{
    struct rig *r = *state;
    struct stream *streams[32];
    struct stream *late;
    uint32_t acks[32];

    for (unsigned c = 0; c < 32; c++) {
        streams[c] = connect_as(r, 0x0c000100 + c, 4000);
        acks[c] = r->last.seq + 1;
    }
    for (unsigned c = 0; c < 32; c++) {
        be_peer(r, 0x0c000100 + c, 4000);
        for (uint32_t i = 0; i < 100; i++) {
            assert_true(input(r, TCP_ACK, 1001 + 1460 * i, acks[c], 1460));
            tcp_flush(r->tcp);
        }
    }
    assert_true(held(r) <= SEGS - SEGS / 8 + 32);
    assert_true(counter_get(&r->counters, COUNTER_TCP_MEMORY_DROPS) > 0);
    for (unsigned c = 0; c < 4; c++) {
        streams[c]->ops->abort(streams[c]);
        streams[c]->ops->close(streams[c]);
    }
    late = connect_as(r, 0x0d000001, 4000);
    late->ops->abort(late);
    late->ops->close(late);
    for (unsigned c = 4; c < 32; c++) {
        streams[c]->ops->abort(streams[c]);
        streams[c]->ops->close(streams[c]);
    }
    assert_int_equal(held(r), 0);
    assert_int_equal(tcp_connections(r->tcp), 0);
}

/* Each connection that ends leaves a TIME-WAIT entry: a fixed number of them, the oldest goes. */
static void time_waits_have_a_cap(void **state)
{
    struct rig *r = *state;

    for (unsigned i = 0; i < 1000; i++) {
        struct stream *s = connect_as(r, 0x0c000100 + i, 4000);
        uint32_t ack = r->last.seq + 1;

        s->ops->shutdown(s);
        s->ops->close(s);
        tcp_flush(r->tcp);
        assert_true(input(r, TCP_ACK | TCP_FIN, 1001, ack + 1, 0));
        tcp_flush(r->tcp);
        assert_int_equal(tcp_connections(r->tcp), 0);
        assert_int_equal(held(r), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(spoofed_syns_keep_nobody_out, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(a_cookie_waits_for_a_block, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(tiny_segments_in_order, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(tiny_segments_with_gaps, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(unread_windows_leave_a_reserve, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(time_waits_have_a_cap, open_rig, close_rig),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
