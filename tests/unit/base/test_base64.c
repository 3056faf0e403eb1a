/* Is base64 what RFC 4648 says, both ways, and nothing else? */
#include "lib/unit.h"

#include "base/base64.h"
#include "base/rng.h"

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
    uint8_t bytes[16];

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct span text = span_str(vectors[i][0]);
        struct buf encoded = { bytes, 0, text.len };
        int len = (int)strlen(vectors[i][1]);

        assert_true(base64_encode(&encoded, span_str(vectors[i][1])));
        assert_true(span_equal(span_of(bytes, encoded.len), text));
        if (text.len == 0)
            continue;
        encoded = (struct buf){ bytes, 0, text.len - 1 };
        assert_false(base64_encode(&encoded, span_str(vectors[i][1])));
        assert_int_equal(encoded.len, 0);

        assert_int_equal(base64_decode(span_str(vectors[i][0]), out, sizeof(out)), len);
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
        assert_int_equal(base64_decode(span_str(texts[i]), out, sizeof(out)), -1);
    assert_int_equal(base64_decode(SPAN_LITERAL("Zm9v"), out, 3), 3);
    assert_int_equal(base64_decode(SPAN_LITERAL("Zm9v"), out, 2), -1);
    assert_int_equal(base64_decode(SPAN_LITERAL("Zm8="), out, 2), 2);
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
        struct buf out = { text, 0, sizeof(text) };

        for (uint32_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)rng_next(&r);
        assert_true(base64_encode(&out, span_of(bytes, len)));
        assert_int_equal(out.len, BASE64_LEN(len));
        assert_int_equal(base64_decode(span_of(text, out.len), back, len), len);
        assert_memory_equal(bytes, back, len);
        assert_int_equal(base64_decode(span_of(text, out.len), text, sizeof(text)), len);
        assert_memory_equal(bytes, text, len);
    }
}

/* RFC 7515, appendix C; what is cut, padded, of the other alphabet or has stray bits is none. */
static void the_alphabet_of_tokens(void **state)
{
    static const uint8_t bytes[] = { 3, 236, 255, 224, 193 };
    static const char *const bad[] = { "A-z_4",   "A-z_4MF", "A-z_4ME=",
                                       "A+z/4ME", "A-z_4M=", "A-z_ ME" };
    uint8_t out[16];

    (void)state;
    assert_int_equal(base64_decode_url(SPAN_LITERAL("A-z_4ME"), out, sizeof(out)), 5);
    assert_memory_equal(out, bytes, sizeof(bytes));
    assert_int_equal(base64_decode_url(SPAN_LITERAL("A-z_4ME"), out, 4), -1);
    assert_int_equal(base64_decode_url(SPAN_LITERAL(""), out, 0), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(base64_decode_url(span_str(bad[i]), out, sizeof(out)), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_vectors),
        cmocka_unit_test(not_base64),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(the_alphabet_of_tokens),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
