/* Devices' hash: the vectors of Microsoft's "Verifying the RSS Hash Calculation", and the table. */
#include "lib/unit.h"

#include "base/byteorder.h"
#include "base/rng.h"
#include "base/spread.h"

static const uint8_t known_key[SPREAD_KEY_BYTES] = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

static struct endpoint at(const char *text, uint16_t port)
{
    struct endpoint e = { .port = port };

    assert_true(addr_parse(text, &e.addr));
    return e;
}

static void known_answers(void **state)
{
    static const struct {
        const char *peer;
        uint16_t peer_port;
        const char *local;
        uint16_t local_port;
        uint32_t hash;
    } cases[] = {
        { "66.9.149.187", 2794, "161.142.100.80", 1766, 0x51ccc178 },
        { "199.92.111.2", 14230, "65.69.140.83", 4739, 0xc626b0ea },
        { "24.19.198.95", 12898, "12.22.207.184", 38024, 0x5c2b394a },
        { "38.27.205.30", 48228, "209.142.163.6", 2217, 0xafc7327f },
        { "153.39.163.191", 44251, "202.188.127.2", 1303, 0x10e828a2 },
        { "3ffe:2501:200:1fff::7", 2794, "3ffe:2501:200:3::1", 1766, 0x40207d3d },
        { "3ffe:501:8::260:97ff:fe40:efab", 14230, "ff02::1", 4739, 0xdde51bbf },
        { "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, "fe80::200:f8ff:fe21:67cf", 38024,
          0x02d1feef },
    };
    struct spread s;

    (void)state;
    spread_init(&s, known_key, 1);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct endpoint peer = at(cases[i].peer, cases[i].peer_port);
        struct endpoint local = at(cases[i].local, cases[i].local_port);

        assert_int_equal(spread_hash(&s, &peer, &local), cases[i].hash);
    }
}

/* One client's ports come to all queues, to each about as often. */
static void ports_spread_over_queues(void **state)
{
    struct endpoint local = at("192.0.2.25", 465), peer = at("198.51.100.7", 0);
    unsigned count[3] = { 0 };
    struct spread s;

    (void)state;
    spread_init(&s, known_key, 3);
    assert_int_equal(s.queues, 3);
    for (peer.port = 1024; peer.port < 1024 + 3000; peer.port++) {
        uint16_t queue = spread_queue(&s, &peer, &local);

        assert_int_equal(queue, (spread_hash(&s, &peer, &local) & 127) % 3);
        count[queue]++;
    }
    for (unsigned i = 0; i < 3; i++)
        assert_in_range(count[i], 800, 1200);
}

static bool all_on_one(const uint8_t *key, const char *host, uint32_t port, uint32_t step)
{
    struct endpoint local = at(host, 465), peer = at(host, 0);
    struct spread s;
    bool same = true;
    uint16_t first;

    spread_init(&s, key, 2);
    peer.port = (uint16_t)port;
    first = spread_queue(&s, &peer, &local);
    for (uint32_t i = 1; i < 16; i++) {
        peer.port = (uint16_t)(port + i * step);
        same = same && spread_queue(&s, &peer, &local) == first;
    }
    return same;
}

/* The rule keeps its promise, and is worth it: among keys that are not good some break it. */
static void good_keys(void **state)
{
    uint8_t key[SPREAD_KEY_BYTES];
    uint32_t good = 0, bad = 0;
    struct rng rng;

    (void)state;
    rng_seed(&rng, 11);
    for (uint32_t n = 0; n < 4000; n++) {
        uint32_t port = (uint32_t)rng_next(&rng) & 0xffff, step = 1 + n % 2;
        const char *host = n % 4 < 2 ? "192.0.2.7" : "2001:db8::7";

        for (uint32_t i = 0; i < sizeof(key); i++)
            key[i] = (uint8_t)rng_next(&rng);
        if (!spread_key_is_good(key)) {
            bad += all_on_one(key, host, port, step);
            continue;
        }
        good++;
        assert_false(all_on_one(key, host, port, step));
    }
    assert_in_range(good, 100, 400);
    assert_in_range(bad, 20, 1000);
    memset(key, 0, sizeof(key));
    assert_false(spread_key_is_good(key));
    memset(key, 0xff, sizeof(key));
    assert_true(spread_key_is_good(key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(ports_spread_over_queues),
        cmocka_unit_test(good_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
