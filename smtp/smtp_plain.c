/*
 * Blocks of 64 bytes, in vectors of 16 or 32: smtp_plain.h says what is looked for. All that is
 * found is or'ed together, and asked for once a block. No failure but "not this block".
 */
#include "smtp/smtp_plain.h"

#include <immintrin.h>

uint32_t smtp_plain_sse2(struct span text, uint8_t dot)
{
    const __m128i crs = _mm_set1_epi8('\r');
    const __m128i lfs = _mm_set1_epi8('\n');
    const __m128i dots = _mm_set1_epi8((char)dot);
    uint32_t n = 0;

    for (; text.len - n >= SMTP_PLAIN_BLOCK_BYTES; n += SMTP_PLAIN_BLOCK_BYTES) {
        __m128i odd = _mm_setzero_si128();
        __m128i least = crs;

        for (int i = 0; i < SMTP_PLAIN_BLOCK_BYTES; i += 16) {
            const uint8_t *p = text.ptr + n + i;
            __m128i v = _mm_loadu_si128((const __m128i_u *)p);
            __m128i before = _mm_loadu_si128((const __m128i_u *)(p - 1));
            __m128i alone = _mm_xor_si128(_mm_cmpeq_epi8(v, lfs), _mm_cmpeq_epi8(before, crs));
            __m128i dotted = _mm_and_si128(_mm_cmpeq_epi8(v, dots), _mm_cmpeq_epi8(before, lfs));

            odd = _mm_or_si128(odd, _mm_or_si128(alone, dotted));
            least = _mm_min_epu8(least, v);
        }
        odd = _mm_or_si128(odd, _mm_cmpeq_epi8(least, _mm_setzero_si128()));
        if (_mm_movemask_epi8(odd) != 0)
            break;
    }
    return n;
}

__attribute__((target("avx2"))) uint32_t smtp_plain_avx2(struct span text, uint8_t dot)
{
    const __m256i crs = _mm256_set1_epi8('\r');
    const __m256i lfs = _mm256_set1_epi8('\n');
    const __m256i dots = _mm256_set1_epi8((char)dot);
    uint32_t n = 0;

    for (; text.len - n >= SMTP_PLAIN_BLOCK_BYTES; n += SMTP_PLAIN_BLOCK_BYTES) {
        __m256i odd = _mm256_setzero_si256();
        __m256i least = crs;

        for (int i = 0; i < SMTP_PLAIN_BLOCK_BYTES; i += 32) {
            const uint8_t *p = text.ptr + n + i;
            __m256i v = _mm256_loadu_si256((const __m256i_u *)p);
            __m256i before = _mm256_loadu_si256((const __m256i_u *)(p - 1));
            __m256i alone =
                _mm256_xor_si256(_mm256_cmpeq_epi8(v, lfs), _mm256_cmpeq_epi8(before, crs));
            __m256i dotted =
                _mm256_and_si256(_mm256_cmpeq_epi8(v, dots), _mm256_cmpeq_epi8(before, lfs));

            odd = _mm256_or_si256(odd, _mm256_or_si256(alone, dotted));
            least = _mm256_min_epu8(least, v);
        }
        odd = _mm256_or_si256(odd, _mm256_cmpeq_epi8(least, _mm256_setzero_si256()));
        if (!_mm256_testz_si256(odd, odd))
            break;
    }
    return n;
}

uint32_t smtp_plain_run(struct span text, uint8_t dot)
{
    return __builtin_cpu_supports("avx2") ? smtp_plain_avx2(text, dot) : smtp_plain_sse2(text, dot);
}
