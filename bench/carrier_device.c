/*
 * See carrier.h: our own TCP on a DPDK device, in this process. It polls; after a while without
 * work it naps between two looks, for the other side may need the core.
 *
 * Failure modes: EAL or the device refuses, in DPDK's own words; nobody is at the other end of the
 * wire (net_memif's server must be there); no port or block is free, which is EADDRNOTAVAIL.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "bench/carrier.h"
#include "bench/hosts.h"
#include "bench/timing.h"
#include "dataplane/nic/nic_port.h"

#define BUSY_MAX   4096 /* connections that have something under way at once, for the pool's sum */
#define SPARE      64   /* connections that are ended and not gone yet, of each host */
#define IDLE_TURNS 256  /* before the first nap */
#define NAP_NS     (20 * NS_PER_US)
#define LOOK_MS    5
#define UP_MS      10000
#define WAY_NS     (3 * NS_PER_S)

struct device {
    struct carrier carrier;
    struct core_handler handler;
    struct nic_port *port;
    struct nic *nic;
    struct hosts *hosts;
    struct endpoint to;
    unsigned idle; /* turns */
};

static bool connect_stream(struct carrier *carrier, struct carried *c)
{
    struct device *d = (struct device *)carrier;

    c->stream = hosts_connect(d->hosts, &d->to);
    if (c->stream == NULL) {
        errno = EADDRNOTAVAIL;
        return false;
    }
    c->stream->owner = c->owner;
    return true;
}

static bool stream_connected(struct carried *c)
{
    errno = ECONNREFUSED;
    return (c->stream->ready & STREAM_FAILED) == 0;
}

static ssize_t stream_receive(struct carried *c, void *to, size_t cap)
{
    uint32_t n = c->stream->ops->read(c->stream, to, (uint32_t)cap);

    if (n > 0)
        return (ssize_t)n;
    if ((c->stream->ready & STREAM_FAILED) == 0 && (c->stream->ready & STREAM_ENDED) != 0)
        return 0;
    errno = (c->stream->ready & STREAM_FAILED) != 0 ? ECONNRESET : EAGAIN;
    return -1;
}

static ssize_t stream_send(struct carried *c, const void *from, size_t len)
{
    uint32_t n = 0;

    errno = (c->stream->ready & STREAM_FAILED) != 0 ? ECONNRESET : EAGAIN;
    if (errno == EAGAIN)
        n = stream_write(c->stream, span_of(from, (uint32_t)len));
    return n > 0 ? (ssize_t)n : -1;
}

static void close_stream(struct carried *c)
{
    if (c->stream == NULL)
        return;
    c->stream->ops->shutdown(c->stream);
    c->stream->ops->close(c->stream);
    c->stream = NULL;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool wait_frames(struct carrier *carrier, uint64_t due_ns)
{
    struct device *d = (struct device *)carrier;
    uint64_t now = timing_now_ns();
    struct timespec nap;

    carrier->clock->now_ns = now;
    d->idle = hosts_turn(d->hosts) > 0 ? 0 : d->idle + 1;
    if (d->idle < IDLE_TURNS)
        return true;
    due_ns = earlier(earlier(due_ns, hosts_next_ns(d->hosts)), now + NAP_NS);
    nap = (struct timespec){ .tv_nsec = due_ns > now ? (long)(due_ns - now) : 0 };
    return ppoll(NULL, 0, &nap, NULL) == 0 || errno == EINTR;
}

static void destroy_device(struct carrier *carrier)
{
    struct device *d = (struct device *)carrier;

    if (d->hosts != NULL)
        hosts_destroy(d->hosts);
    if (d->port != NULL)
        nic_port_close(d->port);
    nic_eal_stop();
    free(d);
}

static const struct carrier_ops device_ops = {
    .connect = connect_stream,
    .connected = stream_connected,
    .receive = stream_receive,
    .send = stream_send,
    .close = close_stream,
    .wait = wait_frames,
    .destroy = destroy_device,
};

/* Nobody connects to us: no listener. */
static void accepted(struct core_handler *h, struct stream *s, void *cookie)
{
    (void)h;
    (void)cookie;
    s->ops->close(s);
}

static void ready(struct core_handler *h, struct stream *s)
{
    if (s->owner != NULL) /* not one of find_way's */
        LIST_ENTRY(h, struct device, handler)->carrier.news(s->owner);
}

static bool start_eal(const char *vdev, struct buf *why)
{
    static char argument[512]; /* EAL keeps pointers to its arguments */
    static char *argv[] = { "postern-bench", "--no-huge", "--no-shconf", "-m", "512",
                            "--no-pci",      "--vdev",    argument,      NULL };

    if (strlen(vdev) >= sizeof(argument)) {
        buf_printf(why, "the device's name is too long");
        return false;
    }
    memcpy(argument, vdev, strlen(vdev) + 1);
    return nic_eal_start((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv, why);
}

static bool wait_up(const struct device *d, struct buf *why)
{
    for (unsigned ms = 0; ms < UP_MS; ms += LOOK_MS) {
        if (d->nic->ops->up(d->nic))
            return true;
        (void)poll(NULL, 0, LOOK_MS);
    }
    buf_printf(why, "nobody is at the other end of the device");
    return false;
}

/*
 * A connection from each host, given up as soon as it is there: of the first segments to a next hop
 * that is not known yet all but one are lost, and the run's would wait a second to be sent again.
 * Whether the server takes connections is for the run to count.
 */
static void find_way(struct device *d, uint32_t hosts)
{
    uint64_t end_ns = timing_now_ns() + WAY_NS;

    for (uint32_t i = 0; i < hosts; i++) {
        struct carried c = { 0 };

        if (!connect_stream(&d->carrier, &c))
            return;
        while ((c.stream->ready & (STREAM_WRITABLE | STREAM_FAILED)) == 0 &&
               d->carrier.clock->now_ns < end_ns)
            (void)wait_frames(&d->carrier, end_ns);
        c.stream->ops->abort(c.stream);
        c.stream->ops->close(c.stream);
    }
}

static bool open_device(struct device *d, const struct carrier_device *config, struct buf *why)
{
    struct nic_port_config port = {
        .workers = 1, .connections = config->connections < BUSY_MAX ? config->connections : BUSY_MAX
    };
    struct hosts_config hosts = { .address = config->address,
                                  .prefix_length = config->prefix_length,
                                  .count = config->hosts,
                                  .connections_max = config->connections / config->hosts + SPARE,
                                  .clock = d->carrier.clock,
                                  .handler = &d->handler };

    if (!nic_thread_attach()) {
        buf_printf(why, "EAL has no room for a thread");
        return false;
    }
    d->port = nic_port_open(&port, why);
    if (d->port == NULL)
        return false;
    d->nic = nic_port_nic(d->port, 0);
    if (!wait_up(d, why))
        return false;
    d->carrier.clock->now_ns = timing_now_ns();
    d->hosts = hosts_create(&hosts, d->nic);
    if (d->hosts == NULL) {
        buf_printf(why, "memory is short");
        return false;
    }
    find_way(d, config->hosts);
    return true;
}

static bool is_reachable(const struct carrier_device *config, const struct sockaddr_in *to,
                         struct buf *why)
{
    if (to->sin_family != AF_INET)
        buf_printf(why, "over a device the server's address is of IPv4");
    else if (ntohl(to->sin_addr.s_addr) - addr_v4(&config->address) < config->hosts)
        buf_printf(why, "the server's address is among the hosts'");
    return why->len == 0;
}

struct carrier *carrier_device_create(const struct carrier_device *config,
                                      const struct sockaddr_storage *to, struct clock *clock,
                                      void (*news)(void *owner), struct buf *why)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)to;
    struct device *d;

    if (!is_reachable(config, in, why))
        return NULL;
    d = calloc(1, sizeof(*d));
    if (d == NULL) {
        buf_printf(why, "memory is short");
        return NULL;
    }
    d->carrier = (struct carrier){ &device_ops, clock, news };
    d->handler = (struct core_handler){ .accepted = accepted, .ready = ready };
    d->to.addr = addr_from_v4(ntohl(in->sin_addr.s_addr));
    d->to.port = ntohs(in->sin_port);
    if (!start_eal(config->vdev, why)) {
        free(d);
        return NULL;
    }
    if (open_device(d, config, why))
        return &d->carrier;
    destroy_device(&d->carrier);
    return NULL;
}
