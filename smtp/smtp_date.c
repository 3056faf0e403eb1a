/*
 * Between days and dates by eras of 400 years that begin in March, so that the leap day is a
 * year's last one. Failure mode: text that is no date, told by the return value.
 */
#include "smtp/smtp_date.h"

#include <stdio.h>

#include "base/assert.h"
#include "smtp/smtp_scan.h"

#define LAST_SECOND 253402300799ULL /* 9999-12-31T23:59:59Z */

/* Days since 1970-01-01 to a civil date (Howard Hinnant's algorithm: eras of 400 years begin in
 * March). */
static void civil_from_days(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    uint64_t z = days + 719468;
    uint64_t era = z / 146097;
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;

    ASSERT(doe < 146097);
    ASSERT(doy <= 365);
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (unsigned)(era * 400) + yoe + (*month <= 2);
}

/* The other way round. The date must be in the calendar, from 1970 on. */
static uint64_t days_from_civil(unsigned year, unsigned month, unsigned day)
{
    unsigned y = year - (month <= 2);
    unsigned era = y / 400;
    unsigned yoe = y % 400;
    unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

    ASSERT(year >= 1970);
    return (uint64_t)era * 146097 + doe - 719468;
}

void smtp_date_mail(uint64_t unix_ms, char out[SMTP_DATE_MAIL_BYTES])
{
    static const char days[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
    static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    uint64_t s = unix_ms / 1000;
    unsigned in_day = (unsigned)(s % 86400);
    unsigned year;
    unsigned month;
    unsigned day;
    int len;

    civil_from_days(s / 86400, &year, &month, &day);
    ASSERT(month >= 1 && month <= 12);
    ASSERT(day >= 1 && day <= 31);
    len = snprintf(out, SMTP_DATE_MAIL_BYTES, "%s, %u %s %04u %02u:%02u:%02u +0000",
                   days[s / 86400 % 7], day, months[month - 1], year % 10000, in_day / 3600,
                   in_day / 60 % 60, in_day % 60);
    ASSERT(len > 0 && len < SMTP_DATE_MAIL_BYTES);
}

void smtp_date_iso(uint64_t unix_s, char out[SMTP_DATE_ISO_BYTES])
{
    uint64_t s = unix_s > LAST_SECOND ? LAST_SECOND : unix_s;
    unsigned in_day = (unsigned)(s % 86400);
    unsigned year;
    unsigned month;
    unsigned day;
    int len;

    civil_from_days(s / 86400, &year, &month, &day);
    len = snprintf(out, SMTP_DATE_ISO_BYTES, "%04u-%02u-%02uT%02u:%02u:%02uZ", year % 10000,
                   month % 100, day % 100, in_day / 3600, in_day / 60 % 60, in_day % 60);
    ASSERT(len == SMTP_DATE_ISO_BYTES - 1);
}

/* Exactly `digits` of them. */
static bool take_number(struct span *s, uint32_t digits, unsigned *out)
{
    uint64_t n;

    if (s->len < digits || !smtp_scan_number(span_first(*s, digits), &n))
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
    unsigned again[3];

    if (!take_number(s, 4, &year) || !smtp_scan_byte(s, '-') || !take_number(s, 2, &month) ||
        !smtp_scan_byte(s, '-') || !take_number(s, 2, &day))
        return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1)
        return false;
    *days = days_from_civil(year, month, day);
    civil_from_days(*days, &again[0], &again[1], &again[2]);
    return again[0] == year && again[1] == month && again[2] == day; /* no 30th of February */
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
