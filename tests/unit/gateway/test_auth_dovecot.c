/*
 * The lines of Dovecot's protocol, both ways: is what is asked in the form that it wants, and is
 * what it says understood, or refused?
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_says),
        cmocka_unit_test(what_it_may_not_say),
        cmocka_unit_test(what_is_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
