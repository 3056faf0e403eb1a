/*
 * Explicit congestion notification (RFC 3168, with RFC 8311): routers mark packets instead of
 * dropping them, the receiver tells the sender by ECE until it hears CWR, and the sender slows down
 * as for a loss, once in a window. Pure: one end's view of one connection.
 */
#ifndef POSTERN_TCP_ECN_H
#define POSTERN_TCP_ECN_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/tcp/tcp_wire.h"

/* The ECN field of an IP header (RFC 3168, 5). */
#define TCP_ECN_MASK 3
#define TCP_ECN_CE   3

struct tcp_ecn {
    bool agreed;
    bool barred;   /* what is marked as capable does not arrive: nothing is marked any more */
    bool echo;     /* ECE is owed with each ACK, until CWR comes */
    bool owes_cwr; /* the window was cut: the next new bytes tell */
};

/* Does a SYN ask for it, and did its IP header come as it must have left (RFC 3168, 6.1.1)? */
static inline bool tcp_ecn_is_asked(uint8_t flags, uint8_t tos)
{
    const uint8_t both = TCP_ECE | TCP_CWR;

    return (flags & both) == both && (tos & TCP_ECN_MASK) == 0;
}

/* Does a SYN-ACK agree? One that has CWR too is our own SYN's flags, sent back by a fool. */
static inline bool tcp_ecn_is_agreed(uint8_t flags)
{
    return (flags & (TCP_ECE | TCP_CWR)) == TCP_ECE;
}

/* Both ends agree. */
void tcp_ecn_agree(struct tcp_ecn *e);
/* Bytes came, in a packet with this field: true: an ACK is owed at once. */
bool tcp_ecn_arrived(struct tcp_ecn *e, uint8_t flags, uint8_t tos);
/* Does an ACK with these flags tell that something of ours was marked? */
bool tcp_ecn_is_congested(const struct tcp_ecn *e, uint8_t flags);
/* The window was cut, for a mark or a loss. */
void tcp_ecn_cut(struct tcp_ecn *e);
/* The same segment was lost again and again: bars the marks (RFC 3168, 6.1.5 leaves them off what
 * is sent again; a path that drops them would lose each segment once). */
void tcp_ecn_bar(struct tcp_ecn *e);
/* Flags that a segment has beside its own; fresh: it brings bytes for the first time. */
uint8_t tcp_ecn_flags(const struct tcp_ecn *e, bool fresh);
/* Is such a segment marked as capable, ECT(0)? */
bool tcp_ecn_marks(const struct tcp_ecn *e, bool fresh);
/* It has left. */
void tcp_ecn_sent(struct tcp_ecn *e, bool fresh);

#endif
