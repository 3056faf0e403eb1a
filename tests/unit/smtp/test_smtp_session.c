/*
 * What the dialogues cannot show of a session: wants and their contract, time, room for replies,
 * what is held and when it is given back or wiped.
 */
#include "rig.h"

#define LOGIN   "AUTH PLAIN AHVzZXIAc2VzYW1l\r\n" /* user, sesame */
#define MESSAGE "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\n"

static int begin(void **state)
{
    const struct smtp_client client = { .secure = true,
                                        .mechanisms = RIG_MECHANISMS,
                                        .tls_version = "TLSv1.3" };

    return rig_open(state, 2, &client);
}

static void log_in(struct rig *r)
{
    assert_int_equal(rig_say(r, RIG_GREETING LOGIN, NULL), SMTP_WANT_VERDICT);
    smtp_session_verdict(r->s, SMTP_VERDICT_OK);
    assert_int_equal(rig_say(r, "", NULL), SMTP_WANT_INPUT);
    rig_replies_are(r, "235 2.7.0 Authentication successful\r\n");
}

static void go_to_body(struct rig *r)
{
    log_in(r);
    assert_int_equal(rig_say(r, MESSAGE, NULL), SMTP_WANT_BODY);
}

static enum smtp_body_outcome feed(struct rig *r, const char *text)
{
    uint32_t taken;
    enum smtp_body_outcome outcome = smtp_session_body(r->s, span_str(text), &taken);

    assert_true(outcome == SMTP_BODY_STOP || taken == strlen(text));
    return outcome;
}

static void banner_comes_once(void **state)
{
    struct rig *r = *state;

    assert_int_equal(rig_say(r, "", NULL), SMTP_WANT_INPUT);
    rig_replies_are(r, "220 mx.example.org ESMTP Postern\r\n");
    assert_int_equal(rig_say(r, "", NULL), SMTP_WANT_INPUT);
    assert_int_equal(r->out.len, 0);
}

/* What has begun goes on; what would begin waits, and is no mistake of the client's. */
static void short_memory_refuses_new_mail_alone(void **state)
{
    struct rig *r = *state;

    go_to_body(r);
    smtp_set_short(r->room, true);
    assert_int_equal(feed(r, "Subject: x\r\n\r\n.\r\n"), SMTP_BODY_SEALED);
    assert_int_equal(rig_say(r, "", NULL), SMTP_WANT_DURABLE);
    smtp_session_durable(r->s, SMTP_DELIVERY_DURABLE);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(rig_say(r, "MAIL FROM:<a@x.example>\r\n", NULL), SMTP_WANT_INPUT);
        assert_non_null(strstr((char *)r->out.ptr, "452 4.3.1 No room for another message now"));
    }
    assert_int_equal(counter_get(&r->counters, COUNTER_SMTP_MEMORY_SHORT), 100);
    smtp_set_short(r->room, false);
    assert_int_equal(rig_say(r, MESSAGE, NULL), SMTP_WANT_BODY);
}

static void a_waiting_session_touches_nothing(void **state)
{
    struct rig *r = *state;
    uint32_t left;

    assert_int_equal(rig_say(r, RIG_GREETING LOGIN "NOOP\r\n", &left), SMTP_WANT_VERDICT);
    assert_int_equal(left, 6);
    assert_int_equal(rig_say(r, "NOOP\r\n", &left), SMTP_WANT_VERDICT);
    assert_int_equal(left, 6);
    assert_int_equal(r->out.len, 0);
    smtp_session_verdict(r->s, SMTP_VERDICT_WRONG);
    assert_int_equal(rig_say(r, "NOOP\r\n", NULL), SMTP_WANT_INPUT);
    rig_replies_are(r, "535 5.7.8 Login or password is wrong\r\n250 2.0.0 Ok\r\n");
}

static void no_250_before_durable(void **state)
{
    struct rig *r = *state;
    struct mail mail;
    uint32_t left;

    go_to_body(r);
    assert_int_equal(feed(r, "text\r\n.\r\n"), SMTP_BODY_SEALED);
    assert_int_equal(rig_say(r, "NOOP\r\n", &left), SMTP_WANT_DURABLE);
    assert_int_equal(left, 6);
    assert_int_equal(r->out.len, 0);
    smtp_session_mail(r->s, &mail);
    assert_int_equal(mail.body_bytes, 6);
    assert_int_equal(counter_get(&r->counters, COUNTER_SMTP_MESSAGES), 0);
    smtp_session_durable(r->s, SMTP_DELIVERY_DURABLE);
    assert_int_equal(rig_say(r, "", NULL), SMTP_WANT_INPUT);
    assert_memory_equal(r->replies, "250 2.0.0 Ok: queued as ", 24);
    assert_int_equal(counter_get(&r->counters, COUNTER_SMTP_MESSAGES), 1);
}

/* Each reply needs its room; the least room makes progress; no reply is lost or comes twice. */
static void little_room_for_replies(void **state)
{
    struct rig *r = *state;
    struct span in = SPAN_LITERAL("NOOP\r\nEHLO a\r\nNOOP\r\nNOOP\r\nEHLO b\r\n");
    uint8_t all[8192];
    struct buf got = { all, 0, sizeof(all) };
    enum smtp_want want;
    int turns = 0;

    do {
        struct buf out = { got.ptr + got.len, 0, LIMIT_REPLY_BYTES };

        want = smtp_session_run(r->s, &in, &out);
        got.len += out.len;
        turns++;
    } while (want == SMTP_WANT_OUTPUT);
    assert_int_equal(want, SMTP_WANT_INPUT);
    assert_true(turns > 1);
    all[got.len] = '\0';
    assert_memory_equal(all, "220 mx.example.org ESMTP Postern\r\n250 2.0.0 Ok\r\n250-mx", 54);
    assert_non_null(strstr((char *)all, "HELP\r\n250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n250-mx"));
}

static void buffers_are_held_only_while_needed(void **state)
{
    struct rig *r = *state;

    assert_int_equal(rig_say(r, RIG_GREETING "AUTH LOGIN\r\n", NULL), SMTP_WANT_INPUT);
    assert_int_equal(pool_used(r->room->sasls), 1);
    assert_int_equal(rig_say(r, "*\r\n", NULL), SMTP_WANT_INPUT);
    assert_int_equal(pool_used(r->room->sasls), 0);
    log_in(r);
    assert_int_equal(pool_used(r->room->sasls), 0);
    assert_int_equal(pool_used(r->room->txs), 0);
    rig_say(r, "MAIL FROM:<>\r\n", NULL);
    assert_int_equal(pool_used(r->room->txs), 1);
    rig_say(r, "RSET\r\n", NULL);
    assert_int_equal(pool_used(r->room->txs), 0);
    rig_say(r, "MAIL FROM:<>\r\nEHLO c\r\n", NULL);
    assert_int_equal(pool_used(r->room->txs), 0);
    rig_say(r, MESSAGE, NULL);
    assert_int_equal(feed(r, ".\r\n"), SMTP_BODY_SEALED);
    smtp_session_durable(r->s, SMTP_DELIVERY_FAILED);
    assert_int_equal(pool_used(r->room->txs), 0);
}

/* What was kept of a message must go when RSET comes between its chunks, however it is pipelined.
 */
static void chunks_begin_and_go(void **state)
{
    struct rig *r = *state;

    log_in(r);
    assert_int_equal(rig_say(r, "MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 4\r\n", NULL),
                     SMTP_WANT_BODY);
    assert_true(smtp_session_body_kept(r->s) && !smtp_session_body_begun(r->s));
    assert_int_equal(feed(r, "ab\r\n"), SMTP_BODY_END);
    assert_int_equal(rig_say(r, "NOOP\r\n", NULL), SMTP_WANT_INPUT);
    assert_true(smtp_session_body_begun(r->s));
    assert_int_equal(smtp_session_deadline(r->s), r->clock.now_ns + 180 * NS_PER_S);
    rig_say(r, "RSET\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 1\r\n", NULL);
    assert_true(smtp_session_body_kept(r->s) && !smtp_session_body_begun(r->s));
}

/* A refused chunk is read, and no byte of it is to be kept. */
static void refused_chunk_is_not_kept(void **state)
{
    struct rig *r = *state;

    log_in(r);
    assert_int_equal(rig_say(r, "BDAT 4 LAST\r\n", NULL), SMTP_WANT_BODY);
    assert_false(smtp_session_body_kept(r->s));
    assert_int_equal(feed(r, "QUIT"), SMTP_BODY_END);
    assert_int_equal(rig_say(r, "", NULL), SMTP_WANT_INPUT);
    rig_replies_are(r, "503 5.5.1 Send MAIL and RCPT first\r\n");
}

static bool holds(const void *bytes, size_t len, const char *secret)
{
    return memmem(bytes, len, secret, strlen(secret)) != NULL;
}

static void password_is_wiped_by_the_verdict(void **state)
{
    struct rig *r = *state;
    struct smtp_auth auth;

    assert_int_equal(rig_say(r, RIG_GREETING LOGIN, NULL), SMTP_WANT_VERDICT);
    smtp_session_auth(r->s, &auth);
    assert_true(span_equal(auth.login, SPAN_LITERAL("user")));
    assert_true(span_equal(auth.password, SPAN_LITERAL("sesame")));
    smtp_session_verdict(r->s, SMTP_VERDICT_OK);
    /* The object is back in the pool; taken again, it holds nothing of the password. */
    auth.password.ptr = pool_get(r->room->sasls);
    assert_false(holds(auth.password.ptr, sizeof(struct smtp_sasl), "sesame"));
    assert_false(holds(r->s, sizeof(*r->s), "sesame"));
    pool_put(r->room->sasls, (void *)(uintptr_t)auth.password.ptr);
}

static void password_is_wiped_on_close(void **state)
{
    struct rig *r = *state;
    void *object;

    assert_int_equal(rig_say(r, RIG_GREETING LOGIN, NULL), SMTP_WANT_VERDICT);
    smtp_session_close(r->s);
    r->s = NULL;
    object = pool_get(r->room->sasls);
    assert_false(holds(object, sizeof(struct smtp_sasl), "sesame"));
    pool_put(r->room->sasls, object);
}

/* The first half of a LOGIN exchange is given up in the middle. */
static void half_an_exchange_is_wiped(void **state)
{
    struct rig *r = *state;
    void *object;

    rig_say(r, RIG_GREETING "AUTH LOGIN\r\nc2VzYW1l\r\n*\r\n", NULL);
    object = pool_get(r->room->sasls);
    assert_false(holds(object, sizeof(struct smtp_sasl), "sesame"));
    pool_put(r->room->sasls, object);
}

static void deadlines(void **state)
{
    struct rig *r = *state;

    assert_int_equal(smtp_session_deadline(r->s), 1300 * NS_PER_S);
    r->clock.now_ns += 10 * NS_PER_S;
    rig_say(r, RIG_GREETING, NULL);
    assert_int_equal(smtp_session_deadline(r->s), 1310 * NS_PER_S);
    /* A part of a line is no progress: one byte a second gains nothing. */
    r->clock.now_ns += 10 * NS_PER_S;
    rig_say(r, "NOO", &(uint32_t){ 0 });
    assert_int_equal(smtp_session_deadline(r->s), 1310 * NS_PER_S);
    assert_int_equal(rig_say(r, "NOOP\r\n" LOGIN, NULL), SMTP_WANT_VERDICT);
    assert_true(smtp_session_deadline(r->s) == UINT64_MAX);
    smtp_session_verdict(r->s, SMTP_VERDICT_OK);
    rig_say(r, "", NULL);
    assert_int_equal(smtp_session_deadline(r->s), 1320 * NS_PER_S);
    rig_say(r, MESSAGE, NULL);
    assert_int_equal(smtp_session_deadline(r->s), 1200 * NS_PER_S);
    r->clock.now_ns += 10 * NS_PER_S;
    assert_int_equal(feed(r, ""), SMTP_BODY_MORE);
    assert_int_equal(smtp_session_deadline(r->s), 1200 * NS_PER_S);
    assert_int_equal(feed(r, "x"), SMTP_BODY_MORE);
    assert_int_equal(smtp_session_deadline(r->s), 1210 * NS_PER_S);
    assert_int_equal(feed(r, "\r\n.\r\n"), SMTP_BODY_SEALED);
    assert_true(smtp_session_deadline(r->s) == UINT64_MAX);
}

/* A long line that is being skipped is no progress either. */
static void skipping_is_no_progress(void **state)
{
    struct rig *r = *state;
    char text[4001];

    rig_say(r, "", NULL);
    memset(text, 'x', 4000);
    text[4000] = '\0';
    r->clock.now_ns += 10 * NS_PER_S;
    for (int i = 0; i < 10; i++)
        assert_int_equal(rig_say(r, text, NULL), SMTP_WANT_INPUT);
    assert_int_equal(smtp_session_deadline(r->s), 1300 * NS_PER_S);
}

/* The last chunk, and it alone, seals a message. */
static void the_last_chunk_seals(void **state)
{
    struct rig *r = *state;

    log_in(r);
    rig_say(r, "MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 2\r\n", NULL);
    assert_int_equal(feed(r, "x"), SMTP_BODY_MORE);
    assert_int_equal(feed(r, "\r"), SMTP_BODY_END);
    assert_int_equal(rig_say(r, "BDAT 1 LAST\r\n", NULL), SMTP_WANT_BODY);
    assert_int_equal(feed(r, "\n"), SMTP_BODY_SEALED);
    assert_int_equal(rig_say(r, "", NULL), SMTP_WANT_DURABLE);
}

static void body_is_kept_until_it_cannot_be(void **state)
{
    struct rig *r = *state;
    char text[1001];

    go_to_body(r);
    assert_true(smtp_session_body_kept(r->s));
    memset(text, 'x', 1000);
    text[1000] = '\0';
    assert_int_equal(feed(r, text), SMTP_BODY_MORE);
    assert_true(smtp_session_body_kept(r->s));
    assert_int_equal(feed(r, "y"), SMTP_BODY_MORE);
    assert_false(smtp_session_body_kept(r->s));
    assert_int_equal(feed(r, "\r\n.\r\n"), SMTP_BODY_END);
    assert_false(smtp_session_body_kept(r->s));
    assert_int_equal(rig_say(r, "", NULL), SMTP_WANT_INPUT);
    rig_replies_are(r, "552 5.3.4 Message is larger than 1000 bytes\r\n");
}

static void lost_body_is_not_kept(void **state)
{
    struct rig *r = *state;

    go_to_body(r);
    smtp_session_body_lost(r->s, SMTP_DELIVERY_FULL);
    assert_false(smtp_session_body_kept(r->s));
    assert_int_equal(feed(r, "x\r\n.\r\n"), SMTP_BODY_END);
    assert_int_equal(rig_say(r, "", NULL), SMTP_WANT_INPUT);
    assert_memory_equal(r->replies, "452 4.3.1 ", 10);
}

static void end_waits_for_what_is_awaited(void **state)
{
    struct rig *r = *state;

    go_to_body(r);
    feed(r, "x\r\n.\r\n");
    smtp_session_end(r->s, SMTP_END_SHUTDOWN);
    assert_int_equal(rig_say(r, "", NULL), SMTP_WANT_DURABLE);
    smtp_session_durable(r->s, SMTP_DELIVERY_DURABLE);
    assert_int_equal(rig_say(r, "", NULL), SMTP_WANT_CLOSE);
    assert_memory_equal(r->replies, "250 2.0.0 Ok: queued as ", 24);
    assert_non_null(memmem(r->replies, r->out.len, "\r\n421 4.3.2 ", 12));
    assert_int_equal(rig_say(r, "", NULL), SMTP_WANT_CLOSE);
    assert_int_equal(r->out.len, 0);
}

static void stopped_body_closes(void **state)
{
    struct rig *r = *state;
    struct smtp_summary sum;

    go_to_body(r);
    assert_int_equal(feed(r, "x\ny"), SMTP_BODY_STOP);
    assert_int_equal(pool_used(r->room->txs), 0);
    assert_int_equal(rig_say(r, "", NULL), SMTP_WANT_CLOSE);
    assert_memory_equal(r->replies, "550 5.6.11 ", 11);
    smtp_session_summary(r->s, &sum);
    assert_string_equal(sum.result, "bad body bytes");
}

static void summary(void **state)
{
    struct rig *r = *state;
    struct smtp_summary sum;

    smtp_session_summary(r->s, &sum);
    assert_int_equal(sum.user.len + sum.helo.len, 0);
    assert_string_equal(sum.result, "lost");
    log_in(r);
    rig_say(r, "FOO\r\nQUIT\r\n", NULL);
    smtp_session_summary(r->s, &sum);
    assert_true(span_equal(sum.user, SPAN_LITERAL("user")));
    assert_true(span_equal(sum.helo, SPAN_LITERAL("c.example")));
    assert_int_equal(sum.commands, 4);
    assert_int_equal(sum.errors, 1);
    assert_string_equal(sum.result, "quit");
}

/* A session object that is used again knows nothing of the one before. */
static void sessions_start_clean(void **state)
{
    struct rig *r = *state;
    const struct smtp_client client = { .secure = false };
    struct smtp_summary sum;

    log_in(r);
    smtp_session_close(r->s);
    r->s = smtp_session_open(r->room, &client);
    smtp_session_summary(r->s, &sum);
    assert_int_equal(sum.user.len + sum.helo.len + sum.commands, 0);
    assert_int_equal(rig_say(r, "EHLO c\r\nMAIL FROM:<>\r\n", NULL), SMTP_WANT_INPUT);
    assert_non_null(memmem(r->replies, r->out.len, "\r\n530 5.7.0 ", 12));
}

static void pool_of_sessions_is_a_limit(void **state)
{
    struct rig *r = *state;
    const struct smtp_client client = { .secure = true, .mechanisms = RIG_MECHANISMS };
    struct smtp_session *second = smtp_session_open(r->room, &client);

    assert_non_null(second);
    assert_null(smtp_session_open(r->room, &client));
    smtp_session_close(second);
    second = smtp_session_open(r->room, &client);
    assert_non_null(second);
    smtp_session_close(second);
}

static void misuse_is_caught(void **state)
{
    struct rig *r = *state;
    struct buf little = { r->replies, 0, LIMIT_REPLY_BYTES - 1 };
    struct span in = { NULL, 0 };
    uint32_t taken;

    expect_assert_failure(smtp_session_run(r->s, &in, &little));
    expect_assert_failure(smtp_session_body(r->s, SPAN_LITERAL("x"), &taken));
    expect_assert_failure(smtp_session_durable(r->s, SMTP_DELIVERY_DURABLE));
    expect_assert_failure(smtp_session_verdict(r->s, SMTP_VERDICT_OK));
    expect_assert_failure(smtp_session_body_lost(r->s, SMTP_DELIVERY_FULL));
    expect_assert_failure(smtp_session_set_state(r->s, SMTP_STATE_BODY));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, rig_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(banner_comes_once),
        CASE(a_waiting_session_touches_nothing),
        CASE(short_memory_refuses_new_mail_alone),
        CASE(no_250_before_durable),
        CASE(little_room_for_replies),
        CASE(buffers_are_held_only_while_needed),
        CASE(password_is_wiped_by_the_verdict),
        CASE(password_is_wiped_on_close),
        CASE(half_an_exchange_is_wiped),
        CASE(deadlines),
        CASE(skipping_is_no_progress),
        CASE(the_last_chunk_seals),
        CASE(body_is_kept_until_it_cannot_be),
        CASE(chunks_begin_and_go),
        CASE(refused_chunk_is_not_kept),
        CASE(lost_body_is_not_kept),
        CASE(end_waits_for_what_is_awaited),
        CASE(stopped_body_closes),
        CASE(summary),
        CASE(sessions_start_clean),
        CASE(pool_of_sessions_is_a_limit),
        CASE(misuse_is_caught),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
