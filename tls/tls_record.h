/*
 * The record layer of TLS 1.3 (RFC 8446, 5) once the handshake is done. Pure: bytes and keys in,
 * bytes and verdicts out; no connection, no stream, no clock.
 *
 * A direction rests as a struct tls_record_secret, which is all that an idle connection keeps, and
 * works with the struct tls_record_key that is made of it. Offending records are named by a static
 * struct tls_record_fault: the alert that RFC 8446 asks for, and words.
 */
#ifndef POSTERN_TLS_RECORD_H
#define POSTERN_TLS_RECORD_H

#include <openssl/aead.h>

#include "base/span.h"

#define TLS_RECORD_HEADER_BYTES 5
#define TLS_RECORD_TAG_BYTES    16
#define TLS_RECORD_PLAIN_MAX    16384                        /* 5.1: content of one record */
#define TLS_RECORD_BODY_MAX     (TLS_RECORD_PLAIN_MAX + 256) /* 5.2: what follows the header */
#define TLS_RECORD_MAX          (TLS_RECORD_HEADER_BYTES + TLS_RECORD_BODY_MAX)
/* What a sealed record has behind its content: the content type, and the tag. */
#define TLS_RECORD_TRAILER_BYTES (1 + TLS_RECORD_TAG_BYTES)

enum tls_record_type {
    TLS_RECORD_CHANGE_CIPHER_SPEC = 20,
    TLS_RECORD_ALERT = 21,
    TLS_RECORD_HANDSHAKE = 22,
    TLS_RECORD_DATA = 23,
};

struct tls_record_fault {
    uint8_t alert; /* to be sent */
    const char *reason;
};

/* --- tls_record_key.c ------------------------------------------------------------------------ */

#define TLS_RECORD_SECRET_MAX 48 /* SHA-384's */

/* One direction at rest. */
struct tls_record_secret {
    uint64_t sequence; /* of the next record */
    uint16_t suite;    /* IANA's number: 0x1301, 0x1302 or 0x1303 */
    uint8_t bytes[TLS_RECORD_SECRET_MAX];
};

/* The same at work; some 600 bytes. */
struct tls_record_key {
    EVP_AEAD_CTX aead;
    uint8_t iv[12];
    bool scatters; /* opens into two places at no cost; ChaCha20 takes twice the time for it */
};

/* `traffic` is an application traffic secret (7.1); false: no such suite, or not its length. */
bool tls_record_secret_set(struct tls_record_secret *s, uint16_t suite, struct span traffic,
                           uint64_t sequence);
/* The next generation (7.2), whose first record has number 0; false: memory is short. */
bool tls_record_secret_next(struct tls_record_secret *s);
/* Key and IV of a secret (7.3); false: memory is short. Wipe it when it is not used any more. */
bool tls_record_key_make(struct tls_record_key *k, const struct tls_record_secret *s);
void tls_record_key_wipe(struct tls_record_key *k);
/* The nonce of a record (5.3): 12 bytes. */
void tls_record_nonce(const struct tls_record_key *k, uint64_t sequence, uint8_t *out);

/* --- tls_record_seal.c ----------------------------------------------------------------------- */

/*
 * Seals len (<= TLS_RECORD_PLAIN_MAX) bytes where they lie: the header goes to the
 * TLS_RECORD_HEADER_BYTES before `text`, type and tag to the TLS_RECORD_TRAILER_BYTES behind its
 * end. Counts the record in *s.
 */
void tls_record_seal(const struct tls_record_key *k, struct tls_record_secret *s,
                     enum tls_record_type type, uint8_t *text, uint32_t len);

/* --- tls_record_open.c ----------------------------------------------------------------------- */

/* *len: the whole record's bytes. NULL: a record may follow this header. */
const struct tls_record_fault *tls_record_open_header(const uint8_t *header, uint32_t *len);

/* A whole record, as it lies in segments, and where its content is to go. */
struct tls_record_job {
    const struct span *runs; /* the record begins with the first; more bytes may follow it */
    uint32_t len;            /* of the record, as its header says */
    uint32_t from;           /* bytes of the content that the reader has already */
    uint8_t *to;
    uint32_t cap;
    uint8_t *scratch; /* TLS_RECORD_BODY_MAX bytes */
    /* out */
    enum tls_record_type type;
    uint32_t content; /* bytes of content in all */
    uint32_t given;   /* of data: bytes put to `to` */
    uint32_t moved;   /* bytes written on the way, wherever to */
};

/*
 * Opens a record with the number s->sequence, which the caller raises when it is done with it: what
 * `to` has no room for is had by opening it again with a higher `from`. Data is put to `to`; what
 * is not data lies in `scratch`. NULL, or what is wrong with it: then nothing at `to` is to be used
 * (where the tag does not fit, nothing of it is there).
 */
const struct tls_record_fault *tls_record_open(const struct tls_record_key *k,
                                               const struct tls_record_secret *s,
                                               struct tls_record_job *job);

/* --- tls_record_control.c -------------------------------------------------------------------- */

/* What the peer's latest records were, as far as there is a rule about it. */
struct tls_record_control {
    uint8_t partial[4]; /* the beginning of a handshake message */
    uint8_t partial_len;
    uint8_t empty_records; /* in a row */
    uint8_t key_updates;   /* without data between them */
    uint8_t warnings;      /* likewise */
};

/* What a record asks for. */
struct tls_record_news {
    bool ended;        /* close_notify */
    bool new_key;      /* the next record comes under the next secret */
    bool wants_ours;   /* ... and we are to change ours as well */
    uint8_t its_alert; /* an error alert: all is over, and no answer is due */
};

/* A record of data came. NULL: let it pass. */
const struct tls_record_fault *tls_record_control_data(struct tls_record_control *s, uint32_t len);
/* Another record came (6, 4.6.3); `news` is filled. */
const struct tls_record_fault *tls_record_control_take(struct tls_record_control *s,
                                                       enum tls_record_type type,
                                                       struct span content,
                                                       struct tls_record_news *news);

#endif
