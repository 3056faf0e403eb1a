/* ECN, a segment at a time (RFC 3168, 6.1). */
#include "lib/unit.h"

#include "dataplane/tcp/tcp_ecn.h"

#define CE   3
#define ECT0 2

static struct tcp_ecn agreed(void)
{
    struct tcp_ecn e = { 0 };

    tcp_ecn_agree(&e);
    return e;
}

static void it_is_asked_by_both_flags_in_a_clean_packet(void **state)
{
    (void)state;
    assert_true(tcp_ecn_is_asked(TCP_SYN | TCP_ECE | TCP_CWR, 0xb8));
    assert_false(tcp_ecn_is_asked(TCP_SYN | TCP_ECE, 0));
    assert_false(tcp_ecn_is_asked(TCP_SYN | TCP_CWR, 0));
    for (uint8_t tos = 1; tos <= CE; tos++)
        assert_false(tcp_ecn_is_asked(TCP_SYN | TCP_ECE | TCP_CWR, tos));
    assert_true(tcp_ecn_is_agreed(TCP_SYN | TCP_ACK | TCP_ECE));
    assert_false(tcp_ecn_is_agreed(TCP_SYN | TCP_ACK | TCP_ECE | TCP_CWR));
    assert_false(tcp_ecn_is_agreed(TCP_SYN | TCP_ACK));
}

static void without_agreement_nothing_happens(void **state)
{
    struct tcp_ecn e = { 0 };

    (void)state;
    assert_false(tcp_ecn_arrived(&e, TCP_ACK, CE));
    assert_false(tcp_ecn_is_congested(&e, TCP_ACK | TCP_ECE));
    tcp_ecn_cut(&e);
    assert_int_equal(tcp_ecn_flags(&e, true), 0);
    assert_false(tcp_ecn_marks(&e, true));
}

static void a_mark_is_told_until_it_is_heard(void **state)
{
    struct tcp_ecn e = agreed();

    (void)state;
    assert_false(tcp_ecn_arrived(&e, TCP_ACK, ECT0));
    assert_int_equal(tcp_ecn_flags(&e, false), 0);
    assert_true(tcp_ecn_arrived(&e, TCP_ACK, CE));
    assert_false(tcp_ecn_arrived(&e, TCP_ACK, ECT0));
    assert_int_equal(tcp_ecn_flags(&e, false), TCP_ECE);
    assert_true(tcp_ecn_arrived(&e, TCP_ACK | TCP_CWR, CE)); /* heard, and marked itself */
    assert_int_equal(tcp_ecn_flags(&e, true), TCP_ECE);
    tcp_ecn_arrived(&e, TCP_ACK | TCP_CWR, ECT0);
    assert_int_equal(tcp_ecn_flags(&e, true), 0);
}

static void an_echo_tells_of_congestion(void **state)
{
    struct tcp_ecn e = agreed();

    (void)state;
    assert_false(tcp_ecn_is_congested(&e, TCP_ACK));
    assert_true(tcp_ecn_is_congested(&e, TCP_ACK | TCP_ECE));
    assert_false(tcp_ecn_is_congested(&e, TCP_ACK | TCP_SYN | TCP_ECE)); /* it agrees */
}

static void the_next_new_bytes_tell_of_the_cut(void **state)
{
    struct tcp_ecn e = agreed();

    (void)state;
    tcp_ecn_cut(&e);
    assert_int_equal(tcp_ecn_flags(&e, false), 0);
    tcp_ecn_sent(&e, false);
    assert_int_equal(tcp_ecn_flags(&e, true), TCP_CWR);
    tcp_ecn_sent(&e, true);
    assert_int_equal(tcp_ecn_flags(&e, true), 0);
}

static void only_new_bytes_are_marked(void **state)
{
    struct tcp_ecn e = agreed();

    (void)state;
    assert_true(tcp_ecn_marks(&e, true));
    assert_false(tcp_ecn_marks(&e, false));
    tcp_ecn_bar(&e);
    assert_false(tcp_ecn_marks(&e, true));
    tcp_ecn_arrived(&e, TCP_ACK, CE); /* the peer's marks are told all the same */
    assert_int_equal(tcp_ecn_flags(&e, true), TCP_ECE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_asked_by_both_flags_in_a_clean_packet),
        cmocka_unit_test(without_agreement_nothing_happens),
        cmocka_unit_test(a_mark_is_told_until_it_is_heard),
        cmocka_unit_test(an_echo_tells_of_congestion),
        cmocka_unit_test(the_next_new_bytes_tell_of_the_cut),
        cmocka_unit_test(only_new_bytes_are_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
