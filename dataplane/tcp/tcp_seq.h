/* Sequence numbers: 32 bits that wrap (RFC 9293, 3.4). Comparisons hold for distances below 2^31.
 */
#ifndef POSTERN_TCP_SEQ_H
#define POSTERN_TCP_SEQ_H

#include <stdbool.h>
#include <stdint.h>

static inline int32_t tcp_seq_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static inline bool tcp_seq_lt(uint32_t a, uint32_t b)
{
    return tcp_seq_diff(a, b) < 0;
}

static inline bool tcp_seq_le(uint32_t a, uint32_t b)
{
    return tcp_seq_diff(a, b) <= 0;
}

static inline bool tcp_seq_gt(uint32_t a, uint32_t b)
{
    return tcp_seq_diff(a, b) > 0;
}

static inline bool tcp_seq_ge(uint32_t a, uint32_t b)
{
    return tcp_seq_diff(a, b) >= 0;
}

static inline uint32_t tcp_seq_max(uint32_t a, uint32_t b)
{
    return tcp_seq_gt(a, b) ? a : b;
}

#endif
