/*
 * A flood of SYNs, at a rate or as fast as an interface takes them: each from another address out
 * of a /8 and another port, with the options that Linux sends. For networks of one's own: to a
 * neighbour on the link of IFACE whose MAC address the kernel knows.
 *
 * Happy path: batches of frames by sendmmsg(2) on a packet socket that goes past the kernel's
 * queues, until all are sent; then a line says how many, and how fast. Fails: no such interface or
 * neighbour, no right to packet sockets. A frame that the interface has no room for is counted and
 * made again: without a rate at once, so that the interface stays full, and what others send by it
 * is lost in it.
 */
#include "bench/flood.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/byteorder.h"
#include "base/clock.h"
#include "base/rng.h"
#include "bench/options.h"

#define BATCH       64
#define IP_AT       14
#define TCP_AT      34
#define TCP_BYTES   40
#define FRAME_BYTES (TCP_AT + TCP_BYTES)
#define SOURCES     0x0b000000U /* 11.0.0.0/8 */

struct flood {
    const char *interface;
    struct in_addr host; /* whose MAC address the frames are for */
    struct in_addr to;   /* their IP destination */
    uint16_t port;
    uint64_t count;
    uint64_t rate;    /* at most so many a second; 0: as many as the interface takes */
    uint64_t next_ns; /* when the next batch is due */
    int fd;
    struct rng rng;
    uint8_t frames[BATCH][FRAME_BYTES];
    uint64_t refused; /* the interface had no room */
};

static const char usage[] =
    "usage: postern-bench flood [OPTION...] -i INTERFACE HOST PORT\n"
    "  -i, --interface NAME    that HOST is a neighbour on\n"
    "  -n, --count N           SYNs (1000000)\n"
    "      --rate N            at most N a second (as many as the interface takes)\n"
    "      --to ADDRESS        in their IP header, if not HOST: what the sender alone costs\n"
    "      --core N            bind to this core\n"
    "      --seed N            of addresses, ports and sequence numbers (1)\n";

static bool failed(const char *what)
{
    fprintf(stderr, "postern-bench: flood: %s: %s\n", what, strerror(errno));
    return false;
}

/* --- frames ---------------------------------------------------------------------------------- */

static uint32_t sum_of(uint32_t sum, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += load_be16(bytes + i);
    return sum;
}

static void put_checksum(uint8_t *field, uint32_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    store_be16(field, (uint16_t)~sum);
}

/* What all have in common. */
static void begin_frame(const struct flood *f, uint8_t *frame, const uint8_t *ours,
                        const uint8_t *theirs)
{
    static const uint8_t ip[] = { 0x45, 0, 0, 20 + TCP_BYTES, 0, 0, 0x40, 0, 64, 6 };
    static const uint8_t options[] = {
        2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0, 1, 3, 3, 7
    };

    memcpy(frame, theirs, 6);
    memcpy(frame + 6, ours, 6);
    store_be16(frame + 12, ETHERTYPE_IP);
    memcpy(frame + IP_AT, ip, sizeof(ip));
    memcpy(frame + IP_AT + 16, &f->to, 4);
    store_be16(frame + TCP_AT + 2, f->port);
    frame[TCP_AT + 12] = TCP_BYTES / 4 << 4;
    frame[TCP_AT + 13] = 2; /* SYN */
    store_be16(frame + TCP_AT + 14, 64240);
    memcpy(frame + TCP_AT + 20, options, sizeof(options));
}

static void make_frame(struct flood *f, uint8_t *frame)
{
    uint64_t drawn = rng_next(&f->rng);
    uint8_t *ip = frame + IP_AT;
    uint8_t *tcp = frame + TCP_AT;

    store_be32(ip + 12, SOURCES | (uint32_t)(drawn & 0xffffff));
    store_be16(ip + 10, 0);
    put_checksum(ip + 10, sum_of(0, ip, 20));
    store_be16(tcp, (uint16_t)(1024 + (drawn >> 24) % 64000));
    store_be32(tcp + 4, (uint32_t)(drawn >> 32));
    store_be16(tcp + 16, 0);
    put_checksum(tcp + 16, sum_of(6 + TCP_BYTES + sum_of(0, ip + 12, 8), tcp, TCP_BYTES));
}

/* --- the socket ------------------------------------------------------------------------------ */

/* The two MAC addresses. */
static bool find_macs(struct flood *f, uint8_t *ours, uint8_t *theirs)
{
    struct ifreq ifr = { 0 };
    struct arpreq arp = { 0 };
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = f->host };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool found;

    snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", f->interface);
    snprintf(arp.arp_dev, sizeof(arp.arp_dev), "%s", f->interface);
    memcpy(&arp.arp_pa, &at, sizeof(at));
    found = fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &ifr) == 0 && ioctl(fd, SIOCGARP, &arp) == 0;
    if (!found)
        failed("the neighbour's MAC address");
    memcpy(ours, ifr.ifr_hwaddr.sa_data, 6);
    memcpy(theirs, arp.arp_ha.sa_data, 6);
    if (fd >= 0)
        close(fd);
    return found;
}

static bool open_socket(struct flood *f)
{
    struct sockaddr_ll at = { .sll_family = AF_PACKET,
                              .sll_ifindex = (int)if_nametoindex(f->interface) };
    int one = 1;

    f->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (f->fd < 0 || bind(f->fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        setsockopt(f->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) != 0)
        return failed(f->interface);
    return true;
}

static uint64_t read_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* Until a batch is due. One that is late makes the later ones late too: none are sent in a row. */
static void wait_for_turn(struct flood *f)
{
    struct timespec due = { .tv_sec = (time_t)(f->next_ns / NS_PER_S),
                            .tv_nsec = (long)(f->next_ns % NS_PER_S) };

    if (f->rate == 0)
        return;
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    f->next_ns = read_clock() + BATCH * NS_PER_S / f->rate;
}

static bool send_all(struct flood *f)
{
    struct mmsghdr batch[BATCH];
    struct iovec parts[BATCH];
    unsigned held = 0; /* of the last batch, not sent yet */

    memset(batch, 0, sizeof(batch));
    for (unsigned i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){ f->frames[i], FRAME_BYTES };
        batch[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
    }
    for (uint64_t left = f->count; left > 0;) {
        unsigned want = left < BATCH ? (unsigned)left : BATCH;
        int sent;

        for (unsigned i = held; i < want; i++)
            make_frame(f, f->frames[i]);
        wait_for_turn(f);
        sent = sendmmsg(f->fd, batch, want, 0);
        if (sent < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
            return failed("sending");
        f->refused += sent <= 0;
        left -= sent > 0 ? (unsigned)sent : 0;
        held = sent > 0 ? 0 : want;
    }
    return true;
}

static bool flood(struct flood *f)
{
    uint8_t ours[6], theirs[6];
    uint64_t begin;
    double seconds;

    if (!find_macs(f, ours, theirs) || !open_socket(f))
        return false;
    for (unsigned i = 0; i < BATCH; i++)
        begin_frame(f, f->frames[i], ours, theirs);
    begin = read_clock();
    if (!send_all(f))
        return false;
    seconds = (double)(read_clock() - begin) / NS_PER_S;
    printf("sent\t%" PRIu64 "\trefused\t%" PRIu64 "\tseconds\t%.3f\ta second\t%.0f\n", f->count,
           f->refused, seconds, (double)f->count / seconds);
    return true;
}

/* --- the command line ------------------------------------------------------------------------ */

static bool take_option(struct flood *f, int opt, bool *to_given)
{
    uint64_t value = 0;

    switch (opt) {
    case 'i': f->interface = optarg; return true;
    case 'n': return options_number(optarg, 1, UINT32_MAX, &f->count);
    case 'r': return options_number(optarg, 1, UINT32_MAX, &f->rate);
    case 't': *to_given = true; return inet_pton(AF_INET, optarg, &f->to) == 1;
    case 'c': return options_number(optarg, 0, 1023, &value) && options_pin((int)value);
    case 's':
        if (!options_number(optarg, 0, UINT32_MAX, &value))
            return false;
        rng_seed(&f->rng, value);
        return true;
    default: return false;
    }
}

int flood_main(int argc, char **argv)
{
    static const struct option longs[] = { { "interface", required_argument, NULL, 'i' },
                                           { "count", required_argument, NULL, 'n' },
                                           { "rate", required_argument, NULL, 'r' },
                                           { "to", required_argument, NULL, 't' },
                                           { "core", required_argument, NULL, 'c' },
                                           { "seed", required_argument, NULL, 's' },
                                           { 0 } };
    static struct flood f = { .count = 1000000, .fd = -1 };
    bool to_given = false, good = true;
    uint64_t port;
    int opt;

    rng_seed(&f.rng, 1);
    while (good && (opt = getopt_long(argc, argv, "i:n:h", longs, NULL)) != -1)
        good = take_option(&f, opt, &to_given);
    if (!good || f.interface == NULL || argc - optind != 2 ||
        inet_pton(AF_INET, argv[optind], &f.host) != 1 ||
        !options_number(argv[optind + 1], 1, UINT16_MAX, &port)) {
        fputs(usage, stderr);
        return OPTIONS_EXIT_USAGE;
    }
    f.port = (uint16_t)port;
    if (!to_given)
        f.to = f.host;
    good = flood(&f);
    if (f.fd >= 0)
        close(f.fd);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
