/*
 * What single values cannot show: whether they fit each other, and whether the files that they name
 * are there. Happy path: nothing is added. Each fault names the line of the value that is easiest
 * to change.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/auth_http_wire.h"
#include "gateway/auth_jwks.h"
#include "gateway/auth_salt.h"
#include "gateway/config_read.h"
#include "gateway/privs.h"
#include "gateway/senders.h"
#include "tls/tls.h"

#define MEGA (1024ULL * 1024)

#define MTU6_LEAST 1280

/* `key` is the next hop for all that is not in the network of our address. `bits`: of struct addr.
 */
static void check_gateway(struct config_read *r, const char *key, const struct addr *gateway,
                          const struct addr *address, uint32_t bits)
{
    uint32_t line = config_read_line(r, CONFIG_DEVICE, key);
    bool v4 = strcmp(key, "gateway") == 0;
    bool near = addr_same_network(gateway, address, bits);

    if (addr_is_none(gateway))
        return;
    if (addr_is_none(address))
        config_read_fault(r, line, "%s: needs %s beside it", key, v4 ? "address" : "address6");
    else if (v4 ? !near : addr_is_v4(gateway) || !(near || addr_is_link_local(gateway)))
        config_read_fault(r, line, "%s: must be an %s", key,
                          v4 ? "IPv4 address in the network of address"
                             : "IPv6 address in the network of address6, or a link-local one");
    else if (addr_equal(gateway, address))
        config_read_fault(r, line, "%s: must be another host, not our own address", key);
}

/* What the kernel takes for an interface's name, but for patterns. */
static void check_exception(struct config_read *r)
{
    const struct config_device *d = &r->config->device;
    uint32_t line = config_read_line(r, CONFIG_DEVICE, "exception");

    if (strpbrk(d->exception, "/%: \t\r\n") != NULL || strcmp(d->exception, ".") == 0 ||
        strcmp(d->exception, "..") == 0)
        config_read_fault(r, line,
                          "exception: must be the name of an interface, like \"postern0\"");
    if (d->shared && d->exception[0] != 0)
        config_read_fault(r, line,
                          "exception: must be left out with shared = yes: the kernel has the "
                          "interface itself");
}

static void check_device(struct config_read *r)
{
    const struct config_device *d = &r->config->device;

    if (!d->present)
        return;
    if (addr_is_none(&d->address) && addr_is_none(&d->address6))
        config_read_fault(r, config_read_line(r, CONFIG_DEVICE, "address"),
                          "device: must have an address, an address6, or both");
    if (addr_is_group(&d->address6))
        config_read_fault(r, config_read_line(r, CONFIG_DEVICE, "address6"),
                          "address6: must be one host's address, not a group's");
    if (!addr_is_none(&d->address6) && d->mtu != 0 && d->mtu < MTU6_LEAST)
        config_read_fault(r, config_read_line(r, CONFIG_DEVICE, "mtu"),
                          "mtu: must be %u at least with an address6 (RFC 8200, 5)", MTU6_LEAST);
    if (d->shared && d->mac_set)
        config_read_fault(r, config_read_line(r, CONFIG_DEVICE, "mac"),
                          "mac: must be left out with shared = yes: it is the kernel's");
    check_exception(r);
    check_gateway(r, "gateway", &d->gateway, &d->address, 96 + d->prefix_length);
    check_gateway(r, "gateway6", &d->gateway6, &d->address6, d->prefix_length6);
}

static void check_workers(struct config_read *r)
{
    const struct config_workers *w = &r->config->workers;
    uint32_t line = config_read_line(r, CONFIG_WORKERS, "cores");

    if (w->core_count != 0 && w->core_count != w->count)
        config_read_fault(r, line, "cores: must be one for each of the %u workers, or {}",
                          w->count);
    for (uint32_t i = 0; i < w->core_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (w->cores[i] == w->cores[j])
                config_read_fault(r, line,
                                  "cores: %u is there twice: a worker has a core of its own",
                                  w->cores[i]);
        }
    }
}

static bool same_place(const struct config_listener *a, const struct config_listener *b)
{
    return a->path == b->path && a->port == b->port &&
           (addr_is_none(&a->address) || addr_is_none(&b->address) ||
            addr_equal(&a->address, &b->address));
}

static void check_listener(struct config_read *r, const struct config_listener *l)
{
    const struct config_device *d = &r->config->device;

    if (l->path == CONFIG_PATH_DPDK && !d->present)
        config_read_fault(
            r, l->line, "listener %s: path = dpdk needs a device block; give one, or path = kernel",
            l->name);
    else if (l->path == CONFIG_PATH_DPDK && !addr_is_none(&l->address) &&
             !addr_equal(&l->address, &d->address) && !addr_equal(&l->address, &d->address6))
        config_read_fault(r, l->line, "listener %s: address must be one of the device's, or \"*\"",
                          l->name);
    for (const struct config_listener *other = r->config->listeners; other < l; other++) {
        if (same_place(l, other))
            config_read_fault(r, l->line,
                              "listener %s: has the address and port of listener %s (line %u); "
                              "change one of them",
                              l->name, other->name, other->line);
    }
}

static void check_listeners(struct config_read *r)
{
    const struct config *c = r->config;

    if (c->listener_count == 0)
        config_read_fault(r, 0, "no listener: give at least one, like listener \"submissions\" {}");
    for (uint32_t i = 0; i < c->listener_count; i++)
        check_listener(r, &c->listeners[i]);
    if (c->tls.certificate_count == 0)
        config_read_fault(r, 0,
                          "no certificate: give one, like "
                          "tls { certificate { chain = \"/...pem\" key = \"/...pem\" } }");
}

static void check_clients(struct config_read *r)
{
    const struct config_tls *t = &r->config->tls;
    bool asked = t->clients != TLS_CLIENTS_OFF;

    if (asked && t->client_ca[0] == 0)
        config_read_fault(r, config_read_line(r, CONFIG_TLS, "client-certificates"),
                          "client-certificates: needs client-ca beside it: who signs them");
    if (!asked && t->client_ca[0] != 0)
        config_read_fault(r, config_read_line(r, CONFIG_TLS, "client-ca"),
                          "client-ca: needs client-certificates = ask or require");
    if (!asked && t->client_crl[0] != 0)
        config_read_fault(r, config_read_line(r, CONFIG_TLS, "client-crl"),
                          "client-crl: needs client-certificates = ask or require");
}

static void check_spool(struct config_read *r)
{
    const struct config_spool *s = &r->config->spool;
    uint64_t message = r->config->limits.message_bytes;

    if (s->segment_bytes % MEGA != 0)
        config_read_fault(r, config_read_line(r, CONFIG_SPOOL, "segment"),
                          "segment: must be a multiple of 1M");
    if (s->bytes_max < 2 * s->segment_bytes)
        config_read_fault(r, config_read_line(r, CONFIG_SPOOL, "size"),
                          "size: must be that of two segments (%llu bytes) at least",
                          2 * (unsigned long long)s->segment_bytes);
    if (message > s->bytes_max / 2)
        config_read_fault(r, config_read_line(r, CONFIG_LIMITS, "message-size"),
                          "message-size: must be at most half of the spool's size (%llu bytes)",
                          (unsigned long long)s->bytes_max);
}

static void check_timeouts(struct config_read *r)
{
    const struct config_limits *l = &r->config->limits;
    uint32_t line = config_read_line(r, CONFIG_LIMITS, "session-timeout");

    if (l->session_timeout_s < l->command_timeout_s || l->session_timeout_s < l->data_timeout_s)
        config_read_fault(r, line,
                          "session-timeout: must not be shorter than command-timeout (%us) and "
                          "data-timeout (%us)",
                          l->command_timeout_s, l->data_timeout_s);
}

/* It stands in a challenge, in quotes. */
static bool is_scope(const char *text)
{
    for (; *text != 0; text++) {
        if (*text <= ' ' || *text > '~' || *text == '"' || *text == '\\')
            return false;
    }
    return true;
}

static void check_tokens(struct config_read *r)
{
    const struct config_auth *a = &r->config->auth;
    uint32_t line = config_read_line(r, CONFIG_AUTH, "jwks");

    if (a->jwks[0] != 0 && a->jwt_issuer[0] == 0)
        config_read_fault(r, line, "jwks: needs jwt-issuer beside it: who signs with these keys");
    if (a->jwks[0] != 0 && a->jwt_audience[0] == 0)
        config_read_fault(r, line, "jwks: needs jwt-audience beside it: what tokens for us say");
    if (!is_scope(a->jwt_scope))
        config_read_fault(r, config_read_line(r, CONFIG_AUTH, "jwt-scope"),
                          "jwt-scope: must be one word of printable ASCII without \" and \\");
}

static void check_url(struct config_read *r)
{
    const struct config_auth *a = &r->config->auth;
    uint32_t line = config_read_line(r, CONFIG_AUTH, "url");
    struct auth_http_place place;
    const char *wrong = a->url[0] != 0 ? auth_http_wire_place(a->url, &place) : NULL;

    if (wrong != NULL)
        config_read_fault(r, line, "url = \"%s\": %s", a->url, wrong);
    if (a->backend == CONFIG_BACKEND_HTTP && a->url[0] == 0)
        config_read_fault(r, config_read_line(r, CONFIG_AUTH, "backend"),
                          "backend: http needs url beside it: where the hook is");
}

static void check_backend(struct config_read *r)
{
    const struct config_auth *a = &r->config->auth;

    if (strlen(a->socket) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        config_read_fault(r, config_read_line(r, CONFIG_AUTH, "socket"),
                          "socket: must have at most 107 bytes (unix(7))");
    check_url(r);
}

void config_check_sense(struct config_read *r)
{
    check_backend(r);
    check_device(r);
    check_workers(r);
    check_listeners(r);
    check_clients(r);
    check_spool(r);
    check_timeouts(r);
    check_tokens(r);
}

static void check_file(struct config_read *r, uint32_t line, const char *key, const char *path)
{
    struct stat info;

    if (access(path, R_OK) < 0)
        config_read_fault(r, line, "%s = \"%s\": cannot be read: %s", key, path, strerror(errno));
    else if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        config_read_fault(r, line, "%s = \"%s\": is not a file", key, path);
}

static void check_tls_file(struct config_read *r, const char *key, const char *path)
{
    if (path[0] != 0)
        check_file(r, config_read_line(r, CONFIG_TLS, key), key, path);
}

static void check_spool_directory(struct config_read *r)
{
    uint32_t line = config_read_line(r, CONFIG_SPOOL, "directory");
    const char *path = r->config->spool.directory;
    struct stat info;

    if (stat(path, &info) < 0)
        config_read_fault(r, line, "directory = \"%s\": %s; make one that only %s may enter (0700)",
                          path, strerror(errno),
                          r->config->user[0] == 0 ? "its owner" : r->config->user);
    else if (!S_ISDIR(info.st_mode))
        config_read_fault(r, line, "directory = \"%s\": is not a directory", path);
}

/* Its lines too, so that --check finds what a start would. */
static void check_users(struct config_read *r)
{
    uint32_t before = r->faults;
    struct auth_users *users;

    check_file(r, config_read_line(r, CONFIG_ROOT, "users"), "users", r->config->users);
    if (r->faults > before)
        return;
    users = auth_salt_load_users(r->config->users, r->config->auth.salt_key, r->errors);
    r->faults += users == NULL;
    auth_users_release(users);
}

static void check_senders(struct config_read *r)
{
    const char *path = r->config->policy.senders;
    uint32_t before = r->faults;
    struct senders *senders;

    if (path[0] == '\0')
        return;
    check_file(r, config_read_line(r, CONFIG_POLICY, "senders"), "senders", path);
    if (r->faults > before)
        return;
    senders = senders_load(path, r->errors);
    r->faults += senders == NULL;
    senders_release(senders);
}

static void check_keys_of_tokens(struct config_read *r)
{
    const char *path = r->config->auth.jwks;
    uint32_t before = r->faults;
    struct auth_jwks *keys;

    if (path[0] == 0)
        return;
    check_file(r, config_read_line(r, CONFIG_AUTH, "jwks"), "jwks", path);
    if (r->faults > before)
        return;
    keys = auth_jwks_load(path, r->errors);
    r->faults += keys == NULL;
    auth_jwks_release(keys);
}

/* Only root becomes somebody else. */
static void check_user(struct config_read *r)
{
    uint8_t text[256];
    struct buf why = { text, 0, sizeof(text) };

    if (geteuid() == 0 && !privs_user_exists(r->config->user, &why))
        config_read_fault(r, config_read_line(r, CONFIG_ROOT, "user"), "%.*s", (int)why.len, text);
}

void config_check_files(struct config_read *r)
{
    const struct config *c = r->config;

    check_user(r);
    if (c->auth.backend == CONFIG_BACKEND_USERS)
        check_users(r);
    check_senders(r);
    check_keys_of_tokens(r);
    for (uint32_t i = 0; i < c->tls.certificate_count; i++) {
        check_file(r, c->tls.certificates[i].line, "chain", c->tls.certificates[i].chain);
        check_file(r, c->tls.certificates[i].line, "key", c->tls.certificates[i].key);
        if (c->tls.certificates[i].ocsp[0] != 0)
            check_file(r, c->tls.certificates[i].line, "ocsp", c->tls.certificates[i].ocsp);
    }
    check_tls_file(r, "ticket-keys", c->tls.ticket_keys);
    check_tls_file(r, "client-ca", c->tls.client_ca);
    check_tls_file(r, "client-crl", c->tls.client_crl);
    check_spool_directory(r);
}
