/*
 * Frames that the device handed to one core and others must see, copied from each worker to each
 * other by rings. Each is used by one thread.
 */
#ifndef POSTERN_NIC_SHARE_H
#define POSTERN_NIC_SHARE_H

#include "dataplane/nic/nic_pool.h"

struct nic_share;

/* `pools`: one for each worker; kept. NULL: memory is short. */
struct nic_share *nic_share_create(uint16_t workers, struct nic_pool *const *pools);
/* When no thread uses it any more; what was not taken goes home. */
void nic_share_destroy(struct nic_share *share);
/* From the thread of worker `from`: a copy to another. s stays the caller's. False: no room. */
bool nic_share_give(struct nic_share *share, uint16_t from, uint16_t to, const struct seg *s);
/* From the thread of worker `to`: up to max copies, with SEG_RX_SHARED and what was known of their
 * checksums; the caller takes them. */
unsigned nic_share_take(struct nic_share *share, uint16_t to, struct seg **out, unsigned max);

#endif
