/* Addresses to and from text. inet_pton and inet_ntop are pure: no resolver, no lock. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/byteorder.h"

static const uint8_t v4_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

#define ADDR_BITS    128
#define V4_BITS      32
#define V4_BITS_SKIP (ADDR_BITS - V4_BITS) /* of the prefix that every IPv4 address has */

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

/* A length in decimal, without sign, space or leading zero, up to `most`. */
static bool parse_length(const char *text, uint32_t most, uint32_t *out)
{
    uint32_t n = 0;

    if (text[0] == 0 || (text[0] == '0' && text[1] != 0))
        return false;
    for (; *text != 0; text++) {
        if (*text < '0' || *text > '9')
            return false;
        n = n * 10 + (uint32_t)(*text - '0');
        if (n > most)
            return false;
    }
    *out = n;
    return true;
}

/* Bits behind the first `bits` that are set. */
static bool has_host_bits(const struct addr *a, uint32_t bits)
{
    for (uint32_t i = bits; i < ADDR_BITS; i++) {
        if (a->octets[i / 8] & 0x80 >> i % 8)
            return true;
    }
    return false;
}

bool addr_net_has(const struct addr_net *n, const struct addr *a)
{
    return addr_same_network(&n->addr, a, n->bits);
}

bool addr_nets_have(const struct addr_net *nets, uint32_t count, const struct addr *a)
{
    for (uint32_t i = 0; i < count; i++) {
        if (addr_net_has(&nets[i], a))
            return true;
    }
    return false;
}

bool addr_net_parse(const char *text, struct addr_net *out)
{
    const char *slash = strchr(text, '/');
    size_t len = slash == NULL ? strlen(text) : (size_t)(slash - text);
    char address[ADDR_TEXT_MAX];
    struct addr_net n;
    uint32_t skip;

    if (len >= sizeof(address))
        return false;
    memcpy(address, text, len);
    address[len] = 0;
    if (!addr_parse(address, &n.addr))
        return false;
    skip = addr_is_v4(&n.addr) ? V4_BITS_SKIP : 0;
    n.bits = ADDR_BITS - skip;
    if (slash != NULL && !parse_length(slash + 1, ADDR_BITS - skip, &n.bits))
        return false;
    n.bits += skip;
    if (has_host_bits(&n.addr, n.bits))
        return false;
    *out = n;
    return true;
}

uint32_t addr_net_format(const struct addr_net *n, char out[ADDR_NET_TEXT_MAX])
{
    uint32_t len = addr_format(&n->addr, out);
    uint32_t skip = addr_is_v4(&n->addr) ? V4_BITS_SKIP : 0;

    ASSERT(n->bits >= skip && n->bits <= ADDR_BITS);
    return len + (uint32_t)snprintf(out + len, ADDR_NET_TEXT_MAX - len, "/%u", n->bits - skip);
}
