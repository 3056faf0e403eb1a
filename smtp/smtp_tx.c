/*
 * One transaction: from an accepted MAIL to the reply to its end of data. Takes its buffer from the
 * pool, packs the envelope as commands are accepted, and puts the message together for the spool.
 */
#include <stdlib.h>

#include "smtp/smtp_date.h"
#include "smtp/smtp_priv.h"
#include "smtp/smtp_trace.h"

static void put_field(struct smtp_tx *tx, enum mail_field_type type, struct span value)
{
    bool fits = mail_field_put(&tx->envelope, type, value);

    ASSERT(fits); /* all but recipients are short: see the assertion below */
}

STATIC_ASSERT(LIMIT_ENVELOPE_BYTES >
                  2 * LIMIT_PATH_BYTES + LIMIT_LOGIN_BYTES + LIMIT_HELO_BYTES + 1024,
              "what MAIL puts into an envelope always fits");

static void put_client(struct smtp_tx *tx, const struct smtp_client *client)
{
    uint8_t bytes[ADDR_TEXT_MAX + 16];
    struct buf text = { bytes, 0, sizeof(bytes) };
    char addr[ADDR_TEXT_MAX];
    bool v4 = addr_is_v4(&client->peer.addr);
    bool fits;

    addr_format(&client->peer.addr, addr);
    fits = buf_printf(&text, v4 ? "%s:%u" : "[%s]:%u", addr, client->peer.port);
    ASSERT(fits);
    put_field(tx, MAIL_FIELD_CLIENT, span_of(text.ptr, text.len));
}

static void put_tls(struct smtp_tx *tx, const struct smtp_client *client)
{
    uint8_t bytes[256];
    struct buf text = { bytes, 0, sizeof(bytes) };
    bool fits;

    if (client->tls_version == NULL)
        return;
    fits = buf_printf(&text, "%s %s %s", client->tls_version,
                      client->tls_group ? client->tls_group : "-",
                      client->tls_cipher ? client->tls_cipher : "-");
    ASSERT(fits);
    put_field(tx, MAIL_FIELD_TLS, span_of(text.ptr, text.len));
}

static const char *const body_types[] = {
    [SMTP_BODY_TYPE_7BIT] = "7BIT",
    [SMTP_BODY_TYPE_8BITMIME] = "8BITMIME",
    [SMTP_BODY_TYPE_BINARYMIME] = "BINARYMIME",
};

static void put_auth(struct smtp_tx *tx, const struct smtp_params *p)
{
    uint8_t bytes[LIMIT_PATH_BYTES];
    struct buf text = { bytes, 0, sizeof(bytes) };
    bool decoded = smtp_syntax_xtext(p->auth, &text);

    ASSERT(decoded); /* the check has done it once */
    put_field(tx, MAIL_FIELD_AUTH, span_of(text.ptr, text.len));
}

/* From "seconds from now" to a time that stays true (RFC 2852, 4). */
static void put_by(struct smtp_tx *tx, const struct smtp_params *p, uint64_t now_s)
{
    int64_t due = (int64_t)now_s + p->by_s;
    uint8_t bytes[SMTP_DATE_ISO_BYTES + 4];
    struct buf text = { bytes, 0, sizeof(bytes) };
    char date[SMTP_DATE_ISO_BYTES];
    bool fits;

    smtp_date_iso(due > 0 ? (uint64_t)due : 0, date);
    fits = buf_printf(&text, "%s;%c%s", date, p->by_return ? 'R' : 'N', p->by_trace ? "T" : "");
    ASSERT(fits);
    put_field(tx, MAIL_FIELD_BY, span_of(text.ptr, text.len));
}

static void put_hold(struct smtp_tx *tx, const struct smtp_params *p, uint64_t now_s)
{
    char date[SMTP_DATE_ISO_BYTES];

    smtp_date_iso(p->given & SMTP_PARAM_HOLDFOR ? now_s + p->hold_s : p->hold_s, date);
    put_field(tx, MAIL_FIELD_HOLD, span_str(date));
}

static void put_priority(struct smtp_tx *tx, const struct smtp_params *p)
{
    const char digits[] = { '-', (char)('0' + abs(p->priority)) };
    bool minus = p->priority < 0;

    put_field(tx, MAIL_FIELD_PRIORITY, span_of(digits + !minus, minus ? 2 : 1));
}

static void put_params(struct smtp_tx *tx, const struct smtp_params *p, uint64_t now_s)
{
    if (p->given & SMTP_PARAM_BODY)
        put_field(tx, MAIL_FIELD_BODY, span_str(body_types[p->body]));
    if (p->given & SMTP_PARAM_AUTH)
        put_auth(tx, p);
    if (p->given & SMTP_PARAM_RET)
        put_field(tx, MAIL_FIELD_RET, p->ret_full ? SPAN_LITERAL("FULL") : SPAN_LITERAL("HDRS"));
    if (p->given & SMTP_PARAM_ENVID)
        put_field(tx, MAIL_FIELD_ENVID, p->envid);
    if (p->given & SMTP_PARAM_PRIORITY)
        put_priority(tx, p);
    if (p->given & SMTP_PARAM_SMTPUTF8)
        put_field(tx, MAIL_FIELD_SMTPUTF8, (struct span){ 0 });
    if (p->given & SMTP_PARAM_REQUIRETLS)
        put_field(tx, MAIL_FIELD_REQUIRETLS, (struct span){ 0 });
    if (p->given & SMTP_PARAM_BY)
        put_by(tx, p, now_s);
    if (p->given & (SMTP_PARAM_HOLDFOR | SMTP_PARAM_HOLDUNTIL))
        put_hold(tx, p, now_s);
}

void smtp_tx_set_form(struct smtp_session *s, enum smtp_body_form form)
{
    smtp_body_init(&s->tx->body, form);
    smtp_header_init(&s->tx->fields, form == SMTP_BODY_STUFFED, smtp_allow_judge(s));
}

uint32_t smtp_tx_scan(struct smtp_tx *tx, struct span bytes)
{
    uint32_t taken = smtp_body_scan(&tx->body, bytes);

    smtp_header_feed(&tx->fields, span_first(bytes, taken));
    return taken;
}

void smtp_tx_end_of_chunks(struct smtp_tx *tx)
{
    smtp_body_end(&tx->body);
    smtp_header_end(&tx->fields);
}

void smtp_tx_begin(struct smtp_session *s, const struct smtp_call *mail)
{
    struct smtp_tx *tx = pool_get(s->room->txs);

    ASSERT(s->tx == NULL);
    ASSERT(tx != NULL); /* the pool has one for each session */
    s->tx = tx;
    smtp_tx_set_form(s, SMTP_BODY_STUFFED);
    tx->type = mail->params.body;
    tx->utf8 = (mail->params.given & SMTP_PARAM_SMTPUTF8) != 0;
    tx->envelope = (struct buf){ tx->envelope_bytes, 0, sizeof(tx->envelope_bytes) };
    tx->header = (struct buf){ tx->header_bytes, 0, sizeof(tx->header_bytes) };
    tx->recipient = (struct span){ NULL, 0 };
    tx->recipients = 0;
    tx->id = 0;
    tx->lost = false;

    put_field(tx, MAIL_FIELD_SENDER, mail->mailbox);
    if (s->authenticated)
        put_field(tx, MAIL_FIELD_USER, smtp_session_user(s));
    put_client(tx, &s->client);
    put_field(tx, MAIL_FIELD_HELO, smtp_session_helo(s));
    put_tls(tx, &s->client);
    put_params(tx, &mail->params, s->room->env.clock->unix_ms / 1000);
}

void smtp_tx_end(struct smtp_session *s)
{
    if (s->tx == NULL)
        return;
    pool_put(s->room->txs, s->tx);
    s->tx = NULL;
}

/* What DSN says of one recipient; false: no room. */
static bool put_dsn(struct buf *envelope, const struct smtp_params *p)
{
    static const char *const words[] = {
        "NEVER", "SUCCESS",       "FAILURE",       "SUCCESS,FAILURE",
        "DELAY", "SUCCESS,DELAY", "FAILURE,DELAY", "SUCCESS,FAILURE,DELAY",
    };

    if ((p->given & SMTP_PARAM_NOTIFY) &&
        !mail_field_put(envelope, MAIL_FIELD_NOTIFY, span_str(words[p->notify])))
        return false;
    return !(p->given & SMTP_PARAM_ORCPT) || mail_field_put(envelope, MAIL_FIELD_ORCPT, p->orcpt);
}

bool smtp_tx_add_recipient(struct smtp_session *s, const struct smtp_call *rcpt)
{
    struct smtp_tx *tx = s->tx;
    uint32_t len_before = tx->envelope.len;
    struct span mailbox = rcpt->mailbox;

    ASSERT(mailbox.len > 0);
    if (tx->recipients >= s->own.recipients_max)
        return false;
    if (!mail_field_put(&tx->envelope, MAIL_FIELD_RECIPIENT, mailbox))
        return false;
    if (tx->recipients == 0)
        tx->recipient = span_of(tx->envelope.ptr + tx->envelope.len - mailbox.len, mailbox.len);
    if (!put_dsn(&tx->envelope, &rcpt->params)) {
        tx->envelope.len = len_before;
        return false;
    }
    tx->recipients++;
    return true;
}

bool smtp_tx_endless(const struct smtp_session *s)
{
    ASSERT(s->tx != NULL);
    return smtp_body_size(&s->tx->body) / 2 > s->own.message_bytes_max;
}

/* True when From or Sender name somebody else, and no Sender of ours can make it good. */
static bool is_anothers(const struct smtp_session *s)
{
    uint32_t foreign = s->tx->fields.foreign;

    if (foreign & SMTP_HEADER_SENDER || s->room->config.from_rule == SMTP_FROM_OWN)
        return foreign != 0;
    return foreign != 0 && !smtp_syntax_mailbox(smtp_session_user(s));
}

/* In an order that makes the reply the same for every cut of the body into chunks. */
enum smtp_reply_id smtp_tx_refusal(const struct smtp_session *s)
{
    const struct smtp_tx *tx = s->tx;

    if (smtp_tx_endless(s))
        return SMTP_REPLY_TOO_BIG;
    if (tx->body.at == SMTP_BODY_BARE)
        return SMTP_REPLY_BODY_BARE;
    if (tx->body.at == SMTP_BODY_NUL)
        return SMTP_REPLY_BODY_NUL;
    if (smtp_body_size(&tx->body) > s->own.message_bytes_max)
        return SMTP_REPLY_TOO_BIG;
    if (tx->body.long_line)
        return SMTP_REPLY_TEXT_LINE_TOO_LONG;
    if (tx->fields.fields > LIMIT_FIELDS || tx->fields.longest > LIMIT_FIELD_BYTES)
        return SMTP_REPLY_HEADER_TOO_BIG;
    if (tx->fields.received > s->room->config.hops_max)
        return SMTP_REPLY_LOOP;
    if (is_anothers(s))
        return SMTP_REPLY_FROM_NOT_YOURS;
    if (tx->lost)
        return tx->lost_why == SMTP_DELIVERY_FULL ? SMTP_REPLY_SPOOL_FULL : SMTP_REPLY_SPOOL_FAILED;
    return SMTP_REPLY_NONE;
}

/* What a submission server adds (RFC 6409, 8.1 to 8.4), and the line between it and a message
 * that has no header of its own. */
static bool put_missing(const struct smtp_session *s, const char *hostname, uint64_t unix_ms)
{
    struct smtp_tx *tx = s->tx;
    struct span user = smtp_session_user(s);
    char date[SMTP_DATE_MAIL_BYTES];
    char id[MAIL_ID_TEXT];
    bool fits = true;

    smtp_date_mail(unix_ms, date);
    mail_id_format(tx->id, id);
    if (!(tx->fields.seen & SMTP_HEADER_DATE))
        fits = buf_printf(&tx->header, "Date: %s\r\n", date);
    if (!(tx->fields.seen & SMTP_HEADER_MESSAGE_ID))
        fits = fits && buf_printf(&tx->header, "Message-ID: <%s@%s>\r\n", id, hostname);
    if (tx->fields.foreign != 0 && !(tx->fields.seen & SMTP_HEADER_SENDER))
        fits = fits &&
               buf_printf(&tx->header, "Sender: %.*s\r\n", (int)user.len, (const char *)user.ptr);
    if (tx->fields.missing)
        fits = fits && buf_put(&tx->header, SPAN_LITERAL("\r\n"));
    return fits;
}

void smtp_tx_seal(struct smtp_session *s)
{
    const struct smtp_env *env = &s->room->env;
    struct smtp_tx *tx = s->tx;
    bool fits;

    ASSERT(tx->id == 0);
    ASSERT(tx->recipients > 0);
    ASSERT((tx->body.at == SMTP_BODY_DONE) == (tx->body.form == SMTP_BODY_STUFFED));
    tx->id = mail_id_make(env->ids, env->clock->unix_ms);
    ASSERT(tx->id != 0);
    fits = smtp_trace_received(
        &(struct smtp_trace){
            .helo = smtp_session_helo(s),
            .host = span_str(s->room->config.hostname),
            .recipient = tx->recipients == 1 ? tx->recipient : (struct span){ NULL, 0 },
            .client = s->client.peer.addr,
            .hide_client = s->room->config.privacy,
            .esmtp = s->esmtp,
            .utf8 = tx->utf8,
            .secure = s->client.secure,
            .authenticated = s->authenticated,
            .tls_version = s->client.tls_version,
            .tls_cipher = s->client.tls_cipher,
            .tls_group = s->client.tls_group,
            .id = tx->id,
            .unix_ms = env->clock->unix_ms,
        },
        &tx->header);
    fits = fits && put_missing(s, s->room->config.hostname, env->clock->unix_ms);
    ASSERT(fits);
}

void smtp_tx_mail(const struct smtp_session *s, struct mail *out)
{
    const struct smtp_tx *tx = s->tx;

    ASSERT(tx != NULL);
    ASSERT(tx->id != 0);
    *out = (struct mail){
        .envelope = span_of(tx->envelope.ptr, tx->envelope.len),
        .header = span_of(tx->header.ptr, tx->header.len),
        .body_bytes = smtp_body_stored(&tx->body),
        .flags = tx->body.form == SMTP_BODY_STUFFED ? MAIL_DOT_STUFFED : 0,
        .id = tx->id,
    };
}
