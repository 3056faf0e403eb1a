/*
 * Extension headers, one step a header.
 *
 * Happy path: none; else options that may be skipped, and a routing header that is used up. Failure
 * modes: a header or an option cut short, more of them than LIMIT_NET_EXT_*; options that are not
 * known and must be (RFC 8200, 4.2); a routing header with segments left, of type 0 or any other
 * (RFC 5095, 3: we are no router); a hop-by-hop header out of its place (RFC 8200, 4).
 */
#include "dataplane/net/net_ext.h"

#include <stdbool.h>

#include "base/limits.h"
#include "dataplane/net/net_wire6.h"

enum header {
    HOP_BY_HOP = 0,
    ROUTING = 43,
    DESTINATION = 60,
};

#define PAD1      0
#define PADN      1
#define HEADER_AT 2 /* of the first option in its header */

static enum net_ext_verdict problem(struct net_ext *w, uint8_t code, uint32_t at)
{
    w->code = code;
    w->at = (uint16_t)at;
    return NET_EXT_PROBLEM;
}

/* RFC 8200, 4.2: what to do about an unknown option stands in its two highest bits. The last two
 * differ for groups, which get no answer of ours. */
static enum net_ext_verdict unknown_option(struct net_ext *w, uint8_t type, uint32_t at)
{
    switch (type >> 6) {
    case 0: return NET_EXT_UPPER;
    case 1: return NET_EXT_DROP;
    default: return problem(w, NET_WIRE_ICMP6_PROBLEM_OPT, at);
    }
}

/* The options of a header that ends at `end`, which lies in the packet. UPPER: all may be skipped.
 */
static enum net_ext_verdict walk_options(const uint8_t *p, struct net_ext *w, uint32_t end)
{
    enum net_ext_verdict v = NET_EXT_UPPER;
    uint32_t at = w->at + HEADER_AT;
    uint32_t count = 0;

    while (at < end && v == NET_EXT_UPPER) {
        if (p[at] == PAD1) {
            at++;
            continue;
        }
        if (at + 2 > end || at + 2 + p[at + 1] > end)
            return NET_EXT_DROP;
        if (p[at] != PADN) {
            if (++count > LIMIT_NET_EXT_OPTIONS)
                return NET_EXT_DROP;
            v = unknown_option(w, p[at], at);
        }
        at += 2U + p[at + 1];
    }
    return v;
}

static bool is_extension(uint8_t proto)
{
    return proto == HOP_BY_HOP || proto == ROUTING || proto == DESTINATION;
}

/* One header that is_extension. UPPER: it is used up, and *w stands behind it. */
static enum net_ext_verdict step(struct span packet, struct net_ext *w)
{
    const uint8_t *p = packet.ptr;
    enum net_ext_verdict v = NET_EXT_UPPER;
    uint32_t end;

    if (w->proto == HOP_BY_HOP && w->at != NET_WIRE_IP6_LEN)
        return problem(w, NET_WIRE_ICMP6_PROBLEM_NXT, w->from);
    if (packet.len < w->at + 8U)
        return NET_EXT_DROP;
    end = w->at + 8U + p[w->at + 1] * 8U;
    if (packet.len < end)
        return NET_EXT_DROP;
    if (w->proto != ROUTING)
        v = walk_options(p, w, end);
    else if (p[w->at + 3] != 0)
        return problem(w, NET_WIRE_ICMP6_PROBLEM_HDR, w->at + 2U);
    if (v == NET_EXT_UPPER) {
        w->proto = p[w->at];
        w->from = w->at;
        w->at = (uint16_t)end;
    }
    return v;
}

enum net_ext_verdict net_ext_walk(struct span packet, struct net_ext *w)
{
    enum net_ext_verdict v = NET_EXT_UPPER;

    for (uint32_t count = 0; is_extension(w->proto) && v == NET_EXT_UPPER; count++)
        v = count == LIMIT_NET_EXT_HEADERS ? NET_EXT_DROP : step(packet, w);
    if (v == NET_EXT_UPPER && w->proto == NET_EXT_FRAGMENT_HEADER)
        return NET_EXT_FRAGMENT;
    return v;
}
