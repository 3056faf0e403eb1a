/*
 * Open addressing with linear probing and deletion by shifting back (Knuth 6.4, algorithm R), so
 * that no tombstones gather. At most half full: the table has twice the slots that connections can
 * need.
 */
#include "gateway/conn_clients.h"

#include <stdlib.h>

#include "base/assert.h"

struct slot {
    struct addr client; /* the interface half of an IPv6 address is zero */
    uint32_t count;     /* 0: free */
};

struct conn_clients {
    struct hash_key secret;
    uint32_t mask;
    struct slot *slots;
};

struct conn_clients *conn_clients_create(uint32_t connections_max, const struct hash_key *secret)
{
    struct conn_clients *t = calloc(1, sizeof(*t));
    uint32_t slots = 16;

    if (t == NULL)
        return NULL;
    while (slots < 2 * (uint64_t)connections_max)
        slots *= 2;
    t->secret = *secret;
    t->mask = slots - 1;
    t->slots = calloc(slots, sizeof(*t->slots));
    if (t->slots == NULL) {
        free(t);
        return NULL;
    }
    return t;
}

void conn_clients_destroy(struct conn_clients *t)
{
    if (t == NULL)
        return;
    free(t->slots);
    free(t);
}

static struct addr client_of(const struct addr *a)
{
    struct addr client = *a;

    if (!addr_is_v4(a))
        memset(client.octets + 8, 0, 8);
    return client;
}

static uint32_t home_of(const struct conn_clients *t, const struct addr *client)
{
    return (uint32_t)hash_sip24(&t->secret, client->octets, sizeof(client->octets)) & t->mask;
}

/* The client's slot, or the free one where it would go. */
static struct slot *find(struct conn_clients *t, const struct addr *client)
{
    uint32_t at = home_of(t, client);

    for (uint32_t tries = 0; tries <= t->mask; tries++) {
        struct slot *s = &t->slots[at];

        if (s->count == 0 || addr_equal(&s->client, client))
            return s;
        at = (at + 1) & t->mask;
    }
    UNREACHABLE("the table of clients is twice the size of the pool of connections");
}

bool conn_clients_enter(struct conn_clients *t, const struct addr *client, uint32_t max)
{
    struct addr key = client_of(client);
    struct slot *s = find(t, &key);

    if (max != 0 && s->count >= max)
        return false;
    s->client = key;
    s->count++;
    return true;
}

/* Slot `hole` has become free: whatever probed past it moves back. */
static void close_gap(struct conn_clients *t, uint32_t hole)
{
    uint32_t at = (hole + 1) & t->mask;

    while (t->slots[at].count != 0) {
        uint32_t home = home_of(t, &t->slots[at].client);

        if (((at - home) & t->mask) >= ((at - hole) & t->mask)) {
            t->slots[hole] = t->slots[at];
            t->slots[at].count = 0;
            hole = at;
        }
        at = (at + 1) & t->mask;
    }
}

void conn_clients_leave(struct conn_clients *t, const struct addr *client)
{
    struct addr key = client_of(client);
    struct slot *s = find(t, &key);

    ASSERT(s->count > 0);
    s->count--;
    if (s->count == 0)
        close_gap(t, (uint32_t)(s - t->slots));
}
