/* The suites of this folder, one a state, and one a concern beyond the grid. */
#ifndef POSTERN_TESTS_PACKET_CASES_H
#define POSTERN_TESTS_PACKET_CASES_H

#include "tcp_dsl.h"

extern const struct tcp_dsl_suite cases_closed;
extern const struct tcp_dsl_suite cases_listen;
extern const struct tcp_dsl_suite cases_syn_sent;
extern const struct tcp_dsl_suite cases_syn_rcvd;
extern const struct tcp_dsl_suite cases_syn_rcvd_active;
extern const struct tcp_dsl_suite cases_established;
extern const struct tcp_dsl_suite cases_close_wait;
extern const struct tcp_dsl_suite cases_fin_wait_1;
extern const struct tcp_dsl_suite cases_fin_wait_2;
extern const struct tcp_dsl_suite cases_closing;
extern const struct tcp_dsl_suite cases_last_ack;
extern const struct tcp_dsl_suite cases_time_wait;
extern const struct tcp_dsl_suite cases_options;
extern const struct tcp_dsl_suite cases_window;
extern const struct tcp_dsl_suite cases_retransmit;
extern const struct tcp_dsl_suite cases_sack;
extern const struct tcp_dsl_suite cases_acks;
extern const struct tcp_dsl_suite cases_memory;
extern const struct tcp_dsl_suite cases_cookies;
extern const struct tcp_dsl_suite cases_attacks;
extern const struct tcp_dsl_suite cases_icmp;
extern const struct tcp_dsl_suite cases_pace;
extern const struct tcp_dsl_suite cases_ecn;
extern const struct tcp_dsl_suite cases_black_hole;

#endif
