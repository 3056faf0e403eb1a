/* How TCP and its connections are doing, for people. Read only; nothing can fail. */
#include "base/assert.h"
#include "base/stream_info.h"
#include "dataplane/tcp/tcp_conn.h"

void tcp_gauges(const struct tcp *t, struct tcp_gauges *out)
{
    *out = (struct tcp_gauges){
        .established = t->state_count[TCP_ESTABLISHED] + t->state_count[TCP_CLOSE_WAIT],
        .half_open = t->syns.used,
        .time_wait = t->tws.used,
        .blocks = pool_used(t->conns),
    };
    ASSERT(out->established <= out->blocks);
}

static const char *state_name(enum tcp_state state)
{
    static const char *const names[TCP_STATE_COUNT] = {
        [TCP_CLOSED] = "CLOSED",           [TCP_LISTEN] = "LISTEN",
        [TCP_SYN_SENT] = "SYN-SENT",       [TCP_SYN_RCVD] = "SYN-RECEIVED",
        [TCP_ESTABLISHED] = "ESTABLISHED", [TCP_CLOSE_WAIT] = "CLOSE-WAIT",
        [TCP_FIN_WAIT_1] = "FIN-WAIT-1",   [TCP_CLOSING] = "CLOSING",
        [TCP_LAST_ACK] = "LAST-ACK",       [TCP_FIN_WAIT_2] = "FIN-WAIT-2",
        [TCP_TIME_WAIT] = "TIME-WAIT",
    };

    ASSERT(state < TCP_STATE_COUNT);
    return names[state];
}

void tcp_info_of_stream(const struct stream *s, struct stream_info *out)
{
    const struct tcp_conn *c = LIST_ENTRY(s, const struct tcp_conn, stream);
    uint64_t now_ns = tcp_now_ns(c->tcp);

    *out = (struct stream_info){
        .state = state_name(c->state),
        .srtt_us = c->rtt.srtt_us,
        .rttvar_us = c->rtt.rttvar_us,
        .rto_us = tcp_rtt_rto_us(&c->rtt),
        .backoff = c->rtt.backoff,
        .cwnd = c->cc.cwnd,
        .ssthresh = c->cc.ssthresh < TCP_CC_WINDOW_MAX ? c->cc.ssthresh : UINT32_MAX,
        .snd_mss = c->snd_mss,
        .rcv_mss = c->rcv_mss,
        .unacked = c->flight->loss.sent.count,
        .sacked = c->flight->loss.sent.sacked_count,
        .lost = c->flight->loss.sent.lost_count,
        .retrans = c->retrans,
        .snd_wnd = c->snd_wnd,
        .rcv_wnd = c->rcv_adv - c->rcv_nxt,
        .bytes_in = c->rcv_nxt - c->irs - 1,
        .bytes_out = c->snd_una - c->iss - 1,
        .idle_ms = (now_ns - c->heard_ns) / NS_PER_MS,
    };
}
