/* Addresses: IPv6 as it is, IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so that all code has one
 * kind. */
#ifndef POSTERN_BASE_ADDR_H
#define POSTERN_BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ADDR_TEXT_MAX 48 /* an IPv6 address as text, with NUL */

struct addr {
    uint8_t octets[16];
};

/* The addresses whose first `bits` (of 128, for IPv4 too) are those of `addr`. */
struct addr_net {
    struct addr addr;
    uint32_t bits;
};

#define ADDR_NET_TEXT_MAX (ADDR_TEXT_MAX + 4)

struct endpoint {
    struct addr addr;
    uint16_t port; /* host order */
};

/* `v4`: host order. */
struct addr addr_from_v4(uint32_t v4);
bool addr_is_v4(const struct addr *a);
/* Host order; only when addr_is_v4. */
uint32_t addr_v4(const struct addr *a);
/* "192.0.2.1" or "2001:db8::1"; false when it is neither. */
bool addr_parse(const char *text, struct addr *out);
/* Writes NUL-ended text; returns its length. */
uint32_t addr_format(const struct addr *a, char out[ADDR_TEXT_MAX]);

/* The first `bits` bits of both are the same; of IPv4 addresses count from 96. */
bool addr_same_network(const struct addr *a, const struct addr *b, uint32_t bits);
/* :: , which stands for no address. */
bool addr_is_none(const struct addr *a);
/* fe80::/10 (RFC 4291, 2.5.6). */
static inline bool addr_is_link_local(const struct addr *a)
{
    return a->octets[0] == 0xfe && a->octets[1] >> 6 == 2;
}

/* ff00::/8 (RFC 4291, 2.7). */
static inline bool addr_is_group(const struct addr *a)
{
    return a->octets[0] == 0xff;
}

/* "192.0.2.0/24", "2001:db8::/32", or one address; false also when bits behind the length are set.
 */
bool addr_net_parse(const char *text, struct addr_net *out);
/* As addr_net_parse reads it; returns the length. */
uint32_t addr_net_format(const struct addr_net *n, char out[ADDR_NET_TEXT_MAX]);
bool addr_net_has(const struct addr_net *n, const struct addr *a);
/* One of them has it. */
bool addr_nets_have(const struct addr_net *nets, uint32_t count, const struct addr *a);

static inline bool addr_equal(const struct addr *a, const struct addr *b)
{
    return memcmp(a->octets, b->octets, sizeof(a->octets)) == 0;
}

static inline bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

#endif
