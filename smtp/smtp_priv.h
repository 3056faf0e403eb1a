/*
 * What the files of smtp/ know of each other: the session (dies with the connection), the
 * transaction (dies with RSET), the row of the command table, and who offers what. Private to this
 * folder and its unit tests.
 */
#ifndef POSTERN_SMTP_PRIV_H
#define POSTERN_SMTP_PRIV_H

#include "base/assert.h"
#include "base/limits.h"
#include "base/pool.h"
#include "base/texts.h"
#include "smtp/smtp.h"
#include "smtp/smtp_body.h"
#include "smtp/smtp_header.h"
#include "smtp/smtp_line.h"
#include "smtp/smtp_params.h"
#include "smtp/smtp_reply.h"
#include "smtp/smtp_sasl.h"
#include "smtp/smtp_syntax.h"

/* Where a session stands; one bit each, so that a row of the command table can name several. */
enum smtp_state {
    SMTP_STATE_BANNER = 1 << 0,  /* nothing said yet */
    SMTP_STATE_START = 1 << 1,   /* banner given, no EHLO yet */
    SMTP_STATE_READY = 1 << 2,   /* greeted, no transaction */
    SMTP_STATE_MAIL = 1 << 3,    /* transaction without a recipient */
    SMTP_STATE_RCPT = 1 << 4,    /* transaction with a recipient */
    SMTP_STATE_SASL = 1 << 5,    /* the next line answers a 334 */
    SMTP_STATE_VERDICT = 1 << 6, /* the back end looks at a password */
    SMTP_STATE_BODY = 1 << 7,    /* after the 354 */
    SMTP_STATE_DURABLE = 1 << 8, /* the spool makes the message durable */
    SMTP_STATE_CLOSING = 1 << 9, /* the last reply is due or given */
    /* Whoever has the connection is asked for TLS; and then the 220 to STARTTLS is due or given. */
    SMTP_STATE_STARTTLS = 1 << 10,
    SMTP_STATE_HANDSHAKE = 1 << 11,
    SMTP_STATE_CHUNK = 1 << 12,  /* within a chunk of BDAT */
    SMTP_STATE_CHUNKS = 1 << 13, /* between two chunks of a message */
    SMTP_STATE_SKIP =
        1 << 14, /* within a chunk that was refused, with its command, from the start */
};

/* Where commands are read. */
#define SMTP_STATES_ANY \
    (SMTP_STATE_START | SMTP_STATE_READY | SMTP_STATE_MAIL | SMTP_STATE_RCPT | SMTP_STATE_CHUNKS)
/* Where lines are read. */
#define SMTP_STATES_OF_LINES (SMTP_STATES_ANY | SMTP_STATE_SASL)
/* Where bytes are no lines of ours. */
#define SMTP_STATES_OF_BYTES (SMTP_STATE_BODY | SMTP_STATE_CHUNK | SMTP_STATE_SKIP)
/* From the first byte of a body to the reply to its end. */
#define SMTP_STATES_OF_BODY \
    (SMTP_STATE_BODY | SMTP_STATE_CHUNK | SMTP_STATE_CHUNKS | SMTP_STATE_DURABLE)

struct smtp {
    struct smtp_config config;
    struct smtp_env env;
    struct pool *sessions;
    struct pool *txs;    /* one for each session at most */
    struct pool *sasls;  /* one for each session at most */
    struct texts *names; /* helo and user of each session */
    bool is_short;       /* of memory: no message may begin */
};

/* From MAIL to the reply to the end of data; RSET frees it. */
struct smtp_tx {
    struct smtp_body body;
    struct smtp_header fields; /* of the message's own header */
    struct buf envelope;
    struct buf header;     /* what we put before it */
    struct span recipient; /* the first one, in `envelope` */
    uint32_t recipients;
    enum smtp_body_type type;
    bool utf8;   /* MAIL said SMTPUTF8 */
    uint64_t id; /* 0 until sealed */
    bool lost;   /* the spool gave up; `lost_why` says how */
    enum smtp_delivery lost_why;
    uint8_t header_bytes[LIMIT_HEADER_BYTES];
    uint8_t envelope_bytes[LIMIT_ENVELOPE_BYTES];
};

struct smtp_session {
    struct smtp *room;
    struct smtp_tx *tx;     /* NULL outside a transaction */
    struct smtp_sasl *sasl; /* NULL outside an AUTH; holds the password */
    struct smtp_line line;
    enum smtp_state state;
    enum smtp_reply_id owed;       /* goes out before anything else is looked at */
    uint64_t progress_ns;          /* when the client last got us on */
    uint64_t pause_until_ns;       /* when `owed` may go out; 0: no pause */
    uint64_t queued_id;            /* of the message that `owed` speaks of */
    uint64_t chunk_left;           /* bytes of the chunk that are still to come */
    enum smtp_state skip_back;     /* where a skipped chunk leads back to */
    enum smtp_reply_id skip_reply; /* and with which reply */
    enum smtp_end end_why;
    bool end_asked;
    bool chunk_last;
    bool esmtp;         /* the last greeting was EHLO */
    bool authenticated; /* `user` is who */
    uint32_t commands;
    uint32_t messages;
    uint32_t errors;
    uint32_t auth_tries;
    const char *result;
    struct smtp_client client;
    struct smtp_own own;
    struct text helo; /* in room->names, as smtp_session_helo gives it */
    struct text user; /* the same */
};

STATIC_ASSERT(LIMIT_HELO_BYTES <= LIMIT_TEXT_BYTES, "`helo` holds it");
STATIC_ASSERT(LIMIT_LOGIN_BYTES <= LIMIT_TEXT_BYTES, "`user` holds it");
STATIC_ASSERT(sizeof(struct smtp_session) <= 256, "an idle session is four lines of the cache");

/* --- smtp_command.c -------------------------------------------------------------------------- */

/* One command on its way: the check fills what the act needs. */
struct smtp_call {
    const struct smtp_command *row;
    struct span args;          /* behind the verb and its space; no trailing white space */
    struct span mailbox;       /* MAIL, RCPT */
    struct smtp_params params; /* MAIL, RCPT */
    struct smtp_chunk chunk;   /* BDAT */
};

enum smtp_command_flag {
    SMTP_COMMAND_OPEN = 1 << 0,   /* may stand before AUTH */
    SMTP_COMMAND_BARE = 1 << 1,   /* anything behind the verb is an error */
    SMTP_COMMAND_ARGS = 1 << 2,   /* nothing behind the verb is an error */
    SMTP_COMMAND_TLS = 1 << 3,    /* only on an encrypted connection */
    SMTP_COMMAND_HIDDEN = 1 << 4, /* not named by HELP */
    SMTP_COMMAND_CHUNK = 1 << 5,  /* its bytes follow it, whatever the reply */
};

struct smtp_command {
    const char *verb;
    uint16_t may_stand_in;           /* enum smtp_state, or'ed */
    uint16_t flags;                  /* enum smtp_command_flag */
    enum smtp_reply_id out_of_order; /* what to say in another state */
    /* Judges syntax and policy: SMTP_REPLY_NONE or the refusal. Has no effect. */
    enum smtp_reply_id (*check)(struct smtp_session *s, struct smtp_call *call);
    /* Has the effect: the reply, or SMTP_REPLY_NONE when something is awaited. */
    enum smtp_reply_id (*act)(struct smtp_session *s, struct smtp_call *call);
};

/* Judges and runs one command line (without CRLF). Gives the reply that is owed now, or NONE. */
enum smtp_reply_id smtp_command_run(struct smtp_session *s, struct span line);
/* The longest line that may begin with these bytes: LIMIT_AUTH_LINE_BYTES for AUTH, else
 * LIMIT_COMMAND_BYTES. */
uint32_t smtp_command_line_max(struct span begin);
/* Appends the verbs that HELP names, with a space between. */
void smtp_command_list(struct buf *out);

/* --- smtp_cmd_*.c ---------------------------------------------------------------------------- */

enum smtp_reply_id smtp_cmd_ehlo_check(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_ehlo_act(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_ehlo_helo(struct smtp_session *s, struct smtp_call *call);
/* The whole reply to EHLO: the keywords that hold for this session now. Room: LIMIT_REPLY_BYTES. */
void smtp_cmd_ehlo_reply(const struct smtp_session *s, struct buf *out);

enum smtp_reply_id smtp_cmd_auth_check(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_auth_act(struct smtp_session *s, struct smtp_call *call);
/* A line that answers a 334; `outcome` may be LONG, then `line` is not looked at. */
enum smtp_reply_id smtp_cmd_auth_line(struct smtp_session *s, enum smtp_line_outcome outcome,
                                      struct span line);
enum smtp_reply_id smtp_cmd_auth_challenge(struct smtp_session *s, struct span login,
                                           struct span challenge);
enum smtp_reply_id smtp_cmd_auth_verdict(struct smtp_session *s, enum smtp_verdict v);
/* Wipes and gives back the AUTH buffer, if there is one. */
void smtp_cmd_auth_wipe(struct smtp_session *s);

enum smtp_reply_id smtp_cmd_mail_check(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_mail_act(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_rcpt_check(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_rcpt_act(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_data_check(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_data_act(struct smtp_session *s, struct smtp_call *call);
enum smtp_body_outcome smtp_cmd_data_feed(struct smtp_session *s, struct span chunk,
                                          uint32_t *taken);
enum smtp_reply_id smtp_cmd_data_durable(struct smtp_session *s, enum smtp_delivery how);
/* The message is done with: back to where the next MAIL may come. */
void smtp_cmd_data_finish(struct smtp_session *s, bool accepted);

enum smtp_reply_id smtp_cmd_bdat_check(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_bdat_act(struct smtp_session *s, struct smtp_call *call);
/* BDAT was refused: its bytes are skipped, then comes the refusal. NONE, or the refusal when there
 * is nothing to skip. */
enum smtp_reply_id smtp_cmd_bdat_skip(struct smtp_session *s, const struct smtp_call *call,
                                      enum smtp_reply_id refusal);
enum smtp_body_outcome smtp_cmd_bdat_feed(struct smtp_session *s, struct span bytes,
                                          uint32_t *taken);

enum smtp_reply_id smtp_cmd_starttls_check(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_starttls_act(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_starttls_answer(struct smtp_session *s, enum smtp_starttls how);
/* All that the client said in clear. */
void smtp_cmd_starttls_forget(struct smtp_session *s);

enum smtp_reply_id smtp_cmd_xclient_check(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_xclient_act(struct smtp_session *s, struct smtp_call *call);

enum smtp_reply_id smtp_cmd_misc_no_check(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_misc_rset(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_misc_noop(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_misc_help(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_misc_vrfy_check(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_misc_vrfy(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_misc_quit(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_misc_unsupported(struct smtp_session *s, struct smtp_call *call);
enum smtp_reply_id smtp_cmd_misc_not_smtp(struct smtp_session *s, struct smtp_call *call);

/* --- smtp_session.c -------------------------------------------------------------------------- */

/* The only writer of `state`; asserts that the edge is legal. */
void smtp_session_set_state(struct smtp_session *s, enum smtp_state next);
/* Who the client says it is, and who it has proved to be; empty: not known. */
struct span smtp_session_helo(const struct smtp_session *s);
struct span smtp_session_user(const struct smtp_session *s);
/* Ends the session for good: whatever is open is given back, `reply` goes out as the last one.
 * Returns `reply`. */
enum smtp_reply_id smtp_session_stop(struct smtp_session *s, enum smtp_reply_id reply,
                                     const char *result);

/* --- smtp_allow.c ---------------------------------------------------------------------------- */

/* The policy's answers for this session; without a policy, that everything goes. */
/* The session is this login's from now on, with what it is granted (smtp_session_grant): NONE; or
 * it was stopped with this reply, as too many are. */
enum smtp_reply_id smtp_allow_login(struct smtp_session *s, struct span login, struct span grant);
/* It is nobody's, with everybody's limits. */
void smtp_allow_logout(struct smtp_session *s);
bool smtp_allow_mailbox(struct smtp_session *s, struct span mailbox);
bool smtp_allow_room(struct smtp_session *s, enum smtp_use use);
void smtp_allow_use(struct smtp_session *s, enum smtp_use use, uint64_t amount);
/* For the header of a message of this session. */
struct smtp_header_judge smtp_allow_judge(struct smtp_session *s);

/* --- smtp_tx.c ------------------------------------------------------------------------------- */

/* Opens the transaction and writes what is known before the first recipient. */
void smtp_tx_begin(struct smtp_session *s, const struct smtp_call *mail);
/* Gives the transaction back, if there is one. */
void smtp_tx_end(struct smtp_session *s);
/* The message comes in this form: nothing of it was taken so far. */
void smtp_tx_set_form(struct smtp_session *s, enum smtp_body_form form);
/* Looks at the next bytes of the message; how many are of it. */
uint32_t smtp_tx_scan(struct smtp_tx *tx, struct span bytes);
/* The last chunk was scanned. */
void smtp_tx_end_of_chunks(struct smtp_tx *tx);
/* False: no room for one more. */
bool smtp_tx_add_recipient(struct smtp_session *s, const struct smtp_call *rcpt);
/* True when the body goes on past twice the size limit: there is no use in waiting for its end. */
bool smtp_tx_endless(const struct smtp_session *s);
/* At the end of data or of a chunk: the reply that refuses the message, or NONE. */
enum smtp_reply_id smtp_tx_refusal(const struct smtp_session *s);
/* Gives the message its id and its header block: it can be handed over. */
void smtp_tx_seal(struct smtp_session *s);
void smtp_tx_mail(const struct smtp_session *s, struct mail *out);

#endif
