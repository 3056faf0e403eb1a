/*
 * How large the receive window should be: what the reader took in one round trip, twice, so that a
 * sender in slow start never finds it in its way ("dynamic right-sizing", Fisk and Feng 2001). The
 * round trip is estimated by the receiver, from timestamps or from how long a window takes to
 * arrive. Pure.
 */
#ifndef POSTERN_TCP_TUNE_H
#define POSTERN_TCP_TUNE_H

#include <stdint.h>

struct tcp_tune {
    uint64_t since_ns;   /* when the running measure of the reader began */
    uint64_t window_ns;  /* when the running measure of a window's arrival began */
    uint32_t taken_seq;  /* the reader had taken all before it then */
    uint32_t window_end; /* when this has arrived, a window has */
    uint32_t taken;      /* most bytes taken in a round trip so far */
    uint32_t rtt_us;     /* 0: not known */
    uint32_t space;      /* bytes that may be on their way to the reader */
};

/* A connection begins: nothing is taken before seq, `space` bytes may come. */
void tcp_tune_init(struct tcp_tune *t, uint64_t now_ns, uint32_t seq, uint32_t space);
/* An echo told a round trip. Longer ones count an eighth: the peer may have had nothing to send. */
void tcp_tune_rtt(struct tcp_tune *t, uint32_t rtt_us);
/* Without timestamps: everything before rcv_nxt has arrived, `window` bytes may follow. */
void tcp_tune_arrived(struct tcp_tune *t, uint64_t now_ns, uint32_t rcv_nxt, uint32_t window);
/*
 * The reader has taken all before seq. Returns the space there should be, t->space or more; what of
 * that is given (rounded down, or nothing) the caller stores there.
 */
uint32_t tcp_tune_taken(struct tcp_tune *t, uint64_t now_ns, uint32_t seq, uint16_t mss);

#endif
