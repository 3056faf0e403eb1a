/*
 * Domains to A-labels: what comes out is ASCII in lower case, and is made of itself again.
 */
#include <ctype.h>
#include <string.h>

#include "base/assert.h"
#include "base/idna.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span domain = span_of(data, (uint32_t)size);
    char name[IDNA_BYTES];
    char again[IDNA_BYTES];

    if (size > 4096 || (size > 0 && memchr(data, 0, size) != NULL))
        return 0;
    if (!idna_to_ascii(domain, name))
        return 0;
    ASSERT(strlen(name) < IDNA_BYTES);
    for (const char *p = name; *p != '\0'; p++)
        ASSERT((uint8_t)*p < 0x80 && !isupper((uint8_t)*p));
    ASSERT(idna_to_ascii(span_str(name), again));
    ASSERT(strcmp(name, again) == 0);
    return 0;
}
