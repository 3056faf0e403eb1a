/*
 * STARTTLS (RFC 3207), as far as SMTP knows of it: the command asks whoever has the connection
 * whether TLS can begin, the answer is the reply, and what was said in clear is forgotten when TLS
 * is there.
 *
 * Failure modes: TLS is not to be had (454, the session goes on in clear, where hardly a command is
 * taken); bytes stand behind the command in clear (554 and the end: they may be somebody else's,
 * put in to be obeyed after the handshake).
 */
#include "smtp/smtp_priv.h"

enum smtp_reply_id smtp_cmd_starttls_check(struct smtp_session *s, struct smtp_call *call)
{
    (void)call;
    if (s->client.secure)
        return SMTP_REPLY_TLS_ACTIVE;
    return s->client.starttls ? SMTP_REPLY_NONE : SMTP_REPLY_UNSUPPORTED;
}

enum smtp_reply_id smtp_cmd_starttls_act(struct smtp_session *s, struct smtp_call *call)
{
    (void)call;
    smtp_session_set_state(s, SMTP_STATE_STARTTLS);
    return SMTP_REPLY_NONE;
}

enum smtp_reply_id smtp_cmd_starttls_answer(struct smtp_session *s, enum smtp_starttls how)
{
    switch (how) {
    case SMTP_STARTTLS_GO:
        smtp_session_set_state(s, SMTP_STATE_HANDSHAKE);
        return SMTP_REPLY_TLS_GO;
    case SMTP_STARTTLS_TEMPORARY:
        smtp_session_set_state(s, SMTP_STATE_READY);
        return SMTP_REPLY_TLS_TEMPORARY;
    case SMTP_STARTTLS_PIPELINED:
        return smtp_session_stop(s, SMTP_REPLY_TLS_PIPELINED, "clear text behind STARTTLS");
    }
    UNREACHABLE("an answer without a branch");
}

/* RFC 3207, 4.2: "The server MUST discard any knowledge obtained from the client, such as the
 * argument to the EHLO command, which was not obtained from the TLS negotiation itself." What we
 * counted against it is our own knowledge, and stays. */
void smtp_cmd_starttls_forget(struct smtp_session *s)
{
    ASSERT(!s->authenticated); /* AUTH wants TLS */
    ASSERT(s->tx == NULL);     /* MAIL too, on such a connection */
    s->line = (struct smtp_line){ 0 };
    texts_set(s->room->names, &s->helo, span_of(NULL, 0));
    s->esmtp = false;
}
