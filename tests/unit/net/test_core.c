/* The loop's turn: who runs when, how many of them, and what a turn answers. */
#include "lib/unit.h"

#include <string.h>

#include "base/limits.h"
#include "dataplane/core.h"
#include "rig.h"

#define STREAMS 200

static struct core core;
static struct clock clk;
static struct counters counters;

struct seen {
    struct core_handler handler;
    struct core_poller poller;
    struct stream streams[STREAMS];
    unsigned runs[STREAMS];
    unsigned ready; /* calls */
    unsigned polls;
    unsigned poll_work;
    bool requeue;
};

static void ready(struct core_handler *h, struct stream *s)
{
    struct seen *seen = (struct seen *)(void *)h;

    seen->ready++;
    seen->runs[s - seen->streams]++;
    if (seen->requeue)
        stream_requeue(s);
}

static unsigned poll_once(struct core_poller *p)
{
    struct seen *seen = LIST_ENTRY(p, struct seen, poller);

    seen->polls++;
    return seen->poll_work;
}

static int setup(void **state)
{
    static struct seen seen;
    struct core_config config = { 0 };

    memset(&seen, 0, sizeof(seen));
    seen.handler.ready = ready;
    assert_true(core_open(&core, &config, NULL, &clk, &counters));
    core.handler = &seen.handler;
    for (unsigned i = 0; i < STREAMS; i++) {
        seen.streams[i].ready_list = &core.ready;
        list_node_init(&seen.streams[i].ready_link);
    }
    *state = &seen;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    core_close(&core);
    return 0;
}

static void idle_is_zero(void **state)
{
    (void)state;
    assert_int_equal(core_turn(&core), 0);
    assert_true(core_next_ns(&core) == UINT64_MAX);
}

static void pollers_run_each_turn(void **state)
{
    struct seen *seen = *state;

    seen->poller.poll = poll_once;
    core_add_poller(&core, &seen->poller);
    assert_int_equal(core_turn(&core), 0);
    seen->poll_work = 3;
    assert_int_equal(core_turn(&core), 3);
    assert_int_equal(seen->polls, 2);
}

static void ready_ones_run_once(void **state)
{
    struct seen *seen = *state;

    for (unsigned i = 0; i < 5; i++)
        stream_set(&seen->streams[i], STREAM_READABLE);
    clk.now_ns = 77;
    assert_true(core_next_ns(&core) == 77);
    assert_int_equal(core_turn(&core), 5);
    assert_int_equal(core_turn(&core), 0);
    assert_int_equal(seen->ready, 5);
}

static void put_back_ones_wait_for_the_next_turn(void **state)
{
    struct seen *seen = *state;

    seen->requeue = true;
    stream_set(&seen->streams[0], STREAM_READABLE);
    assert_int_equal(core_turn(&core), 1);
    assert_int_equal(core_turn(&core), 1);
    assert_int_equal(seen->runs[0], 2);
    seen->requeue = false;
    assert_int_equal(core_turn(&core), 1);
    assert_int_equal(core_turn(&core), 0);
}

static void a_turn_is_bounded_and_fair(void **state)
{
    struct seen *seen = *state;

    seen->requeue = true;
    for (unsigned i = 0; i < STREAMS; i++)
        stream_set(&seen->streams[i], STREAM_READABLE);
    for (unsigned turn = 0; turn < STREAMS; turn++)
        assert_int_equal(core_turn(&core), LIMIT_READY_PER_TURN);
    for (unsigned i = 0; i < STREAMS; i++)
        assert_int_equal(seen->runs[i], LIMIT_READY_PER_TURN);
    seen->requeue = false;
    for (unsigned turn = 0; turn < STREAMS; turn++)
        core_turn(&core);
    assert_int_equal(core_turn(&core), 0);
}

/* A frame in, its answer out, all in one turn; the next one has nothing to do. */
static void with_a_device(void **state)
{
    struct core_config config = { .net = { .address = addr_from_v4(RIG_OURS), .prefix_length = 24 },
                                  .tcp = { .connections_max = 4,
                                           .syn_rcvd_max = 4,
                                           .time_wait_max = 4,
                                           .receive_bytes_max = 65536,
                                           .send_bytes_max = 65536,
                                           .time_wait_ms = 1 } };
    struct rig *r = rig_create(0);
    struct core wired;
    uint8_t frame[64];
    uint32_t len = rig_arp_peer(frame, NET_WIRE_ARP_REQUEST);
    struct seg *s = seg_alloc(r->plain);

    (void)state;
    assert_true(core_open(&wired, &config, &r->nic, &r->clock, &r->counters));
    core_turn(&wired); /* the announcement */
    rig_forget_sent(r);
    memcpy(s->data, frame, len);
    s->len = len;
    r->incoming = s;
    assert_int_equal(core_turn(&wired), 2); /* one frame in, one out */
    assert_int_equal(r->sent_count, 1);
    assert_int_equal(core_turn(&wired), 0);
    core_close(&wired);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(idle_is_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(pollers_run_each_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(ready_ones_run_once, setup, teardown),
        cmocka_unit_test_setup_teardown(put_back_ones_wait_for_the_next_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(a_turn_is_bounded_and_fair, setup, teardown),
        cmocka_unit_test_setup_teardown(with_a_device, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
