/*
 * Two TCPs joined by a bad wire, in virtual time, from one seed. Each end runs a small application
 * that writes a known pattern, checks what it reads, announces its end and closes.
 */
#ifndef POSTERN_TESTS_TCP_PAIR_H
#define POSTERN_TESTS_TCP_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "dataplane/tcp/tcp.h"

struct tcp_pair_config {
    uint64_t seed;
    uint64_t bytes[2];    /* what each end sends; 0 is the client */
    uint32_t loss_ppm;    /* of a million frames */
    uint32_t reorder_ppm; /* held back */
    uint32_t duplicate_ppm;
    uint32_t corrupt_tail_ppm; /* cut short: such a frame would fail its checksum, so it is lost */
    uint64_t delay_ns;         /* one way */
    uint64_t late_ns;          /* how long reorder holds back at most */
    uint64_t rate;             /* of the wire, bytes a second each way; 0: endless */
    uint64_t queue_bytes;      /* before a wire with a rate; past it frames are lost */
    uint64_t mark_bytes;       /* past it frames that may be marked are, as congested; 0: never */
    uint32_t hole_mtu;         /* larger packets are lost without a word; 0: none are */
    bool ecn;
    bool ip6;
    uint32_t mtu;
    uint32_t segs; /* in each end's pool */
    uint32_t receive_bytes;
    uint32_t send_bytes;
    enum tcp_congestion congestion;
    uint32_t write_max; /* largest single commit, bytes */
    uint32_t read_max;  /* bytes a turn; 0: all there is */
    /* From its fault_first-th allocation on (0: none), fault_count of an end's own fail. */
    unsigned fault_end;
    uint64_t fault_first;
    uint64_t fault_count;
};

struct tcp_pair_result {
    bool intact;          /* both got exactly what the other sent, and no stream failed */
    bool done;            /* both closed, nothing left to happen before time_ns */
    uint64_t received[2]; /* by the client, by the server */
    uint64_t time_ns;     /* virtual */
    uint64_t transfer_ns; /* until the server had everything */
    uint32_t window_max;  /* the largest that the server told, bytes */
    uint32_t segment_max; /* the largest, bytes with the header */
    uint64_t frames;
    uint64_t retransmitted;
    uint64_t fast_retransmits;
    uint64_t timeouts;
    uint64_t spurious; /* losses that were none */
    bool fault_hit;
};

/* A config of a clean wire: `delay_ns` one way, MTU 1500, no loss; what is late is so by up to 4
 * delays. */
struct tcp_pair_config tcp_pair_plain(uint64_t seed, uint64_t delay_ns);
/* Runs one connection from SYN to the end of TIME-WAIT; asserts that every segment is home
 * afterwards. */
struct tcp_pair_result tcp_pair_run(const struct tcp_pair_config *config);

#endif
