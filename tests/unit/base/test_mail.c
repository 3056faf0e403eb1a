/* Envelopes there and back, malformed ones to their end, and queue ids that never repeat. */
#include "lib/unit.h"

#include <string.h>

#include "base/mail.h"
#include "base/rng.h"

static void fields_come_back_in_order(void **state)
{
    uint8_t bytes[64];
    struct buf b = { bytes, 0, sizeof(bytes) };
    struct span rest;
    struct mail_field f;

    (void)state;
    assert_true(mail_field_put(&b, MAIL_FIELD_SENDER, SPAN_LITERAL("")));
    assert_true(mail_field_put(&b, MAIL_FIELD_RECIPIENT, SPAN_LITERAL("a@example.org")));
    assert_true(mail_field_put(&b, MAIL_FIELD_RECIPIENT, SPAN_LITERAL("b@example.org")));
    assert_int_equal(b.len, 3 + 3 + 13 + 3 + 13);
    assert_memory_equal(bytes, "\x01\0\0\x02\x0d\0a@", 8);
    rest = span_of(bytes, b.len);
    assert_true(mail_field_next(&rest, &f));
    assert_int_equal(f.type, MAIL_FIELD_SENDER);
    assert_int_equal(f.value.len, 0);
    assert_true(mail_field_next(&rest, &f));
    assert_int_equal(f.type, MAIL_FIELD_RECIPIENT);
    assert_true(span_equal(f.value, SPAN_LITERAL("a@example.org")));
    assert_true(mail_field_next(&rest, &f));
    assert_true(span_equal(f.value, SPAN_LITERAL("b@example.org")));
    assert_int_equal(rest.len, 0);
    assert_false(mail_field_next(&rest, &f));
}

static void puts_all_or_nothing(void **state)
{
    static uint8_t bytes[70000];
    static uint8_t value[65536];
    struct buf b = { bytes, 0, 12 };

    (void)state;
    assert_false(mail_field_put(&b, MAIL_FIELD_USER, span_of(value, 10)));
    assert_int_equal(b.len, 0);
    assert_true(mail_field_put(&b, MAIL_FIELD_USER, span_of(value, 9)));
    assert_false(mail_field_put(&b, MAIL_FIELD_USER, span_of(value, 0)));
    b = (struct buf){ bytes, 0, sizeof(bytes) };
    assert_false(mail_field_put(&b, MAIL_FIELD_USER, span_of(value, 65536)));
    assert_true(mail_field_put(&b, MAIL_FIELD_USER, span_of(value, 65535)));
}

static void malformed_ends_the_walk(void **state)
{
    static const uint8_t bytes[] = { 2, 3, 0, 'a', 'b', 'c' };

    (void)state;
    for (uint32_t len = 0; len < sizeof(bytes); len++) {
        struct span rest = span_of(bytes, len);
        struct mail_field f;

        assert_false(mail_field_next(&rest, &f));
        assert_int_equal(rest.len, len); /* a reader sees that something was left */
    }
}

static void ids_have_the_layout(void **state)
{
    struct mail_id_gen g;
    uint64_t id;

    (void)state;
    mail_id_init(&g, 5, 0);
    id = mail_id_make(&g, 1700000000123ULL);
    assert_true(id >> 21 == 1700000000123ULL);
    assert_int_equal(id >> 15 & 63, 5);
    assert_int_equal(id & 0x7fff, 0);
    assert_int_equal(mail_id_make(&g, 1700000000123ULL) & 0x7fff, 1);
}

/* The clock stands, steps back, jumps; more than a millisecond holds are made. */
static void ids_only_grow(void **state)
{
    struct mail_id_gen g;
    struct rng r;
    uint64_t ms = 1700000000000ULL;
    uint64_t last = 0;

    (void)state;
    rng_seed(&r, 5);
    mail_id_init(&g, 63, 0);
    for (unsigned i = 0; i < 300000; i++) {
        uint64_t id;

        if (rng_below(&r, 1000) == 0)
            ms += rng_below(&r, 3);
        if (rng_below(&r, 50000) == 0)
            ms -= 5000;
        id = mail_id_make(&g, ms);
        assert_true(id > last);
        assert_int_equal(id >> 63, 0);
        last = id;
    }
    mail_id_init(&g, 0, 0);
    assert_true(mail_id_make(&g, 0) != 0);
}

static void restarts_stay_apart(void **state)
{
    struct mail_id_gen before, after;
    uint64_t last = 0;

    (void)state;
    /* The largest id found was worker 0's; worker 3 made one in the same millisecond. */
    mail_id_init(&before, 3, 0);
    for (unsigned i = 0; i < 10; i++)
        last = mail_id_make(&before, 1700000000000ULL);
    mail_id_init(&after, 3, last & ~(uint64_t)0x7fff);
    assert_true(mail_id_make(&after, 1700000000000ULL) > last);
    mail_id_init(&after, 0, last);
    assert_true(mail_id_make(&after, 1600000000000ULL) > last);
}

static void text_goes_there_and_back(void **state)
{
    struct rng r;
    char text[MAIL_ID_TEXT];
    char before[MAIL_ID_TEXT] = "0000000000000";
    uint64_t id = 0;

    (void)state;
    rng_seed(&r, 6);
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t back;

        id += 1 + rng_below(&r, UINT64_MAX / 2 / 10000);
        mail_id_format(id, text);
        assert_int_equal(strlen(text), 13);
        assert_true(strcmp(text, before) > 0); /* text sorts as the numbers do */
        assert_true(mail_id_parse(span_str(text), &back));
        assert_true(back == id);
        memcpy(before, text, sizeof(text));
    }
    mail_id_format(0x7fffffffffffffffULL, text);
    assert_string_equal(text, "7ZZZZZZZZZZZZ");
    mail_id_format(32, text);
    assert_string_equal(text, "0000000000010");
}

static void text_is_read_strictly(void **state)
{
    static const char *const rows[] = { "",
                                        "0000000000000",
                                        "000000000001",
                                        "00000000000001",
                                        "000000000000I",
                                        "000000000000U",
                                        "000000000000a",
                                        "8000000000000",
                                        "ZZZZZZZZZZZZZ",
                                        "00000 0000001" };
    uint64_t id;

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_false(mail_id_parse(span_str(rows[i]), &id));
    assert_false(mail_id_parse(span_of("000000000000\0", 13), &id));
}

/* A reader of today knows what it may skip, whatever a writer of tomorrow adds. */
static void names_of_types(void **state)
{
    (void)state;
    assert_string_equal(mail_field_name(MAIL_FIELD_SENDER), "sender");
    assert_string_equal(mail_field_name(MAIL_FIELD_PRIORITY), "priority");
    assert_string_equal(mail_field_name(MAIL_FIELD_HOLD), "hold");
    assert_null(mail_field_name(0));
    assert_null(mail_field_name(MAIL_FIELD_PRIORITY + 1));
    assert_null(mail_field_name(MAIL_FIELD_HOLD + 1));
    assert_null(mail_field_name(255));
    assert_true(MAIL_FIELD_PRIORITY < MAIL_FIELD_CRITICAL);
    assert_true(MAIL_FIELD_SMTPUTF8 >= MAIL_FIELD_CRITICAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_back_in_order), cmocka_unit_test(puts_all_or_nothing),
        cmocka_unit_test(malformed_ends_the_walk),   cmocka_unit_test(names_of_types),
        cmocka_unit_test(ids_have_the_layout),       cmocka_unit_test(ids_only_grow),
        cmocka_unit_test(restarts_stay_apart),       cmocka_unit_test(text_goes_there_and_back),
        cmocka_unit_test(text_is_read_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
