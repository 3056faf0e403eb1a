/*
 * Threads of ours that poll a queue, as DPDK sees them.
 *
 * net_tap learns of frames by a real-time signal, sent to the process: it takes the first above
 * SIGRTMIN whose action is the default, and in its receive burst reads nothing until the signal
 * came. Blocked in all threads, it would be deaf; unblocked in all, any thread's system calls are
 * interrupted for each frame. So the signals are blocked where EAL starts, in what is created after
 * it too, and let in where a queue is polled. When too many are pending the kernel sends SIGIO
 * instead, which would end the process: ignored.
 */
#include "dataplane/nic/nic_thread.h"
#include "dataplane/nic/nic_port.h"

#include <signal.h>

#include <rte_lcore.h>

static void mask_signals(int how)
{
    sigset_t set;

    sigemptyset(&set);
    for (int signo = SIGRTMIN + 1; signo <= SIGRTMAX; signo++)
        sigaddset(&set, signo);
    pthread_sigmask(how, &set, NULL);
}

void nic_thread_block_signals(void)
{
    mask_signals(SIG_BLOCK);
    signal(SIGIO, SIG_IGN);
}

bool nic_thread_attach(void)
{
    mask_signals(SIG_UNBLOCK);
    return rte_lcore_id() != LCORE_ID_ANY || rte_thread_register() == 0;
}
