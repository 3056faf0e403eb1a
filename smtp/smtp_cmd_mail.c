/*
 * MAIL (RFC 5321, 4.1.1.2) with SIZE (RFC 1870), BODY (RFC 6152) and AUTH (RFC 4954, 5).
 */
#include "smtp/smtp_priv.h"

static const enum smtp_reply_id path_refusals[] = {
    [SMTP_SYNTAX_OK] = SMTP_REPLY_NONE,
    [SMTP_SYNTAX_BAD] = SMTP_REPLY_BAD_SENDER,
    [SMTP_SYNTAX_NON_ASCII] = SMTP_REPLY_NON_ASCII,
};

static const enum smtp_reply_id params_refusals[] = {
    [SMTP_PARAMS_OK] = SMTP_REPLY_NONE,
    [SMTP_PARAMS_BAD] = SMTP_REPLY_BAD_PARAMETER,
    [SMTP_PARAMS_UNKNOWN] = SMTP_REPLY_UNKNOWN_PARAMETER,
};

enum smtp_reply_id smtp_cmd_mail_check(struct smtp_session *s, struct smtp_call *call)
{
    struct span rest = call->args;
    enum smtp_syntax_outcome path = smtp_syntax_path(&rest, SPAN_LITERAL("FROM:"), &call->mailbox);
    enum smtp_reply_id refusal = path_refusals[path];

    if (refusal != SMTP_REPLY_NONE)
        return refusal;
    /* <postmaster> without a domain is a forward-path only (RFC 5321, 4.1.1.3). */
    if (smtp_syntax_is_postmaster(call->mailbox))
        return SMTP_REPLY_BAD_SENDER;
    refusal = params_refusals[smtp_syntax_mail_params(rest, &call->params)];
    if (refusal != SMTP_REPLY_NONE)
        return refusal;
    return call->params.size > s->room->config.message_bytes_max ? SMTP_REPLY_TOO_BIG
                                                                 : SMTP_REPLY_NONE;
}

enum smtp_reply_id smtp_cmd_mail_act(struct smtp_session *s, struct smtp_call *call)
{
    ASSERT(s->authenticated);
    smtp_tx_begin(s, call);
    smtp_session_set_state(s, SMTP_STATE_MAIL);
    return SMTP_REPLY_MAIL_OK;
}
