/*
 * A hook in the form of nginx's auth_http: one GET for each question, which has the login and the
 * password in its header fields, and an answer whose fields say yes or no. Pure: text in, values
 * out.
 *
 * Requests are of HTTP/1.0, as nginx's are: an answer is then never in chunks (RFC 9112, 6.1), and
 * ends with its Content-Length or the connection. Failure modes: a head that breaks the form, or
 * says something twice, is refused with a sentence, never guessed at.
 */
#ifndef POSTERN_AUTH_HTTP_WIRE_H
#define POSTERN_AUTH_HTTP_WIRE_H

#include "base/sockaddr.h"
#include "gateway/auth_backend.h"

/* Where a hook is. Its spans show to the URL. */
struct auth_http_place {
    union sockaddrs at;
    socklen_t at_len;
    struct span host;   /* what Host says */
    struct span target; /* what GET asks for: "/" at least */
};

/*
 * "http://127.0.0.1:9000/auth", "http://[::1]/", "http://localhost/" or, as nginx writes it,
 * "http://unix:/run/hook:/auth". Passwords go there in clear, so any other host is refused. NULL,
 * or what is wrong with it.
 */
const char *auth_http_wire_place(const char *url, struct auth_http_place *out);

/* Appends the request for a question about a password. False: it does not fit; what *out then has
 * is of no use. */
bool auth_http_wire_ask(const struct auth_http_place *place, const struct auth_question *q,
                        struct buf *out);

/* What an answer's head says. Spans show to the head. */
struct auth_http_head {
    enum smtp_verdict verdict;
    uint32_t wait_s;     /* how long a refusal is to be held back */
    struct span status;  /* its own words for it; not for clients */
    struct span user;    /* who it is, by the hook's word; empty: as he said */
    struct span grant;   /* what he may do (senders_grant.h) */
    bool stays;          /* the connection can be asked again, behind the body */
    uint64_t body_bytes; /* of an answer that stays */
};

/* Bytes of the head at the begin of `in`, with its empty line; 0: it is not whole yet. */
uint32_t auth_http_wire_whole(struct span in);
/* Reads a whole head. NULL, or what is wrong with it. */
const char *auth_http_wire_read(struct span head, struct auth_http_head *out);

#endif
