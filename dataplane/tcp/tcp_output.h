/* Sending: what the other files of this folder may ask tcp_output for. */
#ifndef POSTERN_TCP_OUTPUT_H
#define POSTERN_TCP_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

struct addr;
struct tcp;
struct tcp_conn;
struct tcp_header;
struct tcp_in;

/* tcp_flush will look at this connection. */
void tcp_output_want(struct tcp_conn *c);
void tcp_output_ack_now(struct tcp_conn *c);
/* Sends all that there is reason to send; returns the number of segments. */
unsigned tcp_output_conn(struct tcp_conn *c);
/* An ACK at once, for a block that will be gone before tcp_flush. */
void tcp_output_last_ack(struct tcp_conn *c);
/* RST at once, for a synchronised connection that is given up. */
void tcp_output_reset(struct tcp_conn *c);
/* Sends a header without payload; false: no segment to be had. */
bool tcp_output_bare(struct tcp *t, const struct tcp_header *h, const struct addr *src,
                     const struct addr *dst);
/* The RST that a segment without a connection gets (RFC 9293, 3.10.7.1). */
void tcp_output_reset_for(struct tcp *t, const struct tcp_in *in);
/* May a challenge ACK leave that no connection block answers for (RFC 5961, 7)? Counts it. */
bool tcp_output_may_challenge(struct tcp *t);
/* A challenge ACK is owed, unless there were too many. */
void tcp_output_challenge(struct tcp_conn *c);

#endif
