/*
 * postern: the command line, signals, and the wait for the end.
 *
 * Exit codes: 0 stopped as asked; 1 could not start; 2 wrong usage or configuration.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/limits.h"
#include "gateway/now.h"
#include "gateway/program.h"

#define DEFAULT_CONFIG "/etc/postern/postern.conf"
#define TICK_MS        100

enum { EXIT_USAGE = 2 };

struct options {
    const char *config;
    bool check;
    bool verbose;
};

static const char usage[] = "usage: postern [-c FILE] [--check [-v]]\n"
                            "  -c, --config FILE  configuration (" DEFAULT_CONFIG ")\n"
                            "  -t, --check        check the configuration and end\n"
                            "  -v, --verbose      with --check: print every key with its value\n"
                            "  -V, --version      print the version and end\n"
                            "  -h, --help         print this and end\n"
                            "See postern(8) and postern.conf(5).\n";

static void parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        { "config", required_argument, NULL, 'c' }, { "check", no_argument, NULL, 't' },
        { "verbose", no_argument, NULL, 'v' },      { "version", no_argument, NULL, 'V' },
        { "help", no_argument, NULL, 'h' },         { 0 },
    };
    int opt;

    while ((opt = getopt_long(argc, argv, "c:tvVh", longs, NULL)) != -1) {
        switch (opt) {
        case 'c': o->config = optarg; break;
        case 't': o->check = true; break;
        case 'v': o->verbose = true; break;
        case 'V': puts("postern " POSTERN_VERSION); exit(EXIT_SUCCESS);
        case 'h': fputs(usage, stdout); exit(EXIT_SUCCESS);
        default: fputs(usage, stderr); exit(EXIT_USAGE);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "postern: unexpected argument '%s'\n%s", argv[optind], usage);
        exit(EXIT_USAGE);
    }
}

static int check(const struct config *config, bool verbose)
{
    static uint8_t room[1 << 20];
    struct buf out = { room, 0, sizeof(room) };

    if (verbose && !config_print(config, &out)) {
        fputs("postern: the configuration is too large to print\n", stderr);
        return EXIT_USAGE;
    }
    fwrite(out.ptr, 1, out.len, stdout);
    fprintf(stderr, "%s: the configuration is good\n", config->path);
    return EXIT_SUCCESS;
}

/* The signals that main waits for; blocked in every thread. */
static sigset_t own_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    return set;
}

/* The next signal, or 0: none within a tick. Who uses the control socket is served meanwhile. */
static int next_signal(struct program *p, int signals)
{
    struct signalfd_siginfo info;

    program_wait(p, signals, TICK_MS);
    return read(signals, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

static void reload(struct program *p)
{
    char text[CONFIG_ERRORS_MAX];
    struct buf why = { (uint8_t *)text, 0, sizeof(text) };

    program_reload(p, &why); /* it logs what is wrong */
}

static void serve(struct program *p, int signals)
{
    int sig = 0;

    while (sig != SIGTERM && sig != SIGINT && !program_wants_drain(p)) {
        sig = next_signal(p, signals);
        if (sig == SIGHUP)
            reload(p);
        if (sig == SIGUSR1)
            program_log_counters(p);
        program_tick(p);
    }
}

static uint64_t now_ns(void)
{
    struct clock clock;

    now_read(&clock);
    return clock.now_ns;
}

/* True: no session is left, or a second signal says: now. False: patience has ended. */
static bool drain_for(struct program *p, enum worker_drain how, uint32_t seconds, int signals)
{
    uint64_t end_ns = now_ns() + seconds * NS_PER_S;

    while (now_ns() < end_ns) {
        int sig;

        if (program_drain(p, how))
            return true;
        sig = next_signal(p, signals);
        if (sig == SIGTERM || sig == SIGINT)
            return true;
    }
    return false;
}

static void drain(struct program *p, const struct config *config, int signals)
{
    if (!drain_for(p, WORKER_DRAINS, config->limits.drain_timeout_s, signals))
        drain_for(p, WORKER_EXPIRES, LIMIT_LINGER_S, signals);
}

static int run(const struct config *config)
{
    char text[1024] = "";
    struct buf why = { (uint8_t *)text, 0, sizeof(text) - 1 };
    sigset_t set = own_signals();
    struct program *p;
    int signals;

    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    p = signals >= 0 ? program_start(config, &why) : NULL;
    if (p == NULL) {
        fprintf(stderr, "postern: %s\n", signals >= 0 ? text : strerror(errno));
        return EXIT_FAILURE;
    }
    serve(p, signals);
    drain(p, config, signals);
    program_stop(p);
    close(signals);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct options o = { .config = DEFAULT_CONFIG };
    char text[CONFIG_ERRORS_MAX];
    struct buf errors = { (uint8_t *)text, 0, sizeof(text) };
    struct config *config;
    int code;

    parse_options(argc, argv, &o);
    config = config_load(o.config, &errors);
    if (config == NULL) {
        fwrite(text, 1, errors.len, stderr);
        return EXIT_USAGE;
    }
    code = o.check ? check(config, o.verbose) : run(config);
    config_free(config);
    return code;
}
