/*
 * A client's side of a connection, in the clear or under BoringSSL, behind one read and one write;
 * what carries it does not matter. What it costs the client is kept small, or the client would be
 * what is measured: one receive for many records, no buffer of its own.
 *
 * The server's certificate is not checked: this is a load, not a login.
 */
#ifndef POSTERN_BENCH_WIRE_H
#define POSTERN_BENCH_WIRE_H

#include <openssl/ssl.h>

#include "bench/carrier.h"

struct wire_config {
    uint16_t version;  /* TLS1_2_VERSION, TLS1_3_VERSION; 0: what both sides can */
    const char *group; /* as BoringSSL calls it; NULL: its default */
    const char *name;  /* SNI; NULL: none */
    bool resume;       /* use tickets of connections before */
};

/* What all connections of a run share. One thread. */
struct wire_set;

/* NULL with a sentence in *why. The carrier must outlive it. */
struct wire_set *wire_set_create(const struct wire_config *config, struct carrier *carrier,
                                 struct buf *why);
void wire_set_destroy(struct wire_set *set);

struct wire {
    struct wire_set *set;
    struct carried carried;
    SSL *ssl;
    bool secure;     /* reads and writes go through TLS */
    bool shut;       /* we have said close_notify */
    const char *why; /* of WIRE_BROKEN, and its kind: */
    bool crypto;
};

enum wire_outcome {
    WIRE_OK,
    WIRE_WAIT, /* not now: the carrier has news when it is */
    WIRE_END,  /* the peer's end */
    WIRE_BROKEN,
};

/* Starts to connect: WAIT, or BROKEN. `owner` is whom the carrier has news for. */
enum wire_outcome wire_connect(struct wire *w, struct wire_set *set, void *owner);
/* After its first news. */
enum wire_outcome wire_connected(struct wire *w);
/* A step of the handshake; call until it is not WAIT. */
enum wire_outcome wire_handshake(struct wire *w);
bool wire_resumed(const struct wire *w);
/* OK: *got bytes, at least one. Must be called until WAIT: what was received and not read is lost
 * otherwise. */
enum wire_outcome wire_read(struct wire *w, uint8_t *to, uint32_t cap, uint32_t *got);
/* OK: *put bytes were taken, at least one. After WAIT the same bytes must come again. */
enum wire_outcome wire_write(struct wire *w, struct span bytes, uint32_t *put);
/* close_notify, under TLS; the peer's end is then awaited by wire_read. */
void wire_shutdown(struct wire *w);
void wire_close(struct wire *w);

#endif
