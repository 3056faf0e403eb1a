/*
 * A worker: one thread on one core, with its queue pair, TCP, TLS, sessions, spool port, log and
 * counters. Shares nothing but read-only settings; main speaks to it by flags, and by one question
 * at a time, that it looks at once a turn.
 */
#ifndef POSTERN_WORKER_H
#define POSTERN_WORKER_H

#include "base/counter.h"
#include "base/log.h"
#include "base/nic.h"
#include "dataplane/core.h"
#include "dataplane/kernel/ksock.h"
#include "gateway/auth.h"
#include "gateway/auth_jwks.h"
#include "gateway/auth_remote.h"
#include "gateway/auth_users.h"
#include "gateway/policy.h"
#include "gateway/config.h"
#include "gateway/conn.h"
#include "gateway/helper.h"
#include "spool/spool.h"
#include "tls/tls.h"

struct worker;

struct worker_setup {
    const struct config *config;
    unsigned index;
    struct nic *nic; /* NULL: kernel sockets only */
    struct tls_ctx *tls;
    struct spool_port *spool;
    struct helper *helper;
    struct auth_users *users;   /* or */
    struct auth_remote *remote; /* ... what passwords are checked with */
    struct senders *senders;    /* NULL: none; the worker takes a reference */
    struct quota *quota;
    struct auth_jwks *jwks; /* NULL: no access tokens are taken */
    uint64_t id_floor;      /* largest queue id that is in the spool */
};

/* Takes all memory and opens the listeners. NULL with a sentence in *why. */
struct worker *worker_create(const struct worker_setup *setup, struct buf *why);
void worker_destroy(struct worker *w);
/* Starts the thread, on the configured core. False with a sentence in *why. */
bool worker_start(struct worker *w, struct buf *why);
/* A users file that was read anew: takes a reference of its own. */
void worker_offer_users(struct worker *w, struct auth_users *users);
/* The same of a senders file. */
void worker_offer_senders(struct worker *w, struct senders *senders);
/* The same of the keys of tokens, when there were some at the start. */
void worker_offer_jwks(struct worker *w, struct auth_jwks *keys);
/* How far a drain has come. */
enum worker_drain {
    WORKER_SERVES,
    WORKER_DRAINS,  /* no new connections; sessions end, messages on their way are let in */
    WORKER_EXPIRES, /* nothing is let in any more: 421 to who is left */
};

/* Goes on to `how`; never back. */
void worker_drain(struct worker *w, enum worker_drain how);
/* Connections that are left of a drain; UINT32_MAX before it has begun. At 0 the worker may be
 * stopped without harm. */
uint32_t worker_connections(const struct worker *w);
/* Cuts what is left, ends the thread and waits for it. */
void worker_stop(struct worker *w);

/* What a question may look at, on the worker's loop between two turns. */
struct worker_parts {
    struct core *core;
    struct conns *conns;
    struct auth *auth;
    struct ksock *ksock;         /* NULL: no listener is the kernel's */
    const struct seg_pool *segs; /* ksock's */
    uint32_t connections_most;
};

/* A question to a worker. It is the worker's until worker_has_answered. */
struct worker_question {
    /* Once a turn, until it says true. Bounded work, nothing that blocks. */
    bool (*answer)(void *memory, const struct worker_parts *w);
    void *memory;
    int told_fd; /* an eventfd(2) that becomes readable then */
};

/* Asks; the one before must have been answered. From main. */
void worker_ask(struct worker *w, struct worker_question *q);
bool worker_has_answered(const struct worker *w);

struct log *worker_log(struct worker *w);
const struct counters *worker_counters(const struct worker *w);

#endif
