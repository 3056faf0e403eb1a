/* See forge.h. Asserts are cmocka's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/byteorder.h"
#include "forge.h"
#include "tls/tls_secrets.h"

void forge_begin(struct forge *f, struct rig *r, void (*setup)(SSL *))
{
    const uint8_t *in, *out;
    size_t len;
    uint16_t suite;

    f->rig = r;
    rig_establish(r, setup);
    suite = SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(r->client));
    assert_true(tls_secrets_get(r->client, &in, &out, &len));
    assert_true(tls_record_secret_set(&f->secret, suite, span_of(out, (uint32_t)len),
                                      SSL_get_write_sequence(r->client)));
    assert_true(tls_record_key_make(&f->key, &f->secret));
}

void forge_end(struct forge *f)
{
    tls_record_key_wipe(&f->key);
}

uint32_t forge_seal(struct forge *f, uint32_t len, const uint8_t *header)
{
    static const uint8_t right[3] = { TLS_RECORD_DATA, 3, 3 };
    uint8_t nonce[12];
    size_t sealed;

    memcpy(f->record, header != NULL ? header : right, 3);
    store_be16(f->record + 3, (uint16_t)(len + TLS_RECORD_TAG_BYTES));
    tls_record_nonce(&f->key, f->secret.sequence++, nonce);
    assert_true(EVP_AEAD_CTX_seal(&f->key.aead, f->record + 5, &sealed, sizeof(f->record) - 5,
                                  nonce, 12, f->inner, len, f->record, 5));
    return 5 + (uint32_t)sealed;
}

void forge_put(struct forge *f, uint32_t len)
{
    for (uint32_t at = 0; at < len; at += 1000)
        rig_client_raw(f->rig, f->record + at, len - at < 1000 ? len - at : 1000);
}

void forge_send(struct forge *f, uint8_t type, const void *content, uint32_t len, uint32_t padding)
{
    memcpy(f->inner, content, len);
    f->inner[len] = type;
    memset(f->inner + len + 1, 0, padding);
    forge_put(f, forge_seal(f, len + 1 + padding, NULL));
}

void forge_text(struct forge *f, const char *text)
{
    forge_send(f, TLS_RECORD_DATA, text, (uint32_t)strlen(text), 0);
}

void forge_next_key(struct forge *f)
{
    tls_record_key_wipe(&f->key);
    assert_true(tls_record_secret_next(&f->secret) && tls_record_key_make(&f->key, &f->secret));
}

void forge_key_update(struct forge *f, uint8_t request)
{
    uint8_t message[5] = { SSL3_MT_KEY_UPDATE, 0, 0, 1, request };

    forge_send(f, TLS_RECORD_HANDSHAKE, message, sizeof(message), 0);
    forge_next_key(f);
}
