/*
 * See RFC 9406, 4.2 and 4.3. Happy path: the least round trip of a round is well above that of the
 * round before; five rounds of careful growth later it still is, and slow start is over. Failure
 * mode: it was noise. Then a round falls below the baseline, and slow start goes on.
 */
#include "dataplane/tcp/tcp_hystart.h"

#include "base/assert.h"
#include "dataplane/tcp/tcp_seq.h"

/* RFC 9406, 4.3 */
#define THRESHOLD_LEAST_US 4000U
#define THRESHOLD_MOST_US  16000U
#define RTT_DIVISOR        8
#define SAMPLES            8
#define CAREFUL_ROUNDS     5

void tcp_hystart_begin(struct tcp_hystart *h, uint32_t nxt)
{
    *h = (struct tcp_hystart){ .round_end = nxt };
}

static void begin_round(struct tcp_hystart *h, uint32_t nxt)
{
    h->last_us = h->least_us;
    h->least_us = 0;
    h->samples = 0;
    h->round_end = nxt;
}

static void note_sample(struct tcp_hystart *h, uint32_t rtt_us)
{
    if (h->least_us == 0 || rtt_us < h->least_us)
        h->least_us = rtt_us;
    if (h->samples < SAMPLES)
        h->samples++;
}

static uint32_t threshold_us(const struct tcp_hystart *h)
{
    uint32_t us = h->last_us / RTT_DIVISOR;

    us = us > THRESHOLD_LEAST_US ? us : THRESHOLD_LEAST_US;
    return us < THRESHOLD_MOST_US ? us : THRESHOLD_MOST_US;
}

/* Enough is known of this round: into conservative slow start, or back out of it. */
static void judge(struct tcp_hystart *h)
{
    ASSERT(h->least_us > 0);
    if (h->base_us != 0) {
        if (h->least_us < h->base_us)
            h->base_us = 0;
    } else if (h->last_us != 0 && h->least_us >= h->last_us + threshold_us(h)) {
        h->base_us = h->least_us;
        h->rounds = 0;
        ASSERT(h->base_us > h->last_us);
    }
}

enum tcp_hystart_phase tcp_hystart_acked(struct tcp_hystart *h, uint32_t una, uint32_t nxt,
                                         uint32_t rtt_us)
{
    ASSERT(h->samples <= SAMPLES);
    if (rtt_us > 0)
        note_sample(h, rtt_us);
    if (h->samples == SAMPLES)
        judge(h);
    if (tcp_seq_ge(una, h->round_end)) {
        /* The round that it began in counts (RFC 9406, 4.2). */
        if (h->base_us != 0 && ++h->rounds == CAREFUL_ROUNDS)
            return TCP_HYSTART_FINISHED;
        begin_round(h, nxt);
    }
    return h->base_us != 0 ? TCP_HYSTART_CAREFUL : TCP_HYSTART_FAST;
}
