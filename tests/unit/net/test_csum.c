/* The Internet checksum: published vectors, and the slow model at every length and alignment. */
#include "lib/unit.h"

#include <string.h>

#include "base/byteorder.h"
#include "base/rng.h"
#include "dataplane/net/net_csum.h"
#include "rig.h"

static uint16_t complement_of(const uint8_t *p, uint32_t len)
{
    uint8_t field[2];

    net_csum_store(field, net_csum_add(0, p, len));
    return load_be16(field);
}

static void rfc1071_example(void **state)
{
    static const uint8_t bytes[8] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

    (void)state;
    assert_int_equal(complement_of(bytes, 8), 0xffff ^ 0xddf2);
}

static void a_real_header_is_good(void **state)
{
    static const uint8_t header[20] = {
        0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
        0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7
    };
    uint8_t changed[20];

    (void)state;
    assert_int_equal(net_csum_fold(net_csum_add(0, header, 20)), NET_CSUM_GOOD);
    for (unsigned bit = 0; bit < 160; bit++) {
        memcpy(changed, header, 20);
        changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(net_csum_fold(net_csum_add(0, changed, 20)), NET_CSUM_GOOD);
    }
}

static void every_length_is_as_the_slow_model(void **state)
{
    static uint8_t bytes[2048];
    struct rng rng;

    (void)state;
    rng_seed(&rng, 1);
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)rng_next(&rng);
    for (uint32_t len = 0; len <= 1600; len++)
        assert_int_equal(complement_of(bytes + len % 9, len),
                         rig_slow_csum(0, bytes + len % 9, len));
}

static void carries_are_never_lost(void **state)
{
    static uint8_t ones[1500];

    (void)state;
    memset(ones, 0xff, sizeof(ones));
    for (uint32_t len = 0; len <= sizeof(ones); len++)
        assert_int_equal(complement_of(ones, len), rig_slow_csum(0, ones, len));
    /* A sum that starts at its largest takes a carry in. */
    assert_int_equal(net_csum_fold(net_csum_add(UINT64_MAX, ones, 8)), 0xffff);
    assert_int_equal(net_csum_fold(net_csum_add(UINT64_MAX, "\1\0", 2)), 1);
}

static void pseudo_header_is_its_bytes(void **state)
{
    static const uint8_t bytes[12] = { 192, 0, 2, 1, 198, 51, 100, 1, 0, 6, 0x05, 0xdc };
    uint8_t field[2];

    (void)state;
    net_csum_store(field, net_csum_pseudo(0xc0000201, 0xc6336401, 6, 1500));
    assert_int_equal(load_be16(field), rig_slow_csum(0, bytes, 12));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc1071_example),
        cmocka_unit_test(a_real_header_is_good),
        cmocka_unit_test(every_length_is_as_the_slow_model),
        cmocka_unit_test(carries_are_never_lost),
        cmocka_unit_test(pseudo_header_is_its_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
