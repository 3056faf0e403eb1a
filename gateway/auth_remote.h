/*
 * A back end that is a program beside us: one thread speaks to it for all workers, so that no
 * worker waits for a socket, and one connection carries many questions at once.
 *
 * Happy path: a worker's ask sends the question over (lanes.h); the thread hands it to the client
 * (Dovecot, an HTTP hook), which answers it later by auth_remote_answer; the answer comes back on
 * the worker's loop. Failure modes: too many are under way, or the program stops: TEMPORARY.
 */
#ifndef POSTERN_AUTH_REMOTE_H
#define POSTERN_AUTH_REMOTE_H

#include "base/log.h"
#include "gateway/auth_backend.h"

struct auth_remote;

/* How such a program is spoken to. All on the thread, but for mechanisms. */
struct auth_client {
    /* From any thread. */
    uint32_t (*mechanisms)(const struct auth_client *c);
    /* Takes q until auth_remote_answer, perhaps before ask returns. */
    void (*ask)(struct auth_client *c, struct auth_question *q);
    /* Works until `wake_fd` is readable, or there is something else to do, for a second at most. */
    void (*wait)(struct auth_client *c, int wake_fd);
    /* Answers all that it has. */
    void (*stop)(struct auth_client *c);
    void (*destroy)(struct auth_client *c);

    /* Set by auth_remote_create: the thread's own. */
    struct auth_remote *remote;
    struct log *log;
    const struct clock *clock;
};

/* Takes `client` when it succeeds. NULL with a sentence in *why. */
struct auth_remote *auth_remote_create(struct auth_client *client, uint32_t workers,
                                       enum log_level level, struct buf *why);
bool auth_remote_start(struct auth_remote *r, struct buf *why);
/* Ends the thread. From then on lanes_poll gives back what was under way. */
void auth_remote_stop(struct auth_remote *r);
/* After auth_remote_poll gave 0 for each worker. */
void auth_remote_destroy(struct auth_remote *r);

/* The back end of one worker; auth destroys it. NULL: memory is short. */
struct auth_backend *auth_remote_backend(struct auth_remote *r, uint32_t worker);
/* On that worker's loop: the answers that came. Returns how many. */
unsigned auth_remote_poll(struct auth_remote *r, uint32_t worker);
/* Readable when there are some. */
int auth_remote_fd(const struct auth_remote *r, uint32_t worker);
/* From main: all verdicts that were kept are to be forgotten. */
void auth_remote_renew(struct auth_remote *r);

/* The client's: q->answer is filled in. */
void auth_remote_answer(struct auth_remote *r, struct auth_question *q);
/* The client has slept: reads the clock anew. */
void auth_remote_now(struct auth_remote *r);

struct log *auth_remote_log(struct auth_remote *r);
const struct counters *auth_remote_counters(const struct auth_remote *r);

#endif
