/*
 * The scoreboard: what is out and not yet acknowledged, in order of sequence numbers (RFC 2018, 5;
 * RFC 6675, 3). A record is a run of segments of one size that left in one burst; it is split once
 * their fates differ, and only where a segment ends. A segment is SACKed whole or not at all, and
 * only we decide where one ends, so no peer can cut it into crumbs (CVE-2019-11478). Pure.
 */
#ifndef POSTERN_TCP_SENTQ_H
#define POSTERN_TCP_SENTQ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/pool.h"

enum tcp_sent_flag {
    TCP_SENT_SACKED = 1 << 0,
    TCP_SENT_LOST = 1 << 1,  /* found lost, and not sent again since */
    TCP_SENT_AGAIN = 1 << 2, /* sent more than once: its ACK is ambiguous (Karn) */
};

struct tcp_sent {
    struct list_node link;
    uint64_t sent_ns; /* last */
    uint32_t start;
    uint32_t end;  /* one past the last sequence number, a FIN's included */
    uint32_t size; /* of each segment but the last, which may have less */
    uint8_t flags; /* enum tcp_sent_flag */
};

struct tcp_sentq {
    struct list all;
    struct pool *pool;
    uint32_t count; /* segments, as are the next two */
    uint32_t sacked_count;
    uint32_t lost_count;
    uint32_t pipe; /* octets neither SACKed nor lost: on their way, as far as we know */
};

/* Records come from the pool, which is the core's. */
void tcp_sentq_init(struct tcp_sentq *q, struct pool *pool);
/* A segment left for the first time, behind all others. False: no record is to be had. */
bool tcp_sentq_push(struct tcp_sentq *q, uint32_t start, uint32_t end, uint64_t now_ns);
/* The lowest, the highest, the one after s (a record or NULL), the lowest lost; NULL: none. */
struct tcp_sent *tcp_sentq_first(const struct tcp_sentq *q);
struct tcp_sent *tcp_sentq_last(const struct tcp_sentq *q);
struct tcp_sent *tcp_sentq_next(const struct tcp_sentq *q, const struct tcp_sent *s);
struct tcp_sent *tcp_sentq_first_lost(const struct tcp_sentq *q);
/* The end of the last segment of s that ends at upto or before; s->start: none does. */
uint32_t tcp_sentq_whole(const struct tcp_sent *s, uint32_t upto);
/* Splits s at the end of its first segment, or before its last; returns the record of that segment.
 * Without a record for the rest it is s as it was. */
struct tcp_sent *tcp_sentq_part_first(struct tcp_sentq *q, struct tcp_sent *s);
struct tcp_sent *tcp_sentq_part_last(struct tcp_sentq *q, struct tcp_sent *s);
/* The lowest record is acknowledged up to una, beyond its start; past its end it is gone. */
void tcp_sentq_acked(struct tcp_sentq *q, uint32_t una);
void tcp_sentq_sacked(struct tcp_sentq *q, struct tcp_sent *s);
/* Not SACKed, not lost already. */
void tcp_sentq_lost(struct tcp_sentq *q, struct tcp_sent *s);
/* The peer has thrown away what it had SACKed (RFC 2018, 8): nothing is. */
void tcp_sentq_reneged(struct tcp_sentq *q);
/* What was taken for lost is not. */
void tcp_sentq_found(struct tcp_sentq *q);
/* s leaves again now. */
void tcp_sentq_resent(struct tcp_sentq *q, struct tcp_sent *s, uint64_t now_ns);
/* Makes s at most `len` long: the rest becomes the next record. False: no record is to be had. */
bool tcp_sentq_split(struct tcp_sentq *q, struct tcp_sent *s, uint32_t len);
/* Joins to s, which is lost, the lost ones that follow, up to `len` in all. */
void tcp_sentq_gather(struct tcp_sentq *q, struct tcp_sent *s, uint32_t len);
void tcp_sentq_clear(struct tcp_sentq *q);

#endif
