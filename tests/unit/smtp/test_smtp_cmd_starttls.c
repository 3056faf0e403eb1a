/*
 * What the dialogues cannot show of STARTTLS: the wants and their order, and that the session takes
 * not a byte while it is asked for TLS.
 */
#include "rig.h"

static const struct smtp_client in_clear = { .starttls = true };
static const struct smtp_client behind_tls = { .secure = true,
                                               .mechanisms = RIG_MECHANISMS,
                                               .starttls = true };

static int begin(void **state)
{
    return rig_open(state, 1, &in_clear);
}

static void open_again(struct rig *r)
{
    smtp_session_close(r->s);
    r->s = smtp_session_open(r->room, &in_clear);
}

/* What came behind STARTTLS stays untouched, whatever the answer is. */
static void starttls_takes_nothing_behind_it(void **state)
{
    static const enum smtp_starttls answers[] = { SMTP_STARTTLS_GO, SMTP_STARTTLS_PIPELINED };
    static const enum smtp_want wants[] = { SMTP_WANT_HANDSHAKE, SMTP_WANT_CLOSE };
    struct rig *r = *state;
    uint32_t left;

    for (unsigned i = 0; i < 2; i++) {
        open_again(r);
        assert_int_equal(rig_say(r, RIG_GREETING "STARTTLS\r\nRSET\r\n", &left),
                         SMTP_WANT_STARTTLS);
        assert_int_equal(left, 6);
        assert_int_equal(rig_say(r, "RSET\r\n", &left), SMTP_WANT_STARTTLS);
        assert_int_equal(r->out.len, 0);
        smtp_session_starttls(r->s, answers[i]);
        assert_int_equal(rig_say(r, "RSET\r\n", &left), wants[i]);
        assert_int_equal(left, 6);
        assert_int_equal(rig_say(r, "RSET\r\n", &left), wants[i]);
        assert_int_equal(left, 6);
        assert_int_equal(r->out.len, 0);
    }
}

/* The 220 is the last word in clear: an end that is asked for meanwhile is said behind TLS. */
static void no_reply_in_clear_behind_the_220(void **state)
{
    struct rig *r = *state;

    assert_int_equal(rig_say(r, RIG_GREETING "STARTTLS\r\n", NULL), SMTP_WANT_STARTTLS);
    smtp_session_starttls(r->s, SMTP_STARTTLS_GO);
    smtp_session_end(r->s, SMTP_END_SHUTDOWN);
    assert_int_equal(rig_say(r, "", NULL), SMTP_WANT_HANDSHAKE);
    rig_replies_are(r, "220 2.0.0 Ready to start TLS\r\n");
    smtp_session_secured(r->s, &behind_tls);
    assert_int_equal(rig_say(r, "", NULL), SMTP_WANT_CLOSE);
    rig_replies_are(r, "421 4.3.2 mx.example.org is shutting down\r\n");
}

static void tls_forgets_the_greeting(void **state)
{
    struct rig *r = *state;
    struct smtp_summary sum;

    rig_say(r, RIG_GREETING "STARTTLS\r\n", NULL);
    smtp_session_starttls(r->s, SMTP_STARTTLS_GO);
    expect_assert_failure(smtp_session_secured(r->s, &behind_tls)); /* the 220 is not given yet */
    rig_say(r, "", NULL);
    smtp_session_secured(r->s, &behind_tls);
    smtp_session_summary(r->s, &sum);
    assert_int_equal(sum.helo.len, 0);
    assert_int_equal(sum.commands, 2);
    assert_int_equal(rig_say(r, "MAIL FROM:<>\r\n", NULL), SMTP_WANT_INPUT);
    rig_replies_are(r, "530 5.7.0 Authentication required\r\n");
}

static void misuse_is_caught(void **state)
{
    struct rig *r = *state;

    expect_assert_failure(smtp_session_starttls(r->s, SMTP_STARTTLS_GO));
    expect_assert_failure(smtp_session_secured(r->s, &behind_tls));
    rig_say(r, RIG_GREETING "STARTTLS\r\n", NULL);
    expect_assert_failure(smtp_session_secured(r->s, &behind_tls));
    smtp_session_starttls(r->s, SMTP_STARTTLS_GO);
    rig_say(r, "", NULL);
    expect_assert_failure(smtp_session_secured(r->s, &in_clear));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, rig_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(starttls_takes_nothing_behind_it),
        CASE(no_reply_in_clear_behind_the_220),
        CASE(tls_forgets_the_greeting),
        CASE(misuse_is_caught),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
