/*
 * postern-ctl: one command to a running gateway, and its answer.
 *
 * Happy path: connect, send the words as a line, read a line, print it; a capture stays for its
 * whole time (ctl_capture.c). Exit codes: 0 done; 1 the gateway does not answer or did not do it,
 * with a sentence on standard error; 2 wrong usage.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "gateway/ctl_capture.h"
#include "gateway/ctl_print.h"
#include "gateway/ctl_talk.h"

#define DEFAULT_SOCKET "/run/postern/control"

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

/* A word of the line. With a space in it it would be two there. */
static void add_word(struct buf *line, const char *word)
{
    if (word[0] != 0 && strpbrk(word, " \t\r\n") == NULL &&
        buf_printf(line, "%s%s", line->len > 0 ? " " : "", word))
        return;
    fprintf(stderr, "postern-ctl: '%s': empty, with a space in it, or too long\n", word);
    exit(EXIT_USAGE);
}

/* The file of a capture, the second of its words, is not for the gateway. */
static const char *make_line(char **words, struct buf *line)
{
    const char *file = strcmp(words[0], "capture") == 0 ? words[1] : NULL;

    if (file == NULL && strcmp(words[0], "capture") == 0) {
        fputs("usage: postern-ctl capture FILE [NAME=VALUE...]\n", stderr);
        exit(EXIT_USAGE);
    }
    for (; *words != NULL; words++)
        if (*words != file)
            add_word(line, *words);
    buf_put(line, SPAN_LITERAL("\n"));
    return file;
}

int main(int argc, char **argv)
{
    struct options o = { .socket = DEFAULT_SOCKET };
    uint8_t text[LIMIT_CONTROL_LINE_BYTES];
    struct buf line = { text, 0, sizeof(text) };
    struct ctl_talk talk;
    struct span answer;
    const char *file;

    parse_options(argc, argv, &o);
    file = make_line(argv + optind, &line);
    ctl_talk_connect(&talk, o.socket);
    if (file != NULL)
        answer = ctl_capture(&talk, file, span_of(line.ptr, line.len));
    else
        answer = ctl_talk_ask(&talk, span_of(line.ptr, line.len), -1);
    close(talk.fd);
    if (o.json)
        fwrite(answer.ptr, 1, answer.len, stdout);
    else if (!ctl_print(answer, ctl_talk_is_error(answer) ? stderr : stdout))
        ctl_talk_fail(&talk, "the answer is not understood; --json shows it");
    return ctl_talk_is_error(answer) ? EXIT_FAILURE : EXIT_SUCCESS;
}
