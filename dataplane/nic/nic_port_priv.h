/* A port, as nic_port.c and those that look at all of its queues share it. Private to nic/. */
#ifndef POSTERN_NIC_PORT_PRIV_H
#define POSTERN_NIC_PORT_PRIV_H

#include "dataplane/nic/nic_port.h"
#include "dataplane/nic/nic_queue.h"
#include "dataplane/nic/nic_rss.h"

struct nic_port {
    uint16_t id;
    uint16_t workers;
    uint16_t count; /* of the device's queues in use; the other workers borrow theirs */
    uint16_t rx_descriptors;
    uint16_t tx_descriptors;
    bool software; /* made by a --vdev argument: no DMA */
    bool started;
    struct nic_exception *exception; /* NULL: the kernel has nothing of it */
    struct nic_share *share;         /* NULL: one worker */
    struct nic_rss rss;
    struct spread spread;
    struct nic_port_info info;
    struct nic_capture *capture; /* what queues are to copy to; NULL: nobody watches */
    struct nic_queue queues[];
};

#endif
