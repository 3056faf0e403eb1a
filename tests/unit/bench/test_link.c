/* A bad link in virtual time: the same seed plays the same faults, and each does what it says. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench/link_way.h"
#include "lib/unit.h"

#define FRAMES 100000
#define FRAME  1500

static struct link_fate fate, other;
static struct link_way way;
static uint8_t frame[FRAME];

static void seeds_repeat(void **state)
{
    struct link_fate_config c = { .loss_ppm = 100000,
                                  .burst_ppm = 1000,
                                  .burst_end_ppm = 200000,
                                  .reorder_ppm = 50000,
                                  .late_ns = 1000,
                                  .corrupt_ppm = 3000 };
    unsigned differ = 0;

    (void)state;
    link_fate_init(&fate, &c, 7);
    link_fate_init(&other, &c, 7);
    for (unsigned i = 0; i < 1000; i++) {
        struct link_fate_verdict a = link_fate_next(&fate), b = link_fate_next(&other);

        assert_int_equal(a.lost, b.lost);
        assert_int_equal(a.late_ns, b.late_ns);
        assert_int_equal(a.corrupt, b.corrupt);
        assert_int_equal(a.bit, b.bit);
    }
    link_fate_init(&other, &c, 8);
    for (unsigned i = 0; i < 1000; i++)
        differ += link_fate_next(&fate).lost != link_fate_next(&other).lost;
    assert_true(differ > 50);
}

/* What else goes wrong takes nothing from the draws of loss. */
static void loss_is_the_same_beside_other_faults(void **state)
{
    struct link_fate_config plain = { .loss_ppm = 50000 };
    struct link_fate_config all = { .loss_ppm = 50000,
                                    .reorder_ppm = 300000,
                                    .late_ns = 5,
                                    .duplicate_ppm = 200000,
                                    .corrupt_ppm = 100000 };

    (void)state;
    link_fate_init(&fate, &plain, 3);
    link_fate_init(&other, &all, 3);
    for (unsigned i = 0; i < FRAMES; i++)
        assert_int_equal(link_fate_next(&fate).lost, link_fate_next(&other).lost);
}

static void shares_are_kept(void **state)
{
    struct link_fate_config c = { .loss_ppm = 10000,
                                  .reorder_ppm = 20000,
                                  .late_ns = 100,
                                  .duplicate_ppm = 30000,
                                  .corrupt_ppm = 40000 };
    unsigned lost = 0, late = 0, twice = 0, corrupt = 0;

    (void)state;
    link_fate_init(&fate, &c, 1);
    for (unsigned i = 0; i < FRAMES; i++) {
        struct link_fate_verdict v = link_fate_next(&fate);

        assert_true(v.late_ns <= 100);
        lost += v.lost;
        late += v.late_ns > 0;
        twice += v.twice;
        corrupt += v.corrupt;
    }
    assert_in_range(lost, 900, 1100);
    assert_in_range(late, 1850, 2150);
    assert_in_range(twice, 2850, 3150);
    assert_in_range(corrupt, 3800, 4200);
}

/* Bursts begin at 1 % and end at 25 %: 4 frames long in the mean, 1 in 26 frames lost. */
static void bursts_have_their_length(void **state)
{
    struct link_fate_config c = { .burst_ppm = 10000, .burst_end_ppm = 250000 };
    unsigned lost = 0, bursts = 0;
    bool before = false;

    (void)state;
    link_fate_init(&fate, &c, 1);
    for (unsigned i = 0; i < FRAMES; i++) {
        bool now = link_fate_next(&fate).lost;

        lost += now;
        bursts += now && !before;
        before = now;
    }
    assert_in_range(lost, FRAMES * 100 / 2600 - 300, FRAMES * 100 / 2600 + 300);
    assert_in_range(lost * 100 / bursts, 370, 430);
}

static void put(uint64_t now_ns, uint8_t mark)
{
    frame[0] = mark;
    assert_true(link_way_put(&way, now_ns, frame, FRAME));
}

/* The mark of the frame that has arrived; -1: none has. */
static int take(uint64_t now_ns)
{
    struct link_frame *f = link_way_take(&way, now_ns);
    int mark = f != NULL ? f->bytes[0] : -1;

    free(f);
    return mark;
}

static void delay_and_rate(void **state)
{
    /* A frame takes 1 ms at 12 Mbit/s. */
    struct link_way_config c = { .delay_ns = 10 * NS_PER_MS,
                                 .rate_bps = 12000000,
                                 .queue_bytes = 3 * FRAME };

    (void)state;
    link_way_init(&way, &c, 1);
    assert_int_equal(link_way_next_ns(&way), UINT64_MAX);
    for (uint8_t i = 1; i <= 5; i++)
        put(NS_PER_S, i); /* three find room */
    assert_int_equal(way.counts.overflowed, 2);
    for (uint64_t i = 1; i <= 3; i++) {
        uint64_t due = NS_PER_S + (10 + i) * NS_PER_MS;

        assert_int_equal(link_way_next_ns(&way), due);
        assert_int_equal(take(due - 1), -1);
        assert_int_equal(take(due), i);
    }
    put(NS_PER_S + 3 * NS_PER_MS, 6); /* the rate is free again */
    assert_int_equal(take(NS_PER_S + 14 * NS_PER_MS), 6);
    assert_int_equal(way.counts.frames, 6);
    assert_int_equal(way.counts.bytes_out, 4 * FRAME);
}

static void a_late_frame_holds_up_nobody(void **state)
{
    struct link_way_config c = { .delay_ns = NS_PER_MS,
                                 .fate = { .reorder_ppm = 200000, .late_ns = NS_PER_MS } };
    int before = -1, overtaken = 0;

    (void)state;
    link_way_init(&way, &c, 4);
    for (uint8_t i = 0; i < 100; i++)
        put(i * 50 * NS_PER_US, i);
    assert_in_range(way.counts.late, 10, 30);
    for (uint64_t now = 0; now < 8 * NS_PER_MS; now += 50 * NS_PER_US) {
        int got;

        while ((got = take(now)) >= 0) {
            overtaken += got < before;
            before = got;
        }
    }
    assert_int_equal(way.counts.bytes_out, 100 * FRAME);
    assert_in_range(overtaken, 5, way.counts.late);
}

static void doubled_and_corrupted(void **state)
{
    struct link_way_config c = { .fate = { .duplicate_ppm = 1000000, .corrupt_ppm = 1000000 } };
    struct link_frame *f;
    unsigned wrong = 0;

    (void)state;
    link_way_init(&way, &c, 1);
    put(0, 9);
    for (unsigned copies = 0; copies < 2; copies++) {
        f = link_way_take(&way, 0);
        assert_non_null(f);
        assert_memory_equal(f->bytes, frame, 14);
        for (unsigned i = 0; i < FRAME; i++)
            wrong += (unsigned)__builtin_popcount(f->bytes[i] ^ frame[i]);
        free(f);
    }
    assert_int_equal(wrong, 2); /* the same one in both */
    assert_int_equal(take(0), -1);
    assert_int_equal(way.counts.doubled, 1);
    assert_int_equal(way.counts.corrupted, 1);
}

static void clear_frees_what_is_under_way(void **state)
{
    struct link_way_config c = { .delay_ns = NS_PER_S };

    (void)state;
    link_way_init(&way, &c, 1);
    put(0, 1);
    put(0, 2);
    link_way_clear(&way);
    assert_int_equal(take(UINT64_MAX - 1), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_repeat),
        cmocka_unit_test(loss_is_the_same_beside_other_faults),
        cmocka_unit_test(shares_are_kept),
        cmocka_unit_test(bursts_have_their_length),
        cmocka_unit_test(delay_and_rate),
        cmocka_unit_test(a_late_frame_holds_up_nobody),
        cmocka_unit_test(doubled_and_corrupted),
        cmocka_unit_test(clear_frees_what_is_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
