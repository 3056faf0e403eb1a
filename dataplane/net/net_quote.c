/*
 * Happy path: the quoted packet's addresses, the ports and the sequence number behind them. Failure
 * modes: messages that are no error, quotes of other protocols, of later fragments, or too short.
 * We send no IPv6 extension headers, so a quote of ours has none.
 */
#include "dataplane/net/net_quote.h"

#include "dataplane/net/net_wire6.h"

#define QUOTED_AT        8 /* in the message */
#define TCP_PART         8 /* what RFC 792 promises of the segment: ports and sequence number */
#define DEST_UNREACHABLE 3
#define TIME_OVER        11
#define PROBLEM          12
#define NEEDS_FRAG       4 /* code of DEST_UNREACHABLE */
#define TOO_BIG6         2

/* RFC 1191, 7: what a router that tells no MTU may have: the next size below that is common. */
static uint16_t plateau_below(uint16_t len)
{
    static const uint16_t plateaus[] = { 4352, 1492, 1006, 576 };

    for (unsigned i = 0; i < sizeof(plateaus) / sizeof(plateaus[0]); i++)
        if (plateaus[i] < len)
            return plateaus[i];
    return plateaus[3];
}

static void take_tcp(const uint8_t *tcp, struct net_error *out)
{
    out->local.port = load_be16(tcp);
    out->peer.port = load_be16(tcp + 2);
    out->seq = load_be32(tcp + 4);
}

bool net_quote_read4(struct span message, struct net_error *out)
{
    const uint8_t *p = message.ptr, *ip = p + QUOTED_AT;
    uint32_t len = message.len - QUOTED_AT;
    uint32_t header_len;

    if (p[0] != DEST_UNREACHABLE && p[0] != TIME_OVER && p[0] != PROBLEM)
        return false;
    if (len < NET_WIRE_IP4_LEN || ip[0] >> 4 != 4 || ip[9] != NET_WIRE_PROTO_TCP ||
        (load_be16(ip + 6) & NET_WIRE_IP4_FRAG_MASK) != 0)
        return false;
    header_len = (ip[0] & 15) * 4U;
    if (header_len < NET_WIRE_IP4_LEN || len < header_len + TCP_PART)
        return false;
    *out = (struct net_error){ .local.addr = addr_from_v4(load_be32(ip + 12)),
                               .peer.addr = addr_from_v4(load_be32(ip + 16)) };
    take_tcp(ip + header_len, out);
    if (p[0] == DEST_UNREACHABLE && p[1] == NEEDS_FRAG) {
        out->mtu = load_be16(p + 6);
        if (out->mtu == 0)
            out->mtu = plateau_below(load_be16(ip + 2));
    }
    return true;
}

bool net_quote_read6(struct span message, struct net_error *out)
{
    const uint8_t *p = message.ptr, *ip = p + QUOTED_AT;
    uint32_t len = message.len - QUOTED_AT;
    uint32_t mtu = load_be32(p + 4);

    if (p[0] == 0 || p[0] > NET_WIRE_ICMP6_PROBLEM)
        return false;
    if (len < NET_WIRE_IP6_LEN + TCP_PART || ip[0] >> 4 != 6 || ip[6] != NET_WIRE_PROTO_TCP)
        return false;
    *out = (struct net_error){ .mtu = 0 };
    memcpy(out->local.addr.octets, ip + 8, sizeof(out->local.addr.octets));
    memcpy(out->peer.addr.octets, ip + 24, sizeof(out->peer.addr.octets));
    take_tcp(ip + NET_WIRE_IP6_LEN, out);
    if (p[0] == TOO_BIG6)
        out->mtu = (uint16_t)(mtu > UINT16_MAX ? UINT16_MAX : mtu);
    return p[0] != TOO_BIG6 || mtu != 0;
}
