/*
 * The Internet checksum (RFC 1071). Sums are kept in the byte order of memory, so that a folded sum
 * is stored and compared by memcpy, never swapped. Pure.
 */
#ifndef POSTERN_NET_CSUM_H
#define POSTERN_NET_CSUM_H

#include <stdint.h>

#include "base/addr.h"

#define NET_CSUM_GOOD 0xffff /* the fold of data whose checksum field is right */

/* Adds len bytes to sum; only the last part of a message may have an odd length. */
uint64_t net_csum_add(uint64_t sum, const void *data, uint32_t len);
/* The sum of TCP's pseudo header (RFC 9293, 3.1); addresses in host order, len of the segment in
 * bytes. */
uint64_t net_csum_pseudo(uint32_t src, uint32_t dst, uint8_t proto, uint32_t len);
/* The same of IPv6 (RFC 8200, 8.1), for any protocol above it. */
uint64_t net_csum_pseudo6(const struct addr *src, const struct addr *dst, uint8_t proto,
                          uint32_t len);
/* 16 bits, not complemented. */
uint16_t net_csum_fold(uint64_t sum);
/* Stores the complement of the sum at a checksum field. */
void net_csum_store(void *field, uint64_t sum);

#endif
