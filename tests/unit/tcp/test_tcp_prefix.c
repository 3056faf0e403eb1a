/* Connections by host and by network: what counts as one, the limits, and a table that forgets. */
#include "lib/unit.h"

#include "base/rng.h"
#include "dataplane/tcp/tcp_prefix.h"

#define CONNECTIONS 64

static const struct hash_key secret = { 1, 2 };

static struct tcp_prefix_table *table(void)
{
    static struct tcp_prefix_slot slots[4 * CONNECTIONS];
    static struct tcp_prefix_table t;

    assert_int_equal(tcp_prefix_slots_for(CONNECTIONS), 4 * CONNECTIONS);
    tcp_prefix_init(&t, slots, 4 * CONNECTIONS, &secret);
    return &t;
}

static struct addr parse(const char *text)
{
    struct addr a;

    assert_true(addr_parse(text, &a));
    return a;
}

/* Whether `other` is refused because of one connection from `first`. */
static bool shares(const char *first, const char *other, uint32_t host_max, uint32_t network_max)
{
    struct tcp_prefix_table *t = table();
    struct addr a = parse(first);
    struct addr b = parse(other);

    tcp_prefix_enter(t, &a);
    return !tcp_prefix_has_room(t, &b, host_max, network_max);
}

static void a_host_is_an_address_or_a_64(void **state)
{
    (void)state;
    assert_true(shares("192.0.2.1", "192.0.2.1", 1, 0));
    assert_false(shares("192.0.2.1", "192.0.2.2", 1, 0));
    assert_true(shares("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", 1, 0));
    assert_false(shares("2001:db8:0:1::1", "2001:db8:0:2::1", 1, 0));
}

static void a_network_is_a_24_or_a_48(void **state)
{
    (void)state;
    assert_true(shares("192.0.2.1", "192.0.2.255", 0, 1));
    assert_false(shares("192.0.2.1", "192.0.3.1", 0, 1));
    assert_true(shares("2001:db8:0:1::1", "2001:db8:0:ffff::1", 0, 1));
    assert_false(shares("2001:db8:0:1::1", "2001:db8:1:1::1", 0, 1));
}

static void zero_is_no_limit(void **state)
{
    (void)state;
    assert_false(shares("192.0.2.1", "192.0.2.1", 0, 0));
    assert_false(shares("192.0.2.1", "192.0.2.1", 2, 2));
}

/* Connections come and go at random; the counts are those of a plain array. */
static void it_does_what_an_array_does(void **state)
{
    struct tcp_prefix_table *t = table();
    uint32_t hosts[CONNECTIONS] = { 0 };
    uint32_t total = 0;
    struct rng r;

    (void)state;
    rng_seed(&r, 9);
    for (unsigned i = 0; i < 50000; i++) {
        uint32_t h = (uint32_t)rng_below(&r, CONNECTIONS);
        struct addr a = addr_from_v4(0x0a000000 + h * 0x11); /* several to a /24 */

        if (total < CONNECTIONS && rng_below(&r, 2) == 0) {
            tcp_prefix_enter(t, &a);
            hosts[h]++;
            total++;
        } else if (hosts[h] > 0) {
            tcp_prefix_leave(t, &a);
            hosts[h]--;
            total--;
        }
        assert_true(tcp_prefix_has_room(t, &a, hosts[h] + 1, 0));
        assert_int_equal(tcp_prefix_has_room(t, &a, hosts[h], 0), hosts[h] == 0);
    }
    for (uint32_t h = 0; h < CONNECTIONS; h++) {
        struct addr a = addr_from_v4(0x0a000000 + h * 0x11);

        for (; hosts[h] > 0; hosts[h]--)
            tcp_prefix_leave(t, &a);
    }
    for (uint32_t i = 0; i <= t->mask; i++)
        assert_int_equal(t->slots[i].count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_is_an_address_or_a_64),
        cmocka_unit_test(a_network_is_a_24_or_a_48),
        cmocka_unit_test(zero_is_no_limit),
        cmocka_unit_test(it_does_what_an_array_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
