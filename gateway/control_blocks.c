/*
 * The commands blocks and unblock: who was wrong too often (gateway/auth_throttle.h), and lifting
 * that. Each worker has its own records; a block is lifted on all.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/auth_throttle.h"
#include "gateway/control_command.h"

/* --- blocks ---------------------------------------------------------------------------------- */

struct listing {
    uint32_t next; /* place that is to be looked at */
    uint32_t count;
    uint64_t now_ns;
    struct auth_block rows[LIMIT_CONTROL_BATCH];
};

static bool begin_list(struct control_run *r)
{
    json_out_open(r->out, "blocks", '[');
    return true;
}

static bool answer_list(void *memory, const struct worker_parts *w)
{
    struct listing *l = memory;
    struct auth_throttle *guesses = auth_guesses(w->auth);

    l->now_ns = w->core->clock->now_ns;
    for (uint32_t i = 0; i < LIMIT_CONTROL_LOOKS_PER_TURN; i++) {
        if (l->next == LIMIT_THROTTLE_BLOCKS || l->count == LIMIT_CONTROL_BATCH)
            return true;
        l->count += auth_throttle_block_at(guesses, l->next, l->now_ns, &l->rows[l->count]);
        l->next++;
    }
    return false;
}

static void put_block(struct control_run *r, const struct auth_block *b, uint64_t now_ns)
{
    static const char *const kinds[AUTH_BLOCK_KINDS] = {
        [AUTH_BLOCK_CLIENT] = "client",
        [AUTH_BLOCK_NETWORK] = "network",
        [AUTH_BLOCK_LOGIN] = "login",
        [AUTH_BLOCK_PAIR] = "pair",
    };
    char where[ADDR_NET_TEXT_MAX] = "";

    if (b->where.bits == 128)
        addr_format(&b->where.addr, where);
    else if (b->kind != AUTH_BLOCK_LOGIN)
        addr_net_format(&b->where, where);
    json_out_open(r->out, NULL, '{');
    json_out_u64(r->out, "worker", r->worker);
    json_out_str(r->out, "kind", kinds[b->kind]);
    json_out_str(r->out, "client", where);
    json_out_span(r->out, "login", span_of(b->login, b->login_len));
    json_out_u64(r->out, "left_s", (b->until_ns - now_ns + NS_PER_S - 1) / NS_PER_S);
    json_out_close(r->out, '}');
}

static bool tell_list(struct control_run *r)
{
    struct listing *l = r->memory;

    for (uint32_t i = 0; i < l->count; i++)
        put_block(r, &l->rows[i], l->now_ns);
    l->count = 0;
    if (l->next < LIMIT_THROTTLE_BLOCKS)
        return true;
    l->next = 0;
    return false;
}

static void end_list(struct control_run *r)
{
    json_out_close(r->out, ']');
}

const struct control_command control_blocks_list = {
    .name = "blocks",
    .arguments = "",
    .help = "who is blocked for wrong guesses, and for how long",
    .words_most = 1,
    .memory_bytes = sizeof(struct listing),
    .begin = begin_list,
    .answer = answer_list,
    .tell = tell_list,
    .end = end_list,
};

/* --- unblock --------------------------------------------------------------------------------- */

struct lift {
    bool has_where;
    struct addr_net where;
    uint32_t login_len;
    uint8_t login[LIMIT_LOGIN_BYTES];
    bool lifted;
    uint64_t count; /* workers that had it */
};

static bool take_login(struct control_run *r, struct span word)
{
    struct lift *l = r->memory;

    if (l->login_len > 0 || word.len > sizeof(l->login)) {
        control_command_error(r, "%.*s: there can be one login, of %d bytes at most", (int)word.len,
                              (const char *)word.ptr, LIMIT_LOGIN_BYTES);
        return false;
    }
    memcpy(l->login, word.ptr, word.len);
    l->login_len = word.len;
    return true;
}

/* An address, a network, a login, or a login and an address. What reads as an address is one. */
static bool begin_lift(struct control_run *r)
{
    struct lift *l = r->memory;
    char text[ADDR_NET_TEXT_MAX];

    for (uint32_t i = 1; i < r->word_count; i++) {
        struct span word = r->words[i];
        int len = snprintf(text, sizeof(text), "%.*s", (int)word.len, (const char *)word.ptr);

        if (!l->has_where && (size_t)len < sizeof(text) && addr_net_parse(text, &l->where))
            l->has_where = true;
        else if (!take_login(r, word))
            return false;
    }
    return true;
}

static bool answer_lift(void *memory, const struct worker_parts *w)
{
    struct lift *l = memory;

    l->lifted = auth_throttle_unblock(auth_guesses(w->auth), l->has_where ? &l->where : NULL,
                                      span_of(l->login, l->login_len), w->core->clock->now_ns);
    return true;
}

static bool tell_lift(struct control_run *r)
{
    struct lift *l = r->memory;

    l->count += l->lifted;
    return false;
}

static void end_lift(struct control_run *r)
{
    const struct lift *l = r->memory;

    if (l->count == 0)
        control_command_error(r, "no such block; 'blocks' lists them");
    else
        json_out_u64(r->out, "lifted", l->count);
}

const struct control_command control_blocks_lift = {
    .name = "unblock",
    .arguments = "CLIENT | NETWORK | LOGIN | LOGIN CLIENT",
    .help = "lifts such a block on all workers, and forgets the guesses that led to it",
    .words_least = 2,
    .words_most = 3,
    .memory_bytes = sizeof(struct lift),
    .begin = begin_lift,
    .answer = answer_lift,
    .tell = tell_lift,
    .end = end_lift,
};
