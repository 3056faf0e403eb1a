/* How TCP and its connections are doing, for people. Read only; nothing can fail. */
#include "base/assert.h"
#include "dataplane/tcp/tcp_conn.h"

void tcp_gauges(const struct tcp *t, struct tcp_gauges *out)
{
    *out = (struct tcp_gauges){
        .established = t->state_count[TCP_ESTABLISHED] + t->state_count[TCP_CLOSE_WAIT],
        .half_open = t->syns.used,
        .time_wait = t->tws.used,
        .blocks = pool_used(t->conns),
    };
    ASSERT(out->established <= out->blocks);
}
