/*
 * ICMPv6 (RFC 4443): echo requests are answered, Neighbour Discovery is handed on, parameter
 * problems are told.
 *
 * Happy path: the request's own segment goes back as the reply. Failure modes: a wrong checksum,
 * more than a rate allows, other messages: counted and dropped. Groups and nobody get no answer.
 */
#include "dataplane/net/net_csum.h"
#include "dataplane/net/net_quote.h"
#include "dataplane/net/net_state.h"

static const struct net_bucket_rate echo_rate = { LIMIT_NET_ECHO_PER_S, LIMIT_NET_ECHO_BURST };
static const struct net_bucket_rate error_rate = { LIMIT_NET_ICMP_ERRORS_PER_S,
                                                   LIMIT_NET_ICMP_ERRORS_BURST };

void net_icmp6_seal(struct seg *s, const struct net_wire_ip6 *ip)
{
    uint64_t sum = net_csum_pseudo6(&ip->src, &ip->dst, NET_WIRE_PROTO_ICMP6, s->len);

    memset(s->data + NET_WIRE_ICMP6_CSUM_AT, 0, 2);
    net_csum_store(s->data + NET_WIRE_ICMP6_CSUM_AT, net_csum_add(sum, s->data, s->len));
    s->flags = 0;
}

/* Takes s, a message without its checksum, to who sent `to`. */
static void answer(struct net *n, struct seg *s, const struct net_wire_ip6 *to)
{
    struct net_wire_ip6 ip = { .proto = NET_WIRE_PROTO_ICMP6,
                               .hop_limit = NET_WIRE_IP6_HOPS,
                               .src = to->dst,
                               .dst = to->src };

    net_icmp6_seal(s, &ip);
    counter_inc(n->env.counters, COUNTER_ICMP6_OUT_MSGS);
    net_ip6_send(n, s, &ip);
}

static void echo(struct net *n, struct seg *s, const struct net_wire_ip6 *ip)
{
    counter_inc(n->env.counters, COUNTER_NET_IN_ECHOS);
    if (addr_is_group(&ip->dst) || addr_is_none(&ip->src)) {
        net_drop(n, s, COUNTER_NET_IN_NOT_OURS);
        return;
    }
    if (s->len + NET_WIRE_IP6_LEN > net_ip6_mtu(n) || /* it came in fragments */
        !net_bucket_take(&n->echo_bucket, &echo_rate, net_now(n))) {
        net_drop(n, s, COUNTER_NET_IN_ECHOS_LIMITED);
        return;
    }
    s->data[0] = NET_WIRE_ICMP6_ECHO_REPLY;
    answer(n, s, ip);
}

/* RFC 4861, 6.1 and 7.1: what came over a router, or is of a code that is not defined, is ignored;
 * RFC 6980, 5: so is what came in fragments. */
static bool is_discovery(const struct seg *s, const struct net_wire_ip6 *ip)
{
    return ip->hop_limit == NET_WIRE_ND_HOPS && s->data[1] == 0 && !ip->fragment;
}

static void discovery(struct net *n, struct seg *s, const struct net_wire_ip6 *ip)
{
    if (!is_discovery(s, ip)) {
        net_drop(n, s, COUNTER_NET_IN_ND_INVALID);
        return;
    }
    net_steer_share(n, s, ip->header_len);
    if (s->data[0] == NET_WIRE_ICMP6_NS)
        net_nd_solicited(n, s, ip);
    else if (s->data[0] == NET_WIRE_ICMP6_NA)
        net_nd_advertised(n, s, ip);
    else
        net_router_advertised(n, s, ip);
}

/* An error about what we sent, or a message of no use to us. */
static enum net_verdict error(struct net *n, struct seg *s, const struct net_wire_ip6 *ip,
                              struct net_rx *rx)
{
    bool quoted =
        net_quote_read6(seg_span(s), &rx->error) && addr_equal(&rx->error.local.addr, &ip->dst);

    if (quoted)
        return net_steer_error(n, s, rx, ip->header_len);
    net_drop(n, s, COUNTER_NET_IN_ICMP_OTHER);
    return NET_SETTLED;
}

/* Why a message is not looked at; COUNTER_COUNT: it is. */
static enum counter_id refusal(const struct seg *s, const struct net_wire_ip6 *ip)
{
    uint64_t sum = net_csum_pseudo6(&ip->src, &ip->dst, NET_WIRE_PROTO_ICMP6, s->len);

    if (s->len < NET_WIRE_ICMP6_LEN)
        return COUNTER_NET_IN_MALFORMED;
    if (net_csum_fold(net_csum_add(sum, s->data, s->len)) != NET_CSUM_GOOD)
        return COUNTER_NET_IN_CSUM_ERRORS;
    return COUNTER_COUNT;
}

enum net_verdict net_icmp6_input(struct net *n, struct seg *s, const struct net_wire_ip6 *ip,
                                 struct net_rx *rx)
{
    enum counter_id why = refusal(s, ip);

    if (why != COUNTER_COUNT) {
        net_drop(n, s, why);
        return NET_SETTLED;
    }
    counter_inc(n->env.counters, COUNTER_ICMP6_IN_MSGS);
    switch (s->data[0]) {
    case NET_WIRE_ICMP6_ECHO: echo(n, s, ip); return NET_SETTLED;
    case NET_WIRE_ICMP6_MLD_QUERY: net_mld_queried(n, s, ip); return NET_SETTLED;
    case NET_WIRE_ICMP6_RA:
    case NET_WIRE_ICMP6_NS:
    case NET_WIRE_ICMP6_NA: discovery(n, s, ip); return NET_SETTLED;
    default: return error(n, s, ip, rx);
    }
}

void net_icmp6_problem(struct net *n, struct seg *s, uint8_t code, uint32_t pointer)
{
    uint32_t most = NET_WIRE_IP6_MTU - NET_WIRE_IP6_LEN - NET_WIRE_ICMP6_LEN;
    struct net_wire_ip6 ip;
    uint8_t *p;

    /* RFC 4443, 2.4(e): groups and nobody get none; the rate bounds what two hosts could tell each
     * other about their errors' own options. */
    if (!net_wire_ip6_read(seg_span(s), &ip) || addr_is_group(&ip.dst) || addr_is_none(&ip.src) ||
        !net_bucket_take(&n->error_bucket, &error_rate, net_now(n))) {
        seg_release(s);
        return;
    }
    seg_trim(s, s->len < most ? s->len : most);
    p = seg_push(s, NET_WIRE_ICMP6_LEN);
    p[0] = NET_WIRE_ICMP6_PROBLEM;
    p[1] = code;
    store_be32(p + 4, pointer);
    answer(n, s, &ip);
}
