/*
 * Two ends over a wire that loses, reorders and doubles: what one sends is what the other reads, in
 * both directions, from hundreds of seeds; and each n-th allocation fails once.
 */
#include "lib/unit.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "tcp_pair.h"

static void assert_arrives(const struct tcp_pair_config *config)
{
    struct tcp_pair_result r = tcp_pair_run(config);

    if (!r.intact || !r.done)
        print_message("seed %lu: intact %d, done %d, client got %lu, server got %lu\n",
                      (unsigned long)config->seed, r.intact, r.done, (unsigned long)r.received[0],
                      (unsigned long)r.received[1]);
    assert_true(r.intact);
    assert_true(r.done);
}

static void clean_wire_needs_no_retransmission(void **state)
{
    struct tcp_pair_config config = tcp_pair_plain(1, NS_PER_MS);
    struct tcp_pair_result r;

    (void)state;
    config.bytes[0] = 1000000;
    config.bytes[1] = 50000;
    r = tcp_pair_run(&config);
    assert_true(r.intact);
    assert_true(r.done);
    assert_int_equal(r.retransmitted, 0);
    assert_int_equal(r.timeouts, 0);
}

/* A large mail: 25 MB, 1 % lost, 2 % reordered. */
static void large_mail_over_a_lossy_wire(void **state)
{
    struct tcp_pair_config config = tcp_pair_plain(7, NS_PER_MS);

    (void)state;
    config.bytes[0] = 25 * 1000 * 1000;
    config.bytes[1] = 3000;
    config.loss_ppm = 10000;
    config.reorder_ppm = 20000;
    assert_arrives(&config);
}

/* 25 MB at a round trip of 200 ms on a fast wire: the window follows slow start, so the mail needs
 * no more round trips than the sender's doublings, and a few for the end. */
static void an_upload_is_not_bound_by_the_window(void **state)
{
    struct tcp_pair_config config = tcp_pair_plain(11, 100 * NS_PER_MS);
    struct tcp_pair_result r;

    (void)state;
    config.bytes[0] = 25 * 1000 * 1000;
    config.segs = 32768;
    config.receive_bytes = LIMIT_TCP_RECEIVE_BYTES_DEFAULT;
    config.send_bytes = 32 * 1024 * 1024;
    config.rate = 125 * 1000 * 1000;
    config.queue_bytes = 8 * 1024 * 1024;
    r = tcp_pair_run(&config);
    assert_true(r.intact);
    assert_true(r.done);
    assert_true(r.transfer_ns < 18 * 200 * NS_PER_MS);
}

/* Late frames look like lost ones at first: RACK learns to wait, and a window that was cut for
 * nothing is given back (RFC 8985, 6.2; RFC 4015). */
static void reordering_is_not_loss(void **state)
{
    struct tcp_pair_config config = tcp_pair_plain(13, 25 * NS_PER_MS);
    struct tcp_pair_result straight;
    struct tcp_pair_result mixed;

    (void)state;
    config.bytes[0] = 10 * 1000 * 1000;
    config.segs = 16384;
    config.receive_bytes = LIMIT_TCP_RECEIVE_BYTES_DEFAULT;
    config.send_bytes = 4 * 1024 * 1024;
    config.rate = 12500000;
    config.queue_bytes = 1024 * 1024;
    config.late_ns = config.delay_ns / 2;
    straight = tcp_pair_run(&config);
    config.reorder_ppm = 20000;
    mixed = tcp_pair_run(&config);
    assert_true(straight.intact && mixed.intact);
    assert_true(mixed.transfer_ns < straight.transfer_ns + straight.transfer_ns / 4);
    assert_int_equal(mixed.timeouts, 0);
}

/* And loss is loss, reordered or not: who is late beside must not hide it from congestion control.
 */
static void loss_counts_among_reordered_frames(void **state)
{
    uint64_t straight_ns = 0;
    uint64_t mixed_ns = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct tcp_pair_config config = tcp_pair_plain(seed, 25 * NS_PER_MS);
        struct tcp_pair_result r;

        config.bytes[0] = 5 * 1000 * 1000;
        config.segs = 16384;
        config.receive_bytes = LIMIT_TCP_RECEIVE_BYTES_DEFAULT;
        config.send_bytes = 4 * 1024 * 1024;
        config.rate = 12500000;
        config.queue_bytes = 1024 * 1024;
        config.late_ns = config.delay_ns / 2;
        config.loss_ppm = 10000;
        r = tcp_pair_run(&config);
        assert_true(r.intact);
        straight_ns += r.transfer_ns;
        config.reorder_ppm = 20000;
        r = tcp_pair_run(&config);
        assert_true(r.intact);
        mixed_ns += r.transfer_ns;
    }
    assert_in_range(mixed_ns, straight_ns / 2, 2 * straight_ns);
}

/* A router that marks where it would drop: the window follows, and nothing is lost (RFC 3168). */
static void marks_spare_losses(void **state)
{
    struct tcp_pair_config config = tcp_pair_plain(14, 25 * NS_PER_MS);
    struct tcp_pair_result dropped;
    struct tcp_pair_result marked;

    (void)state;
    config.bytes[0] = 10 * 1000 * 1000;
    config.segs = 16384;
    config.receive_bytes = LIMIT_TCP_RECEIVE_BYTES_DEFAULT;
    config.send_bytes = 4 * 1024 * 1024;
    config.rate = 12500000;
    config.queue_bytes = 1024 * 1024;
    dropped = tcp_pair_run(&config);
    config.ecn = true;
    config.mark_bytes = config.queue_bytes / 8;
    marked = tcp_pair_run(&config);
    assert_true(dropped.intact && marked.intact);
    assert_int_not_equal(dropped.retransmitted, 0);
    assert_int_equal(marked.retransmitted, 0);
    assert_true(marked.transfer_ns < dropped.transfer_ns + dropped.transfer_ns / 4);
}

/* A tunnel that takes less than it says, and drops what is larger: it costs three time-outs (RFC
 * 2923, 2.1), by IPv4 and by IPv6. */
static void a_black_hole_is_passed_by(void **state)
{
    struct tcp_pair_config config = tcp_pair_plain(15, 10 * NS_PER_MS);

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct tcp_pair_result r;

        config.ip6 = i >= 2;
        config.hole_mtu = i % 2 == 0 ? 1400 : config.ip6 ? 1280 : 600;
        config.bytes[0] = 300000;
        config.bytes[1] = 300000;
        r = tcp_pair_run(&config);
        assert_true(r.intact);
        assert_true(r.done);
        assert_true(r.transfer_ns < 10 * NS_PER_S);
    }
}

/* A pool of few segments: windows stay small, or the pool would be promised many times. */
static void windows_grow_only_as_far_as_the_pool(void **state)
{
    struct tcp_pair_config config = tcp_pair_plain(12, 100 * NS_PER_MS);
    struct tcp_pair_result r;

    (void)state;
    config.bytes[0] = 3 * 1000 * 1000;
    config.segs = 512;
    config.receive_bytes = LIMIT_TCP_RECEIVE_BYTES_DEFAULT;
    config.send_bytes = 512 * 1024;
    r = tcp_pair_run(&config);
    assert_true(r.intact);
    assert_true(r.done);
    assert_true(r.window_max > LIMIT_TCP_WINDOW_FIRST);
    assert_true(r.window_max <= LIMIT_TCP_WINDOW_FIRST + 512 * 2048);
}

static void many_seeds_both_ways(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 120; seed++) {
        struct tcp_pair_config config = tcp_pair_plain(seed, (1 + seed % 50) * NS_PER_MS);

        config.bytes[0] = 1000 + seed * 997;
        config.bytes[1] = seed % 3 == 0 ? 0 : seed * 1009;
        config.loss_ppm = (uint32_t)(seed % 6) * 20000;
        config.reorder_ppm = (uint32_t)(seed % 5) * 20000;
        config.duplicate_ppm = (uint32_t)(seed % 4) * 10000;
        config.mtu = seed % 7 == 0 ? 576 : 1500;
        assert_arrives(&config);
    }
}

/* RFC 9293, 3.7.1: a segment fills the packet, whose header is longer. */
static void by_ip6(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct tcp_pair_config config = tcp_pair_plain(seed, NS_PER_MS);

        config.ip6 = true;
        config.mtu = seed % 2 == 0 ? 1280 : 1500;
        config.bytes[0] = 50000;
        config.bytes[1] = 20000;
        config.loss_ppm = 20000;
        config.reorder_ppm = 20000;
        assert_arrives(&config);
        assert_int_equal(tcp_pair_run(&config).segment_max, config.mtu - 40);
    }
}

static void tiny_writes_and_slow_readers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct tcp_pair_config config = tcp_pair_plain(seed, NS_PER_MS);

        config.bytes[0] = 60000;
        config.bytes[1] = 20000;
        config.write_max = 1 + (uint32_t)seed;
        config.read_max = 100 + (uint32_t)seed * 50;
        config.receive_bytes = 2000 + (uint32_t)seed * 500;
        config.loss_ppm = seed % 2 == 0 ? 10000 : 0;
        assert_arrives(&config);
    }
}

static void few_segments_are_slow_but_whole(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct tcp_pair_config config = tcp_pair_plain(seed, NS_PER_MS);

        config.bytes[0] = 100000;
        config.bytes[1] = 100000;
        config.segs = 24 + (uint32_t)seed * 4;
        config.loss_ppm = 10000;
        config.reorder_ppm = 20000;
        assert_arrives(&config);
    }
}

/* Each allocation of either end fails once, and then ten in a row: late, but whole. */
static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (unsigned end = 0; end < 2; end++) {
        for (uint64_t n = 1;; n++) {
            struct tcp_pair_config config = tcp_pair_plain(3, NS_PER_MS);
            struct tcp_pair_result r;

            config.bytes[0] = 20000;
            config.bytes[1] = 5000;
            config.fault_end = end;
            config.fault_first = n;
            config.fault_count = n % 3 == 0 ? 10 : 1;
            r = tcp_pair_run(&config);
            assert_true(r.intact);
            assert_true(r.done);
            if (!r.fault_hit)
                break;
            assert_true(n < 1000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_wire_needs_no_retransmission),
        cmocka_unit_test(large_mail_over_a_lossy_wire),
        cmocka_unit_test(an_upload_is_not_bound_by_the_window),
        cmocka_unit_test(reordering_is_not_loss),
        cmocka_unit_test(loss_counts_among_reordered_frames),
        cmocka_unit_test(marks_spare_losses),
        cmocka_unit_test(a_black_hole_is_passed_by),
        cmocka_unit_test(windows_grow_only_as_far_as_the_pool),
        cmocka_unit_test(many_seeds_both_ways),
        cmocka_unit_test(by_ip6),
        cmocka_unit_test(tiny_writes_and_slow_readers),
        cmocka_unit_test(few_segments_are_slow_but_whole),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
