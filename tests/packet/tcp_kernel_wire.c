/* See tcp_kernel_wire.h. Happy path: IPv4 without options around a TCP segment, both ways. */
#include "tcp_kernel_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"

#define IP_LEN     20
#define ROOM       4096
#define PROTO_ICMP 1
#define PROTO_TCP  6
#define DEVICE     "packet"

static const struct {
    const char *name;
    const char *value;
} settings[] = {
    { "ipv4/tcp_invalid_ratelimit", "0" }, /* every challenge is to be seen, not one in 500 ms */
    { "ipv4/tcp_no_metrics_save", "1" },   /* a case is not to learn from the one before */
    { "ipv4/tcp_rfc1337", "1" },
    { "ipv6/conf/all/disable_ipv6", "1" },
};

static bool set_up(void)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        char path[128];
        FILE *f;

        snprintf(path, sizeof(path), "/proc/sys/net/%s", settings[i].name);
        f = fopen(path, "w");
        if (f == NULL || fputs(settings[i].value, f) < 0 || fclose(f) != 0)
            return false;
    }
    return true;
}

static bool configure(unsigned long request, struct ifreq *r)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bool ok;

    memcpy(r->ifr_name, DEVICE, sizeof(DEVICE));
    ok = fd >= 0 && ioctl(fd, request, r) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool set_address(unsigned long request, uint32_t value)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(value) };
    struct ifreq r = { 0 };

    memcpy(&r.ifr_addr, &at, sizeof(at));
    return configure(request, &r);
}

bool tcp_kernel_wire_mtu(uint32_t mtu)
{
    struct ifreq r = { .ifr_mtu = (int)mtu };

    return configure(SIOCSIFMTU, &r);
}

bool tcp_kernel_wire_open(struct tcp_kernel_wire *w)
{
    struct ifreq tun = { .ifr_name = DEVICE, .ifr_flags = IFF_TUN | IFF_NO_PI };
    struct ifreq up = { .ifr_flags = IFF_UP };
    bool ok;

    memset(w, 0, sizeof(*w));
    ok = unshare(CLONE_NEWNET) == 0;
    w->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    ok = ok && w->fd >= 0 && ioctl(w->fd, TUNSETIFF, &tun) == 0 && set_up() &&
         set_address(SIOCSIFADDR, TCP_KERNEL_ADDR) && set_address(SIOCSIFNETMASK, 0xff000000) &&
         configure(SIOCSIFFLAGS, &up);
    if (!ok) {
        fprintf(stderr, "a namespace with a TUN device: %s\n", strerror(errno));
        return false;
    }
    w->pool = seg_plain_create(8, 128, ROOM);
    return w->pool != NULL;
}

void tcp_kernel_wire_close(struct tcp_kernel_wire *w)
{
    seg_release(w->seg);
    seg_plain_destroy(w->pool);
    close(w->fd);
}

/* --- out ------------------------------------------------------------------------------------- */

static uint32_t sum(const uint8_t *at, uint32_t len, uint32_t before)
{
    for (uint32_t i = 0; i < len; i++)
        before += i % 2 == 0 ? (uint32_t)at[i] << 8 : at[i];
    return before;
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put_checksum(uint8_t *at, uint32_t total)
{
    while (total >> 16 != 0)
        total = (total & 0xffff) + (total >> 16);
    put16(at, ~total & 0xffff);
}

static void put_ip(uint8_t *ip, uint32_t len, uint8_t proto, uint32_t from, uint32_t to)
{
    memset(ip, 0, IP_LEN);
    ip[0] = 0x45;
    put16(ip + 2, IP_LEN + len);
    ip[6] = 0x40; /* DF */
    ip[8] = 64;
    ip[9] = proto;
    put32(ip + 12, from);
    put32(ip + 16, to);
    put_checksum(ip + 10, sum(ip, IP_LEN, 0));
}

bool tcp_kernel_wire_send(struct tcp_kernel_wire *w, struct seg *s, uint32_t to)
{
    uint8_t packet[ROOM];
    uint8_t *tcp = packet + IP_LEN;
    uint32_t len = s->len;

    ASSERT(len <= sizeof(packet) - IP_LEN);
    put_ip(packet, len, PROTO_TCP, w->client, to);
    memcpy(tcp, s->data, len);
    put16(tcp + 16, 0);
    put_checksum(tcp + 16, sum(tcp, len, sum(packet + 12, 8, PROTO_TCP + len)));
    return write(w->fd, packet, IP_LEN + len) == (ssize_t)(IP_LEN + len);
}

bool tcp_kernel_wire_icmp(struct tcp_kernel_wire *w, const uint16_t ports[2], uint32_t seq,
                          uint16_t mtu)
{
    uint8_t packet[IP_LEN + 8 + IP_LEN + 8] = { 0 };
    uint8_t *icmp = packet + IP_LEN;
    uint8_t *quoted = icmp + 8;

    put_ip(packet, sizeof(packet) - IP_LEN, PROTO_ICMP, w->client, TCP_KERNEL_ADDR);
    put_ip(quoted, 1000, PROTO_TCP, TCP_KERNEL_ADDR, w->client);
    put16(quoted + IP_LEN, ports[0]);
    put16(quoted + IP_LEN + 2, ports[1]);
    put32(quoted + IP_LEN + 4, seq);
    icmp[0] = 3; /* destination unreachable: needs fragmentation, or the host */
    icmp[1] = mtu != 0 ? 4 : 1;
    put16(icmp + 6, mtu);
    put_checksum(icmp + 2, sum(icmp, sizeof(packet) - IP_LEN, 0));
    return write(w->fd, packet, sizeof(packet)) == (ssize_t)sizeof(packet);
}

/* --- in -------------------------------------------------------------------------------------- */

uint64_t tcp_kernel_wire_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* A TCP segment for us; false: something else, or nothing. */
static bool read_one(struct tcp_kernel_wire *w)
{
    struct seg *s = w->seg;
    ssize_t len = read(w->fd, s->data, ROOM);

    if (len <= IP_LEN || s->data[0] != 0x45 || s->data[9] != PROTO_TCP ||
        get32(s->data + 16) != w->client)
        return false;
    s->len = (uint32_t)len;
    seg_pull(s, IP_LEN);
    return true;
}

struct seg *tcp_kernel_wire_receive(struct tcp_kernel_wire *w, uint64_t wait_ns)
{
    uint64_t until = tcp_kernel_wire_now_ns() + wait_ns;

    for (;;) {
        struct pollfd fd = { .fd = w->fd, .events = POLLIN };
        uint64_t now = tcp_kernel_wire_now_ns();
        uint64_t left = until > now ? until - now : 0;
        struct timespec ts = { (time_t)(left / NS_PER_S), (long)(left % NS_PER_S) };

        if (ppoll(&fd, 1, &ts, NULL) <= 0)
            return NULL;
        if (w->seg != NULL)
            seg_release(w->seg);
        w->seg = seg_alloc(w->pool);
        ASSERT(w->seg != NULL);
        if (read_one(w))
            return w->seg;
    }
}
