/*
 * Grammar: whatever is accepted must be safe to store and to put into a header field, and accepted
 * again by itself.
 */
#include <stddef.h>

#include "base/assert.h"
#include "base/limits.h"
#include "smtp/smtp_sasl.h"
#include "smtp/smtp_syntax.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void printable(struct span s)
{
    for (uint32_t i = 0; i < s.len; i++)
        ASSERT(s.ptr[i] >= ' ' && s.ptr[i] <= '~');
}

static void path(struct span all)
{
    struct span rest = all;
    struct smtp_mail_params params;
    struct span mailbox;

    if (smtp_syntax_path(&rest, SPAN_LITERAL("FROM:"), &mailbox) != SMTP_SYNTAX_OK)
        return;
    printable(mailbox);
    ASSERT(mailbox.len + 2 <= LIMIT_PATH_BYTES);
    ASSERT(mailbox.len == 0 || smtp_syntax_is_postmaster(mailbox) || smtp_syntax_mailbox(mailbox));
    ASSERT(rest.len == 0 || rest.ptr[0] == ' ');
    ASSERT(rest.ptr + rest.len == all.ptr + all.len);
    if (smtp_syntax_mail_params(rest, &params) != SMTP_PARAMS_OK)
        return;
    ASSERT(params.has_size || params.size == 0);
    ASSERT(params.has_auth == (params.auth_xtext.len > 0));
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
    outcome = smtp_sasl_start(&x, all);
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
    if (smtp_syntax_helo(all))
        printable(all);
    if (smtp_syntax_domain(all))
        ASSERT(all.len <= LIMIT_DOMAIN_BYTES);
    return 0;
}
