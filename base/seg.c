/* What every segment does, wherever its bytes live. */
#include "base/seg.h"

#include "base/assert.h"

void seg_release(struct seg *s)
{
    ASSERT(s->ref > 0);
    s->ref--;
    if (s->ref == 0)
        s->pool->ops->free(s->pool, s);
}

void seg_release_all(struct list *segs)
{
    struct list_node *n;

    while ((n = list_pop(segs)) != NULL)
        seg_release(LIST_ENTRY(n, struct seg, link));
}

uint8_t *seg_push(struct seg *s, uint32_t n)
{
    ASSERT(n <= seg_headroom(s));
    s->data -= n;
    s->len += n;
    return s->data;
}

void seg_pull(struct seg *s, uint32_t n)
{
    ASSERT(n <= s->len);
    s->data += n;
    s->len -= n;
}

void seg_trim(struct seg *s, uint32_t len)
{
    ASSERT(len <= s->len);
    s->len = len;
}
