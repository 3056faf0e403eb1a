/*
 * The grammar of SMTP's arguments, one small function for each rule of RFC 5321, 4.1.2. A function
 * that is given a `struct span *` takes its rule off the front, and leaves the span anywhere when
 * it fails.
 */
#include "smtp/smtp_syntax.h"

#include "base/addr.h"
#include "base/assert.h"
#include "base/idna.h"
#include "smtp/smtp_scan.h"

/* RFC 5322, 3.2.3, and UTF8-non-ascii (RFC 6531, 3.3), which smtp_syntax_path judges as a whole. */
bool smtp_syntax_is_atext(uint8_t c)
{
    return c >= 128 || smtp_scan_is_alnum(c) ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Dot-string = Atom *("." Atom) */
static bool take_dot_string(struct span *s)
{
    do {
        if (smtp_scan_while(s, smtp_syntax_is_atext).len == 0)
            return false;
    } while (smtp_scan_byte(s, '.'));
    return true;
}

/* Quoted-string = DQUOTE *QcontentSMTP DQUOTE */
static bool take_quoted_string(struct span *s)
{
    if (!smtp_scan_byte(s, '"'))
        return false;
    while (!smtp_scan_byte(s, '"')) {
        bool pair = smtp_scan_byte(s, '\\'); /* quoted-pairSMTP: any printable byte may follow */

        if (s->len == 0)
            return false;
        if (!smtp_scan_is_printable(s->ptr[0]) && (pair || s->ptr[0] < 128))
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
    return c >= 128 || smtp_scan_is_alnum(c) || c == '-';
}

/*
 * sub-domain = Let-dig [Ldh-str]; 63 bytes by RFC 1035, 2.3.4; or U-label (RFC 6531, 3.3), whose
 * form for the DNS has that limit: four bytes of UTF-8 take one of it at least.
 */
static bool take_label(struct span *s)
{
    struct span label = smtp_scan_while(s, is_label_byte);
    uint32_t most = span_is_ascii(label) ? 63 : 4 * 63;

    return label.len > 0 && label.len <= most && label.ptr[0] != '-' &&
           label.ptr[label.len - 1] != '-';
}

/* dcontent (RFC 5321, 4.1.3): printable, without the brackets and the backslash */
static bool is_dcontent(uint8_t c)
{
    return c > ' ' && c <= '~' && c != '[' && c != ']' && c != '\\';
}

static bool is_tag_byte(uint8_t c)
{
    return smtp_scan_is_alnum(c) || c == '-';
}

static bool is_address(struct span s, bool v6)
{
    char text[ADDR_TEXT_MAX] = "";
    struct addr addr;

    if (s.len >= sizeof(text))
        return false;
    memcpy(text, s.ptr, s.len);
    return (strchr(text, ':') != NULL) == v6 && addr_parse(text, &addr);
}

/* General-address-literal = Standardized-tag ":" 1*dcontent, which no IPv6 address without its tag
 * may pass for. */
static bool is_general_literal(struct span s)
{
    struct span rest = s;
    struct span tag = smtp_scan_while(&rest, is_tag_byte);

    return tag.len > 0 && tag.ptr[tag.len - 1] != '-' && smtp_scan_byte(&rest, ':') &&
           rest.len > 0 && !is_address(s, true);
}

/* address-literal = "[" ( IPv4 / "IPv6:" IPv6 / General ) "]" */
static bool take_literal(struct span *s)
{
    const struct span v6_tag = SPAN_LITERAL("IPv6:");
    struct span inner;

    if (!smtp_scan_byte(s, '['))
        return false;
    inner = smtp_scan_while(s, is_dcontent);
    if (!smtp_scan_byte(s, ']'))
        return false;
    if (span_equal_nocase(span_first(inner, v6_tag.len), v6_tag))
        return is_address(span_skip(inner, v6_tag.len), true);
    return is_address(inner, false) || is_general_literal(inner);
}

/* What is not ASCII must have a form for the DNS (RFC 6531, 3.3). */
static bool is_name(struct span domain)
{
    char name[IDNA_BYTES];

    return span_is_ascii(domain) || idna_to_ascii(domain, name);
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
        } while (smtp_scan_byte(s, '.'));
    }
    return s->ptr - begin <= LIMIT_DOMAIN_BYTES &&
           is_name(span_of(begin, (uint32_t)(s->ptr - begin)));
}

static bool take_mailbox(struct span *s)
{
    return take_local_part(s) && smtp_scan_byte(s, '@') && take_domain(s);
}

/* A-d-l ":" — RFC 5321, 4.1.2: "SHOULD be ignored". True when there is none. */
static bool take_source_route(struct span *s)
{
    if (s->len == 0 || s->ptr[0] != '@')
        return true;
    do {
        if (!smtp_scan_byte(s, '@') || !take_domain(s))
            return false;
    } while (smtp_scan_byte(s, ','));
    return smtp_scan_byte(s, ':');
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

    if (!smtp_scan_byte(s, '<') || !take_path_inner(s, mailbox) || !smtp_scan_byte(s, '>'))
        return false;
    if (s->len > 0 && s->ptr[0] != ' ')
        return false;
    return s->ptr - begin <= LIMIT_PATH_BYTES;
}

enum smtp_syntax_outcome smtp_syntax_path(struct span *rest, struct span keyword,
                                          struct span *mailbox)
{
    struct span path;

    ASSERT(keyword.len > 0);
    if (!span_equal_nocase(span_first(*rest, keyword.len), keyword))
        return SMTP_SYNTAX_BAD;
    *rest = span_skip(*rest, keyword.len);
    smtp_scan_spaces(rest);
    path = *rest;
    if (!take_path(rest, mailbox) || !smtp_scan_is_utf8(span_first(path, path.len - rest->len)))
        return SMTP_SYNTAX_BAD;
    ASSERT(mailbox->len <= LIMIT_PATH_BYTES);
    return span_is_ascii(*mailbox) ? SMTP_SYNTAX_OK : SMTP_SYNTAX_UTF8;
}

bool smtp_syntax_mailbox(struct span s)
{
    return smtp_scan_is_utf8(s) && take_mailbox(&s) && s.len == 0;
}

bool smtp_syntax_domain(struct span s)
{
    return span_is_ascii(s) && take_domain(&s) && s.len == 0;
}

static bool is_helo_byte(uint8_t c)
{
    return smtp_scan_is_alnum(c) || (c != '\0' && strchr("-._:[]", c) != NULL);
}

bool smtp_syntax_helo(struct span s)
{
    if (s.len == 0 || s.len > LIMIT_HELO_BYTES)
        return false;
    (void)smtp_scan_while(&s, is_helo_byte);
    return s.len == 0;
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
    high = smtp_scan_hex(s->ptr[0]);
    low = smtp_scan_hex(s->ptr[1]);
    *s = span_skip(*s, 2);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool smtp_syntax_xtext(struct span s, struct buf *to)
{
    uint32_t len_before = to->len;

    while (s.len > 0) {
        int c = take_xtext_byte(&s);

        if (c < 0 || !smtp_scan_is_printable((uint8_t)c) || buf_room(to) == 0) {
            to->len = len_before;
            return false;
        }
        to->ptr[to->len++] = (uint8_t)c;
    }
    return true;
}

bool smtp_syntax_chunk(struct span s, struct smtp_chunk *out)
{
    *out = (struct smtp_chunk){ 0 };
    if (!span_number(smtp_scan_while(&s, smtp_scan_is_digit), &out->bytes))
        return false;
    if (s.len == 0)
        return true;
    if (!smtp_scan_byte(&s, ' '))
        return false;
    smtp_scan_spaces(&s);
    out->last = span_equal_nocase(s, SPAN_LITERAL("LAST"));
    return out->last;
}
