/* Happy path: the folder, the way cleared, bind, owner, listen. Failure: a sentence that names the
 * path and what to do. */
#include "gateway/control_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/limits.h"
#include "gateway/privs.h"

static bool fail(const char *path, const char *what, struct buf *why)
{
    buf_printf(why, "control.socket: %s: %s: %s; name another path, or \"\" for none", path, what,
               strerror(errno));
    return false;
}

static bool make_folder(const char *path, const char *user, struct buf *why)
{
    char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)] = "";
    const char *slash = strrchr(path, '/');

    ASSERT(slash != NULL);
    if (slash == path)
        return true;
    memcpy(folder, path, (size_t)(slash - path));
    if (mkdir(folder, 0755) == 0)
        return privs_give(folder, user, why);
    return errno == EEXIST || fail(path, "its folder", why);
}

static bool somebody_answers(const struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool answers = fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0;

    if (fd >= 0)
        close(fd);
    return answers;
}

/* A socket whose owner was killed is in the way, one with a living owner is not ours to take. */
static bool clear_the_way(const struct sockaddr_un *at, struct buf *why)
{
    const char *path = at->sun_path;
    struct stat info;

    if (lstat(path, &info) < 0)
        return errno == ENOENT || fail(path, "stat", why);
    if (!S_ISSOCK(info.st_mode)) {
        buf_printf(why, "control.socket: %s: is there, and is no socket", path);
        return false;
    }
    if (somebody_answers(at)) {
        buf_printf(why, "control.socket: %s: another postern answers there", path);
        return false;
    }
    return unlink(path) == 0 || fail(path, "unlink", why);
}

static bool bind_to(int fd, const struct sockaddr_un *at, const char *user, struct buf *why)
{
    mode_t mask = umask(0177);
    bool bound = bind(fd, (const struct sockaddr *)at, sizeof(*at)) == 0;

    umask(mask);
    return (bound || fail(at->sun_path, "bind", why)) && privs_give(at->sun_path, user, why) &&
           (listen(fd, LIMIT_CONTROL_CLIENTS) == 0 || fail(at->sun_path, "listen", why));
}

int control_socket_listen(const char *path, const char *user, struct buf *why)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd;

    ASSERT(strlen(path) < sizeof(at.sun_path));
    memcpy(at.sun_path, path, strlen(path));
    if (!make_folder(path, user, why) || !clear_the_way(&at, why))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(path, "socket", why), -1;
    if (bind_to(fd, &at, user, why))
        return fd;
    close(fd);
    return -1;
}

void control_socket_close(int fd, const char *path)
{
    unlink(path);
    close(fd);
}

ssize_t control_socket_read(int fd, char *to, size_t room, int *passed_fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))]; /* of more the kernel closes the rest */
        struct cmsghdr align;
    } beside;
    struct iovec where = { to, room };
    struct msghdr m = {
        .msg_iov = &where, .msg_iovlen = 1, .msg_control = &beside, .msg_controllen = sizeof(beside)
    };
    ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *c = n >= 0 ? CMSG_FIRSTHDR(&m) : NULL;

    if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return n;
    if (*passed_fd >= 0)
        close(*passed_fd);
    memcpy(passed_fd, CMSG_DATA(c), sizeof(*passed_fd));
    return n;
}
