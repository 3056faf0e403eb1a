/* The table of `postern-bench limit`. */
#include "bench/limit.h"

const struct suite limit_suite = {
    .name = "limit",
    .groups = {
        { "handshake/", limit_tls_open, limit_tls_close },
        { "aead/", limit_aead_open, limit_aead_close },
        { "memcpy/", limit_memcpy_open, limit_memcpy_close },
        { "disk/", limit_disk_open, limit_disk_close },
        { "ring/", limit_ring_open, limit_ring_close },
    },
};
