/*
 * Some IPv4 addresses on one device: a core (net and tcp) for each, behind a switch that gives each
 * frame to the core whose address it names. One address alone would have too few ports for
 * connections by the hundred thousand.
 */
#ifndef POSTERN_BENCH_HOSTS_H
#define POSTERN_BENCH_HOSTS_H

#include "dataplane/core.h"

struct hosts_config {
    struct addr address;       /* the first; IPv4 */
    uint8_t prefix_length;     /* of the link */
    uint32_t count;            /* of addresses from that one on */
    uint32_t connections_max;  /* of each */
    const struct clock *clock; /* must stay */
    struct core_handler *handler;
};

struct hosts;

/* nic must stay. NULL: memory is short. */
struct hosts *hosts_create(const struct hosts_config *config, struct nic *nic);
void hosts_destroy(struct hosts *h);
/* A turn of each; returns the work done. */
unsigned hosts_turn(struct hosts *h);
/* When the next turn has something to do if nothing comes in. */
uint64_t hosts_next_ns(const struct hosts *h);
/* From the next address in turn. NULL: no block or no port is free. */
struct stream *hosts_connect(struct hosts *h, const struct endpoint *peer);

#endif
