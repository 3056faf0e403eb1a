/* The table of `postern-bench micro`. The raw disk stands beside the spool, to divide by. */
#include "bench/limit.h"
#include "bench/micro.h"

const struct suite micro_suite = {
    .name = "micro",
    .groups = {
        { "tcp/", micro_tcp_open, micro_tcp_close },
        { "smtp/", micro_smtp_open, micro_smtp_close },
        { "spool/", micro_spool_open, micro_spool_close },
        { "disk/", limit_disk_open, limit_disk_close },
    },
};
