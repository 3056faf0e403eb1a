/*
 * Records that no BoringSSL client would send, sealed with the keys of one: any type, content and
 * padding, wherever a test wants a peer that knows the keys and breaks a rule. TLS 1.3.
 *
 * Happy path: forge_begin establishes the rig's connection; forge_send and its like put records on
 * the wire in place of the client's own; forge_end.
 */
#ifndef POSTERN_TESTS_UNIT_TLS_FORGE_H
#define POSTERN_TESTS_UNIT_TLS_FORGE_H

#include "rig.h"
#include "tls/tls_record.h"

#define FORGE_RECORD_MAX (TLS_RECORD_BODY_MAX + 128)

struct forge {
    struct rig *rig;
    struct tls_record_secret secret; /* the client's */
    struct tls_record_key key;
    uint8_t inner[TLS_RECORD_BODY_MAX + 64]; /* content, type, padding */
    uint8_t record[FORGE_RECORD_MAX];
};

void forge_begin(struct forge *f, struct rig *r, void (*setup)(SSL *client));
void forge_end(struct forge *f);
/* len bytes of f->inner become f->record, under the first 3 bytes of a header (NULL: the right
 * ones). Its length. */
uint32_t forge_seal(struct forge *f, uint32_t len, const uint8_t *header);
/* The first len bytes of f->record, to the server. */
void forge_put(struct forge *f, uint32_t len);
void forge_send(struct forge *f, uint8_t type, const void *content, uint32_t len, uint32_t padding);
void forge_text(struct forge *f, const char *text);
/* A KeyUpdate, and then the next key. */
void forge_key_update(struct forge *f, uint8_t request);
void forge_next_key(struct forge *f);

#endif
