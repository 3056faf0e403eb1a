/*
 * How many bytes of a body need no closer look: text whose every LF is behind a CR, and every CR
 * before a LF. Each byte is compared with the one before it, many at once; nothing is done for a
 * line. Pure.
 */
#ifndef POSTERN_SMTP_PLAIN_H
#define POSTERN_SMTP_PLAIN_H

#include "base/span.h"

#define SMTP_PLAIN_BLOCK_BYTES 64

/*
 * Bytes of `text`, in whole blocks, that have no NUL, no LF without a CR before it, no CR without a
 * LF behind it, and no `dot` behind a LF; dot 0: dots mean nothing. The byte before `text` is
 * looked at, and must be there. A CR at the very end is judged with what comes next.
 */
uint32_t smtp_plain_run(struct span text, uint8_t dot);

/* The three ways, for tests: the later two only where the processor has AVX2 and
 * AVX-512 VBMI. */
uint32_t smtp_plain_sse2(struct span text, uint8_t dot);
uint32_t smtp_plain_avx2(struct span text, uint8_t dot);
uint32_t smtp_plain_vbmi(struct span text, uint8_t dot);

#endif
