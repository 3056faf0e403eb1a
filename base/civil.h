/*
 * Days and dates of the proleptic Gregorian calendar, in UTC, without leap seconds, as POSIX counts
 * them. Pure; gmtime_r will not do, since glibc's takes a lock.
 */
#ifndef POSTERN_BASE_CIVIL_H
#define POSTERN_BASE_CIVIL_H

#include <stdint.h>

struct civil {
    unsigned year;
    unsigned month; /* 1 to 12 */
    unsigned day;   /* 1 to 31 */
    unsigned hour;
    unsigned minute;
    unsigned second;
};

void civil_from_unix(uint64_t unix_s, struct civil *out);
/* Days from 1970-01-01 to a date of 1970 or later. A day that its month does not have is one of the
 * next month: compare with civil_from_unix. */
uint64_t civil_to_days(unsigned year, unsigned month, unsigned day);

#endif
