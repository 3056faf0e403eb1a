/*
 * Happy path: a row for each field that we know, the rest is skipped. nginx percent-encodes what a
 * client said, so that it can make no field of its own; so do we.
 */
#include "gateway/auth_http_wire.h"

#include <string.h>

#include "base/assert.h"

#define HTTP_PORT 80

/* --- where it is ----------------------------------------------------------------------------- */

static bool skip_prefix(struct span *s, const char *prefix)
{
    struct span p = span_str(prefix);

    if (!span_equal(span_first(*s, p.len), p))
        return false;
    *s = span_skip(*s, p.len);
    return true;
}

/* Up to the first `end`; false: there is none. */
static bool take_until(struct span *s, char end, struct span *out)
{
    const uint8_t *at = s->len > 0 ? memchr(s->ptr, end, s->len) : NULL;

    if (at == NULL)
        return false;
    *out = span_of(s->ptr, (uint32_t)(at - s->ptr));
    *s = span_skip(*s, out->len + 1);
    return true;
}

/* "/run/hook:/auth"; without a second colon, all is the socket. */
static const char *read_local(struct span rest, struct auth_http_place *out)
{
    struct sockaddr_un *un = &out->at.local;
    struct span path = rest;

    out->target = SPAN_LITERAL("/");
    out->host = SPAN_LITERAL("localhost");
    if (take_until(&rest, ':', &path) && rest.len > 0)
        out->target = rest;
    if (path.len == 0 || path.ptr[0] != '/' || path.len >= sizeof(un->sun_path))
        return "must have an absolute path of at most 107 bytes behind unix:";
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path.ptr, path.len);
    out->at_len = sizeof(*un);
    return NULL;
}

static bool read_port(struct span text, uint16_t *out)
{
    uint64_t n;

    if (!span_number(text, &n) || n == 0 || n > UINT16_MAX)
        return false;
    *out = (uint16_t)n;
    return true;
}

static bool is_loopback(const struct addr *a)
{
    static const uint8_t v6[16] = { [15] = 1 };

    return addr_is_v4(a) ? addr_v4(a) >> 24 == 127 : memcmp(a->octets, v6, sizeof(v6)) == 0;
}

/* "localhost" is an address here too: nobody is asked what it means. */
static bool read_address(struct span name, struct addr *out)
{
    char text[ADDR_TEXT_MAX];

    if (span_equal_nocase(name, SPAN_LITERAL("localhost")))
        return addr_parse("127.0.0.1", out);
    if (name.len >= sizeof(text))
        return false;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    return addr_parse(text, out) && is_loopback(out);
}

/* "host", "host:port", "[v6]" or "[v6]:port". */
static const char *read_authority(struct span authority, struct auth_http_place *out)
{
    struct span rest = authority;
    struct span name = authority;
    struct endpoint at = { .port = HTTP_PORT };

    if (skip_prefix(&rest, "[")) {
        if (!take_until(&rest, ']', &name))
            return "must have a ] behind its IPv6 address";
        if (rest.len > 0 && !(skip_prefix(&rest, ":") && read_port(rest, &at.port)))
            return "must have a port from 1 to 65535 behind the colon";
    } else if (take_until(&rest, ':', &name) && !read_port(rest, &at.port)) {
        return "must have a port from 1 to 65535 behind the colon";
    }
    if (!read_address(name, &at.addr))
        return "would carry passwords in clear to another host: only 127.0.0.0/8, [::1], localhost "
               "and unix: are taken; put a proxy that speaks TLS in between";
    out->at_len = sockaddr_of(&at, &out->at);
    out->host = authority;
    return NULL;
}

const char *auth_http_wire_place(const char *url, struct auth_http_place *out)
{
    struct span rest = span_str(url);
    struct span authority;
    struct span path;

    memset(out, 0, sizeof(*out));
    for (uint32_t i = 0; i < rest.len; i++) {
        if (rest.ptr[i] <= ' ' || rest.ptr[i] > '~')
            return "must be printable ASCII without spaces";
    }
    if (!skip_prefix(&rest, "http://"))
        return "must begin with http://";
    if (skip_prefix(&rest, "unix:"))
        return read_local(rest, out);
    path = rest;
    authority = rest;
    out->target = SPAN_LITERAL("/");
    if (take_until(&rest, '/', &authority))
        out->target = span_skip(path, authority.len);
    return read_authority(authority, out);
}

/* --- the question ---------------------------------------------------------------------------- */

static bool put_text(struct buf *out, const char *text)
{
    return buf_put(out, span_str(text));
}

/* As nginx: controls, the space and the percent sign; and DEL, which no field may have. */
static bool put_encoded(struct buf *out, const uint8_t *bytes, uint32_t len)
{
    static const char digits[] = "0123456789ABCDEF";

    if (buf_room(out) < 3 * len)
        return false;
    for (uint32_t i = 0; i < len; i++) {
        uint8_t c = bytes[i];

        if (c > ' ' && c != '%' && c != 0x7f) {
            out->ptr[out->len++] = c;
            continue;
        }
        out->ptr[out->len++] = '%';
        out->ptr[out->len++] = (uint8_t)digits[c >> 4];
        out->ptr[out->len++] = (uint8_t)digits[c & 15];
    }
    return true;
}

static bool put_client(struct buf *out, const struct auth_question *q)
{
    char text[ADDR_TEXT_MAX];

    addr_format(&q->client.addr, text);
    return buf_printf(out,
                      "\r\nAuth-Protocol: smtp\r\nAuth-Login-Attempt: %u\r\n"
                      "Client-IP: %s\r\n",
                      q->attempt, text);
}

static bool put_tls(struct buf *out, const struct auth_question *q)
{
    if (q->tls_version == NULL)
        return true;
    return buf_printf(out, "Auth-SSL: on\r\nAuth-SSL-Protocol: %s\r\nAuth-SSL-Cipher: %s\r\n",
                      q->tls_version, q->tls_cipher != NULL ? q->tls_cipher : "");
}

bool auth_http_wire_ask(const struct auth_http_place *place, const struct auth_question *q,
                        struct buf *out)
{
    ASSERT((q->mechanism & SMTP_MECHANISMS_OF_PASSWORDS) != 0);
    return put_text(out, "GET ") && buf_put(out, place->target) &&
           put_text(out, " HTTP/1.0\r\nHost: ") && buf_put(out, place->host) &&
           put_text(out, "\r\nConnection: keep-alive\r\nAuth-Method: plain\r\nAuth-User: ") &&
           put_encoded(out, q->login, q->login_len) && put_text(out, "\r\nAuth-Pass: ") &&
           put_encoded(out, q->secret, q->secret_len) && put_client(out, q) && put_tls(out, q) &&
           put_text(out, "\r\n");
}

/* --- the answer ------------------------------------------------------------------------------ */

uint32_t auth_http_wire_whole(struct span in)
{
    const uint8_t *end = in.len > 0 ? memmem(in.ptr, in.len, "\r\n\r\n", 4) : NULL;

    return end != NULL ? (uint32_t)(end - in.ptr) + 4 : 0;
}

static struct span trim(struct span s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = span_skip(s, 1);
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static bool read_number(struct span text, uint64_t *out)
{
    return text.len < 10 && span_number(text, out);
}

/* Fields that we know. */
enum field {
    FIELD_STATUS,
    FIELD_USER,
    FIELD_SENDERS,
    FIELD_WAIT,
    FIELD_CODE,
    FIELD_CONNECTION,
    FIELD_LENGTH,
    FIELDS
};

static enum field field_of(struct span name)
{
    static const char *const names[FIELDS] = {
        "Auth-Status",     "Auth-User",  "Auth-Senders",   "Auth-Wait",
        "Auth-Error-Code", "Connection", "Content-Length",
    };
    uint32_t i = 0;

    while (i < FIELDS && !span_equal_nocase(name, span_str(names[i])))
        i++;
    return (enum field)i;
}

static bool is_clean(struct span s)
{
    for (uint32_t i = 0; i < s.len; i++) {
        if ((s.ptr[i] < ' ' && s.ptr[i] != '\t') || s.ptr[i] == 0x7f)
            return false;
    }
    return true;
}

static const char *read_field(struct span line, struct span values[FIELDS])
{
    struct span name;
    enum field f;

    if (!is_clean(line) || !take_until(&line, ':', &name) || name.len == 0 ||
        trim(name).len != name.len)
        return "a malformed header field";
    f = field_of(name);
    if (f == FIELDS)
        return NULL;
    if (values[f].ptr != NULL)
        return "a header field twice";
    values[f] = trim(line);
    return NULL;
}

/* "HTTP/1.1 200 OK" (RFC 9112, 4). */
static const char *read_status_line(struct span line)
{
    if (!skip_prefix(&line, "HTTP/1.") || line.len < 5 || line.ptr[1] != ' ')
        return "it does not speak HTTP/1";
    line = span_skip(line, 2);
    return span_equal(span_first(line, 3), SPAN_LITERAL("200")) ? NULL : "a status other than 200";
}

/* Who is refused, by nginx's words: a code of 4xx is nobody's fault. */
static const char *read_refusal(const struct span values[FIELDS], struct auth_http_head *out)
{
    struct span code = values[FIELD_CODE];
    uint64_t wait = 0;

    out->verdict = SMTP_VERDICT_WRONG;
    if (code.len > 0 && code.ptr[0] == '4')
        out->verdict = SMTP_VERDICT_TEMPORARY;
    else if (code.len > 0 && code.ptr[0] != '5')
        return "an Auth-Error-Code that is neither 4xx nor 5xx";
    if (values[FIELD_WAIT].ptr != NULL && !read_number(values[FIELD_WAIT], &wait))
        return "an Auth-Wait that is no number";
    out->wait_s = (uint32_t)wait;
    return NULL;
}

static const char *judge(const struct span values[FIELDS], struct auth_http_head *out)
{
    out->status = values[FIELD_STATUS];
    out->user = values[FIELD_USER];
    out->grant = values[FIELD_SENDERS];
    if (values[FIELD_LENGTH].ptr != NULL && !read_number(values[FIELD_LENGTH], &out->body_bytes))
        return "a Content-Length that is no number";
    out->stays = values[FIELD_LENGTH].ptr != NULL &&
                 span_equal_nocase(values[FIELD_CONNECTION], SPAN_LITERAL("keep-alive"));
    if (out->status.len == 0)
        return "no Auth-Status";
    if (!span_equal(out->status, SPAN_LITERAL("OK")))
        return read_refusal(values, out);
    out->verdict = SMTP_VERDICT_OK;
    return NULL;
}

/* A line without its CRLF; false: that was the empty one. */
static bool take_line(struct span *head, struct span *out)
{
    const uint8_t *end = memmem(head->ptr, head->len, "\r\n", 2);

    ASSERT(end != NULL); /* auth_http_wire_whole has seen the last one */
    *out = span_of(head->ptr, (uint32_t)(end - head->ptr));
    *head = span_skip(*head, out->len + 2);
    return out->len > 0;
}

const char *auth_http_wire_read(struct span head, struct auth_http_head *out)
{
    struct span values[FIELDS] = { { NULL, 0 } };
    const char *wrong;
    struct span line;

    memset(out, 0, sizeof(*out));
    take_line(&head, &line);
    wrong = read_status_line(line);
    while (wrong == NULL && take_line(&head, &line))
        wrong = read_field(line, values);
    return wrong != NULL ? wrong : judge(values, out);
}
