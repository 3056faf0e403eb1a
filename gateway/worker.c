/*
 * A worker's thread and loop.
 *
 * Happy path: worker_create takes everything that the loop will ever need; the loop sets the clock,
 * runs one turn of the core (packets, timers, pollers, ready streams, transmit) and, when a turn
 * found nothing to do, spins or sleeps as configured.
 *
 * Failure modes: at creation, a sentence; in the loop, none: what can fail there fails a
 * connection.
 */
#include "gateway/worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "base/assert.h"
#include "base/limits.h"
#include "dataplane/core.h"
#include "dataplane/kernel/ksock.h"
#include "dataplane/nic/nic_port.h"
#include "gateway/conn.h"

/* Idle sleep beside a NIC that cannot wake us: from short to at most this, so that a packet waits
 * no longer. */
#define NIC_SLEEP_NS_MIN (20 * NS_PER_US)
#define NIC_SLEEP_NS_MAX (500 * NS_PER_US)
#define SLEEP_NS_MAX     NS_PER_S
#define IDLE_TURNS       64 /* idle turns before the first sleep */

#define SEG_HEADROOM 128 /* for headers of lower layers and of TLS records */
#define SEG_ROOM     2048

struct worker {
    struct worker_setup setup;
    struct clock clock;
    struct counters counters;
    struct log *log;
    struct core core;
    struct core_config core_config;
    struct seg_pool *segs; /* kernel sockets'; the NIC brings its own */
    struct ksock *ksock;
    struct mail_id_gen ids;
    struct smtp *smtp;
    struct tls_worker *tls;
    struct auth *auth;
    struct conns *conns;
    struct core_poller poll_ksock;
    struct core_poller poll_helper;
    struct core_poller poll_conns;
    struct conn_listener listeners[LIMIT_LISTENERS];
    pthread_t thread;
    bool started;
    enum worker_drain drain;
    uint32_t idle_turns;
    int wake_fd;
    /* Written by main, read by the loop, and the other way round. */
    enum worker_drain want_drain;
    bool want_stop;
    uint32_t connections; /* UINT32_MAX until the drain has begun */
};

static void set_clock(struct worker *w)
{
    struct timespec mono;
    struct timespec wall;

    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME_COARSE, &wall);
    w->clock.now_ns = (uint64_t)mono.tv_sec * NS_PER_S + (uint64_t)mono.tv_nsec;
    w->clock.unix_ms = (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / NS_PER_MS;
}

/* --- pollers --------------------------------------------------------------------------------- */

static unsigned poll_ksock(struct core_poller *p)
{
    struct worker *w = LIST_ENTRY(p, struct worker, poll_ksock);
    unsigned work = ksock_poll(w->ksock);
    struct stream *s;
    void *cookie;

    for (unsigned n = 0; n < LIMIT_PUMP_PER_TURN; n++) {
        s = ksock_accept(w->ksock, &cookie);
        if (s == NULL)
            break;
        w->core.handler->accepted(w->core.handler, s, cookie);
        work++;
    }
    return work;
}

static unsigned poll_helper(struct core_poller *p)
{
    struct worker *w = LIST_ENTRY(p, struct worker, poll_helper);

    return helper_poll(w->setup.helper, w->setup.index);
}

static unsigned poll_conns(struct core_poller *p)
{
    struct worker *w = LIST_ENTRY(p, struct worker, poll_conns);

    return conns_poll(w->conns);
}

/* --- the loop -------------------------------------------------------------------------------- */

static uint64_t next_ns(const struct worker *w)
{
    uint64_t a = core_next_ns(&w->core);
    uint64_t b = conns_next_ns(w->conns);

    return a < b ? a : b;
}

/* Sleeps until a descriptor has news or the next timer is due; beside a NIC only for a moment. */
static void sleep_idle(struct worker *w)
{
    struct pollfd fds[4] = {
        { .fd = w->wake_fd, .events = POLLIN },
        { .fd = spool_port_fd(w->setup.spool), .events = POLLIN },
        { .fd = helper_fd(w->setup.helper, w->setup.index), .events = POLLIN },
        { .fd = w->ksock != NULL ? ksock_fd(w->ksock) : -1, .events = POLLIN },
    };
    uint64_t due_ns = next_ns(w);
    uint64_t most_ns = SLEEP_NS_MAX;
    struct timespec ts;
    uint64_t news;

    if (w->setup.nic != NULL) {
        most_ns = NIC_SLEEP_NS_MIN
                  << (w->idle_turns - IDLE_TURNS < 8 ? w->idle_turns - IDLE_TURNS : 8);
        most_ns = most_ns < NIC_SLEEP_NS_MAX ? most_ns : NIC_SLEEP_NS_MAX;
    }
    if (due_ns <= w->clock.now_ns)
        return;
    if (due_ns - w->clock.now_ns < most_ns)
        most_ns = due_ns - w->clock.now_ns;
    ts = (struct timespec){ (time_t)(most_ns / NS_PER_S), (long)(most_ns % NS_PER_S) };
    if (ppoll(fds, 4, &ts, NULL) > 0 && (fds[0].revents & POLLIN) != 0 &&
        read(w->wake_fd, &news, sizeof(news)) < 0)
        ASSERT(errno == EAGAIN || errno == EINTR);
}

/* What main asked for. */
static void obey(struct worker *w)
{
    enum worker_drain want = __atomic_load_n(&w->want_drain, __ATOMIC_ACQUIRE);

    if (w->drain == WORKER_SERVES && want >= WORKER_DRAINS) {
        if (w->core.tcp != NULL)
            tcp_listen_stop(w->core.tcp);
        if (w->ksock != NULL)
            ksock_listen_stop(w->ksock);
        conns_drain(w->conns);
    }
    if (w->drain < WORKER_EXPIRES && want == WORKER_EXPIRES)
        conns_expire(w->conns);
    w->drain = want;
    __atomic_store_n(&w->connections,
                     w->drain == WORKER_SERVES ? UINT32_MAX : conns_count(w->conns),
                     __ATOMIC_RELEASE);
}

static void turn(struct worker *w)
{
    uint64_t begin = __rdtsc();
    unsigned work;

    set_clock(w);
    work = core_turn(&w->core);
    obey(w);
    if (work > 0) {
        w->idle_turns = 0;
        counter_inc(&w->counters, COUNTER_LOOP_TURNS_BUSY);
        counter_add(&w->counters, COUNTER_LOOP_CYCLES_BUSY, __rdtsc() - begin);
        return;
    }
    w->idle_turns++;
    if (w->setup.config->workers.idle == CONFIG_IDLE_SPIN)
        _mm_pause();
    else if (w->idle_turns > IDLE_TURNS)
        sleep_idle(w);
}

static void *run(void *arg)
{
    struct worker *w = arg;

    if (w->setup.nic != NULL && !nic_thread_attach())
        log_end(w->log, log_begin(w->log, LOG_LEVEL_WARN, "EAL has no room for the thread"));
    while (!__atomic_load_n(&w->want_stop, __ATOMIC_ACQUIRE))
        turn(w);
    conns_abort_all(w->conns);
    core_turn(&w->core); /* the resets leave */
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------ */

static bool fail(struct buf *why, const char *what)
{
    buf_printf(why, "worker: %s", what);
    return false;
}

static bool get_random(void *out, size_t bytes)
{
    return getrandom(out, bytes, 0) == (ssize_t)bytes;
}

static bool open_core(struct worker *w, struct buf *why)
{
    const struct config *cfg = w->setup.config;

    w->core_config = (struct core_config){
        .net = {
            .address = cfg->device.address,
            .prefix_length = (uint8_t)cfg->device.prefix_length,
            .gateway = cfg->device.gateway,
            .address6 = cfg->device.address6,
            .prefix_length6 = (uint8_t)cfg->device.prefix_length6,
            .gateway6 = cfg->device.gateway6,
            .vlan = (uint16_t)cfg->device.vlan,
        },
        .tcp = {
            .connections_max = cfg->limits.connections,
            .syn_rcvd_max = LIMIT_TCP_SYN_RCVD,
            .time_wait_max = LIMIT_TCP_TIME_WAIT,
            .receive_bytes_max = (uint32_t)cfg->limits.receive_bytes,
            .send_bytes_max = LIMIT_TCP_SEND_BYTES,
            .time_wait_ms = LIMIT_TCP_TIME_WAIT_MS,
        },
    };
    if (!get_random(&w->core_config.secret, sizeof(w->core_config.secret)))
        return fail(why, "no random numbers to be had");
    if (!core_open(&w->core, &w->core_config, w->setup.nic, &w->clock, &w->counters))
        return fail(why, "not enough memory for TCP connections");
    return true;
}

static bool needs_kernel(const struct config *cfg)
{
    for (unsigned i = 0; i < cfg->listener_count; i++)
        if (cfg->listeners[i].path == CONFIG_PATH_KERNEL)
            return true;
    return false;
}

static bool open_ksock(struct worker *w, struct buf *why)
{
    const struct config *cfg = w->setup.config;
    uint32_t receive_bytes = cfg->limits.receive_bytes < LIMIT_KSOCK_RECEIVE_BYTES
                                 ? (uint32_t)cfg->limits.receive_bytes
                                 : LIMIT_KSOCK_RECEIVE_BYTES;
    struct ksock_config kc = { cfg->limits.connections, receive_bytes, LIMIT_TCP_SEND_BYTES };
    struct ksock_env ke = { .counters = &w->counters, .ready = &w->core.ready };

    if (!needs_kernel(cfg))
        return true;
    w->segs = seg_plain_create(LIMIT_KSOCK_SEGS, SEG_HEADROOM, SEG_ROOM);
    if (w->segs == NULL)
        return fail(why, "not enough memory for segments");
    ke.pool = w->segs;
    w->ksock = ksock_create(&kc, &ke);
    if (w->ksock == NULL) {
        buf_printf(why, "worker: io_uring for kernel sockets: %s", strerror(errno));
        return false;
    }
    w->poll_ksock.poll = poll_ksock;
    core_add_poller(&w->core, &w->poll_ksock);
    return true;
}

static bool open_listeners(struct worker *w, struct buf *why)
{
    const struct config *cfg = w->setup.config;
    char text[ADDR_TEXT_MAX];

    for (unsigned i = 0; i < cfg->listener_count; i++) {
        const struct config_listener *l = &cfg->listeners[i];
        struct conn_listener *mine = &w->listeners[i];
        struct endpoint at = { l->address, (uint16_t)l->port };
        bool ok;

        *mine = (struct conn_listener){
            .name = l->name,
            .tls = l->tls == CONFIG_LISTENER_IMPLICIT,
            .starttls = l->tls == CONFIG_LISTENER_STARTTLS,
        };
        ok = l->path == CONFIG_PATH_KERNEL ? ksock_listen(w->ksock, &at, mine)
                                           : tcp_listen(w->core.tcp, &at, mine);
        if (ok)
            continue;
        addr_format(&at.addr, text);
        buf_printf(why, "listener \"%s\" on %s port %u: %s", l->name, text, at.port,
                   l->path == CONFIG_PATH_KERNEL ? strerror(errno) : "too many listeners");
        return false;
    }
    return true;
}

static bool open_rooms(struct worker *w, struct buf *why)
{
    const struct config *cfg = w->setup.config;
    uint32_t most = cfg->limits.connections;
    struct smtp_config smtp = {
        .hostname = cfg->hostname,
        .message_bytes_max = cfg->limits.message_bytes,
        .recipients_max = cfg->limits.recipients,
        .errors_max = cfg->limits.errors,
        .auth_tries_max = cfg->limits.auth_tries,
        .command_timeout_s = cfg->limits.command_timeout_s,
        .data_timeout_s = cfg->limits.data_timeout_s,
    };
    struct smtp_env smtp_env = { &w->clock, &w->counters, &w->ids };
    struct tls_env tls_env = { &w->counters, &w->clock,
                               helper_queue(w->setup.helper, w->setup.index) };
    struct auth_env auth_env = {
        .clock = &w->clock,
        .counters = &w->counters,
        .jobs = tls_env.jobs,
        .users = w->setup.users,
        .done = conn_session_verdict,
    };

    if (!get_random(&auth_env.table_key, sizeof(auth_env.table_key)) ||
        !get_random(auth_env.secret, sizeof(auth_env.secret)))
        return fail(why, "no random numbers to be had");
    mail_id_init(&w->ids, w->setup.index, w->setup.id_floor);
    w->smtp = smtp_create(&smtp, most, &smtp_env);
    w->tls = tls_worker_create(w->setup.tls, most, &tls_env);
    w->auth = auth_create(&cfg->auth, most, &auth_env);
    explicit_bzero(&auth_env, sizeof(auth_env));
    if (w->smtp == NULL || w->tls == NULL || w->auth == NULL)
        return fail(why, "not enough memory for sessions");
    return true;
}

static bool open_conns(struct worker *w, struct buf *why)
{
    const struct config *cfg = w->setup.config;
    struct conn_config cc = {
        .connections_max = cfg->limits.connections,
        .connections_per_client = cfg->limits.connections_per_client,
        .handshakes_per_turn = cfg->tls.handshakes_per_turn,
        .handshake_timeout_s = cfg->limits.handshake_timeout_s,
        .session_timeout_s = cfg->limits.session_timeout_s,
        .linger_s = LIMIT_LINGER_S,
        .worker = w->setup.index,
    };
    struct conn_env ce = {
        .clock = &w->clock,
        .counters = &w->counters,
        .log = w->log,
        .smtp = w->smtp,
        .tls = w->tls,
        .spool = w->setup.spool,
        .auth = w->auth,
    };

    if (!get_random(&ce.secret, sizeof(ce.secret)))
        return fail(why, "no random numbers to be had");
    w->conns = conns_create(&cc, &ce);
    if (w->conns == NULL)
        return fail(why, "not enough memory for connections");
    w->core.handler = conns_handler(w->conns);
    w->poll_helper.poll = poll_helper;
    w->poll_conns.poll = poll_conns;
    core_add_poller(&w->core, &w->poll_helper);
    core_add_poller(&w->core, &w->poll_conns);
    return true;
}

struct worker *worker_create(const struct worker_setup *setup, struct buf *why)
{
    struct worker *w = aligned_alloc(64, (sizeof(*w) + 63) / 64 * 64);

    if (w == NULL) {
        fail(why, "not enough memory");
        return NULL;
    }
    memset(w, 0, sizeof(*w));
    w->setup = *setup;
    w->connections = UINT32_MAX;
    set_clock(w);
    w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    w->log = log_create(LIMIT_LOG_SLOTS, (enum log_level)setup->config->log.level, &w->clock,
                        &w->counters);
    if (w->wake_fd < 0 || w->log == NULL)
        fail(why, "not enough memory or descriptors");
    else if (open_core(w, why) && open_ksock(w, why) && open_rooms(w, why) && open_conns(w, why) &&
             open_listeners(w, why))
        return w;
    worker_destroy(w);
    return NULL;
}

void worker_destroy(struct worker *w)
{
    ASSERT(!w->started);
    if (w->conns != NULL)
        conns_destroy(w->conns);
    if (w->auth != NULL)
        auth_destroy(w->auth);
    if (w->ksock != NULL)
        ksock_destroy(w->ksock);
    core_close(&w->core);
    if (w->tls != NULL)
        tls_worker_destroy(w->tls);
    if (w->smtp != NULL)
        smtp_destroy(w->smtp);
    if (w->segs != NULL)
        seg_plain_destroy(w->segs);
    if (w->log != NULL)
        log_destroy(w->log);
    if (w->wake_fd >= 0)
        close(w->wake_fd);
    free(w);
}

void worker_offer_users(struct worker *w, struct auth_users *users)
{
    auth_offer_users(w->auth, users);
}

static void pin(struct worker *w)
{
    const struct config *cfg = w->setup.config;
    cpu_set_t set;

    if (w->setup.index >= cfg->workers.core_count)
        return;
    CPU_ZERO(&set);
    CPU_SET(cfg->workers.cores[w->setup.index], &set);
    if (pthread_setaffinity_np(w->thread, sizeof(set), &set) == 0)
        return;
    struct log_line *line = log_begin(w->log, LOG_LEVEL_WARN, "core not to be had");
    log_u64(line, "core", cfg->workers.cores[w->setup.index]);
    log_end(w->log, line);
}

bool worker_start(struct worker *w, struct buf *why)
{
    int err = pthread_create(&w->thread, NULL, run, w);

    if (err != 0) {
        buf_printf(why, "worker: thread: %s", strerror(err));
        return false;
    }
    w->started = true;
    pin(w);
    return true;
}

static void wake(struct worker *w)
{
    uint64_t one = 1;

    if (write(w->wake_fd, &one, sizeof(one)) < 0)
        ASSERT(errno == EAGAIN); /* it has been woken already */
}

void worker_drain(struct worker *w, enum worker_drain how)
{
    __atomic_store_n(&w->want_drain, how, __ATOMIC_RELEASE);
    wake(w);
}

uint32_t worker_connections(const struct worker *w)
{
    return __atomic_load_n(&w->connections, __ATOMIC_ACQUIRE);
}

void worker_stop(struct worker *w)
{
    if (!w->started)
        return;
    __atomic_store_n(&w->want_stop, true, __ATOMIC_RELEASE);
    wake(w);
    pthread_join(w->thread, NULL);
    w->started = false;
}

struct log *worker_log(struct worker *w)
{
    return w->log;
}

const struct counters *worker_counters(const struct worker *w)
{
    return &w->counters;
}
