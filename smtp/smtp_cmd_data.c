/*
 * DATA (RFC 5321, 4.1.1.4), the body, and the reply to its end. Happy path: 354, body bytes until
 * the end, the message is sealed and handed over, 250 when the spool has it durable. Failure modes:
 * a message that can't be taken is looked through to its end and refused there; one that breaks the
 * rule of line ends, or does not stop at twice the size limit, ends the session.
 */
#include "smtp/smtp_priv.h"

enum smtp_reply_id smtp_cmd_data_check(struct smtp_session *s, struct smtp_call *call)
{
    (void)call;
    /* RFC 2920, 3.1: DATA was pipelined behind RCPTs that all failed. */
    if (s->state == SMTP_STATE_MAIL)
        return SMTP_REPLY_NO_RECIPIENTS;
    return s->tx->type == SMTP_BODY_TYPE_BINARYMIME ? SMTP_REPLY_BDAT_ONLY : SMTP_REPLY_NONE;
}

enum smtp_reply_id smtp_cmd_data_act(struct smtp_session *s, struct smtp_call *call)
{
    (void)call;
    ASSERT(s->tx->recipients > 0);
    smtp_session_set_state(s, SMTP_STATE_BODY);
    return SMTP_REPLY_SEND_BODY;
}

void smtp_cmd_data_finish(struct smtp_session *s, bool accepted)
{
    counter_inc(s->room->env.counters,
                accepted ? COUNTER_SMTP_MESSAGES : COUNTER_SMTP_MESSAGES_REFUSED);
    smtp_tx_end(s);
    smtp_session_set_state(s, SMTP_STATE_READY);
}

/* One policy for bytes that two programs could read in two ways, and for bodies without an end: the
 * session is over. */
static enum smtp_body_outcome stop(struct smtp_session *s, enum smtp_reply_id reply)
{
    ASSERT(reply != SMTP_REPLY_NONE);
    counter_inc(s->room->env.counters, COUNTER_SMTP_MESSAGES_REFUSED);
    smtp_session_stop(s, reply, reply == SMTP_REPLY_TOO_BIG ? "endless body" : "bad body bytes");
    return SMTP_BODY_STOP;
}

enum smtp_body_outcome smtp_cmd_data_feed(struct smtp_session *s, struct span chunk,
                                          uint32_t *taken)
{
    const struct smtp_body *body;
    enum smtp_reply_id refusal;

    ASSERT(s->state == SMTP_STATE_BODY);
    ASSERT(s->owed == SMTP_REPLY_NONE);
    body = &s->tx->body;
    *taken = smtp_tx_scan(s->tx, chunk);
    refusal = smtp_tx_refusal(s);
    if (smtp_tx_endless(s) || body->at == SMTP_BODY_BARE || body->at == SMTP_BODY_NUL)
        return stop(s, refusal);
    if (!smtp_body_over(body))
        return SMTP_BODY_MORE;
    if (refusal != SMTP_REPLY_NONE) {
        s->owed = refusal;
        smtp_cmd_data_finish(s, false);
        return SMTP_BODY_END;
    }
    smtp_tx_seal(s);
    smtp_session_set_state(s, SMTP_STATE_DURABLE);
    return SMTP_BODY_SEALED;
}

enum smtp_reply_id smtp_cmd_data_durable(struct smtp_session *s, enum smtp_delivery how)
{
    ASSERT(s->state == SMTP_STATE_DURABLE);
    ASSERT(s->tx->id != 0);
    s->queued_id = s->tx->id;
    switch (how) {
    case SMTP_DELIVERY_DURABLE:
        s->messages++;
        smtp_allow_use(s, SMTP_USE_BYTES, smtp_body_size(&s->tx->body));
        smtp_cmd_data_finish(s, true);
        return SMTP_REPLY_QUEUED;
    case SMTP_DELIVERY_FULL: smtp_cmd_data_finish(s, false); return SMTP_REPLY_SPOOL_FULL;
    case SMTP_DELIVERY_FAILED: smtp_cmd_data_finish(s, false); return SMTP_REPLY_SPOOL_FAILED;
    }
    UNREACHABLE("a delivery without a branch");
}
