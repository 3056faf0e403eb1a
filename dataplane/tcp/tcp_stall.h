/*
 * Peers that keep their window closed while we have bytes for them. RFC 9293, 3.8.6.1 lets them do
 * so as long as they answer our probes, and RFC 6429 lets us end it where it costs what others
 * need: here after LIMIT_TCP_STALL_MS, or LIMIT_TCP_STALL_SHORT_MS once segments are short, the
 * longest first.
 */
#ifndef POSTERN_TCP_STALL_H
#define POSTERN_TCP_STALL_H

#include "dataplane/tcp/tcp_conn.h"

/* Bytes wait, and the window lets none through; no effect while that is known. */
void tcp_stall_begin(struct tcp_conn *c);
/* A segment went through, or nothing waits any more. */
void tcp_stall_end(struct tcp_conn *c);
/* Resets those that have lasted too long. Returns how many. */
unsigned tcp_stall_timers(struct tcp *t);
/* When tcp_stall_timers has something to do, clock ns; UINT64_MAX: nothing is stalled. */
uint64_t tcp_stall_next_ns(const struct tcp *t);

#endif
