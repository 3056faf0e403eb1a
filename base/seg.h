/*
 * A segment: bytes on the move between the wire and a reader, or a writer and the wire.
 *
 * On the DPDK path it lives in the private area of an mbuf, on the kernel path and in tests in a
 * plain pool; nobody above dataplane/nic can tell. References are plain integers: a segment never
 * leaves its core. The table of owners stands in DESIGN.md; "takes s" in a comment means on every
 * path.
 */
#ifndef POSTERN_BASE_SEG_H
#define POSTERN_BASE_SEG_H

#include "base/list.h"
#include "base/span.h"

enum seg_flag {
    SEG_RX_L3_CSUM_GOOD = 1 << 0, /* the device checked the IPv4 header */
    SEG_RX_L4_CSUM_GOOD = 1 << 1, /* the device checked the TCP or UDP checksum */
    SEG_TX_L3_CSUM = 1 << 2,      /* the device is to fill in the IPv4 header checksum */
    SEG_TX_L4_CSUM = 1 << 3,      /* it fills in TCP's checksum; the field holds the pseudo sum */
    SEG_TX_IP6 = 1 << 5,          /* with SEG_TX_L4_CSUM: it is over IPv6 */
    SEG_TX_ECT = 1 << 6,          /* its IP header says ECT(0) (RFC 3168, 5) */
    SEG_RX_SHARED = 1 << 4,       /* a copy from another queue: not to be given on */
};

struct seg;

/* Where segments come from and go home to. One pool belongs to one core. */
struct seg_pool {
    const struct seg_pool_ops *ops;
    uint32_t headroom; /* bytes free before `data` of a fresh segment */
    uint32_t room;     /* bytes from `data` to the end of a fresh segment */
    uint32_t reserve;  /* who holds segments for long leaves so many: to receive, and for ACKs */
};

struct seg_pool_ops {
    /* A fresh segment (ref 1, len 0, data after the headroom), or NULL: none left, not an error. */
    struct seg *(*alloc)(struct seg_pool *pool);
    /* Takes a segment whose last reference went. */
    void (*free)(struct seg_pool *pool, struct seg *s);
    /* Segments that could still be had now. */
    uint32_t (*available)(const struct seg_pool *pool);
    /* True while somebody below (the device) still reads the bytes, so they may not be rewritten.
     */
    bool (*busy)(const struct seg *s);
};

struct seg {
    struct list_node link; /* in its holder's queue */
    struct seg_pool *pool;
    uint8_t *head; /* first byte of the buffer */
    uint8_t *data; /* first byte in use */
    uint32_t len;  /* bytes in use from `data` */
    uint32_t cap;  /* bytes from `head` to the end of the buffer */
    uint32_t seq;  /* free to the holder; tcp: sequence number of `data` */
    uint16_t ref;
    uint16_t flags; /* enum seg_flag */
    uint8_t l2_len; /* received, or with SEG_TX_*: bytes of the Ethernet header */
    uint8_t l3_len; /* with SEG_TX_*: bytes of the IP header */
    uint8_t l4_len; /* with SEG_TX_*: bytes of the TCP header */
    uint8_t spare;
    uint32_t mark; /* free to the holder */
};

static inline struct seg *seg_alloc(struct seg_pool *pool)
{
    return pool->ops->alloc(pool);
}

static inline struct seg *seg_ref(struct seg *s)
{
    s->ref++;
    return s;
}

/* Takes one reference; the last one sends the segment home. */
void seg_release(struct seg *s);
/* Releases each of the list. */
void seg_release_all(struct list *segs);

static inline struct span seg_span(const struct seg *s)
{
    return (struct span){ s->data, s->len };
}

static inline uint32_t seg_headroom(const struct seg *s)
{
    return (uint32_t)(s->data - s->head);
}

static inline uint32_t seg_tailroom(const struct seg *s)
{
    return s->cap - seg_headroom(s) - s->len;
}

/* Moves `data` back by n bytes to put a header before it; n <= headroom. */
uint8_t *seg_push(struct seg *s, uint32_t n);
/* Cuts n bytes off the front; n <= len. */
void seg_pull(struct seg *s, uint32_t n);
/* Cuts the end so that len bytes stay; len <= s->len. */
void seg_trim(struct seg *s, uint32_t len);

/*
 * A plain pool in ordinary memory, all of it taken at creation: kernel path, simulator, tests.
 * NULL when memory is short. seg_plain_destroy asserts that all segments are home.
 */
struct seg_pool *seg_plain_create(uint32_t count, uint32_t headroom, uint32_t room);
void seg_plain_destroy(struct seg_pool *pool);

#endif
