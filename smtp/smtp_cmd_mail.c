/*
 * MAIL (RFC 5321, 4.1.1.2) with the parameters of smtp_params.h. What a parameter asks for is kept
 * in the envelope, for whoever hands the message on.
 */
#include "smtp/smtp_priv.h"

static const enum smtp_reply_id params_refusals[] = {
    [SMTP_PARAMS_OK] = SMTP_REPLY_NONE,
    [SMTP_PARAMS_BAD] = SMTP_REPLY_BAD_PARAMETER,
    [SMTP_PARAMS_UNKNOWN] = SMTP_REPLY_UNKNOWN_PARAMETER,
};

/* What EHLO announces, and so what may be asked for. */
static uint32_t offered(const struct smtp_session *s)
{
    uint32_t all = UINT32_MAX;

    if (s->room->config.hold_s_max == 0)
        all &= ~(uint32_t)(SMTP_PARAM_HOLDFOR | SMTP_PARAM_HOLDUNTIL);
    if (!s->client.secure)
        all &= ~(uint32_t)SMTP_PARAM_REQUIRETLS;
    return all;
}

static bool hold_is_too_long(const struct smtp_session *s, const struct smtp_params *p)
{
    uint64_t most = s->room->config.hold_s_max;

    if (p->given & SMTP_PARAM_HOLDUNTIL)
        return p->hold_s > s->room->env.clock->unix_ms / 1000 + most;
    return p->hold_s > most;
}

enum smtp_reply_id smtp_cmd_mail_check(struct smtp_session *s, struct smtp_call *call)
{
    struct span rest = call->args;
    enum smtp_syntax_outcome path = smtp_syntax_path(&rest, SPAN_LITERAL("FROM:"), &call->mailbox);
    enum smtp_reply_id refusal;

    /* <postmaster> without a domain is a forward-path only (RFC 5321, 4.1.1.3). */
    if (path == SMTP_SYNTAX_BAD || smtp_syntax_is_postmaster(call->mailbox))
        return SMTP_REPLY_BAD_SENDER;
    refusal = params_refusals[smtp_params_mail(rest, offered(s), &call->params)];
    if (refusal != SMTP_REPLY_NONE)
        return refusal;
    if (path == SMTP_SYNTAX_UTF8 && !(call->params.given & SMTP_PARAM_SMTPUTF8))
        return SMTP_REPLY_NON_ASCII;
    if (call->params.size > s->own.message_bytes_max)
        return SMTP_REPLY_TOO_BIG;
    if (hold_is_too_long(s, &call->params))
        return SMTP_REPLY_HOLD_TOO_LONG;
    /* The null reverse-path is everybody's: read receipts have it (RFC 8098, 2.1). */
    if (call->mailbox.len > 0 && !smtp_allow_mailbox(s, call->mailbox))
        return SMTP_REPLY_SENDER_NOT_YOURS;
    if (!smtp_allow_room(s, SMTP_USE_MESSAGES) || !smtp_allow_room(s, SMTP_USE_BYTES))
        return SMTP_REPLY_MAIL_LATER;
    if (s->room->is_short) {
        counter_inc(s->room->env.counters, COUNTER_SMTP_MEMORY_SHORT);
        return SMTP_REPLY_MEMORY_SHORT;
    }
    return SMTP_REPLY_NONE;
}

enum smtp_reply_id smtp_cmd_mail_act(struct smtp_session *s, struct smtp_call *call)
{
    ASSERT(s->authenticated);
    smtp_allow_use(s, SMTP_USE_MESSAGES, 1);
    smtp_tx_begin(s, call);
    smtp_session_set_state(s, SMTP_STATE_MAIL);
    return SMTP_REPLY_MAIL_OK;
}
