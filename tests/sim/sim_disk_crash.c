/*
 * What happens to a disk behind its user's back: the power goes, the process is killed, bytes rot,
 * a file is put there or cut short.
 *
 * Failure modes: none of its own; whoever uses the disk after its end gets EIO until it lists the
 * directory anew.
 */
#include "sim/sim_disk_priv.h"

#include <string.h>

#include "base/assert.h"

static void die(struct sim_disk *d, bool power)
{
    for (unsigned i = 0; i < d->pending_count; i++) {
        struct sim_disk_write *p = &d->pending[i];

        if (p->r.op != SPOOL_IO_OP_SYNC)
            sim_disk_write_some(d, &p->r,
                                power ? sim_disk_draw_share(d)
                                      : sim_disk_draw_share(d) / SIM_DISK_PPM * SIM_DISK_PPM,
                                p->r.op == SPOOL_IO_OP_WRITE_DURABLE);
    }
    d->dead = true;
    for (unsigned i = 0; power && i < d->file_count; i++) {
        struct sim_disk_file *f = &d->files[i];

        for (uint64_t s = 0; s < f->bytes / SIM_DISK_SECTOR_BYTES; s++)
            if (f->dirty[s] && rng_below(d->rng, 2) == 0)
                memcpy(f->kept + s * SIM_DISK_SECTOR_BYTES, f->now + s * SIM_DISK_SECTOR_BYTES,
                       SIM_DISK_SECTOR_BYTES);
        memcpy(f->now, f->kept, f->bytes);
        memset(f->dirty, 0, f->bytes / SIM_DISK_SECTOR_BYTES + 1);
    }
}

void sim_disk_crash(struct sim_disk *d)
{
    die(d, true);
}

void sim_disk_kill(struct sim_disk *d)
{
    die(d, false);
}

bool sim_disk_rot(struct sim_disk *d, const char *name, uint64_t offset, uint32_t len)
{
    struct sim_disk_file *f = sim_disk_find(d, name);

    if (f == NULL || offset + len > f->bytes)
        return false;
    for (uint32_t i = 0; i < len; i++) {
        f->now[offset + i] ^= 0x5a;
        f->kept[offset + i] = f->now[offset + i];
    }
    return true;
}

void sim_disk_put(struct sim_disk *d, const char *name, const void *bytes, uint64_t len)
{
    struct sim_disk_file *f = sim_disk_make(d, name, len);

    memcpy(f->now, bytes, len);
    sim_disk_keep(f);
}

void sim_disk_cut(struct sim_disk *d, const char *name, uint64_t len)
{
    struct sim_disk_file *f = sim_disk_find(d, name);

    ASSERT(f != NULL);
    ASSERT(len <= f->bytes);
    f->bytes = len;
}
