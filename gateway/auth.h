/*
 * Who may send: answers a session's question about a login and its password. One struct auth for
 * each worker; workers share only the users table, which never changes.
 *
 * Happy path for a password: auth_check finds the pair in the cache and answers at once; or it
 * starts a check on a helper thread and the answer comes by env->done on the worker's loop. Same
 * questions asked at the same time share one check. A SCRAM's messages are answered at once
 * (auth_exchange.h). Failure modes: too many wrong guesses by a client, or at a login: BLOCKED at
 * once, without a hash. All helpers are busy and the queue is full: TEMPORARY.
 */
#ifndef POSTERN_AUTH_H
#define POSTERN_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/hash.h"
#include "base/job.h"
#include "gateway/config.h"
#include "smtp/smtp.h"

struct auth;
struct auth_request; /* one connection that waits for an answer */
struct auth_users;   /* a users file as it was read (auth_users.h) */

#define AUTH_SECRET_BYTES 32

struct auth_env {
    const struct clock *clock;
    struct counters *counters;
    struct job_queue *jobs;
    struct auth_users *users;          /* auth takes a reference of its own */
    struct hash_key table_key;         /* random */
    uint8_t secret[AUTH_SECRET_BYTES]; /* random, made at start, never written anywhere; copied */
    /* The answer to a request that had to wait, on the worker's loop; the request is gone then. */
    void (*done)(void *owner, enum smtp_verdict verdict);
};

struct auth_answer {
    bool asks; /* there is no verdict yet: `challenge` is to be answered first */
    enum smtp_verdict verdict;
    struct span login; /* who is challenged; in the question's memo, as the challenge is */
    struct span challenge;
};

/* Room for `connections` requests at once. NULL: memory is short. */
struct auth *auth_create(const struct config_auth *config, uint32_t connections,
                         const struct auth_env *env);
/* No job may be under way (helper_stop, helper_poll). Requests that wait are dropped without an
 * answer. */
void auth_destroy(struct auth *a);

/* What AUTH can offer: enum smtp_mechanism, or'ed. `bound`: the channel has a binding. */
uint32_t auth_mechanisms(struct auth *a, bool bound);
/*
 * Asks. NULL: *answer has it. Else it comes by env->done(owner, ...), unless auth_cancel
 * comes first. What the question's spans show is copied if it is needed for longer, and wiped after
 * use.
 */
struct auth_request *auth_check(struct auth *a, const struct endpoint *peer,
                                const struct smtp_auth *question, void *owner,
                                struct auth_answer *answer);
/* The owner is gone: no answer any more. The guess is counted all the same. */
void auth_cancel(struct auth *a, struct auth_request *r);

/*
 * From any one thread (main, after a reload): the worker goes over to this table with its next
 * question and forgets its cache. Takes one reference of `users`.
 */
void auth_offer_users(struct auth *a, struct auth_users *users);

#endif
