/* What nic_eal.c needs of nic_thread.c. */
#ifndef POSTERN_NIC_THREAD_H
#define POSTERN_NIC_THREAD_H

/* Blocks net_tap's signals in the calling thread, and so in those that it creates later; ignores
 * SIGIO. */
void nic_thread_block_signals(void);

#endif
