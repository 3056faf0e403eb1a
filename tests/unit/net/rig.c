/* See rig.h. The checksums here are the slow model's, so that the code under test never checks
 * itself. */
#include "rig.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define HEADROOM 128

const uint8_t rig_our_mac[6] = { 0x02, 0, 0, 0, 0, 0x02 };
const uint8_t rig_peer_mac[6] = { 0x02, 0, 0, 0, 0, 0x01 };
const uint8_t rig_broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static bool is_report(const struct seg *s)
{
    return s->len > 62 && load_be16(s->data + 12) == 0x86dd && s->data[20] == 0 &&
           s->data[62] == 143;
}

static unsigned rig_tx(struct nic *n, struct seg **segs, unsigned count)
{
    struct rig *r = (struct rig *)(void *)n;
    unsigned taken = 0;

    ASSERT(count > 0 && count <= NIC_BURST);
    for (; taken < count && r->tx_budget > 0; taken++, r->tx_budget--) {
        struct rig_frame *f = &r->sent[r->sent_count % RIG_SENT_MAX];

        r->sent_count += r->keep_reports || !is_report(segs[taken]);
        ASSERT(segs[taken]->len <= sizeof(f->bytes));
        f->len = segs[taken]->len;
        f->flags = segs[taken]->flags;
        memcpy(f->bytes, segs[taken]->data, f->len);
        seg_release(segs[taken]);
    }
    return taken;
}

static unsigned rig_rx(struct nic *n, struct seg **out, unsigned max)
{
    struct rig *r = (struct rig *)(void *)n;

    if (max == 0 || r->incoming == NULL)
        return 0;
    out[0] = r->incoming;
    r->incoming = NULL;
    return 1;
}

static bool rig_up(struct nic *n)
{
    return !((struct rig *)(void *)n)->down;
}

static bool rig_give(struct nic *n, uint16_t to, const struct seg *s)
{
    struct rig *r = (struct rig *)(void *)n;
    struct rig_frame *f = &r->given;

    ASSERT(to != n->queue && s->len <= sizeof(f->bytes));
    if (r->give_budget == 0)
        return false;
    r->give_budget--;
    r->shared++;
    r->given_to = to;
    f->len = s->len;
    f->flags = s->flags;
    memcpy(f->bytes, s->data, s->len);
    return true;
}

void rig_two_queues(struct rig *r)
{
    static const uint8_t key[SPREAD_KEY_BYTES] = { 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b };

    spread_init(&r->spread, key, 2);
    r->nic.spread = &r->spread;
    r->give_budget = UINT32_MAX;
}

static const struct nic_ops rig_ops = {
    .rx = rig_rx, .tx = rig_tx, .give = rig_give, .up = rig_up
};

static void exact_free(struct seg_pool *pool, struct seg *s)
{
    struct rig *r = (struct rig *)(void *)((char *)pool - offsetof(struct rig, exact));

    r->exact_out--;
    free(s->head);
    free(s);
}

static const struct seg_pool_ops exact_ops = { .free = exact_free };

struct rig *rig_create(uint32_t offloads)
{
    struct net_config config = { .address = addr_from_v4(RIG_OURS),
                                 .prefix_length = 24,
                                 .gateway = addr_from_v4(RIG_GATEWAY) };
    struct rig *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return NULL;
    r->exact = (struct seg_pool){ .ops = &exact_ops };
    r->plain = seg_plain_create(RIG_SEGS, HEADROOM, 2048);
    ASSERT(r->plain != NULL);
    fault_pool_init(&r->pool, r->plain);
    r->nic =
        (struct nic){ .ops = &rig_ops, .pool = &r->pool.pool, .mtu = 1500, .offloads = offloads };
    memcpy(r->nic.mac, rig_our_mac, 6);
    r->clock.now_ns = 1000 * NS_PER_S;
    r->tx_budget = UINT32_MAX;
    r->net = net_create(
        &config, &(struct net_env){ .nic = &r->nic, .clock = &r->clock, .counters = &r->counters });
    ASSERT(r->net != NULL);
    net_flush(r->net);
    rig_forget_sent(r);
    memset(&r->counters, 0, sizeof(r->counters));
    return r;
}

void rig_destroy(struct rig *r)
{
    net_destroy(r->net);
    ASSERT(r->exact_out == 0);
    seg_plain_destroy(r->plain);
    free(r);
}

/* A segment whose memory ends with the frame, so that AddressSanitizer sees a read past it. */
static struct seg *segment_of(struct rig *r, const void *frame, uint32_t len)
{
    struct seg *s = calloc(1, sizeof(*s));

    ASSERT(s != NULL);
    *s = (struct seg){ .pool = &r->exact, .len = len, .cap = len + HEADROOM, .ref = 1 };
    list_node_init(&s->link);
    s->head = malloc(s->cap);
    ASSERT(s->head != NULL);
    s->data = s->head + HEADROOM;
    if (len > 0)
        memcpy(s->data, frame, len);
    r->exact_out++;
    return s;
}

enum net_verdict rig_receive_rx(struct rig *r, const void *frame, uint32_t len, struct net_rx *rx)
{
    enum net_verdict verdict = net_input(r->net, segment_of(r, frame, len), rx);

    net_flush(r->net);
    return verdict;
}

enum net_verdict rig_receive(struct rig *r, const void *frame, uint32_t len, struct seg **tcp)
{
    struct net_rx rx;
    enum net_verdict verdict = rig_receive_rx(r, frame, len, &rx);

    *tcp = verdict == NET_TCP ? rx.s : NULL;
    return verdict;
}

enum net_verdict rig_receive_flags(struct rig *r, const void *frame, uint32_t len, uint16_t flags)
{
    struct seg *s = segment_of(r, frame, len);
    struct net_rx rx;
    enum net_verdict verdict;

    s->flags = flags;
    verdict = net_input(r->net, s, &rx);
    if (verdict == NET_TCP)
        seg_release(rx.s);
    net_flush(r->net);
    return verdict;
}

void rig_wait_ms(struct rig *r, uint64_t ms)
{
    r->clock.now_ns += ms * NS_PER_MS;
    net_tick(r->net);
    net_flush(r->net);
}

void rig_forget_sent(struct rig *r)
{
    r->sent_count = 0;
}

uint64_t rig_count(const struct rig *r, enum counter_id id)
{
    return counter_get(&r->counters, id);
}

uint16_t rig_slow_csum(uint32_t sum, const uint8_t *p, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

uint32_t rig_arp(uint8_t *to, const struct net_wire_arp *arp, const uint8_t dst[6])
{
    net_wire_eth_write(to, dst, arp->sender_mac, NET_WIRE_TYPE_ARP);
    net_wire_arp_write(to + NET_WIRE_ETH_LEN, arp);
    return NET_WIRE_ETH_LEN + NET_WIRE_ARP_LEN;
}

uint32_t rig_arp_peer(uint8_t *to, uint16_t op)
{
    struct net_wire_arp arp = { .op = op, .sender_ip = RIG_PEER, .target_ip = RIG_OURS };

    memcpy(arp.sender_mac, rig_peer_mac, 6);
    if (op == NET_WIRE_ARP_REPLY)
        memcpy(arp.target_mac, rig_our_mac, 6);
    return rig_arp(to, &arp, op == NET_WIRE_ARP_REQUEST ? rig_broadcast : rig_our_mac);
}

void rig_fix_ip4(uint8_t *frame)
{
    uint8_t *ip = frame + NET_WIRE_ETH_LEN;

    store_be16(ip + NET_WIRE_IP4_CSUM_AT, 0);
    store_be16(ip + NET_WIRE_IP4_CSUM_AT, rig_slow_csum(0, ip, (ip[0] & 15u) * 4));
}

uint32_t rig_ip4(uint8_t *to, const struct rig_packet *p)
{
    uint16_t header_len = (uint16_t)(NET_WIRE_IP4_LEN + p->option_words * 4);
    struct net_wire_ip4 ip = { .total_len = (uint16_t)(header_len + p->payload_len),
                               .ttl = 63,
                               .proto = p->proto,
                               .src = p->src,
                               .dst = p->dst };
    uint8_t *header = to + NET_WIRE_ETH_LEN;

    net_wire_eth_write(to, rig_our_mac, rig_peer_mac, NET_WIRE_TYPE_IP4);
    net_wire_ip4_write(header, &ip);
    header[0] = (uint8_t)(0x40 | header_len / 4);
    memset(header + NET_WIRE_IP4_LEN, 1, p->option_words * 4u);
    memcpy(header + header_len, p->payload, p->payload_len);
    rig_fix_ip4(to);
    return NET_WIRE_ETH_LEN + ip.total_len;
}

uint32_t rig_echo(uint8_t *to, uint32_t src, uint16_t len)
{
    uint8_t icmp[1600] = { 8, 0, 0, 0, 0x12, 0x34, 0, 1 };
    struct rig_packet p = { .src = src,
                            .dst = RIG_OURS,
                            .proto = NET_WIRE_PROTO_ICMP,
                            .payload = icmp,
                            .payload_len = (uint16_t)(NET_WIRE_ICMP_LEN + len) };

    for (uint32_t i = 0; i < len; i++)
        icmp[NET_WIRE_ICMP_LEN + i] = (uint8_t)(i * 7);
    store_be16(icmp + NET_WIRE_ICMP_CSUM_AT, rig_slow_csum(0, icmp, p.payload_len));
    return rig_ip4(to, &p);
}

/* A header without options, then len bytes; the checksum over the pseudo header. */
static void tcp_bytes(uint8_t *to, uint32_t src, uint32_t dst, uint16_t len)
{
    uint8_t pseudo[12] = { 0 };
    uint16_t total = (uint16_t)(NET_WIRE_TCP_LEN + len);

    memset(to, 0, NET_WIRE_TCP_LEN);
    store_be16(to, 40000);
    store_be16(to + 2, 465);
    to[12] = 5 << 4;
    to[13] = 0x18; /* ACK PSH */
    for (uint32_t i = 0; i < len; i++)
        to[NET_WIRE_TCP_LEN + i] = (uint8_t)(i * 13);
    store_be32(pseudo, src);
    store_be32(pseudo + 4, dst);
    pseudo[9] = NET_WIRE_PROTO_TCP;
    store_be16(pseudo + 10, total);
    store_be16(to + NET_WIRE_TCP_CSUM_AT,
               rig_slow_csum((uint16_t)~rig_slow_csum(0, pseudo, 12), to, total));
}

uint32_t rig_tcp(uint8_t *to, uint16_t len)
{
    uint8_t tcp[1600];
    struct rig_packet p = { .src = RIG_PEER,
                            .dst = RIG_OURS,
                            .proto = NET_WIRE_PROTO_TCP,
                            .payload = tcp,
                            .payload_len = (uint16_t)(NET_WIRE_TCP_LEN + len) };

    tcp_bytes(tcp, RIG_PEER, RIG_OURS, len);
    return rig_ip4(to, &p);
}

struct seg *rig_segment(struct rig *r, uint16_t len)
{
    struct seg *s = seg_alloc(r->plain);

    ASSERT(s != NULL);
    tcp_bytes(s->data, RIG_OURS, RIG_PEER, len);
    store_be16(s->data + NET_WIRE_TCP_CSUM_AT, 0);
    s->len = NET_WIRE_TCP_LEN + len;
    return s;
}
