/*
 * Happy path: Ethernet, one tag or none, IPv4 or IPv6, the ports. Failure modes: whatever is cut
 * short is no packet, or has no ports. Nothing is checked that net/ checks.
 */
#include "dataplane/nic/nic_frame.h"

#include "base/byteorder.h"

#define ETH_LEN  14
#define TAG_LEN  4
#define TYPE_TAG 0x8100
#define TYPE_IP4 0x0800
#define TYPE_IP6 0x86dd
#define VLAN_ID  0x0fff

#define IP4_LEN      20
#define IP4_MORE     0x2000
#define IP4_OFFSET   0x1fff
#define IP6_LEN      40
#define IP6_FRAGMENT 44
#define IP6_MORE     1
#define FRAGMENT_LEN 8
#define ICMP_LEN     8
#define PORTS_LEN    4
#define UNREACHABLE4 3
#define TIME_OVER4   11
#define PROBLEM4     12
#define ERROR6_LAST  4

static void read_ports(struct nic_frame *f)
{
    f->ported = (f->proto == NIC_FRAME_TCP || f->proto == NIC_FRAME_UDP) &&
                f->part != NIC_FRAME_LATER && f->rest.len >= PORTS_LEN;
    if (!f->ported)
        return;
    f->ports[0] = load_be16(f->rest.ptr);
    f->ports[1] = load_be16(f->rest.ptr + 2);
}

static enum nic_frame_part part_of(bool offset, bool more)
{
    if (offset)
        return NIC_FRAME_LATER;
    return more ? NIC_FRAME_FIRST : NIC_FRAME_WHOLE;
}

static bool read_ip4(struct span packet, struct nic_frame *f)
{
    const uint8_t *p = packet.ptr;
    uint32_t header_len = packet.len >= IP4_LEN ? (p[0] & 15) * 4U : 0;

    if (header_len < IP4_LEN || p[0] >> 4 != 4 || packet.len < header_len)
        return false;
    f->proto = p[9];
    f->part = part_of((load_be16(p + 6) & IP4_OFFSET) != 0, (load_be16(p + 6) & IP4_MORE) != 0);
    f->id = load_be16(p + 4);
    f->src = addr_from_v4(load_be32(p + 12));
    f->dst = addr_from_v4(load_be32(p + 16));
    f->rest = span_skip(packet, header_len);
    return true;
}

static bool read_ip6(struct span packet, struct nic_frame *f)
{
    const uint8_t *p = packet.ptr;

    if (packet.len < IP6_LEN || p[0] >> 4 != 6)
        return false;
    f->proto = p[6];
    f->part = NIC_FRAME_WHOLE;
    memcpy(f->src.octets, p + 8, sizeof(f->src.octets));
    memcpy(f->dst.octets, p + 24, sizeof(f->dst.octets));
    f->rest = span_skip(packet, IP6_LEN);
    if (f->proto != IP6_FRAGMENT || f->rest.len < FRAGMENT_LEN)
        return true;
    p = f->rest.ptr;
    f->proto = p[0];
    f->part = part_of((load_be16(p + 2) & ~7U) != 0, (p[3] & IP6_MORE) != 0);
    f->id = load_be32(p + 4);
    f->rest = span_skip(f->rest, FRAGMENT_LEN);
    return true;
}

bool nic_frame_read(struct span frame, struct nic_frame *out)
{
    uint16_t type;

    *out = (struct nic_frame){ 0 };
    if (frame.len < ETH_LEN + TAG_LEN)
        return false;
    type = load_be16(frame.ptr + ETH_LEN - 2);
    frame = span_skip(frame, ETH_LEN);
    if (type == TYPE_TAG) {
        out->vlan = load_be16(frame.ptr) & VLAN_ID;
        type = load_be16(frame.ptr + 2);
        frame = span_skip(frame, TAG_LEN);
    }
    if (!(type == TYPE_IP4 && read_ip4(frame, out)) && !(type == TYPE_IP6 && read_ip6(frame, out)))
        return false;
    read_ports(out);
    return true;
}

/* The kinds of ICMP that are errors (RFC 792; RFC 4443, 2.1). */
static bool is_error(const struct nic_frame *f)
{
    uint8_t type = f->rest.len > ICMP_LEN ? f->rest.ptr[0] : 0;

    if (f->part != NIC_FRAME_WHOLE)
        return false;
    if (f->proto == NIC_FRAME_ICMP6)
        return type != 0 && type <= ERROR6_LAST;
    return f->proto == NIC_FRAME_ICMP &&
           (type == UNREACHABLE4 || type == TIME_OVER4 || type == PROBLEM4);
}

bool nic_frame_read_quote(const struct nic_frame *f, struct nic_frame *out)
{
    struct span quote = span_skip(f->rest, ICMP_LEN);

    *out = (struct nic_frame){ 0 };
    if (!is_error(f))
        return false;
    if (!(f->proto == NIC_FRAME_ICMP ? read_ip4(quote, out) : read_ip6(quote, out)))
        return false;
    read_ports(out);
    return out->ported && out->proto == NIC_FRAME_TCP;
}
