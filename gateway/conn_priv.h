/* One connection, as the conn_* files share it. Private to gateway/conn_*. */
#ifndef POSTERN_CONN_PRIV_H
#define POSTERN_CONN_PRIV_H

#include "base/assert.h"
#include "base/pool.h"
#include "base/texts.h"
#include "base/wheel.h"
#include "gateway/conn.h"
#include "gateway/conn_clients.h"

struct proxy_header;

enum conn_phase {
    CONN_PROXY,     /* a PROXY header is awaited */
    CONN_HANDSHAKE, /* TLS is being agreed on */
    CONN_SESSION,   /* SMTP */
    CONN_CLOSING,   /* our end is sent; what still comes is thrown away */
};

struct conn {
    struct conns *set;
    struct list_node all;  /* in conns.all */
    struct list_node wait; /* in conns.handshakes or conns.rooms, or in none */
    struct wheel_entry timer;
    struct stream *lower; /* the transport's */
    struct stream *io;    /* what the session reads and writes: lower, or tls's upper stream */
    struct tls_conn *tls; /* NULL: none, or detached after a failed handshake */
    struct smtp_session *session;
    enum conn_phase phase;
    enum smtp_want want;  /* what the session said last */
    bool giving_up;       /* timed out; the 421 has its last seconds */
    bool committing;      /* the message is the spool's until it comes back */
    struct endpoint peer; /* the client: as the socket, or a PROXY header, has it */
    struct endpoint local;
    bool counted;   /* among the connections of its client */
    bool is_proxys; /* no client's: a health check, most likely */
    /* Of struct tls_info, in conns.texts, as `tls` does not keep them; the rest is asked of it. */
    struct text server_name;
    struct text binding; /* until the session knows whose it is */
    const char *result;  /* why it ended, for the log; NULL: as the session says */

    /* Plaintext that was read and not yet used; memory from conns.inputs while there is any. */
    struct buf input;

    /* The message on its way, between WANT_BODY and the answer. */
    struct spool_message *message;
    struct spool_extent *extent;
    uint64_t body_ns;       /* when the body began; the waits for room are not counted */
    uint64_t full_ns;       /* since when it waits for room; 0: it does not */
    uint64_t body_received; /* bytes of it so far */
    uint64_t commit_ns;     /* when the end of data was read */

    struct auth_request *auth; /* a question that is being answered elsewhere */

    const struct conn_listener *listener;
    uint64_t number;
    uint64_t accepted_ns;
};

STATIC_ASSERT(sizeof(struct conn) <= 256, "an idle connection is four lines of the cache");

struct conns {
    struct core_handler handler;
    struct conn_config config;
    struct conn_env env;
    struct pool *pool;
    struct pool *inputs;
    struct conn_clients *clients;
    struct texts *texts; /* of the connections */
    struct list all;
    struct list_node *viewed; /* in all, or its head: whom a walk shows next (conn_view.h) */
    struct list handshakes;   /* wait for the next turn's budget */
    struct list rooms;        /* wait for an extent, a message or a place in the spool's ring */
    struct wheel wheel;
    uint32_t handshake_budget; /* dear steps left in this turn */
    uint32_t hint_budget;      /* of those given to helpers */
    uint64_t next_number;
    bool draining;
    uint8_t *scratch; /* LIMIT_READ_BYTES: a read's first place, before it is known whether anything
                         stays */
};

enum conn_progress {
    CONN_MOVED, /* something was done; go on */
    CONN_STUCK, /* waits for news */
    CONN_GONE,  /* freed */
};

/* --- conn.c ---------------------------------------------------------------------------------- */

/* TLS was agreed on, and is between `lower` and `io`. */
bool conn_has_tls(const struct conn *c);
/* Begins a new one, whose stream, listener and number are set. It may be gone afterwards, as with
 * all below. */
void conn_open(struct conn *c);
/* TLS or the session, as the listener has it. */
enum conn_progress conn_begin(struct conn *c);
/* TLS is to be agreed on by the tls_conn that is there, in its time. */
/* It has too many connections already: cut. */
enum conn_progress conn_refuse_client(struct conn *c);
void conn_begin_handshake(struct conn *c);
/* Runs it until nothing moves (bounded). */
void conn_pump(struct conn *c);
/* Sends our end and waits for the peer's. */
void conn_begin_closing(struct conn *c, const char *result);
/* Logs, gives everything back, frees. */
void conn_close(struct conn *c, const char *result);
/* Its timer fired: a deadline, or a look at how it is doing. */
void conn_timer(struct conn *c);
/* Lets it rest until its session's deadline: the timer goes on with it. */
void conn_pause(struct conn *c);
/* The gateway shuts down: 421, unless a message is on its way, which is let in first. */
void conn_end(struct conn *c);
/* The shutdown waits no longer: 421 in a body too. */
void conn_expire(struct conn *c);
/* Cuts it now. */
void conn_abort(struct conn *c);
/* Puts it on the list of those that want room in the spool. */
void conn_wait_for_room(struct conn *c);

/* --- conn_session.c -------------------------------------------------------------------------- */

/* One step of the session: input, a run, what it wants. */
enum conn_progress conn_session_step(struct conn *c);
/* Keeps the unused end of a read; `rest` may point into c->input itself. */
void conn_session_keep(struct conn *c, struct span rest);
/* Makes c->input a buffer, if it is none. */
void conn_session_hold(struct conn *c);

/* --- conn_proxy.c ---------------------------------------------------------------------------- */

/* Reads on in the PROXY header. */
enum conn_progress conn_proxy_step(struct conn *c);

/* --- conn_body.c ----------------------------------------------------------------------------- */

/* Moves bytes of a body from the stream into extents. */
enum conn_progress conn_body_step(struct conn *c);
/* After WANT_DURABLE: hands the message to the spool. */
enum conn_progress conn_body_commit(struct conn *c);
/* The spool gave the message back. */
void conn_body_done(struct conn *c);
/* Gives up what is held of a message: aborts it, or leaves it to the spool when it is being
 * committed. */
void conn_body_drop(struct conn *c);
/* Too slow for too long, in a chunk or between two (a byte a second must not hold an extent for
 * ever). */
bool conn_body_is_too_slow(const struct conn *c);

/* --- conn_log.c ------------------------------------------------------------------------------ */

void conn_log_session(const struct conn *c);
void conn_log_proxied(const struct conn *c, const struct proxy_header *h);
/* A connection from a peer that is no listed proxy, and so never became one. */
void conn_log_not_a_proxy(const struct conns *cs, const struct conn_listener *l,
                          const struct endpoint *peer);
void conn_log_message(const struct conn *c, const struct mail *mail, const char *result);

#endif
