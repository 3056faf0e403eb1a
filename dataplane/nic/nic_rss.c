/*
 * Happy path: the device takes our key, and tells its key and its table back; connections then
 * belong to the core to which the device brings them, and nothing is handed from core to core.
 * Failure modes: key or table cannot be read, or the table is larger than we read: owners are
 * chosen by what we asked for or by a guess, and the cores hand strays over (net/net_steer.c).
 *
 * The key is random: with a known one a client could choose its ports so that one core gets all.
 * About one in twenty keys is taken (spread.h).
 */
#include "dataplane/nic/nic_rss.h"

#include <sys/random.h>

#include <rte_random.h>

#include "base/assert.h"

#define FLOWS (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_IP)
#define PORTS (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP)

STATIC_ASSERT(SPREAD_KEY_BYTES <= NIC_RSS_KEY_BYTES, "the hash uses the key's beginning");
STATIC_ASSERT(LIMIT_NIC_SPREAD % RTE_ETH_RETA_GROUP_SIZE == 0, "the table is read in groups");

static void random_key(uint8_t *key)
{
    if (getrandom(key, NIC_RSS_KEY_BYTES, 0) == NIC_RSS_KEY_BYTES)
        return;
    for (unsigned i = 0; i < NIC_RSS_KEY_BYTES; i++)
        key[i] = (uint8_t)rte_rand();
}

static void make_key(uint8_t *key)
{
    do
        random_key(key);
    while (!spread_key_is_good(key));
}

void nic_rss_ask(struct nic_rss *r, const struct rte_eth_dev_info *dev, uint16_t queues,
                 struct rte_eth_conf *conf)
{
    struct rte_eth_rss_conf *rss = &conf->rx_adv_conf.rss_conf;

    make_key(r->key);
    rss->rss_hf = queues > 1 ? dev->flow_type_rss_offloads & FLOWS : 0;
    if (rss->rss_hf == 0)
        return;
    conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    if (dev->hash_key_size >= SPREAD_KEY_BYTES && dev->hash_key_size <= NIC_RSS_KEY_BYTES) {
        rss->rss_key = r->key;
        rss->rss_key_len = dev->hash_key_size;
    }
}

static bool read_key(struct nic_rss *r, uint16_t port)
{
    uint8_t key[NIC_RSS_KEY_BYTES] = { 0 };
    struct rte_eth_rss_conf conf = { .rss_key = key, .rss_key_len = sizeof(key) };

    if (rte_eth_dev_rss_hash_conf_get(port, &conf) != 0 || conf.rss_key_len < SPREAD_KEY_BYTES ||
        (conf.rss_hf & PORTS) == 0)
        return false;
    memcpy(r->key, key, sizeof(key));
    return true;
}

/* The device's table, whose entries are queues. */
static bool read_table(uint16_t port, uint16_t entries, uint16_t queues, struct spread *out)
{
    struct rte_eth_rss_reta_entry64 reta[LIMIT_NIC_SPREAD / RTE_ETH_RETA_GROUP_SIZE];
    uint16_t queue;

    if (entries == 0 || entries > LIMIT_NIC_SPREAD || (entries & (entries - 1)) != 0)
        return false;
    memset(reta, 0, sizeof(reta));
    for (unsigned i = 0; i < RTE_DIM(reta); i++)
        reta[i].mask = UINT64_MAX;
    if (rte_eth_dev_rss_reta_query(port, reta, entries) != 0)
        return false;
    for (unsigned i = 0; i < entries; i++) {
        queue = reta[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE];
        if (queue >= queues)
            return false;
        out->queue[i] = (uint8_t)queue;
    }
    out->entries = entries;
    return true;
}

/* Each queue's entries go round among the workers that it serves. */
static void spread_on(struct spread *s, uint16_t queues, uint16_t workers)
{
    uint32_t turn[LIMIT_WORKERS] = { 0 };

    for (unsigned i = 0; i < s->entries; i++) {
        uint32_t queue = s->queue[i];
        uint32_t served = (workers - queue + queues - 1U) / queues;

        s->queue[i] = (uint8_t)(queue + turn[queue]++ % served * queues);
    }
    s->queues = workers;
}

bool nic_rss_learn(struct nic_rss *r, uint16_t port, const struct rte_eth_dev_info *dev,
                   uint16_t queues, uint16_t workers, struct spread *out)
{
    bool known = queues == 1 || read_key(r, port);

    spread_init(out, r->key, queues);
    if (queues > 1 && !read_table(port, dev->reta_size, queues, out)) {
        spread_init(out, r->key, queues); /* what was read of it is no use */
        known = false;
    }
    spread_on(out, queues, workers);
    return known;
}
