/*
 * postern-bench limit: the command line.
 *
 * Happy path: everything is made ready, runs in turns, and is printed. Failure: the sentence of
 * what could not be made ready or did not run, and exit code 1.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "bench/options.h"
#include "bench/limit.h"

static const char usage[] =
    "usage: postern-bench limit [-c CORE] [-d DIR] [-r ROUNDS] [-o FILE] [NAME]\n"
    "  -c CORE    bind to this core\n"
    "  -d DIR     where to try the disk (.)\n"
    "  -r ROUNDS  batches of each operation, 9 to 1000 (31)\n"
    "  -o FILE    results as lines with tabs\n"
    "  NAME       only operations whose name begins so: handshake, aead, memcpy, disk, ring\n";

struct limit_options {
    const char *directory;
    const char *output;
    unsigned rounds;
    int core;
};

static bool parse(int argc, char **argv, struct limit_options *o)
{
    uint64_t n;
    int opt;

    while ((opt = getopt(argc, argv, "c:d:r:o:h")) != -1) {
        switch (opt) {
        case 'c':
            if (!options_number(optarg, 0, 1023, &n))
                return false;
            o->core = (int)n;
            break;
        case 'd': o->directory = optarg; break;
        case 'r':
            if (!options_number(optarg, TIMING_ROUNDS_MIN, SAMPLE_MAX, &n))
                return false;
            o->rounds = (unsigned)n;
            break;
        case 'o': o->output = optarg; break;
        default: return false;
        }
    }
    return argc - optind <= 1;
}

static bool open_all(struct timing *t, const char *directory, struct buf *why)
{
    return (!timing_wants_group(t, "handshake") || limit_tls_open(t, why)) &&
           limit_aead_open(t, why) &&
           (!timing_wants_group(t, "disk") || limit_disk_open(t, directory, why)) &&
           (!timing_wants_group(t, "ring") || limit_ring_open(t, why));
}

static int run(struct timing *t, const struct limit_options *o, FILE *tsv)
{
    char text[256];
    struct buf why = { (uint8_t *)text, 0, sizeof(text) };
    const char *failed = NULL;
    int code = EXIT_SUCCESS;

    if (!open_all(t, o->directory, &why)) {
        fprintf(stderr, "postern-bench: %.*s\n", (int)why.len, text);
        code = EXIT_FAILURE;
    } else if (t->count == 0) {
        fprintf(stderr, "postern-bench: no operation is called '%s'\n", t->only);
        code = OPTIONS_EXIT_USAGE;
    } else if (!timing_run(t, o->rounds, &failed)) {
        fprintf(stderr, "postern-bench: %s failed\n", failed);
        code = EXIT_FAILURE;
    } else {
        timing_print(t, stdout, tsv);
    }
    limit_ring_close();
    limit_disk_close();
    limit_aead_close();
    limit_tls_close();
    return code;
}

int limit_main(int argc, char **argv)
{
    static struct timing timing;
    struct limit_options o = { .directory = ".", .rounds = 31, .core = -1 };
    FILE *tsv = NULL;
    int code;

    if (!parse(argc, argv, &o)) {
        fputs(usage, stderr);
        return OPTIONS_EXIT_USAGE;
    }
    if (!options_pin(o.core) || !options_open_output(o.output, &tsv))
        return EXIT_FAILURE;
    timing.only = optind < argc ? argv[optind] : NULL;
    timing_init(&timing);
    code = run(&timing, &o, tsv);
    return options_close_output(o.output, tsv) ? code : EXIT_FAILURE;
}
