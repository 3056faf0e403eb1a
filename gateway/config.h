/*
 * The configuration file as one frozen struct. Written once at start, read by everybody, never
 * changed.
 *
 * Happy path: config_load reads the file (libconfuse's blocks), fills in defaults, checks every
 * value, what values mean together, and that the named files are there. Failure: NULL, and a line
 * "file:line: what is wrong and what is right" for each fault that was found (a syntax error or an
 * unknown key ends the search). Each key stands in config_key.c, in postern.conf(5) and in
 * docs/postern.conf.example.
 */
#ifndef POSTERN_CONFIG_H
#define POSTERN_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/span.h"
#include "gateway/quota.h"
#include "smtp/smtp.h"

struct config_log {
    uint32_t level;   /* enum log_level */
    const char *file; /* a path, or "-": standard output */
};

/* The DPDK port. Without a device block no DPDK is started. */
struct config_device {
    bool present;
    const char *name; /* the port's name; "": the first one that EAL finds */
    const char *eal[LIMIT_EAL_ARGUMENTS];
    uint32_t eal_count;
    struct addr address; /* IPv4; all zero: none */
    uint32_t prefix_length;
    struct addr gateway;  /* IPv4; all zero: none */
    struct addr address6; /* IPv6; all zero: none. One of the two is there */
    uint32_t prefix_length6;
    struct addr gateway6;  /* IPv6; all zero: routers that advertise themselves */
    bool shared;           /* the kernel has the same address, and all but our ports */
    const char *exception; /* the interface by which the kernel has all but our ports; "": none */
    uint32_t vlan;         /* 0: no tag */
    bool mac_set;
    uint8_t mac[6];
    uint32_t mtu; /* 0: the device's own */
};

/* Whether the kernel's network has a place beside ours, on the same address. */
static inline bool config_device_beside_kernel(const struct config_device *d)
{
    return d->present && (d->shared || d->exception[0] != '\0');
}

struct config_control {
    const char *socket; /* a path; "": none */
};

enum config_records { CONFIG_RECORDS_OWN, CONFIG_RECORDS_BORINGSSL };
enum config_idle { CONFIG_IDLE_SLEEP, CONFIG_IDLE_SPIN };

struct config_workers {
    uint32_t count;
    uint32_t cores[LIMIT_WORKERS]; /* core_count is 0 (not pinned) or equals count */
    uint32_t core_count;
    uint32_t helpers; /* threads for password hashes and RSA signatures */
    uint32_t idle;    /* enum config_idle */
};

enum config_path { CONFIG_PATH_DPDK, CONFIG_PATH_KERNEL };

enum config_listener_tls {
    CONFIG_LISTENER_IMPLICIT, /* RFC 8314, 3.3 */
    CONFIG_LISTENER_STARTTLS, /* RFC 3207 */
};

struct config_listener {
    const char *name;
    struct addr address; /* all zero: any */
    uint32_t port;
    uint32_t path;                                  /* enum config_path */
    uint32_t tls;                                   /* enum config_listener_tls */
    struct addr_net proxies[LIMIT_PROXY_NETWORKS];  /* who sends PROXY headers, and must */
    uint32_t proxy_count;                           /* 0: no headers */
    struct addr_net xclients[LIMIT_PROXY_NETWORKS]; /* whose XCLIENT is obeyed */
    uint32_t xclient_count;
    uint32_t line; /* where it ends in the file, for messages */
};

struct config_certificate {
    const char *chain; /* PEM, leaf first */
    const char *key;   /* PEM */
    const char *ocsp;  /* DER; "": none */
    uint32_t line;
};

struct config_tls {
    struct config_certificate certificates[LIMIT_CERTIFICATES];
    uint32_t certificate_count;
    bool tls12;
    enum config_records records;
    uint32_t ticket_lifetime_s; /* 0: no tickets */
    const char *ticket_keys;    /* path of a file; "": made in memory */
    uint32_t clients;           /* enum tls_clients */
    const char *client_ca;      /* PEM; "": none, which only goes with TLS_CLIENTS_OFF */
    const char *client_crl;     /* PEM; "": none */
    uint32_t client_login;      /* enum tls_identity */
    uint32_t handshakes_per_turn;
};

struct config_spool {
    const char *directory;
    uint64_t bytes_max;     /* of all segments together; at least two of them */
    uint64_t segment_bytes; /* a multiple of 1 MB */
};

struct config_limits {
    uint32_t connections;            /* of one worker */
    uint32_t connections_per_client; /* of one worker, by IPv4 address or IPv6 /64 */
    /* Of one worker, by IPv4 /24 or IPv6 /48; 0: LIMIT_CLIENTS_PER_NETWORK clients' worth. */
    uint32_t connections_per_network;
    uint64_t receive_bytes;  /* waiting in one connection for the reader; the largest TCP window */
    uint32_t congestion;     /* enum tcp_congestion */
    bool ecn;                /* RFC 3168 */
    uint32_t user_timeout_s; /* of TCP (RFC 9293, 3.9.1) */
    uint32_t keepalive_s;    /* 0: none */
    uint64_t message_bytes;
    uint32_t recipients;
    uint32_t hops; /* Received fields of a message */
    uint32_t errors;
    uint32_t soft_errors;
    uint32_t error_delay_s; /* 0: none */
    uint32_t hold_s;        /* FUTURERELEASE; 0: not offered */
    uint32_t auth_tries;
    uint32_t handshake_timeout_s;
    uint32_t command_timeout_s;
    uint32_t data_timeout_s;
    uint32_t session_timeout_s; /* a whole connection, however busy */
    uint32_t drain_timeout_s;
};

static inline uint32_t config_network_max(const struct config_limits *limits)
{
    if (limits->connections_per_network != 0)
        return limits->connections_per_network;
    return LIMIT_CLIENTS_PER_NETWORK * limits->connections_per_client;
}

enum config_backend { CONFIG_BACKEND_USERS, CONFIG_BACKEND_DOVECOT, CONFIG_BACKEND_HTTP };

/* All of one worker, but for the back end. */
struct config_auth {
    uint32_t backend;          /* enum config_backend */
    const char *socket;        /* of Dovecot */
    const char *url;           /* of the HTTP hook */
    const char *salt_key;      /* path of what salts of unknown logins are made from; "": none */
    uint32_t timeout_s;        /* for an answer of Dovecot or the hook */
    uint32_t cache_entries;    /* 0: no cache */
    uint32_t cache_lifetime_s; /* of a verdict */
    uint32_t guesses_per_client;
    uint32_t guesses_per_network;
    uint32_t guesses_per_login;
    uint32_t guesses_per_pair;
    uint32_t guess_delay_s; /* the first block of a pair */
    uint32_t guess_window_s;
    uint32_t block_time_s;
    const char *jwks; /* path of the keys that access tokens are signed with; "": none are taken */
    const char *jwt_issuer;
    const char *jwt_audience;
    const char *jwt_scope; /* "": any */
    const char *jwt_login; /* the claim that has the login */
};

/* Whose mail counts together. */
enum config_scope {
    CONFIG_SCOPE_LOGIN,
    CONFIG_SCOPE_CLIENT, /* an IPv4 address or IPv6 /64 */
    CONFIG_SCOPE_TOTAL,
    CONFIG_SCOPES
};

/* Of all workers together. */
struct config_policy {
    const char *senders; /* path of the senders file; "": anybody may send as anybody */
    uint32_t from_rule;  /* enum smtp_from_rule */
    uint32_t sessions;   /* of one login at once; 0: no limit */
    struct quota_rate rates[CONFIG_SCOPES][SMTP_USE_COUNT];
};

struct config {
    const char *path;     /* the file itself */
    const char *hostname; /* in the banner, EHLO and Received */
    const char *users;    /* path of the users file */
    bool privacy;         /* Received does not name the client */
    const char *user;     /* to become after start when root; "": stay */
    struct config_log log;
    struct config_control control;
    struct config_device device;
    struct config_workers workers;
    struct config_listener listeners[LIMIT_LISTENERS];
    uint32_t listener_count;
    struct config_tls tls;
    struct config_spool spool;
    struct config_limits limits;
    struct config_auth auth;
    struct config_policy policy;
    struct config_text *texts; /* owns every string above */
};

static inline bool config_needs_kernel(const struct config *c)
{
    for (uint32_t i = 0; i < c->listener_count; i++)
        if (c->listeners[i].path == CONFIG_PATH_KERNEL)
            return true;
    return false;
}

#define CONFIG_ERRORS_MAX \
    8192 /* bytes of room that callers give for messages; more are counted, not shown */

/*
 * Reads and checks the file at `path`. NULL: *errors has one line for each fault. The result is
 * freed by config_free. One thread at a time (libconfuse's scanner is global).
 */
struct config *config_load(const char *path, struct buf *errors);
/* The same from text, and looks at no file: for tests and the fuzzer. `path` is only for messages.
 */
struct config *config_parse(const char *path, struct span text, struct buf *errors);
void config_free(struct config *c);
/* The effective configuration in the file's own syntax, every key with its value; false when *out
 * is too small. */
bool config_print(const struct config *c, struct buf *out);

#endif
