/*
 * A request has a slot; its id is the slot's number plus a multiple of their count, so that it is
 * found without a search and not mistaken for an older one. Slots are in one of three lists: free;
 * asked, and silent, which are exchanges whose client is to speak next, both with the oldest first,
 * as all of a list have the same time. Without a free one the oldest that is silent gives way.
 */
#include "gateway/auth_dovecot.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/base64.h"
#include "base/list.h"
#include "gateway/auth_dovecot_wire.h"
#include "gateway/auth_grant.h"

struct slot {
    struct list_node link;
    struct auth_question *question; /* NULL: silent, or free */
    uint64_t due_ns;
    uint32_t id; /* of the request, or of the last one here */
    bool silent;
};

struct dovecot {
    struct auth_client client; /* first: its functions get this address */
    const char *path;
    uint64_t timeout_ns;
    _Atomic uint32_t offered; /* enum smtp_mechanism, or'ed */
    int fd;                   /* -1: not connected */
    bool ready;               /* its hello was read */
    bool mourned;             /* the log has it that it is gone */
    uint32_t mechanisms;      /* of the hello so far */
    uint32_t connections;     /* so far */
    uint64_t heard_ns;        /* when it last said something */
    uint64_t retry_ns;
    uint64_t patience_ns; /* between the last try and the next */
    struct list free;
    struct list asked;
    struct list silent;
    struct buf in;
    struct buf out;
    struct slot slots[LIMIT_AUTH_REMOTE_REQUESTS];
    uint8_t in_bytes[LIMIT_DOVECOT_LINE_BYTES];
    uint8_t out_bytes[LIMIT_DOVECOT_SEND_BYTES];
};

static uint64_t now_ns(const struct dovecot *d)
{
    return d->client.clock->now_ns;
}

/* --- requests -------------------------------------------------------------------------------- */

static void free_slot(struct dovecot *d, struct slot *s)
{
    list_remove(&s->link);
    s->question = NULL;
    s->silent = false;
    list_append(&d->free, &s->link);
}

static void answer(struct dovecot *d, struct auth_question *q, enum smtp_verdict verdict)
{
    q->answer.verdict = verdict;
    auth_remote_answer(d->client.remote, q);
}

/* The question of a slot is answered; an exchange may still go on. */
static struct auth_question *take_question(struct slot *s)
{
    struct auth_question *q = s->question;

    s->question = NULL;
    return q;
}

static void cancel(struct dovecot *d, struct slot *s)
{
    buf_printf(&d->out, "CANCEL\t%u\n", s->id); /* without room it times out there by itself */
    free_slot(d, s);
}

/* The number of an exchange: no connection before or after has the same. */
static uint64_t exchange_of(const struct dovecot *d, const struct slot *s)
{
    return (uint64_t)d->connections << 32 | s->id;
}

/* The first of asked or silent, or NULL. */
static struct slot *oldest(const struct list *l)
{
    return list_empty(l) ? NULL : LIST_ENTRY(l->head.next, struct slot, link);
}

static struct slot *slot_of_id(struct dovecot *d, uint32_t id)
{
    struct slot *s = &d->slots[id % LIMIT_AUTH_REMOTE_REQUESTS];

    return s->id == id ? s : NULL;
}

/* For a first message or a password. NULL: all are asked. */
static struct slot *new_slot(struct dovecot *d)
{
    struct slot *s;

    if (list_empty(&d->free) && (s = oldest(&d->silent)) != NULL)
        cancel(d, s);
    if (list_empty(&d->free))
        return NULL;
    s = LIST_ENTRY(list_pop(&d->free), struct slot, link);
    s->id += LIMIT_AUTH_REMOTE_REQUESTS;
    return s;
}

/* For the next message of an exchange. NULL: it is no more. */
static struct slot *old_slot(struct dovecot *d, uint64_t exchange)
{
    struct slot *s = slot_of_id(d, (uint32_t)exchange);

    if (s == NULL || exchange_of(d, s) != exchange || !s->silent)
        return NULL;
    list_remove(&s->link);
    s->silent = false;
    return s;
}

static void try_to_connect(struct dovecot *d);

static void ask(struct auth_client *c, struct auth_question *q)
{
    struct dovecot *d = (struct dovecot *)c;
    struct slot *s = NULL;

    try_to_connect(d);
    if (d->fd >= 0)
        s = q->exchange != 0 ? old_slot(d, q->exchange) : new_slot(d);
    if (s == NULL) {
        answer(d, q, SMTP_VERDICT_TEMPORARY);
        return;
    }
    s->question = q;
    s->due_ns = now_ns(d) + d->timeout_ns;
    list_append(&d->asked, &s->link);
    if (auth_dovecot_wire_ask(s->id, q, &d->out))
        return;
    answer(d, take_question(s), SMTP_VERDICT_TEMPORARY);
    free_slot(d, s);
}

/* --- the connection -------------------------------------------------------------------------- */

static void log_state(struct dovecot *d, enum log_level level, const char *event, const char *why)
{
    struct log_line *line = log_begin(d->client.log, level, event);

    log_str(line, "socket", d->path);
    if (why != NULL)
        log_str(line, "why", why);
    log_end(d->client.log, line);
}

static void end_all(struct dovecot *d)
{
    struct slot *s;

    while ((s = oldest(&d->asked)) != NULL) {
        answer(d, take_question(s), SMTP_VERDICT_TEMPORARY);
        free_slot(d, s);
    }
    while ((s = oldest(&d->silent)) != NULL)
        free_slot(d, s);
}

static void lose(struct dovecot *d, const char *why)
{
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
    d->ready = false;
    end_all(d);
    explicit_bzero(d->out_bytes, sizeof(d->out_bytes)); /* passwords */
    d->in.len = d->out.len = 0;
    if (!d->mourned)
        log_state(d, LOG_LEVEL_WARN, "auth service lost", why);
    d->mourned = true;
    d->retry_ns = now_ns(d) + d->patience_ns;
    d->patience_ns *= 2;
    if (d->patience_ns > LIMIT_DOVECOT_RETRY_MS_MOST * NS_PER_MS)
        d->patience_ns = LIMIT_DOVECOT_RETRY_MS_MOST * NS_PER_MS;
}

static bool open_socket(struct dovecot *d)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };

    memcpy(at.sun_path, d->path, strlen(d->path)); /* config_check knows that it fits */
    d->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return d->fd >= 0 && connect(d->fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}

static void try_to_connect(struct dovecot *d)
{
    if (d->fd >= 0 || now_ns(d) < d->retry_ns)
        return;
    if (!open_socket(d)) {
        lose(d, strerror(errno));
        return;
    }
    d->connections++;
    d->mechanisms = 0;
    d->heard_ns = now_ns(d);
    buf_printf(&d->out, "VERSION\t1\t2\nCPID\t%d\n", getpid());
}

static void note_ready(struct dovecot *d)
{
    d->ready = true;
    d->mourned = false;
    d->patience_ns = LIMIT_DOVECOT_RETRY_MS * NS_PER_MS;
    /* A login and its password always travel as PLAIN. */
    if (d->mechanisms & SMTP_MECHANISM_PLAIN)
        d->mechanisms |= SMTP_MECHANISM_LOGIN;
    atomic_store_explicit(&d->offered, d->mechanisms, memory_order_release);
    log_state(d, LOG_LEVEL_INFO, "auth service", NULL);
}

/* --- what it says ---------------------------------------------------------------------------- */

/* False: it is no answer to what was asked. */
static bool put_challenge(struct auth_question *q, const struct auth_dovecot_line *line)
{
    int len = base64_decode(line->text, q->text, LIMIT_SASL_CHALLENGE_BYTES);

    if (len < 0 || (q->mechanism & SMTP_MECHANISMS_OF_PASSWORDS) != 0)
        return false;
    q->answer = (struct auth_answer){ .asks = true, .challenge = span_of(q->text, (uint32_t)len) };
    return true;
}

static void log_refusal(struct dovecot *d, const struct auth_dovecot_line *line)
{
    struct log_line *l = log_begin(d->client.log, LOG_LEVEL_INFO, "auth service refused");

    log_span(l, "user", line->user);
    log_str(l, "why", line->cause);
    log_end(d->client.log, l);
}

/* Nobody can be let in without a name, or with rights that cannot be read. */
static void log_useless(struct dovecot *d, const struct auth_dovecot_line *line)
{
    struct log_line *l =
        log_begin(d->client.log, LOG_LEVEL_WARN, "auth service's answer is no use");

    log_span(l, "user", line->user);
    log_span(l, "senders", line->grant);
    log_end(d->client.log, l);
}

/* Whom a refusal is about, for the records of guesses. */
static void name_user(struct auth_question *q, struct span user)
{
    if (user.len == 0 || user.len > LIMIT_LOGIN_BYTES)
        return;
    memcpy(q->text, user.ptr, user.len);
    q->answer.login = span_of(q->text, user.len);
}

static enum smtp_verdict read_verdict(struct dovecot *d, struct auth_question *q,
                                      const struct auth_dovecot_line *line)
{
    if (line->cause != NULL)
        log_refusal(d, line);
    if (line->kind == AUTH_DOVECOT_FAIL) {
        name_user(q, line->user);
        return line->temporary ? SMTP_VERDICT_TEMPORARY : SMTP_VERDICT_WRONG;
    }
    if (line->user.len > 0 && auth_grant(q, line->user, line->grant))
        return SMTP_VERDICT_OK;
    log_useless(d, line);
    return SMTP_VERDICT_TEMPORARY;
}

/* NULL, or what is wrong with it. */
static const char *take_result(struct dovecot *d, const struct auth_dovecot_line *line)
{
    struct slot *s = slot_of_id(d, line->id);
    struct auth_question *q;

    if (!d->ready)
        return "an answer before the hello";
    if (s == NULL || s->question == NULL)
        return NULL; /* its time was over, or its exchange gave way */
    q = take_question(s);
    if (line->kind == AUTH_DOVECOT_CONT && put_challenge(q, line)) {
        q->exchange = exchange_of(d, s);
        list_remove(&s->link);
        s->silent = true;
        s->due_ns = now_ns(d) + LIMIT_DOVECOT_SILENT_S * NS_PER_S;
        list_append(&d->silent, &s->link);
        auth_remote_answer(d->client.remote, q);
        return NULL;
    }
    if (line->kind == AUTH_DOVECOT_CONT) {
        answer(d, q, SMTP_VERDICT_TEMPORARY);
        cancel(d, s);
        return NULL;
    }
    answer(d, q, read_verdict(d, q, line));
    free_slot(d, s);
    return NULL;
}

static const char *take_line(struct dovecot *d, uint8_t *bytes, uint32_t len)
{
    struct auth_dovecot_line line;

    auth_dovecot_wire_read(bytes, len, &line);
    switch (line.kind) {
    case AUTH_DOVECOT_BAD: return "a line that is malformed";
    case AUTH_DOVECOT_OTHER: return NULL;
    case AUTH_DOVECOT_VERSION: return line.id == 1 ? NULL : "another version of the protocol";
    case AUTH_DOVECOT_MECH: d->mechanisms |= line.bit; return NULL;
    case AUTH_DOVECOT_DONE:
        if (!d->ready)
            note_ready(d);
        return NULL;
    case AUTH_DOVECOT_OK:
    case AUTH_DOVECOT_CONT:
    case AUTH_DOVECOT_FAIL: return take_result(d, &line);
    }
    UNREACHABLE("every kind of line is met");
}

static const char *take_lines(struct dovecot *d)
{
    uint8_t *at = d->in.ptr;
    uint8_t *end = at + d->in.len;
    const char *wrong = NULL;
    uint8_t *lf;

    while (wrong == NULL && (lf = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        wrong = take_line(d, at, (uint32_t)(lf - at));
        at = lf + 1;
    }
    d->in.len = (uint32_t)(end - at);
    memmove(d->in.ptr, at, d->in.len);
    if (wrong == NULL && buf_room(&d->in) == 0)
        return "a line that is too long";
    return wrong;
}

static void hear(struct dovecot *d)
{
    ssize_t n = recv(d->fd, d->in.ptr + d->in.len, buf_room(&d->in), 0);
    const char *wrong;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        lose(d, n == 0 ? "it closed the connection" : strerror(errno));
        return;
    }
    d->heard_ns = now_ns(d);
    d->in.len += (uint32_t)n;
    wrong = take_lines(d);
    if (wrong != NULL)
        lose(d, wrong);
}

static void speak(struct dovecot *d)
{
    ssize_t n = send(d->fd, d->out.ptr, d->out.len, MSG_NOSIGNAL);
    uint32_t left;

    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            lose(d, strerror(errno));
        return;
    }
    left = d->out.len - (uint32_t)n;
    memmove(d->out.ptr, d->out.ptr + n, left);
    explicit_bzero(d->out.ptr + left, (size_t)n);
    d->out.len = left;
}

/* --- time ------------------------------------------------------------------------------------ */

static void look_at_the_time(struct dovecot *d)
{
    bool mute = now_ns(d) >= d->heard_ns + d->timeout_ns;
    struct slot *s;

    if (d->fd >= 0 && !d->ready && mute)
        lose(d, "it says no hello");
    while ((s = oldest(&d->silent)) != NULL && now_ns(d) >= s->due_ns)
        cancel(d, s);
    while ((s = oldest(&d->asked)) != NULL && now_ns(d) >= s->due_ns) {
        if (mute) {
            lose(d, "it does not answer");
            return;
        }
        answer(d, take_question(s), SMTP_VERDICT_TEMPORARY);
        cancel(d, s);
    }
}

/* ms until there is something to do by itself. */
static int patience_ms(const struct dovecot *d)
{
    const struct slot *s = oldest(&d->asked);
    uint64_t due_ns = now_ns(d) + NS_PER_S;

    if (d->fd < 0 && d->retry_ns < due_ns)
        due_ns = d->retry_ns;
    if (s != NULL && s->due_ns < due_ns)
        due_ns = s->due_ns;
    return due_ns <= now_ns(d) ? 0 : (int)((due_ns - now_ns(d)) / NS_PER_MS) + 1;
}

static void wait_for_news(struct auth_client *c, int wake_fd)
{
    struct dovecot *d = (struct dovecot *)c;
    struct pollfd fds[2];

    try_to_connect(d);
    fds[0] = (struct pollfd){ .fd = wake_fd, .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = d->fd, .events = POLLIN };
    if (d->out.len > 0)
        fds[1].events |= POLLOUT;
    if (poll(fds, 2, patience_ms(d)) < 0)
        ASSERT(errno == EINTR);
    auth_remote_now(d->client.remote);
    if (fds[1].revents & (POLLIN | POLLHUP | POLLERR))
        hear(d);
    if (d->fd >= 0 && (fds[1].revents & POLLOUT))
        speak(d);
    look_at_the_time(d);
}

/* --- life ------------------------------------------------------------------------------------ */

static uint32_t mechanisms(const struct auth_client *c)
{
    const struct dovecot *d = (const struct dovecot *)c;

    return atomic_load_explicit(&d->offered, memory_order_acquire);
}

static void stop(struct auth_client *c)
{
    end_all((struct dovecot *)c);
}

static void destroy(struct auth_client *c)
{
    struct dovecot *d = (struct dovecot *)c;

    if (d->fd >= 0)
        close(d->fd);
    explicit_bzero(d->out_bytes, sizeof(d->out_bytes));
    free(d);
}

struct auth_client *auth_dovecot_create(const char *path, uint32_t timeout_s)
{
    struct dovecot *d = calloc(1, sizeof(*d));

    if (d == NULL)
        return NULL;
    d->client = (struct auth_client){ .mechanisms = mechanisms,
                                      .ask = ask,
                                      .wait = wait_for_news,
                                      .stop = stop,
                                      .destroy = destroy };
    d->path = path;
    d->timeout_ns = timeout_s * NS_PER_S;
    d->offered = SMTP_MECHANISMS_OF_PASSWORDS;
    d->fd = -1;
    d->patience_ns = LIMIT_DOVECOT_RETRY_MS * NS_PER_MS;
    d->in = (struct buf){ d->in_bytes, 0, sizeof(d->in_bytes) };
    d->out = (struct buf){ d->out_bytes, 0, sizeof(d->out_bytes) };
    list_init(&d->free);
    list_init(&d->asked);
    list_init(&d->silent);
    for (uint32_t i = 0; i < LIMIT_AUTH_REMOTE_REQUESTS; i++) {
        d->slots[i].id = i;
        list_append(&d->free, &d->slots[i].link);
    }
    return &d->client;
}
