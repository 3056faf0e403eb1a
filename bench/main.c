/*
 * postern-bench: the subcommands. What is no word of the table is a program of its own beside this
 * one, postern-bench-WORD.
 *
 * Exit codes: 0 done; 1 failed, or errors were counted; 2 wrong usage.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/limit.h"
#include "bench/load.h"
#include "bench/options.h"

static const char usage[] =
    "usage: postern-bench COMMAND [OPTION...]\n"
    "  limit   what the machine can do: handshakes, AEAD, disk, rings\n"
    "  load    SMTP submission by many clients at once, against any server\n"
    "See postern-bench(1); COMMAND -h tells the options.\n";

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    { "limit", limit_main },
    { "load", load_main },
};

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    for (unsigned i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fputs(usage, stderr);
    return OPTIONS_EXIT_USAGE;
}
