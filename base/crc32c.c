/* ISA-L keeps the register as it is; the ones before and after, which the RFC asks for, are put on
 * here. */
#include "base/crc32c.h"

#include <isa-l/crc.h>

/* Its length is an int. */
#define CHUNK_BYTES 0x40000000u

uint32_t crc32c_update(uint32_t crc, const void *data, uint32_t len)
{
    const uint8_t *p = data;

    while (len > 0) {
        uint32_t part = len < CHUNK_BYTES ? len : CHUNK_BYTES;

        /* The cast drops const only: crc32_iscsi does not write. */
        crc = ~crc32_iscsi((unsigned char *)(uintptr_t)p, (int)part, ~crc);
        p += part;
        len -= part;
    }
    return crc;
}
