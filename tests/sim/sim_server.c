/*
 * One thread plays worker, helper and spool writer by turns. A password check takes virtual time:
 * its job is run some milliseconds after it was handed in.
 */
#include "sim/sim_server.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/log.h"
#include "gateway/auth.h"
#include "gateway/auth_file.h"
#include "gateway/conn.h"
#include "smtp/smtp.h"

#define CONNECTIONS 64
#define JOBS        64
#define HASH_NS     (2 * NS_PER_MS)
/* The password is "secret"; few rounds, so that a seed is quick. */
#define USERS                        \
    "test:$6$rounds=1000$simulator$" \
    "2CJo3e4KNNPQ3H6QQ9/2LAxnubk1WB7ZiwWRhbrkG74877Ia2iYhG3vcmNOd3aXxxCRAR7nYsw9ZtNjXso5H4.\n"

struct sim_jobs {
    struct job_queue queue;
    struct job *waiting[JOBS];
    uint64_t due_ns[JOBS];
    uint32_t head;
    uint32_t tail;
    const struct clock *clock;
};

struct sim_server {
    struct core core;
    struct core_config core_config;
    const struct clock *clock;
    struct counters counters;
    struct counters spool_counters;
    struct log *log;
    struct sim_jobs jobs;
    struct mail_id_gen ids;
    struct smtp *smtp;
    struct auth_users *users;
    struct auth *auth;
    struct spool *spool;
    struct spool_recovery recovery;
    struct conns *conns;
    struct conn_listener listener;
    struct core_poller poll_conns;
    struct core_poller poll_jobs;
};

static bool submit(struct job_queue *q, struct job *job)
{
    struct sim_jobs *jobs = LIST_ENTRY(q, struct sim_jobs, queue);

    if (jobs->tail - jobs->head == JOBS)
        return false;
    jobs->waiting[jobs->tail % JOBS] = job;
    jobs->due_ns[jobs->tail % JOBS] = jobs->clock->now_ns + HASH_NS;
    jobs->tail++;
    return true;
}

static unsigned poll_jobs(struct core_poller *p)
{
    struct sim_jobs *jobs = &LIST_ENTRY(p, struct sim_server, poll_jobs)->jobs;
    unsigned n = 0;

    while (jobs->head != jobs->tail && jobs->due_ns[jobs->head % JOBS] <= jobs->clock->now_ns) {
        struct job *job = jobs->waiting[jobs->head++ % JOBS];

        job->run(job);
        job->ran = true;
        job->done(job);
        n++;
    }
    return n;
}

static unsigned poll_conns(struct core_poller *p)
{
    return conns_poll(LIST_ENTRY(p, struct sim_server, poll_conns)->conns);
}

static void open_core(struct sim_server *s, struct nic *nic, struct rng *rng)
{
    s->core_config = (struct core_config){
        .net = { .address = addr_from_v4(SIM_SERVER_ADDRESS), .prefix_length = 24 },
        .tcp = { .connections_max = CONNECTIONS,
                 .syn_rcvd_max = CONNECTIONS,
                 .time_wait_max = 4 * CONNECTIONS,
                 .receive_bytes_max = 256 * 1024,
                 .send_bytes_max = LIMIT_TCP_SEND_BYTES,
                 .time_wait_ms = LIMIT_TCP_TIME_WAIT_MS,
                 .aside_max = 64 },
        .secret = { rng_next(rng), rng_next(rng) },
    };
    if (!core_open(&s->core, &s->core_config, nic, s->clock, &s->counters))
        UNREACHABLE("the simulator has memory");
}

static void open_rooms(struct sim_server *s, struct rng *rng)
{
    static const struct smtp_config smtp_config = {
        .hostname = "sim.example.org",
        .message_bytes_max = 32 * 1024 * 1024,
        .recipients_max = 100,
        .errors_max = 20,
        .auth_tries_max = 3,
        .command_timeout_s = 300,
        .data_timeout_s = 180,
        .hops_max = LIMIT_HOPS_DEFAULT,
        .hold_s_max = 86400,
    };
    static const struct config_auth auth_config = {
        .cache_entries = 16,
        .cache_lifetime_s = 600,
        .guesses_per_client = 100,
        .guesses_per_login = 100,
        .guesses_per_network = 1000,
        .guesses_per_pair = 1000,
        .guess_delay_s = 10,
        .guess_window_s = 600,
        .block_time_s = 900,
    };
    struct smtp_env smtp_env = { s->clock, &s->counters, &s->ids, NULL };
    struct auth_file_env file_env = { &s->counters, &s->jobs.queue, s->users, { 0 } };
    struct auth_file *file = auth_file_create(&file_env);
    struct auth_env auth_env = {
        .clock = s->clock,
        .counters = &s->counters,
        .backends = { auth_file_backend(file) },
        .table_key = { rng_next(rng), rng_next(rng) },
        .done = conn_session_answer,
    };

    s->smtp = smtp_create(&smtp_config, CONNECTIONS, &smtp_env);
    s->auth = auth_create(&auth_config, CONNECTIONS, &auth_env);
    ASSERT(s->smtp != NULL && s->auth != NULL);
}

static void open_spool(struct sim_server *s, struct spool_io *io)
{
    static const struct spool_config config = {
        .bytes_max = 64 * 1024 * 1024,
        .segment_bytes = 4 * 1024 * 1024,
        .ports = 1,
        .extents_per_port = 16,
        .messages_per_port = CONNECTIONS,
    };
    struct spool_env env = { .io = io, .counters = &s->spool_counters, .log = s->log };
    char text[512] = "";
    struct buf why = { (uint8_t *)text, 0, sizeof(text) - 1 };

    s->spool = spool_open(&config, &env, &s->recovery, &why);
    if (s->spool == NULL)
        UNREACHABLE(text);
    mail_id_init(&s->ids, 0, s->recovery.id_max);
}

static void open_conns(struct sim_server *s, struct rng *rng)
{
    struct conn_config config = {
        .connections_max = CONNECTIONS,
        .handshakes_per_turn = 4,
        .handshake_timeout_s = 30,
        .session_timeout_s = 7200,
        .linger_s = LIMIT_LINGER_S,
    };
    struct conn_env env = {
        .clock = s->clock,
        .counters = &s->counters,
        .log = s->log,
        .smtp = s->smtp,
        .spool = spool_port(s->spool, 0),
        .auth = s->auth,
        .secret = { rng_next(rng), rng_next(rng) },
    };

    s->conns = conns_create(&config, &env);
    ASSERT(s->conns != NULL);
    s->core.handler = conns_handler(s->conns);
    s->poll_conns.poll = poll_conns;
    s->poll_jobs.poll = poll_jobs;
    core_add_poller(&s->core, &s->poll_conns);
    core_add_poller(&s->core, &s->poll_jobs);
}

struct sim_server *sim_server_create(struct nic *nic, struct spool_io *io,
                                     const struct clock *clock, struct rng *rng)
{
    struct sim_server *s = aligned_alloc(64, (sizeof(*s) + 63) / 64 * 64);
    struct endpoint at = { addr_from_v4(SIM_SERVER_ADDRESS), SIM_SERVER_PORT };
    char text[256];
    struct buf errors = { (uint8_t *)text, 0, sizeof(text) };

    ASSERT(s != NULL);
    memset(s, 0, sizeof(*s));
    s->clock = clock;
    s->jobs.queue.submit = submit;
    s->jobs.clock = clock;
    s->log = log_create(64, LOG_LEVEL_ERROR, clock, &s->counters);
    s->users = auth_users_parse("users", span_str(USERS), &errors);
    ASSERT(s->log != NULL && s->users != NULL);
    open_core(s, nic, rng);
    open_rooms(s, rng);
    open_spool(s, io);
    open_conns(s, rng);
    s->listener = (struct conn_listener){ .name = "sim", .secure = true };
    if (!tcp_listen(s->core.tcp, &at, &s->listener))
        UNREACHABLE("one listener fits");
    return s;
}

void sim_server_kill(struct sim_server *s)
{
    conns_abort_all(s->conns);
    while (s->jobs.head != s->jobs.tail) {
        struct job *job = s->jobs.waiting[s->jobs.head++ % JOBS];

        job->done(job);
    }
    conns_destroy(s->conns);
    auth_destroy(s->auth);
    auth_users_release(s->users);
    smtp_destroy(s->smtp);
    core_close(&s->core);
    spool_close(s->spool);
    log_destroy(s->log);
    free(s);
}

unsigned sim_server_turn(struct sim_server *s)
{
    unsigned work = core_turn(&s->core) + spool_turn(s->spool);

    smtp_set_short(s->smtp, tcp_memory_level(s->core.tcp) >= TCP_MEMORY_NO_MAIL);
    return work;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t sim_server_next_ns(const struct sim_server *s)
{
    uint64_t next = least(core_next_ns(&s->core), conns_next_ns(s->conns));

    if (s->jobs.head != s->jobs.tail)
        next = least(next, s->jobs.due_ns[s->jobs.head % JOBS]);
    return next;
}

const struct spool_recovery *sim_server_recovery(const struct sim_server *s)
{
    return &s->recovery;
}
