/* The scoreboard against a plain array of octets: the sums are what the octets say, whatever
 * happens. */
#include "lib/unit.h"

#include "base/rng.h"
#include "dataplane/tcp/tcp_sentq.h"

#define RECORDS 64
#define BASE    (UINT32_MAX - 5000)

struct rig {
    struct pool *pool;
    struct tcp_sentq q;
    uint32_t nxt;
};

static void begin(struct rig *r)
{
    r->pool = pool_create("sent", RECORDS, sizeof(struct tcp_sent));
    assert_non_null(r->pool);
    tcp_sentq_init(&r->q, r->pool);
    r->nxt = BASE;
}

static void end(struct rig *r)
{
    tcp_sentq_clear(&r->q);
    assert_int_equal(pool_used(r->pool), 0);
    pool_destroy(r->pool);
}

static bool push_at(struct rig *r, uint32_t len, uint64_t now_ns)
{
    if (!tcp_sentq_push(&r->q, r->nxt, r->nxt + len, now_ns))
        return false;
    r->nxt += len;
    return true;
}

/* Each leaves later than the one before. */
static bool push(struct rig *r, uint32_t len)
{
    return push_at(r, len, 1 + r->nxt - BASE);
}

/* Records follow each other without a gap, and the sums are theirs. */
static void check(const struct rig *r)
{
    uint32_t pipe = 0;
    uint32_t sacked = 0;
    uint32_t lost = 0;
    uint32_t count = 0;
    const struct tcp_sent *before = NULL;

    for (struct tcp_sent *s = tcp_sentq_first(&r->q); s != NULL; s = tcp_sentq_next(&r->q, s)) {
        uint32_t segments = (s->end - s->start + s->size - 1) / s->size;

        if (before != NULL)
            assert_int_equal(before->end, s->start);
        if (s->flags & TCP_SENT_SACKED)
            sacked += segments;
        else if (s->flags & TCP_SENT_LOST)
            lost += segments;
        else
            pipe += s->end - s->start;
        count += segments;
        before = s;
    }
    if (before != NULL)
        assert_int_equal(before->end, r->nxt);
    assert_int_equal(r->q.count, count);
    assert_int_equal(r->q.pipe, pipe);
    assert_int_equal(r->q.sacked_count, sacked);
    assert_int_equal(r->q.lost_count, lost);
}

static struct tcp_sent *pick(const struct rig *r, uint64_t n)
{
    struct tcp_sent *s = tcp_sentq_first(&r->q);

    for (n %= pool_used(r->pool); n > 0; n--)
        s = tcp_sentq_next(&r->q, s);
    return s;
}

static void one_step(struct rig *r, struct rng *rng)
{
    uint32_t n = 1 + (uint32_t)rng_below(rng, 1500);
    struct tcp_sent *s;

    if (r->q.count == 0 || rng_below(rng, 3) == 0) {
        for (uint64_t more = rng_below(rng, 4), now_ns = rng_below(rng, 3); more > 0; more--)
            push_at(r, n, now_ns);
        return;
    }
    s = pick(r, rng_next(rng));
    switch (rng_below(rng, 10)) {
    case 0: tcp_sentq_acked(&r->q, tcp_sentq_first(&r->q)->start + n); break;
    case 1: tcp_sentq_split(&r->q, s, n); break;
    case 2: tcp_sentq_reneged(&r->q); break;
    case 6: tcp_sentq_found(&r->q); break;
    case 7: tcp_sentq_part_first(&r->q, s); break;
    case 8: tcp_sentq_part_last(&r->q, s); break;
    case 3:
        if (!(s->flags & TCP_SENT_SACKED))
            tcp_sentq_resent(&r->q, s, 2);
        break;
    case 4:
        if (!(s->flags & TCP_SENT_SACKED))
            tcp_sentq_sacked(&r->q, s);
        break;
    case 5:
        if (s->flags & TCP_SENT_LOST)
            tcp_sentq_gather(&r->q, s, 3000);
        break;
    default:
        if (!(s->flags & (TCP_SENT_SACKED | TCP_SENT_LOST)))
            tcp_sentq_lost(&r->q, s);
    }
}

static void sums_hold_in_any_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rng rng;
        struct rig r;

        rng_seed(&rng, seed);
        begin(&r);
        for (unsigned i = 0; i < 3000; i++) {
            one_step(&r, &rng);
            check(&r);
        }
        end(&r);
    }
}

static void without_a_record_nothing_changes(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    while (push(&r, 100))
        continue;
    assert_int_equal(r.q.count, RECORDS);
    assert_false(tcp_sentq_split(&r.q, tcp_sentq_first(&r.q), 50));
    assert_true(tcp_sentq_split(&r.q, tcp_sentq_first(&r.q), 100));
    check(&r);
    tcp_sentq_acked(&r.q, BASE + 100);
    assert_true(tcp_sentq_split(&r.q, tcp_sentq_first(&r.q), 50));
    check(&r);
    end(&r);
}

static void small_losses_are_gathered(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    for (unsigned i = 0; i < 6; i++)
        push(&r, 100);
    for (struct tcp_sent *s = tcp_sentq_first(&r.q); s != NULL; s = tcp_sentq_next(&r.q, s))
        if (s != tcp_sentq_last(&r.q))
            tcp_sentq_lost(&r.q, s);
    tcp_sentq_gather(&r.q, tcp_sentq_first(&r.q), 350);
    assert_int_equal(tcp_sentq_first(&r.q)->end, BASE + 300);
    tcp_sentq_gather(&r.q, tcp_sentq_first(&r.q), 1000); /* not what is not lost */
    assert_int_equal(tcp_sentq_first(&r.q)->end, BASE + 500);
    check(&r);
    end(&r);
}

/* Five of one burst are one record, and each keeps its ends whatever is split off. */
static void a_burst_is_one_record(void **state)
{
    struct tcp_sent *s;
    struct rig r;

    (void)state;
    begin(&r);
    for (unsigned i = 0; i < 5; i++)
        push_at(&r, 100, 7);
    push_at(&r, 50, 7);
    assert_int_equal(pool_used(r.pool), 2);
    assert_int_equal(r.q.count, 6);
    tcp_sentq_acked(&r.q, BASE + 130);
    check(&r);
    s = tcp_sentq_first(&r.q);
    assert_int_equal(s->end, BASE + 200);
    s = tcp_sentq_next(&r.q, s);
    assert_int_equal(tcp_sentq_whole(s, BASE + 399), BASE + 300);
    assert_int_equal(tcp_sentq_whole(s, BASE + 400), BASE + 400);
    s = tcp_sentq_part_last(&r.q, s);
    assert_int_equal(s->start, BASE + 400);
    assert_int_equal(s->end, BASE + 500);
    assert_int_equal(r.q.count, 5);
    check(&r);
    end(&r);
}

/* What has left again, or later, continues nothing. */
static void only_a_burst_is_a_run(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    push_at(&r, 100, 7);
    push_at(&r, 100, 8);
    tcp_sentq_resent(&r.q, tcp_sentq_last(&r.q), 9);
    push_at(&r, 100, 9);
    assert_int_equal(pool_used(r.pool), 3);
    check(&r);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_hold_in_any_order),
        cmocka_unit_test(a_burst_is_one_record),
        cmocka_unit_test(only_a_burst_is_a_run),
        cmocka_unit_test(without_a_record_nothing_changes),
        cmocka_unit_test(small_losses_are_gathered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
