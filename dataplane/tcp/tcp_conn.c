/*
 * Birth, death and state of a connection block. Happy path: created from a half-open entry or by
 * tcp_connect, established, and at the end handed over to a TIME-WAIT entry or finished; freed once
 * its owner let go as well.
 *
 * A block without an owner (an orphan, or one never accepted) is freed where it ends, so after
 * tcp_conn_fail, tcp_conn_finish and tcp_conn_to_time_wait a caller must not touch it.
 */
#include "dataplane/tcp/tcp_conn.h"

#include <string.h>

#include "base/assert.h"
#include "base/byteorder.h"
#include "dataplane/tcp/tcp_stall.h"
#include "dataplane/tcp/tcp_time_wait.h"

#define MSS_DEFAULT_V4 536  /* RFC 9293, 3.7.1 */
#define MSS_DEFAULT_V6 1220 /* RFC 9293, 3.7.1 */
#define IP4_HEADER_LEN 20
#define IP6_HEADER_LEN 40

void tcp_conn_set_state(struct tcp_conn *c, enum tcp_state state)
{
    struct tcp *t = c->tcp;
    enum tcp_state old = c->state;

    ASSERT(tcp_fsm_may_move(old, state));
    ASSERT(t->state_count[old] > 0);
    t->state_count[old]--;
    t->state_count[state]++;
    c->state = (uint8_t)state;
}

/* The four-tuple in as few bytes as tell it apart: SipHash costs by the eight. */
static uint32_t pack_tuple(const struct endpoint *local, const struct endpoint *peer,
                           uint8_t out[36])
{
    uint32_t from = addr_is_v4(&local->addr) && addr_is_v4(&peer->addr) ? 12 : 0;
    uint32_t len = 16 - from;

    memcpy(out, local->addr.octets + from, len);
    memcpy(out + len, peer->addr.octets + from, len);
    store_be16(out + 2 * len, local->port);
    store_be16(out + 2 * len + 2, peer->port);
    return 2 * len + 4;
}

uint64_t tcp_conn_hash(const struct tcp *t, const struct endpoint *local,
                       const struct endpoint *peer)
{
    uint8_t tuple[36];
    uint32_t len = pack_tuple(local, peer, tuple);

    return hash_sip24(&t->env.secret, tuple, len);
}

/* RFC 6528, 3: ISN = M + F(localip, localport, remoteip, remoteport, secretkey), M a clock of 4 us.
 */
uint32_t tcp_conn_choose_iss(const struct tcp *t, const struct endpoint *local,
                             const struct endpoint *peer, uint64_t at_ns, uint32_t *ts_offset)
{
    struct hash_key key = { ~t->env.secret.k0, t->env.secret.k1 ^ 0x49534e };
    uint8_t tuple[36];
    uint32_t len = pack_tuple(local, peer, tuple);
    uint64_t f = hash_sip24(&key, tuple, len);

    *ts_offset = (uint32_t)(f >> 32);
    return (uint32_t)f + (uint32_t)(at_ns / (4 * NS_PER_US));
}

uint16_t tcp_conn_default_mss(const struct addr *peer)
{
    return addr_is_v4(peer) ? MSS_DEFAULT_V4 : MSS_DEFAULT_V6;
}

uint32_t tcp_conn_header_bytes(const struct addr *peer)
{
    return (addr_is_v4(peer) ? IP4_HEADER_LEN : IP6_HEADER_LEN) + TCP_WIRE_HEADER_MIN;
}

uint16_t tcp_conn_local_mss(const struct tcp *t, const struct addr *peer)
{
    uint32_t mtu = t->env.lower->mtu(t->env.lower, peer);
    uint32_t headers = tcp_conn_header_bytes(peer);

    ASSERT(mtu > headers + LIMIT_TCP_MSS_MIN);
    return (uint16_t)(mtu - headers);
}

static void init_links(struct tcp_conn *c)
{
    list_node_init(&c->output_link);
    list_node_init(&c->short_link);
    list_node_init(&c->stream.ready_link);
    wheel_entry_init(&c->wheel);
}

struct tcp_conn *tcp_conn_create(struct tcp *t, const struct endpoint *local,
                                 const struct endpoint *peer, uint64_t hash)
{
    struct tcp_conn *c = pool_get(t->conns);

    if (c == NULL)
        return NULL;
    if (!tcp_table_insert(&t->table, hash, TCP_REF(TCP_KIND_CONN, pool_index(t->conns, c)))) {
        pool_put(t->conns, c);
        return NULL;
    }
    tcp_prefix_enter(&t->prefixes, &peer->addr);
    memset(c, 0, sizeof(*c));
    c->tcp = t;
    c->flight = &t->idle;
    c->flags = TCP_CONN_TABLED;
    init_links(c);
    t->state_count[TCP_CLOSED]++;
    tcp_recvq_init(&c->recvq);
    tcp_rtt_init(&c->rtt);
    tcp_rack_path_init(&c->path);
    c->stream.ops = &tcp_stream_ops;
    c->stream.ready_list = t->env.ready;
    c->stream.local = *local;
    c->stream.peer = *peer;
    return c;
}

void tcp_conn_start_send(struct tcp_conn *c, uint32_t iss)
{
    c->iss = iss;
    c->snd_una = iss;
    c->snd_nxt = iss;
    c->snd_max = iss;
    c->flags |= TCP_CONN_SYN_OUT;
    tcp_flight_begin(c);
    tcp_sendq_init(&c->flight->sendq, iss + 1);
    c->snd_mss = LIMIT_TCP_MSS_MIN;
    c->tcp->cc->init(&c->cc, c->snd_mss, false);
}

/* What we may put into a segment: the peer's MSS, our MTU and our buffers, less the options that
 * each will carry. */
static uint16_t agree_mss(const struct tcp_conn *c, const struct tcp_header *syn)
{
    const struct addr *peer = &c->stream.peer.addr;
    uint32_t mss = tcp_conn_default_mss(peer);
    uint32_t ours = tcp_conn_local_mss(c->tcp, peer);
    uint32_t room = c->tcp->env.pool->room - TCP_WIRE_HEADER_MAX;

    if (syn->options & TCP_HAS_MSS)
        mss = syn->mss;
    if (mss < LIMIT_TCP_MSS_MIN)
        mss = LIMIT_TCP_MSS_MIN;
    mss = mss < ours ? mss : ours;
    mss = mss < room ? mss : room;
    /* RFC 6691: the MSS counts no options, so they come off */
    return (uint16_t)(c->flags & TCP_CONN_TS ? mss - TCP_WIRE_TS_LEN : mss);
}

void tcp_conn_start_receive(struct tcp_conn *c, const struct tcp_header *syn)
{
    struct tcp *t = c->tcp;
    uint32_t mss = tcp_conn_local_mss(t, &c->stream.peer.addr);

    if (syn->options & TCP_HAS_TS) {
        c->flags |= TCP_CONN_TS;
        c->ts_recent = syn->ts_val;
        c->ts_age = tcp_ts_age(t);
    }
    if (syn->options & TCP_HAS_SACK_OK)
        c->flags |= TCP_CONN_SACK;
    if (syn->options & TCP_HAS_WSCALE) {
        c->snd_wscale = syn->wscale;
        c->rcv_wscale = t->rcv_wscale;
    }
    if (syn->options & TCP_HAS_ECN)
        tcp_ecn_agree(&c->ecn);
    c->irs = syn->seq;
    c->rcv_nxt = syn->seq + 1;
    c->last_ack_sent = c->rcv_nxt;
    c->rcv_adv = c->rcv_nxt + tcp_window_of_syn(t);
    c->rcv_mss = (uint16_t)(mss < MSS_DEFAULT_V4 ? mss : MSS_DEFAULT_V4);
    c->snd_mss = agree_mss(c, syn);
    tcp_window_open(c);
    c->tcp->cc->init(&c->cc, c->snd_mss, false);
}

void tcp_conn_established(struct tcp_conn *c)
{
    struct tcp *t = c->tcp;
    bool syn_lost = (c->flags & TCP_CONN_SYN_LOST) != 0;

    tcp_conn_set_state(c, TCP_ESTABLISHED);
    t->cc->init(&c->cc, c->snd_mss, syn_lost);
    if (syn_lost)
        tcp_rtt_syn_was_lost(&c->rtt);
    c->quick_acks = TCP_TEXT_QUICK_ACKS;
    tcp_timer_watch(c);
    if (!(c->flags & TCP_CONN_ACCEPTED))
        list_append(&t->accepts, &c->stream.ready_link);
    tcp_stream_update(c);
}

void tcp_conn_drop_gaps(struct tcp_conn *c)
{
    if (c->reasm == NULL)
        return;
    tcp_reasm_clear(c->reasm);
    list_remove(&c->reasm->link);
    pool_put(c->tcp->reasms, c->reasm);
    c->reasm = NULL;
}

static uint64_t hash_of(const struct tcp_conn *c)
{
    return tcp_conn_hash(c->tcp, &c->stream.local, &c->stream.peer);
}

/* Out of the table and of every list but the owner's: no segment and no timer finds it any more. */
static void detach(struct tcp_conn *c)
{
    if (c->flags & TCP_CONN_TABLED)
        tcp_table_remove(&c->tcp->table, hash_of(c));
    c->flags &= (uint16_t)~TCP_CONN_TABLED;
    tcp_timer_stop(c);
    tcp_conn_drop_gaps(c);
    tcp_window_close(c);
    tcp_flight_drop(c);
    list_remove(&c->output_link);
    list_remove(&c->short_link);
    if (!(c->flags & TCP_CONN_ACCEPTED))
        list_remove(&c->stream.ready_link);
}

static bool has_owner(const struct tcp_conn *c)
{
    return (c->flags & TCP_CONN_ACCEPTED) && !(c->flags & TCP_CONN_ORPHAN);
}

/* The block is detached: keeps it for its owner, or frees it. */
static void settle(struct tcp_conn *c)
{
    if (!has_owner(c)) {
        tcp_conn_free(c);
        return;
    }
    list_append(&c->tcp->ended, &c->output_link);
    tcp_stream_update(c);
}

void tcp_conn_fail(struct tcp_conn *c)
{
    ASSERT(tcp_fsm_is_live(c->state));
    if (c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT)
        tcp_count(c->tcp, COUNTER_TCP_ESTAB_RESETS);
    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RCVD)
        tcp_count(c->tcp, COUNTER_TCP_ATTEMPT_FAILS);
    detach(c);
    tcp_recvq_clear(&c->recvq);
    c->flags |= TCP_CONN_FAILED;
    tcp_conn_set_state(c, TCP_CLOSED);
    settle(c);
}

void tcp_conn_finish(struct tcp_conn *c)
{
    ASSERT(c->state == TCP_LAST_ACK);
    ASSERT(tcp_sendq_bytes(&c->flight->sendq) == 0);
    detach(c);
    tcp_conn_set_state(c, TCP_CLOSED);
    settle(c);
}

void tcp_conn_to_time_wait(struct tcp_conn *c)
{
    struct tcp *t = c->tcp;
    uint64_t due_ns = tcp_now_ns(t) + t->config.time_wait_ms * NS_PER_MS;
    struct tcp_tw tw = {
        .hash = hash_of(c),
        .snd_nxt = c->snd_max,
        .rcv_nxt = c->rcv_nxt,
        .ts_recent = c->ts_recent,
        .ts_offset = c->ts_offset,
        .due_ms = (uint32_t)((due_ns - t->born_ns) / NS_PER_MS),
        .wnd = (uint16_t)((c->rcv_adv - c->rcv_nxt) >> c->rcv_wscale),
        .ts = (c->flags & TCP_CONN_TS) != 0,
    };

    ASSERT(tcp_sendq_bytes(&c->flight->sendq) == 0);
    if (tcp_tw_full(&t->tws))
        tcp_time_wait_forget(t, tcp_tw_oldest(&t->tws));
    detach(c);
    if (!tcp_table_insert(&t->table, tw.hash, TCP_REF(TCP_KIND_TW, tcp_tw_add(&t->tws, &tw))))
        UNREACHABLE("the block has just left the table");
    tcp_conn_set_state(c, TCP_TIME_WAIT);
    settle(c);
}

void tcp_conn_free(struct tcp_conn *c)
{
    struct tcp *t = c->tcp;

    ASSERT(!tcp_fsm_is_live(c->state));
    ASSERT(!(c->flags & TCP_CONN_TABLED));
    ASSERT(tcp_flight_is_idle(c));
    tcp_recvq_clear(&c->recvq);
    if (c->state != TCP_CLOSED)
        tcp_conn_set_state(c, TCP_CLOSED);
    list_remove(&c->stream.ready_link);
    list_remove(&c->output_link);
    t->state_count[TCP_CLOSED]--;
    tcp_prefix_leave(&t->prefixes, &c->stream.peer.addr);
    pool_put(t->conns, c);
}
