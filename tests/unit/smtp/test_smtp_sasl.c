/* The table of mechanisms: what is offered, and every way that an exchange can end. */
#include "lib/unit.h"

#include "base/base64.h"
#include "smtp/smtp.h"
#include "smtp/smtp_sasl.h"

#define OFFERED (SMTP_MECHANISM_PLAIN | SMTP_MECHANISM_LOGIN)

static enum smtp_sasl_outcome plain(struct smtp_sasl *x, struct span message)
{
    uint8_t bytes[1024] = "PLAIN ";
    struct buf text = { bytes, 6, sizeof(bytes) };

    base64_encode(&text, message);
    return smtp_sasl_start(x, OFFERED, span_of(text.ptr, text.len));
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
    assert_int_equal(smtp_sasl_start(&x, OFFERED, SPAN_LITERAL("PLAIN")), SMTP_SASL_ASK_EMPTY);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("AHUAcA==")), SMTP_SASL_COMPLETE);
    assert_int_equal(smtp_sasl_start(&x, OFFERED, SPAN_LITERAL("plain")), SMTP_SASL_ASK_EMPTY);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("*")), SMTP_SASL_CANCELLED);
    assert_int_equal(smtp_sasl_start(&x, OFFERED, SPAN_LITERAL("PLAIN")), SMTP_SASL_ASK_EMPTY);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("")), SMTP_SASL_MALFORMED);
    assert_int_equal(smtp_sasl_start(&x, OFFERED, SPAN_LITERAL("PLAIN")), SMTP_SASL_ASK_EMPTY);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("=")), SMTP_SASL_MALFORMED);
    assert_int_equal(smtp_sasl_start(&x, OFFERED, SPAN_LITERAL("PLAIN =")), SMTP_SASL_MALFORMED);
    assert_int_equal(smtp_sasl_start(&x, OFFERED, SPAN_LITERAL("PLAIN  AHUAcA==")),
                     SMTP_SASL_MALFORMED);
    assert_int_equal(smtp_sasl_start(&x, OFFERED, SPAN_LITERAL("PLAI")), SMTP_SASL_UNKNOWN);
    assert_int_equal(smtp_sasl_start(&x, OFFERED, SPAN_LITERAL("")), SMTP_SASL_UNKNOWN);
}

static void login_forms(void **state)
{
    struct smtp_sasl x;

    (void)state;
    assert_int_equal(smtp_sasl_start(&x, OFFERED, SPAN_LITERAL("LOGIN")), SMTP_SASL_ASK_USERNAME);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("dXNlcg==")), SMTP_SASL_ASK_PASSWORD);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("cGFzcw==")), SMTP_SASL_COMPLETE);
    assert_true(span_equal(span_of(x.login, x.login_len), SPAN_LITERAL("user")));
    assert_true(span_equal(x.password, SPAN_LITERAL("pass")));
    assert_int_equal(smtp_sasl_start(&x, OFFERED, SPAN_LITERAL("LOGIN dXNlcg==")),
                     SMTP_SASL_ASK_PASSWORD);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("*")), SMTP_SASL_CANCELLED);
    assert_int_equal(smtp_sasl_start(&x, OFFERED, SPAN_LITERAL("LOGIN dXNlcg==")),
                     SMTP_SASL_ASK_PASSWORD);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("")), SMTP_SASL_DENIED);
    assert_int_equal(smtp_sasl_start(&x, OFFERED, SPAN_LITERAL("LOGIN =")), SMTP_SASL_DENIED);
    assert_int_equal(smtp_sasl_start(&x, OFFERED, SPAN_LITERAL("LOGIN dXNlcg==")),
                     SMTP_SASL_ASK_PASSWORD);
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("cGEAc3M=")), SMTP_SASL_MALFORMED);
}

/* What an earlier exchange left in the object is not seen by the next. */
static void starts_clean(void **state)
{
    struct smtp_sasl x;

    (void)state;
    memset(&x, 0xa5, sizeof(x));
    assert_int_equal(smtp_sasl_start(&x, OFFERED, SPAN_LITERAL("PLAIN")), SMTP_SASL_ASK_EMPTY);
    assert_int_equal(x.login_len, 0);
    assert_int_equal(x.password.len, 0);
}

/* What is not offered is not known, whatever its case. */
static void only_what_is_offered(void **state)
{
    static const char *const names[] = { "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "PLAIN", "login" };
    static const uint32_t bits[] = { SMTP_MECHANISM_SCRAM, SMTP_MECHANISM_SCRAM_PLUS,
                                     SMTP_MECHANISM_PLAIN, SMTP_MECHANISM_LOGIN };
    struct smtp_sasl x;

    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(smtp_sasl_start(&x, ~bits[i], span_str(names[i])), SMTP_SASL_UNKNOWN);
        assert_int_equal(smtp_sasl_start(&x, bits[i], span_str(names[i])),
                         i < 3 ? SMTP_SASL_ASK_EMPTY : SMTP_SASL_ASK_USERNAME);
    }
}

static void lists_what_is_offered(void **state)
{
    uint8_t bytes[128];
    struct buf out = { bytes, 0, sizeof(bytes) };

    (void)state;
    smtp_sasl_list(0, &out);
    assert_int_equal(out.len, 0);
    smtp_sasl_list(OFFERED, &out);
    assert_true(span_equal(span_of(bytes, out.len), SPAN_LITERAL("PLAIN LOGIN")));
    out.len = 0;
    smtp_sasl_list(SMTP_MECHANISM_SCRAM | SMTP_MECHANISM_LOGIN, &out);
    assert_true(span_equal(span_of(bytes, out.len), SPAN_LITERAL("SCRAM-SHA-256 LOGIN")));
}

/* The frame of a mechanism that is the back end's: messages, challenges, a memo. */
static void messages_and_challenges(void **state)
{
    static const uint8_t zero[LIMIT_SASL_MEMO_BYTES];
    struct smtp_sasl x;

    (void)state;
    memset(&x, 0xa5, sizeof(x));
    assert_int_equal(smtp_sasl_start(&x, UINT32_MAX, SPAN_LITERAL("SCRAM-SHA-256 Zmlyc3Q=")),
                     SMTP_SASL_COMPLETE);
    assert_true(span_equal(x.message, SPAN_LITERAL("first")));
    assert_memory_equal(x.memo, zero, sizeof(zero));
    memcpy(x.memo, "mine", 4);
    assert_true(smtp_sasl_challenge(&x, SPAN_LITERAL("user"), span_of(x.memo, 4)));
    assert_true(span_equal(x.challenge, SPAN_LITERAL("bWluZQ==")));
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("c2Vjb25k")), SMTP_SASL_COMPLETE);
    assert_true(span_equal(x.message, SPAN_LITERAL("second")));
    assert_memory_equal(x.memo, "mine", 4);
    assert_true(smtp_sasl_challenge(&x, SPAN_LITERAL("user"), SPAN_LITERAL("")));
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("")), SMTP_SASL_COMPLETE);
    assert_int_equal(x.message.len, 0);
    assert_false(smtp_sasl_challenge(&x, SPAN_LITERAL("us\ner"), SPAN_LITERAL("")));
    assert_int_equal(smtp_sasl_line(&x, SPAN_LITERAL("*")), SMTP_SASL_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_messages),
        cmocka_unit_test(plain_forms),
        cmocka_unit_test(login_forms),
        cmocka_unit_test(starts_clean),
        cmocka_unit_test(only_what_is_offered),
        cmocka_unit_test(lists_what_is_offered),
        cmocka_unit_test(messages_and_challenges),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
