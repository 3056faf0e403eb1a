/*
 * Happy path: open the directory, lock it, hand out descriptors of segments, O_DIRECT for the
 * writer.
 *
 * Failure modes: a second writer is told so; a file system without O_DIRECT or fallocate(2) gets
 * ordinary descriptors and plain files, and the io says so in its note.
 */
#include "spool/spool_uring_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME   "lock"
#define FILE_MODE   0600
#define FOLDER_MODE 0700

static bool take_lock(struct spool_uring_files *f, const char *directory, struct buf *why)
{
    f->lock = openat(f->directory, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (f->lock < 0) {
        buf_printf(why, "%s/%s cannot be made: %s", directory, LOCK_NAME, strerror(errno));
        return false;
    }
    if (flock(f->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        buf_printf(why, "another gateway is writing to %s (it holds %s/%s)", directory, directory,
                   LOCK_NAME);
    else
        buf_printf(why, "%s/%s cannot be locked: %s", directory, LOCK_NAME, strerror(errno));
    close(f->lock);
    f->lock = -1;
    return false;
}

bool spool_uring_files_open(struct spool_uring_files *f, const char *directory, bool write,
                            struct buf *why)
{
    *f = (struct spool_uring_files){ .directory = -1, .lock = -1 };
    if (write && mkdir(directory, FOLDER_MODE) != 0 && errno != EEXIST) {
        buf_printf(why, "%s cannot be made: %s", directory, strerror(errno));
        return false;
    }
    f->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->directory < 0) {
        buf_printf(why, "%s cannot be opened: %s", directory, strerror(errno));
        return false;
    }
    if (write && !take_lock(f, directory, why)) {
        close(f->directory);
        return false;
    }
    return true;
}

bool spool_uring_files_direct(struct spool_uring_files *f)
{
    int fd = openat(f->directory, LOCK_NAME, O_RDWR | O_DIRECT | O_CLOEXEC);

    f->no_direct = fd < 0;
    if (fd >= 0)
        close(fd);
    return !f->no_direct;
}

void spool_uring_files_close(struct spool_uring_files *f)
{
    if (f->lock >= 0)
        close(f->lock);
    close(f->directory);
    *f = (struct spool_uring_files){ .directory = -1, .lock = -1 };
}

/* Names longer than an entry's room are cut: no segment has one. */
static void put_entry(const struct spool_uring_files *f, const char *name,
                      struct spool_io_entry *out)
{
    struct stat st;
    size_t len = strlen(name);

    if (len >= sizeof(out->name))
        len = sizeof(out->name) - 1;
    memcpy(out->name, name, len);
    out->name[len] = '\0';
    out->bytes = 0;
    if (fstatat(f->directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
        out->bytes = (uint64_t)st.st_size;
}

int spool_uring_files_list(const struct spool_uring_files *f, struct spool_io_entry *out,
                           unsigned max)
{
    int fd = openat(f->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    unsigned count = 0;
    int error;

    if (d == NULL) {
        error = errno;
        if (fd >= 0)
            close(fd);
        return -error;
    }
    for (errno = 0; (entry = readdir(d)) != NULL; errno = 0) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (count < max)
            put_entry(f, entry->d_name, &out[count]);
        count++;
    }
    error = errno;
    closedir(d);
    return error != 0 ? -error : (int)count;
}

/* A file of its full size that reads as zeros, whose name survives a crash (W1). */
static int create_file(struct spool_uring_files *f, const char *name, uint64_t bytes)
{
    int fd = openat(f->directory, name, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    int error = 0;

    if (fd < 0)
        return -errno;
    if (fallocate(fd, 0, 0, (off_t)bytes) != 0)
        error = errno;
    if (error == EOPNOTSUPP) {
        f->no_fallocate = true;
        error = ftruncate(fd, (off_t)bytes) != 0 ? errno : 0;
    }
    if (error == 0 && (fsync(fd) != 0 || fsync(f->directory) != 0))
        error = errno;
    close(fd);
    if (error != 0)
        unlinkat(f->directory, name, 0);
    return -error;
}

int spool_uring_files_file(struct spool_uring_files *f, const char *name, enum spool_io_mode mode,
                           uint64_t bytes)
{
    int flags = (mode == SPOOL_IO_READ ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW;
    int error;
    int fd;

    if (mode == SPOOL_IO_CREATE) {
        error = create_file(f, name, bytes);
        if (error != 0)
            return error;
    }
    if (mode != SPOOL_IO_READ && !f->no_direct) {
        fd = openat(f->directory, name, flags | O_DIRECT);
        if (fd >= 0 || errno != EINVAL)
            return fd >= 0 ? fd : -errno;
        f->no_direct = true;
    }
    fd = openat(f->directory, name, flags);
    return fd >= 0 ? fd : -errno;
}

int64_t spool_uring_files_read(int file, uint64_t offset, void *to, uint32_t len)
{
    uint32_t done = 0;

    while (done < len) {
        ssize_t n = pread(file, (uint8_t *)to + done, len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (uint32_t)n;
    }
    return done;
}
