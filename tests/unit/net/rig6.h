/* The rig's IPv6: a host 2001:db8::2/64 beside its IPv4 address, and frames for it. */
#ifndef POSTERN_TESTS_NET_RIG6_H
#define POSTERN_TESTS_NET_RIG6_H

#include "dataplane/net/net_wire6.h"
#include "rig.h"

extern const struct addr rig6_nobody;
extern const struct addr rig6_ours;     /* 2001:db8::2/64 */
extern const struct addr rig6_local;    /* fe80::ff:fe00:2, of rig_our_mac */
extern const struct addr rig6_peer;     /* 2001:db8::1, a host of the link */
extern const struct addr rig6_gateway;  /* 2001:db8::fe */
extern const struct addr rig6_router;   /* fe80::1, which advertises itself */
extern const struct addr rig6_far;      /* 2001:db8:1::1 */
extern const struct addr rig6_all;      /* ff02::1 */
extern const uint8_t rig6_group_mac[6]; /* where our solicited-node group is */

#define RIG6_AT (NET_WIRE_ETH_LEN + NET_WIRE_IP6_LEN) /* of what follows the IPv6 header */

/* A rig with IPv6, its addresses still tentative and nothing sent. `gateway`: the configured one,
 * or rig6_nobody. */
struct rig *rig6_create_new(const struct addr *gateway);
/* The same with rig6_gateway, its addresses valid. */
struct rig *rig6_create(uint32_t offloads);

/* A packet; Ethernet's destination is by `dst`. `proto`: the first next header. */
struct rig6_packet {
    const struct addr *src;
    const struct addr *dst;
    uint8_t proto;
    uint8_t hop_limit;
    uint16_t len;
    const void *payload;
};
uint32_t rig6_ip(uint8_t *to, const struct rig6_packet *p);
/* The checksum of the last `len` bytes of a frame, at byte `at` of them, made right. */
void rig6_fix(uint8_t *frame, uint32_t frame_len, uint16_t len, uint8_t proto, uint16_t at);
/* An ICMPv6 message of `len` bytes, hop limit 255. */
uint32_t rig6_icmp(uint8_t *to, const struct addr *src, const struct addr *dst, const void *message,
                   uint16_t len);
/* Solicitation or advertisement of target from src; mac NULL: without the option. */
struct rig6_nd {
    uint8_t type;
    uint8_t flags;
    const struct addr *src;
    const struct addr *dst;
    const struct addr *target;
    const uint8_t *mac;
};
uint32_t rig6_nd(uint8_t *to, const struct rig6_nd *nd);
/* A TCP segment from the peer with len bytes of data. */
uint32_t rig6_tcp(uint8_t *to, uint16_t len);
/* The checksum of TCP or ICMPv6 in a frame that was sent is right. */
bool rig6_sealed(const struct rig_frame *f, uint8_t proto);

#endif
