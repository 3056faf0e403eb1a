/* Happy path: keys are made when first asked for. Failure: an ASSERT. */
#include "token.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "base/assert.h"
#include "base/base64.h"

static EVP_PKEY *keys[TOKEN_KEYS];

static void make_keys(void)
{
    static const int kinds[TOKEN_KEYS] = { EVP_PKEY_RSA, EVP_PKEY_EC, EVP_PKEY_ED25519 };

    for (int i = 0; i < TOKEN_KEYS && keys[i] == NULL; i++) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(kinds[i], NULL);

        ASSERT(ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1);
        if (i == TOKEN_RSA)
            ASSERT(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) == 1);
        if (i == TOKEN_P256)
            ASSERT(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1) == 1);
        ASSERT(EVP_PKEY_keygen(ctx, &keys[i]) == 1);
        EVP_PKEY_CTX_free(ctx);
    }
}

void token_encode(struct buf *out, struct span bytes)
{
    uint32_t before = out->len;
    bool fits = base64_encode(out, bytes);

    ASSERT(fits);
    while (out->len > before && out->ptr[out->len - 1] == '=')
        out->len--;
    for (uint32_t i = before; i < out->len; i++) {
        if (out->ptr[i] == '+')
            out->ptr[i] = '-';
        if (out->ptr[i] == '/')
            out->ptr[i] = '_';
    }
}

static void put(struct buf *out, const char *text)
{
    bool fits = buf_put(out, span_str(text));

    ASSERT(fits);
}

struct span token_modulus(void)
{
    static uint8_t bytes[256];

    make_keys();
    ASSERT(BN_bn2bin_padded(bytes, sizeof(bytes), RSA_get0_n(EVP_PKEY_get0_RSA(keys[TOKEN_RSA]))));
    return span_of(bytes, sizeof(bytes));
}

const char *token_jwks(void)
{
    static uint8_t room[2048];
    struct buf out = { room, 0, sizeof(room) - 1 };
    uint8_t point[65];
    uint8_t ed[32];
    size_t ed_len = sizeof(ed);

    make_keys();
    put(&out,
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"rsa\",\"use\":\"sig\",\"e\":\"AQAB\",\"n\":\"");
    token_encode(&out, token_modulus());
    EC_POINT_point2oct(EC_group_p256(),
                       EC_KEY_get0_public_key(EVP_PKEY_get0_EC_KEY(keys[TOKEN_P256])),
                       POINT_CONVERSION_UNCOMPRESSED, point, sizeof(point), NULL);
    put(&out, "\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"kid\":\"ec\",\"x\":\"");
    token_encode(&out, span_of(point + 1, 32));
    put(&out, "\",\"y\":\"");
    token_encode(&out, span_of(point + 33, 32));
    ASSERT(EVP_PKEY_get_raw_public_key(keys[TOKEN_ED25519], ed, &ed_len) == 1);
    put(&out, "\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"ed\",\"x\":\"");
    token_encode(&out, span_of(ed, sizeof(ed)));
    put(&out, "\"}]}");
    room[out.len] = 0;
    return (const char *)room;
}

static void put_signed_part(struct buf *out, const char *header, const char *claims)
{
    out->len = 0;
    token_encode(out, span_str(header));
    put(out, ".");
    token_encode(out, span_str(claims));
}

static void put_signature(struct buf *out, struct span signature)
{
    put(out, ".");
    token_encode(out, signature);
    ASSERT(buf_room(out) > 0);
    out->ptr[out->len] = 0;
}

void token_make(struct buf *out, enum token_key key, const char *header, const char *claims)
{
    uint8_t signature[512];
    size_t len = sizeof(signature);
    uint8_t digest[SHA256_DIGEST_LENGTH];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    make_keys();
    put_signed_part(out, header, claims);
    if (key == TOKEN_P256) {
        SHA256(out->ptr, out->len, digest);
        ASSERT(ECDSA_sign_p1363(digest, sizeof(digest), signature, &len, sizeof(signature),
                                EVP_PKEY_get0_EC_KEY(keys[key])) == 1);
    } else {
        ASSERT(EVP_DigestSignInit(ctx, NULL, key == TOKEN_RSA ? EVP_sha256() : NULL, NULL,
                                  keys[key]) == 1);
        ASSERT(EVP_DigestSign(ctx, signature, &len, out->ptr, out->len) == 1);
    }
    EVP_MD_CTX_free(ctx);
    put_signature(out, span_of(signature, (uint32_t)len));
}

void token_make_hmac(struct buf *out, struct span secret, const char *header, const char *claims)
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    put_signed_part(out, header, claims);
    ASSERT(HMAC(EVP_sha256(), secret.ptr, secret.len, out->ptr, out->len, mac, &len) != NULL);
    put_signature(out, span_of(mac, len));
}
