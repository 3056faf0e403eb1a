/*
 * Runs the packet cases, or prints the grid of state x event with its holes:
 *
 *     packet            all suites        packet SUITE [EVENT]   one suite, or one case of it
 *     packet --grid     the grid
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"

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
};

#define SUITES (sizeof(suites) / sizeof(suites[0]))
#define STATES (SUITES - 7) /* the last ones are by concern, not by state */

/* What the grid asks of each state; the rows of the suites have more. */
static const char *const events[] = {
    "syn",         "synack",      "ack_old", "ack_now",  "ack_future", "data_next", "data_gap",
    "data_old",    "data_beyond", "fin",     "fin_gap",  "noack",      "rst_exact", "rst_window",
    "rst_outside", "timeout",     "write",   "shutdown", "close",      "abort",
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

static const char *cell(const struct tcp_dsl_suite *suite, const char *event)
{
    for (size_t i = 0; i < suite->count; i++) {
        if (strcmp(suite->cases[i].event, event) == 0)
            return "x";
    }
    return ".";
}

static int print_grid(void)
{
    unsigned total = 0;

    printf("%-12s", "");
    for (size_t s = 0; s < SUITES; s++) {
        if (s < STATES)
            printf(" %.7s", suites[s].name);
        total += (unsigned)suites[s].suite->count;
    }
    printf("\n");
    for (size_t e = 0; e < EVENTS; e++) {
        printf("%-12s", events[e]);
        for (size_t s = 0; s < STATES; s++) {
            int width = (int)strlen(suites[s].name);

            printf(" %*s", width < 7 ? width : 7, cell(suites[s].suite, events[e]));
        }
        printf("\n");
    }
    printf("%u cases; a point is a hole\n", total);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned run = 0;
    int failed = 0;

    if (argc == 2 && strcmp(argv[1], "--grid") == 0)
        return print_grid();
    for (size_t s = 0; s < SUITES; s++) {
        if (argc == 1 || strcmp(argv[1], suites[s].name) == 0)
            failed += run_suite(suites[s].suite, argc > 2 ? argv[2] : NULL, &run);
    }
    printf("%u cases, %d failed\n", run, failed);
    return failed == 0 && run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
