/*
 * The command connections: a row for each, of all workers or of some clients. A worker copies a
 * batch of those that are asked for, looking at few in a turn; main writes them down and asks for
 * more. So neither a table of a million nor one with nobody in it who is asked for holds a loop up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conn_view.h"
#include "gateway/control_command.h"

struct memory {
    uint64_t rows_left;
    struct addr_net clients;
    bool begun; /* with this worker */
    bool done;
    uint32_t count;
    struct conn_view rows[LIMIT_CONTROL_BATCH];
};

/* Numbers and networks look different: an address has a dot or a colon. */
static bool parse_word(struct control_run *r, struct span word)
{
    struct memory *m = r->memory;
    char text[ADDR_NET_TEXT_MAX];

    if (memchr(word.ptr, '.', word.len) == NULL && memchr(word.ptr, ':', word.len) == NULL)
        return control_command_number(r, word, LIMIT_CONTROL_ROWS, &m->rows_left);
    snprintf(text, sizeof(text), "%.*s", (int)word.len, (const char *)word.ptr);
    if (word.len < sizeof(text) && addr_net_parse(text, &m->clients))
        return true;
    control_command_error(r, "%s: must be an address, or a network like 192.0.2.0/24", text);
    return false;
}

static bool begin(struct control_run *r)
{
    struct memory *m = r->memory;

    m->rows_left = LIMIT_CONTROL_ROWS_DEFAULT;
    for (uint32_t i = 1; i < r->word_count; i++)
        if (!parse_word(r, r->words[i]))
            return false;
    json_out_open(r->out, "connections", '[');
    return true;
}

static bool answer(void *memory, const struct worker_parts *w)
{
    struct memory *m = memory;

    if (!m->begun) {
        conn_view_begin(w->conns);
        m->begun = true;
        m->count = 0;
    }
    for (uint32_t i = 0; i < LIMIT_CONTROL_LOOKS_PER_TURN; i++) {
        struct conn_view *row = &m->rows[m->count];

        if (m->count == LIMIT_CONTROL_BATCH || m->count == m->rows_left)
            return true;
        m->done = !conn_view_next(w->conns, row);
        if (m->done)
            return true;
        m->count += addr_net_has(&m->clients, &row->peer.addr);
    }
    return false;
}

static void put_endpoint(struct json_out *out, const char *key, const struct endpoint *e)
{
    char addr[ADDR_TEXT_MAX], text[ADDR_TEXT_MAX + 16];

    addr_format(&e->addr, addr);
    snprintf(text, sizeof(text), addr_is_v4(&e->addr) ? "%s:%u" : "[%s]:%u", addr, e->port);
    json_out_str(out, key, text);
}

static void put_text(struct json_out *out, const char *key, const char *text)
{
    json_out_str(out, key, text != NULL ? text : "");
}

static void put_wire(struct json_out *out, const struct stream_info *i)
{
    put_text(out, "tcp", i->state);
    json_out_u64(out, "srtt_us", i->srtt_us);
    json_out_u64(out, "rttvar_us", i->rttvar_us);
    json_out_u64(out, "rto_us", i->rto_us);
    json_out_u64(out, "backoff", i->backoff);
    json_out_u64(out, "cwnd", i->cwnd);
    json_out_u64(out, "ssthresh", i->ssthresh);
    json_out_u64(out, "snd_mss", i->snd_mss);
    json_out_u64(out, "rcv_mss", i->rcv_mss);
    json_out_u64(out, "unacked", i->unacked);
    json_out_u64(out, "sacked", i->sacked);
    json_out_u64(out, "lost", i->lost);
    json_out_u64(out, "retrans", i->retrans);
    json_out_u64(out, "snd_wnd", i->snd_wnd);
    json_out_u64(out, "rcv_wnd", i->rcv_wnd);
    json_out_u64(out, "bytes_in", i->bytes_in);
    json_out_u64(out, "bytes_out", i->bytes_out);
    json_out_u64(out, "idle_ms", i->idle_ms);
}

static void put_row(struct json_out *out, const struct conn_view *v)
{
    char name[40];

    snprintf(name, sizeof(name), "%u-%llu", v->worker, (unsigned long long)v->number);
    json_out_open(out, NULL, '{');
    json_out_str(out, "session", name);
    put_endpoint(out, "client", &v->peer);
    put_endpoint(out, "local", &v->local);
    json_out_str(out, "listener", v->listener);
    json_out_str(out, "phase", v->phase);
    json_out_u64(out, "age_ms", v->age_ms);
    json_out_span(out, "user", span_of(v->user, v->user_len));
    put_text(out, "tls", v->tls_version);
    put_text(out, "cipher", v->tls_cipher);
    json_out_u64(out, "commands", v->commands);
    json_out_u64(out, "messages", v->messages);
    json_out_u64(out, "body_bytes", v->body_bytes);
    put_wire(out, &v->wire);
    json_out_close(out, '}');
}

static bool tell(struct control_run *r)
{
    struct memory *m = r->memory;

    for (uint32_t i = 0; i < m->count; i++)
        put_row(r->out, &m->rows[i]);
    m->rows_left -= m->count;
    m->count = 0;
    m->begun = !m->done && m->rows_left > 0;
    return m->begun;
}

static void end(struct control_run *r)
{
    json_out_close(r->out, ']');
}

const struct control_command control_connections_list = {
    .name = "connections",
    .arguments = "[N] [CLIENT]",
    .help = "each connection, the oldest of each worker first; N at most (100), of an address or a "
            "network",
    .words_most = 3,
    .memory_bytes = sizeof(struct memory),
    .begin = begin,
    .answer = answer,
    .tell = tell,
    .end = end,
};
