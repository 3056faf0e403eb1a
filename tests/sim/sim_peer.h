/*
 * Clients of the simulator: each submits a few messages over its own TCP connection, remembers what
 * it was told about each, and may behave badly (stall, break off, write a byte at a time, leave
 * without waiting).
 */
#ifndef POSTERN_TESTS_SIM_PEER_H
#define POSTERN_TESTS_SIM_PEER_H

#include "base/clock.h"
#include "base/rng.h"
#include "base/stream.h"
#include "dataplane/core.h"

enum sim_answer {
    SIM_UNANSWERED, /* sent or not, no reply to its end of data was read */
    SIM_ACCEPTED,   /* 250 */
    SIM_REFUSED,    /* 4xx or 5xx */
};

/* What is known of a message from the client's side. */
struct sim_sent {
    uint64_t key;   /* stands in its first line */
    uint64_t bytes; /* dot-stuffed, without the end mark */
    uint32_t crc;   /* CRC-32C of those */
    enum sim_answer answer;
};

struct sim_peers;

struct sim_peers_config {
    uint32_t peers;
    uint32_t messages_each; /* at most */
    uint32_t bytes_min;     /* of a body */
    uint32_t bytes_max;     /* of a body, but for its last line */
    bool well_behaved;      /* no stalls and no breaking off: all must be accepted */
    struct endpoint server;
    uint32_t client_address; /* IPv4, host order */
    uint64_t first_key;      /* so that several runs on one spool don't share keys */
};

/* Clients on `core`, whose handler this becomes. */
struct sim_peers *sim_peers_create(const struct sim_peers_config *config, struct core *core,
                                   const struct clock *clock, struct rng *rng);
void sim_peers_destroy(struct sim_peers *ps);
/* Starts and ends what is due. Returns the work done. */
unsigned sim_peers_poll(struct sim_peers *ps);
uint64_t sim_peers_next_ns(const struct sim_peers *ps);
/* True when every client has ended. */
bool sim_peers_done(const struct sim_peers *ps);
/* The server is gone: every connection is dropped, what had no answer stays so. */
void sim_peers_drop_all(struct sim_peers *ps);

/* Messages that were not sent, since a client ended early. */
uint32_t sim_peers_unsent(const struct sim_peers *ps);
uint32_t sim_peers_sent_count(const struct sim_peers *ps);
const struct sim_sent *sim_peers_sent(const struct sim_peers *ps, uint32_t index);

/* The key in a body's first line; 0: none. */
uint64_t sim_peer_key_of(struct span body);

#endif
