/*
 * Headers of IPv6, ICMPv6 and Neighbour Discovery: checked reads into plain structs, and writes. A
 * read answers false for what is cut short or breaks its own lengths, and looks at no byte outside
 * of what it was given. Pure.
 */
#ifndef POSTERN_NET_WIRE6_H
#define POSTERN_NET_WIRE6_H

#include "base/addr.h"
#include "dataplane/net/net_wire.h"

#define NET_WIRE_IP6_LEN       40 /* without extension headers */
#define NET_WIRE_ICMP6_LEN     8  /* as far as the messages that we know are alike */
#define NET_WIRE_IP6_FRAG_LEN  8
#define NET_WIRE_IP6_FRAG_MORE 1 /* beside the offset, which is in eights */
#define NET_WIRE_IP6_HOPS      64
#define NET_WIRE_IP6_MTU       1280 /* what every link must carry (RFC 8200, 5) */

#define NET_WIRE_TYPE_IP6    0x86dd
#define NET_WIRE_PROTO_ICMP6 58

#define NET_WIRE_ICMP6_PROBLEM     4
#define NET_WIRE_ICMP6_ECHO        128
#define NET_WIRE_ICMP6_ECHO_REPLY  129
#define NET_WIRE_ICMP6_MLD_QUERY   130
#define NET_WIRE_ICMP6_MLD_REPORT  143
#define NET_WIRE_ICMP6_RS          133
#define NET_WIRE_ICMP6_RA          134
#define NET_WIRE_ICMP6_NS          135
#define NET_WIRE_ICMP6_NA          136
#define NET_WIRE_ICMP6_CSUM_AT     2
#define NET_WIRE_ICMP6_PROBLEM_HDR 0 /* codes of a parameter problem: a wrong field */
#define NET_WIRE_ICMP6_PROBLEM_NXT 1 /* an unknown next header */
#define NET_WIRE_ICMP6_PROBLEM_OPT 2 /* an unknown option */

#define NET_WIRE_ND_LEN       24 /* of a solicitation or advertisement, without options */
#define NET_WIRE_ND_RA_LEN    16
#define NET_WIRE_ND_OPT_LEN   8 /* of one with an Ethernet address */
#define NET_WIRE_ND_HOPS      255
#define NET_WIRE_ND_SOLICITED 0x40 /* flags of an advertisement */
#define NET_WIRE_ND_OVERRIDE  0x20

struct net_wire_ip6 {
    uint8_t tos;
    uint8_t proto; /* what follows */
    uint8_t hop_limit;
    uint16_t payload_len; /* bytes after the header */
    uint16_t header_len;  /* bytes, with extension headers once they have been walked */
    bool fragment;        /* it came with a fragment header */
    struct addr src;
    struct addr dst;
};

/* What the options of a Neighbour Discovery message say. */
struct net_wire_nd_options {
    const uint8_t *source_mac; /* NULL: not said */
    const uint8_t *target_mac;
    uint32_t mtu; /* 0: not said */
};

/* RFC 8200, 3. */
static inline bool net_wire_ip6_read(struct span packet, struct net_wire_ip6 *out)
{
    const uint8_t *p = packet.ptr;

    if (packet.len < NET_WIRE_IP6_LEN || p[0] >> 4 != 6)
        return false;
    out->tos = (uint8_t)(load_be16(p) >> 4);
    out->payload_len = load_be16(p + 4);
    out->proto = p[6];
    out->hop_limit = p[7];
    out->header_len = NET_WIRE_IP6_LEN;
    out->fragment = false;
    memcpy(out->src.octets, p + 8, sizeof(out->src.octets));
    memcpy(out->dst.octets, p + 24, sizeof(out->dst.octets));
    return out->payload_len <= packet.len - NET_WIRE_IP6_LEN;
}

/* Flow label 0. */
static inline void net_wire_ip6_write(uint8_t *to, const struct net_wire_ip6 *ip)
{
    store_be32(to, 6U << 28 | (uint32_t)ip->tos << 20);
    store_be16(to + 4, ip->payload_len);
    to[6] = ip->proto;
    to[7] = ip->hop_limit;
    memcpy(to + 8, ip->src.octets, sizeof(ip->src.octets));
    memcpy(to + 24, ip->dst.octets, sizeof(ip->dst.octets));
}

/* RFC 2464, 7. */
static inline void net_wire_mac_of_group(const struct addr *group, uint8_t out[6])
{
    out[0] = 0x33;
    out[1] = 0x33;
    memcpy(out + 2, group->octets + 12, 4);
}

/* RFC 4291, 2.7.1: the group in which the owner of ip listens for questions. */
static inline struct addr net_wire_solicited_group(const struct addr *ip)
{
    struct addr group = { { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff } };

    memcpy(group.octets + 13, ip->octets + 13, 3);
    return group;
}

/* RFC 4861, 4.6: each has its length in units of eight bytes, and not of zero (6.1, 7.1). */
static inline bool net_wire_nd_options_read(struct span options, struct net_wire_nd_options *out)
{
    const uint8_t *p = options.ptr;
    uint32_t left = options.len, len;

    *out = (struct net_wire_nd_options){ 0 };
    for (; left > 0; p += len, left -= len) {
        len = left < 8 ? 0 : p[1] * 8U;
        if (len == 0 || len > left)
            return false;
        if (p[0] == 1 && len == NET_WIRE_ND_OPT_LEN)
            out->source_mac = p + 2;
        if (p[0] == 2 && len == NET_WIRE_ND_OPT_LEN)
            out->target_mac = p + 2;
        if (p[0] == 5 && len == 8)
            out->mtu = load_be32(p + 4);
    }
    return (out->source_mac == NULL || !net_wire_mac_group(out->source_mac)) &&
           (out->target_mac == NULL || !net_wire_mac_group(out->target_mac));
}

/* Appends our Ethernet address as option `kind`: 1 of the source, 2 of the target. */
static inline void net_wire_nd_option_write(uint8_t *to, uint8_t kind, const uint8_t mac[6])
{
    to[0] = kind;
    to[1] = 1;
    memcpy(to + 2, mac, 6);
}

#endif
