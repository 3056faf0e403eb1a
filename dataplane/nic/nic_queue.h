/*
 * One worker's side of a port: its pool, and bursts in and out. Where the device has fewer queues
 * than there are workers, some borrow another's queue: they receive what that one hands them, and
 * it sends what they leave for it.
 */
#ifndef POSTERN_NIC_QUEUE_H
#define POSTERN_NIC_QUEUE_H

#include "base/nic.h"
#include "base/ring.h"
#include "dataplane/nic/nic_capture.h"
#include "dataplane/nic/nic_exception.h"
#include "dataplane/nic/nic_outbox.h"
#include "dataplane/nic/nic_pool.h"
#include "dataplane/nic/nic_share.h"

struct nic_queue {
    struct nic nic;
    struct nic_pool pool;
    struct nic_share *share; /* NULL: one worker */
    uint16_t port;
    uint16_t device_queue; /* ours, or the lender's */
    bool borrows;
    struct nic_queue *borrower; /* the next that borrows this queue's device queue; NULL: none */
    uint64_t copied;            /* one writer, the queue's thread; read with relaxed loads */
    uint64_t dropped;           /* the same */

    struct nic_capture *const *watched; /* the port's capture */
    struct nic_capture *capture;        /* as this queue's thread last saw it */

    struct nic_exception *exception; /* the kernel has what is not ours; NULL: it has nothing */
    struct nic_outbox outbox;        /* of a borrower, for the lender to send */
} __attribute__((aligned(64)));

/* q->port, device_queue and pool are set. Borrows from `lender`; NULL: the device queue is its own.
 * False: memory is short. */
bool nic_queue_open(struct nic_queue *q, struct nic_queue *lender);
/* When no thread uses it, and the device is stopped. */
void nic_queue_close(struct nic_queue *q);
/* Fills in q->nic, but for what is the port's. */
void nic_queue_ready(struct nic_queue *q, struct nic_share *share);

#endif
