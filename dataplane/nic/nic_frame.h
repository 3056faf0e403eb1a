/*
 * What stands in a frame's headers, for those who sort frames before net/ looks at them: the
 * capture and the way to the kernel. Pure; believes no length.
 */
#ifndef POSTERN_NIC_FRAME_H
#define POSTERN_NIC_FRAME_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/span.h"

#define NIC_FRAME_TCP   6
#define NIC_FRAME_UDP   17
#define NIC_FRAME_ICMP  1
#define NIC_FRAME_ICMP6 58

enum nic_frame_part {
    NIC_FRAME_WHOLE,
    NIC_FRAME_FIRST, /* of the packet's fragments: it has the ports */
    NIC_FRAME_LATER,
};

struct nic_frame {
    uint16_t vlan; /* 0: no tag, or of priority alone */
    uint8_t proto; /* of IP; IPv6 extension headers but the fragment's are not looked behind */
    enum nic_frame_part part;
    uint32_t id; /* of the packet in fragments */
    struct addr src;
    struct addr dst;
    bool ported;       /* TCP or UDP, with room for what follows */
    uint16_t ports[2]; /* source, destination; host order */
    struct span rest;  /* behind the IP header, or the fragment's */
};

/* False: not IP, or cut short before its addresses. */
bool nic_frame_read(struct span frame, struct nic_frame *out);
/* The packet that `f`, an ICMP error about a TCP segment, quotes. False: it is none. */
bool nic_frame_read_quote(const struct nic_frame *f, struct nic_frame *out);

#endif
