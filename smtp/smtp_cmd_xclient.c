/*
 * XCLIENT (Postfix's XCLIENT_README): a proxy in front says who the client is, and whom it has
 * authenticated. Only hosts that the listener lists are heard. What the client's own greeting will
 * say (NAME, PROTO, HELO) is checked and not kept, as the greeting comes behind it.
 *
 * The session begins anew with the banner. Such a host is trusted with the client's TLS too: on a
 * listener with STARTTLS nothing waits for it any more, but AUTH still does. The certificate that
 * TLS has seen is the proxy's, though, and is nobody's from here on; the channel is the proxy's
 * too, and no client of its can bind an AUTH to it.
 *
 * Failure mode: an attribute that is unknown, malformed or there twice: 501, and nothing of it
 * holds.
 */
#include "smtp/smtp_priv.h"
#include "smtp/smtp_scan.h"

#define VALUE_BYTES LIMIT_LOGIN_BYTES

enum attribute { NAME, ADDR, PORT, PROTO, HELO, LOGIN, DESTADDR, DESTPORT, ATTRIBUTES };

static const char *const names[ATTRIBUTES] = { "NAME", "ADDR",  "PORT",     "PROTO",
                                               "HELO", "LOGIN", "DESTADDR", "DESTPORT" };

struct xclient {
    uint32_t given; /* 1 << enum attribute, or'ed: those with a value */
    uint32_t seen;  /* the same, [UNAVAILABLE] too */
    struct endpoint peer;
    struct endpoint local;
    uint32_t login_len;
    uint8_t login[LIMIT_LOGIN_BYTES];
};

static bool read_address(struct span value, struct addr *out)
{
    const struct span tag = SPAN_LITERAL("IPV6:");
    char text[ADDR_TEXT_MAX];
    bool v6 = span_equal_nocase(span_first(value, tag.len), tag);

    if (v6)
        value = span_skip(value, tag.len);
    if (value.len >= sizeof(text))
        return false;
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    return addr_parse(text, out) && addr_is_v4(out) != v6;
}

static bool read_port(struct span value, uint16_t *out)
{
    uint64_t port;

    if (!span_number(value, &port) || port > UINT16_MAX)
        return false;
    *out = (uint16_t)port;
    return true;
}

static bool read_login(struct span value, struct xclient *x)
{
    if (value.len > sizeof(x->login) || memchr(value.ptr, ' ', value.len) != NULL)
        return false;
    memcpy(x->login, value.ptr, value.len);
    x->login_len = value.len;
    return true;
}

static bool read_value(enum attribute which, struct span value, struct xclient *x)
{
    switch (which) {
    case ADDR: return read_address(value, &x->peer.addr);
    case PORT: return read_port(value, &x->peer.port);
    case DESTADDR: return read_address(value, &x->local.addr);
    case DESTPORT: return read_port(value, &x->local.port);
    case LOGIN: return read_login(value, x);
    case PROTO:
        return span_equal_nocase(value, SPAN_LITERAL("SMTP")) ||
               span_equal_nocase(value, SPAN_LITERAL("ESMTP"));
    case HELO: return smtp_syntax_helo(value);
    case NAME: return smtp_syntax_helo(value);
    case ATTRIBUTES: break;
    }
    UNREACHABLE("an attribute without a reader");
}

static bool is_unknown_to_proxy(struct span value)
{
    return span_equal_nocase(value, SPAN_LITERAL("[UNAVAILABLE]")) ||
           span_equal_nocase(value, SPAN_LITERAL("[TEMPUNAVAIL]"));
}

/* attribute "=" xtext */
static bool read_attribute(struct span *rest, struct xclient *x)
{
    struct span name = smtp_scan_while(rest, smtp_scan_is_alnum);
    uint8_t bytes[VALUE_BYTES];
    struct buf decoded = { bytes, 0, sizeof(bytes) };
    enum attribute which = NAME;
    struct span value;
    const uint8_t *space;

    while (which < ATTRIBUTES && !span_equal_nocase(name, span_str(names[which])))
        which++;
    if (which == ATTRIBUTES || (x->seen & 1u << which) || !smtp_scan_byte(rest, '='))
        return false;
    x->seen |= 1u << which;
    space = rest->len > 0 ? memchr(rest->ptr, ' ', rest->len) : NULL;
    value = span_first(*rest, space != NULL ? (uint32_t)(space - rest->ptr) : rest->len);
    *rest = span_skip(*rest, value.len);
    if (is_unknown_to_proxy(value))
        return true;
    x->given |= 1u << which;
    return smtp_syntax_xtext(value, &decoded) && decoded.len > 0 &&
           read_value(which, span_of(decoded.ptr, decoded.len), x);
}

static bool read_all(struct span rest, struct xclient *x)
{
    *x = (struct xclient){ 0 };
    do {
        smtp_scan_spaces(&rest);
        if (!read_attribute(&rest, x))
            return false;
    } while (rest.len > 0);
    return true;
}

enum smtp_reply_id smtp_cmd_xclient_check(struct smtp_session *s, struct smtp_call *call)
{
    struct xclient x;

    if (!s->client.xclient)
        return SMTP_REPLY_UNSUPPORTED;
    return read_all(call->args, &x) ? SMTP_REPLY_NONE : SMTP_REPLY_BAD_ARGUMENTS;
}

static void take_addresses(struct smtp_client *c, const struct xclient *x)
{
    if (x->given & 1u << ADDR)
        c->peer = (struct endpoint){ x->peer.addr, 0 };
    if (x->given & 1u << PORT)
        c->peer.port = x->peer.port;
    if (x->given & 1u << DESTADDR)
        c->local.addr = x->local.addr;
    if (x->given & 1u << DESTPORT)
        c->local.port = x->local.port;
}

/* What TLS knows of the proxy, and not of the client. */
static void forget_channel(struct smtp_client *c)
{
    const uint32_t proven = SMTP_MECHANISM_EXTERNAL | SMTP_MECHANISM_SCRAM_PLUS;

    c->identity = c->binding = c->end_point = span_of(NULL, 0);
    c->mechanisms &= (uint16_t)~proven;
}

enum smtp_reply_id smtp_cmd_xclient_act(struct smtp_session *s, struct smtp_call *call)
{
    struct xclient x;
    enum smtp_reply_id refusal = SMTP_REPLY_NONE;
    bool good = read_all(call->args, &x);

    ASSERT(good); /* the check has done it once */
    smtp_allow_logout(s);
    texts_set(s->room->names, &s->user, span_of(NULL, 0));
    texts_set(s->room->names, &s->helo, span_of(NULL, 0));
    s->esmtp = false;
    take_addresses(&s->client, &x);
    s->client.starttls = false;
    forget_channel(&s->client);
    smtp_session_set_state(s, SMTP_STATE_START);
    if (x.given & 1u << LOGIN)
        refusal = smtp_allow_login(s, span_of(x.login, x.login_len), span_of(NULL, 0));
    return refusal != SMTP_REPLY_NONE ? refusal : SMTP_REPLY_BANNER;
}
