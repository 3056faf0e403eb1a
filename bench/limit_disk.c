/*
 * The raw disk as the spool uses it: overwriting a file that was written with zeros before, by
 * io_uring with O_DIRECT and RWF_DSYNC, so that a completion means durable. By size, one write at a
 * time and eight.
 *
 * Happy path: limit_disk_open writes the file once and syncs it; a task overwrites it in order,
 * from the beginning again at its end. Failure modes: no O_DIRECT here, no io_uring, a failed
 * write: the sentence says which.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bench/limit.h"

#define FILE_BYTES (64ULL * 1024 * 1024)
#define MOST_BYTES (1024 * 1024)
#define ALIGNMENT  4096
#define DEPTH_MAX  8
#define BATCH_US   30000

struct disk_case {
    uint32_t bytes;
    unsigned depth;
};

static struct io_uring ring;
static bool has_ring;
static int file = -1;
static uint8_t *block;
static uint64_t at; /* where the next write goes */
static struct disk_case cases[16];
static int last_error;

static void submit_write(uint32_t bytes)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    if (at + bytes > FILE_BYTES)
        at = 0;
    io_uring_prep_write(sqe, file, block, bytes, at);
    sqe->rw_flags = RWF_DSYNC;
    at += bytes;
}

static bool reap(uint32_t bytes)
{
    struct io_uring_cqe *cqe;
    int err = io_uring_submit_and_wait(&ring, 1);

    if (err >= 0)
        err = io_uring_wait_cqe(&ring, &cqe);
    if (err < 0) {
        last_error = -err;
        return false;
    }
    last_error = cqe->res < 0 ? -cqe->res : cqe->res != (int)bytes ? EIO : 0;
    io_uring_cqe_seen(&ring, cqe);
    return last_error == 0;
}

static uint64_t overwrite(void *arg, uint64_t count)
{
    const struct disk_case *c = arg;
    uint64_t begin = __rdtsc();
    uint64_t sent = 0, done = 0;

    while (done < count) {
        for (; sent < count && sent - done < c->depth; sent++)
            submit_write(c->bytes);
        if (!reap(c->bytes)) {
            fprintf(stderr, "postern-bench: disk: %s\n", strerror(last_error));
            return 0;
        }
        done++;
    }
    return __rdtsc() - begin;
}

static bool fail(struct buf *why, const char *what, int err)
{
    buf_printf(why, "%s: %s", what, strerror(err));
    return false;
}

static bool make_file(const char *directory, struct buf *why)
{
    file = open(directory, O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
    if (file < 0)
        return fail(why, directory, errno);
    block = aligned_alloc(ALIGNMENT, MOST_BYTES);
    if (block == NULL)
        return fail(why, "buffer", ENOMEM);
    memset(block, 0, MOST_BYTES);
    for (uint64_t n = 0; n < FILE_BYTES; n += MOST_BYTES)
        if (pwrite(file, block, MOST_BYTES, (off_t)n) != MOST_BYTES)
            return fail(why, "writing zeros", errno);
    if (fsync(file) != 0)
        return fail(why, "fsync", errno);
    return true;
}

bool limit_disk_open(struct timing *t, const char *directory, struct buf *why)
{
    static const unsigned depths[] = { 1, DEPTH_MAX };
    unsigned n = 0;
    int err;

    if (!make_file(directory, why))
        return false;
    err = io_uring_queue_init(2 * DEPTH_MAX, &ring, 0);
    if (err != 0)
        return fail(why, "io_uring", -err);
    has_ring = true;
    for (unsigned d = 0; d < 2; d++)
        for (uint32_t bytes = 4096; bytes <= MOST_BYTES; bytes *= 4, n++) {
            struct timing_task task = {
                .bytes = bytes, .run = overwrite, .arg = &cases[n], .batch_us = BATCH_US
            };

            cases[n] = (struct disk_case){ bytes, depths[d] };
            snprintf(task.name, sizeof(task.name), "disk/dsync/%uK/depth-%u", bytes / 1024,
                     depths[d]);
            timing_add(t, &task);
        }
    return true;
}

void limit_disk_close(void)
{
    if (has_ring)
        io_uring_queue_exit(&ring);
    if (file >= 0)
        close(file);
    free(block);
}
