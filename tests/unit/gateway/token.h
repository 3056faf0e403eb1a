/* An identity provider for tests: keys made anew in each run, and tokens of any kind, also bad
 * ones. */
#ifndef POSTERN_TESTS_UNIT_GATEWAY_TOKEN_H
#define POSTERN_TESTS_UNIT_GATEWAY_TOKEN_H

#include "base/span.h"

enum token_key { TOKEN_RSA, TOKEN_P256, TOKEN_ED25519, TOKEN_KEYS };

/* A set of the three public keys, whose ids are "rsa", "ec" and "ed". NUL-ended, static. */
const char *token_jwks(void);
/* base64url without padding, appended. */
void token_encode(struct buf *out, struct span bytes);
/* header "." claims "." signature, NUL-ended; the texts of the first two are as given. */
void token_make(struct buf *out, enum token_key key, const char *header, const char *claims);
/* The same, signed by HMAC-SHA256 with this secret. */
void token_make_hmac(struct buf *out, struct span secret, const char *header, const char *claims);
/* The modulus of the RSA key, big-endian; what an attacker knows of it. */
struct span token_modulus(void);

#endif
