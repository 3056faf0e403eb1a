/*
 * The program on an interface that Postern has by AF_XDP and the kernel has too, on one address:
 * what is for our ports goes to the socket, everything else on to the kernel.
 *
 * Happy path: TCP to our address and a port of ours; ICMP errors that quote a segment of ours;
 * fragments of such segments, of which the first one has the port and the others its id. Failure
 * modes: no socket on the queue, since Postern is not running: the kernel gets all (the last
 * argument of bpf_redirect_map). A later fragment that comes before the first goes to the kernel,
 * which makes nothing of it; TCP sends again. IPv6 extension headers but the fragment's are the
 * kernel's: no client of ours sends any.
 *
 * Built by clang for the kernel's machine; includes no room but base/limits.h.
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "dataplane/nic/nic_xdp_rules.h"

#define QUEUES      64 /* of the interface: one a worker at most */
#define VLAN_ID     0x0fff
#define FRAG_OFFSET 0x1fff
#define FRAG_MORE   0x2000

#define OPTIONS_MASK 60

/* Kinds of ICMP that are errors (RFC 792; RFC 4443, 2.1). */
#define UNREACHABLE4 3
#define TIME_OVER4   11
#define PROBLEM4     12
#define ERROR6_LAST  4

const volatile struct nic_xdp_rules rules = { .mark = NIC_XDP_MARK };

struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, QUEUES);
    __type(key, __u32);
    __type(value, __u32);
} xsks_map SEC(".maps"); /* the name that DPDK's driver looks for */

struct fragment {
    __u32 src[4];
    __u32 id;
};

/* Packets whose first fragment was for a port of ours. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, LIMIT_NIC_XDP_FRAGMENTS);
    __type(key, struct fragment);
    __type(value, __u8);
} fragments SEC(".maps");

struct cursor {
    void *at;
    void *end;
};

struct icmp {
    __u8 type;
    __u8 code;
    __be16 checksum;
    __be32 rest;
};

struct tag {
    __be16 vlan;
    __be16 type;
};

struct ports {
    __be16 src;
    __be16 dst;
};

struct fragment_header {
    __u8 next;
    __u8 reserved;
    __be16 offset;
    __be32 id;
};

/* The next bytes, and past them; NULL: they are not there. */
static __always_inline void *take(struct cursor *c, __u32 bytes)
{
    void *p = c->at;

    if (p + bytes > c->end)
        return NULL;
    c->at = p + bytes;
    return p;
}

static __always_inline bool is_ours(__be16 port)
{
    for (int i = 0; i < LIMIT_LISTENERS; i++)
        if (i < rules.port_count && rules.ports[i] == port)
            return true;
    return false;
}

static __always_inline bool to_our_port(struct cursor *c)
{
    const struct ports *p = take(c, sizeof(*p));

    return p && is_ours(p->dst);
}

static __always_inline bool is_address6(const struct in6_addr *a)
{
    for (int i = 0; i < 4; i++)
        if (a->in6_u.u6_addr32[i] != rules.address6[i])
            return false;
    return true;
}

/* The first fragment of a packet, or a later one. */
static __always_inline bool fragment_is_ours(struct cursor *c, const struct fragment *f, bool first)
{
    __u8 yes = 1;

    if (!first)
        return bpf_map_lookup_elem(&fragments, f);
    if (!to_our_port(c))
        return false;
    bpf_map_update_elem(&fragments, f, &yes, BPF_ANY);
    return true;
}

static __always_inline bool from_our_port(struct cursor *c)
{
    const struct ports *p = take(c, sizeof(*p));

    return p && is_ours(p->src);
}

/* An error that quotes a segment of ours. */
static __always_inline bool icmp_is_ours(struct cursor *c)
{
    const struct icmp *icmp = take(c, sizeof(*icmp));
    const struct iphdr *ip = icmp ? take(c, sizeof(*ip)) : NULL;

    if (!ip || (icmp->type != UNREACHABLE4 && icmp->type != TIME_OVER4 && icmp->type != PROBLEM4))
        return false;
    return ip->ihl == 5 && ip->protocol == IPPROTO_TCP && ip->saddr == rules.address &&
           (ip->frag_off & bpf_htons(FRAG_OFFSET)) == 0 && from_our_port(c);
}

static __always_inline bool icmp6_is_ours(struct cursor *c)
{
    const struct icmp *icmp = take(c, sizeof(*icmp));
    const struct ipv6hdr *ip = icmp ? take(c, sizeof(*ip)) : NULL;

    if (!ip || icmp->type == 0 || icmp->type > ERROR6_LAST)
        return false;
    return ip->nexthdr == IPPROTO_TCP && is_address6(&ip->saddr) && from_our_port(c);
}

static __always_inline bool ip4_is_ours(struct cursor *c)
{
    const struct iphdr *ip = take(c, sizeof(*ip));
    struct fragment f = { 0 };
    __u32 options;

    if (!ip || ip->ihl < 5 || rules.address == 0 || ip->daddr != rules.address)
        return false;
    options = (ip->ihl * 4 - sizeof(*ip)) & OPTIONS_MASK; /* which the verifier wants to see */
    if (!take(c, options))
        return false;
    if (ip->protocol == IPPROTO_TCP && (ip->frag_off & bpf_htons(FRAG_OFFSET | FRAG_MORE)) != 0) {
        f.src[3] = ip->saddr;
        f.id = ip->id;
        return fragment_is_ours(c, &f, (ip->frag_off & bpf_htons(FRAG_OFFSET)) == 0);
    }
    if (ip->protocol == IPPROTO_TCP)
        return to_our_port(c);
    return ip->protocol == IPPROTO_ICMP && icmp_is_ours(c);
}

static __always_inline bool fragment6_is_ours(struct cursor *c, const struct in6_addr *src)
{
    const struct fragment_header *h = take(c, sizeof(*h));
    struct fragment f = { 0 };

    if (!h || h->next != IPPROTO_TCP)
        return false;
    for (int i = 0; i < 4; i++)
        f.src[i] = src->in6_u.u6_addr32[i];
    f.id = h->id;
    return fragment_is_ours(c, &f, (h->offset & bpf_htons(0xfff8)) == 0);
}

static __always_inline bool ip6_is_ours(struct cursor *c)
{
    const struct ipv6hdr *ip = take(c, sizeof(*ip));

    if (!ip || !is_address6(&ip->daddr))
        return false;
    switch (ip->nexthdr) {
    case IPPROTO_TCP: return to_our_port(c);
    case IPPROTO_FRAGMENT: return fragment6_is_ours(c, &ip->saddr);
    case IPPROTO_ICMPV6: return icmp6_is_ours(c);
    default: return false;
    }
}

static __always_inline bool frame_is_ours(struct cursor *c)
{
    const struct ethhdr *eth = take(c, sizeof(*eth));
    const struct tag *tag;
    __u16 vlan = 0;
    __be16 type;

    if (!eth)
        return false;
    type = eth->h_proto;
    if (type == bpf_htons(ETH_P_8021Q)) {
        tag = take(c, sizeof(*tag));
        if (!tag)
            return false;
        vlan = bpf_ntohs(tag->vlan) & VLAN_ID;
        type = tag->type;
    }
    if (vlan != rules.vlan)
        return false;
    if (type == bpf_htons(ETH_P_IP))
        return ip4_is_ours(c);
    return type == bpf_htons(ETH_P_IPV6) && ip6_is_ours(c);
}

SEC("xdp") int nic_xdp_postern(struct xdp_md *ctx)
{
    struct cursor c = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };

    return frame_is_ours(&c) ? bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_PASS)
                             : XDP_PASS;
}

char licence[] SEC("license") = "Dual BSD/GPL";
