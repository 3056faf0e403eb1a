/*
 * Streams over kernel sockets by io_uring: the same stream as tcp's, so that everything above is
 * the same code. Serves 465 where a listener says `path = kernel`, and 587. One per worker; nothing
 * blocks.
 *
 * One thread at a time uses it; another may create and destroy it. Needs Linux 5.19.
 *
 * Two words of the stream's contract have the kernel in them. DRAINED: the kernel took all that was
 * committed, and sees to it from there. close after shutdown: the queued bytes go out, then FIN,
 * then what the peer still sends is dropped for a short while (LIMIT_KSOCK_LINGER_MS), so that our
 * last bytes are not lost to a reset; the reset for unread bytes comes at the end.
 */
#ifndef POSTERN_KSOCK_H
#define POSTERN_KSOCK_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/counter.h"
#include "base/list.h"
#include "base/seg.h"
#include "base/stream.h"

struct ksock;

struct ksock_config {
    uint32_t connections_max;
    uint32_t receive_bytes_max; /* received and not yet consumed, per connection; past it we stop
                                   receiving */
    uint32_t send_bytes_max;    /* committed and not yet taken by the kernel, per connection */
};

struct ksock_env {
    struct seg_pool *pool;
    struct counters *counters;
    struct list *ready;
};

/* `config` and `env` are copied; what env points to outlives the ksock. NULL with errno when
 * io_uring or memory is not to be had. */
struct ksock *ksock_create(const struct ksock_config *config, const struct ksock_env *env);
/* Sends what closed connections still have queued as far as goes at once, and resets what is still
 * open; owners must not touch their streams again. May wait for the kernel to let go. */
void ksock_destroy(struct ksock *k);
/* Listens (SO_REUSEPORT, so that each worker has its own socket); false with errno (ENOSPC: 16 are
 * open). An address of all zeros is all of IPv6 and IPv4. */
bool ksock_listen(struct ksock *k, const struct endpoint *at, void *cookie);
/* Closes the listening sockets: new connections are refused. */
void ksock_listen_stop(struct ksock *k);
/* The next accepted connection, or NULL. The caller owns the stream; its news go to the ready list
 * from now on. */
struct stream *ksock_accept(struct ksock *k, void **cookie);
/* Submits and reaps; never blocks. Returns the completions handled. */
unsigned ksock_poll(struct ksock *k);
/* What was said to streams since the last poll waits for the next one: a loop must not sleep on it.
 */
bool ksock_has_work(const struct ksock *k);
/* Readable (poll(2)) when there is news. A loop may sleep on it after a ksock_poll that returned 0.
 */
int ksock_fd(const struct ksock *k);
/* All that hold a socket: also those not yet handed out, and those closed and still ending. */
uint32_t ksock_connections(const struct ksock *k);

#endif
