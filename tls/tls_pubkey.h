/*
 * Public keys by their bare numbers, and what was signed with them: for tokens (RFC 7518), which
 * are not the business of TLS, but of the one room that has the library. A key never changes once
 * it is made; any number of threads may check with it. Not for a poll loop: a check takes 20 to 100
 * us.
 */
#ifndef POSTERN_TLS_PUBKEY_H
#define POSTERN_TLS_PUBKEY_H

#include <stdbool.h>

#include "base/span.h"

/* A key has one algorithm and no other. */
enum tls_pubkey_kind {
    TLS_PUBKEY_RSA,     /* RSASSA-PKCS1-v1_5 with SHA-256 (RS256) */
    TLS_PUBKEY_P256,    /* ECDSA on P-256 with SHA-256, a signature of 64 bytes (ES256) */
    TLS_PUBKEY_ED25519, /* EdDSA on Curve25519 (RFC 8037) */
};

struct tls_pubkey;

/*
 * Numbers are big-endian, those of curves as long as the curve says. NULL: *fault is the end of a
 * sentence about the key.
 */
struct tls_pubkey *tls_pubkey_rsa(struct span modulus, struct span exponent, const char **fault);
struct tls_pubkey *tls_pubkey_p256(struct span x, struct span y, const char **fault);
struct tls_pubkey *tls_pubkey_ed25519(struct span x, const char **fault);
void tls_pubkey_destroy(struct tls_pubkey *k);

enum tls_pubkey_kind tls_pubkey_kind(const struct tls_pubkey *k);
/* True when `signature` is the key's, of exactly these bytes. */
bool tls_pubkey_verify(const struct tls_pubkey *k, struct span text, struct span signature);

#endif
