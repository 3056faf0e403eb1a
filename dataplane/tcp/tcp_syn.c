/* Half-open entries in a list for each number of retries: equal waiting times keep a list sorted by
 * itself. */
#include "dataplane/tcp/tcp_syn.h"

#include "base/assert.h"
#include "base/clock.h"

static struct tcp_syn *entry_of(struct list_node *n)
{
    return LIST_ENTRY(n, struct tcp_syn, link);
}

bool tcp_syn_open(struct tcp_syn_table *t, uint32_t count)
{
    for (unsigned i = 0; i <= TCP_SYN_RETRIES; i++)
        list_init(&t->levels[i]);
    t->pool = pool_create("tcp_syn", count, sizeof(struct tcp_syn));
    return t->pool != NULL;
}

void tcp_syn_close(struct tcp_syn_table *t)
{
    for (unsigned i = 0; i <= TCP_SYN_RETRIES; i++) {
        while (!list_empty(&t->levels[i]))
            tcp_syn_remove(t, entry_of(t->levels[i].head.next));
    }
    pool_destroy(t->pool);
    t->pool = NULL;
}

static void wait_at_level(struct tcp_syn_table *t, struct tcp_syn *e, uint64_t now_ns)
{
    ASSERT(e->retries <= TCP_SYN_RETRIES);
    e->due_ns = now_ns + (NS_PER_S << e->retries);
    list_append(&t->levels[e->retries], &e->link);
}

struct tcp_syn *tcp_syn_add(struct tcp_syn_table *t, const struct tcp_syn *syn, uint64_t now_ns)
{
    struct tcp_syn *e = pool_get(t->pool);

    if (e == NULL)
        return NULL;
    *e = *syn;
    e->created_ns = now_ns;
    list_node_init(&e->link);
    wait_at_level(t, e, now_ns);
    return e;
}

struct tcp_syn *tcp_syn_oldest(struct tcp_syn_table *t)
{
    struct tcp_syn *oldest = NULL;

    for (unsigned i = 0; i <= TCP_SYN_RETRIES; i++) {
        struct tcp_syn *e;

        if (list_empty(&t->levels[i]))
            continue;
        e = entry_of(t->levels[i].head.next);
        if (oldest == NULL || e->created_ns < oldest->created_ns)
            oldest = e;
    }
    return oldest;
}

void tcp_syn_remove(struct tcp_syn_table *t, struct tcp_syn *e)
{
    ASSERT(list_linked(&e->link));
    list_remove(&e->link);
    pool_put(t->pool, e);
}

struct tcp_syn *tcp_syn_due(struct tcp_syn_table *t, uint64_t now_ns)
{
    for (unsigned i = 0; i <= TCP_SYN_RETRIES; i++) {
        struct tcp_syn *e = entry_of(t->levels[i].head.next);

        if (!list_empty(&t->levels[i]) && e->due_ns <= now_ns)
            return e;
    }
    return NULL;
}

bool tcp_syn_retry(struct tcp_syn_table *t, struct tcp_syn *e, uint64_t now_ns)
{
    if (e->retries == TCP_SYN_RETRIES)
        return false;
    list_remove(&e->link);
    e->retries++;
    wait_at_level(t, e, now_ns);
    return true;
}

uint64_t tcp_syn_next_ns(const struct tcp_syn_table *t)
{
    uint64_t next = UINT64_MAX;

    for (unsigned i = 0; i <= TCP_SYN_RETRIES; i++) {
        const struct tcp_syn *e;

        if (list_empty(&t->levels[i]))
            continue;
        e = LIST_ENTRY(t->levels[i].head.next, struct tcp_syn, link);
        if (e->due_ns < next)
            next = e->due_ns;
    }
    return next;
}
