/*
 * The TCP header and its options: bytes to a plain struct and back. Pure; knows no connection.
 */
#ifndef POSTERN_TCP_WIRE_H
#define POSTERN_TCP_WIRE_H

#include <stdbool.h>
#include <stdint.h>

enum tcp_wire_flag {
    TCP_FIN = 1 << 0,
    TCP_SYN = 1 << 1,
    TCP_RST = 1 << 2,
    TCP_PSH = 1 << 3,
    TCP_ACK = 1 << 4,
    TCP_URG = 1 << 5,
    TCP_ECE = 1 << 6,
    TCP_CWR = 1 << 7,
};

/* Which options a header carries. */
enum tcp_wire_option {
    TCP_HAS_MSS = 1 << 0,     /* RFC 9293, 3.2 */
    TCP_HAS_WSCALE = 1 << 1,  /* RFC 7323, 2.2 */
    TCP_HAS_TS = 1 << 2,      /* RFC 7323, 3.2 */
    TCP_HAS_SACK_OK = 1 << 3, /* RFC 2018, 2 */
    TCP_HAS_ECN = 1 << 4,     /* no option: what the flags of SYNs agreed to (RFC 3168, 6.1.1) */
};

#define TCP_WIRE_HEADER_MIN 20
#define TCP_WIRE_HEADER_MAX 60
#define TCP_WIRE_TS_LEN     12 /* the timestamps option with its padding */
#define TCP_WIRE_SACKS_MAX  4  /* blocks that fit into 40 bytes of options; 3 beside timestamps */
#define TCP_WIRE_SACK_HEAD  4  /* the SACK option before its first block, with padding */
#define TCP_WIRE_SACK_LEN   8
#define TCP_WIRE_WSCALE_MAX 14 /* RFC 7323, 2.3: a larger shift means 14 */

/* A block of received bytes: start is the first, end is one past the last. */
struct tcp_wire_sack {
    uint32_t start;
    uint32_t end;
};

struct tcp_header {
    uint16_t src_port;
    uint16_t dst_port;
    uint32_t seq;
    uint32_t ack;
    uint16_t wnd; /* as on the wire, not scaled */
    uint16_t urgent;
    uint8_t flags;      /* enum tcp_wire_flag */
    uint8_t header_len; /* bytes, options included; set by parse */
    uint8_t options;    /* enum tcp_wire_option */
    uint8_t wscale;
    uint16_t mss;
    uint8_t sack_count;
    uint32_t ts_val;
    uint32_t ts_ecr;
    struct tcp_wire_sack sacks[TCP_WIRE_SACKS_MAX];
};

/*
 * Reads the header at the beginning of len bytes. False: too short, a data offset outside of the
 * bytes, or an option whose length cannot be (RFC 9293, MUST-7); *out is then undefined. Unknown
 * options are skipped.
 */
bool tcp_wire_parse(const uint8_t *bytes, uint32_t len, struct tcp_header *out);

/* Bytes that tcp_wire_emit will write: 20 to 60, a multiple of 4. */
uint32_t tcp_wire_header_len(const struct tcp_header *h);

/* Writes the header with its options and a zero checksum to `to`; returns its length. */
uint32_t tcp_wire_emit(const struct tcp_header *h, uint8_t *to);

#endif
