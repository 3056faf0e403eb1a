/*
 * How large a segment the path takes, beyond what ICMP tells: a path that drops large packets and
 * says nothing, a black hole (RFC 2923, 2.1), is found by its time-outs, and tried again later by
 * one segment of the old size (RFC 4821, 7).
 */
#ifndef POSTERN_TCP_MTU_H
#define POSTERN_TCP_MTU_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_conn;
struct tcp_sent;

/* What a connection knows of it. */
struct tcp_mtu {
    uint32_t due_s; /* when the next probe may be sent, by the clock */
    uint16_t full;  /* what segments had before, bytes of payload; 0: they have it still */
};

/* What is out. */
struct tcp_mtu_probe {
    uint32_t end;     /* one past the probe's last byte, with out */
    bool out;         /* it is on its way */
    uint8_t timeouts; /* since SND.UNA moved */
};

/* Payload of a segment in a packet of `mtu` bytes, but no less than each path takes. */
uint32_t tcp_mtu_payload(const struct tcp_conn *c, uint32_t mtu);
/* The retransmission timer ran out, and the first segment will leave again: smaller, if it was too
 * large three times. */
void tcp_mtu_timed_out(struct tcp_conn *c);
/* Payload of the next segment of new data: `room` bytes wait, and may leave. */
uint32_t tcp_mtu_size(const struct tcp_conn *c, uint32_t room);
/* New data left, up to `end`, `len` bytes of it. */
void tcp_mtu_sent(struct tcp_conn *c, uint32_t end, uint32_t len);
/* s leaves again, as a whole or in parts. */
void tcp_mtu_resent(struct tcp_conn *c, const struct tcp_sent *s);
/* ICMP tells what the path takes: nothing is to be found out. */
void tcp_mtu_told(struct tcp_conn *c);
/* SND.UNA has moved. */
void tcp_mtu_acked(struct tcp_conn *c);

#endif
