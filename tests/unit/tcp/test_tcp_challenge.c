/* RFC 5961, 7: a number of challenge ACKs each second, and a core's number is nobody's to know. */
#include "lib/unit.h"

#include "base/clock.h"
#include "base/limits.h"
#include "dataplane/tcp/tcp_challenge.h"

static const struct hash_key secret = { 5, 6 };

static uint32_t count_all(struct tcp_challenge_budget *b, const struct hash_key *key, uint64_t now)
{
    uint32_t n = 0;

    while (tcp_challenge_any(b, key, now))
        n++;
    return n;
}

static void a_connection_has_ten_each_second(void **state)
{
    struct tcp_challenge_budget b = { 0 };

    (void)state;
    for (uint64_t s = 0; s < 3; s++) {
        for (unsigned i = 0; i < LIMIT_TCP_CHALLENGES; i++)
            assert_true(tcp_challenge_one(&b, s * NS_PER_S + i));
        assert_false(tcp_challenge_one(&b, s * NS_PER_S + 999 * NS_PER_MS));
    }
}

static void a_core_has_another_number_each_second(void **state)
{
    struct tcp_challenge_budget b = { 0 };
    uint32_t least = UINT32_MAX;
    uint32_t most = 0;
    uint64_t sum = 0;

    (void)state;
    for (uint64_t s = 0; s < 1000; s++) {
        uint32_t n = count_all(&b, &secret, s * NS_PER_S);

        assert_false(tcp_challenge_any(&b, &secret, s * NS_PER_S + NS_PER_S - 1));
        least = n < least ? n : least;
        most = n > most ? n : most;
        sum += n;
    }
    assert_true(least >= LIMIT_TCP_CHALLENGES_ALL / 2 && least < LIMIT_TCP_CHALLENGES_ALL * 6 / 10);
    assert_true(most < LIMIT_TCP_CHALLENGES_ALL * 3 / 2 &&
                most > LIMIT_TCP_CHALLENGES_ALL * 14 / 10);
    assert_in_range(sum / 1000, LIMIT_TCP_CHALLENGES_ALL * 95 / 100,
                    LIMIT_TCP_CHALLENGES_ALL * 105 / 100);
}

static void another_secret_has_other_numbers(void **state)
{
    struct tcp_challenge_budget a = { 0 };
    struct tcp_challenge_budget b = { 0 };
    unsigned same = 0;

    (void)state;
    for (uint64_t s = 0; s < 100; s++)
        same += count_all(&a, &secret, s * NS_PER_S) ==
                count_all(&b, &(struct hash_key){ 7, 8 }, s * NS_PER_S);
    assert_true(same < 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_has_ten_each_second),
        cmocka_unit_test(a_core_has_another_number_each_second),
        cmocka_unit_test(another_secret_has_other_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
