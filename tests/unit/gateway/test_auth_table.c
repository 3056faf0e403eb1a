/*
 * Does the bounded table remember the newest, and only them? Compared with a slow model; and what
 * cache and throttle make of it, over time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/rng.h"
#include "gateway/auth_cache.h"
#include "gateway/auth_table.h"
#include "gateway/auth_throttle.h"

#define SIZE 7

/* Keys from the newest to the oldest. */
struct model {
    uint32_t keys[SIZE];
    uint32_t count;
};

static bool model_touch(struct model *m, uint32_t key, bool put)
{
    uint32_t i = 0;

    while (i < m->count && m->keys[i] != key)
        i++;
    if (i == m->count && !put)
        return false;
    if (i == m->count && m->count < SIZE)
        m->count++;
    if (i == SIZE)
        i--;
    memmove(m->keys + 1, m->keys, i * sizeof(m->keys[0]));
    m->keys[0] = key;
    return true;
}

/* Few buckets' worth of first bytes, so that chains are long. */
static void make_key(uint32_t n, uint8_t key[AUTH_KEY_BYTES])
{
    memset(key, 0, AUTH_KEY_BYTES);
    key[0] = (uint8_t)(n % 3);
    key[AUTH_KEY_BYTES - 1] = (uint8_t)n;
}

static void the_table_does_as_the_model(void **state)
{
    struct auth_table *t = auth_table_create(SIZE);
    struct model m = { .count = 0 };
    uint8_t key[AUTH_KEY_BYTES];
    struct rng rng;

    (void)state;
    rng_seed(&rng, 1);
    assert_non_null(t);
    for (int i = 0; i < 100000; i++) {
        uint32_t n = (uint32_t)rng_below(&rng, 12);

        make_key(n, key);
        if (rng_below(&rng, 2) == 0) {
            struct auth_entry *e = auth_table_find(t, key);

            assert_int_equal(e != NULL, model_touch(&m, n, false));
            assert_true(e == NULL || e->count == n);
        } else {
            model_touch(&m, n, true);
            auth_table_put(t, key)->count = n;
        }
        assert_int_equal(auth_table_count(t), m.count);
        if (rng_below(&rng, 5000) == 0) {
            auth_table_clear(t);
            m.count = 0;
        }
    }
    auth_table_destroy(t);
}

static const uint8_t secret[AUTH_SECRET_BYTES] = { 1, 2, 3 };
static const struct auth_kept nothing;
static struct auth_kept kept;

static void the_cache_forgets_in_time(void **state)
{
    struct auth_cache *c = auth_cache_create(2, 100, secret);
    uint8_t a[AUTH_KEY_BYTES];
    uint8_t b[AUTH_KEY_BYTES];
    uint8_t d[AUTH_KEY_BYTES];

    (void)state;
    assert_non_null(c);
    auth_cache_key(c, span_str("a"), span_str("x"), a);
    auth_cache_key(c, span_str("b"), span_str("x"), b);
    auth_cache_key(c, span_str("d"), span_str("x"), d);
    assert_false(auth_cache_find(c, a, 0, &kept));
    auth_cache_put(c, a, 1000, &nothing);
    assert_true(auth_cache_find(c, a, 1099, &kept));
    assert_false(auth_cache_find(c, a, 1100, &kept));
    auth_cache_put(c, b, 1050, &nothing);
    assert_true(auth_cache_find(c, a, 1060, &kept));
    auth_cache_put(c, d, 1060, &nothing); /* b was not looked at for longest */
    assert_true(auth_cache_find(c, a, 1070, &kept));
    assert_false(auth_cache_find(c, b, 1070, &kept));
    auth_cache_clear(c);
    assert_false(auth_cache_find(c, d, 1070, &kept));
    auth_cache_destroy(c);
}

static void what_was_said_beside_yes_is_kept(void **state)
{
    const struct auth_kept more = { SPAN_LITERAL("ann@x.example"), SPAN_LITERAL("*@x.example") };
    struct auth_cache *c = auth_cache_create(1, 100, secret);
    uint8_t a[AUTH_KEY_BYTES];
    uint8_t b[AUTH_KEY_BYTES];

    (void)state;
    auth_cache_key(c, span_str("a"), span_str("x"), a);
    auth_cache_key(c, span_str("b"), span_str("x"), b);
    auth_cache_put(c, a, 1000, &more);
    assert_true(auth_cache_find(c, a, 1001, &kept));
    assert_true(span_equal(kept.login, more.login));
    assert_true(span_equal(kept.grant, more.grant));
    auth_cache_put(c, b, 1001, &nothing); /* in its place */
    assert_true(auth_cache_find(c, b, 1002, &kept));
    assert_int_equal(kept.login.len + kept.grant.len, 0);
    auth_cache_put(c, b, 1001, &more);
    auth_cache_put(c, b, 1001, &nothing); /* the back end has changed its mind */
    assert_true(auth_cache_find(c, b, 1002, &kept));
    assert_int_equal(kept.login.len + kept.grant.len, 0);
    auth_cache_destroy(c);
}

static void keys_differ_wherever_pairs_do(void **state)
{
    static const uint8_t other_secret[AUTH_SECRET_BYTES] = { 1, 2, 4 };
    struct auth_cache *c = auth_cache_create(0, 100, secret);
    struct auth_cache *other = auth_cache_create(0, 100, other_secret);
    uint8_t one[AUTH_KEY_BYTES];
    uint8_t two[AUTH_KEY_BYTES];

    (void)state;
    auth_cache_key(c, span_str("ab"), span_str("c"), one);
    auth_cache_key(c, span_str("a"), span_str("bc"), two);
    assert_memory_not_equal(one, two, AUTH_KEY_BYTES);
    auth_cache_key(other, span_str("ab"), span_str("c"), two);
    assert_memory_not_equal(one, two, AUTH_KEY_BYTES);
    auth_cache_key(c, span_str("ab"), span_str("c"), two);
    assert_memory_equal(one, two, AUTH_KEY_BYTES);
    /* No cache at all: nothing is kept. */
    auth_cache_put(c, one, 0, &nothing);
    assert_false(auth_cache_find(c, one, 1, &kept));
    auth_cache_destroy(c);
    auth_cache_destroy(other);
}

static const struct config_auth limits = {
    .guesses_per_client = 3,
    .guesses_per_network = 1000,
    .guesses_per_login = 5,
    .guesses_per_pair = 1000,
    .guess_delay_s = 10,
    .guess_window_s = 60,
    .block_time_s = 100,
};
static const struct hash_key hash_key = { 5, 6 };

static struct addr v4(uint32_t n)
{
    return addr_from_v4(0xc0000200 + n);
}

static void wrong(struct auth_throttle *t, const struct addr *client, const char *login,
                  uint64_t at_s)
{
    auth_throttle_wrong(t, client, span_str(login), at_s * NS_PER_S);
}

static bool client_blocked(struct auth_throttle *t, const struct addr *client, uint64_t at_s)
{
    return auth_throttle_blocks_client(t, client, at_s * NS_PER_S);
}

static bool login_blocked(struct auth_throttle *t, const struct addr *client, const char *login,
                          uint64_t at_s)
{
    return auth_throttle_blocks_login(t, client, span_str(login), at_s * NS_PER_S);
}

static void a_guessing_client_is_blocked_for_longer_each_time(void **state)
{
    struct auth_throttle *t = auth_throttle_create(&limits, &hash_key);
    struct addr c = v4(1);
    struct addr other = v4(2);

    (void)state;
    wrong(t, &c, "a", 1000);
    wrong(t, &c, "b", 1001);
    assert_false(client_blocked(t, &c, 1002));
    wrong(t, &c, "c", 1002);
    assert_true(client_blocked(t, &c, 1101));
    assert_false(client_blocked(t, &other, 1003));
    /* Guesses that come home during the block do not count for the next. */
    wrong(t, &c, "d", 1003);
    assert_false(client_blocked(t, &c, 1102));
    for (uint64_t i = 0; i < 3; i++)
        wrong(t, &c, "e", 1110 + i);
    assert_true(client_blocked(t, &c, 1112 + 199));
    assert_false(client_blocked(t, &c, 1112 + 200));
    auth_throttle_destroy(t);
}

static void a_slow_client_is_not_blocked(void **state)
{
    struct auth_throttle *t = auth_throttle_create(&limits, &hash_key);
    struct addr c = v4(1);

    (void)state;
    for (uint64_t i = 0; i < 20; i++) {
        wrong(t, &c, "a", 1000 + 31 * i);
        assert_false(client_blocked(t, &c, 1000 + 31 * i));
    }
    auth_throttle_destroy(t);
}

static void an_ipv6_client_is_its_64(void **state)
{
    struct auth_throttle *t = auth_throttle_create(&limits, &hash_key);
    struct addr c;
    struct addr neighbour;
    struct addr stranger;

    (void)state;
    assert_true(addr_parse("2001:db8:1:2::1", &c));
    assert_true(addr_parse("2001:db8:1:2:ffff::", &neighbour));
    assert_true(addr_parse("2001:db8:1:3::1", &stranger));
    for (uint64_t i = 0; i < 3; i++)
        wrong(t, &c, "a", 1000);
    assert_true(client_blocked(t, &neighbour, 1001));
    assert_false(client_blocked(t, &stranger, 1001));
    auth_throttle_destroy(t);
}

static void strangers_do_not_lock_the_owner_out(void **state)
{
    struct auth_throttle *t = auth_throttle_create(&limits, &hash_key);
    struct addr home = v4(100);

    (void)state;
    auth_throttle_right(t, &home, span_str("ann"), 900 * NS_PER_S);
    for (uint32_t i = 0; i < 5; i++) {
        struct addr bot = v4(i);

        wrong(t, &bot, "ann", 1000 + i);
    }
    for (uint32_t i = 0; i < 6; i++) {
        struct addr bot = v4(i);

        assert_true(login_blocked(t, &bot, "ann", 1010));
        assert_false(login_blocked(t, &bot, "bob", 1010));
    }
    assert_false(login_blocked(t, &home, "ann", 1010));
    auth_throttle_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_does_as_the_model),
        cmocka_unit_test(the_cache_forgets_in_time),
        cmocka_unit_test(what_was_said_beside_yes_is_kept),
        cmocka_unit_test(keys_differ_wherever_pairs_do),
        cmocka_unit_test(a_guessing_client_is_blocked_for_longer_each_time),
        cmocka_unit_test(a_slow_client_is_not_blocked),
        cmocka_unit_test(an_ipv6_client_is_its_64),
        cmocka_unit_test(strangers_do_not_lock_the_owner_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
