/*
 * How many connections each client has: an IPv4 address or an IPv6 /64 is one client. A bounded
 * open table with a keyed hash; it has room for every connection of the worker, so it is never
 * full.
 */
#ifndef POSTERN_CONN_CLIENTS_H
#define POSTERN_CONN_CLIENTS_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/hash.h"

struct conn_clients;

/* For at most connections_max connections in all. NULL: memory is short. */
struct conn_clients *conn_clients_create(uint32_t connections_max, const struct hash_key *secret);
void conn_clients_destroy(struct conn_clients *t);
/* Counts one more for this client; false, and nothing counted, when it has `max` already (0: no
 * limit). */
bool conn_clients_enter(struct conn_clients *t, const struct addr *client, uint32_t max);
/* One less; the client has entered before. */
void conn_clients_leave(struct conn_clients *t, const struct addr *client);

#endif
