/* Is a file of keys read as RFC 7517 has it, and refused whole when a key of it is no good? */
#include "lib/unit.h"

#include <stdio.h>

#include "base/limits.h"
#include "gateway/auth_jwks.h"
#include "token.h"

#define ED \
    "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""

static char room[1024];

static struct auth_jwks *parse(const char *text)
{
    struct buf errors = { (uint8_t *)room, 0, sizeof(room) - 1 };
    struct auth_jwks *s = auth_jwks_parse("keys", span_str(text), &errors);

    room[errors.len] = 0;
    assert_true((s != NULL) == (errors.len == 0));
    return s;
}

static void finds_by_kind_and_id(void **state)
{
    struct auth_jwks *s = parse(token_jwks());

    (void)state;
    assert_non_null(s);
    assert_non_null(auth_jwks_find(s, TLS_PUBKEY_RSA, SPAN_LITERAL("rsa")));
    assert_non_null(auth_jwks_find(s, TLS_PUBKEY_RSA, SPAN_LITERAL("")));
    assert_null(auth_jwks_find(s, TLS_PUBKEY_RSA, SPAN_LITERAL("ec")));
    assert_null(auth_jwks_find(s, TLS_PUBKEY_P256, SPAN_LITERAL("EC")));
    auth_jwks_release(s);

    s = parse("{\"keys\":[{\"kid\":\"1\"," ED "},{\"kid\":\"2\"," ED "}]}");
    assert_non_null(s);
    assert_non_null(auth_jwks_find(s, TLS_PUBKEY_ED25519, SPAN_LITERAL("2")));
    assert_null(auth_jwks_find(s, TLS_PUBKEY_ED25519, SPAN_LITERAL("")));
    auth_jwks_release(s);
}

static void skips_what_is_not_for_us(void **state)
{
    struct auth_jwks *s =
        parse("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AQAB\"},{\"kty\":\"new\"},{},7,"
              "{\"use\":\"enc\"," ED "},{\"alg\":\"RS256\"," ED "},"
              "{\"kty\":\"EC\",\"crv\":\"P-521\"},"
              "{\"key_ops\":[\"sign\"]," ED "},"
              "{\"key_ops\":[\"verify\"]," ED "}],\"more\":1}");

    (void)state;
    assert_non_null(s);
    assert_non_null(auth_jwks_find(s, TLS_PUBKEY_ED25519, SPAN_LITERAL("")));
    auth_jwks_release(s);
}

static void refuses_what_is_no_good(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        { "", "is no JSON" },
        { "[]", "is no JSON object" },
        { "{\"keys\":[]} {}", "is no JSON" },
        { "{}", "has no key" },
        { "{\"keys\":{}}", "has no key" },
        { "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AQAB\"}]}", "has no key" },
        { "{\"keys\":[{\"d\":\"AQAB\"," ED "}]}", "key 1 is a private key" },
        { "{\"keys\":[{" ED "},{" ED "}]}", "key 2 has the type and the kid of one before" },
        { "{\"keys\":[{\"kid\":7," ED "}]}", "key 1 has a kid that is no text" },
        { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}]}", "key 1 must have x" },
        { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAB\"}]}", "is no key of Ed" },
        { "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"AQAB\"}]}",
          "is no point of P-256" },
        { "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", "no RSA key" },
        { "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQ=B\",\"e\":\"AQAB\"}]}", "must have n and e" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_null(parse(rows[i].text));
        if (strstr(room, rows[i].why) == NULL)
            fail_msg("%s: %s", rows[i].text, room);
    }
}

static void keys_are_bounded(void **state)
{
    static char text[64 * 1024];
    int len = snprintf(text, sizeof(text), "{\"keys\":[");
    struct auth_jwks *s;

    (void)state;
    for (int i = 0; i < LIMIT_JWKS_KEYS; i++)
        len += snprintf(text + len, sizeof(text) - (size_t)len, "%s{\"kid\":\"%d\"," ED "}",
                        i > 0 ? "," : "", i);
    snprintf(text + len, sizeof(text) - (size_t)len, "]}");
    s = parse(text);
    assert_non_null(s);
    auth_jwks_release(s);
    snprintf(text + len, sizeof(text) - (size_t)len, ",{" ED "}]}");
    assert_null(parse(text));
    assert_non_null(strstr(room, "is one too many"));
}

static void rsa_keys_are_bounded(void **state)
{
    static uint8_t number[2048];
    static uint8_t text[8192];
    static const struct {
        uint32_t bytes;
        const char *why;
    } rows[] = { { 128, "less than 2048 bits" },
                 { 520, "must have n and e" },
                 { 513, "more than 4096 bits" } };

    (void)state;
    memset(number, 0xff, sizeof(number));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out = { text, 0, sizeof(text) };

        buf_put(&out, SPAN_LITERAL("{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\""));
        token_encode(&out, span_of(number, rows[i].bytes));
        buf_put(&out, SPAN_LITERAL("\"}]}"));
        text[out.len] = 0;
        assert_null(parse((const char *)text));
        if (strstr(room, rows[i].why) == NULL)
            fail_msg("%u: %s", rows[i].bytes, room);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_by_kind_and_id),    cmocka_unit_test(skips_what_is_not_for_us),
        cmocka_unit_test(refuses_what_is_no_good), cmocka_unit_test(keys_are_bounded),
        cmocka_unit_test(rsa_keys_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
