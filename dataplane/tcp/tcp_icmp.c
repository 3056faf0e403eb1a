/*
 * What an ICMP error means to the connection that it quotes. Happy path: "too big" lowers the size
 * of the segments that it sends, and what was too big is sent again, without a word to congestion
 * control: a router dropped it for its size (RFC 1191, 6.5; RFC 8201, 5.4).
 *
 * Failure modes: errors that quote no byte in flight are counted and not believed (RFC 5927, 4.1);
 * an MTU below what any path of today has is taken for that one; one that is not smaller than what
 * is known changes nothing. All other errors are soft (RFC 5461): the time-out decides. What is
 * learnt stays with the connection: nobody can spoil a path for others.
 */
#include "dataplane/tcp/tcp_conn.h"

#include "base/assert.h"
#include "dataplane/tcp/tcp_output.h"

static struct tcp_conn *find(struct tcp *t, const struct tcp_icmp *e)
{
    uint32_t ref = tcp_table_find(&t->table, tcp_conn_hash(t, &e->local, &e->peer));
    struct tcp_conn *c;

    if (TCP_REF_KIND(ref) != TCP_KIND_CONN)
        return NULL; /* half-open ones and TIME-WAIT send nothing large */
    c = pool_at(t->conns, TCP_REF_NUMBER(ref));
    if (!endpoint_equal(&c->stream.local, &e->local) || !endpoint_equal(&c->stream.peer, &e->peer))
        return NULL;
    return c;
}

void tcp_icmp_error(struct tcp *t, const struct tcp_icmp *e)
{
    struct tcp_conn *c = find(t, e);
    uint32_t mss;

    if (c == NULL)
        return;
    if (tcp_seq_lt(e->seq, c->snd_una) || tcp_seq_ge(e->seq, c->snd_max)) {
        tcp_count(t, COUNTER_TCP_OUT_OF_WINDOW_ICMPS);
        return;
    }
    if (e->mtu == 0 || !tcp_fsm_is_synchronized(c->state))
        return;
    mss = tcp_mtu_payload(c, e->mtu);
    if (mss >= c->snd_mss)
        return;
    ASSERT(mss >= LIMIT_TCP_MSS_MIN);
    tcp_count(t, COUNTER_TCP_PATH_MTU_LOWERED);
    c->snd_mss = (uint16_t)mss;
    c->cc.mss = c->snd_mss;
    tcp_mtu_told(c);
    tcp_loss_too_big(c);
}
