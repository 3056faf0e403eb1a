/*
 * One record, sealed where its content lies (RFC 8446, 5.2). No padding: what the sizes of our
 * replies tell is public. Nothing here fails: the caller brings the room.
 */
#include "tls/tls_record.h"

#include "base/assert.h"
#include "base/byteorder.h"

void tls_record_seal(const struct tls_record_key *k, struct tls_record_secret *s,
                     enum tls_record_type type, uint8_t *text, uint32_t len)
{
    uint8_t *header = text - TLS_RECORD_HEADER_BYTES;
    uint8_t nonce[sizeof(k->iv)];
    size_t sealed;
    int ok;

    ASSERT(len <= TLS_RECORD_PLAIN_MAX);
    header[0] = TLS_RECORD_DATA;
    store_be16(header + 1, 0x0303);
    store_be16(header + 3, (uint16_t)(len + TLS_RECORD_TRAILER_BYTES));
    text[len] = (uint8_t)type;
    tls_record_nonce(k, s->sequence, nonce);
    ok = EVP_AEAD_CTX_seal(&k->aead, text, &sealed, len + TLS_RECORD_TRAILER_BYTES, nonce,
                           sizeof(nonce), text, len + 1, header, TLS_RECORD_HEADER_BYTES);
    ASSERT(ok == 1 && sealed == len + TLS_RECORD_TRAILER_BYTES);
    s->sequence++;
}
