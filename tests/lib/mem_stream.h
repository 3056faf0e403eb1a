/*
 * Two streams back to back in memory: what one end commits, the other reads. For tests of what
 * rides on a stream (tls, connections) without a network: bytes can arrive in small pieces, late,
 * or never.
 *
 * Happy path: mem_stream_create; run both ends; mem_stream_step until nothing moves;
 * mem_stream_destroy.
 */
#ifndef POSTERN_TESTS_LIB_MEM_STREAM_H
#define POSTERN_TESTS_LIB_MEM_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/seg.h"
#include "base/stream.h"

struct mem_pair;

struct mem_stream_config {
    struct seg_pool *pool[2]; /* of end 0 and end 1; may be the same, may be a fault_pool */
    struct list *ready[2];    /* their ready lists; may be the same */
    uint32_t chunk;           /* bytes that a step moves each way; 0: a commit arrives at once */
    uint32_t run_max;         /* longest run that peek lends; 0: a segment */
    uint32_t room; /* bytes on the way and unread, each way; 0: no bound. Past it: no reserve */
};

/* NULL: memory is short. The config is copied. */
struct mem_pair *mem_stream_create(const struct mem_stream_config *config);
/* Releases all that is on the way; both streams are gone, closed or not. */
void mem_stream_destroy(struct mem_pair *p);
/* End 0 or 1. */
struct stream *mem_stream_end(struct mem_pair *p, unsigned end);
/* Moves a chunk (all, when chunk is 0) each way. Returns the bytes and ends that moved; 0: nothing
 * to do. */
uint32_t mem_stream_step(struct mem_pair *p);
void mem_stream_set_chunk(struct mem_pair *p, uint32_t chunk);
void mem_stream_set_room(struct mem_pair *p, uint32_t room);
/* While set, nothing that `end` commits arrives. */
void mem_stream_set_stall(struct mem_pair *p, unsigned end, bool stall);
/* The wire is cut: both ends are FAILED. */
void mem_stream_break(struct mem_pair *p);

#endif
