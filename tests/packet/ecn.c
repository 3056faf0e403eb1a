/* Explicit congestion notification: what is agreed, what is marked, and what marks do. tos is the
 * IP header's: 2 says that it may be marked, ECT(0), and 3 that it was, CE. */
#include "cases.h"

#include "tcp_dsl.h"

#define AGREED                                                                             \
    "set ecn 1; < SEC seq=0 wnd=60000 mss=1460; > SAE seq=0 ack=1 tos=0; < A seq=1 ack=1 " \
    "wnd=60000; accept; "
#define FLOOD "set ecn 1; set syns 1; < S seq=0 port=1; > SA; "

#define FULL  "> A len=1460 tos=2; "
#define FULL3 FULL FULL FULL
#define FULL9 FULL3 FULL3 FULL3

static const struct tcp_dsl_case cases[] = {
    { "ecn", "agreed", "RFC 3168, 6.1.1", AGREED "write 10; > PA len=10 tos=2" },
    { "ecn", "off", "RFC 3168, 6.1.1",
      "set ecn 0; < SEC seq=0; > SA; < A seq=1 ack=1; accept; write 10; > PA len=10 tos=0; "
      "< PA seq=1 ack=11 len=10 tos=3; wait 40ms; > A ack=11" },
    { "ecn", "not_asked", "RFC 3168, 6.1.1",
      "set ecn 1; < S seq=0; > SA; < A seq=1 ack=1; accept; write 10; > PA len=10 tos=0" },
    { "ecn", "half_asked", "RFC 3168, 6.1.1",
      "set ecn 1; < SE seq=0; > SA; < R seq=1; < SC seq=0; > SA; < A seq=1 ack=1; accept; "
      "write 10; > PA len=10 tos=0" },
    { "ecn", "syn_that_somebody_marked", "RFC 3168, 6.1.1", "set ecn 1; < SEC seq=0 tos=3; > SA" },
    { "ecn", "syn_that_claims_to_be_capable", "RFC 3168, 6.1.1",
      "set ecn 1; < SEC seq=0 tos=2; > SA; < A seq=1 ack=1; accept; write 10; > PA tos=0 len=10" },
    { "ecn", "syn_ack_again", "RFC 3168, 6.1.1",
      "set ecn 1; < SEC seq=0; > SAE; wait 2s; > SAE; < SEC seq=0; > SAE; < A seq=1 ack=1; accept; "
      "write 10; > PA len=10 tos=2" },
    { "ecn", "time_wait_used_again", "RFC 3168, 6.1.1",
      "set ecn 1; in TIME_WAIT; < SEC seq=100000; > SAE ack=100001" },
    { "ecn", "cookie", "RFC 3168, 6.1.1; RFC 4987, 3.6",
      FLOOD "< SEC seq=0 wnd=60000 mss=1460 ts=1; > SAE ack=1; < A seq=1 ack=1 ts=1:ours; accept; "
            "write 10; > PA len=10 tos=2; count tcp_syn_cookies_recv 1" },
    { "ecn", "cookie_that_was_not_asked", "RFC 4987, 3.6",
      FLOOD "< S seq=0 wnd=60000 mss=1460 ts=1; > SA ack=1; < A seq=1 ack=1 ts=1:ours; accept; "
            "write 10; > PA len=10 tos=0" },
    { "ecn", "we_ask", "RFC 3168, 6.1.1",
      "set ecn 1; connect; > SEC tos=0; < SAE seq=0 ack=1 mss=1460; > A tos=0; write 10; "
      "> PA len=10 tos=2" },
    { "ecn", "we_ask_and_are_refused", "RFC 3168, 6.1.1",
      "set ecn 1; connect; > SEC; < SA seq=0 ack=1 mss=1460; > A; write 10; > PA len=10 tos=0" },
    { "ecn", "our_question_comes_back", "RFC 3168, 6.1.1",
      "set ecn 1; connect; > SEC; < SAEC seq=0 ack=1 mss=1460; > A; write 10; > PA len=10 tos=0" },
    { "ecn", "we_ask_once", "RFC 3168, 6.1.1.1", "set ecn 1; connect; > SEC; wait 1001ms; > S" },
    { "ecn", "no_acks_and_ends", "RFC 3168, 6.1.4",
      AGREED "< PA seq=1 ack=1 len=10; > A ack=11 tos=0; shutdown; > FA seq=1 tos=0" },
    { "ecn", "nothing_again", "RFC 3168, 6.1.5",
      AGREED "write 10; > PA len=10 tos=2; wait 1001ms; > PA seq=1 len=10 tos=0; "
             "< A seq=1 ack=11; write 10; > PAC seq=11 len=10 tos=2" },
    { "ecn", "no_window_probe", "RFC 3168, 6.1.6",
      AGREED "< A seq=1 ack=1 wnd=0; write 10; wait 1s; > A len=1 tos=0" },
    { "ecn", "marks_that_never_arrive", "RFC 3168, 6.1.1.1",
      AGREED "write 10; > PA len=10 tos=2; wait 3s; > PA tos=0 len=10; > PA tos=0 len=10; "
             "< A seq=1 ack=11; write 10; > PAC seq=11 len=10 tos=0" },
    { "ecn", "tells_until_it_is_heard", "RFC 3168, 6.1.3",
      AGREED "< PA seq=1 ack=1 len=10 tos=3; > AE ack=11; < PA seq=11 ack=1 len=10 tos=2; "
             "> AE ack=21; write 10; > PAE len=10; < PAC seq=21 ack=11 len=10 tos=2; > A ack=31" },
    { "ecn", "marked_once_more", "RFC 3168, 6.1.3",
      AGREED "< PA seq=1 ack=1 len=10 tos=3; > AE; < PAC seq=11 ack=1 len=10 tos=3; > AE ack=21; "
             "< PAC seq=21 ack=1 len=10 tos=2; > A ack=31" },
    { "ecn", "a_marked_ack_tells_nothing", "RFC 3168, 6.1.4",
      AGREED "write 10; > PA len=10; < A seq=1 ack=11 tos=3; write 10; > PA len=10" },
    { "ecn", "a_marked_old_segment_tells_nothing", "RFC 3168, 6.1.5",
      AGREED "< PA seq=1 ack=1 len=10 tos=2; > A; < PA seq=1 ack=1 len=10 tos=3; > A ack=11; "
             "< PA seq=90000 ack=1 len=10 tos=3; > A ack=11" },
    { "ecn", "not_agreed_and_marked", "RFC 3168, 6.1.3",
      "in ESTABLISHED; < PA seq=1 ack=1 len=10 tos=3; > A ack=11" },
    { "ecn", "told_once_a_window", "RFC 3168, 6.1.2",
      AGREED "write 40000; " FULL9 FULL "> -; < AE seq=1 ack=1461; < AE seq=1 ack=2921; "
             "count tcp_ecn_cuts 1; > -; < AE seq=1 ack=4381; > -; < AE seq=1 ack=5841; > -; "
             "< AE seq=1 ack=7301; > AC seq=14601 len=1460 tos=2; > -; < A seq=1 ack=8761; "
             "> A len=1460 tos=2; > -; count tcp_ecn_cuts 1; count tcp_retrans_segs 0" },
    { "ecn", "told_again_of_the_next_window", "RFC 3168, 6.1.2",
      AGREED "write 40000; " FULL9 FULL "< AE seq=1 ack=1461; < A seq=1 ack=14601; "
             "> AC len=1460; " FULL3 FULL "> A len=1460; > -; < AE seq=1 ack=16061; "
             "count tcp_ecn_cuts 2" },
    { "ecn", "told_without_agreement", "RFC 3168, 6.1.2",
      "in ESTABLISHED; write 1000; > PA len=1000; < AE seq=1 ack=1001; count tcp_ecn_cuts 0; "
      "write 1000; > PA len=1000" },
    { "ecn", "a_loss_tells_too", "RFC 3168, 6.1.2",
      AGREED "write 14600; " FULL9 "> PA len=1460; < A seq=1 ack=1; < A seq=1 ack=1; "
             "< A seq=1 ack=1; > A seq=1 len=1460 tos=0; < AE seq=1 ack=14601; "
             "count tcp_ecn_cuts 0; write 1000; > PAC len=1000 tos=2; < A seq=1 ack=15601; "
             "write 1000; > PA len=1000 tos=2" },
    { "ecn", "told_without_end", "RFC 3168, 6.1.2",
      AGREED
      "write 1; > PA len=1; < AE seq=1 ack=2; write 1; > PAC len=1; < AE seq=1 ack=3; write 1; "
      "> PAC len=1; < AE seq=1 ack=4; write 4380; > AC len=1460; > A len=1460; > -" },
};

const struct tcp_dsl_suite cases_ecn = { cases, sizeof(cases) / sizeof(cases[0]) };
