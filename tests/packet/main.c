/*
 * Runs the packet cases, or prints the grid of state x event with its holes:
 *
 *     packet            all suites        packet SUITE [EVENT]   one suite, or one case of it
 *     packet --grid     the grid
 *     packet --holes    its holes, and an exit code of 1 if there is one
 *     packet --linux MS [SUITE]   the cases that wait for at most MS against the kernel's stack
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "tcp_kernel_grid.h"

static const struct {
    const char *name;
    const struct tcp_dsl_suite *suite;
} suites[] = {
    { "closed", &cases_closed },
    { "listen", &cases_listen },
    { "syn_sent", &cases_syn_sent },
    { "syn_rcvd", &cases_syn_rcvd },
    { "syn_rcvd_active", &cases_syn_rcvd_active },
    { "established", &cases_established },
    { "close_wait", &cases_close_wait },
    { "fin_wait_1", &cases_fin_wait_1 },
    { "fin_wait_2", &cases_fin_wait_2 },
    { "closing", &cases_closing },
    { "last_ack", &cases_last_ack },
    { "time_wait", &cases_time_wait },
    { "options", &cases_options },
    { "window", &cases_window },
    { "retransmit", &cases_retransmit },
    { "sack", &cases_sack },
    { "acks", &cases_acks },
    { "memory", &cases_memory },
    { "cookies", &cases_cookies },
    { "attacks", &cases_attacks },
    { "icmp", &cases_icmp },
    { "pace", &cases_pace },
    { "ecn", &cases_ecn },
    { "black_hole", &cases_black_hole },
};

#define SUITES (sizeof(suites) / sizeof(suites[0]))
#define STATES ((size_t)12) /* the first ones are by state, the others by concern */

/* What the grid asks of each state; the rows of the suites have more. */
static const char *const events[] = {
    "syn",       "synack",          "ack_old",     "ack_now",     "ack_future",
    "data_next", "data_gap",        "data_old",    "data_beyond", "fin",
    "fin_gap",   "noack",           "rst_exact",   "rst_window",  "rst_outside",
    "rst_ack",   "keepalive",       "ack_far_old", "syn_data",    "urgent",
    "ece",       "data_partly_old", "timeout",     "write",       "shutdown",
    "close",     "abort",
};

#define EVENTS (sizeof(events) / sizeof(events[0]))

static int run_suite(const struct tcp_dsl_suite *suite, const char *event, unsigned *run)
{
    int failed = 0;

    for (size_t i = 0; i < suite->count; i++) {
        if (event != NULL && strcmp(event, suite->cases[i].event) != 0)
            continue;
        failed += tcp_dsl_run(&suite->cases[i]);
        (*run)++;
    }
    return failed;
}

static bool has_case(const struct tcp_dsl_suite *suite, const char *event)
{
    for (size_t i = 0; i < suite->count; i++) {
        if (strcmp(suite->cases[i].event, event) == 0)
            return true;
    }
    return false;
}

/* Before tcp_accept nobody has a stream to call. */
static bool cannot_be(const char *suite, const char *event)
{
    static const char *const calls[] = { "write", "shutdown", "close", "abort" };

    if (strcmp(suite, "listen") != 0 && strcmp(suite, "syn_rcvd") != 0)
        return false;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (strcmp(calls[i], event) == 0)
            return true;
    }
    return false;
}

static bool is_hole(size_t state, const char *event)
{
    return !has_case(suites[state].suite, event) && !cannot_be(suites[state].name, event);
}

static int print_holes(void)
{
    unsigned holes = 0;

    for (size_t s = 0; s < STATES; s++) {
        for (size_t e = 0; e < EVENTS; e++) {
            if (!is_hole(s, events[e]))
                continue;
            printf("%s x %s has no case\n", suites[s].name, events[e]);
            holes++;
        }
    }
    printf("%u holes in %zu states x %zu events\n", holes, STATES, EVENTS);
    return holes == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const char *cell(size_t state, const char *event)
{
    if (cannot_be(suites[state].name, event))
        return "-";
    return is_hole(state, event) ? "." : "x";
}

static int print_grid(void)
{
    unsigned total = 0;

    printf("%-16s", "");
    for (size_t s = 0; s < SUITES; s++) {
        if (s < STATES)
            printf(" %.7s", suites[s].name);
        total += (unsigned)suites[s].suite->count;
    }
    printf("\n");
    for (size_t e = 0; e < EVENTS; e++) {
        printf("%-16s", events[e]);
        for (size_t s = 0; s < STATES; s++) {
            int width = (int)strlen(suites[s].name);

            printf(" %*s", width < 7 ? width : 7, cell(s, events[e]));
        }
        printf("\n");
    }
    printf("%u cases; a point is a hole, a dash cannot be\n", total);
    return EXIT_SUCCESS;
}

#define CASES_MAX 4096
#define SKIPPED   77

static int run_linux(unsigned long patience_ms, const char *suite)
{
    static const struct tcp_dsl_case *cases[CASES_MAX];
    unsigned count = 0;

    if (geteuid() != 0) {
        printf("needs root: a network namespace and a TUN device\n");
        return SKIPPED;
    }
    for (size_t s = 0; s < SUITES; s++) {
        if (suite != NULL && strcmp(suite, suites[s].name) != 0)
            continue;
        for (size_t i = 0; i < suites[s].suite->count && count < CASES_MAX; i++)
            cases[count++] = &suites[s].suite->cases[i];
    }
    return tcp_kernel_grid(cases, count, patience_ms, suite != NULL) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    unsigned run = 0;
    int failed = 0;

    if (argc == 2 && strcmp(argv[1], "--grid") == 0)
        return print_grid();
    if (argc == 2 && strcmp(argv[1], "--holes") == 0)
        return print_holes();
    if (argc > 2 && strcmp(argv[1], "--linux") == 0)
        return run_linux(strtoul(argv[2], NULL, 10), argc > 3 ? argv[3] : NULL);
    for (size_t s = 0; s < SUITES; s++) {
        if (argc == 1 || strcmp(argv[1], suites[s].name) == 0)
            failed += run_suite(suites[s].suite, argc > 2 ? argv[2] : NULL, &run);
    }
    printf("%u cases, %d failed\n", run, failed);
    return failed == 0 && run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
