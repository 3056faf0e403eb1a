/*
 * Happy path: the message is empty, or the login: OK. Failure modes: another identity, or a name
 * that has no form: WRONG, and counted at the login like any wrong guess.
 */
#include "gateway/auth_external.h"

#include <stdlib.h>

#include "base/assert.h"
#include "gateway/auth_prep.h"

STATIC_ASSERT(LIMIT_LOGIN_BYTES <= LIMIT_SASL_MEMO_BYTES, "a login fits the memo");

static uint32_t mechanisms(struct auth_backend *b, bool bound)
{
    (void)b;
    (void)bound;
    return SMTP_MECHANISM_EXTERNAL;
}

static bool renewed(struct auth_backend *b)
{
    (void)b;
    return false;
}

static bool is_allowed(struct span login, struct span authzid)
{
    uint8_t room[LIMIT_LOGIN_BYTES];
    struct buf form = { room, 0, sizeof(room) };

    if (authzid.len == 0)
        return true;
    return auth_prep(authzid, &form) && span_equal(span_of(form.ptr, form.len), login);
}

static void ask(struct auth_backend *b, struct auth_question *q)
{
    struct span identity = q->asked->client->identity;
    struct buf login = { q->memo, 0, LIMIT_LOGIN_BYTES };

    (void)b;
    ASSERT(identity.len > 0);
    q->answer = (struct auth_answer){ .verdict = SMTP_VERDICT_WRONG };
    if (auth_prep(identity, &login)) {
        q->answer.login = span_of(login.ptr, login.len);
        if (is_allowed(q->answer.login, q->asked->message))
            q->answer.verdict = SMTP_VERDICT_OK;
    }
    q->done(q);
}

static void destroy(struct auth_backend *b)
{
    free(b);
}

struct auth_backend *auth_external_create(void)
{
    struct auth_backend *b = malloc(sizeof(*b));

    if (b != NULL)
        *b = (struct auth_backend){ mechanisms, renewed, ask, destroy };
    return b;
}
