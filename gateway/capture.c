/*
 * Happy path: the section and an interface a queue, then frames as they come, a buffer of them a
 * write; when it is over the queues are told, what they have left is written, and their counts.
 * Nobody wakes the thread, since a worker would need a system call for that: it looks again after a
 * millisecond, for which the slots of a queue last. Failure modes: a write fails (it is over, and
 * what was written stays); the thread is not to be had.
 */
#include "gateway/capture.h"

#include <errno.h>
#include <pthread.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "gateway/now.h"
#include "gateway/pcapng.h"

#define BUFFER_BYTES (256 * 1024)
#define LOOK_MS      1
#define TURN_FRAMES  256 /* of one queue before the next has its turn */

struct capture {
    struct capture_config config;
    struct nic_capture *frames;
    pthread_t thread;
    uint64_t begin_unix_ns;
    uint64_t due_ns;
    struct buf out;
    uint64_t written; /* bytes in the file and in the buffer */
    uint64_t count;
    bool wants_end;               /* set by main */
    const char *full;             /* why no frame more is written; NULL: they are */
    struct capture_report report; /* the thread's, main looks */
    uint8_t room[BUFFER_BYTES];
};

STATIC_ASSERT(BUFFER_BYTES > 64 * (LIMIT_CAPTURE_FRAME_BYTES + PCAPNG_PACKET_BYTES),
              "a write is some frames");

static void flush(struct capture *c)
{
    const uint8_t *at = c->out.ptr;

    while (c->out.len > 0) {
        ssize_t n = write(c->config.fd, at, c->out.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            c->full = n < 0 && errno == ENOSPC ? "the disk is full" : "the file cannot be written";
            c->out.len = 0;
            return;
        }
        at += n;
        c->out.len -= (uint32_t)n;
    }
}

/* --- blocks ---------------------------------------------------------------------------------- */

static bool is_watched(const struct capture *c, uint16_t queue)
{
    return c->config.rules.queue == NIC_CAPTURE_ALL || c->config.rules.queue == queue;
}

static uint32_t interface_of(const struct capture *c, uint16_t queue)
{
    return c->config.rules.queue == NIC_CAPTURE_ALL ? queue : 0;
}

static void write_head(struct capture *c)
{
    char name[16];

    pcapng_section(&c->out, "postern " POSTERN_VERSION);
    for (uint16_t queue = 0; queue < c->config.queues; queue++) {
        snprintf(name, sizeof(name), "worker %u", queue);
        if (is_watched(c, queue))
            pcapng_interface(&c->out, name, c->config.rules.bytes);
    }
    c->written = c->out.len;
}

static void write_counts(struct capture *c)
{
    struct nic_capture_counts n;
    struct clock clock;

    now_read(&clock);
    for (uint16_t queue = 0; queue < c->config.queues; queue++) {
        nic_capture_count(c->frames, queue, &n);
        if (is_watched(c, queue))
            pcapng_counts(&c->out, &(struct pcapng_counts){ .interface = interface_of(c, queue),
                                                            .begin_ns = c->begin_unix_ns,
                                                            .end_ns = clock.unix_ms * NS_PER_MS,
                                                            .seen = n.seen,
                                                            .dropped = n.dropped });
    }
    c->written += c->out.len;
}

static void write_frame(struct capture *c, uint16_t queue, const struct nic_capture_frame *f)
{
    struct pcapng_packet p = { .interface = interface_of(c, queue),
                               .unix_ns = f->unix_ns,
                               .wire_len = f->wire_len,
                               .sent = f->sent,
                               .bytes = span_of(f->bytes, f->len) };
    uint32_t before = c->out.len;

    if (c->written + PCAPNG_PACKET_BYTES + f->len > c->config.bytes) {
        c->full = "the file has its size";
        return;
    }
    pcapng_packet(&c->out, &p);
    c->written += c->out.len - before;
    if (++c->count == c->config.frames)
        c->full = "so many frames are there";
}

/* --- the thread ------------------------------------------------------------------------------ */

static void publish(struct capture *c)
{
    struct nic_capture_counts n;
    uint64_t dropped = 0;

    for (uint16_t queue = 0; queue < c->config.queues; queue++) {
        nic_capture_count(c->frames, queue, &n);
        dropped += n.dropped;
    }
    __atomic_store_n(&c->report.frames, c->count, __ATOMIC_RELAXED);
    __atomic_store_n(&c->report.bytes, c->written, __ATOMIC_RELAXED);
    __atomic_store_n(&c->report.dropped, dropped, __ATOMIC_RELAXED);
}

static unsigned take(struct capture *c, uint16_t queue)
{
    struct nic_capture_frame *f;
    unsigned count = 0;

    while (count < TURN_FRAMES && (f = nic_capture_take(c->frames, queue)) != NULL) {
        if (buf_room(&c->out) < PCAPNG_PACKET_BYTES + f->len)
            flush(c);
        if (c->full == NULL)
            write_frame(c, queue, f);
        nic_capture_give_back(c->frames, queue, f);
        count++;
    }
    return count;
}

static unsigned take_all(struct capture *c)
{
    unsigned count = 0;

    for (uint16_t queue = 0; queue < c->config.queues; queue++)
        count += take(c, queue);
    return count;
}

/* Why it is over; NULL: it goes on. */
static const char *look_for_end(struct capture *c)
{
    struct clock clock;

    now_read(&clock);
    if (c->full != NULL)
        return c->full;
    if (__atomic_load_n(&c->wants_end, __ATOMIC_RELAXED))
        return "ended as asked";
    return clock.now_ns >= c->due_ns ? "the time is over" : NULL;
}

/* What the queues have left is from before the end. */
static void write_rest(struct capture *c)
{
    while (!nic_capture_end(c->frames))
        poll(NULL, 0, LOOK_MS);
    while (take_all(c) > 0)
        continue;
    flush(c);
    write_counts(c);
    flush(c);
}

static void *run(void *arg)
{
    struct capture *c = arg;
    const char *over;

    write_head(c);
    while ((over = look_for_end(c)) == NULL) {
        if (take_all(c) == 0) {
            flush(c);
            poll(NULL, 0, LOOK_MS);
        }
        publish(c);
    }
    write_rest(c);
    publish(c);
    __atomic_store_n(&c->report.over, over, __ATOMIC_RELEASE);
    return NULL;
}

/* --- from main ------------------------------------------------------------------------------- */

static struct capture *refuse(struct capture *c, const char *what, struct buf *why)
{
    buf_printf(why, "capture: %s", what);
    free(c);
    return NULL;
}

struct capture *capture_begin(const struct capture_config *config, struct buf *why)
{
    struct capture *c = calloc(1, sizeof(*c));
    struct stat info;
    struct clock clock;

    if (c == NULL)
        return refuse(c, "not enough memory", why);
    if (fstat(config->fd, &info) < 0 || !S_ISREG(info.st_mode))
        return refuse(c, "a regular file is wanted: others may make it wait for ever", why);
    now_read(&clock);
    c->config = *config;
    c->begin_unix_ns = clock.unix_ms * NS_PER_MS;
    c->due_ns = clock.now_ns + config->seconds * NS_PER_S;
    c->out = (struct buf){ c->room, 0, sizeof(c->room) };
    c->frames = nic_capture_create(config->port, &config->rules);
    if (c->frames == NULL)
        return refuse(c, "not enough memory", why);
    if (pthread_create(&c->thread, NULL, run, c) == 0)
        return c;
    while (!nic_capture_end(c->frames))
        poll(NULL, 0, LOOK_MS);
    nic_capture_destroy(c->frames);
    return refuse(c, "a thread is not to be had", why);
}

void capture_ask_to_end(struct capture *c)
{
    __atomic_store_n(&c->wants_end, true, __ATOMIC_RELAXED);
}

void capture_look(const struct capture *c, struct capture_report *out)
{
    /* First: when it is over, the others are its last. */
    out->over = __atomic_load_n(&c->report.over, __ATOMIC_ACQUIRE);
    out->frames = __atomic_load_n(&c->report.frames, __ATOMIC_RELAXED);
    out->bytes = __atomic_load_n(&c->report.bytes, __ATOMIC_RELAXED);
    out->dropped = __atomic_load_n(&c->report.dropped, __ATOMIC_RELAXED);
}

void capture_finish(struct capture *c)
{
    capture_ask_to_end(c);
    pthread_join(c->thread, NULL);
    nic_capture_destroy(c->frames);
    close(c->config.fd);
    free(c);
}
