/*
 * Headers of Ethernet, ARP, IPv4 and ICMP: checked reads into plain structs, and writes. A read
 * answers false for what is cut short or breaks its own lengths, and looks at no byte outside of
 * what it was given. Pure.
 */
#ifndef POSTERN_NET_WIRE_H
#define POSTERN_NET_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/byteorder.h"
#include "base/span.h"

#define NET_WIRE_ETH_LEN  14
#define NET_WIRE_VLAN_LEN 4 /* a tag, before the type */
#define NET_WIRE_ARP_LEN  28
#define NET_WIRE_IP4_LEN  20 /* without options */
#define NET_WIRE_ICMP_LEN 8
#define NET_WIRE_TCP_LEN  20 /* without options */

#define NET_WIRE_TYPE_IP4   0x0800
#define NET_WIRE_TYPE_ARP   0x0806
#define NET_WIRE_TYPE_VLAN  0x8100
#define NET_WIRE_VLAN_ID    0x0fff
#define NET_WIRE_PROTO_ICMP 1
#define NET_WIRE_PROTO_TCP  6

#define NET_WIRE_ARP_REQUEST 1
#define NET_WIRE_ARP_REPLY   2

#define NET_WIRE_ECT0          2 /* of the tos field, or the traffic class (RFC 3168, 5) */
#define NET_WIRE_IP4_DF        0x4000
#define NET_WIRE_IP4_MF        0x2000
#define NET_WIRE_IP4_FRAG_MASK 0x1fff

#define NET_WIRE_TCP_CSUM_AT  16
#define NET_WIRE_ICMP_CSUM_AT 2
#define NET_WIRE_IP4_CSUM_AT  10

struct net_wire_eth {
    uint8_t dst[6];
    uint8_t src[6];
    uint16_t type;
};

struct net_wire_arp {
    uint16_t op;
    uint8_t sender_mac[6];
    uint32_t sender_ip; /* host order */
    uint8_t target_mac[6];
    uint32_t target_ip; /* host order */
};

struct net_wire_ip4 {
    uint8_t header_len; /* bytes, with options */
    uint8_t tos;
    uint16_t total_len; /* bytes, with the header */
    uint16_t id;        /* of the packet whose fragment this is */
    uint16_t frag;      /* flags and offset */
    uint8_t ttl;
    uint8_t proto;
    uint32_t src; /* host order */
    uint32_t dst;
};

static inline bool net_wire_mac_group(const uint8_t mac[6])
{
    return (mac[0] & 1) != 0;
}

static inline bool net_wire_eth_read(struct span frame, struct net_wire_eth *out)
{
    if (frame.len < NET_WIRE_ETH_LEN)
        return false;
    memcpy(out->dst, frame.ptr, 6);
    memcpy(out->src, frame.ptr + 6, 6);
    out->type = load_be16(frame.ptr + 12);
    return true;
}

static inline void net_wire_eth_write(uint8_t *to, const uint8_t dst[6], const uint8_t src[6],
                                      uint16_t type)
{
    memcpy(to, dst, 6);
    memcpy(to + 6, src, 6);
    store_be16(to + 12, type);
}

/* RFC 826, for IPv4 over Ethernet alone; bytes after it are padding. */
static inline bool net_wire_arp_read(struct span packet, struct net_wire_arp *out)
{
    static const uint8_t ethernet_ip4[6] = { 0, 1, 8, 0, 6, 4 };

    if (packet.len < NET_WIRE_ARP_LEN || memcmp(packet.ptr, ethernet_ip4, 6) != 0)
        return false;
    out->op = load_be16(packet.ptr + 6);
    memcpy(out->sender_mac, packet.ptr + 8, 6);
    out->sender_ip = load_be32(packet.ptr + 14);
    memcpy(out->target_mac, packet.ptr + 18, 6);
    out->target_ip = load_be32(packet.ptr + 24);
    return true;
}

static inline void net_wire_arp_write(uint8_t *to, const struct net_wire_arp *arp)
{
    store_be16(to, 1);
    store_be16(to + 2, NET_WIRE_TYPE_IP4);
    to[4] = 6;
    to[5] = 4;
    store_be16(to + 6, arp->op);
    memcpy(to + 8, arp->sender_mac, 6);
    store_be32(to + 14, arp->sender_ip);
    memcpy(to + 18, arp->target_mac, 6);
    store_be32(to + 24, arp->target_ip);
}

/* RFC 791, 3.1; the checksum is the caller's to verify, over header_len bytes. */
static inline bool net_wire_ip4_read(struct span packet, struct net_wire_ip4 *out)
{
    const uint8_t *p = packet.ptr;

    if (packet.len < NET_WIRE_IP4_LEN || p[0] >> 4 != 4)
        return false;
    out->header_len = (uint8_t)((p[0] & 15) * 4);
    out->tos = p[1];
    out->total_len = load_be16(p + 2);
    out->id = load_be16(p + 4);
    out->frag = load_be16(p + 6);
    out->ttl = p[8];
    out->proto = p[9];
    out->src = load_be32(p + 12);
    out->dst = load_be32(p + 16);
    return out->header_len >= NET_WIRE_IP4_LEN && out->header_len <= out->total_len &&
           out->total_len <= packet.len;
}

/* Without options, identification zero (RFC 6864, 4.1: any value where DF is set), checksum field
 * zero. */
static inline void net_wire_ip4_write(uint8_t *to, const struct net_wire_ip4 *ip)
{
    to[0] = 0x45;
    to[1] = ip->tos;
    store_be16(to + 2, ip->total_len);
    store_be16(to + 4, 0);
    store_be16(to + 6, ip->frag);
    to[8] = ip->ttl;
    to[9] = ip->proto;
    store_be16(to + NET_WIRE_IP4_CSUM_AT, 0);
    store_be32(to + 12, ip->src);
    store_be32(to + 16, ip->dst);
}

#endif
