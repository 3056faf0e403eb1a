/*
 * RCPT (RFC 5321, 4.1.1.3), with what DSN adds to it (RFC 3461, 4.1 and 4.2).
 */
#include "smtp/smtp_priv.h"
#include "smtp/smtp_scan.h"

enum smtp_reply_id smtp_cmd_rcpt_check(struct smtp_session *s, struct smtp_call *call)
{
    struct span rest = call->args;
    enum smtp_syntax_outcome path = smtp_syntax_path(&rest, SPAN_LITERAL("TO:"), &call->mailbox);

    if (path == SMTP_SYNTAX_BAD || call->mailbox.len == 0)
        return SMTP_REPLY_BAD_RECIPIENT;
    switch (smtp_params_rcpt(rest, &call->params)) {
    case SMTP_PARAMS_BAD: return SMTP_REPLY_BAD_PARAMETER;
    case SMTP_PARAMS_UNKNOWN: return SMTP_REPLY_UNKNOWN_PARAMETER;
    case SMTP_PARAMS_OK: break;
    }
    if (s->tx->utf8 || (path != SMTP_SYNTAX_UTF8 && span_is_ascii(call->params.orcpt)))
        return SMTP_REPLY_NONE;
    return SMTP_REPLY_NON_ASCII;
}

enum smtp_reply_id smtp_cmd_rcpt_act(struct smtp_session *s, struct smtp_call *call)
{
    ASSERT(s->tx != NULL);
    if (!smtp_allow_room(s, SMTP_USE_RECIPIENTS))
        return SMTP_REPLY_RECIPIENTS_LATER;
    if (!smtp_tx_add_recipient(s, call))
        return SMTP_REPLY_TOO_MANY_RECIPIENTS;
    smtp_allow_use(s, SMTP_USE_RECIPIENTS, 1);
    smtp_session_set_state(s, SMTP_STATE_RCPT);
    return SMTP_REPLY_RCPT_OK;
}
