/* The slow model of what smtp_plain passes over, byte by byte. */
#ifndef POSTERN_TESTS_UNIT_SMTP_MODEL_PLAIN_H
#define POSTERN_TESTS_UNIT_SMTP_MODEL_PLAIN_H

#include <stdbool.h>

#include "smtp/smtp_plain.h"

/* The byte before `text` must be there. */
static inline uint32_t model_plain(struct span text, uint8_t dot)
{
    for (uint32_t i = 0; i < text.len; i++) {
        uint8_t before = *(text.ptr + i - 1);
        bool paired = (text.ptr[i] == '\n') == (before == '\r');

        if (!paired || text.ptr[i] == '\0' || (text.ptr[i] == dot && before == '\n'))
            return i - i % SMTP_PLAIN_BLOCK_BYTES;
    }
    return text.len - text.len % SMTP_PLAIN_BLOCK_BYTES;
}

/* All ways agree on it. */
static inline bool model_plain_agrees(struct span text, uint8_t dot)
{
    uint32_t want = model_plain(text, dot);

    return smtp_plain_run(text, dot) == want && smtp_plain_sse2(text, dot) == want &&
           (!__builtin_cpu_supports("avx2") || smtp_plain_avx2(text, dot) == want) &&
           (!__builtin_cpu_supports("avx512vbmi") || smtp_plain_vbmi(text, dot) == want);
}

#endif
