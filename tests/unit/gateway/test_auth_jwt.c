/*
 * Is a token taken when it is right, and is each way that is known to get around that (RFC 8725)
 * closed? Keys and tokens are made in the test.
 */
#include "lib/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "gateway/auth_jwt.h"
#include "token.h"

#define NOW    1800000000ULL
#define HEADER "{\"alg\":\"ES256\",\"kid\":\"ec\"}"
#define FRONT  "{\"iss\":\"https://id.example\",\"aud\":\"postern\",\"email\":\"a@example.org\""
#define CLAIMS FRONT ",\"exp\":1800000600,\"iat\":1799999990,\"scope\":\"openid mail.send\"}"

static const struct auth_jwt_rules rules = { .issuer = SPAN_LITERAL("https://id.example"),
                                             .audience = SPAN_LITERAL("postern"),
                                             .scope = SPAN_LITERAL("mail.send"),
                                             .login = "email" };
static struct auth_jwks *keys;
static uint8_t room[64 * 1024];
static struct buf token = { room, 0, sizeof(room) };
static struct auth_jwt_answer answer;

static int read_keys(void **state)
{
    uint8_t text[512];
    struct buf errors = { text, 0, sizeof(text) };

    (void)state;
    keys = auth_jwks_parse("keys", span_str(token_jwks()), &errors);
    return keys == NULL;
}

static int free_keys(void **state)
{
    (void)state;
    auth_jwks_release(keys);
    return 0;
}

static enum auth_jwt_outcome check_text(struct span text)
{
    /* A copy of just its size, so that a sanitizer sees a step past its end. */
    uint8_t *copy = malloc(text.len + 1);
    enum auth_jwt_outcome outcome;

    assert_non_null(copy);
    memcpy(copy, text.ptr, text.len);
    outcome = auth_jwt_check(span_of(copy, text.len), keys, &rules, NOW, &answer);
    free(copy);
    assert_true((outcome == AUTH_JWT_VALID) == (answer.login_len > 0));
    return outcome;
}

static enum auth_jwt_outcome check(void)
{
    return check_text(span_of(room, token.len));
}

/* WRONG, and for this reason: another one would mean that the attack was not what was tested. */
static void assert_refused(const char *why)
{
    assert_int_equal(check(), AUTH_JWT_WRONG);
    assert_string_equal(answer.why, why);
}

static void refused_claims(const char *claims, const char *why)
{
    token_make(&token, TOKEN_P256, HEADER, claims);
    assert_refused(why);
}

static void refused_header(const char *header, const char *why)
{
    token_make(&token, TOKEN_P256, header, CLAIMS);
    assert_refused(why);
}

static void takes_each_algorithm(void **state)
{
    (void)state;
    token_make(&token, TOKEN_RSA, "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"JWT\"}", CLAIMS);
    assert_int_equal(check(), AUTH_JWT_VALID);
    token_make(&token, TOKEN_P256, "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"at+jwt\"}", CLAIMS);
    assert_int_equal(check(), AUTH_JWT_VALID);
    token_make(&token, TOKEN_ED25519, "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", CLAIMS);
    assert_int_equal(check(), AUTH_JWT_VALID);
    token_make(&token, TOKEN_ED25519, "{\"alg\":\"Ed25519\"}", CLAIMS);
    assert_int_equal(check(), AUTH_JWT_VALID);
    assert_true(span_equal(span_of(answer.login, answer.login_len), SPAN_LITERAL("a@example.org")));
}

static void refuses_none(void **state)
{
    static const char *const headers[] = { "{\"alg\":\"none\"}", "{\"alg\":\"None\"}",
                                           "{\"alg\":\"\"}", "{}", "{\"alg\":null}" };

    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        refused_header(headers[i], "algorithm is none of RS256, ES256, EdDSA");
    token_make(&token, TOKEN_P256, "{\"alg\":\"none\"}", CLAIMS);
    while (room[token.len - 1] != '.')
        token.len--;
    assert_refused("is not three parts");
}

/* The public key as the secret of an HMAC; and a right signature under another algorithm's name. */
static void refuses_another_algorithm_than_the_key_has(void **state)
{
    (void)state;
    token_make_hmac(&token, token_modulus(), "{\"alg\":\"HS256\",\"kid\":\"rsa\"}", CLAIMS);
    assert_refused("algorithm is none of RS256, ES256, EdDSA");
    token_make_hmac(&token, span_str(token_jwks()), "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", CLAIMS);
    assert_refused("signature is wrong");
    token_make(&token, TOKEN_RSA, "{\"alg\":\"RS256\",\"kid\":\"ec\"}", CLAIMS);
    assert_refused("no such key");
    token_make(&token, TOKEN_RSA, "{\"alg\":\"PS256\",\"kid\":\"rsa\"}", CLAIMS);
    assert_refused("algorithm is none of RS256, ES256, EdDSA");
    token_make(&token, TOKEN_RSA, "{\"alg\":\"ES256\",\"kid\":\"ec\"}", CLAIMS);
    assert_refused("signature is wrong");
}

static void refuses_keys_that_come_with_the_token(void **state)
{
    (void)state;
    refused_header("{\"alg\":\"RS256\",\"jwk\":{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"},"
                   "\"jku\":\"https://evil.example/keys\",\"kid\":\"evil\"}",
                   "no such key");
    refused_header("{\"alg\":\"ES256\",\"kid\":\"../../etc/passwd\"}", "no such key");
    refused_header("{\"alg\":\"ES256\",\"kid\":\"\"}", "kid is no text");
    refused_header("{\"alg\":\"ES256\",\"kid\":[\"ec\"]}", "kid is no text");
}

static void refuses_headers_that_mean_something_else(void **state)
{
    (void)state;
    refused_header("{\"alg\":\"ES256\",\"kid\":\"ec\",\"crit\":[\"b64\"],\"b64\":false}",
                   "header has crit or cty");
    refused_header("{\"alg\":\"ES256\",\"kid\":\"ec\",\"cty\":\"JWT\"}", "header has crit or cty");
    refused_header("{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"logout+jwt\"}",
                   "typ is not that of an access token");
    refused_header("{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"ec\"}", "header cannot be read");
    refused_header("[]", "header cannot be read");
}

static void each_changed_byte_is_wrong(void **state)
{
    (void)state;
    token_make(&token, TOKEN_ED25519, "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", CLAIMS);
    for (uint32_t i = 0; i < token.len; i++) {
        room[i] ^= 1;
        assert_int_equal(check(), AUTH_JWT_WRONG);
        room[i] ^= 1;
    }
    for (uint32_t len = 0; len < token.len; len++)
        assert_int_equal(check_text(span_of(room, len)), AUTH_JWT_WRONG);
    assert_int_equal(check(), AUTH_JWT_VALID);
}

/* r and s of the right token, as DER and with zeros, are other bytes: one form each. */
static void signatures_have_one_form(void **state)
{
    (void)state;
    token_make(&token, TOKEN_P256, HEADER, CLAIMS);
    assert_int_equal(check(), AUTH_JWT_VALID);
    assert_true(buf_put(&token, SPAN_LITERAL("AAAA")));
    assert_refused("signature is wrong");
    token.len -= 4;
    assert_true(buf_put(&token, SPAN_LITERAL("==")));
    assert_refused("signature is wrong");
    token.len -= 2;
    assert_true(buf_put(&token, SPAN_LITERAL(".")));
    assert_refused("is not three parts");
}

static void time_has_two_ends(void **state)
{
    (void)state;
    token_make(&token, TOKEN_P256, HEADER, FRONT ",\"exp\":1799999941,\"scp\":[\"mail.send\"]}");
    assert_int_equal(check(), AUTH_JWT_VALID);
    token_make(&token, TOKEN_P256, HEADER, FRONT ",\"exp\":1799999940,\"scp\":\"mail.send\"}");
    assert_int_equal(check(), AUTH_JWT_EXPIRED);
    token_make(&token, TOKEN_P256, HEADER, FRONT ",\"exp\":1799999941.5,\"scp\":\"mail.send\"}");
    assert_int_equal(check(), AUTH_JWT_VALID);
    refused_claims(FRONT ",\"scope\":\"mail.send\"}", "exp is missing");
    refused_claims(FRONT ",\"exp\":\"1800000600\"}", "exp is missing");
    refused_claims(FRONT ",\"exp\":1800000600,\"nbf\":1800000061}", "not good yet");
    refused_claims(FRONT ",\"exp\":1800000600,\"nbf\":\"0\"}", "not good yet");
    refused_claims(FRONT ",\"exp\":1800000600,\"iat\":1800000061}", "not good yet");
    refused_claims(FRONT ",\"exp\":1e999}", "claims cannot be read");
    refused_claims(FRONT ",\"exp\":99999999999999999999999}", "claims cannot be read");
    refused_claims(FRONT ",\"exp\":NaN}", "claims cannot be read");
}

static void for_us_by_whom_we_trust(void **state)
{
    static const char rest[] = ",\"exp\":1800000600,\"email\":\"a@example.org\","
                               "\"scope\":\"mail.send\"}";
    static const struct {
        const char *claims;
        const char *why;
    } rows[] = {
        { "{\"aud\":\"postern\"", "issuer is another" },
        { "{\"aud\":\"postern\",\"iss\":\"https://id.example.evil\"", "issuer is another" },
        { "{\"aud\":\"postern\",\"iss\":\"https://id.example/\"", "issuer is another" },
        { "{\"aud\":\"postern\",\"iss\":[\"https://id.example\"]", "issuer is another" },
        { "{\"iss\":\"https://id.example\"", "audience is another" },
        { "{\"iss\":\"https://id.example\",\"aud\":\"other\"", "audience is another" },
        { "{\"iss\":\"https://id.example\",\"aud\":\"Postern\"", "audience is another" },
        { "{\"iss\":\"https://id.example\",\"aud\":[]", "audience is another" },
        { "{\"iss\":\"https://id.example\",\"aud\":{\"postern\":1}", "audience is another" },
    };
    char claims[512];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(claims, sizeof(claims), "%s%s", rows[i].claims, rest);
        refused_claims(claims, rows[i].why);
    }
    snprintf(claims, sizeof(claims), "%s%s",
             "{\"iss\":\"https://id.example\",\"aud\":[\"other\",\"postern\"]", rest);
    token_make(&token, TOKEN_P256, HEADER, claims);
    assert_int_equal(check(), AUTH_JWT_VALID);
}

static void scopes_are_whole_words(void **state)
{
    static const char *const bad[] = {
        "",
        ",\"scope\":\"\"",
        ",\"scope\":\"mail.sendall mail\"",
        ",\"scope\":[\"mail\"]",
        ",\"scope\":\"MAIL.SEND\"",
        ",\"scp\":7",
    };
    char claims[512];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(claims, sizeof(claims), FRONT ",\"exp\":1800000600%s}", bad[i]);
        token_make(&token, TOKEN_P256, HEADER, claims);
        assert_int_equal(check(), AUTH_JWT_FORBIDDEN);
    }
}

static void claims_are_read_once(void **state)
{
    (void)state;
    refused_claims(FRONT ",\"email\":\"root@example.org\",\"exp\":1800000600}",
                   "claims cannot be read");
    refused_claims(CLAIMS "{}", "claims cannot be read");
    refused_claims("\"" CLAIMS "\"", "claims cannot be read");
    refused_claims("{\"email\":\"a@example.org\\u0000x\"}", "claims cannot be read");
    refused_claims("{\"email\":\"a\xff\"}", "claims cannot be read");
}

static void deep_claims_are_not_parsed(void **state)
{
    static char claims[8192];
    size_t len;

    (void)state;
    len = (size_t)snprintf(claims, sizeof(claims), "{\"x\":");
    memset(claims + len, '[', 4000);
    claims[len + 4000] = 0;
    refused_claims(claims, "claims cannot be read");
    refused_claims(FRONT ",\"exp\":1800000600,\"scope\":\"mail.send\","
                         "\"x\":[[[[[[[[[1]]]]]]]]]}",
                   "claims cannot be read");
    token_make(&token, TOKEN_P256, HEADER,
               FRONT ",\"exp\":1800000600,\"scope\":\"mail.send\","
                     "\"x\":[[[[[[[\"[[[[[[[[[[\\\"[\"]]]]]]]}");
    assert_int_equal(check(), AUTH_JWT_VALID);
}

static void huge_tokens_are_refused(void **state)
{
    static char claims[LIMIT_JWT_BYTES];
    char header[2048];

    (void)state;
    memset(claims, 'x', sizeof(claims) - 1);
    refused_claims(claims, "is not three parts");
    snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%01500d\"}", 0);
    refused_header(header, "header cannot be read");
}

static void logins_are_those_of_users(void **state)
{
    static const char front[] = "{\"iss\":\"https://id.example\",\"aud\":\"postern\","
                                "\"exp\":1800000600,\"scope\":\"mail.send\"";
    static const char *const bad[] = { "}", ",\"email\":\"\"}", ",\"email\":17}",
                                       ",\"email\":[\"a@example.org\"]}",
                                       ",\"email\":\"a@example.org\",\"email_verified\":false}" };
    char claims[1024];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(claims, sizeof(claims), "%s%s", front, bad[i]);
        refused_claims(claims, "has no login");
    }
    snprintf(claims, sizeof(claims), "%s,\"email\":\"%0256d\"}", front, 0);
    token_make(&token, TOKEN_P256, HEADER, claims);
    assert_int_equal(check(), AUTH_JWT_VALID);
    snprintf(claims, sizeof(claims), "%s,\"email\":\"%0257d\"}", front, 0);
    refused_claims(claims, "has no login");
}

static void a_token_may_grant(void **state)
{
    static const char front[] = "{\"iss\":\"https://id.example\",\"aud\":\"postern\","
                                "\"exp\":1800000600,\"scope\":\"mail.send\","
                                "\"email\":\"a@example.org\"";
    char claims[1024];

    (void)state;
    snprintf(claims, sizeof(claims), "%s,\"postern_senders\":\"self rcpt=5\"}", front);
    token_make(&token, TOKEN_P256, HEADER, claims);
    assert_int_equal(check(), AUTH_JWT_VALID);
    assert_int_equal(answer.grant_len, 11);
    assert_memory_equal(answer.grant, "self rcpt=5", 11);
    snprintf(claims, sizeof(claims), "%s,\"postern_senders\":5}", front);
    token_make(&token, TOKEN_P256, HEADER, claims);
    assert_int_equal(check(), AUTH_JWT_FORBIDDEN);
    snprintf(claims, sizeof(claims), "%s,\"postern_senders\":\"%0513d\"}", front, 0);
    token_make(&token, TOKEN_P256, HEADER, claims);
    assert_int_equal(check(), AUTH_JWT_FORBIDDEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_each_algorithm),
        cmocka_unit_test(refuses_none),
        cmocka_unit_test(refuses_another_algorithm_than_the_key_has),
        cmocka_unit_test(refuses_keys_that_come_with_the_token),
        cmocka_unit_test(refuses_headers_that_mean_something_else),
        cmocka_unit_test(each_changed_byte_is_wrong),
        cmocka_unit_test(signatures_have_one_form),
        cmocka_unit_test(time_has_two_ends),
        cmocka_unit_test(for_us_by_whom_we_trust),
        cmocka_unit_test(scopes_are_whole_words),
        cmocka_unit_test(claims_are_read_once),
        cmocka_unit_test(deep_claims_are_not_parsed),
        cmocka_unit_test(huge_tokens_are_refused),
        cmocka_unit_test(logins_are_those_of_users),
        cmocka_unit_test(a_token_may_grant),
    };

    return cmocka_run_group_tests(tests, read_keys, free_keys);
}
