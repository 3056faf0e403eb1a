/*
 * The order in which the program comes up, and goes down.
 *
 * Up: limits, DPDK's port, certificates, users, policy, spool (recovery), helpers, workers with
 * their listeners, log, rights dropped, threads. Down: workers, helpers, spool writer, log, memory:
 * each after those that use it. Failure: the first step that fails says why in one sentence, and
 * what was opened is closed again.
 */
#include "gateway/program_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/assert.h"
#include "dataplane/nic/nic_xdp.h"
#include "gateway/now.h"
#include "gateway/privs.h"

#define LOG_PATIENCE_MS 2000

void program_log(struct program *p, enum log_level level, const char *event, const char *key,
                 const char *value)
{
    struct log_line *line;

    now_read(&p->clock);
    line = log_begin(p->log, level, event);
    if (line == NULL)
        return;
    if (key != NULL)
        log_str(line, key, value);
    log_end(p->log, line);
}

/* --- up -------------------------------------------------------------------------------------- */

static bool raise_limits(struct program *p, struct buf *why)
{
    const struct config *cfg = p->config;
    uint64_t files = 256 + LIMIT_HTTP_CONNECTIONS + (uint64_t)cfg->workers.count * 16;

    if (config_needs_kernel(cfg))
        files += (uint64_t)cfg->workers.count * cfg->limits.connections;
    return privs_user_exists(cfg->user, why) && privs_raise_limits(files, why);
}

/* What is ours of a device that the kernel has too. */
static struct nic_ours ours_of(const struct config *cfg)
{
    struct nic_ours ours = { .address = cfg->device.address,
                             .address6 = cfg->device.address6,
                             .vlan = (uint16_t)cfg->device.vlan };

    for (unsigned i = 0; i < cfg->listener_count; i++)
        if (cfg->listeners[i].path == CONFIG_PATH_DPDK)
            ours.ports[ours.port_count++] = (uint16_t)cfg->listeners[i].port;
    return ours;
}

static bool open_port(struct program *p, struct buf *why)
{
    const struct config_device *d = &p->config->device;
    char *argv[LIMIT_EAL_ARGUMENTS + 2] = { (char *)"postern" };
    struct nic_ours ours = ours_of(p->config);
    struct nic_port_config pc = {
        .workers = (uint16_t)p->config->workers.count,
        .connections = p->config->limits.connections,
        .mtu = (uint16_t)d->mtu,
        .mac_set = d->mac_set,
        .ours = &ours,
    };

    if (!d->present)
        return true;
    if (d->exception[0] != '\0')
        pc.exception = d->exception;
    pc.groups = !addr_is_none(&d->address6) || pc.exception != NULL;
    if (d->name[0] != '\0')
        pc.device = d->name;
    for (unsigned i = 0; i < d->eal_count; i++)
        argv[i + 1] = (char *)d->eal[i];
    if (d->shared && !nic_xdp_share(&ours, (int)d->eal_count + 1, argv, why))
        return false;
    if (!nic_eal_start((int)d->eal_count + 1, argv, why))
        return false;
    p->eal = true;
    memcpy(pc.mac, d->mac, sizeof(pc.mac));
    p->port = nic_port_open(&pc, why);
    return p->port != NULL;
}

static bool open_tls(struct program *p, struct buf *why)
{
    const struct config_tls *t = &p->config->tls;
    struct tls_config tc = { .certificate_count = t->certificate_count,
                             .tls12 = t->tls12,
                             .boringssl_records = t->records == CONFIG_RECORDS_BORINGSSL,
                             .ticket_lifetime_s = t->ticket_lifetime_s,
                             .clients = (enum tls_clients)t->clients,
                             .client_ca_path = t->client_ca,
                             .identity = (enum tls_identity)t->client_login };

    for (unsigned i = 0; i < t->certificate_count; i++) {
        tc.certificates[i].chain_path = t->certificates[i].chain;
        tc.certificates[i].key_path = t->certificates[i].key;
        if (t->certificates[i].ocsp[0] != 0)
            tc.certificates[i].ocsp_path = t->certificates[i].ocsp;
    }
    if (t->ticket_keys[0] != 0)
        tc.ticket_keys_path = t->ticket_keys;
    if (t->client_crl[0] != 0)
        tc.client_crl_path = t->client_crl;
    watch_begin(&p->ticket_file, t->ticket_keys);
    p->tls = tls_ctx_create(&tc, why);
    if (p->tls == NULL)
        return false;
    now_read(&p->clock);
    tls_ctx_rotate(p->tls, p->clock.unix_ms);
    return true;
}

static bool open_remote(struct program *p, struct buf *why)
{
    const struct config_auth *a = &p->config->auth;
    struct auth_client *client = a->backend == CONFIG_BACKEND_HTTP
                                     ? auth_http_create(a->url, a->timeout_s)
                                     : auth_dovecot_create(a->socket, a->timeout_s);

    if (client == NULL) {
        buf_printf(why, "auth: not enough memory");
        return false;
    }
    p->remote = auth_remote_create(client, p->config->workers.count,
                                   (enum log_level)p->config->log.level, why);
    if (p->remote == NULL)
        client->destroy(client);
    return p->remote != NULL;
}

static bool open_users(struct program *p, struct buf *why)
{
    if (p->config->auth.backend != CONFIG_BACKEND_USERS)
        return open_remote(p, why);
    p->users = auth_salt_load_users(p->config->users, p->config->auth.salt_key, why);
    return p->users != NULL;
}

static bool open_policy(struct program *p, struct buf *why)
{
    struct hash_key key;

    if (getrandom(&key, sizeof(key), 0) != sizeof(key))
        return buf_printf(why, "no random numbers to be had"), false;
    p->quota = quota_create(LIMIT_QUOTA_ENTRIES, &key);
    if (p->quota == NULL)
        return buf_printf(why, "not enough memory"), false;
    if (p->config->policy.senders[0] == '\0')
        return true;
    p->senders = senders_load(p->config->policy.senders, why);
    return p->senders != NULL;
}

static bool open_jwks(struct program *p, struct buf *why)
{
    watch_begin(&p->jwks_file, p->config->auth.jwks);
    if (p->config->auth.jwks[0] == 0)
        return true;
    p->jwks = auth_jwks_load(p->config->auth.jwks, why);
    return p->jwks != NULL;
}

static bool open_log(struct program *p, struct buf *why)
{
    now_read(&p->clock);
    p->log =
        log_create(LIMIT_LOG_SLOTS, (enum log_level)p->config->log.level, &p->clock, &p->counters);
    if (p->log == NULL)
        buf_printf(why, "log: not enough memory");
    return p->log != NULL;
}

static bool open_spool(struct program *p, struct buf *why)
{
    p->spooler = spooler_open(p->config, &p->recovery, why);
    return p->spooler != NULL;
}

static bool open_helper(struct program *p, struct buf *why)
{
    p->helper = helper_create(p->config->workers.helpers, p->config->workers.count);
    if (p->helper == NULL)
        buf_printf(why, "helpers: threads are not to be had");
    return p->helper != NULL;
}

static bool open_workers(struct program *p, struct buf *why)
{
    for (unsigned i = 0; i < p->config->workers.count; i++) {
        struct worker_setup setup = {
            .config = p->config,
            .index = i,
            .nic = p->port != NULL ? nic_port_nic(p->port, (uint16_t)i) : NULL,
            .tls = p->tls,
            .spool = spooler_port(p->spooler, i),
            .helper = p->helper,
            .users = p->users,
            .senders = p->senders,
            .quota = p->quota,
            .jwks = p->jwks,
            .remote = p->remote,
            .id_floor = p->recovery.id_max,
        };

        p->workers[i] = worker_create(&setup, why);
        if (p->workers[i] == NULL)
            return false;
    }
    return true;
}

static bool open_logger(struct program *p, struct buf *why)
{
    struct log *logs[LIMIT_WORKERS + 3];
    struct logger_config lc = { .path = p->config->log.file,
                                .logs = logs,
                                .counters = &p->logger_counters };

    logs[lc.count++] = p->log;
    logs[lc.count++] = spooler_log(p->spooler);
    if (p->remote != NULL)
        logs[lc.count++] = auth_remote_log(p->remote);
    for (unsigned i = 0; i < p->config->workers.count; i++)
        logs[lc.count++] = worker_log(p->workers[i]);
    p->logger = logger_start(&lc, why);
    return p->logger != NULL;
}

static bool open_control(struct program *p, struct buf *why)
{
    p->control = control_open(p, p->config->control.socket, p->config->user, why);
    return p->control != NULL;
}

static bool start_exception(struct program *p, struct buf *why)
{
    struct nic_exception *path = p->port != NULL ? nic_port_exception(p->port) : NULL;

    if (path == NULL)
        return true;
    p->exception = exception_start(path, why);
    return p->exception != NULL;
}

static bool start_threads(struct program *p, struct buf *why)
{
    if (!privs_drop(p->config->user, why) || !spooler_start(p->spooler, why))
        return false;
    if (p->remote != NULL && !auth_remote_start(p->remote, why))
        return false;
    for (unsigned i = 0; i < p->config->workers.count; i++)
        if (!worker_start(p->workers[i], why))
            return false;
    return start_exception(p, why);
}

static void log_start(struct program *p)
{
    struct nic_port_info info;
    struct log_line *line;

    now_read(&p->clock);
    line = log_begin(p->log, LOG_LEVEL_INFO, "spool");
    if (line != NULL) {
        log_str(line, "directory", p->config->spool.directory);
        log_u64(line, "segments", p->recovery.segments);
        log_u64(line, "messages", p->recovery.messages);
        log_u64(line, "dropped", p->recovery.dropped);
        log_u64(line, "damaged", p->recovery.damaged);
        log_end(p->log, line);
    }
    if (p->port != NULL && (line = log_begin(p->log, LOG_LEVEL_INFO, "device")) != NULL) {
        nic_port_info(p->port, &info);
        log_str(line, "device", info.device);
        log_str(line, "driver", info.driver);
        log_u64(line, "mtu", info.mtu);
        log_u64(line, "queues", info.queues);
        log_u64(line, "mbufs", info.mbufs);
        log_str(line, "lacks", info.lacks);
        log_end(p->log, line);
    }
    program_log(p, LOG_LEVEL_INFO, "ready", "hostname", p->config->hostname);
}

struct program *program_start(const struct config *config, struct buf *why)
{
    static bool (*const steps[])(struct program *, struct buf *) = {
        raise_limits, open_log,     open_port,     open_tls,    open_users,
        open_jwks,    open_policy,  open_spool,    open_helper, open_workers,
        open_logger,  open_control, start_threads,
    };
    struct program *p = aligned_alloc(64, (sizeof(*p) + 63) / 64 * 64);

    if (p == NULL) {
        buf_printf(why, "not enough memory");
        return NULL;
    }
    memset(p, 0, sizeof(*p));
    p->config = config;
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (steps[i](p, why))
            continue;
        program_stop(p);
        return NULL;
    }
    log_start(p);
    return p;
}

/* --- down ------------------------------------------------------------------------------------ */

bool program_drain(struct program *p, enum worker_drain how)
{
    bool empty = true;

    if (p->drain < how)
        program_log(p, LOG_LEVEL_INFO, how == WORKER_DRAINS ? "draining" : "drain timed out", NULL,
                    NULL);
    for (unsigned i = 0; i < p->config->workers.count; i++) {
        if (p->drain < how)
            worker_drain(p->workers[i], how);
        empty = empty && worker_connections(p->workers[i]) == 0;
    }
    p->drain = how;
    return empty;
}

static void stop_remote(struct program *p)
{
    if (p->remote == NULL)
        return;
    auth_remote_stop(p->remote);
    for (unsigned i = 0; i < p->config->workers.count; i++)
        while (auth_remote_poll(p->remote, i) > 0)
            continue;
}

static void stop_workers(struct program *p)
{
    for (unsigned i = 0; i < LIMIT_WORKERS && p->workers[i] != NULL; i++)
        worker_stop(p->workers[i]);
    if (p->exception != NULL)
        exception_stop(p->exception);
    if (p->helper != NULL)
        helper_stop(p->helper);
    for (unsigned i = 0; i < LIMIT_WORKERS && p->workers[i] != NULL; i++)
        while (helper_poll(p->helper, i) > 0)
            continue;
    stop_remote(p);
    if (p->spooler != NULL)
        spooler_stop(p->spooler);
}

void program_stop(struct program *p)
{
    if (p->control != NULL)
        control_end_capture(p->control);
    stop_workers(p);
    if (p->control != NULL)
        control_close(p->control);
    if (p->logger != NULL) {
        program_log(p, LOG_LEVEL_INFO, "stopped", NULL, NULL);
        logger_stop(p->logger, LOG_PATIENCE_MS);
    }
    for (unsigned i = 0; i < LIMIT_WORKERS && p->workers[i] != NULL; i++)
        worker_destroy(p->workers[i]);
    if (p->helper != NULL)
        helper_destroy(p->helper);
    if (p->spooler != NULL)
        spooler_close(p->spooler);
    if (p->users != NULL)
        auth_users_release(p->users);
    senders_release(p->senders);
    quota_destroy(p->quota);
    auth_jwks_release(p->jwks);
    if (p->remote != NULL)
        auth_remote_destroy(p->remote);
    if (p->tls != NULL)
        tls_ctx_destroy(p->tls);
    if (p->port != NULL)
        nic_port_close(p->port);
    if (p->eal)
        nic_eal_stop();
    if (p->log != NULL)
        log_destroy(p->log);
    free(p);
}

/* --- while it runs --------------------------------------------------------------------------- */

void program_wait(struct program *p, int other_fd, int ms)
{
    control_wait(p->control, other_fd, ms);
}

unsigned program_workers(const struct program *p)
{
    return p->config->workers.count;
}

struct worker *program_worker(const struct program *p, unsigned index)
{
    ASSERT(index < p->config->workers.count);
    return p->workers[index];
}

void program_ask_to_drain(struct program *p)
{
    p->wants_drain = true;
}

bool program_wants_drain(const struct program *p)
{
    return p->wants_drain;
}

bool program_device(const struct program *p, struct program_number out[PROGRAM_DEVICE_NUMBERS])
{
    struct nic_port_stats s;

    if (p->port == NULL)
        return false;
    nic_port_stats(p->port, &s);
    out[0] = (struct program_number){ "nic_in", s.in };
    out[1] = (struct program_number){ "nic_out", s.out };
    out[2] = (struct program_number){ "nic_in_copied", s.in_copied };
    out[3] = (struct program_number){ "nic_in_dropped", s.in_dropped };
    out[4] = (struct program_number){ "nic_in_missed", s.in_missed };
    out[5] = (struct program_number){ "nic_out_errors", s.out_errors };
    out[6] = (struct program_number){ "kernel_in", s.kernel.in };
    out[7] = (struct program_number){ "kernel_in_dropped", s.kernel.in_dropped };
    out[8] = (struct program_number){ "kernel_out", s.kernel.out };
    out[9] = (struct program_number){ "kernel_out_dropped", s.kernel.out_dropped };
    return true;
}

struct nic_port *program_port(const struct program *p)
{
    return p->port;
}

uint64_t program_counter(const struct program *p, enum counter_id id)
{
    uint64_t n = counter_get(&p->counters, id) + counter_get(&p->logger_counters, id) +
                 counter_get(spooler_counters(p->spooler), id);

    if (p->remote != NULL)
        n += counter_get(auth_remote_counters(p->remote), id);
    for (unsigned i = 0; i < p->config->workers.count; i++)
        n += counter_get(worker_counters(p->workers[i]), id);
    return n;
}

static void log_counter(struct program *p, const char *name, uint64_t value)
{
    struct log_line *line = log_begin(p->log, LOG_LEVEL_INFO, "counter");

    if (line == NULL)
        return;
    log_str(line, "name", name);
    log_u64(line, "value", value);
    log_end(p->log, line);
}

void program_log_counters(struct program *p)
{
    struct program_number device[PROGRAM_DEVICE_NUMBERS];

    now_read(&p->clock);
    if (program_device(p, device))
        for (unsigned i = 0; i < PROGRAM_DEVICE_NUMBERS; i++)
            log_counter(p, device[i].name, device[i].value);
    for (unsigned id = 0; id < COUNTER_COUNT; id++)
        log_counter(p, counter_name(id), program_counter(p, id));
}
