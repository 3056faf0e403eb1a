/* A field is looked at once, from its front; escapes are undone where the value stands. */
#include "gateway/auth_dovecot_wire.h"

#include <string.h>

#include "base/assert.h"
#include "base/base64.h"

/* The mechanisms whose messages mean the same on both sides; none that binds the channel. */
static const struct {
    const char *name;
    uint32_t bit;
} carried[] = {
    { "PLAIN", SMTP_MECHANISM_PLAIN },
    { "SCRAM-SHA-256", SMTP_MECHANISM_SCRAM },
};

#define CARRIED (sizeof(carried) / sizeof(carried[0]))

static struct span take_field(struct span *line)
{
    const uint8_t *tab = line->len > 0 ? memchr(line->ptr, '\t', line->len) : NULL;
    struct span field = span_first(*line, tab ? (uint32_t)(tab - line->ptr) : line->len);

    *line = span_skip(*line, field.len + 1);
    return field;
}

static bool read_number(struct span digits, uint32_t *number)
{
    uint64_t n;

    if (!span_number(digits, &n) || n > UINT32_MAX)
        return false;
    *number = (uint32_t)n;
    return true;
}

/* Takes "name=" off the front; false: it is another field. */
static bool value_of(struct span field, const char *name, struct span *value)
{
    uint32_t len = (uint32_t)strlen(name);

    if (field.len < len || memcmp(field.ptr, name, len) != 0)
        return false;
    *value = span_skip(field, len);
    return true;
}

/* \001 and a letter stand for what would end a field. */
static struct span unescape(uint8_t *base, struct span value)
{
    uint8_t *text = base + (value.ptr - base);
    uint32_t n = 0;

    for (uint32_t i = 0; i < value.len; i++) {
        uint8_t c = text[i];

        if (c == 1 && i + 1 < value.len) {
            c = text[++i];
            c = c == '0' ? 0 : c == '1' ? 1 : c == 't' ? '\t' : c == 'r' ? '\r' : '\n';
        }
        text[n++] = c;
    }
    return span_of(text, n);
}

static void read_mech(struct span line, struct auth_dovecot_line *out)
{
    struct span name = take_field(&line);

    for (uint32_t i = 0; i < CARRIED; i++) {
        if (span_equal_nocase(name, span_str(carried[i].name)))
            out->bit = carried[i].bit;
    }
    out->kind = AUTH_DOVECOT_MECH;
}

static void read_fail_field(struct span field, struct auth_dovecot_line *out)
{
    static const struct {
        const char *field;
        bool temporary;
    } causes[] = {
        { "temp", true },
        { "code=temp_fail", true },
        { "authz", false },
        { "user_disabled", false },
        { "pass_expired", false },
        { "code=authz", false },
        { "code=user_disabled", false },
        { "code=pass_expired", false },
    };

    for (uint32_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        if (!span_equal(field, span_str(causes[i].field)))
            continue;
        out->cause = causes[i].field;
        out->temporary = out->temporary || causes[i].temporary;
    }
}

static void read_result(uint8_t *base, struct span line, struct auth_dovecot_line *out)
{
    while (line.len > 0) {
        struct span field = take_field(&line);
        struct span value;

        if (value_of(field, "user=", &value))
            out->user = unescape(base, value);
        else if (value_of(field, "postern_senders=", &value))
            out->grant = unescape(base, value);
        else if (out->kind == AUTH_DOVECOT_FAIL)
            read_fail_field(field, out);
    }
}

void auth_dovecot_wire_read(uint8_t *bytes, uint32_t len, struct auth_dovecot_line *out)
{
    static const struct {
        const char *word;
        enum auth_dovecot_kind kind;
    } words[] = {
        { "OK", AUTH_DOVECOT_OK },           { "CONT", AUTH_DOVECOT_CONT },
        { "FAIL", AUTH_DOVECOT_FAIL },       { "MECH", AUTH_DOVECOT_MECH },
        { "VERSION", AUTH_DOVECOT_VERSION }, { "DONE", AUTH_DOVECOT_DONE },
    };
    struct span line = span_of(bytes, len);
    struct span word = take_field(&line);

    *out = (struct auth_dovecot_line){ .kind = AUTH_DOVECOT_OTHER };
    for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (span_equal(word, span_str(words[i].word)))
            out->kind = words[i].kind;
    }
    if (out->kind == AUTH_DOVECOT_MECH)
        read_mech(line, out);
    if (out->kind == AUTH_DOVECOT_OTHER || out->kind == AUTH_DOVECOT_MECH ||
        out->kind == AUTH_DOVECOT_DONE)
        return;
    if (!read_number(take_field(&line), &out->id))
        out->kind = AUTH_DOVECOT_BAD;
    else if (out->kind == AUTH_DOVECOT_CONT)
        out->text = take_field(&line);
    else if (out->kind != AUTH_DOVECOT_VERSION)
        read_result(bytes, line, out);
}

static void put_address(struct buf *out, const char *name, const struct endpoint *e)
{
    char text[ADDR_TEXT_MAX];

    addr_format(&e->addr, text);
    buf_printf(out, "\t%cip=%s\t%cport=%u", *name, text, *name, e->port);
}

/* What a login and a password are as PLAIN's one message (RFC 4616): LOGIN's two are this too. */
static struct span plain_message(const struct auth_question *q, uint8_t *room)
{
    uint32_t n = 0;

    room[n++] = 0;
    memcpy(room + n, q->login, q->login_len);
    n += q->login_len;
    room[n++] = 0;
    memcpy(room + n, q->secret, q->secret_len);
    return span_of(room, n + q->secret_len);
}

static const char *name_of(uint32_t bit)
{
    for (uint32_t i = 0; i < CARRIED; i++) {
        if (carried[i].bit == bit)
            return carried[i].name;
    }
    UNREACHABLE("a mechanism that was offered");
}

bool auth_dovecot_wire_ask(uint32_t id, const struct auth_question *q, struct buf *out)
{
    uint8_t plain[LIMIT_LOGIN_BYTES + LIMIT_PASSWORD_BYTES + 2];
    bool password = (q->mechanism & SMTP_MECHANISMS_OF_PASSWORDS) != 0;
    struct span message = span_of(q->secret, q->secret_len);

    /* 256: what stands before the message. */
    if (BASE64_LEN(message.len) + 256 > LIMIT_DOVECOT_LINE_BYTES ||
        buf_room(out) < LIMIT_DOVECOT_LINE_BYTES)
        return false;
    if (password)
        message = plain_message(q, plain);
    if (q->exchange != 0) {
        buf_printf(out, "CONT\t%u\t", id);
    } else {
        buf_printf(out, "AUTH\t%u\t%s\tservice=smtp\tsecured=tls\tnologin", id,
                   password ? "PLAIN" : name_of(q->mechanism));
        put_address(out, "l", &q->local);
        put_address(out, "r", &q->client);
        buf_printf(out, "\tresp=");
    }
    base64_encode(out, message);
    buf_printf(out, "\n");
    explicit_bzero(plain, sizeof(plain));
    return true;
}
