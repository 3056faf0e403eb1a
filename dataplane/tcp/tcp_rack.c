/*
 * Steps as RFC 8985, 6.2 numbers them. Happy path: an ACK of everything moves xmit_ns, and nothing
 * older is out. Failure modes: an ACK that may be that of the first copy of a retransmission says
 * nothing about the second; a peer that tells D-SACKs at will makes us patient, up to a round trip.
 */
#include "dataplane/tcp/tcp_rack.h"

#include "base/assert.h"
#include "base/clock.h"
#include "dataplane/tcp/tcp_seq.h"

#define DUP_THRESH  3                /* RFC 8985, 6.2, step 4, as RFC 5681 has it */
#define REO_PERSIST 16               /* RFC 8985, 6.2, step 4 */
#define MIN_RTT_NS  (300 * NS_PER_S) /* a path changes: then the least is measured anew */

void tcp_rack_path_init(struct tcp_rack_path *path)
{
    *path = (struct tcp_rack_path){ .reo_mult = 1 };
}

void tcp_rack_init(struct tcp_rack *r, const struct tcp_rack_path *path, uint32_t iss)
{
    *r = (struct tcp_rack){ .end_seq = iss,
                            .fack = iss,
                            .min_ns = path->min_s * NS_PER_S,
                            .min_rtt_us = path->min_rtt_us,
                            .reo_mult = path->reo_mult,
                            .reo_persist = path->reo_persist,
                            .reordered = path->reordered };
}

void tcp_rack_leave(const struct tcp_rack *r, struct tcp_rack_path *path)
{
    *path = (struct tcp_rack_path){ .min_s = (uint32_t)(r->min_ns / NS_PER_S),
                                    .min_rtt_us = r->min_rtt_us,
                                    .reo_mult = r->reo_mult,
                                    .reo_persist = r->reo_persist,
                                    .reordered = r->reordered };
}

static bool sent_after(uint64_t ns, uint32_t end, uint64_t than_ns, uint32_t than_end)
{
    return ns > than_ns || (ns == than_ns && tcp_seq_gt(end, than_end));
}

static uint32_t us_since(uint64_t then_ns, uint64_t now_ns)
{
    uint64_t us = (now_ns - then_ns) / NS_PER_US;

    ASSERT(now_ns >= then_ns);
    return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

/* Step 1. */
static void note_rtt(struct tcp_rack *r, uint32_t rtt_us, uint64_t now_ns)
{
    if (r->min_rtt_us != 0 && rtt_us > r->min_rtt_us && now_ns - r->min_ns < MIN_RTT_NS)
        return;
    r->min_rtt_us = rtt_us == 0 ? 1 : rtt_us;
    r->min_ns = now_ns;
}

/* Steps 2 and 3, for what this ACK is the first to tell of: s up to `end`; fack as before the ACK.
 */
static void note_delivered(struct tcp_rack *r, const struct tcp_sent *s, uint32_t end,
                           uint32_t fack, const struct tcp_rack_ack *a)
{
    uint32_t rtt_us = us_since(s->sent_ns, a->now_ns);

    if (!(s->flags & TCP_SENT_AGAIN)) {
        note_rtt(r, rtt_us, a->now_ns);
        if (tcp_seq_lt(end, fack))
            r->reordered = true;
    } else if (a->echo_ns != 0 && a->echo_ns + NS_PER_MS <= s->sent_ns) {
        return; /* the first copy's */
    } else if (rtt_us < r->min_rtt_us) {
        return; /* too soon to be the second's */
    }
    r->fack = tcp_seq_max(r->fack, end);
    if (!sent_after(s->sent_ns, end, r->xmit_ns, r->end_seq))
        return;
    r->xmit_ns = s->sent_ns;
    r->end_seq = end;
    r->rtt_us = rtt_us;
}

void tcp_rack_acked(struct tcp_rack *r, struct tcp_sentq *q, uint32_t una, struct tcp_rack_ack *a)
{
    uint32_t fack = r->fack;
    bool again = false;
    struct tcp_sent *s;

    while ((s = tcp_sentq_first(q)) != NULL && tcp_seq_lt(s->start, una)) {
        uint32_t upto = tcp_seq_lt(s->end, una) ? s->end : una;
        uint32_t whole = tcp_sentq_whole(s, una);

        again |= (s->flags & TCP_SENT_AGAIN) != 0;
        if (!(s->flags & TCP_SENT_SACKED)) {
            a->delivered += upto - s->start;
            if (a->rtt_us == 0)
                a->rtt_us = us_since(s->sent_ns, a->now_ns);
            if (whole != s->start)
                note_delivered(r, s, whole, fack, a);
        }
        tcp_sentq_acked(q, una);
    }
    if (again)
        a->rtt_us = 0;
    r->fack = tcp_seq_max(r->fack, una);
}

/* The whole segments of s that the block holds, as a record of their own. NULL: none, or no record
 * is to be had. */
static struct tcp_sent *part_of_block(struct tcp_sentq *q, struct tcp_sent *s,
                                      const struct tcp_wire_sack *block)
{
    uint32_t from = tcp_sentq_whole(s, block->start);
    uint32_t to = tcp_sentq_whole(s, block->end);

    if (tcp_seq_lt(from, block->start))
        from += s->size;
    if (tcp_seq_ge(from, to))
        return NULL;
    if (from != s->start) {
        if (!tcp_sentq_split(q, s, from - s->start))
            return NULL;
        s = tcp_sentq_next(q, s);
    }
    return tcp_sentq_split(q, s, to - from) ? s : NULL;
}

void tcp_rack_sacked(struct tcp_rack *r, struct tcp_sentq *q, const struct tcp_wire_sack *block,
                     struct tcp_rack_ack *a)
{
    uint32_t fack = r->fack;
    struct tcp_sent *next;

    for (struct tcp_sent *s = tcp_sentq_first(q); s != NULL; s = next) {
        struct tcp_sent *part = NULL;

        if (tcp_seq_ge(s->start, block->end))
            return;
        if (!(s->flags & TCP_SENT_SACKED) && tcp_seq_gt(s->end, block->start))
            part = part_of_block(q, s, block);
        next = tcp_sentq_next(q, part != NULL ? part : s);
        if (part == NULL)
            continue;
        a->delivered += part->end - part->start;
        note_delivered(r, part, part->end, fack, a);
        tcp_sentq_sacked(q, part);
    }
}

void tcp_rack_dsacked(struct tcp_rack *r, uint32_t una, uint32_t nxt)
{
    if (r->in_round && tcp_seq_lt(una, r->dsack_round))
        return;
    r->in_round = true;
    r->dsack_round = nxt;
    r->reo_persist = REO_PERSIST;
    if (r->reo_mult < UINT8_MAX)
        r->reo_mult++;
}

void tcp_rack_recovered(struct tcp_rack *r)
{
    if (r->reo_persist > 0 && --r->reo_persist == 0)
        r->reo_mult = 1;
}

uint32_t tcp_rack_window_us(const struct tcp_rack *r, const struct tcp_sentq *q, uint32_t srtt_us,
                            bool recovering)
{
    uint64_t us = (uint64_t)r->reo_mult * r->min_rtt_us / 4;

    ASSERT(r->reo_mult > 0);
    if (!r->reordered && (recovering || q->sacked_count >= DUP_THRESH))
        return 0;
    return us < srtt_us ? (uint32_t)us : srtt_us;
}

unsigned tcp_rack_detect(const struct tcp_rack *r, struct tcp_sentq *q, uint64_t now_ns,
                         uint32_t window_us, uint64_t *wait_ns)
{
    uint64_t patience_ns = ((uint64_t)r->rtt_us + window_us) * NS_PER_US;
    unsigned found = 0;

    *wait_ns = 0;
    for (struct tcp_sent *s = tcp_sentq_first(q); s != NULL; s = tcp_sentq_next(q, s)) {
        if (s->flags & (TCP_SENT_SACKED | TCP_SENT_LOST))
            continue;
        if (!sent_after(r->xmit_ns, r->end_seq, s->sent_ns, s->end))
            continue;
        if (s->sent_ns + patience_ns <= now_ns) {
            tcp_sentq_lost(q, s);
            found++;
        } else if (s->sent_ns + patience_ns - now_ns > *wait_ns) {
            *wait_ns = s->sent_ns + patience_ns - now_ns;
        }
    }
    return found;
}

void tcp_rack_timed_out(const struct tcp_rack *r, struct tcp_sentq *q, uint64_t now_ns,
                        uint32_t window_us)
{
    uint64_t patience_ns = ((uint64_t)r->rtt_us + window_us) * NS_PER_US;
    struct tcp_sent *first = tcp_sentq_first(q);

    if (first == NULL)
        return;
    /* What stands first cannot have been received, or it would be acknowledged (RFC 2018, 8). */
    if (first->flags & TCP_SENT_SACKED)
        tcp_sentq_reneged(q);
    first = tcp_sentq_part_first(q, first);
    for (struct tcp_sent *s = first; s != NULL; s = tcp_sentq_next(q, s)) {
        if (s->flags & (TCP_SENT_SACKED | TCP_SENT_LOST))
            continue;
        if (s == first || s->sent_ns + patience_ns <= now_ns)
            tcp_sentq_lost(q, s);
    }
}
