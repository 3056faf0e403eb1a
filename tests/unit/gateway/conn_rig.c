/* See conn_rig.h. What must go well here is asserted: a test that stands on sand says so. */
#include "lib/unit.h"

#include "conn_rig.h"

#include <string.h>

#include "base/limits.h"
#include "gateway/auth_file.h"

#define SEGMENTS  1024
#define SEG_ROOM  1448
#define TURNS_MAX 20000 /* more is a hang */
/* The password is "secret"; few rounds. */
#define USERS                        \
    "test:$6$rounds=1000$simulator$" \
    "2CJo3e4KNNPQ3H6QQ9/2LAxnubk1WB7ZiwWRhbrkG74877Ia2iYhG3vcmNOd3aXxxCRAR7nYsw9ZtNjXso5H4.\n"

static bool submit(struct job_queue *q, struct job *job)
{
    struct conn_rig_jobs *jobs = LIST_ENTRY(q, struct conn_rig_jobs, queue);

    if (jobs->count == jobs->most)
        return false;
    jobs->waiting[jobs->count++] = job;
    return true;
}

unsigned conn_rig_work(struct conn_rig *r)
{
    struct conn_rig_jobs now = r->jobs;

    r->jobs.count = 0;
    for (uint32_t i = 0; i < now.count; i++) {
        now.waiting[i]->run(now.waiting[i]);
        now.waiting[i]->ran = true;
        now.waiting[i]->done(now.waiting[i]);
    }
    return now.count;
}

static void open_smtp(struct conn_rig *r)
{
    static const struct smtp_config config = {
        .hostname = "mx.example.org",
        .message_bytes_max = 400000,
        .recipients_max = 10,
        .errors_max = 20,
        .errors_soft = 3,
        .error_delay_s = 10,
        .auth_tries_max = 3,
        .command_timeout_s = 300,
        .data_timeout_s = 180,
        .hops_max = LIMIT_HOPS_DEFAULT,
    };
    const struct smtp_env env = { &r->clock, &r->counters, &r->ids, NULL };

    mail_id_init(&r->ids, 1, 0);
    r->smtp = smtp_create(&config, CONN_RIG_CONNECTIONS, &env);
    assert_non_null(r->smtp);
}

static void open_auth(struct conn_rig *r)
{
    static const struct config_auth config = {
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
    char text[256];
    struct buf errors = { (uint8_t *)text, 0, sizeof(text) };
    struct auth_file_env file_env = { .counters = &r->counters, .jobs = &r->jobs.queue };
    struct auth_env env = { .clock = &r->clock,
                            .counters = &r->counters,
                            .done = conn_session_answer };
    struct auth_file *file;

    r->users = auth_users_parse("users", span_str(USERS), &errors);
    assert_non_null(r->users);
    file_env.users = r->users;
    file = auth_file_create(&file_env);
    assert_non_null(file);
    env.backends[0] = auth_file_backend(file);
    r->auth = auth_create(&config, CONN_RIG_CONNECTIONS, &env);
    assert_non_null(r->auth);
}

static void open_spool(struct conn_rig *r)
{
    static const struct spool_config config = {
        .bytes_max = 32 * 1024 * 1024,
        .segment_bytes = 1024 * 1024,
        .ports = 1,
        .extents_per_port = CONN_RIG_EXTENTS,
        .messages_per_port = CONN_RIG_CONNECTIONS,
    };
    struct spool_recovery recovery;
    uint8_t text[256];
    struct buf why = { text, 0, sizeof(text) };
    struct spool_env env = { .counters = &r->counters, .log = r->log };

    r->disk = sim_disk_create(&r->clock, &r->rng, false);
    env.io = sim_disk_io(r->disk);
    r->spool = spool_open(&config, &env, &recovery, &why);
    assert_non_null(r->spool);
}

static void open_conns(struct conn_rig *r)
{
    static const struct conn_config config = {
        .connections_max = CONN_RIG_CONNECTIONS,
        .handshakes_per_turn = 1,
        .handshake_timeout_s = 30,
        .session_timeout_s = 7200,
        .linger_s = CONN_RIG_LINGER_S,
    };
    const struct conn_env env = {
        .clock = &r->clock,
        .counters = &r->counters,
        .log = r->log,
        .smtp = r->smtp,
        .tls = r->tls,
        .spool = spool_port(r->spool, 0),
        .auth = r->auth,
    };

    r->conns = conns_create(&config, &env);
    assert_non_null(r->conns);
}

static void open_tls(struct conn_rig *r, struct tls_ctx *ctx)
{
    const struct tls_env env = { &r->counters, &r->clock, &r->jobs.queue };

    r->tls_ctx = ctx;
    r->tls = tls_worker_create(ctx, CONN_RIG_CONNECTIONS, &env);
    assert_non_null(r->tls);
}

void conn_rig_open(struct conn_rig *r, struct tls_ctx *tls, bool starttls)
{
    memset(r, 0, sizeof(*r));
    r->clock = (struct clock){ 1000 * NS_PER_S, 1790000000000ULL };
    rng_seed(&r->rng, 1);
    list_init(&r->ready);
    list_init(&r->client_ready);
    r->jobs.queue.submit = submit;
    r->jobs.most = CONN_RIG_JOBS;
    r->log = log_create(64, LOG_LEVEL_DEBUG, &r->clock, &r->counters);
    r->segs = seg_plain_create(SEGMENTS, 128, SEG_ROOM);
    assert_non_null(r->log);
    assert_non_null(r->segs);
    if (tls != NULL)
        open_tls(r, tls);
    open_smtp(r);
    open_auth(r);
    open_spool(r);
    open_conns(r);
    r->listener = (struct conn_listener){
        .name = "rig", .tls = tls != NULL && !starttls, .starttls = starttls, .secure = tls == NULL
    };
}

void conn_rig_close(struct conn_rig *r)
{
    conns_abort_all(r->conns);
    r->jobs.idle = false;
    conn_rig_settle(r);
    for (unsigned i = 0; i < r->client_count; i++)
        mem_stream_destroy(r->clients[i].wire);
    conns_destroy(r->conns);
    auth_destroy(r->auth);
    auth_users_release(r->users);
    smtp_destroy(r->smtp);
    tls_worker_destroy(r->tls);
    spool_close(r->spool);
    sim_disk_destroy(r->disk);
    log_destroy(r->log);
    seg_plain_destroy(r->segs); /* asserts that every segment is home */
}

struct conn_rig_client *conn_rig_connect(struct conn_rig *r, uint32_t room)
{
    struct conn_rig_client *c = &r->clients[r->client_count++];
    struct core_handler *h = conns_handler(r->conns);
    const struct mem_stream_config config = { .pool = { r->segs, r->segs },
                                              .ready = { &r->ready, &r->client_ready },
                                              .room = room };

    assert_true(r->client_count <= CONN_RIG_CLIENTS);
    *c = (struct conn_rig_client){ .wire = mem_stream_create(&config) };
    assert_non_null(c->wire);
    c->end = mem_stream_end(c->wire, 1);
    h->accepted(h, mem_stream_end(c->wire, 0), &r->listener);
    conn_rig_settle(r);
    return c;
}

static unsigned hear(struct conn_rig_client *c)
{
    uint32_t n = 0;

    if (!c->deaf)
        n = c->end->ops->read(c->end, (uint8_t *)c->text + c->len,
                              (uint32_t)sizeof(c->text) - 1 - c->len);
    c->len += n;
    c->text[c->len] = '\0';
    return n;
}

/* As core_turn: pollers first, then each stream that was ready at the start. */
unsigned conn_rig_turn(struct conn_rig *r)
{
    struct core_handler *h = conns_handler(r->conns);
    unsigned n = conns_poll(r->conns);
    struct list_node *node;
    struct list_node end;

    list_node_init(&end);
    list_append(&r->ready, &end);
    while ((node = list_pop(&r->ready)) != &end) {
        h->ready(h, LIST_ENTRY(node, struct stream, ready_link));
        n++;
    }
    return n + spool_turn(r->spool);
}

static bool disk_goes_on(struct conn_rig *r)
{
    uint64_t next_ns = sim_disk_next_ns(r->disk);

    if (next_ns == UINT64_MAX)
        return false;
    if (next_ns > r->clock.now_ns)
        r->clock.now_ns = next_ns;
    return true;
}

void conn_rig_settle(struct conn_rig *r)
{
    bool moving = true;

    for (unsigned turns = 0; moving; turns++) {
        assert_true(turns < TURNS_MAX);
        moving = conn_rig_turn(r) > 0;
        for (unsigned i = 0; i < r->client_count; i++)
            moving |= hear(&r->clients[i]) > 0;
        if (!r->jobs.idle)
            moving |= conn_rig_work(r) > 0;
        if (!moving)
            moving = disk_goes_on(r);
    }
}

void conn_rig_send(struct conn_rig *r, struct conn_rig_client *c, const void *bytes, uint32_t len)
{
    struct span rest = span_of(bytes, len);

    for (unsigned turns = 0; rest.len > 0; turns++) {
        assert_true(turns < TURNS_MAX);
        rest = span_skip(rest, stream_write(c->end, rest));
        conn_rig_settle(r);
    }
}

void conn_rig_say(struct conn_rig *r, struct conn_rig_client *c, const char *text)
{
    conn_rig_send(r, c, text, (uint32_t)strlen(text));
}

void conn_rig_heard(struct conn_rig_client *c, const char *want)
{
    size_t len = strlen(want);

    if (len > 0 && want[len - 1] == '*' && strncmp(c->text, want, len - 1) == 0)
        c->text[len - 1] = '*', c->text[len] = '\0';
    assert_string_equal(c->text, want);
    c->len = 0;
    c->text[0] = '\0';
}

void conn_rig_pass(struct conn_rig *r, uint32_t seconds)
{
    uint64_t until_ns = r->clock.now_ns + seconds * NS_PER_S;

    while (r->clock.now_ns < until_ns) {
        uint64_t next_ns = conns_next_ns(r->conns);

        next_ns = next_ns < until_ns ? next_ns : until_ns;
        if (next_ns > r->clock.now_ns)
            r->clock.now_ns = next_ns;
        conn_rig_settle(r);
    }
}

bool conn_rig_logged(struct conn_rig *r, const char *what)
{
    size_t len = strlen(r->logged);

    for (struct span line; (line = log_peek(r->log)).len > 0; log_pop(r->log)) {
        assert_true(len + line.len < sizeof(r->logged));
        memcpy(r->logged + len, line.ptr, line.len);
        len += line.len;
        r->logged[len] = '\0';
    }
    return strstr(r->logged, what) != NULL;
}

uint64_t conn_rig_count(const struct conn_rig *r, enum counter_id which)
{
    return counter_get(&r->counters, which);
}
