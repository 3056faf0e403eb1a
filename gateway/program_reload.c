/*
 * What is read again while the program runs: on SIGHUP, by postern-ctl, and where a file that
 * others write has changed. Happy path: load, hand to every worker, let the old one go. Failure:
 * the old one stays; the log, and whoever asked, hear why.
 */
#include "gateway/program.h"

#include <stdio.h>

#include "base/assert.h"
#include "gateway/now.h"
#include "gateway/program_priv.h"

/* What was read again, and is taken or not: for the log, and for whoever asked (or NULL). */
static bool tell_reload(struct program *p, bool taken, const char *what, const char *file,
                        struct buf *errors, struct buf *why)
{
    char event[64];

    ASSERT(errors->len < errors->cap);
    errors->ptr[errors->len] = '\0';
    snprintf(event, sizeof(event), taken ? "%s taken" : "%s not taken", what);
    program_log(p, taken ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, event, taken ? "file" : "why",
                taken ? file : (const char *)errors->ptr);
    if (!taken && why != NULL)
        buf_put(why, span_first(span_of(errors->ptr, errors->len), buf_room(why)));
    return taken;
}

static bool reload_users(struct program *p, struct buf *errors, struct buf *why)
{
    struct auth_users *users;

    if (p->remote != NULL) {
        auth_remote_renew(p->remote);
        program_log(p, LOG_LEVEL_INFO, "kept verdicts forgotten", NULL, NULL);
        return true;
    }
    users = auth_salt_load_users(p->config->users, p->config->auth.salt_key, errors);
    if (!tell_reload(p, users != NULL, "users file", p->config->users, errors, why))
        return false;
    for (unsigned i = 0; i < p->config->workers.count; i++)
        worker_offer_users(p->workers[i], users);
    auth_users_release(p->users);
    p->users = users;
    return true;
}

static bool reload_senders(struct program *p, struct buf *errors, struct buf *why)
{
    const char *path = p->config->policy.senders;
    struct senders *senders = p->senders != NULL ? senders_load(path, errors) : NULL;

    if (p->senders == NULL)
        return true;
    if (!tell_reload(p, senders != NULL, "senders file", path, errors, why))
        return false;
    for (unsigned i = 0; i < p->config->workers.count; i++)
        worker_offer_senders(p->workers[i], senders);
    senders_release(p->senders);
    p->senders = senders;
    return true;
}

static bool reload_jwks(struct program *p, struct buf *errors, struct buf *why)
{
    const char *path = p->config->auth.jwks;
    struct auth_jwks *keys = p->jwks != NULL ? auth_jwks_load(path, errors) : NULL;

    if (p->jwks == NULL)
        return true;
    if (!tell_reload(p, keys != NULL, "keys of tokens", path, errors, why))
        return false;
    for (unsigned i = 0; i < p->config->workers.count; i++)
        worker_offer_jwks(p->workers[i], keys);
    auth_jwks_release(p->jwks);
    p->jwks = keys;
    return true;
}

static bool reload_tls(struct program *p, struct buf *errors, struct buf *why)
{
    return tell_reload(p, tls_ctx_reload(p->tls, errors), "certificates",
                       p->config->tls.certificates[0].chain, errors, why);
}

typedef bool reload_step(struct program *p, struct buf *errors, struct buf *why);

static bool run_reload(struct program *p, reload_step *step, struct buf *why)
{
    uint8_t text[CONFIG_ERRORS_MAX];
    struct buf errors = { text, 0, sizeof(text) };

    return step(p, &errors, why);
}

bool program_reload(struct program *p, struct buf *why)
{
    static reload_step *const steps[] = { reload_users, reload_senders, reload_jwks, reload_tls };
    bool all = true;

    logger_reopen(p->logger);
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        all = run_reload(p, steps[i], why) && all;
    return all;
}

static void tell_tls_news(struct program *p)
{
    uint8_t text[512];
    struct buf news = { text, 0, sizeof(text) - 1 };

    while (tls_ctx_news(p->tls, &news)) {
        text[news.len] = '\0';
        program_log(p, LOG_LEVEL_WARN, "OCSP response", "why", (const char *)text);
        news.len = 0;
    }
}

void program_tick(struct program *p)
{
    now_read(&p->clock);
    tls_ctx_rotate(p->tls, p->clock.unix_ms);
    tell_tls_news(p);
    if (watch_changed(&p->jwks_file))
        run_reload(p, reload_jwks, NULL);
    if (watch_changed(&p->ticket_file))
        run_reload(p, reload_tls, NULL);
}
