/*
 * The public keys that tokens are signed with: a JWK Set (RFC 7517) in a file, as an identity
 * provider publishes it. A set never changes once it is read; it is counted, so that a new one can
 * take its place while tokens are checked by the old one.
 */
#ifndef POSTERN_AUTH_JWKS_H
#define POSTERN_AUTH_JWKS_H

#include "base/span.h"
#include "tls/tls_pubkey.h"

struct auth_jwks;

/*
 * One reference. NULL: *errors has one line "file: what is wrong". Keys that are not for signatures
 * or of a kind that we do not know are skipped (RFC 7517, 5); a key that is meant for us and is no
 * good, or a private one, has the file refused.
 */
struct auth_jwks *auth_jwks_load(const char *path, struct buf *errors);
/* The same from text; `path` is only for messages. */
struct auth_jwks *auth_jwks_parse(const char *path, struct span text, struct buf *errors);

/* Safe from any thread. The last release frees the set. */
struct auth_jwks *auth_jwks_ref(struct auth_jwks *s);
void auth_jwks_release(struct auth_jwks *s);

/*
 * The key of this kind with this id. Without an id (empty): the only one of the kind. NULL: there
 * is none. It lives as the set.
 */
const struct tls_pubkey *auth_jwks_find(const struct auth_jwks *s, enum tls_pubkey_kind kind,
                                        struct span id);

#endif
