/*
 * Tokens behind auth: who is let in, what a refusal counts for, and what becomes of a question when
 * helpers are busy, the client is gone or the program stops. Helpers are the test's own queue.
 */
#include "lib/unit.h"

#include <stdio.h>

#include "base/base64.h"
#include "gateway/auth_token.h"
#include "token.h"

#define NOW 1800000000ULL

static struct clock clk;
static struct counters counters;
static struct auth *a;
static struct auth_token *back;
static struct job *posted;
static bool busy;
static _Alignas(16) uint8_t memo[LIMIT_SASL_MEMO_BYTES];

/* What the one connection was told. */
static struct auth_answer told;
static char told_text[512];
static uint32_t answers;

static bool submit(struct job_queue *q, struct job *job)
{
    (void)q;
    if (busy)
        return false;
    assert_null(posted);
    posted = job;
    return true;
}

static struct job_queue jobs = { submit };

static void take(const struct auth_answer *answer)
{
    struct span text = answer->asks ? answer->challenge : answer->login;

    told = *answer;
    snprintf(told_text, sizeof(told_text), "%.*s", (int)text.len, (const char *)text.ptr);
    answers++;
}

static void done(void *owner, const struct auth_answer *answer)
{
    assert_ptr_equal(owner, &answers);
    take(answer);
}

static void finish(bool ran)
{
    struct job *job = posted;

    posted = NULL;
    assert_non_null(job);
    job->ran = ran;
    if (ran)
        job->run(job);
    job->done(job);
}

static int set_up(void **state)
{
    const struct config_auth config = {
        .guesses_per_client = 2, .guesses_per_login = 2, .guess_window_s = 600, .block_time_s = 100
    };
    struct buf errors = { (uint8_t *)told_text, 0, sizeof(told_text) };
    struct auth_token_env te = {
        .clock = &clk,
        .counters = &counters,
        .log = log_create(8, LOG_LEVEL_INFO, &clk, &counters),
        .jobs = &jobs,
        .keys = auth_jwks_parse("keys", span_str(token_jwks()), &errors),
        .rules = { SPAN_LITERAL("i"), SPAN_LITERAL("a"), SPAN_LITERAL(""), "sub" },
    };
    struct auth_env env = { .clock = &clk, .counters = &counters, .done = done };

    clk = (struct clock){ .now_ns = NS_PER_S, .unix_ms = NOW * 1000 };
    memset(memo, 0, sizeof(memo));
    memset(&counters, 0, sizeof(counters));
    answers = 0;
    busy = false;
    back = auth_token_create(&te);
    assert_non_null(back);
    auth_jwks_release(te.keys);
    env.backends[0] = auth_token_backend(back);
    a = auth_create(&config, 4, &env);
    assert_non_null(a);
    *state = te.log;
    return 0;
}

static int tear_down(void **state)
{
    auth_destroy(a);
    log_destroy(*state);
    return 0;
}

static struct auth_request *say(const char *message)
{
    static const struct smtp_client client = { .peer = { .port = 25 } };
    struct smtp_auth q = { .mechanism = SMTP_MECHANISM_OAUTHBEARER,
                           .client = &client,
                           .message = span_str(message),
                           .memo = memo };
    struct auth_answer now;
    struct auth_request *r = auth_check(a, &q, &answers, &now);

    if (r == NULL)
        take(&now);
    return r;
}

/* A token that is good until `exp`, in a message. */
static const char *message_of(const char *audience, uint64_t exp)
{
    static char text[1024];
    uint8_t room[800];
    struct buf token = { room, 0, sizeof(room) - 1 };
    char claims[128];

    snprintf(claims, sizeof(claims), "{\"iss\":\"i\",\"aud\":\"%s\",\"exp\":%llu,\"sub\":\"ann\"}",
             audience, (unsigned long long)exp);
    token_make(&token, TOKEN_ED25519, "{\"alg\":\"EdDSA\"}", claims);
    snprintf(text, sizeof(text), "n,,\1auth=Bearer %s\1\1", (const char *)room);
    return text;
}

static void lets_its_owner_in(void **state)
{
    (void)state;
    assert_int_equal(auth_mechanisms(a, false),
                     SMTP_MECHANISM_OAUTHBEARER | SMTP_MECHANISM_XOAUTH2);
    assert_non_null(say(message_of("a", NOW + 1)));
    finish(true);
    assert_int_equal(told.verdict, SMTP_VERDICT_OK);
    assert_string_equal(told_text, "ann");
    assert_int_equal(counter_get(&counters, COUNTER_AUTH_TOKENS), 1);
}

/* Refused, asked back, wrong. */
static void be_refused(const char *audience, uint64_t exp)
{
    memset(memo, 0, sizeof(memo));
    assert_non_null(say(message_of(audience, exp)));
    finish(true);
    assert_true(told.asks);
    assert_string_equal(told_text, "{\"status\":\"invalid_token\",\"schemes\":\"bearer\"}");
    assert_null(say("\1"));
    assert_int_equal(told.verdict, SMTP_VERDICT_WRONG);
}

static void only_guesses_count(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        be_refused("a", NOW - 1000);
    be_refused("b", NOW + 1);
    memset(memo, 0, sizeof(memo));
    assert_non_null(say(message_of("b", NOW + 1)));
    finish(true);
    assert_true(told.asks); /* the second guess, whose client may hang up here */
    memset(memo, 0, sizeof(memo));
    assert_null(say(message_of("a", NOW + 1)));
    assert_int_equal(told.verdict, SMTP_VERDICT_BLOCKED);
    assert_int_equal(counter_get(&counters, COUNTER_AUTH_TOKENS_REFUSED), 5);
}

static void asks_nobody_without_a_token(void **state)
{
    (void)state;
    assert_null(say("n,,\1auth=\1\1"));
    assert_true(told.asks && !told.guessed);
    memset(memo, 0, sizeof(memo));
    assert_null(say("hello"));
    assert_int_equal(told.verdict, SMTP_VERDICT_WRONG);
    assert_false(told.excused);
}

static void cannot_be_asked(void **state)
{
    (void)state;
    busy = true;
    assert_null(say(message_of("a", NOW + 1)));
    assert_int_equal(told.verdict, SMTP_VERDICT_TEMPORARY);
    assert_int_equal(counter_get(&counters, COUNTER_AUTH_BUSY), 1);
    busy = false;
    assert_non_null(say(message_of("a", NOW + 1)));
    finish(false);
    assert_int_equal(told.verdict, SMTP_VERDICT_TEMPORARY);
}

static void the_client_is_gone(void **state)
{
    struct auth_request *r;

    (void)state;
    r = say(message_of("b", NOW + 1));
    assert_non_null(r);
    auth_cancel(a, r);
    finish(true);
    assert_int_equal(answers, 0);
    assert_int_equal(memo[0], 0);
}

static void new_keys_are_taken(void **state)
{
    static const char other[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                                "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";
    struct buf errors = { (uint8_t *)told_text, 0, sizeof(told_text) };

    (void)state;
    assert_non_null(say(message_of("a", NOW + 1)));
    auth_token_offer(back, auth_jwks_parse("keys", span_str(other), &errors));
    finish(true); /* began with the old ones */
    assert_int_equal(told.verdict, SMTP_VERDICT_OK);
    be_refused("a", NOW + 1);
    auth_token_offer(back, auth_jwks_parse("keys", span_str(token_jwks()), &errors));
    auth_token_offer(back, auth_jwks_parse("keys", span_str(token_jwks()), &errors));
    memset(memo, 0, sizeof(memo));
    assert_non_null(say(message_of("a", NOW + 1)));
    finish(true);
    assert_int_equal(told.verdict, SMTP_VERDICT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lets_its_owner_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_guesses_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(asks_nobody_without_a_token, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cannot_be_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_client_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(new_keys_are_taken, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
