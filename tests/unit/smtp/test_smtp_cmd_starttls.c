/*
 * What the dialogues cannot show of STARTTLS: the wants and their order, and that the session takes
 * not a byte while it is asked for TLS.
 */
#include "lib/unit.h"

#include "smtp/smtp_priv.h"

#define MECHANISMS (SMTP_MECHANISM_PLAIN | SMTP_MECHANISM_LOGIN)

#define GREETING "EHLO c.example\r\n"

struct world {
    struct clock clock;
    struct counters counters;
    struct mail_id_gen ids;
    struct smtp *room;
    struct smtp_session *s;
    uint8_t replies[8192];
    struct buf out;
};

static const struct smtp_config config = {
    .hostname = "mx.example.org",
    .message_bytes_max = 1000,
    .recipients_max = 10,
    .errors_max = 3,
    .auth_tries_max = 3,
    .command_timeout_s = 300,
    .data_timeout_s = 180,
    .hops_max = LIMIT_HOPS_DEFAULT,
};
static const struct smtp_client in_clear = { .starttls = true };
static const struct smtp_client behind_tls = { .secure = true,
                                               .mechanisms = MECHANISMS,
                                               .starttls = true };

static int begin(void **state)
{
    static struct world w;
    const struct smtp_env env = { &w.clock, &w.counters, &w.ids };

    memset(&w, 0, sizeof(w));
    w.clock = (struct clock){ 1000 * NS_PER_S, 1790000000000ULL };
    mail_id_init(&w.ids, 1, 0);
    w.room = smtp_create(&config, 1, &env);
    if (w.room == NULL)
        return -1;
    w.s = smtp_session_open(w.room, &in_clear);
    *state = &w;
    return 0;
}

/* smtp_destroy asserts that all is home. */
static int end(void **state)
{
    struct world *w = *state;

    smtp_session_close(w->s);
    smtp_destroy(w->room);
    return 0;
}

static void open_again(struct world *w)
{
    smtp_session_close(w->s);
    w->s = smtp_session_open(w->room, &in_clear);
}

/* Says `text`; *left of it was not taken, or all of it was if that is NULL. */
static enum smtp_want say(struct world *w, const char *text, uint32_t *left)
{
    struct span in = span_str(text);
    enum smtp_want want;

    w->out = (struct buf){ w->replies, 0, sizeof(w->replies) };
    want = smtp_session_run(w->s, &in, &w->out);
    if (left != NULL)
        *left = in.len;
    else
        assert_int_equal(in.len, 0);
    return want;
}

static void replies_are(const struct world *w, const char *want)
{
    assert_true(span_equal(span_of(w->out.ptr, w->out.len), span_str(want)));
}

/* What came behind STARTTLS stays untouched, whatever the answer is. */
static void starttls_takes_nothing_behind_it(void **state)
{
    static const enum smtp_starttls answers[] = { SMTP_STARTTLS_GO, SMTP_STARTTLS_PIPELINED };
    static const enum smtp_want wants[] = { SMTP_WANT_HANDSHAKE, SMTP_WANT_CLOSE };
    struct world *w = *state;
    uint32_t left;

    for (unsigned i = 0; i < 2; i++) {
        open_again(w);
        assert_int_equal(say(w, GREETING "STARTTLS\r\nRSET\r\n", &left), SMTP_WANT_STARTTLS);
        assert_int_equal(left, 6);
        assert_int_equal(say(w, "RSET\r\n", &left), SMTP_WANT_STARTTLS);
        assert_int_equal(w->out.len, 0);
        smtp_session_starttls(w->s, answers[i]);
        assert_int_equal(say(w, "RSET\r\n", &left), wants[i]);
        assert_int_equal(left, 6);
        assert_int_equal(say(w, "RSET\r\n", &left), wants[i]);
        assert_int_equal(left, 6);
        assert_int_equal(w->out.len, 0);
    }
}

/* The 220 is the last word in clear: an end that is asked for meanwhile is said behind TLS. */
static void no_reply_in_clear_behind_the_220(void **state)
{
    struct world *w = *state;

    assert_int_equal(say(w, GREETING "STARTTLS\r\n", NULL), SMTP_WANT_STARTTLS);
    smtp_session_starttls(w->s, SMTP_STARTTLS_GO);
    smtp_session_end(w->s, SMTP_END_SHUTDOWN);
    assert_int_equal(say(w, "", NULL), SMTP_WANT_HANDSHAKE);
    replies_are(w, "220 2.0.0 Ready to start TLS\r\n");
    smtp_session_secured(w->s, &behind_tls);
    assert_int_equal(say(w, "", NULL), SMTP_WANT_CLOSE);
    replies_are(w, "421 4.3.2 mx.example.org is shutting down\r\n");
}

static void tls_forgets_the_greeting(void **state)
{
    struct world *w = *state;
    struct smtp_summary sum;

    say(w, GREETING "STARTTLS\r\n", NULL);
    smtp_session_starttls(w->s, SMTP_STARTTLS_GO);
    expect_assert_failure(smtp_session_secured(w->s, &behind_tls)); /* the 220 is not given yet */
    say(w, "", NULL);
    smtp_session_secured(w->s, &behind_tls);
    smtp_session_summary(w->s, &sum);
    assert_int_equal(sum.helo.len, 0);
    assert_int_equal(sum.commands, 2);
    assert_int_equal(say(w, "MAIL FROM:<>\r\n", NULL), SMTP_WANT_INPUT);
    replies_are(w, "530 5.7.0 Authentication required\r\n");
}

static void misuse_is_caught(void **state)
{
    struct world *w = *state;

    expect_assert_failure(smtp_session_starttls(w->s, SMTP_STARTTLS_GO));
    expect_assert_failure(smtp_session_secured(w->s, &behind_tls));
    say(w, GREETING "STARTTLS\r\n", NULL);
    expect_assert_failure(smtp_session_secured(w->s, &behind_tls));
    smtp_session_starttls(w->s, SMTP_STARTTLS_GO);
    say(w, "", NULL);
    expect_assert_failure(smtp_session_secured(w->s, &in_clear));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

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
