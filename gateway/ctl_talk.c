/* Happy path: connect, one sendmsg, read until the line's end. Failure modes: nobody answers, or
 * not in time, or stops in the midst of it. */
#include "gateway/ctl_talk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"

#define PATIENCE_S 30

void ctl_talk_fail(const struct ctl_talk *t, const char *what)
{
    fprintf(stderr, "postern-ctl: %s: %s\n", t->path,
            what != NULL            ? what
            : errno == ECONNREFUSED ? "nobody answers: does postern run?"
            : errno == EAGAIN       ? "no answer in time"
                                    : strerror(errno));
    exit(EXIT_FAILURE);
}

void ctl_talk_connect(struct ctl_talk *t, const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    struct timeval patience = { .tv_sec = PATIENCE_S };

    *t = (struct ctl_talk){ path, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    if (strlen(path) >= sizeof(at.sun_path))
        ctl_talk_fail(t, "the path is too long");
    memcpy(at.sun_path, path, strlen(path));
    if (t->fd < 0 || setsockopt(t->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
        connect(t->fd, (struct sockaddr *)&at, sizeof(at)) < 0)
        ctl_talk_fail(t, NULL);
}

static void send_line(const struct ctl_talk *t, struct span line, int passed_fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } beside = { { 0 } };
    struct iovec where = { (void *)line.ptr, line.len };
    struct msghdr m = { .msg_iov = &where, .msg_iovlen = 1 };

    if (passed_fd >= 0) {
        m.msg_control = &beside;
        m.msg_controllen = sizeof(beside);
        beside.header.cmsg_level = SOL_SOCKET;
        beside.header.cmsg_type = SCM_RIGHTS;
        beside.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&beside.header), &passed_fd, sizeof(int));
    }
    if (sendmsg(t->fd, &m, MSG_NOSIGNAL) != (ssize_t)line.len)
        ctl_talk_fail(t, NULL);
}

struct span ctl_talk_ask(const struct ctl_talk *t, struct span line, int passed_fd)
{
    static char text[LIMIT_CONTROL_ANSWER_BYTES + 1];
    size_t len = 0;

    send_line(t, line, passed_fd);
    while (len == 0 || text[len - 1] != '\n') {
        ssize_t n = read(t->fd, text + len, sizeof(text) - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            ctl_talk_fail(t, NULL);
        if (n == 0)
            ctl_talk_fail(t, "the answer ends in its midst");
        len += (size_t)n;
    }
    return span_of(text, (uint32_t)len);
}

bool ctl_talk_is_error(struct span answer)
{
    static const char error[] = "{\"error\":";

    return span_equal(span_first(answer, sizeof(error) - 1), SPAN_LITERAL(error));
}
