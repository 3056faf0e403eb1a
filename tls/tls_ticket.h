/*
 * The keys that seal session tickets, where no file has them (tls_ticket_file.h): the current one
 * seals, it and the one before open. They live in memory only and are never written anywhere, so a
 * stolen disk opens no recorded session.
 *
 * One thread (main) rotates while loops seal and open. No lock: key number g lies in slot g % 4 as
 * atomic words; a reader copies it out and looks at the number again. A copy is wrong only if two
 * rotations came in between, and then it is taken again.
 */
#ifndef POSTERN_TLS_TICKET_H
#define POSTERN_TLS_TICKET_H

#include <openssl/base.h>
#include <stdatomic.h>

#include "base/span.h"

#define TLS_TICKET_NAME_BYTES 16
#define TLS_TICKET_KEY_BYTES  32 /* AES-256-GCM */
#define TLS_TICKET_SLOTS      4
#define TLS_TICKET_WORDS      ((TLS_TICKET_NAME_BYTES + TLS_TICKET_KEY_BYTES) / 8)
/* Name, nonce and tag: what a sealed ticket has more than its plaintext. */
#define TLS_TICKET_OVERHEAD (TLS_TICKET_NAME_BYTES + 12 + 16)

struct tls_ticket_key {
    union {
        uint64_t words[TLS_TICKET_WORDS];
        struct {
            uint8_t name[TLS_TICKET_NAME_BYTES];
            uint8_t secret[TLS_TICKET_KEY_BYTES];
        };
    };
};

struct tls_ticket_keys {
    _Atomic uint64_t generation; /* of the current key; the one before is generation - 1 */
    _Atomic uint64_t words[TLS_TICKET_SLOTS][TLS_TICKET_WORDS];
    uint64_t made_ms; /* the rotating thread's; 0: the current key's age is not known yet */
};

void tls_ticket_init(struct tls_ticket_keys *keys);
/* Overwrites all keys. */
void tls_ticket_wipe(struct tls_ticket_keys *keys);
/*
 * Makes a new key when the current one is lifetime_ms old or older; wipes the one before the
 * previous. The first call only notes the time. One thread at a time.
 */
void tls_ticket_rotate(struct tls_ticket_keys *keys, uint64_t unix_ms, uint64_t lifetime_ms);
/* Appends the sealed form of `plain` to `out`; false when there is no room (TLS_TICKET_OVERHEAD
 * more). */
bool tls_ticket_seal(struct tls_ticket_keys *keys, struct span plain, struct buf *out);
/* Appends the plaintext; false when it is not ours, too old, or altered: nobody's fault, no
 * resumption. */
bool tls_ticket_open(struct tls_ticket_keys *keys, struct span sealed, struct buf *out);

/* The two by one key, whoever keeps it; tls_ticket_open_with: of at least TLS_TICKET_OVERHEAD
 * bytes.
 */
bool tls_ticket_seal_with(const struct tls_ticket_key *key, struct span plain, struct buf *out);
bool tls_ticket_open_with(const struct tls_ticket_key *key, struct span sealed, struct buf *out);

/* The callbacks for SSL_CTX_set_ticket_aead_method; they find the keys by tls_conn_ctx. */
extern const SSL_TICKET_AEAD_METHOD tls_ticket_method;

#endif
