/* SYN cookies (RFC 4987, 3.6): the table of half-open entries is full, and yet whoever answers gets
 * in. */
#include "cases.h"

#include "tcp_dsl.h"

#define FLOODED "set syns 1; < S seq=0 port=50001; > SA seq=0; "

static const struct tcp_dsl_case cases[] = {
    { "cookies", "handshake", "RFC 4987, 3.6",
      FLOODED "< S seq=0 mss=1460; > SA seq=0 ack=1 wnd=65535 mss=1460 no=ts no=ws no=sack; "
              "state LISTEN; < A seq=1 ack=1; > -; accept; state ESTABLISHED; ready WD; "
              "count tcp_syn_cookies_sent 1; count tcp_syn_cookies_recv 1" },
    { "cookies", "none_below_the_threshold", "RFC 4987, 3.6",
      "set syns 3; < S seq=0 port=1; < S seq=0 port=2; < S seq=0 port=3; > SA; > SA; > SA; "
      "count tcp_syn_cookies_sent 0; < S seq=0; > SA; count tcp_syn_cookies_sent 1; state LISTEN" },
    { "cookies", "ack_with_data", "RFC 9293, 3.10.7.4, seventh",
      FLOODED "< S seq=0; > SA; < PA seq=1 ack=1 len=100; accept; > A seq=1 ack=101; read 100; "
              "state ESTABLISHED" },
    { "cookies", "ack_lost_data_next", "RFC 9293, 3.10.7.4, seventh",
      FLOODED "< S seq=0; > SA; < R seq=1 port=50001; wait 10s; > -; < PA seq=1 ack=1 len=100; "
              "accept; > A ack=101; "
              "read 100; < PA seq=101 ack=1 len=5; > A ack=106; read 5" },
    { "cookies", "ack_lost_first_text_lost", "RFC 4987, 3.6",
      FLOODED "< S seq=0; > SA; < PA seq=101 ack=1 len=5; > -; state LISTEN; "
              "< PA seq=1 ack=1 len=100; accept; > A ack=101; read 100; "
              "< PA seq=101 ack=1 len=5; > A ack=106; read 5" },
    { "cookies", "text_too_late", "RFC 9293, 3.10.7.2",
      FLOODED "< S seq=0; > SA; < R seq=1 port=50001; wait 128s; < PA seq=101 ack=1 len=5; "
              "> R seq=1; state LISTEN" },
    { "cookies", "ack_with_fin", "RFC 9293, 3.10.7.4, eighth",
      FLOODED "< S seq=0; > SA; < FPA seq=1 ack=1 len=10; accept; > A seq=1 ack=12; read 10; "
              "state CLOSE_WAIT; ready WED" },
    { "cookies", "ack_twice", "RFC 9293, 3.10.7.4, fifth",
      FLOODED "< S seq=0; > SA; < A seq=1 ack=1; < A seq=1 ack=1; > -; accept; "
              "count tcp_syn_cookies_recv 1" },
    { "cookies", "syn_twice", "RFC 4987, 3.6",
      FLOODED "< S seq=0; > SA seq=0 ack=1; < S seq=0; > SA ack=1; < A seq=1 ack=1; > -; accept" },
    { "cookies", "no_second_synack", "RFC 4987, 3.6",
      FLOODED "< S seq=0; > SA; wait 500ms; > -; < R seq=1 port=50001; wait 60s; > -; segs 0" },
    { "cookies", "wrong_ack", "RFC 9293, 3.10.7.2",
      FLOODED "< S seq=0; > SA; < A seq=1 ack=2; > R seq=2; < A seq=1 ack=257; > R seq=257; "
              "state LISTEN; count tcp_syn_cookies_recv 0" },
    { "cookies", "wrong_seq", "RFC 9293, 3.10.7.2",
      FLOODED "< S seq=0; > SA; < A seq=2 ack=1; > R seq=1; state LISTEN; "
              "< A seq=1 ack=1; accept" },
    { "cookies", "wrong_port", "RFC 9293, 3.10.7.2",
      FLOODED "< S seq=0; > SA; < A seq=1 ack=1 port=50002; > R seq=1" },
    { "cookies", "rst", "RFC 9293, 3.10.7.2",
      FLOODED "< S seq=0; > SA; < RA seq=1 ack=1; > -; < R seq=1; > -; state LISTEN" },
    { "cookies", "synack", "RFC 9293, 3.10.7.2",
      FLOODED "< S seq=0; > SA; < SA seq=0 ack=1; > R seq=1; state LISTEN" },
    { "cookies", "too_late", "RFC 4987, 3.6",
      FLOODED "< S seq=0; > SA; < R seq=1 port=50001; wait 128s; < A seq=1 ack=1; > R seq=1; "
              "state LISTEN" },
    { "cookies", "late_enough", "RFC 4987, 3.6",
      FLOODED "< S seq=0; > SA; < R seq=1 port=50001; wait 63s; < A seq=1 ack=1; > -; accept" },
    { "cookies", "not_for_strangers", "RFC 9293, 3.10.7.2",
      "in LISTEN; < A seq=1 ack=1; > R seq=1; count tcp_syn_cookies_recv 0" },
    { "cookies", "unlisten", "RFC 9293, 3.10.7.1",
      FLOODED "< S seq=0; > SA; unlisten; < A seq=1 ack=1; > R seq=1; state CLOSED" },
    { "cookies", "mss", "RFC 9293, 3.7.1",
      FLOODED "< S seq=0 mss=1300; > SA; < A seq=1 ack=1; accept; write 1500; > A len=1220; "
              "> PA len=280" },
    { "cookies", "mss_not_named", "RFC 9293, 3.7.1",
      FLOODED "< S seq=0; > SA; < A seq=1 ack=1; accept; write 600; > A len=536; > PA len=64" },
    { "cookies", "window_scale", "RFC 7323, 2.2",
      FLOODED "< S seq=0 mss=1460 ws=7; > SA ws=0 no=ts no=sack; < A seq=1 ack=1 wnd=2; accept; "
              "write 1000; > A len=256; > -" },
    { "cookies", "sack", "RFC 2018, 2",
      FLOODED "< S seq=0 mss=1460 sackok=1; > SA sackok=1 no=ws; < A seq=1 ack=1; accept; "
              "< PA seq=11 ack=1 len=10; > A seq=1 ack=1 sack=11-21" },
    { "cookies", "no_sack", "RFC 2018, 2",
      FLOODED "< S seq=0 mss=1460; > SA no=sack; < A seq=1 ack=1; accept; "
              "< PA seq=11 ack=1 len=10; > A seq=1 ack=1 no=sack" },
    { "cookies", "timestamps", "RFC 7323, 3.2",
      FLOODED "< S seq=0 mss=1460 ts=500 ws=3 sackok=1; > SA ecr=500 ws=0 sackok=1; "
              "< A seq=1 ack=1 ts=501:ours wnd=100; accept; write 2000; > A len=800 ecr=501; > -; "
              "< PA seq=11 ack=1 len=10 ts=502:ours wnd=100; > A sack=11-21 ecr=501" },
    { "cookies", "timestamps_alone", "RFC 7323, 3.2",
      FLOODED "< S seq=0 mss=1460 ts=500; > SA ecr=500 no=ws no=sack; "
              "< PA seq=1 ack=1 ts=501:ours len=9; accept; > A ack=10 ecr=501 no=sack; read 9" },
    { "cookies", "timestamps_old", "RFC 7323, 5.3, R1",
      FLOODED "< S seq=0 mss=1460 ts=500; > SA; < A seq=1 ack=1 ts=501:ours; accept; "
              "< PA seq=1 ack=1 len=9 ts=499:ours; > A ack=1 ecr=501; noread; "
              "count tcp_paws_drops 1" },
    { "cookies", "syn_without_block", "limits",
      "set blocks 1; set syns 1; < S seq=0 port=1; > SA; < S seq=0 port=2; > SA; "
      "< A seq=1 ack=1 port=2; accept; < S seq=0; > -; count tcp_syn_dropped 1" },
    { "cookies", "reuse_gets_a_block", "RFC 1122, 4.2.2.13",
      "set syns 1; in TIME_WAIT; close; < S seq=0 port=1; > SA; < S seq=100000; > SA ack=100001; "
      "state SYN_RCVD; count tcp_syn_cookies_sent 0; < A seq=100001 ack=1; accept; > -" },
};

const struct tcp_dsl_suite cases_cookies = { cases, sizeof(cases) / sizeof(cases[0]) };
