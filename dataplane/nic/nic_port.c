/*
 * One ethdev port as a struct nic for each worker.
 *
 * Happy path: find the port that EAL's arguments made, ask what it can do, configure it for that,
 * one pool and one RX/TX queue pair for each worker, start. Failure modes: what a
 * device lacks or refuses beside its queues is no error: it is named in `lacks` and done in
 * software or without. Only a port that cannot be found, configured or started is an error, with
 * DPDK's words in *why.
 */
#include "dataplane/nic/nic_port_priv.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "base/assert.h"
#include "base/limits.h"
#include "dataplane/nic/nic_eal.h"
#include "dataplane/nic/nic_queue.h"
#include "dataplane/nic/nic_rss.h"

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
    if (p->count < wanted)
        lacks(p, "%u of %u queues (workers share them)", wanted - p->count, wanted);
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

    choose_queues(p, dev, c->workers);
    choose_checksums(p, dev, &conf);
    nic_rss_ask(&p->rss, dev, p->count, &conf);
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

static bool open_queue(struct nic_port *p, uint16_t i, const struct nic_port_config *c,
                       struct buf *why)
{
    struct nic_queue *q = &p->queues[i];
    int socket = rte_eth_dev_socket_id(p->id);
    struct nic_pool_need need = { .connections = c->connections,
                                  .rx_descriptors = p->rx_descriptors,
                                  .tx_descriptors = p->tx_descriptors,
                                  .mtu = p->info.mtu,
                                  .workers = p->workers,
                                  .exception = c->exception != NULL,
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
    q->port = p->id;
    q->device_queue = (uint16_t)(i % p->count);
    q->watched = &p->capture;
    if (!nic_queue_open(q, i < p->count ? NULL : &p->queues[q->device_queue])) {
        buf_printf(why, "%s: no memory for %u workers", p->info.device, p->workers);
        return false;
    }
    if (q->borrows)
        return true;
    rc = rte_eth_rx_queue_setup(p->id, i, p->rx_descriptors, (unsigned)socket, NULL, q->pool.mbufs);
    if (rc != 0)
        return failed(why, p->info.device, "no receive queue", rc);
    rc = rte_eth_tx_queue_setup(p->id, i, p->tx_descriptors, (unsigned)socket, NULL);
    if (rc != 0)
        return failed(why, p->info.device, "no transmit queue", rc);
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

/* Whose connections are whose, and the ways from each worker to each other. */
static bool open_share(struct nic_port *p, const struct rte_eth_dev_info *dev)
{
    struct nic_pool *pools[LIMIT_WORKERS];

    if (p->workers == 1)
        return true;
    if (!nic_rss_learn(&p->rss, p->id, dev, p->count, p->workers, &p->spread))
        lacks(p, "telling which queue is whose (strays are handed over)");
    for (uint16_t i = 0; i < p->workers; i++)
        pools[i] = &p->queues[i].pool;
    p->share = nic_share_create(p->workers, pools);
    return p->share != NULL;
}

static bool open_exception(struct nic_port *p, const struct nic_port_config *c, struct buf *why)
{
    struct nic_exception_config xc = { .interface = c->exception,
                                       .ours = c->ours,
                                       .mac = p->info.mac,
                                       .mtu = p->info.mtu,
                                       .queues = p->count,
                                       .tx_descriptors = p->tx_descriptors,
                                       .socket = rte_eth_dev_socket_id(p->id) };

    if (c->exception == NULL)
        return true;
    p->exception = nic_exception_create(&xc, why);
    for (uint16_t i = 0; i < p->count; i++)
        p->queues[i].exception = p->exception;
    return p->exception != NULL;
}

static void ready_queue(struct nic_port *p, uint16_t i)
{
    struct nic *n = &p->queues[i].nic;

    *n = (struct nic){ .mtu = p->info.mtu,
                       .offloads = p->info.offloads,
                       .queue = i,
                       .spread = p->workers > 1 ? &p->spread : NULL };
    memcpy(n->mac, p->info.mac, sizeof(n->mac));
    nic_queue_ready(&p->queues[i], p->share);
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
    for (uint16_t i = 0; i < p->workers; i++)
        if (!open_queue(p, i, c, why))
            return false;
    rc = rte_eth_dev_start(p->id);
    if (rc != 0)
        return failed(why, p->info.device, "the device does not start", rc);
    p->started = true;
    if (!open_share(p, &dev)) {
        buf_printf(why, "%s: no memory for %u workers", p->info.device, p->workers);
        return false;
    }
    choose_mac(p, c);
    if (c->groups)
        hear_groups(p);
    if (!open_exception(p, c, why))
        return false;
    for (uint16_t i = 0; i < p->workers; i++)
        ready_queue(p, i);
    return true;
}

static struct nic_port *port_create(uint16_t workers)
{
    size_t size = sizeof(struct nic_port) + workers * sizeof(struct nic_queue);
    struct nic_port *p = aligned_alloc(alignof(struct nic_port), size);

    if (p == NULL)
        return NULL;
    memset(p, 0, size);
    p->workers = workers;
    return p;
}

static void port_destroy(struct nic_port *p)
{
    if (p->exception != NULL)
        nic_exception_destroy(p->exception);
    if (p->share != NULL)
        nic_share_destroy(p->share);
    for (uint16_t i = 0; i < p->workers; i++)
        nic_queue_close(&p->queues[i]);
    for (uint16_t i = 0; i < p->workers; i++)
        nic_pool_close(&p->queues[i].pool);
    free(p);
}

struct nic_port *nic_port_open(const struct nic_port_config *config, struct buf *why)
{
    struct nic_port *p;
    uint16_t id;
    bool ok;

    ASSERT(config->workers > 0 && config->workers <= LIMIT_WORKERS);
    if (!find_port(config->device, &id, why)) {
        nic_eal_tell(why); /* why EAL made none, in the words of the driver */
        return NULL;
    }
    p = port_create(config->workers);
    if (p == NULL) {
        buf_printf(why, "no memory for %u workers", config->workers);
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
    if (p->exception != NULL)
        nic_exception_stats(p->exception, &out->kernel);
    for (uint16_t i = 0; i < p->workers; i++) {
        out->in_copied += __atomic_load_n(&p->queues[i].copied, __ATOMIC_RELAXED);
        out->in_dropped += __atomic_load_n(&p->queues[i].dropped, __ATOMIC_RELAXED);
    }
}

struct nic_exception *nic_port_exception(struct nic_port *p)
{
    return p->exception;
}

struct nic *nic_port_nic(struct nic_port *p, uint16_t worker)
{
    ASSERT(worker < p->workers);
    return &p->queues[worker].nic;
}
