/*
 * IPv6 (RFC 8200), in and out.
 *
 * Happy path: a packet to an address of ours is cut to its TCP segment and handed back; ICMPv6, and
 * that to our groups too, is settled here. What we send gets its header and next hop, and is never
 * larger than the link takes. Failure modes: what is wrong, from nobody or for somebody else is
 * dropped and counted; what RFC 8200 wants told is told by a parameter problem.
 */
#include "dataplane/net/net_csum.h"
#include "dataplane/net/net_ext.h"
#include "dataplane/net/net_state.h"

#define PAYLOAD_LEN_AT 4 /* in the IPv6 header */
#define NEXT_HEADER_AT 6
#define PROTO_UDP      17

/* ::1, and all of ::/96 and ::ffff:0:0/96, where IPv4's are written (RFC 4291, 2.5.5): none is ever
 * on a wire. Nobody (::) asks for an address of ours; net_nd.c looks at that. */
static bool martian(struct net *n, const struct addr *src)
{
    static const struct addr low;
    const struct net_own6 *own = net_own6_find(n, src);

    if (addr_is_none(src))
        return false;
    return addr_is_group(src) || addr_is_v4(src) || addr_same_network(src, &low, 96) ||
           (own != NULL && own->state == NET_OWN6_VALID);
}

/* Why a packet is not for the layers above; COUNTER_COUNT: it is. */
static enum counter_id refusal(struct net *n, const struct net_wire_ip6 *ip, bool to_group)
{
    const struct net_own6 *own = net_own6_find(n, &ip->dst);
    bool ours = own != NULL && own->state == NET_OWN6_VALID;

    if (addr_is_group(&ip->dst) ? !net_own6_in_group(n, &ip->dst) : !ours || to_group)
        return COUNTER_NET_IN_NOT_OURS;
    return martian(n, &ip->src) ? COUNTER_NET_IN_MARTIANS : COUNTER_COUNT;
}

/* s is exactly the TCP segment. */
static enum net_verdict tcp_verdict(struct net *n, struct seg *s, const struct net_wire_ip6 *ip,
                                    struct net_rx *rx)
{
    enum counter_id why = COUNTER_COUNT;
    uint64_t sum;

    if (s->len < NET_WIRE_TCP_LEN) {
        why = COUNTER_NET_IN_MALFORMED;
    } else if (addr_is_group(&ip->dst) || addr_is_none(&ip->src)) {
        why = COUNTER_NET_IN_NOT_OURS;
    } else if ((s->flags & SEG_RX_L4_CSUM_GOOD) == 0) {
        sum = net_csum_pseudo6(&ip->src, &ip->dst, NET_WIRE_PROTO_TCP, s->len);
        if (net_csum_fold(net_csum_add(sum, s->data, s->len)) != NET_CSUM_GOOD)
            why = COUNTER_NET_IN_CSUM_ERRORS;
    }
    if (why != COUNTER_COUNT) {
        net_drop(n, s, why);
        return NET_SETTLED;
    }
    *rx = (struct net_rx){
        .s = s, .src = ip->src, .dst = ip->dst, .tos = ip->tos, .ttl = ip->hop_limit
    };
    return net_steer_tcp(n, rx, ip->header_len);
}

/* What is behind the headers; s begins with the IPv6 header. */
static enum net_verdict upper_input(struct net *n, struct seg *s, const struct net_ext *walk,
                                    struct net_wire_ip6 *ip, struct net_rx *rx)
{
    ip->proto = walk->proto;
    ip->header_len = walk->at;
    if (walk->proto == NET_WIRE_PROTO_TCP || walk->proto == NET_WIRE_PROTO_ICMP6)
        net_count_in(n, s, COUNTER_IP6_IN_DELIVERS);
    switch (walk->proto) {
    case NET_WIRE_PROTO_TCP: seg_pull(s, walk->at); return tcp_verdict(n, s, ip, rx);
    case NET_WIRE_PROTO_ICMP6: seg_pull(s, walk->at); return net_icmp6_input(n, s, ip, rx);
    case PROTO_UDP:
    case NET_EXT_NONE: net_drop(n, s, COUNTER_NET_IN_NOT_OURS); return NET_SETTLED;
    default:
        counter_inc(n->env.counters, COUNTER_IP6_IN_UNKNOWN_PROTOS);
        net_icmp6_problem(n, s, NET_WIRE_ICMP6_PROBLEM_NXT, walk->from);
        return NET_SETTLED;
    }
}

static enum net_verdict walk_on(struct net *n, struct seg *s, struct net_ext *walk,
                                struct net_wire_ip6 *ip, struct net_rx *rx);

static bool read_piece(const struct seg *s, const struct net_ext *walk, struct net_frag_piece *out)
{
    uint32_t at = walk->at + NET_WIRE_IP6_FRAG_LEN;
    const uint8_t *header = s->data + walk->at;
    uint16_t field;

    if (s->len < at)
        return false;
    field = load_be16(header + 2);
    *out = (struct net_frag_piece){ .offset = field & ~7U,
                                    .more = (field & NET_WIRE_IP6_FRAG_MORE) != 0,
                                    .proto = header[0],
                                    .bytes = span_of(s->data + at, s->len - at) };
    return true;
}

/* Takes the piece out of s, which is the caller's. NULL: more are to come, or it was dropped. */
static struct seg *assemble(struct net *n, const struct seg *s, const struct net_ext *walk,
                            const struct net_frag_piece *piece, struct net_wire_ip6 *ip)
{
    struct net_frag_key key = { .src = ip->src,
                                .dst = ip->dst,
                                .id = load_be32(s->data + walk->at + 4) };
    struct net_frag_whole whole;

    if (!net_frag_add(&n->frag, &key, piece, net_now(n), &whole))
        return NULL;
    ip->proto = whole.proto;
    ip->tos = whole.tos;
    ip->payload_len = (uint16_t)whole.s->len;
    net_wire_ip6_write(seg_push(whole.s, NET_WIRE_IP6_LEN), ip);
    net_steer_dress(whole.s, s, 0);
    return whole.s;
}

/*
 * A fragment header begins at walk->at. RFC 8200, 4.5; one that is a whole packet is not kept with
 * others (RFC 6946, 4). A second one in the same packet is nothing that anybody sends.
 */
static enum net_verdict fragment_input(struct net *n, struct seg *s, struct net_ext *walk,
                                       struct net_wire_ip6 *ip, struct net_rx *rx)
{
    struct net_frag_piece piece = { 0 };
    struct seg *whole;

    if (ip->fragment || !read_piece(s, walk, &piece)) {
        net_drop(n, s, COUNTER_IP6_IN_HDR_ERRORS);
        return NET_SETTLED;
    }
    ip->fragment = true;
    if (piece.offset == 0 && !piece.more) {
        *walk = (struct net_ext){ .proto = piece.proto,
                                  .from = walk->at,
                                  .at = (uint16_t)(walk->at + NET_WIRE_IP6_FRAG_LEN) };
        return walk_on(n, s, walk, ip, rx);
    }
    if (piece.more && piece.bytes.len % 8 != 0) {
        counter_inc(n->env.counters, COUNTER_IP6_IN_HDR_ERRORS);
        net_icmp6_problem(n, s, NET_WIRE_ICMP6_PROBLEM_HDR, PAYLOAD_LEN_AT);
        return NET_SETTLED;
    }
    piece.tos = ip->tos;
    whole = assemble(n, s, walk, &piece, ip);
    seg_release(s);
    if (whole == NULL)
        return NET_SETTLED;
    *walk = (struct net_ext){ .proto = ip->proto, .at = NET_WIRE_IP6_LEN, .from = NEXT_HEADER_AT };
    return walk_on(n, whole, walk, ip, rx);
}

/* From walk->at on; s begins with the IPv6 header. */
static enum net_verdict walk_on(struct net *n, struct seg *s, struct net_ext *walk,
                                struct net_wire_ip6 *ip, struct net_rx *rx)
{
    switch (net_ext_walk(seg_span(s), walk)) {
    case NET_EXT_UPPER: return upper_input(n, s, walk, ip, rx);
    case NET_EXT_FRAGMENT: return fragment_input(n, s, walk, ip, rx);
    case NET_EXT_DROP: net_drop(n, s, COUNTER_IP6_IN_HDR_ERRORS); break;
    case NET_EXT_PROBLEM:
        counter_inc(n->env.counters, COUNTER_IP6_IN_HDR_ERRORS);
        net_icmp6_problem(n, s, walk->code, walk->at);
        break;
    }
    return NET_SETTLED;
}

enum net_verdict net_ip6_input(struct net *n, struct seg *s, bool to_group, struct net_rx *rx)
{
    struct net_wire_ip6 ip;
    struct net_ext walk;
    enum counter_id why = COUNTER_NET_IN_MALFORMED;

    net_count_in(n, s, COUNTER_IP6_IN_RECEIVES);
    if (net_wire_ip6_read(seg_span(s), &ip))
        why = refusal(n, &ip, to_group);
    if (why != COUNTER_COUNT) {
        net_drop(n, s, why);
        return NET_SETTLED;
    }
    seg_trim(s, NET_WIRE_IP6_LEN + ip.payload_len); /* what is after it is Ethernet's padding */
    walk = (struct net_ext){ .proto = ip.proto, .at = NET_WIRE_IP6_LEN, .from = NEXT_HEADER_AT };
    return walk_on(n, s, &walk, &ip, rx);
}

static void put_header(struct net *n, struct seg *s, const struct net_wire_ip6 *ip)
{
    struct net_wire_ip6 whole = *ip;

    ASSERT(s->len <= UINT16_MAX);
    counter_inc(n->env.counters, COUNTER_IP6_OUT_REQUESTS);
    whole.payload_len = (uint16_t)s->len;
    net_wire_ip6_write(seg_push(s, NET_WIRE_IP6_LEN), &whole);
    s->l3_len = NET_WIRE_IP6_LEN;
}

void net_ip6_send_to(struct net *n, struct seg *s, const struct net_wire_ip6 *ip,
                     const uint8_t mac[6])
{
    put_header(n, s, ip);
    net_link_send(n, s, mac, NET_WIRE_TYPE_IP6);
}

void net_ip6_send(struct net *n, struct seg *s, const struct net_wire_ip6 *ip)
{
    struct addr hop;
    uint8_t mac[6];

    if (addr_is_group(&ip->dst)) {
        net_wire_mac_of_group(&ip->dst, mac);
        net_ip6_send_to(n, s, ip, mac);
    } else if (net_router_hop(n, &ip->dst, &hop)) {
        put_header(n, s, ip);
        net_neighbour_send(n, s, &hop);
    } else {
        counter_inc(n->env.counters, COUNTER_IP6_OUT_REQUESTS); /* RFC 4293: before the route */
        net_drop(n, s, COUNTER_NET_OUT_NO_ROUTE);
    }
}

uint16_t net_ip6_mtu(const struct net *n)
{
    uint16_t device = n->env.nic->mtu;

    return n->ip6.mtu != 0 && n->ip6.mtu < device ? n->ip6.mtu : device;
}
