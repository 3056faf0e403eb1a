/*
 * RCPT (RFC 5321, 4.1.1.3). No extension of ours has a parameter for it.
 */
#include "smtp/smtp_priv.h"

enum smtp_reply_id smtp_cmd_rcpt_check(struct smtp_session *s, struct smtp_call *call)
{
    struct span rest = call->args;

    (void)s;
    switch (smtp_syntax_path(&rest, SPAN_LITERAL("TO:"), &call->mailbox)) {
    case SMTP_SYNTAX_BAD: return SMTP_REPLY_BAD_RECIPIENT;
    case SMTP_SYNTAX_NON_ASCII: return SMTP_REPLY_NON_ASCII;
    case SMTP_SYNTAX_OK: break;
    }
    if (call->mailbox.len == 0)
        return SMTP_REPLY_BAD_RECIPIENT;
    return rest.len > 0 ? SMTP_REPLY_UNKNOWN_PARAMETER : SMTP_REPLY_NONE;
}

enum smtp_reply_id smtp_cmd_rcpt_act(struct smtp_session *s, struct smtp_call *call)
{
    ASSERT(s->tx != NULL);
    if (!smtp_tx_add_recipient(s, call->mailbox))
        return SMTP_REPLY_TOO_MANY_RECIPIENTS;
    smtp_session_set_state(s, SMTP_STATE_RCPT);
    return SMTP_REPLY_RCPT_OK;
}
