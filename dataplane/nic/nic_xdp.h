/*
 * An interface that AF_XDP and the kernel have together, on one address: the program that takes
 * what is ours (nic_xdp_postern.c), with the rules of this configuration.
 */
#ifndef POSTERN_NIC_XDP_H
#define POSTERN_NIC_XDP_H

#include <stdbool.h>

#include "base/span.h"
#include "dataplane/nic/nic_ours.h"

/*
 * Before nic_eal_start, with its arguments: changes the one that makes a net_af_xdp port so that it
 * loads our program, and takes off the interface what a Postern that was killed has left there.
 * False with a sentence in *why. Once per process.
 */
bool nic_xdp_share(const struct nic_ours *ours, int argc, char **argv, struct buf *why);

#endif
