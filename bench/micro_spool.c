/*
 * The spool from a worker's side, with its writer on another thread: what a worker pays to hand an
 * extent over and to commit, and how many messages become durable when nothing else is the limit.
 *
 * Happy path: a row of messages is begun, filled, committed and awaited; the cycles of appends and
 * commits are those of this thread alone, the durable ones are the time from the first to the last.
 * Failure: the spool opens not, fills up, or fails; its word for it is the task's end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <x86intrin.h>

#include "base/limits.h"
#include "bench/micro.h"
#include "spool/spool.h"

#define ROW           64 /* messages handed over before any is awaited */
#define WINDOW        1024
#define SPOOL_BYTES   (32ULL * 1024 * 1024 * 1024)
#define SEGMENT_BYTES (64ULL * 1024 * 1024)
#define BATCH_US      500
#define DURABLE_US    30000
#define SMALL_BYTES   4096

static char folder[PATH_MAX];
static struct spool_io *io;
static struct spool *spool;
static struct spool_port *port;
static struct counters *counters;
static struct log *quiet;
static struct clock now;
static pthread_t writer;
static bool running;
static bool want_stop;
static uint8_t envelope_room[128];
static struct buf envelope = { envelope_room, 0, sizeof(envelope_room) };
static struct mail_id_gen ids;
static const uint32_t small_bytes = SMALL_BYTES, large_bytes = LIMIT_EXTENT_BYTES;

struct work {
    uint64_t append_cycles;
    uint64_t commit_cycles;
    uint64_t begun, done;
};

static void *write_out(void *arg)
{
    (void)arg;
    for (;;) {
        if (spool_turn(spool) > 0)
            continue;
        if (__atomic_load_n(&want_stop, __ATOMIC_ACQUIRE) && spool_idle(spool))
            return NULL;
        spool_wait(spool);
    }
}

/* Hands a message of one extent over. False: not now, and nothing was begun. */
static bool hand_over(struct work *w, uint32_t bytes)
{
    struct mail mail = { .envelope = span_of(envelope.ptr, envelope.len),
                         .header = SPAN_LITERAL("Received: from bench\r\n"),
                         .flags = MAIL_DOT_STUFFED };
    uint64_t begin = __rdtsc();
    struct spool_message *m = spool_message_begin(port, w);
    struct spool_extent *e = m != NULL ? spool_extent_get(port) : NULL;

    if (e == NULL) {
        if (m != NULL)
            spool_message_abort(port, m);
        return false;
    }
    e->len = bytes < e->cap ? bytes : e->cap;
    mail.body_bytes = e->len;
    spool_message_append(port, m, e);
    w->append_cycles += __rdtsc() - begin;
    mail.id = mail_id_make(&ids, 1764000000000);
    begin = __rdtsc();
    while (!spool_message_commit(port, m, &mail))
        sched_yield();
    w->commit_cycles += __rdtsc() - begin;
    w->begun++;
    return true;
}

/* Takes what became durable. False: something did not. */
static bool collect(struct work *w)
{
    struct spool_message *m;
    bool ok = true;

    while ((m = spool_port_poll(port)) != NULL) {
        ok = ok && m->state == SPOOL_DURABLE;
        w->done++;
        spool_message_release(port, m);
    }
    return ok;
}

static bool move(struct work *w, uint64_t count, uint32_t bytes, uint64_t window)
{
    bool ok = true;

    while (ok && w->done < count) {
        while (w->begun < count && w->begun - w->done < window && hand_over(w, bytes))
            ;
        ok = collect(w);
        if (w->done < w->begun)
            sched_yield();
    }
    return ok;
}

static uint64_t append(void *arg, uint64_t count)
{
    struct work w = { 0 };

    (void)arg;
    return move(&w, count, SMALL_BYTES, ROW) ? w.append_cycles : 0;
}

static uint64_t commit(void *arg, uint64_t count)
{
    struct work w = { 0 };

    (void)arg;
    return move(&w, count, SMALL_BYTES, ROW) ? w.commit_cycles : 0;
}

static uint64_t durable(void *arg, uint64_t count)
{
    struct work w = { 0 };
    uint64_t begin = __rdtsc();

    return move(&w, count, *(const uint32_t *)arg, WINDOW) ? __rdtsc() - begin : 0;
}

static bool open_spool(const char *directory, struct buf *why)
{
    struct spool_config config = { .bytes_max = SPOOL_BYTES,
                                   .segment_bytes = SEGMENT_BYTES,
                                   .ports = 1,
                                   .extents_per_port = LIMIT_EXTENTS_PER_WORKER,
                                   .messages_per_port = LIMIT_SPOOL_TICKETS };
    struct spool_env env;
    struct spool_recovery recovery;

    counters = aligned_alloc(64, sizeof(*counters));
    if (counters == NULL) {
        buf_printf(why, "memory is short");
        return false;
    }
    memset(counters, 0, sizeof(*counters));
    quiet = log_create(LIMIT_LOG_SLOTS, LOG_LEVEL_ERROR, &now, counters);
    snprintf(folder, sizeof(folder), "%.4000s/postern-bench-XXXXXX", directory);
    if (quiet == NULL || mkdtemp(folder) == NULL) {
        buf_printf(why, "%s: %s", folder, strerror(errno));
        folder[0] = 0;
        return false;
    }
    io = spool_uring_create(folder, why);
    env = (struct spool_env){ .io = io, .counters = counters, .log = quiet };
    spool = io != NULL ? spool_open(&config, &env, &recovery, why) : NULL;
    return spool != NULL;
}

bool micro_spool_open(struct timing *t, const char *directory, struct buf *why)
{
    struct timing_task tasks[] = {
        { .name = "spool/append", .run = append, .batch_us = BATCH_US },
        { .name = "spool/commit", .run = commit, .batch_us = BATCH_US },
        { .name = "spool/durable-4K",
          .bytes = SMALL_BYTES,
          .run = durable,
          .arg = (void *)&small_bytes,
          .batch_us = DURABLE_US },
        { .name = "spool/durable-64K",
          .bytes = LIMIT_EXTENT_BYTES,
          .run = durable,
          .arg = (void *)&large_bytes,
          .batch_us = DURABLE_US },
    };
    int err;

    if (!open_spool(directory, why))
        return false;
    port = spool_port(spool, 0);
    mail_id_init(&ids, 0, 0);
    (void)mail_field_put(&envelope, MAIL_FIELD_SENDER, SPAN_LITERAL("alice@example.org"));
    (void)mail_field_put(&envelope, MAIL_FIELD_RECIPIENT, SPAN_LITERAL("bob@example.net"));
    err = pthread_create(&writer, NULL, write_out, NULL);
    if (err != 0) {
        buf_printf(why, "thread: %s", strerror(err));
        return false;
    }
    running = true;
    for (unsigned i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++)
        timing_add(t, &tasks[i]);
    return true;
}

static void remove_folder(void)
{
    DIR *d = opendir(folder);
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL)
        if (e->d_name[0] != '.' && unlinkat(dirfd(d), e->d_name, 0) != 0)
            fprintf(stderr, "postern-bench: %s/%s: %s\n", folder, e->d_name, strerror(errno));
    if (d != NULL)
        closedir(d);
    if (rmdir(folder) != 0)
        fprintf(stderr, "postern-bench: %s: %s\n", folder, strerror(errno));
}

void micro_spool_close(void)
{
    if (running) {
        __atomic_store_n(&want_stop, true, __ATOMIC_RELEASE);
        spool_wake(spool);
        pthread_join(writer, NULL);
    }
    if (spool != NULL)
        spool_close(spool);
    if (io != NULL)
        spool_uring_destroy(io);
    if (quiet != NULL)
        log_destroy(quiet);
    free(counters);
    if (folder[0] != 0)
        remove_folder();
}
