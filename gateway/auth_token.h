/*
 * Access tokens as a back end: OAUTHBEARER and XOAUTH2, checked on helper threads against a set of
 * public keys; nobody is asked over the network. One for each worker; workers share only the set,
 * which never changes.
 *
 * Happy path: one message, one check, and the login that the token names. Failure modes: a token
 * that is not taken is answered by a challenge that says so, and WRONG when the client has replied;
 * the helpers are busy: TEMPORARY. A new set takes effect with the worker's next question.
 */
#ifndef POSTERN_AUTH_TOKEN_H
#define POSTERN_AUTH_TOKEN_H

#include "base/log.h"
#include "gateway/auth_backend.h"
#include "gateway/auth_jwt.h"

struct auth_token;

struct auth_token_env {
    const struct clock *clock;
    struct counters *counters;
    struct log *log; /* why a token is not taken */
    struct job_queue *jobs;
    struct auth_jwks *keys;      /* a reference of its own is taken */
    struct auth_jwt_rules rules; /* its spans live as long */
};

/* NULL: memory is short. */
struct auth_token *auth_token_create(const struct auth_token_env *env);
/* For auth_create, which destroys it. */
struct auth_backend *auth_token_backend(struct auth_token *t);
/* From any one thread (main, after a reload). Takes one reference of `keys`. */
void auth_token_offer(struct auth_token *t, struct auth_jwks *keys);

#endif
