/*
 * Each file has two faces: `now`, what a reader sees, and `kept`, what survives the power. A
 * durable write reaches both when it is confirmed; a plain one reaches `now`, and `kept` by a sync,
 * or sector by sector by chance when the power goes.
 */
#include "sim/sim_disk_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/crc32c.h"

static struct sim_disk *of(struct spool_io *io)
{
    return (struct sim_disk *)io;
}

static bool chance(struct sim_disk *d, uint32_t ppm)
{
    return ppm > 0 && rng_below(d->rng, SIM_DISK_PPM) < ppm;
}

/* Counts a call that blocks; true: it is to fail. */
static bool fails_now(struct sim_disk *d)
{
    return d->faults.nth_call > 0 && --d->faults.nth_call == 0;
}

/* --- files ------------------------------------------------------------------------------------ */

struct sim_disk_file *sim_disk_find(struct sim_disk *d, const char *name)
{
    for (unsigned i = 0; i < d->file_count; i++)
        if (strcmp(d->files[i].name, name) == 0)
            return &d->files[i];
    return NULL;
}

static void size_file(struct sim_disk_file *f, uint64_t bytes)
{
    free(f->now);
    free(f->kept);
    free(f->dirty);
    f->bytes = bytes;
    f->now = calloc(1, bytes + 1);
    f->kept = calloc(1, bytes + 1);
    f->dirty = calloc(1, bytes / SIM_DISK_SECTOR_BYTES + 2);
    ASSERT(f->now != NULL);
    ASSERT(f->kept != NULL);
    ASSERT(f->dirty != NULL);
}

struct sim_disk_file *sim_disk_make(struct sim_disk *d, const char *name, uint64_t bytes)
{
    struct sim_disk_file *f = sim_disk_find(d, name);

    if (f == NULL) {
        ASSERT(d->file_count < SIM_DISK_FILES_MAX);
        ASSERT(strlen(name) < sizeof(f->name));
        f = &d->files[d->file_count++];
        memset(f, 0, sizeof(*f));
        memcpy(f->name, name, strlen(name) + 1);
    }
    size_file(f, bytes);
    return f;
}

static uint64_t used_bytes(const struct sim_disk *d)
{
    uint64_t used = 0;

    for (unsigned i = 0; i < d->file_count; i++)
        used += d->files[i].bytes;
    return used;
}

static int list(struct spool_io *io, struct spool_io_entry *out, unsigned max)
{
    struct sim_disk *d = of(io);

    if (d->dead) {
        ASSERT(d->pending_count == 0);
        d->dead = false;
    }
    if (fails_now(d))
        return -EIO;
    for (unsigned i = 0; i < d->file_count && i < max; i++) {
        memcpy(out[i].name, d->files[i].name, sizeof(out[i].name));
        out[i].bytes = d->files[i].bytes;
    }
    return (int)d->file_count;
}

static int file_error(struct sim_disk *d, const char *name, enum spool_io_mode mode, uint64_t bytes)
{
    struct sim_disk_file *f = sim_disk_find(d, name);
    uint64_t space = d->faults.space_bytes;

    if (d->dead || fails_now(d) || (mode != SPOOL_IO_READ && chance(d, d->faults.open_ppm)))
        return EIO;
    if (mode != SPOOL_IO_CREATE)
        return f == NULL ? ENOENT : 0;
    if (space > 0 && used_bytes(d) - (f != NULL ? f->bytes : 0) + bytes > space)
        return ENOSPC;
    return 0;
}

static int open_file(struct spool_io *io, const char *name, enum spool_io_mode mode, uint64_t bytes)
{
    struct sim_disk *d = of(io);
    int error = file_error(d, name, mode, bytes);
    int h = 0;

    if (error != 0) {
        d->tally.refused_files++;
        return -error;
    }
    if (mode == SPOOL_IO_CREATE)
        sim_disk_make(d, name, bytes);
    while (h < SIM_DISK_HANDLES_MAX && d->handles[h] >= 0)
        h++;
    ASSERT(h < SIM_DISK_HANDLES_MAX); /* somebody forgets to close */
    d->handles[h] = (int)(sim_disk_find(d, name) - d->files);
    return h;
}

static struct sim_disk_file *file_of(struct sim_disk *d, int handle)
{
    ASSERT(handle >= 0);
    ASSERT(handle < SIM_DISK_HANDLES_MAX);
    ASSERT(d->handles[handle] >= 0);
    return &d->files[d->handles[handle]];
}

static void close_file(struct spool_io *io, int handle)
{
    struct sim_disk *d = of(io);

    ASSERT(file_of(d, handle) != NULL);
    for (unsigned i = 0; i < d->pending_count; i++)
        ASSERT(d->pending[i].r.file != handle); /* it would write to whoever gets the number next */
    d->handles[handle] = -1;
}

static int64_t read_file(struct spool_io *io, int handle, uint64_t offset, void *to, uint32_t len)
{
    const struct sim_disk_file *f = file_of(of(io), handle);

    if (of(io)->dead || fails_now(of(io)))
        return -EIO;
    if (offset >= f->bytes)
        return 0;
    if (len > f->bytes - offset)
        len = (uint32_t)(f->bytes - offset);
    memcpy(to, f->now + offset, len);
    return len;
}

void sim_disk_keep(struct sim_disk_file *f)
{
    memcpy(f->kept, f->now, f->bytes);
    memset(f->dirty, 0, f->bytes / SIM_DISK_SECTOR_BYTES + 1);
}

static int sync_file(struct spool_io *io, int handle)
{
    struct sim_disk *d = of(io);

    if (d->dead || fails_now(d))
        return -EIO;
    sim_disk_keep(file_of(d, handle));
    return 0;
}

/* --- writes ----------------------------------------------------------------------------------- */

static uint8_t *memory(struct spool_io *io, size_t bytes)
{
    struct sim_disk *d = of(io);

    ASSERT(d->pending_count == 0);
    free(d->memory);
    d->memory_bytes = (bytes + 4095) & ~(size_t)4095;
    d->memory = aligned_alloc(4096, d->memory_bytes);
    return d->memory;
}

/* What the disk will say of a write, decided when it comes in. */
static int32_t draw_result(struct sim_disk *d, const struct spool_io_request *r)
{
    const struct sim_disk_faults *f = &d->faults;
    bool header = r->op == SPOOL_IO_OP_WRITE_DURABLE && r->offset == 0;
    int32_t good = r->op == SPOOL_IO_OP_SYNC ? 0 : (int32_t)r->len;

    if (d->dead)
        return -EIO;
    if (r->op != SPOOL_IO_OP_WRITE && d->faults.nth > 0 && --d->faults.nth == 0)
        return -EIO;
    if (header && !f->headers)
        return good;
    if (chance(d, f->eio_ppm))
        return -EIO;
    if (chance(d, f->enospc_ppm))
        return -ENOSPC;
    if (good > 0 && chance(d, f->short_ppm))
        return (int32_t)(rng_below(d->rng, r->len / SIM_DISK_SECTOR_BYTES) * SIM_DISK_SECTOR_BYTES);
    return good;
}

static bool overlap(const struct spool_io_request *a, const struct spool_io_request *b)
{
    return a->file == b->file && a->op != SPOOL_IO_OP_SYNC && b->op != SPOOL_IO_OP_SYNC &&
           a->offset < b->offset + b->len && b->offset < a->offset + a->len;
}

static void check_request(const struct sim_disk *d, const struct spool_io_request *r)
{
    const struct sim_disk_file *f = file_of((struct sim_disk *)(uintptr_t)d, r->file);

    ASSERT(d->pending_count < SIM_DISK_PENDING_MAX);
    if (r->op == SPOOL_IO_OP_SYNC)
        return;
    ASSERT(r->len > 0);
    ASSERT(r->len % 4096 == 0);
    ASSERT(r->offset % 4096 == 0);
    ASSERT(r->offset + r->len <= f->bytes); /* no write may make a file longer */
    ASSERT(r->data >= d->memory);
    ASSERT(r->data + r->len <= d->memory + d->memory_bytes);
    ASSERT((uintptr_t)r->data % 4096 == 0);
    for (unsigned i = 0; i < d->pending_count; i++)
        ASSERT(!overlap(r, &d->pending[i].r));
}

static void submit(struct spool_io *io, const struct spool_io_request *r)
{
    struct sim_disk *d = of(io);
    struct sim_disk_write *p = &d->pending[d->pending_count];
    uint64_t latency = NS_PER_MS / 20 + rng_below(d->rng, 2 * NS_PER_MS);

    check_request(d, r);
    if (chance(d, d->faults.slow_ppm))
        latency = NS_PER_S;
    if (r->op == SPOOL_IO_OP_SYNC)
        latency += d->faults.sync_ns;
    *p = (struct sim_disk_write){ .r = *r, .due_ns = d->clock->now_ns + latency };
    if (r->op != SPOOL_IO_OP_SYNC)
        p->crc = crc32c_update(0, r->data, r->len);
    p->result = draw_result(d, r);
    d->pending_count++;
    d->tally.writes++;
}

static void flush(struct spool_io *io)
{
    (void)io;
}

void sim_disk_write_some(struct sim_disk *d, const struct spool_io_request *r, uint32_t ppm,
                         bool durable)
{
    struct sim_disk_file *f = file_of(d, r->file);

    for (uint32_t at = 0; at < r->len; at += SIM_DISK_SECTOR_BYTES) {
        uint64_t to = r->offset + at;

        if (ppm < SIM_DISK_PPM && !chance(d, ppm))
            continue;
        memcpy(f->now + to, r->data + at, SIM_DISK_SECTOR_BYTES);
        if (durable)
            memcpy(f->kept + to, r->data + at, SIM_DISK_SECTOR_BYTES);
        f->dirty[to / SIM_DISK_SECTOR_BYTES] = !durable;
    }
}

uint32_t sim_disk_draw_share(struct sim_disk *d)
{
    static const uint32_t shares[] = { 0, SIM_DISK_PPM / 2, SIM_DISK_PPM };

    return shares[rng_below(d->rng, 3)];
}

static void finish(struct sim_disk *d, const struct sim_disk_write *p)
{
    bool durable = p->r.op == SPOOL_IO_OP_WRITE_DURABLE;

    if (d->dead)
        return;
    if (p->r.op == SPOOL_IO_OP_SYNC) {
        if (p->result == 0)
            sim_disk_keep(file_of(d, p->r.file));
        d->tally.refused += p->result != 0;
        return;
    }
    ASSERT(p->crc == crc32c_update(0, p->r.data, p->r.len)); /* I5 */
    if (p->result == (int32_t)p->r.len) {
        sim_disk_write_some(d, &p->r, SIM_DISK_PPM, durable);
        return;
    }
    d->tally.refused++;
    d->tally.refused_headers += durable && p->r.offset == 0;
    sim_disk_write_some(d, &p->r, sim_disk_draw_share(d),
                        true); /* it may have kept what it refused */
}

static unsigned reap(struct spool_io *io, struct spool_io_result *out, unsigned max)
{
    struct sim_disk *d = of(io);
    unsigned count = 0;

    for (unsigned i = 0; i < d->pending_count && count < max;) {
        struct sim_disk_write p = d->pending[i];

        if (p.due_ns > d->clock->now_ns && !d->dead) {
            i++;
            continue;
        }
        finish(d, &p);
        out[count++] = (struct spool_io_result){ p.r.tag, d->dead ? -EIO : p.result };
        d->pending[i] = d->pending[--d->pending_count];
    }
    return count;
}

uint64_t sim_disk_next_ns(const struct sim_disk *d)
{
    uint64_t next = UINT64_MAX;

    for (unsigned i = 0; i < d->pending_count; i++)
        if (d->pending[i].due_ns < next)
            next = d->pending[i].due_ns;
    return next;
}

static void wait_for_news(struct spool_io *io)
{
    struct sim_disk *d = of(io);
    uint64_t next = sim_disk_next_ns(d);

    ASSERT(next != UINT64_MAX); /* a sleep that nothing would end */
    if (next > d->clock->now_ns) {
        d->clock->unix_ms += (next - d->clock->now_ns) / NS_PER_MS;
        d->clock->now_ns = next;
    }
}

static void wake(struct spool_io *io)
{
    (void)io;
}

static int event(struct spool_io *io, unsigned worker)
{
    (void)io;
    (void)worker;
    return -1;
}

static void event_none(struct spool_io *io, int e)
{
    (void)io;
    (void)e;
    UNREACHABLE("there are no events here");
}

static uint64_t random_u64(struct spool_io *io)
{
    return rng_next(of(io)->rng);
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
    .event_set = event_none,
    .event_clear = event_none,
    .random_u64 = random_u64,
};

struct sim_disk *sim_disk_create(struct clock *clock, struct rng *rng, bool faulty)
{
    struct sim_disk *d = calloc(1, sizeof(*d));

    ASSERT(d != NULL);
    d->io.ops = &ops;
    d->clock = clock;
    d->rng = rng;
    for (unsigned i = 0; i < SIM_DISK_HANDLES_MAX; i++)
        d->handles[i] = -1;
    if (faulty)
        d->faults = (struct sim_disk_faults){
            .eio_ppm = rng_below(rng, 2) == 0 ? 10000 : 0,
            .enospc_ppm = rng_below(rng, 4) == 0 ? 5000 : 0,
            .short_ppm = rng_below(rng, 4) == 0 ? 5000 : 0,
            .slow_ppm = rng_below(rng, 4) == 0 ? 20000 : 0,
        };
    return d;
}

void sim_disk_destroy(struct sim_disk *d)
{
    if (d == NULL)
        return;
    ASSERT(d->pending_count == 0);
    for (unsigned i = 0; i < SIM_DISK_HANDLES_MAX; i++)
        ASSERT(d->handles[i] < 0);
    for (unsigned i = 0; i < d->file_count; i++) {
        free(d->files[i].now);
        free(d->files[i].kept);
        free(d->files[i].dirty);
    }
    free(d->memory);
    free(d);
}

struct spool_io *sim_disk_io(struct sim_disk *d)
{
    return &d->io;
}

void sim_disk_set_faults(struct sim_disk *d, const struct sim_disk_faults *faults)
{
    d->faults = *faults;
}

const struct sim_disk_tally *sim_disk_tally(const struct sim_disk *d)
{
    return &d->tally;
}

bool sim_disk_has_failed(const struct sim_disk *d)
{
    return d->faults.nth == 0 && d->faults.nth_call == 0;
}
