/* A received segment on its way through input, as tcp_input, tcp_listen and tcp_ack look at it. */
#ifndef POSTERN_TCP_IN_H
#define POSTERN_TCP_IN_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/seg.h"
#include "dataplane/tcp/tcp_wire.h"

/* A segment on its way through input: the header read, s cut down to its payload, s->seq set. */
struct tcp_in {
    struct seg *s; /* NULL once somebody took it */
    struct tcp_header h;
    struct endpoint local;
    struct endpoint peer;
    uint64_t hash;
    uint8_t tos;        /* of its IP header */
    uint32_t fin_seq;   /* where its FIN stands, if it has one */
    uint32_t iss_after; /* with reuses: our sequence numbers must begin after this one */
    bool reuses;        /* a SYN that takes the place of a TIME-WAIT entry (RFC 6191) */
};

/* Sequence space that the segment takes (RFC 9293, SEG.LEN). */
static inline uint32_t tcp_in_seq_len(const struct tcp_in *in)
{
    return in->s->len + ((in->h.flags & TCP_SYN) != 0) + ((in->h.flags & TCP_FIN) != 0);
}

static inline bool tcp_in_is_between(const struct tcp_in *in, const struct endpoint *local,
                                     const struct endpoint *peer)
{
    return endpoint_equal(local, &in->local) && endpoint_equal(peer, &in->peer);
}

#endif
