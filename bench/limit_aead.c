/*
 * Records of TLS 1.3 sealed in place, and opened to another place, without TLS around them.
 *
 * Happy path: every operation works on one buffer that stays in the cache. Failure: memory is
 * short, or an open does not give what a seal took (then the task says so, and the run ends).
 */
#include <stdlib.h>
#include <x86intrin.h>

#include <openssl/aead.h>

#include "bench/limit.h"

#define SIZES        3
#define TAG_BYTES    16
#define NONCE_BYTES  12
#define HEADER_BYTES 5 /* what TLS 1.3 authenticates beside the text: a record's header */
#define BATCH_US     500

enum { CIPHERS = 3 };

struct aead_case {
    EVP_AEAD_CTX *ctx;
    uint32_t len;
    uint8_t *text;   /* len + TAG_BYTES */
    uint8_t *sealed; /* what seal made of a text of zeros, for open */
};

static struct aead_case cases[CIPHERS * SIZES];
static const uint8_t nonce[NONCE_BYTES] = { 1 };
static const uint8_t header[HEADER_BYTES] = { 23, 3, 3, 0, 0 };

static uint64_t seal(void *arg, uint64_t count)
{
    const struct aead_case *c = arg;
    uint64_t begin = __rdtsc();
    size_t len;

    for (uint64_t i = 0; i < count; i++)
        if (!EVP_AEAD_CTX_seal(c->ctx, c->text, &len, c->len + TAG_BYTES, nonce, sizeof(nonce),
                               c->text, c->len, header, sizeof(header)))
            return 0;
    return __rdtsc() - begin;
}

static uint64_t open_record(void *arg, uint64_t count)
{
    const struct aead_case *c = arg;
    uint64_t begin = __rdtsc();
    size_t len;

    for (uint64_t i = 0; i < count; i++)
        if (!EVP_AEAD_CTX_open(c->ctx, c->text, &len, c->len, nonce, sizeof(nonce), c->sealed,
                               c->len + TAG_BYTES, header, sizeof(header)))
            return 0;
    return __rdtsc() - begin;
}

static bool make_case(struct aead_case *c, const EVP_AEAD *aead, uint32_t len)
{
    static const uint8_t key[EVP_AEAD_MAX_KEY_LENGTH] = { 2 };
    size_t sealed;

    c->len = len;
    c->text = calloc(1, len + TAG_BYTES);
    c->sealed = calloc(1, len + TAG_BYTES);
    c->ctx = EVP_AEAD_CTX_new(aead, key, EVP_AEAD_key_length(aead), TAG_BYTES);
    return c->text != NULL && c->sealed != NULL && c->ctx != NULL &&
           EVP_AEAD_CTX_seal(c->ctx, c->sealed, &sealed, len + TAG_BYTES, nonce, sizeof(nonce),
                             c->text, len, header, sizeof(header));
}

static void add(struct timing *t, struct aead_case *c, const char *what,
                uint64_t (*run)(void *arg, uint64_t count))
{
    struct timing_task task = { .bytes = c->len, .run = run, .arg = c, .batch_us = BATCH_US };

    snprintf(task.name, sizeof(task.name), "%s/%u", what, c->len);
    timing_add(t, &task);
}

bool limit_aead_open(struct timing *t, const char *directory, struct buf *why)
{
    static const uint32_t sizes[SIZES] = { 64, 1400, 16384 };
    const struct {
        const EVP_AEAD *aead;
        const char *seal;
        const char *open;
    } ciphers[CIPHERS] = {
        { EVP_aead_aes_128_gcm(), "aead/seal/aes-128-gcm", "aead/open/aes-128-gcm" },
        { EVP_aead_aes_256_gcm(), "aead/seal/aes-256-gcm", "aead/open/aes-256-gcm" },
        { EVP_aead_chacha20_poly1305(), "aead/seal/chacha20", "aead/open/chacha20" },
    };

    (void)directory;
    for (unsigned i = 0; i < CIPHERS; i++)
        for (unsigned j = 0; j < SIZES; j++) {
            struct aead_case *c = &cases[i * SIZES + j];

            if (!make_case(c, ciphers[i].aead, sizes[j])) {
                buf_printf(why, "memory is short");
                return false;
            }
            add(t, c, ciphers[i].seal, seal);
            add(t, c, ciphers[i].open, open_record);
        }
    return true;
}

void limit_aead_close(void)
{
    for (unsigned i = 0; i < CIPHERS * SIZES; i++) {
        EVP_AEAD_CTX_free(cases[i].ctx);
        free(cases[i].text);
        free(cases[i].sealed);
    }
}
