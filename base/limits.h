/*
 * Every bound of the program, with its reason and what happens past it. Settings of the
 * configuration file have their defaults here too (LIMIT_..._DEFAULT).
 */
#ifndef POSTERN_BASE_LIMITS_H
#define POSTERN_BASE_LIMITS_H

#include "base/assert.h"

/* --- SMTP ------------------------------------------------------------------------------------ */

/* Longest command line with CRLF. RFC 5321, 4.5.3.1.4 asks for 512, MAIL's parameters add to it;
 * RFC 4954, 4 asks for 12,288 in AUTH. Past it: 500 5.5.6, and the rest of the line is skipped. */
#define LIMIT_COMMAND_BYTES   2048
#define LIMIT_AUTH_LINE_BYTES 12288
/* Longest path: 256 octets with its brackets (RFC 5321, 4.5.3.1.3). Past it: 501 5.1.7 or 5.1.3. */
#define LIMIT_PATH_BYTES 256
/* Longest local part (RFC 5321, 4.5.3.1.1) and domain (4.5.3.1.2). Past it: 501 5.1.7 or 5.1.3. */
#define LIMIT_LOCAL_PART_BYTES 64
#define LIMIT_DOMAIN_BYTES     255
/* Longest ORCPT= (RFC 3461, 4.2) and ENVID= (4.4). Past it: 501 5.5.4. */
#define LIMIT_ORCPT_BYTES 500
#define LIMIT_ENVID_BYTES 100
/* Longest text that is kept as long as its owner (base/texts.h): the longest login. */
#define LIMIT_TEXT_BYTES 256
/* What a client may call itself in EHLO: a domain. Past it: 501 5.5.4. */
#define LIMIT_HELO_BYTES LIMIT_DOMAIN_BYTES
/* Longest text line of a body with CRLF: RFC 5321, 4.5.3.1.6 says 1,000, the world sends more. Past
 * it: 500 5.5.6 at the end of data. */
#define LIMIT_TEXT_LINE_BYTES 65536
/* Packed envelope of one message: 1,000 recipients of 60 bytes. Past it: 452 4.5.3. */
#define LIMIT_ENVELOPE_BYTES 65536
/* One field of a message's header, folded lines and all: 4,000 recipients of 60 bytes in To. And
 * how many there are: real ones stay below 200. Past it: 552 5.3.4. */
#define LIMIT_FIELD_BYTES (256 * 1024)
#define LIMIT_FIELDS      1000
/* Received fields by default: a loop has more (RFC 5321, 6.3: at least 100). Past it: 554 5.4.6. */
#define LIMIT_HOPS_DEFAULT 100
/* Generated header fields of one message. */
#define LIMIT_HEADER_BYTES 2048
/* Recipients of a message by default: Postfix's figure; RFC 5321, 4.5.3.1.8 asks for 100. Past it:
 * 452 4.5.3. */
#define LIMIT_RECIPIENTS_DEFAULT 1000
/* How long a message may ask to be held (RFC 4865) by default. Past it: 501 5.5.4. */
#define LIMIT_HOLD_S_DEFAULT (30 * 86400)
/* Errors (4xx and 5xx replies to commands) in a session before 421 4.7.0. */
#define LIMIT_ERRORS_DEFAULT 20
/* Of those, how many are answered at once; past it each reply waits (Postfix's figures). */
#define LIMIT_SOFT_ERRORS_DEFAULT   10
#define LIMIT_ERROR_DELAY_S_DEFAULT 1
/* Failed AUTHs in a session before 421 4.7.0. */
#define LIMIT_AUTH_TRIES_DEFAULT 3
/* Largest message by default: 50 MB. Past it: 552 5.3.4. */
#define LIMIT_MESSAGE_BYTES_DEFAULT (50ULL * 1024 * 1024)
/* Longest line of a reply with CRLF (RFC 5321, 4.5.3.1.5). Our texts and a host name stay below it.
 */
#define LIMIT_REPLY_LINE_BYTES 512
/* Room for replies that one call of the session gets at least: an EHLO reply with every keyword. */
#define LIMIT_REPLY_BYTES 1024

/* What a back end remembers of one SASL exchange: a SCRAM's nonce, keys and two running HMACs. */
#define LIMIT_SASL_MEMO_BYTES 2048
/* Longest challenge before its base64, so that it is one reply line: a SCRAM's has up to 300. Past
 * it: 454 4.7.0. */
#define LIMIT_SASL_CHALLENGE_BYTES 378

/* --- Connections ----------------------------------------------------------------------------- */

/* Plaintext waiting in a connection while its session is parked: one TLS record and one AUTH line.
 * Past it: not read. */
#define LIMIT_CONN_INPUT_BYTES (16384 + LIMIT_AUTH_LINE_BYTES)
/* Most that one read moves: one TLS record. */
#define LIMIT_READ_BYTES 16384
/* Connections of a worker by default. Past it: the SYN is not answered (dpdk), or accept waits
 * (kernel). */
#define LIMIT_CONNECTIONS_DEFAULT 16384
/* Handshake steps of one turn of the loop: 100 us each, so a turn stays under half a millisecond.
 * Past it: next turn. */
#define LIMIT_HANDSHAKES_PER_TURN_DEFAULT 4
/* ClientHellos that a turn gives to helpers, for each handshake step that it may make: to hand one
 * over takes an eighth of the time. Past it: next turn. */
#define LIMIT_HINTS_PER_HANDSHAKE 4

/* A PROXY header of version 1 (its specification, 2.1) and of version 2: the addresses, and what
 * TLVs a real proxy adds; 2.2 allows 65,551. Past it: closed. */
#define LIMIT_PROXY_V1_BYTES 107
#define LIMIT_PROXY_V2_BYTES 4096
/* A unique id in it (2.2.5), a host name, a certificate's name. Past it: closed. */
#define LIMIT_PROXY_ID_BYTES   128
#define LIMIT_PROXY_NAME_BYTES 255
/* Networks that a listener takes such headers from. Past it: the configuration is refused. */
#define LIMIT_PROXY_NETWORKS 32

/* Steps of one connection in one turn of the loop; then the others have their turn. */
#define LIMIT_PUMP_STEPS 64
/* Connections that spool answers and free room may run in one turn. */
#define LIMIT_PUMP_PER_TURN 256
/* Timers of connections in one turn. */
#define LIMIT_TIMERS_PER_TURN 256
/* After our end was sent, how long the peer's is awaited, so that a reset does not eat the last
 * reply. */
#define LIMIT_LINGER_S 5
/* A body that is slower than this, after its first minutes, holds an extent for nothing: 421 4.4.2.
 * Postfix's figure. */
#define LIMIT_BODY_GRACE_S     180
#define LIMIT_BODY_BYTES_PER_S 500

/* --- TCP ------------------------------------------------------------------------------------- */

/* Window that a connection begins with, bytes; it grows with the path and the reader. */
#define LIMIT_TCP_WINDOW_FIRST (128 * 1024)
/* Largest window that it grows to, bytes; also the cap of in-order bytes waiting for the reader: 40
 * MB/s at 200 ms. Past it: the sender waits. */
#define LIMIT_TCP_RECEIVE_BYTES_DEFAULT (8 * 1024 * 1024)
/* Out-of-order segments and bytes kept for one connection: a full window (tiny ones are gathered:
 * CVE-2018-5390). Past it: dropped, the peer sends it again. */
#define LIMIT_TCP_REASM_SEGS  6144
#define LIMIT_TCP_REASM_BYTES LIMIT_TCP_RECEIVE_BYTES_DEFAULT
/* Gaps between them, plus one: a full window at 1 % of loss has 57, a queue that overflowed in slow
 * start leaves hundreds. Past it: dropped. And of a core, 4 MB of them. Past it: the connection
 * that has had gaps for longest loses what is behind them. */
#define LIMIT_TCP_REASM_RANGES     1024
#define LIMIT_TCP_REASM_RANGES_ALL 65536
/* A send queue holds one segment for so many bytes of its bound. Past it: reserve gives NULL. */
#define LIMIT_TCP_SEND_SEG_BYTES 512
/* Challenge ACKs a second of one connection (RFC 5961, 7), and of a core, give or take a random
 * half (CVE-2016-5696). Past it: silence. */
#define LIMIT_TCP_CHALLENGES     10
#define LIMIT_TCP_CHALLENGES_ALL 1000
/* The smallest MSS of a peer that we follow: less costs us more headers than bytes. Below it: this
 * is used. */
#define LIMIT_TCP_MSS_MIN 64
/* Least MTU of a path that an ICMP error makes us believe, of IPv4 and IPv6 (RFC 8200, 5): no path
 * of today has less, and less is an attacker's way to make us send headers. Below it: this is used.
 */
#define LIMIT_TCP_PATH_MTU  576
#define LIMIT_TCP_PATH_MTU6 1280
/* Payload of segments on a path that seems to drop full ones in silence (RFC 4821, 7.2); when these
 * are lost too: what fits into the least MTU. */
#define LIMIT_TCP_BLACK_HOLE_BYTES 1024
/* Until the path is tried again with a full segment (RFC 8899, 5.1.1: PMTU_RAISE_TIMER). */
#define LIMIT_TCP_MTU_PROBE_S 600
/* Longest wait for an acknowledgment: R2 of RFC 1122, 4.2.3.5 (100 s at least, 3 minutes for a
 * SYN). Past it: failed. */
#define LIMIT_TCP_R2_MS     100000
#define LIMIT_TCP_R2_SYN_MS 180000
/* Keep-alives without an answer, and the longest time between two, ms. Past it: failed. */
#define LIMIT_TCP_KEEPALIVE_PROBES 9
#define LIMIT_TCP_KEEPALIVE_MS     75000
/* Life of a connection whose owner has closed it, and then of FIN-WAIT-2. Past it: RST. */
#define LIMIT_TCP_ORPHAN_MS 60000
/* How long a peer may keep its window closed while bytes wait for it: RFC 5321, 4.5.3.2.7 gives a
 * client as long for its next command; and when segments are short. Past it: RST. */
#define LIMIT_TCP_STALL_MS       300000
#define LIMIT_TCP_STALL_SHORT_MS 5000
/* Bytes that leave at once in slow start: a reply, or a server's TLS flight with an RSA chain (5
 * KB). Past it: paced. */
#define LIMIT_TCP_BURST_BYTES 8192
/* Bytes committed and not yet acknowledged. Past it: reserve gives NULL. */
#define LIMIT_TCP_SEND_BYTES (64 * 1024)
/* What is left of a core's segments, in shares of all. Fewer than this, and new connections are not
 * answered; MAIL gets 452 4.3.1; windows close and gaps are dropped. All three are taken back when
 * SHARE_AGAIN more is left. */
#define LIMIT_TCP_SHARES        32
#define LIMIT_TCP_SHARE_SYNS    12
#define LIMIT_TCP_SHARE_MAIL    10
#define LIMIT_TCP_SHARE_WINDOWS 8
#define LIMIT_TCP_SHARE_AGAIN   2
/* Further down: nothing is kept behind unread bytes; nothing is written behind what waits for its
 * ACK; no first bytes are kept; nothing is written. A session that must answer before it reads on
 * would else wait for ever, or two that write for each other. What is left then is for segments
 * without bytes and for the device to receive into. */
#define LIMIT_TCP_SHARE_UNREAD 4
#define LIMIT_TCP_SHARE_WRITE  3
#define LIMIT_TCP_SHARE_FIRST  2
#define LIMIT_TCP_SHARE_REPLY  1
/* Segments of ordinary memory to which a core moves unread bytes when windows close, mapped when
 * used: 8 MB, the windows of 64 that have just begun. Past it: the marks above. */
#define LIMIT_TCP_ASIDE_SEGS 4096
/* Half-open connections of a core; an entry is small. Past it: SYN cookies. */
#define LIMIT_TCP_SYN_RCVD 4096
/* Our endpoints that half-open connections may be for: listeners times addresses. Past it: SYN
 * cookies. */
#define LIMIT_TCP_LOCALS 64
/* SYN-ACKs sent again in one turn of the loop: a quarter of what the device may be behind with
 * (LIMIT_NET_OUT_SEGS). Past it: next turn. */
#define LIMIT_TCP_SYN_ACKS_PER_TURN 64
/* Change of the cookies' secret; the one before stays good, so a cookie lives for one to two of
 * these: SYN-ACK, ACK and the first data with their retransmissions. Past it: RST. */
#define LIMIT_TCP_COOKIE_EPOCH_MS 64000
/* 2 MSL (RFC 9293, 3.4.2 lets an implementation choose; Linux's figure). */
#define LIMIT_TCP_TIME_WAIT_MS 60000
/* TIME-WAIT entries of a core. Past it: the oldest goes. */
#define LIMIT_TCP_TIME_WAIT 65536

/* --- Network --------------------------------------------------------------------------------- */

/* Descriptors of a device's queue, at most its own limit: 1,024 full frames are 12 ms at 1 Gbit/s.
 * Past it: the device drops, and counts. */
#define LIMIT_NIC_DESCRIPTORS 1024
/* Segments in the pool for each connection: most are idle and hold none. Past it: see the next one.
 */
#define LIMIT_NIC_SEGS_PER_CONNECTION 1
/* Connections of a core that may have a full window of segments at once. Past it: no segment is
 * had, received frames are dropped and counted, and the peers send them again. */
#define LIMIT_NIC_FULL_WINDOWS 32
/* What counts as a full window there, bytes: a path of 5 MB/s and 200 ms. */
#define LIMIT_NIC_WINDOW_BYTES (1024 * 1024)
/* Frames that one core may give to another before it looks, a power of two: what a queue brings in
 * 12 ms at 1 Gbit/s, since one may serve many cores, and a turn with handshakes takes half a
 * millisecond. Past it: not given, counted; TCP sends again. */
#define LIMIT_NIC_SHARED_FRAMES 1024
/* Frames of a queue that wait for the kernel, and the kernel's that wait for the device, a power of
 * two: some bursts. Past it: dropped, counted; whoever needs it sends again. */
#define LIMIT_NIC_EXCEPTION_FRAMES 256
/* Packets in fragments of a device whose other frames are the kernel's, whose ports are remembered
 * for the later ones, a power of two. Past it: forgotten, and TCP sends again. */
#define LIMIT_NIC_FRAGMENTS 256
/* Packets in fragments of an interface that the kernel shares, whose ports are remembered for the
 * later ones. Past it: the one not heard of longest is forgotten, and TCP sends again. */
#define LIMIT_NIC_XDP_FRAGMENTS 1024
/* Entries of a device's table from hashes to queues (RSS). Past it: not read, and frames that come
 * to another core than they belong to are handed over. */
#define LIMIT_NIC_SPREAD 512
/* A capture's frames of a queue that wait to be written to its file, a power of two, and what is
 * kept of each: 4 MB; 1 ms at 2 Mpps. Past them: the frame is not in the file, and counted; its end
 * is not there. */
#define LIMIT_CAPTURE_SLOTS       2048
#define LIMIT_CAPTURE_FRAME_BYTES 2048
/* Segments waiting for the device. Past it: the new one is dropped and counted; TCP sends it again.
 */
#define LIMIT_NET_OUT_SEGS 256
/* How long a device may take nothing before what waits for it is dropped and counted, ms. */
#define LIMIT_NET_OUT_STALL_MS 200
/* Neighbours of a core: routers and hosts of one link. Past it: the one not used longest goes. */
#define LIMIT_NET_NEIGHBOURS 256
/* Questions for one neighbour: ARP's 1 s apart, then 2 s (RFC 1122, 2.3.2.1: at most one a
 * second), ND's 1 s apart (RFC 4861, 10). Past it: what waits is dropped, and asking begins anew
 * with the next segment. */
#define LIMIT_NET_NEIGHBOUR_TRIES 3
/* A neighbour is forgotten after ten minutes without a packet for it. */
#define LIMIT_NET_NEIGHBOUR_IDLE_MS 600000
/* In use, it is asked again: by ARP after a minute (RFC 1122, 2.3.2.1); by ND its answer is good
 * for 30 s, and the question waits 5 s more (RFC 4861, 10). */
#define LIMIT_NET_ARP_FRESH_MS 60000
#define LIMIT_NET_ND_FRESH_MS  30000
#define LIMIT_NET_ND_DELAY_MS  5000
/* Questions of a core for each second, and in one burst: strangers can make us ask. Past it: asked
 * later. */
#define LIMIT_NET_ASK_PER_S 100
#define LIMIT_NET_ASK_BURST 32
/* Routers that advertise themselves; RFC 4861, 6.3.4 asks for two at least. Past it: not noted. */
#define LIMIT_NET_ROUTERS 4
/* Router solicitations, and the time between them (RFC 4861, 10). Past it: we wait for the routers
 * to speak of themselves. */
#define LIMIT_NET_ROUTER_SOLICITS 3
#define LIMIT_NET_ROUTER_WAIT_MS  4000
/* Reports of what groups we listen in, when there are new ones, and the time between them (RFC
 * 3810, 9.1 and 9.11). */
#define LIMIT_NET_MLD_REPORTS 2
#define LIMIT_NET_MLD_WAIT_MS 1000
/* Time between two looks whether the wire is there, at start, when we have words to say on it. */
#define LIMIT_NET_LINK_LOOK_MS 50
/* How long a probe for our own address is left to be answered (RFC 4862, 5.1: one probe, a second).
 */
#define LIMIT_NET_OWN6_WAIT_MS 1000
/* Extension headers of a packet, and options in one of them (RFC 8504, 5.3 allows as few; no
 * client of ours sends one). Past it: dropped. */
#define LIMIT_NET_EXT_HEADERS 8
#define LIMIT_NET_EXT_OPTIONS 8
/* Packets of a core that wait for the rest of their fragments, each with one segment. TCP keeps
 * fragments off its path, so they are rare. Past it: the oldest goes. */
#define LIMIT_NET_FRAG_PACKETS 32
/* Fragments of one of them: 1,500 bytes over links of 576 make three. Past it: dropped whole. */
#define LIMIT_NET_FRAG_PIECES 16
/* How long they wait (RFC 8200, 4.5; RFC 1122, 3.3.2). Past it: dropped. */
#define LIMIT_NET_FRAG_MS 60000
/* ICMP errors of a core for each second, and in one burst (RFC 4443, 2.4(f)). Past it: silence. */
#define LIMIT_NET_ICMP_ERRORS_PER_S 100
#define LIMIT_NET_ICMP_ERRORS_BURST 10
/* ICMP errors about connections of other cores that a core hands on for each second, and in one
 * burst: anybody can invent them. Past it: dropped. */
#define LIMIT_NET_ICMP_GIVEN_PER_S 1000
#define LIMIT_NET_ICMP_GIVEN_BURST 100
/* Echo replies of a core for each second, and in one burst. Past it: no reply, counted. */
#define LIMIT_NET_ECHO_PER_S 1000
#define LIMIT_NET_ECHO_BURST 100
/* Streams that one turn of the loop runs, so that the wire is looked at again soon. Past it: next
 * turn. */
#define LIMIT_READY_PER_TURN 64
/* What a turn may take before it is counted as long: a handshake and what goes with it. Nothing
 * else happens past it. */
#define LIMIT_TURN_LONG_NS (150 * 1000)

/* --- TLS ------------------------------------------------------------------------------------- */

/* Certificates of a chain file; real chains have two to four. Past it: the file is refused at
 * start. */
#define LIMIT_TLS_CHAIN 16
/* An OCSP response; with the responder's certificate they have 2 KB. Past it: the file is refused.
 */
#define LIMIT_TLS_OCSP_BYTES (16 * 1024)
/* What a ticket says of a session: 200 bytes without the client's certificate, and those get none.
 * Past it: no ticket. */
#define LIMIT_TLS_SESSION_BYTES 1024
/* Ticket keys of a file: previous, current and next, and some to spare. Past it: refused. */
#define LIMIT_TLS_TICKET_KEYS 16
/* RSA signatures of a worker with the helpers or on their way there: at 1,500 a second of a helper,
 * what it does in 0.7 s. Past it: the handshake waits its turn (TLS_WANT_SIGNATURE), whatever its
 * certificate. */
#define LIMIT_TLS_SIGNATURES 1024
/* What is signed: 64 + 33 + 1 + 48 bytes in TLS 1.3 (RFC 8446, 4.4.3), 64 + 4 + 65 in 1.2. Past it:
 * internal_error. */
#define LIMIT_TLS_SIGN_INPUT_BYTES 256
/* An RSA signature: a key of 4096 bits. Past it: the key is refused at start. */
#define LIMIT_TLS_SIGNATURE_BYTES 512

/* ClientHellos of a worker with the helpers for hints, 13 KB each: with 80 us for each, what a
 * helper does in 20 ms. Past it: the connection waits for its turn. */
#define LIMIT_TLS_HINTS 256
/* A ClientHello that helpers are asked about: the longest real ones, with a post-quantum key share
 * and a ticket, have 2.5 KB. Past it: it waits for its turn. */
#define LIMIT_TLS_HINT_HELLO_BYTES 4096
/* Hints: key share, its ciphertext (1,120 bytes of X25519MLKEM768), a signature of 512, a session.
 * Past it: none. */
#define LIMIT_TLS_HINTS_BYTES 8192
/* SSL_serialize_capabilities: a list of groups, some 20 bytes. Past it: no hints. */
#define LIMIT_TLS_CAPABILITIES_BYTES 256
/* Certificates that a client may send: its own, and two or three between it and an authority. Past
 * it: bad_certificate. */
#define LIMIT_TLS_CLIENT_CHAIN 8
/* ... and bytes of them: eight of 2 KB (BoringSSL allows no less than this). Past it:
 * illegal_parameter. */
#define LIMIT_TLS_CLIENT_CHAIN_BYTES (16 * 1024)
/* Certificates between a client's and an authority's. Past it: unknown_ca. */
#define LIMIT_TLS_CLIENT_DEPTH 4
/* Authorities that sign clients' certificates; their names, 100 bytes each, stand in each full
 * handshake. Past it: the file is refused. */
#define LIMIT_TLS_AUTHORITIES 16
/* Records without content in a row (BoringSSL's figure). Past it: unexpected_message. */
#define LIMIT_TLS_EMPTY_RECORDS 32
/* KeyUpdates of a peer without data between them (BoringSSL's figure). Past it: unexpected_message.
 */
#define LIMIT_TLS_KEY_UPDATES 32
/* user_canceled alerts without data between them (BoringSSL's figure). Past it: unexpected_message.
 */
#define LIMIT_TLS_WARNING_ALERTS 4
/* Records under one key: RFC 8446, 5.5 allows AES-GCM 24 million full ones. Past it: KeyUpdate, of
 * ours or asked of the peer. */
#define LIMIT_TLS_RECORDS_PER_KEY (1ULL << 24)
/* Runs that a record is looked for in: TCP's and the kernel's segments are at least half full, so a
 * record spans some thirty. Past it: gathered as it is, or internal_error if there is no buffer. */
#define LIMIT_TLS_RECORD_RUNS 64
/* Connections of a worker whose record is on its way, a part of it here, 17 KB each. Past it: the
 * part waits in the transport's segments, and holds its window. */
#define LIMIT_TLS_GATHERS 1024
/* Connections of a worker whose keys are expanded, 1.3 KB each: those that speak now. Past it: the
 * one that was silent longest keeps its secrets alone, and pays 2 us when it speaks again. */
#define LIMIT_TLS_AWAKE 4096

/* --- Kernel sockets -------------------------------------------------------------------------- */

/* Time for the peer to take what was queued when its connection was closed. Past it: RST. */
#define LIMIT_KSOCK_CLOSE_MS 30000
/* Time to wait for the peer's FIN after ours, dropping what it sends. Past it: closed, by the
 * kernel with RST if something lies there unread. */
#define LIMIT_KSOCK_LINGER_MS 2000
/* Bytes received and unread of one kernel socket: the kernel's own buffer covers the path. Past it:
 * not received. */
#define LIMIT_KSOCK_RECEIVE_BYTES (1024 * 1024)
/* Segments of a worker's kernel sockets: 64 MB. Past it: no receive is armed until some come home.
 */
#define LIMIT_KSOCK_SEGS 32768

/* --- Spool ----------------------------------------------------------------------------------- */

/* A piece of a message as a worker fills it. */
#define LIMIT_EXTENT_BYTES (64 * 1024)
/* Extents of a worker: 64 MB; what a session that gets none does: waits, its TCP window closes. */
#define LIMIT_EXTENTS_PER_WORKER 1024
/* One segment file by default. */
#define LIMIT_SEGMENT_BYTES_DEFAULT (64ULL * 1024 * 1024)
/* Messages of one worker waiting to become durable. Past it: the session waits. */
#define LIMIT_SPOOL_TICKETS 4096
/* Envelopes and headers of one worker on their way to the writer: 4,096 of 1 KB. Past it: commit
 * says "next turn". */
#define LIMIT_SPOOL_COMMIT_RING_BYTES (4 * 1024 * 1024)
/* One write of many records: 15 extents, or 250 messages of 4 KB. Past it: the next batch. */
#define LIMIT_SPOOL_BATCH_BYTES (1024 * 1024)
/* Batches being filled or written. Past it: requests wait. */
#define LIMIT_SPOOL_BATCHES 4
/* Writes under way: enough to keep a device busy, far below its queue (a full one blocks the
 * writer). Past it: wait. */
#define LIMIT_SPOOL_DEPTH 16
/* Zeros written ahead by one write, so that a commit never waits behind much. */
#define LIMIT_SPOOL_ZERO_BYTES (1024 * 1024)
/* Segment files of a directory: 1 TB of the default size. Past it: refused at start. */
#define LIMIT_SPOOL_SEGMENTS 16384
/* Largest record with its padding (spool/FORMAT.md, V4). Past it: not a record. */
#define LIMIT_SPOOL_RECORD_BYTES (1024 * 1024)

/* --- Gateway --------------------------------------------------------------------------------- */

/* Workers: bits of a queue id (base/mail.h). Past it: the configuration is refused. */
#define LIMIT_WORKERS 64
/* Helper threads: more than the cores of a machine only wait for each other. Past it: refused. */
#define LIMIT_HELPERS 64
/* Listeners, certificates and EAL arguments of a configuration. Past it: refused. */
#define LIMIT_LISTENERS     16
#define LIMIT_CERTIFICATES  16
#define LIMIT_EAL_ARGUMENTS 32
/* Configuration file: no real one comes near. Past it: refused. */
#define LIMIT_CONFIG_BYTES (1024 * 1024)
/* Users file: a million lines of 256 bytes. Past it: refused. */
#define LIMIT_USERS_BYTES (256 * 1024 * 1024)
/* Connections of one client to one worker: an office behind one address has this many open mail
 * programs. Past it: closed at once. */
#define LIMIT_CONNECTIONS_PER_CLIENT_DEFAULT 128
/* Clients' worth of connections that an IPv4 /24 or IPv6 /48 has, unless the configuration says
 * how many. Past it: RST (dpdk). */
#define LIMIT_CLIENTS_PER_NETWORK 8
/* A handshake is two flights; slow links need seconds. Past it: closed. */
#define LIMIT_HANDSHAKE_TIMEOUT_S_DEFAULT 30
/* Between two commands (RFC 5321, 4.5.3.2.7). Past it: 421 4.4.2. */
#define LIMIT_COMMAND_TIMEOUT_S_DEFAULT 300
/* Between two pieces of a body (RFC 5321, 4.5.3.2.5). Past it: 421 4.4.2. */
#define LIMIT_DATA_TIMEOUT_S_DEFAULT 180
/* A whole connection: 50 MB at 7 KB/s. Past it: 421 4.4.2; bounds the client that sends a byte at a
 * time. */
#define LIMIT_SESSION_TIMEOUT_S_DEFAULT 7200
/* Bodies under way at SIGTERM. Past it: 421 4.3.2, closed. */
#define LIMIT_DRAIN_TIMEOUT_S_DEFAULT 30
/* Ticket keys and their tickets. Past it: a full handshake. */
#define LIMIT_TICKET_LIFETIME_S_DEFAULT 3600
/* The spool's segments together. Past it: 452 4.3.1. */
#define LIMIT_SPOOL_BYTES_DEFAULT (1024ULL * 1024 * 1024)
/* Longest password that crypt(3) takes (CRYPT_MAX_PASSPHRASE_SIZE), and longest login. Past it:
 * 535. */
#define LIMIT_PASSWORD_BYTES 512
#define LIMIT_LOGIN_BYTES    256
/* Passwords of one login in the users file (a phone, a printer, ...): each wrong guess costs as
 * many hashes as the login with most has. And the longest name of one. Past them: a fault at start.
 */
#define LIMIT_PASSWORDS_PER_LOGIN 16
#define LIMIT_PASSWORD_NAME_BYTES 64
/* SCRAM: the client's part of the nonce (RFC 5802 sets no bound, clients send 24 to 64 bytes), and
 * its final message. Past it: 535. */
#define LIMIT_SCRAM_NONCE_BYTES   128
#define LIMIT_SCRAM_MESSAGE_BYTES 2048
/* SCRAM keys of the users file: salt, and iterations. RFC 7677, 4 asks for 4,096 at least; a
 * million are half a second, which a PLAIN against these keys costs a helper. Past it: a fault at
 * start. */
#define LIMIT_SCRAM_SALT_BYTES       64
#define LIMIT_SCRAM_ITERATIONS_LEAST 4096
#define LIMIT_SCRAM_ITERATIONS       1000000
/* A file of random bytes that salts of unknown logins are made from: as many as the HMAC's key has,
 * and no more than anybody would write. Past either: a fault at start. */
#define LIMIT_SALT_KEY_BYTES_LEAST 32
#define LIMIT_SALT_KEY_BYTES       4096
/* Tokens (RFC 7519): one fits an AUTH line; the header has a few words, Microsoft's with an x5t 150
 * bytes. Past it: 535. */
#define LIMIT_JWT_BYTES        (LIMIT_AUTH_LINE_BYTES / 4 * 3)
#define LIMIT_JWT_HEADER_BYTES 1024
/* The scope that a token must have: a URL, as Google's. It stands in a challenge. Past it: refused.
 */
#define LIMIT_JWT_SCOPE_BYTES 128
/* Objects and arrays in each other in a token or a file of keys: an address claim has two. Past it:
 * not read. */
#define LIMIT_JSON_DEPTH 8
/* Clocks of two machines, and the time an AUTH is under way, s (RFC 7519, 4.1.4 has "a few
 * minutes" as the most). Past it: expired, or not good yet. */
#define LIMIT_JWT_LEEWAY_S 60
/* File of public keys, and keys in it: a provider has two to six. Past it: refused. */
#define LIMIT_JWKS_BYTES (256 * 1024)
#define LIMIT_JWKS_KEYS  64
/* Longest key id; Google's have 40 bytes. Past it: refused in the file, 535 in a token. */
#define LIMIT_JWKS_ID_BYTES 128
/* Tokens of one worker waiting for helpers, 10 KB each: at 50 us for each, what a helper does in 13
 * ms. Past it: 454 4.7.0. */
#define LIMIT_AUTH_TOKENS 256
/* Back ends of a worker: one for passwords, one for tokens, one for certificates. */
#define LIMIT_AUTH_BACKENDS 3
/* Questions of one worker under way at its back ends. Past it: 454 4.7.0. */
#define LIMIT_AUTH_PENDING 1024
/* One message of a SASL mechanism: the longest line that AUTH may have, decoded. */
#define LIMIT_AUTH_MESSAGE_BYTES (LIMIT_AUTH_LINE_BYTES / 4 * 3)
/* What a back end answers by: a challenge, or a login and what is known of it. Past it: 454 4.7.0.
 */
#define LIMIT_AUTH_ANSWER_BYTES 1024
/* What a back end grants a login: some twenty addresses and limits. Past it: 454 4.7.0. */
#define LIMIT_GRANT_BYTES 512
/* Questions and exchanges that one program beside us has at once, a power of two: at 2 s for a
 * wrong password, 2,000 guesses a second. Past it: the exchange that was silent longest goes, or
 * 454 4.7.0. */
#define LIMIT_AUTH_REMOTE_REQUESTS 4096
/* A line from Dovecot: its own bound. Past it: the connection is made anew. */
#define LIMIT_DOVECOT_LINE_BYTES 8192
/* How long a client may think within an exchange, s: it computes an answer, for a second with the
 * dearest keys. Past it: the exchange is cancelled, and its next message gets 454 4.7.0. */
#define LIMIT_DOVECOT_SILENT_S 60
/* Lines on their way to Dovecot: 500 passwords. Past it: 454 4.7.0. */
#define LIMIT_DOVECOT_SEND_BYTES (256 * 1024)
/* How long to wait before the next try to reach Dovecot, doubled each time, ms. */
#define LIMIT_DOVECOT_RETRY_MS      50
#define LIMIT_DOVECOT_RETRY_MS_MOST 5000
/* Connections to an HTTP hook, 12 KB each: with 10 ms for each question, 6,400 a second. Past it:
 * the question waits. */
#define LIMIT_HTTP_CONNECTIONS 64
/* A request: URL, login and password, each byte of these as three. And an answer's head, and the
 * body behind it of a connection that is kept; real ones have some hundred bytes. Past them: 454
 * 4.7.0, or the connection is closed. */
#define LIMIT_HTTP_REQUEST_BYTES 4096
#define LIMIT_HTTP_HEAD_BYTES    8192
#define LIMIT_HTTP_BODY_BYTES    65536
/* How long to wait before the next try when a hook's queue of connections is full, ms. */
#define LIMIT_HTTP_RETRY_MS 20
/* Time for an answer of a back end. Dovecot holds a wrong password's back for two seconds. Past it:
 * 454 4.7.0. */
#define LIMIT_AUTH_TIMEOUT_S_DEFAULT 15
/* Jobs between one worker and the helpers, each way: password checks and signatures. Past it:
 * submit says no. */
#define LIMIT_JOBS 4096
/* Verdicts kept by one worker, 128 bytes each. Past it: the longest unused one goes. */
#define LIMIT_AUTH_CACHE_DEFAULT 16384
/* How long a kept verdict spares the hash; a password that was changed in between stays good for
 * it. */
#define LIMIT_AUTH_CACHE_LIFETIME_S_DEFAULT 600
/* Wrong passwords in a window, and how long the block then lasts. Past it: 421 4.7.0 without a
 * hash. */
#define LIMIT_GUESSES_PER_CLIENT_DEFAULT  20
#define LIMIT_GUESSES_PER_NETWORK_DEFAULT 100
#define LIMIT_GUESSES_PER_LOGIN_DEFAULT   50
#define LIMIT_GUESSES_PER_PAIR_DEFAULT    5
/* The first block of a pair; each one after it is twice as long: an honest user has forgotten, not
 * lost, his password. */
#define LIMIT_GUESS_DELAY_S_DEFAULT 10
/* The least share that a worker has of them: a typing error is no guess. */
#define LIMIT_GUESSES_SHARE_LEAST    3
#define LIMIT_GUESS_WINDOW_S_DEFAULT 600
#define LIMIT_BLOCK_TIME_S_DEFAULT   900
/* Clients, networks, logins and pairs of one worker, of each as many, with wrong guesses on record.
 * Past it: the longest untouched one is forgotten. */
#define LIMIT_THROTTLE_ENTRIES 16384
/* Blocks of one worker that can be shown. Past it: the oldest is not shown, and holds. */
#define LIMIT_THROTTLE_BLOCKS 1024
/* Names (logins, clients) whose use is counted at once, 16 bytes each. Past it: the newest are not
 * counted. */
#define LIMIT_QUOTA_ENTRIES (256 * 1024)
/* The control socket: clients at once (an operator, a collector of statistics, and their like; past
 * it: told so, closed), bytes and words of a command's line (the longest argument is a login; past
 * them: an error), and bytes of an answer (10,000 rows of connections; past it: an error). */
#define LIMIT_CONTROL_CLIENTS      8
#define LIMIT_CONTROL_LINE_BYTES   512
#define LIMIT_CONTROL_WORDS        8
#define LIMIT_CONTROL_ANSWER_BYTES (16 * 1024 * 1024)
/* How long a client of it may take to send a line, and to take its answer, ms: a person types it.
 * Past it: closed. */
#define LIMIT_CONTROL_CLIENT_MS 30000
/* Rows of an answer (100 fill some screens; 10,000 are 6 MB; past it: the rest is not shown), rows
 * that a worker copies before main writes them down, and what it looks at for them in a turn. */
#define LIMIT_CONTROL_ROWS           10000
#define LIMIT_CONTROL_ROWS_DEFAULT   100
#define LIMIT_CONTROL_BATCH          32
#define LIMIT_CONTROL_LOOKS_PER_TURN 64
/* A capture by postern-ctl: how long, s, and how large its file may be, bytes, by default and at
 * most. Past them: it ends. */
#define LIMIT_CAPTURE_S_DEFAULT     60
#define LIMIT_CAPTURE_S             86400
#define LIMIT_CAPTURE_BYTES_DEFAULT (100ULL * 1000 * 1000)
#define LIMIT_CAPTURE_BYTES         (1000ULL * 1000 * 1000 * 1000)
/* How long a worker may take to answer main, ms: a turn has less than one. Past it: an error. */
#define LIMIT_CONTROL_WORKER_MS 2000
/* Lines of one thread waiting to be written: 1 MB. Past it: dropped and counted. */
#define LIMIT_LOG_SLOTS 1024

STATIC_ASSERT(LIMIT_COMMAND_BYTES < LIMIT_AUTH_LINE_BYTES, "a command is the shorter line");
STATIC_ASSERT(LIMIT_CONN_INPUT_BYTES >= LIMIT_READ_BYTES + LIMIT_AUTH_LINE_BYTES,
              "a read always fits behind a part of a line");
STATIC_ASSERT(LIMIT_READ_BYTES <= LIMIT_EXTENT_BYTES, "a read fits into an extent");

#endif
