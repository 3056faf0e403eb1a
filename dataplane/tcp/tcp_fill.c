/*
 * The header of a segment of a connection: where it stands, what is acknowledged with it, and the
 * options that were agreed. Happy path: timestamps alone. Failure modes: none; what does not fit
 * beside the bytes is told by the next segment.
 */
#include "dataplane/tcp/tcp_fill.h"

#include "base/assert.h"

static void put_syn_options(const struct tcp_conn *c, struct tcp_header *h)
{
    const struct tcp *t = c->tcp;

    h->wnd = tcp_window_of_syn(t);
    h->mss = tcp_conn_local_mss(t, &c->stream.peer.addr);
    h->wscale = t->rcv_wscale;
    h->options = TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_SACK_OK | TCP_HAS_TS;
    if (c->state == TCP_SYN_SENT) {
        /* RFC 3168, 6.1.1.1: somebody on the way may drop what asks for it, so it asks once */
        if (t->config.ecn && !(c->flags & TCP_CONN_SYN_LOST))
            h->flags |= TCP_ECE | TCP_CWR;
        return;
    }
    h->flags |= c->ecn.agreed ? TCP_ECE : 0;
    /* An answer offers only what the peer did (RFC 7323, 1.3). */
    if (!(c->flags & TCP_CONN_TS))
        h->options &= (uint8_t)~TCP_HAS_TS;
    if (!(c->flags & TCP_CONN_SACK))
        h->options &= (uint8_t)~TCP_HAS_SACK_OK;
    if (c->rcv_wscale == 0 && c->snd_wscale == 0)
        h->options &= (uint8_t)~TCP_HAS_WSCALE;
}

/*
 * RFC 2018, 4: every ACK that does not cover all we hold tells of it; RFC 2883, 4: first of what
 * came twice, once. Beside bytes, as far as the segment has room.
 */
static void put_sacks(const struct tcp_conn *c, const struct tcp_fill *f, struct tcp_header *h)
{
    uint32_t max = h->options & TCP_HAS_TS ? TCP_WIRE_SACKS_MAX - 1 : TCP_WIRE_SACKS_MAX;
    uint32_t room = f->len < c->snd_mss ? c->snd_mss - f->len : 0; /* a probe is larger */

    if (!(c->flags & TCP_CONN_SACK))
        return;
    room = room < TCP_WIRE_SACK_HEAD ? 0 : (room - TCP_WIRE_SACK_HEAD) / TCP_WIRE_SACK_LEN;
    if (f->len > 0 && room < max)
        max = room;
    if (max > 0 && c->dsack.start != c->dsack.end)
        h->sacks[h->sack_count++] = c->dsack;
    ASSERT(h->sack_count <= max);
    if (c->reasm != NULL)
        h->sack_count +=
            (uint8_t)tcp_reasm_blocks(c->reasm, h->sacks + h->sack_count, max - h->sack_count);
}

void tcp_fill_header(struct tcp_conn *c, const struct tcp_fill *f, struct tcp_header *h)
{
    *h = (struct tcp_header){
        .src_port = c->stream.local.port,
        .dst_port = c->stream.peer.port,
        .seq = f->seq,
        .ack = f->flags & TCP_ACK ? c->rcv_nxt : 0,
        .flags = f->flags,
        .ts_val = tcp_ts_now(c->tcp, c->ts_offset),
        .ts_ecr = f->flags & TCP_ACK ? c->ts_recent : 0,
    };
    if (f->flags & TCP_SYN) {
        put_syn_options(c, h);
        return;
    }
    h->flags |= tcp_ecn_flags(&c->ecn, f->fresh);
    h->wnd = tcp_window_tell(c);
    h->options = c->flags & TCP_CONN_TS ? TCP_HAS_TS : 0;
    put_sacks(c, f, h);
}
