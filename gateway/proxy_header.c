/*
 * Reads the two forms of a PROXY header as strictly as the specification has them.
 *
 * Happy path: while it is too short the answer is how many bytes there must be at least, so that a
 * reader takes none of what stands behind it. Failure mode: BAD, with a sentence for the log; there
 * is no second chance, since the bytes are then somebody else's.
 */
#include "gateway/proxy_header.h"

#include "base/assert.h"
#include "base/byteorder.h"
#include "base/crc32c.h"

/* Version 2: signature, version and command, family and protocol, length (2.2). */
#define V2_SIGNATURE   "\r\n\r\n\0\r\nQUIT\n"
#define V2_HEAD_BYTES  16
#define V2_LOCAL       0x20
#define V2_PROXY       0x21
#define V2_TCP4        0x11
#define V2_TCP6        0x21
#define V2_UNIX        0x31
#define V2_UNSPEC      0x00
#define V2_TCP4_BYTES  12
#define V2_TCP6_BYTES  36
#define TLV_HEAD_BYTES 3
#define SSL_HEAD_BYTES 5 /* client, verify */
#define CRC_BYTES      4

/* Version 1 (2.1): the shortest is "PROXY UNKNOWN\r\n". */
#define V1_FRONT     "PROXY "
#define V1_BYTES_MIN 15

enum tlv_type {
    TLV_AUTHORITY = 0x02,
    TLV_CRC32C = 0x03,
    TLV_UNIQUE_ID = 0x05,
    TLV_SSL = 0x20,
    TLV_SSL_CN = 0x22,
};

static enum proxy_header_outcome bad(struct proxy_header *out, const char *fault)
{
    out->fault = fault;
    return PROXY_HEADER_BAD;
}

static enum proxy_header_outcome more(struct proxy_header *out, uint32_t bytes)
{
    out->bytes = bytes;
    return PROXY_HEADER_MORE;
}

/* --- Version 1 ------------------------------------------------------------------------------- */

/* Takes the next word and the one space behind it; false: no such word. */
static bool take_word(struct span *line, char *to, uint32_t cap)
{
    const uint8_t *space = line->len > 0 ? memchr(line->ptr, ' ', line->len) : NULL;
    uint32_t len = space != NULL ? (uint32_t)(space - line->ptr) : line->len;

    if (len == 0 || len >= cap || memchr(line->ptr, 0, len) != NULL ||
        (space != NULL && len + 1 == line->len))
        return false;
    memcpy(to, line->ptr, len);
    to[len] = 0;
    *line = span_skip(*line, len + 1);
    return true;
}

static bool take_address(struct span *line, bool v6, struct addr *out)
{
    char text[ADDR_TEXT_MAX];

    return take_word(line, text, sizeof(text)) && (strchr(text, ':') != NULL) == v6 &&
           addr_parse(text, out);
}

/* 0 to 65535, without leading zeros. */
static bool take_port(struct span *line, uint16_t *out)
{
    char text[6];
    uint32_t port = 0;

    if (!take_word(line, text, sizeof(text)) || (text[0] == '0' && text[1] != 0))
        return false;
    for (const char *c = text; *c != 0; c++) {
        if (*c < '0' || *c > '9')
            return false;
        port = port * 10 + (uint32_t)(*c - '0');
    }
    *out = (uint16_t)port;
    return port <= UINT16_MAX;
}

/* `line`: behind the front, without CRLF. */
static enum proxy_header_outcome read_line(struct span line, struct proxy_header *out)
{
    char family[8];
    bool v6;

    if (!take_word(&line, family, sizeof(family)))
        return bad(out, "PROXY line without a family");
    if (strcmp(family, "UNKNOWN") == 0) {
        out->local = true; /* 2.1: what follows is ignored */
        return PROXY_HEADER_WHOLE;
    }
    v6 = strcmp(family, "TCP6") == 0;
    if (!v6 && strcmp(family, "TCP4") != 0)
        return bad(out, "PROXY line with an unknown family");
    if (!take_address(&line, v6, &out->peer.addr) ||
        !take_address(&line, v6, &out->local_end.addr) || !take_port(&line, &out->peer.port) ||
        !take_port(&line, &out->local_end.port) || line.len > 0)
        return bad(out, "malformed PROXY line");
    return PROXY_HEADER_WHOLE;
}

static enum proxy_header_outcome parse_v1(struct span bytes, struct proxy_header *out)
{
    const uint32_t front = sizeof(V1_FRONT) - 1;
    struct span line = span_first(bytes, LIMIT_PROXY_V1_BYTES);
    const uint8_t *lf = memchr(line.ptr, '\n', line.len);

    if (lf == NULL && line.len == LIMIT_PROXY_V1_BYTES)
        return bad(out, "PROXY line too long");
    if (lf == NULL && line.len < V1_BYTES_MIN)
        return more(out, V1_BYTES_MIN);
    if (lf == NULL)
        return more(out, line.len + (line.ptr[line.len - 1] == '\r' ? 1 : 2));
    line.len = (uint32_t)(lf - line.ptr);
    if (line.len <= front || line.ptr[line.len - 1] != '\r')
        return bad(out, "malformed PROXY line");
    out->bytes = line.len + 1;
    line.len--;
    if (memchr(line.ptr, '\r', line.len) != NULL)
        return bad(out, "malformed PROXY line");
    return read_line(span_skip(line, front), out);
}

/* --- Version 2 ------------------------------------------------------------------------------- */

/* Takes one TLV off the front; false: it is cut. */
static bool take_tlv(struct span *tlvs, uint8_t *type, struct span *value)
{
    uint32_t len;

    if (tlvs->len < TLV_HEAD_BYTES)
        return false;
    *type = tlvs->ptr[0];
    len = load_be16(tlvs->ptr + 1);
    *tlvs = span_skip(*tlvs, TLV_HEAD_BYTES);
    if (tlvs->len < len)
        return false;
    *value = span_first(*tlvs, len);
    *tlvs = span_skip(*tlvs, len);
    return true;
}

/* 2.2.3: over the whole header, with zeros in the checksum's place. */
static bool checksum_is_right(struct span header, struct span sum)
{
    static const uint8_t zeros[CRC_BYTES];
    uint32_t at = (uint32_t)(sum.ptr - header.ptr);
    struct span behind = span_skip(header, at + CRC_BYTES);
    uint32_t crc = crc32c_update(0, header.ptr, at);

    crc = crc32c_update(crc, zeros, CRC_BYTES);
    crc = crc32c_update(crc, behind.ptr, behind.len);
    return crc == load_be32(sum.ptr);
}

static const char *read_ssl(struct span value, struct proxy_header *out)
{
    struct span tlvs = span_skip(value, SSL_HEAD_BYTES);
    struct span inner;
    uint8_t type;

    if (value.len < SSL_HEAD_BYTES)
        return "PROXY TLV cut short";
    while (tlvs.len > 0) {
        if (!take_tlv(&tlvs, &type, &inner))
            return "PROXY TLV cut short";
        if (type == TLV_SSL_CN)
            out->ssl_cn = inner;
    }
    return out->ssl_cn.len > LIMIT_PROXY_NAME_BYTES ? "PROXY TLV too long" : NULL;
}

/* NULL, or what is wrong. */
static const char *read_tlv(struct span header, uint8_t type, struct span value,
                            struct proxy_header *out)
{
    switch (type) {
    case TLV_AUTHORITY:
        out->authority = value;
        return value.len > LIMIT_PROXY_NAME_BYTES ? "PROXY TLV too long" : NULL;
    case TLV_UNIQUE_ID:
        out->unique_id = value;
        return value.len > LIMIT_PROXY_ID_BYTES ? "PROXY TLV too long" : NULL;
    case TLV_CRC32C:
        if (value.len != CRC_BYTES || !checksum_is_right(header, value))
            return "PROXY checksum is wrong";
        return NULL;
    case TLV_SSL: return read_ssl(value, out);
    default: return NULL;
    }
}

static enum proxy_header_outcome read_tlvs(struct span header, struct span tlvs,
                                           struct proxy_header *out)
{
    struct span value;
    uint8_t type;

    while (tlvs.len > 0) {
        const char *fault = "PROXY TLV cut short";

        if (take_tlv(&tlvs, &type, &value))
            fault = read_tlv(header, type, value, out);
        if (fault != NULL)
            return bad(out, fault);
    }
    return PROXY_HEADER_WHOLE;
}

static void read_tcp4(const uint8_t *at, struct proxy_header *out)
{
    out->peer = (struct endpoint){ addr_from_v4(load_be32(at)), load_be16(at + 8) };
    out->local_end = (struct endpoint){ addr_from_v4(load_be32(at + 4)), load_be16(at + 10) };
}

static void read_tcp6(const uint8_t *at, struct proxy_header *out)
{
    memcpy(out->peer.addr.octets, at, 16);
    memcpy(out->local_end.addr.octets, at + 16, 16);
    out->peer.port = load_be16(at + 32);
    out->local_end.port = load_be16(at + 34);
}

static enum proxy_header_outcome read_block(struct span header, struct proxy_header *out)
{
    struct span block = span_skip(header, V2_HEAD_BYTES);
    uint8_t command = header.ptr[12];
    uint8_t family = header.ptr[13];

    if (command == V2_LOCAL || family == V2_UNSPEC || family == V2_UNIX) {
        out->local = true; /* 2.2: the block is ignored */
        return PROXY_HEADER_WHOLE;
    }
    if (family == V2_TCP4 && block.len >= V2_TCP4_BYTES) {
        read_tcp4(block.ptr, out);
        return read_tlvs(header, span_skip(block, V2_TCP4_BYTES), out);
    }
    if (family == V2_TCP6 && block.len >= V2_TCP6_BYTES) {
        read_tcp6(block.ptr, out);
        return read_tlvs(header, span_skip(block, V2_TCP6_BYTES), out);
    }
    return bad(out, "PROXY header of an unknown family, or cut short");
}

static enum proxy_header_outcome parse_v2(struct span bytes, struct proxy_header *out)
{
    uint32_t total;

    if (bytes.len < V2_HEAD_BYTES)
        return more(out, V2_HEAD_BYTES);
    if (bytes.ptr[12] != V2_LOCAL && bytes.ptr[12] != V2_PROXY)
        return bad(out, "PROXY header of an unknown version or command");
    total = V2_HEAD_BYTES + load_be16(bytes.ptr + 14);
    if (total > LIMIT_PROXY_V2_BYTES)
        return bad(out, "PROXY header too long");
    if (bytes.len < total)
        return more(out, total);
    out->bytes = total;
    return read_block(span_first(bytes, total), out);
}

/* As much as there is of `bytes` begins like `front`. */
static bool begins(struct span bytes, struct span front)
{
    return span_equal(span_first(bytes, front.len), span_first(front, bytes.len));
}

enum proxy_header_outcome proxy_header_parse(struct span bytes, struct proxy_header *out)
{
    *out = (struct proxy_header){ 0 };
    if (bytes.len == 0)
        return more(out, V1_BYTES_MIN);
    if (begins(bytes, SPAN_LITERAL(V1_FRONT)))
        return parse_v1(bytes, out);
    if (begins(bytes, SPAN_LITERAL(V2_SIGNATURE)))
        return parse_v2(bytes, out);
    return bad(out, "no PROXY header");
}
