/*
 * Happy path: the file is opened here, so that it is what this user may write, and the gateway,
 * which runs as somebody else, need not. The capture lives as long as the connection: asking how
 * far it is keeps that open. Failure modes: the file cannot be opened; the gateway says no.
 */
#include "gateway/ctl_capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define LOOK_MS 200

static int open_file(const char *path)
{
    /* Nobody else's to read: there are addresses in it, and who wrote to whom when. */
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd >= 0)
        return fd;
    fprintf(stderr, "postern-ctl: %s: %s\n", path, strerror(errno));
    exit(EXIT_FAILURE);
}

static int take_signals(const struct ctl_talk *t)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (fd < 0)
        ctl_talk_fail(t, NULL);
    return fd;
}

static bool has_ended(struct span answer)
{
    static const char ended[] = "\"ended\":true";

    return ctl_talk_is_error(answer) ||
           memmem(answer.ptr, answer.len, ended, sizeof(ended) - 1) != NULL;
}

struct span ctl_capture(const struct ctl_talk *t, const char *path, struct span line)
{
    struct pollfd signals = { .fd = take_signals(t), .events = POLLIN };
    int file = open_file(path);
    struct span answer = ctl_talk_ask(t, line, file);

    close(file);
    while (!has_ended(answer)) {
        if (poll(&signals, 1, LOOK_MS) > 0) {
            signals.fd = -1; /* once is enough */
            answer = ctl_talk_ask(t, SPAN_LITERAL("capture-end\n"), -1);
        } else {
            answer = ctl_talk_ask(t, SPAN_LITERAL("capture-look\n"), -1);
        }
    }
    return answer;
}
