/* See tcp_memory.h. Failure modes: no room aside: the segment stays where it is. */
#include "dataplane/tcp/tcp_memory.h"

#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "dataplane/tcp/tcp_conn.h"

/* Below which share a level begins. */
static const uint32_t marks[] = {
    [TCP_MEMORY_NO_SYNS] = LIMIT_TCP_SHARE_SYNS,
    [TCP_MEMORY_NO_MAIL] = LIMIT_TCP_SHARE_MAIL,
    [TCP_MEMORY_NO_WINDOWS] = LIMIT_TCP_SHARE_WINDOWS,
};

int32_t tcp_memory_beyond(const struct tcp_memory *m, uint32_t share)
{
    uint32_t left = m->pool->ops->available(m->pool);
    uint64_t segs = (uint64_t)m->segs * share / LIMIT_TCP_SHARES;

    return (int32_t)left - (int32_t)m->pool->reserve - (int32_t)segs;
}

bool tcp_memory_open(struct tcp_memory *m, struct seg_pool *pool, uint32_t aside)
{
    uint32_t segs = pool->ops->available(pool);

    ASSERT(segs > pool->reserve);
    *m = (struct tcp_memory){ .pool = pool, .segs = segs - pool->reserve };
    if (aside > 0)
        m->aside = seg_plain_create(aside, 0, pool->room);
    return aside == 0 || m->aside != NULL;
}

void tcp_memory_close(struct tcp_memory *m)
{
    if (m->aside != NULL)
        seg_plain_destroy(m->aside);
    m->aside = NULL;
}

void tcp_memory_look(struct tcp_memory *m)
{
    while (m->level < TCP_MEMORY_NO_WINDOWS && tcp_memory_beyond(m, marks[m->level + 1]) < 0)
        m->level++;
    while (m->level > TCP_MEMORY_PLENTY &&
           tcp_memory_beyond(m, marks[m->level] + LIMIT_TCP_SHARE_AGAIN) >= 0)
        m->level--;
}

struct seg *tcp_memory_keep(struct tcp_memory *m, struct seg *s)
{
    struct seg *copy = NULL;

    if (m->level == TCP_MEMORY_NO_WINDOWS && m->aside != NULL && s->len <= m->aside->room)
        copy = seg_alloc(m->aside);
    if (copy == NULL)
        return s;
    memcpy(copy->data, s->data, s->len);
    copy->len = s->len;
    copy->seq = s->seq;
    copy->flags = s->flags;
    seg_release(s);
    return copy;
}

enum tcp_memory_level tcp_memory_level(const struct tcp *t)
{
    return t->memory.level;
}
