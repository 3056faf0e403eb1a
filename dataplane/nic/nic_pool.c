/*
 * Mbuf pools whose private area holds struct seg.
 *
 * Happy path: the pool is made once, sized by a sum over its holders; a received mbuf becomes its
 * seg by pointer arithmetic, a seg goes out as its mbuf the same way; the last reference sends both
 * home. Failure modes: EAL short of memory at start (said); no mbuf left (alloc gives NULL, the
 * device drops).
 */
#include "dataplane/nic/nic_pool.h"

#include <rte_lcore.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mempool.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/nic.h"

#define CACHE_MBUFS 256 /* of each core; rte_mempool keeps up to 1.5 times as many */

STATIC_ASSERT(sizeof(struct seg) % RTE_MBUF_PRIV_ALIGN == 0,
              "the private area keeps mbufs aligned");
STATIC_ASSERT(CACHE_MBUFS <= RTE_MEMPOOL_CACHE_MAX_SIZE, "as large as rte_mempool allows");

static struct seg *seg_of(struct rte_mbuf *m)
{
    return (struct seg *)rte_mbuf_to_priv(m);
}

static struct rte_mbuf *mbuf_of(const struct seg *s)
{
    return (struct rte_mbuf *)((uintptr_t)s - sizeof(struct rte_mbuf));
}

static void reset(struct nic_pool *p, struct seg *s, struct rte_mbuf *m)
{
    list_node_init(&s->link);
    s->pool = &p->base;
    s->head = m->buf_addr;
    s->data = s->head + m->data_off;
    s->len = m->data_len;
    s->cap = m->buf_len;
    s->ref = 1;
    s->flags = 0;
}

static struct seg *pool_alloc(struct seg_pool *pool)
{
    struct nic_pool *p = (struct nic_pool *)(void *)pool;
    struct rte_mbuf *m = rte_pktmbuf_alloc(p->mbufs);

    if (m == NULL)
        return NULL;
    reset(p, seg_of(m), m);
    return seg_of(m);
}

static void pool_free(struct seg_pool *pool, struct seg *s)
{
    (void)pool;
    rte_pktmbuf_free(mbuf_of(s));
}

static uint32_t pool_available(const struct seg_pool *pool)
{
    const struct rte_mempool *mbufs = ((const struct nic_pool *)(const void *)pool)->mbufs;
    unsigned core = rte_lcore_id();
    unsigned cached = core < RTE_MAX_LCORE ? mbufs->local_cache[core].len : 0;

    /* rte_mempool_avail_count adds the caches of all cores that there could be, a cache miss each;
     * what lies in another's cannot be had now anyway. */
    return rte_mempool_get_ops(mbufs->ops_index)->get_count(mbufs) + cached;
}

static bool pool_busy(const struct seg *s)
{
    return rte_mbuf_refcnt_read(mbuf_of(s)) > 1;
}

static const struct seg_pool_ops pool_ops = {
    .alloc = pool_alloc,
    .free = pool_free,
    .available = pool_available,
    .busy = pool_busy,
};

/* For who holds few, and gets them back soon: so many are left to them by all others. */
static uint32_t reserve_needed(const struct nic_pool_need *need)
{
    uint32_t others = need->workers > 1 ? need->workers - 1U : 0;
    uint32_t sum = 0;

    sum += need->tx_descriptors;                             /* the device, being sent */
    sum += 2 * NIC_BURST;                                    /* the loop: a burst in and one out */
    sum += LIMIT_NET_OUT_SEGS;                               /* net: waiting for the device */
    sum += others * LIMIT_NIC_SHARED_FRAMES;                 /* other cores: given, not yet taken */
    sum += need->exception ? LIMIT_NIC_EXCEPTION_FRAMES : 0; /* the kernel's, not yet taken */
    sum += LIMIT_NET_NEIGHBOURS;   /* net: one for each unknown neighbour */
    sum += LIMIT_NET_FRAG_PACKETS; /* net: one for each packet in fragments */
    return sum;
}

uint32_t nic_pool_count_needed(const struct nic_pool_need *need)
{
    uint32_t windows =
        LIMIT_NIC_FULL_WINDOWS < need->connections ? LIMIT_NIC_FULL_WINDOWS : need->connections;
    uint32_t sum = reserve_needed(need);

    sum += need->rx_descriptors;                              /* the device, to receive into */
    sum += need->connections * LIMIT_NIC_SEGS_PER_CONNECTION; /* tcp: small, mostly idle ones */
    sum += windows * (LIMIT_NIC_WINDOW_BYTES / 1024);         /* tcp: receiving and reassembling */
    sum += windows * (LIMIT_TCP_SEND_BYTES / 1024);           /* tcp: unacknowledged */
    sum += 2 * CACHE_MBUFS;                                   /* the core's cache */
    return sum;
}

/*
 * rte_pktmbuf_pool_create, but for software devices dense: no mbuf is moved to keep it off a page's
 * end. With 4 KB pages that would waste a third of the memory; and net_af_xdp of DPDK 22.11 takes
 * the pool for dense when it gives it to the kernel, which then refuses the mbufs past the end.
 */
static bool make_mbufs(struct nic_pool *p, const char *name, uint16_t room,
                       const struct nic_pool_need *need)
{
    struct rte_pktmbuf_pool_private about = { .mbuf_data_room_size = room,
                                              .mbuf_priv_size = sizeof(struct seg) };
    unsigned size = (unsigned)(sizeof(struct rte_mbuf) + sizeof(struct seg) + room);
    unsigned flags = need->software ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0;

    p->mbufs = rte_mempool_create_empty(name, p->count, size, CACHE_MBUFS, sizeof(about),
                                        need->socket, flags);
    if (p->mbufs == NULL)
        return false;
    rte_mempool_set_ops_byname(p->mbufs, rte_mbuf_best_mempool_ops(), NULL);
    rte_pktmbuf_pool_init(p->mbufs, &about);
    if (rte_mempool_populate_default(p->mbufs) < 0)
        return false;
    rte_mempool_obj_iter(p->mbufs, rte_pktmbuf_init, NULL);
    p->whole = need->software && p->mbufs->nb_mem_chunks == 1;
    return true;
}

void nic_pool_close(struct nic_pool *p)
{
    rte_mempool_free(p->mbufs);
    p->mbufs = NULL;
}

bool nic_pool_open(struct nic_pool *p, const char *name, const struct nic_pool_need *need)
{
    /* The frame, one VLAN tag and the checksum of a device that does not cut it; never less than
     * DPDK's default. */
    uint32_t room = need->mtu + 14u + 4u + 4u;

    room = RTE_ALIGN_CEIL(room < RTE_MBUF_DEFAULT_DATAROOM ? RTE_MBUF_DEFAULT_DATAROOM : room, 64u);
    p->count = nic_pool_count_needed(need);
    p->mbufs = NULL;
    p->whole = false;
    p->base = (struct seg_pool){ .ops = &pool_ops,
                                 .headroom = RTE_PKTMBUF_HEADROOM,
                                 .room = room,
                                 .reserve = reserve_needed(need) };
    if (make_mbufs(p, name, (uint16_t)(RTE_PKTMBUF_HEADROOM + room), need))
        return true;
    nic_pool_close(p);
    return false;
}

static uint16_t receive_flags(const struct rte_mbuf *m)
{
    uint16_t flags = 0;

    if ((m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
        flags |= SEG_RX_L3_CSUM_GOOD;
    if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
        flags |= SEG_RX_L4_CSUM_GOOD;
    return flags;
}

/* A copy of m, in one piece, in an mbuf of p; m goes home. NULL when there is no mbuf or no room.
 */
static struct rte_mbuf *copy_whole(struct nic_pool *p, struct rte_mbuf *m)
{
    struct rte_mbuf *to = m->pkt_len <= p->base.room ? rte_pktmbuf_alloc(p->mbufs) : NULL;
    uint8_t *at;

    if (to != NULL) {
        at = rte_pktmbuf_mtod(to, uint8_t *);
        for (const struct rte_mbuf *part = m; part != NULL; part = part->next) {
            if (part->data_len > p->base.room - to->data_len)
                break;
            memcpy(at + to->data_len, rte_pktmbuf_mtod(part, const void *), part->data_len);
            to->data_len = (uint16_t)(to->data_len + part->data_len);
        }
        to->pkt_len = to->data_len;
        to->ol_flags = m->ol_flags;
    }
    rte_pktmbuf_free(m);
    return to;
}

struct seg *nic_pool_received(struct nic_pool *p, struct rte_mbuf *m, bool *copied)
{
    struct seg *s;

    *copied = m->nb_segs != 1 || m->pool != p->mbufs || rte_mbuf_refcnt_read(m) != 1 ||
              !RTE_MBUF_DIRECT(m);
    if (*copied)
        m = copy_whole(p, m);
    if (m == NULL)
        return NULL;
    s = seg_of(m);
    reset(p, s, m);
    s->flags = receive_flags(m);
    return s;
}

struct seg *nic_pool_copy(struct nic_pool *p, const struct seg *frame)
{
    struct seg *s = frame->len <= p->base.room ? pool_alloc(&p->base) : NULL;

    if (s != NULL) {
        memcpy(s->data, frame->data, frame->len);
        s->len = frame->len;
    }
    return s;
}

struct rte_mbuf *nic_pool_to_send(struct seg *s)
{
    struct rte_mbuf *m = mbuf_of(s);

    ASSERT(s->len <= UINT16_MAX && seg_headroom(s) + s->len <= s->cap);
    m->data_off = (uint16_t)seg_headroom(s);
    m->data_len = (uint16_t)s->len;
    m->pkt_len = s->len;
    m->ol_flags = 0;
    if ((s->flags & (SEG_TX_L3_CSUM | SEG_TX_L4_CSUM)) != 0) {
        m->ol_flags = (s->flags & SEG_TX_IP6) != 0 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
        m->tx_offload = rte_mbuf_tx_offload(s->l2_len, s->l3_len, s->l4_len, 0, 0, 0, 0);
    }
    if ((s->flags & SEG_TX_L3_CSUM) != 0)
        m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
    if ((s->flags & SEG_TX_L4_CSUM) != 0)
        m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
    return m;
}
