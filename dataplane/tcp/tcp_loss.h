/*
 * Losses of one connection: what an ACK tells of them, what follows for the congestion window, and
 * the probe of a tail whose end nobody acknowledges (RFC 8985, 7).
 */
#ifndef POSTERN_TCP_LOSS_H
#define POSTERN_TCP_LOSS_H

#include "dataplane/tcp/tcp_cc.h"
#include "dataplane/tcp/tcp_prr.h"
#include "dataplane/tcp/tcp_rack.h"

struct tcp_conn;
struct tcp_in;

struct tcp_loss {
    struct tcp_sentq sent;
    struct tcp_rack rack;
    struct tcp_prr prr;
    uint32_t recover;     /* RFC 6582 */
    struct tcp_cc before; /* the window as it was when something was found lost last */
    uint64_t undo_ns;     /* when that was; 0: it was lost indeed, or nobody can tell */
    uint32_t undo_seq;    /* the first sent again since; what lies below tells of other losses */
    uint32_t undo_resent; /* segments sent again since, of which no copy came twice */
    uint64_t cut_ns;      /* when the window was last cut for a loss */
    uint32_t cut_end;     /* when it was last cut, this was sent next */
    uint32_t tail_end;    /* TLP.end_seq, with tail_out */
    bool tail_armed;      /* due_loss is the probe's time-out, not RACK's */
    bool tail_due;        /* the probe is to be sent now */
    bool tail_out;        /* it is out, and not judged yet */
    bool tail_again;      /* it was a retransmission (TLP.is_retrans) */
};

void tcp_loss_init(struct tcp_conn *c);
/* An acceptable ACK, SND.UNA already moved over `acked` bytes; *a has seen what it acknowledges. */
void tcp_loss_acked(struct tcp_conn *c, const struct tcp_in *in, struct tcp_rack_ack *a,
                    uint32_t acked, bool duplicate);
/* New data left. */
void tcp_loss_sent(struct tcp_conn *c);
/* The retransmission timer ran out. */
void tcp_loss_timed_out(struct tcp_conn *c);
/* All that is out may have been too big for the path: it leaves again, in smaller segments. */
void tcp_loss_too_big(struct tcp_conn *c);
/* due_loss has come. */
void tcp_loss_timer(struct tcp_conn *c);
/* Bytes that are on their way to the peer, as far as we know. */
uint32_t tcp_loss_in_flight(const struct tcp_conn *c);
/* Records that the scoreboard may hold before new data waits; splits need some more. */
uint32_t tcp_loss_records(uint32_t send_bytes_max);
void tcp_loss_clear(struct tcp_conn *c);

#endif
