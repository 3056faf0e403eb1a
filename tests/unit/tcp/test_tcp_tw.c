/* The ring of TIME-WAIT entries: order, holes in the middle, wrapping, being full. */
#include "lib/unit.h"

#include "base/rng.h"
#include "dataplane/tcp/tcp_tw.h"

#define SIZE 16

static void it_does_what_a_list_does(void **state)
{
    struct tcp_tw slots[SIZE];
    struct tcp_tw_ring ring;
    uint64_t live[SIZE]; /* hashes, oldest first */
    uint32_t number[SIZE];
    uint32_t count = 0;
    uint64_t next = 1;
    struct rng r;

    (void)state;
    rng_seed(&r, 4);
    tcp_tw_init(&ring, slots, SIZE);
    for (unsigned round = 0; round < 20000; round++) {
        const struct tcp_tw *oldest;

        if (!tcp_tw_full(&ring) && rng_below(&r, 2) == 0) {
            number[count] = tcp_tw_add(&ring, &(struct tcp_tw){ .hash = next });
            live[count++] = next++;
        } else if (count > 0) {
            uint32_t i = (uint32_t)rng_below(&r, count);

            assert_int_equal(tcp_tw_at(&ring, number[i])->hash, live[i]);
            tcp_tw_kill(&ring, tcp_tw_at(&ring, number[i]));
            count--;
            for (; i < count; i++) {
                live[i] = live[i + 1];
                number[i] = number[i + 1];
            }
        }
        oldest = tcp_tw_oldest(&ring);
        assert_int_equal(oldest == NULL, count == 0);
        if (oldest != NULL)
            assert_int_equal(oldest->hash, live[0]);
    }
}

static void removing_the_oldest_always_makes_room(void **state)
{
    struct tcp_tw slots[SIZE];
    struct tcp_tw_ring ring;

    (void)state;
    tcp_tw_init(&ring, slots, SIZE);
    for (uint64_t i = 1; i <= SIZE; i++)
        tcp_tw_add(&ring, &(struct tcp_tw){ .hash = i });
    assert_true(tcp_tw_full(&ring));
    expect_assert_failure(tcp_tw_add(&ring, &(struct tcp_tw){ .hash = 99 }));
    tcp_tw_kill(&ring, &slots[5]);
    assert_true(tcp_tw_full(&ring)); /* a hole is not yet room */
    tcp_tw_kill(&ring, tcp_tw_oldest(&ring));
    assert_false(tcp_tw_full(&ring));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_does_what_a_list_does),
        cmocka_unit_test(removing_the_oldest_always_makes_room),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
