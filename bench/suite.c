/*
 * See suite.h. Happy path: what is wanted is made ready, runs in turns, and is printed. Failure:
 * the sentence of what could not be made ready or did not run, and exit code 1.
 */
#include <getopt.h>
#include <stdlib.h>

#include "bench/options.h"
#include "bench/suite.h"

struct suite_options {
    const char *directory;
    const char *output;
    const char *only;
    unsigned rounds;
    int core;
};

static void print_usage(const struct suite *suite)
{
    fprintf(stderr,
            "usage: postern-bench %s [-c CORE] [-d DIR] [-r ROUNDS] [-o FILE] [NAME]\n"
            "  -c CORE    bind to this core\n"
            "  -d DIR     where to try the disk (.)\n"
            "  -r ROUNDS  batches of each operation, 9 to 1000 (31)\n"
            "  -o FILE    results as lines with tabs\n"
            "  NAME       only operations whose name begins so:",
            suite->name);
    for (const struct suite_group *g = suite->groups; g->names != NULL; g++)
        fprintf(stderr, " %s", g->names);
    fputc('\n', stderr);
}

static bool parse(int argc, char **argv, struct suite_options *o)
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
    o->only = optind < argc ? argv[optind] : NULL;
    return argc - optind <= 1;
}

static bool open_groups(const struct suite *suite, struct timing *t, const char *directory)
{
    char text[256];
    struct buf why = { (uint8_t *)text, 0, sizeof(text) };

    for (const struct suite_group *g = suite->groups; g->names != NULL; g++)
        if (timing_wants_group(t, g->names) && !g->open(t, directory, &why)) {
            fprintf(stderr, "postern-bench: %s: %.*s\n", g->names, (int)why.len, text);
            return false;
        }
    return true;
}

static int run(const struct suite *suite, struct timing *t, const struct suite_options *o,
               FILE *tsv)
{
    const char *failed = NULL;
    int code = EXIT_FAILURE;

    if (!open_groups(suite, t, o->directory)) {
        code = EXIT_FAILURE;
    } else if (t->count == 0) {
        fprintf(stderr, "postern-bench: no operation is called '%s'\n", o->only);
        code = OPTIONS_EXIT_USAGE;
    } else if (!timing_run(t, o->rounds, &failed)) {
        fprintf(stderr, "postern-bench: %s failed\n", failed);
    } else {
        timing_print(t, stdout, tsv);
        code = EXIT_SUCCESS;
    }
    for (const struct suite_group *g = suite->groups; g->names != NULL; g++)
        g->close();
    return code;
}

int suite_main(const struct suite *suite, int argc, char **argv)
{
    static struct timing timing;
    struct suite_options o = { .directory = ".", .rounds = 31, .core = -1 };
    FILE *tsv = NULL;
    int code;

    if (!parse(argc, argv, &o)) {
        print_usage(suite);
        return OPTIONS_EXIT_USAGE;
    }
    if (!options_pin(o.core) || !options_open_output(o.output, &tsv))
        return EXIT_FAILURE;
    timing.only = o.only;
    timing_init(&timing);
    code = run(suite, &timing, &o, tsv);
    return options_close_output(o.output, tsv) ? code : EXIT_FAILURE;
}
