/*
 * Half-open connections: small entries, a fixed number of them.
 * SYN-ACKs are sent again after 1, 2, 4, 8, 16 seconds, then the entry goes. Pure: time comes in,
 * and the owner keeps the table and sends.
 */
#ifndef POSTERN_TCP_SYN_H
#define POSTERN_TCP_SYN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/list.h"
#include "base/pool.h"

#define TCP_SYN_RETRIES 5 /* 63 s in all, as others do; RFC 1122, 4.2.3.5 */

struct tcp_syn {
    struct list_node link; /* in the list of its number of retries */
    uint64_t hash;
    uint64_t created_ns;
    uint64_t due_ns;
    struct endpoint local;
    struct endpoint peer;
    uint32_t irs;
    uint32_t iss;
    uint32_t ts_recent;
    uint32_t ts_offset;
    uint16_t mss;     /* what the peer can take, bytes of payload and options */
    uint8_t wscale;   /* the peer's */
    uint8_t options;  /* enum tcp_wire_option, agreed */
    uint8_t listener; /* its number */
    uint8_t retries;
};

struct tcp_syn_table {
    struct pool *pool;
    struct list
        levels[TCP_SYN_RETRIES + 1]; /* by retries; each in order of due_ns and of created_ns */
};

/* False: memory is short. */
bool tcp_syn_open(struct tcp_syn_table *t, uint32_t count);
/* Drops all entries. */
void tcp_syn_close(struct tcp_syn_table *t);
/* A new entry like *syn, due in a second; NULL: all are in use. */
struct tcp_syn *tcp_syn_add(struct tcp_syn_table *t, const struct tcp_syn *syn, uint64_t now_ns);
struct tcp_syn *tcp_syn_oldest(struct tcp_syn_table *t);
void tcp_syn_remove(struct tcp_syn_table *t, struct tcp_syn *e);
/* An entry whose time is up, or NULL. Then tcp_syn_retry or tcp_syn_remove. */
struct tcp_syn *tcp_syn_due(struct tcp_syn_table *t, uint64_t now_ns);
/* Counts one retry and waits twice as long; false: there were TCP_SYN_RETRIES, remove it. */
bool tcp_syn_retry(struct tcp_syn_table *t, struct tcp_syn *e, uint64_t now_ns);
/* When tcp_syn_due has something; UINT64_MAX: nothing. */
uint64_t tcp_syn_next_ns(const struct tcp_syn_table *t);

#endif
