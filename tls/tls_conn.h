/*
 * Private to tls/: the context, the worker and the connection, with the prototypes of each file.
 *
 * A connection goes START (nothing read) -> HANDSHAKE -> OPEN, and to FAILED from each.
 * tls_conn_set_state is the only writer. Ended, truncated and closing are flags of OPEN, as the two
 * directions end apart.
 */
#ifndef POSTERN_TLS_CONN_H
#define POSTERN_TLS_CONN_H

#include <openssl/ssl.h>

#include "base/limits.h"
#include "base/pool.h"
#include "tls/tls.h"
#include "tls/tls_cert.h"
#include "tls/tls_record.h"
#include "tls/tls_ticket_file.h"
#include "tls/tls_trust.h"

/* What was read from files at one time: what an SSL_CTX serves, which owns it. */
struct tls_files {
    struct tls_ctx *ctx;
    struct tls_credential credentials[LIMIT_CERTIFICATES];
    unsigned credential_count;
    bool has_rsa;
    struct tls_ticket_file tickets; /* none in it: the keys are ctx->tickets */
    struct tls_trust trust;
};

struct tls_ctx {
    struct tls_config config;
    SSL_CTX *ssl; /* by the files as they were read last; main's */
    BIO_METHOD *bio;
    struct list workers; /* main's */
    struct tls_ticket_keys tickets;
    _Atomic uint64_t unix_s; /* now, so far as main has said */
};

struct tls_worker {
    struct tls_ctx *ctx;
    struct tls_env env;
    struct list_node link;      /* in ctx->workers */
    SSL_CTX *ssl;               /* a reference, for new connections */
    _Atomic(SSL_CTX *) offered; /* the next one, or NULL */
    struct pool *conns;
    struct pool *gathers;        /* records that come in parts, TLS_RECORD_MAX bytes each */
    struct pool *awake;          /* struct tls_awake */
    struct list awake_order;     /* those in use, the longest silent first */
    struct pool *signatures;     /* struct tls_sign */
    uint32_t signatures_posted;  /* with the helpers now */
    uint32_t signatures_called;  /* connections in TLS_SIGN_CALLED */
    struct pool *hints;          /* struct tls_hint; NULL: there are no helpers */
    struct pool *verifies;       /* struct tls_verify; NULL: nobody is asked for a certificate */
    struct list signatures_wait; /* connections (sign_link) that wait for room with the helpers */
    struct span runs[LIMIT_TLS_RECORD_RUNS];
    uint8_t scratch[TLS_RECORD_BODY_MAX];
};

enum tls_state { TLS_STATE_START, TLS_STATE_HANDSHAKE, TLS_STATE_OPEN, TLS_STATE_FAILED };

/* Where a connection stands in the queue for room with the helpers. */
enum tls_sign_wait {
    TLS_SIGN_NO_WAIT,
    TLS_SIGN_WAITS,  /* in worker->signatures_wait */
    TLS_SIGN_CALLED, /* its turn: on the ready list, to try again */
};

struct tls_sign;
struct tls_hint;
struct tls_verify;
struct tls_conn;

/* Who makes and reads a connection's records, once it is OPEN. */
struct tls_layer {
    /* Moves plaintext to `to`, as far as it is there; sets c->ended, or fails c. */
    uint32_t (*read)(struct tls_conn *c, uint8_t *to, uint32_t cap);
    /* A read may give bytes, or find the end. */
    bool (*is_readable)(const struct tls_conn *c);
    /* As stream_ops.reserve. */
    struct seg *(*reserve)(struct tls_conn *c, uint32_t len);
    /* Sends what is in a segment of reserve's, and takes it; false: there is no room below, or c
     * failed, and the segment stays the caller's. */
    bool (*write)(struct tls_conn *c, struct seg *seg);
    /* Sends close_notify; false: likewise. */
    bool (*close)(struct tls_conn *c);
};

/* A connection's keys, expanded. */
struct tls_awake {
    struct list_node link; /* in worker->awake_order */
    struct tls_conn *conn;
    struct tls_record_key in;
    struct tls_record_key out;
};

/* All that our own record layer keeps of a connection. */
struct tls_own {
    struct tls_record_secret in;
    struct tls_record_secret out;
    struct tls_awake *awake; /* NULL: hibernates */
    struct tls_record_control control;
    uint16_t taken;  /* bytes of the record at hand that the reader has */
    uint8_t *gather; /* of the worker: a record that came in parts; NULL: none */
    uint16_t gathered;
    bool whole;      /* `gather` has all of it */
    bool partial;    /* only a part was below, and there is no buffer for it */
    bool update_due; /* the peer wants us to change our key before we send more */
    bool asked;      /* we want that of the peer, and said so */
};

struct tls_conn {
    struct stream upper;
    struct stream *lower;
    struct tls_worker *worker;
    SSL_CTX *ssl_ctx; /* a reference: to the files that it began with */
    SSL *ssl;         /* NULL: our own record layer has taken over */
    /* Whose certificate the client has seen, in this handshake or in the one that it resumes; NULL:
     * not known yet. */
    const struct tls_credential *credential;
    const struct tls_layer *layer; /* NULL: not OPEN yet */
    struct tls_own own;
    uint16_t suite; /* IANA's numbers; once OPEN */
    uint16_t group;
    bool resumed;
    struct seg *out;       /* of the lower stream, being filled; NULL between calls of this room */
    struct list held;      /* plaintext segments that were committed and do not fit below yet */
    struct tls_hint *hint; /* of a helper for the next step; NULL: none */
    struct tls_verify *verify; /* the client's certificate; NULL: it has sent none */
    struct tls_sign *sign;
    struct list_node sign_link;
    enum tls_sign_wait sign_wait;
    enum tls_state state;
    uint32_t hello_need; /* bytes of the first record, header included; 0: not known */
    uint64_t in_bytes;   /* ciphertext taken from below */
    uint64_t out_bytes;  /* ciphertext handed down */
    bool wants_hint;     /* within tls_conn_handshake_helped */
    bool no_hint;        /* the ClientHello at hand is none for a helper, and waits for its turn */
    bool hello_done;     /* the dear step is behind us */
    bool retried;        /* a HelloRetryRequest went out */
    bool ended;          /* close_notify, or the end of the lower stream, was seen */
    bool truncated;      /* ... and it was not close_notify */
    bool closing;        /* shutdown was called */
    bool close_sent;     /* ... and our close_notify is with the lower stream */
    uint8_t alert_sent;  /* fatal ones */
    uint8_t alert_received;
    struct tls_error error;
};

/* --- tls_conn.c ------------------------------------------------------------------------------ */

void tls_conn_set_state(struct tls_conn *c, enum tls_state to);
/* FAILED, for what is in BoringSSL's queue or, if `reason` is set, for that. */
void tls_conn_fail(struct tls_conn *c, enum tls_fault fault, const char *reason);
struct tls_conn *tls_conn_of(const SSL *ssl);
/* Frees all but the lower stream. */
void tls_conn_free(struct tls_conn *c);
/* SSL_CTX callbacks. */
enum ssl_select_cert_result_t tls_conn_on_hello(const SSL_CLIENT_HELLO *hello);
void tls_conn_on_info(const SSL *ssl, int what, int value);

/* --- tls_ctx.c ---------------------------------------------------------------------------------
 */

/* Also of an SSL object that has no connection, a helper's. */
struct tls_files *tls_ctx_files(const SSL *ssl);
/* Where a certificate is noted when a ticket is opened that was sealed under it; lives as long as
 * the SSL object. False: memory is short. */
bool tls_ctx_set_note(SSL *ssl, const struct tls_credential **note);
/* Notes the certificate with this id; false: there is none any more. */
bool tls_ctx_note(const SSL *ssl, const uint8_t id[TLS_CERT_ID_BYTES]);
/* The certificate that a client has seen, in a handshake that is past its choice. */
const struct tls_credential *tls_ctx_shown(const SSL *ssl);
/* Gives it the certificates for the name in its ClientHello; false: memory is short. */
bool tls_ctx_offer_certificates(SSL *ssl);

/* --- tls_stream.c ---------------------------------------------------------------------------- */

extern const struct stream_ops tls_stream_ops;
/* Moves what waits, then makes the ready bits true. */
void tls_stream_update(struct tls_conn *c);

/* --- tls_layer_ssl.c, tls_layer_take.c, tls_layer_own.c ----------------------------------------
 */

extern const struct tls_layer tls_layer_ssl;  /* BoringSSL's */
extern const struct tls_layer tls_layer_take; /* BoringSSL's until the first call, then ours */
extern const struct tls_layer tls_layer_own;
/* Gives back the buffer of a record that came in parts, if there is one. */
void tls_layer_own_drop(struct tls_conn *c);

/* --- tls_awake.c ----------------------------------------------------------------------------- */

/* c's keys, expanded if need be; NULL: memory is short. Another's may go to rest for it. */
struct tls_awake *tls_awake_keys(struct tls_conn *c);
/* c hibernates, if it does not yet. */
void tls_awake_rest(struct tls_conn *c);

/* --- tls_bio.c ------------------------------------------------------------------------------- */

/* NULL: memory is short. */
BIO_METHOD *tls_bio_method_create(void);
/* Sets c->ssl's BIO; false: memory is short. */
bool tls_bio_attach(struct tls_conn *c);
/* Commits the segment being filled, if there is one: at the end of each call that may have written.
 */
void tls_bio_commit(struct tls_conn *c);
/*
 * Bytes of ciphertext waiting below, counted up to `enough`; more runs than we look at count as
 * enough. The first `cap` are copied to `head`.
 */
uint32_t tls_bio_available(const struct tls_conn *c, uint32_t enough, uint8_t *head, uint32_t cap);

/* --- tls_hint.c ------------------------------------------------------------------------------ */

/* One handshake's hints. Its own pool: the connection may be gone before the helper is done. */
struct tls_hint {
    struct job job;
    struct tls_worker *worker;
    struct tls_conn *conn;                /* NULL: gone */
    SSL_CTX *ssl_ctx;                     /* a reference */
    const struct tls_credential *resumed; /* of the ticket that was opened; NULL: none was */
    bool posted;                          /* a helper has it */
    bool done;
    uint32_t hello_len;
    uint32_t capabilities_len;
    uint32_t hints_len; /* 0: none were found */
    uint8_t capabilities[LIMIT_TLS_CAPABILITIES_BYTES];
    uint8_t hello[LIMIT_TLS_HINT_HELLO_BYTES];
    uint8_t hints[LIMIT_TLS_HINTS_BYTES];
};

/* The ClientHello was parsed: stops the handshake to have hints made, or goes on with or without.
 */
enum ssl_select_cert_result_t tls_hint_on_hello(struct tls_conn *c, const SSL_CLIENT_HELLO *hello);
/* Hands c->hint to a helper; false: there is no room now. */
bool tls_hint_post(struct tls_conn *c);
bool tls_hint_has_place(const struct tls_worker *w);
/* The connection goes away. */
void tls_hint_forget(struct tls_conn *c);

/* --- tls_sign.c ------------------------------------------------------------------------------ */

/* One RSA signature. Its own pool: the connection may be gone before the helper is done. */
struct tls_sign {
    struct job job;
    struct tls_worker *worker;
    struct tls_conn *conn; /* NULL: gone */
    EVP_PKEY *key;
    uint16_t algorithm;
    bool posted; /* a helper has it */
    bool done;
    bool ok;
    uint32_t in_len;
    uint32_t out_len;
    uint8_t in[LIMIT_TLS_SIGN_INPUT_BYTES];
    uint8_t out[LIMIT_TLS_SIGNATURE_BYTES];
};

extern const SSL_PRIVATE_KEY_METHOD tls_sign_method;
/* Signs inline; false: the key cannot. *out_len: room in, length out. Any thread. */
bool tls_sign_now(EVP_PKEY *key, uint16_t algorithm, struct span in, uint8_t *out, size_t *out_len);
/* Before a handshake step: false when it might need a signature for which there is no room; c waits
 * for it. */
bool tls_sign_may_begin(struct tls_conn *c);
/* The connection goes away. */
void tls_sign_forget(struct tls_conn *c);

/* --- tls_verify.c ---------------------------------------------------------------------------- */

/* SSL_CTX's callback: stops the handshake until a helper has looked at the client's chain. */
enum ssl_verify_result_t tls_verify_on_chain(SSL *ssl, uint8_t *alert);
bool tls_verify_is_posted(const struct tls_conn *c);
/* The answer is there, and has not been looked at. */
bool tls_verify_is_due(const struct tls_conn *c);
/* Why the chain was refused: static text; NULL: it was not. */
const char *tls_verify_fault(const struct tls_conn *c);
/* As struct tls_info's. */
struct span tls_verify_identity(const struct tls_conn *c);
struct pool *tls_verify_pool(uint32_t connections_max);
/* The connection goes away. */
void tls_verify_forget(struct tls_conn *c);

#endif
