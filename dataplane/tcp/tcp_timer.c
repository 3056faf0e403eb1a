/*
 * Time. A connection has six deadlines, and one entry in the wheel for the earliest of them:
 *
 * - resend: what was sent is not acknowledged in time: it is sent again, and the time-out doubles
 * (RFC 6298); or the peer's window is closed: it is probed (RFC 9293, 3.8.6.1). The two exclude
 * each other.
 * - loss: RACK's reordering window is over, or a tail was not acknowledged (RFC 8985).
 * - ack: an ACK that may wait for company has waited long enough (RFC 9293, 3.8.6.3).
 * - pace: new data may go on in slow start (tcp_pace.h).
 * - alive: the peer was silent for long: it is asked whether it is there (RFC 9293, 3.8.4).
 * - end: nobody owns the connection, and the peer does not let it end.
 *
 * Others report what happened; only this file sets deadlines, and only `arm` touches the wheel. The
 * wheel's entry may be earlier than the deadline: then it fires for nothing, which is cheaper than
 * to move it for each segment.
 */
#include "dataplane/tcp/tcp_conn.h"

#include "base/assert.h"
#include "dataplane/tcp/tcp_stall.h"

#define DELAYED_ACK_NS (40 * NS_PER_MS)
#define ASK_AGAIN_NS   (LIMIT_TCP_KEEPALIVE_MS * NS_PER_MS)

static uint64_t earlier(uint64_t a, uint64_t b)
{
    if (a == 0)
        return b;
    return b != 0 && b < a ? b : a;
}

static void arm(struct tcp_conn *c)
{
    uint64_t due = earlier(earlier(c->flight->due_resend, c->flight->due_loss),
                           earlier(c->due_ack, c->due_end));

    due = earlier(due, c->due_alive);
    if (c->flags & TCP_CONN_PACED)
        due = earlier(due, c->flight->pace.next_ns);
    ASSERT(tcp_fsm_is_live(c->state));
    ASSERT(c->flight->due_resend == 0 || c->flight->since_ns != 0);
    if (due == 0 || (wheel_is_set(&c->wheel) && c->wheel.due_ns <= due))
        return;
    wheel_set(&c->tcp->wheel, &c->wheel, due);
}

static uint64_t rto_ns(const struct tcp_conn *c)
{
    return tcp_rtt_rto_us(&c->rtt) * NS_PER_US;
}

/* The peer is waited for from now on, if it was not before. */
static void start_waiting(struct tcp_conn *c)
{
    if (c->flight->since_ns == 0)
        c->flight->since_ns = tcp_now_ns(c->tcp);
}

/* The window has opened, or all is acknowledged: the back-off of the probes is no measure of the
 * path. */
static void end_persist(struct tcp_conn *c)
{
    if (!(c->flags & TCP_CONN_PERSIST))
        return;
    c->flags &= (uint16_t)~TCP_CONN_PERSIST;
    c->rtt.backoff = 0;
    c->flight->due_resend = 0;
}

void tcp_timer_loss_in(struct tcp_conn *c, uint64_t ns)
{
    c->flight->due_loss = ns == 0 ? 0 : tcp_now_ns(c->tcp) + ns;
    arm(c);
}

void tcp_timer_sent(struct tcp_conn *c)
{
    end_persist(c);
    tcp_stall_end(c);
    start_waiting(c);
    if (c->flight->due_resend == 0)
        c->flight->due_resend = tcp_now_ns(c->tcp) + rto_ns(c);
    arm(c);
}

void tcp_timer_again(struct tcp_conn *c)
{
    c->flight->due_resend = tcp_now_ns(c->tcp) + rto_ns(c);
    arm(c);
}

void tcp_timer_acked(struct tcp_conn *c)
{
    if (tcp_sendq_bytes(&c->flight->sendq) == 0)
        tcp_stall_end(c);
    if (c->snd_una == c->snd_max) {
        end_persist(c);
        c->flight->due_resend = 0;
        c->flight->due_loss = 0;
        c->flight->since_ns = 0;
        return;
    }
    /* RFC 6298, 5.3: restart, so that it expires after RTO seconds */
    c->flight->since_ns = tcp_now_ns(c->tcp);
    c->flight->due_resend = tcp_now_ns(c->tcp) + rto_ns(c);
    arm(c);
}

void tcp_timer_window_closed(struct tcp_conn *c)
{
    if (c->flags & TCP_CONN_PERSIST)
        return;
    c->flags |= TCP_CONN_PERSIST;
    tcp_stall_begin(c);
    start_waiting(c);
    c->flight->due_resend = tcp_now_ns(c->tcp) + rto_ns(c);
    arm(c);
}

void tcp_timer_peer_lives(struct tcp_conn *c)
{
    /* RFC 1122, 4.2.2.17: a window may stay closed as long as the probes are answered (but see
     * tcp_stall.h) */
    if (c->flags & TCP_CONN_PERSIST)
        c->flight->since_ns = tcp_now_ns(c->tcp);
}

void tcp_timer_ack_owed(struct tcp_conn *c)
{
    if (c->due_ack == 0)
        c->due_ack = tcp_now_ns(c->tcp) + DELAYED_ACK_NS;
    arm(c);
}

void tcp_timer_ack_sent(struct tcp_conn *c)
{
    c->due_ack = 0;
}

void tcp_timer_paced(struct tcp_conn *c)
{
    ASSERT(c->flight->pace.next_ns > tcp_now_ns(c->tcp));
    c->flags |= TCP_CONN_PACED;
    arm(c);
}

void tcp_timer_watch(struct tcp_conn *c)
{
    if (c->tcp->config.keepalive_ms == 0)
        return;
    c->heard_ns = tcp_now_ns(c->tcp);
    c->due_alive = c->heard_ns + c->tcp->config.keepalive_ms * NS_PER_MS;
    arm(c);
}

/* False: it was asked often enough. While something of ours is out, that is the question. */
static bool ask_alive(struct tcp_conn *c)
{
    uint64_t now = tcp_now_ns(c->tcp);
    uint64_t idle_ns = c->tcp->config.keepalive_ms * NS_PER_MS;
    uint64_t again_ns = idle_ns < ASK_AGAIN_NS ? idle_ns : ASK_AGAIN_NS;

    if (c->heard_ns + again_ns >= c->due_alive)
        c->alive_asked = 0; /* it has answered since it was asked last */
    if (now - c->heard_ns < idle_ns || c->flight->due_resend != 0) {
        c->alive_asked = 0;
        c->due_alive = (c->flight->due_resend != 0 ? now : c->heard_ns) + idle_ns;
        return true;
    }
    if (c->alive_asked == LIMIT_TCP_KEEPALIVE_PROBES)
        return false;
    c->alive_asked++;
    c->alive_due = true;
    c->due_alive = now + again_ns;
    tcp_output_want(c);
    return true;
}

void tcp_timer_end_in(struct tcp_conn *c, uint64_t ns)
{
    c->due_end = tcp_now_ns(c->tcp) + ns;
    arm(c);
}

void tcp_timer_stop(struct tcp_conn *c)
{
    c->flight->due_resend = 0;
    c->flight->due_loss = 0;
    c->due_ack = 0;
    c->due_end = 0;
    c->due_alive = 0;
    c->flags &= (uint16_t)~TCP_CONN_PACED;
    wheel_cancel(&c->tcp->wheel, &c->wheel);
}

/* When a peer that has not answered by then is not there any more (RFC 1122, 4.2.3.5, R2). */
static uint64_t give_up_ns(const struct tcp_conn *c)
{
    bool opening = c->state == TCP_SYN_SENT || c->state == TCP_SYN_RCVD;
    uint64_t r2_ms = opening ? LIMIT_TCP_R2_SYN_MS : c->tcp->config.user_timeout_ms;

    ASSERT(c->flight->since_ns != 0);
    return c->flight->since_ns + r2_ms * NS_PER_MS;
}

/* RFC 6298, 5.4 to 5.6: the earliest unacknowledged segment again, with the time-out doubled. */
static void resend(struct tcp_conn *c)
{
    tcp_count(c->tcp, COUNTER_TCP_TIMEOUTS);
    if (c->flags & TCP_CONN_SYN_OUT) {
        c->flags |= TCP_CONN_SYN_LOST;
        c->snd_nxt = c->iss;
    }
    tcp_mtu_timed_out(c);
    tcp_loss_timed_out(c);
    tcp_rtt_back_off(&c->rtt);
}

static void resend_due(struct tcp_conn *c)
{
    if (c->flags & TCP_CONN_PERSIST) {
        tcp_rtt_back_off(&c->rtt);
        c->flags |= TCP_CONN_PROBE;
        c->flight->due_resend = tcp_now_ns(c->tcp) + rto_ns(c);
    } else {
        resend(c);
        c->flight->due_resend = earlier(tcp_now_ns(c->tcp) + rto_ns(c), give_up_ns(c));
    }
    tcp_output_want(c);
}

static void give_up(struct tcp_conn *c)
{
    tcp_count(c->tcp, COUNTER_TCP_GIVEN_UP);
    tcp_output_reset(c);
    tcp_conn_fail(c);
}

void tcp_timer_fired(struct tcp_conn *c)
{
    uint64_t now = tcp_now_ns(c->tcp);

    ASSERT(tcp_fsm_is_live(c->state));
    if (c->due_end != 0 && c->due_end <= now) {
        tcp_output_reset(c);
        tcp_conn_fail(c);
        return;
    }
    if (c->flight->due_resend != 0 && c->flight->due_resend <= now) {
        if (give_up_ns(c) <= now) {
            give_up(c);
            return;
        }
        resend_due(c);
    }
    if (c->due_alive != 0 && c->due_alive <= now && !ask_alive(c)) {
        give_up(c);
        return;
    }
    if (c->flight->due_loss != 0 && c->flight->due_loss <= now) {
        c->flight->due_loss = 0;
        tcp_loss_timer(c);
    }
    if ((c->flags & TCP_CONN_PACED) && c->flight->pace.next_ns <= now) {
        c->flags &= (uint16_t)~TCP_CONN_PACED;
        tcp_output_want(c);
    }
    if (c->due_ack != 0 && c->due_ack <= now) {
        c->due_ack = 0;
        tcp_output_ack_now(c);
    }
    arm(c);
}
