/*
 * A server connection of tls/ and a BoringSSL client on the two ends of a mem_stream, with
 * certificates made at run time in a folder of its own. What every test of tls/ stands on.
 *
 * Happy path: rig_open; rig_handshake; move data; rig_close. Certificates: rig_certs, once a
 * program.
 */
#ifndef POSTERN_TESTS_UNIT_TLS_RIG_H
#define POSTERN_TESTS_UNIT_TLS_RIG_H

#include <openssl/ssl.h>

#include "lib/mem_stream.h"
#include "tls/tls.h"

enum rig_cert { RIG_ECDSA, RIG_RSA, RIG_CERTS };

/* The PEM files; made at the first call, gone at exit. */
const char *rig_chain_path(enum rig_cert which);
const char *rig_key_path(enum rig_cert which);
/* A certificate of its own, in NAME.pem and NAME.key; made anew at each call. `names`: its
 * subjectAltName ("DNS:a,DNS:b"); NULL: none. */
struct tls_certificate rig_make_certificate(enum rig_cert which, const char *name,
                                            const char *names);
/* A path in the same folder. */
const char *rig_path(const char *name);
void rig_write_file(const char *path, const char *text);

/* Set by a test's main: BoringSSL's record layer in TLS 1.3, not ours. */
extern bool rig_boringssl_records;

struct rig_config {
    const struct tls_certificate *certificates; /* up to one without a path; NULL: the two of all */
    bool rsa_only;
    bool both; /* ECDSA and RSA side by side; neither flag: ECDSA */
    bool tls13_only;
    bool no_tickets;
    const char *ticket_keys_path;
    enum tls_clients clients;
    enum tls_identity identity;
    const char *client_ca_path;
    const char *client_crl_path;
    struct job_queue *jobs;
    uint32_t chunk; /* of the wire */
    uint32_t run_max;
    uint32_t room;
    uint32_t connections; /* 0: 1 */
};

struct rig {
    struct seg_pool *pool;
    struct mem_pair *wire;
    struct list ready; /* of the server's end */
    struct list client_ready;
    struct counters counters;
    struct clock clock;
    struct tls_ctx *ctx;
    struct tls_worker *worker;
    struct tls_conn *conn; /* NULL: gone */
    enum tls_outcome outcome;
    SSL_CTX *client_ctx;
    SSL *client;
    int client_error; /* SSL_get_error of its last handshake step */
    bool client_done;
    struct mem_stream_config wire_config;
    SSL_SESSION *session; /* the last ticket the client got */
    unsigned tickets;
};

/* ctx and worker; no connection yet. */
void rig_open(struct rig *r, const struct rig_config *config);
/* One more wire, connection and client (those before are ended). `setup` may change the client
 * first. */
void rig_connect(struct rig *r, void (*setup)(SSL *client));
void rig_disconnect(struct rig *r);
void rig_close(struct rig *r);

/* Moves bytes between the client's memory and its end of the wire, and steps the wire; what moved.
 */
uint32_t rig_move(struct rig *r);
/* Steps both sides until nothing moves. True: both are done. */
bool rig_handshake(struct rig *r);
/* rig_connect and rig_handshake, which must be well. */
void rig_establish(struct rig *r, void (*setup)(SSL *client));

/* The client's bytes as they are, without TLS. */
void rig_client_raw(struct rig *r, const void *bytes, uint32_t len);
/* What the server put on the wire, taken as it is. */
uint32_t rig_client_take_raw(struct rig *r, uint8_t *to, uint32_t cap);
/* The flight that the client would send first. Returns its length. */
uint32_t rig_record_hello(struct rig *r, void (*setup)(SSL *client), uint8_t *to, uint32_t cap);

/* Plaintext both ways, with pumping; the bytes that came (NUL-ended in `to`). */
void rig_client_send(struct rig *r, const char *text);
uint32_t rig_server_read(struct rig *r, char *to, uint32_t cap);
void rig_server_send(struct rig *r, const char *text);
uint32_t rig_client_read(struct rig *r, char *to, uint32_t cap);
/* A command and a reply, which must arrive. */
void rig_talk(struct rig *r);

#endif
