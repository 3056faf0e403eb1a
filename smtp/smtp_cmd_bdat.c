/*
 * BDAT (RFC 3030): a message in chunks whose lengths are said ahead. Happy path: each chunk's bytes
 * are taken, 250; behind LAST the message is sealed and handed over like DATA's. Bytes are kept as
 * they are: BINARYMIME may hold anything, text is held to the one rule of line ends.
 *
 * Failure modes: a refused chunk's bytes are read and thrown away before its reply, as the client
 * has sent them already (RFC 3030, 2). A message that can't be taken refuses all of its chunks,
 * until LAST or RSET. A chunk without a length, or far past the size limit, ends the session.
 */
#include "smtp/smtp_priv.h"

/* There is no use in waiting for the end of such a chunk. */
static bool is_endless(const struct smtp_session *s, const struct smtp_chunk *chunk)
{
    return chunk->bytes / 2 > s->own.message_bytes_max;
}

enum smtp_reply_id smtp_cmd_bdat_check(struct smtp_session *s, struct smtp_call *call)
{
    if (s->state == SMTP_STATE_MAIL)
        return SMTP_REPLY_NO_RECIPIENTS;
    return is_endless(s, &call->chunk) ? SMTP_REPLY_TOO_BIG : SMTP_REPLY_NONE;
}

enum smtp_reply_id smtp_cmd_bdat_skip(struct smtp_session *s, const struct smtp_call *call,
                                      enum smtp_reply_id refusal)
{
    ASSERT(refusal != SMTP_REPLY_NONE);
    if (is_endless(s, &call->chunk))
        return smtp_session_stop(s, refusal, "endless chunk");
    if (call->chunk.bytes == 0)
        return refusal;
    s->chunk_left = call->chunk.bytes;
    s->skip_back = s->state;
    s->skip_reply = refusal;
    smtp_session_set_state(s, SMTP_STATE_SKIP);
    return SMTP_REPLY_NONE;
}

/* All bytes of a chunk were taken: its reply, or NONE when durability is awaited. */
static enum smtp_reply_id end_chunk(struct smtp_session *s)
{
    enum smtp_reply_id refusal;

    ASSERT(s->chunk_left == 0);
    if (s->chunk_last)
        smtp_tx_end_of_chunks(s->tx);
    refusal = smtp_tx_refusal(s);
    if (!s->chunk_last) {
        smtp_session_set_state(s, SMTP_STATE_CHUNKS);
        return refusal != SMTP_REPLY_NONE ? refusal : SMTP_REPLY_CHUNK_OK;
    }
    if (refusal != SMTP_REPLY_NONE) {
        smtp_cmd_data_finish(s, false);
        return refusal;
    }
    smtp_tx_seal(s);
    smtp_session_set_state(s, SMTP_STATE_DURABLE);
    return SMTP_REPLY_NONE;
}

enum smtp_reply_id smtp_cmd_bdat_act(struct smtp_session *s, struct smtp_call *call)
{
    bool binary = s->tx->type == SMTP_BODY_TYPE_BINARYMIME;

    ASSERT(s->tx->recipients > 0);
    if (s->state == SMTP_STATE_RCPT)
        smtp_tx_set_form(s, binary ? SMTP_BODY_BINARY : SMTP_BODY_LINES);
    s->chunk_left = call->chunk.bytes;
    s->chunk_last = call->chunk.last;
    if (s->chunk_left == 0)
        return end_chunk(s);
    smtp_session_set_state(s, SMTP_STATE_CHUNK);
    return SMTP_REPLY_NONE;
}

enum smtp_body_outcome smtp_cmd_bdat_feed(struct smtp_session *s, struct span bytes,
                                          uint32_t *taken)
{
    struct span mine = bytes;

    ASSERT(s->state & (SMTP_STATE_CHUNK | SMTP_STATE_SKIP));
    ASSERT(s->owed == SMTP_REPLY_NONE);
    if (mine.len > s->chunk_left)
        mine.len = (uint32_t)s->chunk_left;
    if (s->state == SMTP_STATE_CHUNK && !smtp_body_over(&s->tx->body))
        (void)smtp_tx_scan(s->tx, mine);
    *taken = mine.len;
    s->chunk_left -= mine.len;
    if (s->chunk_left > 0)
        return SMTP_BODY_MORE;
    if (s->state == SMTP_STATE_CHUNK) {
        s->owed = end_chunk(s);
    } else {
        s->owed = s->skip_reply;
        smtp_session_set_state(s, s->skip_back);
    }
    return s->state == SMTP_STATE_DURABLE ? SMTP_BODY_SEALED : SMTP_BODY_END;
}
