/*
 * The blocks of a pcapng file (draft-ietf-opsawg-pcapng) that a capture has: one section, an
 * interface a worker with nanosecond stamps, packets with their direction, counts at the end. Pure.
 * Each appends one whole block to *out, or nothing: false, no room.
 */
#ifndef POSTERN_PCAPNG_H
#define POSTERN_PCAPNG_H

#include <stdbool.h>

#include "base/span.h"

/* Of a packet's block, beside its bytes. */
#define PCAPNG_PACKET_BYTES 48

bool pcapng_section(struct buf *out, const char *program);
/* The next interface; the first is 0. `bytes`: most that is kept of a packet. */
bool pcapng_interface(struct buf *out, const char *name, uint32_t bytes);

struct pcapng_packet {
    uint32_t interface;
    uint64_t unix_ns;
    uint32_t wire_len; /* bytes that it had */
    bool sent;
    struct span bytes; /* what is kept of them */
};

bool pcapng_packet(struct buf *out, const struct pcapng_packet *p);

struct pcapng_counts {
    uint32_t interface;
    uint64_t begin_ns;
    uint64_t end_ns;
    uint64_t seen;
    uint64_t dropped; /* of these, not in the file */
};

bool pcapng_counts(struct buf *out, const struct pcapng_counts *c);

#endif
