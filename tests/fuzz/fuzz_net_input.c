/*
 * Frames from a stranger, with sending and time between them. The input is a list of steps, each a
 * byte and its arguments: 0 length(2, little-endian) bytes: a frame; 1 address(4): send a segment
 * there; 2 tenths(1): wait; 3 take(1): the device takes so many frames from here on; 4 address(16):
 * send a segment there by IPv6. What reaches TCP must be a whole segment from a plausible sender;
 * no segment may be lost or kept past the bounds.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"
#include "rig6.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct steps {
    const uint8_t *at;
    size_t left;
};

static uint32_t take(struct steps *s, uint32_t bytes)
{
    uint32_t value = 0;

    for (uint32_t i = 0; i < bytes && s->left > 0; i++, s->at++, s->left--)
        value |= (uint32_t)*s->at << 8 * i;
    return value;
}

static void receive(struct rig *r, struct steps *s)
{
    uint32_t len = take(s, 2) % 1600;
    struct seg *tcp;

    if (len > s->left)
        len = (uint32_t)s->left;
    if (rig_receive(r, s->at, len, &tcp) == NET_TCP) {
        ASSERT(tcp->len >= NET_WIRE_TCP_LEN &&
               tcp->len + NET_WIRE_ETH_LEN + NET_WIRE_IP4_LEN <= len);
        ASSERT(tcp->data >= tcp->head && tcp->data + tcp->len <= tcp->head + tcp->cap);
        seg_release(tcp);
    }
    s->at += len;
    s->left -= len;
}

static void send_to(struct rig *r, uint32_t address)
{
    struct addr src = addr_from_v4(RIG_OURS), dst = addr_from_v4(address);

    net_output_tcp(r->net, rig_segment(r, 10), &src, &dst);
    net_flush(r->net);
}

static void send_to6(struct rig *r, struct steps *s)
{
    struct addr dst;

    for (unsigned i = 0; i < sizeof(dst.octets); i++)
        dst.octets[i] = (uint8_t)take(s, 1);
    if (addr_is_v4(&dst) || addr_is_group(&dst))
        return; /* no connection has such a peer */
    net_output_tcp(r->net, rig_segment(r, 10), &rig6_ours, &dst);
    net_flush(r->net);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rig *r;
    struct steps s = { data, size };

    r = rig6_create(size > 0 && (data[0] & 0x80) != 0 ? NIC_TX_L3_CSUM | NIC_TX_L4_CSUM : 0);
    ASSERT(r != NULL);
    while (s.left > 0) {
        switch (take(&s, 1) & 7) {
        case 0: receive(r, &s); break;
        case 1: send_to(r, take(&s, 4)); break;
        case 2: rig_wait_ms(r, take(&s, 1) * 100); break;
        case 4: send_to6(r, &s); break;
        default: r->tx_budget = take(&s, 1); break;
        }
        /* One waits for each neighbour and for each packet in fragments, the rest is in the queue.
         */
        ASSERT(RIG_SEGS - r->plain->ops->available(r->plain) + r->exact_out <=
               LIMIT_NET_NEIGHBOURS + LIMIT_NET_OUT_SEGS + LIMIT_NET_FRAG_PACKETS);
    }
    rig_destroy(r);
    return 0;
}
