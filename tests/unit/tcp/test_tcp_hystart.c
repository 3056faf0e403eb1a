/* HyStart++ by rounds of ten ACKs, each with a round trip (RFC 9406, 4.2 and 4.3). */
#include "lib/unit.h"

#include "dataplane/tcp/tcp_hystart.h"

#define ROUND 10

struct path {
    struct tcp_hystart h;
    uint32_t una;
};

static void start(struct path *p)
{
    p->una = UINT32_MAX - 50; /* so that sequence numbers wrap on the way */
    tcp_hystart_begin(&p->h, p->una + ROUND);
}

/* A round whose round trips are first_us and then rest_us; what its last ACK says. */
static enum tcp_hystart_phase run_round(struct path *p, uint32_t first_us, uint32_t rest_us)
{
    enum tcp_hystart_phase phase = TCP_HYSTART_FAST;

    for (unsigned i = 0; i < ROUND; i++) {
        p->una++;
        phase = tcp_hystart_acked(&p->h, p->una, p->una + ROUND, i == 0 ? first_us : rest_us);
    }
    return phase;
}

static void stays_fast_while_the_round_trip_does(void **state)
{
    struct path p;

    (void)state;
    start(&p);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(run_round(&p, 100000, 100000 + i * 3000), TCP_HYSTART_FAST);
}

/* An eighth of 100 ms is 12.5 ms more. */
static void a_longer_round_makes_it_careful(void **state)
{
    struct path p;

    (void)state;
    start(&p);
    run_round(&p, 100000, 100000);
    run_round(&p, 112000, 112000);
    assert_int_equal(run_round(&p, 124000, 124000), TCP_HYSTART_FAST);
    assert_int_equal(run_round(&p, 140000, 140000), TCP_HYSTART_CAREFUL);
}

static void the_threshold_is_bounded(void **state)
{
    struct path p;

    (void)state;
    start(&p); /* 4 ms at least */
    run_round(&p, 1000, 1000);
    assert_int_equal(run_round(&p, 4900, 4900), TCP_HYSTART_FAST);
    assert_int_equal(run_round(&p, 9000, 9000), TCP_HYSTART_CAREFUL);
    start(&p); /* 16 ms at most */
    run_round(&p, 800000, 800000);
    assert_int_equal(run_round(&p, 815000, 815000), TCP_HYSTART_FAST);
    assert_int_equal(run_round(&p, 831000, 831000), TCP_HYSTART_CAREFUL);
}

static void the_least_of_a_round_counts(void **state)
{
    struct path p;

    (void)state;
    start(&p);
    run_round(&p, 100000, 100000);
    assert_int_equal(run_round(&p, 100000, 190000), TCP_HYSTART_FAST);
}

static void few_samples_say_nothing(void **state)
{
    struct path p;

    (void)state;
    start(&p);
    run_round(&p, 100000, 100000);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(run_round(&p, 190000, 0), TCP_HYSTART_FAST);
}

/* The round that it began in is the first of five. */
static void five_careful_rounds_end_slow_start(void **state)
{
    struct path p;

    (void)state;
    start(&p);
    run_round(&p, 100000, 100000);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(run_round(&p, 130000, 130000), TCP_HYSTART_CAREFUL);
    assert_int_equal(run_round(&p, 130000, 130000), TCP_HYSTART_FINISHED);
}

static void a_shorter_round_makes_it_fast_again(void **state)
{
    struct path p;

    (void)state;
    start(&p);
    run_round(&p, 100000, 100000);
    assert_int_equal(run_round(&p, 130000, 130000), TCP_HYSTART_CAREFUL);
    assert_int_equal(run_round(&p, 110000, 110000), TCP_HYSTART_FAST);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(run_round(&p, 110000, 110000), TCP_HYSTART_FAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_fast_while_the_round_trip_does),
        cmocka_unit_test(a_longer_round_makes_it_careful),
        cmocka_unit_test(the_threshold_is_bounded),
        cmocka_unit_test(the_least_of_a_round_counts),
        cmocka_unit_test(few_samples_say_nothing),
        cmocka_unit_test(five_careful_rounds_end_slow_start),
        cmocka_unit_test(a_shorter_round_makes_it_fast_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
