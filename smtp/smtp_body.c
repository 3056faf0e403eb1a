/*
 * The automaton of a message body. The table below is the whole truth; what is said of many bytes
 * at once must say the same. Runs of blocks that hold nothing but text and paired CR LF, no dot at
 * the start of a line, are passed over by comparing each byte with the one before it: nothing is
 * done for a line. A block with stuffed dots is passed over by bit masks, and what is left goes
 * through the table.
 *
 * Failure modes: a CR or LF alone, or a NUL, ends the scan for good: the table has no way out of
 * BARE and NUL.
 */
#include "smtp/smtp_body.h"

#include <emmintrin.h>

#include "base/assert.h"
#include "base/limits.h"
#include "smtp/smtp_plain.h"

#define BLOCK_BYTES SMTP_PLAIN_BLOCK_BYTES
/* The longest run: no line within one is too long. */
#define RUN_BYTES 65024
STATIC_ASSERT(RUN_BYTES < LIMIT_TEXT_LINE_BYTES, "only a run's first and last line end matter");
STATIC_ASSERT(RUN_BYTES % BLOCK_BYTES == 0, "a run is whole blocks");

enum byte_class { OTHER, DOT, CR, LF, NUL, CLASS_COUNT };

/* A dot means something in STUFFED alone. */
static const uint8_t class_of[][256] = {
    [SMTP_BODY_STUFFED] = { ['.'] = DOT, ['\r'] = CR, ['\n'] = LF, ['\0'] = NUL },
    [SMTP_BODY_LINES] = { ['\r'] = CR, ['\n'] = LF, ['\0'] = NUL },
};

/* The states, short enough for the table. */
enum {
    START = SMTP_BODY_LINE_START,
    TEXT = SMTP_BODY_TEXT,
    ONE_CR = SMTP_BODY_CR,
    ONE_DOT = SMTP_BODY_DOT,
    DOT_CR = SMTP_BODY_DOT_CR,
    DONE = SMTP_BODY_DONE,
    BARE = SMTP_BODY_BARE,
    ZERO = SMTP_BODY_NUL,
};

/* clang-format off */
static const uint8_t next_state[][CLASS_COUNT] = {
    /*            OTHER  DOT      CR      LF     NUL */
    [START]   = { TEXT,  ONE_DOT, ONE_CR, BARE,  ZERO },
    [TEXT]    = { TEXT,  TEXT,    ONE_CR, BARE,  ZERO },
    [ONE_CR]  = { BARE,  BARE,    BARE,   START, BARE },
    [ONE_DOT] = { TEXT,  TEXT,    DOT_CR, BARE,  ZERO },
    [DOT_CR]  = { BARE,  BARE,    BARE,   DONE,  BARE },
};
/* clang-format on */

/* One bit for each byte of a block. */
struct masks {
    uint64_t cr;
    uint64_t lf;
    uint64_t dot;
    bool nul; /* somewhere */
};

void smtp_body_init(struct smtp_body *b, enum smtp_body_form form)
{
    *b = (struct smtp_body){ .form = form, .at = SMTP_BODY_LINE_START };
}

bool smtp_body_over(const struct smtp_body *b)
{
    return b->at >= SMTP_BODY_DONE;
}

uint64_t smtp_body_stored(const struct smtp_body *b)
{
    static const uint8_t of_marker[] = {
        [SMTP_BODY_DOT] = 1, [SMTP_BODY_DOT_CR] = 2, [SMTP_BODY_DONE] = 3, [SMTP_BODY_NUL] = 0
    };

    ASSERT(b->at <= SMTP_BODY_NUL);
    ASSERT(b->total >= of_marker[b->at]);
    return b->total - of_marker[b->at];
}

uint64_t smtp_body_size(const struct smtp_body *b)
{
    uint64_t stored = smtp_body_stored(b);

    ASSERT(b->dots <= stored);
    return stored - b->dots;
}

static void note_line_length(struct smtp_body *b, uint64_t line_end)
{
    ASSERT_SLOW(line_end >= b->line_start);
    if (line_end - b->line_start > LIMIT_TEXT_LINE_BYTES)
        b->long_line = true;
}

static inline uint64_t mask_of(const __m128i v[4], char byte)
{
    const __m128i want = _mm_set1_epi8(byte);
    uint64_t m = 0;

    for (int i = 0; i < 4; i++)
        m |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v[i], want)) << (16 * i);
    return m;
}

static inline struct masks look_at(const uint8_t *p)
{
    __m128i v[4];
    __m128i least;

    for (int i = 0; i < 4; i++)
        v[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
    least = _mm_min_epu8(_mm_min_epu8(v[0], v[1]), _mm_min_epu8(v[2], v[3]));
    return (struct masks){
        .cr = mask_of(v, '\r'),
        .lf = mask_of(v, '\n'),
        .dot = mask_of(v, '.'),
        .nul = _mm_movemask_epi8(_mm_cmpeq_epi8(least, _mm_setzero_si128())) != 0,
    };
}

/*
 * Passes over one block, or leaves it to the table: false. Taken is what has each LF behind a CR
 * and each CR before a LF, no NUL, and no line of "." CR that could be the end.
 */
static inline bool pass_block(struct smtp_body *b, const uint8_t *p)
{
    const struct masks m = look_at(p);
    const uint64_t last = 1ULL << (BLOCK_BYTES - 1);
    const uint64_t at_start = m.lf << 1 | (b->at == SMTP_BODY_LINE_START);
    const uint64_t stuffed = b->form == SMTP_BODY_STUFFED ? m.dot & at_start : 0;

    if ((m.cr << 1 | (b->at == SMTP_BODY_CR)) != m.lf || m.nul)
        return false;
    if (stuffed & (m.cr >> 1 | last))
        return false;
    if (m.lf != 0) {
        note_line_length(b, b->total + (uint64_t)__builtin_ctzll(m.lf) + 1);
        b->line_start = b->total + BLOCK_BYTES - (uint64_t)__builtin_clzll(m.lf);
    }
    b->dots += (uint64_t)__builtin_popcountll(stuffed);
    b->total += BLOCK_BYTES;
    if (m.cr & last)
        b->at = SMTP_BODY_CR;
    else if (m.lf & last)
        b->at = SMTP_BODY_LINE_START;
    else
        b->at = SMTP_BODY_TEXT;
    return true;
}

/* Takes plain blocks, as many as there are; p[-1] is the byte that led to the state. Returns their
 * bytes. */
static inline uint32_t pass_run(struct smtp_body *b, const uint8_t *p, uint32_t len)
{
    uint32_t most = len < RUN_BYTES ? len : RUN_BYTES;
    uint32_t n = smtp_plain_run(span_of(p, most), b->form == SMTP_BODY_STUFFED ? '.' : 0);
    const uint8_t *lf;

    if (n == 0)
        return 0;
    lf = memchr(p, '\n', n);
    if (lf != NULL) {
        note_line_length(b, b->total + (uint64_t)(lf - p) + 1);
        lf = memrchr(p, '\n', n);
        b->line_start = b->total + (uint64_t)(lf - p) + 1;
    }
    b->total += n;
    if (p[n - 1] == '\r')
        b->at = SMTP_BODY_CR;
    else
        b->at = p[n - 1] == '\n' ? SMTP_BODY_LINE_START : SMTP_BODY_TEXT;
    return n;
}

static inline void step(struct smtp_body *b, uint8_t byte)
{
    enum smtp_body_state next = (enum smtp_body_state)next_state[b->at][class_of[b->form][byte]];

    b->total++;
    if (b->at == SMTP_BODY_DOT && next == SMTP_BODY_TEXT)
        b->dots++;
    if (next == SMTP_BODY_LINE_START) {
        note_line_length(b, b->total);
        b->line_start = b->total;
    }
    b->at = next;
}

uint32_t smtp_body_scan(struct smtp_body *b, struct span chunk)
{
    struct smtp_body now = *b; /* a copy can stay in registers */
    uint32_t i = 0;

    ASSERT(!smtp_body_over(b));
    if (b->form == SMTP_BODY_BINARY) {
        b->total += chunk.len;
        return chunk.len;
    }
    while (i < chunk.len && !smtp_body_over(&now)) {
        bool whole = chunk.len - i >= BLOCK_BYTES && now.at <= SMTP_BODY_CR;
        uint32_t stop;
        uint32_t run = whole && i > 0 ? pass_run(&now, chunk.ptr + i, chunk.len - i) : 0;

        i += run;
        if (run > 0)
            continue;
        if (whole && pass_block(&now, chunk.ptr + i)) {
            i += BLOCK_BYTES;
            continue;
        }
        stop = chunk.len - i < BLOCK_BYTES ? chunk.len : i + BLOCK_BYTES;
        while (i < stop && !smtp_body_over(&now))
            step(&now, chunk.ptr[i++]);
    }
    if (!smtp_body_over(&now))
        note_line_length(&now, now.total);
    ASSERT(now.total == b->total + i);
    *b = now;
    return i;
}

void smtp_body_end(struct smtp_body *b)
{
    ASSERT(b->form != SMTP_BODY_STUFFED);
    if (b->at == SMTP_BODY_CR)
        b->at = SMTP_BODY_BARE;
}
