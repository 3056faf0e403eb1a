/*
 * IPv6 extension headers (RFC 8200, 4) walked in a bounded number of steps, to find out what is
 * behind them. Pure.
 */
#ifndef POSTERN_NET_EXT_H
#define POSTERN_NET_EXT_H

#include "base/span.h"

#define NET_EXT_FRAGMENT_HEADER 44
#define NET_EXT_NONE            59 /* nothing follows */

enum net_ext_verdict {
    NET_EXT_UPPER,    /* `proto` begins at `at` */
    NET_EXT_FRAGMENT, /* a fragment header begins at `at` */
    NET_EXT_DROP,     /* cut short, past a bound, or an option says so: silence */
    NET_EXT_PROBLEM,  /* a parameter problem: `code`, with `at` for its pointer */
};

struct net_ext {
    uint8_t proto; /* what begins at `at` */
    uint8_t code;  /* PROBLEM: RFC 4443, 3.4 */
    uint16_t at;   /* bytes from the packet's begin */
    uint16_t from; /* where the field stands that named proto */
};

/* Goes on from what *walk says, through `packet`, which begins with an IPv6 header. */
enum net_ext_verdict net_ext_walk(struct span packet, struct net_ext *walk);

#endif
