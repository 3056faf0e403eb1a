/*
 * What the XDP program takes for us, all else being the kernel's: the one thing that it and the
 * gateway have in common. The gateway writes the rules into the object, at the mark, before it is
 * loaded: so they are constants to the kernel, and no map of them can be changed or lost.
 */
#ifndef POSTERN_NIC_XDP_RULES_H
#define POSTERN_NIC_XDP_RULES_H

#include <stdint.h>

#include "base/limits.h"

#define NIC_XDP_MARK "postern xdp rule" /* 16 octets, without NUL */

struct nic_xdp_rules {
    char mark[16];
    uint32_t address;     /* network order; 0: none */
    uint32_t address6[4]; /* the same, all 0: none */
    uint16_t vlan;        /* tag of all frames; 0: they have none */
    uint16_t port_count;
    uint16_t ports[LIMIT_LISTENERS]; /* network order */
};

#endif
