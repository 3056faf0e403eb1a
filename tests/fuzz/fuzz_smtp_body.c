/*
 * Bodies: the scanner against its slow model, whole and in pieces, and both ways to pass over
 * plain text against theirs. The first byte says how it is
 * cut.
 */
#include <stddef.h>

#include "base/assert.h"
#include "unit/smtp/model_body.h"
#include "unit/smtp/model_plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same bytes as chunks of BDAT carry them: only line ends are judged. */
static void same_as_model_of_lines(struct span all, uint32_t step)
{
    enum smtp_body_state want = model_body_lines(all);
    struct smtp_body b;
    uint32_t taken = 0;

    smtp_body_init(&b, SMTP_BODY_LINES);
    while (taken < all.len && !smtp_body_over(&b)) {
        uint32_t given = step < all.len - taken ? step : all.len - taken;

        taken += smtp_body_scan(&b, span_of(all.ptr + taken, given));
    }
    if (!smtp_body_over(&b))
        smtp_body_end(&b);
    ASSERT(smtp_body_over(&b) == (want != SMTP_BODY_TEXT));
    ASSERT(!smtp_body_over(&b) || b.at == want);
    ASSERT(smtp_body_over(&b) || smtp_body_stored(&b) == all.len);
}

static void same_as_model(struct span all, uint32_t step)
{
    struct model_body m = model_body_of(all);
    struct smtp_body b;
    uint32_t taken = 0;

    smtp_body_init(&b, SMTP_BODY_STUFFED);
    while (taken < all.len && !smtp_body_over(&b)) {
        uint32_t given = step < all.len - taken ? step : all.len - taken;

        taken += smtp_body_scan(&b, span_of(all.ptr + taken, given));
    }
    ASSERT(taken == m.taken);
    ASSERT(b.total == m.taken);
    ASSERT(smtp_body_over(&b) == (m.over != SMTP_BODY_TEXT));
    if (smtp_body_over(&b))
        ASSERT(b.at == m.over);
    if (m.over == SMTP_BODY_DONE) {
        ASSERT(smtp_body_stored(&b) == m.stored);
        ASSERT(smtp_body_size(&b) == m.stored - m.dots);
        ASSERT(b.long_line == m.long_line);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all;

    if (size == 0)
        return 0;
    all = span_of(data + 1, (uint32_t)size - 1);
    same_as_model(all, UINT32_MAX);
    same_as_model(all, data[0] + 1U);
    same_as_model_of_lines(all, UINT32_MAX);
    same_as_model_of_lines(all, data[0] + 1U);
    ASSERT(model_plain_agrees(all, '.')); /* behind the first byte, which it looks at */
    ASSERT(model_plain_agrees(all, 0));
    return 0;
}
