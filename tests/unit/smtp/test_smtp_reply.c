/* The table of replies: every row is a reply that RFC 5321 and RFC 3463 allow. */
#include "lib/unit.h"

#include <ctype.h>
#include <stdio.h>

#include "base/limits.h"
#include "smtp/smtp_reply.h"

static struct span put(enum smtp_reply_id id, bool more, struct buf *out)
{
    static uint8_t host[255];
    const struct smtp_reply_fill fill = {
        .host = span_of(host, sizeof(host)),
        .words = SPAN_LITERAL("WORDS"),
        .number = UINT64_MAX,
    };

    memset(host, 'h', sizeof(host));
    out->len = 0;
    if (more)
        smtp_reply_put_more(id, &fill, out);
    else
        smtp_reply_put(id, &fill, out);
    return span_of(out->ptr, out->len);
}

/* class "." subject "." detail with the reply's own class (RFC 2034, 4). */
static void enhanced_code_fits(struct span line, unsigned code)
{
    char text[600] = "";
    unsigned class;
    unsigned subject;
    unsigned detail;

    memcpy(text, line.ptr, line.len);
    if (code == 220 || code == 334 || code == 354)
        return;
    if (sscanf(text + 4, "%u.%u.%u ", &class, &subject, &detail) != 3) {
        assert_int_equal(code, 250); /* EHLO and HELO only */
        return;
    }
    assert_int_equal(class, code / 100);
    assert_true(subject <= 7);
}

static void every_row_is_a_reply(void **state)
{
    uint8_t bytes[LIMIT_REPLY_LINE_BYTES];
    struct buf out = { bytes, 0, sizeof(bytes) };

    (void)state;
    for (int id = SMTP_REPLY_NONE + 1; id < SMTP_REPLY_COUNT; id++) {
        struct span line = put((enum smtp_reply_id)id, false, &out);
        unsigned code = smtp_reply_code((enum smtp_reply_id)id);

        assert_true(line.len >= 6);
        assert_int_equal(line.ptr[0], '0' + code / 100);
        assert_int_equal(line.ptr[1], '0' + code / 10 % 10);
        assert_int_equal(line.ptr[2], '0' + code % 10);
        assert_int_equal(line.ptr[3], ' ');
        assert_memory_equal(line.ptr + line.len - 2, "\r\n", 2);
        for (uint32_t i = 0; i < line.len - 2; i++)
            assert_true(isprint(line.ptr[i]) && line.ptr[i] != '%');
        enhanced_code_fits(line, code);
        if (smtp_reply_blames((enum smtp_reply_id)id))
            assert_true(code >= 400);
        assert_int_equal(put((enum smtp_reply_id)id, true, &out).ptr[3], '-');
    }
}

static void texts_are_filled(void **state)
{
    uint8_t bytes[LIMIT_REPLY_LINE_BYTES];
    struct buf out = { bytes, 0, sizeof(bytes) };

    (void)state;
    assert_true(span_equal(put(SMTP_REPLY_QUEUED, false, &out),
                           SPAN_LITERAL("250 2.0.0 Ok: queued as WORDS\r\n")));
    assert_true(span_equal(put(SMTP_REPLY_EHLO_SIZE, true, &out),
                           SPAN_LITERAL("250-SIZE 18446744073709551615\r\n")));
    assert_true(span_equal(put(SMTP_REPLY_ASK_EMPTY, false, &out), SPAN_LITERAL("334 \r\n")));
}

static void our_trouble_blames_nobody(void **state)
{
    (void)state;
    assert_false(smtp_reply_blames(SMTP_REPLY_SPOOL_FULL));
    assert_false(smtp_reply_blames(SMTP_REPLY_SPOOL_FAILED));
    assert_false(smtp_reply_blames(SMTP_REPLY_AUTH_TEMPORARY));
    assert_false(smtp_reply_blames(SMTP_REPLY_TOO_MANY_RECIPIENTS));
    assert_true(smtp_reply_blames(SMTP_REPLY_AUTH_WRONG));
    assert_true(smtp_reply_blames(SMTP_REPLY_LINE_TOO_LONG));
}

static void needs_room(void **state)
{
    uint8_t bytes[10];
    struct buf out = { bytes, 0, sizeof(bytes) };

    (void)state;
    expect_assert_failure(put(SMTP_REPLY_BYE, false, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_a_reply),
        cmocka_unit_test(texts_are_filled),
        cmocka_unit_test(our_trouble_blames_nobody),
        cmocka_unit_test(needs_room),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
