/*
 * Tokens, the files of their keys and the messages that carry them. The first byte says what the
 * rest is. Held: no token is taken that we have not signed, and what is taken has a login.
 */
#include <string.h>

#include "base/assert.h"
#include "gateway/auth_jwt.h"
#include "gateway/auth_oauth.h"
#include "unit/gateway/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct auth_jwt_rules rules = { .issuer = SPAN_LITERAL("i"),
                                             .audience = SPAN_LITERAL("a"),
                                             .scope = SPAN_LITERAL("s"),
                                             .login = "sub" };
static uint8_t room[64 * 1024];

static enum auth_jwt_outcome check(const struct auth_jwks *keys, struct span token)
{
    struct auth_jwt_answer answer;
    enum auth_jwt_outcome outcome = auth_jwt_check(token, keys, &rules, 1800000000, &answer);

    ASSERT((outcome == AUTH_JWT_VALID) == (answer.login_len > 0));
    ASSERT(outcome == AUTH_JWT_VALID || answer.why != NULL);
    return outcome;
}

/* Claims behind a signature that is right, or a header. */
static void check_part(const struct auth_jwks *keys, struct span text, bool claims)
{
    struct buf token = { room, 0, sizeof(room) };
    char part[4096];

    if (text.len >= sizeof(part))
        return;
    memcpy(part, text.ptr, text.len);
    part[text.len] = 0;
    token_make(&token, TOKEN_ED25519, claims ? "{\"alg\":\"EdDSA\"}" : part,
               claims ? part : "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1800000001}");
    check(keys, span_of(room, token.len));
}

static void read_message(struct span message, bool google)
{
    struct auth_oauth m;

    if (!auth_oauth_read(&m, message, google))
        return;
    ASSERT(m.user_len <= LIMIT_LOGIN_BYTES);
    ASSERT(m.token.len == 0 ||
           (m.token.ptr >= message.ptr && m.token.ptr + m.token.len <= message.ptr + message.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct auth_jwks *keys;
    struct buf errors = { room, 0, sizeof(room) };
    struct span text = span_of(data + 1, (uint32_t)size - 1);

    if (size < 2 || size > LIMIT_AUTH_LINE_BYTES)
        return 0;
    if (keys == NULL)
        keys = auth_jwks_parse("keys", span_str(token_jwks()), &errors);
    ASSERT(keys != NULL);
    switch (data[0]) {
    case 't': ASSERT(check(keys, text) == AUTH_JWT_WRONG); break;
    case 'h': check_part(keys, text, false); break;
    case 'c': check_part(keys, text, true); break;
    case 'k': auth_jwks_release(auth_jwks_parse("keys", text, &errors)); break;
    case 'o': read_message(text, false); break;
    default: read_message(text, true); break;
    }
    return 0;
}
