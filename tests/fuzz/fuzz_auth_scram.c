/*
 * SCRAM with anybody: up to three messages, a line each, the first byte saying how the channel is
 * bound. Held: an answer is one challenge and no more, nobody without keys gets past the proof, and
 * keys of the users file are read or refused with a sentence.
 */
#include <string.h>

#include "base/assert.h"
#include "gateway/auth_exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span take_line(struct span *text)
{
    const uint8_t *end = text->len > 0 ? memchr(text->ptr, '\n', text->len) : NULL;
    struct span line = span_first(*text, end ? (uint32_t)(end - text->ptr) : text->len);

    *text = span_skip(*text, line.len + 1);
    return line;
}

static void exchange(struct span text, uint8_t channel, const struct auth_users *u)
{
    struct auth_exchange x = { .turn = AUTH_EXCHANGE_FIRST };
    struct smtp_client from = {
        .mechanisms = SMTP_MECHANISM_SCRAM | (channel & 2 ? SMTP_MECHANISM_SCRAM_PLUS : 0),
        .binding = SPAN_LITERAL("0123456789abcdef0123456789abcdef"),
        .end_point = SPAN_LITERAL("fedcba9876543210fedcba9876543210"),
    };
    struct smtp_auth q = {
        .mechanism = channel & 1 ? SMTP_MECHANISM_SCRAM_PLUS : SMTP_MECHANISM_SCRAM,
        .client = &from,
    };
    enum auth_exchange_outcome outcome = AUTH_EXCHANGE_ASKS;

    for (uint32_t turn = 0; turn < 3 && outcome == AUTH_EXCHANGE_ASKS; turn++) {
        q.message = take_line(&text);
        outcome = auth_exchange_step(&x, u, &q, SPAN_LITERAL("nonce"));
        ASSERT(x.answer_len <= LIMIT_SASL_CHALLENGE_BYTES);
        ASSERT(turn == 0 || x.real || outcome == AUTH_EXCHANGE_WRONG);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char file[] = "user:{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,"
                               "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
                               "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n";
    struct auth_scram_keys keys;
    uint8_t room[256];
    struct buf errors = { room, 0, sizeof(room) };
    struct auth_users *u;

    if (size < 1 || size > LIMIT_AUTH_LINE_BYTES)
        return 0;
    u = auth_users_parse("u", span_str(file), &errors);
    ASSERT(u != NULL);
    exchange(span_of(data + 1, (uint32_t)size - 1), data[0], u);
    if (auth_scram_keys_read(&keys, span_of(data, (uint32_t)size)) == NULL)
        ASSERT(keys.iterations >= LIMIT_SCRAM_ITERATIONS_LEAST && keys.salt_len > 0);
    auth_users_release(u);
    return 0;
}
