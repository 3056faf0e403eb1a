/*
 * What a connection needs only while bytes of its own wait or are out: send queue, scoreboard,
 * losses and their probes. It is taken from a pool when the owner writes or ends, and given back
 * once all is acknowledged; meanwhile a connection has its core's idle one, which is empty and
 * never written to. There are as many as blocks, so none is ever missing; one that was never used
 * costs address space alone.
 */
#ifndef POSTERN_TCP_FLIGHT_H
#define POSTERN_TCP_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "dataplane/tcp/tcp_hystart.h"
#include "dataplane/tcp/tcp_loss.h"
#include "dataplane/tcp/tcp_mtu.h"
#include "dataplane/tcp/tcp_pace.h"
#include "dataplane/tcp/tcp_sendq.h"

struct tcp_conn;

struct tcp_flight {
    struct tcp_conn *conn;
    struct tcp_sendq sendq;
    struct tcp_loss loss;
    struct tcp_hystart hystart; /* in the first slow start */
    struct tcp_pace pace;
    struct tcp_mtu_probe mtu_probe;
    struct list_node stall_link; /* in tcp->stalled or not */
    uint64_t stalled_ns;         /* in it: since when */
    uint64_t due_resend;         /* retransmission or persist */
    uint64_t since_ns;  /* since when the peer has not acknowledged what waits; 0: nothing waits */
    uint64_t due_loss;  /* RACK looks again, or the tail is probed */
    uint64_t resent_ns; /* when something was last sent again; 0: nothing was */
};

/* The idle one. */
void tcp_flight_init(struct tcp_flight *f);
/* Something will be sent that must be acknowledged, from SND.MAX on. */
void tcp_flight_begin(struct tcp_conn *c);
/* All is acknowledged, if it is: given back, unless a later ACK may still tell that something was
 * sent again for nothing. */
void tcp_flight_rest(struct tcp_conn *c);
/* Given back with all that is in it. */
void tcp_flight_drop(struct tcp_conn *c);
bool tcp_flight_is_idle(const struct tcp_conn *c);
/* One past the last byte that was queued. */
uint32_t tcp_flight_end(const struct tcp_conn *c);

#endif
