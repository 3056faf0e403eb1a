/*
 * Does every question get its one answer, from the right place, and is a guesser stopped without a
 * hash? Time and helpers are the test's own; the last test has real helper threads and is run under
 * TSan too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <crypt.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/auth.h"
#include "gateway/auth_file.h"
#include "gateway/helper.h"

#define SETTING "$6$rounds=1000$saltsalt$"

static struct clock clk;
static struct counters counters;

/* A queue that keeps jobs until the test runs them. */
static struct job *queued[LIMIT_JOBS];
static uint32_t queued_count;
static bool queue_full;

static bool take(struct job_queue *q, struct job *job)
{
    (void)q;
    if (queue_full)
        return false;
    job->ran = false;
    queued[queued_count++] = job;
    return true;
}

static struct job_queue queue = { .submit = take };

static void run_queued(void)
{
    for (uint32_t i = 0; i < queued_count; i++) {
        queued[i]->run(queued[i]);
        queued[i]->ran = true;
        queued[i]->done(queued[i]);
    }
    queued_count = 0;
}

/* One connection: who asks, and what it was told. */
struct caller {
    enum smtp_verdict verdict;
    uint32_t told;
};

static void tell(void *owner, const struct auth_answer *answer)
{
    struct caller *c = owner;

    c->verdict = answer->verdict;
    c->told++;
}

static struct auth_users *parse_users(const char *text)
{
    uint8_t room[256];
    struct buf errors = { room, 0, sizeof(room) };
    struct auth_users *u = auth_users_parse("u", span_str(text), &errors);

    assert_non_null(u);
    return u;
}

static struct auth_users *make_users(const char *password)
{
    char text[256];

    snprintf(text, sizeof(text), "ann:%s\n", crypt(password, SETTING));
    return parse_users(text);
}

static struct auth_users *make_keys(void)
{
    static const char text[] = "ann:{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,"
                               "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
                               "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n";

    return parse_users(text);
}

static const struct config_auth config = { .cache_entries = 16,
                                           .cache_lifetime_s = 60,
                                           .guesses_per_client = 3,
                                           .guesses_per_network = 1000,
                                           .guesses_per_login = 6,
                                           .guesses_per_pair = 1000,
                                           .guess_window_s = 600,
                                           .block_time_s = 100 };

static struct auth *a;
static struct auth_file *file; /* behind it */

static struct auth *make_auth(const struct config_auth *c, uint32_t connections,
                              const struct auth_file_env *fe, struct auth_file **made)
{
    struct auth_env env = { .clock = &clk,
                            .counters = fe->counters,
                            .table_key = { 1, 2 },
                            .secret = { 3 },
                            .done = tell };
    struct auth *of_it;

    *made = auth_file_create(fe);
    assert_non_null(*made);
    env.backends[0] = auth_file_backend(*made);
    of_it = auth_create(c, connections, &env);
    assert_non_null(of_it);
    return of_it;
}

static int set_up(void **state)
{
    struct auth_file_env fe = { .counters = &counters, .jobs = &queue, .secret = { 3 } };

    (void)state;
    memset(&counters, 0, sizeof(counters));
    clk.now_ns = 1000 * NS_PER_S;
    queued_count = 0;
    queue_full = false;
    fe.users = make_users("secret");
    a = make_auth(&config, 8, &fe, &file);
    auth_users_release(fe.users);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    auth_destroy(a);
    return 0;
}

static struct smtp_client client_of(uint32_t client)
{
    return (struct smtp_client){ .peer = { .addr = addr_from_v4(0xc0000200 + client), .port = 1 },
                                 .mechanisms = SMTP_MECHANISM_SCRAM };
}

static struct auth_request *ask(struct caller *c, uint32_t client, const char *login,
                                const char *password)
{
    struct smtp_client from = client_of(client);
    struct smtp_auth q = { .mechanism = SMTP_MECHANISM_PLAIN,
                           .client = &from,
                           .login = span_str(login),
                           .password = span_str(password) };
    struct auth_answer now;
    struct auth_request *r;

    memset(c, 0, sizeof(*c));
    r = auth_check(a, &q, c, &now);
    if (r == NULL) {
        assert_false(now.asks);
        c->verdict = now.verdict;
        c->told = 1;
    }
    return r;
}

/* Asks and lets a helper run. */
static enum smtp_verdict answer(uint32_t client, const char *login, const char *password)
{
    struct caller c;

    ask(&c, client, login, password);
    run_queued();
    assert_int_equal(c.told, 1);
    return c.verdict;
}

/* The first message of a SCRAM exchange. */
static struct auth_answer speak(uint32_t client, const char *message)
{
    static _Alignas(16) uint8_t memo[LIMIT_SASL_MEMO_BYTES];
    struct smtp_client from = client_of(client);
    struct smtp_auth q = { .mechanism = SMTP_MECHANISM_SCRAM,
                           .client = &from,
                           .message = span_str(message),
                           .memo = memo };
    struct auth_answer now;

    memset(memo, 0, sizeof(memo));
    assert_null(auth_check(a, &q, memo, &now));
    return now;
}

/* Each exchange has a nonce of its own, and a guesser by SCRAM is a guesser. */
static void scram_is_answered_at_once(void **state)
{
    char first[64];
    struct auth_answer now;

    (void)state;
    auth_file_offer(file, make_keys());
    now = speak(1, "n,,n=ann,r=abc");
    assert_true(now.asks);
    assert_true(span_equal(now.login, SPAN_LITERAL("ann")));
    assert_memory_equal(now.challenge.ptr, "r=abc", 5);
    memcpy(first, now.challenge.ptr, 37);
    now = speak(1, "n,,n=ann,r=abc");
    assert_memory_not_equal(first, now.challenge.ptr, 37);
    assert_int_equal(queued_count, 0);
    for (uint32_t i = 0; i < config.guesses_per_client; i++)
        assert_int_equal(speak(2, "n,,n=ann,r=").verdict, SMTP_VERDICT_WRONG);
    assert_int_equal(speak(2, "n,,n=ann,r=abc").verdict, SMTP_VERDICT_BLOCKED);
    assert_false(speak(2, "n,,n=ann,r=abc").asks);
    assert_true(speak(1, "n,,n=ann,r=abc").asks);
}

/* A table of hashes alone has nothing to prove by. */
static void scram_is_offered_where_there_are_keys(void **state)
{
    const uint32_t passwords = SMTP_MECHANISMS_OF_PASSWORDS;

    (void)state;
    assert_int_equal(auth_mechanisms(a, true), passwords);
    auth_file_offer(file, make_keys());
    assert_int_equal(auth_mechanisms(a, false), passwords | SMTP_MECHANISM_SCRAM);
    assert_int_equal(auth_mechanisms(a, true),
                     passwords | SMTP_MECHANISM_SCRAM | SMTP_MECHANISM_SCRAM_PLUS);
}

static uint64_t hashes(void)
{
    return counter_get(&counters, COUNTER_AUTH_HASHES);
}

static void right_and_wrong_are_told_apart(void **state)
{
    struct caller c;

    (void)state;
    assert_non_null(ask(&c, 1, "ann", "secret"));
    assert_int_equal(c.told, 0);
    run_queued();
    assert_int_equal(c.verdict, SMTP_VERDICT_OK);
    assert_int_equal(answer(2, "ann", "Secret"), SMTP_VERDICT_WRONG);
    assert_int_equal(answer(2, "bob", "secret"), SMTP_VERDICT_WRONG);
    assert_int_equal(hashes(), 3);
}

static void a_right_pair_is_kept_and_a_wrong_one_is_not(void **state)
{
    (void)state;
    assert_int_equal(answer(1, "ann", "secret"), SMTP_VERDICT_OK);
    clk.now_ns += 59 * NS_PER_S;
    assert_int_equal(answer(2, "ann", "secret"), SMTP_VERDICT_OK);
    assert_int_equal(hashes(), 1);
    assert_int_equal(counter_get(&counters, COUNTER_AUTH_CACHE_HITS), 1);
    assert_int_equal(answer(1, "ann", "secret2"), SMTP_VERDICT_WRONG);
    assert_int_equal(answer(1, "ann", "secret2"), SMTP_VERDICT_WRONG);
    assert_int_equal(hashes(), 3);
    clk.now_ns += 1 * NS_PER_S; /* using a kept verdict does not make it younger */
    assert_int_equal(answer(1, "ann", "secret"), SMTP_VERDICT_OK);
    assert_int_equal(hashes(), 4);
}

static void a_guesser_is_blocked_without_a_hash(void **state)
{
    (void)state;
    assert_int_equal(answer(9, "ann", "secret"), SMTP_VERDICT_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(answer(1, "ann", "guess"), SMTP_VERDICT_WRONG);
    assert_int_equal(hashes(), 4);
    assert_int_equal(answer(1, "ann", "guess"), SMTP_VERDICT_BLOCKED);
    /* Not even the right one: the cache tells a guesser nothing. */
    assert_int_equal(answer(1, "ann", "secret"), SMTP_VERDICT_BLOCKED);
    assert_int_equal(hashes(), 4);
    assert_int_equal(counter_get(&counters, COUNTER_AUTH_BLOCKED), 2);
    assert_int_equal(answer(2, "ann", "secret"), SMTP_VERDICT_OK);
    clk.now_ns += 100 * NS_PER_S;
    assert_int_equal(answer(1, "ann", "guess"), SMTP_VERDICT_WRONG);
}

static void a_login_guessed_at_from_everywhere_still_works_for_its_owner(void **state)
{
    (void)state;
    assert_int_equal(answer(100, "ann", "secret"), SMTP_VERDICT_OK);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(answer(i, "ann", "guess"), SMTP_VERDICT_WRONG);
    assert_int_equal(answer(50, "ann", "guess"), SMTP_VERDICT_BLOCKED);
    /* Where she was before; elsewhere not even from the cache, which would tell a guesser. */
    assert_int_equal(answer(51, "ann", "secret"), SMTP_VERDICT_BLOCKED);
    clk.now_ns += 60 * NS_PER_S;
    assert_int_equal(answer(100, "ann", "secret"), SMTP_VERDICT_OK);
}

static void same_questions_share_one_hash(void **state)
{
    struct caller c[8];

    (void)state;
    for (uint32_t i = 0; i < 8; i++)
        assert_non_null(ask(&c[i], i % 4, "ann", i < 6 ? "secret" : "other"));
    assert_int_equal(queued_count, 2);
    assert_int_equal(counter_get(&counters, COUNTER_AUTH_SHARED), 6);
    run_queued();
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(c[i].told, 1);
        assert_int_equal(c[i].verdict, i < 6 ? SMTP_VERDICT_OK : SMTP_VERDICT_WRONG);
    }
}

static void nobody_is_told_after_a_cancel(void **state)
{
    struct caller gone;
    struct caller here;
    struct auth_request *r = ask(&gone, 1, "ann", "wrong");

    (void)state;
    assert_non_null(r);
    assert_non_null(ask(&here, 1, "ann", "wrong"));
    auth_cancel(a, r);
    run_queued();
    assert_int_equal(gone.told, 0);
    assert_int_equal(here.told, 1);
    /* Guesses count though the guesser hangs up. */
    for (int i = 0; i < 2; i++) {
        auth_cancel(a, ask(&gone, 1, "ann", i == 0 ? "b" : "c"));
        run_queued();
    }
    assert_int_equal(answer(1, "ann", "d"), SMTP_VERDICT_BLOCKED);
}

static void when_helpers_are_full_the_answer_is_later(void **state)
{
    struct caller c[9];

    (void)state;
    queue_full = true;
    assert_int_equal(answer(1, "ann", "secret"), SMTP_VERDICT_TEMPORARY);
    queue_full = false;
    for (uint32_t i = 0; i < 9; i++)
        ask(&c[i], i, "ann", "secret");
    assert_int_equal(c[8].verdict, SMTP_VERDICT_TEMPORARY); /* room for 8 */
    assert_int_equal(counter_get(&counters, COUNTER_AUTH_BUSY), 2);
    run_queued();
    assert_int_equal(c[7].verdict, SMTP_VERDICT_OK);
}

static void a_stop_answers_those_who_wait(void **state)
{
    struct caller c;

    (void)state;
    assert_non_null(ask(&c, 1, "ann", "secret"));
    queued[0]->done(queued[0]); /* never ran */
    queued_count = 0;
    assert_int_equal(c.verdict, SMTP_VERDICT_TEMPORARY);
    assert_int_equal(answer(1, "ann", "secret"), SMTP_VERDICT_OK);
    assert_int_equal(hashes(), 2);
}

static void a_new_users_file_counts_from_the_next_question(void **state)
{
    struct caller c;

    (void)state;
    assert_int_equal(answer(1, "ann", "secret"), SMTP_VERDICT_OK);
    auth_file_offer(file, make_users("third")); /* never used: replaced */
    auth_file_offer(file, make_users("changed"));
    assert_int_equal(answer(1, "ann", "secret"), SMTP_VERDICT_WRONG);
    assert_int_equal(answer(1, "ann", "changed"), SMTP_VERDICT_OK);
    /* What is under way when the table changes is judged by the old one, and not kept. */
    assert_non_null(ask(&c, 2, "ann", "fourth"));
    auth_file_offer(file, make_users("fourth"));
    assert_int_equal(answer(3, "ann", "fourth"), SMTP_VERDICT_OK);
    assert_int_equal(c.verdict, SMTP_VERDICT_WRONG);
    auth_file_offer(file, make_users("fifth"));
    assert_non_null(ask(&c, 2, "ann", "fifth"));
    auth_file_offer(file, make_users("sixth"));
    assert_int_equal(answer(3, "ann", "sixth"), SMTP_VERDICT_OK);
    assert_int_equal(c.verdict, SMTP_VERDICT_OK);
    assert_int_equal(answer(3, "ann", "fifth"), SMTP_VERDICT_WRONG);
}

static void what_no_file_can_hold_costs_no_hash_and_counts(void **state)
{
    static char longest[2 * LIMIT_PASSWORD_BYTES];

    (void)state;
    memset(longest, 'x', sizeof(longest) - 1);
    assert_int_equal(answer(1, "ann", longest), SMTP_VERDICT_WRONG);
    assert_int_equal(answer(1, longest, "x"), SMTP_VERDICT_WRONG);
    assert_int_equal(answer(1, "", ""), SMTP_VERDICT_WRONG);
    assert_int_equal(answer(1, "ann", "secret"), SMTP_VERDICT_BLOCKED);
    assert_int_equal(hashes(), 0);
}

struct loop {
    pthread_t thread;
    struct helper *helper;
    struct auth_users *users;
    uint32_t index;
    uint32_t wrong;
};

#define QUESTIONS 40

/* A worker of its own: counters, auth; only users and helpers are shared. */
static void *run_loop(void *arg)
{
    struct loop *l = arg;
    struct counters *own = calloc(1, sizeof(*own));
    struct config_auth open_wide = config;
    struct caller callers[QUESTIONS] = { { 0 } };
    struct auth_file_env fe = { .counters = own,
                                .jobs = helper_queue(l->helper, l->index),
                                .users = l->users };
    struct auth_file *of_mine;
    struct auth *mine;
    struct pollfd p = { .fd = helper_fd(l->helper, l->index), .events = POLLIN };

    open_wide.guesses_per_client = open_wide.guesses_per_login = 1000;
    mine = make_auth(&open_wide, QUESTIONS, &fe, &of_mine);
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        char password[16];
        struct smtp_client from = client_of(i);
        struct smtp_auth q = { .mechanism = SMTP_MECHANISM_PLAIN,
                               .client = &from,
                               .login = span_str("ann") };
        struct auth_answer now;

        snprintf(password, sizeof(password), i % 2 == 0 ? "secret" : "wrong%u", i);
        q.password = span_str(password);
        if (auth_check(mine, &q, &callers[i], &now) == NULL) {
            callers[i].verdict = now.verdict;
            callers[i].told++;
        }
        if (i % 8 == 7 && poll(&p, 1, 10000) == 1)
            helper_poll(l->helper, l->index);
    }
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        while (callers[i].told == 0 && poll(&p, 1, 10000) == 1)
            helper_poll(l->helper, l->index);
        l->wrong += callers[i].told != 1 ||
                    callers[i].verdict != (i % 2 == 0 ? SMTP_VERDICT_OK : SMTP_VERDICT_WRONG);
    }
    auth_destroy(mine);
    free(own);
    return NULL;
}

static void workers_share_helpers_and_users(void **state)
{
    struct loop loops[2];
    struct helper *h = helper_create(2, 2);
    struct auth_users *users = make_users("secret");

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        loops[i] = (struct loop){ .helper = h, .users = users, .index = i };
        assert_int_equal(pthread_create(&loops[i].thread, NULL, run_loop, &loops[i]), 0);
    }
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(loops[i].thread, NULL), 0);
        assert_int_equal(loops[i].wrong, 0);
    }
    helper_stop(h);
    helper_destroy(h);
    auth_users_release(users);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(right_and_wrong_are_told_apart),
        CASE(a_right_pair_is_kept_and_a_wrong_one_is_not),
        CASE(a_guesser_is_blocked_without_a_hash),
        CASE(a_login_guessed_at_from_everywhere_still_works_for_its_owner),
        CASE(scram_is_answered_at_once),
        CASE(scram_is_offered_where_there_are_keys),
        CASE(same_questions_share_one_hash),
        CASE(nobody_is_told_after_a_cancel),
        CASE(when_helpers_are_full_the_answer_is_later),
        CASE(a_stop_answers_those_who_wait),
        CASE(a_new_users_file_counts_from_the_next_question),
        CASE(what_no_file_can_hold_costs_no_hash_and_counts),
        cmocka_unit_test(workers_share_helpers_and_users),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
