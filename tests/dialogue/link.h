/*
 * The way between a script's client and the session: a BoringSSL client, a wire in memory and tls/,
 * as they are between a user and gateway/conn. A piece that the client sends is a record of its own
 * (several, past 16 KB), so a cut of the script is a border of records.
 *
 * Happy path: link_open; for each session link_begin, then link_up and link_down, and link_secure
 * where a STARTTLS is answered; link_end when the client is to see the end; link_close. A link that
 * breaks its contract ends the program.
 */
#ifndef POSTERN_TESTS_DIALOGUE_LINK_H
#define POSTERN_TESTS_DIALOGUE_LINK_H

#include "smtp/smtp.h"
#include "unit/tls/rig.h"

enum link_kind {
    LINK_OWN,       /* TLS 1.3, records ours: X25519MLKEM768 and TLS_AES_128_GCM_SHA256 */
    LINK_BORINGSSL, /* the same, records BoringSSL's */
    LINK_TLS12,     /* TLS 1.2, whose records are BoringSSL's */
};

struct link {
    struct rig rig;
    enum link_kind kind;
    bool connected;
    bool secure;
};

void link_open(struct link *l, enum link_kind kind);
void link_close(struct link *l);

/* A connection for one more session: the one that is there where both it and the session are in
 * TLS, or a new one. `chunk`: bytes that the wire brings at a time; 0: all. */
void link_begin(struct link *l, bool secure, uint32_t chunk);
/* The handshake; what was sent before it was in clear. */
void link_secure(struct link *l);
/* What the session is told of TLS: in TLS 1.3 as it is; else *client stays as it was. */
void link_describe(const struct link *l, struct smtp_client *client);

/* The client sends; the session's side reads all that came, `read` bytes at most at a time, to
 * `to`, which has room for that much more than is sent. Returns the bytes that came. */
uint32_t link_up(struct link *l, struct span bytes, uint8_t *to, uint32_t read);
/* The session's side sends `len` bytes, and the client reads them to the same place. */
void link_down(struct link *l, uint8_t *bytes, uint32_t len);
/* The session's side ends the connection; the client must see close_notify, or the end in clear. */
void link_end(struct link *l);

#endif
