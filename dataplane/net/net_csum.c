/*
 * The Internet checksum, eight bytes at a time.
 *
 * One's complement addition does not care for byte order or for the width of the adder as long as
 * carries come back in at the bottom (RFC 1071, 2): so 64-bit words with an end-around carry,
 * folded at the end.
 */
#include "dataplane/net/net_csum.h"

#include <string.h>

static uint64_t add_carry(uint64_t sum, uint64_t word)
{
    sum += word;
    return sum + (sum < word);
}

static uint64_t load_word(const uint8_t *p, uint32_t len)
{
    uint64_t word = 0;

    memcpy(&word, p, len);
    return word;
}

uint64_t net_csum_add(uint64_t sum, const void *data, uint32_t len)
{
    const uint8_t *p = data;
    uint64_t other = 0; /* a second chain of carries, for the adder's latency */

    for (; len >= 32; len -= 32, p += 32) {
        sum = add_carry(sum, load_word(p, 8));
        other = add_carry(other, load_word(p + 8, 8));
        sum = add_carry(sum, load_word(p + 16, 8));
        other = add_carry(other, load_word(p + 24, 8));
    }
    for (; len >= 8; len -= 8, p += 8)
        sum = add_carry(sum, load_word(p, 8));
    return add_carry(add_carry(sum, other), load_word(p, len));
}

uint64_t net_csum_pseudo(uint32_t src, uint32_t dst, uint8_t proto, uint32_t len)
{
    uint64_t sum = (uint64_t)__builtin_bswap32(src) + __builtin_bswap32(dst);

    return sum + __builtin_bswap32(proto) + __builtin_bswap32(len);
}

uint64_t net_csum_pseudo6(const struct addr *src, const struct addr *dst, uint8_t proto,
                          uint32_t len)
{
    uint64_t sum = (uint64_t)__builtin_bswap32(proto) + __builtin_bswap32(len);

    sum = net_csum_add(sum, src->octets, sizeof(src->octets));
    return net_csum_add(sum, dst->octets, sizeof(dst->octets));
}

uint16_t net_csum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

void net_csum_store(void *field, uint64_t sum)
{
    uint16_t value = (uint16_t)~net_csum_fold(sum);

    memcpy(field, &value, sizeof(value));
}
