/*
 * In this order: three parts; a header whose algorithm is one of ours, and names a key of just that
 * kind (so that no key is ever used for another algorithm, and "none" and HMACs have no row); the
 * signature; then the claims. RFC 8725 is the list of attacks that this order is made for.
 */
#include "gateway/auth_jwt.h"

#include <string.h>

#include "base/base64.h"
#include "gateway/auth_json.h"

struct parts {
    struct span signed_text; /* the first two, with the dot between */
    struct span header;
    struct span claims;
    struct span signature;
};

/* Three parts and no more: five are a JWE, and a token without its signature has an empty one. */
static bool split(struct span token, struct parts *p)
{
    const uint8_t *first = token.len > 0 ? memchr(token.ptr, '.', token.len) : NULL;
    const uint8_t *last = token.len > 0 ? memrchr(token.ptr, '.', token.len) : NULL;

    if (first == last)
        return false;
    p->signed_text = span_first(token, (uint32_t)(last - token.ptr));
    p->header = span_first(token, (uint32_t)(first - token.ptr));
    p->claims = span_skip(p->signed_text, p->header.len + 1);
    p->signature = span_skip(token, p->signed_text.len + 1);
    return p->signature.len > 0 && memchr(p->claims.ptr, '.', p->claims.len) == NULL;
}

/* NULL: *fault has the reason. */
static json_t *read_part(struct span text, uint8_t *room, uint32_t cap)
{
    int len = base64_decode_url(text, room, cap);
    const char *fault;

    return len > 0 ? auth_json_read(span_of(room, (uint32_t)len), &fault) : NULL;
}

static bool read_algorithm(const json_t *header, enum tls_pubkey_kind *kind)
{
    static const struct {
        const char *name;
        enum tls_pubkey_kind kind;
    } rows[] = {
        { "RS256", TLS_PUBKEY_RSA },
        { "ES256", TLS_PUBKEY_P256 },
        { "EdDSA", TLS_PUBKEY_ED25519 },
        { "Ed25519", TLS_PUBKEY_ED25519 }, /* RFC 9864 */
    };
    struct span name;

    if (!auth_json_text(header, "alg", &name))
        return false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        *kind = rows[i].kind;
        if (span_equal(name, span_str(rows[i].name)))
            return true;
    }
    return false;
}

/* RFC 9068, 2.1, and what providers write who do not follow it: anything else was made for another
 * purpose (RFC 8725, 3.11). */
static bool is_access_token(const json_t *header)
{
    struct span type;

    if (json_object_get(header, "typ") == NULL)
        return true;
    if (!auth_json_text(header, "typ", &type))
        return false;
    return span_equal_nocase(type, SPAN_LITERAL("JWT")) ||
           span_equal_nocase(type, SPAN_LITERAL("at+jwt")) ||
           span_equal_nocase(type, SPAN_LITERAL("application/at+jwt"));
}

/* NULL: *key is the one. Keys that a token brings with it (jwk, jku, x5u) are not looked at. */
static const char *judge_header(const json_t *header, const struct auth_jwks *keys,
                                const struct tls_pubkey **key)
{
    enum tls_pubkey_kind kind;
    struct span id = { NULL, 0 };

    if (!read_algorithm(header, &kind))
        return "algorithm is none of RS256, ES256, EdDSA";
    /* RFC 7515, 4.1.11: what is not understood must be refused; a nested token has a cty. */
    if (json_object_get(header, "crit") != NULL || json_object_get(header, "cty") != NULL)
        return "header has crit or cty";
    if (!is_access_token(header))
        return "typ is not that of an access token";
    if (json_object_get(header, "kid") != NULL &&
        (!auth_json_text(header, "kid", &id) || id.len == 0))
        return "kid is no text";
    *key = auth_jwks_find(keys, kind, id);
    return *key != NULL ? NULL : "no such key";
}

static const char *judge_signature(const struct parts *p, const struct auth_jwks *keys)
{
    uint8_t room[LIMIT_JWT_HEADER_BYTES];
    uint8_t signature[LIMIT_TLS_SIGNATURE_BYTES];
    const struct tls_pubkey *key = NULL;
    json_t *header = read_part(p->header, room, sizeof(room));
    const char *fault;
    int len;

    if (header == NULL)
        return "header cannot be read";
    fault = judge_header(header, keys, &key);
    json_decref(header);
    if (fault != NULL)
        return fault;
    len = base64_decode_url(p->signature, signature, sizeof(signature));
    if (len <= 0 || !tls_pubkey_verify(key, p->signed_text, span_of(signature, (uint32_t)len)))
        return "signature is wrong";
    return NULL;
}

/* Seconds since 1970, perhaps with a fraction (RFC 7519, 2). */
static bool read_time(const json_t *claims, const char *name, double *to)
{
    const json_t *member = json_object_get(claims, name);

    *to = json_number_value(member);
    return json_is_number(member);
}

/* True when it is not there, or is past. */
static bool is_past(const json_t *claims, const char *name, double now)
{
    double when;

    if (json_object_get(claims, name) == NULL)
        return true;
    return read_time(claims, name, &when) && when <= now + LIMIT_JWT_LEEWAY_S;
}

/* "scope" is words in one text (RFC 8693, 4.2); some providers have an array, or call it "scp". */
static bool has_scope(const json_t *claims, const char *name, struct span scope)
{
    struct span text;

    if (!auth_json_text(claims, name, &text))
        return auth_json_has_text(claims, name, scope);
    while (text.len > 0) {
        const uint8_t *space = memchr(text.ptr, ' ', text.len);
        struct span word = span_first(text, space ? (uint32_t)(space - text.ptr) : text.len);

        if (span_equal(word, scope))
            return true;
        text = span_skip(text, word.len + 1);
    }
    return false;
}

/* A login that some user may have; an address that its provider has not verified is none. */
static bool read_login(const json_t *claims, const char *claim, struct auth_jwt_answer *answer)
{
    struct span login;

    if (!auth_json_text(claims, claim, &login) || login.len == 0 ||
        login.len > sizeof(answer->login))
        return false;
    if (strcmp(claim, "email") == 0 && json_is_false(json_object_get(claims, "email_verified")))
        return false;
    memcpy(answer->login, login.ptr, login.len);
    answer->login_len = login.len;
    return true;
}

static bool read_grant(const json_t *claims, struct auth_jwt_answer *answer)
{
    static const char claim[] = "postern_senders";
    struct span grant;

    if (json_object_get(claims, claim) == NULL)
        return true;
    if (!auth_json_text(claims, claim, &grant) || grant.len > sizeof(answer->grant))
        return false;
    memcpy(answer->grant, grant.ptr, grant.len);
    answer->grant_len = grant.len;
    return true;
}

static enum auth_jwt_outcome judge_claims(const json_t *claims, const struct auth_jwt_rules *rules,
                                          double now, struct auth_jwt_answer *answer)
{
    struct span issuer;
    double expires;

    answer->why = "issuer is another";
    if (!auth_json_text(claims, "iss", &issuer) || !span_equal(issuer, rules->issuer))
        return AUTH_JWT_WRONG;
    answer->why = "audience is another";
    if (!auth_json_has_text(claims, "aud", rules->audience))
        return AUTH_JWT_WRONG;
    answer->why = "exp is missing";
    if (!read_time(claims, "exp", &expires))
        return AUTH_JWT_WRONG;
    answer->why = "not good yet";
    if (!is_past(claims, "nbf", now) || !is_past(claims, "iat", now))
        return AUTH_JWT_WRONG;
    answer->why = "expired";
    if (expires + LIMIT_JWT_LEEWAY_S <= now)
        return AUTH_JWT_EXPIRED;
    answer->why = "scope is missing";
    if (rules->scope.len > 0 && !has_scope(claims, "scope", rules->scope) &&
        !has_scope(claims, "scp", rules->scope))
        return AUTH_JWT_FORBIDDEN;
    answer->why = "postern_senders is no text, or too long";
    if (!read_grant(claims, answer))
        return AUTH_JWT_FORBIDDEN;
    answer->why = "has no login";
    return read_login(claims, rules->login, answer) ? AUTH_JWT_VALID : AUTH_JWT_WRONG;
}

enum auth_jwt_outcome auth_jwt_check(struct span token, const struct auth_jwks *keys,
                                     const struct auth_jwt_rules *rules, uint64_t unix_s,
                                     struct auth_jwt_answer *answer)
{
    uint8_t room[LIMIT_JWT_BYTES / 4 * 3];
    enum auth_jwt_outcome outcome;
    struct parts parts;
    json_t *claims;

    *answer = (struct auth_jwt_answer){ .why = "is not three parts" };
    if (token.len > LIMIT_JWT_BYTES || !split(token, &parts))
        return AUTH_JWT_WRONG;
    answer->why = judge_signature(&parts, keys);
    if (answer->why != NULL)
        return AUTH_JWT_WRONG;
    answer->why = "claims cannot be read";
    claims = read_part(parts.claims, room, sizeof(room));
    if (claims == NULL)
        return AUTH_JWT_WRONG;
    outcome = judge_claims(claims, rules, (double)unix_s, answer);
    json_decref(claims);
    return outcome;
}
