/* tls/tls_identity.c: whose a certificate is, and who cannot be read out of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "issuer.h"
#include "rig.h"
#include "tls/tls_identity.h"

/* NULL for `expected`: nobody. */
static void expect(const struct issuer_wish *wish, enum tls_identity kind, const char *expected)
{
    struct issuer i = issuer_make(NULL, wish);
    uint8_t room[LIMIT_LOGIN_BYTES + 2] = "-";
    struct buf out = { room, 1, LIMIT_LOGIN_BYTES + 1 };

    assert_int_equal(tls_identity_of(i.cert, kind, &out), expected != NULL);
    out.ptr[out.len] = 0;
    assert_string_equal((char *)room + 1, expected != NULL ? expected : "");
    issuer_free(&i);
}

static void test_email(void **state)
{
    static const struct {
        const char *names;
        const char *expected;
    } rows[] = {
        { "email:alice@example.org", "alice@example.org" },
        { "email:Alice@EXAMPLE.Org", "Alice@example.org" },
        { "DNS:example.org,email:a@b.c,email:d@e.f", "a@b.c" },
        { "DNS:example.org", NULL },
        { "email:alice", NULL },
        { "email:@example.org", NULL },
        { NULL, NULL },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct issuer_wish wish = { .names = rows[i].names };

        expect(&wish, TLS_IDENTITY_EMAIL, rows[i].expected);
    }
}

static void test_host(void **state)
{
    static const struct {
        const char *names;
        const char *expected;
    } rows[] = {
        { "DNS:Printer-7.Example.org", "printer-7.example.org" },
        { "email:a@b.c,DNS:one.example,DNS:two.example", "one.example" },
        { "DNS:*.example.org", NULL },
        { "DNS:*.example.org,DNS:a.example.org", NULL }, /* the next one is not taken for it */
        { "email:a@b.c", NULL },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct issuer_wish wish = { .names = rows[i].names };

        expect(&wish, TLS_IDENTITY_DNS, rows[i].expected);
    }
}

static void test_common_name(void **state)
{
    struct issuer_wish wish = { .common_name = "Ren\303\251e" };

    (void)state;
    expect(&wish, TLS_IDENTITY_CN, "Ren\303\251e"); /* in UTF-8, whatever the string's type is */
    wish.common_name = "two\nlines";
    expect(&wish, TLS_IDENTITY_CN, NULL);
}

/* alice@example.org, with a NUL behind it and somebody else's domain: not cut there. */
static void test_nul(void **state)
{
    static const char name[] = "alice@example.org\0.evil.example";
    struct issuer i = issuer_root("nul");
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *one = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    uint8_t room[64];
    struct buf out = { room, 0, sizeof(room) };

    (void)state;
    assert_true(ASN1_STRING_set(text, name, sizeof(name) - 1));
    GENERAL_NAME_set0_value(one, GEN_EMAIL, text);
    assert_true(sk_GENERAL_NAME_push(names, one) > 0);
    assert_int_equal(X509_add1_ext_i2d(i.cert, NID_subject_alt_name, names, 0, 0), 1);
    assert_false(tls_identity_of(i.cert, TLS_IDENTITY_EMAIL, &out));
    assert_int_equal(out.len, 0);
    GENERAL_NAMES_free(names);
    issuer_free(&i);
}

/* As long as a login, and one byte longer. */
static void test_length(void **state)
{
    char names[sizeof("DNS:") + LIMIT_LOGIN_BYTES + 1] = "DNS:";
    const struct issuer_wish wish = { .names = names };

    (void)state;
    memset(names + 4, 'a', LIMIT_LOGIN_BYTES);
    expect(&wish, TLS_IDENTITY_DNS, names + 4);
    names[4 + LIMIT_LOGIN_BYTES] = 'a';
    expect(&wish, TLS_IDENTITY_DNS, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_email),       cmocka_unit_test(test_host),
        cmocka_unit_test(test_common_name), cmocka_unit_test(test_nul),
        cmocka_unit_test(test_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
