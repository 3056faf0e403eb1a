/*
 * Happy path: "n,a=user@example.org,^Ahost=...^Aauth=Bearer TOKEN^A^A". Failure modes: another
 * form, a key twice, bytes that no token has: not a message.
 */
#include "gateway/auth_oauth.h"

#include "base/assert.h"
#include "gateway/auth_scram.h"

#define KVSEP 0x01

STATIC_ASSERT(LIMIT_JWT_SCOPE_BYTES + 96 <= LIMIT_SASL_CHALLENGE_BYTES, "a refusal is a challenge");

/* Takes what stands before the next ^A, and that, off the front; false: there is none. */
static bool take_field(struct span *text, struct span *field)
{
    const uint8_t *end = text->len > 0 ? memchr(text->ptr, KVSEP, text->len) : NULL;

    if (end == NULL)
        return false;
    *field = span_first(*text, (uint32_t)(end - text->ptr));
    *text = span_skip(*text, field->len + 1);
    return true;
}

static bool take_prefix(struct span *text, struct span prefix)
{
    if (!span_equal_nocase(span_first(*text, prefix.len), prefix))
        return false;
    *text = span_skip(*text, prefix.len);
    return true;
}

/* b64token (RFC 6750, 2.1). */
static bool is_token(struct span text)
{
    static const char others[] = "-._~+/=";

    for (uint32_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        bool good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                    (c != 0 && strchr(others, c) != NULL);

        if (!good)
            return false;
    }
    return true;
}

/* The value of auth=: nothing, or "Bearer" and a token. */
static bool read_credentials(struct auth_oauth *m, struct span value)
{
    if (value.len == 0)
        return true;
    if (!take_prefix(&value, SPAN_LITERAL("Bearer ")))
        return false;
    while (value.len > 0 && value.ptr[0] == ' ')
        value = span_skip(value, 1);
    m->token = value;
    return is_token(value);
}

/* kvpair = key "=" value; "host" and "port" say where the client believes it is, which TLS knows
 * better. */
static bool read_pair(struct auth_oauth *m, struct span pair, bool *had_auth)
{
    uint32_t len = 0;

    while (len < pair.len && ((pair.ptr[len] | 32) >= 'a' && (pair.ptr[len] | 32) <= 'z'))
        len++;
    if (len == 0 || len == pair.len || pair.ptr[len] != '=')
        return false;
    if (!span_equal_nocase(span_first(pair, len), SPAN_LITERAL("auth")))
        return true;
    if (*had_auth)
        return false;
    *had_auth = true;
    return read_credentials(m, span_skip(pair, len + 1));
}

/* *kvpair kvsep, and nothing behind it. */
static bool read_pairs(struct auth_oauth *m, struct span text)
{
    bool had_auth = false;
    struct span pair;

    while (take_field(&text, &pair)) {
        if (pair.len == 0)
            return text.len == 0;
        if (!read_pair(m, pair, &had_auth))
            return false;
    }
    return false;
}

/* gs2-header = flag "," [ "a=" saslname ] "," (RFC 5801, 4). There is no channel to bind a token
 * to, so the flag is "n" or "y". */
static bool read_header(struct auth_oauth *m, struct span header)
{
    struct span authzid = span_first(header, header.len > 0 ? header.len - 1 : 0);

    if (header.len < 3 || header.ptr[authzid.len] != ',')
        return false;
    if (!take_prefix(&authzid, SPAN_LITERAL("n,")) && !take_prefix(&authzid, SPAN_LITERAL("y,")))
        return false;
    return authzid.len == 0 || (take_prefix(&authzid, SPAN_LITERAL("a=")) &&
                                memchr(authzid.ptr, ',', authzid.len) == NULL &&
                                auth_scram_name(authzid, m->user, &m->user_len));
}

static bool read_user(struct auth_oauth *m, struct span field)
{
    if (!take_prefix(&field, SPAN_LITERAL("user=")) || field.len > sizeof(m->user))
        return false;
    if (field.len > 0)
        memcpy(m->user, field.ptr, field.len);
    m->user_len = field.len;
    return true;
}

bool auth_oauth_read(struct auth_oauth *m, struct span message, bool google)
{
    struct span first;

    *m = (struct auth_oauth){ .user_len = 0 };
    return take_field(&message, &first) && (google ? read_user(m, first) : read_header(m, first)) &&
           read_pairs(m, message);
}

bool auth_oauth_fits(const struct auth_oauth *m, struct span login)
{
    return m->user_len == 0 || span_equal_nocase(span_of(m->user, m->user_len), login);
}

void auth_oauth_refuse(enum auth_oauth_fault fault, struct span scope, bool google, struct buf *out)
{
    bool scoped = fault == AUTH_OAUTH_INSUFFICIENT_SCOPE;
    const char *status = scoped ? "insufficient_scope" : "invalid_token";
    const char *number = scoped ? "403" : "401";

    ASSERT(buf_room(out) > LIMIT_SASL_CHALLENGE_BYTES);
    buf_printf(out, "{\"status\":\"%s\",\"schemes\":\"bearer\"", google ? number : status);
    if (scope.len > 0)
        buf_printf(out, ",\"scope\":\"%.*s\"", (int)scope.len, (const char *)scope.ptr);
    buf_put(out, SPAN_LITERAL("}"));
}
