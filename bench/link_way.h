/*
 * One direction of a bad link: a rate with a queue before it, a delay, and the fate of each frame
 * (link_fate.h). Time is what the caller says it is.
 */
#ifndef POSTERN_BENCH_LINK_WAY_H
#define POSTERN_BENCH_LINK_WAY_H

#include "base/list.h"
#include "bench/link_fate.h"

struct link_way_config {
    struct link_fate_config fate;
    uint64_t delay_ns;
    uint64_t rate_bps;    /* bits a second, counted by Ethernet frames; 0: no limit */
    uint64_t queue_bytes; /* that wait for the rate; what does not fit is dropped */
};

struct link_way_counts {
    uint64_t frames; /* that came in; each of the others is a share of them */
    uint64_t lost;
    uint64_t overflowed; /* dropped before a full queue */
    uint64_t late;
    uint64_t doubled;
    uint64_t corrupted;
    uint64_t bytes_out;
};

struct link_way {
    struct link_way_config config;
    struct link_fate fate;
    struct list under_way; /* struct link_frame, by due_ns */
    uint64_t busy_ns;      /* until then the rate is taken */
    struct link_way_counts counts;
};

struct link_frame {
    struct list_node link;
    uint64_t due_ns;
    uint32_t len;
    uint8_t bytes[];
};

void link_way_init(struct link_way *w, const struct link_way_config *config, uint64_t seed);
/* Frees what is under way. */
void link_way_clear(struct link_way *w);
/* Copies the frame (Ethernet, without FCS). False: no memory; it is as if it had never come. */
bool link_way_put(struct link_way *w, uint64_t now_ns, const uint8_t *bytes, uint32_t len);
/* A frame that has arrived, to be freed by the caller; NULL: none has. */
struct link_frame *link_way_take(struct link_way *w, uint64_t now_ns);
/* When the next one arrives; UINT64_MAX: none is under way. */
uint64_t link_way_next_ns(const struct link_way *w);

#endif
