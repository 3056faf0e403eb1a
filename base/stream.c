/* What all transports and all owners of streams do alike: the ready list, and copying in and out.
 */
#include "base/stream.h"

#include "base/assert.h"

/* Runs taken at a time: a 16 KB record is twelve segments. */
#define PEEK_RUNS 16

void stream_requeue(struct stream *s)
{
    if (!list_linked(&s->ready_link))
        list_append(s->ready_list, &s->ready_link);
}

void stream_set(struct stream *s, uint32_t bits)
{
    uint32_t fresh = bits & ~s->ready;

    s->ready |= bits;
    if (fresh != 0)
        stream_requeue(s);
}

void stream_clear(struct stream *s, uint32_t bits)
{
    s->ready &= ~bits;
}

/* Copies what fits of the runs; returns the bytes. */
static uint32_t gather(const struct span *runs, unsigned count, uint8_t *to, uint32_t cap)
{
    uint32_t done = 0;

    for (unsigned i = 0; i < count && done < cap; i++) {
        struct span part = span_first(runs[i], cap - done);

        memcpy(to + done, part.ptr, part.len);
        done += part.len;
    }
    return done;
}

uint32_t stream_read_by_peek(struct stream *s, uint8_t *to, uint32_t cap)
{
    struct span runs[PEEK_RUNS];
    uint32_t done = 0;

    while (done < cap) {
        unsigned count = s->ops->peek(s, runs, PEEK_RUNS);
        uint32_t n = gather(runs, count, to + done, cap - done);

        ASSERT(count <= PEEK_RUNS);
        if (n == 0)
            break;
        s->ops->consume(s, n);
        done += n;
    }
    return done;
}

uint32_t stream_write(struct stream *s, struct span bytes)
{
    uint32_t done = 0;

    while (done < bytes.len) {
        struct span part = span_first(span_skip(bytes, done), STREAM_RESERVE_MAX);
        struct seg *seg = s->ops->reserve(s, part.len);

        if (seg == NULL)
            break;
        ASSERT(seg_tailroom(seg) >= part.len);
        memcpy(seg->data + seg->len, part.ptr, part.len);
        seg->len += part.len;
        done += part.len;
        s->ops->commit(s, seg);
    }
    return done;
}
