/* One rig serves all scripts; it has one connection at a time. */
#include "dialogue/link.h"

#include "base/assert.h"

/* Nothing waits on the wire for long: the other side reads after each piece. */
#define PIECE 16384

static struct stream *server(struct link *l)
{
    return l->secure ? tls_conn_stream(l->rig.conn) : mem_stream_end(l->rig.wire, 0);
}

void link_open(struct link *l, enum link_kind kind)
{
    rig_boringssl_records = kind == LINK_BORINGSSL;
    rig_open(&l->rig, &(struct rig_config){ 0 });
    l->kind = kind;
    l->connected = l->secure = false;
}

void link_close(struct link *l)
{
    rig_close(&l->rig);
}

static void use_tls12(SSL *client)
{
    ASSERT(SSL_set_max_proto_version(client, TLS1_2_VERSION));
}

void link_begin(struct link *l, bool secure, uint32_t chunk)
{
    if (!l->connected || !l->secure || !secure) {
        rig_connect(&l->rig, l->kind == LINK_TLS12 ? use_tls12 : NULL);
        l->connected = true;
        l->secure = false;
        if (secure)
            link_secure(l);
    }
    mem_stream_set_chunk(l->rig.wire, chunk);
}

void link_secure(struct link *l)
{
    ASSERT(!l->secure);
    ASSERT(rig_handshake(&l->rig));
    l->secure = true;
}

void link_describe(const struct link *l, struct smtp_client *client)
{
    struct tls_info info;

    if (l->kind == LINK_TLS12)
        return;
    tls_conn_info(l->rig.conn, &info);
    client->tls_version = info.version;
    client->tls_cipher = info.cipher;
    client->tls_group = info.group;
}

/* One more turn of the wire; false: nothing moved. */
static bool step(struct link *l)
{
    return (l->secure ? rig_move(&l->rig) : mem_stream_step(l->rig.wire)) > 0;
}

static void client_send(struct link *l, struct span piece)
{
    if (l->secure)
        ASSERT(SSL_write(l->rig.client, piece.ptr, (int)piece.len) == (int)piece.len);
    else
        rig_client_raw(&l->rig, piece.ptr, piece.len);
}

static uint32_t client_read(struct link *l, uint8_t *to, uint32_t cap)
{
    int n;

    if (!l->secure)
        return rig_client_take_raw(&l->rig, to, cap);
    n = SSL_read(l->rig.client, to, (int)cap);
    ASSERT(n > 0 || SSL_get_error(l->rig.client, n) == SSL_ERROR_WANT_READ);
    return n > 0 ? (uint32_t)n : 0;
}

uint32_t link_up(struct link *l, struct span bytes, uint8_t *to, uint32_t read)
{
    struct stream *s = server(l);
    uint32_t sent = 0, came = 0, n;

    while (bytes.len > 0) {
        struct span piece = span_first(bytes, PIECE);
        bool moving = true;

        client_send(l, piece);
        sent += piece.len;
        bytes = span_skip(bytes, piece.len);
        while (moving) {
            moving = step(l);
            while ((n = s->ops->read(s, to + came, read)) > 0) {
                came += n;
                ASSERT(came <= sent);
                moving = true;
            }
        }
    }
    return came;
}

void link_down(struct link *l, uint8_t *bytes, uint32_t len)
{
    struct stream *s = server(l);
    uint32_t sent = 0, read = 0, n;

    while (read < len) {
        bool moving;

        n = stream_write(s, span_of(bytes + sent, len - sent));
        sent += n;
        moving = step(l) || n > 0;
        n = client_read(l, bytes + read, sent - read);
        read += n;
        ASSERT(moving || n > 0);
    }
}

void link_end(struct link *l)
{
    uint8_t byte;

    server(l)->ops->shutdown(server(l));
    while (step(l))
        continue;
    if (l->secure) {
        ASSERT(SSL_read(l->rig.client, &byte, 1) == 0);
        ASSERT(SSL_get_error(l->rig.client, 0) == SSL_ERROR_ZERO_RETURN);
    } else {
        ASSERT(mem_stream_end(l->rig.wire, 1)->ready & STREAM_ENDED);
    }
    l->connected = false;
}
