/*
 * Happy path: a queue leaves the kernel's frames in its ring and wakes the thread if it sleeps,
 * which writes each to the TAP; what it reads there it leaves for the first queue. Failure modes: a
 * ring is full, the interface is down, no mbuf is left: the frame is dropped and counted; the
 * interface cannot be had: said at start.
 *
 * The thread sleeps by a flag that is only ever exchanged: so either the queue sees that it sleeps,
 * or the thread sees what the queue has left (an exchange continues the release sequence of those
 * before it).
 */
#include "dataplane/nic/nic_exception.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/counter.h"
#include "dataplane/nic/nic_outbox.h"

#define PARTS     16 /* of a frame that came in several mbufs */
#define LINK_ROOM 18 /* Ethernet with a tag */

/* From one queue. */
struct way {
    struct ring *ring;
    uint64_t dropped; /* one writer, the queue's thread */
    struct nic_ours_fragments fragments;
} __attribute__((aligned(64)));

struct nic_exception {
    struct nic_ours ours;
    uint16_t queues;
    uint16_t frame_bytes;
    int tap;
    int wake_fd;
    struct rte_mempool *mbufs;        /* the kernel's frames */
    struct nic_exception_stats stats; /* one writer, the thread */
    struct nic_outbox outbox;
    bool asleep __attribute__((aligned(64)));
    struct way ways[];
};

/* --- life ------------------------------------------------------------------------------------ */

static bool failed(struct buf *why, const char *interface, const char *what, int err)
{
    buf_printf(why, "device: exception: %s: %s: %s", interface, what, strerror(err));
    return false;
}

/* The kernel's side: our address of the wire, and its MTU. */
static bool dress(const struct nic_exception_config *c, struct buf *why)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq r = { 0 };
    bool ok;

    memcpy(r.ifr_name, c->interface, strlen(c->interface));
    r.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(r.ifr_hwaddr.sa_data, c->mac, 6);
    ok = ioctl(fd, SIOCSIFHWADDR, &r) == 0;
    r.ifr_mtu = c->mtu;
    ok = ok && ioctl(fd, SIOCSIFMTU, &r) == 0;
    if (!ok)
        failed(why, c->interface, "its address and MTU cannot be set", errno);
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool open_tap(struct nic_exception *x, const struct nic_exception_config *c, struct buf *why)
{
    struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI };

    ASSERT(strlen(c->interface) < IFNAMSIZ);
    memcpy(r.ifr_name, c->interface, strlen(c->interface));
    x->tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (x->tap < 0)
        return failed(why, c->interface, "/dev/net/tun", errno);
    if (ioctl(x->tap, TUNSETIFF, &r) < 0)
        return failed(why, c->interface, "no such TAP interface is to be had", errno);
    return dress(c, why);
}

static bool open_memory(struct nic_exception *x, const struct nic_exception_config *c)
{
    unsigned mbufs = LIMIT_NIC_EXCEPTION_FRAMES + c->tx_descriptors + 2 * NIC_BURST;

    for (uint16_t i = 0; i < x->queues; i++) {
        x->ways[i].ring = ring_create(LIMIT_NIC_EXCEPTION_FRAMES);
        if (x->ways[i].ring == NULL)
            return false;
    }
    x->outbox.ring = ring_create(LIMIT_NIC_EXCEPTION_FRAMES);
    x->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    x->mbufs = rte_pktmbuf_pool_create(
        "segs_kernel", mbufs, 0, 0, (uint16_t)(RTE_PKTMBUF_HEADROOM + x->frame_bytes), c->socket);
    return x->outbox.ring != NULL && x->wake_fd >= 0 && x->mbufs != NULL;
}

struct nic_exception *nic_exception_create(const struct nic_exception_config *c, struct buf *why)
{
    size_t size = sizeof(struct nic_exception) + c->queues * sizeof(struct way);
    struct nic_exception *x = aligned_alloc(64, size);

    if (x != NULL) {
        memset(x, 0, size);
        x->tap = -1;
        x->wake_fd = -1;
        x->ours = *c->ours;
        x->queues = c->queues;
        x->frame_bytes = (uint16_t)(c->mtu + LINK_ROOM);
    }
    if (x == NULL || !open_memory(x, c))
        failed(why, c->interface, "its frames", ENOMEM);
    else if (open_tap(x, c, why))
        return x;
    if (x != NULL)
        nic_exception_destroy(x);
    return NULL;
}

void nic_exception_destroy(struct nic_exception *x)
{
    struct rte_mbuf *m;

    for (uint16_t i = 0; i < x->queues && x->ways[i].ring != NULL; i++) {
        while ((m = ring_pop(x->ways[i].ring)) != NULL)
            rte_pktmbuf_free(m);
        ring_destroy(x->ways[i].ring);
    }
    nic_outbox_close(&x->outbox);
    rte_mempool_free(x->mbufs);
    if (x->tap >= 0)
        close(x->tap);
    if (x->wake_fd >= 0)
        close(x->wake_fd);
    free(x);
}

void nic_exception_stats(const struct nic_exception *x, struct nic_exception_stats *out)
{
    out->in = __atomic_load_n(&x->stats.in, __ATOMIC_RELAXED);
    out->in_dropped = __atomic_load_n(&x->stats.in_dropped, __ATOMIC_RELAXED);
    out->out = __atomic_load_n(&x->stats.out, __ATOMIC_RELAXED);
    out->out_dropped = __atomic_load_n(&x->stats.out_dropped, __ATOMIC_RELAXED);
    for (uint16_t i = 0; i < x->queues; i++)
        out->in_dropped += __atomic_load_n(&x->ways[i].dropped, __ATOMIC_RELAXED);
}

/* --- its own thread -------------------------------------------------------------------------- */

/* False: too many parts, or the interface is down or takes no more. */
static bool write_frame(struct nic_exception *x, const struct rte_mbuf *m)
{
    struct iovec parts[PARTS];
    int count = 0;

    for (; m != NULL && count < PARTS; m = m->next)
        parts[count++] = (struct iovec){ rte_pktmbuf_mtod(m, void *), m->data_len };
    return m == NULL && writev(x->tap, parts, count) > 0;
}

static unsigned to_kernel(struct nic_exception *x, struct way *w)
{
    struct rte_mbuf *m;
    unsigned count;

    for (count = 0; count < NIC_BURST && (m = ring_pop(w->ring)) != NULL; count++) {
        counter_raise(write_frame(x, m) ? &x->stats.in : &x->stats.in_dropped, 1);
        rte_pktmbuf_free(m);
    }
    return count;
}

/* One frame. False: there is none. */
static bool from_kernel(struct nic_exception *x)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(x->mbufs);
    uint8_t nowhere[LINK_ROOM]; /* the frame is gone, however little of it is read */
    ssize_t n;

    n = m != NULL ? read(x->tap, rte_pktmbuf_mtod(m, void *), x->frame_bytes)
                  : read(x->tap, nowhere, sizeof(nowhere));
    if (n <= 0) {
        rte_pktmbuf_free(m);
        return false;
    }
    if (m != NULL) {
        m->data_len = (uint16_t)n;
        m->pkt_len = (uint32_t)n;
    }
    if (m != NULL && ring_push(x->outbox.ring, m)) {
        counter_raise(&x->stats.out, 1);
        return true;
    }
    counter_raise(&x->stats.out_dropped, 1);
    rte_pktmbuf_free(m);
    return true;
}

static void sleep_idle(struct nic_exception *x)
{
    struct pollfd fds[] = { { .fd = x->tap, .events = POLLIN },
                            { .fd = x->wake_fd, .events = POLLIN } };
    uint64_t news;
    bool empty = true;

    (void)__atomic_exchange_n(&x->asleep, true, __ATOMIC_ACQ_REL);
    for (uint16_t i = 0; i < x->queues; i++)
        empty = empty && ring_count(x->ways[i].ring) == 0;
    if (empty && poll(fds, 2, -1) > 0 && fds[1].revents != 0 &&
        read(x->wake_fd, &news, sizeof(news)) < 0)
        ASSERT(errno == EAGAIN || errno == EINTR);
    (void)__atomic_exchange_n(&x->asleep, false, __ATOMIC_ACQ_REL);
}

void nic_exception_pump(struct nic_exception *x)
{
    unsigned work = 0, read = 0;

    for (uint16_t i = 0; i < x->queues; i++)
        work += to_kernel(x, &x->ways[i]);
    while (read < NIC_BURST && from_kernel(x))
        read++;
    if (work + read == 0)
        sleep_idle(x);
}

void nic_exception_wake(struct nic_exception *x)
{
    uint64_t one = 1;

    if (write(x->wake_fd, &one, sizeof(one)) < 0)
        ASSERT(errno == EAGAIN); /* it has been woken already */
}

/* --- the queues' threads --------------------------------------------------------------------- */

unsigned nic_exception_sort(struct nic_exception *x, uint16_t queue, struct rte_mbuf **mbufs,
                            unsigned count)
{
    struct way *w = &x->ways[queue];
    unsigned kept = 0;

    for (unsigned i = 0; i < count; i++) {
        struct rte_mbuf *m = mbufs[i];

        if (nic_ours_has(&x->ours, &w->fragments,
                         span_of(rte_pktmbuf_mtod(m, const void *), m->data_len))) {
            mbufs[kept++] = m;
        } else if (!ring_push(w->ring, m)) {
            counter_raise(&w->dropped, 1);
            rte_pktmbuf_free(m);
        }
    }
    if (kept < count && __atomic_exchange_n(&x->asleep, false, __ATOMIC_ACQ_REL))
        nic_exception_wake(x);
    return kept;
}

struct nic_outbox *nic_exception_outbox(struct nic_exception *x)
{
    return &x->outbox;
}
