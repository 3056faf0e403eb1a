/*
 * Networks, pairs, and what people see and lift of it; clients and logins stand in
 * test_auth_table.c. Virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "gateway/auth_throttle.h"

#define T0 1000

static const struct config_auth limits = { .guesses_per_client = 4,
                                           .guesses_per_network = 9,
                                           .guesses_per_login = 30,
                                           .guesses_per_pair = 3,
                                           .guess_delay_s = 10,
                                           .guess_window_s = 600,
                                           .block_time_s = 60 };
static struct auth_throttle *t;

static int set_up(void **state)
{
    static const struct hash_key key = { 7, 8 };

    (void)state;
    t = auth_throttle_create(&limits, &key);
    return t != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    auth_throttle_destroy(t);
    return 0;
}

static struct addr addr(const char *text)
{
    struct addr a;

    assert_true(addr_parse(text, &a));
    return a;
}

static void wrong(const char *client, const char *login, uint64_t at_s)
{
    struct addr a = addr(client);

    auth_throttle_wrong(t, &a, span_str(login), at_s * NS_PER_S);
}

static void right(const char *client, const char *login, uint64_t at_s)
{
    struct addr a = addr(client);

    auth_throttle_right(t, &a, span_str(login), at_s * NS_PER_S);
}

static bool blocked(const char *client, const char *login, uint64_t at_s)
{
    struct addr a = addr(client);

    return auth_throttle_blocks_client(t, &a, at_s * NS_PER_S) ||
           auth_throttle_blocks_login(t, &a, span_str(login), at_s * NS_PER_S);
}

static bool lift(const char *where, const char *login, uint64_t at_s)
{
    struct addr_net net;

    if (where == NULL)
        return auth_throttle_unblock(t, NULL, span_str(login), at_s * NS_PER_S);
    assert_true(addr_net_parse(where, &net));
    return auth_throttle_unblock(t, &net, span_str(login), at_s * NS_PER_S);
}

static uint32_t count_blocks(uint64_t at_s, struct auth_block *last)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < LIMIT_THROTTLE_BLOCKS; i++) {
        struct auth_block b;

        if (!auth_throttle_block_at(t, i, at_s * NS_PER_S, &b))
            continue;
        *last = b;
        count++;
    }
    return count;
}

/* Nine guesses by as many neighbours: nobody new of the network comes in, who was in before does.
 */
static void check_network(const char *const *bots, const char *home, const char *near,
                          const char *far)
{
    right(home, "owner", T0 - 500);
    for (unsigned i = 0; i < 9; i++) {
        assert_false(blocked(near, "somebody", T0));
        wrong(bots[i % 3], i % 2 == 0 ? "ann" : "bob", T0 + i / 3 * 601);
    }
    for (unsigned i = 0; i < 9; i++) {
        char login[2] = { (char)('a' + i), 0 };

        wrong(bots[i % 3], login, T0 + 3000);
    }
    assert_true(blocked(near, "somebody", T0 + 3001));
    assert_true(blocked(near, "owner", T0 + 3001));
    assert_false(blocked(home, "owner", T0 + 3001));
    assert_true(blocked(home, "other", T0 + 3001));
    assert_false(blocked(far, "somebody", T0 + 3001));
    assert_false(blocked(near, "somebody", T0 + 3060));
}

static void a_network_of_guessers_is_blocked(void **state)
{
    static const char *const bots[] = { "192.0.2.1", "192.0.2.2", "192.0.2.3" };

    (void)state;
    check_network(bots, "192.0.2.200", "192.0.2.77", "192.0.3.77");
}

static void of_ipv6_it_is_the_48(void **state)
{
    static const char *const bots[] = { "2001:db8:1:1::1", "2001:db8:1:2::1", "2001:db8:1:3::1" };

    (void)state;
    check_network(bots, "2001:db8:1:aaaa::1", "2001:db8:1:7::1", "2001:db8:2:7::1");
}

/* 10 s, 20 s, 40 s, then always 60 s, as long as the guesses go on. */
static void a_pair_waits_longer_each_time(void **state)
{
    static const uint64_t waits[] = { 10, 20, 40, 60, 60 };
    uint64_t at = T0;

    (void)state;
    wrong("192.0.2.1", "ann", at);
    wrong("192.0.2.1", "ann", at);
    assert_false(blocked("192.0.2.1", "ann", at));
    for (unsigned i = 0; i < 5; i++) {
        assert_false(blocked("192.0.2.1", "ann", at));
        /* Alone: the client and its network have blocks of their own. */
        wrong("192.0.2.1", "ann", at);
        assert_false(lift("192.0.2.1", "", at));
        assert_true(blocked("192.0.2.1", "ann", at + waits[i] - 1));
        assert_false(blocked("192.0.2.1", "bob", at + waits[i] - 1));
        assert_false(blocked("192.0.2.2", "ann", at + waits[i] - 1));
        at += waits[i];
    }
}

static void the_right_password_takes_a_pair_s_guesses_back(void **state)
{
    (void)state;
    wrong("192.0.2.1", "ann", T0);
    wrong("192.0.2.1", "ann", T0);
    right("192.0.2.1", "ann", T0 + 1);
    wrong("192.0.2.1", "ann", T0 + 2);
    assert_false(blocked("192.0.2.1", "ann", T0 + 3));
    /* But not the client's: four are four. */
    wrong("192.0.2.1", "bob", T0 + 4);
    assert_true(blocked("192.0.2.1", "ann", T0 + 5));
}

static void blocks_are_shown_until_they_end(void **state)
{
    struct auth_block b = { 0 };

    (void)state;
    assert_int_equal(count_blocks(T0, &b), 0);
    for (unsigned i = 0; i < 3; i++)
        wrong("192.0.2.1", "ann", T0);
    assert_int_equal(count_blocks(T0 + 9, &b), 1);
    assert_int_equal(b.kind, AUTH_BLOCK_PAIR);
    assert_int_equal(b.until_ns, (T0 + 10) * NS_PER_S);
    assert_true(span_equal(span_of(b.login, b.login_len), SPAN_LITERAL("ann")));
    assert_int_equal(b.where.bits, 128);
    wrong("192.0.2.1", "bob", T0 + 9);
    assert_int_equal(count_blocks(T0 + 9, &b), 2);
    assert_int_equal(count_blocks(T0 + 10, &b), 1);
    assert_int_equal(b.kind, AUTH_BLOCK_CLIENT);
    assert_int_equal(b.login_len, 0);
    assert_int_equal(count_blocks(T0 + 69, &b), 0);
}

static void a_lifted_block_is_gone(void **state)
{
    struct auth_block b;

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        wrong("2001:db8::1", "ann", T0);
    assert_int_equal(count_blocks(T0, &b), 2);
    assert_false(lift("2001:db8::/48", "", T0));
    assert_false(lift(NULL, "ann", T0));
    assert_false(lift("2001:db8::1", "bob", T0));
    assert_true(lift("2001:db8::1", "ann", T0));
    assert_true(lift("2001:db8::/64", "", T0));
    assert_false(blocked("2001:db8::1", "ann", T0));
    assert_int_equal(count_blocks(T0, &b), 0);
    /* Its guesses are forgotten too. */
    wrong("2001:db8::1", "ann", T0);
    assert_false(blocked("2001:db8::1", "ann", T0));
}

static void more_blocks_than_places_hold_all_the_same(void **state)
{
    char client[32];
    struct auth_block b;

    (void)state;
    for (uint32_t i = 0; i < LIMIT_THROTTLE_BLOCKS + 10; i++) {
        snprintf(client, sizeof(client), "10.%u.%u.1", i / 256, i % 256);
        for (unsigned k = 0; k < 4; k++)
            wrong(client, k % 2 == 0 ? "ann" : "bob", T0);
    }
    assert_int_equal(count_blocks(T0, &b), LIMIT_THROTTLE_BLOCKS);
    assert_true(blocked("10.0.0.1", "zoe", T0));
}

static void workers_share_the_limits(void **state)
{
    struct config_auth c = { .guesses_per_client = 20,
                             .guesses_per_network = 100,
                             .guesses_per_login = 50,
                             .guesses_per_pair = 2 };

    (void)state;
    auth_throttle_share(&c, 1);
    assert_int_equal(c.guesses_per_client, 20);
    auth_throttle_share(&c, 8);
    assert_int_equal(c.guesses_per_client, 3);
    assert_int_equal(c.guesses_per_network, 13);
    assert_int_equal(c.guesses_per_login, 7);
    assert_int_equal(c.guesses_per_pair, 2);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_network_of_guessers_is_blocked),
        CASE(of_ipv6_it_is_the_48),
        CASE(a_pair_waits_longer_each_time),
        CASE(the_right_password_takes_a_pair_s_guesses_back),
        CASE(blocks_are_shown_until_they_end),
        CASE(a_lifted_block_is_gone),
        CASE(more_blocks_than_places_hold_all_the_same),
        CASE(workers_share_the_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
