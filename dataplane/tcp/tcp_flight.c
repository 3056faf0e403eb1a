/*
 * See tcp_flight.h. Happy path: a reply is committed, sent and acknowledged, and the flight goes
 * back to the pool, from where the next reply of any connection takes it, warm. Failure modes:
 * none; what was learnt of the path stays with the connection.
 */
#include "dataplane/tcp/tcp_conn.h"

#include "base/assert.h"

void tcp_flight_init(struct tcp_flight *f)
{
    *f = (struct tcp_flight){ .conn = NULL };
    list_node_init(&f->stall_link);
    tcp_sendq_init(&f->sendq, 0);
    tcp_sentq_init(&f->loss.sent, NULL);
}

bool tcp_flight_is_idle(const struct tcp_conn *c)
{
    return c->flight == &c->tcp->idle;
}

uint32_t tcp_flight_end(const struct tcp_conn *c)
{
    ASSERT(c->flight != NULL);
    return tcp_flight_is_idle(c) ? c->snd_max : c->flight->sendq.end;
}

static bool is_over(const struct tcp_conn *c)
{
    return c->snd_una == c->snd_max && tcp_sendq_bytes(&c->flight->sendq) == 0;
}

void tcp_flight_begin(struct tcp_conn *c)
{
    struct tcp *t = c->tcp;

    if (!tcp_flight_is_idle(c)) {
        if (is_over(c))
            c->flight->resent_ns = 0;
        return;
    }
    c->flight = pool_get(t->flights);
    ASSERT(c->flight != NULL); /* there are as many as blocks */
    *c->flight = (struct tcp_flight){ .conn = c };
    list_node_init(&c->flight->stall_link);
    tcp_sendq_init(&c->flight->sendq, c->snd_max);
    tcp_loss_init(c);
}

void tcp_flight_rest(struct tcp_conn *c)
{
    const struct tcp_loss *l = &c->flight->loss;

    ASSERT(tcp_seq_le(c->snd_una, c->snd_max));
    if (c->state != TCP_ESTABLISHED && c->state != TCP_CLOSE_WAIT)
        return;
    if (is_over(c) && c->flight->resent_ns == 0 && l->undo_ns == 0 && !l->tail_out)
        tcp_flight_drop(c);
}

void tcp_flight_drop(struct tcp_conn *c)
{
    struct tcp_flight *f = c->flight;

    if (tcp_flight_is_idle(c))
        return;
    ASSERT(f->conn == c);
    tcp_rack_leave(&f->loss.rack, &c->path);
    list_remove(&f->stall_link);
    tcp_loss_clear(c);
    tcp_sendq_clear(&f->sendq);
    c->flight = &c->tcp->idle;
    pool_put(c->tcp->flights, f);
}
