/*
 * Ranges of sequence space with gaps between them, found by their numbers in logarithmic time: a
 * treap (Seidel, Aragon 1996), whose shape is drawn by lot, so that no order of arrival makes a
 * long walk (CVE-2018-5390). Pure, but for the lot.
 */
#ifndef POSTERN_TCP_RANGES_H
#define POSTERN_TCP_RANGES_H

#include <stdint.h>

#include "base/list.h"

struct tcp_range {
    struct list_node recent; /* in the holder's list of what changed last */
    struct list segs;        /* by seq, without gap or overlap */
    struct tcp_range *below;
    struct tcp_range *above;
    uint32_t start;
    uint32_t end;  /* one past the last byte */
    uint32_t rank; /* higher than those of both below it in the tree */
};

/* The first range that ends at seq or after it: the only one that bytes from seq on may join or
 * overlap first. All is within 2^30 of seq. NULL: none. */
struct tcp_range *tcp_ranges_from(struct tcp_range *root, uint32_t seq);
/* *r has start, end, and a rank drawn by lot. It may change start and end later, as long as there
 * is a gap on both sides. */
void tcp_ranges_add(struct tcp_range **root, struct tcp_range *r);
void tcp_ranges_remove(struct tcp_range **root, const struct tcp_range *r);

#endif
