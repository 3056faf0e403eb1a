/* RFC 9293, figure 5: exactly these edges, and CLOSED from anywhere. */
#include "lib/unit.h"

#include "dataplane/tcp/tcp_fsm.h"

static const struct {
    enum tcp_state from;
    enum tcp_state to;
} figure_5[] = {
    { TCP_CLOSED, TCP_SYN_SENT },        { TCP_CLOSED, TCP_SYN_RCVD },
    { TCP_SYN_SENT, TCP_SYN_RCVD },      { TCP_SYN_SENT, TCP_ESTABLISHED },
    { TCP_SYN_RCVD, TCP_ESTABLISHED },   { TCP_SYN_RCVD, TCP_FIN_WAIT_1 },
    { TCP_ESTABLISHED, TCP_FIN_WAIT_1 }, { TCP_ESTABLISHED, TCP_CLOSE_WAIT },
    { TCP_CLOSE_WAIT, TCP_LAST_ACK },    { TCP_FIN_WAIT_1, TCP_FIN_WAIT_2 },
    { TCP_FIN_WAIT_1, TCP_CLOSING },     { TCP_FIN_WAIT_1, TCP_TIME_WAIT },
    { TCP_CLOSING, TCP_TIME_WAIT },      { TCP_FIN_WAIT_2, TCP_TIME_WAIT },
};

static bool is_in_figure_5(enum tcp_state from, enum tcp_state to)
{
    for (unsigned i = 0; i < sizeof(figure_5) / sizeof(figure_5[0]); i++) {
        if (figure_5[i].from == from && figure_5[i].to == to)
            return true;
    }
    return to == TCP_CLOSED;
}

static void edges_are_those_of_the_figure(void **state)
{
    (void)state;
    for (unsigned from = 0; from < TCP_STATE_COUNT; from++) {
        for (unsigned to = 0; to < TCP_STATE_COUNT; to++)
            assert_int_equal(tcp_fsm_may_move(from, to), is_in_figure_5(from, to));
    }
}

static void questions_are_answered_by_state(void **state)
{
    (void)state;
    for (unsigned s = 0; s < TCP_STATE_COUNT; s++) {
        bool fin_due = s == TCP_FIN_WAIT_1 || s == TCP_CLOSING || s == TCP_LAST_ACK;
        bool peer_fin =
            s == TCP_CLOSE_WAIT || s == TCP_CLOSING || s == TCP_LAST_ACK || s == TCP_TIME_WAIT;

        assert_int_equal(tcp_fsm_fin_due(s), fin_due);
        assert_int_equal(tcp_fsm_has_peer_fin(s), peer_fin);
        assert_false(tcp_fsm_may_receive(s) && peer_fin);
        assert_false(tcp_fsm_may_commit(s) && fin_due);
        assert_int_equal(tcp_fsm_is_live(s), s != TCP_CLOSED && s != TCP_TIME_WAIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_are_those_of_the_figure),
        cmocka_unit_test(questions_are_answered_by_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
