/*
 * Happy path: open, size, read to the end. Failure: not there, not a regular file (a pipe would
 * make the start wait), too large, or it changes while it is read.
 */
#include "gateway/slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_all(int fd, uint8_t *to, uint32_t len)
{
    uint32_t done = 0;

    while (done < len) {
        ssize_t n = read(fd, to + done, len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (uint32_t)n;
    }
    return true;
}

/* NULL: fine. */
static const char *read_file(int fd, uint32_t most, struct span *out)
{
    struct stat info;
    uint8_t *bytes;

    if (fstat(fd, &info) < 0)
        return strerror(errno);
    if (!S_ISREG(info.st_mode))
        return "is not a file";
    if (info.st_size > most)
        return "is too large";
    bytes = malloc((size_t)info.st_size + 1);
    if (bytes == NULL)
        return "memory is short";
    *out = span_of(bytes, (uint32_t)info.st_size);
    if (read_all(fd, bytes, out->len))
        return NULL;
    slurp_free(*out);
    return "cannot be read to its end";
}

bool slurp_file(const char *path, uint32_t most, struct span *out, struct buf *errors)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *fault = fd < 0 ? strerror(errno) : read_file(fd, most, out);

    if (fd >= 0)
        close(fd);
    if (fault != NULL)
        buf_printf(errors, "%s: %s\n", path, fault);
    return fault == NULL;
}

void slurp_free(struct span text)
{
    explicit_bzero((uint8_t *)text.ptr, text.len);
    free((uint8_t *)text.ptr);
}
