/*
 * postern-bench: the subcommands. Some are programs of their own beside this one.
 *
 * Exit codes: 0 done; 1 failed, or errors were counted; 2 wrong usage.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/connections.h"
#include "bench/limit.h"
#include "bench/flood.h"
#include "bench/link.h"
#include "bench/load.h"
#include "bench/micro.h"
#include "bench/options.h"

static const char usage[] =
    "usage: postern-bench COMMAND [OPTION...]\n"
    "  limit   what the machine can do: handshakes, AEAD, disk, rings\n"
    "  load    SMTP submission by many clients at once, against any server\n"
    "  connections  a thousand, and a million, established ones: memory, and cycles of a segment\n"
    "  flood   SYNs from addresses that are not the sender's\n"
    "  link    a long or bad link between two TAP devices\n"
    "  goodput what our TCP and Linux's receive over such a link\n"
    "  peers   Postern beside Postfix, Exim and Haraka, in turns\n"
    "  campaign  all that the targets speak of, in one run\n"
    "  sweep   one server over concurrency, load and idle connections\n"
    "  report  a page of the results in a folder\n"
    "See postern-bench(1); COMMAND -h tells the options.\n";

/* A suite, a function, or neither: a program of its own, postern-bench-NAME. */
static const struct command {
    const char *name;
    const struct suite *suite;
    int (*run)(int argc, char **argv);
} commands[] = {
    { "limit", &limit_suite, NULL }, { "load", NULL, load_main },
    { "micro", &micro_suite, NULL }, { "connections", NULL, connections_main },
    { "campaign", NULL, NULL },      { "flood", NULL, flood_main },
    { "goodput", NULL, NULL },       { "link", NULL, link_main },
    { "peers", NULL, NULL },         { "sweep", NULL, NULL },
    { "report", NULL, NULL },
};

/* The program postern-bench-WORD beside this one. Comes back only when it cannot be run. */
static int run_program(char **argv)
{
    char self[PATH_MAX], path[PATH_MAX + 64];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    self[len > 0 ? len : 0] = 0;
    snprintf(path, sizeof(path), "%s-%s", self, argv[1]);
    argv[1] = path;
    execv(path, argv + 1);
    fprintf(stderr, "postern-bench: %s: %s\n", path, strerror(errno));
    return EXIT_FAILURE;
}

static int run_command(const struct command *c, int argc, char **argv)
{
    if (c->suite != NULL)
        return suite_main(c->suite, argc - 1, argv + 1);
    return c->run != NULL ? c->run(argc - 1, argv + 1) : run_program(argv);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    for (unsigned i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return run_command(&commands[i], argc, argv);
    fputs(usage, stderr);
    return OPTIONS_EXIT_USAGE;
}
