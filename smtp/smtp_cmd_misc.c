/*
 * The commands of a few lines: RSET, NOOP, VRFY, HELP, QUIT, those that we do not offer, and those
 * of other protocols.
 */
#include "smtp/smtp_priv.h"
#include "smtp/smtp_scan.h"

enum smtp_reply_id smtp_cmd_misc_no_check(struct smtp_session *s, struct smtp_call *call)
{
    (void)s;
    (void)call;
    return SMTP_REPLY_NONE;
}

enum smtp_reply_id smtp_cmd_misc_rset(struct smtp_session *s, struct smtp_call *call)
{
    (void)call;
    smtp_tx_end(s);
    if (s->state != SMTP_STATE_START)
        smtp_session_set_state(s, SMTP_STATE_READY);
    return SMTP_REPLY_OK;
}

enum smtp_reply_id smtp_cmd_misc_noop(struct smtp_session *s, struct smtp_call *call)
{
    (void)s;
    (void)call;
    return SMTP_REPLY_OK;
}

enum smtp_reply_id smtp_cmd_misc_help(struct smtp_session *s, struct smtp_call *call)
{
    (void)s;
    (void)call;
    return SMTP_REPLY_HELP;
}

/* VRFY takes SMTPUTF8 behind its string (RFC 6531, 3.7.4.2). */
enum smtp_reply_id smtp_cmd_misc_vrfy_check(struct smtp_session *s, struct smtp_call *call)
{
    const struct span keyword = SPAN_LITERAL(" SMTPUTF8");
    struct span args = call->args;
    bool utf8 = args.len > keyword.len &&
                span_equal_nocase(span_skip(args, args.len - keyword.len), keyword);

    (void)s;
    if (span_is_ascii(args))
        return SMTP_REPLY_NONE;
    if (!smtp_scan_is_utf8(args))
        return SMTP_REPLY_BAD_ARGUMENTS;
    return utf8 ? SMTP_REPLY_NONE : SMTP_REPLY_NON_ASCII;
}

enum smtp_reply_id smtp_cmd_misc_vrfy(struct smtp_session *s, struct smtp_call *call)
{
    (void)s;
    (void)call;
    return SMTP_REPLY_VRFY;
}

enum smtp_reply_id smtp_cmd_misc_quit(struct smtp_session *s, struct smtp_call *call)
{
    (void)call;
    return smtp_session_stop(s, SMTP_REPLY_BYE, "quit");
}

enum smtp_reply_id smtp_cmd_misc_unsupported(struct smtp_session *s, struct smtp_call *call)
{
    (void)s;
    (void)call;
    return SMTP_REPLY_UNSUPPORTED;
}

enum smtp_reply_id smtp_cmd_misc_not_smtp(struct smtp_session *s, struct smtp_call *call)
{
    (void)call;
    return smtp_session_stop(s, SMTP_REPLY_NOT_SMTP, "not SMTP");
}
