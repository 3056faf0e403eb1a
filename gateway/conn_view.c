/*
 * Happy path: the set remembers the connection that is to be shown next. One that goes meanwhile
 * passes that on to its neighbour (conn_close); new ones are put at the list's end, and are seen
 * if the walk has not been there. A drain, which takes the list apart once, may end a walk early.
 */
#include "gateway/conn_view.h"

#include <string.h>

#include "base/assert.h"
#include "gateway/conn_priv.h"

static const char *phase_of(const struct conn *c)
{
    static const char *const wants[] = {
        [SMTP_WANT_INPUT] = "command",       [SMTP_WANT_OUTPUT] = "reply",
        [SMTP_WANT_PAUSE] = "pause",         [SMTP_WANT_BODY] = "body",
        [SMTP_WANT_VERDICT] = "verdict",     [SMTP_WANT_DURABLE] = "durable",
        [SMTP_WANT_CLOSE] = "closing",       [SMTP_WANT_STARTTLS] = "starttls",
        [SMTP_WANT_HANDSHAKE] = "handshake",
    };

    switch (c->phase) {
    case CONN_PROXY: return "proxy";
    case CONN_HANDSHAKE: return "handshake";
    case CONN_SESSION: ASSERT(c->want < sizeof(wants) / sizeof(wants[0])); return wants[c->want];
    case CONN_CLOSING: return "closing";
    }
    UNREACHABLE("phase of a connection");
}

static void view_session(const struct conn *c, struct conn_view *out)
{
    struct smtp_summary sum;

    if (c->session == NULL)
        return;
    smtp_session_summary(c->session, &sum);
    out->commands = sum.commands;
    out->messages = sum.messages;
    out->user_len = span_first(sum.user, sizeof(out->user)).len;
    if (out->user_len > 0)
        memcpy(out->user, sum.user.ptr, out->user_len);
}

static void view_tls(const struct conn *c, struct conn_view *out)
{
    struct tls_info tls;

    if (!conn_has_tls(c))
        return;
    tls_conn_info(c->tls, &tls);
    out->tls_version = tls.version;
    out->tls_cipher = tls.cipher;
}

static void view(const struct conn *c, struct conn_view *out)
{
    uint64_t now_ns = c->set->env.clock->now_ns;

    *out = (struct conn_view){ .worker = c->set->config.worker,
                               .number = c->number,
                               .listener = c->listener->name,
                               .phase = phase_of(c),
                               .peer = c->peer,
                               .local = c->local,
                               .age_ms = (now_ns - c->accepted_ns) / NS_PER_MS,
                               .body_bytes = c->message != NULL ? c->body_received : 0 };
    view_tls(c, out);
    view_session(c, out);
    if (c->lower->ops->info != NULL)
        c->lower->ops->info(c->lower, &out->wire);
}

void conn_view_begin(struct conns *cs)
{
    cs->viewed = cs->all.head.next;
}

bool conn_view_next(struct conns *cs, struct conn_view *out)
{
    if (cs->viewed == &cs->all.head)
        return false;
    view(LIST_ENTRY(cs->viewed, struct conn, all), out);
    cs->viewed = cs->viewed->next;
    return true;
}
