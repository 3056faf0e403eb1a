/* The scanner against its slow model: every split, every place in a block, every byte. */
#include "lib/unit.h"

#include <stdlib.h>

#include "base/rng.h"
#include "model_body.h"

/* Scans `all` in pieces that end at the given places. */
static uint32_t scan_cut(struct smtp_body *b, struct span all, const uint32_t *cuts, uint32_t count)
{
    uint32_t taken = 0;

    smtp_body_init(b, SMTP_BODY_STUFFED);
    for (uint32_t i = 0; i <= count && !smtp_body_over(b); i++) {
        uint32_t end = i < count ? cuts[i] : all.len;
        uint64_t stored = smtp_body_stored(b);

        taken += smtp_body_scan(b, span_of(all.ptr + taken, end - taken));
        assert_true(smtp_body_stored(b) >= stored);
        assert_true(smtp_body_over(b) || taken == end);
    }
    return taken;
}

static void same_as_model(struct span all, const uint32_t *cuts, uint32_t count)
{
    struct model_body m = model_body_of(all);
    struct smtp_body b;
    uint32_t taken = scan_cut(&b, all, cuts, count);

    assert_int_equal(taken, m.taken);
    assert_int_equal(b.total, m.taken);
    if (m.over == SMTP_BODY_TEXT) {
        assert_false(smtp_body_over(&b));
        return;
    }
    assert_int_equal(b.at, m.over);
    if (m.over == SMTP_BODY_DONE) {
        assert_int_equal(smtp_body_stored(&b), m.stored);
        assert_int_equal(smtp_body_size(&b), m.stored - m.dots);
        assert_int_equal(b.long_line, m.long_line);
    }
}

static void same_at_every_split(struct span all)
{
    same_as_model(all, NULL, 0);
    for (uint32_t i = 0; i <= all.len; i++)
        same_as_model(all, &i, 1);
}

static const char *const bodies[] = {
    ".\r\n",
    "\r\n.\r\n",
    "a\r\n.\r\n",
    "a\r\n.\r\nbehind",
    "..\r\n.\r\n",
    "...\r\n.x\r\nx.\r\n.\r\n",
    ".\r",
    ".",
    ".\n",
    ".\r.\r\n",
    ".\rx",
    "x\n.\r\n",
    "x\n.\n",
    "x\r\n.\n",
    "x\r.\r\n",
    "x\r\r\n",
    "\n",
    "\r",
    "\r\r",
    "x\r\n. \r\n.\r\n",
    "x\r\n\r\n\r\n.\r\n",
};

static void every_form_of_the_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        same_at_every_split(span_str(bodies[i]));
}

/* Each form behind a front of 0 to 200 bytes: it stands at every place of a block and across its
 * edge. */
static void every_place_in_a_block(void **state)
{
    uint8_t bytes[512];

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        for (uint32_t front = 2; front < 200; front++) {
            struct span body = span_str(bodies[i]);

            memset(bytes, 'x', sizeof(bytes));
            memcpy(bytes + front - 2, "\r\n", 2);
            memcpy(bytes + front, body.ptr, body.len);
            same_as_model(span_of(bytes, front + body.len), NULL, 0);
            same_as_model(span_of(bytes, front + body.len + 100), NULL, 0);
        }
    }
}

/* Each byte value at each place of some blocks of text. */
static void every_byte_in_a_block(void **state)
{
    uint8_t bytes[192];

    (void)state;
    for (uint32_t c = 0; c < 256; c++) {
        for (uint32_t at = 0; at < sizeof(bytes); at++) {
            memset(bytes, 'x', sizeof(bytes));
            memcpy(bytes + 60, "\r\n", 2);
            memcpy(bytes + 126, "\r\n", 2);
            bytes[at] = (uint8_t)c;
            same_as_model(span_of(bytes, sizeof(bytes)), NULL, 0);
        }
    }
}

/* Bodies of nothing but the bytes that matter, cut at random. */
static void random_bodies(void **state)
{
    static const char bytes_that_matter[] = "\r\n\r\n\r\n....xxx\0";
    static const char *const pieces[] = { "\r\n", "\r\n.", "\r\n..", "text", "\r\n.\r\n", "\r\nx" };
    struct rng r;
    uint8_t bytes[1024];

    (void)state;
    rng_seed(&r, 1);
    for (int round = 0; round < 20000; round++) {
        uint32_t len = 0;
        uint32_t cuts[2];

        while (len < 300 && rng_below(&r, 100) > 0) {
            if (rng_below(&r, 200) == 0) {
                bytes[len++] = (uint8_t)bytes_that_matter[rng_below(&r, 14)];
            } else {
                struct span piece = span_str(pieces[rng_below(&r, 6)]);

                if (rng_below(&r, 4) > 0)
                    piece = SPAN_LITERAL("some text ");
                memcpy(bytes + len, piece.ptr, piece.len);
                len += piece.len;
            }
        }
        cuts[0] = (uint32_t)rng_below(&r, len + 1);
        cuts[1] = cuts[0] + (uint32_t)rng_below(&r, len - cuts[0] + 1);
        if (model_body_of(span_of(bytes, len)).taken <= cuts[0])
            cuts[0] = cuts[1] = 0;
        if (model_body_of(span_of(bytes, len)).taken <= cuts[1])
            cuts[1] = cuts[0];
        same_as_model(span_of(bytes, len), cuts, 2);
    }
}

static void line_lengths(void **state)
{
    const uint32_t max = LIMIT_TEXT_LINE_BYTES;
    uint8_t *bytes = malloc(max + 100);

    (void)state;
    assert_non_null(bytes);
    for (uint32_t front = 0; front < 3; front++) {
        for (uint32_t len = max - 2; len < max + 3; len++) {
            uint32_t at = front * 2 + len;
            uint32_t cut = front * 2 + 1000;

            memset(bytes, 'x', max + 100);
            memcpy(bytes, "\r\n\r\n", front * 2);
            memcpy(bytes + at - 2, "\r\n.\r\n", 5);
            same_as_model(span_of(bytes, at + 3), NULL, 0);
            same_as_model(span_of(bytes, at + 3), &cut, 1);
        }
    }
    free(bytes);
}

/* A line that is too long is known before it ends, so that no byte more of it is kept. */
static void long_line_is_known_early(void **state)
{
    struct smtp_body b;
    uint8_t bytes[4096];

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    smtp_body_init(&b, SMTP_BODY_STUFFED);
    for (uint32_t i = 0; i < LIMIT_TEXT_LINE_BYTES / sizeof(bytes); i++)
        smtp_body_scan(&b, span_of(bytes, sizeof(bytes)));
    assert_false(b.long_line);
    smtp_body_scan(&b, span_of(bytes, 1));
    assert_true(b.long_line);
}

static void the_marker_is_never_counted(void **state)
{
    struct smtp_body b;

    (void)state;
    smtp_body_init(&b, SMTP_BODY_STUFFED);
    smtp_body_scan(&b, SPAN_LITERAL("ab\r\n..\r\n"));
    assert_int_equal(smtp_body_stored(&b), 8);
    assert_int_equal(smtp_body_size(&b), 7);
    smtp_body_scan(&b, SPAN_LITERAL("."));
    assert_int_equal(smtp_body_stored(&b), 8);
    smtp_body_scan(&b, SPAN_LITERAL("\r"));
    assert_int_equal(smtp_body_stored(&b), 8);
    smtp_body_scan(&b, SPAN_LITERAL("\n"));
    assert_int_equal(smtp_body_stored(&b), 8);
    assert_int_equal(b.at, SMTP_BODY_DONE);
    expect_assert_failure(smtp_body_scan(&b, SPAN_LITERAL("x")));
}

static void nothing_changes_nothing(void **state)
{
    struct smtp_body b;

    (void)state;
    smtp_body_init(&b, SMTP_BODY_STUFFED);
    assert_int_equal(smtp_body_scan(&b, span_of(NULL, 0)), 0);
    assert_int_equal(b.at, SMTP_BODY_LINE_START);
    assert_int_equal(smtp_body_stored(&b), 0);
}

/* Text in chunks: dots mean nothing, line ends all; every cut gives the same. */
static void lines_in_chunks(void **state)
{
    static const struct {
        const char *text;
        uint32_t len;
    } texts[] = {
        { "a\r\n.\r\nb\r\n", 10 },
        { "..a\r\n.", 6 },
        { "no end", 6 },
        { "a\r", 2 },
        { "a\nb", 3 },
        { "a\rb", 3 },
        { "a\0b\r\n", 5 },
        { "a\r\0", 3 },
        { "\r\n", 2 },
        { ".\r\n", 3 },
        { "", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct span all = span_of(texts[i].text, texts[i].len);

        for (uint32_t cut = 0; cut <= all.len; cut++) {
            struct smtp_body b;

            smtp_body_init(&b, SMTP_BODY_LINES);
            smtp_body_scan(&b, span_first(all, cut));
            if (!smtp_body_over(&b))
                smtp_body_scan(&b, span_skip(all, cut));
            if (!smtp_body_over(&b))
                smtp_body_end(&b);
            assert_int_equal(smtp_body_over(&b) ? b.at : SMTP_BODY_TEXT, model_body_lines(all));
            assert_true(smtp_body_over(&b) || smtp_body_size(&b) == all.len);
        }
    }
}

static void binary_takes_anything(void **state)
{
    struct smtp_body b;

    (void)state;
    smtp_body_init(&b, SMTP_BODY_BINARY);
    assert_int_equal(smtp_body_scan(&b, SPAN_LITERAL("\r\n.\r\n\0\n\r.\r")), 10);
    smtp_body_end(&b);
    assert_false(smtp_body_over(&b));
    assert_int_equal(smtp_body_stored(&b), 10);
    assert_int_equal(smtp_body_size(&b), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_the_end),
        cmocka_unit_test(every_place_in_a_block),
        cmocka_unit_test(every_byte_in_a_block),
        cmocka_unit_test(random_bodies),
        cmocka_unit_test(line_lengths),
        cmocka_unit_test(long_line_is_known_early),
        cmocka_unit_test(the_marker_is_never_counted),
        cmocka_unit_test(nothing_changes_nothing),
        cmocka_unit_test(lines_in_chunks),
        cmocka_unit_test(binary_takes_anything),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
