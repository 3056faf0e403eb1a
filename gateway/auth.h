/*
 * Who may send: answers a session's question about a login and its password. One struct auth for
 * each worker, with what does the checking behind it (auth_backend.h).
 *
 * Happy path for a password: auth_check finds the pair in the cache and answers at once; or it asks
 * a back end, and the answer comes by env->done on the worker's loop. Same questions asked at the
 * same time share one. Messages of other mechanisms go to the back end, each for itself. Failure
 * modes: too many wrong guesses by a client, or at a login: BLOCKED at once, and nobody is asked.
 * Too many questions are under way, or the back end is not to be had: TEMPORARY.
 */
#ifndef POSTERN_AUTH_H
#define POSTERN_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/hash.h"
#include "gateway/config.h"
#include "smtp/smtp.h"

struct auth;
struct auth_request; /* one connection that waits for an answer */
struct auth_backend; /* what does the checking (auth_backend.h) */

#define AUTH_SECRET_BYTES 32

struct auth_answer {
    bool asks; /* there is no verdict yet: `challenge` is to be answered first */
    enum smtp_verdict verdict;
    /* Who is challenged; who it is that the verdict lets in. Empty: as the question has it. */
    struct span login;
    struct span challenge;
    struct span grant; /* OK: what the login may do by the back end's word (senders_grant.h) */
    bool guessed;      /* asks, but the message was a wrong guess, and is counted as one now */
    bool excused;      /* WRONG, but no guess, or one that is counted already */
};

struct auth_env {
    const struct clock *clock;
    struct counters *counters;
    /* The first that has a mechanism is asked. auth_destroy destroys them; NULL are skipped. */
    struct auth_backend *backends[LIMIT_AUTH_BACKENDS];
    struct hash_key table_key;         /* random */
    uint8_t secret[AUTH_SECRET_BYTES]; /* random, made at start, never written anywhere; copied */
    /* The answer to a request that had to wait, on the worker's loop; the request is gone then, and
     * what the answer's spans show when it returns. */
    void (*done)(void *owner, const struct auth_answer *answer);
};

/* Room for `connections` requests at once. NULL: memory is short, and the back ends are the
 * caller's still. */
struct auth *auth_create(const struct config_auth *config, uint32_t connections,
                         const struct auth_env *env);
/* No question may be under way (helper_stop, helper_poll). Requests that wait are dropped without
 * an answer. */
void auth_destroy(struct auth *a);

/* What AUTH can offer: enum smtp_mechanism, or'ed. `bound`: the channel has a binding. */
uint32_t auth_mechanisms(struct auth *a, bool bound);
/*
 * Asks. NULL: *answer has it, whose spans show to the question's memo. Else it comes by
 * env->done(owner, ...), unless auth_cancel comes first. What the question's spans show is copied
 * if it is needed for longer, and wiped after use.
 */
struct auth_request *auth_check(struct auth *a, const struct smtp_auth *asked, void *owner,
                                struct auth_answer *answer);
/* The owner is gone: no answer any more. The guess is counted all the same. */
void auth_cancel(struct auth *a, struct auth_request *r);

/* Its records of wrong guesses (gateway/auth_throttle.h), for people. */
struct auth_throttle *auth_guesses(struct auth *a);

#endif
