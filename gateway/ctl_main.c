/*
 * postern-ctl: one command to a running gateway, and its answer.
 *
 * Happy path: connect, send the words as a line, read a line, print it. Exit codes: 0 done; 1 the
 * gateway does not answer or did not do it, with a sentence on standard error; 2 wrong usage.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"
#include "gateway/ctl_print.h"

#define DEFAULT_SOCKET "/run/postern/control"
#define PATIENCE_S     30

enum { EXIT_USAGE = 2 };

static const char usage[] = "usage: postern-ctl [-s SOCKET] [--json] COMMAND [ARGUMENT...]\n"
                            "  -s, --socket PATH  the gateway's (" DEFAULT_SOCKET ")\n"
                            "  -j, --json         print the answer as it is\n"
                            "  -V, --version      print the version and end\n"
                            "  -h, --help         print this and end\n"
                            "'postern-ctl help' asks the gateway for its commands; see "
                            "postern-ctl(1).\n";

struct options {
    const char *socket;
    bool json;
};

static void parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        { "socket", required_argument, NULL, 's' },
        { "json", no_argument, NULL, 'j' },
        { "version", no_argument, NULL, 'V' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int opt;

    while ((opt = getopt_long(argc, argv, "+s:jVh", longs, NULL)) != -1) {
        switch (opt) {
        case 's': o->socket = optarg; break;
        case 'j': o->json = true; break;
        case 'V': puts("postern-ctl " POSTERN_VERSION); exit(EXIT_SUCCESS);
        case 'h': fputs(usage, stdout); exit(EXIT_SUCCESS);
        default: fputs(usage, stderr); exit(EXIT_USAGE);
        }
    }
    if (optind == argc) {
        fputs(usage, stderr);
        exit(EXIT_USAGE);
    }
}

/* The words as one line. A word with a space in it would be two there. */
static void make_line(char **words, int count, struct buf *line)
{
    for (int i = 0; i < count; i++) {
        if (words[i][0] == 0 || strpbrk(words[i], " \t\r\n") != NULL ||
            !buf_printf(line, "%s%s", i > 0 ? " " : "", words[i])) {
            fprintf(stderr, "postern-ctl: '%s': empty, with a space in it, or too long\n",
                    words[i]);
            exit(EXIT_USAGE);
        }
    }
    buf_put(line, SPAN_LITERAL("\n"));
}

static void fail(const struct options *o, const char *what)
{
    fprintf(stderr, "postern-ctl: %s: %s\n", o->socket,
            what != NULL            ? what
            : errno == ECONNREFUSED ? "nobody answers: does postern run?"
            : errno == EAGAIN       ? "no answer in time"
                                    : strerror(errno));
    exit(EXIT_FAILURE);
}

static int connect_to(const struct options *o)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    struct timeval patience = { .tv_sec = PATIENCE_S };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(o->socket) >= sizeof(at.sun_path))
        fail(o, "the path is too long");
    memcpy(at.sun_path, o->socket, strlen(o->socket));
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
        connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
        fail(o, NULL);
    return fd;
}

/* One line, in memory that lives to the end. */
static struct span read_answer(const struct options *o, int fd)
{
    static char text[LIMIT_CONTROL_ANSWER_BYTES + 1];
    size_t len = 0;

    while (len == 0 || text[len - 1] != '\n') {
        ssize_t n = read(fd, text + len, sizeof(text) - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            fail(o, NULL);
        if (n == 0)
            fail(o, "the answer ends in its midst");
        len += (size_t)n;
    }
    return span_of(text, (uint32_t)len);
}

static bool is_error(struct span answer)
{
    static const char error[] = "{\"error\":";

    return span_equal(span_first(answer, sizeof(error) - 1), SPAN_LITERAL(error));
}

int main(int argc, char **argv)
{
    struct options o = { .socket = DEFAULT_SOCKET };
    uint8_t text[LIMIT_CONTROL_LINE_BYTES];
    struct buf line = { text, 0, sizeof(text) };
    struct span answer;
    int fd;

    parse_options(argc, argv, &o);
    make_line(argv + optind, argc - optind, &line);
    fd = connect_to(&o);
    if (write(fd, line.ptr, line.len) != (ssize_t)line.len)
        fail(&o, NULL);
    answer = read_answer(&o, fd);
    close(fd);
    if (o.json)
        fwrite(answer.ptr, 1, answer.len, stdout);
    else if (!ctl_print(answer, is_error(answer) ? stderr : stdout))
        fail(&o, "the answer is not understood; --json shows it");
    return is_error(answer) ? EXIT_FAILURE : EXIT_SUCCESS;
}
