/*
 * postern-bench connections: established connections by the thousand and by the million in one
 * process, in virtual time: a core (net and tcp, no TLS) on a device made of memory.
 *
 * Happy path: a world for each count, all alive at once. Each is filled by handshakes, and what it
 * then holds in memory is measured; then bursts of data segments, each for another connection, go
 * into the worlds in turns, so that noise meets all alike. What is timed is the loop's turn: frames
 * taken, bytes read by their owner, ACKs sent. Failure: memory is short, or a segment was not
 * acknowledged, which only a broken stack makes.
 */
#include <stdlib.h>
#include <unistd.h>
#include <x86intrin.h>

#include "base/assert.h"
#include "base/byteorder.h"
#include "bench/connections.h"
#include "bench/options.h"
#include "bench/timing.h"
#include "dataplane/core.h"

#define OURS      0xc0000202u /* 192.0.2.2/24 */
#define GATEWAY   0xc00002feu
#define PEERS     0x0b000000u /* 11.0.0.0 and up: a connection each */
#define SEGS      4096
#define HEADROOM  128
#define ROOM      2048
#define ETH_LEN   14
#define IP4_LEN   20
#define TCP_LEN   20
#define ARP_LEN   28
#define TYPE_IP4  0x0800
#define TYPE_ARP  0x0806
#define PROTO_TCP 6
#define SYN       0x02
#define ACK       0x10
#define TEXT      1024                          /* payload of a data segment */
#define AT        (ETH_LEN + IP4_LEN + TCP_LEN) /* of the payload */
#define STEP \
    7919u /* from one connection to the next: all of them in an order that no cache likes */
#define TURN_NS (100 * NS_PER_US)
#define COUNTS  3
#define ROUNDS  450 /* a connection gets 15 segments at most, so each is acknowledged at once */

/* What the peer of a connection knows. */
struct far_end {
    uint32_t next; /* his next sequence number */
    uint32_t ours; /* what he acknowledges */
};

struct world {
    struct nic nic;
    struct core core;
    struct core_handler handler;
    struct clock clock;
    struct counters counters;
    struct far_end *ends;
    uint32_t count;
    uint32_t at; /* the connection that speaks next */
    struct seg *burst[NIC_BURST];
    unsigned burst_count;
    uint64_t acks;   /* segments that we sent */
    uint64_t read;   /* bytes that the owner took */
    uint64_t before; /* bytes resident before the core was made */
    double bytes;    /* resident since, for each connection: tables and wheel too */
    struct sample cycles;
};

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 2 };
static const uint8_t gateway_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint32_t counts[COUNTS] = { 1000, 100000, 1000000 };
static struct world worlds[COUNTS];

static unsigned nic_rx(struct nic *n, struct seg **out, unsigned max)
{
    struct world *w = LIST_ENTRY(n, struct world, nic);
    unsigned count = w->burst_count;

    ASSERT(count <= max);
    memcpy(out, w->burst, count * sizeof(*out));
    w->burst_count = 0;
    return count;
}

/* A SYN-ACK tells our number; everything goes home. */
static unsigned nic_tx(struct nic *n, struct seg **segs, unsigned count)
{
    struct world *w = LIST_ENTRY(n, struct world, nic);

    for (unsigned i = 0; i < count; i++) {
        const uint8_t *ip = segs[i]->data + ETH_LEN;
        const uint8_t *tcp = ip + IP4_LEN;

        if (load_be16(segs[i]->data + 12) == TYPE_IP4 && ip[9] == PROTO_TCP) {
            w->acks++;
            if (tcp[13] & SYN)
                w->ends[load_be32(ip + 16) - PEERS].ours = load_be32(tcp + 4) + 1;
        }
        seg_release(segs[i]);
    }
    return count;
}

static const struct nic_ops nic_ops = { .rx = nic_rx, .tx = nic_tx };

static void accepted(struct core_handler *h, struct stream *s, void *cookie)
{
    (void)h;
    (void)s;
    (void)cookie;
}

static void ready(struct core_handler *h, struct stream *s)
{
    struct world *w = LIST_ENTRY(h, struct world, handler);
    struct span runs[4];
    unsigned count;

    while ((count = s->ops->peek(s, runs, 4)) > 0) {
        for (unsigned i = 0; i < count; i++) {
            s->ops->consume(s, runs[i].len);
            w->read += runs[i].len;
        }
    }
}

static uint64_t turn(struct world *w)
{
    uint64_t begin = __rdtsc();

    (void)core_turn(&w->core);
    begin = __rdtsc() - begin;
    w->clock.now_ns += TURN_NS;
    return begin;
}

static struct seg *frame(struct world *w, uint16_t type, uint32_t len)
{
    struct seg *s = seg_alloc(w->nic.pool);

    ASSERT(s != NULL);
    memcpy(s->data, our_mac, 6);
    memcpy(s->data + 6, gateway_mac, 6);
    store_be16(s->data + 12, type);
    s->len = len;
    s->flags = SEG_RX_L3_CSUM_GOOD | SEG_RX_L4_CSUM_GOOD;
    w->burst[w->burst_count++] = s;
    return s;
}

/* So that nobody has to be asked where the gateway is: it asks for us. */
static void hear_gateway(struct world *w)
{
    static const uint8_t request[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };
    struct seg *s = frame(w, TYPE_ARP, ETH_LEN + ARP_LEN);
    uint8_t *arp = s->data + ETH_LEN;

    memset(arp, 0, ARP_LEN);
    memcpy(arp, request, sizeof(request));
    memcpy(arp + 8, gateway_mac, 6);
    store_be32(arp + 14, GATEWAY);
    store_be32(arp + 24, OURS);
    turn(w);
}

/* Headers without options; the device has checked all sums. */
static void speak(struct world *w, uint32_t number, uint8_t flags, uint16_t len)
{
    struct far_end *e = &w->ends[number];
    struct seg *s = frame(w, TYPE_IP4, AT + len);
    uint8_t *ip = s->data + ETH_LEN;
    uint8_t *tcp = ip + IP4_LEN;

    memset(ip, 0, IP4_LEN + TCP_LEN);
    ip[0] = 0x45;
    store_be16(ip + 2, (uint16_t)(IP4_LEN + TCP_LEN + len));
    ip[8] = 60;
    ip[9] = PROTO_TCP;
    store_be32(ip + 12, PEERS + number);
    store_be32(ip + 16, OURS);
    store_be16(tcp, 40000);
    store_be16(tcp + 2, 465);
    store_be32(tcp + 4, e->next);
    store_be32(tcp + 8, e->ours);
    tcp[12] = TCP_LEN / 4 << 4;
    tcp[13] = flags;
    store_be16(tcp + 14, 65535);
    e->next += len + ((flags & SYN) != 0);
}

static uint64_t resident_bytes(void)
{
    unsigned long long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f != NULL && fscanf(f, "%llu %llu", &size, &resident) != 2)
        resident = 0;
    if (f != NULL)
        fclose(f);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool open_world(struct world *w, uint32_t count)
{
    struct core_config config = {
        .net = { .address = addr_from_v4(OURS),
                 .prefix_length = 24,
                 .gateway = addr_from_v4(GATEWAY) },
        .tcp = { .connections_max = count,
                 .syn_rcvd_max = 1024,
                 .time_wait_max = 1024,
                 .receive_bytes_max = 1024 * 1024,
                 .send_bytes_max = 64 * 1024,
                 .time_wait_ms = 60000 },
        .secret = { 1, 2 },
    };
    struct endpoint at = { .port = 465 };

    w->handler = (struct core_handler){ .accepted = accepted, .ready = ready };
    w->clock.now_ns = NS_PER_S;
    w->count = count;
    w->ends = malloc(count * sizeof(*w->ends));
    w->nic = (struct nic){ .ops = &nic_ops, .mtu = 1500 };
    w->nic.offloads = NIC_RX_L3_CSUM | NIC_RX_L4_CSUM | NIC_TX_L3_CSUM | NIC_TX_L4_CSUM;
    w->nic.pool = seg_plain_create(SEGS, HEADROOM, ROOM);
    memcpy(w->nic.mac, our_mac, 6);
    if (w->ends == NULL || w->nic.pool == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        w->ends[i] = (struct far_end){ .next = 1000 + i };
    w->before = resident_bytes();
    if (!core_open(&w->core, &config, &w->nic, &w->clock, &w->counters))
        return false;
    w->core.handler = &w->handler;
    return tcp_listen(w->core.tcp, &at, NULL);
}

static bool fill(struct world *w)
{
    hear_gateway(w);
    for (uint32_t from = 0; from < w->count; from += NIC_BURST) {
        uint32_t upto = from + NIC_BURST < w->count ? from + NIC_BURST : w->count;

        for (uint32_t i = from; i < upto; i++)
            speak(w, i, SYN, 0);
        turn(w);
        for (uint32_t i = from; i < upto; i++)
            speak(w, i, ACK, 0);
        turn(w);
    }
    w->bytes = (double)(resident_bytes() - w->before) / w->count;
    return tcp_connections(w->core.tcp) == w->count;
}

/* A burst; false: a segment was not read or not acknowledged. */
static bool measure(struct world *w)
{
    uint64_t acks = w->acks, read = w->read;

    for (unsigned i = 0; i < NIC_BURST; i++) {
        speak(w, w->at, ACK, TEXT);
        w->at = (w->at + STEP) % w->count;
    }
    (void)sample_add(&w->cycles, (double)turn(w) / NIC_BURST);
    return w->acks - acks == NIC_BURST && w->read - read == (uint64_t)NIC_BURST * TEXT;
}

static void close_world(struct world *w)
{
    core_close(&w->core);
    if (w->nic.pool != NULL)
        seg_plain_destroy(w->nic.pool);
    free(w->ends);
}

static void print(double hz)
{
    printf("%12s %12s %10s %10s %8s %8s\n", "connections", "bytes each", "cycles", "least", "ns",
           "ratio");
    for (unsigned i = 0; i < COUNTS; i++) {
        struct world *w = &worlds[i];
        double median = sample_median(&w->cycles);

        printf("%12u %12.0f %10.0f %10.0f %8.0f %8.2f\n", w->count, w->bytes, median,
               sample_min(&w->cycles), median * 1e9 / hz,
               median / sample_median(&worlds[0].cycles));
    }
}

static const char *run(unsigned rounds)
{
    for (unsigned i = 0; i < COUNTS; i++)
        if (!open_world(&worlds[i], counts[i]) || !fill(&worlds[i]))
            return "memory is short";
    for (unsigned r = 0; r < rounds; r++)
        for (unsigned i = 0; i < COUNTS; i++)
            if (!measure(&worlds[i]))
                return "a segment was not acknowledged";
    return NULL;
}

int connections_main(int argc, char **argv)
{
    static struct timing timing;
    const char *fault;
    uint64_t core = 0;

    if (argc > 1 &&
        (argc != 3 || strcmp(argv[1], "-c") != 0 || !options_number(argv[2], 0, 1023, &core))) {
        fputs("usage: postern-bench connections [-c CORE]\n", stderr);
        return OPTIONS_EXIT_USAGE;
    }
    if (argc > 1 && !options_pin((int)core))
        return EXIT_FAILURE;
    timing_init(&timing);
    fault = run(ROUNDS);
    if (fault == NULL)
        print(timing.hz);
    else
        fprintf(stderr, "postern-bench: connections: %s\n", fault);
    for (unsigned i = 0; i < COUNTS; i++)
        close_world(&worlds[i]);
    return fault == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}
