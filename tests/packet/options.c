/* Timestamps, PAWS, window scale, MSS, SACK. */
#include "cases.h"

#include "tcp_dsl.h"

static const struct tcp_dsl_case cases[] = {
    { "options", "mss_default", "RFC 9293, 3.7.1",
      "< S seq=0; > SA; < A seq=1 ack=1; accept; write 600; > A len=536; > PA len=64" },
    { "options", "mss_small", "RFC 9293, 3.7.1",
      "< S seq=0 mss=300; > SA; < A seq=1 ack=1; accept; write 600; > A len=300; "
      "> PA len=300" },
    { "options", "mss_tiny", "limits",
      "< S seq=0 mss=1; > SA; < A seq=1 ack=1; accept; write 100; > A len=64; "
      "> PA len=36"
      "; # linux: differs: its least segment is 48 bytes, ours LIMIT_TCP_MSS_MIN" },
    { "options", "mss_zero", "limits",
      "< S seq=0 mss=0; > SA; < A seq=1 ack=1; accept; write 100; > A len=64; "
      "> PA len=36"
      "; # linux: differs: an MSS of 0 is none to it" },
    { "options", "mss_large", "RFC 9293, 3.7.1",
      "set mtu 600; < S seq=0 mss=9000; > SA mss=560; < A seq=1 ack=1; accept; "
      "write 600; > A len=560; > PA len=40" },
    { "options", "mss_less_timestamps", "RFC 6691",
      "< S seq=0 mss=1460 ts=1; > SA; < A seq=1 ack=1 ts=1; accept; write 1500; "
      "> A len=1448; > PA len=52" },
    { "options", "unknown", "RFC 9293, MUST-6",
      "< S seq=0 mss=1460 ws=14 sackok=1 ts=1; > SA seq=0 ack=1 ws=0" },
    { "options", "ts_echoed", "RFC 7323, 4.3",
      "< S seq=0 wnd=60000 mss=1460 ts=100 sackok=1 ws=2; "
      "> SA seq=0 ack=1 sackok=1 ecr=100; < A seq=1 ack=1 wnd=15000 ts=101; accept; "
      "< PA seq=1 ack=1 wnd=15000 len=10 ts=150; > A ack=11 ecr=150" },
    { "options", "ts_of_gap_not_echoed", "RFC 7323, 4.3, (2)",
      "< S seq=0 wnd=60000 mss=1460 ts=100 sackok=1 ws=2; "
      "> SA seq=0 ack=1 sackok=1 ecr=100; < A seq=1 ack=1 wnd=15000 ts=101; accept; "
      "< PA seq=11 ack=1 wnd=15000 len=10 ts=160; > A ack=1 ecr=101; "
      "< PA seq=1 ack=1 wnd=15000 len=10 ts=155; > A ack=21 ecr=155" },
    { "options", "paws", "RFC 7323, 5.3, R1",
      "< S seq=0 wnd=60000 mss=1460 ts=100 sackok=1 ws=2; "
      "> SA seq=0 ack=1 sackok=1 ecr=100; < A seq=1 ack=1 wnd=15000 ts=101; accept; "
      "< PA seq=1 ack=1 wnd=15000 len=10 ts=50; > A ack=1 ecr=101; noread; "
      "count tcp_paws_drops 1" },
    { "options", "paws_wraps", "RFC 7323, 5.3, R1",
      "< S seq=0 mss=1460 ts=0xfffffff0; > SA; < A seq=1 ack=1 ts=0xfffffff1; accept; "
      "< PA seq=1 ack=1 len=10 ts=5; > A ack=11 ecr=5; "
      "< PA seq=11 ack=1 len=10 ts=0xfffffff5; > A ack=11" },
    { "options", "paws_after_24_days", "RFC 7323, 5.5",
      "< S seq=0 wnd=60000 mss=1460 ts=100 sackok=1 ws=2; "
      "> SA seq=0 ack=1 sackok=1 ecr=100; < A seq=1 ack=1 wnd=15000 ts=101; accept; "
      "wait 2073601s; < PA seq=1 ack=1 wnd=15000 len=10 ts=50; > A ack=11 ecr=50" },
    { "options", "paws_not_for_rst", "RFC 7323, 5.2",
      "< S seq=0 wnd=60000 mss=1460 ts=100 sackok=1 ws=2; "
      "> SA seq=0 ack=1 sackok=1 ecr=100; < A seq=1 ack=1 wnd=15000 ts=101; accept; "
      "< R seq=1 ts=5; ready F" },
    { "options", "ts_missing", "RFC 7323, 3.2",
      "< S seq=0 wnd=60000 mss=1460 ts=100 sackok=1 ws=2; "
      "> SA seq=0 ack=1 sackok=1 ecr=100; < A seq=1 ack=1 wnd=15000 ts=101; accept; "
      "< PA seq=1 ack=1 wnd=15000 len=10; > -; noread; count tcp_paws_drops 1"
      "; # linux: differs: it takes a segment without timestamps" },
    { "options", "ts_missing_in_rst", "RFC 7323, 3.2",
      "< S seq=0 wnd=60000 mss=1460 ts=100 sackok=1 ws=2; "
      "> SA seq=0 ack=1 sackok=1 ecr=100; < A seq=1 ack=1 wnd=15000 ts=101; accept; "
      "< R seq=1; ready F" },
    { "options", "ts_not_agreed", "RFC 7323, 3.2",
      "in ESTABLISHED; < PA seq=1 ack=1 len=10 ts=9:9; > A ack=11 no=ts; read 10" },
    { "options", "wscale_of_peer", "RFC 7323, 2.2",
      "< S seq=0 mss=1000 ws=3 wnd=100; > SA ws=0; < A seq=1 ack=1 wnd=100; accept; "
      "write 1000; > A len=800; > -"
      "; # linux: differs: it sends at most half of the largest window" },
    { "options", "wscale_not_in_syn", "RFC 7323, 2.2",
      "connect; > S ws=0; < SA seq=0 ack=1 mss=1000 ws=3 wnd=500; > A; write 1000; "
      "> A len=500; > -" },
    { "options", "wscale_of_ours", "RFC 7323, 2.2",
      "set rcv 1048576; < S seq=0 mss=1460 ws=0; > SA ws=5 wnd=65535; < A seq=1 ack=1; "
      "accept; < PA seq=1 ack=1 len=1460; read 1460; > A ack=1461 wnd=4096" },
    { "options", "wscale_refused", "RFC 7323, 2.2",
      "set rcv 1048576; < S seq=0 mss=1460; > SA no=ws wnd=65535; < A seq=1 ack=1; "
      "accept; < PA seq=1 ack=1 len=1460; read 1460; > A ack=1461 wnd=65535" },
    { "options", "sack_blocks", "RFC 2018, 4",
      "< S seq=0 mss=1460 sackok=1; > SA sackok=1; < A seq=1 ack=1; accept; "
      "< A seq=101 ack=1 len=10; > A ack=1 sack=101-111; < A seq=201 ack=1 len=10; "
      "> A ack=1 sack=201-211 sack=101-111; < A seq=111 ack=1 len=10; "
      "> A ack=1 sack=101-121 sack=201-211; < A seq=1 ack=1 len=100; "
      "> A ack=121 sack=201-211; < A seq=121 ack=1 len=80; > A ack=211 no=sack; "
      "read 210" },
    { "options", "sack_three_with_ts", "RFC 2018, 3",
      "< S seq=0 wnd=60000 mss=1460 ts=100 sackok=1 ws=2; "
      "> SA seq=0 ack=1 sackok=1 ecr=100; < A seq=1 ack=1 wnd=15000 ts=101; accept; "
      "< A seq=101 ack=1 wnd=15000 len=1 ts=101; > A; "
      "< A seq=103 ack=1 wnd=15000 len=1 ts=101; > A; "
      "< A seq=105 ack=1 wnd=15000 len=1 ts=101; > A; "
      "< A seq=107 ack=1 wnd=15000 len=1 ts=101; "
      "> A ack=1 sack=107-108 sack=105-106 sack=103-104" },
    { "options", "sack_not_agreed", "RFC 2018, 2",
      "in ESTABLISHED; < A seq=101 ack=1 len=10; > A ack=1 no=sack" },
    { "options", "sack_of_duplicate", "RFC 2018, 4",
      "< S seq=0 mss=1460 sackok=1; > SA; < A seq=1 ack=1; accept; "
      "< A seq=101 ack=1 len=10; > A; < A seq=201 ack=1 len=10; "
      "> A sack=201-211 sack=101-111; < A seq=101 ack=1 len=10; "
      "> A sack=101-111 sack=101-111 sack=201-211" },
    { "options", "dsack_below_ack", "RFC 2883, 4.1.1",
      "in SACK; < A seq=1 ack=1 len=100; > A ack=101; < A seq=1 ack=1 len=100; "
      "> A ack=101 sack=1-101; < A seq=101 ack=1 len=10; > A ack=111 no=sack" },
    { "options", "dsack_of_gap", "RFC 2883, 4.1.2",
      "in SACK; < A seq=101 ack=1 len=100; > A sack=101-201; < A seq=101 ack=1 len=100; "
      "> A ack=1 sack=101-201 sack=101-201" },
    { "options", "dsack_of_a_part", "RFC 2883, 4.2.1",
      "in SACK; < A seq=1 ack=1 len=100; > A ack=101; < A seq=51 ack=1 len=100; "
      "> A ack=151 sack=51-101; read 150" },
    { "options", "dsack_inside_of_a_larger", "RFC 2883, 4.2.2",
      "in SACK; < A seq=101 ack=1 len=300; > A sack=101-401; < A seq=201 ack=1 len=50; "
      "> A ack=1 sack=201-251 sack=101-401" },
    { "options", "dsack_of_the_first_run", "RFC 2883, 4.2.3",
      "in SACK; < A seq=101 ack=1 len=100; > A; < A seq=301 ack=1 len=100; > A; "
      "< A seq=51 ack=1 len=400; > A ack=1 sack=101-201 sack=51-451" },
    { "options", "dsack_not_agreed", "RFC 2018, 2",
      "in ESTABLISHED; < A seq=1 ack=1 len=10; > A ack=11; < A seq=1 ack=1 len=10; "
      "> A ack=11 no=sack" },
    { "options", "dsack_not_for_a_keepalive", "RFC 2883, 4",
      "in SACK; < A seq=0 ack=1; > A ack=1 no=sack" },
    { "options", "sack_beside_bytes", "RFC 2018, 4",
      "in SACK; < A seq=101 ack=1 len=100; > A; write 20; > PA seq=1 len=20 ack=1 sack=101-201" },
    { "options", "sack_not_beside_a_full_segment", "RFC 6691",
      "in SACK; < A seq=101 ack=1 len=100; > A; write 1460; > PA len=1460 no=sack; "
      "< A seq=1 ack=1461; write 1449; > PA len=1449 no=sack; < A seq=1 ack=2910; "
      "write 1448; > PA len=1448 sack=101-201"
      "; # linux: differs: it makes the segment shorter and tells SACK beside it" },
    { "options", "ts_in_rst", "RFC 7323, 3.2",
      "< S seq=0 mss=1460 ts=100; > SA ecr=100; < A seq=1 ack=1 ts=101; accept; abort; "
      "> RA seq=1 ack=1 ecr=101" },
    { "options", "paws_of_a_duplicate_is_no_dsack", "RFC 7323, 5.3, R1",
      "< S seq=0 mss=1460 ts=100 sackok=1; > SA; < A seq=1 ack=1 ts=101; accept; "
      "< A seq=1 ack=1 len=10 ts=110; > A ack=11; < A seq=1 ack=1 len=10 ts=102; "
      "> A ack=11 ecr=110 no=sack"
      "; # linux: differs: it tells D-SACK of what PAWS refused" },
    { "options", "paws_equal_is_good", "RFC 7323, 5.3, R1",
      "< S seq=0 mss=1460 ts=100; > SA; < A seq=1 ack=1 ts=101; accept; "
      "< A seq=1 ack=1 len=10 ts=101; > A ack=11 ecr=101; read 10" },
    { "options", "paws_fin", "RFC 7323, 5.3, R1",
      "< S seq=0 mss=1460 ts=100; > SA; < A seq=1 ack=1 ts=101; accept; "
      "< FA seq=1 ack=1 ts=99; > A ack=1 ecr=101; state ESTABLISHED" },
    { "options", "paws_in_every_state", "RFC 7323, 5.3, R1",
      "< S seq=0 mss=1460 ts=100; > SA; < A seq=1 ack=1 ts=101; accept; shutdown; > FA; "
      "< A seq=1 ack=2 ts=90; > A ack=1; state FIN_WAIT_1; < A seq=1 ack=2 ts=102; "
      "state FIN_WAIT_2; < FA seq=1 ack=2 ts=100; > A ack=1; state FIN_WAIT_2" },
    { "options", "ts_recent_not_from_beyond_the_last_ack", "RFC 7323, 5.3, R3",
      "< S seq=0 mss=1460 ts=100; > SA; < A seq=1 ack=1 ts=101; accept; "
      "< A seq=11 ack=1 len=10 ts=300; > A ack=1 ecr=101; "
      "< A seq=1 ack=1 len=10 ts=200; > A ack=21 ecr=200; read 20" },
    { "options", "time_wait_ts_reuse", "RFC 6191, 2",
      "< S seq=0 wnd=60000 mss=1460 ts=100 sackok=1 ws=2; "
      "> SA seq=0 ack=1 sackok=1 ecr=100; < A seq=1 ack=1 wnd=15000 ts=101; accept; "
      "shutdown; > FA; < FA seq=1 ack=2 wnd=15000 ts=200; > A; state TIME_WAIT; "
      "< S seq=0 ts=201 mss=1460; > SA ecr=201; state SYN_RCVD" },
    { "options", "time_wait_ts_old", "RFC 6191, 2",
      "< S seq=0 wnd=60000 mss=1460 ts=100 sackok=1 ws=2; "
      "> SA seq=0 ack=1 sackok=1 ecr=100; < A seq=1 ack=1 wnd=15000 ts=101; accept; "
      "shutdown; > FA; < FA seq=1 ack=2 wnd=15000 ts=200; > A; "
      "< S seq=100000 ts=150 mss=1460; > A seq=2 ack=2; state TIME_WAIT" },
};

const struct tcp_dsl_suite cases_options = { cases, sizeof(cases) / sizeof(cases[0]) };
