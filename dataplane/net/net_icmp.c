/*
 * ICMP: echo requests are answered, within a rate (RFC 1122, 3.2.2.6); errors about our segments
 * are for TCP.
 *
 * Happy path: the request's own segment goes back as the reply. Failure modes: a wrong checksum,
 * more than LIMIT_NET_ECHO_PER_S, other messages: counted and dropped. Senders that may not be
 * answered (broadcast, multicast, ourselves) did not come past net_ip4.
 */
#include "dataplane/net/net_csum.h"
#include "dataplane/net/net_quote.h"
#include "dataplane/net/net_state.h"

#define ECHO_REPLY   0
#define ECHO_REQUEST 8

static const struct net_bucket_rate echo_rate = { LIMIT_NET_ECHO_PER_S, LIMIT_NET_ECHO_BURST };

static void echo(struct net *n, struct seg *s, const struct net_wire_ip4 *ip)
{
    uint8_t *p = s->data;

    counter_inc(n->env.counters, COUNTER_NET_IN_ECHOS);
    if (s->len + NET_WIRE_IP4_LEN > n->env.nic->mtu || /* it came in fragments */
        !net_bucket_take(&n->echo_bucket, &echo_rate, net_now(n))) {
        net_drop(n, s, COUNTER_NET_IN_ECHOS_LIMITED);
        return;
    }
    p[0] = ECHO_REPLY;
    memset(p + NET_WIRE_ICMP_CSUM_AT, 0, 2);
    net_csum_store(p + NET_WIRE_ICMP_CSUM_AT, net_csum_add(0, p, s->len));
    s->flags = 0;
    net_ip4_send(n, s, NET_WIRE_PROTO_ICMP, ip->src);
}

/* An error about what we sent, or a message of no use to us. */
static enum net_verdict error(struct net *n, struct seg *s, const struct net_wire_ip4 *ip,
                              struct net_rx *rx)
{
    struct addr ours = addr_from_v4(n->address);
    bool quoted =
        net_quote_read4(seg_span(s), &rx->error) && addr_equal(&rx->error.local.addr, &ours);

    if (quoted)
        return net_steer_error(n, s, rx, ip->header_len);
    net_drop(n, s, COUNTER_NET_IN_ICMP_OTHER);
    return NET_SETTLED;
}

enum net_verdict net_icmp_input(struct net *n, struct seg *s, const struct net_wire_ip4 *ip,
                                struct net_rx *rx)
{
    const uint8_t *p = s->data;
    enum counter_id why = COUNTER_COUNT;

    if (s->len < NET_WIRE_ICMP_LEN)
        why = COUNTER_NET_IN_MALFORMED;
    else if (net_csum_fold(net_csum_add(0, p, s->len)) != NET_CSUM_GOOD)
        why = COUNTER_NET_IN_CSUM_ERRORS;
    if (why != COUNTER_COUNT) {
        net_drop(n, s, why);
        return NET_SETTLED;
    }
    if (p[0] != ECHO_REQUEST || p[1] != 0)
        return error(n, s, ip, rx);
    echo(n, s, ip);
    return NET_SETTLED;
}
