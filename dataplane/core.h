/*
 * One core's loop, one turn at a time: receive burst -> net -> tcp; timers; pollers; ready streams;
 * transmit. Knows no DPDK and no clock: struct nic and struct clock come from the program or from
 * the simulator.
 */
#ifndef POSTERN_CORE_H
#define POSTERN_CORE_H

#include "base/clock.h"
#include "base/counter.h"
#include "base/list.h"
#include "base/nic.h"
#include "base/stream.h"
#include "dataplane/net/net.h"
#include "dataplane/tcp/tcp.h"

/* Something else that a turn runs: kernel sockets, spool completions, helpers' answers, timers of
 * the gateway. */
struct core_poller {
    struct list_node link;
    /* Returns the work done, 0: idle. Must not block. */
    unsigned (*poll)(struct core_poller *p);
};

/* The gateway's side of streams. */
struct core_handler {
    /* A new connection; the handler owns the stream from here on. */
    void (*accepted)(struct core_handler *h, struct stream *s, void *cookie);
    /* A stream with news, taken off the ready list. */
    void (*ready)(struct core_handler *h, struct stream *s);
};

struct core {
    const struct clock *clock;
    struct counters *counters;
    struct list ready;   /* streams with news */
    struct list pollers; /* struct core_poller */
    struct core_handler *handler;
    struct nic *nic; /* NULL: this core serves kernel sockets alone */
    struct net *net;
    struct tcp *tcp;
    struct tcp_lower lower; /* net, as tcp sees it */
};

struct core_config {
    struct net_config net;
    struct tcp_config tcp;
    struct hash_key secret;
};

/* Sets up net and tcp when nic is given (config unused without). False when memory is short; undo
 * by core_close. */
bool core_open(struct core *c, const struct core_config *config, struct nic *nic,
               const struct clock *clock, struct counters *counters);
void core_close(struct core *c);
void core_add_poller(struct core *c, struct core_poller *p);
/* One turn. Returns the work done, 0: idle. The caller has set the clock. */
unsigned core_turn(struct core *c);
/* When the next turn has something to do if nothing comes in, clock ns; UINT64_MAX: nothing. For
 * loops that sleep. */
uint64_t core_next_ns(const struct core *c);

#endif
