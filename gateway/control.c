/*
 * The control socket's clients, and the one command that runs. See control.h.
 *
 * A client reads, waits for its command's turn, or writes. The command that runs owns the answer;
 * its client may go away meanwhile, and then the answer is thrown away. A worker that does not
 * answer keeps the command's memory: until it comes back no command that asks workers can run, and
 * each gets the error at once.
 */
#include "gateway/control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "gateway/control_command.h"
#include "gateway/control_socket.h"
#include "gateway/now.h"

enum client_phase { CLIENT_NONE, CLIENT_READS, CLIENT_WAITS, CLIENT_WRITES };

struct client {
    enum client_phase phase;
    int fd;
    int passed_fd; /* a descriptor that it sent along; -1: none */
    bool last;     /* to be closed after this answer */
    uint64_t due_ns;
    uint64_t turn; /* waits: who came first goes first */
    uint32_t len;
    uint32_t line_len; /* of the line that is being answered, with its end */
    char line[LIMIT_CONTROL_LINE_BYTES];
    struct json_out answer;
    size_t sent;
};

struct control {
    struct program *program;
    const char *path; /* the configuration's */
    int listener;     /* -1: none */
    int told_fd;      /* workers' answers */
    struct clock clock;
    struct client clients[LIMIT_CONTROL_CLIENTS];
    uint64_t turns;
    struct control_capture capture;
    struct control_run run;
    struct worker_question question;
    struct client *runner; /* whose command runs; NULL: nobody's, or of one that has gone */
    bool asking;           /* a worker has the question */
    bool late;             /* and was too slow: the client has its error */
    uint64_t due_ns;       /* of the worker's answer */
};

struct control *control_open(struct program *p, const char *path, const char *user, struct buf *why)
{
    struct control *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        buf_printf(why, "control: not enough memory");
        return NULL;
    }
    c->program = p;
    c->path = path;
    c->listener = -1;
    c->told_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    now_read(&c->clock);
    if (c->told_fd < 0)
        buf_printf(why, "control: eventfd: %s", strerror(errno));
    else if (path[0] == 0 || (c->listener = control_socket_listen(path, user, why)) >= 0)
        return c;
    control_close(c);
    return NULL;
}

/* --- clients --------------------------------------------------------------------------------- */

static void drop(struct control *c, struct client *k)
{
    if (c->runner == k)
        c->runner = NULL;
    control_capture_leave(&c->capture, k);
    if (k->passed_fd >= 0)
        close(k->passed_fd);
    close(k->fd);
    json_out_free(&k->answer);
    k->phase = CLIENT_NONE;
}

static void enter(struct control *c, struct client *k, enum client_phase phase)
{
    k->phase = phase;
    k->due_ns = c->clock.now_ns + LIMIT_CONTROL_CLIENT_MS * NS_PER_MS;
}

/* Ends the document and sends it from here on. */
static void reply(struct control *c, struct client *k)
{
    json_out_close(&k->answer, '}');
    if (!json_out_end(&k->answer)) {
        json_out_free(&k->answer);
        json_out_open(&k->answer, NULL, '{');
        json_out_str(&k->answer, "error", "the answer is too long: ask for less");
        json_out_close(&k->answer, '}');
        json_out_end(&k->answer);
    }
    k->last = k->last || k->answer.broken;
    k->sent = 0;
    enter(c, k, CLIENT_WRITES);
}

static void begin_answer(struct client *k)
{
    json_out_free(&k->answer);
    json_out_init(&k->answer, LIMIT_CONTROL_ANSWER_BYTES);
    json_out_open(&k->answer, NULL, '{');
}

static void refuse(struct control *c, struct client *k, const char *why)
{
    begin_answer(k);
    json_out_str(&k->answer, "error", why);
    k->last = true;
    reply(c, k);
}

static bool is_trusted(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static void take_client(struct control *c)
{
    static const char full[] = "{\"error\":\"too many ask at once: try again\"}\n";
    int fd = accept4(c->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct client *k = NULL;

    if (fd < 0)
        return; /* gone again, or no descriptor: it waits where it is */
    for (unsigned i = 0; k == NULL && i < LIMIT_CONTROL_CLIENTS; i++)
        if (c->clients[i].phase == CLIENT_NONE)
            k = &c->clients[i];
    if (k == NULL) {
        (void)!write(fd, full, sizeof(full) - 1); /* as a courtesy */
        close(fd);
        return;
    }
    *k = (struct client){ .fd = fd, .passed_fd = -1 };
    enter(c, k, CLIENT_READS);
    if (!is_trusted(fd))
        refuse(c, k, "only root, and the user that postern runs as, may ask");
}

/* A whole line waits for its turn. */
static void look_for_line(struct control *c, struct client *k)
{
    const char *end = memchr(k->line, '\n', k->len);

    if (end != NULL) {
        k->line_len = (uint32_t)(end + 1 - k->line);
        k->turn = c->turns++;
        k->phase = CLIENT_WAITS;
    } else if (k->len == sizeof(k->line)) {
        refuse(c, k, "the line is too long");
    }
}

static void read_from(struct control *c, struct client *k)
{
    ssize_t n =
        control_socket_read(k->fd, k->line + k->len, sizeof(k->line) - k->len, &k->passed_fd);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        drop(c, k);
        return;
    }
    k->len += n > 0 ? (uint32_t)n : 0;
    look_for_line(c, k);
}

static void write_to(struct control *c, struct client *k)
{
    ssize_t n = write(k->fd, k->answer.text + k->sent, k->answer.len - k->sent);

    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        drop(c, k);
        return;
    }
    k->sent += n > 0 ? (size_t)n : 0;
    if (k->sent < k->answer.len)
        return;
    if (k->last) {
        drop(c, k);
        return;
    }
    json_out_free(&k->answer);
    k->len -= k->line_len;
    memmove(k->line, k->line + k->line_len, k->len);
    enter(c, k, CLIENT_READS);
    look_for_line(c, k);
}

/* --- the command that runs ------------------------------------------------------------------- */

static bool split(struct control_run *r, struct span line)
{
    r->word_count = 0;
    while (line.len > 0) {
        uint32_t len = 0;

        while (len < line.len && line.ptr[len] > ' ')
            len++;
        if (len > 0 && r->word_count == LIMIT_CONTROL_WORDS)
            return false;
        if (len > 0)
            r->words[r->word_count++] = span_first(line, len);
        line = span_skip(line, len + 1);
    }
    return r->word_count > 0;
}

static void finish(struct control *c)
{
    struct control_run *r = &c->run;

    if (r->command->end != NULL && !c->late)
        r->command->end(r);
    free(r->memory);
    r->memory = NULL;
    r->command = NULL;
    if (c->runner != NULL)
        reply(c, c->runner);
    c->runner = NULL;
}

/* Goes on with worker `i`, or to the end when there is none. */
static void ask(struct control *c, unsigned i)
{
    struct control_run *r = &c->run;

    r->worker = i;
    if (r->command->answer == NULL || i == program_workers(r->program)) {
        finish(c);
        return;
    }
    c->question = (struct worker_question){ r->command->answer, r->memory, c->told_fd };
    c->asking = true;
    c->due_ns = c->clock.now_ns + LIMIT_CONTROL_WORKER_MS * NS_PER_MS;
    worker_ask(program_worker(r->program, i), &c->question);
}

static bool begin(struct control *c, struct client *k)
{
    struct control_run *r = &c->run;

    *r = (struct control_run){ .program = c->program,
                               .out = &k->answer,
                               .passed_fd = &k->passed_fd,
                               .capture = &c->capture,
                               .client = k };
    begin_answer(k);
    if (!split(r, span_of(k->line, k->line_len))) {
        control_command_error(r, "a line is a command and at most %d arguments",
                              LIMIT_CONTROL_WORDS - 1);
        return false;
    }
    r->command = control_command_find(r);
    if (r->command == NULL)
        return false;
    if (r->command->memory_bytes > 0) {
        r->memory = calloc(1, r->command->memory_bytes);
        if (r->memory == NULL) {
            control_command_error(r, "not enough memory");
            return false;
        }
    }
    return r->command->begin == NULL || r->command->begin(r);
}

static void run(struct control *c, struct client *k)
{
    if (begin(c, k)) {
        c->runner = k;
        ask(c, 0);
        return;
    }
    free(c->run.memory);
    c->run.command = NULL;
    reply(c, k);
}

/* What it has written so far is no document any more. */
static void give_up(struct control *c)
{
    c->late = true;
    if (c->runner == NULL)
        return;
    begin_answer(c->runner);
    control_command_error(&c->run, "worker %u does not answer", c->run.worker);
    reply(c, c->runner);
    c->runner = NULL;
}

static void take_answer(struct control *c)
{
    struct control_run *r = &c->run;
    bool again;

    if (!worker_has_answered(program_worker(r->program, r->worker))) {
        if (!c->late && c->clock.now_ns >= c->due_ns)
            give_up(c);
        return;
    }
    c->asking = false;
    /* Nobody is there any more to hear of it. */
    if (c->runner == NULL)
        c->late = true;
    if (c->late) {
        finish(c);
        c->late = false;
        return;
    }
    again = r->command->tell != NULL && r->command->tell(r);
    ask(c, again ? r->worker : r->worker + 1);
}

static struct client *next_in_turn(struct control *c)
{
    struct client *first = NULL;

    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++) {
        struct client *k = &c->clients[i];

        if (k->phase == CLIENT_WAITS && k != c->runner && (first == NULL || k->turn < first->turn))
            first = k;
    }
    return first;
}

/* Runs what can be run; what a worker must answer goes on when it has. */
static void run_commands(struct control *c)
{
    struct client *k;

    if (c->asking)
        take_answer(c);
    while (c->run.command == NULL && (k = next_in_turn(c)) != NULL)
        run(c, k);
    while (c->late && (k = next_in_turn(c)) != NULL) {
        begin_answer(k);
        json_out_str(&k->answer, "error", "a worker that was asked does not answer");
        reply(c, k);
    }
}

/* --- from main ------------------------------------------------------------------------------- */

static void serve(struct control *c, struct client *k, bool news)
{
    if (k->phase == CLIENT_READS && news)
        read_from(c, k);
    else if (k->phase == CLIENT_WRITES && news)
        write_to(c, k);
    if ((k->phase == CLIENT_READS || k->phase == CLIENT_WRITES) && c->clock.now_ns >= k->due_ns)
        drop(c, k);
}

/* At once, so that who asked for the end hears of it. */
static void write_all(struct control *c)
{
    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
        if (c->clients[i].phase == CLIENT_WRITES)
            write_to(c, &c->clients[i]);
}

void control_wait(struct control *c, int other_fd, int ms)
{
    static const short wanted[] = { 0, POLLIN, 0, POLLOUT };
    struct pollfd fds[LIMIT_CONTROL_CLIENTS + 3];
    uint64_t answers;

    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++) {
        short events = wanted[c->clients[i].phase];

        fds[i] = (struct pollfd){ events != 0 ? c->clients[i].fd : -1, events, 0 };
    }
    fds[LIMIT_CONTROL_CLIENTS] = (struct pollfd){ c->listener, POLLIN, 0 };
    fds[LIMIT_CONTROL_CLIENTS + 1] = (struct pollfd){ c->told_fd, POLLIN, 0 };
    fds[LIMIT_CONTROL_CLIENTS + 2] = (struct pollfd){ other_fd, POLLIN, 0 };
    if (poll(fds, LIMIT_CONTROL_CLIENTS + 3, ms) < 0)
        ASSERT(errno == EINTR || errno == ENOMEM);
    now_read(&c->clock);
    control_capture_tick(&c->capture);
    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
        serve(c, &c->clients[i], fds[i].revents != 0);
    if (fds[LIMIT_CONTROL_CLIENTS].revents != 0)
        take_client(c);
    if (fds[LIMIT_CONTROL_CLIENTS + 1].revents != 0 &&
        read(c->told_fd, &answers, sizeof(answers)) < 0)
        ASSERT(errno == EAGAIN);
    do {
        run_commands(c);
        write_all(c);
    } while (c->run.command == NULL && next_in_turn(c) != NULL);
}

void control_end_capture(struct control *c)
{
    control_capture_close(&c->capture);
}

void control_close(struct control *c)
{
    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
        if (c->clients[i].phase != CLIENT_NONE)
            drop(c, &c->clients[i]);
    free(c->run.memory);
    if (c->listener >= 0)
        control_socket_close(c->listener, c->path);
    if (c->told_fd >= 0)
        close(c->told_fd);
    free(c);
}
