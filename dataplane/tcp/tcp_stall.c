/* See tcp_stall.h. All wait equally long, so a list in order of beginning needs no timers. */
#include "dataplane/tcp/tcp_stall.h"

#include "base/assert.h"
#include "dataplane/tcp/tcp_output.h"

void tcp_stall_begin(struct tcp_conn *c)
{
    if (list_linked(&c->flight->stall_link))
        return;
    ASSERT(c->flags & TCP_CONN_PERSIST);
    ASSERT(!tcp_flight_is_idle(c));
    c->flight->stalled_ns = tcp_now_ns(c->tcp);
    list_append(&c->tcp->stalled, &c->flight->stall_link);
}

void tcp_stall_end(struct tcp_conn *c)
{
    list_remove(&c->flight->stall_link);
}

static struct tcp_flight *longest(const struct tcp *t)
{
    return LIST_ENTRY(t->stalled.head.next, struct tcp_flight, stall_link);
}

uint64_t tcp_stall_next_ns(const struct tcp *t)
{
    uint64_t patience_ms;

    if (list_empty(&t->stalled))
        return UINT64_MAX;
    patience_ms = tcp_memory_beyond(&t->memory, LIMIT_TCP_SHARE_UNREAD) < 0
                      ? LIMIT_TCP_STALL_SHORT_MS
                      : LIMIT_TCP_STALL_MS;
    return longest(t)->stalled_ns + patience_ms * NS_PER_MS;
}

unsigned tcp_stall_timers(struct tcp *t)
{
    unsigned fired = 0;

    while (tcp_stall_next_ns(t) <= tcp_now_ns(t)) {
        struct tcp_conn *c = longest(t)->conn;

        fired++;
        tcp_count(t, COUNTER_TCP_STALLED);
        tcp_output_reset(c);
        tcp_conn_fail(c);
    }
    return fired;
}
