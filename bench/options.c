/* See options.h. Every failure is said on standard error, where it is found. */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "bench/options.h"

bool options_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    uint64_t unit = 1;
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    if (*end == 'K' || *end == 'M') {
        unit = *end == 'K' ? 1024 : 1024 * 1024;
        end++;
    }
    if (errno != 0 || end == text || *end != 0 || text[0] == '-' || *out > most / unit ||
        *out * unit < least) {
        fprintf(stderr, "postern-bench: '%s' is no number from %" PRIu64 " to %" PRIu64 "\n", text,
                least, most);
        return false;
    }
    *out *= unit;
    return true;
}

bool options_decimal(const char *text, double most, double *out)
{
    char *end;

    *out = strtod(text, &end);
    if (end != text && *end == 0 && *out >= 0 && *out <= most)
        return true;
    fprintf(stderr, "postern-bench: '%s' is no number from 0 to %g\n", text, most);
    return false;
}

bool options_pin(int core)
{
    cpu_set_t set;

    if (core < 0)
        return true;
    CPU_ZERO(&set);
    CPU_SET((unsigned)core, &set);
    if (sched_setaffinity(0, sizeof(set), &set) == 0)
        return true;
    fprintf(stderr, "postern-bench: core %d: %s\n", core, strerror(errno));
    return false;
}

bool options_open_output(const char *path, FILE **out)
{
    *out = NULL;
    if (path == NULL)
        return true;
    *out = fopen(path, "w");
    if (*out == NULL)
        fprintf(stderr, "postern-bench: %s: %s\n", path, strerror(errno));
    return *out != NULL;
}

bool options_close_output(const char *path, FILE *f)
{
    bool ok;

    if (f == NULL)
        return true;
    ok = ferror(f) == 0;
    ok = fclose(f) == 0 && ok;
    if (!ok)
        fprintf(stderr, "postern-bench: %s: %s\n", path, strerror(errno));
    return ok;
}
