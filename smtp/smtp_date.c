/*
 * base/civil knows the calendar; here is how mail writes it. Failure mode: text that is no date,
 * told by the return value.
 */
#include "smtp/smtp_date.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/civil.h"
#include "smtp/smtp_scan.h"

#define LAST_SECOND 253402300799ULL /* 9999-12-31T23:59:59Z */

void smtp_date_mail(uint64_t unix_ms, char out[SMTP_DATE_MAIL_BYTES])
{
    static const char days[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
    static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    uint64_t s = unix_ms / 1000;
    struct civil at;
    int len;

    civil_from_unix(s, &at);
    len = snprintf(out, SMTP_DATE_MAIL_BYTES, "%s, %u %s %04u %02u:%02u:%02u +0000",
                   days[s / 86400 % 7], at.day, months[at.month - 1], at.year % 10000, at.hour,
                   at.minute, at.second);
    ASSERT(len > 0 && len < SMTP_DATE_MAIL_BYTES);
}

void smtp_date_iso(uint64_t unix_s, char out[SMTP_DATE_ISO_BYTES])
{
    struct civil at;
    int len;

    civil_from_unix(unix_s > LAST_SECOND ? LAST_SECOND : unix_s, &at);
    len = snprintf(out, SMTP_DATE_ISO_BYTES, "%04u-%02u-%02uT%02u:%02u:%02uZ", at.year % 10000,
                   at.month % 100, at.day % 100, at.hour % 100, at.minute % 100, at.second % 100);
    ASSERT(len == SMTP_DATE_ISO_BYTES - 1);
}

/* Exactly `digits` of them. */
static bool take_number(struct span *s, uint32_t digits, unsigned *out)
{
    uint64_t n;

    if (s->len < digits || !span_number(span_first(*s, digits), &n))
        return false;
    *s = span_skip(*s, digits);
    *out = (unsigned)n;
    return true;
}

static bool take_date(struct span *s, uint64_t *days)
{
    unsigned year;
    unsigned month;
    unsigned day;
    struct civil again;

    if (!take_number(s, 4, &year) || !smtp_scan_byte(s, '-') || !take_number(s, 2, &month) ||
        !smtp_scan_byte(s, '-') || !take_number(s, 2, &day))
        return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1)
        return false;
    *days = civil_to_days(year, month, day);
    civil_from_unix(*days * 86400, &again);
    return again.year == year && again.month == month && again.day == day; /* no 30th of February */
}

static bool take_time(struct span *s, unsigned *seconds)
{
    unsigned hour;
    unsigned minute;
    unsigned second;

    if (!take_number(s, 2, &hour) || !smtp_scan_byte(s, ':') || !take_number(s, 2, &minute) ||
        !smtp_scan_byte(s, ':') || !take_number(s, 2, &second))
        return false;
    if (smtp_scan_byte(s, '.') && smtp_scan_while(s, smtp_scan_is_digit).len == 0)
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second <= 60; /* RFC 3339, 5.7: 60 is a leap second */
}

bool smtp_date_parse(struct span s, uint64_t *unix_s)
{
    uint64_t days;
    unsigned seconds;

    if (!take_date(&s, &days))
        return false;
    if (!smtp_scan_byte(&s, 'T') && !smtp_scan_byte(&s, 't'))
        return false;
    if (!take_time(&s, &seconds))
        return false;
    if (!smtp_scan_byte(&s, 'Z') && !smtp_scan_byte(&s, 'z'))
        return false;
    *unix_s = days * 86400 + seconds;
    return s.len == 0;
}
