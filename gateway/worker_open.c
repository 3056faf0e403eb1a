/*
 * Everything that a worker's loop will ever need, taken before it begins: memory, tables,
 * listeners.
 *
 * Happy path: worker_create opens the core, kernel sockets, the rooms above and the listeners, in
 * this order; worker_destroy gives all back. Failure: a sentence, and nothing is left open.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/assert.h"
#include "gateway/auth_external.h"
#include "gateway/auth_throttle.h"
#include "gateway/now.h"
#include "gateway/worker_priv.h"

#define SEG_HEADROOM 128 /* for headers of lower layers and of TLS records */
#define SEG_ROOM     2048

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

static unsigned poll_remote(struct core_poller *p)
{
    struct worker *w = LIST_ENTRY(p, struct worker, poll_remote);

    return auth_remote_poll(w->setup.remote, w->setup.index);
}

static unsigned poll_conns(struct core_poller *p)
{
    struct worker *w = LIST_ENTRY(p, struct worker, poll_conns);

    return conns_poll(w->conns);
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
            .shared = config_device_beside_kernel(&cfg->device),
        },
        .tcp = {
            .connections_max = cfg->limits.connections,
            .syn_rcvd_max = LIMIT_TCP_SYN_RCVD,
            .time_wait_max = LIMIT_TCP_TIME_WAIT,
            .receive_bytes_max = (uint32_t)cfg->limits.receive_bytes,
            .send_bytes_max = LIMIT_TCP_SEND_BYTES,
            .time_wait_ms = LIMIT_TCP_TIME_WAIT_MS,
            .host_max = cfg->limits.connections_per_client,
            .network_max = config_network_max(&cfg->limits),
            .congestion = cfg->limits.congestion,
            .ecn = cfg->limits.ecn,
            .aside_max = LIMIT_TCP_ASIDE_SEGS,
            .user_timeout_ms = cfg->limits.user_timeout_s * 1000,
            .keepalive_ms = cfg->limits.keepalive_s * 1000,
        },
    };
    if (!get_random(&w->core_config.secret, sizeof(w->core_config.secret)))
        return fail(why, "no random numbers to be had");
    if (!core_open(&w->core, &w->core_config, w->setup.nic, &w->clock, &w->counters))
        return fail(why, "not enough memory for TCP connections");
    return true;
}

static bool open_ksock(struct worker *w, struct buf *why)
{
    const struct config *cfg = w->setup.config;
    uint32_t receive_bytes = cfg->limits.receive_bytes < LIMIT_KSOCK_RECEIVE_BYTES
                                 ? (uint32_t)cfg->limits.receive_bytes
                                 : LIMIT_KSOCK_RECEIVE_BYTES;
    struct ksock_config kc = { cfg->limits.connections, receive_bytes, LIMIT_TCP_SEND_BYTES };
    struct ksock_env ke = { .counters = &w->counters, .ready = &w->core.ready };

    if (!config_needs_kernel(cfg))
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

static bool listen_on(struct worker *w, const struct config_listener *l, struct conn_listener *mine)
{
    struct endpoint at = { l->address, (uint16_t)l->port };

    if (l->path == CONFIG_PATH_KERNEL)
        return ksock_listen(w->ksock, &at, mine);
    if (l->proxy_count > 0) /* nobody else may connect */
        return tcp_listen_proxied(w->core.tcp, &at, l->proxies, l->proxy_count, mine);
    return tcp_listen_proxied(w->core.tcp, &at, l->xclients, l->xclient_count, mine);
}

static bool open_listeners(struct worker *w, struct buf *why)
{
    const struct config *cfg = w->setup.config;
    char text[ADDR_TEXT_MAX];

    for (unsigned i = 0; i < cfg->listener_count; i++) {
        const struct config_listener *l = &cfg->listeners[i];
        struct conn_listener *mine = &w->listeners[i];

        *mine = (struct conn_listener){
            .name = l->name,
            .tls = l->tls == CONFIG_LISTENER_IMPLICIT,
            .starttls = l->tls == CONFIG_LISTENER_STARTTLS,
            .proxies = l->proxies,
            .proxy_count = l->proxy_count,
            .xclients = l->xclients,
            .xclient_count = l->xclient_count,
        };
        if (listen_on(w, l, mine))
            continue;
        addr_format(&l->address, text);
        buf_printf(why, "listener \"%s\" on %s port %u: %s", l->name, text, l->port,
                   l->path == CONFIG_PATH_KERNEL ? strerror(errno) : "too many listeners");
        return false;
    }
    return true;
}

/* The users file, or a program beside us, behind auth. */
static struct auth_backend *open_backend(struct worker *w)
{
    struct auth_file_env env = {
        &w->counters, helper_queue(w->setup.helper, w->setup.index), w->setup.users, { 0 }
    };

    if (w->setup.remote != NULL)
        return auth_remote_backend(w->setup.remote, w->setup.index);
    if (!get_random(env.secret, sizeof(env.secret)))
        return NULL;
    w->auth_file = auth_file_create(&env);
    explicit_bzero(&env, sizeof(env));
    return w->auth_file != NULL ? auth_file_backend(w->auth_file) : NULL;
}

/* Tokens are asked about first: a mechanism of theirs that another has too is ours when there are
 * keys. *to is NULL when there are none. */
static bool open_tokens(struct worker *w, struct auth_backend **to)
{
    const struct config_auth *c = &w->setup.config->auth;
    struct auth_token_env env = {
        .clock = &w->clock,
        .counters = &w->counters,
        .log = w->log,
        .jobs = helper_queue(w->setup.helper, w->setup.index),
        .keys = w->setup.jwks,
        .rules = { span_str(c->jwt_issuer), span_str(c->jwt_audience), span_str(c->jwt_scope),
                   c->jwt_login },
    };

    *to = NULL;
    if (env.keys == NULL)
        return true;
    w->auth_token = auth_token_create(&env);
    if (w->auth_token != NULL)
        *to = auth_token_backend(w->auth_token);
    return w->auth_token != NULL;
}

/* False: memory is short. *to stays NULL where nobody is asked for a certificate. */
static bool open_external(struct worker *w, struct auth_backend **to)
{
    if (w->setup.config->tls.clients == TLS_CLIENTS_OFF)
        return true;
    *to = auth_external_create();
    return *to != NULL;
}

static void destroy_backends(const struct auth_env *env)
{
    for (uint32_t i = 0; i < LIMIT_AUTH_BACKENDS; i++) {
        if (env->backends[i] != NULL)
            env->backends[i]->destroy(env->backends[i]);
    }
}

static bool open_auth(struct worker *w, struct buf *why)
{
    const struct config *cfg = w->setup.config;
    struct config_auth mine = cfg->auth;
    struct auth_env env = {
        .clock = &w->clock,
        .counters = &w->counters,
        .backends = { NULL, open_backend(w), NULL },
        .done = conn_session_answer,
    };

    auth_throttle_share(&mine, cfg->workers.count);
    if (open_tokens(w, &env.backends[0]) && env.backends[1] != NULL &&
        open_external(w, &env.backends[2]) && get_random(&env.table_key, sizeof(env.table_key)) &&
        get_random(env.secret, sizeof(env.secret)))
        w->auth = auth_create(&mine, cfg->limits.connections, &env);
    explicit_bzero(env.secret, sizeof(env.secret));
    if (w->auth != NULL)
        return true;
    destroy_backends(&env);
    return fail(why, "not enough memory, or random numbers, for authentication");
}

static bool open_policy(struct worker *w, struct buf *why)
{
    struct policy_env env = {
        .clock = &w->clock,
        .counters = &w->counters,
        .senders = w->setup.senders,
        .quota = w->setup.quota,
        .sessions_max = w->setup.config->limits.connections,
    };

    w->policy = policy_create(&w->setup.config->policy, &env);
    return w->policy != NULL || fail(why, "not enough memory for the policy");
}

static bool open_rooms(struct worker *w, struct buf *why)
{
    const struct config *cfg = w->setup.config;
    uint32_t most = cfg->limits.connections;
    struct smtp_config smtp = {
        .hostname = cfg->hostname,
        .privacy = cfg->privacy,
        .message_bytes_max = cfg->limits.message_bytes,
        .recipients_max = cfg->limits.recipients,
        .hops_max = cfg->limits.hops,
        .errors_max = cfg->limits.errors,
        .errors_soft = cfg->limits.soft_errors,
        .error_delay_s = cfg->limits.error_delay_s,
        .auth_tries_max = cfg->limits.auth_tries,
        .command_timeout_s = cfg->limits.command_timeout_s,
        .data_timeout_s = cfg->limits.data_timeout_s,
        .hold_s_max = cfg->limits.hold_s,
        .from_rule = (enum smtp_from_rule)cfg->policy.from_rule,
    };
    struct smtp_env smtp_env = { &w->clock, &w->counters, &w->ids, policy_of_smtp(w->policy) };
    struct tls_env tls_env = { &w->counters, &w->clock,
                               helper_queue(w->setup.helper, w->setup.index) };

    mail_id_init(&w->ids, w->setup.index, w->setup.id_floor);
    w->smtp = smtp_create(&smtp, most, &smtp_env);
    w->tls = tls_worker_create(w->setup.tls, most, &tls_env);
    if (w->smtp == NULL || w->tls == NULL)
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
    w->poll_remote.poll = poll_remote;
    if (w->setup.remote != NULL)
        core_add_poller(&w->core, &w->poll_remote);
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
    now_read(&w->clock);
    w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    w->log = log_create(LIMIT_LOG_SLOTS, (enum log_level)setup->config->log.level, &w->clock,
                        &w->counters);
    if (w->wake_fd < 0 || w->log == NULL)
        fail(why, "not enough memory or descriptors");
    else if (open_core(w, why) && open_ksock(w, why) && open_policy(w, why) && open_rooms(w, why) &&
             open_auth(w, why) && open_conns(w, why) && open_listeners(w, why))
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
    if (w->policy != NULL)
        policy_destroy(w->policy);
    if (w->segs != NULL)
        seg_plain_destroy(w->segs);
    if (w->log != NULL)
        log_destroy(w->log);
    if (w->wake_fd >= 0)
        close(w->wake_fd);
    free(w);
}
