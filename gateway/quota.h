/*
 * What somebody may use of something in a window of time, and how many of something he may have at
 * once: one bounded table for all workers, as a sender's connections land on any of them. It is
 * touched once a message, not once a packet, and two workers meet in a line of it only where both
 * serve the same sender.
 *
 * Rates are GCRA (ITU-T I.371): one time for each name, the moment at which all that was used is
 * paid for. A rate of n in w lets n through at once and then one each w/n: at most 2n in any w.
 *
 * Failure modes: none past creation. With more live names than entries the newest ones are not
 * counted, and quota_charge and quota_enter say so.
 */
#ifndef POSTERN_QUOTA_H
#define POSTERN_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/span.h"

struct quota;

struct quota_rate {
    uint64_t amount; /* in each window; 0: as much as one likes */
    uint32_t window_s;
};

/* Whose, and of what. From one table to another it means nothing. */
struct quota_key {
    uint64_t hash; /* keyed; never 0 */
};

/* `key` is random, so that nobody can choose names that meet. NULL: memory is short. */
struct quota *quota_create(uint32_t entries, const struct hash_key *key);
void quota_destroy(struct quota *q);

/* `what` keeps apart the things that are counted; below 256. Names may be up to LIMIT_LOGIN_BYTES.
 */
struct quota_key quota_key_of(const struct quota *q, uint8_t what, struct span name);

/* All below: from any thread, never waits. `now_ns` is one clock's for all callers. */

/* True when `amount` more keep the rate. Changes nothing. */
bool quota_has_room(const struct quota *q, struct quota_key key, struct quota_rate rate,
                    uint64_t amount, uint64_t now_ns);
/* Notes that `amount` was used, beyond the rate as well: it is paid for later. False: not counted.
 */
bool quota_charge(struct quota *q, struct quota_key key, struct quota_rate rate, uint64_t amount,
                  uint64_t now_ns);

enum quota_entry {
    QUOTA_ENTERED,   /* counted: quota_leave in the end */
    QUOTA_CROWDED,   /* there are `most` already */
    QUOTA_UNCOUNTED, /* may go on: the table is full of others */
};

/* One more of at most `most` at once. A key is for rates or for this, not for both. */
enum quota_entry quota_enter(struct quota *q, struct quota_key key, uint32_t most, uint64_t now_ns);
void quota_leave(struct quota *q, struct quota_key key);

#endif
