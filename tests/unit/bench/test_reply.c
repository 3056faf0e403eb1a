/* Replies that are right, cut at every byte, and replies that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench/reply.h"

static struct reply r;

/* Feeds `text` in two pieces; the outcome of the last call that ended something. */
static enum reply_outcome feed(const char *text, uint32_t cut, unsigned *lines)
{
    struct span whole = span_str(text);
    struct span parts[2] = { span_first(whole, cut), span_skip(whole, cut) };
    enum reply_outcome how = REPLY_MORE;

    reply_init(&r);
    *lines = 0;
    for (unsigned i = 0; i < 2; i++)
        while (parts[i].len > 0) {
            how = reply_feed(&r, &parts[i]);
            *lines += how == REPLY_LINE || how == REPLY_DONE;
            if (how == REPLY_BAD)
                return how;
        }
    return how;
}

static void good_ones_at_every_cut(void **state)
{
    static const char text[] = "250-mail.example.org\r\n250-SIZE 1\r\n250 OK\r\n";
    unsigned lines;

    (void)state;
    for (uint32_t cut = 0; cut <= sizeof(text) - 1; cut++) {
        assert_int_equal(feed(text, cut, &lines), REPLY_DONE);
        assert_int_equal(lines, 3);
        assert_int_equal(r.code, 250);
        assert_true(span_equal(reply_text(&r), span_str("OK")));
    }
}

static void forms_of_a_last_line(void **state)
{
    unsigned lines;

    (void)state;
    assert_int_equal(feed("220\r\n", 2, &lines), REPLY_DONE);
    assert_int_equal(reply_text(&r).len, 0);
    assert_int_equal(feed("354 \r\n", 4, &lines), REPLY_DONE);
    assert_int_equal(reply_text(&r).len, 0);
    assert_int_equal(r.code, 354);
}

static void two_replies_in_a_row(void **state)
{
    unsigned lines;

    (void)state;
    assert_int_equal(feed("250 a\r\n354 b\r\n", 6, &lines), REPLY_DONE);
    assert_int_equal(lines, 2);
    assert_int_equal(r.code, 354);
    assert_int_equal(r.lines, 1);
}

static void bad_ones(void **state)
{
    static const char *const bad[] = {
        "25\r\n",  "250_x\r\n",    "150 x\r\n",          "650 x\r\n", "260 x\r\n",  "25x x\r\n",
        "250 x\n", "250 x\ry\r\n", "250-a\r\n251 b\r\n", "\r\n",      " 250 x\r\n", "250-a\r\n\r\n",
    };
    unsigned lines;

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        for (uint32_t cut = 0; cut < strlen(bad[i]); cut++)
            assert_int_equal(feed(bad[i], cut, &lines), REPLY_BAD);
}

static void bounds(void **state)
{
    static char text[REPLY_LINES * 8 + REPLY_LINE_BYTES + 8];
    unsigned lines;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, "250 ", 4);
    assert_int_equal(feed(text, 9, &lines), REPLY_BAD);
    for (unsigned i = 0; i < REPLY_LINES; i++)
        memcpy(text + 7 * i, "250-x\r\n", 8);
    assert_int_equal(feed(text, 9, &lines), REPLY_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_at_every_cut),
        cmocka_unit_test(forms_of_a_last_line),
        cmocka_unit_test(two_replies_in_a_row),
        cmocka_unit_test(bad_ones),
        cmocka_unit_test(bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
