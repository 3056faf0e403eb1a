/*
 * See hosts.h. Happy path: a burst from the device is dealt out, each host takes its own in its
 * turn, and sends to the device by itself. Failure: a frame that names no host is the first one's,
 * which drops it.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "base/byteorder.h"
#include "base/limits.h"
#include "bench/hosts.h"

#define ETH_LEN      14
#define TYPE_IP4     0x0800
#define TYPE_ARP     0x0806
#define IP4_DST      (ETH_LEN + 16)
#define ARP_TARGET   (ETH_LEN + 24)
#define ARP_END      (ARP_TARGET + 4)
#define TIME_WAIT_MS 1000 /* the link is short: nothing old comes back later */

struct host {
    struct nic nic;
    struct nic *device;
    struct core core;
    struct counters counters;
    struct seg *burst[NIC_BURST]; /* dealt out, not taken yet */
    unsigned burst_count;
};

struct hosts {
    struct nic *device;
    uint32_t first; /* address */
    uint32_t count;
    uint32_t next; /* to connect from */
    struct host host[];
};

static unsigned take_burst(struct nic *n, struct seg **out, unsigned max)
{
    struct host *host = LIST_ENTRY(n, struct host, nic);
    unsigned count = host->burst_count;

    ASSERT(count <= max);
    memcpy(out, host->burst, count * sizeof(struct seg *));
    host->burst_count = 0;
    return count;
}

static unsigned send_burst(struct nic *n, struct seg **segs, unsigned count)
{
    struct host *host = LIST_ENTRY(n, struct host, nic);

    return host->device->ops->tx(host->device, segs, count);
}

static const struct nic_ops host_ops = { .rx = take_burst, .tx = send_burst };

static struct host *host_of(struct hosts *h, const struct seg *s)
{
    uint16_t type = s->len >= ARP_END ? load_be16(s->data + ETH_LEN - 2) : 0;
    uint32_t number = h->count;

    if (type == TYPE_IP4)
        number = load_be32(s->data + IP4_DST) - h->first;
    else if (type == TYPE_ARP)
        number = load_be32(s->data + ARP_TARGET) - h->first;
    return &h->host[number < h->count ? number : 0];
}

static void deal_out(struct hosts *h)
{
    struct seg *burst[NIC_BURST];
    unsigned count = h->device->ops->rx(h->device, burst, NIC_BURST);

    for (unsigned i = 0; i < count; i++) {
        struct host *host = host_of(h, burst[i]);

        host->burst[host->burst_count++] = burst[i];
    }
}

unsigned hosts_turn(struct hosts *h)
{
    unsigned work = 0;

    deal_out(h);
    for (uint32_t i = 0; i < h->count; i++)
        work += core_turn(&h->host[i].core);
    return work;
}

uint64_t hosts_next_ns(const struct hosts *h)
{
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; i < h->count; i++) {
        uint64_t one = core_next_ns(&h->host[i].core);

        next = one < next ? one : next;
    }
    return next;
}

struct stream *hosts_connect(struct hosts *h, const struct endpoint *peer)
{
    uint32_t number = h->next++ % h->count;
    struct endpoint local = { .addr = addr_from_v4(h->first + number) };

    return tcp_connect(h->host[number].core.tcp, &local, peer);
}

static bool open_host(struct hosts *h, uint32_t number, const struct hosts_config *config)
{
    struct host *host = &h->host[number];
    struct core_config core = {
        .net = { .address = addr_from_v4(h->first + number),
                 .prefix_length = config->prefix_length },
        .tcp = { .connections_max = config->connections_max,
                 .syn_rcvd_max = 64, /* nobody connects to us */
                 .time_wait_max = 16384,
                 .receive_bytes_max = LIMIT_TCP_RECEIVE_BYTES_DEFAULT,
                 .send_bytes_max = LIMIT_TCP_SEND_BYTES * 4,
                 .time_wait_ms = TIME_WAIT_MS,
                 .ecn = 1 },
        /* Always the same: sequence numbers and timestamps then grow from one run to the next, so
         * a port that the server still has in TIME-WAIT is taken again (RFC 6191). */
        .secret = { 1, 2 },
    };

    host->device = h->device;
    host->nic = *h->device;
    host->nic.ops = &host_ops;
    if (!core_open(&host->core, &core, &host->nic, config->clock, &host->counters))
        return false;
    host->core.handler = config->handler;
    return true;
}

struct hosts *hosts_create(const struct hosts_config *config, struct nic *nic)
{
    struct hosts *h = calloc(1, sizeof(*h) + config->count * sizeof(h->host[0]));

    if (h == NULL)
        return NULL;
    h->device = nic;
    h->first = addr_v4(&config->address);
    for (; h->count < config->count; h->count++)
        if (!open_host(h, h->count, config)) {
            hosts_destroy(h);
            return NULL;
        }
    return h;
}

void hosts_destroy(struct hosts *h)
{
    for (uint32_t i = 0; i < h->count; i++)
        core_close(&h->host[i].core);
    free(h);
}
