/*
 * Blocks of 64 bytes, in vectors of 16, 32 or 64: smtp_plain.h says what is looked for. All that is
 * found is or'ed together, and asked for once a block or a group. No failure but "not this
 * block".
 */
#include "smtp/smtp_plain.h"

#include <immintrin.h>

#define VECTOR_BYTES 64
#define GROUP_BYTES  512

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

/*
 * With VBMI a byte is not compared but looked up, once as itself and once as the one before: a pair
 * is odd when what the one is and what the other forbids have a bit in common.
 */
enum pair_bits {
    IS_TEXT = 1,
    IS_LF = 2,
    IS_DOT = 4,
    IS_NUL = 8,

    AFTER_TEXT = IS_LF | IS_NUL,
    AFTER_LF = IS_LF | IS_NUL | IS_DOT,
    AFTER_CR = IS_TEXT | IS_NUL,
};

#define OR_AND 0xf8 /* ternary logic: a | (b & c) */
#define VBMI   __attribute__((target("avx2,avx512f,avx512bw,avx512vbmi")))

VBMI static inline __m512i but_at(__m512i table, uint8_t at, int bits)
{
    return _mm512_mask_mov_epi8(table, 1ULL << at, _mm512_set1_epi8((char)bits));
}

/* Each place's source is the place before; the first one's is the last one of a second vector. */
VBMI static inline __m512i places_before(void)
{
    return _mm512_setr_epi64(0x06050403020100ff, 0x0e0d0c0b0a090807, 0x161514131211100f,
                             0x1e1d1c1b1a191817, 0x262524232221201f, 0x2e2d2c2b2a292827,
                             0x363534333231302f, 0x3e3d3c3b3a393837);
}

/* What 128 bytes say, each in halves of 64. */
struct tables {
    __m512i is[2];
    __m512i after[2];
};

VBMI static inline struct tables tables_of(uint8_t dot)
{
    const __m512i texts = _mm512_set1_epi8(IS_TEXT);
    const __m512i dots = but_at(texts, dot, IS_TEXT | IS_DOT);
    const __m512i after_texts = _mm512_set1_epi8(AFTER_TEXT);
    const __m512i after_lf = but_at(after_texts, '\n', AFTER_LF);

    return (struct tables){
        .is = { but_at(but_at(dots, '\n', IS_LF), '\0', IS_TEXT | IS_NUL), texts },
        .after = { but_at(after_lf, '\r', AFTER_CR), after_texts },
    };
}

/* Adds the odd pairs of `v` to `odd`, and bytes above 127, of which the tables know nothing. */
VBMI static inline __m512i look_up(const struct tables *t, __m512i v, __m512i before, __m512i odd)
{
    __m512i is = _mm512_permutex2var_epi8(t->is[0], v, t->is[1]);
    __m512i forbidden = _mm512_permutex2var_epi8(t->after[0], before, t->after[1]);

    odd = _mm512_ternarylogic_epi32(odd, is, forbidden, OR_AND);
    return _mm512_ternarylogic_epi32(odd, v, _mm512_set1_epi8((char)0x80), OR_AND);
}

/* Reads once: unless told so, gcc reads again for every use rather than copy a register. */
VBMI static inline __m512i load(const uint8_t *p)
{
    __m512i v = _mm512_loadu_si512(p);

    __asm__("" : "+v"(v));
    return v;
}

/* Whole groups. Of two vectors one has the bytes before it from memory and one from the other: so
 * that neither loads nor shuffles are what the rest waits for. */
VBMI static uint32_t plain_groups(struct span text, uint8_t dot)
{
    const struct tables t = tables_of(dot);
    const __m512i places = places_before();
    uint32_t n = 0;

    for (; text.len - n >= GROUP_BYTES; n += GROUP_BYTES) {
        __m512i odd = _mm512_setzero_si512();

        for (int i = 0; i < GROUP_BYTES; i += 2 * VECTOR_BYTES) {
            const uint8_t *p = text.ptr + n + i;
            __m512i v = load(p);
            __m512i w = load(p + VECTOR_BYTES);

            odd = look_up(&t, v, load(p - 1), odd);
            odd = look_up(&t, w, _mm512_permutex2var_epi8(w, places, v), odd);
        }
        if (_mm512_test_epi8_mask(odd, odd) != 0)
            break;
    }
    return n;
}

/* A group with an odd pair or a byte above 127 is left to AVX2, which finds the block. */
uint32_t smtp_plain_vbmi(struct span text, uint8_t dot)
{
    uint32_t n = text.len < GROUP_BYTES ? 0 : plain_groups(text, dot);

    return n + smtp_plain_avx2(span_skip(text, n), dot);
}

uint32_t smtp_plain_run(struct span text, uint8_t dot)
{
    if (__builtin_cpu_supports("avx512vbmi"))
        return smtp_plain_vbmi(text, dot);
    return __builtin_cpu_supports("avx2") ? smtp_plain_avx2(text, dot) : smtp_plain_sse2(text, dot);
}
