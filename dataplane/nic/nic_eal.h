/* What nic_port.c needs of nic_eal.c: the words in which DPDK complained. */
#ifndef POSTERN_NIC_EAL_H
#define POSTERN_NIC_EAL_H

#include "base/span.h"

/* From now on DPDK's error lines are kept instead of printed. */
void nic_eal_listen(void);
/* Ends nic_eal_listen; appends what was kept since to *why, on one line, as far as it fits. */
void nic_eal_tell(struct buf *why);

#endif
