/*
 * Grammar: whatever is accepted must be safe to store and to put into a header field, and accepted
 * again by itself.
 */
#include <stddef.h>

#include "base/assert.h"
#include "base/limits.h"
#include "smtp/smtp_date.h"
#include "smtp/smtp_params.h"
#include "smtp/smtp_sasl.h"
#include "smtp/smtp_scan.h"
#include "smtp/smtp_syntax.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void printable(struct span s)
{
    for (uint32_t i = 0; i < s.len; i++)
        ASSERT(s.ptr[i] >= ' ' && s.ptr[i] <= '~');
}

/* UTF-8 that is safe in a log line and a header field. */
static void no_control(struct span s)
{
    ASSERT(smtp_scan_is_utf8(s));
    for (uint32_t i = 0; i < s.len; i++)
        ASSERT(s.ptr[i] >= ' ' && s.ptr[i] != 0x7f);
}

/* What is read as a date is written as the same one. */
static void date(struct span all)
{
    char text[SMTP_DATE_ISO_BYTES];
    uint64_t again;
    uint64_t s;

    if (!smtp_date_parse(all, &s))
        return;
    smtp_date_iso(s, text);
    ASSERT(smtp_date_parse(span_str(text), &again) && again == s);
}

static void path(struct span all)
{
    struct span rest = all;
    struct smtp_params params;
    struct span mailbox;
    enum smtp_syntax_outcome outcome = smtp_syntax_path(&rest, SPAN_LITERAL("FROM:"), &mailbox);

    if (outcome == SMTP_SYNTAX_BAD)
        return;
    if (outcome == SMTP_SYNTAX_OK)
        printable(mailbox);
    else
        no_control(mailbox);
    ASSERT(mailbox.len + 2 <= LIMIT_PATH_BYTES);
    ASSERT(mailbox.len == 0 || smtp_syntax_is_postmaster(mailbox) || smtp_syntax_mailbox(mailbox));
    ASSERT(rest.len == 0 || rest.ptr[0] == ' ');
    ASSERT(rest.ptr + rest.len == all.ptr + all.len);
    if (smtp_params_mail(rest, UINT32_MAX, &params) == SMTP_PARAMS_OK) {
        ASSERT((params.given & SMTP_PARAM_SIZE) || params.size == 0);
        ASSERT(((params.given & SMTP_PARAM_AUTH) != 0) == (params.auth.len > 0));
        ASSERT(params.priority >= -9 && params.priority <= 9);
        ASSERT(!params.by_return || params.by_s > 0);
        printable(params.envid);
    }
    if (smtp_params_rcpt(rest, &params) == SMTP_PARAMS_OK)
        no_control(params.orcpt);
}

static void xtext(struct span all)
{
    uint8_t bytes[LIMIT_PATH_BYTES];
    struct buf to = { bytes, 0, sizeof(bytes) };

    if (smtp_syntax_xtext(all, &to))
        printable(span_of(to.ptr, to.len));
    else
        ASSERT(to.len == 0);
}

static void sasl(struct span all)
{
    static struct smtp_sasl x;
    enum smtp_sasl_outcome outcome;

    all = span_first(all, LIMIT_AUTH_LINE_BYTES);
    outcome = smtp_sasl_start(&x, UINT32_MAX, all);
    if (outcome == SMTP_SASL_ASK_USERNAME)
        outcome = smtp_sasl_line(&x, span_skip(all, all.len / 2));
    if (outcome == SMTP_SASL_COMPLETE) {
        ASSERT(x.login_len > 0);
        ASSERT(x.password.len > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all = span_of(data, (uint32_t)size);

    path(all);
    xtext(all);
    sasl(all);
    date(all);
    if (smtp_syntax_helo(all))
        printable(all);
    if (smtp_syntax_domain(all))
        ASSERT(all.len <= LIMIT_DOMAIN_BYTES);
    return 0;
}
