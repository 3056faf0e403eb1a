/* Dates as mail writes them, in UTC. Pure: values in, text out, and back. */
#ifndef POSTERN_SMTP_DATE_H
#define POSTERN_SMTP_DATE_H

#include "base/span.h"

#define SMTP_DATE_MAIL_BYTES 32 /* "Mon, 23 Nov 2026 23:47:20 +0000" and NUL */
#define SMTP_DATE_ISO_BYTES  21 /* "2026-11-23T23:47:20Z" and NUL */

/* For header fields (RFC 5322, 3.3). */
void smtp_date_mail(uint64_t unix_ms, char out[SMTP_DATE_MAIL_BYTES]);
/* For envelopes and keywords (RFC 3339, 5.6). Times past the year 9999 are its last second. */
void smtp_date_iso(uint64_t unix_s, char out[SMTP_DATE_ISO_BYTES]);
/*
 * Reads what smtp_date_iso writes; a fraction of a second may stand before the "Z" and is dropped.
 * False: another form, a day that is not in the calendar, or a time before 1970.
 */
bool smtp_date_parse(struct span s, uint64_t *unix_s);

#endif
