/*
 * How a device spreads what it receives over its queues (receive side scaling): asked to do it by a
 * key of ours, and asked how it does it.
 */
#ifndef POSTERN_NIC_RSS_H
#define POSTERN_NIC_RSS_H

#include <rte_ethdev.h>

#include "base/spread.h"

#define NIC_RSS_KEY_BYTES 64 /* no device has a longer one */

struct nic_rss {
    uint8_t key[NIC_RSS_KEY_BYTES]; /* ours, until the device tells another */
};

/* Before the device is configured, with so many queues: what to ask of it, which may be nothing. */
void nic_rss_ask(struct nic_rss *r, const struct rte_eth_dev_info *dev, uint16_t queues,
                 struct rte_eth_conf *conf);
/*
 * Once it runs: what it does with `queues` queues, spread on over `workers`, each of which has
 * queue (its number modulo queues). False: it does not tell, and *out is as good as any.
 */
bool nic_rss_learn(struct nic_rss *r, uint16_t port, const struct rte_eth_dev_info *dev,
                   uint16_t queues, uint16_t workers, struct spread *out);

#endif
