/*
 * What goes over a port's queues, copied for somebody who watches: the kernel's tcpdump sees
 * nothing of a device that is ours.
 *
 * A queue's frames lie in slots that go round between its thread, which fills them, and the
 * watcher's, by two rings. Nobody waits: no empty slot means one frame less, counted. While nobody
 * watches it costs a look at one word a burst.
 */
#ifndef POSTERN_NIC_CAPTURE_H
#define POSTERN_NIC_CAPTURE_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/limits.h"

struct nic_capture;
struct nic_port;

/* A frame is taken when all of it holds. */
struct nic_capture_rules {
    uint32_t bytes;   /* of each frame at most; 1 to LIMIT_CAPTURE_FRAME_BYTES */
    struct addr host; /* from or to it; none: all */
    uint32_t port;    /* TCP or UDP, from or to it; 0: all */
    uint16_t queue;   /* of the device; NIC_CAPTURE_ALL */
};

#define NIC_CAPTURE_ALL UINT16_MAX

struct nic_capture_frame {
    uint64_t unix_ns;  /* when its burst was had from the device, or given to it */
    uint32_t wire_len; /* bytes of the frame */
    uint32_t len;      /* bytes that are here */
    bool sent;
    uint8_t bytes[LIMIT_CAPTURE_FRAME_BYTES];
};

struct nic_capture_counts {
    uint64_t seen;    /* frames that the rules took */
    uint64_t dropped; /* of these, for want of a slot */
};

/* From one thread, the watcher's, all of these. One capture of a port at a time. NULL: memory is
 * short. */
struct nic_capture *nic_capture_create(struct nic_port *p, const struct nic_capture_rules *rules);
/* The queue's next frame, or NULL; to be given back. */
struct nic_capture_frame *nic_capture_take(struct nic_capture *c, uint16_t queue);
void nic_capture_give_back(struct nic_capture *c, uint16_t queue, struct nic_capture_frame *f);
void nic_capture_count(const struct nic_capture *c, uint16_t queue, struct nic_capture_counts *out);
/* No more frames are wanted. True: every worker has noticed, so that what can be taken now is all.
 * Workers look once a turn: ask again. */
bool nic_capture_end(struct nic_capture *c);
/* After nic_capture_end said true. */
void nic_capture_destroy(struct nic_capture *c);

/* --- the queues' side (nic_queue.c) ----------------------------------------------------------- */

struct rte_mbuf;

void nic_capture_frames(struct nic_capture *c, uint16_t queue, struct rte_mbuf *const *mbufs,
                        unsigned count, bool sent);

#endif
