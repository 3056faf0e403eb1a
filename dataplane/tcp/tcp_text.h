/* The text of segments that were found acceptable. */
#ifndef POSTERN_TCP_TEXT_H
#define POSTERN_TCP_TEXT_H

#include <stdint.h>

/* A sender that starts, or recovers from a loss with a small window, waits for each ACK: so many
 * segments are acknowledged at once, then every second. */
#define TCP_TEXT_QUICK_ACKS 16

struct tcp_conn;
struct tcp_in;

/* Text of an acceptable segment, len > 0 (RFC 9293, 3.10.7.4, seventh): takes in->s, or leaves it
 * when there is nothing to keep; an ACK is owed. */
void tcp_text_received(struct tcp_conn *c, struct tcp_in *in);
/* The same for text that is known to begin at RCV.NXT and to fit. */
void tcp_text_in_order(struct tcp_conn *c, struct tcp_in *in);
/* Bytes from start up to end were there already: the next ACK tells (RFC 2883). */
void tcp_text_twice(struct tcp_conn *c, uint32_t start, uint32_t end);

#endif
