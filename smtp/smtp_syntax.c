/*
 * The grammar of SMTP's arguments, one small function for each rule of RFC 5321, 4.1.2. A function
 * that is given a `struct span *` takes its rule off the front, and leaves the span anywhere when
 * it fails.
 */
#include "smtp/smtp_syntax.h"

#include "base/addr.h"
#include "base/assert.h"

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* RFC 5322, 3.2.3. */
static bool is_atext(uint8_t c)
{
    return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_printable(uint8_t c)
{
    return c >= ' ' && c <= '~';
}

static bool take_byte(struct span *s, uint8_t c)
{
    if (s->len == 0 || s->ptr[0] != c)
        return false;
    *s = span_skip(*s, 1);
    return true;
}

static void take_spaces(struct span *s)
{
    while (take_byte(s, ' '))
        continue;
}

/* Takes the longest front of which every byte passes; gives it. */
static struct span take_while(struct span *s, bool (*passes)(uint8_t c))
{
    uint32_t n = 0;
    struct span front;

    while (n < s->len && passes(s->ptr[n]))
        n++;
    front = span_first(*s, n);
    *s = span_skip(*s, n);
    return front;
}

/* Dot-string = Atom *("." Atom) */
static bool take_dot_string(struct span *s)
{
    do {
        if (take_while(s, is_atext).len == 0)
            return false;
    } while (take_byte(s, '.'));
    return true;
}

/* Quoted-string = DQUOTE *QcontentSMTP DQUOTE */
static bool take_quoted_string(struct span *s)
{
    if (!take_byte(s, '"'))
        return false;
    while (!take_byte(s, '"')) {
        (void)take_byte(s, '\\'); /* quoted-pairSMTP: any printable byte may follow */
        if (s->len == 0 || !is_printable(s->ptr[0]))
            return false;
        *s = span_skip(*s, 1);
    }
    return true;
}

static bool take_local_part(struct span *s)
{
    const uint8_t *begin = s->ptr;
    bool quoted = s->len > 0 && s->ptr[0] == '"';

    if (quoted ? !take_quoted_string(s) : !take_dot_string(s))
        return false;
    return s->ptr - begin <= LIMIT_LOCAL_PART_BYTES;
}

static bool is_label_byte(uint8_t c)
{
    return is_alnum(c) || c == '-';
}

/* sub-domain = Let-dig [Ldh-str]; 63 bytes by RFC 1035, 2.3.4 */
static bool take_label(struct span *s)
{
    struct span label = take_while(s, is_label_byte);

    return label.len > 0 && label.len <= 63 && label.ptr[0] != '-' &&
           label.ptr[label.len - 1] != '-';
}

static bool is_literal_byte(uint8_t c)
{
    return is_alnum(c) || c == '.' || c == ':';
}

/* address-literal = "[" ( IPv4 / "IPv6:" IPv6 ) "]"; no other tag is registered for mail */
static bool take_literal(struct span *s)
{
    const struct span v6_tag = SPAN_LITERAL("IPv6:");
    char text[ADDR_TEXT_MAX] = "";
    struct addr addr;
    struct span inner;
    bool v6;

    if (!take_byte(s, '['))
        return false;
    inner = take_while(s, is_literal_byte);
    if (!take_byte(s, ']'))
        return false;
    v6 = span_equal_nocase(span_first(inner, v6_tag.len), v6_tag);
    if (v6)
        inner = span_skip(inner, v6_tag.len);
    if (inner.len >= sizeof(text))
        return false;
    memcpy(text, inner.ptr, inner.len);
    return (strchr(text, ':') != NULL) == v6 && addr_parse(text, &addr);
}

static bool take_domain(struct span *s)
{
    const uint8_t *begin = s->ptr;

    if (s->len > 0 && s->ptr[0] == '[') {
        if (!take_literal(s))
            return false;
    } else {
        do {
            if (!take_label(s))
                return false;
        } while (take_byte(s, '.'));
    }
    return s->ptr - begin <= LIMIT_DOMAIN_BYTES;
}

static bool take_mailbox(struct span *s)
{
    return take_local_part(s) && take_byte(s, '@') && take_domain(s);
}

/* A-d-l ":" — RFC 5321, 4.1.2: "SHOULD be ignored". True when there is none. */
static bool take_source_route(struct span *s)
{
    if (s->len == 0 || s->ptr[0] != '@')
        return true;
    do {
        if (!take_byte(s, '@') || !take_domain(s))
            return false;
    } while (take_byte(s, ','));
    return take_byte(s, ':');
}

bool smtp_syntax_is_postmaster(struct span mailbox)
{
    return span_equal_nocase(mailbox, SPAN_LITERAL("postmaster"));
}

/* What stands between the brackets. *mailbox: without the route. */
static bool take_path_inner(struct span *s, struct span *mailbox)
{
    const struct span postmaster = SPAN_LITERAL("postmaster");
    struct span word = span_first(*s, postmaster.len);

    *mailbox = span_first(*s, 0);
    if (s->len > 0 && s->ptr[0] == '>')
        return true;
    if (smtp_syntax_is_postmaster(word) && s->len > word.len && s->ptr[word.len] == '>') {
        *mailbox = word;
        *s = span_skip(*s, word.len);
        return true;
    }
    if (!take_source_route(s))
        return false;
    mailbox->ptr = s->ptr;
    if (!take_mailbox(s))
        return false;
    mailbox->len = (uint32_t)(s->ptr - mailbox->ptr);
    return true;
}

static bool take_path(struct span *s, struct span *mailbox)
{
    const uint8_t *begin = s->ptr;

    if (!take_byte(s, '<') || !take_path_inner(s, mailbox) || !take_byte(s, '>'))
        return false;
    if (s->len > 0 && s->ptr[0] != ' ')
        return false;
    return s->ptr - begin <= LIMIT_PATH_BYTES;
}

static bool has_non_ascii(struct span s)
{
    for (uint32_t i = 0; i < s.len; i++) {
        if (s.ptr[i] >= 128)
            return true;
    }
    return false;
}

enum smtp_syntax_outcome smtp_syntax_path(struct span *rest, struct span keyword,
                                          struct span *mailbox)
{
    struct span all = *rest;

    ASSERT(keyword.len > 0);
    if (!span_equal_nocase(span_first(*rest, keyword.len), keyword))
        return SMTP_SYNTAX_BAD;
    *rest = span_skip(*rest, keyword.len);
    take_spaces(rest);
    if (take_path(rest, mailbox)) {
        ASSERT(mailbox->len <= LIMIT_PATH_BYTES);
        ASSERT(!has_non_ascii(*mailbox));
        return SMTP_SYNTAX_OK;
    }
    return has_non_ascii(all) ? SMTP_SYNTAX_NON_ASCII : SMTP_SYNTAX_BAD;
}

bool smtp_syntax_mailbox(struct span s)
{
    return take_mailbox(&s) && s.len == 0;
}

bool smtp_syntax_domain(struct span s)
{
    return take_domain(&s) && s.len == 0;
}

static bool is_helo_byte(uint8_t c)
{
    return is_alnum(c) || (c != '\0' && strchr("-._:[]", c) != NULL);
}

bool smtp_syntax_helo(struct span s)
{
    if (s.len == 0 || s.len > LIMIT_HELO_BYTES)
        return false;
    (void)take_while(&s, is_helo_byte);
    return s.len == 0;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* xtext = *( xchar / hexchar ): the next byte, or -1. */
static int take_xtext_byte(struct span *s)
{
    uint8_t c = s->ptr[0];
    int high;
    int low;

    ASSERT(s->len > 0);
    *s = span_skip(*s, 1);
    if (c <= ' ' || c > '~' || c == '=')
        return -1;
    if (c != '+')
        return c;
    if (s->len < 2)
        return -1;
    high = hex_value(s->ptr[0]);
    low = hex_value(s->ptr[1]);
    *s = span_skip(*s, 2);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool smtp_syntax_xtext(struct span s, struct buf *to)
{
    uint32_t len_before = to->len;

    while (s.len > 0) {
        int c = take_xtext_byte(&s);

        if (c < 0 || !is_printable((uint8_t)c) || buf_room(to) == 0) {
            to->len = len_before;
            return false;
        }
        to->ptr[to->len++] = (uint8_t)c;
    }
    return true;
}

/* 1*20DIGIT (RFC 1870, 3; RFC 3030, 2): more than 64 bits hold is just as much too big. */
static bool read_number(struct span s, uint64_t *out)
{
    *out = 0;
    if (s.len == 0 || s.len > 20)
        return false;
    for (uint32_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(*out, 10U, out) ||
            __builtin_add_overflow(*out, (uint64_t)s.ptr[i] - '0', out))
            *out = UINT64_MAX; /* only the 20th digit can get here */
    }
    return true;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

bool smtp_syntax_chunk(struct span s, struct smtp_chunk *out)
{
    *out = (struct smtp_chunk){ 0 };
    if (!read_number(take_while(&s, is_digit), &out->bytes))
        return false;
    if (s.len == 0)
        return true;
    if (!take_byte(&s, ' '))
        return false;
    take_spaces(&s);
    out->last = span_equal_nocase(s, SPAN_LITERAL("LAST"));
    return out->last;
}

/* --- Parameters ------------------------------------------------------------------------------ */

static enum smtp_params_outcome read_size(struct span value, struct smtp_mail_params *p)
{
    if (p->has_size || !read_number(value, &p->size))
        return SMTP_PARAMS_BAD;
    p->has_size = true;
    return SMTP_PARAMS_OK;
}

static enum smtp_params_outcome read_body(struct span value, struct smtp_mail_params *p)
{
    if (p->body != SMTP_BODY_TYPE_NONE)
        return SMTP_PARAMS_BAD;
    if (span_equal_nocase(value, SPAN_LITERAL("7BIT")))
        p->body = SMTP_BODY_TYPE_7BIT;
    else if (span_equal_nocase(value, SPAN_LITERAL("8BITMIME")))
        p->body = SMTP_BODY_TYPE_8BITMIME;
    else if (span_equal_nocase(value, SPAN_LITERAL("BINARYMIME")))
        p->body = SMTP_BODY_TYPE_BINARYMIME;
    else
        return SMTP_PARAMS_BAD;
    return SMTP_PARAMS_OK;
}

static enum smtp_params_outcome read_auth(struct span value, struct smtp_mail_params *p)
{
    uint8_t decoded[LIMIT_PATH_BYTES];
    struct buf to = { decoded, 0, sizeof(decoded) };

    if (p->has_auth || value.len == 0 || !smtp_syntax_xtext(value, &to))
        return SMTP_PARAMS_BAD;
    p->has_auth = true;
    p->auth_xtext = value;
    return SMTP_PARAMS_OK;
}

static const struct {
    struct span keyword;
    enum smtp_params_outcome (*read)(struct span value, struct smtp_mail_params *p);
} mail_params[] = {
    { { (const uint8_t *)"SIZE", 4 }, read_size },
    { { (const uint8_t *)"BODY", 4 }, read_body },
    { { (const uint8_t *)"AUTH", 4 }, read_auth },
};

/* esmtp-value = 1*(%d33-60 / %d62-126) */
static bool is_value_byte(uint8_t c)
{
    return c > ' ' && c <= '~' && c != '=';
}

static enum smtp_params_outcome read_param(struct span *rest, struct smtp_mail_params *out)
{
    struct span keyword = take_while(rest, is_label_byte);
    struct span value = { NULL, 0 };

    if (keyword.len == 0 || keyword.ptr[0] == '-')
        return SMTP_PARAMS_BAD;
    if (take_byte(rest, '=')) {
        value = take_while(rest, is_value_byte);
        if (value.len == 0)
            return SMTP_PARAMS_BAD;
    }
    if (rest->len > 0 && rest->ptr[0] != ' ')
        return SMTP_PARAMS_BAD;
    for (size_t i = 0; i < sizeof(mail_params) / sizeof(mail_params[0]); i++) {
        if (span_equal_nocase(keyword, mail_params[i].keyword))
            return mail_params[i].read(value, out);
    }
    return SMTP_PARAMS_UNKNOWN;
}

enum smtp_params_outcome smtp_syntax_mail_params(struct span rest, struct smtp_mail_params *out)
{
    *out = (struct smtp_mail_params){ 0 };
    take_spaces(&rest);
    while (rest.len > 0) {
        enum smtp_params_outcome outcome = read_param(&rest, out);

        if (outcome != SMTP_PARAMS_OK)
            return outcome;
        take_spaces(&rest);
    }
    return SMTP_PARAMS_OK;
}
