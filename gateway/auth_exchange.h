/*
 * One SCRAM exchange with the users file behind it: three messages of the client, each answered at
 * once, as an HMAC costs a microsecond. It lives in the memo of the question.
 *
 * Happy path: first message -> challenge; final message with the right proof -> the server's
 * signature as a second challenge; an empty one -> RIGHT (RFC 4954 has no room for data in a 235).
 * Failure modes: whoever has no keys is challenged like everybody, and WRONG at the end.
 */
#ifndef POSTERN_AUTH_EXCHANGE_H
#define POSTERN_AUTH_EXCHANGE_H

#include "gateway/auth_scram.h"
#include "gateway/auth_users.h"
#include "smtp/smtp.h"

enum auth_exchange_turn { AUTH_EXCHANGE_FIRST, AUTH_EXCHANGE_FINAL, AUTH_EXCHANGE_LAST };

/* All zero is a new one. Holds secrets: whoever has it wipes it. */
struct auth_exchange {
    struct auth_scram scram; /* whose login is known from the first message on */
    enum auth_exchange_turn turn;
    bool real; /* the keys are somebody's */
    uint32_t answer_len;
    uint8_t answer[LIMIT_SASL_CHALLENGE_BYTES + 1];
};

enum auth_exchange_outcome {
    AUTH_EXCHANGE_ASKS, /* `answer` is the next challenge */
    AUTH_EXCHANGE_RIGHT,
    AUTH_EXCHANGE_WRONG,
};

/* Answers the question's message. `nonce`: see auth_scram_challenge. */
enum auth_exchange_outcome auth_exchange_step(struct auth_exchange *x, const struct auth_users *u,
                                              const struct smtp_auth *q, struct span nonce);

#endif
