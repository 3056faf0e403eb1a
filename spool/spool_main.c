/*
 * postern-spool: what the gateway kept, for people and scripts. Reads only; works beside a running
 * gateway.
 *
 * Happy path: open the directory, walk the messages, print. Failure modes: a directory that can't
 * be read, an id that is not there, a damaged message: one line on standard error. Exit codes: 0
 * good; 1 not found, damaged or unreadable; 2 wrong usage.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "spool/spool.h"

#define DEFAULT_DIRECTORY "/var/spool/postern"
#define PATH_BYTES        4096

enum { EXIT_USAGE = 2 };

struct tool {
    struct spool_io *io;
    struct spool_reader *reader;
    bool full;    /* cat: the generated header too */
    bool maildir; /* export: a maildir, not .eml files */
};

/* Takes the stuffing out while bytes pass by (RFC 5321, 4.5.2). */
struct unstuffer {
    bool stuffed;
    bool line_start;
};

static const char usage[] =
    "usage: postern-spool [-d DIR] COMMAND\n"
    "  list                        every message: id, time, size, sender, recipients\n"
    "  show ID                     its envelope and generated header\n"
    "  cat [--full] ID             its bytes exactly as sent; --full: with the generated header\n"
    "  verify                      read all messages, check every checksum\n"
    "  export [--format=eml|maildir] DIR\n"
    "                              every message as a file, with its generated header\n"
    "  -d, --directory DIR         the spool (" DEFAULT_DIRECTORY ")\n"
    "See postern-spool(1).\n";

static int complain(const char *what, const char *name)
{
    fprintf(stderr, "postern-spool: %s%s%s\n", name, name[0] != '\0' ? ": " : "", what);
    return EXIT_FAILURE;
}

static void put_clean(struct span s)
{
    for (uint32_t i = 0; i < s.len; i++)
        putchar(s.ptr[i] >= 0x20 && s.ptr[i] != 0x7f ? s.ptr[i] : '?');
}

static void put_time(uint64_t id)
{
    time_t at = (time_t)((id >> 21) / 1000);
    char text[32] = "";
    struct tm tm;

    if (gmtime_r(&at, &tm) != NULL)
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    fputs(text, stdout);
}

/* --- list and show --------------------------------------------------------------------------- */

static void list_one(const struct mail *m, bool damaged)
{
    struct span rest = m->envelope;
    struct span sender = { 0 };
    struct span first = { 0 };
    struct mail_field f;
    char id[MAIL_ID_TEXT];
    uint32_t count = 0;

    while (mail_field_next(&rest, &f)) {
        if (f.type == MAIL_FIELD_SENDER)
            sender = f.value;
        if (f.type == MAIL_FIELD_RECIPIENT && count++ == 0)
            first = f.value;
    }
    mail_id_format(m->id, id);
    printf("%s  ", id);
    put_time(m->id);
    printf("  %10llu  <", (unsigned long long)m->body_bytes);
    put_clean(sender);
    fputs(">  <", stdout);
    put_clean(first);
    putchar('>');
    if (count > 1)
        printf(" and %u more", count - 1);
    puts(damaged ? "  damaged" : "");
}

static int do_list(struct tool *t, int argc, char **argv)
{
    struct mail m;

    (void)argv;
    if (argc != 0)
        return EXIT_USAGE;
    if (spool_reader_count(t->reader) > 0 && isatty(STDOUT_FILENO))
        puts("ID             TIME                        SIZE  SENDER  RECIPIENTS");
    for (uint64_t i = 0; spool_reader_at(t->reader, i, &m); i++)
        list_one(&m, spool_reader_damaged(t->reader, i));
    return EXIT_SUCCESS;
}

static void put_field(const struct mail_field *f)
{
    const char *name = mail_field_name(f->type);

    if (name != NULL)
        fputs(name, stdout);
    else
        printf("field %u", f->type);
    fputs(f->value.len > 0 ? ": " : "", stdout);
    put_clean(f->value);
    putchar('\n');
}

/* The message that the id names, or false with a line said. */
static bool find(struct tool *t, const char *text, uint64_t *index, struct mail *m)
{
    uint64_t id;

    if (!mail_id_parse(span_str(text), &id)) {
        complain("is no message id (13 letters and digits, see list)", text);
        return false;
    }
    if (spool_reader_find(t->reader, id, index) && spool_reader_at(t->reader, *index, m))
        return true;
    complain("no such message", text);
    return false;
}

static int do_show(struct tool *t, int argc, char **argv)
{
    struct mail_field f;
    struct span rest;
    struct mail m;
    uint64_t index;

    if (argc != 1)
        return EXIT_USAGE;
    if (!find(t, argv[0], &index, &m))
        return EXIT_FAILURE;
    printf("id: %s\ntime: ", argv[0]);
    put_time(m.id);
    printf("\nstored bytes: %llu%s\n", (unsigned long long)m.body_bytes,
           m.flags & MAIL_DOT_STUFFED ? " (dot-stuffed)" : "");
    rest = m.envelope;
    while (mail_field_next(&rest, &f))
        put_field(&f);
    fputs("header:\n", stdout);
    fwrite(m.header.ptr, 1, m.header.len, stdout);
    return EXIT_SUCCESS;
}

/* --- bodies ---------------------------------------------------------------------------------- */

static bool write_unstuffed(struct unstuffer *u, struct span s, FILE *to)
{
    uint32_t from = 0;

    if (!u->stuffed)
        return fwrite(s.ptr, 1, s.len, to) == s.len;
    for (uint32_t i = 0; i < s.len; i++) {
        if (u->line_start && s.ptr[i] == '.') {
            if (fwrite(s.ptr + from, 1, i - from, to) != i - from)
                return false;
            from = i + 1;
        }
        u->line_start = s.ptr[i] == '\n';
    }
    return fwrite(s.ptr + from, 1, s.len - from, to) == s.len - from;
}

/* The body, unstuffed, to a file (NULL: only read and checked). */
static int write_body(struct tool *t, uint64_t index, const struct mail *m, FILE *to)
{
    static uint8_t room[LIMIT_EXTENT_BYTES];
    struct unstuffer u = { (m->flags & MAIL_DOT_STUFFED) != 0, true };
    char id[MAIL_ID_TEXT];
    uint64_t offset = 0;
    int64_t n;

    mail_id_format(m->id, id);
    for (;;) {
        struct buf out = { room, 0, sizeof(room) };

        n = spool_reader_body(t->reader, index, offset, &out);
        if (n <= 0)
            break;
        if (to != NULL && !write_unstuffed(&u, span_of(room, out.len), to))
            return complain(strerror(errno), id);
        offset += (uint64_t)n;
    }
    if (n < 0 || offset != m->body_bytes)
        return complain("damaged or unreadable", id);
    return EXIT_SUCCESS;
}

static int do_cat(struct tool *t, int argc, char **argv)
{
    struct mail m;
    uint64_t index;
    int code;

    if (argc != 1)
        return EXIT_USAGE;
    if (!find(t, argv[0], &index, &m))
        return EXIT_FAILURE;
    if (t->full)
        fwrite(m.header.ptr, 1, m.header.len, stdout);
    code = write_body(t, index, &m, stdout);
    return code;
}

static int do_verify(struct tool *t, int argc, char **argv)
{
    uint64_t damaged = 0;
    struct mail m;
    uint64_t i;

    (void)argv;
    if (argc != 0)
        return EXIT_USAGE;
    for (i = 0; spool_reader_at(t->reader, i, &m); i++)
        damaged += write_body(t, i, &m, NULL) != EXIT_SUCCESS;
    printf("%llu messages, %llu damaged\n", (unsigned long long)i, (unsigned long long)damaged);
    return damaged > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int export_one(struct tool *t, uint64_t index, const struct mail *m, const char *dir)
{
    char path[PATH_BYTES];
    char id[MAIL_ID_TEXT];
    FILE *to;
    int code;

    mail_id_format(m->id, id);
    snprintf(path, sizeof(path), t->maildir ? "%s/new/%s" : "%s/%s.eml", dir, id);
    to = fopen(path, "wx");
    if (to == NULL)
        return complain(strerror(errno), path);
    fwrite(m->header.ptr, 1, m->header.len, to);
    code = write_body(t, index, m, to);
    if (fclose(to) != 0)
        code = complain(strerror(errno), path);
    if (code != EXIT_SUCCESS)
        unlink(path); /* a part of a message is not to be taken for one */
    return code;
}

static int make_directory(const char *dir, const char *below)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "%s%s", dir, below);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return complain(strerror(errno), path);
    return EXIT_SUCCESS;
}

static int do_export(struct tool *t, int argc, char **argv)
{
    static const char *const maildir[] = { "/cur", "/new", "/tmp" };
    int code = EXIT_SUCCESS;
    struct mail m;

    if (argc != 1)
        return EXIT_USAGE;
    if (make_directory(argv[0], "") != EXIT_SUCCESS)
        return EXIT_FAILURE;
    for (unsigned i = 0; t->maildir && i < 3; i++)
        if (make_directory(argv[0], maildir[i]) != EXIT_SUCCESS)
            return EXIT_FAILURE;
    for (uint64_t i = 0; spool_reader_at(t->reader, i, &m); i++)
        if (export_one(t, i, &m, argv[0]) != EXIT_SUCCESS)
            code = EXIT_FAILURE;
    return code;
}

/* --- the command line ------------------------------------------------------------------------ */

static const struct command {
    const char *name;
    int (*run)(struct tool *t, int argc, char **argv);
} commands[] = {
    { "list", do_list },     { "show", do_show },     { "cat", do_cat },
    { "verify", do_verify }, { "export", do_export },
};

static const struct command *command_of(const char *name)
{
    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* What is wrong with the directory, as recovery says it. */
static void complain_of_directory(const struct spool_reader *reader)
{
    const char *line = spool_reader_notes(reader);

    while (*line != '\0') {
        int len = (int)strcspn(line, "\n");

        fprintf(stderr, "postern-spool: %.*s\n", len, line);
        line += len + 1;
    }
}

static int run(struct tool *t, const char *dir, const struct command *c, char **rest)
{
    char text[512] = "";
    struct buf why = { (uint8_t *)text, 0, sizeof(text) - 1 };
    int code = EXIT_FAILURE;
    int argc = 0;

    while (rest[argc] != NULL)
        argc++;
    t->io = spool_uring_reader_create(dir, &why);
    if (t->io != NULL)
        t->reader = spool_reader_open(t->io, &why);
    if (t->reader != NULL) {
        complain_of_directory(t->reader);
        code = c->run(t, argc, rest);
    } else {
        complain(text, "");
    }
    if (fflush(stdout) != 0 || ferror(stdout))
        code = complain(strerror(errno), "standard output");
    if (t->reader != NULL)
        spool_reader_close(t->reader);
    if (t->io != NULL)
        spool_uring_destroy(t->io);
    if (code == EXIT_USAGE)
        fputs(usage, stderr);
    return code;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        { "directory", required_argument, NULL, 'd' },
        { "full", no_argument, NULL, 'f' },
        { "format", required_argument, NULL, 'F' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    const char *dir = DEFAULT_DIRECTORY;
    const struct command *c = NULL;
    struct tool t = { 0 };
    bool good = true;
    int opt;

    while ((opt = getopt_long(argc, argv, "d:h", longs, NULL)) != -1) {
        if (opt == 'h') {
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        }
        if (opt == 'd')
            dir = optarg;
        else if (opt == 'f')
            t.full = true;
        else if (opt == 'F' && (strcmp(optarg, "eml") == 0 || strcmp(optarg, "maildir") == 0))
            t.maildir = optarg[0] == 'm';
        else
            good = false;
    }
    if (optind < argc)
        c = command_of(argv[optind]);
    if (!good || c == NULL) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return run(&t, dir, c, argv + optind + 1);
}
