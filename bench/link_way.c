/*
 * Happy path: a frame waits its turn behind those before it, takes its time at the rate, travels,
 * and is in the list until its time has come. A frame is late after its turn, so it holds up
 * nobody. The queue is no list: it is the time for which the rate is taken.
 */
#include "bench/link_way.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define ETHERNET_HEADER 14 /* is spared by corruption: the frame must find its way */

void link_way_init(struct link_way *w, const struct link_way_config *config, uint64_t seed)
{
    *w = (struct link_way){ .config = *config };
    link_fate_init(&w->fate, &config->fate, seed);
    list_init(&w->under_way);
}

void link_way_clear(struct link_way *w)
{
    struct list_node *n;

    while ((n = list_pop(&w->under_way)) != NULL)
        free(LIST_ENTRY(n, struct link_frame, link));
}

/* When the last bit of the frame has left; false: no room before the rate. */
static bool take_turn(struct link_way *w, uint64_t now_ns, uint32_t len, uint64_t *left_ns)
{
    const struct link_way_config *c = &w->config;

    *left_ns = now_ns;
    if (c->rate_bps == 0)
        return true;
    if (w->busy_ns < now_ns)
        w->busy_ns = now_ns;
    if ((w->busy_ns - now_ns) * c->rate_bps / 8 / NS_PER_S + len > c->queue_bytes)
        return false;
    w->busy_ns += len * 8 * NS_PER_S / c->rate_bps;
    *left_ns = w->busy_ns;
    return true;
}

static struct link_frame *copy(const uint8_t *bytes, uint32_t len, uint64_t due_ns)
{
    struct link_frame *f = malloc(sizeof(*f) + len);

    if (f == NULL)
        return NULL;
    f->due_ns = due_ns;
    f->len = len;
    memcpy(f->bytes, bytes, len);
    return f;
}

static void insert(struct list *l, struct link_frame *f)
{
    struct list_node *after = l->head.prev;

    while (after != &l->head && LIST_ENTRY(after, struct link_frame, link)->due_ns > f->due_ns)
        after = after->prev;
    f->link.prev = after;
    f->link.next = after->next;
    after->next->prev = &f->link;
    after->next = &f->link;
}

static void corrupt(struct link_frame *f, uint64_t bit)
{
    uint64_t at = f->len > ETHERNET_HEADER ? bit % ((f->len - ETHERNET_HEADER) * 8ULL) : 0;

    if (f->len > ETHERNET_HEADER)
        f->bytes[ETHERNET_HEADER + at / 8] ^= (uint8_t)(1U << at % 8);
}

static bool send_on(struct link_way *w, const struct link_fate_verdict *v, uint64_t due_ns,
                    const uint8_t *bytes, uint32_t len)
{
    struct link_frame *f = copy(bytes, len, due_ns);

    if (f == NULL)
        return false;
    if (v->corrupt)
        corrupt(f, v->bit);
    insert(&w->under_way, f);
    return true;
}

bool link_way_put(struct link_way *w, uint64_t now_ns, const uint8_t *bytes, uint32_t len)
{
    struct link_fate_verdict v = link_fate_next(&w->fate);
    uint64_t due_ns;

    w->counts.frames++;
    if (!take_turn(w, now_ns, len, &due_ns)) {
        w->counts.overflowed++;
        return true;
    }
    if (v.lost) {
        w->counts.lost++;
        return true;
    }
    due_ns += w->config.delay_ns + v.late_ns;
    w->counts.late += v.late_ns > 0;
    w->counts.doubled += v.twice;
    w->counts.corrupted += v.corrupt;
    return send_on(w, &v, due_ns, bytes, len) && (!v.twice || send_on(w, &v, due_ns, bytes, len));
}

struct link_frame *link_way_take(struct link_way *w, uint64_t now_ns)
{
    struct link_frame *f;

    if (link_way_next_ns(w) > now_ns)
        return NULL;
    f = LIST_ENTRY(list_pop(&w->under_way), struct link_frame, link);
    w->counts.bytes_out += f->len;
    return f;
}

uint64_t link_way_next_ns(const struct link_way *w)
{
    if (list_empty(&w->under_way))
        return UINT64_MAX;
    return LIST_ENTRY(w->under_way.head.next, struct link_frame, link)->due_ns;
}
