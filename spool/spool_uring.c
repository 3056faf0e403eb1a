/*
 * The real disk: writes by io_uring with O_DIRECT and RWF_DSYNC from registered memory, in the
 * writer's thread, which may sleep in the block layer and therefore is nobody's poll loop.
 *
 * Happy path: submit() fills an entry of the ring; flush() hands them over with one call; reap()
 * takes completions without a call; wait() sleeps for a completion or a wake(), which comes by an
 * eventfd that the ring polls.
 *
 * Failure modes: no huge pages: ordinary ones; memory that cannot be registered (limit of locked
 * memory): writes that pin their pages each time; no O_DIRECT: through the page cache. All slower
 * and right, and each with a sentence in the io's note. No io_uring: no spool.
 */
#include <errno.h>
#include <poll.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/limits.h"
#include "spool/spool.h"
#include "spool/spool_uring_files.h"

#define ENTRIES 64
/* The kernel registers at most 1 GB as one buffer. */
#define PIECE_BYTES (512ULL * 1024 * 1024)
#define PIECES_MAX  64
#define HUGE_BYTES  (2ULL * 1024 * 1024)

STATIC_ASSERT(LIMIT_SPOOL_DEPTH + 4 <= ENTRIES,
              "every request, and the poll of the eventfd, has an entry");

struct uring {
    struct spool_io io;
    struct spool_uring_files files;
    struct io_uring ring;
    bool has_ring;
    bool registered;
    int wake_event;
    bool polling; /* the ring watches wake_event */
    int events[LIMIT_WORKERS];
    uint8_t *memory;
    size_t memory_bytes;
};

static struct uring *of(struct spool_io *io)
{
    return (struct uring *)io;
}

static void add_note(struct uring *u, const char *sentence)
{
    struct buf b = { (uint8_t *)u->io.note, (uint32_t)strlen(u->io.note), sizeof(u->io.note) };

    (void)buf_printf(&b, "%s%s", b.len > 0 ? "; " : "", sentence);
}

/* --- files ------------------------------------------------------------------------------------ */

static int list(struct spool_io *io, struct spool_io_entry *out, unsigned max)
{
    return spool_uring_files_list(&of(io)->files, out, max);
}

static int open_file(struct spool_io *io, const char *name, enum spool_io_mode mode, uint64_t bytes)
{
    return spool_uring_files_file(&of(io)->files, name, mode, bytes);
}

static void close_file(struct spool_io *io, int file)
{
    (void)io;
    close(file);
}

static int64_t read_file(struct spool_io *io, int file, uint64_t offset, void *to, uint32_t len)
{
    (void)io;
    return spool_uring_files_read(file, offset, to, len);
}

static int sync_file(struct spool_io *io, int file)
{
    (void)io;
    return fdatasync(file) == 0 ? 0 : -errno;
}

/* --- memory ----------------------------------------------------------------------------------- */

static uint8_t *map(size_t bytes)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    void *m = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_HUGETLB, -1, 0);

    if (m == MAP_FAILED)
        m = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    return m == MAP_FAILED ? NULL : m;
}

/* Registered memory counts against this limit; root may lift it. */
static void lift_lock_limit(size_t bytes)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur >= 2 * bytes)
        return;
    limit.rlim_cur = RLIM_INFINITY;
    limit.rlim_max = RLIM_INFINITY;
    (void)setrlimit(RLIMIT_MEMLOCK, &limit); /* not root: registering says what comes of it */
}

static uint8_t *memory(struct spool_io *io, size_t bytes)
{
    struct uring *u = of(io);
    struct iovec pieces[PIECES_MAX];
    unsigned count = 0;

    ASSERT(u->memory == NULL);
    u->memory_bytes = (bytes + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1);
    u->memory = map(u->memory_bytes);
    if (u->memory == NULL)
        return NULL;
    lift_lock_limit(u->memory_bytes);
    for (size_t at = 0; at < u->memory_bytes && count < PIECES_MAX; at += PIECE_BYTES) {
        size_t left = u->memory_bytes - at;

        pieces[count++] = (struct iovec){ u->memory + at, left < PIECE_BYTES ? left : PIECE_BYTES };
    }
    u->registered = u->memory_bytes <= PIECES_MAX * PIECE_BYTES &&
                    io_uring_register_buffers(&u->ring, pieces, count) == 0;
    if (!u->registered)
        add_note(u, "the write buffers could not be registered (limit of locked memory?): "
                    "each write pins its pages, which is slower");
    return u->memory;
}

/* --- writes ----------------------------------------------------------------------------------- */

static struct io_uring_sqe *entry(struct uring *u)
{
    struct io_uring_sqe *e = io_uring_get_sqe(&u->ring);

    ASSERT(e != NULL); /* the caller's bound is below the ring's size */
    return e;
}

static void submit(struct spool_io *io, const struct spool_io_request *r)
{
    struct uring *u = of(io);
    struct io_uring_sqe *e = entry(u);

    ASSERT(r->tag != NULL);
    if (r->op == SPOOL_IO_OP_SYNC) {
        io_uring_prep_fsync(e, r->file, IORING_FSYNC_DATASYNC);
    } else {
        size_t at = (size_t)(r->data - u->memory);

        ASSERT(at + r->len <= u->memory_bytes);
        if (u->registered)
            io_uring_prep_write_fixed(e, r->file, r->data, r->len, r->offset,
                                      (int)(at / PIECE_BYTES));
        else
            io_uring_prep_write(e, r->file, r->data, r->len, r->offset);
        if (r->op == SPOOL_IO_OP_WRITE_DURABLE)
            e->rw_flags = RWF_DSYNC;
    }
    io_uring_sqe_set_data(e, r->tag);
}

/* The ring tells of wake() by a poll that must be set anew each time; its tag is the io itself. */
static void watch_wake(struct uring *u)
{
    struct io_uring_sqe *e;

    if (u->polling)
        return;
    e = entry(u);
    io_uring_prep_poll_add(e, u->wake_event, POLLIN);
    io_uring_sqe_set_data(e, u);
    u->polling = true;
}

static void flush(struct spool_io *io)
{
    struct uring *u = of(io);

    if (io_uring_sq_ready(&u->ring) == 0)
        return;
    /* EAGAIN, EBUSY, EINTR: the entries stay in the ring, and the next flush or wait takes them. */
    (void)io_uring_submit(&u->ring);
}

static void clear(int event)
{
    uint64_t count;

    while (read(event, &count, sizeof(count)) < 0 && errno == EINTR)
        continue;
}

static unsigned reap(struct spool_io *io, struct spool_io_result *out, unsigned max)
{
    struct uring *u = of(io);
    struct io_uring_cqe *c;
    unsigned count = 0;

    while (count < max && io_uring_peek_cqe(&u->ring, &c) == 0) {
        void *tag = io_uring_cqe_get_data(c);

        if (tag == u) {
            u->polling = false;
            clear(u->wake_event);
        } else {
            out[count++] = (struct spool_io_result){ tag, c->res };
        }
        io_uring_cqe_seen(&u->ring, c);
    }
    return count;
}

static void wait_for_news(struct spool_io *io)
{
    struct uring *u = of(io);

    watch_wake(u);
    (void)io_uring_submit_and_wait(&u->ring,
                                   1); /* a signal ends it early; the turn finds nothing */
}

static void wake(struct spool_io *io)
{
    uint64_t one = 1;

    while (write(of(io)->wake_event, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
}

/* --- workers' events -------------------------------------------------------------------------- */

static int event(struct spool_io *io, unsigned worker)
{
    struct uring *u = of(io);

    ASSERT(worker < LIMIT_WORKERS);
    if (u->events[worker] < 0)
        u->events[worker] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return u->events[worker];
}

static void event_set(struct spool_io *io, int e)
{
    uint64_t one = 1;

    (void)io;
    while (write(e, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
}

static void event_clear(struct spool_io *io, int e)
{
    (void)io;
    clear(e);
}

static uint64_t random_u64(struct spool_io *io)
{
    uint64_t r;

    (void)io;
    while (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
        continue;
    return r;
}

/* --- start and end ---------------------------------------------------------------------------- */

static const struct spool_io_ops ops = {
    .list = list,
    .open = open_file,
    .close = close_file,
    .read = read_file,
    .sync = sync_file,
    .memory = memory,
    .submit = submit,
    .flush = flush,
    .reap = reap,
    .wait = wait_for_news,
    .wake = wake,
    .event = event,
    .event_set = event_set,
    .event_clear = event_clear,
    .random_u64 = random_u64,
};

static struct uring *make(struct buf *why)
{
    struct uring *u = calloc(1, sizeof(*u));

    if (u == NULL) {
        buf_printf(why, "memory is short");
        return NULL;
    }
    u->io.ops = &ops;
    u->wake_event = -1;
    for (unsigned i = 0; i < LIMIT_WORKERS; i++)
        u->events[i] = -1;
    return u;
}

static bool start_ring(struct uring *u, struct buf *why)
{
    int error = io_uring_queue_init(ENTRIES, &u->ring, 0);

    if (error < 0) {
        buf_printf(why, "the kernel gives no io_uring: %s", strerror(-error));
        return false;
    }
    u->has_ring = true;
    u->wake_event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (u->wake_event < 0)
        buf_printf(why, "no eventfd: %s", strerror(errno));
    return u->wake_event >= 0;
}

static void unmake(struct uring *u)
{
    if (u->has_ring)
        io_uring_queue_exit(&u->ring);
    for (unsigned i = 0; i < LIMIT_WORKERS; i++)
        if (u->events[i] >= 0)
            close(u->events[i]);
    if (u->wake_event >= 0)
        close(u->wake_event);
    if (u->memory != NULL)
        munmap(u->memory, u->memory_bytes);
    free(u);
}

struct spool_io *spool_uring_create(const char *directory, struct buf *why)
{
    struct uring *u = make(why);

    if (u == NULL)
        return NULL;
    if (!start_ring(u, why) || !spool_uring_files_open(&u->files, directory, true, why)) {
        unmake(u);
        return NULL;
    }
    if (!spool_uring_files_direct(&u->files))
        add_note(u, "the file system has no O_DIRECT: writes go through the page cache");
    return &u->io;
}

struct spool_io *spool_uring_reader_create(const char *directory, struct buf *why)
{
    struct uring *u = make(why);

    if (u == NULL)
        return NULL;
    if (!spool_uring_files_open(&u->files, directory, false, why)) {
        unmake(u);
        return NULL;
    }
    return &u->io;
}

void spool_uring_destroy(struct spool_io *io)
{
    struct uring *u = of(io);

    if (io == NULL)
        return;
    spool_uring_files_close(&u->files);
    unmake(u);
}
