/*
 * A message is read from its front, part by part ("n=user", "r=nonce"), in the one order that RFC
 * 5802, 7 has. Nothing of the AuthMessage is kept but two running HMACs over it; of what the client
 * must say about the channel, a hash.
 */
#include "gateway/auth_scram.h"

#include <nettle/memops.h>

#include "base/assert.h"
#include "base/base64.h"

STATIC_ASSERT(sizeof("r=,s=,i=1000000") - 1 + sizeof((struct auth_scram *)0)->nonce +
                      BASE64_LEN(LIMIT_SCRAM_SALT_BYTES) <=
                  LIMIT_SASL_CHALLENGE_BYTES,
              "the server's first message is a challenge");

struct span auth_scram_part(struct span *text)
{
    const uint8_t *comma = text->len > 0 ? memchr(text->ptr, ',', text->len) : NULL;
    struct span part = span_first(*text, comma ? (uint32_t)(comma - text->ptr) : text->len);

    *text = span_skip(*text, part.len + 1);
    return part;
}

/* The value of "name=value"; false: it is another part. */
static bool value_of(struct span part, const char *name, struct span *value)
{
    if (part.len < 2 || memcmp(part.ptr, name, 2) != 0)
        return false;
    *value = span_skip(part, 2);
    return true;
}

bool auth_scram_name(struct span text, uint8_t *to, uint32_t *len)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        if (c == '=') {
            struct span escape = span_first(span_skip(text, i + 1), 2);
            bool comma = span_equal(escape, SPAN_LITERAL("2C"));

            if (!comma && !span_equal(escape, SPAN_LITERAL("3D")))
                return false;
            c = comma ? ',' : '=';
            i += 2;
        }
        if (c == 0 || n == LIMIT_LOGIN_BYTES)
            return false;
        to[n++] = c;
    }
    *len = n;
    return n > 0;
}

/* Printable, not empty, no longer than we remember. */
static bool is_nonce(struct span text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '!' || text.ptr[i] > '~')
            return false;
    }
    return text.len > 0 && text.len <= LIMIT_SCRAM_NONCE_BYTES;
}

/* The binding that the client names; an empty one: we have none of this name. */
static struct span binding_of(struct span flag, const struct auth_scram_channel *channel)
{
    if (span_equal(flag, SPAN_LITERAL("p=tls-exporter")))
        return channel->binding;
    if (span_equal(flag, SPAN_LITERAL("p=tls-server-end-point")))
        return channel->end_point;
    return (struct span){ NULL, 0 };
}

/* RFC 5802, 6: "n" cannot bind, "y" could but believes that we cannot, "p=" does. */
static bool flag_fits(struct span flag, const struct auth_scram_channel *channel)
{
    if (channel->plus)
        return binding_of(flag, channel).len > 0;
    if (span_equal(flag, SPAN_LITERAL("y")))
        return !channel->plus_offered;
    return span_equal(flag, SPAN_LITERAL("n"));
}

static void keep_channel(struct auth_scram *x, struct span header, struct span binding)
{
    struct sha256_ctx hash;

    sha256_init(&hash);
    sha256_update(&hash, header.len, header.ptr);
    if (binding.len > 0)
        sha256_update(&hash, binding.len, binding.ptr);
    sha256_digest(&hash, sizeof(x->channel), x->channel);
}

/* client-first-message-bare = "n=" saslname ",r=" nonce ["," extensions]; "m=" before it is an
 * extension that must be understood, and none is. */
static bool read_bare(struct auth_scram *x, struct span bare)
{
    struct span name;
    struct span nonce;

    if (!value_of(auth_scram_part(&bare), "n=", &name) ||
        !value_of(auth_scram_part(&bare), "r=", &nonce))
        return false;
    if (!auth_scram_name(name, x->login, &x->login_len) || !is_nonce(nonce))
        return false;
    memcpy(x->nonce, nonce.ptr, nonce.len);
    x->nonce_len = nonce.len;
    return true;
}

bool auth_scram_first(struct auth_scram *x, struct span message,
                      const struct auth_scram_channel *channel)
{
    struct span rest = message;
    struct span flag = auth_scram_part(&rest);
    struct span authzid = auth_scram_part(&rest);
    uint8_t name[LIMIT_LOGIN_BYTES];
    uint32_t len;

    ASSERT(!x->challenged);
    if (!flag_fits(flag, channel) || !read_bare(x, rest))
        return false;
    x->bare = rest;
    keep_channel(x, span_first(message, message.len - rest.len), binding_of(flag, channel));
    if (authzid.len == 0)
        return true;
    return value_of(authzid, "a=", &authzid) && auth_scram_name(authzid, name, &len) &&
           span_equal(span_of(name, len), span_of(x->login, x->login_len));
}

static void add_to_message(struct auth_scram *x, struct span text)
{
    hmac_sha256_update(&x->client, text.len, text.ptr);
    hmac_sha256_update(&x->server, text.len, text.ptr);
}

void auth_scram_challenge(struct auth_scram *x, const struct auth_scram_keys *keys,
                          struct span nonce, struct buf *out)
{
    uint32_t before = out->len;

    ASSERT(!x->challenged && x->nonce_len > 0);
    ASSERT(nonce.len > 0 && nonce.len <= AUTH_SCRAM_NONCE_BYTES);
    ASSERT(buf_room(out) > LIMIT_SASL_CHALLENGE_BYTES);
    memcpy(x->nonce + x->nonce_len, nonce.ptr, nonce.len);
    x->nonce_len += nonce.len;
    buf_put(out, SPAN_LITERAL("r="));
    buf_put(out, span_of(x->nonce, x->nonce_len));
    buf_put(out, SPAN_LITERAL(",s="));
    base64_encode(out, span_of(keys->salt, keys->salt_len));
    buf_printf(out, ",i=%u", keys->iterations);

    memcpy(x->stored_key, keys->stored_key, sizeof(x->stored_key));
    hmac_sha256_set_key(&x->client, sizeof(keys->stored_key), keys->stored_key);
    hmac_sha256_set_key(&x->server, sizeof(keys->server_key), keys->server_key);
    add_to_message(x, x->bare);
    add_to_message(x, SPAN_LITERAL(","));
    add_to_message(x, span_of(out->ptr + before, out->len - before));
    add_to_message(x, SPAN_LITERAL(","));
    x->bare = (struct span){ NULL, 0 };
    x->challenged = true;
}

/* c= must be the header of the first message with the binding of this channel behind it: a man in
 * the middle has another. */
static bool same_channel(const struct auth_scram *x, struct span text)
{
    uint8_t said[LIMIT_SCRAM_MESSAGE_BYTES];
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx hash;
    int len = base64_decode(text, said, sizeof(said));

    if (len < 0)
        return false;
    sha256_init(&hash);
    sha256_update(&hash, (uint32_t)len, said);
    sha256_digest(&hash, sizeof(digest), digest);
    return memeql_sec(digest, x->channel, sizeof(digest)) != 0;
}

/* ClientKey = ClientProof XOR ClientSignature; StoredKey must be its hash. */
static bool proof_is_right(struct auth_scram *x, const uint8_t proof[SHA256_DIGEST_SIZE])
{
    uint8_t key[SHA256_DIGEST_SIZE];
    struct sha256_ctx hash;
    bool right;

    hmac_sha256_digest(&x->client, sizeof(key), key);
    memxor(key, proof, sizeof(key));
    sha256_init(&hash);
    sha256_update(&hash, sizeof(key), key);
    sha256_digest(&hash, sizeof(key), key);
    right = memeql_sec(key, x->stored_key, sizeof(key)) != 0;
    explicit_bzero(key, sizeof(key));
    explicit_bzero(&hash, sizeof(hash));
    return right;
}

/* The last part, "p=" proof, and what stands before its comma. */
static bool split_proof(struct span message, struct span *without, uint8_t *proof)
{
    const uint8_t *comma = message.len > 0 ? memrchr(message.ptr, ',', message.len) : NULL;
    struct span text;

    if (comma == NULL)
        return false;
    *without = span_first(message, (uint32_t)(comma - message.ptr));
    return value_of(span_skip(message, without->len + 1), "p=", &text) &&
           base64_decode(text, proof, SHA256_DIGEST_SIZE) == SHA256_DIGEST_SIZE;
}

bool auth_scram_final(struct auth_scram *x, struct span message, struct buf *out)
{
    uint8_t proof[SHA256_DIGEST_SIZE];
    uint8_t signature[SHA256_DIGEST_SIZE];
    struct span without;
    struct span rest;
    struct span channel;
    struct span nonce;

    ASSERT(x->challenged);
    ASSERT(buf_room(out) > LIMIT_SASL_CHALLENGE_BYTES);
    if (message.len > LIMIT_SCRAM_MESSAGE_BYTES || !split_proof(message, &without, proof))
        return false;
    rest = without;
    if (!value_of(auth_scram_part(&rest), "c=", &channel) ||
        !value_of(auth_scram_part(&rest), "r=", &nonce))
        return false;
    if (!same_channel(x, channel) || !span_equal(nonce, span_of(x->nonce, x->nonce_len)))
        return false;
    add_to_message(x, without);
    if (!proof_is_right(x, proof))
        return false;
    hmac_sha256_digest(&x->server, sizeof(signature), signature);
    buf_put(out, SPAN_LITERAL("v="));
    base64_encode(out, span_of(signature, sizeof(signature)));
    return true;
}
