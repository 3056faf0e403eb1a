/* A network layer on a device made of memory, in virtual time: for the unit tests and the fuzzer of
 * net/. */
#ifndef POSTERN_TESTS_NET_RIG_H
#define POSTERN_TESTS_NET_RIG_H

#include "base/nic.h"
#include "dataplane/net/net.h"
#include "dataplane/net/net_wire.h"
#include "lib/fault.h"

#define RIG_OURS     0xc0000202u /* 192.0.2.2/24 */
#define RIG_PEER     0xc0000201u /* 192.0.2.1, a host of the link */
#define RIG_GATEWAY  0xc00002feu /* 192.0.2.254 */
#define RIG_FAR      0xc6336401u /* 198.51.100.1, behind the gateway */
#define RIG_SEGS     512
#define RIG_SENT_MAX 1024

extern const uint8_t rig_our_mac[6];
extern const uint8_t rig_peer_mac[6];
extern const uint8_t rig_broadcast[6];

struct rig_frame {
    uint32_t len;
    uint16_t flags; /* of the segment */
    uint8_t bytes[1600];
};

struct rig {
    struct nic nic;
    struct seg_pool *plain;
    struct fault_pool pool;
    struct seg_pool exact; /* received frames: each its own memory */
    unsigned exact_out;
    struct clock clock;
    struct counters counters;
    struct net *net;
    struct seg *incoming; /* what the device gives next */
    struct spread spread; /* with rig_two_queues */
    unsigned give_budget; /* frames that the other queue still takes */
    unsigned shared;      /* frames given to it */
    uint16_t given_to;
    struct rig_frame given; /* the last of them */
    bool down;              /* the wire is not there */
    bool keep_reports;      /* MLD's, which come when they like, are recorded too */
    unsigned tx_budget;     /* frames that the device still takes */
    unsigned sent_count;
    struct rig_frame sent[RIG_SENT_MAX]; /* what the device took */
};

/* `offloads`: the device's. The announcement of the start is sent and forgotten. NULL: memory is
 * short. */
struct rig *rig_create(uint32_t offloads);
/* From here on, the rig is queue 0 of 2. */
void rig_two_queues(struct rig *r);
/* Asserts that each segment is home. */
void rig_destroy(struct rig *r);
/* Receives a frame; with NET_TCP the segment is left in *tcp. Then flushes. */
enum net_verdict rig_receive(struct rig *r, const void *frame, uint32_t len, struct seg **tcp);
/* The same, with all that net_input tells. */
enum net_verdict rig_receive_rx(struct rig *r, const void *frame, uint32_t len, struct net_rx *rx);
/* The same with the flags of a segment, NET_SETTLED expected or not, the segment released. */
enum net_verdict rig_receive_flags(struct rig *r, const void *frame, uint32_t len, uint16_t flags);
/* Moves time on and runs what is due. */
void rig_wait_ms(struct rig *r, uint64_t ms);
void rig_forget_sent(struct rig *r);
uint64_t rig_count(const struct rig *r, enum counter_id id);

/* Frames for a test to change and to send; each returns its length. Checksums are right. */
uint32_t rig_arp(uint8_t *to, const struct net_wire_arp *arp, const uint8_t dst[6]);
/* ARP from the peer to us. */
uint32_t rig_arp_peer(uint8_t *to, uint16_t op);
/* IPv4 from the peer with `payload_len` bytes of payload after a header with `option_words` words.
 */
struct rig_packet {
    uint32_t src;
    uint32_t dst;
    uint8_t proto;
    uint8_t option_words; /* of no-operation */
    uint16_t payload_len;
    const void *payload;
};
uint32_t rig_ip4(uint8_t *to, const struct rig_packet *p);
/* An echo request from src with len bytes of data. */
uint32_t rig_echo(uint8_t *to, uint32_t src, uint16_t len);
/* A TCP segment from the peer with len bytes of data. */
uint32_t rig_tcp(uint8_t *to, uint16_t len);
/* Makes the IPv4 header's checksum right again. */
void rig_fix_ip4(uint8_t *frame);
/* A TCP header of ours with len bytes of data, in a fresh segment. */
struct seg *rig_segment(struct rig *r, uint16_t len);

/* The Internet checksum as RFC 1071 says it, byte pair by byte pair: the slow model. */
uint16_t rig_slow_csum(uint32_t sum, const uint8_t *p, uint32_t len);

#endif
