/*
 * Happy path: digits times a unit. Failure: false, for a sign, a space, a second letter, or more
 * than 64 bits.
 */
#include "gateway/config_units.h"

#include "base/assert.h"

#define NUMBER_MAX 32             /* bytes of a number with its unit, and NUL */
#define WINDOW_MAX (31 * 86400UL) /* seconds */

struct unit {
    char letter; /* 0: none; ends a table */
    uint64_t factor;
};

/* By enum config_units, largest first. */
static const struct unit tables[][6] = {
    [CONFIG_UNITS_NONE] = { { 0, 1 } },
    [CONFIG_UNITS_BYTES] = { { 'T', 1ULL << 40 },
                             { 'G', 1ULL << 30 },
                             { 'M', 1ULL << 20 },
                             { 'k', 1ULL << 10 },
                             { 0, 1 } },
    [CONFIG_UNITS_SECONDS] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 }, { 0, 1 } },
};

enum config_units config_units_of(enum config_kind kind)
{
    switch (kind) {
    case CONFIG_BYTES:
    case CONFIG_BYTES_RATE: return CONFIG_UNITS_BYTES;
    case CONFIG_SECONDS: return CONFIG_UNITS_SECONDS;
    default: return CONFIG_UNITS_NONE;
    }
}

static const struct unit *find_unit(const struct unit *unit, const char *suffix)
{
    while (unit->letter != 0 && unit->letter != suffix[0])
        unit++;
    if (unit->letter == 0)
        return suffix[0] == 0 ? unit : NULL;
    return suffix[1] == 0 ? unit : NULL;
}

bool config_units_parse(enum config_units units, const char *text, uint64_t *out)
{
    const struct unit *unit;
    uint64_t value = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return false;
    }
    unit = find_unit(tables[units], at);
    if (at == text || unit == NULL)
        return false;
    return !__builtin_mul_overflow(value, unit->factor, out);
}

bool config_units_print(enum config_units units, uint64_t value, struct buf *out)
{
    const struct unit *unit = tables[units];

    while (unit->letter != 0 && (value == 0 || value % unit->factor != 0))
        unit++;
    if (unit->letter == 0)
        return buf_printf(out, "%llu", (unsigned long long)value);
    return buf_printf(out, "%llu%c", (unsigned long long)(value / unit->factor), unit->letter);
}

bool config_units_parse_rate(enum config_units units, const char *text, struct quota_rate *out)
{
    const char *slash = strchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : 0;
    char amount[NUMBER_MAX];
    uint64_t window_s;

    *out = (struct quota_rate){ 0 };
    if (text[0] == 0)
        return true;
    if (slash == NULL || len >= sizeof(amount))
        return false;
    memcpy(amount, text, len);
    amount[len] = 0;
    if (!config_units_parse(units, amount, &out->amount) ||
        !config_units_parse(CONFIG_UNITS_SECONDS, slash + 1, &window_s))
        return false;
    out->window_s = (uint32_t)window_s;
    return out->amount > 0 && window_s > 0 && window_s <= WINDOW_MAX;
}

bool config_units_print_rate(enum config_units units, struct quota_rate rate, struct buf *out)
{
    if (rate.amount == 0)
        return true;
    ASSERT(rate.window_s > 0);
    return config_units_print(units, rate.amount, out) && buf_printf(out, "/") &&
           config_units_print(CONFIG_UNITS_SECONDS, rate.window_s, out);
}
