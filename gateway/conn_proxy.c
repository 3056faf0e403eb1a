/*
 * The PROXY header of a connection that a listed proxy made: read before TLS and before the banner.
 *
 * Happy path: bytes are read while the parser says that the header has more, never past its end, so
 * what stands behind it stays in the stream. Then the client's address takes the place of the
 * proxy's: for the limits, the log, the guesses and the Received field.
 *
 * Failure modes: a malformed header, or none (reset: whoever speaks is no proxy that we can talk
 * to); too many connections of the client; the time of a handshake is over. A connection that ends
 * before its first byte, or is the proxy's own by its header, is a health check.
 */
#include "base/assert.h"
#include "base/limits.h"
#include "gateway/conn_priv.h"
#include "gateway/proxy_header.h"

STATIC_ASSERT(LIMIT_CONN_INPUT_BYTES >= PROXY_HEADER_BYTES_MAX, "a header fits into the input");

static enum conn_progress refuse(struct conn *c, const char *why)
{
    counter_inc(c->set->env.counters, COUNTER_PROXY_ERRORS);
    c->lower->ops->abort(c->lower);
    conn_close(c, why);
    return CONN_GONE;
}

static enum conn_progress take_header(struct conn *c, const struct proxy_header *h)
{
    struct conns *cs = c->set;

    counter_inc(cs->env.counters, COUNTER_PROXY_HEADERS);
    /* HAProxy's checks name their own socket in version 1. */
    c->is_proxys = h->local || (addr_equal(&h->peer.addr, &c->lower->peer.addr) &&
                                h->peer.port == c->lower->peer.port);
    if (!c->is_proxys) {
        c->peer = h->peer;
        c->local = h->local_end;
        conn_log_proxied(c, h);
    }
    conn_session_keep(c, (struct span){ 0 });
    c->counted = conn_clients_enter(cs->clients, &c->peer.addr, cs->config.connections_per_client);
    return c->counted ? conn_begin(c) : conn_refuse_client(c);
}

enum conn_progress conn_proxy_step(struct conn *c)
{
    struct proxy_header h;
    struct buf *in = &c->input;
    uint32_t n;

    for (;;) {
        switch (proxy_header_parse(span_of(in->ptr, in->len), &h)) {
        case PROXY_HEADER_WHOLE: return take_header(c, &h);
        case PROXY_HEADER_BAD: return refuse(c, h.fault);
        case PROXY_HEADER_MORE: break;
        }
        if ((c->lower->ready & STREAM_READABLE) == 0)
            return CONN_STUCK;
        conn_session_hold(c);
        ASSERT(h.bytes > in->len && h.bytes <= in->cap);
        n = c->lower->ops->read(c->lower, in->ptr + in->len, h.bytes - in->len);
        if (n == 0)
            return CONN_STUCK;
        in->len += n;
    }
}
