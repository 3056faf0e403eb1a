/*
 * EXTERNAL's back end, behind auth as in the program: the certificate's name and nobody else's, in
 * one form, and under the limits that hold for guesses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/auth_external.h"

static struct clock clk;
static struct counters counters;
static struct auth *a;
static _Alignas(16) uint8_t memo[LIMIT_SASL_MEMO_BYTES];

static void never(void *owner, const struct auth_answer *answer)
{
    (void)owner;
    (void)answer;
    fail();
}

static int set_up(void **state)
{
    const struct config_auth config = { .guesses_per_client = 3,
                                        .guesses_per_login = 1000,
                                        .guesses_per_network = 1000,
                                        .guesses_per_pair = 1000,
                                        .guess_delay_s = 10,
                                        .guess_window_s = 600,
                                        .block_time_s = 100 };
    struct auth_env env = {
        .clock = &clk, .counters = &counters, .backends = { auth_external_create() }, .done = never
    };

    (void)state;
    clk.now_ns = NS_PER_S;
    a = auth_create(&config, 4, &env);
    assert_non_null(a);
    assert_int_equal(auth_mechanisms(a, false), SMTP_MECHANISM_EXTERNAL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    auth_destroy(a);
    return 0;
}

static enum smtp_verdict ask(const char *identity, struct span authzid, const char *login)
{
    const struct smtp_client client = { .peer = { .port = 25 }, .identity = span_str(identity) };
    const struct smtp_auth q = {
        .mechanism = SMTP_MECHANISM_EXTERNAL, .client = &client, .message = authzid, .memo = memo
    };
    struct auth_answer now;

    assert_null(auth_check(a, &q, NULL, &now));
    assert_false(now.asks);
    if (now.verdict == SMTP_VERDICT_OK)
        assert_true(span_equal(now.login, span_str(login)));
    return now.verdict;
}

static void the_certificate_says_who(void **state)
{
    const struct span none = { NULL, 0 };

    (void)state;
    assert_int_equal(ask("a@example.org", none, "a@example.org"), SMTP_VERDICT_OK);
    assert_int_equal(ask("a@example.org", SPAN_LITERAL("a@example.org"), "a@example.org"),
                     SMTP_VERDICT_OK);
    /* One form (RFC 4013): U+2168 is IX, a soft hyphen is nothing. */
    assert_int_equal(ask("Max \342\205\250", SPAN_LITERAL("M\302\255ax IX"), "Max IX"),
                     SMTP_VERDICT_OK);
}

static void nobody_else_does(void **state)
{
    (void)state;
    assert_int_equal(ask("a@example.org", SPAN_LITERAL("b@example.org"), ""), SMTP_VERDICT_WRONG);
    assert_int_equal(ask("a@example.org", SPAN_LITERAL("a@example.org\0x"), ""),
                     SMTP_VERDICT_WRONG);
    assert_int_equal(ask("\302\240", SPAN_LITERAL(" "), " "), SMTP_VERDICT_OK);
    assert_int_equal(ask("\342\200\252", (struct span){ NULL, 0 }, ""), SMTP_VERDICT_WRONG);
    /* These were three: even the right one is not heard now. */
    assert_int_equal(ask("a@example.org", (struct span){ NULL, 0 }, ""), SMTP_VERDICT_BLOCKED);
}

static void longer_than_any_login(void **state)
{
    static uint8_t much[LIMIT_LOGIN_BYTES + 1];

    (void)state;
    memset(much, 'a', sizeof(much));
    assert_int_equal(ask("a", span_of(much, sizeof(much)), ""), SMTP_VERDICT_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_certificate_says_who, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_else_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(longer_than_any_login, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
