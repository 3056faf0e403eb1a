/* Segments of the packet tests: text to header and back, relative sequence numbers, a known
 * payload. */
#ifndef POSTERN_TESTS_TCP_DSL_SEG_H
#define POSTERN_TESTS_TCP_DSL_SEG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/seg.h"
#include "dataplane/tcp/tcp_wire.h"

/* Where relative sequence numbers begin. */
struct tcp_dsl_base {
    uint32_t peer; /* the peer's ISN, set by the script */
    uint32_t ours; /* learned from our SYN */
    bool ours_known;
    uint32_t ours_ts; /* TSval of our SYN */
};

enum tcp_dsl_field {
    TCP_DSL_SEQ = 1 << 0,
    TCP_DSL_ACK = 1 << 1,
    TCP_DSL_WND = 1 << 2,
    TCP_DSL_MSS = 1 << 3,
    TCP_DSL_WS = 1 << 4,
    TCP_DSL_TS = 1 << 5,
    TCP_DSL_SACK_OK = 1 << 6,
    TCP_DSL_NO_TS = 1 << 7,
    TCP_DSL_NO_WS = 1 << 8,
    TCP_DSL_NO_SACK = 1 << 9,
    TCP_DSL_TS_ECR = 1 << 10,
    TCP_DSL_TOS = 1 << 11,
};

struct tcp_dsl_seg {
    struct tcp_header h; /* seq and ack relative */
    uint32_t len;
    uint32_t given; /* enum tcp_dsl_field */
    uint16_t src_port;
    uint8_t tos; /* of its IP header */
    bool broadcast;
    bool echo;         /* its TSecr is our SYN's TSval */
    bool payload_good; /* of a recorded one */
};

/* The byte at an offset of either stream. */
uint8_t tcp_dsl_pattern(uint32_t offset);
/* Reads FLAGS and k=v words. */
bool tcp_dsl_seg_parse(char **words, unsigned count, struct tcp_dsl_seg *out);
/* Fills s with the segment as it comes off the wire. */
void tcp_dsl_seg_build(const struct tcp_dsl_base *base, const struct tcp_dsl_seg *seg,
                       struct seg *s);
/* Notes a segment that we send; learns our ISN from a SYN. False: no TCP header. */
bool tcp_dsl_seg_record(struct tcp_dsl_base *base, const struct seg *s, struct tcp_dsl_seg *out);
bool tcp_dsl_seg_matches(const struct tcp_dsl_seg *want, const struct tcp_dsl_seg *got);
const char *tcp_dsl_seg_text(const struct tcp_dsl_seg *seg, char *to, size_t cap);

#endif
