/*
 * Reads and writes TCP headers (RFC 9293, 3.1; RFC 7323; RFC 2018). Foreign bytes come in here, so
 * every length is checked before it is used; what cannot be a header is refused whole.
 */
#include "dataplane/tcp/tcp_wire.h"

#include <string.h>

#include "base/assert.h"
#include "base/byteorder.h"

enum option_kind {
    KIND_END = 0,
    KIND_NOP = 1,
    KIND_MSS = 2,
    KIND_WSCALE = 3,
    KIND_SACK_OK = 4,
    KIND_SACK = 5,
    KIND_TS = 8,
};

/* NOP, NOP, TS, 10: how nearly every segment of an established connection begins its options. */
#define TS_PREFIX 0x0101080aU

static void parse_sacks(const uint8_t *at, uint32_t len, struct tcp_header *h)
{
    h->sack_count = 0;
    for (uint32_t i = 0; i + 8 <= len && h->sack_count < TCP_WIRE_SACKS_MAX; i += 8) {
        struct tcp_wire_sack *block = &h->sacks[h->sack_count++];

        block->start = load_be32(at + i);
        block->end = load_be32(at + i + 4);
    }
}

/* One option with its value; false when its length is not the one that its kind must have. */
static bool parse_option(uint8_t kind, const uint8_t *value, uint32_t len, struct tcp_header *h)
{
    switch (kind) {
    case KIND_MSS:
        if (len != 2)
            return false;
        h->mss = load_be16(value);
        h->options |= TCP_HAS_MSS;
        return true;
    case KIND_WSCALE:
        if (len != 1)
            return false;
        h->wscale = value[0] > TCP_WIRE_WSCALE_MAX ? TCP_WIRE_WSCALE_MAX : value[0];
        h->options |= TCP_HAS_WSCALE;
        return true;
    case KIND_SACK_OK:
        if (len != 0)
            return false;
        h->options |= TCP_HAS_SACK_OK;
        return true;
    case KIND_SACK:
        if (len == 0 || len % 8 != 0)
            return false;
        parse_sacks(value, len, h);
        return true;
    case KIND_TS:
        if (len != 8)
            return false;
        h->ts_val = load_be32(value);
        h->ts_ecr = load_be32(value + 4);
        h->options |= TCP_HAS_TS;
        return true;
    default: return true;
    }
}

static bool parse_options(const uint8_t *at, uint32_t len, struct tcp_header *h)
{
    uint32_t i = 0;

    while (i < len && at[i] != KIND_END) {
        if (at[i] == KIND_NOP) {
            i++;
            continue;
        }
        if (i + 2 > len || at[i + 1] < 2 || i + at[i + 1] > len)
            return false;
        if (!parse_option(at[i], at + i + 2, at[i + 1] - 2U, h))
            return false;
        i += at[i + 1];
    }
    return true;
}

bool tcp_wire_parse(const uint8_t *bytes, uint32_t len, struct tcp_header *out)
{
    uint32_t header_len;

    if (len < TCP_WIRE_HEADER_MIN)
        return false;
    header_len = (uint32_t)(bytes[12] >> 4) * 4;
    if (header_len < TCP_WIRE_HEADER_MIN || header_len > len)
        return false;
    out->src_port = load_be16(bytes);
    out->dst_port = load_be16(bytes + 2);
    out->seq = load_be32(bytes + 4);
    out->ack = load_be32(bytes + 8);
    out->header_len = (uint8_t)header_len;
    out->flags = bytes[13];
    out->wnd = load_be16(bytes + 14);
    out->urgent = load_be16(bytes + 18);
    out->options = 0;
    out->sack_count = 0;
    if (header_len == TCP_WIRE_HEADER_MIN)
        return true;
    if (header_len == TCP_WIRE_HEADER_MIN + TCP_WIRE_TS_LEN && load_be32(bytes + 20) == TS_PREFIX) {
        out->ts_val = load_be32(bytes + 24);
        out->ts_ecr = load_be32(bytes + 28);
        out->options = TCP_HAS_TS;
        return true;
    }
    return parse_options(bytes + TCP_WIRE_HEADER_MIN, header_len - TCP_WIRE_HEADER_MIN, out);
}

uint32_t tcp_wire_header_len(const struct tcp_header *h)
{
    uint32_t len = TCP_WIRE_HEADER_MIN;

    len += h->options & TCP_HAS_MSS ? 4 : 0;
    len += h->options & TCP_HAS_WSCALE ? 4 : 0;
    len += h->options & TCP_HAS_SACK_OK ? 4 : 0;
    len += h->options & TCP_HAS_TS ? TCP_WIRE_TS_LEN : 0;
    len += h->sack_count > 0 ? 4U + 8U * h->sack_count : 0;
    return len;
}

static uint8_t *emit_options(const struct tcp_header *h, uint8_t *at)
{
    if (h->options & TCP_HAS_MSS) {
        store_be32(at, (uint32_t)KIND_MSS << 24 | 4 << 16 | h->mss);
        at += 4;
    }
    if (h->options & TCP_HAS_WSCALE) {
        store_be32(at, (uint32_t)KIND_NOP << 24 | KIND_WSCALE << 16 | 3 << 8 | h->wscale);
        at += 4;
    }
    if (h->options & TCP_HAS_SACK_OK) {
        store_be32(at, (uint32_t)KIND_NOP << 24 | KIND_NOP << 16 | KIND_SACK_OK << 8 | 2);
        at += 4;
    }
    if (h->options & TCP_HAS_TS) {
        store_be32(at, TS_PREFIX);
        store_be32(at + 4, h->ts_val);
        store_be32(at + 8, h->ts_ecr);
        at += TCP_WIRE_TS_LEN;
    }
    if (h->sack_count == 0)
        return at;
    store_be32(at, (uint32_t)KIND_NOP << 24 | KIND_NOP << 16 | KIND_SACK << 8 |
                       (2U + 8U * h->sack_count));
    at += 4;
    for (unsigned i = 0; i < h->sack_count; i++, at += 8) {
        store_be32(at, h->sacks[i].start);
        store_be32(at + 4, h->sacks[i].end);
    }
    return at;
}

uint32_t tcp_wire_emit(const struct tcp_header *h, uint8_t *to)
{
    uint32_t len = tcp_wire_header_len(h);

    ASSERT(len <= TCP_WIRE_HEADER_MAX);
    store_be16(to, h->src_port);
    store_be16(to + 2, h->dst_port);
    store_be32(to + 4, h->seq);
    store_be32(to + 8, h->ack);
    to[12] = (uint8_t)(len / 4 << 4);
    to[13] = h->flags;
    store_be16(to + 14, h->wnd);
    store_be16(to + 16, 0);
    store_be16(to + 18, h->urgent);
    ASSERT(emit_options(h, to + TCP_WIRE_HEADER_MIN) == to + len);
    return len;
}
