/* One worker, as the worker_* files share it. Private to gateway/worker_*. */
#ifndef POSTERN_WORKER_PRIV_H
#define POSTERN_WORKER_PRIV_H

#include <pthread.h>

#include "base/limits.h"
#include "dataplane/core.h"
#include "dataplane/kernel/ksock.h"
#include "gateway/auth_file.h"
#include "gateway/auth_token.h"
#include "gateway/conn.h"
#include "gateway/worker.h"

struct worker {
    struct worker_setup setup;
    struct clock clock;
    struct counters counters;
    struct log *log;
    struct core core;
    struct core_config core_config;
    struct seg_pool *segs; /* kernel sockets'; the NIC brings its own */
    struct ksock *ksock;
    struct mail_id_gen ids;
    struct policy *policy;
    struct smtp *smtp;
    struct tls_worker *tls;
    struct auth *auth;
    struct auth_file *auth_file;   /* auth's; NULL: it asks a remote */
    struct auth_token *auth_token; /* auth's; NULL: no tokens are taken */
    struct conns *conns;
    struct core_poller poll_ksock;
    struct core_poller poll_helper;
    struct core_poller poll_remote;
    struct core_poller poll_conns;
    struct conn_listener listeners[LIMIT_LISTENERS];
    pthread_t thread;
    bool started;
    enum worker_drain drain;
    uint32_t idle_turns;
    int wake_fd;
    /* Written by main, read by the loop, and the other way round. */
    enum worker_drain want_drain;
    bool want_stop;
    struct worker_question *question; /* NULL: answered */
    uint32_t connections;             /* UINT32_MAX until the drain has begun */
};

#endif
