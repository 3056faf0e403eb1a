/* ICMP errors about our segments: which are believed, and what "too big" changes. */
#include "cases.h"

#include "tcp_dsl.h"

#define FULL2 "in ESTABLISHED; write 2920; > A seq=1 len=1460; > PA seq=1461 len=1460; "

static const struct tcp_dsl_case cases[] = {
    { "icmp", "too_big", "RFC 1191, 6.5",
      FULL2 "icmp 1 1400; > A seq=1 len=1360; > A seq=1361 len=1360; > PA seq=2721 len=200; > -; "
            "count tcp_path_mtu_lowered 1; count tcp_timeouts 0; < A seq=1 ack=2921; ready WD; "
            "write 2920; > A seq=2921 len=1360; > A len=1360; > PA len=200" },
    { "icmp", "too_big_for_the_second", "RFC 5927, 4.1",
      FULL2 "icmp 1461 1400; > A seq=1 len=1360; > A seq=1361 len=1360" },
    { "icmp", "too_big_twice", "RFC 1191, 6.5",
      FULL2 "icmp 1 1400; > A seq=1 len=1360; > A len=1360; > PA len=200; icmp 1 1300; "
            "> A seq=1 len=1260; > A seq=1261 len=1260; > PA seq=2521 len=400; "
            "count tcp_path_mtu_lowered 2" },
    { "icmp", "too_big_again_for_the_same", "RFC 8201, 5.2",
      FULL2 "icmp 1 1400; > A seq=1 len=1360; > A len=1360; > PA len=200; icmp 1461 1400; > -; "
            "count tcp_path_mtu_lowered 1" },
    { "icmp", "never_larger", "RFC 8201, 4",
      FULL2 "icmp 1 1501; > -; icmp 1 1500; > -; icmp 1 65535; > -; "
            "count tcp_path_mtu_lowered 0" },
    { "icmp", "never_below_what_paths_have", "limits",
      FULL2 "icmp 1 68; > A seq=1 len=536; > A len=536; > A len=536; > A len=536; > A len=536; "
            "> PA len=240; icmp 1 1; > -; count tcp_path_mtu_lowered 1"
            "; # linux: differs: its least path MTU is 552" },
    { "icmp", "less_timestamps", "RFC 6691",
      "< S seq=0 mss=1460 ts=1; > SA; < A seq=1 ack=1 ts=1; accept; write 1448; > PA len=1448; "
      "icmp 1 1400; > A seq=1 len=1348; > PA len=100" },
    { "icmp", "before_the_window", "RFC 5927, 4.1",
      FULL2 "< A seq=1 ack=1461; icmp 1460 1400; > -; icmp 0 1400; > -; "
            "count tcp_out_of_window_icmps 2; count tcp_path_mtu_lowered 0; "
            "icmp 1461 1400; > A seq=1461 len=1360; > PA len=100" },
    { "icmp", "behind_the_window", "RFC 5927, 4.1",
      FULL2 "icmp 2921 1400; > -; icmp 100000 1400; > -; count tcp_out_of_window_icmps 2"
            "; # linux: differs: the number behind the last byte is in flight to it" },
    { "icmp", "nothing_in_flight", "RFC 5927, 4.1",
      "in ESTABLISHED; icmp 1 1400; > -; icmp 0 1400; count tcp_out_of_window_icmps 2; "
      "write 1460; > PA len=1460"
      "; # linux: differs: its routes keep the MTU, whoever was told" },
    { "icmp", "no_congestion", "RFC 8201, 5.4",
      "in ESTABLISHED; write 14600; > A len=1460; > A len=1460; > A len=1460; > A len=1460; "
      "> A len=1460; > A len=1460; > A len=1460; > A len=1460; > A len=1460; > PA len=1460; "
      "icmp 1 1400; > A seq=1 len=1360; > A len=1360; > A len=1360; > A len=1360; > A len=1360; "
      "> A len=1360; > A len=1360; > A len=1360; > A len=1360; > A len=1360; > PA len=1000; > -"
      "; # linux: differs: it sends the rest of each old segment by itself" },
    { "icmp", "copies_that_arrived_after_all", "RFC 6582, 3.2",
      FULL2 "icmp 1461 1400; > A seq=1 len=1360; > A len=1360; > PA len=200; "
            "< A seq=1 ack=1461; < A seq=1 ack=1461; < A seq=1 ack=1461; < A seq=1 ack=2921; > -; "
            "ready WD; count tcp_fast_retrans 0" },
    { "icmp", "with_a_fin", "RFC 1191, 6.5",
      "in ESTABLISHED; write 1460; shutdown; > FPA len=1460; icmp 1 1400; > A seq=1 len=1360; "
      "> FPA seq=1361 len=100; < A seq=1 ack=1462; state FIN_WAIT_2"
      "; # linux: differs: a full segment leaves before the FIN is there" },
    { "icmp", "unreachable_is_soft", "RFC 5461, 3", FULL2 "icmp 1 0; > -; state ESTABLISHED" },
    { "icmp", "unreachable_while_opening", "RFC 5461, 3",
      "connect; > S; icmp 0 0; state SYN_SENT; icmp 0 1400; > -; < SA seq=0 ack=1 mss=1460; > A; "
      "write 1460; > PA len=1460"
      "; # linux: differs: a host that is unreachable ends an open" },
    { "icmp", "half_open", "RFC 5927, 4.1", "< S seq=0; > SA; icmp 0 1400; > -; state SYN_RCVD" },
    { "icmp", "no_connection", "RFC 5927, 4.1", "icmp 0 1400; > -" },
    { "icmp", "time_wait", "RFC 5927, 4.1", "in TIME_WAIT; icmp 1 1400; > -; state TIME_WAIT" },
};

const struct tcp_dsl_suite cases_icmp = { cases, sizeof(cases) / sizeof(cases[0]) };
