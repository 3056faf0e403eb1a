/*
 * DPDK behind struct nic: EAL, ports, queues, mbuf pools. The only room with rte_*.h.
 */
#ifndef POSTERN_NIC_PORT_H
#define POSTERN_NIC_PORT_H

#include <stdbool.h>

#include "base/nic.h"
#include "base/span.h"
#include "dataplane/nic/nic_exception.h"

struct nic_port;

struct nic_port_config {
    const char *device; /* a port's name ("net_tap0", "0000:01:00.0") that EAL's arguments made;
                           NULL: the first one */
    uint16_t workers;   /* each gets an RX/TX queue pair; where the device has fewer, they share */
    uint32_t connections; /* of each worker: the pool is a sum over its holders */
    uint16_t mtu;         /* 0: the device's */
    bool mac_set; /* mac is given; else the device's (for net_tap one of ours: the kernel has the
                     other) */
    uint8_t mac[6];
    const char *exception; /* a TAP interface by which the kernel has what is not in `ours`
                              (nic_exception.h); NULL: none */
    const struct nic_ours *ours;
    bool groups; /* frames to group addresses are wanted: IPv6 asks for neighbours by them */
};

/* What was found out about the device, for the start-up lines. */
struct nic_port_info {
    char driver[32];
    char device[64];
    uint8_t mac[6];
    uint16_t mtu;
    uint16_t queues;   /* of the device, in use */
    uint32_t offloads; /* enum nic_offload in use; the rest is done in software */
    uint32_t mbufs;    /* of each queue's pool */
    char
        lacks[256]; /* what the device lacks or refused, and what is done instead; empty: nothing */
};

/* Of a port, since it was opened; all queues together. Frames. */
struct nic_port_stats {
    uint64_t in;
    uint64_t out;
    uint64_t in_copied;  /* chained or foreign mbufs, copied into one of ours */
    uint64_t in_dropped; /* the same, with no mbuf left or too long */
    uint64_t in_missed;  /* the device had no descriptor or mbuf, or counted an error */
    uint64_t out_errors; /* the device's count */
    struct nic_exception_stats kernel; /* to and from the kernel by the exception path */
};

/*
 * Starts EAL; argv[0] is the program, and the strings must stay. False with text in *why. Once per
 * process. Keeps the caller's CPU mask; blocks the real-time signals above SIGRTMIN (net_tap's) in
 * the calling thread, so that threads created after it have them blocked too, and ignores SIGIO.
 */
bool nic_eal_start(int argc, char **argv, struct buf *why);
void nic_eal_stop(void);
/*
 * For each thread that will poll a queue: makes it known to EAL (rte_thread_register) and unblocks
 * net_tap's signals. False: EAL has no room.
 */
bool nic_thread_attach(void);

/* Opens and starts the port. NULL with a clear sentence in *why. */
struct nic_port *nic_port_open(const struct nic_port_config *config, struct buf *why);
void nic_port_close(struct nic_port *p);
void nic_port_info(const struct nic_port *p, struct nic_port_info *out);
/* From any thread; makes system calls with some devices. */
void nic_port_stats(const struct nic_port *p, struct nic_port_stats *out);
/* For the thread that gives the kernel what is its (nic_exception_pump); NULL: it has nothing. */
struct nic_exception *nic_port_exception(struct nic_port *p);
/* What a worker uses, from one thread. */
struct nic *nic_port_nic(struct nic_port *p, uint16_t worker);

#endif
