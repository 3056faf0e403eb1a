/*
 * The world below the spool, behind a struct: a directory of segment files and a queue of writes.
 * Real (spool_uring.c) or simulated (tests/sim/sim_disk.c); nothing else of the room makes a system
 * call.
 *
 * Failure modes: every call that can fail gives -errno, every completion a result; none is retried
 * here, what it means is the caller's to say.
 */
#ifndef POSTERN_SPOOL_IO_H
#define POSTERN_SPOOL_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPOOL_IO_NAME_BYTES 64
#define SPOOL_IO_NOTE_BYTES 256

struct spool_io_entry {
    char name[SPOOL_IO_NAME_BYTES]; /* NUL-ended; a longer one is cut, and so is no segment's */
    uint64_t bytes;
};

enum spool_io_mode {
    SPOOL_IO_READ,   /* as it is */
    SPOOL_IO_WRITE,  /* as it is, for reading and writing */
    SPOOL_IO_CREATE, /* new, of the size given, reading as zeros; its name is durable on return */
};

enum spool_io_op {
    SPOOL_IO_OP_WRITE,         /* confirmed means taken */
    SPOOL_IO_OP_WRITE_DURABLE, /* confirmed means on the medium */
    SPOOL_IO_OP_SYNC,          /* all that was confirmed for the file is on the medium */
};

struct spool_io_request {
    enum spool_io_op op;
    int file;
    uint64_t offset;     /* a multiple of 4,096 */
    const uint8_t *data; /* inside what memory() gave, 4,096 aligned; untouched until the result */
    uint32_t len;        /* a multiple of 4,096 */
    void *tag;           /* comes back with the result; not NULL */
};

struct spool_io_result {
    void *tag;
    int32_t result; /* bytes written (0 for a sync), or -errno */
};

struct spool_io {
    const struct spool_io_ops *ops;
    char note[SPOOL_IO_NOTE_BYTES]; /* for the log: what is slower than it could be */
};

struct spool_io_ops {
    /* Files of the directory, in any order; returns how many there are (may be over max), or
     * -errno. */
    int (*list)(struct spool_io *io, struct spool_io_entry *out, unsigned max);
    /* A handle >= 0, or -errno. CREATE: -ENOSPC, -EDQUOT: nothing was made. */
    int (*open)(struct spool_io *io, const char *name, enum spool_io_mode mode, uint64_t bytes);
    void (*close)(struct spool_io *io, int file);
    /* Blocks. Bytes read (fewer at the end of the file), or -errno. */
    int64_t (*read)(struct spool_io *io, int file, uint64_t offset, void *to, uint32_t len);
    /* Blocks. 0 or -errno. */
    int (*sync)(struct spool_io *io, int file);
    /* All the memory that requests will point into, 4,096 aligned; once; NULL: not to be had. */
    uint8_t *(*memory)(struct spool_io *io, size_t bytes);
    /* Takes a request; at most LIMIT_SPOOL_DEPTH + 2 at a time. */
    void (*submit)(struct spool_io *io, const struct spool_io_request *r);
    /* Hands on what was submitted. */
    void (*flush)(struct spool_io *io);
    /* Results that are there now, without waiting. */
    unsigned (*reap)(struct spool_io *io, struct spool_io_result *out, unsigned max);
    /* Sleeps until a result is there or wake() was called since the last wait. */
    void (*wait)(struct spool_io *io);
    /* From any thread. */
    void (*wake)(struct spool_io *io);
    /* A descriptor for one worker to sleep on, or -1; and its two ends. Freed with the io. */
    int (*event)(struct spool_io *io, unsigned worker);
    void (*event_set)(struct spool_io *io, int event);
    void (*event_clear)(struct spool_io *io, int event);
    uint64_t (*random_u64)(struct spool_io *io);
};

#endif
