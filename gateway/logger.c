/*
 * Happy path: wake each tick, copy lines of all rings into one buffer, write it. Failure modes: the
 * reader is slow: this thread waits in poll and writes no more than a pipe takes at once, so that a
 * stop still gets through; a write fails: what was in the buffer is dropped and counted in
 * LOG_DROPPED, line by line.
 */
#include "gateway/logger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/limits.h"

#define BUFFER_BYTES (64 * 1024)

struct logger {
    struct log **logs;
    uint32_t count;
    struct counters *counters;
    char *path;
    int fd;
    bool regular; /* a file: takes any size at once */
    int stop_fd;  /* eventfd, readable from the stop on */
    _Atomic bool reopen;
    _Atomic bool stopping;
    _Atomic uint64_t deadline_ms; /* of the last writes, once stopping */
    bool all_written;             /* for logger_stop, after the join */
    pthread_t thread;
    uint32_t len;
    char buffer[BUFFER_BYTES];
};

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* -1 with errno. Standard output is duplicated, so that close is always right. */
static int open_path(const char *path)
{
    if (strcmp(path, "-") == 0)
        return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
}

static void use_fd(struct logger *l, int fd)
{
    struct stat info;

    l->fd = fd;
    l->regular = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

/* Copies as many lines as fit. False: the rings are empty. */
static bool gather(struct logger *l)
{
    bool any = false;

    for (uint32_t i = 0; i < l->count; i++) {
        struct span line;

        while ((line = log_peek(l->logs[i])).len > 0 && line.len <= BUFFER_BYTES - l->len) {
            memcpy(l->buffer + l->len, line.ptr, line.len);
            l->len += line.len;
            log_pop(l->logs[i]);
            any = true;
        }
    }
    return any;
}

static void drop(struct logger *l, uint32_t from)
{
    for (uint32_t i = from; i < l->len; i++) {
        if (l->buffer[i] == '\n')
            counter_inc(l->counters, COUNTER_LOG_DROPPED);
    }
    l->all_written = false;
    l->len = 0;
}

/* Until the descriptor takes something. False: the program stops, and its patience is over. */
static bool wait_writable(struct logger *l)
{
    for (;;) {
        bool stopping = atomic_load_explicit(&l->stopping, memory_order_acquire);
        uint64_t deadline = atomic_load_explicit(&l->deadline_ms, memory_order_relaxed);
        uint64_t now = now_ms();
        struct pollfd p[2] = { { .fd = l->fd, .events = POLLOUT },
                               { .fd = l->stop_fd, .events = POLLIN } };
        int wait_ms = !stopping ? -1 : now < deadline ? (int)(deadline - now) : 0;

        /* Once stopping, stop_fd stays readable and is not asked any more. */
        poll(p, stopping ? 1 : 2, wait_ms);
        if (p[0].revents != 0)
            return true;
        if (stopping && now >= deadline)
            return false;
    }
}

static void write_buffer(struct logger *l)
{
    /* A pipe that is writable takes PIPE_BUF bytes without waiting (pipe(7)). */
    uint32_t piece_max = l->regular ? BUFFER_BYTES : PIPE_BUF;
    uint32_t at = 0;

    while (at < l->len) {
        uint32_t piece = l->len - at < piece_max ? l->len - at : piece_max;
        ssize_t n;

        if (!l->regular && !wait_writable(l)) {
            drop(l, at);
            return;
        }
        n = write(l->fd, l->buffer + at, piece);
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            drop(l, at);
            return;
        }
        at += n > 0 ? (uint32_t)n : 0;
    }
    l->len = 0;
}

/* A line of our own, for the old file. */
static void complain(struct logger *l, const char *what)
{
    static const char head[] = "level=error event=log_reopen_failed error=\"";
    size_t len = strlen(what);

    if (len > 200)
        len = 200;
    memcpy(l->buffer, head, sizeof(head) - 1);
    memcpy(l->buffer + sizeof(head) - 1, what, len);
    memcpy(l->buffer + sizeof(head) - 1 + len, "\"\n", 2);
    l->len = (uint32_t)(sizeof(head) - 1 + len + 2);
    write_buffer(l);
}

static void open_again(struct logger *l)
{
    int fd = open_path(l->path);

    if (fd < 0) {
        complain(l, strerror(errno));
        return;
    }
    close(l->fd);
    use_fd(l, fd);
}

static void *run(void *arg)
{
    struct logger *l = arg;
    struct pollfd stop = { .fd = l->stop_fd, .events = POLLIN };
    bool stopping;

    do {
        stopping = atomic_load_explicit(&l->stopping, memory_order_acquire);
        if (atomic_exchange_explicit(&l->reopen, false, memory_order_relaxed))
            open_again(l);
        while (gather(l))
            write_buffer(l);
        if (!stopping)
            poll(&stop, 1, LOGGER_TICK_MS);
    } while (!stopping);
    return NULL;
}

static void free_logger(struct logger *l)
{
    if (l->fd >= 0)
        close(l->fd);
    if (l->stop_fd >= 0)
        close(l->stop_fd);
    free(l->logs);
    free(l->path);
    free(l);
}

static bool start_thread(struct logger *l)
{
    sigset_t all;
    sigset_t before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&l->thread, NULL, run, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        errno = rc;
        return false;
    }
    pthread_setname_np(l->thread, "logger");
    return true;
}

static bool fill(struct logger *l, const struct logger_config *config)
{
    int fd;

    l->count = config->count;
    l->counters = config->counters;
    l->all_written = true;
    l->path = strdup(config->path);
    l->logs = calloc(config->count + 1, sizeof(struct log *));
    l->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (l->path == NULL || l->logs == NULL || l->stop_fd < 0)
        return false;
    memcpy(l->logs, config->logs, config->count * sizeof(struct log *));
    fd = open_path(config->path);
    if (fd < 0)
        return false;
    use_fd(l, fd);
    return true;
}

struct logger *logger_start(const struct logger_config *config, struct buf *why)
{
    struct logger *l = calloc(1, sizeof(*l));

    if (l == NULL) {
        buf_printf(why, "log: memory is short");
        return NULL;
    }
    l->fd = -1;
    if (!fill(l, config) || !start_thread(l)) {
        buf_printf(why, "log \"%s\": %s", config->path, strerror(errno));
        free_logger(l);
        return NULL;
    }
    return l;
}

void logger_reopen(struct logger *l)
{
    atomic_store_explicit(&l->reopen, true, memory_order_relaxed);
}

bool logger_stop(struct logger *l, uint32_t patience_ms)
{
    bool all;
    int rc;

    atomic_store_explicit(&l->deadline_ms, now_ms() + patience_ms, memory_order_relaxed);
    atomic_store_explicit(&l->stopping, true, memory_order_release);
    rc = eventfd_write(l->stop_fd, 1);
    ASSERT(rc == 0);
    rc = pthread_join(l->thread, NULL);
    ASSERT(rc == 0);
    all = l->all_written;
    free_logger(l);
    return all;
}
