/*
 * Happy path: the program's object, which is part of ours, gets its rules written into it and goes
 * to a file in memory; DPDK's driver is told its name by xdp_prog= and loads it when the port is
 * opened. Failure modes: no argument makes a net_af_xdp port; a program of somebody else is on the
 * interface, or one that may not be asked whose it is: said, with what to do.
 *
 * A program stays on its interface when its process is killed. That is what we want, since it hands
 * all to the kernel then; only the next start must take it off, for the driver replaces none.
 */
#include "dataplane/nic/nic_xdp.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "dataplane/nic/nic_xdp_rules.h"

#define DRIVER   "net_af_xdp"
#define PROGRAM  "nic_xdp_postern" /* its function's name, as the kernel keeps it */
#define ARGUMENT 512

extern const uint8_t nic_xdp_object[];
extern const size_t nic_xdp_object_len;

static bool failed(struct buf *why, const char *what, int err)
{
    buf_printf(why, "device: shared: %s: %s", what, strerror(err));
    return false;
}

static void put_rules(struct nic_xdp_rules *r, const struct nic_ours *ours)
{
    memset((uint8_t *)r + sizeof(r->mark), 0, sizeof(*r) - sizeof(r->mark));
    if (addr_is_v4(&ours->address))
        r->address = htonl(addr_v4(&ours->address));
    memcpy(r->address6, ours->address6.octets, sizeof(r->address6));
    r->vlan = ours->vlan;
    r->port_count = ours->port_count;
    for (unsigned i = 0; i < ours->port_count; i++)
        r->ports[i] = htons(ours->ports[i]);
}

/* A file in memory with the object, its rules written; -1. It stays open as long as we live. */
static int make_object(const struct nic_ours *ours)
{
    int fd = memfd_create(PROGRAM, MFD_CLOEXEC);
    uint8_t *object, *mark;

    if (fd < 0 || ftruncate(fd, (off_t)nic_xdp_object_len) != 0)
        return -1;
    object = mmap(NULL, nic_xdp_object_len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (object == MAP_FAILED)
        return -1;
    memcpy(object, nic_xdp_object, nic_xdp_object_len);
    mark = memmem(object, nic_xdp_object_len, NIC_XDP_MARK, sizeof(NIC_XDP_MARK) - 1);
    ASSERT(mark != NULL);
    put_rules((struct nic_xdp_rules *)(void *)mark, ours);
    munmap(object, nic_xdp_object_len);
    return fd;
}

/* The argument that makes the port; NULL: none does. */
static char **find_argument(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strstr(argv[i], DRIVER) != NULL)
            return &argv[i];
    return NULL;
}

static unsigned interface_of(const char *argument)
{
    const char *at = strstr(argument, "iface=");
    char name[IF_NAMESIZE] = "";

    if (at != NULL)
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 6, ","), at + 6);
    return if_nametoindex(name);
}

/* Whether the program is one of ours; *err: it may not be asked. */
static bool is_ours(uint32_t id, int *err)
{
    struct bpf_prog_info info = { 0 };
    uint32_t len = sizeof(info);
    int fd = bpf_prog_get_fd_by_id(id);

    *err = fd < 0 ? errno : 0;
    if (fd < 0)
        return false;
    if (bpf_obj_get_info_by_fd(fd, &info, &len) != 0)
        *err = errno;
    close(fd);
    return *err == 0 && strcmp(info.name, PROGRAM) == 0;
}

static bool take_off_old(unsigned interface, struct buf *why)
{
    char name[IF_NAMESIZE] = "";
    uint32_t id = 0;
    int err;

    if_indextoname(interface, name);
    if (bpf_xdp_query_id((int)interface, 0, &id) != 0)
        return failed(why, "XDP cannot be asked of the interface", errno);
    if (id == 0)
        return true;
    if (is_ours(id, &err))
        return bpf_xdp_detach((int)interface, 0, NULL) == 0 ||
               failed(why, "the XDP program of before stays", errno);
    buf_printf(why,
               "device: shared: %s has an XDP program already%s%s; if nobody needs it: ip link set "
               "dev %s xdp off",
               name, err != 0 ? ", and whose is not to be known: " : ", which is not ours",
               err != 0 ? strerror(err) : "", name);
    return false;
}

bool nic_xdp_share(const struct nic_ours *ours, int argc, char **argv, struct buf *why)
{
    static char argument[ARGUMENT];
    char **at = find_argument(argc, argv);
    unsigned interface = at != NULL ? interface_of(*at) : 0;
    int fd, len;

    ASSERT(ours->port_count <= LIMIT_LISTENERS);
    if (interface == 0) {
        buf_printf(why, "device: shared: needs an eal argument --vdev=" DRIVER
                        "0,iface=NAME whose interface is there");
        return false;
    }
    if (!take_off_old(interface, why))
        return false;
    fd = make_object(ours);
    if (fd < 0)
        return failed(why, "a file in memory", errno);
    len = snprintf(argument, sizeof(argument), "%s,xdp_prog=/proc/self/fd/%d", *at, fd);
    if (len >= (int)sizeof(argument)) {
        buf_printf(why, "device: shared: the argument %.40s... is too long", *at);
        return false;
    }
    *at = argument;
    return true;
}
