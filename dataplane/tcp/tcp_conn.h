/*
 * Private to dataplane/tcp: the connection block in the names of RFC 9293, one core's TCP, and the
 * functions that the files of this folder offer to each other, grouped by file.
 */
#ifndef POSTERN_TCP_CONN_H
#define POSTERN_TCP_CONN_H

#include "base/pool.h"
#include "base/wheel.h"
#include "dataplane/tcp/tcp.h"
#include "dataplane/tcp/tcp_cc.h"
#include "dataplane/tcp/tcp_challenge.h"
#include "dataplane/tcp/tcp_cookie.h"
#include "dataplane/tcp/tcp_ecn.h"
#include "dataplane/tcp/tcp_flight.h"
#include "dataplane/tcp/tcp_fsm.h"
#include "dataplane/tcp/tcp_hystart.h"
#include "dataplane/tcp/tcp_in.h"
#include "dataplane/tcp/tcp_loss.h"
#include "dataplane/tcp/tcp_memory.h"
#include "dataplane/tcp/tcp_mtu.h"
#include "dataplane/tcp/tcp_output.h"
#include "dataplane/tcp/tcp_pace.h"
#include "dataplane/tcp/tcp_prefix.h"
#include "dataplane/tcp/tcp_reasm.h"
#include "dataplane/tcp/tcp_recvq.h"
#include "dataplane/tcp/tcp_rtt.h"
#include "dataplane/tcp/tcp_sendq.h"
#include "dataplane/tcp/tcp_seq.h"
#include "dataplane/tcp/tcp_syn.h"
#include "dataplane/tcp/tcp_table.h"
#include "dataplane/tcp/tcp_text.h"
#include "dataplane/tcp/tcp_timer.h"
#include "dataplane/tcp/tcp_tune.h"
#include "dataplane/tcp/tcp_tw.h"
#include "dataplane/tcp/tcp_window.h"
#include "dataplane/tcp/tcp_wire.h"

enum tcp_conn_flag {
    TCP_CONN_TS = 1 << 0,       /* timestamps agreed (RFC 7323, 3.2) */
    TCP_CONN_SACK = 1 << 1,     /* SACK agreed (RFC 2018, 2) */
    TCP_CONN_ACK_NOW = 1 << 2,  /* an ACK is owed in this turn */
    TCP_CONN_SYN_OUT = 1 << 3,  /* our SYN is not acknowledged yet */
    TCP_CONN_RESEND = 1 << 4,   /* one lost segment goes whatever the window says */
    TCP_CONN_PROBE = 1 << 5,    /* the persist timer ran out: send in spite of the window */
    TCP_CONN_PASSIVE = 1 << 6,  /* from a listener */
    TCP_CONN_ACCEPTED = 1 << 7, /* its stream has an owner (accepted, or opened by tcp_connect) */
    TCP_CONN_ORPHAN = 1 << 8,   /* the owner has let go */
    TCP_CONN_FAILED = 1 << 9,   /* reset, timed out, aborted */
    TCP_CONN_PEER_FIN =
        1 << 10, /* the peer's FIN was seen, at rcv_fin; bytes before it may be missing */
    TCP_CONN_SYN_LOST = 1 << 11, /* the SYN or SYN-ACK was sent more than once */
    TCP_CONN_PERSIST = 1 << 12,  /* due_resend is the persist timer (RFC 9293, 3.8.6.1) */
    TCP_CONN_PACED = 1 << 13,    /* new data waits for its turn (tcp_pace.h) */
    TCP_CONN_WITHHELD = 1 << 14, /* reserve found no segment: not WRITABLE until some are home */
    TCP_CONN_TABLED = 1 << 15,   /* it is in the table */
};

#define TCP_TS_AGE_NS (1ULL << 30) /* about a second, without a division */

struct tcp_conn {
    /* Hot line: what a segment in order and its ACK read and write. */
    uint32_t rcv_nxt;
    uint32_t rcv_adv; /* right edge of the window as told to the peer; never retracts */
    uint32_t snd_una;
    uint32_t snd_nxt; /* goes back to iss when a SYN is to be sent again */
    uint32_t snd_max; /* one past the highest ever sent */
    uint32_t snd_wnd; /* bytes, scaled */
    uint32_t ts_recent;
    uint32_t last_ack_sent;
    uint16_t flags;     /* enum tcp_conn_flag */
    uint8_t state;      /* enum tcp_state; written by tcp_conn_set_state alone */
    uint8_t quick_acks; /* segments yet to be acknowledged at once */
    uint16_t snd_mss;   /* payload of a full segment that we send */
    uint16_t rcv_mss;   /* the largest payload seen, as a guess at the peer's full segment */
    uint8_t snd_wscale;
    uint8_t rcv_wscale;
    uint8_t dup_acks;
    uint32_t retrans;        /* segments sent again, the SYN or SYN-ACK too; for people */
    struct tcp_reasm *reasm; /* NULL: nothing is out of order */
    struct tcp *tcp;

    /* Warm line: waiting bytes, output, deadlines (clock ns; 0: not set). */
    struct tcp_recvq recvq;
    struct list_node output_link; /* in tcp->output or not; or in tcp->ended */
    struct tcp_flight *flight;    /* what is queued and out; the core's idle one: nothing */
    uint64_t due_ack;
    uint64_t heard_ns; /* when the peer's last segment came */

    /* Three lines more that a segment reads. */
    struct stream stream; /* its ready_link is in tcp->accepts until it has an owner */
    struct tcp_tune tune;
    uint32_t snd_wl1;
    uint32_t snd_wl2;
    struct tcp_rtt rtt;
    uint64_t sent_ns; /* when the last data left */
    uint64_t due_alive;
    struct tcp_wire_sack
        dsack; /* came twice, told with the next ACK (RFC 2883); start == end: none */
    uint32_t ts_offset;
    uint32_t ts_age; /* when ts_recent was set (RFC 7323, 5.5), in TCP_TS_AGE_NS */
    uint32_t rcv_fin;
    uint32_t snd_wnd_max; /* largest window seen */
    uint32_t iss;
    uint8_t listener;
    uint8_t alive_asked; /* keep-alives without an answer */
    bool alive_due;      /* one is to be sent now */

    /* The rest: for what is sent, and for exceptions. */
    struct tcp_cc cc;
    struct tcp_rack_path path;
    struct tcp_ecn ecn;
    struct tcp_mtu mtu;
    struct wheel_entry wheel;
    struct list_node short_link; /* in tcp->starved or not */
    uint64_t due_end;            /* FIN-WAIT-2 and orphans do not live for ever */
    struct tcp_challenge_budget challenges;
    uint32_t irs;
};

STATIC_ASSERT(offsetof(struct tcp_conn, recvq) == 64, "the hot line is one line");
STATIC_ASSERT(offsetof(struct tcp_conn, stream) == 128, "the warm line is one line");
STATIC_ASSERT(offsetof(struct tcp_conn, cc) == 320, "what a segment reads is five lines");
STATIC_ASSERT(sizeof(struct tcp_conn) <= 448, "with its places in the tables, 512 bytes when idle");

struct tcp_listener {
    struct endpoint at;
    void *cookie;
    const struct addr_net *proxies; /* whom no limit for a host or a network holds */
    uint32_t proxy_count;
};

struct tcp {
    struct tcp_env env;
    struct tcp_config config;
    const struct tcp_cc_ops *cc;
    struct tcp_table table;
    struct wheel wheel;
    struct list output;  /* connections with a reason to send */
    struct list starved; /* connections that wait for segments to come home */
    struct list gapped;  /* of struct tcp_reasm: what connections hold out of order */
    struct list stalled; /* of struct tcp_flight whose peer takes nothing, the longest first */
    struct list accepts; /* established, not yet handed out */
    struct list ended;   /* blocks that wait for their owner, out of the table */
    struct tcp_flight idle;
    struct tcp_syn_table syns;
    struct tcp_cookie_jar cookies;
    struct tcp_prefix_table prefixes;
    struct tcp_tw_ring tws;
    struct pool *self; /* the pool of one that this struct lies in */
    struct pool *conns;
    struct pool *flights;
    struct pool *reasms;
    struct tcp_reasm_source ranges;
    struct pool *sents; /* records of segments in flight */
    struct pool *slots_pool;
    struct pool *prefixes_pool;
    struct pool *syns_pool;
    struct pool *tws_pool;
    uint64_t born_ns;
    uint64_t windows_free; /* bytes that windows may still grow by, all together */
    struct tcp_challenge_budget challenges;
    struct tcp_memory memory;
    uint32_t ports_tried; /* by tcp_connect */
    uint32_t listener_count;
    uint32_t state_count[TCP_STATE_COUNT];
    uint8_t rcv_wscale; /* for receive_bytes_max */
    struct tcp_listener listeners[LIMIT_LISTENERS];
};

static inline uint64_t tcp_now_ns(const struct tcp *t)
{
    return t->env.clock->now_ns;
}

static inline struct tcp_conn *tcp_conn_of_stream(struct stream *s)
{
    return LIST_ENTRY(s, struct tcp_conn, stream);
}

static inline void tcp_count(struct tcp *t, enum counter_id id)
{
    counter_inc(t->env.counters, id);
}

/* The clock of timestamps: milliseconds, displaced for each four-tuple (RFC 7323, 5.4 and 7.1). */
static inline uint32_t tcp_ts_now(const struct tcp *t, uint32_t offset)
{
    return (uint32_t)(tcp_now_ns(t) / NS_PER_MS) + offset;
}

static inline uint32_t tcp_ts_age(const struct tcp *t)
{
    return (uint32_t)(tcp_now_ns(t) / TCP_TS_AGE_NS);
}

/* --- tcp_conn.c --------------------------------------------------------------------------------
 */

/* The only writer of state. */
void tcp_conn_set_state(struct tcp_conn *c, enum tcp_state state);
/* A block in CLOSED, in the table under the hash. NULL: all are in use, or the hash is taken. */
struct tcp_conn *tcp_conn_create(struct tcp *t, const struct endpoint *local,
                                 const struct endpoint *peer, uint64_t hash);
/* First send sequence number and everything counted from it. */
void tcp_conn_start_send(struct tcp_conn *c, uint32_t iss);
/* The peer's SYN: first receive sequence number, and the options that its header agreed to. */
void tcp_conn_start_receive(struct tcp_conn *c, const struct tcp_header *syn);
/* The handshake is done: to ESTABLISHED, congestion control begins, the stream is ready or may be
 * accepted. */
void tcp_conn_established(struct tcp_conn *c);
/* Drops what is out of order: SACK is advice, the peer sends it again (RFC 2018, 8). */
void tcp_conn_drop_gaps(struct tcp_conn *c);
/* Nothing more moves: queues are dropped, the stream is FAILED; a block without an owner is freed.
 */
void tcp_conn_fail(struct tcp_conn *c);
/* Both FINs are through after our LAST-ACK: the block is freed, or waits in CLOSED for its owner.
 */
void tcp_conn_finish(struct tcp_conn *c);
/* Leaves a TIME-WAIT entry in the table instead of the block, which then is as after
 * tcp_conn_finish. */
void tcp_conn_to_time_wait(struct tcp_conn *c);
/* Nobody owns the stream any more and nothing is left to do. */
void tcp_conn_free(struct tcp_conn *c);
/* Keyed hash of a four-tuple, for the table; and RFC 6528's F for sequence numbers. */
uint64_t tcp_conn_hash(const struct tcp *t, const struct endpoint *local,
                       const struct endpoint *peer);
uint32_t tcp_conn_choose_iss(const struct tcp *t, const struct endpoint *local,
                             const struct endpoint *peer, uint64_t at_ns, uint32_t *ts_offset);
/* The MSS of a peer whose SYN names none (RFC 9293, 3.7.1). */
uint16_t tcp_conn_default_mss(const struct addr *peer);
/* The headers of a segment to peer, IP and TCP without options, bytes. */
uint32_t tcp_conn_header_bytes(const struct addr *peer);
/* The largest segment that we take from peer, options included (RFC 9293, 3.7.1). */
uint16_t tcp_conn_local_mss(const struct tcp *t, const struct addr *peer);

/* --- tcp_input.c -------------------------------------------------------------------------------
 */

/* Runs the steps of RFC 9293, 3.10.7.4 on a connection. */
void tcp_input_conn(struct tcp_conn *c, struct tcp_in *in);

/* --- tcp_ack.c ---------------------------------------------------------------------------------
 */

/* What an acceptable ACK means: send queue, RTT, congestion, loss, window. snd_una - wnd <= ack <=
 * snd_max. */
void tcp_ack_received(struct tcp_conn *c, const struct tcp_in *in);
/* SND.WND from a segment (RFC 9293, 3.10.7.4, fifth). */
void tcp_ack_take_window(struct tcp_conn *c, const struct tcp_in *in);
/* Our FIN is acknowledged. */
bool tcp_ack_covers_fin(const struct tcp_conn *c);

/* --- tcp_stream.c ------------------------------------------------------------------------------
 */

extern const struct stream_ops tcp_stream_ops;

/* --- tcp_info.c --------------------------------------------------------------------------------
 */

void tcp_info_of_stream(const struct stream *s, struct stream_info *out);
/* Makes the ready bits true to the connection; no effect before the stream has an owner. */
void tcp_stream_update(struct tcp_conn *c);
/* More bytes stand in the receive queue: news, also when the reader has left some there. */
void tcp_stream_arrived(struct tcp_conn *c);
/* Segments have come home: connections that waited for them look again. */
void tcp_stream_feed_starved(struct tcp *t);
/* Puts the connection among those that wait for segments. */
void tcp_stream_starve(struct tcp_conn *c);

#endif
