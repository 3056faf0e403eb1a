/*
 * Reassembly: each packet under way has one segment, into which its pieces are copied as they come.
 *
 * Happy path: pieces in any order, no two of a byte; the one that fills the last gap makes it
 * whole. Failure modes: pieces that overlap spoil their packet, and those that still come of it are
 * dropped (RFC 5722, 3; RFC 8200, 4.5; for IPv4 alike), but for exact copies; too many pieces, or
 * more bytes than a segment holds, spoil it too; more packets than places: the oldest goes; none
 * for a minute: dropped, without a word to a sender that may be invented.
 */
#include "dataplane/net/net_frag.h"

#include "base/assert.h"
#include "base/clock.h"

STATIC_ASSERT(LIMIT_NET_FRAG_PIECES <= UINT8_MAX, "they are counted in an octet");

void net_frag_init(struct net_frag *f, struct seg_pool *pool, struct counters *counters)
{
    f->pool = pool;
    f->counters = counters;
    f->due_ns = UINT64_MAX;
}

/* Gives its segment back, and counts the failure. */
static void spoil(struct net_frag *f, struct net_frag_packet *p)
{
    if (p->whole == NULL)
        return;
    seg_release(p->whole);
    p->whole = NULL;
    counter_inc(f->counters, COUNTER_IP_REASM_FAILS);
}

static bool same_key(const struct net_frag_key *a, const struct net_frag_key *b)
{
    return a->id == b->id && a->proto == b->proto && addr_equal(&a->src, &b->src) &&
           addr_equal(&a->dst, &b->dst);
}

static struct net_frag_packet *find(struct net_frag *f, const struct net_frag_key *key)
{
    for (unsigned i = 0; i < LIMIT_NET_FRAG_PACKETS; i++)
        if (f->packets[i].due_ns != 0 && same_key(&f->packets[i].key, key))
            return &f->packets[i];
    return NULL;
}

/* A free place, or that of the oldest: a free one's time was over before all others'. NULL: no
 * segment is to be had. */
static struct net_frag_packet *begin(struct net_frag *f, const struct net_frag_key *key,
                                     uint64_t now_ns)
{
    struct net_frag_packet *p = &f->packets[0];
    struct seg *whole;

    for (unsigned i = 1; i < LIMIT_NET_FRAG_PACKETS; i++)
        if (f->packets[i].due_ns < p->due_ns)
            p = &f->packets[i];
    spoil(f, p);
    whole = seg_alloc(f->pool);
    *p = (struct net_frag_packet){ .key = *key, .whole = whole };
    if (whole == NULL) {
        counter_inc(f->counters, COUNTER_IP_REASM_FAILS);
        return NULL;
    }
    p->due_ns = now_ns + LIMIT_NET_FRAG_MS * NS_PER_MS;
    if (p->due_ns < f->due_ns)
        f->due_ns = p->due_ns;
    return p;
}

enum place { PLACE_FREE, PLACE_COPY, PLACE_TAKEN };

/* Where the piece would go among those that are there. */
static enum place look(const struct net_frag_packet *p, const struct net_frag_piece *piece,
                       uint32_t end)
{
    for (unsigned i = 0; i < p->count; i++) {
        uint32_t start = p->pieces[i].start;

        if (start == piece->offset && p->pieces[i].end == end)
            return memcmp(p->whole->data + start, piece->bytes.ptr, piece->bytes.len) == 0
                       ? PLACE_COPY
                       : PLACE_TAKEN;
        if (piece->offset < p->pieces[i].end && start < end)
            return PLACE_TAKEN;
        if (!piece->more && p->pieces[i].end > end)
            return PLACE_TAKEN; /* a last one before another */
    }
    return PLACE_FREE;
}

static bool fits(const struct net_frag *f, const struct net_frag_packet *p,
                 const struct net_frag_piece *piece, uint32_t end)
{
    bool whole_eights = !piece->more || piece->bytes.len % 8 == 0;
    bool one_end = p->total == 0 || (piece->more ? end < p->total : end == p->total);

    return piece->bytes.len > 0 && whole_eights && one_end && end <= f->pool->room &&
           p->count < LIMIT_NET_FRAG_PIECES;
}

static void put(struct net_frag_packet *p, const struct net_frag_piece *piece, uint32_t end)
{
    memcpy(p->whole->data + piece->offset, piece->bytes.ptr, piece->bytes.len);
    p->pieces[p->count].start = (uint16_t)piece->offset;
    p->pieces[p->count].end = (uint16_t)end;
    p->count++;
    p->have += piece->bytes.len;
    p->tos |= piece->tos & 3;
    if (piece->offset == 0) {
        p->proto = piece->proto;
        p->tos |= piece->tos;
    }
    if (!piece->more)
        p->total = end;
}

bool net_frag_add(struct net_frag *f, const struct net_frag_key *key,
                  const struct net_frag_piece *piece, uint64_t now_ns, struct net_frag_whole *out)
{
    struct net_frag_packet *p = find(f, key);
    uint32_t end = piece->offset + piece->bytes.len;
    enum place place;

    counter_inc(f->counters, COUNTER_IP_REASM_REQDS);
    if (p == NULL)
        p = begin(f, key, now_ns);
    if (p == NULL || p->whole == NULL)
        return false;
    place = look(p, piece, end);
    if (place == PLACE_COPY)
        return false;
    if (place == PLACE_TAKEN || !fits(f, p, piece, end)) {
        spoil(f, p);
        return false;
    }
    put(p, piece, end);
    if (p->have != p->total)
        return false;
    p->whole->len = p->total;
    *out = (struct net_frag_whole){ .s = p->whole, .proto = p->proto, .tos = p->tos };
    *p = (struct net_frag_packet){ 0 };
    counter_inc(f->counters, COUNTER_IP_REASM_OKS);
    return true;
}

void net_frag_tick(struct net_frag *f, uint64_t now_ns)
{
    if (now_ns < f->due_ns)
        return;
    f->due_ns = UINT64_MAX;
    for (unsigned i = 0; i < LIMIT_NET_FRAG_PACKETS; i++) {
        struct net_frag_packet *p = &f->packets[i];

        if (p->due_ns <= now_ns) {
            spoil(f, p);
            p->due_ns = 0;
        } else if (p->due_ns < f->due_ns) {
            f->due_ns = p->due_ns;
        }
    }
}

void net_frag_release(struct net_frag *f)
{
    for (unsigned i = 0; i < LIMIT_NET_FRAG_PACKETS; i++)
        if (f->packets[i].whole != NULL)
            seg_release(f->packets[i].whole);
}
