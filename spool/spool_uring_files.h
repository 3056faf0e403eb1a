/*
 * A spool directory of the real file system: its lock, its files, blocking reads. What the io_uring
 * side and the readers have in common; private to spool_uring*.c.
 */
#ifndef POSTERN_SPOOL_URING_FILES_H
#define POSTERN_SPOOL_URING_FILES_H

#include "base/span.h"
#include "spool/spool_io.h"

struct spool_uring_files {
    int directory;
    int lock;       /* -1: a reader */
    bool no_direct; /* O_DIRECT was refused here */
    bool no_fallocate;
};

/* False with a sentence in *why; then nothing is left open. */
bool spool_uring_files_open(struct spool_uring_files *f, const char *directory, bool write,
                            struct buf *why);
/* False: the file system takes no O_DIRECT. */
bool spool_uring_files_direct(struct spool_uring_files *f);
void spool_uring_files_close(struct spool_uring_files *f);
/* As in struct spool_io_ops. */
int spool_uring_files_list(const struct spool_uring_files *f, struct spool_io_entry *out,
                           unsigned max);
int spool_uring_files_file(struct spool_uring_files *f, const char *name, enum spool_io_mode mode,
                           uint64_t bytes);
int64_t spool_uring_files_read(int file, uint64_t offset, void *to, uint32_t len);

#endif
