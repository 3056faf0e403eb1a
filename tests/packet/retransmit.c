/* Loss: time-outs, back-off, duplicate ACKs, recovery. */
#include "cases.h"

#include "tcp_dsl.h"

static const struct tcp_dsl_case cases[] = {
    { "retransmit", "timeout_backs_off", "RFC 6298, 5.5",
      "in ESTABLISHED; write 100; > PA seq=1 len=100; wait 1001ms; > PA seq=1 len=100; "
      "wait 2s; > PA seq=1 len=100; wait 4s; > PA len=100; wait 8s; > PA len=100; "
      "< A seq=1 ack=101; ready WD; wait 100s; > -; count tcp_timeouts 4; "
      "again 4" },
    { "retransmit", "syn_ack_is_sent_again", "RFC 6298, 5.5",
      "< S seq=0; > SA; wait 2s; > SA; < A seq=1 ack=1; accept; again 1" },
    { "retransmit", "gives_up", "RFC 1122, 4.2.3.5, R2",
      "in ESTABLISHED; write 10; > PA len=10; wait 64s; > PA len=10; > PA len=10; "
      "> PA len=10; > PA len=10; > PA len=10; > PA len=10; > -; wait 35990ms; > -; wait 11ms; "
      "> RA seq=11; "
      "ready F; count tcp_given_up 1; segs 0" },
    { "retransmit", "rto_from_rtt", "RFC 6298, 2",
      "in ESTABLISHED; write 10; > PA len=10; wait 100ms; < A seq=1 ack=11; write 10; "
      "> PA len=10; wait 299ms; > -; wait 3ms; > PA seq=11 len=10"
      "; # linux: differs: it has measured the handshake, and its time-out is shorter" },
    { "retransmit", "karn", "RFC 6298, 3",
      "in ESTABLISHED; write 10; > PA len=10; wait 1001ms; > PA len=10; "
      "< A seq=1 ack=11; write 10; > PA len=10; wait 1900ms; > -; wait 200ms; "
      "> PA seq=11 len=10"
      "; # linux: differs: it has measured the handshake, and its time-out is shorter" },
    { "retransmit", "go_back_after_timeout", "RFC 5681, 3.1",
      "in ESTABLISHED; write 5840; > A seq=1 len=1460; > A len=1460; > A len=1460; "
      "> PA len=1460; wait 1001ms; > A seq=1 len=1460; > -; < A seq=1 ack=1461; "
      "> A seq=1461 len=1460; > A seq=2921 len=1460; > -; < A seq=1 ack=5841; > -; "
      "ready WD"
      "; # linux: differs: it has measured the handshake, and its time-out is shorter" },
    { "retransmit", "three_dup_acks", "RFC 5681, 3.2",
      "in ESTABLISHED; write 8760; > A seq=1 len=1460; > A len=1460; > A len=1460; "
      "> A len=1460; > A len=1460; > PA len=1460; < A seq=1 ack=1; < A seq=1 ack=1; "
      "> -; < A seq=1 ack=1; > A seq=1 len=1460; > -; < A seq=1 ack=8761; > -; "
      "ready WD; count tcp_fast_retrans 1; count tcp_timeouts 0" },
    { "retransmit", "ack_after_timeout_is_not_old", "RFC 9293, 3.10.7.4",
      "in ESTABLISHED; write 2920; > A seq=1 len=1460; > PA seq=1461 len=1460; wait 1001ms; "
      "> A seq=1 len=1460; > -; < PA seq=1 ack=1 len=10; > A seq=2921 ack=11"
      "; # linux: differs: it has measured the handshake, and its time-out is shorter" },
    { "retransmit", "two_dup_acks_are_none", "RFC 5681, 3.2",
      "in ESTABLISHED; write 4380; > A len=1460; > A len=1460; > PA len=1460; "
      "< A seq=1 ack=1; < A seq=1 ack=1; > -; count tcp_fast_retrans 0" },
    { "retransmit", "dup_acks_with_data_are_none", "RFC 5681, 2",
      "in ESTABLISHED; write 1460; > PA len=1460; < PA seq=1 ack=1 len=1; > A; "
      "< PA seq=2 ack=1 len=1; > A; < PA seq=3 ack=1 len=1; > A; "
      "< PA seq=4 ack=1 len=1; > A; > -" },
    { "retransmit", "dup_acks_with_window_are_none", "RFC 5681, 2",
      "in ESTABLISHED; write 1460; > PA len=1460; < A seq=1 ack=1 wnd=50000; "
      "< A seq=1 ack=1 wnd=50001; < A seq=1 ack=1 wnd=50002; "
      "< A seq=1 ack=1 wnd=50003; > -" },
    { "retransmit", "partial_ack", "RFC 6582, 3.2",
      "in ESTABLISHED; write 8760; > A len=1460; > A len=1460; > A len=1460; "
      "> A len=1460; > A len=1460; > PA len=1460; < A seq=1 ack=1; < A seq=1 ack=1; "
      "< A seq=1 ack=1; > A seq=1 len=1460; < A seq=1 ack=2921; > A seq=2921 len=1460; "
      "> -; < A seq=1 ack=8761; > -; ready WD; count tcp_fast_retrans 1" },
    { "retransmit", "limited_transmit", "RFC 3042",
      "in ESTABLISHED; write 20000; > A len=1460; > A len=1460; > A len=1460; "
      "> A len=1460; > A len=1460; > A len=1460; > A len=1460; > A len=1460; "
      "> A len=1460; > A len=1460; > -; < A seq=1 ack=1; > A seq=14601 len=1460; > -; "
      "< A seq=1 ack=1; > A seq=16061 len=1460; > -; < A seq=1 ack=1; "
      "> A seq=1 len=1460; > -"
      "; # linux: differs: it sends two new segments for the first duplicate" },
    { "retransmit", "no_second_recovery_after_timeout", "RFC 6582, 3.2",
      "in ESTABLISHED; write 5840; > A len=1460; > A len=1460; > A len=1460; "
      "> PA len=1460; wait 1001ms; > A seq=1 len=1460; < A seq=1 ack=1; "
      "< A seq=1 ack=1; < A seq=1 ack=1; < A seq=1 ack=1; count tcp_fast_retrans 0" },
    { "retransmit", "fin_with_its_data", "RFC 6298, 5.4",
      "in ESTABLISHED; write 10; > PA len=10; shutdown; > FA seq=11; wait 1001ms; "
      "> FPA seq=1 len=10; < A seq=1 ack=12; state FIN_WAIT_2" },
    { "retransmit", "gathers_small_ones", "RFC 9293, 3.8.1",
      "in ESTABLISHED; write 10; > PA len=10; write 10; > PA seq=11 len=10; "
      "wait 1001ms; > PA seq=1 len=20" },
    { "retransmit", "part_acknowledged", "RFC 9293, 3.10.7.4",
      "in ESTABLISHED; write 100; > PA len=100; < A seq=1 ack=51; wait 3s; "
      "> PA seq=51 len=50" },
    { "retransmit", "idle_window", "RFC 5681, 4.1",
      "in ESTABLISHED; write 14600; > A len=1460; > A len=1460; > A len=1460; "
      "> A len=1460; > A len=1460; > A len=1460; > A len=1460; > A len=1460; "
      "> A len=1460; > PA len=1460; < A seq=1 ack=14601; wait 10s; write 20000; "
      "> A len=1460; > A len=1460; > A len=1460; > A len=1460; > A len=1460; "
      "> A len=1460; > A len=1460; > A len=1460; > A len=1460; > A len=1460; > -" },
    { "retransmit", "user_timeout", "RFC 9293, 3.9.1; RFC 5482, 2",
      "set uto 10000; in ESTABLISHED; write 10; > PA len=10; wait 9s; > PA len=10; > PA len=10; "
      "> PA len=10; > -; wait 990ms; > -; wait 11ms; > RA seq=11; ready F; count tcp_given_up 1" },
    { "retransmit", "user_timeout_begins_with_each_ack", "RFC 5482, 2",
      "set uto 10000; in ESTABLISHED; write 20; > PA len=20; wait 6s; > PA len=20; > PA len=20; "
      "< A seq=1 ack=11; wait 6s; ready W; count tcp_given_up 0" },
    { "retransmit", "wraps", "RFC 9293, 3.4",
      "set irs 0xfffffff0; in ESTABLISHED; < PA seq=1 ack=1 len=100; > A ack=101; "
      "< PA seq=201 ack=1 len=100; > A ack=101; < PA seq=101 ack=1 len=100; "
      "> A ack=301; read 300; < FA seq=301 ack=1; > A ack=302; state CLOSE_WAIT" },
    { "retransmit", "wraps_rst", "RFC 5961, 3.2",
      "set irs 0xffffffff; in ESTABLISHED; < R seq=0; > -; < R seq=5; > A; < R seq=1; "
      "ready F" },
};

const struct tcp_dsl_suite cases_retransmit = { cases, sizeof(cases) / sizeof(cases[0]) };
