/* RACK by the steps of RFC 8985, 6.2, on a scoreboard in virtual time: segments of 1,000 octets
 * from 0 on, sent a millisecond apart, on a path of 100 ms. */
#include "lib/unit.h"

#include "base/clock.h"
#include "dataplane/tcp/tcp_rack.h"

#define MS   NS_PER_MS
#define SEG  1000U
#define SENT NS_PER_S

struct rig {
    struct pool *pool;
    struct tcp_sentq q;
    struct tcp_rack rack;
};

static void begin(struct rig *r, unsigned count)
{
    struct tcp_rack_path path;

    r->pool = pool_create("sent", 64, sizeof(struct tcp_sent));
    tcp_sentq_init(&r->q, r->pool);
    tcp_rack_path_init(&path);
    tcp_rack_init(&r->rack, &path, 0);
    for (uint32_t i = 0; i < count; i++)
        assert_true(tcp_sentq_push(&r->q, i * SEG, (i + 1) * SEG, SENT + i * MS));
}

static void end(struct rig *r)
{
    tcp_sentq_clear(&r->q);
    pool_destroy(r->pool);
}

static struct tcp_rack_ack sack_octets(struct rig *r, uint64_t now_ns, uint32_t start, uint32_t end)
{
    struct tcp_rack_ack a = { .now_ns = now_ns };
    struct tcp_wire_sack block = { start, end };

    tcp_rack_sacked(&r->rack, &r->q, &block, &a);
    return a;
}

static struct tcp_rack_ack sack(struct rig *r, uint64_t now_ns, uint32_t from, uint32_t to)
{
    return sack_octets(r, now_ns, from * SEG, to * SEG);
}

static struct tcp_rack_ack ack(struct rig *r, uint64_t now_ns, uint32_t una, uint64_t echo_ns)
{
    struct tcp_rack_ack a = { .now_ns = now_ns, .echo_ns = echo_ns };

    tcp_rack_acked(&r->rack, &r->q, una, &a);
    return a;
}

static unsigned detect(struct rig *r, uint64_t now_ns, uint64_t *wait_ns)
{
    uint32_t window = tcp_rack_window_us(&r->rack, &r->q, 100000, false);

    return tcp_rack_detect(&r->rack, &r->q, now_ns, window, wait_ns);
}

static void a_later_delivery_starts_the_clock(void **state)
{
    uint64_t wait_ns;
    struct rig r;

    (void)state;
    begin(&r, 10);
    assert_int_equal(sack(&r, SENT + 101 * MS, 1, 2).delivered, SEG);
    /* A quarter of the least round trip is left for reordering. */
    assert_int_equal(detect(&r, SENT + 101 * MS, &wait_ns), 0);
    assert_int_equal(wait_ns, 24 * MS);
    assert_int_equal(detect(&r, SENT + 125 * MS, &wait_ns), 1);
    assert_int_equal(tcp_sentq_first_lost(&r.q)->start, 0);
    assert_int_equal(wait_ns, 0);
    end(&r);
}

/* Of one burst, one record: what is told of a part of it is told of that part alone. */
static void a_burst_is_told_of_in_parts(void **state)
{
    struct rig r;
    uint64_t wait_ns;

    (void)state;
    begin(&r, 0);
    for (uint32_t i = 0; i < 8; i++)
        assert_true(tcp_sentq_push(&r.q, i * SEG, (i + 1) * SEG, SENT));
    assert_int_equal(pool_used(r.pool), 1);
    /* SEG - 1 of the first and the last are no whole segments */
    assert_int_equal(sack_octets(&r, SENT + 100 * MS, 2 * SEG + 1, 5 * SEG - 1).delivered, SEG);
    assert_int_equal(r.q.sacked_count, 1);
    assert_int_equal(ack(&r, SENT + 101 * MS, SEG + 10, 0).delivered, SEG + 10);
    assert_int_equal(r.rack.end_seq, 4 * SEG);
    assert_int_equal(sack(&r, SENT + 101 * MS, 5, 7).delivered, 2 * SEG);
    /* Before what arrived last of the burst: 2 without its first octets, 3, and 5. */
    assert_int_equal(detect(&r, SENT + 126 * MS, &wait_ns), 3);
    assert_int_equal(r.q.lost_count, 3);
    assert_int_equal(r.q.pipe, SEG);
    end(&r);
}

static void three_sacked_end_the_patience(void **state)
{
    uint64_t wait_ns;
    struct rig r;

    (void)state;
    begin(&r, 10);
    sack(&r, SENT + 103 * MS, 1, 4);
    assert_int_equal(detect(&r, SENT + 103 * MS, &wait_ns), 1);
    assert_int_equal(r.q.lost_count, 1);
    end(&r);
}

static void what_was_sent_later_is_not_judged(void **state)
{
    uint64_t wait_ns;
    struct rig r;

    (void)state;
    begin(&r, 10);
    sack(&r, SENT + 500 * MS, 1, 4);
    assert_int_equal(detect(&r, SENT + 900 * MS, &wait_ns), 1);
    end(&r);
}

/* A lost retransmission is found as well: what no count of duplicates can do. */
static void a_retransmission_may_be_lost(void **state)
{
    uint64_t wait_ns;
    struct rig r;

    (void)state;
    begin(&r, 10);
    sack(&r, SENT + 103 * MS, 1, 4);
    assert_int_equal(detect(&r, SENT + 103 * MS, &wait_ns), 1);
    tcp_sentq_resent(&r.q, tcp_sentq_first(&r.q), SENT + 103 * MS);
    assert_true(tcp_sentq_push(&r.q, 10 * SEG, 11 * SEG, SENT + 104 * MS));
    sack(&r, SENT + 204 * MS, 10, 11);
    assert_true(detect(&r, SENT + 204 * MS, &wait_ns) > 0);
    assert_int_equal(tcp_sentq_first_lost(&r.q)->start, 0);
    end(&r);
}

/* RFC 8985, 6.2, step 2: an ACK sooner than any round trip, or with an older echo, is the first
 * copy's. */
static void the_first_copys_ack_says_nothing(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, 3);
    sack(&r, SENT + 102 * MS, 1, 2);
    tcp_sentq_resent(&r.q, tcp_sentq_first(&r.q), SENT + 110 * MS);
    ack(&r, SENT + 115 * MS, SEG, 0);
    assert_int_equal(r.rack.xmit_ns, SENT + 1 * MS);
    tcp_sentq_resent(&r.q, tcp_sentq_last(&r.q), SENT + 120 * MS);
    ack(&r, SENT + 300 * MS, 3 * SEG, SENT + 2 * MS);
    assert_int_equal(r.rack.xmit_ns, SENT + 1 * MS);
    end(&r);
    begin(&r, 1);
    tcp_sentq_resent(&r.q, tcp_sentq_first(&r.q), SENT + 110 * MS);
    assert_int_equal(ack(&r, SENT + 300 * MS, SEG, SENT + 110 * MS).rtt_us, 0);
    assert_int_equal(r.rack.xmit_ns, SENT + 110 * MS);
    end(&r);
}

/* Steps 3 and 4: who arrives late after all makes the window stay open in spite of three. */
static void reordering_is_remembered(void **state)
{
    uint64_t wait_ns;
    struct rig r;

    (void)state;
    begin(&r, 10);
    sack(&r, SENT + 103 * MS, 1, 2);
    assert_false(r.rack.reordered);
    ack(&r, SENT + 104 * MS, SEG, 0);
    assert_true(r.rack.reordered);
    sack(&r, SENT + 110 * MS, 3, 8);
    assert_int_equal(detect(&r, SENT + 110 * MS, &wait_ns), 0);
    assert_true(wait_ns > 0);
    end(&r);
}

static void each_round_of_dsacks_widens_the_window(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, 10);
    sack(&r, SENT + 101 * MS, 1, 2);
    assert_int_equal(tcp_rack_window_us(&r.rack, &r.q, 100000, false), 25000);
    tcp_rack_dsacked(&r.rack, 0, 10 * SEG);
    assert_int_equal(tcp_rack_window_us(&r.rack, &r.q, 100000, false), 50000);
    tcp_rack_dsacked(&r.rack, 5 * SEG, 10 * SEG); /* the same round */
    assert_int_equal(tcp_rack_window_us(&r.rack, &r.q, 100000, false), 50000);
    for (unsigned i = 0; i < 300; i++)
        tcp_rack_dsacked(&r.rack, (10 + i) * SEG, (11 + i) * SEG);
    assert_int_equal(tcp_rack_window_us(&r.rack, &r.q, 100000, false), 100000); /* SRTT at most */
    for (unsigned i = 0; i < 16; i++)
        tcp_rack_recovered(&r.rack);
    assert_int_equal(tcp_rack_window_us(&r.rack, &r.q, 100000, false), 25000);
    end(&r);
}

/* RFC 6298, 3: the oldest that was sent once is the sample. */
static void samples_follow_karn(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, 4);
    assert_int_equal(ack(&r, SENT + 101 * MS, 2 * SEG, 0).rtt_us, 101000);
    tcp_sentq_resent(&r.q, tcp_sentq_first(&r.q), SENT + 105 * MS);
    assert_int_equal(ack(&r, SENT + 300 * MS, 4 * SEG, 0).rtt_us, 0);
    end(&r);
}

/* RFC 8985, 6.3, and RFC 2018, 8. */
static void a_time_out_takes_the_first_and_the_old(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, 10);
    sack(&r, SENT + 102 * MS, 2, 3);
    tcp_rack_timed_out(&r.rack, &r.q, SENT + 105 * MS, 0);
    assert_int_equal(r.q.lost_count, 5); /* 0, 1, 3, 4, 5: older than a round trip */
    end(&r);
    begin(&r, 10);
    sack(&r, SENT + 102 * MS, 0, 3);
    tcp_rack_timed_out(&r.rack, &r.q, SENT + 900 * MS, 0);
    assert_int_equal(r.q.sacked_count, 0); /* the first one: it has reneged */
    assert_int_equal(r.q.lost_count, 10);
    end(&r);
}

static void a_part_of_a_segment_is_not_sacked(void **state)
{
    struct tcp_wire_sack block = { 1500, 3500 };
    struct tcp_rack_ack a = { .now_ns = SENT + 100 * MS };
    struct rig r;

    (void)state;
    begin(&r, 10);
    tcp_rack_sacked(&r.rack, &r.q, &block, &a);
    assert_int_equal(a.delivered, SEG);
    assert_int_equal(r.q.sacked_count, 1);
    assert_int_equal(r.q.count, 10);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_later_delivery_starts_the_clock),
        cmocka_unit_test(a_burst_is_told_of_in_parts),
        cmocka_unit_test(three_sacked_end_the_patience),
        cmocka_unit_test(what_was_sent_later_is_not_judged),
        cmocka_unit_test(a_retransmission_may_be_lost),
        cmocka_unit_test(the_first_copys_ack_says_nothing),
        cmocka_unit_test(reordering_is_remembered),
        cmocka_unit_test(each_round_of_dsacks_widens_the_window),
        cmocka_unit_test(samples_follow_karn),
        cmocka_unit_test(a_time_out_takes_the_first_and_the_old),
        cmocka_unit_test(a_part_of_a_segment_is_not_sacked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
