/*
 * The messages of OAUTHBEARER (RFC 7628) and of XOAUTH2, as Google and Microsoft have it: a bearer
 * token with a little around it. Pure.
 *
 * Happy path: auth_oauth_read gives the token and, if the client says so, for whom; the token is
 * checked elsewhere. A token that is not taken is answered by auth_oauth_refuse's challenge, to
 * which the client has only an empty word, and then by the verdict.
 */
#ifndef POSTERN_AUTH_OAUTH_H
#define POSTERN_AUTH_OAUTH_H

#include "base/limits.h"
#include "base/span.h"

struct auth_oauth {
    struct span token; /* in the message; empty: the client only asks what we would take */
    uint32_t user_len; /* 0: it is the token's */
    uint8_t user[LIMIT_LOGIN_BYTES];
};

/* Why a token is refused, as RFC 6750, 3.1 names it. */
enum auth_oauth_fault { AUTH_OAUTH_INVALID_TOKEN, AUTH_OAUTH_INSUFFICIENT_SCOPE };

/* False: it is no message of OAUTHBEARER (`google`: of XOAUTH2). */
bool auth_oauth_read(struct auth_oauth *m, struct span message, bool google);
/* True when the token's login is the one that the client named, letters' case aside, or it named
 * none. */
bool auth_oauth_fits(const struct auth_oauth *m, struct span login);
/* Appends the challenge (RFC 7628, 3.2.2), at most LIMIT_SASL_CHALLENGE_BYTES; `scope`: what a
 * token needs, printable ASCII without quotes; empty: nothing. */
void auth_oauth_refuse(enum auth_oauth_fault fault, struct span scope, bool google,
                       struct buf *out);

#endif
