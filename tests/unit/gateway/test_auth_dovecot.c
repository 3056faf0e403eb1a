/*
 * The lines of Dovecot's protocol, both ways: is what is asked in the form that it wants, and is
 * what it says understood, or refused? And an exchange whose client says nothing more, in virtual
 * time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/auth_dovecot.h"
#include "gateway/auth_dovecot_wire.h"

static uint8_t text[256];

static struct auth_dovecot_line read_text(const char *line)
{
    struct auth_dovecot_line out;

    memcpy(text, line, strlen(line));
    auth_dovecot_wire_read(text, (uint32_t)strlen(line), &out);
    return out;
}

static void what_it_says(void **state)
{
    struct auth_dovecot_line l;

    (void)state;
    assert_int_equal(read_text("VERSION\t1\t2").id, 1);
    assert_int_equal(read_text("MECH\tPLAIN\tplaintext").bit, SMTP_MECHANISM_PLAIN);
    assert_int_equal(read_text("MECH\tscram-sha-256").bit, SMTP_MECHANISM_SCRAM);
    assert_int_equal(read_text("MECH\tCRAM-MD5\tdictionary").bit, 0);
    assert_int_equal(read_text("DONE").kind, AUTH_DOVECOT_DONE);
    assert_int_equal(read_text("SPID\t17").kind, AUTH_DOVECOT_OTHER);
    l = read_text("OK\t4097\tnologin\tuser=a\001tb");
    assert_int_equal(l.kind, AUTH_DOVECOT_OK);
    assert_int_equal(l.id, 4097);
    assert_true(span_equal(l.user, SPAN_LITERAL("a\tb")));
    l = read_text("OK\t1\tuser=a\tpostern_senders=self,b@x\001tsize=5");
    assert_true(span_equal(l.grant, SPAN_LITERAL("self,b@x\tsize=5")));
    l = read_text("CONT\t5\tYWJj");
    assert_true(span_equal(l.text, SPAN_LITERAL("YWJj")));
    assert_false(read_text("FAIL\t1\tuser=temp").temporary);
    assert_true(read_text("FAIL\t1\tuser=a\ttemp").temporary);
    assert_true(read_text("FAIL\t1\tcode=temp_fail").temporary);
    l = read_text("FAIL\t1\tuser=a\tcode=pass_expired");
    assert_false(l.temporary);
    assert_string_equal(l.cause, "code=pass_expired");
}

static void what_it_may_not_say(void **state)
{
    static const char *const lines[] = { "OK", "OK\t", "OK\tx", "FAIL\t-1", "CONT\t4294967296" };

    (void)state;
    for (uint32_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_int_equal(read_text(lines[i]).kind, AUTH_DOVECOT_BAD);
}

static struct auth_question question;

static void ask(enum smtp_mechanism mechanism, const char *secret)
{
    question = (struct auth_question){
        .mechanism = mechanism,
        .client = { addr_from_v4(0xc0000201), 4000 },
        .local = { addr_from_v4(0xc6120002), 465 },
        .login_len = 3,
        .login = "ann",
        .secret_len = (uint32_t)strlen(secret),
    };
    memcpy(question.secret, secret, strlen(secret));
}

static void what_is_asked(void **state)
{
    static uint8_t bytes[2 * LIMIT_DOVECOT_LINE_BYTES];
    struct buf out = { bytes, 0, sizeof(bytes) };
    static const char password[] = "AUTH\t7\tPLAIN\tservice=smtp\tsecured=tls\tnologin\t"
                                   "lip=198.18.0.2\tlport=465\trip=192.0.2.1\trport=4000\t"
                                   "resp=AGFubgBzZWNyZXQ=\n";

    (void)state;
    ask(SMTP_MECHANISM_LOGIN, "secret");
    assert_true(auth_dovecot_wire_ask(7, &question, &out));
    assert_true(span_equal(span_of(bytes, out.len), span_str(password)));
    out.len = 0;
    ask(SMTP_MECHANISM_SCRAM, "abc");
    question.exchange = 1;
    assert_true(auth_dovecot_wire_ask(8, &question, &out));
    assert_true(span_equal(span_of(bytes, out.len), SPAN_LITERAL("CONT\t8\tYWJj\n")));
    /* Dovecot would close the connection, everybody's. */
    out.len = 0;
    question.secret_len = LIMIT_AUTH_MESSAGE_BYTES;
    assert_false(auth_dovecot_wire_ask(9, &question, &out));
    assert_int_equal(out.len, 0);
    out.len = sizeof(bytes) - 100;
    question.secret_len = 3;
    assert_false(auth_dovecot_wire_ask(9, &question, &out));
}

/* --- an exchange in time ---------------------------------------------------------------------- */

static struct clock now;
static unsigned answers;

/* In place of those of auth_remote.c: there is no thread, and time is ours. */
void auth_remote_answer(struct auth_remote *r, struct auth_question *q)
{
    (void)r;
    assert_ptr_equal(q, &question);
    answers++;
}

void auth_remote_now(struct auth_remote *r)
{
    (void)r;
}

struct service {
    char folder[64];
    struct sockaddr_un at;
    int listens;
    int peer;
    int wake; /* always readable: nothing waits */
    struct counters counters;
    struct auth_client *client;
};

static void say(const struct service *s, const char *text_of_it)
{
    assert_int_equal(send(s->peer, text_of_it, strlen(text_of_it), 0), strlen(text_of_it));
    s->client->wait(s->client, s->wake);
}

/* All that it has sent since. */
static void expect(const struct service *s, const char *lines)
{
    char heard[512];
    ssize_t len;

    s->client->wait(s->client, s->wake);
    len = recv(s->peer, heard, sizeof(heard) - 1, MSG_DONTWAIT);
    heard[len > 0 ? len : 0] = 0;
    assert_string_equal(heard, lines);
}

static int begin(void **state)
{
    struct service *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    snprintf(s->folder, sizeof(s->folder), "/tmp/postern-dovecot-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    s->at.sun_family = AF_UNIX;
    snprintf(s->at.sun_path, sizeof(s->at.sun_path), "%s/auth", s->folder);
    s->listens = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listens, (struct sockaddr *)&s->at, sizeof(s->at)), 0);
    assert_int_equal(listen(s->listens, 1), 0);
    s->wake = eventfd(1, 0);
    now.now_ns = 1000 * NS_PER_S;
    s->client = auth_dovecot_create(s->at.sun_path, 10);
    assert_non_null(s->client);
    s->client->clock = &now;
    s->client->log = log_create(16, LOG_LEVEL_ERROR, &now, &s->counters);
    assert_non_null(s->client->log);
    s->client->wait(s->client, s->wake);
    s->peer = accept(s->listens, NULL, NULL);
    say(s, "VERSION\t1\t2\nMECH\tSCRAM-SHA-256\nDONE\n");
    assert_true(recv(s->peer, text, sizeof(text), 0) > 0);
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct service *s = *state;
    struct log *log = s->client->log;

    s->client->destroy(s->client);
    log_destroy(log);
    close(s->peer);
    close(s->listens);
    close(s->wake);
    unlink(s->at.sun_path);
    rmdir(s->folder);
    free(s);
    return 0;
}

/* The first message is asked and answered; the exchange is silent then. */
static void fall_silent(const struct service *s)
{
    char heard[512];

    ask(SMTP_MECHANISM_SCRAM, "abc");
    s->client->ask(s->client, &question);
    s->client->wait(s->client, s->wake);
    assert_true(recv(s->peer, heard, sizeof(heard), 0) > 0);
    answers = 0;
    say(s, "CONT\t4096\tYWJj\n");
    assert_int_equal(answers, 1);
    assert_true(question.answer.asks);
}

static void next_message(const struct service *s)
{
    uint64_t exchange = question.exchange;

    ask(SMTP_MECHANISM_SCRAM, "abc");
    question.exchange = exchange;
    question.answer.verdict = SMTP_VERDICT_OK;
    s->client->ask(s->client, &question);
}

static void silence_in_time(void **state)
{
    struct service *s = *state;

    fall_silent(s);
    now.now_ns += LIMIT_DOVECOT_SILENT_S * NS_PER_S - 1;
    expect(s, "");
    next_message(s);
    expect(s, "CONT\t4096\tYWJj\n");
    assert_int_equal(answers, 1);
    say(s, "OK\t4096\tuser=ann\n");
    assert_int_equal(answers, 2);
    assert_int_equal(question.answer.verdict, SMTP_VERDICT_OK);
}

static void silence_too_long(void **state)
{
    struct service *s = *state;

    fall_silent(s);
    now.now_ns += LIMIT_DOVECOT_SILENT_S * NS_PER_S;
    s->client->wait(s->client, s->wake);
    expect(s, "CANCEL\t4096\n");
    next_message(s);
    assert_int_equal(answers, 2);
    assert_int_equal(question.answer.verdict, SMTP_VERDICT_TEMPORARY);
    expect(s, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_says),
        cmocka_unit_test(what_it_may_not_say),
        cmocka_unit_test(what_is_asked),
        cmocka_unit_test_setup_teardown(silence_in_time, begin, end),
        cmocka_unit_test_setup_teardown(silence_too_long, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
