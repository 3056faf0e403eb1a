/*
 * Bytes of a stranger into tls_conn_handshake: in one piece, in two and byte by byte, then the end
 * of the stream. Held: no crash, no leak, a failure has words, plain text is told apart without a
 * byte written, and BoringSSL's error queue is left empty.
 *
 * The corpus: ClientHellos as rig_record_hello gives them (TLS 1.3 with and without X25519MLKEM768,
 * with SNI and ALPN, with a ticket, TLS 1.2, 1.0) and what is none.
 */
#include <stdlib.h>

#include <openssl/err.h>

#include "base/assert.h"
#include "unit/tls/rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 70000

static struct rig rig;

/* Returns the outcome after all of `bytes` went in with a cut every `step` bytes. */
static enum tls_outcome feed(const uint8_t *bytes, uint32_t len, uint32_t step)
{
    struct stream *client = mem_stream_end(rig.wire, 1);
    enum tls_outcome outcome = TLS_WANT_INPUT;

    for (uint32_t at = 0; at < len && outcome == TLS_WANT_INPUT; at += step) {
        struct span part = span_first(span_of(bytes + at, len - at), step);

        ASSERT(stream_write(client, part) == part.len);
        (void)tls_conn_handshake_is_dear(rig.conn);
        outcome = tls_conn_handshake(rig.conn);
        ASSERT(ERR_peek_error() == 0);
    }
    client->ops->shutdown(client);
    if (outcome == TLS_WANT_INPUT)
        outcome = tls_conn_handshake(rig.conn);
    return outcome;
}

static void check(enum tls_outcome outcome)
{
    const struct tls_error *e = tls_conn_error(rig.conn);

    /* Nobody without the keys comes through, and nothing waits once the end is there. */
    ASSERT(outcome == TLS_FAILED);
    ASSERT(e->fault != TLS_FAULT_NONE);
    ASSERT(e->reason != NULL && e->reason[0] != 0);
    if (e->not_tls)
        ASSERT((mem_stream_end(rig.wire, 1)->ready & STREAM_READABLE) == 0);
    ASSERT(ERR_peek_error() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rig_config config = { .both = true };
    uint32_t len = size < INPUT_MAX ? (uint32_t)size : INPUT_MAX;
    uint32_t steps[] = { len, len / 2 + 1, 1 };

    if (rig.ctx == NULL)
        rig_open(&rig, &config);
    for (unsigned i = 0; i < 3; i++) {
        if (steps[i] == 1 && len > 3000)
            continue; /* too slow for what it finds */
        rig_connect(&rig, NULL);
        check(feed(data, len, steps[i] > 0 ? steps[i] : 1));
        rig_disconnect(&rig);
    }
    return 0;
}
