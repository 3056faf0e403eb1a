/*
 * Headers: the parser against its slow model. The first byte says the form, and how it is cut.
 */
#include <stddef.h>

#include "base/assert.h"
#include "unit/smtp/model_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model_header m;
    struct smtp_header h;
    struct span all;
    uint32_t step;

    if (size == 0)
        return 0;
    all = span_of(data + 1, (uint32_t)size - 1);
    step = data[0] / 2 + 1U;
    m = model_header_of(all, data[0] % 2);
    smtp_header_init(&h, data[0] % 2, (struct smtp_header_judge){ NULL, NULL });
    for (uint32_t at = 0; at < all.len; at += step)
        smtp_header_feed(&h, span_first(span_skip(all, at), step));
    ASSERT(h.name_len <= SMTP_HEADER_NAME_BYTES);
    if (h.at != SMTP_HEADER_BODY && h.at != SMTP_HEADER_LINE)
        return 0; /* within a line */
    ASSERT(h.fields == m.fields && h.received == m.received && h.seen == m.seen);
    ASSERT(h.longest == m.longest);
    ASSERT(h.missing == m.missing);
    return 0;
}
