/*
 * A client is a list of steps. It reads replies whole, checks their code, and writes the next step.
 * A code that the step does not expect ends the client (the message in hand is then refused or
 * unanswered).
 */
#include "sim/sim_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/crc32c.h"

#define REPLY_MAX 4096
#define AGAIN_NS  NS_PER_S
#define PASSWORD                                                                              \
    "dGVzdAB0ZXN0AHNlY3JldA==" /* not secret: base64 of the test user's "test" NUL "test" NUL \
                                  "secret" */

enum step { STEP_BANNER, STEP_EHLO, STEP_AUTH, STEP_ENVELOPE, STEP_BODY, STEP_QUIT, STEP_ENDED };

enum manner {
    MANNER_GOOD,
    MANNER_BREAKS_OFF, /* resets somewhere in a body */
    MANNER_LEAVES,     /* ends its side after the end of data, without waiting */
    MANNER_TRICKLES,   /* a few bytes at a time */
};

struct peer {
    struct sim_peers *set;
    struct stream *stream;
    enum step step;
    enum manner manner;
    uint64_t due_ns;       /* when it starts, writes its next trickle, or asks again */
    uint32_t replies_left; /* of the step's flight */
    uint32_t messages_left;
    bool later;            /* MAIL got 452: it asks again at due_ns */
    struct sim_sent *sent; /* the message in hand, or NULL */
    uint8_t *out;          /* what is to be written */
    uint32_t out_len;
    uint32_t out_done;
    uint32_t breaks_at; /* of `out`, with MANNER_BREAKS_OFF */
    uint8_t reply[REPLY_MAX];
    uint32_t reply_len;
};

struct sim_peers {
    struct core_handler handler;
    struct sim_peers_config config;
    struct core *core;
    const struct clock *clock;
    struct rng *rng;
    struct peer *peers;
    struct sim_sent *sent;
    uint32_t sent_count;
    uint32_t sent_max;
    uint32_t next_port;
};

static void end_peer(struct peer *p)
{
    if (p->stream != NULL)
        p->stream->ops->close(p->stream);
    p->stream = NULL;
    free(p->out);
    p->out = NULL;
    p->out_len = 0;
    p->out_done = 0;
    p->step = STEP_ENDED;
}

static void say(struct peer *p, const void *bytes, uint32_t len)
{
    ASSERT(p->out_done == p->out_len);
    free(p->out);
    p->out = malloc(len);
    ASSERT(p->out != NULL);
    memcpy(p->out, bytes, len);
    p->out_len = len;
    p->out_done = 0;
    p->breaks_at = UINT32_MAX;
}

static void say_text(struct peer *p, const char *text)
{
    say(p, text, (uint32_t)strlen(text));
}

/* Lines of text, some of them with dots in front, stuffed as they must be. */
static uint32_t make_body(struct peer *p, uint64_t key, uint8_t *to, uint32_t room)
{
    struct rng *rng = p->set->rng;
    uint32_t drawn = (uint32_t)rng_below(rng, rng_below(rng, 4) == 0 ? room - 256 : 2048);
    uint32_t want = drawn > p->set->config.bytes_min ? drawn : p->set->config.bytes_min;
    uint32_t n =
        (uint32_t)snprintf((char *)to, room, "X-Sim: %016llx\r\n", (unsigned long long)key);

    while (n < want) {
        uint32_t width = (uint32_t)rng_below(rng, 100);

        if (rng_below(rng, 8) == 0) {
            memcpy(to + n, "..", 2);
            n += 2;
        }
        for (uint32_t i = 0; i < width; i++)
            to[n++] = (uint8_t)('a' + rng_below(rng, 26));
        memcpy(to + n, "\r\n", 2);
        n += 2;
    }
    return n;
}

static void say_body(struct peer *p)
{
    struct sim_peers *ps = p->set;
    uint32_t room = ps->config.bytes_max + 512;
    uint8_t *body = malloc(room);
    uint32_t n;

    ASSERT(body != NULL && ps->sent_count < ps->sent_max);
    p->messages_left--;
    p->sent = &ps->sent[ps->sent_count++];
    p->sent->key = ps->config.first_key + ps->sent_count;
    p->sent->answer = SIM_UNANSWERED;
    n = make_body(p, p->sent->key, body, room);
    p->sent->bytes = n;
    p->sent->crc = crc32c_update(0, body, n);
    memcpy(body + n, ".\r\n", 3);
    say(p, body, n + 3);
    free(body);
    if (p->manner == MANNER_BREAKS_OFF)
        p->breaks_at = (uint32_t)rng_below(ps->rng, n + 3);
}

static void begin_message(struct peer *p)
{
    static const char envelope[] = "MAIL FROM:<a@example.org> BODY=8BITMIME\r\n"
                                   "RCPT TO:<b@example.net>\r\nRCPT TO:<c@example.net>\r\nDATA\r\n";

    if (p->messages_left == 0) {
        p->step = STEP_QUIT;
        p->replies_left = 1;
        say_text(p, "QUIT\r\n");
        return;
    }
    p->step = STEP_ENVELOPE;
    p->replies_left = 4;
    say_text(p, envelope);
}

static void answered(struct peer *p, unsigned code)
{
    p->sent->answer = code / 100 == 2 ? SIM_ACCEPTED : SIM_REFUSED;
    p->sent = NULL;
    begin_message(p);
}

/* One whole reply was read. */
static void take_reply(struct peer *p, unsigned code)
{
    static const unsigned expected[] = { 220, 250, 235, 0, 0, 221, 0 };

    ASSERT(p->replies_left > 0);
    p->replies_left--;
    if (p->step == STEP_BODY) {
        answered(p, code);
        return;
    }
    if (p->step == STEP_ENVELOPE && (p->later || code == 452)) {
        p->later = true;
        p->due_ns = p->set->clock->now_ns + AGAIN_NS;
        return;
    }
    if (p->step == STEP_ENVELOPE ? code / 100 != (p->replies_left == 0 ? 3u : 2u)
                                 : code != expected[p->step]) {
        end_peer(p);
        return;
    }
    if (p->replies_left > 0)
        return;
    p->replies_left = 1;
    switch (p->step) {
    case STEP_BANNER:
        p->step = STEP_EHLO;
        say_text(p, "EHLO sim.example.org\r\n");
        break;
    case STEP_EHLO:
        p->step = STEP_AUTH;
        say_text(p, "AUTH PLAIN " PASSWORD "\r\n");
        break;
    case STEP_AUTH: begin_message(p); break;
    case STEP_ENVELOPE:
        p->step = STEP_BODY;
        say_body(p);
        break;
    case STEP_BODY:
    case STEP_QUIT:
    case STEP_ENDED: end_peer(p); break;
    }
}

/* Takes complete lines out of what was read; a line with '-' behind its code goes on. */
static void take_lines(struct peer *p)
{
    uint8_t *end;

    while (p->step != STEP_ENDED && (end = memchr(p->reply, '\n', p->reply_len)) != NULL) {
        uint32_t len = (uint32_t)(end - p->reply) + 1;
        unsigned code = (unsigned)strtoul((const char *)p->reply, NULL, 10);
        bool last = len > 3 && p->reply[3] != '-';

        ASSERT(code >= 200 && code < 600 && len >= 5 && p->reply[len - 2] == '\r');
        memmove(p->reply, p->reply + len, p->reply_len - len);
        p->reply_len -= len;
        if (last)
            take_reply(p, code);
    }
}

static void leave(struct peer *p)
{
    p->stream->ops->shutdown(p->stream);
    if (p->sent != NULL)
        p->sent = NULL;
    end_peer(p);
}

static void write_out(struct peer *p)
{
    struct sim_peers *ps = p->set;
    uint32_t most = p->out_len - p->out_done;
    uint32_t n;

    if (p->manner == MANNER_TRICKLES && most > 0) {
        if (ps->clock->now_ns < p->due_ns)
            return;
        most = most < 3000 ? 1 + (uint32_t)rng_below(ps->rng, most) : 3000;
        p->due_ns = ps->clock->now_ns + rng_below(ps->rng, 50) * NS_PER_MS;
    }
    n = stream_write(p->stream, span_of(p->out + p->out_done, most));
    p->out_done += n;
    if (p->out_done >= p->breaks_at) {
        p->stream->ops->abort(p->stream);
        end_peer(p);
    } else if (p->out_done == p->out_len && p->step == STEP_BODY && p->manner == MANNER_LEAVES) {
        leave(p);
    }
}

static void pump(struct peer *p)
{
    uint32_t n;

    if (p->step == STEP_ENDED || p->stream == NULL)
        return;
    do {
        n = p->stream->ops->read(p->stream, p->reply + p->reply_len, REPLY_MAX - p->reply_len);
        p->reply_len += n;
        take_lines(p);
    } while (n > 0 && p->step != STEP_ENDED);
    if (p->step == STEP_ENDED)
        return;
    if ((p->stream->ready & (STREAM_FAILED | STREAM_ENDED)) != 0) {
        end_peer(p);
        return;
    }
    if (p->out_done < p->out_len && (p->stream->ready & STREAM_WRITABLE) != 0)
        write_out(p);
}

static void ready(struct core_handler *h, struct stream *s)
{
    (void)h;
    pump(s->owner);
}

static void accepted(struct core_handler *h, struct stream *s, void *cookie)
{
    (void)h;
    (void)s;
    (void)cookie;
    UNREACHABLE("clients do not listen");
}

static void start(struct peer *p)
{
    struct sim_peers *ps = p->set;
    struct endpoint local = { addr_from_v4(ps->config.client_address),
                              (uint16_t)(20000 + ps->next_port++) };

    p->stream = tcp_connect(ps->core->tcp, &local, &ps->config.server);
    ASSERT(p->stream != NULL);
    p->stream->owner = p;
    p->replies_left = 1;
}

struct sim_peers *sim_peers_create(const struct sim_peers_config *config, struct core *core,
                                   const struct clock *clock, struct rng *rng)
{
    struct sim_peers *ps = calloc(1, sizeof(*ps));

    ASSERT(ps != NULL);
    ps->config = *config;
    ps->core = core;
    ps->clock = clock;
    ps->rng = rng;
    ps->handler = (struct core_handler){ .accepted = accepted, .ready = ready };
    core->handler = &ps->handler;
    ps->sent_max = config->peers * config->messages_each;
    ps->sent = calloc(ps->sent_max, sizeof(*ps->sent));
    ps->peers = calloc(config->peers, sizeof(*ps->peers));
    ASSERT(ps->sent != NULL && ps->peers != NULL);
    for (uint32_t i = 0; i < config->peers; i++) {
        struct peer *p = &ps->peers[i];

        p->set = ps;
        p->messages_left = 1 + (uint32_t)rng_below(rng, config->messages_each);
        p->due_ns = clock->now_ns + rng_below(rng, 200) * NS_PER_MS;
        if (!config->well_behaved && rng_below(rng, 3) == 0)
            p->manner = (enum manner)rng_below(rng, 4);
    }
    return ps;
}

void sim_peers_destroy(struct sim_peers *ps)
{
    sim_peers_drop_all(ps);
    free(ps->peers);
    free(ps->sent);
    free(ps);
}

void sim_peers_drop_all(struct sim_peers *ps)
{
    for (uint32_t i = 0; i < ps->config.peers; i++) {
        struct peer *p = &ps->peers[i];

        if (p->stream != NULL)
            p->stream->ops->abort(p->stream);
        end_peer(p);
    }
}

static bool is_due(const struct peer *p)
{
    if (p->step == STEP_ENDED)
        return false;
    if (p->stream == NULL || (p->later && p->replies_left == 0))
        return true;
    return p->manner == MANNER_TRICKLES && p->out_done < p->out_len &&
           (p->stream->ready & STREAM_WRITABLE) != 0;
}

unsigned sim_peers_poll(struct sim_peers *ps)
{
    unsigned work = 0;

    for (uint32_t i = 0; i < ps->config.peers; i++) {
        struct peer *p = &ps->peers[i];

        if (!is_due(p) || p->due_ns > ps->clock->now_ns)
            continue;
        work++;
        if (p->stream == NULL) {
            start(p);
            continue;
        }
        if (p->later && p->replies_left == 0) {
            p->later = false;
            begin_message(p);
        }
        pump(p);
    }
    return work;
}

uint64_t sim_peers_next_ns(const struct sim_peers *ps)
{
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; i < ps->config.peers; i++)
        if (is_due(&ps->peers[i]) && ps->peers[i].due_ns < next)
            next = ps->peers[i].due_ns;
    return next;
}

bool sim_peers_done(const struct sim_peers *ps)
{
    for (uint32_t i = 0; i < ps->config.peers; i++)
        if (ps->peers[i].step != STEP_ENDED)
            return false;
    return true;
}

uint32_t sim_peers_unsent(const struct sim_peers *ps)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < ps->config.peers; i++)
        count += ps->peers[i].messages_left;
    return count;
}

uint32_t sim_peers_sent_count(const struct sim_peers *ps)
{
    return ps->sent_count;
}

const struct sim_sent *sim_peers_sent(const struct sim_peers *ps, uint32_t index)
{
    return &ps->sent[index];
}

uint64_t sim_peer_key_of(struct span body)
{
    char text[17] = "";

    if (body.len < 25 || memcmp(body.ptr, "X-Sim: ", 7) != 0)
        return 0;
    memcpy(text, body.ptr + 7, 16);
    return strtoull(text, NULL, 16);
}
