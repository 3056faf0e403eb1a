/*
 * Which frames are Postern's on an interface whose addresses the kernel has too: TCP to our ports,
 * in fragments as well, and ICMP errors that quote a segment of ours. All else is the kernel's, ARP
 * and ND among it. One rule in two places: here for a device that is ours (nic_exception.c), and as
 * the kernel's own program for one that is not (nic_xdp_postern.c).
 */
#ifndef POSTERN_NIC_OURS_H
#define POSTERN_NIC_OURS_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/limits.h"
#include "base/span.h"

struct nic_ours {
    struct addr address;  /* IPv4, or none */
    struct addr address6; /* IPv6, or none */
    uint16_t vlan;        /* tag of all our frames; 0: they have none */
    uint16_t port_count;
    uint16_t ports[LIMIT_LISTENERS]; /* host order */
};

/* Packets whose first fragment was for a port of ours: the others have no port. Zeroed at first;
 * one for each thread. */
struct nic_ours_fragments {
    struct {
        struct addr src;
        uint32_t id;
        bool used;
    } places[LIMIT_NIC_FRAGMENTS];
};

bool nic_ours_has(const struct nic_ours *ours, struct nic_ours_fragments *fragments,
                  struct span frame);

#endif
