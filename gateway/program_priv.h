/* The program, as the program*.c files share it. Private to them. */
#ifndef POSTERN_PROGRAM_PRIV_H
#define POSTERN_PROGRAM_PRIV_H

#include "dataplane/nic/nic_port.h"
#include "gateway/auth_dovecot.h"
#include "gateway/auth_http.h"
#include "gateway/auth_salt.h"
#include "gateway/auth_users.h"
#include "gateway/control.h"
#include "gateway/exception.h"
#include "gateway/helper.h"
#include "gateway/logger.h"
#include "gateway/program.h"
#include "gateway/quota.h"
#include "gateway/senders.h"
#include "gateway/spooler.h"
#include "gateway/watch.h"
#include "gateway/worker.h"

struct program {
    const struct config *config;
    struct clock clock; /* main's own */
    struct counters counters;
    struct counters logger_counters; /* the logger's thread writes these */
    struct log *log;
    bool eal;
    struct nic_port *port;
    struct exception *exception; /* NULL: the kernel has nothing of the port */
    struct tls_ctx *tls;
    struct auth_users *users;   /* or */
    struct auth_remote *remote; /* ... a program beside us that knows them */
    struct senders *senders;    /* NULL: there is no such file */
    struct quota *quota;
    struct auth_jwks *jwks; /* NULL: no access tokens are taken */
    struct watch jwks_file;
    struct watch ticket_file;
    struct spooler *spooler;
    struct helper *helper;
    struct worker *workers[LIMIT_WORKERS];
    struct logger *logger;
    struct control *control;
    bool wants_drain;
    struct spool_recovery recovery;
    enum worker_drain drain;
};

/* A line of main's own; `name` may be NULL. */
void program_log(struct program *p, enum log_level level, const char *event, const char *name,
                 const char *value);

#endif
