/*
 * The commands stats and workers: every counter, and how the workers are. What is a counter is read
 * from here (base/counter.h); of what is no counter a worker makes a note between two turns. No
 * segment is needed for it.
 */
#include "gateway/control_command.h"

#include "dataplane/nic/nic_port.h"
#include "gateway/conn.h"

struct note {
    uint64_t now_ns;
    struct tcp_gauges tcp;
    enum tcp_memory_level level;
    bool has_nic;
    uint32_t segs_free; /* of the NIC's pool */
    bool has_kernel;
    uint32_t kernel_segs_free;
    uint32_t kernel_connections;
    uint32_t connections;
    uint32_t connections_most;
};

struct memory {
    struct note note;
    struct tcp_gauges all;
};

static bool answer(void *memory, const struct worker_parts *w)
{
    struct note *n = &((struct memory *)memory)->note;

    *n = (struct note){ .now_ns = w->core->clock->now_ns,
                        .has_nic = w->core->nic != NULL,
                        .has_kernel = w->ksock != NULL,
                        .connections = conns_count(w->conns),
                        .connections_most = w->connections_most };
    if (n->has_nic) {
        tcp_gauges(w->core->tcp, &n->tcp);
        n->level = tcp_memory_level(w->core->tcp);
        n->segs_free = w->core->nic->pool->ops->available(w->core->nic->pool);
    }
    if (n->has_kernel) {
        n->kernel_segs_free = w->segs->ops->available(w->segs);
        n->kernel_connections = ksock_connections(w->ksock);
    }
    return true;
}

/* --- stats ----------------------------------------------------------------------------------- */

static bool tell_stats(struct control_run *r)
{
    struct memory *m = r->memory;

    m->all.established += m->note.tcp.established;
    m->all.half_open += m->note.tcp.half_open;
    m->all.time_wait += m->note.tcp.time_wait;
    return false;
}

static void put_standard(struct control_run *r, const struct tcp_gauges *all)
{
    json_out_open(r->out, "nstat", '{');
    for (unsigned id = 0; id < COUNTER_COUNT; id++)
        if (counter_standard_name(id) != NULL)
            json_out_u64(r->out, counter_standard_name(id), program_counter(r->program, id));
    json_out_u64(r->out, "TcpCurrEstab", all->established);
    json_out_close(r->out, '}');
}

static void put_device(struct control_run *r)
{
    struct program_number device[PROGRAM_DEVICE_NUMBERS];

    if (!program_device(r->program, device))
        return;
    json_out_open(r->out, "device", '{');
    for (unsigned i = 0; i < PROGRAM_DEVICE_NUMBERS; i++)
        json_out_u64(r->out, device[i].name, device[i].value);
    json_out_close(r->out, '}');
}

static void end_stats(struct control_run *r)
{
    const struct memory *m = r->memory;

    json_out_open(r->out, "counters", '{');
    for (unsigned id = 0; id < COUNTER_COUNT; id++)
        json_out_u64(r->out, counter_name(id), program_counter(r->program, id));
    json_out_close(r->out, '}');
    put_standard(r, &m->all);
    put_device(r);
}

const struct control_command control_stats_stats = {
    .name = "stats",
    .arguments = "",
    .help = "every counter: ours, the same as nstat(8) and RFC 4022 name them, the device's",
    .words_most = 1,
    .memory_bytes = sizeof(struct memory),
    .answer = answer,
    .tell = tell_stats,
    .end = end_stats,
};

/* --- workers --------------------------------------------------------------------------------- */

static bool begin_workers(struct control_run *r)
{
    json_out_open(r->out, "workers", '[');
    return true;
}

static void put_tcp(struct json_out *out, const struct note *n)
{
    static const char *const levels[] = {
        [TCP_MEMORY_PLENTY] = "plenty",
        [TCP_MEMORY_NO_SYNS] = "no-connections",
        [TCP_MEMORY_NO_MAIL] = "no-mail",
        [TCP_MEMORY_NO_WINDOWS] = "no-windows",
    };

    json_out_u64(out, "established", n->tcp.established);
    json_out_u64(out, "half_open", n->tcp.half_open);
    json_out_u64(out, "time_wait", n->tcp.time_wait);
    json_out_u64(out, "tcp_blocks", n->tcp.blocks);
    json_out_u64(out, "segs_free", n->segs_free);
    json_out_str(out, "memory", levels[n->level]);
}

static bool tell_workers(struct control_run *r)
{
    const struct note *n = &((struct memory *)r->memory)->note;
    const struct counters *c = worker_counters(program_worker(r->program, r->worker));

    json_out_open(r->out, NULL, '{');
    json_out_u64(r->out, "worker", r->worker);
    json_out_u64(r->out, "turns_busy", counter_get(c, COUNTER_LOOP_TURNS_BUSY));
    json_out_u64(r->out, "cycles_busy", counter_get(c, COUNTER_LOOP_CYCLES_BUSY));
    json_out_u64(r->out, "connections", n->connections);
    json_out_u64(r->out, "connections_most", n->connections_most);
    if (n->has_nic)
        put_tcp(r->out, n);
    if (n->has_kernel) {
        json_out_u64(r->out, "kernel_sockets", n->kernel_connections);
        json_out_u64(r->out, "kernel_segs_free", n->kernel_segs_free);
    }
    json_out_close(r->out, '}');
    return false;
}

static void end_workers(struct control_run *r)
{
    json_out_close(r->out, ']');
}

const struct control_command control_stats_workers = {
    .name = "workers",
    .arguments = "",
    .help = "each worker: busy turns and cycles, connections, segments and blocks that are free",
    .words_most = 1,
    .memory_bytes = sizeof(struct memory),
    .begin = begin_workers,
    .answer = answer,
    .tell = tell_workers,
    .end = end_workers,
};
