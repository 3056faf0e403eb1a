/* Paths that drop large packets and say nothing (RFC 2923, 2.1; RFC 4821). */
#include "cases.h"

#include "tcp_dsl.h"

#define FULL2 "in ESTABLISHED; write 2920; > A seq=1 len=1460; > PA seq=1461 len=1460; "
/* Three time-outs: smaller from the third on. */
#define FOUND \
    FULL2 "wait 3001ms; > A seq=1 len=1460; > A seq=1 len=1460; wait 4s; > A seq=1 len=1024; "
/* All of it arrives so, and ten minutes pass. */
#define LATER                                                                           \
    FOUND "< A seq=1 ack=1025; > A seq=1025 len=436; > A seq=1461 len=1024; < A seq=1 " \
          "ack=2485; > PA seq=2485 len=436; < A seq=1 ack=2921; ready WD; wait 601s; "

static const struct tcp_dsl_case cases[] = {
    { "black_hole", "second_timeout_is_a_loss", "RFC 4821, 7.7",
      FULL2 "wait 3001ms; > A seq=1 len=1460; > A seq=1 len=1460; > -; count tcp_black_holes 0; < "
            "A seq=1 ack=2921; "
            "write 1460; > PA len=1460" },
    { "black_hole", "third_timeout", "RFC 4821, 7.7",
      FOUND "count tcp_black_holes 1; < A seq=1 ack=1025; > A seq=1025 len=436; "
            "> A seq=1461 len=1024; > PA seq=2485 len=436; > -; "
            "< A seq=1 ack=2921; ready WD; write 2048; > A len=1024; > PA len=1024; > -" },
    { "black_hole", "fourth_timeout", "RFC 4821, 7.2",
      FOUND "wait 8s; > A seq=1 len=536; count tcp_black_holes 2; < A seq=1 ack=537; "
            "> A seq=537 len=488; > A len=436; > -" },
    { "black_hole", "never_below_what_paths_have", "limits",
      FOUND "wait 24s; > A seq=1 len=536; > A seq=1 len=536; count tcp_black_holes 2" },
    { "black_hole", "small_segments_are_no_sign", "RFC 4821, 7.7",
      "in ESTABLISHED; write 1000; > PA len=1000; wait 8s; > PA len=1000; > PA len=1000; > PA "
      "len=1000; count tcp_black_holes 0; < A seq=1 ack=1001; write 1460; > PA len=1460" },
    { "black_hole", "progress_is_no_sign", "RFC 4821, 7.7",
      FULL2 "wait 1001ms; > A seq=1 len=1460; < A seq=1 ack=1461; > PA seq=1461 len=1460; "
            "wait 2s; > PA seq=1461 len=1460; count tcp_black_holes 0" },
    { "black_hole", "tried_again", "RFC 4821, 7.3; RFC 8899, 5.1.1",
      LATER "write 2920; > A seq=2921 len=1460; > A seq=4381 len=1024; > PA seq=5405 len=436; "
            "< A seq=1 ack=5841; write 1460; > PA len=1460; count tcp_black_holes 1" },
    { "black_hole", "not_before_its_time", "RFC 8899, 5.1.1",
      FOUND "< A seq=1 ack=2921; wait 590s; write 2048; > A len=1024; > PA len=1024" },
    { "black_hole", "tried_with_enough_to_send", "RFC 4821, 7.3",
      LATER "write 1459; > A len=1024; > PA len=435; < A seq=1 ack=4380; write 1460; "
            "> PA len=1460" },
    { "black_hole", "tried_in_vain", "RFC 4821, 7.6.2",
      LATER "write 2920; > A seq=2921 len=1460; > A seq=4381 len=1024; > PA len=436; wait 8001ms; "
            "> A seq=2921 len=1024; < A seq=1 ack=3945; > A seq=3945 len=436; > A len=1024; "
            "> PA len=436; < A seq=1 ack=5841; write 1460; "
            "> A len=1024; > PA len=436; < A seq=1 ack=7301; wait 601s; write 1460; "
            "> PA len=1460; count tcp_black_holes 1" },
    { "black_hole", "a_router_speaks_after_all", "RFC 1191, 6.3",
      FOUND "icmp 1 900; > A seq=1 len=860; < A seq=1 ack=2921; wait 601s; write 1720; "
            "> A len=860; > PA len=860" },
    { "black_hole", "less_timestamps", "RFC 6691",
      "< S seq=0 mss=1460 ts=1; > SA; < A seq=1 ack=1 ts=1; accept; write 1448; > PA len=1448; "
      "wait 7s; > PA len=1448; > PA len=1448; > A len=1024; wait 8s; > A len=524" },
};

const struct tcp_dsl_suite cases_black_hole = { cases, sizeof(cases) / sizeof(cases[0]) };
