/*
 * A capture on DPDK's net_ring, where what is sent comes back: what it sees, that it takes nothing
 * from anybody, and that it ends when its queues have noticed.
 */
#include "lib/unit.h"

#include <string.h>

#include "dataplane/nic/nic_capture.h"
#include "dataplane/nic/nic_port.h"

static struct nic_port *port;
static struct nic *nic;
static const struct nic_capture_rules all = { .bytes = LIMIT_CAPTURE_FRAME_BYTES,
                                              .queue = NIC_CAPTURE_ALL };

static int open_port(void **state)
{
    static char args[][24] = { "test_capture",   "--no-huge", "-m", "64", "--no-shconf",
                               "--no-telemetry", "--no-pci",  "-l", "0",  "--vdev=net_ring0" };
    char *argv[sizeof(args) / sizeof(args[0])];
    struct nic_port_config config = { .device = "net_ring0", .workers = 1, .connections = 16 };
    static uint8_t text[512];
    struct buf why = { text, 0, sizeof(text) };

    (void)state;
    for (unsigned i = 0; i < sizeof(args) / sizeof(args[0]); i++)
        argv[i] = args[i];
    if (!nic_eal_start((int)(sizeof(args) / sizeof(args[0])), argv, &why) || !nic_thread_attach())
        return 1;
    port = nic_port_open(&config, &why);
    if (port == NULL)
        return 1;
    nic = nic_port_nic(port, 0);
    return 0;
}

static int close_port(void **state)
{
    (void)state;
    nic_port_close(port);
    nic_eal_stop();
    return 0;
}

static uint32_t available(void)
{
    return nic->pool->ops->available(nic->pool);
}

/* Out, and in again. */
static unsigned receive(void)
{
    struct seg *in[NIC_BURST];
    unsigned count = nic->ops->rx(nic, in, NIC_BURST);

    for (unsigned i = 0; i < count; i++)
        seg_release(in[i]);
    return count;
}

static struct seg *frame(const void *bytes, uint32_t len)
{
    struct seg *s = seg_alloc(nic->pool);

    memcpy(s->data, bytes, len);
    s->len = len;
    return s;
}

static void send_fill(uint8_t fill, uint32_t len)
{
    uint8_t bytes[1514];
    struct seg *s;

    memset(bytes, fill, sizeof(bytes));
    s = frame(bytes, len);
    assert_int_equal(nic->ops->tx(nic, &s, 1), 1);
}

static struct nic_capture *begin(const struct nic_capture_rules *rules)
{
    struct nic_capture *c = nic_capture_create(port, rules);

    assert_non_null(c);
    assert_int_equal(receive(), 0); /* the queue looks */
    return c;
}

static void end(struct nic_capture *c)
{
    assert_false(nic_capture_end(c)); /* the queue has not looked */
    assert_int_equal(receive(), 0);
    assert_true(nic_capture_end(c));
    nic_capture_destroy(c);
}

static void expect(struct nic_capture *c, bool sent, uint32_t wire_len, uint32_t len, uint8_t fill)
{
    struct nic_capture_frame *f = nic_capture_take(c, 0);

    assert_non_null(f);
    assert_int_equal(f->sent, sent);
    assert_int_equal(f->wire_len, wire_len);
    assert_int_equal(f->len, len);
    for (uint32_t i = 0; i < len; i++)
        assert_int_equal(f->bytes[i], fill);
    nic_capture_give_back(c, 0, f);
}

static void both_ways(void **state)
{
    uint32_t before = available();
    struct nic_capture *c;

    (void)state;
    send_fill(1, 60);
    assert_int_equal(receive(), 1); /* nobody watches */
    c = begin(&all);
    assert_null(nic_capture_take(c, 0));
    send_fill(2, 1514);
    expect(c, true, 1514, 1514, 2);
    assert_int_equal(receive(), 1);
    expect(c, false, 1514, 1514, 2);
    assert_null(nic_capture_take(c, 0));
    end(c);
    send_fill(3, 60);
    assert_int_equal(receive(), 1);
    assert_int_equal(available(), before);
}

/* TCP keeps what it sent, and may let it go before the device does. */
static void takes_no_reference(void **state)
{
    uint32_t before = available();
    struct nic_capture *c = begin(&all);
    struct seg *s = frame("0123456789012345", 16), *out = seg_ref(s);

    (void)state;
    assert_int_equal(nic->ops->tx(nic, &out, 1), 1);
    assert_int_equal(s->ref, 1);
    assert_true(nic->pool->ops->busy(s)); /* the device's reference alone */
    assert_int_equal(receive(), 1);
    assert_false(nic->pool->ops->busy(s));
    seg_release(s);
    end(c);
    assert_int_equal(available(), before);
}

/* A frame that the device did not take was not sent, and is not there twice when it is. */
static void refused_is_not_sent(void **state)
{
    uint32_t before = available();
    struct nic_capture_counts n;
    struct nic_capture *c;
    unsigned sent = 0;
    struct seg *s;

    (void)state;
    while (s = frame("0123456789012345", 16), nic->ops->tx(nic, &s, 1) == 1)
        sent++;
    c = nic_capture_create(port, &all);
    sent -= receive(); /* with it the queue looks */
    nic_capture_count(c, 0, &n);
    assert_int_equal(n.seen, NIC_BURST);
    for (unsigned i = 0; i < NIC_BURST + 5; i++) {
        struct seg *again = seg_ref(s);
        unsigned taken = nic->ops->tx(nic, &again, 1);

        assert_int_equal(taken, i < NIC_BURST);
        sent += taken;
        if (taken == 0)
            seg_release(again);
    }
    nic_capture_count(c, 0, &n);
    assert_int_equal(n.seen, 2 * NIC_BURST);
    assert_int_equal(n.dropped, 0);
    seg_release(s);
    while (sent > 0)
        sent -= receive();
    end(c);
    assert_int_equal(available(), before);
}

static void full_slots_drop(void **state)
{
    struct nic_capture_rules few = all;
    struct nic_capture_counts n;
    struct nic_capture *c;

    (void)state;
    few.bytes = 20;
    c = begin(&few);
    for (unsigned i = 0; i < LIMIT_CAPTURE_SLOTS / 2 + 3; i++) {
        send_fill((uint8_t)i, 60);
        assert_int_equal(receive(), 1);
    }
    nic_capture_count(c, 0, &n);
    assert_int_equal(n.seen, LIMIT_CAPTURE_SLOTS + 6);
    assert_int_equal(n.dropped, 6);
    for (unsigned i = 0; i < LIMIT_CAPTURE_SLOTS; i++)
        expect(c, i % 2 == 0, 60, 20, (uint8_t)(i / 2)); /* the first ones, in order */
    assert_null(nic_capture_take(c, 0));
    send_fill(9, 60);
    expect(c, true, 60, 20, 9);
    assert_int_equal(receive(), 1);
    end(c);
}

static void rules_choose(void **state)
{
    static const uint8_t udp[] = {
        2, 0,  0,  0, 0, 1,   2, 0, 0, 0,   0, 2, 8, 0, 0x45, 0, 0, 28, 0, 0, 0,
        0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 1, 1,    1, 2, 0,  8, 0, 0
    }; /* 192.0.2.1:257 to .2:258 */
    const struct {
        const char *host;
        uint32_t port;
        uint16_t queue;
        bool taken;
    } cases[] = {
        { "192.0.2.1", 0, NIC_CAPTURE_ALL, true },   { "192.0.2.2", 258, 0, true },
        { "192.0.2.3", 0, NIC_CAPTURE_ALL, false },  { "192.0.2.1", 465, NIC_CAPTURE_ALL, false },
        { NULL, 257, NIC_CAPTURE_ALL, true },        { NULL, 259, NIC_CAPTURE_ALL, false },
        { NULL, 257, 1, false /* another queue */ },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct nic_capture_rules r = { 100, { { 0 } }, cases[i].port, cases[i].queue };
        struct seg *s = frame(udp, sizeof(udp));
        struct nic_capture_counts n;
        struct nic_capture *c;

        if (cases[i].host != NULL)
            assert_true(addr_parse(cases[i].host, &r.host));
        c = begin(&r);
        assert_int_equal(nic->ops->tx(nic, &s, 1), 1);
        nic_capture_count(c, 0, &n);
        assert_int_equal(n.seen, cases[i].taken);
        assert_int_equal(receive(), 1);
        end(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),           cmocka_unit_test(takes_no_reference),
        cmocka_unit_test(refused_is_not_sent), cmocka_unit_test(full_slots_drop),
        cmocka_unit_test(rules_choose),
    };

    return cmocka_run_group_tests(tests, open_port, close_port);
}
