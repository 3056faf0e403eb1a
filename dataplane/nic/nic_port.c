/*
 * One ethdev port as a struct nic for each of its queues.
 *
 * Happy path: find the port that EAL's arguments made, ask what it can do, configure it for that,
 * one pool and one RX/TX queue pair for each worker, start; then bursts. Failure modes: what a
 * device lacks or refuses beside its queues is no error: it is named in `lacks` and done in
 * software or without. Only a port that cannot be found, configured or started is an error, with
 * DPDK's words in *why.
 */
#include "dataplane/nic/nic_port.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_prefetch.h>

#include "base/assert.h"
#include "base/limits.h"
#include "dataplane/nic/nic_eal.h"
#include "dataplane/nic/nic_pool.h"
#include "dataplane/nic/nic_share.h"

#define RSS_FLOWS (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_IP)

struct nic_queue {
    struct nic nic;
    struct nic_pool pool;
    struct nic_share *share; /* NULL: one queue */
    uint16_t port;
    uint16_t queue;
    uint64_t copied;  /* one writer, the queue's thread; read with relaxed loads */
    uint64_t dropped; /* the same */
} __attribute__((aligned(64)));

struct nic_port {
    uint16_t id;
    uint16_t count; /* queues in use */
    uint16_t rx_descriptors;
    uint16_t tx_descriptors;
    bool software; /* made by a --vdev argument: no DMA */
    bool started;
    struct nic_share *share; /* NULL: one queue */
    struct nic_port_info info;
    struct nic_queue queues[];
};

static void count_one(uint64_t *value)
{
    __atomic_store_n(value, __atomic_load_n(value, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

/* --- Bursts ---------------------------------------------------------------------------------- */

static unsigned port_rx(struct nic *n, struct seg **out, unsigned max)
{
    struct nic_queue *q = (struct nic_queue *)(void *)n;
    struct rte_mbuf *mbufs[NIC_BURST];
    unsigned count, kept = 0;
    bool copied;

    ASSERT(max <= NIC_BURST);
    /* First, and a part only: a queue that always has a full burst takes them too. */
    if (q->share != NULL)
        kept = nic_share_take(q->share, q->queue, out, max / 4);
    count = rte_eth_rx_burst(q->port, q->queue, mbufs, (uint16_t)(max - kept));
    for (unsigned i = 0; i < count; i++) {
        rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
        out[kept] = nic_pool_received(&q->pool, mbufs[i], &copied);
        if (copied)
            count_one(out[kept] != NULL ? &q->copied : &q->dropped);
        if (out[kept] != NULL)
            kept++;
    }
    return kept;
}

/*
 * The device frees one reference of each mbuf that it takes, perhaps within the call. A seg that
 * nobody else holds gives its own and is gone; for one that is held (TCP keeps it until it is
 * acknowledged) the device gets another.
 */
static unsigned port_tx(struct nic *n, struct seg **segs, unsigned count)
{
    struct nic_queue *q = (struct nic_queue *)(void *)n;
    struct rte_mbuf *mbufs[NIC_BURST];
    bool held[NIC_BURST];
    unsigned sent;

    count = count < NIC_BURST ? count : NIC_BURST;
    for (unsigned i = 0; i < count; i++) {
        mbufs[i] = nic_pool_to_send(segs[i]);
        held[i] = segs[i]->ref > 1;
        if (held[i])
            rte_mbuf_refcnt_update(mbufs[i], 1);
    }
    sent = rte_eth_tx_burst(q->port, q->queue, mbufs, (uint16_t)count);
    for (unsigned i = 0; i < count; i++) {
        if (held[i] && i < sent)
            seg_release(segs[i]);
        if (held[i] && i >= sent)
            rte_mbuf_refcnt_update(mbufs[i], -1);
    }
    return sent;
}

static void port_share(struct nic *n, const struct seg *s)
{
    struct nic_queue *q = (struct nic_queue *)(void *)n;

    nic_share_give(q->share, q->queue, s);
}

static const struct nic_ops port_ops = { .rx = port_rx, .tx = port_tx };
static const struct nic_ops shared_ops = { .rx = port_rx, .tx = port_tx, .share = port_share };

/* --- Opening --------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void lacks(struct nic_port *p, const char *fmt, ...)
{
    size_t used = strlen(p->info.lacks);
    size_t room = sizeof(p->info.lacks) - used;
    va_list ap;

    if (used > 0 && room > 2) {
        memcpy(p->info.lacks + used, ", ", 3);
        used += 2;
        room -= 2;
    }
    va_start(ap, fmt);
    vsnprintf(p->info.lacks + used, room, fmt, ap);
    va_end(ap);
}

static bool find_port(const char *device, uint16_t *id, struct buf *why)
{
    if (device != NULL) {
        if (rte_eth_dev_get_port_by_name(device, id) == 0)
            return true;
        buf_printf(why, "DPDK has no port \"%s\": do its EAL arguments make one?", device);
        return false;
    }
    *id = (uint16_t)rte_eth_find_next_owned_by(0, RTE_ETH_DEV_NO_OWNER);
    if (*id < RTE_MAX_ETHPORTS)
        return true;
    buf_printf(why, "DPDK has no port at all: an EAL argument must make one, such as "
                    "--vdev=net_tap0,iface=postern0");
    return false;
}

static uint16_t least(uint16_t a, uint16_t b)
{
    return a < b ? a : b;
}

static void choose_queues(struct nic_port *p, const struct rte_eth_dev_info *dev, uint16_t wanted)
{
    p->count = least(wanted, least(dev->max_rx_queues, dev->max_tx_queues));
    if (strcmp(p->info.driver, "net_af_packet") == 0)
        p->count =
            1; /* the kernel rolls over to another queue when one is full: to a strange core */
    if (p->count < wanted)
        lacks(p, "%u of %u queues", wanted - p->count, wanted);
    p->info.queues = p->count;
}

static void choose_checksums(struct nic_port *p, const struct rte_eth_dev_info *dev,
                             struct rte_eth_conf *conf)
{
    static const struct {
        uint64_t rx, tx;
        uint32_t offload;
        const char *lack;
    } known[] = {
        { RTE_ETH_RX_OFFLOAD_IPV4_CKSUM, 0, NIC_RX_L3_CSUM, "IPv4 checksums in" },
        { RTE_ETH_RX_OFFLOAD_TCP_CKSUM, 0, NIC_RX_L4_CSUM, "TCP checksums in" },
        { 0, RTE_ETH_TX_OFFLOAD_IPV4_CKSUM, NIC_TX_L3_CSUM, "IPv4 checksums out" },
        { 0, RTE_ETH_TX_OFFLOAD_TCP_CKSUM, NIC_TX_L4_CSUM, "TCP checksums out" },
    };

    for (unsigned i = 0; i < RTE_DIM(known); i++) {
        if ((known[i].rx & ~dev->rx_offload_capa) != 0 ||
            (known[i].tx & ~dev->tx_offload_capa) != 0) {
            lacks(p, "%s (software)", known[i].lack);
            continue;
        }
        conf->rxmode.offloads |= known[i].rx;
        conf->txmode.offloads |= known[i].tx;
        p->info.offloads |= known[i].offload;
    }
}

static void choose_rss(struct nic_port *p, const struct rte_eth_dev_info *dev,
                       struct rte_eth_conf *conf)
{
    if (p->count == 1)
        return;
    conf->rx_adv_conf.rss_conf.rss_hf = dev->flow_type_rss_offloads & RSS_FLOWS;
    if (conf->rx_adv_conf.rss_conf.rss_hf != 0)
        conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    else
        lacks(p, "RSS (the device or the kernel chooses the queue)");
}

static bool failed(struct buf *why, const char *device, const char *what, int rc)
{
    buf_printf(why, "%s: %s: %s", device, what, rte_strerror(rc < 0 ? -rc : rc));
    return false;
}

static bool configure(struct nic_port *p, const struct nic_port_config *c,
                      const struct rte_eth_dev_info *dev, struct buf *why)
{
    struct rte_eth_conf conf = { 0 };
    int rc;

    choose_queues(p, dev, c->queues);
    choose_checksums(p, dev, &conf);
    choose_rss(p, dev, &conf);
    rte_eth_dev_get_mtu(p->id, &p->info.mtu);
    conf.rxmode.mtu = c->mtu != 0 ? c->mtu : p->info.mtu;
    rc = rte_eth_dev_configure(p->id, p->count, p->count, &conf);
    if (rc != 0)
        return failed(why, p->info.device, "the device refuses its configuration", rc);
    if (c->mtu != 0 && c->mtu != p->info.mtu) {
        if (rte_eth_dev_set_mtu(p->id, c->mtu) == 0)
            p->info.mtu = c->mtu;
        else
            lacks(p, "MTU %u (stays %u)", c->mtu, p->info.mtu);
    }
    p->rx_descriptors = LIMIT_NIC_DESCRIPTORS;
    p->tx_descriptors = LIMIT_NIC_DESCRIPTORS;
    rc = rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &p->rx_descriptors, &p->tx_descriptors);
    return rc == 0 || failed(why, p->info.device, "no number of descriptors fits", rc);
}

static bool open_queue(struct nic_port *p, uint16_t i, uint32_t connections, struct buf *why)
{
    struct nic_queue *q = &p->queues[i];
    int socket = rte_eth_dev_socket_id(p->id);
    struct nic_pool_need need = { .connections = connections,
                                  .rx_descriptors = p->rx_descriptors,
                                  .tx_descriptors = p->tx_descriptors,
                                  .mtu = p->info.mtu,
                                  .queues = p->count,
                                  .socket = socket,
                                  .software = p->software };
    char name[24];
    int rc;

    snprintf(name, sizeof(name), "segs_%u_%u", p->id, i);
    if (!nic_pool_open(&q->pool, name, &need)) {
        buf_printf(why, "%s: no memory for %u mbufs: %s (more by EAL's -m, or fewer connections)",
                   p->info.device, q->pool.count, rte_strerror(rte_errno));
        return false;
    }
    if (!q->pool.whole && strcmp(p->info.driver, "net_af_xdp") == 0) {
        buf_printf(why, "%s: its mbufs must lie in one piece, and do not (more by EAL's -m)",
                   p->info.device);
        return false;
    }
    p->info.mbufs = q->pool.count;
    rc = rte_eth_rx_queue_setup(p->id, i, p->rx_descriptors, (unsigned)socket, NULL, q->pool.mbufs);
    if (rc != 0)
        return failed(why, p->info.device, "no receive queue", rc);
    rc = rte_eth_tx_queue_setup(p->id, i, p->tx_descriptors, (unsigned)socket, NULL);
    if (rc != 0)
        return failed(why, p->info.device, "no transmit queue", rc);
    q->port = p->id;
    q->queue = i;
    return true;
}

/*
 * net_tap's own address is that of the kernel's interface at the other end of the wire, where a
 * frame from its own address would be strange: ours is a locally administered one beside it.
 */
static void choose_mac(struct nic_port *p, const struct nic_port_config *c)
{
    struct rte_ether_addr device, want;
    bool tap = strcmp(p->info.driver, "net_tap") == 0;

    rte_eth_macaddr_get(p->id, &device);
    want = device;
    if (c->mac_set) {
        memcpy(want.addr_bytes, c->mac, sizeof(c->mac));
    } else if (tap) {
        want.addr_bytes[0] |= RTE_ETHER_LOCAL_ADMIN_ADDR;
        want.addr_bytes[5] ^= 1;
    }
    memcpy(p->info.mac, want.addr_bytes, sizeof(p->info.mac));
    if (tap || rte_is_same_ether_addr(&want, &device))
        return;
    if (rte_eth_dev_default_mac_addr_set(p->id, &want) == 0)
        return;
    if (rte_eth_promiscuous_enable(p->id) == 0)
        lacks(p, "setting its address (promiscuous instead)");
    else
        lacks(p, "setting its address and promiscuous mode (only broadcasts may arrive)");
}

/* net_tap gives all frames anyway. */
static void hear_groups(struct nic_port *p)
{
    bool all = strcmp(p->info.driver, "net_tap") == 0 || rte_eth_promiscuous_get(p->id) == 1;

    if (!all && rte_eth_allmulticast_enable(p->id) != 0 && rte_eth_promiscuous_enable(p->id) != 0)
        lacks(p, "groups (nobody may find our IPv6 address)");
}

static bool open_share(struct nic_port *p)
{
    struct nic_pool *pools[UINT8_MAX];

    ASSERT(p->count <= UINT8_MAX);
    if (p->count == 1)
        return true;
    for (uint16_t i = 0; i < p->count; i++)
        pools[i] = &p->queues[i].pool;
    p->share = nic_share_create(p->count, pools);
    return p->share != NULL;
}

static void ready_queue(struct nic_port *p, uint16_t i)
{
    struct nic *n = &p->queues[i].nic;

    p->queues[i].share = p->share;
    *n = (struct nic){ .ops = p->share != NULL ? &shared_ops : &port_ops,
                       .pool = &p->queues[i].pool.base,
                       .mtu = p->info.mtu,
                       .offloads = p->info.offloads };
    memcpy(n->mac, p->info.mac, sizeof(n->mac));
}

static bool start(struct nic_port *p, const struct nic_port_config *c, struct buf *why)
{
    struct rte_eth_dev_info dev;
    int rc = rte_eth_dev_info_get(p->id, &dev);

    if (rc != 0)
        return failed(why, p->info.device, "the device does not tell what it can do", rc);
    snprintf(p->info.driver, sizeof(p->info.driver), "%s", dev.driver_name);
    p->software = strcmp(rte_bus_name(rte_dev_bus(dev.device)), "vdev") == 0;
    if (!configure(p, c, &dev, why))
        return false;
    for (uint16_t i = 0; i < p->count; i++)
        if (!open_queue(p, i, c->connections, why))
            return false;
    rc = rte_eth_dev_start(p->id);
    if (rc != 0)
        return failed(why, p->info.device, "the device does not start", rc);
    p->started = true;
    if (!open_share(p)) {
        buf_printf(why, "%s: no memory for %u queues", p->info.device, p->count);
        return false;
    }
    choose_mac(p, c);
    if (c->groups)
        hear_groups(p);
    for (uint16_t i = 0; i < p->count; i++)
        ready_queue(p, i);
    return true;
}

static struct nic_port *port_create(uint16_t queues)
{
    size_t size = sizeof(struct nic_port) + queues * sizeof(struct nic_queue);
    struct nic_port *p = aligned_alloc(alignof(struct nic_port), size);

    if (p != NULL)
        memset(p, 0, size);
    return p;
}

static void port_destroy(struct nic_port *p)
{
    if (p->share != NULL)
        nic_share_destroy(p->share);
    for (uint16_t i = 0; i < p->count; i++)
        nic_pool_close(&p->queues[i].pool);
    free(p);
}

struct nic_port *nic_port_open(const struct nic_port_config *config, struct buf *why)
{
    struct nic_port *p;
    uint16_t id;
    bool ok;

    ASSERT(config->queues > 0);
    if (!find_port(config->device, &id, why)) {
        nic_eal_tell(why); /* why EAL made none, in the words of the driver */
        return NULL;
    }
    p = port_create(config->queues);
    if (p == NULL) {
        buf_printf(why, "no memory for %u queues", config->queues);
        return NULL;
    }
    p->id = id;
    rte_eth_dev_get_name_by_port(id, p->info.device);
    nic_eal_listen();
    ok = start(p, config, why);
    nic_eal_tell(ok ? &(struct buf){ 0 } : why);
    if (ok)
        return p;
    nic_port_close(p);
    return NULL;
}

void nic_port_close(struct nic_port *p)
{
    if (p->started)
        rte_eth_dev_stop(p->id);
    rte_eth_dev_close(p->id);
    port_destroy(p);
}

void nic_port_info(const struct nic_port *p, struct nic_port_info *out)
{
    *out = p->info;
}

void nic_port_stats(const struct nic_port *p, struct nic_port_stats *out)
{
    struct rte_eth_stats device = { 0 };

    rte_eth_stats_get(p->id, &device);
    *out = (struct nic_port_stats){ .in = device.ipackets,
                                    .out = device.opackets,
                                    .in_missed = device.imissed + device.rx_nombuf + device.ierrors,
                                    .out_errors = device.oerrors };
    for (uint16_t i = 0; i < p->count; i++) {
        out->in_copied += __atomic_load_n(&p->queues[i].copied, __ATOMIC_RELAXED);
        out->in_dropped += __atomic_load_n(&p->queues[i].dropped, __ATOMIC_RELAXED);
    }
}

struct nic *nic_port_nic(struct nic_port *p, uint16_t queue)
{
    ASSERT(queue < p->count);
    return &p->queues[queue].nic;
}
