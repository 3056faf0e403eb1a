/*
 * See wire.h. Received bytes go to one buffer that all connections use in turn, and BoringSSL takes
 * its records out of it: a connection is run until it can go no further, so the buffer is empty
 * when the next one has its turn.
 *
 * Failure modes: any errno, any TLS error, the peer's end; the caller counts them, and closes.
 */
#include <errno.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/err.h>

#include "base/assert.h"
#include "bench/wire.h"

#define RECEIVE_BYTES (64 * 1024)
/* Tickets kept: more than connections that open at once would use. */
#define TICKETS_MAX 4096

struct wire_set {
    struct wire_config config;
    struct carrier *carrier;
    SSL_CTX *ctx;
    BIO_METHOD *bio;
    SSL_SESSION *tickets[TICKETS_MAX];
    unsigned ticket_count;
    uint8_t received[RECEIVE_BYTES];
    uint32_t from, to; /* of it, not taken yet */
    struct wire *whose;
};

static ssize_t receive(struct wire *w, void *to, size_t cap)
{
    return w->set->carrier->ops->receive(&w->carried, to, cap);
}

static ssize_t send_some(struct wire *w, const void *from, size_t len)
{
    return w->set->carrier->ops->send(&w->carried, from, len);
}

/* --- below BoringSSL -------------------------------------------------------------------------- */

static int bio_read(BIO *bio, char *to, int cap)
{
    struct wire *w = BIO_get_data(bio);
    struct wire_set *set = w->set;
    ssize_t n;

    BIO_clear_retry_flags(bio);
    if (set->from == set->to) {
        n = receive(w, set->received, sizeof(set->received));
        if (n <= 0) {
            if (n < 0 && errno == EAGAIN)
                BIO_set_retry_read(bio);
            return (int)n;
        }
        set->from = 0;
        set->to = (uint32_t)n;
        set->whose = w;
    }
    ASSERT(set->whose == w);
    if ((uint32_t)cap > set->to - set->from)
        cap = (int)(set->to - set->from);
    memcpy(to, set->received + set->from, (size_t)cap);
    set->from += (uint32_t)cap;
    return cap;
}

static int bio_write(BIO *bio, const char *from, int len)
{
    struct wire *w = BIO_get_data(bio);
    ssize_t n = send_some(w, from, (size_t)len);

    BIO_clear_retry_flags(bio);
    if (n < 0 && errno == EAGAIN)
        BIO_set_retry_write(bio);
    return (int)n;
}

static long bio_ctrl(BIO *bio, int what, long a, void *b)
{
    (void)bio;
    (void)a;
    (void)b;
    return what == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

/* --- what connections share ------------------------------------------------------------------- */

/* TLS 1.3 allows a ticket one use, so each goes with the next connection. */
static int keep_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct wire_set *set = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    if (set->ticket_count == TICKETS_MAX)
        return 0;
    set->tickets[set->ticket_count++] = session;
    return 1;
}

static bool set_up(struct wire_set *set, struct buf *why)
{
    const struct wire_config *c = &set->config;

    set->ctx = SSL_CTX_new(TLS_method());
    set->bio = BIO_meth_new(0, "wire");
    if (set->ctx == NULL || set->bio == NULL || !BIO_meth_set_read(set->bio, bio_read) ||
        !BIO_meth_set_write(set->bio, bio_write) || !BIO_meth_set_ctrl(set->bio, bio_ctrl) ||
        !BIO_meth_set_create(set->bio, bio_create)) {
        buf_printf(why, "memory is short");
        return false;
    }
    if (c->version != 0 && (!SSL_CTX_set_min_proto_version(set->ctx, c->version) ||
                            !SSL_CTX_set_max_proto_version(set->ctx, c->version))) {
        buf_printf(why, "BoringSSL does not know this version of TLS");
        return false;
    }
    if (c->group != NULL && !SSL_CTX_set1_groups_list(set->ctx, c->group)) {
        buf_printf(why, "BoringSSL knows no group '%s'", c->group);
        return false;
    }
    SSL_CTX_set_mode(set->ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_app_data(set->ctx, set);
    if (c->resume) {
        SSL_CTX_set_session_cache_mode(set->ctx,
                                       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(set->ctx, keep_ticket);
    }
    return true;
}

struct wire_set *wire_set_create(const struct wire_config *config, struct carrier *carrier,
                                 struct buf *why)
{
    struct wire_set *set = calloc(1, sizeof(*set));

    if (set == NULL) {
        buf_printf(why, "memory is short");
        return NULL;
    }
    set->config = *config;
    set->carrier = carrier;
    if (set_up(set, why))
        return set;
    wire_set_destroy(set);
    return NULL;
}

void wire_set_destroy(struct wire_set *set)
{
    while (set->ticket_count > 0)
        SSL_SESSION_free(set->tickets[--set->ticket_count]);
    SSL_CTX_free(set->ctx);
    BIO_meth_free(set->bio);
    free(set);
}

/* --- a connection ----------------------------------------------------------------------------- */

static enum wire_outcome broken(struct wire *w, bool crypto, const char *text)
{
    w->crypto = crypto;
    w->why = text;
    return WIRE_BROKEN;
}

static enum wire_outcome broken_errno(struct wire *w)
{
    return broken(w, false, strerror(errno));
}

enum wire_outcome wire_connect(struct wire *w, struct wire_set *set, void *owner)
{
    *w = (struct wire){ .set = set, .carried = { .owner = owner } };
    return set->carrier->ops->connect(set->carrier, &w->carried) ? WIRE_WAIT : broken_errno(w);
}

enum wire_outcome wire_connected(struct wire *w)
{
    return w->set->carrier->ops->connected(&w->carried) ? WIRE_OK : broken_errno(w);
}

static bool open_ssl(struct wire *w)
{
    struct wire_set *set = w->set;
    BIO *bio = BIO_new(set->bio);
    SSL_SESSION *ticket;
    int ok = 1;

    w->ssl = SSL_new(set->ctx);
    if (w->ssl == NULL || bio == NULL) {
        BIO_free(bio);
        return false;
    }
    BIO_set_data(bio, w);
    SSL_set_bio(w->ssl, bio, bio);
    SSL_set_connect_state(w->ssl);
    w->secure = true;
    if (set->config.name != NULL && !SSL_set_tlsext_host_name(w->ssl, set->config.name))
        return false;
    if (set->ticket_count > 0) {
        ticket = set->tickets[--set->ticket_count];
        ok = SSL_set_session(w->ssl, ticket);
        SSL_SESSION_free(ticket);
    }
    return ok == 1;
}

/* What a call of BoringSSL that gave `result` means. */
static enum wire_outcome judge(struct wire *w, int result)
{
    int error = SSL_get_error(w->ssl, result);
    const char *text;

    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return WIRE_WAIT;
    if (error == SSL_ERROR_ZERO_RETURN || (error == SSL_ERROR_SYSCALL && result == 0))
        return WIRE_END;
    if (error == SSL_ERROR_SYSCALL)
        return broken_errno(w);
    text = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    return broken(w, true, text != NULL ? text : "TLS error");
}

enum wire_outcome wire_handshake(struct wire *w)
{
    int result;

    if (w->ssl == NULL && !open_ssl(w))
        return broken(w, true, "memory is short");
    result = SSL_do_handshake(w->ssl);
    return result == 1 ? WIRE_OK : judge(w, result);
}

bool wire_resumed(const struct wire *w)
{
    return w->ssl != NULL && SSL_session_reused(w->ssl) == 1;
}

enum wire_outcome wire_read(struct wire *w, uint8_t *to, uint32_t cap, uint32_t *got)
{
    ssize_t n;

    if (w->secure) {
        n = SSL_read(w->ssl, to, (int)cap);
        if (n <= 0)
            return judge(w, (int)n);
    } else {
        n = receive(w, to, cap);
        if (n == 0)
            return WIRE_END;
        if (n < 0)
            return errno == EAGAIN ? WIRE_WAIT : broken_errno(w);
    }
    *got = (uint32_t)n;
    return WIRE_OK;
}

enum wire_outcome wire_write(struct wire *w, struct span bytes, uint32_t *put)
{
    ssize_t n;

    if (w->secure) {
        n = SSL_write(w->ssl, bytes.ptr, (int)bytes.len);
        if (n <= 0)
            return judge(w, (int)n);
    } else {
        n = send_some(w, bytes.ptr, bytes.len);
        if (n < 0)
            return errno == EAGAIN ? WIRE_WAIT : broken_errno(w);
    }
    *put = (uint32_t)n;
    return WIRE_OK;
}

void wire_shutdown(struct wire *w)
{
    if (!w->secure || w->shut)
        return;
    w->shut = true;
    if (SSL_shutdown(w->ssl) < 0) /* no room now: then the end of the socket is all it gets */
        ERR_clear_error();
}

void wire_close(struct wire *w)
{
    if (w->set->whose == w)
        w->set->from = w->set->to = 0;
    SSL_free(w->ssl);
    w->ssl = NULL;
    w->set->carrier->ops->close(&w->carried);
}
