/* See tcp_challenge.h. Past a limit there is silence until the next second; what a peer of good
 * faith needs an answer for, it sends again. */
#include "dataplane/tcp/tcp_challenge.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/limits.h"

/* Counted from 1, so that a budget of zeros is one of no second. */
static uint16_t second_of(uint64_t now_ns)
{
    return (uint16_t)(now_ns / NS_PER_S % UINT16_MAX + 1);
}

static bool take(struct tcp_challenge_budget *b)
{
    if (b->left == 0)
        return false;
    b->left--;
    return true;
}

bool tcp_challenge_one(struct tcp_challenge_budget *b, uint64_t now_ns)
{
    uint16_t second = second_of(now_ns);

    if (b->second != second)
        *b = (struct tcp_challenge_budget){ .second = second, .left = LIMIT_TCP_CHALLENGES };
    return take(b);
}

bool tcp_challenge_any(struct tcp_challenge_budget *b, const struct hash_key *secret,
                       uint64_t now_ns)
{
    if (b->second != second_of(now_ns)) {
        uint64_t second = now_ns / NS_PER_S;
        uint64_t random = hash_sip24(secret, &second, sizeof(second));

        b->second = second_of(now_ns);
        b->left = (uint16_t)(LIMIT_TCP_CHALLENGES_ALL / 2 + random % LIMIT_TCP_CHALLENGES_ALL);
    }
    ASSERT(b->left < 2 * LIMIT_TCP_CHALLENGES_ALL);
    return take(b);
}
