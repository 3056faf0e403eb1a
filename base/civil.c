/*
 * Howard Hinnant's algorithm: eras of 400 years, 146,097 days, that begin in March, so that the
 * leap day ends a year. It cannot fail.
 */
#include "base/civil.h"

#include "base/assert.h"

#define DAY_S    86400
#define ERA_DAYS 146097
#define EPOCH    719468 /* days from 0000-03-01 to 1970-01-01 */

void civil_from_unix(uint64_t unix_s, struct civil *out)
{
    uint64_t days = unix_s / DAY_S + EPOCH;
    unsigned in_day = (unsigned)(unix_s % DAY_S);
    unsigned doe = (unsigned)(days % ERA_DAYS);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    unsigned month = mp < 10 ? mp + 3 : mp - 9;

    ASSERT(doy <= 365);
    *out = (struct civil){
        .year = (unsigned)(days / ERA_DAYS * 400) + yoe + (month <= 2),
        .month = month,
        .day = doy - (153 * mp + 2) / 5 + 1,
        .hour = in_day / 3600,
        .minute = in_day / 60 % 60,
        .second = in_day % 60,
    };
    ASSERT(out->month >= 1 && out->month <= 12);
    ASSERT(out->day >= 1 && out->day <= 31);
}

uint64_t civil_to_days(unsigned year, unsigned month, unsigned day)
{
    unsigned y = year - (month <= 2);
    unsigned yoe = y % 400;
    unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

    ASSERT(year >= 1970);
    ASSERT(month >= 1 && month <= 12);
    return (uint64_t)(y / 400) * ERA_DAYS + doe - EPOCH;
}
