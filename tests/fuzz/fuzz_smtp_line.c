/*
 * Lines: any cut of the bytes gives the same lines, and never more than one line is left to be
 * shown again. The first byte says how the second run is cut.
 */
#include <stddef.h>

#include "base/assert.h"
#include "base/hash.h"
#include "smtp/smtp_line.h"

#define MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A hash over all that came out, in order. */
static uint64_t run(struct span all, uint32_t step)
{
    static const struct hash_key key = { 1, 2 };
    struct smtp_line l = { 0 };
    uint64_t sum = 0;
    uint32_t taken = 0;
    uint32_t given = 0;

    for (;;) {
        struct span in = span_of(all.ptr + taken, given - taken);
        struct span line = { NULL, 0 };
        enum smtp_line_outcome outcome = smtp_line_take(&l, &in, MAX, &line);
        uint64_t parts[3] = { sum, outcome, 0 };

        taken = given - in.len;
        if (outcome == SMTP_LINE_MORE) {
            ASSERT(in.len <= MAX);
            if (given == all.len)
                return sum;
            given = step < all.len - given ? given + step : all.len;
            continue;
        }
        if (outcome == SMTP_LINE_WHOLE) {
            ASSERT(line.len + 2 <= MAX);
            for (uint32_t i = 0; i < line.len; i++)
                ASSERT(line.ptr[i] != '\r' && line.ptr[i] != '\n' && line.ptr[i] != '\0');
            parts[2] = hash_sip24(&key, line.ptr, line.len);
        }
        sum = hash_sip24(&key, parts, sizeof(parts));
        if (outcome == SMTP_LINE_BAD)
            return sum;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all;

    if (size == 0)
        return 0;
    all = span_of(data + 1, (uint32_t)size - 1);
    ASSERT(run(all, UINT32_MAX) == run(all, data[0] + 1U));
    return 0;
}
