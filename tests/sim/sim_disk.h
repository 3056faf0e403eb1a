/*
 * A bad disk behind struct spool_io, in memory and in virtual time. It completes writes late and
 * out of order; it refuses some (and may have kept a part of them); it is full; when the power
 * goes, it loses what it has not confirmed or what was never synced, sector by sector of 512 bytes.
 *
 * It also watches its user: a buffer that changes while it is being written (FORMAT.md I5), a
 * durable write over one that is under way, or more writes than allowed are reported by assertion.
 *
 * Happy path: create; spool_open on sim_disk_io; turns, and the clock set to sim_disk_next_ns when
 * nothing can be done; crash or not; spool_close; spool_open again.
 */
#ifndef POSTERN_TESTS_SIM_DISK_H
#define POSTERN_TESTS_SIM_DISK_H

#include "base/clock.h"
#include "base/rng.h"
#include "spool/spool_io.h"

struct sim_disk;

/* Chances are per million, of each call. */
struct sim_disk_faults {
    uint32_t eio_ppm;     /* a write ends with EIO */
    uint32_t enospc_ppm;  /* a write ends with ENOSPC */
    uint32_t short_ppm;   /* a write ends early */
    uint32_t open_ppm;    /* an open or the making of a file ends with EIO */
    uint32_t slow_ppm;    /* a write takes a second */
    uint64_t sync_ns;     /* a sync takes so much longer */
    bool headers;         /* the first block of a file is refused as well */
    uint64_t nth;         /* the nth durable write or sync from now on fails with EIO; 0: none */
    uint64_t nth_call;    /* the nth list, open, read or blocking sync fails with EIO; 0: none */
    uint64_t space_bytes; /* of all files; 0: no bound */
};

/* What happened since it was made. */
struct sim_disk_tally {
    uint64_t writes;
    uint64_t refused;         /* writes that failed, for whatever reason */
    uint64_t refused_headers; /* of those, first blocks of files */
    uint64_t refused_files;   /* files that could not be made or opened */
};

/* wait() moves the clock. `faulty`: some of the faults, drawn from rng, but none of headers. */
struct sim_disk *sim_disk_create(struct clock *clock, struct rng *rng, bool faulty);
void sim_disk_destroy(struct sim_disk *d);
struct spool_io *sim_disk_io(struct sim_disk *d);
void sim_disk_set_faults(struct sim_disk *d, const struct sim_disk_faults *faults);
const struct sim_disk_tally *sim_disk_tally(const struct sim_disk *d);
/* Has the nth of the faults set last come to pass? */
bool sim_disk_has_failed(const struct sim_disk *d);
/* When the next write ends; UINT64_MAX: none is under way. */
uint64_t sim_disk_next_ns(const struct sim_disk *d);
/*
 * The power goes. What was under way or not synced is there or not, by chance. From now on whoever
 * uses the disk gets EIO and changes nothing, until the directory is listed anew: that is the
 * restart.
 */
void sim_disk_crash(struct sim_disk *d);
/* kill -9: each write under way is done or not, as a whole; what was confirmed stays. Else as
 * above. */
void sim_disk_kill(struct sim_disk *d);
/* Changes bytes of a file, as a rotting disk does. False: no such file, or it is too short. */
bool sim_disk_rot(struct sim_disk *d, const char *name, uint64_t offset, uint32_t len);
/* A file of another kind, or a segment as given. */
void sim_disk_put(struct sim_disk *d, const char *name, const void *bytes, uint64_t len);
void sim_disk_cut(struct sim_disk *d, const char *name, uint64_t len);

#endif
