/*
 * Secrets and keys of records: HKDF-Expand-Label (RFC 8446, 7.1), the next generation of a secret
 * (7.2), key and IV (7.3), nonces (5.3).
 *
 * Failure modes: BoringSSL's HMAC finds no memory (false).
 */
#include "tls/tls_record.h"

#include <openssl/digest.h>
#include <openssl/hkdf.h>
#include <openssl/mem.h>

#include "base/assert.h"
#include "base/byteorder.h"

#define LABEL_MAX 32

struct suite {
    uint16_t number; /* RFC 8446, B.4 */
    bool scatters;
    uint8_t secret_bytes;
    const EVP_AEAD *(*aead)(void);
    const EVP_MD *(*digest)(void);
};

static const struct suite suites[] = {
    { 0x1301, true, 32, EVP_aead_aes_128_gcm, EVP_sha256 },
    { 0x1302, true, 48, EVP_aead_aes_256_gcm, EVP_sha384 },
    { 0x1303, false, 32, EVP_aead_chacha20_poly1305, EVP_sha256 },
};

static const struct suite *suite_of(uint16_t number)
{
    for (unsigned i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
        if (suites[i].number == number)
            return &suites[i];
    return NULL;
}

/* HKDF-Expand-Label with an empty context; out must not be the secret. */
static bool expand(const struct tls_record_secret *s, struct span label, uint8_t *out, uint16_t len)
{
    const struct suite *suite = suite_of(s->suite);
    uint8_t info[2 + 1 + LABEL_MAX + 1];
    struct buf b = { info, 2, sizeof(info) };
    uint8_t label_len = (uint8_t)(6 + label.len);
    uint8_t no_context = 0;

    store_be16(info, len);
    if (!buf_put(&b, span_of(&label_len, 1)) || !buf_put(&b, SPAN_LITERAL("tls13 ")) ||
        !buf_put(&b, label) || !buf_put(&b, span_of(&no_context, 1)))
        UNREACHABLE("our labels are short");
    return HKDF_expand(out, len, suite->digest(), s->bytes, suite->secret_bytes, info, b.len) == 1;
}

bool tls_record_secret_set(struct tls_record_secret *s, uint16_t number, struct span traffic,
                           uint64_t sequence)
{
    const struct suite *suite = suite_of(number);

    if (suite == NULL || traffic.len != suite->secret_bytes)
        return false;
    s->suite = number;
    s->sequence = sequence;
    memcpy(s->bytes, traffic.ptr, traffic.len);
    return true;
}

bool tls_record_secret_next(struct tls_record_secret *s)
{
    uint8_t next[TLS_RECORD_SECRET_MAX];
    uint8_t len = suite_of(s->suite)->secret_bytes;
    bool ok = expand(s, SPAN_LITERAL("traffic upd"), next, len);

    if (ok) {
        memcpy(s->bytes, next, len);
        s->sequence = 0;
    }
    OPENSSL_cleanse(next, sizeof(next));
    return ok;
}

bool tls_record_key_make(struct tls_record_key *k, const struct tls_record_secret *s)
{
    const struct suite *suite = suite_of(s->suite);
    uint8_t key[EVP_AEAD_MAX_KEY_LENGTH];
    size_t key_len = EVP_AEAD_key_length(suite->aead());
    bool ok;

    k->scatters = suite->scatters;
    ok = expand(s, SPAN_LITERAL("key"), key, (uint16_t)key_len) &&
         expand(s, SPAN_LITERAL("iv"), k->iv, sizeof(k->iv)) &&
         EVP_AEAD_CTX_init(&k->aead, suite->aead(), key, key_len, TLS_RECORD_TAG_BYTES, NULL) == 1;
    OPENSSL_cleanse(key, sizeof(key));
    return ok;
}

void tls_record_key_wipe(struct tls_record_key *k)
{
    EVP_AEAD_CTX_cleanup(&k->aead);
    OPENSSL_cleanse(k, sizeof(*k));
}

void tls_record_nonce(const struct tls_record_key *k, uint64_t sequence, uint8_t *out)
{
    memcpy(out, k->iv, sizeof(k->iv));
    store_be32(out + 4, load_be32(out + 4) ^ (uint32_t)(sequence >> 32));
    store_be32(out + 8, load_be32(out + 8) ^ (uint32_t)sequence);
}
