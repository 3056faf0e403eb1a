/* MLD: routers and switches are told of our groups in time, and asked-for answers come once. */
#include "lib/unit.h"

#include <string.h>

#include "base/limits.h"
#include "rig6.h"

#define IP_AT     NET_WIRE_ETH_LEN
#define REPORT_AT (RIG6_AT + 8)

static struct rig *rig_that_keeps(void)
{
    struct rig *r = rig6_create_new(&rig6_gateway);

    r->keep_reports = true;
    return r;
}

/* After all that is told at the start. */
static struct rig *rig_at_rest(void)
{
    struct rig *r = rig_that_keeps();

    for (unsigned i = 0; i < 5; i++)
        rig_wait_ms(r, 1000);
    rig_forget_sent(r);
    return r;
}

/* A report of `count` groups; the first is our addresses' in the rig. */
static void expect_report(const struct rig_frame *f, const struct addr *src, uint8_t kind,
                          uint16_t count)
{
    static const uint8_t to[6] = { 0x33, 0x33, 0, 0, 0, 0x16 };
    static const uint8_t alert[8] = { NET_WIRE_PROTO_ICMP6, 0, 5, 2, 0, 0, 1, 0 };
    static const struct addr routers = { { 0xff, 2, [15] = 0x16 } };
    struct addr group = net_wire_solicited_group(&rig6_ours);
    uint16_t len = (uint16_t)(8 + count * 20);
    uint8_t frame[256];

    assert_int_equal(f->len, REPORT_AT + len);
    assert_memory_equal(f->bytes, to, 6);
    assert_int_equal(f->bytes[IP_AT + 6], 0);
    assert_int_equal(f->bytes[IP_AT + 7], 1);
    assert_memory_equal(f->bytes + IP_AT + 8, src->octets, 16);
    assert_memory_equal(f->bytes + IP_AT + 24, routers.octets, 16);
    assert_memory_equal(f->bytes + RIG6_AT, alert, 8);
    assert_int_equal(f->bytes[REPORT_AT], 143);
    assert_int_equal(load_be16(f->bytes + REPORT_AT + 6), count);
    assert_int_equal(load_be32(f->bytes + REPORT_AT + 8), (uint32_t)kind << 24);
    assert_memory_equal(f->bytes + REPORT_AT + 12, group.octets, 16);
    memcpy(frame, f->bytes, f->len);
    rig6_fix(frame, f->len, len, NET_WIRE_PROTO_ICMP6, 2);
    assert_memory_equal(frame, f->bytes, f->len);
}

/* RFC 4862, 5.4.2: before the probe, whose answer comes to the group. */
static void told_before_the_first_probe(void **state)
{
    struct rig *r = rig_that_keeps();

    (void)state;
    rig_wait_ms(r, 0);
    assert_int_equal(r->sent_count, 3);
    expect_report(&r->sent[0], &rig6_nobody, 4, 1);
    assert_int_equal(r->sent[1].bytes[RIG6_AT], NET_WIRE_ICMP6_NS);
    rig_destroy(r);
}

/* RFC 3590, 4: and again from the address, once it is ours; then silence. */
static void told_again_from_the_address(void **state)
{
    struct rig *r = rig_that_keeps();

    (void)state;
    rig_wait_ms(r, 0);
    rig_forget_sent(r);
    for (unsigned i = 0; i < 30; i++)
        rig_wait_ms(r, 1000);
    assert_int_equal(r->sent_count, 1 + LIMIT_NET_MLD_REPORTS);
    expect_report(&r->sent[1], &rig6_local, 4, 1);
    expect_report(&r->sent[2], &rig6_local, 4, 1);
    assert_true(net_next_ns(r->net) == UINT64_MAX);
    rig_destroy(r);
}

static void two_addresses_two_groups(void **state)
{
    struct rig *r = rig_that_keeps();
    struct net_config config = { .address6 = rig6_ours, .prefix_length6 = 64 };

    (void)state;
    net_destroy(r->net);
    config.address6.octets[14] = 0x77;
    r->net = net_create(
        &config, &(struct net_env){ .nic = &r->nic, .clock = &r->clock, .counters = &r->counters });
    rig_forget_sent(r);
    rig_wait_ms(r, 0);
    expect_report(&r->sent[0], &rig6_nobody, 4, 2);
    rig_destroy(r);
}

static uint32_t query(uint8_t *to, const struct addr *src, uint16_t delay_code)
{
    uint8_t message[28] = { 130 };
    uint32_t len;

    store_be16(message + 4, delay_code);
    len = rig6_icmp(to, src, &rig6_all, message, sizeof(message));
    to[IP_AT + 7] = 1;
    return len;
}

static void a_query_is_answered_once_in_time(void **state)
{
    static const struct {
        uint16_t code;
        uint64_t most_ms;
    } rows[] = { { 0, 0 },           { 1, 1 },           { 10000, 10000 },
                 { 0x7fff, 0x7fff }, { 0x8000, 0x8000 }, { 0xffff, 0x1fffULL << 10 } };
    struct rig *r = rig_at_rest();
    uint8_t frame[128];
    struct seg *s;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t due;

        for (unsigned again = 0; again < 3; again++)
            rig_receive(r, frame, query(frame, &rig6_router, rows[i].code), &s);
        due = net_next_ns(r->net) - r->clock.now_ns;
        assert_true(due <= rows[i].most_ms * NS_PER_MS);
        rig_wait_ms(r, rows[i].most_ms);
        assert_int_equal(r->sent_count, 1);
        expect_report(&r->sent[0], &rig6_local, 2, 1);
        rig_wait_ms(r, 10000);
        assert_int_equal(r->sent_count, 1);
        rig_forget_sent(r);
    }
    rig_destroy(r);
}

static void strange_queries_get_nothing(void **state)
{
    struct rig *r = rig_at_rest();
    uint8_t frame[128];
    struct seg *s;
    uint32_t len;

    (void)state;
    len = query(frame, &rig6_router, 100);
    frame[IP_AT + 7] = 2; /* over a router */
    rig_receive(r, frame, len, &s);
    rig_receive(r, frame, query(frame, &rig6_peer, 100), &s); /* RFC 3810, 5.1.14 */
    rig_receive(r, frame, query(frame, &rig6_nobody, 100), &s);
    len = rig6_icmp(frame, &rig6_router, &rig6_all, "\202\0\0\0\0\0\0\0", 8);
    frame[IP_AT + 7] = 1;
    rig_receive(r, frame, len, &s);
    rig_wait_ms(r, 1000);
    assert_int_equal(r->sent_count, 0);
    assert_int_equal(rig_count(r, COUNTER_NET_IN_ND_INVALID), 4);
    rig_destroy(r);
}

static void no_segment_for_a_report(void **state)
{
    struct rig *r = rig_at_rest();
    uint8_t frame[128];
    struct seg *s;

    (void)state;
    fault_set(&r->pool.fault, 1, 1);
    rig_receive(r, frame, query(frame, &rig6_router, 0), &s);
    rig_wait_ms(r, 0);
    assert_int_equal(r->sent_count, 0);
    rig_wait_ms(r, 1000);
    assert_int_equal(r->sent_count, 1);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_before_the_first_probe),
        cmocka_unit_test(told_again_from_the_address),
        cmocka_unit_test(two_addresses_two_groups),
        cmocka_unit_test(a_query_is_answered_once_in_time),
        cmocka_unit_test(strange_queries_get_nothing),
        cmocka_unit_test(no_segment_for_a_report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
