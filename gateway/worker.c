/*
 * A worker's thread and loop.
 *
 * Happy path: the loop sets the clock, runs one turn of the core (packets, timers, pollers, ready
 * streams, transmit) and, when a turn found nothing to do, spins or sleeps as configured. What it
 * works with was taken by worker_open.c.
 *
 * Failure modes: none: what can fail in the loop fails a connection.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "base/assert.h"
#include "dataplane/nic/nic_port.h"
#include "gateway/now.h"
#include "gateway/worker_priv.h"

/* Idle sleep beside a NIC that cannot wake us: from short to at most this, so that a packet waits
 * no longer. */
#define NIC_SLEEP_NS_MIN (20 * NS_PER_US)
#define NIC_SLEEP_NS_MAX (500 * NS_PER_US)
#define SLEEP_NS_MAX     NS_PER_S
#define IDLE_TURNS       64 /* idle turns before the first sleep */

/* --- the loop -------------------------------------------------------------------------------- */

static uint64_t next_ns(const struct worker *w)
{
    uint64_t a = core_next_ns(&w->core);
    uint64_t b = conns_next_ns(w->conns);

    if (w->ksock != NULL && ksock_has_work(w->ksock))
        return w->clock.now_ns;
    return a < b ? a : b;
}

static int remote_fd(const struct worker *w)
{
    return w->setup.remote != NULL ? auth_remote_fd(w->setup.remote, w->setup.index) : -1;
}

/* Sleeps until a descriptor has news or the next timer is due; beside a NIC only for a moment. */
static void sleep_idle(struct worker *w)
{
    struct pollfd fds[5] = {
        { .fd = w->wake_fd, .events = POLLIN },
        { .fd = spool_port_fd(w->setup.spool), .events = POLLIN },
        { .fd = helper_fd(w->setup.helper, w->setup.index), .events = POLLIN },
        { .fd = w->ksock != NULL ? ksock_fd(w->ksock) : -1, .events = POLLIN },
        { .fd = remote_fd(w), .events = POLLIN },
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
    if (ppoll(fds, 5, &ts, NULL) > 0 && (fds[0].revents & POLLIN) != 0 &&
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

/* A step towards the answer of what main asked. Returns the work done. */
static unsigned answer(struct worker *w)
{
    struct worker_question *q = __atomic_load_n(&w->question, __ATOMIC_ACQUIRE);
    struct worker_parts parts = { .core = &w->core,
                                  .conns = w->conns,
                                  .auth = w->auth,
                                  .ksock = w->ksock,
                                  .segs = w->segs,
                                  .connections_most = w->setup.config->limits.connections };
    uint64_t one = 1;
    int told_fd;

    if (q == NULL)
        return 0;
    told_fd = q->told_fd;
    if (!q->answer(q->memory, &parts))
        return 1;
    __atomic_store_n(&w->question, NULL, __ATOMIC_RELEASE);
    if (write(told_fd, &one, sizeof(one)) < 0)
        ASSERT(errno == EAGAIN); /* it has been told already */
    return 1;
}

static void turn(struct worker *w)
{
    uint64_t begin = __rdtsc();
    uint64_t before_ns = w->clock.now_ns;
    unsigned work;

    now_read(&w->clock);
    /* After a turn that did work the next one follows at once: it took until now. */
    if (w->idle_turns == 0 && w->clock.now_ns - before_ns > LIMIT_TURN_LONG_NS)
        counter_inc(&w->counters, COUNTER_LOOP_TURNS_LONG);
    work = core_turn(&w->core);
    if (w->core.tcp != NULL)
        smtp_set_short(w->smtp, tcp_memory_level(w->core.tcp) >= TCP_MEMORY_NO_MAIL);
    obey(w);
    work += answer(w);
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
    w->idle_turns = 1; /* no turn was before the first */
    while (!__atomic_load_n(&w->want_stop, __ATOMIC_ACQUIRE))
        turn(w);
    conns_abort_all(w->conns);
    core_turn(&w->core); /* the resets leave */
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------ */

void worker_offer_senders(struct worker *w, struct senders *senders)
{
    policy_offer_senders(w->policy, senders_ref(senders));
}

void worker_offer_users(struct worker *w, struct auth_users *users)
{
    auth_file_offer(w->auth_file, auth_users_ref(users));
}

void worker_offer_jwks(struct worker *w, struct auth_jwks *keys)
{
    auth_token_offer(w->auth_token, auth_jwks_ref(keys));
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

void worker_ask(struct worker *w, struct worker_question *q)
{
    ASSERT(worker_has_answered(w));
    __atomic_store_n(&w->question, q, __ATOMIC_RELEASE);
    wake(w);
}

bool worker_has_answered(const struct worker *w)
{
    return __atomic_load_n(&w->question, __ATOMIC_ACQUIRE) == NULL;
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
