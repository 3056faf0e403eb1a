/*
 * RACK (RFC 8985, 6): a segment is lost when one that was sent sufficiently later was delivered.
 * Time, not the count of duplicates, so it holds for retransmissions and bears reordering. Pure:
 * works on the scoreboard.
 */
#ifndef POSTERN_TCP_RACK_H
#define POSTERN_TCP_RACK_H

#include "dataplane/tcp/tcp_sentq.h"
#include "dataplane/tcp/tcp_wire.h"

struct tcp_rack {
    uint64_t xmit_ns; /* when the latest delivered segment was sent (RACK.xmit_ts) ... */
    uint64_t min_ns;  /* when min_rtt_us was measured */
    uint32_t end_seq; /* ... and where it ended */
    uint32_t rtt_us;  /* its round trip */
    uint32_t min_rtt_us;
    uint32_t fack;        /* one past the highest delivered */
    uint32_t dsack_round; /* a D-SACK counts again when this is acknowledged */
    uint8_t reo_mult;     /* the reordering window, in quarters of the least round trip */
    uint8_t reo_persist;  /* recoveries until it is one quarter again */
    bool reordered;       /* the path was seen to reorder */
    bool in_round;        /* dsack_round is set */
};

/* What is known of the path while nothing is out. */
struct tcp_rack_path {
    uint32_t min_s; /* min_ns, in seconds */
    uint32_t min_rtt_us;
    uint8_t reo_mult;
    uint8_t reo_persist;
    bool reordered;
};

/* What one ACK tells; begun with its time, filled by tcp_rack_acked and tcp_rack_sacked. */
struct tcp_rack_ack {
    uint64_t now_ns;
    uint64_t echo_ns;   /* what it echoes left at this time or a millisecond later; 0: no echo */
    uint32_t delivered; /* octets that it was the first to tell of */
    uint32_t rtt_us;    /* of the oldest acknowledged, if none was sent twice (Karn); 0: none */
};

/* A path of which nothing is known. */
void tcp_rack_path_init(struct tcp_rack_path *path);
/* Sequence numbers begin at iss. */
void tcp_rack_init(struct tcp_rack *r, const struct tcp_rack_path *path, uint32_t iss);
/* Nothing is out any more: what is known of the path. */
void tcp_rack_leave(const struct tcp_rack *r, struct tcp_rack_path *path);
/* All before una is acknowledged: off the scoreboard with it. */
void tcp_rack_acked(struct tcp_rack *r, struct tcp_sentq *q, uint32_t una, struct tcp_rack_ack *a);
/* A SACK block that was found valid. */
void tcp_rack_sacked(struct tcp_rack *r, struct tcp_sentq *q, const struct tcp_wire_sack *block,
                     struct tcp_rack_ack *a);
/* Something came twice (RFC 8985, 6.2, step 4): we were too quick. una and nxt are SND.UNA and
 * SND.NXT. */
void tcp_rack_dsacked(struct tcp_rack *r, uint32_t una, uint32_t nxt);
/* A recovery is over; see reo_persist. */
void tcp_rack_recovered(struct tcp_rack *r);
/* The reordering window, microseconds. */
uint32_t tcp_rack_window_us(const struct tcp_rack *r, const struct tcp_sentq *q, uint32_t srtt_us,
                            bool recovering);
/*
 * Marks what is lost by now (RFC 8985, 6.2, step 5). Returns how many records; *wait_ns: when to
 * look again, from now; 0: no need.
 */
unsigned tcp_rack_detect(const struct tcp_rack *r, struct tcp_sentq *q, uint64_t now_ns,
                         uint32_t window_us, uint64_t *wait_ns);
/* The retransmission timer ran out: the first is lost, and all as old (RFC 8985, 6.3). */
void tcp_rack_timed_out(const struct tcp_rack *r, struct tcp_sentq *q, uint64_t now_ns,
                        uint32_t window_us);

#endif
