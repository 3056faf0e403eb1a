/* The header parser: what it sees, and the same for every cut as its slow model. */
#include "lib/unit.h"

#include "base/rng.h"
#include "model_header.h"

static struct smtp_header parsed(struct span all, bool stuffed, uint32_t step)
{
    struct smtp_header h;

    smtp_header_init(&h, stuffed, (struct smtp_header_judge){ NULL, NULL });
    for (uint32_t at = 0; at < all.len; at += step)
        smtp_header_feed(&h, span_first(span_skip(all, at), step));
    return h;
}

static void same_as_model(struct span all, bool stuffed)
{
    struct model_header m = model_header_of(all, stuffed);

    for (uint32_t step = 1; step <= all.len; step = step * 2 + 1) {
        struct smtp_header h = parsed(all, stuffed, step);

        if (h.at != SMTP_HEADER_BODY && h.at != SMTP_HEADER_LINE)
            return; /* within a line: the model can't tell what it will be */
        assert_int_equal(h.fields, m.fields);
        assert_int_equal(h.received, m.received);
        assert_int_equal(h.seen, m.seen);
        assert_int_equal(h.longest, m.longest);
        assert_int_equal(h.missing, m.missing);
    }
}

static struct smtp_header of(const char *text)
{
    same_as_model(span_str(text), true);
    same_as_model(span_str(text), false);
    return parsed(span_str(text), true, UINT32_MAX);
}

static void fields(void **state)
{
    struct smtp_header h = of("Date: x\r\nmessage-id : <a@b>\r\n\r\nReceived: y\r\n");

    (void)state;
    assert_int_equal(h.fields, 2);
    assert_int_equal(h.received, 0);
    assert_int_equal(h.seen, SMTP_HEADER_DATE | SMTP_HEADER_MESSAGE_ID);
    assert_int_equal(h.at, SMTP_HEADER_BODY);
    h = of("RECEIVED: a\r\nReceived:\r\n b\r\n\tDate: c\r\nReceived2: d\r\nDates: e\r\n\r\n");
    assert_int_equal(h.received, 2);
    assert_int_equal(h.fields, 4);
    assert_int_equal(h.seen, 0);
}

static void lengths(void **state)
{
    (void)state;
    assert_int_equal(of("a: b\r\nccc: d\r\n\r\n").longest, 8);
    assert_int_equal(of("a: b\r\n c\r\n\td\r\ne: f\r\n\r\n").longest, 14);
    assert_int_equal(of("a: b\r\n\r\nlong text of a body\r\n").longest, 6);
    assert_int_equal(of("").longest, 0);
}

static void where_it_ends(void **state)
{
    (void)state;
    assert_true(of("hello\r\n").missing);
    assert_true(of("hello world: x\r\n").missing);
    assert_true(of(" folded: x\r\n").missing);
    assert_true(of(": x\r\n").missing);
    assert_true(of("\xc3\xa4: x\r\n").missing);
    assert_false(of("\r\nhello\r\n").missing);
    assert_false(of("a: b\r\nhello\r\n").missing);
    assert_int_equal(of("a: b\r\nhello\r\nDate: c\r\n").seen, 0);
}

/* In DATA's form a leading dot is not the line's; in BDAT's it is. */
static void dots(void **state)
{
    (void)state;
    assert_int_equal(parsed(SPAN_LITERAL(".Date: x\r\n\r\n"), true, 3).seen, SMTP_HEADER_DATE);
    assert_int_equal(parsed(SPAN_LITERAL(".Date: x\r\n\r\n"), false, 3).seen, 0);
    assert_int_equal(parsed(SPAN_LITERAL("..Date: x\r\n\r\n"), true, 3).seen, 0);
    assert_int_equal(parsed(SPAN_LITERAL("..Date: x\r\n\r\n"), true, 3).fields, 1);
    assert_int_equal(parsed(SPAN_LITERAL("a: b\r\n. Date: x\r\n"), true, 3).fields, 1);
    assert_false(parsed(SPAN_LITERAL(".\r\n"), true, 1).missing);
}

static void random_headers(void **state)
{
    static const char *const pieces[] = { "Date",     ":",    "\r\n", "\r\n ", "Received: x\r\n",
                                          "\r\n\r\n", "x",    " ",    "\t",    "Message-ID:",
                                          ".",        "a: b", "\r\n", "\x80",  "long-field-name" };
    struct rng r;

    (void)state;
    rng_seed(&r, 7);
    for (int round = 0; round < 5000; round++) {
        uint8_t bytes[512];
        struct buf b = { bytes, 0, sizeof(bytes) };

        while (rng_below(&r, 12) > 0 && buf_put(&b, span_str(pieces[rng_below(&r, 15)])))
            continue;
        same_as_model(span_of(b.ptr, b.len), round % 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields), cmocka_unit_test(lengths),        cmocka_unit_test(where_it_ends),
        cmocka_unit_test(dots),   cmocka_unit_test(random_headers),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
