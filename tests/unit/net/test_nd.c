/* Neighbour Discovery: answering, asking, the states of a neighbour, our own addresses. */
#include "lib/unit.h"

#include <string.h>

#include "base/limits.h"
#include "rig6.h"

#define IP_AT NET_WIRE_ETH_LEN

static const uint8_t moved_mac[6] = { 2, 0, 0, 0, 0, 0x99 };

static int setup(void **state)
{
    *state = rig6_create(0);
    return *state == NULL;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

static void receive(struct rig *r, const uint8_t *frame, uint32_t len)
{
    struct seg *s;

    assert_int_equal(rig_receive(r, frame, len, &s), NET_SETTLED);
}

static void send_to(struct rig *r, const struct addr *to)
{
    net_output_tcp(r->net, rig_segment(r, 10), &rig6_ours, to);
    net_flush(r->net);
}

static void hear(struct rig *r, const struct rig6_nd *nd)
{
    uint8_t frame[128];

    receive(r, frame, rig6_nd(frame, nd));
}

/* The peer asks for us. */
static void ask_us(struct rig *r)
{
    hear(r, &(struct rig6_nd){ .type = NET_WIRE_ICMP6_NS,
                               .src = &rig6_peer,
                               .dst = &rig6_ours,
                               .target = &rig6_ours,
                               .mac = rig_peer_mac });
}

/* The peer says where it is. */
static void tell_us(struct rig *r, uint8_t flags, const uint8_t *mac)
{
    hear(r, &(struct rig6_nd){ .type = NET_WIRE_ICMP6_NA,
                               .flags = flags,
                               .src = &rig6_peer,
                               .dst = &rig6_ours,
                               .target = &rig6_peer,
                               .mac = mac });
}

/* The frame is a question of ours for `target`; `mac` NULL: to its group. */
static void expect_question(const struct rig_frame *f, const struct addr *target,
                            const uint8_t *mac)
{
    struct addr group = net_wire_solicited_group(target);
    uint8_t group_mac[6];

    net_wire_mac_of_group(&group, group_mac);
    assert_memory_equal(f->bytes, mac != NULL ? mac : group_mac, 6);
    assert_memory_equal(f->bytes + 6, rig_our_mac, 6);
    assert_int_equal(f->len, RIG6_AT + 32);
    assert_int_equal(f->bytes[IP_AT + 7], 255);
    assert_memory_equal(f->bytes + IP_AT + 24, mac != NULL ? target->octets : group.octets, 16);
    assert_int_equal(f->bytes[RIG6_AT], NET_WIRE_ICMP6_NS);
    assert_memory_equal(f->bytes + RIG6_AT + 8, target->octets, 16);
    assert_int_equal(load_be16(f->bytes + RIG6_AT + 24), 0x0101);
    assert_memory_equal(f->bytes + RIG6_AT + 26, rig_our_mac, 6);
    assert_true(rig6_sealed(f, NET_WIRE_PROTO_ICMP6));
}

static void expect_packet(const struct rig_frame *f, const uint8_t mac[6])
{
    assert_memory_equal(f->bytes, mac, 6);
    assert_int_equal(f->bytes[IP_AT + 6], NET_WIRE_PROTO_TCP);
}

static void answers_the_wire(void **state)
{
    /* As Linux asks: fe80::ff:fe00:1 for 2001:db8::2, to ff02::1:ff00:2. */
    static const uint8_t question[86] = {
        0x33, 0x33, 0xff, 0,    0,    2,    2,   0,    0,    0,   0, 1,    0x86, 0xdd, 0x60,
        0,    0,    0,    0,    32,   58,   255, 0xfe, 0x80, 0,   0, 0,    0,    0,    0,
        0,    0,    0,    0xff, 0xfe, 0,    0,   1,    0xff, 2,   0, 0,    0,    0,    0,
        0,    0,    0,    0,    1,    0xff, 0,   0,    2,    135, 0, 0x4a, 0xa1, 0,    0,
        0,    0,    0x20, 1,    0x0d, 0xb8, 0,   0,    0,    0,   0, 0,    0,    0,    0,
        0,    0,    2,    1,    1,    2,    0,   0,    0,    0,   1,
    };
    static const uint8_t answer[86] = {
        2,   0,  0,    0,    0,    1, 2,    0,    0,    0, 0,    2,    0x86, 0xdd, 0x60, 0, 0, 0,
        0,   32, 58,   255,  0x20, 1, 0x0d, 0xb8, 0,    0, 0,    0,    0,    0,    0,    0, 0, 0,
        0,   2,  0xfe, 0x80, 0,    0, 0,    0,    0,    0, 0,    0,    0,    0xff, 0xfe, 0, 0, 1,
        136, 0,  0,    0,    0x60, 0, 0,    0,    0x20, 1, 0x0d, 0xb8, 0,    0,    0,    0, 0, 0,
        0,   0,  0,    0,    0,    2, 2,    1,    2,    0, 0,    0,    0,    2,
    };
    struct rig *r = *state;
    uint8_t frame[86], want[86];

    memcpy(frame, question, sizeof(frame));
    rig6_fix(frame, sizeof(frame), 32, NET_WIRE_PROTO_ICMP6, 2);
    memcpy(want, answer, sizeof(want));
    rig6_fix(want, sizeof(want), 32, NET_WIRE_PROTO_ICMP6, 2);
    receive(r, frame, sizeof(frame));
    assert_int_equal(r->sent_count, 1);
    assert_int_equal(r->sent[0].len, sizeof(want));
    assert_memory_equal(r->sent[0].bytes, want, sizeof(want));
}

/* RFC 4861, 7.1: each rule broken once gets nothing and teaches nothing. */
static void broken_rules(void **state)
{
    struct rig *r = *state;
    struct rig6_nd ask = { .type = NET_WIRE_ICMP6_NS,
                           .src = &rig6_peer,
                           .dst = &rig6_ours,
                           .target = &rig6_ours,
                           .mac = rig_peer_mac };
    uint8_t good[128], frame[128];
    uint32_t len = rig6_nd(good, &ask);
    unsigned broken = 0;

    for (unsigned i = 0; i < 6; i++) {
        memcpy(frame, good, len);
        if (i == 0)
            frame[IP_AT + 7] = 254; /* over a router */
        if (i == 1)
            frame[RIG6_AT + 1] = 1; /* a code */
        if (i == 2)
            frame[RIG6_AT + 8] = 0xff; /* a group as the target */
        if (i == 3)
            frame[RIG6_AT + 25] = 0; /* an option without length */
        if (i == 4)
            frame[RIG6_AT + 25] = 2; /* past the message */
        if (i == 5)
            memset(frame + IP_AT + 8, 0, 16); /* nobody, with an address */
        rig6_fix(frame, len, 32, NET_WIRE_PROTO_ICMP6, 2);
        receive(r, frame, len);
        assert_int_equal(rig_count(r, COUNTER_NET_IN_ND_INVALID), ++broken);
    }
    ask.type = NET_WIRE_ICMP6_NA; /* solicited, to a group */
    ask.flags = NET_WIRE_ND_SOLICITED;
    ask.dst = &rig6_all;
    receive(r, frame, rig6_nd(frame, &ask));
    assert_int_equal(rig_count(r, COUNTER_NET_IN_ND_INVALID), ++broken);
    assert_int_equal(r->sent_count, 0);
    for (uint32_t cut = IP_AT; cut < len; cut++)
        receive(r, good, cut);
    assert_int_equal(r->sent_count, 0);
    send_to(r, &rig6_peer);
    expect_question(&r->sent[0], &rig6_peer, NULL);
}

static void asks_and_sends_what_waited(void **state)
{
    struct rig *r = *state;

    send_to(r, &rig6_peer);
    send_to(r, &rig6_peer);
    assert_int_equal(r->sent_count, 1);
    expect_question(&r->sent[0], &rig6_peer, NULL);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_UNRESOLVED), 1); /* the latest waits */
    tell_us(r, NET_WIRE_ND_SOLICITED, NULL);                       /* tells no address */
    assert_int_equal(r->sent_count, 1);
    tell_us(r, NET_WIRE_ND_SOLICITED, rig_peer_mac);
    assert_int_equal(r->sent_count, 2);
    expect_packet(&r->sent[1], rig_peer_mac);
}

static void gives_up(void **state)
{
    struct rig *r = *state;

    send_to(r, &rig6_peer);
    for (unsigned i = 0; i < 100; i++)
        rig_wait_ms(r, 100);
    assert_int_equal(r->sent_count, LIMIT_NET_NEIGHBOUR_TRIES);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_UNRESOLVED), 1);
    assert_true(net_next_ns(r->net) == UINT64_MAX);
}

static void far_ones_go_to_the_gateway(void **state)
{
    struct rig *r = *state;

    send_to(r, &rig6_far);
    expect_question(&r->sent[0], &rig6_gateway, NULL);
}

/* RFC 4861, 7.3: heard of, in use, asked straight after a delay, and gone. */
static void a_silent_one_is_asked_and_given_up(void **state)
{
    struct rig *r = *state;

    ask_us(r);
    rig_forget_sent(r);
    send_to(r, &rig6_peer);
    assert_int_equal(r->sent_count, 1);
    expect_packet(&r->sent[0], rig_peer_mac);
    rig_wait_ms(r, LIMIT_NET_ND_DELAY_MS - 1);
    assert_int_equal(r->sent_count, 1);
    rig_wait_ms(r, 1);
    assert_int_equal(r->sent_count, 2);
    expect_question(&r->sent[1], &rig6_peer, rig_peer_mac);
    send_to(r, &rig6_peer); /* still there, as far as we know */
    expect_packet(&r->sent[2], rig_peer_mac);
    for (unsigned i = 0; i < 30; i++)
        rig_wait_ms(r, 100);
    assert_int_equal(r->sent_count, 2 + LIMIT_NET_NEIGHBOUR_TRIES);
    send_to(r, &rig6_peer);
    expect_question(&r->sent[r->sent_count - 1], &rig6_peer, NULL);
}

static void an_answer_is_good_for_a_while(void **state)
{
    struct rig *r = *state;

    send_to(r, &rig6_peer);
    tell_us(r, NET_WIRE_ND_SOLICITED, rig_peer_mac);
    for (unsigned s = 0; s < LIMIT_NET_ND_FRESH_MS / 1000; s++) {
        rig_wait_ms(r, 999);
        send_to(r, &rig6_peer);
    }
    assert_int_equal(r->sent_count, 2 + LIMIT_NET_ND_FRESH_MS / 1000);
    rig_wait_ms(r, 1000);
    send_to(r, &rig6_peer);
    rig_forget_sent(r);
    rig_wait_ms(r, LIMIT_NET_ND_DELAY_MS);
    assert_int_equal(r->sent_count, 1);
    expect_question(&r->sent[0], &rig6_peer, rig_peer_mac);
    tell_us(r, NET_WIRE_ND_SOLICITED, NULL); /* which need not say the address again */
    rig_wait_ms(r, 20000);
    assert_int_equal(r->sent_count, 1);
}

/* RFC 4861, 7.2.5: a table of who may change an address that is known. */
static void who_may_move_a_neighbour(void **state)
{
    static const struct {
        uint8_t flags;
        bool moves;
    } rows[] = {
        { 0, false },
        { NET_WIRE_ND_SOLICITED, false },
        { NET_WIRE_ND_OVERRIDE, true },
        { NET_WIRE_ND_SOLICITED | NET_WIRE_ND_OVERRIDE, true },
    };

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct rig *r = rig6_create(0);

        send_to(r, &rig6_peer);
        tell_us(r, NET_WIRE_ND_SOLICITED, rig_peer_mac);
        tell_us(r, rows[i].flags, moved_mac);
        rig_forget_sent(r);
        send_to(r, &rig6_peer);
        expect_packet(&r->sent[0], rows[i].moves ? moved_mac : rig_peer_mac);
        rig_destroy(r);
    }
}

static void learns_of_no_far_host(void **state)
{
    struct rig *r = *state;

    hear(r, &(struct rig6_nd){ .type = NET_WIRE_ICMP6_NS,
                               .src = &rig6_far,
                               .dst = &rig6_ours,
                               .target = &rig6_ours,
                               .mac = moved_mac });
    hear(r, &(struct rig6_nd){ .type = NET_WIRE_ICMP6_NA, /* an answer to no question */
                               .flags = NET_WIRE_ND_SOLICITED | NET_WIRE_ND_OVERRIDE,
                               .src = &rig6_peer,
                               .dst = &rig6_ours,
                               .target = &rig6_peer,
                               .mac = moved_mac });
    rig_forget_sent(r);
    send_to(r, &rig6_peer);
    expect_question(&r->sent[0], &rig6_peer, NULL);
}

static void shared_with_other_cores(void **state)
{
    struct rig *r = *state;
    struct rig6_nd ask = { .type = NET_WIRE_ICMP6_NS,
                           .src = &rig6_peer,
                           .dst = &rig6_ours,
                           .target = &rig6_ours,
                           .mac = rig_peer_mac };
    uint8_t frame[128];
    uint32_t len = rig6_nd(frame, &ask);

    rig_two_queues(r);
    receive(r, frame, len);
    assert_int_equal(r->shared, 1);
    assert_int_equal(r->given.len, len);
    rig_forget_sent(r);
    rig_receive_flags(r, frame, len, SEG_RX_SHARED);
    assert_int_equal(r->shared, 1);
    assert_int_equal(r->sent_count, 0); /* the core that received it answers */
}

/* --- our own addresses (RFC 4862, 5.4) --- */

static void asks_for_its_own_addresses_first(void **state)
{
    struct rig *r = rig6_create_new(&rig6_gateway);
    const struct addr *own[] = { &rig6_local, &rig6_ours };

    (void)state;
    rig_wait_ms(r, 0);
    assert_int_equal(r->sent_count, 2);
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t *f = r->sent[i].bytes;

        assert_memory_equal(f, rig6_group_mac, 6);
        assert_memory_equal(f + IP_AT + 8, rig6_nobody.octets, 16);
        assert_int_equal(r->sent[i].len, RIG6_AT + 24); /* and tells no address */
        assert_memory_equal(f + RIG6_AT + 8, own[i]->octets, 16);
        assert_true(rig6_sealed(&r->sent[i], NET_WIRE_PROTO_ICMP6));
    }
    rig_wait_ms(r, 999);
    ask_us(r); /* too early: we do not have it yet */
    assert_int_equal(r->sent_count, 2);
    rig_wait_ms(r, 1);
    ask_us(r);
    assert_int_equal(r->sent_count, 3);
    rig_destroy(r);
}

static void a_duplicate_is_never_used(void **state)
{
    struct rig6_nd claims[] = {
        { .type = NET_WIRE_ICMP6_NA,
          .flags = NET_WIRE_ND_OVERRIDE,
          .src = &rig6_ours,
          .dst = &rig6_all,
          .target = &rig6_ours,
          .mac = moved_mac },
        { .type = NET_WIRE_ICMP6_NS, .src = &rig6_nobody, .target = &rig6_ours },
    };
    struct addr group = net_wire_solicited_group(&rig6_ours);

    (void)state;
    claims[1].dst = &group;
    for (unsigned i = 0; i < 2; i++) {
        struct rig *r = rig6_create_new(&rig6_gateway);

        rig_wait_ms(r, 0);
        hear(r, &claims[i]);
        assert_int_equal(rig_count(r, COUNTER_NET_IN_ND_CONFLICTS), 1);
        rig_wait_ms(r, 1000);
        rig_forget_sent(r);
        ask_us(r);
        assert_int_equal(r->sent_count, 0);
        hear(r, &(struct rig6_nd){ .type = NET_WIRE_ICMP6_NS, /* the other one lives */
                                   .src = &rig6_peer,
                                   .dst = &rig6_local,
                                   .target = &rig6_local,
                                   .mac = rig_peer_mac });
        assert_int_equal(r->sent_count, 1);
        rig_destroy(r);
    }
}

/* A host that asks for our address for itself is told, by all. */
static void defends_its_address(void **state)
{
    struct addr group = net_wire_solicited_group(&rig6_ours);
    struct rig *r = *state;

    hear(r,
         &(struct rig6_nd){
             .type = NET_WIRE_ICMP6_NS, .src = &rig6_nobody, .dst = &group, .target = &rig6_ours });
    assert_int_equal(r->sent_count, 1);
    assert_memory_equal(r->sent[0].bytes + IP_AT + 24, rig6_all.octets, 16);
    assert_int_equal(r->sent[0].bytes[RIG6_AT + 4], NET_WIRE_ND_OVERRIDE);
    assert_true(rig6_sealed(&r->sent[0], NET_WIRE_PROTO_ICMP6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_the_wire, setup, teardown),
        cmocka_unit_test_setup_teardown(broken_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(asks_and_sends_what_waited, setup, teardown),
        cmocka_unit_test_setup_teardown(gives_up, setup, teardown),
        cmocka_unit_test_setup_teardown(far_ones_go_to_the_gateway, setup, teardown),
        cmocka_unit_test_setup_teardown(a_silent_one_is_asked_and_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_is_good_for_a_while, setup, teardown),
        cmocka_unit_test(who_may_move_a_neighbour),
        cmocka_unit_test_setup_teardown(learns_of_no_far_host, setup, teardown),
        cmocka_unit_test_setup_teardown(shared_with_other_cores, setup, teardown),
        cmocka_unit_test(asks_for_its_own_addresses_first),
        cmocka_unit_test(a_duplicate_is_never_used),
        cmocka_unit_test_setup_teardown(defends_its_address, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
