/*
 * The states of RFC 9293, 3.3.2 in an order that makes phases comparisons, the legal edges between
 * them, and named questions. Pure.
 */
#ifndef POSTERN_TCP_FSM_H
#define POSTERN_TCP_FSM_H

#include <stdbool.h>
#include <stdint.h>

enum tcp_state {
    TCP_CLOSED,
    TCP_LISTEN, /* a listener; no connection block is ever in it */
    TCP_SYN_SENT,
    TCP_SYN_RCVD, /* after a SYN to a listener this is a small entry (tcp_syn.h), not a block */
    TCP_ESTABLISHED,
    TCP_CLOSE_WAIT,
    TCP_FIN_WAIT_1, /* from here on our FIN is due or sent */
    TCP_CLOSING,
    TCP_LAST_ACK,
    TCP_FIN_WAIT_2,
    TCP_TIME_WAIT, /* a small entry (tcp_tw.h); a block in it only holds what the reader has not
                      read */
    TCP_STATE_COUNT
};

#define TCP_FSM_BIT(state) (1U << (state))

/* RFC 9293, figure 5, and CLOSED from anywhere (reset, abort, time-out). */
static inline bool tcp_fsm_may_move(enum tcp_state from, enum tcp_state to)
{
    static const uint16_t edges[TCP_STATE_COUNT] = {
        [TCP_CLOSED] = TCP_FSM_BIT(TCP_SYN_SENT) | TCP_FSM_BIT(TCP_SYN_RCVD),
        [TCP_SYN_SENT] = TCP_FSM_BIT(TCP_SYN_RCVD) | TCP_FSM_BIT(TCP_ESTABLISHED),
        [TCP_SYN_RCVD] = TCP_FSM_BIT(TCP_ESTABLISHED) | TCP_FSM_BIT(TCP_FIN_WAIT_1),
        [TCP_ESTABLISHED] = TCP_FSM_BIT(TCP_FIN_WAIT_1) | TCP_FSM_BIT(TCP_CLOSE_WAIT),
        [TCP_CLOSE_WAIT] = TCP_FSM_BIT(TCP_LAST_ACK),
        [TCP_FIN_WAIT_1] =
            TCP_FSM_BIT(TCP_FIN_WAIT_2) | TCP_FSM_BIT(TCP_CLOSING) | TCP_FSM_BIT(TCP_TIME_WAIT),
        [TCP_CLOSING] = TCP_FSM_BIT(TCP_TIME_WAIT),
        [TCP_FIN_WAIT_2] = TCP_FSM_BIT(TCP_TIME_WAIT),
    };

    return to == TCP_CLOSED || (edges[from] & TCP_FSM_BIT(to)) != 0;
}

/* New bytes from the writer are taken. */
static inline bool tcp_fsm_may_commit(enum tcp_state s)
{
    return s == TCP_ESTABLISHED || s == TCP_CLOSE_WAIT;
}

/* Bytes from the peer are taken (RFC 9293, 3.10.7.4, seventh). */
static inline bool tcp_fsm_may_receive(enum tcp_state s)
{
    return s == TCP_ESTABLISHED || s == TCP_FIN_WAIT_1 || s == TCP_FIN_WAIT_2;
}

/* The peer's FIN has come, and all before it. */
static inline bool tcp_fsm_has_peer_fin(enum tcp_state s)
{
    return s == TCP_CLOSE_WAIT || s == TCP_CLOSING || s == TCP_LAST_ACK || s == TCP_TIME_WAIT;
}

/* Our FIN follows the last byte and is not yet acknowledged. */
static inline bool tcp_fsm_fin_due(enum tcp_state s)
{
    return s == TCP_FIN_WAIT_1 || s == TCP_CLOSING || s == TCP_LAST_ACK;
}

/* Segments come and go: neither dead nor handed over to a TIME-WAIT entry. */
static inline bool tcp_fsm_is_live(enum tcp_state s)
{
    return s != TCP_CLOSED && s != TCP_TIME_WAIT;
}

/* Both SYNs are through. */
static inline bool tcp_fsm_is_synchronized(enum tcp_state s)
{
    return s >= TCP_ESTABLISHED;
}

#endif
