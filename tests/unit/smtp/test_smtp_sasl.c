/* PLAIN and LOGIN: base64 against a model, and every way that an exchange can end. */
#include "lib/unit.h"

#include "base/rng.h"
#include "smtp/smtp_sasl.h"

static void base64_vectors(void **state)
{
    /* RFC 4648, 10. */
    static const char *const vectors[][2] = { { "", "" },
                                              { "Zg==", "f" },
                                              { "Zm8=", "fo" },
                                              { "Zm9v", "foo" },
                                              { "Zm9vYg==", "foob" },
                                              { "Zm9vYmE=", "fooba" },
                                              { "Zm9vYmFy", "foobar" } };
    uint8_t out[16];

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        int len = (int)strlen(vectors[i][1]);

        assert_int_equal(smtp_sasl_base64(span_str(vectors[i][0]), out, sizeof(out)), len);
        assert_memory_equal(out, vectors[i][1], (size_t)len);
    }
}

static void not_base64(void **state)
{
    static const char *const texts[] = { "Z",    "Zg",       "Zg=",   "Z===",   "====",
                                         "=Zg=", "Zg==Zg==", "Zm 8",  "Zm8-",   "Zm8_",
                                         "Zh==", "Zm9=",     "Zm8\n", "Z\xff==" };
    uint8_t out[16];

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(smtp_sasl_base64(span_str(texts[i]), out, sizeof(out)), -1);
    assert_int_equal(smtp_sasl_base64(SPAN_LITERAL("Zm9v"), out, 3), 3);
    assert_int_equal(smtp_sasl_base64(SPAN_LITERAL("Zm9v"), out, 2), -1);
    assert_int_equal(smtp_sasl_base64(SPAN_LITERAL("Zm8="), out, 2), 2);
}

/* The other way round, for round trips. */
static uint32_t encode(const uint8_t *bytes, uint32_t len, uint8_t *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t n = 0;

    for (uint32_t i = 0; i < len; i += 3) {
        uint32_t left = len - i;
        uint32_t bits = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                        (left > 2 ? bytes[i + 2] : 0);

        out[n++] = (uint8_t)digits[bits >> 18];
        out[n++] = (uint8_t)digits[bits >> 12 & 63];
        out[n++] = left > 1 ? (uint8_t)digits[bits >> 6 & 63] : '=';
        out[n++] = left > 2 ? (uint8_t)digits[bits & 63] : '=';
    }
    return n;
}

static void round_trips(void **state)
{
    uint8_t bytes[100];
    uint8_t text[140];
    uint8_t back[100];
    struct rng r;

    (void)state;
    rng_seed(&r, 3);
    for (int round = 0; round < 5000; round++) {
        uint32_t len = (uint32_t)rng_below(&r, sizeof(bytes) + 1);

        for (uint32_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)rng_next(&r);
        assert_int_equal(smtp_sasl_base64(span_of(text, encode(bytes, len, text)), back, len), len);
        assert_memory_equal(bytes, back, len);
    }
}

static enum smtp_sasl_outcome plain(struct smtp_sasl *x, struct span message)
{
    uint8_t text[1024] = "PLAIN ";
    uint32_t len = encode(message.ptr, message.len, text + 6);

    return smtp_sasl_start(x, span_of(text, 6 + len));
}

static void plain_messages(void **state)
{
    struct smtp_sasl x;

    (void)state;
    assert_int_equal(plain(&x, SPAN_LITERAL("\0user\0pass")), SMTP_SASL_COMPLETE);
    assert_true(span_equal(span_of(x.login, x.login_len), SPAN_LITERAL("user")));
    assert_true(span_equal(x.password, SPAN_LITERAL("pass")));
    assert_int_equal(plain(&x, SPAN_LITERAL("user\0user\0pass")), SMTP_SASL_COMPLETE);
    assert_int_equal(plain(&x, SPAN_LITERAL("User\0user\0pass")), SMTP_SASL_DENIED);
    assert_int_equal(plain(&x, SPAN_LITERAL("\0\0pass")), SMTP_SASL_DENIED);
    assert_int_equal(plain(&x, SPAN_LITERAL("\0user\0")), SMTP_SASL_DENIED);
    assert_int_equal(plain(&x, SPAN_LITERAL("\0us\ner\0pass")), SMTP_SASL_DENIED);
    assert_int_equal(plain(&x, SPAN_LITERAL("\0us\x7f\0pass")), SMTP_SASL_DENIED);
    assert_int_equal(plain(&x, SPAN_LITERAL("\0user")), SMTP_SASL_MALFORMED);
    assert_int_equal(plain(&x, SPAN_LITERAL("user")), SMTP_SASL_MALFORMED);
    assert_int_equal(plain(&x, SPAN_LITERAL("\0u\0p\0q")), SMTP_SASL_MALFORMED);
    assert_int_equal(plain(&x, SPAN_LITERAL("\0u\0p\0")), SMTP_SASL_MALFORMED);
}

static void plain_forms(void **state)
{
    struct smtp_sasl x;

    (void)state;
    assert_int_equal(smtp_sasl_start(&x, SPAN_LITERAL("PLAIN")), SMTP_SASL_ASK_EMPTY);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("AHUAcA==")), SMTP_SASL_COMPLETE);
    assert_int_equal(smtp_sasl_start(&x, SPAN_LITERAL("plain")), SMTP_SASL_ASK_EMPTY);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("*")), SMTP_SASL_CANCELLED);
    assert_int_equal(smtp_sasl_start(&x, SPAN_LITERAL("PLAIN")), SMTP_SASL_ASK_EMPTY);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("")), SMTP_SASL_MALFORMED);
    assert_int_equal(smtp_sasl_start(&x, SPAN_LITERAL("PLAIN")), SMTP_SASL_ASK_EMPTY);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("=")), SMTP_SASL_MALFORMED);
    assert_int_equal(smtp_sasl_start(&x, SPAN_LITERAL("PLAIN =")), SMTP_SASL_MALFORMED);
    assert_int_equal(smtp_sasl_start(&x, SPAN_LITERAL("PLAIN  AHUAcA==")), SMTP_SASL_MALFORMED);
    assert_int_equal(smtp_sasl_start(&x, SPAN_LITERAL("PLAI")), SMTP_SASL_UNKNOWN);
    assert_int_equal(smtp_sasl_start(&x, SPAN_LITERAL("")), SMTP_SASL_UNKNOWN);
}

static void login_forms(void **state)
{
    struct smtp_sasl x;

    (void)state;
    assert_int_equal(smtp_sasl_start(&x, SPAN_LITERAL("LOGIN")), SMTP_SASL_ASK_USERNAME);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("dXNlcg==")), SMTP_SASL_ASK_PASSWORD);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("cGFzcw==")), SMTP_SASL_COMPLETE);
    assert_true(span_equal(span_of(x.login, x.login_len), SPAN_LITERAL("user")));
    assert_true(span_equal(x.password, SPAN_LITERAL("pass")));
    assert_int_equal(smtp_sasl_start(&x, SPAN_LITERAL("LOGIN dXNlcg==")), SMTP_SASL_ASK_PASSWORD);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("*")), SMTP_SASL_CANCELLED);
    assert_int_equal(smtp_sasl_start(&x, SPAN_LITERAL("LOGIN dXNlcg==")), SMTP_SASL_ASK_PASSWORD);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("")), SMTP_SASL_DENIED);
    assert_int_equal(smtp_sasl_start(&x, SPAN_LITERAL("LOGIN =")), SMTP_SASL_DENIED);
    assert_int_equal(smtp_sasl_start(&x, SPAN_LITERAL("LOGIN dXNlcg==")), SMTP_SASL_ASK_PASSWORD);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("cGEAc3M=")), SMTP_SASL_MALFORMED);
}

/* What an earlier exchange left in the object is not seen by the next. */
static void starts_clean(void **state)
{
    struct smtp_sasl x;

    (void)state;
    memset(&x, 0xa5, sizeof(x));
    assert_int_equal(smtp_sasl_start(&x, SPAN_LITERAL("PLAIN")), SMTP_SASL_ASK_EMPTY);
    assert_int_equal(x.login_len, 0);
    assert_int_equal(x.password.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_vectors), cmocka_unit_test(not_base64),
        cmocka_unit_test(round_trips),    cmocka_unit_test(plain_messages),
        cmocka_unit_test(plain_forms),    cmocka_unit_test(login_forms),
        cmocka_unit_test(starts_clean),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
