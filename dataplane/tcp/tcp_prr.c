/* RFC 6937, section 3, with its slow start reduction bound. */
#include "dataplane/tcp/tcp_prr.h"

#include "base/assert.h"

void tcp_prr_begin(struct tcp_prr *p, uint32_t flight)
{
    *p = (struct tcp_prr){ .flight = flight == 0 ? 1 : flight };
}

/* SSRB: catches up to ssthresh, by what arrived and one segment. */
static uint32_t catch_up(const struct tcp_prr *p, uint32_t delivered, uint32_t room, uint16_t mss)
{
    uint32_t limit = p->delivered > p->out ? p->delivered - p->out : 0;

    limit = (limit > delivered ? limit : delivered) + mss;
    return room < limit ? room : limit;
}

uint32_t tcp_prr_window(struct tcp_prr *p, uint32_t delivered, uint32_t pipe, uint32_t ssthresh,
                        uint16_t mss)
{
    uint64_t due;

    ASSERT(p->flight > 0);
    p->delivered += delivered;
    if (pipe <= ssthresh)
        return pipe + catch_up(p, delivered, ssthresh - pipe, mss);
    due = ((uint64_t)p->delivered * ssthresh + p->flight - 1) / p->flight;
    return due > p->out ? pipe + (uint32_t)(due - p->out) : pipe;
}

void tcp_prr_sent(struct tcp_prr *p, uint32_t bytes)
{
    p->out += bytes;
}
