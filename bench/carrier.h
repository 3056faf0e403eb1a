/*
 * What carries the bytes of a client's connections: the kernel's sockets, or our own TCP on a DPDK
 * device. One thread drives all of it, and nothing blocks but carrier_ops' wait.
 *
 * Happy path: connect; wait, which tells news() of each connection that has some, until connected
 * says so; receive and send until they say EAGAIN; close. Failure modes: an errno each, as the
 * system calls of these names have it, from our own TCP too.
 */
#ifndef POSTERN_BENCH_CARRIER_H
#define POSTERN_BENCH_CARRIER_H

#include <sys/socket.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/span.h"
#include "base/stream.h"

/* One connection; all zero: none. */
struct carried {
    void *owner;
    int fd; /* with sockets, -1: closed */
    struct stream *stream;
};

struct carrier {
    const struct carrier_ops *ops;
    struct clock *clock;       /* wait sets it */
    void (*news)(void *owner); /* something happened: go on as far as it can */
};

struct carrier_ops {
    /* Starts to connect to the server. False: errno; c is to be closed all the same. */
    bool (*connect)(struct carrier *carrier, struct carried *c);
    /* After its first news: whether it is connected. False: errno. */
    bool (*connected)(struct carried *c);
    /* As recv: 0 is the peer's end. */
    ssize_t (*receive)(struct carried *c, void *to, size_t cap);
    /* As send. */
    ssize_t (*send)(struct carried *c, const void *from, size_t len);
    void (*close)(struct carried *c);
    /* Until something happens or due_ns is there, whichever is first; then sets the clock and tells
     * whoever has news. False: errno. */
    bool (*wait)(struct carrier *carrier, uint64_t due_ns);
    /* When every connection is closed. */
    void (*destroy)(struct carrier *carrier);
};

/* Both: NULL with a sentence in *why. `clock` must stay. */
struct carrier *carrier_socket_create(const struct sockaddr_storage *to, socklen_t to_len,
                                      struct clock *clock, void (*news)(void *owner),
                                      struct buf *why);

struct carrier_device {
    const char *vdev;      /* as EAL's --vdev has it; NULL: no device */
    struct addr address;   /* the first of ours; IPv4 */
    uint8_t prefix_length; /* of the link */
    uint32_t hosts;        /* addresses from that one on, all ours, used in turns */
    uint32_t connections;  /* at once, of all hosts */
};

struct carrier *carrier_device_create(const struct carrier_device *config,
                                      const struct sockaddr_storage *to, struct clock *clock,
                                      void (*news)(void *owner), struct buf *why);

#endif
