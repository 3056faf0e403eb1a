/*
 * The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), with or without a binding to the TLS
 * channel. Pure: messages in, messages out; keys and random numbers are the caller's.
 *
 * Happy path: auth_scram_first on the client's first message, auth_scram_challenge with the keys of
 * the login that it names, auth_scram_final on the second. A server message is at most
 * LIMIT_SASL_CHALLENGE_BYTES. Failure modes: a message that is malformed or for another channel is
 * refused; keys that are nobody's take the same way and fail at the last comparison.
 */
#ifndef POSTERN_AUTH_SCRAM_H
#define POSTERN_AUTH_SCRAM_H

#include <nettle/hmac.h>

#include "base/limits.h"
#include "base/span.h"

#define AUTH_SCRAM_NONCE_BYTES 32 /* of our part of the nonce, at most */

/* What the users file has instead of a password (RFC 5802, 3). */
struct auth_scram_keys {
    uint32_t iterations;
    uint32_t salt_len;
    uint8_t salt[LIMIT_SCRAM_SALT_BYTES];
    uint8_t stored_key[SHA256_DIGEST_SIZE];
    uint8_t server_key[SHA256_DIGEST_SIZE];
};

/* The channel as this side sees it. */
struct auth_scram_channel {
    bool plus;         /* the client chose the mechanism with -PLUS */
    bool plus_offered; /* ... and could have */
    /* Where there are such: */
    struct span binding;   /* tls-exporter (RFC 9266) */
    struct span end_point; /* tls-server-end-point (RFC 5929) */
};

/* One exchange. Holds secrets: whoever has it wipes it. */
struct auth_scram {
    bool challenged;               /* auth_scram_challenge was called */
    struct hmac_sha256_ctx client; /* of the AuthMessage so far, by StoredKey */
    struct hmac_sha256_ctx server; /* the same by ServerKey */
    uint8_t stored_key[SHA256_DIGEST_SIZE];
    uint8_t channel[SHA256_DIGEST_SIZE]; /* of what c= must say */
    struct span bare;                    /* in the first message, until the challenge */
    uint32_t login_len;
    uint32_t nonce_len; /* of both parts */
    uint8_t login[LIMIT_LOGIN_BYTES];
    uint8_t nonce[LIMIT_SCRAM_NONCE_BYTES + AUTH_SCRAM_NONCE_BYTES];
};

/*
 * Reads the client's first message: whose it is stands in x->login. False: it is malformed, speaks
 * for somebody else (authzid), or its channel flag does not fit (a downgrade among them: "y" where
 * -PLUS was offered; RFC 5802, 6). The message must live until the challenge.
 */
bool auth_scram_first(struct auth_scram *x, struct span message,
                      const struct auth_scram_channel *channel);
/* Appends the server's first message. `nonce`: our part, random and printable without a comma, at
 * most AUTH_SCRAM_NONCE_BYTES. */
void auth_scram_challenge(struct auth_scram *x, const struct auth_scram_keys *keys,
                          struct span nonce, struct buf *out);
/* Checks the client's final message. True: the proof is right for the keys, and the server's final
 * message is appended. */
bool auth_scram_final(struct auth_scram *x, struct span message, struct buf *out);

/* Takes what stands before the next comma, or all, off the front of *text. */
struct span auth_scram_part(struct span *text);
/* Reads a saslname, in which "=2C" is a comma and "=3D" an equals sign (RFC 5802, 5.1), of 1 to
 * LIMIT_LOGIN_BYTES bytes. False: it is none. */
bool auth_scram_name(struct span text, uint8_t *to, uint32_t *len);
/* Reads "iterations,salt,StoredKey,ServerKey", the last three in base64. NULL: fine, else what is
 * wrong with it. */
const char *auth_scram_keys_read(struct auth_scram_keys *keys, struct span text);
/* True when the keys were made from this password; as slow as its iterations. */
bool auth_scram_keys_match(const struct auth_scram_keys *keys, struct span password);

#endif
