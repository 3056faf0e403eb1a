/*
 * Access tokens: a JWT (RFC 7519) in compact form, signed by a key of the set. Pure but for memory;
 * 30 to 100 us, so on a helper thread.
 *
 * Happy path: VALID, and whose it is. Nothing of the claims is read before the signature is right.
 * Failure modes: a right token that is too old is EXPIRED, one that was not made for this is
 * FORBIDDEN: neither is a guess. All else is WRONG, of which auth_jwt_check says why.
 */
#ifndef POSTERN_AUTH_JWT_H
#define POSTERN_AUTH_JWT_H

#include "base/limits.h"
#include "gateway/auth_jwks.h"

/* What a token must say; from the configuration. */
struct auth_jwt_rules {
    struct span issuer;   /* iss */
    struct span audience; /* among aud */
    struct span scope;    /* among scope or scp; empty: any */
    const char *login;    /* the claim that has the login */
};

enum auth_jwt_outcome {
    AUTH_JWT_VALID,
    AUTH_JWT_EXPIRED,
    AUTH_JWT_FORBIDDEN, /* lacks the scope, or what it grants cannot be read */
    AUTH_JWT_WRONG,
};

struct auth_jwt_answer {
    const char *why; /* not VALID: static text */
    uint32_t login_len;
    uint8_t login[LIMIT_LOGIN_BYTES];
    uint32_t grant_len;
    uint8_t grant[LIMIT_GRANT_BYTES]; /* the claim postern_senders (senders_grant.h) */
};

/* `unix_s`: now. The answer's login is set when it is VALID alone. */
enum auth_jwt_outcome auth_jwt_check(struct span token, const struct auth_jwks *keys,
                                     const struct auth_jwt_rules *rules, uint64_t unix_s,
                                     struct auth_jwt_answer *answer);

#endif
