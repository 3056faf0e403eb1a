/* Half-open connections at work: the entries of tcp_syn.h with their SYN-ACKs. */
#ifndef POSTERN_TCP_HALF_H
#define POSTERN_TCP_HALF_H

#include "dataplane/tcp/tcp_conn.h"

/* A new entry for *syn, which is in no table yet, and its SYN-ACK. False: there is no room. */
bool tcp_half_open(struct tcp *t, const struct tcp_syn *syn);
/* A block at once, whose SYN-ACK leaves by tcp_flush: for a sequence number that no entry can make
 * again. A block is free. */
void tcp_half_open_block(struct tcp *t, const struct tcp_syn *syn);
/* SYN-ACK for *syn. */
void tcp_half_answer(struct tcp *t, const struct tcp_syn *syn, uint32_t ts_val);
/* The peer has acknowledged the SYN-ACK of *syn, which is in no table any more: makes a block in
 * SYN-RCVD and hands it the segment. A block is free. */
void tcp_half_promote(struct tcp *t, const struct tcp_syn *syn, struct tcp_in *in);
/* A segment for a half-open entry; the ACK makes it a connection, which then gets the segment. */
void tcp_half_input(struct tcp *t, uint32_t number, struct tcp_in *in);
/* Drops all entries. */
void tcp_half_stop(struct tcp *t);
/* SYN-ACKs due again, as many as a turn may send. Returns how many. */
unsigned tcp_half_timers(struct tcp *t);
/* The peer may have one more connection with this listener. False, and counted: no block is free,
 * and its next segment may find one; or it has its share, and is told so by RST. */
bool tcp_half_admits(struct tcp *t, const struct tcp_in *in, int listener);

#endif
