/*
 * One core's TCP (RFC 9293), receiver first. It makes no system call and reads no clock: segments
 * come in by tcp_input, leave by struct tcp_lower, and time is struct clock. Connections are
 * streams (base/stream.h).
 *
 * A turn: tcp_input for a burst of segments; tcp_timers; the owner works on the ready list and
 * takes new connections by tcp_accept; tcp_flush sends what all of that gave reason to send, a
 * reply and its ACK in one segment.
 */
#ifndef POSTERN_TCP_H
#define POSTERN_TCP_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/hash.h"
#include "base/seg.h"
#include "base/stream.h"

struct tcp;

/* What carries our segments: net/ in the program, the packet tests' and simulator's own elsewhere.
 */
struct tcp_lower {
    /* Takes s: a whole TCP segment, checksum field zero, with room before it for lower headers;
     * SEG_TX_ECT says what its IP header does. */
    void (*send)(struct tcp_lower *l, struct seg *s, const struct addr *src,
                 const struct addr *dst);
    /* Largest IP packet towards dst, bytes. */
    uint16_t (*mtu)(struct tcp_lower *l, const struct addr *dst);
};

/* RFC 9438, or RFC 6582 with RFC 5681. */
enum tcp_congestion { TCP_CONGESTION_CUBIC, TCP_CONGESTION_NEWRENO };

struct tcp_config {
    uint32_t connections_max; /* connection blocks, taken at creation */
    uint32_t syn_rcvd_max;    /* half-open entries */
    uint32_t time_wait_max;
    uint32_t receive_bytes_max; /* largest window advertised */
    uint32_t send_bytes_max;    /* committed and unacknowledged */
    uint32_t time_wait_ms;      /* 2 MSL: 60,000 */
    uint32_t host_max;          /* connections of an IPv4 address or IPv6 /64; 0: no limit */
    uint32_t network_max;       /* of a /24 or a /48; 0: no limit */
    uint32_t user_timeout_ms;   /* unacknowledged for so long: failed; 0: LIMIT_TCP_R2_MS */
    uint32_t keepalive_ms;      /* silent for so long: asked; 0: never */
    uint32_t congestion;        /* enum tcp_congestion */
    uint32_t ecn;               /* 1: asked for and agreed to (RFC 3168) */
    uint32_t aside_max;         /* segments of ordinary memory, for when the pool's are few */
};

struct tcp_env {
    struct tcp_lower *lower;
    struct seg_pool *pool;
    const struct clock *clock;
    struct counters *counters;
    struct list *ready;     /* the core's ready list, for the streams */
    struct hash_key secret; /* for the table and initial sequence numbers (RFC 6528) */
};

/* NULL when memory is short. Keeps env's pointers. */
struct tcp *tcp_create(const struct tcp_config *config, const struct tcp_env *env);
/* Releases everything without sending. */
void tcp_destroy(struct tcp *t);

/* A listener at addr (all zero: any address of ours) and port; cookie comes back with tcp_accept.
 * False: too many. */
bool tcp_listen(struct tcp *t, const struct endpoint *at, void *cookie);
/* The same beside proxies and load balancers: theirs are the connections of many clients, and no
 * limit for a host or a network holds who is in one of these networks. Keeps `proxies`. */
bool tcp_listen_proxied(struct tcp *t, const struct endpoint *at, const struct addr_net *proxies,
                        uint32_t proxy_count, void *cookie);
/* No new connections from now on: SYNs are answered with RST. For draining. */
void tcp_listen_stop(struct tcp *t);

#define TCP_BURST 32 /* segments of one tcp_input at most */

struct tcp_packet {
    struct seg *s; /* data and len are the TCP segment, its checksum already verified */
    struct addr src;
    struct addr dst;
    uint8_t tos;
};

/* Takes the segments, in their order. */
void tcp_input(struct tcp *t, const struct tcp_packet *packets, unsigned count);

/* An ICMP error about a segment of ours, from anybody. */
struct tcp_icmp {
    struct endpoint local; /* as the segment had them */
    struct endpoint peer;
    uint32_t seq;
    uint16_t mtu; /* of the path, bytes: the segment was too big; 0: another error, which is soft */
};

void tcp_icmp_error(struct tcp *t, const struct tcp_icmp *e);
/* The next connection that became ESTABLISHED, as a stream with endpoints set, or NULL. */
struct stream *tcp_accept(struct tcp *t, void **cookie);
/*
 * Opens a connection (RFC 9293, 3.10.1); for the simulator's and the bench's client. A local port
 * of 0: one from 49152 up is chosen. The stream is the caller's at once; WRITABLE says that it is
 * established, FAILED that it will not be. NULL: no block or no port is free.
 */
struct stream *tcp_connect(struct tcp *t, const struct endpoint *local,
                           const struct endpoint *peer);
/* Runs what is due; returns the number of timers fired. */
unsigned tcp_timers(struct tcp *t);
/* Sends all that there is reason to send; returns the number of segments. */
unsigned tcp_flush(struct tcp *t);
/* When tcp_timers has something to do next, in clock ns; UINT64_MAX: nothing set. */
uint64_t tcp_next_ns(const struct tcp *t);

/* How short of segments a core is. Each level does what the one before it does, too. */
enum tcp_memory_level {
    TCP_MEMORY_PLENTY,
    TCP_MEMORY_NO_SYNS,    /* no new connections: SYNs and returning SYN cookies are not answered */
    TCP_MEMORY_NO_MAIL,    /* the owner should begin nothing that takes long */
    TCP_MEMORY_NO_WINDOWS, /* windows close, as bytes come in, and none opens; nothing is kept out
                              of order; bytes in order move to ordinary memory */
};

enum tcp_memory_level tcp_memory_level(const struct tcp *t);

/* How much there is of what is no counter. */
struct tcp_gauges {
    uint32_t established; /* and CLOSE-WAIT: tcpCurrEstab (RFC 4022) */
    uint32_t half_open;   /* SYN-RCVD entries; SYN cookies are none */
    uint32_t time_wait;   /* entries */
    uint32_t blocks;      /* connection blocks in use */
};

void tcp_gauges(const struct tcp *t, struct tcp_gauges *out);
/* Connections in any state but LISTEN, CLOSED and TIME-WAIT. */
uint32_t tcp_connections(const struct tcp *t);

#endif
