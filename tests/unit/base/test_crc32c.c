/* CRC-32C against RFC 3720, B.4, and against one bit at a time. */
#include "lib/unit.h"

#include <string.h>

#include "base/crc32c.h"
#include "base/rng.h"

static uint32_t slow_crc(uint32_t crc, const uint8_t *p, uint32_t len)
{
    crc = ~crc;
    for (uint32_t i = 0; i < len; i++) {
        crc ^= p[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

static void gives_the_values_of_the_rfc(void **state)
{
    uint8_t in[32];

    (void)state;
    memset(in, 0, sizeof(in));
    assert_int_equal(crc32c_update(0, in, 32), 0x8a9136aa);
    memset(in, 0xff, sizeof(in));
    assert_int_equal(crc32c_update(0, in, 32), 0x62a8ab43);
    for (unsigned i = 0; i < 32; i++)
        in[i] = (uint8_t)i;
    assert_int_equal(crc32c_update(0, in, 32), 0x46dd794e);
    assert_int_equal(crc32c_update(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c_update(0, in, 0), 0);
}

static void continues_at_any_cut(void **state)
{
    static uint8_t in[3000];
    struct rng r;

    (void)state;
    rng_seed(&r, 1);
    for (unsigned i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)rng_next(&r);
    for (unsigned round = 0; round < 200; round++) {
        uint32_t from = (uint32_t)rng_below(&r, 64);
        uint32_t len = (uint32_t)rng_below(&r, sizeof(in) - from + 1);
        uint32_t cut = (uint32_t)rng_below(&r, len + 1);
        uint32_t crc = crc32c_update(crc32c_update(0, in + from, cut), in + from + cut, len - cut);

        assert_int_equal(crc, slow_crc(0, in + from, len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_values_of_the_rfc),
        cmocka_unit_test(continues_at_any_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
