/* Short texts: what was set comes back, however they grow and shrink; a set is never out early. */
#include "lib/unit.h"

#include <string.h>

#include "base/limits.h"
#include "base/rng.h"
#include "base/texts.h"

enum { COUNT = 32 };

static const struct span empty = { NULL, 0 };

static void all_lengths_come_back(void **state)
{
    struct texts *t = texts_create(1);
    struct text text = { 0 };
    uint8_t bytes[LIMIT_TEXT_BYTES];

    (void)state;
    assert_int_equal(texts_get(t, text).len, 0);
    memset(bytes, 'x', sizeof(bytes));
    for (uint32_t len = 0; len <= sizeof(bytes); len++) {
        texts_set(t, &text, span_of(bytes, len));
        assert_true(span_equal(texts_get(t, text), span_of(bytes, len)));
    }
    texts_set(t, &text, empty);
    assert_int_equal(text.at, 0);
    texts_destroy(t);
}

/* Each class has room for all texts, those too that have just left another one. */
static void agrees_with_a_model(void **state)
{
    struct texts *t = texts_create(COUNT);
    struct text texts[COUNT] = { 0 };
    uint8_t model[COUNT][LIMIT_TEXT_BYTES];
    uint32_t lens[COUNT] = { 0 };
    struct rng r;

    (void)state;
    rng_seed(&r, 7);
    for (unsigned round = 0; round < 20000; round++) {
        uint32_t i = (uint32_t)rng_below(&r, COUNT);

        lens[i] = (uint32_t)rng_below(&r, 1 + (LIMIT_TEXT_BYTES >> rng_below(&r, 6)));
        memset(model[i], (int)rng_below(&r, 256), lens[i]);
        texts_set(t, &texts[i], span_of(model[i], lens[i]));
        i = (uint32_t)rng_below(&r, COUNT);
        assert_true(span_equal(texts_get(t, texts[i]), span_of(model[i], lens[i])));
    }
    for (unsigned i = 0; i < COUNT; i++) {
        assert_true(span_equal(texts_get(t, texts[i]), span_of(model[i], lens[i])));
        texts_set(t, &texts[i], empty);
    }
    texts_destroy(t);
}

static void may_become_a_part_of_itself(void **state)
{
    struct texts *t = texts_create(1);
    struct text text = { 0 };

    (void)state;
    texts_set(t, &text, SPAN_LITERAL("submission.mail.example.org"));
    texts_set(t, &text, span_skip(texts_get(t, text), 11));
    assert_true(span_equal(texts_get(t, text), SPAN_LITERAL("mail.example.org")));
    texts_set(t, &text, span_skip(texts_get(t, text), 5));
    assert_true(span_equal(texts_get(t, text), SPAN_LITERAL("example.org")));
    texts_set(t, &text, empty);
    texts_destroy(t);
}

static void catches_misuse(void **state)
{
    struct texts *t = texts_create(1);
    struct text text = { 0 };
    struct text other = { 0 };
    uint8_t bytes[LIMIT_TEXT_BYTES + 1] = { 0 };

    (void)state;
    expect_assert_failure(texts_set(t, &text, span_of(bytes, sizeof(bytes))));
    texts_set(t, &text, SPAN_LITERAL("one"));
    expect_assert_failure(texts_set(t, &other, SPAN_LITERAL("two")));
    expect_assert_failure(texts_destroy(t));
    texts_set(t, &text, empty);
    texts_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_lengths_come_back),
        cmocka_unit_test(agrees_with_a_model),
        cmocka_unit_test(may_become_a_part_of_itself),
        cmocka_unit_test(catches_misuse),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
