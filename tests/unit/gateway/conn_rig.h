/*
 * A worker's connections without the worker: gateway/conn over streams in memory, a spool on the
 * simulated disk, password checks that run when the test says so, and virtual time.
 *
 * Happy path: conn_rig_open; clients by conn_rig_connect; conn_rig_say and conn_rig_heard;
 * conn_rig_pass for time; conn_rig_close, which asserts that nothing was left behind.
 */
#ifndef POSTERN_TESTS_UNIT_GATEWAY_CONN_RIG_H
#define POSTERN_TESTS_UNIT_GATEWAY_CONN_RIG_H

#include "gateway/auth_users.h"
#include "gateway/conn.h"
#include "lib/mem_stream.h"
#include "sim/sim_disk.h"

#define CONN_RIG_CLIENTS     16
#define CONN_RIG_CONNECTIONS 32
#define CONN_RIG_JOBS        16
#define CONN_RIG_EXTENTS     4
#define CONN_RIG_LINGER_S    5

/* "test", "secret". */
#define CONN_RIG_LOGIN   "EHLO a.example\r\nAUTH PLAIN AHRlc3QAc2VjcmV0\r\n"
#define CONN_RIG_MESSAGE "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\n"

struct conn_rig_client {
    struct mem_pair *wire;
    struct stream *end; /* the client's */
    bool deaf;          /* reads nothing for now */
    uint32_t len;
    char text[4096]; /* what it has heard, NUL-ended */
};

/* Helpers that take `most` jobs at a time, and work when conn_rig_settle or conn_rig_work lets
 * them. */
struct conn_rig_jobs {
    struct job_queue queue;
    struct job *waiting[CONN_RIG_JOBS];
    uint32_t count;
    uint32_t most;
    bool idle; /* conn_rig_settle leaves them alone */
};

struct conn_rig {
    struct clock clock;
    struct rng rng;
    struct counters counters;
    struct log *log;
    struct seg_pool *segs;
    struct list ready;
    struct list client_ready;
    struct conn_rig_jobs jobs;
    struct sim_disk *disk;
    struct spool *spool;
    struct mail_id_gen ids;
    struct smtp *smtp;
    struct auth_users *users;
    struct auth *auth;
    struct conns *conns;
    struct conn_listener listener;
    struct tls_ctx *tls_ctx;
    struct tls_worker *tls;
    struct conn_rig_client clients[CONN_RIG_CLIENTS];
    unsigned client_count;
    char logged[16384]; /* NUL-ended */
};

/* A listener in clear that counts as secure; with `tls`, TLS from the first byte, and with
 * `starttls` as well, in clear until STARTTLS. `tls` becomes the rig's. */
void conn_rig_open(struct conn_rig *r, struct tls_ctx *tls, bool starttls);
void conn_rig_close(struct conn_rig *r);

/* One more client. room: bytes that may be on the way and unread, each way; 0: no bound. */
struct conn_rig_client *conn_rig_connect(struct conn_rig *r, uint32_t room);
/* The client sends this, and all goes on until nothing moves. */
void conn_rig_say(struct conn_rig *r, struct conn_rig_client *c, const char *text);
void conn_rig_send(struct conn_rig *r, struct conn_rig_client *c, const void *bytes, uint32_t len);
/* What was heard since the last call, which must be this, or begin with it where `want` ends with
 * a "*". */
void conn_rig_heard(struct conn_rig_client *c, const char *want);

/* One turn of the loop and of the spool's writer. Returns the work done. */
unsigned conn_rig_turn(struct conn_rig *r);
/* Helpers do what they have. Returns the jobs done. */
unsigned conn_rig_work(struct conn_rig *r);
/* Until nothing moves; only the disk's time passes. */
void conn_rig_settle(struct conn_rig *r);
/* Time passes, and what is due in it is done when it is due. */
void conn_rig_pass(struct conn_rig *r, uint32_t seconds);
/* True when a line of the log has this. */
bool conn_rig_logged(struct conn_rig *r, const char *what);
uint64_t conn_rig_count(const struct conn_rig *r, enum counter_id which);

#endif
