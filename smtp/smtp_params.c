/*
 * One row for each keyword, one small reader for each value. Happy path: keyword by keyword off the
 * front. Failure: the first one that is wrong ends it, with the outcome that says how.
 */
#include "smtp/smtp_params.h"

#include "base/assert.h"
#include "base/limits.h"
#include "smtp/smtp_date.h"
#include "smtp/smtp_scan.h"
#include "smtp/smtp_syntax.h"

/* --- Values ---------------------------------------------------------------------------------- */

static bool read_size(struct span value, struct smtp_params *p)
{
    return span_number(value, &p->size);
}

static bool read_body(struct span value, struct smtp_params *p)
{
    if (span_equal_nocase(value, SPAN_LITERAL("7BIT")))
        p->body = SMTP_BODY_TYPE_7BIT;
    else if (span_equal_nocase(value, SPAN_LITERAL("8BITMIME")))
        p->body = SMTP_BODY_TYPE_8BITMIME;
    else if (span_equal_nocase(value, SPAN_LITERAL("BINARYMIME")))
        p->body = SMTP_BODY_TYPE_BINARYMIME;
    return p->body != SMTP_BODY_TYPE_NONE;
}

/* Decodes to printable ASCII. */
static bool is_xtext(struct span value)
{
    uint8_t decoded[LIMIT_ORCPT_BYTES];
    struct buf to = { decoded, 0, sizeof(decoded) };

    return smtp_syntax_xtext(value, &to);
}

static bool read_auth(struct span value, struct smtp_params *p)
{
    p->auth = value;
    return value.len <= LIMIT_PATH_BYTES && is_xtext(value);
}

static bool read_envid(struct span value, struct smtp_params *p)
{
    p->envid = value;
    return value.len <= LIMIT_ENVID_BYTES && is_xtext(value);
}

static bool read_ret(struct span value, struct smtp_params *p)
{
    p->ret_full = span_equal_nocase(value, SPAN_LITERAL("FULL"));
    return p->ret_full || span_equal_nocase(value, SPAN_LITERAL("HDRS"));
}

/* priority-value = (["-"] NZDIGIT) / "0" */
static bool read_priority(struct span value, struct smtp_params *p)
{
    bool minus = smtp_scan_byte(&value, '-');

    if (value.len != 1 || !smtp_scan_is_digit(value.ptr[0]))
        return false;
    p->priority = value.ptr[0] - '0';
    if (!minus)
        return true;
    p->priority = -p->priority;
    return p->priority != 0;
}

/* by-value = by-time ";" by-mode [by-trace]; by-time = ["-" / "+"] 1*9DIGIT */
static bool read_by(struct span value, struct smtp_params *p)
{
    bool minus = smtp_scan_byte(&value, '-');
    struct span digits;
    uint64_t seconds;

    if (!minus)
        (void)smtp_scan_byte(&value, '+');
    digits = smtp_scan_while(&value, smtp_scan_is_digit);
    if (digits.len > 9 || !span_number(digits, &seconds) || !smtp_scan_byte(&value, ';'))
        return false;
    p->by_s = minus ? -(int64_t)seconds : (int64_t)seconds;
    p->by_return = span_equal_nocase(span_first(value, 1), SPAN_LITERAL("R"));
    p->by_trace = span_equal_nocase(span_skip(value, 1), SPAN_LITERAL("T"));
    if (value.len != (p->by_trace ? 2 : 1))
        return false;
    /* RFC 2852, 4: with "R" the time must be greater than zero. */
    return p->by_return ? p->by_s > 0 : span_equal_nocase(span_first(value, 1), SPAN_LITERAL("N"));
}

static bool read_holdfor(struct span value, struct smtp_params *p)
{
    return value.len <= 9 && span_number(value, &p->hold_s) && p->hold_s > 0;
}

static bool read_holduntil(struct span value, struct smtp_params *p)
{
    return smtp_date_parse(value, &p->hold_s);
}

/* NEVER, or a list of the other three. */
static bool read_notify(struct span value, struct smtp_params *p)
{
    static const struct span words[] = { { (const uint8_t *)"SUCCESS", 7 },
                                         { (const uint8_t *)"FAILURE", 7 },
                                         { (const uint8_t *)"DELAY", 5 } };

    if (span_equal_nocase(value, SPAN_LITERAL("NEVER")))
        return true;
    do {
        struct span word = smtp_scan_while(&value, smtp_scan_is_alnum);
        uint32_t i = 0;

        while (i < 3 && !span_equal_nocase(word, words[i]))
            i++;
        if (i == 3)
            return false;
        p->notify |= 1u << i;
    } while (smtp_scan_byte(&value, ','));
    return value.len == 0;
}

/* EmbeddedUnicodeChar = "\x{" 2*6 upper-case hex digits "}" */
static bool take_embedded(struct span *s)
{
    uint32_t digits = 0;

    if (!smtp_scan_byte(s, '\\') || !smtp_scan_byte(s, 'x') || !smtp_scan_byte(s, '{'))
        return false;
    while (digits < s->len && smtp_scan_hex(s->ptr[digits]) >= 0)
        digits++;
    *s = span_skip(*s, digits);
    return digits >= 2 && digits <= 6 && smtp_scan_byte(s, '}');
}

/* utf-8-addr-xtext or utf-8-addr-unitext (RFC 6533, 3): what xtext encodes is embedded. */
static bool is_utf8_address(struct span s)
{
    if (!smtp_scan_is_utf8(s))
        return false;
    while (s.len > 0) {
        if (s.ptr[0] == '\\') {
            if (!take_embedded(&s))
                return false;
            continue;
        }
        if (s.ptr[0] == '+')
            return false;
        s = span_skip(s, 1);
    }
    return true;
}

/* original-recipient-address = addr-type ";" xtext */
static bool read_orcpt(struct span value, struct smtp_params *p)
{
    struct span rest = value;
    struct span type = smtp_scan_while(&rest, smtp_syntax_is_atext);

    p->orcpt = value;
    if (value.len > LIMIT_ORCPT_BYTES || type.len == 0 || !span_is_ascii(type))
        return false;
    if (!smtp_scan_byte(&rest, ';') || rest.len == 0)
        return false;
    return span_equal_nocase(type, SPAN_LITERAL("utf-8")) ? is_utf8_address(rest) : is_xtext(rest);
}

/* --- Keywords -------------------------------------------------------------------------------- */

struct row {
    const char *keyword;
    enum smtp_param bit;
    uint32_t excludes;                                      /* may not stand beside these */
    bool (*read)(struct span value, struct smtp_params *p); /* NULL: the keyword has no value */
};

/* clang-format off */
static const struct row mail_rows[] = {
    { "SIZE",        SMTP_PARAM_SIZE,       0,                    read_size },
    { "BODY",        SMTP_PARAM_BODY,       0,                    read_body },
    { "AUTH",        SMTP_PARAM_AUTH,       0,                    read_auth },
    { "RET",         SMTP_PARAM_RET,        0,                    read_ret },
    { "ENVID",       SMTP_PARAM_ENVID,      0,                    read_envid },
    { "SMTPUTF8",    SMTP_PARAM_SMTPUTF8,   0,                    NULL },
    { "REQUIRETLS",  SMTP_PARAM_REQUIRETLS, 0,                    NULL },
    { "MT-PRIORITY", SMTP_PARAM_PRIORITY,   0,                    read_priority },
    { "BY",          SMTP_PARAM_BY,         0,                    read_by },
    { "HOLDFOR",     SMTP_PARAM_HOLDFOR,    SMTP_PARAM_HOLDUNTIL, read_holdfor },
    { "HOLDUNTIL",   SMTP_PARAM_HOLDUNTIL,  SMTP_PARAM_HOLDFOR,   read_holduntil },
};
static const struct row rcpt_rows[] = {
    { "NOTIFY",      SMTP_PARAM_NOTIFY,     0,                    read_notify },
    { "ORCPT",       SMTP_PARAM_ORCPT,      0,                    read_orcpt },
};
/* clang-format on */

struct table {
    const struct row *rows;
    uint32_t count;
    uint32_t offered;
};

static bool is_keyword_byte(uint8_t c)
{
    return smtp_scan_is_alnum(c) || c == '-';
}

/* esmtp-value = 1*(%d33-60 / %d62-126 / UTF8-non-ascii) (RFC 6531, 3.3) */
static bool is_value_byte(uint8_t c)
{
    return c > ' ' && c != '=' && c != 0x7f;
}

static const struct row *find(const struct table *t, struct span keyword)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if ((t->rows[i].bit & t->offered) &&
            span_equal_nocase(keyword, span_str(t->rows[i].keyword)))
            return &t->rows[i];
    }
    return NULL;
}

static enum smtp_params_outcome read_one(const struct table *t, struct span *rest,
                                         struct smtp_params *out)
{
    struct span keyword = smtp_scan_while(rest, is_keyword_byte);
    struct span value = { NULL, 0 };
    const struct row *row;

    if (keyword.len == 0 || keyword.ptr[0] == '-')
        return SMTP_PARAMS_BAD;
    if (smtp_scan_byte(rest, '=')) {
        value = smtp_scan_while(rest, is_value_byte);
        if (value.len == 0)
            return SMTP_PARAMS_BAD;
    }
    if (rest->len > 0 && rest->ptr[0] != ' ')
        return SMTP_PARAMS_BAD;
    row = find(t, keyword);
    if (row == NULL)
        return SMTP_PARAMS_UNKNOWN;
    if ((out->given & (row->bit | row->excludes)) || (row->read == NULL) != (value.len == 0))
        return SMTP_PARAMS_BAD;
    out->given |= row->bit;
    return row->read == NULL || row->read(value, out) ? SMTP_PARAMS_OK : SMTP_PARAMS_BAD;
}

static enum smtp_params_outcome read_all(const struct table *t, struct span rest,
                                         struct smtp_params *out)
{
    *out = (struct smtp_params){ 0 };
    smtp_scan_spaces(&rest);
    while (rest.len > 0) {
        enum smtp_params_outcome outcome = read_one(t, &rest, out);

        if (outcome != SMTP_PARAMS_OK)
            return outcome;
        smtp_scan_spaces(&rest);
    }
    return SMTP_PARAMS_OK;
}

enum smtp_params_outcome smtp_params_mail(struct span rest, uint32_t offered,
                                          struct smtp_params *out)
{
    const struct table t = { mail_rows, sizeof(mail_rows) / sizeof(mail_rows[0]), offered };

    return read_all(&t, rest, out);
}

enum smtp_params_outcome smtp_params_rcpt(struct span rest, struct smtp_params *out)
{
    const struct table t = { rcpt_rows, sizeof(rcpt_rows) / sizeof(rcpt_rows[0]), UINT32_MAX };

    return read_all(&t, rest, out);
}
