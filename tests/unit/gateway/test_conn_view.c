/* A walk over connections, while they come and go. */
#include "lib/unit.h"

#include "conn_rig.h"

#include <string.h>

#include "gateway/conn_view.h"

static struct conn_rig rig;

static int begin(void **state)
{
    (void)state;
    conn_rig_open(&rig, NULL, false);
    return 0;
}

static int end(void **state)
{
    (void)state;
    conn_rig_close(&rig);
    return 0;
}

static void leave(struct conn_rig_client *c)
{
    c->end->ops->abort(c->end);
    conn_rig_settle(&rig);
}

static void check_next(uint64_t number)
{
    struct conn_view v;

    assert_true(conn_view_next(rig.conns, &v));
    assert_int_equal(v.number, number);
}

static void each_shows_what_it_is_at(void **state)
{
    struct conn_rig_client *c = conn_rig_connect(&rig, 0);
    struct conn_view v;

    (void)state;
    conn_rig_say(&rig, c, CONN_RIG_LOGIN);
    conn_rig_connect(&rig, 0);
    conn_rig_pass(&rig, 3);
    conn_rig_say(&rig, c, CONN_RIG_MESSAGE "eight b.");
    conn_view_begin(rig.conns);
    assert_true(conn_view_next(rig.conns, &v));
    assert_string_equal(v.phase, "body");
    assert_int_equal(v.body_bytes, 8);
    assert_true(v.age_ms >= 3000 && v.age_ms < 4000);
    assert_int_equal(v.commands, 5);
    assert_true(span_equal(span_of(v.user, v.user_len), SPAN_LITERAL("test")));
    assert_null(v.tls_version);
    assert_null(v.wire.state);
    assert_true(conn_view_next(rig.conns, &v));
    assert_string_equal(v.phase, "command");
    assert_int_equal(v.user_len, 0);
    assert_false(conn_view_next(rig.conns, &v));
    assert_false(conn_view_next(rig.conns, &v));
}

static void who_goes_is_passed_over_and_who_comes_is_seen(void **state)
{
    struct conn_rig_client *c[4];
    struct conn_view v;

    (void)state;
    conn_view_begin(rig.conns);
    assert_false(conn_view_next(rig.conns, &v));
    for (unsigned i = 0; i < 4; i++)
        c[i] = conn_rig_connect(&rig, 0);
    conn_rig_settle(&rig);
    conn_view_begin(rig.conns);
    check_next(0);
    leave(c[0]);
    leave(c[1]); /* the next one */
    check_next(2);
    conn_rig_connect(&rig, 0);
    conn_rig_settle(&rig);
    leave(c[3]);
    check_next(4);
    assert_false(conn_view_next(rig.conns, &v));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_shows_what_it_is_at),
        CASE(who_goes_is_passed_over_and_who_comes_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
