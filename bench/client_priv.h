/*
 * Between client.c (a connection's life) and client_talk.c (its words).
 */
#ifndef POSTERN_BENCH_CLIENT_PRIV_H
#define POSTERN_BENCH_CLIENT_PRIV_H

#include "bench/client.h"

struct tally *client_tally(const struct client *c);
void client_set_phase(struct client *c, enum client_phase phase);
/* Counts an error and closes; the client's job is lost with it. */
void client_fail(struct client *c, enum tally_step step, enum tally_fault fault, struct span text);
/* Makes its next letter; the envelope is still to be said. */
void client_take(struct client *c, uint64_t bytes, uint64_t intended_ns);
/* Where it stands: the first reply that it waits for. */
enum tally_step client_step(const struct client *c);

/* A command and the step that its reply belongs to. */
void client_talk_say(struct client *c, enum tally_step step, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void client_talk_expect(struct client *c, enum tally_step step);
/* The envelope of its letter. */
void client_talk_mail(struct client *c);
/* Takes what the server said. False: the client has failed and is closed, or shakes hands now. */
bool client_talk_hear(struct client *c, struct span in);

#endif
