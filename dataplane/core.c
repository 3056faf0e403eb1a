/*
 * One core's loop, one turn at a time.
 *
 * Happy path: a burst of frames goes through net to tcp; timers and pollers run; new connections
 * and streams with news are handed to the handler; what all of that gave reason to send leaves at
 * the end, so that a reply and its ACK share a segment. Each part has a budget, so no turn is long:
 * a burst of NIC_BURST frames, LIMIT_READY_PER_TURN streams. Failure modes: none of its own; what a
 * part could not do waits for the next turn.
 */
#include "dataplane/core.h"

#include "base/assert.h"
#include "base/limits.h"

STATIC_ASSERT(NIC_BURST <= TCP_BURST, "a burst of frames is one of segments");

static void lower_send(struct tcp_lower *l, struct seg *s, const struct addr *src,
                       const struct addr *dst)
{
    net_output_tcp(LIST_ENTRY(l, struct core, lower)->net, s, src, dst);
}

static uint16_t lower_mtu(struct tcp_lower *l, const struct addr *dst)
{
    return net_mtu(LIST_ENTRY(l, struct core, lower)->net, dst);
}

static bool open_wire(struct core *c, const struct core_config *config)
{
    struct net_env net = { .nic = c->nic, .clock = c->clock, .counters = c->counters };
    struct tcp_env tcp = { .lower = &c->lower,
                           .pool = c->nic->pool,
                           .clock = c->clock,
                           .counters = c->counters,
                           .ready = &c->ready,
                           .secret = config->secret };

    c->net = net_create(&config->net, &net);
    if (c->net != NULL)
        c->tcp = tcp_create(&config->tcp, &tcp);
    return c->tcp != NULL;
}

bool core_open(struct core *c, const struct core_config *config, struct nic *nic,
               const struct clock *clock, struct counters *counters)
{
    *c = (struct core){ .clock = clock,
                        .counters = counters,
                        .nic = nic,
                        .lower = { .send = lower_send, .mtu = lower_mtu } };
    list_init(&c->ready);
    list_init(&c->pollers);
    if (nic == NULL || open_wire(c, config))
        return true;
    core_close(c);
    return false;
}

void core_close(struct core *c)
{
    if (c->tcp != NULL)
        tcp_destroy(c->tcp);
    if (c->net != NULL)
        net_destroy(c->net);
    c->tcp = NULL;
    c->net = NULL;
}

void core_add_poller(struct core *c, struct core_poller *p)
{
    list_append(&c->pollers, &p->link);
}

static unsigned receive(struct core *c)
{
    struct seg *burst[NIC_BURST];
    unsigned count = c->nic->ops->rx(c->nic, burst, NIC_BURST);
    struct tcp_packet packets[NIC_BURST];
    unsigned segments = 0;

    for (unsigned i = 0; i < count; i++) {
        struct net_rx rx;
        const struct net_error *e = &rx.error;
        enum net_verdict verdict = net_input(c->net, burst[i], &rx);

        if (verdict == NET_TCP)
            packets[segments++] = (struct tcp_packet){ rx.s, rx.src, rx.dst, rx.tos };
        else if (verdict == NET_ERROR)
            tcp_icmp_error(c->tcp, &(struct tcp_icmp){ e->local, e->peer, e->seq, e->mtu });
    }
    tcp_input(c->tcp, packets, segments);
    return count;
}

static unsigned poll_all(struct core *c)
{
    struct list_node *node = c->pollers.head.next;
    struct core_poller *p;
    unsigned work = 0;

    while (node != &c->pollers.head) {
        p = LIST_ENTRY(node, struct core_poller, link);
        node = node->next;
        work += p->poll(p);
    }
    return work;
}

/* No budget: a burst of frames finishes no more handshakes than it has frames. */
static unsigned accept_all(struct core *c)
{
    struct stream *s;
    void *cookie;
    unsigned work = 0;

    for (s = tcp_accept(c->tcp, &cookie); s != NULL; s = tcp_accept(c->tcp, &cookie)) {
        c->handler->accepted(c->handler, s, cookie);
        work++;
    }
    return work;
}

/* Runs what was ready at the start, so that a stream put back on the list waits for the next turn.
 */
static unsigned run_ready(struct core *c)
{
    struct list_node end, *node;
    unsigned work = 0;

    list_append(&c->ready, &end);
    while (work < LIMIT_READY_PER_TURN) {
        node = list_pop(&c->ready);
        if (node == &end)
            return work;
        c->handler->ready(c->handler, LIST_ENTRY(node, struct stream, ready_link));
        work++;
    }
    list_remove(&end);
    return work;
}

unsigned core_turn(struct core *c)
{
    unsigned work = 0;

    if (c->nic != NULL) {
        work += receive(c);
        work += tcp_timers(c->tcp);
        net_tick(c->net);
    }
    work += poll_all(c);
    if (c->nic != NULL)
        work += accept_all(c);
    work += run_ready(c);
    if (c->nic != NULL) {
        work += tcp_flush(c->tcp);
        work += net_flush(c->net);
    }
    return work;
}

uint64_t core_next_ns(const struct core *c)
{
    uint64_t tcp_ns = c->tcp != NULL ? tcp_next_ns(c->tcp) : UINT64_MAX;
    uint64_t net_ns = c->net != NULL ? net_next_ns(c->net) : UINT64_MAX;

    if (!list_empty(&c->ready))
        return c->clock->now_ns;
    return tcp_ns < net_ns ? tcp_ns : net_ns;
}
