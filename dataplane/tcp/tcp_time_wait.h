/* TIME-WAIT at work: the entries of tcp_tw.h, which answer for connections that are over. */
#ifndef POSTERN_TCP_TIME_WAIT_H
#define POSTERN_TCP_TIME_WAIT_H

#include "dataplane/tcp/tcp_conn.h"

/* A segment for a TIME-WAIT entry. */
void tcp_time_wait_input(struct tcp *t, struct tcp_tw *e, struct tcp_in *in);
/* Ends an entry. */
void tcp_time_wait_forget(struct tcp *t, struct tcp_tw *e);
/* Ends the entries whose time is up. Returns how many. */
unsigned tcp_time_wait_timers(struct tcp *t);
/* When the oldest entry is over, clock ns; UINT64_MAX: there is none. */
uint64_t tcp_time_wait_next_ns(const struct tcp *t);

#endif
