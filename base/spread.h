/*
 * Which queue of a device a connection belongs to, by the way in which devices choose it (RSS): the
 * Toeplitz hash of a received packet's addresses and ports, and a table from its low bits to
 * queues. Pure, and the same for all cores: where a device chooses otherwise, the cores can tell.
 */
#ifndef POSTERN_BASE_SPREAD_H
#define POSTERN_BASE_SPREAD_H

#include "base/addr.h"
#include "base/limits.h"

#define SPREAD_KEY_BYTES   40 /* 36 of IPv6 addresses and ports, and the hash's own width */
#define SPREAD_INPUT_BYTES 36

struct spread {
    uint32_t nibbles[2 * SPREAD_INPUT_BYTES][16]; /* what each half octet of the input adds */
    uint32_t entries;                             /* of the table, a power of two */
    uint16_t queues;
    uint8_t queue[LIMIT_NIC_SPREAD];
};

/*
 * A random key is not always a good one: the hash is linear, and where the key has zeros in a row
 * the ports that a host uses one after another do not move its low bits, so that all its
 * connections would be one queue's. True: of sixteen connections in a row, whose ports count up by
 * one or by two, not all are one's of 2, 4 or 8 queues.
 */
bool spread_key_is_good(const uint8_t key[SPREAD_KEY_BYTES]);

/* Queues in turn over a table of 128 entries, as most devices have it; `queue` and `entries` may be
 * changed after it. */
void spread_init(struct spread *s, const uint8_t key[SPREAD_KEY_BYTES], uint16_t queues);
/* Of a packet from `peer` to `local`. */
uint32_t spread_hash(const struct spread *s, const struct endpoint *peer,
                     const struct endpoint *local);
uint16_t spread_queue(const struct spread *s, const struct endpoint *peer,
                      const struct endpoint *local);

#endif
