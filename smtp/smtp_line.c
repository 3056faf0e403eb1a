/*
 * Finds the end of a command line. Happy path: the first CR, LF or NUL of the input is a CR with a
 * LF behind it. Failure modes: a line over its limit is skipped in place; a bare CR, LF or NUL is
 * SMTP_LINE_BAD.
 */
#include "smtp/smtp_line.h"

#include <emmintrin.h>

#include "base/assert.h"

#define VECTOR_BYTES 16

/* Index of the first CR, LF or NUL at or after `from`; s.len when there is none. */
static uint32_t find_special(struct span s, uint32_t from)
{
    const __m128i cr = _mm_set1_epi8('\r');
    const __m128i lf = _mm_set1_epi8('\n');
    const __m128i nul = _mm_setzero_si128();
    uint32_t i = from;

    for (; s.len - i >= VECTOR_BYTES; i += VECTOR_BYTES) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s.ptr + i));
        __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, cr), _mm_cmpeq_epi8(v, lf)),
                                   _mm_cmpeq_epi8(v, nul));
        uint32_t mask = (uint32_t)_mm_movemask_epi8(hit);

        if (mask != 0)
            return i + (uint32_t)__builtin_ctz(mask);
    }
    for (; i < s.len; i++) {
        if (s.ptr[i] == '\r' || s.ptr[i] == '\n' || s.ptr[i] == '\0')
            return i;
    }
    return s.len;
}

/* `clean` bytes at the front hold no special byte and no whole line. */
static enum smtp_line_outcome wait_for_more(struct smtp_line *l, struct span *in, uint32_t clean,
                                            uint32_t max)
{
    ASSERT(clean <= in->len);
    if (l->skipping || clean + 2 > max) {
        l->skipping = true;
        l->seen = 0;
        *in = span_skip(*in, clean);
    } else {
        l->seen = clean;
    }
    ASSERT(in->len <= max);
    return SMTP_LINE_MORE;
}

enum smtp_line_outcome smtp_line_take(struct smtp_line *l, struct span *in, uint32_t max,
                                      struct span *line)
{
    uint32_t at;
    bool too_long;

    ASSERT(max > 2);
    ASSERT(l->seen <= in->len);
    at = find_special(*in, l->seen);
    if (at == in->len)
        return wait_for_more(l, in, at, max);
    if (in->ptr[at] != '\r')
        return SMTP_LINE_BAD;
    if (at + 1 == in->len)
        return wait_for_more(l, in, at, max);
    if (in->ptr[at + 1] != '\n')
        return SMTP_LINE_BAD;

    too_long = l->skipping || at + 2 > max;
    *line = span_first(*in, at);
    *in = span_skip(*in, at + 2);
    *l = (struct smtp_line){ 0 };
    return too_long ? SMTP_LINE_LONG : SMTP_LINE_WHOLE;
}
