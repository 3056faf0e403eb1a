/*
 * Session tickets, sealed by us (RFC 5077, 4; RFC 8446, 4.6.1): name of the key | nonce |
 * ciphertext and tag, AES-256-GCM with the name as additional data and a random nonce. A key lives
 * for hours and seals far less than the 2^32 messages that random nonces allow.
 *
 * Failure modes: a ticket that no key opens means a full handshake; nothing is logged for it.
 */
#include "tls/tls_ticket.h"

#include <openssl/aead.h>
#include <openssl/mem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "base/assert.h"
#include "tls/tls_conn.h"
#include "tls/tls_error.h"

#define NONCE_BYTES 12

static void store(struct tls_ticket_keys *keys, uint64_t generation,
                  const struct tls_ticket_key *key)
{
    _Atomic uint64_t *slot = keys->words[generation % TLS_TICKET_SLOTS];

    for (unsigned i = 0; i < TLS_TICKET_WORDS; i++)
        atomic_store_explicit(&slot[i], key->words[i], memory_order_release);
}

/* Copies the key `age` generations back (0 or 1) as it is at one moment. */
static void load(struct tls_ticket_keys *keys, unsigned age, struct tls_ticket_key *out)
{
    uint64_t before;
    uint64_t after = atomic_load_explicit(&keys->generation, memory_order_acquire);

    do {
        _Atomic uint64_t *slot;

        before = after;
        slot = keys->words[(before - age) % TLS_TICKET_SLOTS];
        for (unsigned i = 0; i < TLS_TICKET_WORDS; i++)
            out->words[i] = atomic_load_explicit(&slot[i], memory_order_acquire);
        after = atomic_load_explicit(&keys->generation, memory_order_acquire);
    } while (after != before);
}

static void store_fresh(struct tls_ticket_keys *keys, uint64_t generation)
{
    struct tls_ticket_key key;

    RAND_bytes((uint8_t *)&key, sizeof(key));
    store(keys, generation, &key);
    OPENSSL_cleanse(&key, sizeof(key));
}

void tls_ticket_init(struct tls_ticket_keys *keys)
{
    /* Two fresh ones, so that "the one before" is a real key from the start. */
    store_fresh(keys, TLS_TICKET_SLOTS - 1);
    store_fresh(keys, TLS_TICKET_SLOTS);
    keys->made_ms = 0;
    atomic_store_explicit(&keys->generation, TLS_TICKET_SLOTS, memory_order_release);
}

void tls_ticket_wipe(struct tls_ticket_keys *keys)
{
    OPENSSL_cleanse(keys, sizeof(*keys));
}

void tls_ticket_rotate(struct tls_ticket_keys *keys, uint64_t unix_ms, uint64_t lifetime_ms)
{
    uint64_t current = atomic_load_explicit(&keys->generation, memory_order_relaxed);

    /* The wall clock may step back: then the key's life begins anew. */
    if (keys->made_ms == 0 || unix_ms < keys->made_ms) {
        keys->made_ms = unix_ms;
        return;
    }
    if (unix_ms - keys->made_ms < lifetime_ms)
        return;
    store_fresh(keys, current + 1);
    atomic_store_explicit(&keys->generation, current + 1, memory_order_release);
    /* Nobody opens with it any more: overwrite it, and what it sealed is closed for good. */
    store_fresh(keys, current - 1);
    keys->made_ms = unix_ms;
}

bool tls_ticket_seal_with(const struct tls_ticket_key *key, struct span plain, struct buf *out)
{
    uint8_t *name = out->ptr + out->len;
    uint8_t *nonce = name + TLS_TICKET_NAME_BYTES;
    uint8_t *text = nonce + NONCE_BYTES;
    size_t text_len = 0;
    EVP_AEAD_CTX aead;
    bool ok;

    if (buf_room(out) < plain.len || buf_room(out) - plain.len < TLS_TICKET_OVERHEAD ||
        EVP_AEAD_CTX_init(&aead, EVP_aead_aes_256_gcm(), key->secret, sizeof(key->secret),
                          EVP_AEAD_DEFAULT_TAG_LENGTH, NULL) != 1)
        return false;
    memmove(text, plain.ptr, plain.len);
    memcpy(name, key->name, sizeof(key->name));
    RAND_bytes(nonce, NONCE_BYTES);
    ok = EVP_AEAD_CTX_seal(&aead, text, &text_len,
                           buf_room(out) - TLS_TICKET_NAME_BYTES - NONCE_BYTES, nonce, NONCE_BYTES,
                           text, plain.len, name, TLS_TICKET_NAME_BYTES) == 1;
    EVP_AEAD_CTX_cleanup(&aead);
    if (ok)
        out->len += TLS_TICKET_NAME_BYTES + NONCE_BYTES + (uint32_t)text_len;
    return ok;
}

bool tls_ticket_seal(struct tls_ticket_keys *keys, struct span plain, struct buf *out)
{
    struct tls_ticket_key key;
    bool ok;

    load(keys, 0, &key);
    ok = tls_ticket_seal_with(&key, plain, out);
    OPENSSL_cleanse(&key, sizeof(key));
    return ok;
}

/* Moves the ciphertext to `out` first and opens it there, so that the ticket may lie in `out`
 * already. */
bool tls_ticket_open_with(const struct tls_ticket_key *key, struct span sealed, struct buf *out)
{
    struct span text = span_skip(sealed, TLS_TICKET_NAME_BYTES + NONCE_BYTES);
    uint8_t *to = out->ptr + out->len;
    uint8_t nonce[NONCE_BYTES];
    size_t len = 0;
    EVP_AEAD_CTX aead;
    bool ok;

    if (buf_room(out) < text.len ||
        EVP_AEAD_CTX_init(&aead, EVP_aead_aes_256_gcm(), key->secret, sizeof(key->secret),
                          EVP_AEAD_DEFAULT_TAG_LENGTH, NULL) != 1)
        return false;
    memcpy(nonce, sealed.ptr + TLS_TICKET_NAME_BYTES, sizeof(nonce));
    memmove(to, text.ptr, text.len);
    ok = EVP_AEAD_CTX_open(&aead, to, &len, buf_room(out), nonce, sizeof(nonce), to, text.len,
                           key->name, sizeof(key->name)) == 1;
    EVP_AEAD_CTX_cleanup(&aead);
    if (ok)
        out->len += (uint32_t)len;
    return ok;
}

bool tls_ticket_open(struct tls_ticket_keys *keys, struct span sealed, struct buf *out)
{
    struct tls_ticket_key key;
    bool ok = false;

    if (sealed.len < TLS_TICKET_OVERHEAD)
        return false;
    for (unsigned age = 0; age < 2; age++) {
        load(keys, age, &key);
        /* The name is no secret. */
        if (memcmp(key.name, sealed.ptr, sizeof(key.name)) == 0) {
            ok = tls_ticket_open_with(&key, sealed, out);
            break;
        }
    }
    OPENSSL_cleanse(&key, sizeof(key));
    tls_error_forget();
    return ok;
}

/*
 * A session's ticket: what BoringSSL knows of it, and behind that the id of the certificate that
 * the client has seen, which the session does not say and a channel binding needs (RFC 5929, 4). A
 * ticket of our own under a certificate that is no more is not opened: its client sees the new one.
 * Under keys that a fleet shares it may be another host's certificate: then there is no binding by
 * it, and no id in the next ticket.
 */

static size_t max_overhead(SSL *ssl)
{
    (void)ssl;
    return TLS_TICKET_OVERHEAD + TLS_CERT_ID_BYTES;
}

static bool seal_session(struct tls_files *f, struct span plain, struct buf *to)
{
    uint64_t now_s = atomic_load_explicit(&f->ctx->unix_s, memory_order_relaxed);

    return f->tickets.count == 0
               ? tls_ticket_seal(&f->ctx->tickets, plain, to)
               : tls_ticket_seal_with(tls_ticket_file_current(&f->tickets, now_s), plain, to);
}

static int seal(SSL *ssl, uint8_t *out, size_t *out_len, size_t max_out_len, const uint8_t *in,
                size_t in_len)
{
    static const uint8_t foreign[TLS_CERT_ID_BYTES];
    const struct tls_credential *shown = tls_ctx_shown(ssl);
    uint8_t room[LIMIT_TLS_SESSION_BYTES];
    struct buf plain = { room, 0, sizeof(room) };
    struct buf to = { out, 0, (uint32_t)max_out_len };
    bool good;

    *out_len = 0;
    /* None for a client that showed a certificate (see tls_verify.c), or a session of no size of
     * ours. */
    if (SSL_get0_peer_certificates(ssl) != NULL || in_len > sizeof(room) - TLS_CERT_ID_BYTES)
        return 1;
    buf_put(&plain, span_of(in, (uint32_t)in_len));
    buf_put(&plain, span_of(shown != NULL ? shown->id : foreign, TLS_CERT_ID_BYTES));
    good = seal_session(tls_ctx_files(ssl), span_of(plain.ptr, plain.len), &to);
    OPENSSL_cleanse(room, sizeof(room));
    if (!good)
        return 0;
    *out_len = to.len;
    return 1;
}

static bool open_by_file(const struct tls_ticket_file *f, struct span sealed, struct buf *out)
{
    const struct tls_ticket_key *key = tls_ticket_file_find(f, sealed);
    bool ok =
        key != NULL && sealed.len >= TLS_TICKET_OVERHEAD && tls_ticket_open_with(key, sealed, out);

    tls_error_forget();
    return ok;
}

static enum ssl_ticket_aead_result_t open_ticket(SSL *ssl, uint8_t *out, size_t *out_len,
                                                 size_t max_out_len, const uint8_t *in,
                                                 size_t in_len)
{
    struct tls_files *f = tls_ctx_files(ssl);
    struct span sealed = span_of(in, (uint32_t)in_len);
    struct buf to = { out, 0, (uint32_t)max_out_len };

    if (f->tickets.count == 0 ? !tls_ticket_open(&f->ctx->tickets, sealed, &to)
                              : !open_by_file(&f->tickets, sealed, &to))
        return ssl_ticket_aead_ignore_ticket;
    if (to.len < TLS_CERT_ID_BYTES ||
        (!tls_ctx_note(ssl, to.ptr + to.len - TLS_CERT_ID_BYTES) && f->tickets.count == 0))
        return ssl_ticket_aead_ignore_ticket;
    *out_len = to.len - TLS_CERT_ID_BYTES;
    return ssl_ticket_aead_success;
}

const SSL_TICKET_AEAD_METHOD tls_ticket_method = {
    .max_overhead = max_overhead,
    .seal = seal,
    .open = open_ticket,
};
