/*
 * EHLO and HELO (RFC 5321, 4.1.1.1): a greeting is also a RSET, and may come again at any time.
 * Says which extensions hold for this session now.
 */
#include "smtp/smtp_priv.h"

enum smtp_reply_id smtp_cmd_ehlo_check(struct smtp_session *s, struct smtp_call *call)
{
    (void)s;
    return smtp_syntax_helo(call->args) ? SMTP_REPLY_NONE : SMTP_REPLY_BAD_HELO;
}

static void greet(struct smtp_session *s, struct span helo, bool esmtp)
{
    ASSERT(helo.len > 0);
    ASSERT(helo.len <= sizeof(s->helo));
    memcpy(s->helo, helo.ptr, helo.len);
    s->helo_len = (uint16_t)helo.len;
    s->esmtp = esmtp;
    smtp_tx_end(s);
    smtp_session_set_state(s, SMTP_STATE_READY);
}

enum smtp_reply_id smtp_cmd_ehlo_act(struct smtp_session *s, struct smtp_call *call)
{
    greet(s, call->args, true);
    return SMTP_REPLY_EHLO;
}

enum smtp_reply_id smtp_cmd_ehlo_helo(struct smtp_session *s, struct smtp_call *call)
{
    greet(s, call->args, false);
    return SMTP_REPLY_HELO;
}

void smtp_cmd_ehlo_reply(const struct smtp_session *s, struct buf *out)
{
    const struct smtp_reply_fill fill = {
        .host = span_str(s->room->config.hostname),
        .number = s->room->config.message_bytes_max,
    };

    ASSERT(buf_room(out) >= LIMIT_REPLY_BYTES);
    smtp_reply_put_more(SMTP_REPLY_EHLO, &fill, out);
    smtp_reply_put_more(SMTP_REPLY_EHLO_PIPELINING, &fill, out);
    smtp_reply_put_more(SMTP_REPLY_EHLO_SIZE, &fill, out);
    smtp_reply_put_more(SMTP_REPLY_EHLO_8BITMIME, &fill, out);
    smtp_reply_put_more(SMTP_REPLY_EHLO_CHUNKING, &fill, out);
    smtp_reply_put_more(SMTP_REPLY_EHLO_BINARYMIME, &fill, out);
    smtp_reply_put_more(SMTP_REPLY_EHLO_ENHANCED, &fill, out);
    if (s->client.starttls && !s->client.secure)
        smtp_reply_put_more(SMTP_REPLY_EHLO_STARTTLS, &fill, out);
    if (s->client.secure && !s->authenticated)
        smtp_reply_put_more(SMTP_REPLY_EHLO_AUTH, &fill, out);
    smtp_reply_put(SMTP_REPLY_EHLO_HELP, &fill, out);
}
