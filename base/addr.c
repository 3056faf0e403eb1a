/* Addresses to and from text. inet_pton and inet_ntop are pure: no resolver, no lock. */
#include "base/addr.h"

#include <arpa/inet.h>

#include "base/assert.h"
#include "base/byteorder.h"

static const uint8_t v4_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

STATIC_ASSERT(ADDR_TEXT_MAX >= INET6_ADDRSTRLEN, "every address has room");

struct addr addr_from_v4(uint32_t v4)
{
    struct addr a;

    memcpy(a.octets, v4_prefix, sizeof(v4_prefix));
    store_be32(a.octets + sizeof(v4_prefix), v4);
    return a;
}

bool addr_is_v4(const struct addr *a)
{
    return memcmp(a->octets, v4_prefix, sizeof(v4_prefix)) == 0;
}

uint32_t addr_v4(const struct addr *a)
{
    ASSERT(addr_is_v4(a));
    return load_be32(a->octets + sizeof(v4_prefix));
}

bool addr_same_network(const struct addr *a, const struct addr *b, uint32_t bits)
{
    uint32_t whole = bits / 8, rest = bits % 8;

    ASSERT(bits <= 128);
    return memcmp(a->octets, b->octets, whole) == 0 &&
           (rest == 0 || (a->octets[whole] ^ b->octets[whole]) >> (8 - rest) == 0);
}

bool addr_is_none(const struct addr *a)
{
    static const struct addr none;

    return addr_equal(a, &none);
}

bool addr_parse(const char *text, struct addr *out)
{
    uint8_t v4[4];

    if (inet_pton(AF_INET, text, v4) == 1) {
        *out = addr_from_v4(load_be32(v4));
        return true;
    }
    return inet_pton(AF_INET6, text, out->octets) == 1;
}

uint32_t addr_format(const struct addr *a, char out[ADDR_TEXT_MAX])
{
    const char *text = addr_is_v4(a) ? inet_ntop(AF_INET, a->octets + 12, out, ADDR_TEXT_MAX)
                                     : inet_ntop(AF_INET6, a->octets, out, ADDR_TEXT_MAX);

    ASSERT(text != NULL);
    return (uint32_t)strlen(out);
}
