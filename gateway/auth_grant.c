/* Whoever is let in with less said of him than was meant might do more than he may: so all or
 * nothing is taken. */
#include "gateway/auth_grant.h"

#include <string.h>

#include "base/assert.h"
#include "gateway/senders_grant.h"

STATIC_ASSERT(LIMIT_LOGIN_BYTES + LIMIT_GRANT_BYTES <= LIMIT_AUTH_ANSWER_BYTES, "both fit");

static struct span keep(struct span from, uint8_t *to)
{
    if (from.len > 0)
        memcpy(to, from.ptr, from.len);
    return span_of(to, from.len);
}

bool auth_grant(struct auth_question *q, struct span login, struct span grant)
{
    struct span who = login.len > 0 ? login : span_of(q->login, q->login_len);
    struct senders_grant read;

    q->answer = (struct auth_answer){ .verdict = SMTP_VERDICT_TEMPORARY };
    if (who.len == 0 || who.len > LIMIT_LOGIN_BYTES || !senders_grant_read(grant, who, &read))
        return false;
    q->answer.verdict = SMTP_VERDICT_OK;
    q->answer.login = keep(login, q->text);
    q->answer.grant = keep(grant, q->text + LIMIT_LOGIN_BYTES);
    return true;
}
