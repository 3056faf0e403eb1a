/*
 * SASL PLAIN and LOGIN. Happy path: "AUTH PLAIN AGFsaWNlAHB3" gives COMPLETE at once; LOGIN asks
 * twice. Failure modes: what is not base64 or lacks its NULs is MALFORMED; another identity than
 * the login's, an empty login or password, and a login longer than any real one are DENIED without
 * a question to the back end.
 */
#include "smtp/smtp_sasl.h"

#include "base/assert.h"

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* Four characters to 3 - pad bytes, as a number; -1 when they are none. */
static int32_t read_quantum(const uint8_t *p, uint32_t pad)
{
    int32_t bits = 0;

    ASSERT(pad <= 2);
    for (uint32_t i = 0; i < 4; i++) {
        int value = i < 4 - pad ? base64_value(p[i]) : 0;

        if (value < 0)
            return -1;
        bits = bits << 6 | value;
    }
    return bits & ((1 << (8 * pad)) - 1) ? -1 : bits;
}

int smtp_sasl_base64(struct span text, uint8_t *to, uint32_t cap)
{
    uint32_t pad = 0;
    uint32_t n = 0;

    if (text.len % 4 != 0 || text.len > LIMIT_AUTH_LINE_BYTES)
        return -1;
    if (text.len > 0 && text.ptr[text.len - 1] == '=')
        pad = text.ptr[text.len - 2] == '=' ? 2 : 1;
    if (text.len / 4 * 3 - pad > cap)
        return -1;
    for (uint32_t i = 0; i < text.len; i += 4) {
        uint32_t skip = i + 4 == text.len ? pad : 0;
        int32_t bits = read_quantum(text.ptr + i, skip);

        if (bits < 0)
            return -1;
        for (uint32_t k = 0; k < 3 - skip; k++)
            to[n++] = (uint8_t)(bits >> (16 - 8 * k));
    }
    ASSERT(n <= cap);
    return (int)n;
}

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

/* The base64 of one response. */
static enum smtp_sasl_outcome read_response(struct smtp_sasl *x, struct span text)
{
    int len = smtp_sasl_base64(text, x->raw, sizeof(x->raw));
    struct span raw;

    if (len < 0)
        return SMTP_SASL_MALFORMED;
    raw = span_of(x->raw, (uint32_t)len);
    switch (x->step) {
    case SMTP_SASL_PLAIN_MESSAGE: return read_plain(x, raw);
    case SMTP_SASL_LOGIN_USERNAME:
        if (!keep_login(x, raw))
            return SMTP_SASL_DENIED;
        x->step = SMTP_SASL_LOGIN_PASSWORD;
        return SMTP_SASL_ASK_PASSWORD;
    case SMTP_SASL_LOGIN_PASSWORD:
        if (raw.len > 0 && memchr(raw.ptr, 0, raw.len) != NULL)
            return SMTP_SASL_MALFORMED;
        return keep_password(x, raw);
    }
    UNREACHABLE("a SASL step without a branch");
}

enum smtp_sasl_outcome smtp_sasl_start(struct smtp_sasl *x, struct span args)
{
    const uint8_t *space = args.len > 0 ? memchr(args.ptr, ' ', args.len) : NULL;
    struct span name = span_first(args, space ? (uint32_t)(space - args.ptr) : args.len);
    struct span initial = span_skip(args, name.len + 1);

    x->login_len = 0;
    x->password = (struct span){ NULL, 0 };
    if (span_equal_nocase(name, SPAN_LITERAL("PLAIN")))
        x->step = SMTP_SASL_PLAIN_MESSAGE;
    else if (span_equal_nocase(name, SPAN_LITERAL("LOGIN")))
        x->step = SMTP_SASL_LOGIN_USERNAME;
    else
        return SMTP_SASL_UNKNOWN;

    if (initial.len == 0)
        return x->step == SMTP_SASL_PLAIN_MESSAGE ? SMTP_SASL_ASK_EMPTY : SMTP_SASL_ASK_USERNAME;
    if (span_equal(initial, SPAN_LITERAL("=")))
        initial = span_first(initial, 0);
    return read_response(x, initial);
}

enum smtp_sasl_outcome smtp_sasl_line(struct smtp_sasl *x, struct span line)
{
    ASSERT(line.len <= LIMIT_AUTH_LINE_BYTES);
    ASSERT(x->step != SMTP_SASL_LOGIN_PASSWORD || x->login_len > 0);
    if (span_equal(line, SPAN_LITERAL("*")))
        return SMTP_SASL_CANCELLED;
    return read_response(x, line);
}
