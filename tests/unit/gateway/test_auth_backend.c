/*
 * What does auth make of a back end that takes its time? The back end is the test's own: it keeps
 * the one question that it was asked, and answers when told to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/auth_backend.h"

static struct clock clk;
static struct counters counters;

struct slow {
    struct auth_backend backend;
    uint32_t has;
    bool reloaded;
    bool gone;
    struct auth_question *asked;
};

static uint32_t mechanisms(struct auth_backend *b, bool bound)
{
    (void)bound;
    return ((struct slow *)b)->has;
}

static bool renewed(struct auth_backend *b)
{
    struct slow *s = (struct slow *)b;
    bool was = s->reloaded;

    s->reloaded = false;
    return was;
}

static void ask_slow(struct auth_backend *b, struct auth_question *q)
{
    ((struct slow *)b)->asked = q;
}

static void destroy(struct auth_backend *b)
{
    ((struct slow *)b)->gone = true;
}

static struct slow first;
static struct slow second;
static struct auth *a;

/* The one connection, and what it was told. */
static struct auth_answer told;
static char told_login[64];
static uint32_t answers;

static void tell(void *owner, const struct auth_answer *answer)
{
    assert_ptr_equal(owner, &answers);
    told = *answer;
    snprintf(told_login, sizeof(told_login), "%.*s", (int)answer->login.len,
             (const char *)answer->login.ptr);
    answers++;
}

static int set_up(void **state)
{
    const struct config_auth config = { .cache_entries = 16,
                                        .cache_lifetime_s = 60,
                                        .guesses_per_client = 2,
                                        .guesses_per_login = 2,
                                        .guesses_per_network = 1000,
                                        .guesses_per_pair = 1000,
                                        .guess_delay_s = 10,
                                        .guess_window_s = 600,
                                        .block_time_s = 100 };
    struct auth_env env = { .clock = &clk,
                            .counters = &counters,
                            .backends = { &first.backend, &second.backend },
                            .done = tell };

    (void)state;
    first = second = (struct slow){ .backend = { mechanisms, renewed, ask_slow, destroy } };
    first.has = SMTP_MECHANISMS_OF_PASSWORDS;
    second.has = SMTP_MECHANISMS_OF_PASSWORDS | SMTP_MECHANISM_SCRAM;
    clk.now_ns = NS_PER_S;
    answers = 0;
    told_login[0] = 0;
    a = auth_create(&config, 4, &env);
    assert_non_null(a);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    auth_destroy(a);
    assert_true(first.gone && second.gone);
    return 0;
}

static _Alignas(16) uint8_t memo[LIMIT_SASL_MEMO_BYTES];

static struct auth_request *ask(enum smtp_mechanism mechanism, struct auth_answer *now)
{
    static const struct smtp_client client = { .peer = { .port = 25 } };
    struct smtp_auth q = { .mechanism = mechanism, .client = &client, .memo = memo };

    if (mechanism == SMTP_MECHANISM_PLAIN) {
        q.login = SPAN_LITERAL("ann");
        q.password = SPAN_LITERAL("secret");
    } else {
        q.message = SPAN_LITERAL("hello");
    }
    return auth_check(a, &q, &answers, now);
}

static void end(struct slow *s, enum smtp_verdict verdict, const char *login)
{
    struct auth_question *q = s->asked;

    s->asked = NULL;
    q->answer = (struct auth_answer){ .verdict = verdict, .login = span_str(login) };
    q->done(q);
}

static void the_first_that_can_is_asked(void **state)
{
    struct auth_answer now;

    (void)state;
    assert_int_equal(auth_mechanisms(a, false), second.has);
    assert_non_null(ask(SMTP_MECHANISM_PLAIN, &now));
    assert_non_null(first.asked);
    assert_null(first.asked->memo);
    assert_memory_equal(first.asked->login, "ann", 3);
    assert_memory_equal(first.asked->secret, "secret", 6);
    end(&first, SMTP_VERDICT_OK, "ann@example.org");
    assert_int_equal(told.verdict, SMTP_VERDICT_OK);
    assert_string_equal(told_login, "ann@example.org");
    assert_non_null(ask(SMTP_MECHANISM_SCRAM, &now));
    assert_null(first.asked);
    assert_ptr_equal(second.asked->memo, memo);
    assert_memory_equal(second.asked->secret, "hello", 5);
    end(&second, SMTP_VERDICT_WRONG, "");
    assert_int_equal(answers, 2);
    second.has = 0;
    assert_null(ask(SMTP_MECHANISM_SCRAM, &now));
    assert_int_equal(now.verdict, SMTP_VERDICT_TEMPORARY);
}

static void a_challenge_may_come_later(void **state)
{
    struct auth_answer now;
    struct auth_question *q;

    (void)state;
    assert_non_null(ask(SMTP_MECHANISM_SCRAM, &now));
    q = second.asked;
    q->answer = (struct auth_answer){ .asks = true, .challenge = SPAN_LITERAL("say more") };
    q->done(q);
    assert_true(told.asks);
    assert_int_equal(told.challenge.len, 8);
}

static void nobody_writes_into_the_memo_of_who_is_gone(void **state)
{
    struct auth_answer now;
    struct auth_request *r = ask(SMTP_MECHANISM_SCRAM, &now);

    (void)state;
    assert_non_null(r);
    auth_cancel(a, r);
    assert_null(second.asked->memo);
    end(&second, SMTP_VERDICT_OK, "ann");
    assert_int_equal(answers, 0);
}

/* Whose guess it was is known from the answer. */
static void wrong_messages_are_guesses(void **state)
{
    struct auth_answer now;

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        assert_non_null(ask(SMTP_MECHANISM_SCRAM, &now));
        end(&second, SMTP_VERDICT_WRONG, "ann");
        assert_int_equal(told.verdict, SMTP_VERDICT_WRONG);
    }
    assert_null(ask(SMTP_MECHANISM_SCRAM, &now));
    assert_int_equal(now.verdict, SMTP_VERDICT_BLOCKED);
    assert_null(second.asked);
}

static void a_reload_of_any_counts(void **state)
{
    struct auth_answer now;

    (void)state;
    assert_non_null(ask(SMTP_MECHANISM_PLAIN, &now));
    end(&first, SMTP_VERDICT_OK, "");
    assert_null(ask(SMTP_MECHANISM_PLAIN, &now));
    assert_int_equal(now.verdict, SMTP_VERDICT_OK);
    second.reloaded = true;
    assert_non_null(ask(SMTP_MECHANISM_PLAIN, &now));
    first.reloaded = true; /* while it is under way: what it says is not kept */
    assert_non_null(ask(SMTP_MECHANISM_SCRAM, &now));
    end(&second, SMTP_VERDICT_OK, "ann");
    end(&first, SMTP_VERDICT_OK, "");
    assert_non_null(ask(SMTP_MECHANISM_PLAIN, &now));
    end(&first, SMTP_VERDICT_WRONG, "");
    assert_int_equal(told.verdict, SMTP_VERDICT_WRONG);
}

/* So that Dovecot is not asked at each session of a user whom it calls otherwise. */
static void what_was_said_beside_yes_is_kept(void **state)
{
    struct auth_answer now;

    (void)state;
    assert_non_null(ask(SMTP_MECHANISM_PLAIN, &now));
    first.asked->answer = (struct auth_answer){ .verdict = SMTP_VERDICT_OK,
                                                .login = SPAN_LITERAL("ann@example.org"),
                                                .grant = SPAN_LITERAL("self rcpt=5") };
    first.asked->done(first.asked);
    assert_null(ask(SMTP_MECHANISM_PLAIN, &now));
    assert_int_equal(now.verdict, SMTP_VERDICT_OK);
    assert_false(now.asks);
    assert_true(span_equal(now.login, SPAN_LITERAL("ann@example.org")));
    assert_true(span_equal(now.grant, SPAN_LITERAL("self rcpt=5")));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_first_that_can_is_asked),
        CASE(a_challenge_may_come_later),
        CASE(nobody_writes_into_the_memo_of_who_is_gone),
        CASE(wrong_messages_are_guesses),
        CASE(a_reload_of_any_counts),
        CASE(what_was_said_beside_yes_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
