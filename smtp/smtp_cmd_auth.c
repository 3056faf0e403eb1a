/*
 * AUTH (RFC 4954). Happy path: the exchange gives a login and a password, or a message; the session
 * waits for the back end, which may have more to ask; 235. The buffer of the exchange is held from
 * the command to the verdict and wiped whenever it is let go.
 */
#include "smtp/smtp_priv.h"

enum smtp_reply_id smtp_cmd_auth_check(struct smtp_session *s, struct smtp_call *call)
{
    (void)call;
    if (s->authenticated)
        return SMTP_REPLY_AUTH_TWICE;
    /* RFC 4954 is an extension: it is there after EHLO, not after HELO. */
    return s->esmtp ? SMTP_REPLY_NONE : SMTP_REPLY_EHLO_FIRST;
}

void smtp_cmd_auth_wipe(struct smtp_session *s)
{
    if (s->sasl == NULL)
        return;
    explicit_bzero(s->sasl, sizeof(*s->sasl));
    pool_put(s->room->sasls, s->sasl);
    s->sasl = NULL;
}

/* The exchange is over without a 235. */
static enum smtp_reply_id give_up(struct smtp_session *s, enum smtp_reply_id reply)
{
    smtp_cmd_auth_wipe(s);
    smtp_session_set_state(s, SMTP_STATE_READY);
    return reply;
}

static enum smtp_reply_id fail(struct smtp_session *s)
{
    s->auth_tries++;
    counter_inc(s->room->env.counters, COUNTER_SMTP_AUTH_FAILED);
    return give_up(s, SMTP_REPLY_AUTH_WRONG);
}

static enum smtp_reply_id ask(struct smtp_session *s, enum smtp_reply_id question)
{
    smtp_session_set_state(s, SMTP_STATE_SASL);
    return question;
}

static enum smtp_reply_id go_on(struct smtp_session *s, enum smtp_sasl_outcome outcome)
{
    ASSERT(s->sasl != NULL);
    switch (outcome) {
    case SMTP_SASL_ASK_EMPTY: return ask(s, SMTP_REPLY_ASK_EMPTY);
    case SMTP_SASL_ASK_USERNAME: return ask(s, SMTP_REPLY_ASK_USERNAME);
    case SMTP_SASL_ASK_PASSWORD: return ask(s, SMTP_REPLY_ASK_PASSWORD);
    case SMTP_SASL_COMPLETE: smtp_session_set_state(s, SMTP_STATE_VERDICT); return SMTP_REPLY_NONE;
    case SMTP_SASL_DENIED: return fail(s);
    case SMTP_SASL_MALFORMED: return give_up(s, SMTP_REPLY_BAD_RESPONSE);
    case SMTP_SASL_CANCELLED: return give_up(s, SMTP_REPLY_CANCELLED);
    case SMTP_SASL_UNKNOWN: return give_up(s, SMTP_REPLY_BAD_MECHANISM);
    }
    UNREACHABLE("a SASL outcome without a branch");
}

enum smtp_reply_id smtp_cmd_auth_act(struct smtp_session *s, struct smtp_call *call)
{
    ASSERT(s->sasl == NULL);
    s->sasl = pool_get(s->room->sasls);
    ASSERT(s->sasl != NULL); /* the pool has one for each session */
    return go_on(s, smtp_sasl_start(s->sasl, s->client.mechanisms, call->args));
}

enum smtp_reply_id smtp_cmd_auth_line(struct smtp_session *s, enum smtp_line_outcome outcome,
                                      struct span line)
{
    ASSERT(s->state == SMTP_STATE_SASL);
    if (outcome == SMTP_LINE_LONG)
        return give_up(s, SMTP_REPLY_LINE_TOO_LONG);
    return go_on(s, smtp_sasl_line(s->sasl, line));
}

enum smtp_reply_id smtp_cmd_auth_challenge(struct smtp_session *s, struct span login,
                                           struct span challenge)
{
    ASSERT(s->state == SMTP_STATE_VERDICT);
    if (!smtp_sasl_challenge(s->sasl, login, challenge))
        return fail(s);
    return ask(s, SMTP_REPLY_ASK_CHALLENGE);
}

static enum smtp_reply_id accept_user(struct smtp_session *s)
{
    const struct smtp_sasl *x = s->sasl;
    enum smtp_reply_id refusal = smtp_allow_login(s, span_of(x->login, x->login_len), x->grant);

    s->client.binding = span_of(NULL, 0);
    counter_inc(s->room->env.counters, COUNTER_SMTP_AUTH_OK);
    return refusal != SMTP_REPLY_NONE ? refusal : give_up(s, SMTP_REPLY_AUTH_OK);
}

enum smtp_reply_id smtp_cmd_auth_verdict(struct smtp_session *s, enum smtp_verdict v)
{
    ASSERT(s->state == SMTP_STATE_VERDICT);
    ASSERT(!s->authenticated);
    switch (v) {
    case SMTP_VERDICT_OK: return accept_user(s);
    case SMTP_VERDICT_WRONG: return fail(s);
    case SMTP_VERDICT_TEMPORARY: return give_up(s, SMTP_REPLY_AUTH_TEMPORARY);
    case SMTP_VERDICT_BLOCKED:
        counter_inc(s->room->env.counters, COUNTER_SMTP_AUTH_FAILED);
        return smtp_session_stop(s, SMTP_REPLY_BLOCKED, "blocked");
    }
    UNREACHABLE("a verdict without a branch");
}
