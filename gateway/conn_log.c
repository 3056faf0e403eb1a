/* A line for each session and one for each message. Values are escaped by base/log; secrets never
 * come here. */
#include <stdio.h>

#include "base/assert.h"
#include "gateway/conn_priv.h"
#include "gateway/proxy_header.h"

#define NAME_MAX_BYTES 40
#define TO_MAX_BYTES   512 /* recipients in a line; the count beside it is always whole */

static void put_endpoint(struct log_line *line, const char *key, const struct endpoint *e)
{
    char text[ADDR_TEXT_MAX + 16];
    char addr[ADDR_TEXT_MAX];

    addr_format(&e->addr, addr);
    snprintf(text, sizeof(text), addr_is_v4(&e->addr) ? "%s:%u" : "[%s]:%u", addr, e->port);
    log_str(line, key, text);
}

static void put_common(struct log_line *line, const struct conn *c)
{
    char text[NAME_MAX_BYTES];

    snprintf(text, sizeof(text), "%u-%llu", c->set->config.worker, (unsigned long long)c->number);
    log_str(line, "session", text);
    put_endpoint(line, "client", &c->peer);
}

static void put_if_any(struct log_line *line, const char *key, struct span value)
{
    if (value.len > 0)
        log_span(line, key, value);
}

static void put_tls(struct log_line *line, const struct conn *c)
{
    struct tls_info tls;

    if (!conn_has_tls(c))
        return;
    tls_conn_info(c->tls, &tls);
    log_str(line, "tls", tls.version);
    log_str(line, "cipher", tls.cipher);
    log_str(line, "group", tls.group);
    log_str(line, "resumed", tls.resumed ? "yes" : "no");
    put_if_any(line, "sni", texts_get(c->set->texts, c->server_name));
    put_if_any(line, "certificate", tls.identity);
}

void conn_log_proxied(const struct conn *c, const struct proxy_header *h)
{
    struct log *log = c->set->env.log;
    struct log_line *line = log_begin(log, LOG_LEVEL_INFO, "proxied");

    if (line == NULL)
        return;
    put_common(line, c);
    log_str(line, "listener", c->listener->name);
    put_endpoint(line, "proxy", &c->lower->peer);
    put_endpoint(line, "at", &c->local);
    put_if_any(line, "authority", h->authority);
    put_if_any(line, "unique-id", h->unique_id);
    put_if_any(line, "ssl-cn", h->ssl_cn);
    log_end(log, line);
}

void conn_log_not_a_proxy(const struct conns *cs, const struct conn_listener *l,
                          const struct endpoint *peer)
{
    struct log_line *line = log_begin(cs->env.log, LOG_LEVEL_INFO, "not a listed proxy");

    if (line == NULL)
        return;
    put_endpoint(line, "client", peer);
    log_str(line, "listener", l->name);
    log_end(cs->env.log, line);
}

/* A balancer's look whether we live, every second or two, is no news: it says nothing, or not who
 * it is. */
static enum log_level level_of(const struct conn *c, const struct smtp_summary *sum)
{
    bool mute = c->phase == CONN_PROXY && c->input.len == 0;

    return mute || (c->is_proxys && sum->user.len == 0) ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
}

void conn_log_session(const struct conn *c)
{
    struct log *log = c->set->env.log;
    struct smtp_summary sum = { 0 };
    struct log_line *line;

    if (c->session != NULL)
        smtp_session_summary(c->session, &sum);
    line = log_begin(log, level_of(c, &sum), "session");
    if (line == NULL)
        return;
    put_common(line, c);
    log_str(line, "listener", c->listener->name);
    put_tls(line, c);
    if (c->session != NULL) {
        log_span(line, "user", sum.user);
        log_span(line, "helo", sum.helo);
        log_u64(line, "commands", sum.commands);
        log_u64(line, "messages", sum.messages);
        log_u64(line, "errors", sum.errors);
    }
    log_u64(line, "ms", (c->set->env.clock->now_ns - c->accepted_ns) / NS_PER_MS);
    log_str(line, "result", c->result != NULL ? c->result : sum.result != NULL ? sum.result : "-");
    log_end(log, line);
}

/* The sender, the recipients joined by commas and cut at a bound, and how many there are. */
static void put_envelope(struct log_line *line, struct span envelope)
{
    uint8_t room[TO_MAX_BYTES];
    struct buf to = { room, 0, sizeof(room) };
    struct mail_field f;
    uint64_t count = 0;
    bool whole = true;

    while (mail_field_next(&envelope, &f)) {
        if (f.type == MAIL_FIELD_SENDER)
            log_span(line, "from", f.value);
        if (f.type == MAIL_FIELD_USER)
            log_span(line, "user", f.value);
        if (f.type != MAIL_FIELD_RECIPIENT)
            continue;
        whole = whole && f.value.len + 1 <= buf_room(&to);
        if (whole && count > 0)
            buf_put(&to, SPAN_LITERAL(","));
        if (whole)
            buf_put(&to, f.value);
        count++;
    }
    log_span(line, "to", span_of(to.ptr, to.len));
    log_u64(line, "recipients", count);
}

void conn_log_message(const struct conn *c, const struct mail *mail, const char *result)
{
    struct log *log = c->set->env.log;
    struct log_line *line = log_begin(log, LOG_LEVEL_INFO, "message");
    char id[MAIL_ID_TEXT];

    if (line == NULL)
        return;
    mail_id_format(mail->id, id);
    log_str(line, "id", id);
    put_common(line, c);
    put_envelope(line, mail->envelope);
    log_u64(line, "size", mail->body_bytes);
    log_u64(line, "durable_us", (c->set->env.clock->now_ns - c->commit_ns) / NS_PER_US);
    log_str(line, "result", result);
    log_end(log, line);
}
