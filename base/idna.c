/* A copy with a NUL for the library, and its answer copied back. Failure mode: false. */
#include "base/idna.h"

#include <idn2.h>

#include "base/assert.h"

bool idna_to_ascii(struct span domain, char out[IDNA_BYTES])
{
    uint8_t text[4 * LIMIT_DOMAIN_BYTES];
    uint8_t *name = NULL;
    bool fits;

    if (domain.len >= sizeof(text))
        return false;
    ASSERT(domain.len == 0 || memchr(domain.ptr, 0, domain.len) == NULL);
    memcpy(text, domain.ptr, domain.len);
    text[domain.len] = '\0';
    if (idn2_lookup_u8(text, &name, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK)
        return false;
    fits = strlen((const char *)name) < IDNA_BYTES;
    if (fits)
        memcpy(out, name, strlen((const char *)name) + 1);
    idn2_free(name);
    return fits;
}
