/*
 * The writer's thread: turns while there is work, sleeps in the spool's wait while there is none.
 *
 * Failure modes: the spool can't be opened: a sentence. Afterwards the spool answers FULL or FAILED
 * to workers by itself, and logs.
 */
#include "gateway/spooler.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "gateway/now.h"

struct spooler {
    struct spool *spool;
    struct spool_io *io;
    struct clock clock;
    struct counters counters;
    struct log *log;
    pthread_t thread;
    bool started;
    bool want_stop; /* written by main, read by the thread */
};

struct spooler *spooler_open(const struct config *config, struct spool_recovery *recovery,
                             struct buf *why)
{
    struct spool_config sc = {
        .bytes_max = config->spool.bytes_max,
        .segment_bytes = config->spool.segment_bytes,
        .ports = config->workers.count,
        .extents_per_port = LIMIT_EXTENTS_PER_WORKER,
        .messages_per_port = LIMIT_SPOOL_TICKETS,
    };
    struct spooler *s = aligned_alloc(64, (sizeof(*s) + 63) / 64 * 64);
    struct spool_env env;

    if (s == NULL) {
        buf_printf(why, "spool: not enough memory");
        return NULL;
    }
    memset(s, 0, sizeof(*s));
    now_read(&s->clock);
    s->log =
        log_create(LIMIT_LOG_SLOTS, (enum log_level)config->log.level, &s->clock, &s->counters);
    if (s->log == NULL)
        buf_printf(why, "spool: not enough memory");
    else
        s->io = spool_uring_create(config->spool.directory, why);
    env = (struct spool_env){ .io = s->io, .counters = &s->counters, .log = s->log };
    if (s->io != NULL)
        s->spool = spool_open(&sc, &env, recovery, why);
    if (s->spool != NULL)
        return s;
    spooler_close(s);
    return NULL;
}

static void *run(void *arg)
{
    struct spooler *s = arg;

    for (;;) {
        now_read(&s->clock);
        if (spool_turn(s->spool) > 0)
            continue;
        if (__atomic_load_n(&s->want_stop, __ATOMIC_ACQUIRE) && spool_idle(s->spool))
            return NULL;
        spool_wait(s->spool);
    }
}

bool spooler_start(struct spooler *s, struct buf *why)
{
    int err = pthread_create(&s->thread, NULL, run, s);

    if (err != 0)
        buf_printf(why, "spool: thread: %s", strerror(err));
    s->started = err == 0;
    return s->started;
}

void spooler_stop(struct spooler *s)
{
    if (!s->started)
        return;
    __atomic_store_n(&s->want_stop, true, __ATOMIC_RELEASE);
    spool_wake(s->spool);
    pthread_join(s->thread, NULL);
    s->started = false;
}

void spooler_close(struct spooler *s)
{
    ASSERT(!s->started);
    if (s->spool != NULL)
        spool_close(s->spool);
    if (s->io != NULL)
        spool_uring_destroy(s->io);
    if (s->log != NULL)
        log_destroy(s->log);
    free(s);
}

struct spool_port *spooler_port(struct spooler *s, unsigned worker)
{
    return spool_port(s->spool, worker);
}

struct log *spooler_log(struct spooler *s)
{
    return s->log;
}

const struct counters *spooler_counters(const struct spooler *s)
{
    return &s->counters;
}
