/*
 * EHLO and HELO (RFC 5321, 4.1.1.1): a greeting is also a RSET, and may come again at any time.
 * Says which extensions hold for this session now.
 */
#include "smtp/smtp_date.h"
#include "smtp/smtp_priv.h"

enum smtp_reply_id smtp_cmd_ehlo_check(struct smtp_session *s, struct smtp_call *call)
{
    (void)s;
    return smtp_syntax_helo(call->args) ? SMTP_REPLY_NONE : SMTP_REPLY_BAD_HELO;
}

static void greet(struct smtp_session *s, struct span helo, bool esmtp)
{
    ASSERT(helo.len > 0);
    ASSERT(helo.len <= LIMIT_HELO_BYTES);
    texts_set(s->room->names, &s->helo, helo);
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

static void put_number(enum smtp_reply_id id, uint64_t number, struct buf *out)
{
    smtp_reply_put_more(id, &(struct smtp_reply_fill){ .number = number }, out);
}

/* FUTURERELEASE has two words: for how long, and until when (RFC 4865, 4). */
static void put_hold(const struct smtp_session *s, struct buf *out)
{
    uint64_t most = s->room->config.hold_s_max;
    char until[SMTP_DATE_ISO_BYTES];

    if (most == 0)
        return;
    smtp_date_iso(s->room->env.clock->unix_ms / 1000 + most, until);
    smtp_reply_put_more(SMTP_REPLY_EHLO_HOLD,
                        &(struct smtp_reply_fill){ .words = span_str(until), .number = most }, out);
}

static void put_auth(uint32_t mechanisms, struct buf *out)
{
    uint8_t bytes[LIMIT_REPLY_LINE_BYTES];
    struct buf words = { bytes, 0, sizeof(bytes) };

    smtp_sasl_list(mechanisms, &words);
    smtp_reply_put_more(SMTP_REPLY_EHLO_AUTH,
                        &(struct smtp_reply_fill){ .words = span_of(words.ptr, words.len) }, out);
}

void smtp_cmd_ehlo_reply(const struct smtp_session *s, struct buf *out)
{
    const struct smtp_config *config = &s->room->config;
    const struct smtp_reply_fill fill = { .host = span_str(config->hostname) };

    ASSERT(buf_room(out) >= LIMIT_REPLY_BYTES);
    smtp_reply_put_more(SMTP_REPLY_EHLO, &fill, out);
    smtp_reply_put_more(SMTP_REPLY_EHLO_PIPELINING, &fill, out);
    put_number(SMTP_REPLY_EHLO_SIZE, s->own.message_bytes_max, out);
    smtp_reply_put_more(SMTP_REPLY_EHLO_8BITMIME, &fill, out);
    smtp_reply_put_more(SMTP_REPLY_EHLO_CHUNKING, &fill, out);
    smtp_reply_put_more(SMTP_REPLY_EHLO_BINARYMIME, &fill, out);
    smtp_reply_put_more(SMTP_REPLY_EHLO_SMTPUTF8, &fill, out);
    smtp_reply_put_more(SMTP_REPLY_EHLO_DSN, &fill, out);
    if (s->client.secure) /* RFC 8689, 2: within TLS alone */
        smtp_reply_put_more(SMTP_REPLY_EHLO_REQUIRETLS, &fill, out);
    smtp_reply_put_more(SMTP_REPLY_EHLO_PRIORITY, &fill, out);
    smtp_reply_put_more(SMTP_REPLY_EHLO_BY, &fill, out);
    put_hold(s, out);
    put_number(SMTP_REPLY_EHLO_LIMITS, s->own.recipients_max, out);
    smtp_reply_put_more(SMTP_REPLY_EHLO_ENHANCED, &fill, out);
    if (s->client.starttls && !s->client.secure)
        smtp_reply_put_more(SMTP_REPLY_EHLO_STARTTLS, &fill, out);
    if (s->client.secure && !s->authenticated && s->client.mechanisms != 0)
        put_auth(s->client.mechanisms, out);
    if (s->client.xclient)
        smtp_reply_put_more(SMTP_REPLY_EHLO_XCLIENT, &fill, out);
    smtp_reply_put(SMTP_REPLY_EHLO_HELP, &fill, out);
}
