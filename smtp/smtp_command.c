/*
 * The command table, and the only dispatcher. What may stand where, before AUTH, under TLS, with
 * arguments, is judged here from the row alone; a row's check judges syntax and policy, its act has
 * the effect.
 */
#include "smtp/smtp_priv.h"

#define ANY    SMTP_STATES_ANY
#define READY  SMTP_STATE_READY
#define TX     (SMTP_STATE_MAIL | SMTP_STATE_RCPT)
#define CHUNKS SMTP_STATE_CHUNKS

#define OPEN   SMTP_COMMAND_OPEN
#define BARE   SMTP_COMMAND_BARE
#define ARGS   SMTP_COMMAND_ARGS
#define TLS    SMTP_COMMAND_TLS
#define HIDDEN SMTP_COMMAND_HIDDEN
#define CHUNK  SMTP_COMMAND_CHUNK

#define NEVER        SMTP_REPLY_NONE /* it may stand in every state in which a line is read */
#define TLS_ACTIVE   SMTP_REPLY_TLS_ACTIVE
#define AUTH_IN_MAIL SMTP_REPLY_AUTH_IN_MAIL
#define NESTED_MAIL  SMTP_REPLY_NESTED_MAIL
#define MAIL_FIRST   SMTP_REPLY_MAIL_FIRST
#define RCPT_FIRST   SMTP_REPLY_RCPT_FIRST

#define STARTTLS_CHECK smtp_cmd_starttls_check
#define STARTTLS_ACT   smtp_cmd_starttls_act
#define XCLIENT_CHECK  smtp_cmd_xclient_check
#define XCLIENT_ACT    smtp_cmd_xclient_act
#define NO_CHECK       smtp_cmd_misc_no_check
#define VRFY_CHECK     smtp_cmd_misc_vrfy_check
#define UNSUPPORTED    smtp_cmd_misc_unsupported
#define NOT_SMTP       smtp_cmd_misc_not_smtp

/* clang-format off */
static const struct smtp_command commands[] = {
/*    verb        in     flags              out of order  check                act */
    { "EHLO",     ANY,   OPEN,              NEVER,        smtp_cmd_ehlo_check, smtp_cmd_ehlo_act },
    { "HELO",     ANY,   OPEN,              NEVER,        smtp_cmd_ehlo_check, smtp_cmd_ehlo_helo },
    { "STARTTLS", READY, OPEN | BARE | HIDDEN, TLS_ACTIVE, STARTTLS_CHECK,     STARTTLS_ACT },
    { "AUTH",     READY, OPEN | ARGS | TLS, AUTH_IN_MAIL, smtp_cmd_auth_check, smtp_cmd_auth_act },
    { "MAIL",     READY, 0,                 NESTED_MAIL,  smtp_cmd_mail_check, smtp_cmd_mail_act },
    { "RCPT",     TX,    0,                 MAIL_FIRST,   smtp_cmd_rcpt_check, smtp_cmd_rcpt_act },
    { "DATA",     TX,    BARE,              RCPT_FIRST,   smtp_cmd_data_check, smtp_cmd_data_act },
    { "BDAT",     TX | CHUNKS, CHUNK,       RCPT_FIRST,   smtp_cmd_bdat_check, smtp_cmd_bdat_act },
    { "RSET",     ANY,   OPEN | BARE,       NEVER,        NO_CHECK,            smtp_cmd_misc_rset },
    { "NOOP",     ANY,   OPEN,              NEVER,        NO_CHECK,            smtp_cmd_misc_noop },
    { "VRFY",     ANY,   ARGS,              NEVER,        VRFY_CHECK,          smtp_cmd_misc_vrfy },
    { "HELP",     ANY,   OPEN,              NEVER,        NO_CHECK,            smtp_cmd_misc_help },
    { "QUIT",     ANY,   OPEN | BARE,       NEVER,        NO_CHECK,            smtp_cmd_misc_quit },
    { "XCLIENT",  READY, OPEN | ARGS | HIDDEN, NESTED_MAIL, XCLIENT_CHECK,     XCLIENT_ACT },
    /* Known by name, not offered (RFC 5321, 4.2.4: 502). */
    { "EXPN",     ANY,   OPEN | HIDDEN,     NEVER,        NO_CHECK,            UNSUPPORTED },
    { "ETRN",     ANY,   OPEN | HIDDEN,     NEVER,        NO_CHECK,            UNSUPPORTED },
    /* A browser that was led here must get no answer it could use (the ALPACA attack). */
    { "GET",      ANY,   OPEN | HIDDEN,     NEVER,        NO_CHECK,            NOT_SMTP },
    { "POST",     ANY,   OPEN | HIDDEN,     NEVER,        NO_CHECK,            NOT_SMTP },
    { "HEAD",     ANY,   OPEN | HIDDEN,     NEVER,        NO_CHECK,            NOT_SMTP },
    { "PUT",      ANY,   OPEN | HIDDEN,     NEVER,        NO_CHECK,            NOT_SMTP },
    { "DELETE",   ANY,   OPEN | HIDDEN,     NEVER,        NO_CHECK,            NOT_SMTP },
    { "OPTIONS",  ANY,   OPEN | HIDDEN,     NEVER,        NO_CHECK,            NOT_SMTP },
    { "CONNECT",  ANY,   OPEN | HIDDEN,     NEVER,        NO_CHECK,            NOT_SMTP },
    { "TRACE",    ANY,   OPEN | HIDDEN,     NEVER,        NO_CHECK,            NOT_SMTP },
    { "PATCH",    ANY,   OPEN | HIDDEN,     NEVER,        NO_CHECK,            NOT_SMTP },
    { "PRI",      ANY,   OPEN | HIDDEN,     NEVER,        NO_CHECK,            NOT_SMTP },
};
/* clang-format on */

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

/* The row is found in order, so mail's own verbs stand first. NULL: no such verb. */
static const struct smtp_command *find(struct span verb)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (span_equal_nocase(verb, span_str(commands[i].verb)))
            return &commands[i];
    }
    return NULL;
}

/* RFC 5321, 4.1.1: trailing white space SHOULD be tolerated. */
static struct span trim_end(struct span s)
{
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* RFC 3207, 4: before TLS hardly anything is taken: nothing that wants a user or a secret. */
static bool must_wait_for_tls(const struct smtp_session *s, const struct smtp_command *row)
{
    return s->client.starttls && !s->client.secure && (!(row->flags & OPEN) || (row->flags & TLS));
}

/* What the row alone can say. */
static enum smtp_reply_id judge(const struct smtp_session *s, const struct smtp_call *call)
{
    const struct smtp_command *row = call->row;

    if (must_wait_for_tls(s, row))
        return SMTP_REPLY_STARTTLS_FIRST;
    if (!(row->flags & OPEN) && !s->authenticated)
        return SMTP_REPLY_AUTH_FIRST;
    if (!(row->may_stand_in & s->state)) {
        ASSERT(row->out_of_order != NEVER);
        if (s->state == SMTP_STATE_START)
            return SMTP_REPLY_EHLO_FIRST;
        return s->state == CHUNKS ? SMTP_REPLY_LAST_FIRST : row->out_of_order;
    }
    if ((row->flags & TLS) && !s->client.secure)
        return SMTP_REPLY_TLS_FIRST;
    if ((row->flags & BARE) && call->args.len > 0)
        return SMTP_REPLY_NO_ARGUMENTS;
    if ((row->flags & ARGS) && call->args.len == 0)
        return SMTP_REPLY_BAD_ARGUMENTS;
    return SMTP_REPLY_NONE;
}

enum smtp_reply_id smtp_command_run(struct smtp_session *s, struct span line)
{
    const uint8_t *space;
    struct smtp_call call = { 0 };
    enum smtp_reply_id refusal;
    struct span verb;

    ASSERT(s->state & SMTP_STATES_ANY);
    line = trim_end(line);
    space = line.len > 0 ? memchr(line.ptr, ' ', line.len) : NULL;
    verb = span_first(line, space != NULL ? (uint32_t)(space - line.ptr) : line.len);
    call.row = find(verb);
    call.args = span_skip(line, verb.len + 1);
    if (call.row == NULL)
        return SMTP_REPLY_UNKNOWN_COMMAND;
    if ((call.row->flags & CHUNK) && !smtp_syntax_chunk(call.args, &call.chunk))
        return smtp_session_stop(s, SMTP_REPLY_BAD_CHUNK, "malformed BDAT");
    refusal = judge(s, &call);
    if (refusal == SMTP_REPLY_NONE)
        refusal = call.row->check(s, &call);
    if (refusal == SMTP_REPLY_NONE)
        return call.row->act(s, &call);
    return call.row->flags & CHUNK ? smtp_cmd_bdat_skip(s, &call, refusal) : refusal;
}

uint32_t smtp_command_line_max(struct span begin)
{
    const struct span auth = SPAN_LITERAL("AUTH ");

    return span_equal_nocase(span_first(begin, auth.len), auth) ? LIMIT_AUTH_LINE_BYTES
                                                                : LIMIT_COMMAND_BYTES;
}

void smtp_command_list(struct buf *out)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        bool fits = true;

        if (commands[i].flags & HIDDEN)
            continue;
        if (i > 0)
            fits = buf_put(out, SPAN_LITERAL(" "));
        fits = fits && buf_put(out, span_str(commands[i].verb));
        ASSERT(fits);
    }
}
