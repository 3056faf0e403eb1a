/*
 * A host on a DPDK device, for the tests of devices and for postern-bench goodput: answers ARP and
 * ping, echoes what comes by TCP on port 7, discards what comes on port 9.
 *
 *     nic_host ADDRESS/PREFIX QUEUES [EAL argument ...]
 *
 * One thread for each queue, as in the gateway. Prints what was found out about the device and a
 * line "ready", runs until SIGTERM or SIGINT, then prints the counters. Exit 1 with a sentence when
 * something does not start.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "dataplane/core.h"
#include "dataplane/nic/nic_port.h"

#define QUEUES_MAX   8
#define CONNECTIONS  256
#define ECHO_PORT    7
#define DISCARD_PORT 9
#define IDLE_TURNS   64 /* before the first sleep */
#define IDLE_NS      (20 * NS_PER_US)
#define SEGS_LEFT \
    12288 /* of a pool: the rest is held, so that frames use the far end of its memory */

struct host {
    struct core core;
    struct core_handler handler;
    struct clock clock;
    struct counters counters;
    struct list held;
    pthread_t thread;
    bool started;
};

static struct core_config config = {
    .tcp = { .connections_max = CONNECTIONS,
             .syn_rcvd_max = CONNECTIONS,
             .time_wait_max = CONNECTIONS,
             .receive_bytes_max = LIMIT_TCP_RECEIVE_BYTES_DEFAULT,
             .send_bytes_max = 64 * 1024,
             .time_wait_ms = 1000 },
    .secret = { 1, 2 },
};
static struct host hosts[QUEUES_MAX];
static volatile sig_atomic_t stop_wanted;

static void on_signal(int signo)
{
    (void)signo;
    stop_wanted = 1;
}

static void clock_read(struct clock *c)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    c->now_ns = (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* --- Echo and discard --------------------------------------------------------------------------
 */

/* Moves one segment's worth. */
static bool echo_once(struct stream *s)
{
    struct seg *seg = s->ops->reserve(s, STREAM_RESERVE_MAX);

    if (seg == NULL)
        return false;
    seg->len = s->ops->read(s, seg->data, STREAM_RESERVE_MAX);
    if (seg->len == 0) {
        seg_release(seg);
        return false;
    }
    s->ops->commit(s, seg);
    return true;
}

static bool discard_once(struct stream *s)
{
    struct span run;

    if (s->ops->peek(s, &run, 1) == 0)
        return false;
    s->ops->consume(s, (uint32_t)run.len);
    return true;
}

/* What a listener's connections do with their bytes. */
static struct service {
    uint16_t port;
    bool (*once)(struct stream *s); /* false: nothing to read, or no room to write */
} services[] = { { ECHO_PORT, echo_once }, { DISCARD_PORT, discard_once } };

static void host_accepted(struct core_handler *h, struct stream *s, void *cookie)
{
    (void)h;
    s->owner = cookie;
    stream_requeue(s); /* bytes may have come with the handshake's last segment */
}

static void host_ready(struct core_handler *h, struct stream *s)
{
    const struct service *service = s->owner;
    bool moved = true;

    (void)h;
    while (moved && (s->ready & STREAM_READABLE) != 0)
        moved = service->once(s);
    if ((s->ready & STREAM_FAILED) != 0) {
        s->ops->close(s);
    } else if ((s->ready & STREAM_ENDED) != 0 && (s->ready & STREAM_READABLE) == 0) {
        s->ops->shutdown(s);
        s->ops->close(s);
    }
}

/* --- Hosts ----------------------------------------------------------------------------------- */

static void *host_run(void *arg)
{
    const struct timespec nap = { .tv_nsec = IDLE_NS };
    struct host *h = arg;
    unsigned idle = 0;

    if (!nic_thread_attach()) {
        fprintf(stderr, "EAL has no room for a thread\n");
        exit(1);
    }
    while (!stop_wanted) {
        clock_read(&h->clock);
        idle = core_turn(&h->core) == 0 ? idle + 1 : 0;
        if (idle > IDLE_TURNS)
            ppoll(NULL, 0, &nap, NULL); /* the test's other side may need the core */
    }
    return NULL;
}

static void host_hold(struct host *h, struct seg_pool *pool)
{
    struct seg *s;

    list_init(&h->held);
    while (pool->ops->available(pool) > SEGS_LEFT) {
        s = seg_alloc(pool);
        list_append(&h->held, &s->link);
    }
}

static bool host_start(struct host *h, struct nic *nic)
{
    bool listens = true;

    clock_read(&h->clock);
    host_hold(h, nic->pool); /* before TCP learns how much there is */
    if (!core_open(&h->core, &config, nic, &h->clock, &h->counters))
        return false;
    h->handler = (struct core_handler){ .accepted = host_accepted, .ready = host_ready };
    h->core.handler = &h->handler;
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        struct endpoint at = { .port = services[i].port };

        listens = listens && tcp_listen(h->core.tcp, &at, &services[i]);
    }
    h->started = listens && pthread_create(&h->thread, NULL, host_run, h) == 0;
    return h->started;
}

static void host_stop(struct host *h)
{
    if (!h->started)
        return;
    pthread_join(h->thread, NULL);
    core_close(&h->core);
    seg_release_all(&h->held);
}

/* --- Start and end --------------------------------------------------------------------------- */

static void print_info(const struct nic_port *port, uint64_t eal_ns, uint64_t port_ns)
{
    struct nic_port_info i;

    nic_port_info(port, &i);
    printf("device %s driver %s mtu %u queues %u mbufs %u offloads %x\n", i.device, i.driver, i.mtu,
           i.queues, i.mbufs, i.offloads);
    printf("lacks %s\n", i.lacks[0] != '\0' ? i.lacks : "nothing");
    printf("eal %.3f s, port %.3f s\n", (double)eal_ns / 1e9, (double)port_ns / 1e9);
    printf("mac %02x:%02x:%02x:%02x:%02x:%02x\n", i.mac[0], i.mac[1], i.mac[2], i.mac[3], i.mac[4],
           i.mac[5]);
    printf("ready\n");
    fflush(stdout);
}

static void print_counters(const struct nic_port *port, unsigned queues)
{
    struct nic_port_stats s;
    uint64_t value;

    nic_port_stats(port, &s);
    printf("nic in %llu out %llu copied %llu dropped %llu missed %llu errors %llu\n",
           (unsigned long long)s.in, (unsigned long long)s.out, (unsigned long long)s.in_copied,
           (unsigned long long)s.in_dropped, (unsigned long long)s.in_missed,
           (unsigned long long)s.out_errors);
    for (unsigned q = 0; q < queues; q++)
        for (int i = 0; i < COUNTER_COUNT; i++) {
            value = counter_get(&hosts[q].counters, (enum counter_id)i);
            if (value != 0)
                printf("queue %u %s %llu\n", q, counter_name((enum counter_id)i),
                       (unsigned long long)value);
        }
}

static bool parse(char **argv, uint16_t *queues)
{
    char *slash = strchr(argv[1], '/');

    if (slash == NULL)
        return false;
    *slash = '\0';
    config.net.prefix_length = (uint8_t)strtoul(slash + 1, NULL, 10);
    *queues = (uint16_t)strtoul(argv[2], NULL, 10);
    return addr_parse(argv[1], &config.net.address) && config.net.prefix_length <= 32 &&
           *queues > 0 && *queues <= QUEUES_MAX;
}

static struct nic_port *open_port(int argc, char **argv, uint16_t queues)
{
    char text[1024] = "";
    struct buf why = { .ptr = (uint8_t *)text, .cap = sizeof(text) - 1 };
    struct nic_port_config port_config = { .workers = queues, .connections = CONNECTIONS };
    struct clock begin, eal, end;
    struct nic_port *port = NULL;

    clock_read(&begin);
    if (!nic_eal_start(argc, argv, &why)) {
        fprintf(stderr, "%s\n", text);
        return NULL;
    }
    clock_read(&eal);
    port = nic_port_open(&port_config, &why);
    clock_read(&end);
    if (port == NULL)
        fprintf(stderr, "%s\n", text);
    else
        print_info(port, eal.now_ns - begin.now_ns, end.now_ns - eal.now_ns);
    return port;
}

int main(int argc, char **argv)
{
    struct nic_port *port;
    uint16_t queues = 0;
    int status = 0;

    if (argc < 3 || !parse(argv, &queues)) {
        fprintf(stderr, "usage: nic_host ADDRESS/PREFIX QUEUES [EAL argument ...]\n");
        return 1;
    }
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    argv[2] = argv[0];
    port = open_port(argc - 2, argv + 2, queues);
    if (port == NULL)
        return 1;
    for (uint16_t i = 0; i < queues && status == 0; i++)
        if (!host_start(&hosts[i], nic_port_nic(port, i)))
            status = 1;
    if (status != 0)
        stop_wanted = 1;
    for (uint16_t i = 0; i < queues; i++)
        host_stop(&hosts[i]);
    print_counters(port, queues);
    nic_port_close(port);
    nic_eal_stop();
    return status;
}
