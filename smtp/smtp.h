/*
 * The submission protocol (RFC 6409 on RFC 5321), and nothing else: bytes in, replies out, and what
 * it waits for. No socket, no TLS, no file, no thread. gateway/conn is the only one who knows how a
 * want is met.
 *
 * Happy path: smtp_session_open; smtp_session_run gives the banner; then input -> replies until
 * WANT_VERDICT (AUTH), WANT_BODY (DATA), WANT_DURABLE (end of data), WANT_CLOSE (QUIT). Replies
 * leave in command order, since a session that waits reads no further command. No 250 for a message
 * before smtp_session_durable said so.
 */
#ifndef POSTERN_SMTP_H
#define POSTERN_SMTP_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/mail.h"
#include "base/span.h"

struct smtp;         /* one worker's pools and settings */
struct smtp_session; /* dies with the connection; its transaction dies with RSET */

/* When From has an address that is not the login's (RFC 6409, 6.1 and 8.1). */
enum smtp_from_rule {
    SMTP_FROM_ANY,    /* whose it is, nobody asks */
    SMTP_FROM_SENDER, /* a Sender field says who it was, unless there is one */
    SMTP_FROM_OWN,    /* 550 5.7.1 */
};

struct smtp_config {
    const char *hostname; /* in the banner, EHLO and Received */
    uint64_t message_bytes_max;
    uint32_t recipients_max;
    uint32_t errors_max;        /* then 421 4.7.0 */
    uint32_t errors_soft;       /* past it the reply to a mistake waits */
    uint32_t error_delay_s;     /* for so long; 0: never */
    uint32_t auth_tries_max;    /* then 421 4.7.0 */
    uint32_t command_timeout_s; /* RFC 5321, 4.5.3.2.7: 300 */
    uint32_t data_timeout_s;    /* between two pieces of a body, 4.5.3.2.5: 180 */
    uint32_t hops_max;          /* Received fields; more are a loop */
    bool privacy;               /* Received names neither the client's address nor its name */
    uint32_t hold_s_max;        /* RFC 4865; 0: not offered */
    enum smtp_from_rule from_rule;
};

/* The limits of one login. */
struct smtp_own {
    uint64_t message_bytes_max;
    uint32_t recipients_max;
    bool counted;               /* the policy's own */
    struct smtp_rights *rights; /* the same */
};

/* Who asks; lives as long as the question. */
struct smtp_sender {
    struct span login;
    struct addr client;
    const struct smtp_own *own; /* as enters left it */
};

enum smtp_use { SMTP_USE_MESSAGES, SMTP_USE_RECIPIENTS, SMTP_USE_BYTES, SMTP_USE_COUNT };

/*
 * What a login may do, asked while its session goes on. Answers come at once, from memory. (What
 * needs to ask others, and to wait, belongs between the end of data and the commit: WANT_DURABLE.)
 */
struct smtp_policy {
    /* It has been authenticated; `grant`: what the back end said of it (smtp_session_grant). False:
     * too many of its sessions are open (421 4.7.0). *own has everybody's limits, to be made its
     * own; it is given back with leaves. */
    bool (*enters)(struct smtp_policy *p, const struct smtp_sender *who, struct span grant,
                   struct smtp_own *own);
    void (*leaves)(struct smtp_policy *p, const struct smtp_sender *who);
    /* Is this mailbox, as the client wrote it, one of the login's? */
    bool (*may_send_as)(struct smtp_policy *p, const struct smtp_sender *who, struct span mailbox);
    /* False: it, its client or all together have used up what they may use for now (450 4.7.1). */
    bool (*has_room)(struct smtp_policy *p, const struct smtp_sender *who, enum smtp_use use);
    void (*uses)(struct smtp_policy *p, const struct smtp_sender *who, enum smtp_use use,
                 uint64_t amount);
};

struct smtp_env {
    const struct clock *clock;
    struct counters *counters;
    struct mail_id_gen *ids;
    struct smtp_policy *policy; /* NULL: every login may do everything */
};

/* NULL: memory is short. Keeps the pointers in config and env. */
struct smtp *smtp_create(const struct smtp_config *config, uint32_t sessions_max,
                         const struct smtp_env *env);
void smtp_destroy(struct smtp *m);
/* While memory is short MAIL gets 452 4.3.1; messages that have begun go on. */
void smtp_set_short(struct smtp *m, bool is_short);

/* What the transport knows; copied, the strings are static. */
struct smtp_client {
    struct endpoint peer;
    struct endpoint local;
    bool secure : 1;
    bool xclient : 1;        /* listed to say who the client is: XCLIENT is obeyed */
    bool starttls : 1;       /* while not secure: STARTTLS is offered, and must come first */
    uint16_t mechanisms;     /* enum smtp_mechanism, or'ed: those that AUTH can offer to it */
    const char *tls_version; /* NULL without TLS */
    const char *tls_cipher;
    const char *tls_group;
    /* Bindings of the TLS channel; empty: there is none. */
    struct span binding;   /* tls-exporter (RFC 9266), until the verdict is OK */
    struct span end_point; /* tls-server-end-point (RFC 5929), as long as the session lives */
    /* Whose verified certificate it has; empty: nobody's, and EXTERNAL is not among `mechanisms`.
     */
    struct span identity;
};

/* SASL mechanisms, one bit each. */
enum smtp_mechanism {
    SMTP_MECHANISM_PLAIN = 1 << 0,
    SMTP_MECHANISM_LOGIN = 1 << 1,
    SMTP_MECHANISM_SCRAM = 1 << 2,       /* SCRAM-SHA-256 (RFC 7677) */
    SMTP_MECHANISM_SCRAM_PLUS = 1 << 3,  /* the same, bound to the TLS channel */
    SMTP_MECHANISM_OAUTHBEARER = 1 << 4, /* RFC 7628 */
    SMTP_MECHANISM_XOAUTH2 = 1 << 5,     /* Google's, older */
    SMTP_MECHANISM_EXTERNAL = 1 << 6,    /* who TLS says it is (RFC 4422, appendix A) */
};

/* Those that give a login and a password; of the others the back end reads the messages. */
#define SMTP_MECHANISMS_OF_PASSWORDS (SMTP_MECHANISM_PLAIN | SMTP_MECHANISM_LOGIN)

/* NULL: pool is empty. */
struct smtp_session *smtp_session_open(struct smtp *m, const struct smtp_client *client);
void smtp_session_close(struct smtp_session *s);

enum smtp_want {
    SMTP_WANT_INPUT,   /* more bytes; what is left in `in` is the start of a line and must be shown
                          again */
    SMTP_WANT_OUTPUT,  /* `out` has too little room for the next reply; run again with
                          LIMIT_REPLY_BYTES */
    SMTP_WANT_PAUSE,   /* many mistakes were made: run again at smtp_session_deadline */
    SMTP_WANT_BODY,    /* bytes belong to a body now: feed them to smtp_session_body */
    SMTP_WANT_VERDICT, /* smtp_session_auth has the question; answer by smtp_session_verdict */
    SMTP_WANT_DURABLE, /* smtp_session_mail has the message; answer by smtp_session_durable */
    SMTP_WANT_CLOSE,   /* send what is in `out`, then end the connection */
    /* Can TLS begin? Answer by smtp_session_starttls. */
    SMTP_WANT_STARTTLS,
    /* Send what is in `out`, whose end is the 220, and begin TLS; then smtp_session_secured. */
    SMTP_WANT_HANDSHAKE,
};

/*
 * Goes on as far as it can. Takes whole lines off the front of *in and appends replies to *out.
 * Must be called with at least LIMIT_REPLY_BYTES of room in *out. While an answer is awaited (a
 * verdict, durability, TLS) it returns that want and touches nothing.
 */
enum smtp_want smtp_session_run(struct smtp_session *s, struct span *in, struct buf *out);

enum smtp_body_outcome {
    SMTP_BODY_MORE,   /* all of it was body */
    SMTP_BODY_END,    /* the end of a chunk, or of what is refused: *taken bytes up to it; run the
                         session    next */
    SMTP_BODY_SEALED, /* the end of a message: as after SMTP_WANT_DURABLE */
    SMTP_BODY_STOP, /* refused for good (bare CR or LF, far past the size): run the session next, it
                       will close */
};

/*
 * Looks at the next bytes of a body (which stay where they are, as they are). *taken: how many of
 * them belong to the body, its end, or a chunk of it (RFC 3030) that other commands follow. The
 * message's length is in smtp_session_mail, not counted from chunks: the end marker may already
 * stand in an earlier chunk.
 */
enum smtp_body_outcome smtp_session_body(struct smtp_session *s, struct span chunk,
                                         uint32_t *taken);
/*
 * False when the message can only be refused (too big, spool failed): no byte of it need be kept,
 * the rest of the body is only looked through for its end. Ask it after each smtp_session_body,
 * after END and STOP too: when it says false then, this message will not be sealed, and what was
 * kept of it must go.
 */
bool smtp_session_body_kept(const struct smtp_session *s);

/*
 * True when bytes of a message that is still good were taken. Ask it after each smtp_session_run,
 * which may have thrown a message in chunks away, or begun another: when it says false, what was
 * kept of a body must go.
 */
bool smtp_session_body_begun(const struct smtp_session *s);

/* How the spool took, or did not take, a message. */
enum smtp_delivery {
    SMTP_DELIVERY_DURABLE, /* 250 2.0.0 */
    SMTP_DELIVERY_FULL,    /* 452 4.3.1 */
    SMTP_DELIVERY_FAILED,  /* 451 4.3.0 */
};

/* During a body: it can't be kept; the rest is skipped and the end of data gets the reply for `why`
 * (not DURABLE). */
void smtp_session_body_lost(struct smtp_session *s, enum smtp_delivery why);
/* After WANT_DURABLE: the spans live until smtp_session_durable, _run or _close. */
void smtp_session_mail(const struct smtp_session *s, struct mail *out);
void smtp_session_durable(struct smtp_session *s, enum smtp_delivery how);

/* One question to the back end; all of it lives until the answer. Secrets are wiped by the verdict.
 */
struct smtp_auth {
    enum smtp_mechanism mechanism;
    const struct smtp_client *client; /* who asks; its mechanisms are what was offered */
    struct span login;                /* PLAIN, LOGIN */
    struct span password;             /* PLAIN, LOGIN */
    struct span message;              /* the others: what the client said now */
    uint32_t attempt;                 /* of this session, from 1 */
    /* LIMIT_SASL_MEMO_BYTES of the back end's own, aligned for anything: zero at the first message
     * of an exchange, as it was left at the next, wiped at its end. */
    uint8_t *memo;
};

enum smtp_verdict {
    SMTP_VERDICT_OK,        /* 235 2.7.0 */
    SMTP_VERDICT_WRONG,     /* 535 5.7.8 */
    SMTP_VERDICT_TEMPORARY, /* 454 4.7.0 */
    SMTP_VERDICT_BLOCKED, /* 421 4.7.0 and close: too many wrong guesses from this client or at this
                             login */
};

void smtp_session_auth(const struct smtp_session *s, struct smtp_auth *out);
void smtp_session_verdict(struct smtp_session *s, enum smtp_verdict v);
/* Before a verdict of OK: who it is by the back end's word, where that is not as the client said
 * it. False: no user can be called so. */
bool smtp_session_login(struct smtp_session *s, struct span login);
/* The same of what the back end grants it, in words of its own that the policy knows; they live
 * until the verdict. */
void smtp_session_grant(struct smtp_session *s, struct span grant);
/*
 * After WANT_VERDICT, instead of a verdict: the back end wants to hear more (334). `login`: who the
 * message was from, empty when it does not say; `challenge`: at most LIMIT_SASL_CHALLENGE_BYTES,
 * copied.
 */
void smtp_session_challenge(struct smtp_session *s, struct span login, struct span challenge);

/* Whether TLS can begin now (RFC 3207, 4). */
enum smtp_starttls {
    SMTP_STARTTLS_GO,        /* 220 2.0.0, then SMTP_WANT_HANDSHAKE */
    SMTP_STARTTLS_TEMPORARY, /* 454 4.7.0: goes on in clear */
    SMTP_STARTTLS_PIPELINED, /* 554 5.7.0 and close: bytes came behind STARTTLS before its reply.
                                They are not to be shown to the session, now or later. */
};

/* After WANT_STARTTLS. */
void smtp_session_starttls(struct smtp_session *s, enum smtp_starttls how);
/*
 * After WANT_HANDSHAKE: TLS is there. Forgets what was said in clear, and waits for a new EHLO
 * without a second banner. `client`: as it is now, secure.
 */
void smtp_session_secured(struct smtp_session *s, const struct smtp_client *client);

/*
 * When the connection is to be given up (RFC 5321, 4.5.3.2), in clock ns, counted from the last
 * progress: a whole line, or a piece of a body; in a pause, when it is over. UINT64_MAX while a
 * verdict or durability is awaited: then it is not the client who is slow.
 */
uint64_t smtp_session_deadline(const struct smtp_session *s);
/* Why a session is ended from outside. */
enum smtp_end {
    SMTP_END_TIMEOUT,  /* 421 4.4.2; in a body too */
    SMTP_END_SHUTDOWN, /* 421 4.3.2; in a body too */
    SMTP_END_DRAIN, /* 421 4.3.2, but a message is let in first, from its 354 or first BDAT to the
                       reply to its end */
};
/* Ends the session at the next run that may: behind the reply that is owed, which waits no more. */
void smtp_session_end(struct smtp_session *s, enum smtp_end why);

/* Who the client is: smtp_client's, until XCLIENT says otherwise. */
const struct endpoint *smtp_session_peer(const struct smtp_session *s);

/* For the log. */
struct smtp_summary {
    struct span user; /* empty before AUTH */
    struct span helo;
    uint32_t commands;
    uint32_t messages;
    uint32_t errors;
    const char *result; /* how it ended: "quit", "timeout", "too many errors", ... */
};

void smtp_session_summary(const struct smtp_session *s, struct smtp_summary *out);

#endif
