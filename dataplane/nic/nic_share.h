/*
 * Frames that the device handed to one core and all cores must see (ARP and ND answers), copied
 * from each queue to each other by rings. Each queue is used by one thread.
 */
#ifndef POSTERN_NIC_SHARE_H
#define POSTERN_NIC_SHARE_H

#include "dataplane/nic/nic_pool.h"

struct nic_share;

/* `pools`: one for each queue; kept. NULL: memory is short. */
struct nic_share *nic_share_create(uint16_t queues, struct nic_pool *const *pools);
/* When no thread uses it any more; what was not taken goes home. */
void nic_share_destroy(struct nic_share *share);
/* From the thread of queue `from`: a copy to each other queue that has room. s stays the caller's.
 */
void nic_share_give(struct nic_share *share, uint16_t from, const struct seg *s);
/* From the thread of queue `to`: up to max copies, with SEG_RX_SHARED; the caller takes them. */
unsigned nic_share_take(struct nic_share *share, uint16_t to, struct seg **out, unsigned max);

#endif
