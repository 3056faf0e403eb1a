/*
 * The keys of SCRAM-SHA-256 as the users file has them. Happy path: read once, compared often.
 * Failure modes: a part that is missing, too long or no base64 is named.
 */
#include <nettle/memops.h>
#include <nettle/pbkdf2.h>
#include <stdlib.h>

#include "base/base64.h"
#include "gateway/auth_scram.h"

/* 0: not a number, or too large. */
static uint32_t read_iterations(struct span digits)
{
    uint32_t n = 0;

    if (digits.len > 0 && digits.ptr[0] == '0')
        return 0;
    for (uint32_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
            return 0;
        n = n * 10 + (digits.ptr[i] - '0');
        if (n > LIMIT_SCRAM_ITERATIONS)
            return 0;
    }
    return n;
}

const char *auth_scram_keys_read(struct auth_scram_keys *keys, struct span text)
{
    int salt;

    *keys = (struct auth_scram_keys){ .iterations = read_iterations(auth_scram_part(&text)) };
    /* RFC 7677, 4. */
    if (keys->iterations < LIMIT_SCRAM_ITERATIONS_LEAST)
        return "must begin with 4096 to 1000000 iterations";
    salt = base64_decode(auth_scram_part(&text), keys->salt, sizeof(keys->salt));
    if (salt <= 0)
        return "must have a salt of 1 to 64 bytes in base64 behind the iterations";
    keys->salt_len = (uint32_t)salt;
    if (base64_decode(auth_scram_part(&text), keys->stored_key, SHA256_DIGEST_SIZE) !=
        SHA256_DIGEST_SIZE)
        return "must have a StoredKey of 32 bytes in base64 behind the salt";
    if (base64_decode(text, keys->server_key, SHA256_DIGEST_SIZE) != SHA256_DIGEST_SIZE)
        return "must end with a ServerKey of 32 bytes in base64";
    return NULL;
}

static void hmac(const uint8_t key[SHA256_DIGEST_SIZE], const char *text,
                 uint8_t out[SHA256_DIGEST_SIZE])
{
    struct hmac_sha256_ctx mac;

    hmac_sha256_set_key(&mac, SHA256_DIGEST_SIZE, key);
    hmac_sha256_update(&mac, strlen(text), (const uint8_t *)text);
    hmac_sha256_digest(&mac, SHA256_DIGEST_SIZE, out);
    explicit_bzero(&mac, sizeof(mac));
}

bool auth_scram_keys_match(const struct auth_scram_keys *keys, struct span password)
{
    uint8_t key[SHA256_DIGEST_SIZE];
    struct sha256_ctx hash;
    bool same;

    pbkdf2_hmac_sha256(password.len, password.ptr, keys->iterations, keys->salt_len, keys->salt,
                       sizeof(key), key);
    hmac(key, "Client Key", key);
    sha256_init(&hash);
    sha256_update(&hash, sizeof(key), key);
    sha256_digest(&hash, sizeof(key), key);
    same = memeql_sec(key, keys->stored_key, sizeof(key)) != 0;
    explicit_bzero(key, sizeof(key));
    explicit_bzero(&hash, sizeof(hash));
    return same;
}
