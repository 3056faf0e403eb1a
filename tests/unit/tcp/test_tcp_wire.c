/* TCP headers: what is written is read back, and what cannot be a header is refused. */
#include "lib/unit.h"

#include <string.h>

#include "base/byteorder.h"
#include "base/rng.h"
#include "dataplane/tcp/tcp_wire.h"

static struct tcp_header random_header(struct rng *r)
{
    struct tcp_header h = {
        .src_port = (uint16_t)rng_next(r),
        .dst_port = (uint16_t)rng_next(r),
        .seq = (uint32_t)rng_next(r),
        .ack = (uint32_t)rng_next(r),
        .wnd = (uint16_t)rng_next(r),
        .urgent = (uint16_t)rng_next(r),
        .flags = (uint8_t)rng_next(r),
        .options = (uint8_t)rng_below(r, 16),
        .wscale = (uint8_t)rng_below(r, TCP_WIRE_WSCALE_MAX + 1),
        .mss = (uint16_t)rng_next(r),
        .ts_val = (uint32_t)rng_next(r),
        .ts_ecr = (uint32_t)rng_next(r),
    };

    for (unsigned i = 0; i < TCP_WIRE_SACKS_MAX; i++)
        h.sacks[i] = (struct tcp_wire_sack){ (uint32_t)rng_next(r), (uint32_t)rng_next(r) };
    h.sack_count = (uint8_t)rng_below(r, TCP_WIRE_SACKS_MAX + 1);
    while (tcp_wire_header_len(&h) > TCP_WIRE_HEADER_MAX)
        h.sack_count--;
    return h;
}

static void assert_same(const struct tcp_header *a, const struct tcp_header *b)
{
    assert_int_equal(a->src_port, b->src_port);
    assert_int_equal(a->dst_port, b->dst_port);
    assert_int_equal(a->seq, b->seq);
    assert_int_equal(a->ack, b->ack);
    assert_int_equal(a->wnd, b->wnd);
    assert_int_equal(a->urgent, b->urgent);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->options, b->options);
    assert_int_equal(a->sack_count, b->sack_count);
    if (a->options & TCP_HAS_MSS)
        assert_int_equal(a->mss, b->mss);
    if (a->options & TCP_HAS_WSCALE)
        assert_int_equal(a->wscale, b->wscale);
    if (a->options & TCP_HAS_TS) {
        assert_int_equal(a->ts_val, b->ts_val);
        assert_int_equal(a->ts_ecr, b->ts_ecr);
    }
    for (unsigned i = 0; i < a->sack_count; i++) {
        assert_int_equal(a->sacks[i].start, b->sacks[i].start);
        assert_int_equal(a->sacks[i].end, b->sacks[i].end);
    }
}

static void what_is_written_is_read_back(void **state)
{
    struct rng r;

    (void)state;
    rng_seed(&r, 1);
    for (unsigned round = 0; round < 20000; round++) {
        struct tcp_header h = random_header(&r);
        struct tcp_header back;
        uint8_t bytes[TCP_WIRE_HEADER_MAX];
        uint32_t len = tcp_wire_emit(&h, bytes);

        assert_int_equal(len, tcp_wire_header_len(&h));
        assert_int_equal(load_be16(bytes + 16), 0);
        assert_true(tcp_wire_parse(bytes, len, &back));
        assert_int_equal(back.header_len, len);
        assert_same(&h, &back);
    }
}

/* A header with the given option bytes, padded with END. */
static bool parse_with(const uint8_t *options, uint32_t len, struct tcp_header *out)
{
    uint8_t bytes[TCP_WIRE_HEADER_MAX] = { 0 };
    uint32_t header_len = TCP_WIRE_HEADER_MIN + (len + 3) / 4 * 4;

    bytes[12] = (uint8_t)(header_len / 4 << 4);
    memcpy(bytes + TCP_WIRE_HEADER_MIN, options, len);
    return tcp_wire_parse(bytes, header_len, out);
}

static void too_short_or_too_long_is_refused(void **state)
{
    uint8_t bytes[64] = { 0 };
    struct tcp_header h;

    (void)state;
    for (uint32_t len = 0; len < TCP_WIRE_HEADER_MIN; len++)
        assert_false(tcp_wire_parse(bytes, len, &h));
    for (unsigned words = 0; words < 16; words++) {
        bytes[12] = (uint8_t)(words << 4);
        assert_int_equal(tcp_wire_parse(bytes, 40, &h), words >= 5 && words <= 10);
    }
}

/* RFC 9293, MUST-7: an illegal option length. */
static void options_with_impossible_lengths_are_refused(void **state)
{
    static const uint8_t zero[] = { 2, 0, 5, 5 };
    static const uint8_t one[] = { 99, 1 };
    static const uint8_t past_the_end[] = { 2, 8, 1, 1 };
    static const uint8_t cut[] = { 1, 1, 1, 2 };
    static const uint8_t mss_of_three[] = { 2, 3, 1, 0 };
    static const uint8_t ts_of_nine[] = { 8, 9, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0 };
    static const uint8_t sack_of_seven[] = { 5, 7, 1, 2, 3, 4, 5, 0 };
    struct tcp_header h;

    (void)state;
    assert_false(parse_with(zero, sizeof(zero), &h));
    assert_false(parse_with(one, sizeof(one), &h));
    assert_false(parse_with(past_the_end, sizeof(past_the_end), &h));
    assert_false(parse_with(cut, sizeof(cut), &h));
    assert_false(parse_with(mss_of_three, sizeof(mss_of_three), &h));
    assert_false(parse_with(ts_of_nine, sizeof(ts_of_nine), &h));
    assert_false(parse_with(sack_of_seven, sizeof(sack_of_seven), &h));
}

static void unknown_options_are_skipped(void **state)
{
    static const uint8_t options[] = { 254, 4, 0xf9, 0x89, 1, 2, 4, 5, 0xb4, 0, 99, 0 };
    struct tcp_header h;

    (void)state;
    assert_true(parse_with(options, sizeof(options), &h));
    assert_int_equal(h.options, TCP_HAS_MSS);
    assert_int_equal(h.mss, 1460);
}

/* RFC 7323, 2.3: a shift above 14 means 14. */
static void large_window_scale_is_cut(void **state)
{
    static const uint8_t options[] = { 3, 3, 255 };
    struct tcp_header h;

    (void)state;
    assert_true(parse_with(options, sizeof(options), &h));
    assert_int_equal(h.wscale, 14);
}

/* The order that Linux uses, bytes written down by hand. */
static void a_known_syn_is_read(void **state)
{
    static const uint8_t bytes[] = {
        0xc3, 0x50, 0x01, 0xd1, 0x11, 0x22, 0x33, 0x44, 0,    0,    0,    0,    0xa0, 0x02,
        0xfa, 0xf0, 0xab, 0xcd, 0,    0,    0x02, 0x04, 0x05, 0xb4, 0x04, 0x02, 0x08, 0x0a,
        0x01, 0x02, 0x03, 0x04, 0,    0,    0,    0,    0x01, 0x03, 0x03, 0x07,
    };
    struct tcp_header h;

    (void)state;
    assert_true(tcp_wire_parse(bytes, sizeof(bytes), &h));
    assert_int_equal(h.src_port, 50000);
    assert_int_equal(h.dst_port, 465);
    assert_int_equal(h.seq, 0x11223344);
    assert_int_equal(h.flags, TCP_SYN);
    assert_int_equal(h.wnd, 64240);
    assert_int_equal(h.options, TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_TS | TCP_HAS_SACK_OK);
    assert_int_equal(h.mss, 1460);
    assert_int_equal(h.wscale, 7);
    assert_int_equal(h.ts_val, 0x01020304);
    assert_int_equal(h.ts_ecr, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(too_short_or_too_long_is_refused),
        cmocka_unit_test(options_with_impossible_lengths_are_refused),
        cmocka_unit_test(unknown_options_are_skipped),
        cmocka_unit_test(large_window_scale_is_cut),
        cmocka_unit_test(a_known_syn_is_read),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
