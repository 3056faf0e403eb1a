/* The receive window. */
#ifndef POSTERN_TCP_WINDOW_H
#define POSTERN_TCP_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

struct tcp;
struct tcp_conn;
struct tcp_header;

/* The window field of a SYN, which is never scaled (RFC 7323, 2.2). */
uint16_t tcp_window_of_syn(const struct tcp *t);
/* The first window, once RCV.NXT is known. */
void tcp_window_open(struct tcp_conn *c);
/* What the window has grown by goes back to the core; again is harmless. */
void tcp_window_close(struct tcp_conn *c);
/* Text has arrived in order under this header. */
void tcp_window_arrived(struct tcp_conn *c, const struct tcp_header *h);
/* The reader took bytes: the window may grow, and if it is worth telling, an ACK is owed. */
void tcp_window_taken(struct tcp_conn *c);
/* The window field of a segment that leaves now; the edge that it promises is kept (RCV.ADV). */
uint16_t tcp_window_tell(struct tcp_conn *c);
/* Right edge of the window that we could offer now; not before rcv_adv. */
uint32_t tcp_window_edge(const struct tcp_conn *c);
/* Fewer segments are left than windows may open for. */
bool tcp_window_is_short(const struct tcp *t);

#endif
