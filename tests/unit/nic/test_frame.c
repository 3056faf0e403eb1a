/* Headers as frames have them, each also cut short at every byte: what is read is what stands
 * there, and nothing is read past the end. */
#include "lib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/byteorder.h"
#include "dataplane/nic/nic_frame.h"

#define ETH   2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2
#define IP4   8, 0
#define IP6   0x86, 0xdd
#define A4    192, 0, 2, 1
#define B4    192, 0, 2, 2
#define A6    0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define B6    0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2
#define PORTS 1, 209, 0x90, 1 /* 465, 36865 */
/* A header of `proto` with fragment word `f`. */
#define HEAD4(proto, f, a, b) 0x45, 0, 0, 40, 0x12, 0x34, (f) >> 8, (f)&255, 64, proto, 0, 0, a, b
#define HEAD6(proto, a, b)    0x60, 0, 0, 0, 0, 20, proto, 64, a, b
#define ICMP(type)            type, 0, 0, 0, 0, 0, 0, 0

struct sample {
    const char *name;
    uint8_t bytes[160];
    uint32_t least;  /* bytes that it is IP with */
    uint32_t ported; /* bytes that its ports are there with; 0: it has none */
    uint16_t vlan;
    uint8_t proto;
    enum nic_frame_part part;
    uint32_t id;
};

static const struct sample samples[] = {
    { "IPv4",
      { ETH, IP4, HEAD4(6, 0x4000, A4, B4), PORTS },
      34,
      38,
      0,
      6,
      NIC_FRAME_WHOLE,
      0x1234 },
    { "UDP", { ETH, IP4, HEAD4(17, 0, A4, B4), PORTS }, 34, 38, 0, 17, NIC_FRAME_WHOLE, 0x1234 },
    { "ICMP", { ETH, IP4, HEAD4(1, 0, A4, B4), PORTS }, 34, 0, 0, 1, NIC_FRAME_WHOLE, 0x1234 },
    { "options",
      { ETH, IP4, 0x46, 0, 0, 44, 0x12, 0x34, 0, 0, 64, 6, 0, 0, A4, B4, 1, 1, 1, 1, PORTS },
      38,
      42,
      0,
      6,
      NIC_FRAME_WHOLE,
      0x1234 },
    { "a tag",
      { ETH, 0x81, 0, 0x60, 100, IP4, HEAD4(6, 0, A4, B4), PORTS },
      38,
      42,
      100,
      6,
      NIC_FRAME_WHOLE,
      0x1234 },
    { "first",
      { ETH, IP4, HEAD4(6, 0x2000, A4, B4), PORTS },
      34,
      38,
      0,
      6,
      NIC_FRAME_FIRST,
      0x1234 },
    { "later",
      { ETH, IP4, HEAD4(6, 0x2001, A4, B4), PORTS },
      34,
      0,
      0,
      6,
      NIC_FRAME_LATER,
      0x1234 },
    { "last", { ETH, IP4, HEAD4(6, 0x0001, A4, B4), PORTS }, 34, 0, 0, 6, NIC_FRAME_LATER, 0x1234 },
    { "IPv6", { ETH, IP6, HEAD6(6, A6, B6), PORTS }, 54, 58, 0, 6, NIC_FRAME_WHOLE, 0 },
    { "first of IPv6",
      { ETH, IP6, HEAD6(44, A6, B6), 6, 0, 0, 1, 0, 0, 0x56, 0x78, PORTS },
      62,
      66,
      0,
      6,
      NIC_FRAME_FIRST,
      0x5678 },
    { "later of IPv6",
      { ETH, IP6, HEAD6(44, A6, B6), 6, 0, 0, 9, 0, 0, 0x56, 0x78, PORTS },
      62,
      0,
      0,
      6,
      NIC_FRAME_LATER,
      0x5678 },
};

static bool read_cut(const uint8_t *bytes, uint32_t len, struct nic_frame *f)
{
    uint8_t *copy = malloc(len); /* so that a sanitizer sees its end */
    bool read;

    memcpy(copy, bytes, len);
    read = nic_frame_read(span_of(copy, len), f);
    free(copy);
    return read;
}

static void check(const struct sample *s, uint32_t len, const struct nic_frame *f)
{
    struct addr a, b;

    addr_parse(s->bytes[s->vlan != 0 ? 17 : 13] == 0xdd ? "2001:db8::1" : "192.0.2.1", &a);
    addr_parse(s->bytes[s->vlan != 0 ? 17 : 13] == 0xdd ? "2001:db8::2" : "192.0.2.2", &b);
    assert_true(addr_equal(&f->src, &a) && addr_equal(&f->dst, &b));
    assert_int_equal(f->vlan, s->vlan);
    assert_int_equal(f->proto, s->proto);
    assert_int_equal(f->part, s->part);
    assert_int_equal(f->id, s->id);
    assert_int_equal(f->ported, s->ported != 0 && len >= s->ported);
    if (f->ported)
        assert_true(f->ports[0] == 465 && f->ports[1] == 36865);
}

static void frames(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        const struct sample *s = &samples[i];

        print_message("%s\n", s->name);
        for (uint32_t len = 0; len < sizeof(s->bytes); len++) {
            struct nic_frame f;
            bool read = read_cut(s->bytes, len, &f);

            /* A fragment's header that is cut off leaves a packet of protocol 44. */
            if (s->bytes[20] == 44 && len < s->least && len >= 54)
                assert_true(read && f.proto == 44 && !f.ported);
            else
                assert_int_equal(read, len >= s->least);
            if (len >= s->least)
                check(s, len, &f);
        }
    }
}

static void no_ip(void **state)
{
    static const uint8_t none[][64] = {
        { ETH, 8, 6, HEAD4(6, 0, A4, B4), PORTS }, /* ARP */
        { ETH, IP4, HEAD6(6, A6, B6), PORTS },     /* says 4, is 6 */
        { ETH, IP6, HEAD4(6, 0, A4, B4), PORTS },  /* and the other way */
        { ETH, IP4, 0x44, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, A4, B4, PORTS }, /* short header */
    };
    struct nic_frame f;

    (void)state;
    for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_false(nic_frame_read(span_of(none[i], sizeof(none[i])), &f));
}

static void quotes(void **state)
{
    static const struct {
        uint8_t bytes[128];
        uint32_t least; /* bytes that the quote is one with; 0: it is none */
    } cases[] = {
        { { ETH, IP4, HEAD4(1, 0, B4, A4), ICMP(3), HEAD4(6, 0, A4, B4), PORTS }, 66 },
        { { ETH, IP4, HEAD4(1, 0, B4, A4), ICMP(11), HEAD4(6, 0, A4, B4), PORTS }, 66 },
        { { ETH, IP4, HEAD4(1, 0, B4, A4), ICMP(8), HEAD4(6, 0, A4, B4), PORTS }, 0 },
        { { ETH, IP4, HEAD4(1, 0, B4, A4), ICMP(3), HEAD4(17, 0, A4, B4), PORTS }, 0 },
        { { ETH, IP4, HEAD4(1, 0, B4, A4), ICMP(3), HEAD4(6, 1, A4, B4), PORTS }, 0 },
        { { ETH, IP4, HEAD4(1, 0x2000, B4, A4), ICMP(3), HEAD4(6, 0, A4, B4), PORTS }, 0 },
        { { ETH, IP4, HEAD4(6, 0, B4, A4), ICMP(3), HEAD4(6, 0, A4, B4), PORTS }, 0 },
        { { ETH, IP6, HEAD6(58, B6, A6), ICMP(2), HEAD6(6, A6, B6), PORTS }, 106 },
        { { ETH, IP6, HEAD6(58, B6, A6), ICMP(128), HEAD6(6, A6, B6), PORTS }, 0 },
        { { ETH, IP6, HEAD6(58, B6, A6), ICMP(0), HEAD6(6, A6, B6), PORTS }, 0 },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (uint32_t len = 54; len <= sizeof(cases[i].bytes); len++) {
            struct nic_frame f, quote;
            bool read;

            assert_true(nic_frame_read(span_of(cases[i].bytes, len), &f));
            read = nic_frame_read_quote(&f, &quote);
            assert_int_equal(read, cases[i].least != 0 && len >= cases[i].least);
            if (read)
                assert_true(quote.ports[0] == 465 && addr_equal(&quote.src, &f.dst));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames),
        cmocka_unit_test(no_ip),
        cmocka_unit_test(quotes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
