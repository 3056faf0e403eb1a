/*
 * What knows who may log in: the users file, or a program beside us. auth.c keeps what all of them
 * need - the cache, limits on guesses, one question for many that ask the same, wiping - and asks
 * one of these. Each belongs to one worker, and is called on its loop alone.
 *
 * Happy path: ask takes a question; sooner or later, perhaps before ask has returned, the back end
 * has filled in its answer and calls done. Failure modes: who cannot be asked now, or does not
 * answer, is SMTP_VERDICT_TEMPORARY; a back end has its own bound for how long that may take.
 */
#ifndef POSTERN_AUTH_BACKEND_H
#define POSTERN_AUTH_BACKEND_H

#include "base/job.h"
#include "gateway/auth.h"

/* One question, with room for its answer: the back end's from ask to done. */
struct auth_question {
    struct job job; /* first: the back end's, for the way to another thread and back */
    void *context;  /* the back end's own */
    void (*done)(struct auth_question *q); /* on the worker's loop, once */

    /* A login and a password (PLAIN, LOGIN), or a message of another mechanism. */
    enum smtp_mechanism mechanism;
    struct endpoint client;
    struct endpoint local;
    const char *tls_version; /* static; NULL without TLS */
    const char *tls_cipher;
    uint32_t attempt; /* of the session that asked first, from 1 */
    uint32_t login_len;
    uint32_t secret_len;
    uint8_t login[LIMIT_LOGIN_BYTES];
    uint8_t secret[LIMIT_AUTH_MESSAGE_BYTES]; /* the password, or the message */

    /* Of a message only, and only on the worker's loop: all that the session asked, until ask
     * returns; its memo, NULL once nobody waits any more. */
    const struct smtp_auth *asked;
    uint8_t *memo;
    uint64_t exchange; /* the back end's name for what the message belongs to; 0: it is the first */

    /* Its spans show to `text`; those of an answer within ask, to the memo. */
    struct auth_answer answer;
    uint8_t text[LIMIT_AUTH_ANSWER_BYTES];
};

struct auth_backend {
    /* What it can check now: enum smtp_mechanism, or'ed. `bound`: the channel has a binding. */
    uint32_t (*mechanisms)(struct auth_backend *b, bool bound);
    /* True once after each reload: what it said before may be wrong now. */
    bool (*renewed)(struct auth_backend *b);
    void (*ask)(struct auth_backend *b, struct auth_question *q);
    /* No question is under way. */
    void (*destroy)(struct auth_backend *b);
};

#endif
