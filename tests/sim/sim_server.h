/*
 * A whole gateway in the simulator, but for TLS (its randomness is BoringSSL's own): core, net,
 * tcp, connections, sessions, authentication and spool, on one end of a simulated wire and on a
 * simulated disk.
 */
#ifndef POSTERN_TESTS_SIM_SERVER_H
#define POSTERN_TESTS_SIM_SERVER_H

#include "base/clock.h"
#include "base/nic.h"
#include "base/rng.h"
#include "spool/spool.h"

struct sim_server;

#define SIM_SERVER_ADDRESS 0xc6120002 /* 198.18.0.2 */
#define SIM_SERVER_PORT    465

/* Recovers the spool behind `io` and begins to listen. The recovery is asserted to succeed. */
struct sim_server *sim_server_create(struct nic *nic, struct spool_io *io,
                                     const struct clock *clock, struct rng *rng);
/* As kill -9: nothing more is written or sent; memory is freed. */
void sim_server_kill(struct sim_server *s);
/* One turn of the loop, of the spool's writer and of a helper. Returns the work done. */
unsigned sim_server_turn(struct sim_server *s);
uint64_t sim_server_next_ns(const struct sim_server *s);
const struct spool_recovery *sim_server_recovery(const struct sim_server *s);

#endif
