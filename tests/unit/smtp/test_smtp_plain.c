/* smtp/smtp_plain.c: all ways against the slow model. */
#include "lib/unit.h"

#include <string.h>

#include "base/rng.h"
#include "model_plain.h"

#define TEXT_BYTES 1700 /* groups of 512, and blocks behind them */

static uint8_t bytes[1 + TEXT_BYTES];

static struct span text(void)
{
    return span_of(bytes + 1, TEXT_BYTES);
}

/* Lines of 78 bytes behind a byte of text. */
static void fill(void)
{
    for (uint32_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = i % 78 == 76 ? '\r' : i % 78 == 77 ? '\n' : 'x';
}

static void plain_text_is_passed_over(void **state)
{
    (void)state;
    fill();
    assert_int_equal(smtp_plain_run(text(), '.'), TEXT_BYTES - TEXT_BYTES % SMTP_PLAIN_BLOCK_BYTES);
    assert_int_equal(smtp_plain_run(span_first(text(), 63), '.'), 0);
    assert_int_equal(smtp_plain_run(span_first(text(), 0), '.'), 0);
    assert_true(model_plain_agrees(text(), '.'));
}

/* One byte is another, wherever it is. */
static void every_byte_at_every_place(void **state)
{
    static const uint8_t others[] = { '\r', '\n', '\0', '.', 'y', 0x80, 0x8a, 0x8d, 0xae, 0xff };

    (void)state;
    for (uint32_t i = 0; i < sizeof(bytes); i++) {
        for (uint32_t k = 0; k < sizeof(others); k++) {
            fill();
            bytes[i] = others[k];
            assert_true(model_plain_agrees(text(), '.'));
            assert_true(model_plain_agrees(text(), 0));
        }
    }
}

static void random_text(void **state)
{
    static const char *const pieces[] = { "\r\n", "\r\n.", "text", ".", "\r", "\n" };
    struct rng r;

    (void)state;
    rng_seed(&r, 1);
    for (int round = 0; round < 20000; round++) {
        uint32_t len = 0;

        memset(bytes, 'x', sizeof(bytes));
        while (len < sizeof(bytes)) {
            const char *piece = pieces[rng_below(&r, rng_below(&r, 60) == 0 ? 6 : 4)];
            uint32_t n = (uint32_t)strlen(piece);

            n = n < sizeof(bytes) - len ? n : (uint32_t)sizeof(bytes) - len;
            memcpy(bytes + len, piece, n);
            len += n + (uint32_t)rng_below(&r, 30);
        }
        assert_true(model_plain_agrees(text(), '.'));
        assert_true(model_plain_agrees(text(), 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_passed_over),
        cmocka_unit_test(every_byte_at_every_place),
        cmocka_unit_test(random_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
