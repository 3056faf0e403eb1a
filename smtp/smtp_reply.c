/*
 * The table of replies and the one place that writes a reply line. In a text, %h is our host name,
 * %w the words and %n the number of the fill.
 */
#include "smtp/smtp_reply.h"

#include "base/assert.h"
#include "base/limits.h"

#define OURS  0 /* news, or our trouble */
#define BLAME 1 /* the client's mistake */

struct row {
    uint16_t code;
    uint8_t blame;
    const char *enhanced; /* "" where RFC 2034, 4 has none: the banner, 334, 354, EHLO, HELO */
    const char *text;
};

/* clang-format off */
static const struct row rows[SMTP_REPLY_COUNT] = {
    [SMTP_REPLY_HELP]                = { 214, OURS, "2.0.0", "Commands: %w" },
    [SMTP_REPLY_BANNER]              = { 220, OURS, "",      "%h ESMTP Postern" },
    [SMTP_REPLY_TLS_GO]              = { 220, OURS, "2.0.0", "Ready to start TLS" },
    [SMTP_REPLY_BYE]                 = { 221, OURS, "2.0.0", "%h closes the connection" },
    [SMTP_REPLY_AUTH_OK]             = { 235, OURS, "2.7.0", "Authentication successful" },
    [SMTP_REPLY_OK]                  = { 250, OURS, "2.0.0", "Ok" },
    [SMTP_REPLY_HELO]                = { 250, OURS, "",      "%h" },
    [SMTP_REPLY_EHLO]                = { 250, OURS, "",      "%h" },
    [SMTP_REPLY_EHLO_PIPELINING]     = { 250, OURS, "",      "PIPELINING" },
    [SMTP_REPLY_EHLO_SIZE]           = { 250, OURS, "",      "SIZE %n" },
    [SMTP_REPLY_EHLO_8BITMIME]       = { 250, OURS, "",      "8BITMIME" },
    [SMTP_REPLY_EHLO_CHUNKING]       = { 250, OURS, "",      "CHUNKING" },
    [SMTP_REPLY_EHLO_BINARYMIME]     = { 250, OURS, "",      "BINARYMIME" },
    [SMTP_REPLY_EHLO_SMTPUTF8]       = { 250, OURS, "",      "SMTPUTF8" },
    [SMTP_REPLY_EHLO_DSN]            = { 250, OURS, "",      "DSN" },
    [SMTP_REPLY_EHLO_REQUIRETLS]     = { 250, OURS, "",      "REQUIRETLS" },
    [SMTP_REPLY_EHLO_PRIORITY]       = { 250, OURS, "",      "MT-PRIORITY" },
    [SMTP_REPLY_EHLO_BY]             = { 250, OURS, "",      "DELIVERBY" },
    [SMTP_REPLY_EHLO_HOLD]           = { 250, OURS, "",      "FUTURERELEASE %n %w" },
    [SMTP_REPLY_EHLO_LIMITS]         = { 250, OURS, "",      "LIMITS RCPTMAX=%n" },
    [SMTP_REPLY_EHLO_ENHANCED]       = { 250, OURS, "",      "ENHANCEDSTATUSCODES" },
    [SMTP_REPLY_EHLO_STARTTLS]       = { 250, OURS, "",      "STARTTLS" },
    [SMTP_REPLY_EHLO_AUTH]           = { 250, OURS, "",      "AUTH %w" },
    [SMTP_REPLY_EHLO_XCLIENT]        = { 250, OURS, "",
        "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT" },
    [SMTP_REPLY_EHLO_HELP]           = { 250, OURS, "",      "HELP" },
    [SMTP_REPLY_MAIL_OK]             = { 250, OURS, "2.1.0", "Sender ok" },
    [SMTP_REPLY_RCPT_OK]             = { 250, OURS, "2.1.5", "Recipient ok" },
    [SMTP_REPLY_CHUNK_OK]            = { 250, OURS, "2.0.0", "Chunk ok" },
    [SMTP_REPLY_QUEUED]              = { 250, OURS, "2.0.0", "Ok: queued as %w" },
    [SMTP_REPLY_VRFY]                = { 252, OURS, "2.0.0",
        "Cannot verify, but will accept a message" },
    [SMTP_REPLY_ASK_EMPTY]           = { 334, OURS, "",      "" },
    [SMTP_REPLY_ASK_USERNAME]        = { 334, OURS, "",      "VXNlcm5hbWU6" }, /* "Username:" */
    [SMTP_REPLY_ASK_PASSWORD]        = { 334, OURS, "",      "UGFzc3dvcmQ6" }, /* "Password:" */
    [SMTP_REPLY_ASK_CHALLENGE]       = { 334, OURS, "",      "%w" },
    [SMTP_REPLY_SEND_BODY]           = { 354, OURS, "",      "End data with <CR><LF>.<CR><LF>" },
    [SMTP_REPLY_SHUTDOWN]            = { 421, OURS, "4.3.2", "%h is shutting down" },
    [SMTP_REPLY_TIMEOUT]             = { 421, OURS, "4.4.2", "%h Timed out waiting for you" },
    [SMTP_REPLY_TOO_MANY_ERRORS]     = { 421, OURS, "4.7.0", "%h Too many errors" },
    [SMTP_REPLY_TOO_MANY_TRIES]      = { 421, OURS, "4.7.0", "%h Too many failed authentications" },
    [SMTP_REPLY_BLOCKED]             = { 421, BLAME,"4.7.0",
        "%h Too many failed authentications, try again later" },
    [SMTP_REPLY_CROWDED]             = { 421, OURS, "4.7.0",
        "%h Too many sessions of this login, try again later" },
    [SMTP_REPLY_MAIL_LATER]          = { 450, OURS, "4.7.1",
        "Too much mail for now, try again later" },
    [SMTP_REPLY_RECIPIENTS_LATER]    = { 450, OURS, "4.7.1",
        "Too many recipients for now, try again later" },
    [SMTP_REPLY_SPOOL_FAILED]        = { 451, OURS, "4.3.0",
        "Message not stored, try again later" },
    [SMTP_REPLY_SPOOL_FULL]          = { 452, OURS, "4.3.1",
        "No room to store the message, try again later" },
    [SMTP_REPLY_MEMORY_SHORT]        = { 452, OURS, "4.3.1",
        "No room for another message now, try again later" },
    [SMTP_REPLY_TOO_MANY_RECIPIENTS] = { 452, OURS, "4.5.3",
        "Too many recipients, send the rest in another message" },
    [SMTP_REPLY_AUTH_TEMPORARY]      = { 454, OURS, "4.7.0",
        "Authentication is not possible now, try again later" },
    [SMTP_REPLY_TLS_TEMPORARY]       = { 454, OURS, "4.7.0",
        "TLS is not available now, try again later" },
    [SMTP_REPLY_UNKNOWN_COMMAND]     = { 500, BLAME,"5.5.1", "Command not known" },
    [SMTP_REPLY_LINE_TOO_LONG]       = { 500, BLAME,"5.5.6", "Line too long" },
    [SMTP_REPLY_TEXT_LINE_TOO_LONG]  = { 500, BLAME,"5.5.6",
        "The message has a line that is too long" },
    [SMTP_REPLY_BAD_LINE]            = { 500, BLAME,"5.5.2",
        "Only <CR><LF> ends a line; a bare CR or LF or a NUL is refused" },
    [SMTP_REPLY_BAD_ARGUMENTS]       = { 501, BLAME,"5.5.4", "Argument missing or malformed" },
    [SMTP_REPLY_NO_ARGUMENTS]        = { 501, BLAME,"5.5.4", "This command takes no argument" },
    [SMTP_REPLY_BAD_HELO]            = { 501, BLAME,"5.5.4",
        "Give a domain or an address in brackets" },
    [SMTP_REPLY_BAD_SENDER]          = { 501, BLAME,"5.1.7",
        "Sender address malformed, use FROM:<local@domain>" },
    [SMTP_REPLY_BAD_RECIPIENT]       = { 501, BLAME,"5.1.3",
        "Recipient address malformed, use TO:<local@domain>" },
    [SMTP_REPLY_BAD_PARAMETER]       = { 501, BLAME,"5.5.4", "Parameter malformed or given twice" },
    [SMTP_REPLY_HOLD_TOO_LONG]       = { 501, BLAME,"5.5.4", "That is too far in the future" },
    [SMTP_REPLY_BAD_CHUNK]           = { 501, BLAME,"5.5.4",
        "Use BDAT size [LAST]; nobody knows where this chunk ends" },
    [SMTP_REPLY_BAD_RESPONSE]        = { 501, BLAME,"5.5.2", "Cannot decode this response" },
    [SMTP_REPLY_CANCELLED]           = { 501, BLAME,"5.7.0", "Authentication cancelled" },
    [SMTP_REPLY_UNSUPPORTED]         = { 502, BLAME,"5.5.1", "Command not implemented" },
    [SMTP_REPLY_EHLO_FIRST]          = { 503, BLAME,"5.5.1", "Send EHLO first" },
    [SMTP_REPLY_MAIL_FIRST]          = { 503, BLAME,"5.5.1", "Send MAIL first" },
    [SMTP_REPLY_RCPT_FIRST]          = { 503, BLAME,"5.5.1", "Send MAIL and RCPT first" },
    [SMTP_REPLY_LAST_FIRST]          = { 503, BLAME,"5.5.1",
        "Chunks are under way: send BDAT or RSET" },
    [SMTP_REPLY_BDAT_ONLY]           = { 503, BLAME,"5.5.1", "BODY=BINARYMIME needs BDAT" },
    [SMTP_REPLY_NESTED_MAIL]         = { 503, BLAME,"5.5.1", "A message is under way already" },
    [SMTP_REPLY_AUTH_IN_MAIL]        = { 503, BLAME,"5.5.1",
        "No authentication while a message is under way" },
    [SMTP_REPLY_AUTH_TWICE]          = { 503, BLAME,"5.5.1", "Authenticated already" },
    [SMTP_REPLY_TLS_ACTIVE]          = { 503, BLAME,"5.5.1", "TLS is active already" },
    [SMTP_REPLY_BAD_MECHANISM]       = { 504, BLAME,"5.5.4",
        "Mechanism not offered, see AUTH in the reply to EHLO" },
    [SMTP_REPLY_AUTH_FIRST]          = { 530, BLAME,"5.7.0", "Authentication required" },
    [SMTP_REPLY_STARTTLS_FIRST]      = { 530, BLAME,"5.7.0",
        "Must issue a STARTTLS command first" },
    [SMTP_REPLY_AUTH_WRONG]          = { 535, BLAME,"5.7.8", "Login or password is wrong" },
    [SMTP_REPLY_TLS_FIRST]           = { 538, BLAME,"5.7.11",
        "Authentication needs an encrypted connection" },
    [SMTP_REPLY_BODY_BARE]           = { 550, BLAME,"5.6.11",
        "The message has a bare CR or LF; only <CR><LF> ends a line" },
    [SMTP_REPLY_BODY_NUL]            = { 550, BLAME,"5.6.11","The message has a NUL" },
    [SMTP_REPLY_FROM_NOT_YOURS]      = { 550, BLAME,"5.7.1",
        "This login may not send with that address in From or Sender" },
    [SMTP_REPLY_TOO_BIG]             = { 552, BLAME,"5.3.4", "Message is larger than %n bytes" },
    [SMTP_REPLY_HEADER_TOO_BIG]      = { 552, BLAME,"5.3.4",
        "The message's header has too many fields, or too long ones" },
    [SMTP_REPLY_NON_ASCII]           = { 553, BLAME,"5.6.7", 
        "Not ASCII: this needs SMTPUTF8" },
    [SMTP_REPLY_SENDER_NOT_YOURS]    = { 553, BLAME,"5.7.1",
        "This login may not send as that address" },
    [SMTP_REPLY_LOOP]                = { 554, BLAME,"5.4.6",
        "Too many Received fields: the message goes in a loop" },
    [SMTP_REPLY_NO_RECIPIENTS]       = { 554, BLAME,"5.5.1", "No valid recipients" },
    [SMTP_REPLY_NOT_SMTP]            = { 554, BLAME,"5.7.0", "%h speaks SMTP only" },
    [SMTP_REPLY_TLS_PIPELINED]       = { 554, BLAME,"5.7.0",
        "Nothing may follow STARTTLS in clear" },
    [SMTP_REPLY_UNKNOWN_PARAMETER]   = { 555, BLAME,"5.5.4", "Parameter not known" },
};
/* clang-format on */

static void put(struct buf *out, struct span s)
{
    bool fits = buf_put(out, s);

    ASSERT(fits);
}

static void put_number(struct buf *out, uint64_t n)
{
    char digits[20];
    uint32_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    put(out, span_of(digits + at, (uint32_t)sizeof(digits) - at));
}

static void put_text(struct buf *out, const char *text, const struct smtp_reply_fill *fill)
{
    const char *mark;

    while ((mark = strchr(text, '%')) != NULL) {
        put(out, span_of(text, (uint32_t)(mark - text)));
        if (mark[1] == 'h')
            put(out, fill->host);
        else if (mark[1] == 'w')
            put(out, fill->words);
        else if (mark[1] == 'n')
            put_number(out, fill->number);
        else
            UNREACHABLE("a reply text with an unknown mark");
        text = mark + 2;
    }
    put(out, span_str(text));
}

static void put_line(enum smtp_reply_id id, char dash, const struct smtp_reply_fill *fill,
                     struct buf *out)
{
    const struct row *row = &rows[id];
    uint32_t len_before = out->len;

    ASSERT(id > SMTP_REPLY_NONE && id < SMTP_REPLY_COUNT);
    ASSERT(row->code >= 200 && row->code <= 599);
    put_number(out, row->code);
    put(out, span_of(&dash, 1));
    if (row->enhanced[0] != '\0') {
        put(out, span_str(row->enhanced));
        put(out, SPAN_LITERAL(" "));
    }
    put_text(out, row->text, fill);
    put(out, SPAN_LITERAL("\r\n"));
    ASSERT(out->len - len_before <= LIMIT_REPLY_LINE_BYTES);
}

void smtp_reply_put(enum smtp_reply_id id, const struct smtp_reply_fill *fill, struct buf *out)
{
    put_line(id, ' ', fill, out);
}

void smtp_reply_put_more(enum smtp_reply_id id, const struct smtp_reply_fill *fill, struct buf *out)
{
    put_line(id, '-', fill, out);
}

uint16_t smtp_reply_code(enum smtp_reply_id id)
{
    ASSERT(id > SMTP_REPLY_NONE && id < SMTP_REPLY_COUNT);
    return rows[id].code;
}

bool smtp_reply_blames(enum smtp_reply_id id)
{
    ASSERT(id > SMTP_REPLY_NONE && id < SMTP_REPLY_COUNT);
    return rows[id].blame == BLAME;
}
