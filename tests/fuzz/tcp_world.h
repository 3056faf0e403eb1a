/*
 * A whole core (net and tcp) on a device made of memory, with two peers that the fuzzer of TCP's
 * input plays: a stranger, and a friend whose connection must live. Each segment has memory of its
 * own, of a bounded number.
 */
#ifndef POSTERN_TESTS_TCP_WORLD_H
#define POSTERN_TESTS_TCP_WORLD_H

#include "dataplane/core.h"
#include "dataplane/tcp/tcp_wire.h"

#define TCP_WORLD_OURS      0xc0000202u /* 192.0.2.2/24 */
#define TCP_WORLD_STRANGER  0xc0000201u
#define TCP_WORLD_FRIEND    0xc0000203u
#define TCP_WORLD_PORT      465
#define TCP_WORLD_SEGS      160
#define TCP_WORLD_HEADROOM  128
#define TCP_WORLD_ROOM      2048
#define TCP_WORLD_INCOMING  64
#define TCP_WORLD_STREAMS   32
#define TCP_WORLD_FRIEND_AT 7000

/* One end of a connection to us, as its peer knows it. */
struct tcp_world_peer {
    uint32_t addr;
    uint16_t port;
    uint32_t iss;
    uint32_t told_ack; /* what we acknowledged last */
    uint32_t told_end; /* one past what we sent last */
    uint32_t told_ts;
    uint64_t spoke_ns;
    uint8_t options;
    struct stream *stream;
    uint32_t appetite; /* bytes that the owner reads at once */
    uint32_t got;
};

struct tcp_world {
    struct core core;
    struct core_handler handler;
    struct nic nic;
    struct seg_pool pool;
    struct clock clock;
    struct counters counters;
    uint32_t out; /* segments that are not home */
    uint32_t tx_budget;
    struct seg *incoming[TCP_WORLD_INCOMING];
    unsigned incoming_count;
    struct tcp_world_peer stranger;
    struct tcp_world_peer friend;
    struct stream *streams[TCP_WORLD_STREAMS]; /* of the stranger's earlier connections */
    unsigned stream_count;
};

/* Both peers connected; bits of `agreement` choose options and settings. */
void tcp_world_open(struct tcp_world *w, uint8_t agreement);
/* Asserts that every segment comes home. */
void tcp_world_close(struct tcp_world *w);
/* An empty segment with so much room; NULL: all are out. */
struct seg *tcp_world_make(struct tcp_world *w, uint32_t room);
/* Takes s, or NULL: what the device receives next. */
void tcp_world_receive(struct tcp_world *w, struct seg *s);
/* Turns of the loop until nothing is left to do, or many. */
void tcp_world_turn(struct tcp_world *w);
/* The payload of `len` bytes stands in s at its place behind an IPv4 header: headers before it, and
 * received. */
void tcp_world_receive_ip(struct tcp_world *w, struct seg *s, uint8_t proto, uint32_t src,
                          uint32_t len);
/* A segment of p with len bytes; its ports are filled in. exact: in memory that ends with it. */
void tcp_world_send(struct tcp_world *w, const struct tcp_world_peer *p, struct tcp_header *h,
                    uint32_t len, bool exact);
/* p's handshake. */
void tcp_world_connect(struct tcp_world *w, struct tcp_world_peer *p);
/* The owner of p's stream reads as much as he wants at once. */
void tcp_world_read(struct tcp_world_peer *p);

#endif
