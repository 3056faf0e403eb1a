/*
 * Which groups we listen in, told to routers and to switches that look on (MLDv2, RFC 3810):
 * without it a switch need not let the questions for our addresses through.
 *
 * Happy path: a report when addresses begin, twice, and again once there is an address to send it
 * from (RFC 3590, 4); one more for each query. Failure modes: no segment: told a little later;
 * queries in plenty: one answer for all that wait. Queriers of MLDv1 get reports of version 2 all
 * the same.
 */
#include "dataplane/net/net_state.h"

#define REPORT_LEN     8
#define RECORD_LEN     20
#define QUERY_LEN      24
#define IS_EXCLUDE     2 /* kinds of a record: this is what we listen in, ... */
#define TO_EXCLUDE     4 /* ... and this is news */
#define HOP_BY_HOP     0
#define HOP_BY_HOP_LEN 8

/* A record for each group, in s; all nodes' needs none (RFC 3810, 6). Returns how many. */
static uint16_t put_records(const struct net *n, struct seg *s)
{
    const struct net_own6 *own = n->ip6.own;
    struct addr group, last = { { 0 } };
    uint16_t count = 0;

    for (unsigned i = 0; i < NET_OWN6_MAX; i++) {
        group = net_wire_solicited_group(&own[i].ip);
        if (own[i].state == NET_OWN6_NONE || addr_equal(&group, &last))
            continue;
        memset(s->data + s->len, 0, 4);
        s->data[s->len] = n->ip6.mld_news ? TO_EXCLUDE : IS_EXCLUDE;
        memcpy(s->data + s->len + 4, group.octets, sizeof(group.octets));
        s->len += RECORD_LEN;
        last = group;
        count++;
    }
    return count;
}

/* RFC 3810, 5.2: behind a router alert, for routers that are not among those we speak to. */
static bool report(struct net *n)
{
    static const uint8_t alert[HOP_BY_HOP_LEN] = { NET_WIRE_PROTO_ICMP6, 0, 5, 2, 0, 0, 1, 0 };
    const struct net_own6 *local = &n->ip6.own[NET_OWN6_LINK];
    struct net_wire_ip6 ip = { .hop_limit = 1, .dst = { { 0xff, 2, [15] = 0x16 } } };
    struct seg *s = seg_alloc(n->env.nic->pool);

    if (s == NULL)
        return false;
    if (local->state == NET_OWN6_VALID)
        ip.src = local->ip;
    memset(s->data, 0, REPORT_LEN);
    s->data[0] = NET_WIRE_ICMP6_MLD_REPORT;
    s->len = REPORT_LEN;
    store_be16(s->data + 6, put_records(n, s));
    net_icmp6_seal(s, &ip);
    memcpy(seg_push(s, HOP_BY_HOP_LEN), alert, HOP_BY_HOP_LEN);
    ip.proto = HOP_BY_HOP;
    counter_inc(n->env.counters, COUNTER_ICMP6_OUT_MSGS);
    net_ip6_send(n, s, &ip);
    return true;
}

void net_mld_begin(struct net *n)
{
    n->ip6.mld_news = true;
    n->ip6.mld_left = LIMIT_NET_MLD_REPORTS;
    n->mld_due_ns = net_now(n);
}

/* RFC 3810, 5.1.3: a code from 0x8000 up is a floating-point number, of which the largest is over
 * two hours. */
static uint64_t delay_max_ms(uint16_t code)
{
    if (code < 0x8000)
        return code;
    return (uint64_t)((code & 0x0fff) | 0x1000) << ((code >> 12 & 7) + 3);
}

void net_mld_queried(struct net *n, struct seg *s, const struct net_wire_ip6 *ip)
{
    uint64_t most_ms = 0, spread;
    bool good = s->len >= QUERY_LEN && ip->hop_limit == 1 && addr_is_link_local(&ip->src);

    if (!good) {
        net_drop(n, s, COUNTER_NET_IN_ND_INVALID);
        return;
    }
    most_ms = delay_max_ms(load_be16(s->data + 4));
    seg_release(s);
    if (n->ip6.mld_left > 0)
        return; /* the report that is due already is the answer */
    /* Any time up to the most, another one for each host (RFC 3810, 6.2). */
    spread = load_be32(n->env.nic->mac + 2) * 2654435761ULL >> 8;
    n->ip6.mld_news = false;
    n->ip6.mld_left = 1;
    n->mld_due_ns = net_now(n) + spread % (most_ms + 1) * NS_PER_MS;
}

void net_mld_tick(struct net *n)
{
    if (net_now(n) < n->mld_due_ns)
        return;
    n->ip6.mld_left -= report(n);
    n->mld_due_ns =
        n->ip6.mld_left > 0 ? net_now(n) + LIMIT_NET_MLD_WAIT_MS * NS_PER_MS : UINT64_MAX;
}
