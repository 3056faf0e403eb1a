/* Each block's bytes as the draft has them (sections 4.1 to 4.6), and all or nothing of it. */
#include "lib/unit.h"

#include <string.h>

#include "gateway/pcapng.h"

static const uint8_t section[] = { 0x0a, 0x0d, 0x0d, 0x0a, 40, 0, 0,    0,    0x4d, 0x3c,
                                   0x2b, 0x1a, 1,    0,    0,  0, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 4,  0, 3,    0,    'p',  'r',
                                   'g',  0,    0,    0,    0,  0, 40,   0,    0,    0 };
static const uint8_t interface[] = { 1, 0, 0, 0, 40, 0, 0,   0,   1,  0, 0, 0, 0, 1,
                                     0, 0, 2, 0, 2,  0, 'w', '0', 0,  0, 9, 0, 1, 0,
                                     9, 0, 0, 0, 0,  0, 0,   0,   40, 0, 0, 0 };
static const uint8_t packet[] = { 6, 0, 0, 0, 48, 0, 0, 0, 7, 0, 0, 0, 4,   3,   2,   1,
                                  8, 7, 6, 5, 3,  0, 0, 0, 9, 0, 0, 0, 'a', 'b', 'c', 0,
                                  2, 0, 4, 0, 2,  0, 0, 0, 0, 0, 0, 0, 48,  0,   0,   0 };
static const uint8_t counts[] = { 5, 0, 0, 0, 76, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0,  2, 0, 0,
                                  0, 2, 0, 8, 0,  0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 8,  0, 0, 0,
                                  0, 0, 2, 0, 0,  0, 4, 0, 8, 0, 5, 0, 0, 0, 1, 0,  0, 0, 5,
                                  0, 8, 0, 3, 0,  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 76, 0, 0, 0 };

static bool put(struct buf *out, unsigned which)
{
    static const struct pcapng_packet p = { .interface = 7,
                                            .unix_ns = 0x0102030405060708,
                                            .wire_len = 9,
                                            .sent = true,
                                            .bytes = { (const uint8_t *)"abc", 3 } };
    static const struct pcapng_counts c = { 7, 1, 2, 0x100000005, 3 };

    switch (which) {
    case 0: return pcapng_section(out, "prg");
    case 1: return pcapng_interface(out, "w0", 256);
    case 2: return pcapng_packet(out, &p);
    default: return pcapng_counts(out, &c);
    }
}

static void blocks(void **state)
{
    const struct span want[] = { span_of(section, sizeof(section)),
                                 span_of(interface, sizeof(interface)),
                                 span_of(packet, sizeof(packet)), span_of(counts, sizeof(counts)) };
    uint8_t room[128];

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        for (uint32_t cap = 3; cap < sizeof(room); cap++) {
            struct buf out = { room, 3, cap }; /* behind something else */
            bool fits = cap >= 3 + want[i].len;

            memset(room, 0xee, sizeof(room));
            assert_int_equal(put(&out, i), fits);
            assert_int_equal(out.len, fits ? 3 + want[i].len : 3);
            if (fits)
                assert_memory_equal(room + 3, want[i].ptr, want[i].len);
            assert_int_equal(room[cap], 0xee);
        }
    }
}

static void packet_bytes_are_enough(void **state)
{
    uint8_t room[128];

    (void)state;
    for (uint32_t len = 0; len < 8; len++) {
        struct buf out = { room, 0, PCAPNG_PACKET_BYTES + len };

        assert_true(
            pcapng_packet(&out, &(struct pcapng_packet){ .bytes = span_of("12345678", len) }));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks),
        cmocka_unit_test(packet_bytes_are_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
