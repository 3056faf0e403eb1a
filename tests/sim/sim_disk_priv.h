/*
 * The disk's inside, shared by sim_disk.c (what its user calls) and sim_disk_crash.c (what happens
 * to it).
 */
#ifndef POSTERN_TESTS_SIM_DISK_PRIV_H
#define POSTERN_TESTS_SIM_DISK_PRIV_H

#include "base/limits.h"
#include "sim/sim_disk.h"

#define SIM_DISK_FILES_MAX    64
#define SIM_DISK_HANDLES_MAX  64
#define SIM_DISK_PENDING_MAX  (LIMIT_SPOOL_DEPTH + 2)
#define SIM_DISK_SECTOR_BYTES 512u
#define SIM_DISK_PPM          1000000u

struct sim_disk_file {
    char name[SPOOL_IO_NAME_BYTES];
    uint8_t *now;
    uint8_t *kept;
    uint8_t *dirty; /* a byte for each sector: now and kept may differ */
    uint64_t bytes;
};

struct sim_disk_write {
    struct spool_io_request r;
    uint64_t due_ns;
    uint32_t crc; /* of the data as it was handed in */
    int32_t result;
};

struct sim_disk {
    struct spool_io io;
    struct clock *clock;
    struct rng *rng;
    struct sim_disk_faults faults;
    struct sim_disk_tally tally;
    struct sim_disk_file files[SIM_DISK_FILES_MAX];
    unsigned file_count;
    int handles[SIM_DISK_HANDLES_MAX]; /* index of the file, -1: free */
    struct sim_disk_write pending[SIM_DISK_PENDING_MAX];
    unsigned pending_count;
    uint8_t *memory;
    size_t memory_bytes;
    bool dead;
};

/* NULL: no file of that name. */
struct sim_disk_file *sim_disk_find(struct sim_disk *d, const char *name);
/* An empty file of zeros, new or over the one that is there. */
struct sim_disk_file *sim_disk_make(struct sim_disk *d, const char *name, uint64_t bytes);
/* What a reader sees survives the power from here on. */
void sim_disk_keep(struct sim_disk_file *f);
/* Sectors of a write that reach the file, each by chance (ppm). */
void sim_disk_write_some(struct sim_disk *d, const struct spool_io_request *r, uint32_t ppm,
                         bool durable);
/* None, some or all of them. */
uint32_t sim_disk_draw_share(struct sim_disk *d);

#endif
