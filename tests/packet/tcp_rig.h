/*
 * One tcp and a wire that drops what we send, but for the last header. Peers have no state: a test
 * says who speaks next, and makes each segment by hand. For many connections at a time.
 */
#ifndef POSTERN_TESTS_TCP_RIG_H
#define POSTERN_TESTS_TCP_RIG_H

#include "dataplane/tcp/tcp.h"
#include "dataplane/tcp/tcp_wire.h"

struct tcp_rig {
    struct tcp_lower lower;
    struct tcp *tcp;
    struct seg_pool *pool;
    struct clock clock;
    struct counters counters;
    struct list ready;
    struct tcp_header last; /* that we sent */
    uint32_t segs;
    uint32_t peer_addr; /* of who speaks next */
    uint16_t peer_port;
    uint16_t peer_wnd;
    uint64_t sent;
};

/* Listens at port 465; `segs` is the size of the pool. False: no memory. */
bool tcp_rig_open(struct tcp_rig *r, const struct tcp_config *config, uint32_t segs);
/* Asserts that all segments come home. */
void tcp_rig_close(struct tcp_rig *r);
/* Segments that are not home. */
uint32_t tcp_rig_held(const struct tcp_rig *r);
/* Who speaks next. */
void tcp_rig_be(struct tcp_rig *r, uint32_t addr, uint16_t port);
/* A segment from that peer. False: there was no buffer to receive it in. */
bool tcp_rig_input(struct tcp_rig *r, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len);
/* A whole handshake, the peer's first byte to be 1001; ours is last.seq + 1 then. */
struct stream *tcp_rig_connect(struct tcp_rig *r, uint32_t addr, uint16_t port);
/* Time passes; timers run, and send, in their time. */
void tcp_rig_wait(struct tcp_rig *r, uint64_t ns);

#endif
