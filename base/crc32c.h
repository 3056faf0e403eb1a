/* CRC-32C (Castagnoli, RFC 3720 appendix B.4) as spool records carry it; ISA-L does the work. */
#ifndef POSTERN_BASE_CRC32C_H
#define POSTERN_BASE_CRC32C_H

#include <stdint.h>

/* Continues from `crc` (0 to begin). crc32c_update(0, "123456789", 9) == 0xe3069283. */
uint32_t crc32c_update(uint32_t crc, const void *data, uint32_t len);

#endif
