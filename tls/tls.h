/*
 * TLS 1.3 and 1.2 on a stream: ciphertext below, plaintext above, both struct stream. The only room
 * that includes BoringSSL headers; no SSL type leaves it.
 *
 * Happy path: tls_conn_open on an accepted stream; tls_conn_handshake until TLS_DONE; then
 * tls_conn_stream is read and written like any stream (read, reserve, commit, shutdown, close).
 */
#ifndef POSTERN_TLS_H
#define POSTERN_TLS_H

#include "base/clock.h"
#include "base/counter.h"
#include "base/job.h"
#include "base/limits.h"
#include "base/stream.h"

struct tls_ctx;    /* certificates, tickets, policy: shared, main's while loops run */
struct tls_worker; /* one thread's pool of connections */
struct tls_conn;

/*
 * Paths of PEM files: a chain, leaf first, and its key. A client gets one that is for the name that
 * it asks for (SNI), or the first; where an ECDSA and an RSA one are for the same name, the first
 * of them that it can verify.
 */
struct tls_certificate {
    const char *chain_path;
    const char *key_path;
    const char *ocsp_path; /* a response in DER, stapled while it is current; NULL: none */
};

/* Whether clients are asked for a certificate. One that is sent must be good, or the handshake
 * ends.
 */
enum tls_clients { TLS_CLIENTS_OFF, TLS_CLIENTS_ASK, TLS_CLIENTS_REQUIRE };

/* What of a client's certificate says whose it is: the first name of this kind. */
enum tls_identity {
    TLS_IDENTITY_EMAIL, /* an rfc822Name of subjectAltName */
    TLS_IDENTITY_DNS,   /* a dNSName of subjectAltName, without "*" */
    TLS_IDENTITY_CN,    /* the subject's commonName */
};

struct tls_config {
    struct tls_certificate certificates[LIMIT_CERTIFICATES];
    unsigned certificate_count;
    bool tls12;                 /* TLS 1.2 too (AEAD suites only), not 1.3 alone */
    bool boringssl_records;     /* BoringSSL's record layer in TLS 1.3 too, not ours */
    uint32_t ticket_lifetime_s; /* of a ticket key and its tickets; 0: no tickets */
    /* A file of ticket keys that a fleet shares (tls_ticket_file.h); NULL: own ones, in memory. */
    const char *ticket_keys_path;
    enum tls_clients clients;
    const char *client_ca_path;  /* PEM: who signs them; not NULL where they are asked for */
    const char *client_crl_path; /* PEM: a list of each signer's that is current; NULL: none */
    enum tls_identity identity;
};

/* NULL with a sentence (file, what is wrong with it) in *why. The paths must live as long. */
struct tls_ctx *tls_ctx_create(const struct tls_config *config, struct buf *why);
/* After its workers are destroyed. */
void tls_ctx_destroy(struct tls_ctx *ctx);
/*
 * Reads all files again, beside running loops: connections that begin from now on are served by
 * what they hold now, those that are there go on as they are, tickets stay good while their
 * certificate is there. False: *why has the reason, and nothing has changed. By the thread that
 * creates workers.
 */
bool tls_ctx_reload(struct tls_ctx *ctx, struct buf *why);
/*
 * Says what time it is. Makes a new ticket key when the current one is a lifetime old; the one
 * before still opens, older ones do not; or goes over to the next one of the file. Called by main
 * now and then (each minute will do; the first call tells the current key's birth), safe beside
 * running loops.
 */
void tls_ctx_rotate(struct tls_ctx *ctx, uint64_t unix_ms);
/* True: a sentence about an OCSP response in *out, which is not stapled as it is not valid yet or
 * any more, or is missed. Each once in a time of files. By main, after tls_ctx_rotate. */
bool tls_ctx_news(struct tls_ctx *ctx, struct buf *out);

struct tls_env {
    struct counters *counters;
    const struct clock *clock;
    struct job_queue *jobs; /* RSA signatures and clients' chains go there; NULL: done inline */
};

/* Pools for connections_max connections. NULL: memory is short. */
struct tls_worker *tls_worker_create(struct tls_ctx *ctx, uint32_t connections_max,
                                     const struct tls_env *env);
/* Asserts that its connections are closed and its jobs are back. */
void tls_worker_destroy(struct tls_worker *w);

/* Takes the stream below, which can hold 17 KB unread (a record): tls_conn closes it. The upper
 * stream's owner and endpoints are copied from it. NULL: pool is empty (the stream stays the
 * caller's). */
struct tls_conn *tls_conn_open(struct tls_worker *w, struct stream *lower);
/*
 * Upper stream; usable after TLS_DONE. It has no peek: read tells BoringSSL where plaintext goes.
 * Its bits are true after each of its calls and after tls_conn_update, but it never puts itself on
 * the ready list: news come from the lower stream, which is on it. Its close() frees the tls_conn
 * and closes the lower stream; what DRAINED does not yet vouch for may be lost then.
 */
struct stream *tls_conn_stream(struct tls_conn *c);
/* Before or instead of TLS_DONE: frees the tls_conn, and the lower stream is the caller's again. */
struct stream *tls_conn_detach(struct tls_conn *c);

enum tls_outcome {
    TLS_DONE,
    TLS_WANT_INPUT,     /* more bytes from the peer */
    TLS_WANT_OUTPUT,    /* the lower stream has no room now */
    TLS_WANT_SIGNATURE, /* a helper is at work; the lower stream is put on the ready list when it is
                           done */
    TLS_WANT_TURN,      /* no helper has room: try again in another turn */
    TLS_FAILED,         /* tls_conn_error says why; an alert is on its way where one is due */
};

/* True when the next step is a dear one, 0.1 ms: a whole ClientHello is there (key exchange and
 * signature), or a client's chain is verified (and then its own signature is). */
bool tls_conn_handshake_is_dear(const struct tls_conn *c);
/* One step of the handshake. After TLS_FAILED: tls_conn_detach, and end the lower stream (shutdown
 * lets an alert out). */
enum tls_outcome tls_conn_handshake(struct tls_conn *c);
/*
 * For a dear step when there is no time for it: a helper does what is dear, and the step after it
 * is dear no more. TLS_WANT_TURN: none has room; the connection is to try again, or to make the
 * step by tls_conn_handshake when its turn comes.
 */
enum tls_outcome tls_conn_handshake_helped(struct tls_conn *c);
/* Brings the upper stream's ready bits up to date after news from the lower one, and moves what
 * waited for it. */
void tls_conn_update(struct tls_conn *c);
/* ENDED without close_notify: the end may be a cut (RFC 8446, 6.1), and what was sent may not be
 * all. */
bool tls_conn_truncated(const struct tls_conn *c);

enum tls_fault { TLS_FAULT_NONE, TLS_FAULT_PEER, TLS_FAULT_SELF, TLS_FAULT_TRANSPORT };

struct tls_error {
    enum tls_fault fault;
    bool not_tls;       /* the first bytes were no TLS record: plain text; no alert was sent */
    uint8_t alert;      /* sent or received; 0: none */
    const char *reason; /* static text: "no shared cipher", "unsupported version", ... */
};

const struct tls_error *tls_conn_error(const struct tls_conn *c);

/* Bytes of tls-exporter (RFC 9266, 2). */
#define TLS_BINDING_BYTES 32

/* Static texts as the IANA registries spell them; valid after TLS_DONE. Name and binding are known
 * until the upper stream is first used; where our own record layer took over, there are none then.
 */
struct tls_info {
    const char *version; /* "TLSv1.3" */
    const char *cipher;  /* "TLS_AES_128_GCM_SHA256" */
    const char *group;   /* "X25519MLKEM768" */
    bool resumed;
    char server_name[256]; /* SNI, "" when none */
    /* Whose verified certificate the client has: printable, a login's length at most; empty: it has
     * none, or none with such a name. Lives as long as the connection. */
    struct span identity;
    /* The hash of the certificate that the client has seen (RFC 5929, 4.1); empty: it has none that
     * is defined. Lives as long as the connection. */
    struct span end_point;
    /* What both ends know of this channel and nobody else (RFC 9266); TLS 1.3 only. */
    bool bound;
    uint8_t binding[TLS_BINDING_BYTES];
};

void tls_conn_info(const struct tls_conn *c, struct tls_info *out);

#endif
