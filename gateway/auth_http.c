/*
 * A question has a slot from ask to answer, with one time in the wheel: that of its own end, or of
 * a refusal that is held back. A link is one connection: closed, idle, or busy with a slot. Slots
 * that have no link stand in a queue.
 */
#include "gateway/auth_http.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/wheel.h"
#include "gateway/auth_grant.h"
#include "gateway/auth_http_wire.h"
#include "gateway/now.h"

struct slot {
    struct wheel_entry timer;
    struct list_node queued; /* linked while it waits for a link */
    struct auth_question *question;
    struct link *link; /* NULL: it waits for one, or its refusal is held back */
    bool held;
    bool again; /* a kept link was closed under it: only a new one will do */
};

struct link {
    struct list_node node; /* in closed or idle, while it has no slot */
    struct slot *slot;
    int fd;          /* -1: closed */
    uint32_t asked;  /* questions so far on this connection */
    uint32_t head;   /* bytes of the answer's head; 0: not whole yet */
    uint64_t behind; /* bytes of its body that are still to come */
    struct auth_http_head answer;
    struct buf out;
    struct buf in;
    uint8_t out_bytes[LIMIT_HTTP_REQUEST_BYTES]; /* a password */
    uint8_t in_bytes[LIMIT_HTTP_HEAD_BYTES];
};

struct hook {
    struct auth_client client; /* first: its functions get this address */
    const char *url;
    struct auth_http_place place;
    uint64_t timeout_ns;
    bool known;        /* the log has it how it is */
    bool well;         /* ... and it answers */
    uint64_t retry_ns; /* it did not take a connection: the next one not before then */
    struct wheel wheel;
    struct pool *slots;
    struct list waiting; /* slots without a link, the oldest first */
    struct list closed;
    struct list idle;
    struct link links[LIMIT_HTTP_CONNECTIONS];
};

static uint64_t now_ns(const struct hook *h)
{
    return h->client.clock->now_ns;
}

/* --- the log --------------------------------------------------------------------------------- */

static void note_state(struct hook *h, bool well, const char *why)
{
    struct log_line *line;

    if (h->known && h->well == well)
        return;
    h->known = true;
    h->well = well;
    line = log_begin(h->client.log, well ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
                     well ? "auth hook" : "auth hook failed");
    log_str(line, "url", h->url);
    if (why != NULL)
        log_str(line, "why", why);
    log_end(h->client.log, line);
}

static void note_refusal(struct hook *h, const struct auth_question *q, struct span status)
{
    struct log_line *line = log_begin(h->client.log, LOG_LEVEL_INFO, "auth hook refused");

    log_span(line, "user", span_of(q->login, q->login_len));
    log_span(line, "why", status);
    log_end(h->client.log, line);
}

/* --- slots ----------------------------------------------------------------------------------- */

static void answer(struct hook *h, struct slot *s, enum smtp_verdict verdict)
{
    struct auth_question *q = s->question;

    wheel_cancel(&h->wheel, &s->timer);
    list_remove(&s->queued);
    pool_put(h->slots, s);
    q->answer.verdict = verdict;
    auth_remote_answer(h->client.remote, q);
}

/* --- links ----------------------------------------------------------------------------------- */

static void close_link(struct hook *h, struct link *l)
{
    close(l->fd);
    l->fd = -1;
    l->slot = NULL;
    explicit_bzero(l->out_bytes, sizeof(l->out_bytes));
    list_remove(&l->node);
    list_append(&h->closed, &l->node);
}

/* What was under way on it has no answer. */
static void fail_link(struct hook *h, struct link *l, const char *why)
{
    struct slot *s = l->slot;
    bool stale = l->asked > 1 && l->in.len == 0 && !s->again;

    close_link(h, l);
    s->link = NULL;
    if (stale) { /* closed between two questions, and nothing was said to this one */
        s->again = true;
        list_prepend(&h->waiting, &s->queued);
        return;
    }
    note_state(h, false, why);
    answer(h, s, SMTP_VERDICT_TEMPORARY);
}

/* False with errno. */
static bool open_link(struct hook *h, struct link *l)
{
    const struct sockaddr *at = &h->place.at.any;
    int why;

    l->asked = 0;
    l->fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        return false;
    if (connect(l->fd, at, h->place.at_len) == 0 || errno == EINPROGRESS)
        return true;
    why = errno;
    close(l->fd);
    l->fd = -1;
    errno = why;
    return false;
}

/* One of those that have no question, in no list. NULL with errno: it can't be opened. */
static struct link *take_link(struct hook *h, bool fresh)
{
    struct link *l;

    if (!fresh && !list_empty(&h->idle))
        return LIST_ENTRY(list_pop(&h->idle), struct link, node);
    if (list_empty(&h->closed))
        close_link(h, LIST_ENTRY(h->idle.head.next, struct link, node));
    l = LIST_ENTRY(h->closed.head.next, struct link, node);
    if (!open_link(h, l))
        return NULL;
    list_remove(&l->node);
    return l;
}

static void speak(struct hook *h, struct link *l)
{
    ssize_t n = send(l->fd, l->out.ptr, l->out.len, MSG_NOSIGNAL);
    uint32_t left;

    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            fail_link(h, l, strerror(errno));
        return;
    }
    left = l->out.len - (uint32_t)n;
    memmove(l->out.ptr, l->out.ptr + n, left);
    explicit_bzero(l->out.ptr + left, (size_t)n);
    l->out.len = left;
}

static void begin(struct hook *h, struct link *l, struct slot *s)
{
    l->slot = s;
    s->link = l;
    l->asked++;
    l->head = 0;
    l->behind = 0;
    l->in.len = 0;
    l->out.len = 0;
    if (auth_http_wire_ask(&h->place, s->question, &l->out))
        speak(h, l);
    else
        fail_link(h, l, "a request that is too long");
}

static bool has_link(const struct hook *h)
{
    return !list_empty(&h->closed) || !list_empty(&h->idle);
}

/* Gives links to those who wait. */
static void serve(struct hook *h)
{
    while (!list_empty(&h->waiting) && now_ns(h) >= h->retry_ns && has_link(h)) {
        struct slot *s = LIST_ENTRY(h->waiting.head.next, struct slot, queued);
        struct link *l = take_link(h, s->again);

        if (l != NULL) {
            list_remove(&s->queued);
            begin(h, l, s);
        } else if (errno == EAGAIN) { /* unix(7): it does not accept so fast */
            h->retry_ns = now_ns(h) + LIMIT_HTTP_RETRY_MS * NS_PER_MS;
        } else {
            note_state(h, false, strerror(errno));
            answer(h, s, SMTP_VERDICT_TEMPORARY);
        }
    }
}

static void ask(struct auth_client *c, struct auth_question *q)
{
    struct hook *h = (struct hook *)c;
    struct slot *s = pool_get(h->slots);

    if (s == NULL) {
        q->answer.verdict = SMTP_VERDICT_TEMPORARY;
        auth_remote_answer(h->client.remote, q);
        return;
    }
    memset(s, 0, sizeof(*s));
    s->question = q;
    list_node_init(&s->queued);
    wheel_entry_init(&s->timer);
    wheel_set(&h->wheel, &s->timer, now_ns(h) + h->timeout_ns);
    list_append(&h->waiting, &s->queued);
    serve(h);
}

/* --- what it says ---------------------------------------------------------------------------- */

/* The answer is there: lets the link go first, as the slot is gone then. */
static void finish(struct hook *h, struct link *l)
{
    const struct auth_http_head *a = &l->answer;
    struct slot *s = l->slot;
    uint64_t wait_ns = a->wait_s * NS_PER_S;

    note_state(h, true, NULL);
    if (a->verdict != SMTP_VERDICT_OK)
        note_refusal(h, s->question, a->status);
    s->link = NULL;
    l->slot = NULL;
    if (a->stays && l->out.len == 0)
        list_append(&h->idle, &l->node);
    else
        close_link(h, l);
    if (wait_ns == 0) {
        answer(h, s, a->verdict);
        return;
    }
    s->held = true;
    s->question->answer.verdict = a->verdict;
    explicit_bzero(s->question->secret, s->question->secret_len);
    wheel_set(&h->wheel, &s->timer,
              now_ns(h) + (wait_ns < h->timeout_ns ? wait_ns : h->timeout_ns));
}

/* NULL, or what is wrong with it. */
static const char *read_head(struct link *l)
{
    const char *wrong;

    l->head = auth_http_wire_whole(span_of(l->in.ptr, l->in.len));
    if (l->head == 0)
        return buf_room(&l->in) == 0 ? "an answer that is too long" : NULL;
    wrong = auth_http_wire_read(span_of(l->in.ptr, l->head), &l->answer);
    if (wrong == NULL && l->answer.verdict == SMTP_VERDICT_OK &&
        !auth_grant(l->slot->question, l->answer.user, l->answer.grant))
        wrong = "an Auth-User or Auth-Senders that cannot be taken";
    if (l->answer.stays && l->answer.body_bytes > LIMIT_HTTP_BODY_BYTES)
        l->answer.stays = false;
    l->behind = l->answer.stays ? l->answer.body_bytes : 0;
    return wrong;
}

/* Throws away what came of the body. False: more than there should be. */
static bool skip_body(struct link *l)
{
    uint32_t came = l->in.len - l->head;

    l->in.len = l->head;
    if (!l->answer.stays)
        return true;
    if (came > l->behind)
        return false;
    l->behind -= came;
    return true;
}

static void take_bytes(struct hook *h, struct link *l)
{
    const char *wrong = l->head == 0 ? read_head(l) : NULL;

    if (wrong == NULL && l->head > 0 && !skip_body(l))
        wrong = "more than its Content-Length";
    if (wrong != NULL)
        fail_link(h, l, wrong);
    else if (l->head > 0 && l->behind == 0)
        finish(h, l);
}

static void hear(struct hook *h, struct link *l)
{
    ssize_t n = recv(l->fd, l->in.ptr + l->in.len, buf_room(&l->in), 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (l->slot == NULL) { /* idle: it is closed, or says what nobody asked */
        close_link(h, l);
        return;
    }
    if (n <= 0) {
        fail_link(h, l, n == 0 ? "it closed the connection" : strerror(errno));
        return;
    }
    l->in.len += (uint32_t)n;
    take_bytes(h, l);
}

/* --- time ------------------------------------------------------------------------------------ */

static void look_at_the_time(struct hook *h)
{
    struct wheel_entry *e;

    while ((e = wheel_pop(&h->wheel, now_ns(h))) != NULL) {
        struct slot *s = LIST_ENTRY(e, struct slot, timer);

        if (s->held) {
            answer(h, s, s->question->answer.verdict);
            continue;
        }
        note_state(h, false, "it does not answer");
        if (s->link != NULL)
            close_link(h, s->link);
        answer(h, s, SMTP_VERDICT_TEMPORARY);
    }
}

/* ms until there is something to do by itself. */
static int patience_ms(const struct hook *h)
{
    uint64_t due_ns = now_ns(h) + NS_PER_S;
    uint64_t timer_ns = wheel_next_ns(&h->wheel);

    if (timer_ns < due_ns)
        due_ns = timer_ns;
    if (h->retry_ns > now_ns(h) && h->retry_ns < due_ns)
        due_ns = h->retry_ns;
    return due_ns <= now_ns(h) ? 0 : (int)((due_ns - now_ns(h)) / NS_PER_MS) + 1;
}

static void attend(struct hook *h, struct link *l, short events)
{
    /* An answer may come before all of the question was sent. */
    if (events & (POLLIN | POLLHUP | POLLERR))
        hear(h, l);
    if (l->slot != NULL && l->out.len > 0 && (events & POLLOUT))
        speak(h, l);
}

static void wait_for_news(struct auth_client *c, int wake_fd)
{
    struct hook *h = (struct hook *)c;
    struct pollfd fds[LIMIT_HTTP_CONNECTIONS + 1];

    for (uint32_t i = 0; i < LIMIT_HTTP_CONNECTIONS; i++) {
        const struct link *l = &h->links[i];
        bool speaks = l->slot != NULL && l->out.len > 0;

        fds[i] = (struct pollfd){ .fd = l->fd, .events = speaks ? POLLIN | POLLOUT : POLLIN };
    }
    fds[LIMIT_HTTP_CONNECTIONS] = (struct pollfd){ .fd = wake_fd, .events = POLLIN };
    if (poll(fds, LIMIT_HTTP_CONNECTIONS + 1, patience_ms(h)) < 0)
        ASSERT(errno == EINTR);
    auth_remote_now(h->client.remote);
    for (uint32_t i = 0; i < LIMIT_HTTP_CONNECTIONS; i++) {
        if (fds[i].revents != 0)
            attend(h, &h->links[i], fds[i].revents);
    }
    look_at_the_time(h);
    serve(h);
}

/* --- life ------------------------------------------------------------------------------------ */

static uint32_t mechanisms(const struct auth_client *c)
{
    (void)c;
    return SMTP_MECHANISMS_OF_PASSWORDS;
}

static void stop(struct auth_client *c)
{
    struct hook *h = (struct hook *)c;
    struct wheel_entry *e;

    while ((e = wheel_pop(&h->wheel, UINT64_MAX)) != NULL) {
        struct slot *s = LIST_ENTRY(e, struct slot, timer);

        if (s->link != NULL)
            close_link(h, s->link);
        answer(h, s, s->held ? s->question->answer.verdict : SMTP_VERDICT_TEMPORARY);
    }
}

static void destroy(struct auth_client *c)
{
    struct hook *h = (struct hook *)c;

    for (uint32_t i = 0; i < LIMIT_HTTP_CONNECTIONS; i++) {
        if (h->links[i].fd >= 0)
            close(h->links[i].fd);
    }
    if (h->slots != NULL)
        pool_destroy(h->slots);
    explicit_bzero(h, sizeof(*h));
    free(h);
}

struct auth_client *auth_http_create(const char *url, uint32_t timeout_s)
{
    struct hook *h = calloc(1, sizeof(*h));
    struct clock clock;

    if (h == NULL)
        return NULL;
    now_read(&clock);
    wheel_init(&h->wheel, clock.now_ns);
    h->client =
        (struct auth_client){ mechanisms, ask, wait_for_news, stop, destroy, NULL, NULL, NULL };
    h->url = url;
    h->timeout_ns = timeout_s * NS_PER_S;
    list_init(&h->waiting);
    list_init(&h->closed);
    list_init(&h->idle);
    for (uint32_t i = 0; i < LIMIT_HTTP_CONNECTIONS; i++) {
        struct link *l = &h->links[i];

        l->fd = -1;
        l->out = (struct buf){ l->out_bytes, 0, sizeof(l->out_bytes) };
        l->in = (struct buf){ l->in_bytes, 0, sizeof(l->in_bytes) };
        list_append(&h->closed, &l->node);
    }
    h->slots = pool_create("auth_http", LIMIT_AUTH_REMOTE_REQUESTS, sizeof(struct slot));
    if (h->slots != NULL && auth_http_wire_place(url, &h->place) == NULL)
        return &h->client;
    destroy(&h->client);
    return NULL;
}
