/*
 * A ksock on a loopback port with its loop in the hands of the test, and plain client sockets
 * against it. Waiting is always for a condition, with a deadline; between two looks the fixture
 * sleeps in poll(2) on the ksock's descriptor and the client's, so that a missing wake-up is a
 * failed test.
 */
#ifndef POSTERN_TESTS_KSOCK_FIXTURE_H
#define POSTERN_TESTS_KSOCK_FIXTURE_H

#include "lib/unit.h"

#include "dataplane/kernel/ksock.h"
#include "lib/fault.h"

#define FIXTURE_STREAMS_MAX 300

/* What the loop does with a ready stream. */
enum fixture_mode {
    FIXTURE_HOLD, /* nothing: the test does it */
    FIXTURE_ECHO, /* send back what came; after the end of all: shutdown and close */
    FIXTURE_SINK, /* read and count */
};

struct fixture {
    struct ksock *ksock;
    struct seg_pool *pool;
    struct fault_pool faults;
    struct counters counters;
    struct list ready;
    struct endpoint at;
    int port_holder; /* keeps the port ours */
    uint32_t segs;
    enum fixture_mode mode;
    struct stream *streams[FIXTURE_STREAMS_MAX]; /* accepted and not closed */
    uint32_t stream_count;
    uint32_t accepted;
    uint64_t sunk_bytes;
    int watch; /* a client's descriptor to wake for, or -1 */
};

/* `text`: the address to listen on. */
void fixture_open(struct fixture *f, const char *text, const struct ksock_config *config,
                  uint32_t segs);
/* Asserts that every segment is home. */
void fixture_close(struct fixture *f);
/* One turn: poll, accept, run what is ready. Returns the work done. */
unsigned fixture_turn(struct fixture *f);
/* Turns until `done`, or fails the test after ten seconds. */
void fixture_run(struct fixture *f, bool (*done)(struct fixture *f));
/* Like that, until the condition still holds after some turns without work: nothing more is coming.
 */
void fixture_settle(struct fixture *f);
/* The stream is no longer f's to run. */
void fixture_forget(struct fixture *f, struct stream *s);

/* A non-blocking client that is connected or being so. */
int fixture_connect(struct fixture *f);
/* A client and the stream that belongs to it. */
struct stream *fixture_pair(struct fixture *f, int *client);
/* Reads all that comes until the end or `cap`, turning the loop. Returns the bytes; *end: 0, or
 * errno. */
size_t fixture_read(struct fixture *f, int client, void *to, size_t cap, int *end);
void fixture_send(struct fixture *f, int client, const void *bytes, size_t len);

#endif
