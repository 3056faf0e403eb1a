/*
 * Happy path: a whole TCP segment to our address and port. Failure modes: what cannot be read is
 * the kernel's. A later fragment that comes before its first one goes to the kernel too, which
 * makes nothing of it; TCP sends again. Two packets that fall on one place forget each other's.
 */
#include "dataplane/nic/nic_ours.h"

#include "base/assert.h"
#include "base/byteorder.h"
#include "dataplane/nic/nic_frame.h"

STATIC_ASSERT((LIMIT_NIC_FRAGMENTS & (LIMIT_NIC_FRAGMENTS - 1)) == 0, "the place is a mask");

static bool is_port(const struct nic_ours *o, uint16_t port)
{
    for (unsigned i = 0; i < o->port_count; i++)
        if (o->ports[i] == port)
            return true;
    return false;
}

static bool is_address(const struct nic_ours *o, const struct addr *a)
{
    return !addr_is_none(a) && (addr_equal(a, &o->address) || addr_equal(a, &o->address6));
}

static bool fragment_is_ours(struct nic_ours_fragments *fragments, const struct nic_frame *f,
                             bool to_our_port)
{
    uint32_t at = (f->id ^ load_be32(f->src.octets + 12)) * 2654435761U >> 16;
    bool known;

    at &= LIMIT_NIC_FRAGMENTS - 1;
    known = fragments->places[at].used && fragments->places[at].id == f->id &&
            addr_equal(&fragments->places[at].src, &f->src);
    if (f->part == NIC_FRAME_LATER)
        return known;
    if (to_our_port) {
        fragments->places[at].src = f->src;
        fragments->places[at].id = f->id;
        fragments->places[at].used = true;
    }
    return to_our_port;
}

bool nic_ours_has(const struct nic_ours *ours, struct nic_ours_fragments *fragments,
                  struct span frame)
{
    struct nic_frame f, quote;
    bool to_our_port;

    if (!nic_frame_read(frame, &f) || f.vlan != ours->vlan || !is_address(ours, &f.dst))
        return false;
    if (f.proto != NIC_FRAME_TCP)
        return nic_frame_read_quote(&f, &quote) && is_address(ours, &quote.src) &&
               is_port(ours, quote.ports[0]);
    to_our_port = f.ported && is_port(ours, f.ports[1]);
    if (f.part == NIC_FRAME_WHOLE)
        return to_our_port;
    return fragment_is_ours(fragments, &f, to_our_port);
}
