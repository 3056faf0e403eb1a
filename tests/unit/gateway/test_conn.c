/* A connection's life in a listener without TLS: bodies, time, the drain. */
#include "lib/unit.h"

#include "conn_rig.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "gateway/conn_priv.h"

static struct conn_rig rig;

static int begin(void **state)
{
    (void)state;
    conn_rig_open(&rig, NULL, false);
    return 0;
}

static int end(void **state)
{
    (void)state;
    conn_rig_close(&rig);
    return 0;
}

static struct conn_rig_client *log_in(uint32_t room)
{
    struct conn_rig_client *c = conn_rig_connect(&rig, room);

    conn_rig_say(&rig, c, CONN_RIG_LOGIN);
    conn_rig_heard(c, "220 mx.example.org*");
    return c;
}

static struct conn_rig_client *go_to_body(void)
{
    struct conn_rig_client *c = log_in(0);

    conn_rig_say(&rig, c, CONN_RIG_MESSAGE);
    conn_rig_heard(c, "250 2.1.0*");
    return c;
}

static void a_message_is_kept(void **state)
{
    struct conn_rig_client *c = go_to_body();

    (void)state;
    conn_rig_say(&rig, c, "text\r\n.\r\nQUIT\r\n");
    conn_rig_heard(c, "250 2.0.0 Ok: queued as *");
    assert_int_equal(conn_rig_count(&rig, COUNTER_SMTP_MESSAGES), 1);
    assert_true(conn_rig_logged(&rig, "result=durable"));
    c->end->ops->shutdown(c->end);
    conn_rig_settle(&rig);
    assert_int_equal(conns_count(rig.conns), 0);
    assert_true(conn_rig_logged(&rig, "result=quit"));
}

/* What was read behind a chunk is not lost when the extent has room for a part of it only. */
static void chunks_cross_the_end_of_an_extent(void **state)
{
    static char chunk[LIMIT_EXTENT_BYTES];
    struct spool_port *port = spool_port(rig.spool, 0);
    struct spool_extent *e = spool_extent_get(port);
    uint32_t len = e->cap - 20;
    struct conn_rig_client *c = log_in(0);
    char line[64];

    (void)state;
    spool_extent_put(port, e);
    memset(chunk, 'x', sizeof(chunk));
    snprintf(line, sizeof(line), "BDAT %u\r\n", len);
    conn_rig_say(&rig, c, "MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<b@y.example>\r\n");
    conn_rig_say(&rig, c, line);
    conn_rig_send(&rig, c, chunk, len);
    conn_rig_heard(c, "250 2.1.0*");
    conn_rig_say(&rig, c,
                 "BDAT 5\r\nabcdeBDAT 40\r\n0123456789012345678901234567890123456789"
                 "BDAT 3 LAST\r\nxyz");
    assert_non_null(strstr(c->text, "queued as"));
    conn_rig_heard(c, "250 2.0.0 Chunk ok\r\n250 2.0.0 Chunk ok\r\n250 2.0.0 Ok: queued*");
    snprintf(line, sizeof(line), "size=%u ", len + 48);
    assert_true(conn_rig_logged(&rig, line));
}

/* A password that came in two pieces is not left behind in the memory of what comes next. */
static void a_password_is_not_left_in_the_input(void **state)
{
    struct conn_rig_client *c = conn_rig_connect(&rig, 0);
    struct list *all = &rig.conns->all;
    const struct conn *conn = LIST_ENTRY(all->head.next, struct conn, all);

    (void)state;
    rig.jobs.idle = true;
    conn_rig_say(&rig, c, "EHLO a.example\r\nAUTH PLAIN AHRlc3Q");
    conn_rig_say(&rig, c, "Ac2VjcmV0\r\nNOOP\r\n");
    assert_int_equal(conn->input.len, 6);
    assert_null(memmem(conn->input.ptr, LIMIT_CONN_INPUT_BYTES, "AHRlc3Q", 7));
    assert_null(memmem(conn->input.ptr, LIMIT_CONN_INPUT_BYTES, "c2VjcmV0", 8));
}

/* A message whose end was read is the spool's to keep, whether or not its sender reads. */
static void who_does_not_read_loses_no_message(void **state)
{
    struct conn_rig_client *c = log_in(STREAM_RESERVE_MAX);

    (void)state;
    c->deaf = true;
    for (int i = 0; i < 12; i++)
        conn_rig_say(&rig, c, "NOOP\r\n");
    conn_rig_say(&rig, c, CONN_RIG_MESSAGE); /* from its replies on there is no room for more */
    conn_rig_say(&rig, c, "text\r\n.\r\n");
    conn_rig_pass(&rig, 302);
    c->deaf = false;
    conn_rig_settle(&rig);
    assert_non_null(strstr(c->text, "354 "));
    assert_non_null(strstr(c->text, "250 2.0.0 Ok: queued as "));
    assert_int_equal(conn_rig_count(&rig, COUNTER_SMTP_MESSAGES), 1);
    assert_true(conn_rig_logged(&rig, "size=6"));
}

/* Waiting for room in the spool is not slowness of the client. */
static void who_waits_for_room_is_not_slow(void **state)
{
    struct spool_port *port = spool_port(rig.spool, 0);
    struct spool_extent *held[CONN_RIG_EXTENTS];
    struct conn_rig_client *c = log_in(0);

    (void)state;
    for (int i = 0; i < CONN_RIG_EXTENTS; i++)
        held[i] = spool_extent_get(port);
    conn_rig_say(&rig, c, CONN_RIG_MESSAGE "text\r\n");
    conn_rig_heard(c, "250 2.1.0*");
    conn_rig_pass(&rig, 2 * LIMIT_BODY_GRACE_S);
    conn_rig_heard(c, "");
    for (int i = 0; i < CONN_RIG_EXTENTS; i++)
        spool_extent_put(port, held[i]);
    conn_rig_pass(&rig, LIMIT_BODY_GRACE_S / 2);
    conn_rig_heard(c, "");
    conn_rig_say(&rig, c, ".\r\n");
    conn_rig_heard(c, "250 2.0.0 Ok: queued as *");
}

/* Whoever had his reply and does not end the connection is no time-out, nor is he "timed out". */
static void who_lingers_is_closed(void **state)
{
    struct conn_rig_client *c = log_in(0);

    (void)state;
    conn_rig_say(&rig, c, "QUIT\r\n");
    conn_rig_pass(&rig, CONN_RIG_LINGER_S + 1);
    assert_int_equal(conns_count(rig.conns), 0);
    assert_int_equal(conn_rig_count(&rig, COUNTER_CONN_TIMEOUTS), 0);
    assert_true(conn_rig_logged(&rig, "result=quit"));
}

static void who_does_not_read_his_last_reply_is_closed(void **state)
{
    struct conn_rig_client *c = conn_rig_connect(&rig, LIMIT_REPLY_BYTES - 1);

    (void)state;
    (void)c;
    conn_rig_pass(&rig, 300 + CONN_RIG_LINGER_S + 2);
    assert_int_equal(conns_count(rig.conns), 0);
    assert_int_equal(conn_rig_count(&rig, COUNTER_CONN_TIMEOUTS), 1);
    assert_true(conn_rig_logged(&rig, "result=\"does not read\""));
}

static void a_slow_body_is_given_up(void **state)
{
    struct conn_rig_client *c = go_to_body();

    (void)state;
    for (int i = 0; i < 60 && c->len == 0; i++) {
        conn_rig_say(&rig, c, "x");
        conn_rig_pass(&rig, 10);
    }
    conn_rig_heard(c, "421 4.4.2 *");
    conn_rig_pass(&rig, CONN_RIG_LINGER_S + 1);
    assert_int_equal(conn_rig_count(&rig, COUNTER_CONN_TIMEOUTS), 1);
    assert_int_equal(conns_count(rig.conns), 0);
}

/* The pause of one who makes mistakes is over when his time is. */
static void the_end_of_a_session_comes_in_a_pause_too(void **state)
{
    struct conn_rig_client *c = log_in(0);

    (void)state;
    conn_rig_say(&rig, c, "X\r\nX\r\nX\r\nX\r\n");
    conn_rig_heard(c, "500 5.5.1*");
    conns_expire(rig.conns);
    conn_rig_settle(&rig);
    assert_non_null(strstr(c->text, "\r\n421 "));
    conn_rig_heard(c, "500 5.5.1*");
}

/* --- The drain: who owes us a message is waited for; all others hear 421 when they are next told
 * something. */

#define GOODBYE "421 4.3.2 "

static void drain_lets_a_body_in(void **state)
{
    struct conn_rig_client *busy = go_to_body();
    struct conn_rig_client *idle = log_in(0);

    (void)state;
    conns_drain(rig.conns);
    conn_rig_settle(&rig);
    conn_rig_heard(idle, GOODBYE "*");
    conn_rig_heard(busy, "");
    conn_rig_say(&rig, busy, "text\r\n.\r\n");
    assert_non_null(strstr(busy->text, "\r\n" GOODBYE));
    conn_rig_heard(busy, "250 2.0.0 Ok: queued as *");
}

static void drain_in_a_pause(void **state)
{
    struct conn_rig_client *c = log_in(0);

    (void)state;
    conn_rig_say(&rig, c, "X\r\nX\r\nX\r\nX\r\n");
    conn_rig_heard(c, "500 5.5.1*");
    conns_drain(rig.conns);
    conn_rig_settle(&rig);
    assert_non_null(strstr(c->text, "\r\n" GOODBYE));
    conn_rig_heard(c, "500 5.5.1*");
}

static void drain_in_a_body_that_is_refused(void **state)
{
    static char text[1000];
    struct conn_rig_client *c = go_to_body();

    (void)state;
    memset(text, 'x', sizeof(text));
    for (int i = 0; i < 401; i++)
        conn_rig_send(&rig, c, text, sizeof(text));
    conns_drain(rig.conns);
    conn_rig_settle(&rig);
    conn_rig_heard(c, "");
    conn_rig_say(&rig, c, "\r\n.\r\n");
    assert_non_null(strstr(c->text, "\r\n" GOODBYE));
    conn_rig_heard(c, "552 5.3.4 *");
}

static void drain_between_chunks(void **state)
{
    struct conn_rig_client *c = log_in(0);

    (void)state;
    conn_rig_say(&rig, c, "MAIL FROM:<>\r\nRCPT TO:<b@y.example>\r\nBDAT 3\r\nx\r\n");
    conn_rig_heard(c, "250 2.1.0*");
    conns_drain(rig.conns);
    conn_rig_settle(&rig);
    conn_rig_heard(c, "");
    conn_rig_say(&rig, c, "RSET\r\n");
    assert_non_null(strstr(c->text, "\r\n" GOODBYE));
    conn_rig_heard(c, "250 2.0.0*");
}

static void drain_before_the_banner_is_out(void **state)
{
    struct conn_rig_client *c;

    (void)state;
    c = conn_rig_connect(&rig, LIMIT_REPLY_BYTES - 1); /* no room for any reply */
    conns_drain(rig.conns);
    conn_rig_settle(&rig);
    conn_rig_heard(c, "");
    assert_int_equal(conns_count(rig.conns), 1);
    mem_stream_set_room(c->wire, 0);
    conn_rig_settle(&rig);
    assert_non_null(strstr(c->text, "\r\n" GOODBYE));
    conn_rig_heard(c, "220 *");
}

static void drain_while_a_password_is_checked(void **state)
{
    struct conn_rig_client *c = conn_rig_connect(&rig, 0);

    (void)state;
    rig.jobs.idle = true;
    conn_rig_say(&rig, c, CONN_RIG_LOGIN);
    conn_rig_heard(c, "220 *");
    conns_drain(rig.conns);
    conn_rig_settle(&rig);
    conn_rig_heard(c, "");
    rig.jobs.idle = false;
    conn_rig_settle(&rig);
    assert_non_null(strstr(c->text, "\r\n" GOODBYE));
    conn_rig_heard(c, "235 2.7.0*");
}

static void a_drain_has_an_end(void **state)
{
    struct conn_rig_client *busy = go_to_body();

    (void)state;
    conns_drain(rig.conns);
    conns_expire(rig.conns);
    conn_rig_settle(&rig);
    conn_rig_heard(busy, GOODBYE "*");
    conn_rig_pass(&rig, CONN_RIG_LINGER_S + 1);
    assert_int_equal(conns_count(rig.conns), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_is_kept, begin, end),
        cmocka_unit_test_setup_teardown(chunks_cross_the_end_of_an_extent, begin, end),
        cmocka_unit_test_setup_teardown(a_password_is_not_left_in_the_input, begin, end),
        cmocka_unit_test_setup_teardown(who_does_not_read_loses_no_message, begin, end),
        cmocka_unit_test_setup_teardown(who_waits_for_room_is_not_slow, begin, end),
        cmocka_unit_test_setup_teardown(a_slow_body_is_given_up, begin, end),
        cmocka_unit_test_setup_teardown(who_lingers_is_closed, begin, end),
        cmocka_unit_test_setup_teardown(who_does_not_read_his_last_reply_is_closed, begin, end),
        cmocka_unit_test_setup_teardown(the_end_of_a_session_comes_in_a_pause_too, begin, end),
        cmocka_unit_test_setup_teardown(drain_lets_a_body_in, begin, end),
        cmocka_unit_test_setup_teardown(drain_in_a_pause, begin, end),
        cmocka_unit_test_setup_teardown(drain_in_a_body_that_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(drain_between_chunks, begin, end),
        cmocka_unit_test_setup_teardown(drain_before_the_banner_is_out, begin, end),
        cmocka_unit_test_setup_teardown(drain_while_a_password_is_checked, begin, end),
        cmocka_unit_test_setup_teardown(a_drain_has_an_end, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
