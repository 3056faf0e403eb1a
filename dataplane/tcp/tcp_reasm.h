/*
 * Bytes that came before their turn: ranges of sequence space, each with its segments, under caps
 * in bytes, segments and ranges. Whatever comes costs steps by the logarithm of the ranges. Pure:
 * takes segments, gives them back in order; tells SACK blocks.
 */
#ifndef POSTERN_TCP_REASM_H
#define POSTERN_TCP_REASM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/seg.h"
#include "dataplane/tcp/tcp_ranges.h"
#include "dataplane/tcp/tcp_wire.h"

struct tcp_conn;

/* Where ranges come from: the core's. */
struct tcp_reasm_source {
    struct pool *pool; /* of struct tcp_range */
    struct rng lot;
};

struct tcp_reasm {
    struct list_node link; /* free to the holder, as is the next */
    struct tcp_conn *holder;
    struct tcp_reasm_source *source;
    struct tcp_range *root;
    struct list recent; /* ranges, what changed last first: what SACK tells first (RFC 2018, 4) */
    uint32_t bytes;
    uint32_t segs;
    uint32_t count; /* ranges */
};

enum tcp_reasm_result {
    TCP_REASM_KEPT,
    TCP_REASM_DUPLICATE, /* every byte was there */
    TCP_REASM_FULL,      /* a cap was reached: dropped, the peer sends it again */
};

void tcp_reasm_init(struct tcp_reasm *r, struct tcp_reasm_source *source);
/* Takes s, whose seq is set, len > 0, all of it within 2^30 of what is there. *twice: the first run
 * of its bytes that was there before (RFC 2883, 4), or start == end. */
enum tcp_reasm_result tcp_reasm_insert(struct tcp_reasm *r, struct seg *s,
                                       struct tcp_wire_sack *twice);
/*
 * The next segment whose bytes follow rcv_nxt, cut so that it begins there; the caller takes it.
 * NULL: there is a gap. Drops what lies before rcv_nxt.
 */
struct seg *tcp_reasm_take(struct tcp_reasm *r, uint32_t rcv_nxt);
/* Up to max blocks, the most recently changed first; returns how many. */
unsigned tcp_reasm_blocks(const struct tcp_reasm *r, struct tcp_wire_sack *out, unsigned max);
/* Releases everything. */
void tcp_reasm_clear(struct tcp_reasm *r);

#endif
