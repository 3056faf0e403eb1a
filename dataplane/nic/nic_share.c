/*
 * A ring from each worker to each other (single producer, single consumer), and for each worker a
 * flag, so that an empty look costs one load. The flag is only ever exchanged, so that whoever
 * clears it sees what all who set it had pushed (an exchange continues the release sequence of
 * those before it).
 *
 * Happy path: give copies the frame into an mbuf of the receiver's pool and sets the receiver's
 * flag; take clears it and empties the rings. Failure modes: no mbuf or a full ring: not given; who
 * needed it asks again.
 */
#include "dataplane/nic/nic_share.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/ring.h"

struct inbox {
    bool pending; /* set by any worker's thread, cleared by the receiver's */
    struct nic_pool *pool;
    struct ring **from; /* [workers]; its own is NULL */
} __attribute__((aligned(64)));

struct nic_share {
    uint16_t workers;
    struct inbox *inboxes;
};

static bool create_inbox(struct nic_share *share, uint16_t to)
{
    struct inbox *in = &share->inboxes[to];

    in->from = calloc(share->workers, sizeof(struct ring *));
    for (uint16_t from = 0; in->from != NULL && from < share->workers; from++) {
        if (from == to)
            continue;
        in->from[from] = ring_create(LIMIT_NIC_SHARED_FRAMES);
        if (in->from[from] == NULL)
            return false;
    }
    return in->from != NULL;
}

static void destroy_inbox(struct nic_share *share, struct inbox *in)
{
    struct seg *s;

    for (uint16_t from = 0; in->from != NULL && from < share->workers; from++) {
        if (in->from[from] == NULL)
            continue;
        while ((s = ring_pop(in->from[from])) != NULL)
            seg_release(s);
        ring_destroy(in->from[from]);
    }
    free(in->from);
}

struct nic_share *nic_share_create(uint16_t workers, struct nic_pool *const *pools)
{
    struct nic_share *share = calloc(1, sizeof(*share));

    if (share == NULL)
        return NULL;
    share->inboxes = aligned_alloc(64, workers * sizeof(struct inbox));
    if (share->inboxes == NULL) {
        free(share);
        return NULL;
    }
    share->workers = workers;
    memset(share->inboxes, 0, workers * sizeof(struct inbox));
    for (uint16_t i = 0; i < workers; i++) {
        share->inboxes[i].pool = pools[i];
        if (!create_inbox(share, i)) {
            nic_share_destroy(share);
            return NULL;
        }
    }
    return share;
}

void nic_share_destroy(struct nic_share *share)
{
    for (uint16_t i = 0; i < share->workers; i++)
        destroy_inbox(share, &share->inboxes[i]);
    free(share->inboxes);
    free(share);
}

bool nic_share_give(struct nic_share *share, uint16_t from, uint16_t to, const struct seg *s)
{
    struct inbox *in = &share->inboxes[to];
    struct seg *copy;

    ASSERT(from < share->workers && to < share->workers && from != to);
    copy = nic_pool_copy(in->pool, s);
    if (copy == NULL)
        return false;
    copy->flags = SEG_RX_SHARED | (s->flags & (SEG_RX_L3_CSUM_GOOD | SEG_RX_L4_CSUM_GOOD));
    if (!ring_push(in->from[from], copy)) {
        seg_release(copy);
        return false;
    }
    (void)__atomic_exchange_n(&in->pending, true, __ATOMIC_RELEASE);
    return true;
}

unsigned nic_share_take(struct nic_share *share, uint16_t to, struct seg **out, unsigned max)
{
    struct inbox *in = &share->inboxes[to];
    unsigned count = 0;

    if (max == 0 || !__atomic_load_n(&in->pending, __ATOMIC_RELAXED))
        return 0;
    (void)__atomic_exchange_n(&in->pending, false, __ATOMIC_ACQUIRE);
    for (uint16_t from = 0; from < share->workers; from++)
        while (from != to && count < max && (out[count] = ring_pop(in->from[from])) != NULL)
            count++;
    if (count == max)
        (void)__atomic_exchange_n(&in->pending, true, __ATOMIC_RELAXED);
    return count;
}
