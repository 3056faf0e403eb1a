/*
 * Base64 with padding (RFC 4648, 4), strict: no white space, no stray bits, nothing behind the
 * padding. One text for each bytes, so that what was compared once is compared for good.
 */
#ifndef POSTERN_BASE_BASE64_H
#define POSTERN_BASE_BASE64_H

#include "base/span.h"

/* Characters that `len` bytes become. */
#define BASE64_LEN(len) (((len) + 2) / 3 * 4)

/*
 * The length, or -1 when `text` is not base64 or more than `cap` bytes. `to` is written even when
 * it fails, and may be where the text is.
 */
int base64_decode(struct span text, uint8_t *to, uint32_t cap);
/* The same for the URL-safe alphabet without padding, as tokens have it (RFC 7515, 2). */
int base64_decode_url(struct span text, uint8_t *to, uint32_t cap);
/* Appends BASE64_LEN(bytes.len) characters; false, and nothing is appended, when there is no room.
 */
bool base64_encode(struct buf *out, struct span bytes);

#endif
