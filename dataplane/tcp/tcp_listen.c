/*
 * LISTEN, and CLOSED. Happy path: a SYN makes a half-open entry (tcp_half.h), and once its ACK has
 * made a connection of that, tcp_accept hands the stream out.
 *
 * Failure modes: without a free entry the SYN-ACK is a cookie (tcp_cookie.h), so that a flood of
 * SYNs takes no memory and keeps nobody out; when blocks or segments are short, neither a SYN nor a
 * cookie that comes back is answered, and the peer tries again. While cookies are out, text that
 * fits none is not answered: a peer that we no longer know learns it that much later.
 */
#include "dataplane/tcp/tcp_listen.h"

#include "base/assert.h"
#include "dataplane/tcp/tcp_half.h"

static bool is_any(const struct addr *a)
{
    static const struct addr zero_v4 = { .octets = { [10] = 0xff, [11] = 0xff } };

    return addr_is_none(a) || addr_equal(a, &zero_v4);
}

static bool listen_on(struct tcp *t, const struct tcp_listener *l)
{
    ASSERT(l->at.port != 0);
    if (t->listener_count == LIMIT_LISTENERS)
        return false;
    t->listeners[t->listener_count++] = *l;
    return true;
}

bool tcp_listen(struct tcp *t, const struct endpoint *at, void *cookie)
{
    return listen_on(t, &(struct tcp_listener){ .at = *at, .cookie = cookie });
}

bool tcp_listen_proxied(struct tcp *t, const struct endpoint *at, const struct addr_net *proxies,
                        uint32_t proxy_count, void *cookie)
{
    ASSERT(proxies != NULL || proxy_count == 0);
    return listen_on(t, &(struct tcp_listener){ *at, cookie, proxies, proxy_count });
}

void tcp_listen_stop(struct tcp *t)
{
    t->listener_count = 0;
    tcp_half_stop(t);
}

struct stream *tcp_accept(struct tcp *t, void **cookie)
{
    struct list_node *n = list_pop(&t->accepts);
    struct tcp_conn *c;

    if (n == NULL)
        return NULL;
    c = LIST_ENTRY(n, struct tcp_conn, stream.ready_link);
    ASSERT(c->flags & TCP_CONN_PASSIVE);
    ASSERT(!(c->flags & TCP_CONN_ACCEPTED));
    c->flags |= TCP_CONN_ACCEPTED;
    if (cookie != NULL)
        *cookie = t->listeners[c->listener].cookie;
    tcp_stream_update(c);
    return &c->stream;
}

/* The number of the listener for a local endpoint, or -1. */
static int find_listener(const struct tcp *t, const struct endpoint *local)
{
    for (uint32_t i = 0; i < t->listener_count; i++) {
        const struct endpoint *at = &t->listeners[i].at;

        if (at->port == local->port && (is_any(&at->addr) || addr_equal(&at->addr, &local->addr)))
            return (int)i;
    }
    return -1;
}

/* Somebody new; half-open entries have their promise already. */
static bool admits(struct tcp *t, const struct tcp_in *in, int listener)
{
    if (t->memory.level == TCP_MEMORY_PLENTY)
        return tcp_half_admits(t, in, listener);
    tcp_count(t, COUNTER_TCP_SYN_DROPPED);
    return false;
}

/* The MSS that a SYN stands for; the least that we follow, also where it says less. */
static uint16_t mss_of(const struct tcp_in *in)
{
    if (!(in->h.options & TCP_HAS_MSS))
        return tcp_conn_default_mss(&in->peer.addr);
    return in->h.mss < LIMIT_TCP_MSS_MIN ? LIMIT_TCP_MSS_MIN : in->h.mss;
}

/* What a SYN says, and how we answer it. */
static struct tcp_syn read_syn(struct tcp *t, const struct tcp_in *in, int listener)
{
    const struct tcp_header *h = &in->h;
    struct tcp_syn syn = {
        .local = in->local,
        .peer = in->peer,
        .hash = in->hash,
        .created_ns = tcp_now_ns(t) / TCP_SYN_TICK_NS * TCP_SYN_TICK_NS,
        .irs = h->seq,
        .ts_recent = h->options & TCP_HAS_TS ? h->ts_val : 0,
        .mss = mss_of(in),
        .wscale = h->wscale,
        .options = (uint8_t)(h->options | TCP_HAS_MSS),
        .listener = (uint8_t)listener,
    };

    if (t->config.ecn && tcp_ecn_is_asked(h->flags, in->tos))
        syn.options |= TCP_HAS_ECN;
    syn.iss = tcp_conn_choose_iss(t, &in->local, &in->peer, syn.created_ns, &syn.ts_offset);
    return syn;
}

static void answer_with_cookie(struct tcp *t, struct tcp_syn *syn)
{
    struct tcp_cookie_syn keep = {
        .tuple = syn->hash,
        .irs = syn->irs,
        .mss = syn->mss,
        .wscale = syn->wscale,
        .options = syn->options,
    };

    syn->iss = tcp_cookie_make(&t->cookies, &keep, tcp_now_ns(t));
    tcp_count(t, COUNTER_TCP_SYN_COOKIES_SENT);
    tcp_half_answer(t, syn, tcp_cookie_stamp(&keep, tcp_ts_now(t, syn->ts_offset)));
}

/* RFC 9293, 3.10.7.2, third: a SYN in LISTEN. Its text, if any, is left for the peer to send again.
 */
static void take_syn(struct tcp *t, struct tcp_in *in, int listener)
{
    struct tcp_syn syn = read_syn(t, in, listener);

    tcp_count(t, COUNTER_TCP_PASSIVE_OPENS);
    if (in->reuses) {
        /* RFC 1122, 4.2.2.13: larger than the largest that the incarnation before used */
        if (!tcp_seq_gt(syn.iss, in->iss_after))
            syn.iss = in->iss_after + 1;
        tcp_half_open_block(t, &syn);
    } else if (!tcp_half_open(t, &syn)) {
        answer_with_cookie(t, &syn); /* RFC 4987, 3.6 */
    }
}

/* An ACK in LISTEN: does it acknowledge a cookie? It may bring text, and a FIN, like any other. */
static bool take_cookie(struct tcp *t, struct tcp_in *in, int listener)
{
    const struct tcp_header *h = &in->h;
    const uint32_t *stamp = h->options & TCP_HAS_TS ? &h->ts_ecr : NULL;
    struct tcp_cookie_syn kept = { .tuple = in->hash, .irs = h->seq - 1 };
    struct tcp_syn syn;

    if (h->flags & TCP_SYN)
        return false;
    if (!tcp_cookie_open(&t->cookies, h->ack - 1, stamp, tcp_now_ns(t), &kept))
        return false;
    if (!admits(t, in, listener))
        return true;
    syn = read_syn(t, in, listener);
    syn.irs = kept.irs;
    syn.iss = h->ack - 1;
    syn.mss = kept.mss;
    syn.wscale = kept.wscale;
    syn.options = t->config.ecn ? kept.options : kept.options & ~TCP_HAS_ECN;
    tcp_count(t, COUNTER_TCP_SYN_COOKIES_RECV);
    tcp_half_promote(t, &syn, in);
    return true;
}

/* Text behind a first segment that was lost together with the handshake's ACK: a TLS hello of two
 * segments, in a flood. The first comes again, and brings the cookie; RST would forbid it. */
static bool may_be_ahead(const struct tcp *t, const struct tcp_in *in)
{
    return in->s->len > 0 && !(in->h.flags & TCP_SYN) &&
           tcp_cookie_awaited(&t->cookies, tcp_now_ns(t));
}

void tcp_listen_input(struct tcp *t, struct tcp_in *in)
{
    uint8_t flags = in->h.flags;
    int listener = find_listener(t, &in->local);

    /* first: RST is ignored; second: an ACK, and in CLOSED anything, is answered with RST */
    if (flags & TCP_RST)
        return;
    if (listener >= 0 && (flags & TCP_ACK) && (take_cookie(t, in, listener) || may_be_ahead(t, in)))
        return;
    if (listener < 0 || (flags & TCP_ACK)) {
        tcp_output_reset_for(t, in);
        return;
    }
    if (!(flags & TCP_SYN) || (flags & TCP_FIN) || !admits(t, in, listener))
        return;
    take_syn(t, in, listener);
}
