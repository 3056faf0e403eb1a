/*
 * See RFC 3168, 6.1. Happy path: no router is congested, and new bytes leave with ECT(0) alone.
 * Failure modes: a path that drops what is marked is found by its time-outs, and marked no more; a
 * peer that says ECE without end halves its own rate, down to two segments.
 */
#include "dataplane/tcp/tcp_ecn.h"

#include "base/assert.h"

void tcp_ecn_agree(struct tcp_ecn *e)
{
    *e = (struct tcp_ecn){ .agreed = true };
}

bool tcp_ecn_arrived(struct tcp_ecn *e, uint8_t flags, uint8_t tos)
{
    bool marked = (tos & TCP_ECN_MASK) == TCP_ECN_CE;

    if (!e->agreed)
        return false;
    if (flags & TCP_CWR)
        e->echo = false;
    e->echo |= marked;
    return marked;
}

bool tcp_ecn_is_congested(const struct tcp_ecn *e, uint8_t flags)
{
    return e->agreed && (flags & (TCP_ECE | TCP_SYN)) == TCP_ECE;
}

void tcp_ecn_cut(struct tcp_ecn *e)
{
    e->owes_cwr = e->agreed;
}

void tcp_ecn_bar(struct tcp_ecn *e)
{
    e->barred = true;
}

uint8_t tcp_ecn_flags(const struct tcp_ecn *e, bool fresh)
{
    uint8_t flags = e->echo ? TCP_ECE : 0;

    ASSERT(e->agreed || (!e->echo && !e->owes_cwr));
    return fresh && e->owes_cwr ? flags | TCP_CWR : flags;
}

bool tcp_ecn_marks(const struct tcp_ecn *e, bool fresh)
{
    return fresh && e->agreed && !e->barred;
}

void tcp_ecn_sent(struct tcp_ecn *e, bool fresh)
{
    if (fresh)
        e->owes_cwr = false;
}
