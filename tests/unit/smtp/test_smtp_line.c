/* Lines: the same for every cut; bounded, whatever comes. */
#include "lib/unit.h"

#include "base/rng.h"
#include "smtp/smtp_line.h"

#define MAX 20

/* What came out of a run, as one text: lines, "LONG", "BAD", and what was left. */
struct trace {
    char text[4096];
    struct buf buf;
};

static void note(struct trace *t, const char *word, struct span s)
{
    assert_true(buf_printf(&t->buf, "%s[%.*s]", word, (int)s.len, (const char *)s.ptr));
}

/* Takes all lines of `all`, which comes in pieces of `step` bytes after a first one. */
static void run(struct span all, uint32_t first, uint32_t step, struct trace *t)
{
    struct smtp_line l = { 0 };
    uint32_t taken = 0;
    uint32_t given = first;

    t->buf = (struct buf){ (uint8_t *)t->text, 0, sizeof(t->text) };
    for (;;) {
        struct span in = span_of(all.ptr + taken, given - taken);
        struct span line = { NULL, 0 };
        enum smtp_line_outcome outcome = smtp_line_take(&l, &in, MAX, &line);

        taken = given - in.len;
        if (outcome == SMTP_LINE_MORE) {
            assert_true(in.len <= MAX);
            if (given == all.len)
                break;
            given = step < all.len - given ? given + step : all.len;
        } else if (outcome == SMTP_LINE_BAD) {
            note(t, "BAD", SPAN_LITERAL(""));
            break;
        } else {
            note(t, outcome == SMTP_LINE_LONG ? "LONG" : "",
                 outcome == SMTP_LINE_LONG ? SPAN_LITERAL("") : line);
        }
    }
    t->text[t->buf.len] = '\0';
}

static void expect(const char *bytes, const char *wanted)
{
    struct span all = span_str(bytes);
    struct trace t;

    for (uint32_t first = 0; first <= all.len; first++) {
        run(all, first, all.len + 1, &t);
        assert_string_equal(t.text, wanted);
        run(all, first, 1, &t);
        assert_string_equal(t.text, wanted);
    }
}

static void lines(void **state)
{
    (void)state;
    expect("", "");
    expect("a\r\n", "[a]");
    expect("\r\n", "[]");
    expect("a\r\nbc\r\n\r\nd", "[a][bc][]");
    expect("a\r", "");
    expect("a\r\n\r", "[a]");
    expect("only ten words, no end", "");
}

static void only_crlf_ends_a_line(void **state)
{
    (void)state;
    expect("a\nb\r\n", "BAD[]");
    expect("a\rb\r\n", "BAD[]");
    expect("a\r\r\n", "BAD[]");
    expect("\n", "BAD[]");
    expect("a\r\n\n", "[a]BAD[]");
    expect("x\n\rx", "BAD[]");
}

static void a_nul_is_bad(void **state)
{
    const struct span all = SPAN_LITERAL("ab\r\nc\0d\r\n");
    struct trace t;

    (void)state;
    run(all, all.len, 1, &t);
    assert_string_equal(t.text, "[ab]BAD[]");
    run(all, 0, 1, &t);
    assert_string_equal(t.text, "[ab]BAD[]");
}

static void long_lines_are_skipped(void **state)
{
    (void)state;
    expect("123456789012345678\r\nb\r\n", "[123456789012345678][b]"); /* 20 bytes: the limit */
    expect("1234567890123456789\r\nb\r\n", "LONG[][b]");
    expect("1234567890123456789", "");
    expect("1234567890123456789\r", "");
    expect("1234567890123456789012345678901234567890123456789012345678901234567890\r\nb\r\n",
           "LONG[][b]");
    expect("12345678901234567890123456789012345678901234567890\nx", "BAD[]");
    expect("12345678901234567890123456789012345678901234567890\rx", "BAD[]");
}

/* Against a model: split at CRLF after a search for any byte that is wrong. */
static void model(struct span all, struct trace *t)
{
    uint32_t start = 0;

    t->buf = (struct buf){ (uint8_t *)t->text, 0, sizeof(t->text) };
    for (uint32_t i = 0; i < all.len; i++) {
        bool after_cr = i > start && all.ptr[i - 1] == '\r';

        if (all.ptr[i] == '\0' || after_cr != (all.ptr[i] == '\n')) {
            note(t, "BAD", SPAN_LITERAL(""));
            break;
        }
        if (all.ptr[i] == '\n') {
            bool too_long = i + 1 - start > MAX;

            note(t, too_long ? "LONG" : "",
                 too_long ? SPAN_LITERAL("") : span_of(all.ptr + start, i - 1 - start));
            start = i + 1;
        }
    }
    t->text[t->buf.len] = '\0';
}

static void random_lines(void **state)
{
    static const char *const pieces[] = { "\r\n", "\r\n", "a", "bcd", "0123456789", "\r", "\n" };
    struct trace want;
    struct trace got;
    uint8_t bytes[400];
    struct rng r;

    (void)state;
    rng_seed(&r, 2);
    for (int round = 0; round < 20000; round++) {
        uint32_t len = 0;
        uint64_t kinds = rng_below(&r, 10) == 0 ? 7 : 5;

        while (len < 300 && rng_below(&r, 60) > 0) {
            struct span piece = span_str(pieces[rng_below(&r, kinds)]);

            memcpy(bytes + len, piece.ptr, piece.len);
            len += piece.len;
        }
        model(span_of(bytes, len), &want);
        run(span_of(bytes, len), (uint32_t)rng_below(&r, len + 1), 1 + (uint32_t)rng_below(&r, 40),
            &got);
        assert_string_equal(got.text, want.text);
    }
}

/* Ten megabytes in one line: never more than the limit is left to be shown again. */
static void ten_megabytes(void **state)
{
    struct smtp_line l = { 0 };
    uint8_t bytes[16384];
    struct span line;

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    for (int i = 0; i < 640; i++) {
        struct span in = span_of(bytes, sizeof(bytes));

        assert_int_equal(smtp_line_take(&l, &in, MAX, &line), SMTP_LINE_MORE);
        assert_int_equal(in.len, 0);
    }
    assert_true(l.skipping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),        cmocka_unit_test(only_crlf_ends_a_line),
        cmocka_unit_test(a_nul_is_bad), cmocka_unit_test(long_lines_are_skipped),
        cmocka_unit_test(random_lines), cmocka_unit_test(ten_megabytes),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
