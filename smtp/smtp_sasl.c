/*
 * The table of SASL mechanisms, and the frame of an exchange: initial response, "=", "*", base64.
 * Happy path: "AUTH PLAIN AGFsaWNlAHB3" gives COMPLETE at once; LOGIN asks twice; a mechanism of
 * the back end's gives COMPLETE for each message. Failure modes: what is not base64 or lacks its
 * NULs is MALFORMED; another identity than the login's, an empty login or password, and a login
 * longer than any real one are DENIED without a question to the back end.
 */
#include "smtp/smtp_sasl.h"

#include "base/assert.h"
#include "base/base64.h"
#include "smtp/smtp.h"

STATIC_ASSERT(BASE64_LEN(LIMIT_SASL_CHALLENGE_BYTES) + sizeof("334 \r\n") - 1 <=
                  LIMIT_REPLY_LINE_BYTES,
              "a challenge is one reply line");

/* Takes what stands before the next NUL off the front; false when there is no NUL. */
static bool take_field(struct span *s, struct span *field)
{
    const uint8_t *nul = s->len > 0 ? memchr(s->ptr, 0, s->len) : NULL;

    if (nul == NULL)
        return false;
    *field = span_first(*s, (uint32_t)(nul - s->ptr));
    *s = span_skip(*s, field->len + 1);
    return true;
}

/* False for one that no user can have: empty, too long, or with control characters that would reach
 * a log. */
static bool keep_login(struct smtp_sasl *x, struct span login)
{
    if (login.len == 0 || login.len > sizeof(x->login))
        return false;
    for (uint32_t i = 0; i < login.len; i++) {
        if (login.ptr[i] < ' ' || login.ptr[i] == 127)
            return false;
    }
    memcpy(x->login, login.ptr, login.len);
    x->login_len = login.len;
    return true;
}

static enum smtp_sasl_outcome keep_password(struct smtp_sasl *x, struct span password)
{
    ASSERT(x->login_len > 0);
    ASSERT(password.len <= sizeof(x->raw));
    if (password.len == 0)
        return SMTP_SASL_DENIED;
    x->password = password;
    return SMTP_SASL_COMPLETE;
}

/* message = [authzid] NUL authcid NUL passwd (RFC 4616, 2) */
static enum smtp_sasl_outcome read_plain(struct smtp_sasl *x, struct span message)
{
    struct span authzid;
    struct span authcid;

    if (!take_field(&message, &authzid) || !take_field(&message, &authcid))
        return SMTP_SASL_MALFORMED;
    if (message.len > 0 && memchr(message.ptr, 0, message.len) != NULL)
        return SMTP_SASL_MALFORMED;
    if (authzid.len > 0 && !span_equal(authzid, authcid))
        return SMTP_SASL_DENIED;
    if (!keep_login(x, authcid))
        return SMTP_SASL_DENIED;
    return keep_password(x, message);
}

static enum smtp_sasl_outcome read_login_password(struct smtp_sasl *x, struct span password)
{
    if (password.len > 0 && memchr(password.ptr, 0, password.len) != NULL)
        return SMTP_SASL_MALFORMED;
    return keep_password(x, password);
}

static enum smtp_sasl_outcome read_login_username(struct smtp_sasl *x, struct span login)
{
    if (!keep_login(x, login))
        return SMTP_SASL_DENIED;
    x->read = read_login_password;
    return SMTP_SASL_ASK_PASSWORD;
}

/* One message of a mechanism that the back end speaks. */
static enum smtp_sasl_outcome read_message(struct smtp_sasl *x, struct span message)
{
    x->message = message;
    return SMTP_SASL_COMPLETE;
}

/* The strongest first: some clients take the first that they know. */
static const struct smtp_sasl_mechanism mechanisms[] = {
    { "EXTERNAL", SMTP_MECHANISM_EXTERNAL, SMTP_SASL_ASK_EMPTY, read_message },
    { "SCRAM-SHA-256-PLUS", SMTP_MECHANISM_SCRAM_PLUS, SMTP_SASL_ASK_EMPTY, read_message },
    { "SCRAM-SHA-256", SMTP_MECHANISM_SCRAM, SMTP_SASL_ASK_EMPTY, read_message },
    { "OAUTHBEARER", SMTP_MECHANISM_OAUTHBEARER, SMTP_SASL_ASK_EMPTY, read_message },
    { "XOAUTH2", SMTP_MECHANISM_XOAUTH2, SMTP_SASL_ASK_EMPTY, read_message },
    { "PLAIN", SMTP_MECHANISM_PLAIN, SMTP_SASL_ASK_EMPTY, read_plain },
    { "LOGIN", SMTP_MECHANISM_LOGIN, SMTP_SASL_ASK_USERNAME, read_login_username },
};

#define MECHANISM_COUNT (sizeof(mechanisms) / sizeof(mechanisms[0]))

static const struct smtp_sasl_mechanism *find_mechanism(struct span name, uint32_t offered)
{
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++) {
        if (span_equal_nocase(name, span_str(mechanisms[i].name)))
            return (mechanisms[i].bit & offered) != 0 ? &mechanisms[i] : NULL;
    }
    return NULL;
}

/* The base64 of one response. */
static enum smtp_sasl_outcome read_response(struct smtp_sasl *x, struct span text)
{
    int len = base64_decode(text, x->raw, sizeof(x->raw));

    return len < 0 ? SMTP_SASL_MALFORMED : x->read(x, span_of(x->raw, (uint32_t)len));
}

enum smtp_sasl_outcome smtp_sasl_start(struct smtp_sasl *x, uint32_t offered, struct span args)
{
    const uint8_t *space = args.len > 0 ? memchr(args.ptr, ' ', args.len) : NULL;
    struct span name = span_first(args, space ? (uint32_t)(space - args.ptr) : args.len);
    struct span initial = span_skip(args, name.len + 1);

    ASSERT(args.len <= LIMIT_AUTH_LINE_BYTES);
    x->login_len = 0;
    x->password = x->message = x->challenge = x->grant = (struct span){ NULL, 0 };
    memset(x->memo, 0, sizeof(x->memo));
    x->mechanism = find_mechanism(name, offered);
    if (x->mechanism == NULL)
        return SMTP_SASL_UNKNOWN;
    x->read = x->mechanism->read;
    if (initial.len == 0)
        return x->mechanism->ask;
    if (span_equal(initial, SPAN_LITERAL("=")))
        initial = span_first(initial, 0);
    return read_response(x, initial);
}

enum smtp_sasl_outcome smtp_sasl_line(struct smtp_sasl *x, struct span line)
{
    ASSERT(line.len <= LIMIT_AUTH_LINE_BYTES);
    ASSERT(x->read != NULL);
    if (span_equal(line, SPAN_LITERAL("*")))
        return SMTP_SASL_CANCELLED;
    return read_response(x, line);
}

bool smtp_sasl_login(struct smtp_sasl *x, struct span login)
{
    return keep_login(x, login);
}

bool smtp_sasl_challenge(struct smtp_sasl *x, struct span login, struct span challenge)
{
    struct buf text = { x->raw, 0, sizeof(x->raw) };

    ASSERT(x->read == read_message);
    ASSERT(challenge.len <= LIMIT_SASL_CHALLENGE_BYTES);
    if (login.len > 0 && !keep_login(x, login))
        return false;
    base64_encode(&text, challenge);
    x->challenge = span_of(text.ptr, text.len);
    return true;
}

void smtp_sasl_list(uint32_t offered, struct buf *out)
{
    for (uint32_t i = 0; i < MECHANISM_COUNT; i++) {
        if ((mechanisms[i].bit & offered) == 0)
            continue;
        if (out->len > 0)
            buf_put(out, SPAN_LITERAL(" "));
        buf_put(out, span_str(mechanisms[i].name));
    }
}
