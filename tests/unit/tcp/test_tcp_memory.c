/* Marks in a pool of segments: their order, that they do not flap, and what moves aside. */
#include "lib/unit.h"

#include <string.h>

#include "base/limits.h"
#include "dataplane/tcp/tcp_memory.h"

#define SEGS    320 /* ten for each share */
#define RESERVE 16
#define ASIDE   2

struct pool {
    struct tcp_memory m;
    struct seg_pool *segs;
    struct list held;
};

static int begin(void **state)
{
    static struct pool p;

    *state = &p;
    list_init(&p.held);
    p.segs = seg_plain_create(SEGS + RESERVE, 128, 2048);
    if (p.segs == NULL)
        return -1;
    p.segs->reserve = RESERVE;
    return tcp_memory_open(&p.m, p.segs, ASIDE) ? 0 : -1;
}

static int end(void **state)
{
    struct pool *p = *state;

    seg_release_all(&p->held);
    tcp_memory_close(&p->m); /* asserts that what was moved aside is home */
    seg_plain_destroy(p->segs);
    return 0;
}

static uint32_t left(const struct pool *p)
{
    return p->segs->ops->available(p->segs);
}

/* The level when so many are left beyond the reserve. */
static enum tcp_memory_level at(struct pool *p, uint32_t count)
{
    while (left(p) > count + RESERVE)
        list_append(&p->held, &seg_alloc(p->segs)->link);
    while (left(p) < count + RESERVE)
        seg_release(LIST_ENTRY(list_pop(&p->held), struct seg, link));
    tcp_memory_look(&p->m);
    return p->m.level;
}

static void levels_come_in_order_and_go_a_little_later(void **state)
{
    static const uint32_t marks[] = { 0, LIMIT_TCP_SHARE_SYNS, LIMIT_TCP_SHARE_MAIL,
                                      LIMIT_TCP_SHARE_WINDOWS };
    struct pool *p = *state;

    for (uint32_t level = TCP_MEMORY_NO_SYNS; level <= TCP_MEMORY_NO_WINDOWS; level++) {
        assert_int_equal(at(p, marks[level] * 10), level - 1);
        assert_int_equal(at(p, marks[level] * 10 - 1), level);
    }
    assert_int_equal(at(p, 0), TCP_MEMORY_NO_WINDOWS);
    for (uint32_t level = TCP_MEMORY_NO_WINDOWS; level >= TCP_MEMORY_NO_SYNS; level--) {
        uint32_t again = (marks[level] + LIMIT_TCP_SHARE_AGAIN) * 10;

        assert_int_equal(at(p, again - 1), level);
        assert_int_equal(at(p, again), level - 1);
    }
}

static void all_of_it_at_once(void **state)
{
    struct pool *p = *state;

    assert_int_equal(at(p, 0), TCP_MEMORY_NO_WINDOWS);
    assert_int_equal(at(p, SEGS), TCP_MEMORY_PLENTY);
}

static void shares_are_counted_from_the_start(void **state)
{
    struct pool *p = *state;

    at(p, 25);
    assert_int_equal(tcp_memory_beyond(&p->m, 2), 5);
    assert_int_equal(tcp_memory_beyond(&p->m, 3), -5);
}

static struct seg *received(struct pool *p)
{
    struct seg *s = seg_alloc(p->segs);

    assert_non_null(s);
    memset(s->data, 'x', 1400);
    s->len = 1400;
    s->seq = 77;
    return s;
}

static void bytes_move_aside_when_windows_close(void **state)
{
    struct pool *p = *state;
    struct seg *s[ASIDE + 1];

    at(p, SEGS);
    s[0] = received(p);
    assert_ptr_equal(tcp_memory_keep(&p->m, s[0]), s[0]);
    seg_release(s[0]);
    at(p, 5);
    for (unsigned i = 0; i < ASIDE; i++) {
        s[i] = tcp_memory_keep(&p->m, received(p));
        assert_ptr_not_equal(s[i]->pool, p->segs);
        assert_int_equal(left(p), 5 + RESERVE);
        assert_int_equal(s[i]->len, 1400);
        assert_int_equal(s[i]->seq, 77);
        assert_int_equal(s[i]->data[0], 'x');
        assert_int_equal(s[i]->data[1399], 'x');
    }
    s[ASIDE] = tcp_memory_keep(&p->m, received(p)); /* no room there */
    assert_ptr_equal(s[ASIDE]->pool, p->segs);
    for (unsigned i = 0; i <= ASIDE; i++)
        seg_release(s[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(levels_come_in_order_and_go_a_little_later, begin, end),
        cmocka_unit_test_setup_teardown(all_of_it_at_once, begin, end),
        cmocka_unit_test_setup_teardown(shares_are_counted_from_the_start, begin, end),
        cmocka_unit_test_setup_teardown(bytes_move_aside_when_windows_close, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
