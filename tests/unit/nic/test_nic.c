/*
 * A port and its pool on DPDK's net_ring, whose two ends are one: what is sent comes back. No
 * device and no root needed. The questions: who frees what, when; and what becomes of chained,
 * foreign and shared mbufs.
 */
#include "lib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "dataplane/nic/nic_pool.h"
#include "dataplane/nic/nic_port.h"

#define CONNECTIONS 16
#define RING_FRAMES 1023 /* what net_ring takes */

static struct nic_port *port;
static struct nic *nic;
static char why_text[512];
static struct buf why;

static void reset_why(void)
{
    memset(why_text, 0, sizeof(why_text));
    why = (struct buf){ .ptr = (uint8_t *)why_text, .cap = sizeof(why_text) - 1 };
}

static int open_port(void **state)
{
    static char args[][24] = {
        "test_nic",         "--no-huge",       "-m", "128", "--no-shconf",
        "--no-telemetry",   "--no-pci",        "-l", "0",   "--vdev=net_ring0",
        "--vdev=net_ring1", "--vdev=net_ring2"
    };
    char *argv[sizeof(args) / sizeof(args[0])];
    struct nic_port_config config = { .device = "net_ring0",
                                      .workers = 1,
                                      .connections = CONNECTIONS };

    (void)state;
    for (unsigned i = 0; i < sizeof(args) / sizeof(args[0]); i++)
        argv[i] = args[i];
    reset_why();
    if (!nic_eal_start((int)(sizeof(args) / sizeof(args[0])), argv, &why) || !nic_thread_attach())
        return 1;
    port = nic_port_open(&config, &why);
    if (port == NULL) {
        print_error("%s\n", why_text);
        return 1;
    }
    nic = nic_port_nic(port, 0);
    return 0;
}

static int close_port(void **state)
{
    (void)state;
    if (port != NULL)
        nic_port_close(port);
    nic_eal_stop();
    return 0;
}

static uint32_t available(void)
{
    return nic->pool->ops->available(nic->pool);
}

static struct seg *frame(uint32_t len, uint8_t fill)
{
    struct seg *s = seg_alloc(nic->pool);

    assert_non_null(s);
    assert_true(len <= seg_tailroom(s));
    memset(s->data, fill, len);
    s->len = len;
    return s;
}

static void expect_frame(struct seg *s, uint32_t len, uint8_t fill)
{
    assert_int_equal(s->len, len);
    assert_int_equal(s->ref, 1);
    for (uint32_t i = 0; i < len; i++)
        assert_int_equal(s->data[i], fill);
}

static uint64_t copied(void)
{
    struct nic_port_stats s;

    nic_port_stats(port, &s);
    return s.in_copied;
}

static uint64_t dropped(void)
{
    struct nic_port_stats s;

    nic_port_stats(port, &s);
    return s.in_dropped;
}

static void segments_are_fresh(void **state)
{
    uint32_t before = available();
    struct seg *s = seg_alloc(nic->pool);

    (void)state;
    assert_int_equal(s->ref, 1);
    assert_int_equal(s->len, 0);
    assert_int_equal(s->flags, 0);
    assert_ptr_equal(s->pool, nic->pool);
    assert_int_equal(seg_headroom(s), nic->pool->headroom);
    assert_true(seg_tailroom(s) >= 1514 && seg_tailroom(s) == nic->pool->room);
    assert_false(nic->pool->ops->busy(s));
    assert_int_equal(available(), before - 1);
    memset(s->head, 0xee, s->cap);
    seg_push(s, 14);
    seg_release(s);
    assert_int_equal(available(), before);
    s = seg_alloc(nic->pool);
    assert_int_equal(seg_headroom(s), nic->pool->headroom);
    seg_release(s);
}

static void sent_and_let_go(void **state)
{
    uint32_t before = available();
    uint64_t copies = copied();
    struct seg *s = frame(1514, 0x5a);
    struct seg *in[NIC_BURST];

    (void)state;
    assert_int_equal(nic->ops->tx(nic, &s, 1), 1);
    assert_int_equal(nic->ops->rx(nic, in, NIC_BURST), 1);
    expect_frame(in[0], 1514, 0x5a);
    assert_int_equal(copied(), copies); /* it was ours alone again */
    seg_release(in[0]);
    assert_int_equal(available(), before);
}

/* As TCP does: it keeps a reference until the acknowledgement. */
static void sent_and_kept(void **state)
{
    uint32_t before = available();
    uint64_t copies = copied();
    struct seg *s = frame(100, 0x5a), *out = seg_ref(s);
    struct seg *in[NIC_BURST];

    (void)state;
    assert_int_equal(nic->ops->tx(nic, &out, 1), 1);
    assert_int_equal(s->ref, 1);
    assert_true(nic->pool->ops->busy(s));
    assert_int_equal(nic->ops->rx(nic, in, NIC_BURST), 1);
    assert_int_equal(copied(), copies + 1); /* the receiver does not share the sender's */
    assert_ptr_not_equal(in[0], s);
    assert_false(nic->pool->ops->busy(s));
    memset(s->data, 0, s->len);
    expect_frame(in[0], 100, 0x5a);
    seg_release(in[0]);
    seg_release(s);
    assert_int_equal(available(), before);
}

/* The acknowledgement comes before the device is done. */
static void let_go_while_the_device_reads(void **state)
{
    uint32_t before = available();
    struct seg *s = frame(100, 0x5a), *out = seg_ref(s);
    struct seg *in[NIC_BURST];

    (void)state;
    assert_int_equal(nic->ops->tx(nic, &out, 1), 1);
    seg_release(s);
    assert_int_equal(available(), before - 1);
    assert_int_equal(nic->ops->rx(nic, in, NIC_BURST), 1);
    expect_frame(in[0], 100, 0x5a);
    seg_release(in[0]);
    assert_int_equal(available(), before);
}

static void what_the_device_refuses_stays_ours(void **state)
{
    uint32_t before = available();
    struct seg *out[NIC_BURST], *in[NIC_BURST];
    unsigned sent = 0, got = 0, taken = NIC_BURST;

    (void)state;
    while (taken == NIC_BURST) {
        for (unsigned i = 0; i < NIC_BURST; i++) {
            out[i] = frame(60, (uint8_t)i);
            if (i % 2 == 1)
                seg_ref(out[i]);
        }
        taken = nic->ops->tx(nic, out, NIC_BURST);
        for (unsigned i = 1; i < taken; i += 2)
            seg_release(out[i]);
        sent += taken;
    }
    assert_int_equal(sent, RING_FRAMES);
    for (unsigned i = taken; i < NIC_BURST; i++) {
        assert_int_equal(out[i]->ref, i % 2 == 1 ? 2 : 1);
        assert_false(nic->pool->ops->busy(out[i]));
        if (i % 2 == 1)
            seg_release(out[i]);
        seg_release(out[i]);
    }
    while (got < sent) {
        unsigned count = nic->ops->rx(nic, in, NIC_BURST);

        assert_true(count > 0);
        for (unsigned i = 0; i < count; i++)
            seg_release(in[i]);
        got += count;
    }
    assert_int_equal(available(), before);
}

static void empty_pool(void **state)
{
    struct seg *held = frame(100, 1), *out = seg_ref(held), *s;
    struct seg *in[NIC_BURST];
    struct list all;
    uint64_t drops = dropped();
    uint32_t before = available();

    (void)state;
    list_init(&all);
    assert_int_equal(nic->ops->tx(nic, &out, 1), 1);
    while ((s = seg_alloc(nic->pool)) != NULL)
        list_append(&all, &s->link);
    assert_int_equal(available(), 0);
    /* A copy was needed, and there was no mbuf for it. */
    assert_int_equal(nic->ops->rx(nic, in, NIC_BURST), 0);
    assert_int_equal(dropped(), drops + 1);
    seg_release_all(&all);
    assert_int_equal(available(), before);
    seg_release(held);
}

static struct nic_pool *pool_of(struct nic *n)
{
    return (struct nic_pool *)(void *)n->pool;
}

/* `parts` mbufs of `bytes` each, chained. */
static struct rte_mbuf *chain(unsigned parts, uint16_t bytes)
{
    struct rte_mbuf *first = rte_pktmbuf_alloc(pool_of(nic)->mbufs), *next;

    memset(rte_pktmbuf_append(first, bytes), 0, bytes);
    for (unsigned i = 1; i < parts; i++) {
        next = rte_pktmbuf_alloc(pool_of(nic)->mbufs);
        memset(rte_pktmbuf_append(next, bytes), (int)i, bytes);
        assert_int_equal(rte_pktmbuf_chain(first, next), 0);
    }
    return first;
}

static void chains_become_one(void **state)
{
    uint32_t before = available();
    bool copy;
    struct seg *s = nic_pool_received(pool_of(nic), chain(7, 200), &copy);

    (void)state;
    assert_true(copy);
    assert_non_null(s);
    assert_int_equal(s->len, 1400);
    for (uint32_t i = 0; i < 1400; i++)
        assert_int_equal(s->data[i], i / 200);
    assert_int_equal(available(), before - 1);
    seg_release(s);
    /* Longer than a segment: gone, all of it. */
    assert_null(nic_pool_received(pool_of(nic), chain(7, 2000), &copy));
    assert_true(copy);
    assert_int_equal(available(), before);
}

static void foreign_ones_are_copied(void **state)
{
    struct nic_pool_need need = { .connections = 1, .mtu = 1500, .socket = SOCKET_ID_ANY };
    uint32_t before = available();
    struct nic_pool other;
    struct rte_mbuf *m;
    struct seg *s;
    bool copy;

    (void)state;
    assert_true(nic_pool_open(&other, "other", &need));
    m = rte_pktmbuf_alloc(other.mbufs);
    memset(rte_pktmbuf_append(m, 64), 0x77, 64);
    s = nic_pool_received(pool_of(nic), m, &copy);
    assert_true(copy);
    expect_frame(s, 64, 0x77);
    assert_ptr_equal(s->pool, nic->pool);
    assert_int_equal(other.base.ops->available(&other.base), other.count);
    seg_release(s);
    assert_int_equal(available(), before);
    nic_pool_close(&other);
}

static void checksum_flags_both_ways(void **state)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool_of(nic)->mbufs);
    struct seg *s;
    bool copy;

    (void)state;
    rte_pktmbuf_append(m, 64);
    m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_BAD;
    s = nic_pool_received(pool_of(nic), m, &copy);
    assert_int_equal(s->flags, SEG_RX_L3_CSUM_GOOD);
    m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD; /* and unknown for IP */
    s = nic_pool_received(pool_of(nic), m, &copy);
    assert_int_equal(s->flags, SEG_RX_L4_CSUM_GOOD);

    s->flags = SEG_TX_L3_CSUM | SEG_TX_L4_CSUM;
    s->l2_len = 14;
    s->l3_len = 20;
    s->l4_len = 32;
    assert_ptr_equal(nic_pool_to_send(s), m);
    assert_true(m->ol_flags ==
                (RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_CKSUM));
    assert_int_equal(m->l2_len, 14);
    assert_int_equal(m->l3_len, 20);
    assert_int_equal(m->l4_len, 32);
    s->flags = SEG_TX_L4_CSUM | SEG_TX_IP6;
    nic_pool_to_send(s);
    assert_true(m->ol_flags == (RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_TCP_CKSUM));
    s->flags = 0;
    nic_pool_to_send(s);
    assert_true(m->ol_flags == 0);
    seg_release(s);
}

/* A second port with two queues: what one gives, the other finds, once, in its own pool's segment.
 */
static void shared_between_queues(void **state)
{
    struct nic_port_config config = { .device = "net_ring1", .workers = 2, .connections = 1 };
    struct nic_port *two = nic_port_open(&config, &why);
    struct nic *a = nic_port_nic(two, 0), *b = nic_port_nic(two, 1);
    uint32_t before_a = a->pool->ops->available(a->pool);
    uint32_t before_b = b->pool->ops->available(b->pool);
    struct seg *s = seg_alloc(a->pool), *in[NIC_BURST];
    unsigned got = 0, count;

    (void)state;
    memset(s->data, 0x42, 42);
    s->len = 42;
    a->ops->give(a, 1, s);
    assert_int_equal(s->ref, 1);
    assert_int_equal(a->ops->rx(a, in, NIC_BURST), 0);
    assert_int_equal(b->ops->rx(b, in, NIC_BURST), 1);
    expect_frame(in[0], 42, 0x42);
    assert_ptr_equal(in[0]->pool, b->pool);
    assert_int_equal(in[0]->flags, SEG_RX_SHARED);
    seg_release(in[0]);
    assert_int_equal(b->ops->rx(b, in, NIC_BURST), 0);
    /* More than it takes: the rest is not given, what is given comes in bursts. */
    for (unsigned i = 0; i < LIMIT_NIC_SHARED_FRAMES + 100; i++)
        assert_int_equal(a->ops->give(a, 1, s), i < LIMIT_NIC_SHARED_FRAMES);
    while ((count = b->ops->rx(b, in, NIC_BURST)) > 0) {
        for (unsigned i = 0; i < count; i++)
            seg_release(in[i]);
        got += count;
    }
    assert_int_equal(got, LIMIT_NIC_SHARED_FRAMES);
    assert_int_equal(b->pool->ops->available(b->pool), before_b);
    seg_release(s);
    assert_int_equal(a->pool->ops->available(a->pool), before_a);
    a->ops->give(a, 1, s = frame(10, 1)); /* left there: goes home with the port */
    seg_release(s);
    nic_port_close(two);
}

/* A queue that never runs dry takes them all the same. */
static void shared_beside_a_full_burst(void **state)
{
    struct nic_port_config config = { .device = "net_ring2", .workers = 2, .connections = 1 };
    struct nic_port *two = nic_port_open(&config, &why);
    struct nic *a = nic_port_nic(two, 0), *b = nic_port_nic(two, 1);
    struct seg *out[NIC_BURST], *in[NIC_BURST], *s = seg_alloc(a->pool);
    unsigned count, shared = 0, got = 0;

    (void)state;
    for (unsigned i = 0; i < NIC_BURST; i++) {
        out[i] = seg_alloc(b->pool);
        memset(out[i]->data, 0x17, 60);
        out[i]->len = 60;
    }
    assert_int_equal(b->ops->tx(b, out, NIC_BURST), NIC_BURST); /* the ring gives them back */
    memset(s->data, 0x42, 42);
    s->len = 42;
    a->ops->give(a, 1, s);
    seg_release(s);
    count = b->ops->rx(b, in, NIC_BURST);
    assert_int_equal(count, NIC_BURST);
    for (; count > 0; count = b->ops->rx(b, in, NIC_BURST)) {
        if (got == 0)
            assert_int_equal(in[0]->flags, SEG_RX_SHARED);
        for (unsigned i = 0; i < count; i++) {
            shared += in[i]->flags == SEG_RX_SHARED;
            seg_release(in[i]);
        }
        got += count;
    }
    assert_int_equal(got, NIC_BURST + 1);
    assert_int_equal(shared, 1);
    nic_port_close(two);
}

static void pool_is_its_sum(void **state)
{
    struct nic_pool_need need = { .connections = CONNECTIONS,
                                  .rx_descriptors = 1024,
                                  .tx_descriptors = 1024 };
    uint32_t count = nic_pool_count_needed(&need);

    (void)state;
    assert_true(count > 2048 + CONNECTIONS * 1024);
    need.connections = 100000;
    assert_true(nic_pool_count_needed(&need) - count < 200000); /* not all of them full at once */
}

static void errors_are_sentences(void **state)
{
    struct nic_port_config config = { .device = "net_tap7", .workers = 1, .connections = 1 };
    char *argv[] = { why_text };

    (void)state;
    reset_why();
    assert_null(nic_port_open(&config, &why));
    assert_non_null(strstr(why_text, "no port \"net_tap7\""));
    reset_why();
    assert_false(nic_eal_start(1, argv, &why));
    assert_non_null(strstr(why_text, "runs already"));
}

static void info_tells(void **state)
{
    struct nic_port_info info;

    (void)state;
    nic_port_info(port, &info);
    assert_string_equal(info.driver, "net_ring");
    assert_string_equal(info.device, "net_ring0");
    assert_int_equal(info.queues, 1);
    assert_int_equal(info.offloads, 0);
    assert_non_null(strstr(info.lacks, "TCP checksums out (software)"));
    assert_int_equal(nic->mtu, info.mtu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_are_fresh),
        cmocka_unit_test(sent_and_let_go),
        cmocka_unit_test(sent_and_kept),
        cmocka_unit_test(let_go_while_the_device_reads),
        cmocka_unit_test(what_the_device_refuses_stays_ours),
        cmocka_unit_test(empty_pool),
        cmocka_unit_test(chains_become_one),
        cmocka_unit_test(foreign_ones_are_copied),
        cmocka_unit_test(checksum_flags_both_ways),
        cmocka_unit_test(shared_between_queues),
        cmocka_unit_test(shared_beside_a_full_burst),
        cmocka_unit_test(pool_is_its_sum),
        cmocka_unit_test(errors_are_sentences),
        cmocka_unit_test(info_tells),
    };

    return cmocka_run_group_tests(tests, open_port, close_port);
}
