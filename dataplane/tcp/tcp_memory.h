/*
 * Who may still have segments when a core's are few. One pool serves all, and reserves are marks in
 * it: shares (base/limits.h) of what it had at the start, above a reserve that whoever made the
 * pool keeps for the device and for segments without bytes (seg.h). The device refills its queue
 * by itself, and may have the last one.
 *
 * Three of the marks are watermarks (enum tcp_memory_level in tcp.h), looked at once a turn, and
 * taken back a little later than they were crossed, so that nothing flaps. The others are met
 * segment by segment, and are in an order by which each holder can let go without those that stop
 * earlier; last come segments without bytes (ACK, RST, SYN-ACK, ARP, ND), which ask for no mark.
 *
 * What readers hold is capped: past the last watermark, bytes in order move to ordinary memory, and
 * their segment goes home to the device.
 */
#ifndef POSTERN_TCP_MEMORY_H
#define POSTERN_TCP_MEMORY_H

#include "dataplane/tcp/tcp.h"

struct tcp_memory {
    struct seg_pool *pool;
    struct seg_pool *aside; /* ordinary memory; NULL: none */
    uint32_t segs;          /* that the pool had at the start, without its reserve */
    enum tcp_memory_level level;
};

/* With `aside` segments of ordinary memory, 0: none. False: no memory. */
bool tcp_memory_open(struct tcp_memory *m, struct seg_pool *pool, uint32_t aside);
void tcp_memory_close(struct tcp_memory *m);
/* Once a turn: are marks crossed? */
void tcp_memory_look(struct tcp_memory *m);
/* Segments that are left now beyond this share (LIMIT_TCP_SHARE_...); negative: so many too few. */
int32_t tcp_memory_beyond(const struct tcp_memory *m, uint32_t share);
/* Takes s, and gives it back, or, where that is due and there is room, a copy aside. */
struct seg *tcp_memory_keep(struct tcp_memory *m, struct seg *s);

#endif
