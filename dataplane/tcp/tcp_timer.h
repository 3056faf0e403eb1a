/* Time: what the other files of this folder report to tcp_timer. */
#ifndef POSTERN_TCP_TIMER_H
#define POSTERN_TCP_TIMER_H

#include <stdint.h>

struct tcp_conn;

/* tcp_loss has something to do in so many ns; 0: no more. */
void tcp_timer_loss_in(struct tcp_conn *c, uint64_t ns);
/* Something was sent that the peer must acknowledge. */
void tcp_timer_sent(struct tcp_conn *c);
/* The last segment was sent again early: the time-out begins anew. */
void tcp_timer_again(struct tcp_conn *c);
/* The peer acknowledged new sequence space. */
void tcp_timer_acked(struct tcp_conn *c);
/* Something waits, and the peer's window lets none of it through. */
void tcp_timer_window_closed(struct tcp_conn *c);
/* The peer was heard from while its window is closed. */
void tcp_timer_peer_lives(struct tcp_conn *c);
/* An ACK is owed, but may wait. */
void tcp_timer_ack_owed(struct tcp_conn *c);
/* An ACK has left. */
void tcp_timer_ack_sent(struct tcp_conn *c);
/* New data waits until c->pace lets it go. */
void tcp_timer_paced(struct tcp_conn *c);
/* The handshake is done: a peer that is silent from now on is asked, if the configuration says so.
 */
void tcp_timer_watch(struct tcp_conn *c);
/* The connection may live for so long still, without its owner. */
void tcp_timer_end_in(struct tcp_conn *c, uint64_t ns);
/* Runs what is due on one connection, which may be gone afterwards. */
void tcp_timer_fired(struct tcp_conn *c);
void tcp_timer_stop(struct tcp_conn *c);

#endif
