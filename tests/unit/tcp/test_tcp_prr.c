/* PRR by its numbers (RFC 6937, 3): the examples are segments of 1,000 bytes. */
#include "lib/unit.h"

#include "dataplane/tcp/tcp_prr.h"

#define MSS 1000

/* 20 segments out, one lost, ssthresh 10: half of what arrives leaves, and the window ends there.
 */
static void one_loss_halves_over_a_round_trip(void **state)
{
    uint32_t pipe = 19000;
    uint32_t sent = 0;
    struct tcp_prr p;

    (void)state;
    tcp_prr_begin(&p, 20000);
    for (unsigned i = 0; i < 19; i++) {
        uint32_t window = tcp_prr_window(&p, MSS, pipe -= MSS, 10000, MSS);

        while (pipe + MSS <= window) {
            tcp_prr_sent(&p, MSS);
            pipe += MSS;
            sent++;
        }
    }
    assert_in_range(sent, 9, 10);
    assert_in_range(pipe, 9000, 10000);
}

/* A burst of losses leaves less than ssthresh: slow start towards it, two for one at most. */
static void many_losses_catch_up_slowly(void **state)
{
    struct tcp_prr p;

    (void)state;
    tcp_prr_begin(&p, 20000);
    assert_int_equal(tcp_prr_window(&p, MSS, 2000, 10000, MSS), 2000 + 2 * MSS);
    tcp_prr_sent(&p, 2000);
    assert_int_equal(tcp_prr_window(&p, MSS, 3000, 10000, MSS), 3000 + 2 * MSS);
    assert_int_equal(tcp_prr_window(&p, 5000, 9500, 10000, MSS), 10000); /* never past ssthresh */
}

static void nothing_arrived_nothing_leaves(void **state)
{
    struct tcp_prr p;

    (void)state;
    tcp_prr_begin(&p, 20000);
    assert_int_equal(tcp_prr_window(&p, 0, 19000, 10000, MSS), 19000);
    tcp_prr_begin(&p, 0);
    assert_int_equal(tcp_prr_window(&p, 0, 0, 2000, MSS), MSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_loss_halves_over_a_round_trip),
        cmocka_unit_test(many_losses_catch_up_slowly),
        cmocka_unit_test(nothing_arrived_nothing_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
