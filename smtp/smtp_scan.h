/*
 * The pieces that every grammar of smtp/ is made of. A taker is given a `struct span *`, takes its
 * piece off the front, and leaves the span as it was when the piece is not there. Pure.
 */
#ifndef POSTERN_SMTP_SCAN_H
#define POSTERN_SMTP_SCAN_H

#include "base/span.h"

bool smtp_scan_is_digit(uint8_t c);
bool smtp_scan_is_alnum(uint8_t c);
/* Space to tilde. */
bool smtp_scan_is_printable(uint8_t c);

bool smtp_scan_byte(struct span *s, uint8_t c);
void smtp_scan_spaces(struct span *s);
/* Takes the longest front of which every byte passes; gives it. */
struct span smtp_scan_while(struct span *s, bool (*passes)(uint8_t c));
/* 0 to 15, or -1; letters in upper case only, as xtext has them. */
int smtp_scan_hex(uint8_t c);

/*
 * Well-formed by RFC 3629, 4 (no overlong form, no surrogate, nothing above U+10FFFF), and free of
 * the control characters U+0080 to U+009F, which some terminals obey.
 */
bool smtp_scan_is_utf8(struct span s);

#endif
