/*
 * The other end of a wire between two DPDK devices (net_memif): asks a host for its address by ARP,
 * then pings it.
 *
 *     nic_peer OUR-ADDRESS ITS-ADDRESS [EAL argument ...]
 *
 * Exit 0 when it answered a hundred echo requests of growing size, byte for byte; 1 with a sentence
 * when it did not within ten seconds.
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "base/clock.h"
#include "dataplane/net/net_csum.h"
#include "dataplane/net/net_wire.h"
#include "dataplane/nic/nic_port.h"

#define ECHOES      100
#define ECHO_BYTES  14 /* each is longer than the last by so much */
#define PATIENCE_NS (10 * NS_PER_S)
#define AGAIN_NS    (100 * NS_PER_MS)
#define IP_AT       NET_WIRE_ETH_LEN
#define ICMP_AT     (NET_WIRE_ETH_LEN + NET_WIRE_IP4_LEN)

struct peer {
    struct nic *nic;
    uint32_t ours;
    uint32_t its;
    uint8_t its_mac[6];
    bool known;
    uint16_t echoes; /* answered */
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint32_t write_request(const struct peer *p, uint8_t *to)
{
    static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    struct net_wire_arp arp = { .op = NET_WIRE_ARP_REQUEST,
                                .sender_ip = p->ours,
                                .target_ip = p->its };

    memcpy(arp.sender_mac, p->nic->mac, 6);
    net_wire_eth_write(to, all, p->nic->mac, NET_WIRE_TYPE_ARP);
    net_wire_arp_write(to + NET_WIRE_ETH_LEN, &arp);
    return NET_WIRE_ETH_LEN + NET_WIRE_ARP_LEN;
}

static uint32_t write_echo(const struct peer *p, uint8_t *to)
{
    uint16_t icmp_len = (uint16_t)(NET_WIRE_ICMP_LEN + p->echoes * ECHO_BYTES);
    struct net_wire_ip4 ip = { .total_len = (uint16_t)(NET_WIRE_IP4_LEN + icmp_len),
                               .ttl = 1,
                               .proto = NET_WIRE_PROTO_ICMP,
                               .src = p->ours,
                               .dst = p->its };
    uint8_t *icmp = to + ICMP_AT;

    net_wire_eth_write(to, p->its_mac, p->nic->mac, NET_WIRE_TYPE_IP4);
    net_wire_ip4_write(to + IP_AT, &ip);
    net_csum_store(to + IP_AT + NET_WIRE_IP4_CSUM_AT,
                   net_csum_add(0, to + IP_AT, NET_WIRE_IP4_LEN));
    for (uint32_t i = 0; i < icmp_len; i++)
        icmp[i] = (uint8_t)(i * 31 + p->echoes);
    memcpy(icmp, (uint8_t[]){ 8, 0, 0, 0, 0, 1 }, 6);
    store_be16(icmp + 6, p->echoes);
    net_csum_store(icmp + NET_WIRE_ICMP_CSUM_AT, net_csum_add(0, icmp, icmp_len));
    return ICMP_AT + icmp_len;
}

static bool ask(const struct peer *p)
{
    struct seg *s = seg_alloc(p->nic->pool);

    if (s == NULL)
        return false;
    s->len = p->known ? write_echo(p, s->data) : write_request(p, s->data);
    if (p->nic->ops->tx(p->nic, &s, 1) == 1)
        return true;
    seg_release(s);
    return false;
}

/* An ARP reply of its, or the echo reply that is waited for: the request's data, all of it. */
static bool is_answer(struct peer *p, const struct seg *s)
{
    uint8_t request[2048];
    uint32_t len = write_echo(p, request);
    struct net_wire_arp arp;

    if (s->len >= IP_AT && load_be16(s->data + 12) == NET_WIRE_TYPE_ARP &&
        net_wire_arp_read(span_skip(seg_span(s), IP_AT), &arp) && arp.op == NET_WIRE_ARP_REPLY &&
        arp.sender_ip == p->its) {
        memcpy(p->its_mac, arp.sender_mac, 6);
        return !p->known;
    }
    return p->known && s->len == len && s->data[ICMP_AT] == 0 &&
           memcmp(s->data + ICMP_AT + 4, request + ICMP_AT + 4, len - ICMP_AT - 4) == 0;
}

static bool receive(struct peer *p)
{
    struct seg *in[NIC_BURST];
    unsigned count = p->nic->ops->rx(p->nic, in, NIC_BURST);
    bool answered = false;

    for (unsigned i = 0; i < count; i++) {
        answered = answered || is_answer(p, in[i]);
        seg_release(in[i]);
    }
    return answered;
}

static int run(struct peer *p)
{
    uint64_t begin = now_ns(), asked = 0, now;

    while (p->echoes < ECHOES) {
        now = now_ns();
        if (now - begin > PATIENCE_NS) {
            printf("%s after %u echoes\n", p->known ? "no answer" : "no answer to ARP", p->echoes);
            return 1;
        }
        if (now - asked > AGAIN_NS && ask(p))
            asked = now;
        if (receive(p)) {
            p->echoes = (uint16_t)(p->echoes + p->known);
            p->known = true;
            asked = 0;
        }
        sched_yield();
    }
    printf("%u echoes answered\n", p->echoes);
    return 0;
}

int main(int argc, char **argv)
{
    char text[1024] = "";
    struct buf why = { .ptr = (uint8_t *)text, .cap = sizeof(text) - 1 };
    struct nic_port_config config = { .workers = 1, .connections = 16 };
    struct nic_port *port;
    struct addr ours, its;
    struct peer peer = { 0 };
    int status;

    if (argc < 3 || !addr_parse(argv[1], &ours) || !addr_parse(argv[2], &its)) {
        fprintf(stderr, "usage: nic_peer OUR-ADDRESS ITS-ADDRESS [EAL argument ...]\n");
        return 1;
    }
    argv[2] = argv[0];
    if (!nic_eal_start(argc - 2, argv + 2, &why) || !nic_thread_attach() ||
        (port = nic_port_open(&config, &why)) == NULL) {
        fprintf(stderr, "%s\n", text);
        return 1;
    }
    peer.ours = addr_v4(&ours);
    peer.its = addr_v4(&its);
    peer.nic = nic_port_nic(port, 0);
    status = run(&peer);
    nic_port_close(port);
    nic_eal_stop();
    return status;
}
