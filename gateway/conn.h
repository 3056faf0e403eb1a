/*
 * One worker's connections: stream -> tls -> smtp -> spool and back, until nothing moves.
 *
 * This is the only place that knows how a want of the session is met. Happy path: accepted ->
 * handshake -> session (commands, verdicts, bodies into extents, durable answers) -> closing (our
 * end sent, the peer's awaited)
 * -> gone. Failure: every error ends in conn_close with a named result in the log; whatever the
 * connection held (extent, message, question to auth) goes back or is disowned.
 */
#ifndef POSTERN_CONN_H
#define POSTERN_CONN_H

#include "base/clock.h"
#include "base/counter.h"
#include "base/hash.h"
#include "base/log.h"
#include "dataplane/core.h"
#include "gateway/auth.h"
#include "smtp/smtp.h"
#include "spool/spool.h"
#include "tls/tls.h"

struct conns;

/* What a listener's connections share; the cookie of tcp_listen and ksock_listen. */
struct conn_listener {
    const char *name;
    bool tls;      /* TLS from the first byte; else plain */
    bool starttls; /* plain until STARTTLS, which must come first */
    /* Where connections begin with a PROXY header, and none is taken from anybody else; count 0:
     * connections are their clients' own. */
    const struct addr_net *proxies;
    uint32_t proxy_count;
    /* Who may say by XCLIENT whose a connection is. */
    const struct addr_net *xclients;
    uint32_t xclient_count;
    bool secure; /* plain, and treated as secure all the same (the simulator's streams) */
};

/* auth's answer to a connection that had to wait: auth_env.done. */
void conn_session_answer(void *conn, const struct auth_answer *answer);

struct conn_config {
    uint32_t connections_max;
    uint32_t connections_per_client; /* one IPv4 address or IPv6 /64; 0: no limit */
    uint32_t handshakes_per_turn;
    uint32_t handshake_timeout_s;
    uint32_t session_timeout_s; /* of a whole connection, however busy */
    uint32_t linger_s;          /* after our end was sent, how long the peer's is awaited */
    uint32_t worker;            /* for session names */
};

struct conn_env {
    const struct clock *clock;
    struct counters *counters;
    struct log *log;
    struct smtp *smtp;
    struct tls_worker *tls; /* NULL: plain listeners only */
    struct spool_port *spool;
    struct auth *auth;
    struct hash_key secret; /* for the table of clients */
};

/* NULL: memory is short. Keeps env's pointers. */
struct conns *conns_create(const struct conn_config *config, const struct conn_env *env);
/* Every connection must be gone (conns_abort_all first). */
void conns_destroy(struct conns *cs);

/* The core's handler: accepted and ready. */
struct core_handler *conns_handler(struct conns *cs);
/* Durable answers, verdicts' effects, time-outs, connections that wait for a handshake or for room.
 * Once a turn. */
unsigned conns_poll(struct conns *cs);
/* When something of it is due next, clock ns. */
uint64_t conns_next_ns(const struct conns *cs);

/* Ends sessions that are not within a message with 421 4.3.2; the others after their reply. */
void conns_drain(struct conns *cs);
/* The drain has lasted long enough: 421 to all that are left; linger_s later they are gone. */
void conns_expire(struct conns *cs);
/* Cuts every connection now. */
void conns_abort_all(struct conns *cs);
uint32_t conns_count(const struct conns *cs);

#endif
