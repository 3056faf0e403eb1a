/*
 * Happy path: a key is made once from a file, and checks signatures until it is freed. Failure
 * modes: numbers that are no key of the kind, or a weak one, are refused when it is made; a
 * signature of another length or form is as wrong as any.
 */
#include "tls/tls_pubkey.h"

#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "base/assert.h"
#include "base/limits.h"
#include "tls/tls_error.h"

#define FIELD_BYTES 32 /* a coordinate, on both curves */

struct tls_pubkey {
    enum tls_pubkey_kind kind;
    EVP_PKEY *key;
};

/* Takes `key`, which may be NULL: then *fault stands. */
static struct tls_pubkey *key_create(enum tls_pubkey_kind kind, EVP_PKEY *key)
{
    struct tls_pubkey *k = key != NULL ? malloc(sizeof(*k)) : NULL;

    tls_error_forget();
    if (k == NULL) {
        EVP_PKEY_free(key);
        return NULL;
    }
    *k = (struct tls_pubkey){ .kind = kind, .key = key };
    return k;
}

static RSA *make_rsa(struct span modulus, struct span exponent)
{
    BIGNUM *n = BN_bin2bn(modulus.ptr, modulus.len, NULL);
    BIGNUM *e = BN_bin2bn(exponent.ptr, exponent.len, NULL);
    RSA *rsa = n != NULL && e != NULL ? RSA_new_public_key(n, e) : NULL;

    BN_free(n);
    BN_free(e);
    return rsa;
}

/* NULL: fine. */
static const char *rsa_fault(const RSA *rsa)
{
    if (rsa == NULL)
        return "is no RSA key";
    if (RSA_bits(rsa) < 2048)
        return "has less than 2048 bits";
    return RSA_bits(rsa) > LIMIT_TLS_SIGNATURE_BYTES * 8 ? "has more than 4096 bits" : NULL;
}

struct tls_pubkey *tls_pubkey_rsa(struct span modulus, struct span exponent, const char **fault)
{
    EVP_PKEY *key = NULL;
    RSA *rsa;

    /* With leading zeros or not, and before anything is computed with it. */
    if (modulus.len > LIMIT_TLS_SIGNATURE_BYTES + 1 || exponent.len > LIMIT_TLS_SIGNATURE_BYTES) {
        *fault = "has more than 4096 bits";
        return NULL;
    }
    rsa = make_rsa(modulus, exponent);
    *fault = rsa_fault(rsa);
    if (*fault == NULL) {
        *fault = "is no RSA key";
        key = EVP_PKEY_new();
        if (key != NULL && !EVP_PKEY_set1_RSA(key, rsa)) {
            EVP_PKEY_free(key);
            key = NULL;
        }
    }
    RSA_free(rsa);
    return key_create(TLS_PUBKEY_RSA, key);
}

struct tls_pubkey *tls_pubkey_p256(struct span x, struct span y, const char **fault)
{
    uint8_t point[1 + 2 * FIELD_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
    EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    EVP_PKEY *key = NULL;

    *fault = "is no point of P-256";
    if (ec != NULL && x.len == FIELD_BYTES && y.len == FIELD_BYTES) {
        memcpy(point + 1, x.ptr, FIELD_BYTES);
        memcpy(point + 1 + FIELD_BYTES, y.ptr, FIELD_BYTES);
        key = EC_KEY_oct2key(ec, point, sizeof(point), NULL) ? EVP_PKEY_new() : NULL;
    }
    if (key != NULL && !EVP_PKEY_set1_EC_KEY(key, ec)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    EC_KEY_free(ec);
    return key_create(TLS_PUBKEY_P256, key);
}

struct tls_pubkey *tls_pubkey_ed25519(struct span x, const char **fault)
{
    *fault = "is no key of Ed25519";
    return key_create(TLS_PUBKEY_ED25519,
                      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.ptr, x.len));
}

void tls_pubkey_destroy(struct tls_pubkey *k)
{
    if (k != NULL)
        EVP_PKEY_free(k->key);
    free(k);
}

enum tls_pubkey_kind tls_pubkey_kind(const struct tls_pubkey *k)
{
    return k->kind;
}

static bool verify_digest(const struct tls_pubkey *k, const EVP_MD *digest, struct span text,
                          struct span signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool right = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, digest, NULL, k->key) == 1 &&
                 EVP_DigestVerify(ctx, signature.ptr, signature.len, text.ptr, text.len) == 1;

    EVP_MD_CTX_free(ctx);
    return right;
}

/* JOSE has r and s side by side (RFC 7518, 3.4), not DER. */
static bool verify_p256(const struct tls_pubkey *k, struct span text, struct span signature)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];

    SHA256(text.ptr, text.len, digest);
    return ECDSA_verify_p1363(digest, sizeof(digest), signature.ptr, signature.len,
                              EVP_PKEY_get0_EC_KEY(k->key)) == 1;
}

bool tls_pubkey_verify(const struct tls_pubkey *k, struct span text, struct span signature)
{
    bool right = false;

    switch (k->kind) {
    case TLS_PUBKEY_RSA: right = verify_digest(k, EVP_sha256(), text, signature); break;
    case TLS_PUBKEY_P256: right = verify_p256(k, text, signature); break;
    case TLS_PUBKEY_ED25519: right = verify_digest(k, NULL, text, signature); break;
    }
    tls_error_forget();
    return right;
}
