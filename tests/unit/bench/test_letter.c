/* Letters of every size near the edges: right length, CRLF alone ends lines, no dot begins one, and
 * the same bytes for every way of reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "bench/letter.h"

static struct letter l;
static uint8_t whole[200000], part[200000];

static void check_text(uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i++) {
        if (whole[i] == '\r')
            assert_true(i + 1 < bytes && whole[i + 1] == '\n');
        if (whole[i] == '\n') {
            assert_true(i > 0 && whole[i - 1] == '\r');
            assert_true(i + 1 == bytes || whole[i + 1] != '.');
        }
        assert_true(whole[i] != 0);
    }
    assert_int_equal(whole[bytes - 1], '\n');
}

static void check_letter(uint64_t bytes, uint32_t step)
{
    uint64_t at = 0;
    uint32_t n;

    letter_init(&l, "run", 7, bytes, "a@example.org");
    assert_int_equal(letter_read(&l, 0, whole, sizeof(whole)), bytes);
    check_text(bytes);
    while ((n = letter_read(&l, at, part + at, step)) > 0)
        at += n;
    assert_int_equal(at, bytes);
    assert_memory_equal(whole, part, bytes);
    assert_int_equal(letter_crc32c(&l), crc32c_update(0, whole, (uint32_t)bytes));
}

static void every_size_is_met(void **state)
{
    (void)state;
    for (uint64_t bytes = 512; bytes < 512 + 2 * LETTER_LINE_BYTES; bytes++)
        check_letter(bytes, (uint32_t)(bytes % 97 + 1));
    for (uint64_t bytes = 65536; bytes < 65536 + LETTER_LINE_BYTES; bytes++)
        check_letter(bytes, 16384);
}

static void id_stands_in_the_header(void **state)
{
    (void)state;
    letter_init(&l, "run", 42, 512, "a@example.org");
    assert_non_null(strstr(l.header, "\r\nX-Postern-Bench: run.42\r\n\r\n"));
    assert_non_null(strstr(l.header, "From: <a@example.org>\r\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_is_met),
        cmocka_unit_test(id_stands_in_the_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
