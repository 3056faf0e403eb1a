/*
 * The hash is linear, so it is a sum (without carries) over the half octets of its input, each
 * looked up: 24 loads for IPv4, 72 for IPv6, from 4.6 KB that stay in the cache.
 */
#include "base/spread.h"

#include "base/assert.h"
#include "base/byteorder.h"

#define USUAL_ENTRIES 128

#define PORT_IN_V4 64 /* bits into the input: the peer's port */
#define PORT_IN_V6 256
#define LOW_BITS   3 /* of the hash, looked after */
#define ZEROS      3 /* in a row are too many: sixteen ports move their low four or five bits */

STATIC_ASSERT(USUAL_ENTRIES <= LIMIT_NIC_SPREAD, "the usual table fits");
STATIC_ASSERT(LIMIT_WORKERS <= UINT8_MAX, "a queue is an octet");

/* The key's 32 bits from bit `at` on. */
static uint32_t window(const uint8_t *key, unsigned at)
{
    uint64_t bits = (uint64_t)load_be32(key + at / 8) << 8;

    if (at % 8 != 0)
        bits |= key[at / 8 + 4];
    return (uint32_t)(bits >> (8 - at % 8));
}

/* Bit n of the input adds the key's 32 bits from n on, so n + 31 is what it adds to the lowest bit
 * of the hash. `at`: where the peer's port begins in the input. */
static bool moves_with_ports(const uint8_t *key, unsigned at)
{
    unsigned zeros = 0;

    for (unsigned n = at + 32 - LOW_BITS; n < at + 16 + 31; n++) {
        zeros = key[n / 8] & (0x80U >> n % 8) ? 0 : zeros + 1;
        if (zeros == ZEROS)
            return false;
    }
    return true;
}

bool spread_key_is_good(const uint8_t key[SPREAD_KEY_BYTES])
{
    return moves_with_ports(key, PORT_IN_V4) && moves_with_ports(key, PORT_IN_V6);
}

void spread_init(struct spread *s, const uint8_t key[SPREAD_KEY_BYTES], uint16_t queues)
{
    ASSERT(queues > 0 && queues <= LIMIT_WORKERS);
    for (unsigned at = 0; at < 2 * SPREAD_INPUT_BYTES; at++)
        for (unsigned value = 0; value < 16; value++) {
            s->nibbles[at][value] = 0;
            for (unsigned bit = 0; bit < 4; bit++)
                if ((value & (8U >> bit)) != 0)
                    s->nibbles[at][value] ^= window(key, 4 * at + bit);
        }
    s->queues = queues;
    s->entries = USUAL_ENTRIES;
    for (unsigned i = 0; i < USUAL_ENTRIES; i++)
        s->queue[i] = (uint8_t)(i % queues);
}

uint32_t spread_hash(const struct spread *s, const struct endpoint *peer,
                     const struct endpoint *local)
{
    uint8_t input[SPREAD_INPUT_BYTES];
    uint32_t skip = addr_is_v4(&peer->addr) ? 12 : 0; /* IPv4 is the last four octets */
    uint32_t one = sizeof(peer->addr.octets) - skip;
    uint32_t len = 2 * one + 4, hash = 0;

    memcpy(input, peer->addr.octets + skip, one);
    memcpy(input + one, local->addr.octets + skip, one);
    store_be16(input + 2 * one, peer->port);
    store_be16(input + 2 * one + 2, local->port);
    for (uint32_t i = 0; i < len; i++)
        hash ^= s->nibbles[2 * i][input[i] >> 4] ^ s->nibbles[2 * i + 1][input[i] & 15];
    return hash;
}

uint16_t spread_queue(const struct spread *s, const struct endpoint *peer,
                      const struct endpoint *local)
{
    return s->queue[spread_hash(s, peer, local) & (s->entries - 1)];
}
