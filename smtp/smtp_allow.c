/*
 * What the policy is asked, and the one place that knows that there may be none.
 */
#include "smtp/smtp_priv.h"

static struct smtp_sender sender_of(const struct smtp_session *s)
{
    return (struct smtp_sender){ smtp_session_user(s), s->client.peer.addr, &s->own };
}

/* Everybody's limits. */
static void reset(struct smtp_session *s)
{
    s->authenticated = false;
    s->own = (struct smtp_own){ .message_bytes_max = s->room->config.message_bytes_max,
                                .recipients_max = s->room->config.recipients_max };
}

enum smtp_reply_id smtp_allow_login(struct smtp_session *s, struct span login, struct span grant)
{
    struct smtp_policy *p = s->room->env.policy;
    struct smtp_sender who;

    ASSERT(!s->authenticated);
    ASSERT(login.len > 0 && login.len <= LIMIT_LOGIN_BYTES);
    texts_set(s->room->names, &s->user, login);
    who = sender_of(s);
    s->authenticated = p == NULL || p->enters(p, &who, grant, &s->own);
    return s->authenticated
               ? SMTP_REPLY_NONE
               : smtp_session_stop(s, SMTP_REPLY_CROWDED, "too many sessions of this login");
}

void smtp_allow_logout(struct smtp_session *s)
{
    struct smtp_policy *p = s->room->env.policy;
    struct smtp_sender who = sender_of(s);

    if (p != NULL && s->authenticated)
        p->leaves(p, &who);
    reset(s);
}

bool smtp_allow_mailbox(struct smtp_session *s, struct span mailbox)
{
    struct smtp_policy *p = s->room->env.policy;
    struct smtp_sender who = sender_of(s);

    return p == NULL || p->may_send_as(p, &who, mailbox);
}

bool smtp_allow_room(struct smtp_session *s, enum smtp_use use)
{
    struct smtp_policy *p = s->room->env.policy;
    struct smtp_sender who = sender_of(s);

    return p == NULL || p->has_room(p, &who, use);
}

void smtp_allow_use(struct smtp_session *s, enum smtp_use use, uint64_t amount)
{
    struct smtp_policy *p = s->room->env.policy;
    struct smtp_sender who = sender_of(s);

    if (p != NULL)
        p->uses(p, &who, use, amount);
}

static bool permits(void *session, struct span mailbox)
{
    return smtp_allow_mailbox(session, mailbox);
}

struct smtp_header_judge smtp_allow_judge(struct smtp_session *s)
{
    bool asks = s->room->env.policy != NULL && s->room->config.from_rule != SMTP_FROM_ANY;

    return (struct smtp_header_judge){ asks ? permits : NULL, s };
}
