/*
 * Happy path: {"keys": [...]}, each key by its type into BoringSSL's form. Failure modes: no JSON,
 * a key that is malformed or weak, two with one name, none that is for us: the file is refused, and
 * whoever has an older one keeps it.
 */
#include "gateway/auth_jwks.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/base64.h"
#include "base/limits.h"
#include "gateway/auth_json.h"
#include "gateway/slurp.h"

/* Of a number of 4,096 bits with its leading zero; a coordinate is shorter. */
#define NUMBER_BYTES (LIMIT_TLS_SIGNATURE_BYTES + 1)

struct jwk {
    struct tls_pubkey *key;
    uint32_t id_len;
    uint8_t id[LIMIT_JWKS_ID_BYTES];
};

struct auth_jwks {
    _Atomic uint32_t references;
    uint32_t count;
    struct jwk keys[LIMIT_JWKS_KEYS];
};

/* A type of key with its one curve ("": none) and its one algorithm. */
struct type {
    const char *type;
    const char *curve;
    const char *algorithm;
    struct tls_pubkey *(*make)(const json_t *jwk, const char **fault);
};

/* A member in base64url; false: there is none, or it is too long for any key. */
static bool read_number(const json_t *jwk, const char *name, uint8_t *room, struct span *out)
{
    struct span text;
    int len;

    if (!auth_json_text(jwk, name, &text))
        return false;
    len = base64_decode_url(text, room, NUMBER_BYTES);
    *out = span_of(room, len > 0 ? (uint32_t)len : 0);
    return len > 0;
}

static struct tls_pubkey *make_rsa(const json_t *jwk, const char **fault)
{
    uint8_t room[2][NUMBER_BYTES];
    struct span n;
    struct span e;

    *fault = "must have n and e in base64url, of at most 4096 bits";
    if (!read_number(jwk, "n", room[0], &n) || !read_number(jwk, "e", room[1], &e))
        return NULL;
    return tls_pubkey_rsa(n, e, fault);
}

static struct tls_pubkey *make_p256(const json_t *jwk, const char **fault)
{
    uint8_t room[2][NUMBER_BYTES];
    struct span x;
    struct span y;

    *fault = "must have x and y in base64url";
    if (!read_number(jwk, "x", room[0], &x) || !read_number(jwk, "y", room[1], &y))
        return NULL;
    return tls_pubkey_p256(x, y, fault);
}

static struct tls_pubkey *make_ed25519(const json_t *jwk, const char **fault)
{
    uint8_t room[NUMBER_BYTES];
    struct span x;

    *fault = "must have x in base64url";
    return read_number(jwk, "x", room, &x) ? tls_pubkey_ed25519(x, fault) : NULL;
}

static const struct type types[] = {
    { "RSA", "", "RS256", make_rsa },
    { "EC", "P-256", "ES256", make_p256 },
    { "OKP", "Ed25519", "EdDSA", make_ed25519 },
};

/* NULL: not for us (RFC 7517, 5: unknown types are ignored; 4.2 to 4.4: what a key is for). */
static const struct type *type_of(const json_t *jwk)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        const struct type *t = &types[i];

        if (auth_json_has_text(jwk, "kty", span_str(t->type)) &&
            auth_json_is_or_lacks(jwk, "crv", t->curve))
            return auth_json_is_or_lacks(jwk, "use", "sig") &&
                           auth_json_is_or_lacks(jwk, "alg", t->algorithm) &&
                           (json_object_get(jwk, "key_ops") == NULL ||
                            auth_json_has_text(jwk, "key_ops", SPAN_LITERAL("verify")))
                       ? t
                       : NULL;
    }
    return NULL;
}

static const char *read_id(struct jwk *to, const json_t *jwk)
{
    struct span id = { NULL, 0 };

    if (json_object_get(jwk, "kid") != NULL && !auth_json_text(jwk, "kid", &id))
        return "has a kid that is no text";
    if (id.len > sizeof(to->id))
        return "has a kid of more than 128 bytes";
    if (id.len > 0)
        memcpy(to->id, id.ptr, id.len);
    to->id_len = id.len;
    return NULL;
}

static struct span id_of(const struct jwk *k)
{
    return span_of(k->id, k->id_len);
}

/* NULL: fine, or skipped. */
static const char *add_key(struct auth_jwks *s, const json_t *jwk)
{
    const struct type *t = type_of(jwk);
    struct jwk *to = &s->keys[s->count];
    const char *fault;

    if (t == NULL)
        return NULL;
    if (json_object_get(jwk, "d") != NULL)
        return "is a private key: give the public one";
    if (s->count == LIMIT_JWKS_KEYS)
        return "is one too many: 64 are read at most";
    fault = read_id(to, jwk);
    if (fault != NULL)
        return fault;
    to->key = t->make(jwk, &fault);
    if (to->key == NULL)
        return fault;
    s->count++;
    for (uint32_t i = 0; i + 1 < s->count; i++) {
        if (tls_pubkey_kind(s->keys[i].key) == tls_pubkey_kind(to->key) &&
            span_equal(id_of(&s->keys[i]), id_of(to)))
            return "has the type and the kid of one before it";
    }
    return NULL;
}

static void free_set(struct auth_jwks *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        tls_pubkey_destroy(s->keys[i].key);
    free(s);
}

/* NULL: fine. */
static const char *add_keys(struct auth_jwks *s, const json_t *set, size_t *at)
{
    const json_t *keys = json_object_get(set, "keys");

    for (*at = 0; *at < json_array_size(keys); (*at)++) {
        const char *fault = add_key(s, json_array_get(keys, *at));

        if (fault != NULL)
            return fault;
    }
    return NULL;
}

struct auth_jwks *auth_jwks_parse(const char *path, struct span text, struct buf *errors)
{
    const char *fault;
    struct auth_jwks *s;
    json_t *set = auth_json_read(text, &fault);
    size_t at;

    if (set == NULL) {
        buf_printf(errors, "%s: %s\n", path, fault);
        return NULL;
    }
    s = calloc(1, sizeof(*s));
    ASSERT(s != NULL);
    s->references = 1;
    fault = add_keys(s, set, &at);
    json_decref(set);
    if (fault != NULL)
        buf_printf(errors, "%s: key %zu %s\n", path, at + 1, fault);
    else if (s->count == 0)
        buf_printf(errors, "%s: has no key for RS256, ES256 or EdDSA among \"keys\"\n", path);
    if (fault == NULL && s->count > 0)
        return s;
    free_set(s);
    return NULL;
}

struct auth_jwks *auth_jwks_load(const char *path, struct buf *errors)
{
    struct auth_jwks *s;
    struct span text;

    if (!slurp_file(path, LIMIT_JWKS_BYTES, &text, errors))
        return NULL;
    s = auth_jwks_parse(path, text, errors);
    slurp_free(text);
    return s;
}

struct auth_jwks *auth_jwks_ref(struct auth_jwks *s)
{
    if (s != NULL)
        atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
    return s;
}

void auth_jwks_release(struct auth_jwks *s)
{
    if (s != NULL && atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) == 1)
        free_set(s);
}

const struct tls_pubkey *auth_jwks_find(const struct auth_jwks *s, enum tls_pubkey_kind kind,
                                        struct span id)
{
    const struct tls_pubkey *found = NULL;

    for (uint32_t i = 0; i < s->count; i++) {
        const struct jwk *k = &s->keys[i];

        if (tls_pubkey_kind(k->key) != kind || (id.len > 0 && !span_equal(id, id_of(k))))
            continue;
        if (found != NULL)
            return NULL;
        found = k->key;
    }
    return found;
}
