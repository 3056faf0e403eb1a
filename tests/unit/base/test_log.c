/* The log: lines that no value can forge, cut at their bound, dropped and counted when nobody
 * reads. */
#include "lib/unit.h"

#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/rng.h"

static struct clock now;
static struct counters counters;
static struct log *l;

static int set_up(void **state)
{
    (void)state;
    now.unix_ms = 1700000000123ULL;
    counters = (struct counters){ { 0 } };
    l = log_create(4, LOG_LEVEL_INFO, &now, &counters);
    return l == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    log_destroy(l);
    return 0;
}

static void expect_line(const char *text)
{
    struct span line = log_peek(l);

    assert_int_equal(line.len, strlen(text));
    assert_memory_equal(line.ptr, text, line.len);
    log_pop(l);
}

static void writes_logfmt(void **state)
{
    struct log_line *line = log_begin(l, LOG_LEVEL_INFO, "message");

    (void)state;
    log_str(line, "client", "192.0.2.1:4433");
    log_u64(line, "bytes", 18446744073709551615ULL);
    log_u64(line, "zero", 0);
    log_str(line, "from", "");
    log_str(line, "tls", "TLSv1.3 X25519");
    assert_int_equal(log_peek(l).len, 0); /* not before its end */
    log_end(l, line);
    expect_line("time=2023-11-14T22:13:20.123Z level=info event=message client=192.0.2.1:4433 "
                "bytes=18446744073709551615 zero=0 from=\"\" tls=\"TLSv1.3 X25519\"\n");
    assert_int_equal(log_peek(l).len, 0);
}

static void escapes_what_could_forge(void **state)
{
    struct log_line *line = log_begin(l, LOG_LEVEL_WARN, "x");

    (void)state;
    log_span(line, "v", SPAN_LITERAL("a\" level=error\r\n\t\0\\\x7f\xc3\xa9"));
    log_str(line, "w", "a=b");
    log_end(l, line);
    expect_line("time=2023-11-14T22:13:20.123Z level=warn event=x "
                "v=\"a\\\" level=error\\x0d\\x0a\\x09\\x00\\\\\\x7f\\xc3\\xa9\" w=\"a=b\"\n");
}

/* For every byte: one line, printable, quotes balanced. */
static void no_byte_breaks_a_line(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        uint8_t value[3] = { 'a', (uint8_t)c, 'b' };
        struct log_line *line = log_begin(l, LOG_LEVEL_INFO, "x");
        struct span text;

        log_span(line, "v", span_of(value, 3));
        log_end(l, line);
        text = log_peek(l);
        assert_int_equal(text.ptr[text.len - 1], '\n');
        for (uint32_t i = 0; i + 1 < text.len; i++)
            assert_in_range(text.ptr[i], 0x20, 0x7e);
        assert_ptr_equal(memchr(text.ptr, '\n', text.len), text.ptr + text.len - 1);
        log_pop(l);
    }
}

/* At every length, and with what follows: never past the bound, always marked, never half an
 * escape. */
static void cuts_long_lines(void **state)
{
    static uint8_t value[2 * LOG_LINE_MAX];
    static const uint8_t fills[] = { 'a', ' ', '"', '\n' };

    (void)state;
    for (unsigned f = 0; f < sizeof(fills); f++) {
        memset(value, fills[f], sizeof(value));
        for (uint32_t len = 0; len < sizeof(value); len++) {
            struct log_line *line = log_begin(l, LOG_LEVEL_INFO, "x");
            struct span text;
            bool marked;

            log_span(line, "v", span_of(value, len));
            log_str(line, "after", "it");
            log_end(l, line);
            text = log_peek(l);
            assert_true(text.len <= LOG_LINE_MAX);
            assert_int_equal(text.ptr[text.len - 1], '\n');
            marked = memcmp(text.ptr + text.len - 4, "...", 3) == 0 ||
                     memcmp(text.ptr + text.len - 5, "...\"", 4) == 0;
            assert_true(marked || memcmp(text.ptr + text.len - 10, " after=it\n", 10) == 0);
            if (len == sizeof(value) - 1) {
                assert_true(marked);
                assert_true(text.len > LOG_LINE_MAX - 10);
            }
            log_pop(l);
        }
    }
}

static void drops_and_counts_when_full(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct log_line *line = log_begin(l, LOG_LEVEL_INFO, "x");

        assert_int_equal(line == NULL, i >= 4);
        log_u64(line, "n", i);
        log_end(l, line);
    }
    assert_int_equal(counter_get(&counters, COUNTER_LOG_DROPPED), 2);
    for (unsigned i = 0; i < 4; i++) {
        struct span text = log_peek(l);

        assert_int_equal(text.ptr[text.len - 2], '0' + i);
        log_pop(l);
    }
    assert_int_equal(log_peek(l).len, 0);
    expect_assert_failure(log_pop(l));
}

static void keeps_the_least_level(void **state)
{
    (void)state;
    assert_null(log_begin(l, LOG_LEVEL_DEBUG, "x"));
    assert_int_equal(counter_get(&counters, COUNTER_LOG_DROPPED), 0);
}

static void tells_the_time_as_libc_does(void **state)
{
    struct rng r;

    (void)state;
    rng_seed(&r, 4);
    for (unsigned i = 0; i < 20000; i++) {
        /* All days from 1970 on once, then random seconds up to the year 9999. */
        uint64_t seconds = i < 10000 ? i * 86400ULL * 4 + 86399 : rng_below(&r, 253402300800ULL);
        time_t t = (time_t)seconds;
        struct tm tm;
        char expected[64];
        struct span text;

        now.unix_ms = seconds * 1000 + 7;
        log_end(l, log_begin(l, LOG_LEVEL_INFO, "x"));
        text = log_peek(l);
        gmtime_r(&t, &tm);
        strftime(expected, sizeof(expected), "time=%Y-%m-%dT%H:%M:%S.007Z", &tm);
        assert_memory_equal(text.ptr, expected, strlen(expected));
        log_pop(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_logfmt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(escapes_what_could_forge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_byte_breaks_a_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cuts_long_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(drops_and_counts_when_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_the_least_level, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_the_time_as_libc_does, set_up, tear_down),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
