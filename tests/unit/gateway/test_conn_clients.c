/* Counts of connections by client, against a plain array. */
#include "lib/unit.h"

#include <stdlib.h>

#include "base/rng.h"
#include "gateway/conn_clients.h"

#define CLIENTS 300
#define MOST    400

static struct conn_clients *make(void)
{
    struct hash_key key = { 1, 2 };
    struct conn_clients *t = conn_clients_create(MOST, &key);

    assert_non_null(t);
    return t;
}

static void counts_as_an_array_does(void **state)
{
    struct conn_clients *t = make();
    uint32_t model[CLIENTS] = { 0 };
    uint32_t total = 0;
    struct rng rng;

    (void)state;
    rng_seed(&rng, 7);
    for (unsigned i = 0; i < 200000; i++) {
        uint32_t who = (uint32_t)rng_below(&rng, CLIENTS);
        struct addr a = addr_from_v4(0x0a000000 + who);

        if (rng_below(&rng, 2) == 0 && total < MOST) {
            bool expected = model[who] < 3;

            assert_int_equal(conn_clients_enter(t, &a, 3), expected);
            model[who] += expected;
            total += expected;
        } else if (model[who] > 0) {
            conn_clients_leave(t, &a);
            model[who]--;
            total--;
        }
    }
    for (uint32_t who = 0; who < CLIENTS; who++) {
        struct addr a = addr_from_v4(0x0a000000 + who);

        for (; model[who] > 0; model[who]--)
            conn_clients_leave(t, &a);
        assert_true(conn_clients_enter(t, &a, 1));
        assert_false(conn_clients_enter(t, &a, 1));
        conn_clients_leave(t, &a);
    }
    conn_clients_destroy(t);
}

static void a_prefix_of_64_bits_is_one_client(void **state)
{
    struct conn_clients *t = make();
    struct addr a;
    struct addr b;
    struct addr c;

    (void)state;
    assert_true(addr_parse("2001:db8:1:2::1", &a));
    assert_true(addr_parse("2001:db8:1:2:ffff::2", &b));
    assert_true(addr_parse("2001:db8:1:3::1", &c));
    assert_true(conn_clients_enter(t, &a, 1));
    assert_false(conn_clients_enter(t, &b, 1));
    assert_true(conn_clients_enter(t, &c, 1));
    conn_clients_leave(t, &b);
    assert_true(conn_clients_enter(t, &b, 1));
    conn_clients_destroy(t);
}

static void zero_is_no_limit(void **state)
{
    struct conn_clients *t = make();
    struct addr a = addr_from_v4(0x7f000001);

    (void)state;
    for (unsigned i = 0; i < MOST; i++)
        assert_true(conn_clients_enter(t, &a, 0));
    conn_clients_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_as_an_array_does),
        cmocka_unit_test(a_prefix_of_64_bits_is_one_client),
        cmocka_unit_test(zero_is_no_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
