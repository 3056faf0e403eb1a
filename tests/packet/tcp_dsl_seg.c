/* See tcp_dsl_seg.h. */
#include "tcp_dsl_seg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ECT0 2 /* RFC 3168, 5 */

static const char flag_letters[] = "FSRPAUEC";

uint8_t tcp_dsl_pattern(uint32_t offset)
{
    return (uint8_t)(offset * 2654435761U >> 24);
}

static bool parse_flags(const char *text, uint8_t *flags)
{
    *flags = 0;
    if (strcmp(text, "-") == 0)
        return true;
    for (; *text != '\0'; text++) {
        const char *at = strchr(flag_letters, *text);

        if (at == NULL)
            return false;
        *flags |= (uint8_t)(1U << (at - flag_letters));
    }
    return true;
}

static bool parse_options(const char *key, const char *value, struct tcp_dsl_seg *out)
{
    struct tcp_header *h = &out->h;
    char *rest = NULL;
    uint32_t n = (uint32_t)strtoul(value, &rest, 0);

    if (strcmp(key, "mss") == 0) {
        h->mss = (uint16_t)n;
        h->options |= TCP_HAS_MSS;
        out->given |= TCP_DSL_MSS;
    } else if (strcmp(key, "ws") == 0) {
        h->wscale = (uint8_t)n;
        h->options |= TCP_HAS_WSCALE;
        out->given |= TCP_DSL_WS;
    } else if (strcmp(key, "sackok") == 0) {
        h->options |= TCP_HAS_SACK_OK;
        out->given |= TCP_DSL_SACK_OK;
    } else if (strcmp(key, "ts") == 0) {
        h->ts_val = n;
        out->echo = strcmp(rest, ":ours") == 0;
        h->ts_ecr = *rest == ':' && !out->echo ? (uint32_t)strtoul(rest + 1, NULL, 0) : 0;
        h->options |= TCP_HAS_TS;
        out->given |= TCP_DSL_TS;
    } else if (strcmp(key, "ecr") == 0) {
        h->ts_ecr = n;
        out->given |= TCP_DSL_TS_ECR;
    } else if (strcmp(key, "sack") == 0 && h->sack_count < TCP_WIRE_SACKS_MAX) {
        h->sacks[h->sack_count].start = n;
        h->sacks[h->sack_count++].end = (uint32_t)strtoul(rest + 1, NULL, 0);
    } else {
        return false;
    }
    return true;
}

static bool parse_no(const char *value, struct tcp_dsl_seg *out)
{
    if (strcmp(value, "ts") == 0)
        out->given |= TCP_DSL_NO_TS;
    else if (strcmp(value, "ws") == 0)
        out->given |= TCP_DSL_NO_WS;
    else if (strcmp(value, "sack") == 0)
        out->given |= TCP_DSL_NO_SACK;
    else
        return false;
    return true;
}

static bool parse_pair(const char *key, const char *value, struct tcp_dsl_seg *out)
{
    uint32_t n = (uint32_t)strtol(value, NULL, 0);

    if (strcmp(key, "seq") == 0) {
        out->h.seq = n;
        out->given |= TCP_DSL_SEQ;
    } else if (strcmp(key, "ack") == 0) {
        out->h.ack = n;
        out->given |= TCP_DSL_ACK;
    } else if (strcmp(key, "wnd") == 0) {
        out->h.wnd = (uint16_t)n;
        out->given |= TCP_DSL_WND;
    } else if (strcmp(key, "len") == 0) {
        out->len = n;
    } else if (strcmp(key, "port") == 0) {
        out->src_port = (uint16_t)n;
    } else if (strcmp(key, "tos") == 0) {
        out->tos = (uint8_t)n;
        out->given |= TCP_DSL_TOS;
    } else if (strcmp(key, "to") == 0) {
        out->broadcast = true;
    } else if (strcmp(key, "no") == 0) {
        return parse_no(value, out);
    } else {
        return parse_options(key, value, out);
    }
    return true;
}

bool tcp_dsl_seg_parse(char **words, unsigned count, struct tcp_dsl_seg *out)
{
    memset(out, 0, sizeof(*out));
    out->h.wnd = 60000;
    if (count == 0 || !parse_flags(words[0], &out->h.flags))
        return false;
    for (unsigned i = 1; i < count; i++) {
        char *value = strchr(words[i], '=');

        if (value == NULL)
            return false;
        *value++ = '\0';
        if (!parse_pair(words[i], value, out))
            return false;
    }
    return true;
}

void tcp_dsl_seg_build(const struct tcp_dsl_base *base, const struct tcp_dsl_seg *seg,
                       struct seg *s)
{
    struct tcp_header h = seg->h;
    uint32_t offset = seg->h.seq - (seg->h.flags & TCP_SYN ? 0 : 1);

    h.seq += base->peer;
    if (h.flags & TCP_ACK)
        h.ack += base->ours;
    if (seg->echo)
        h.ts_ecr = base->ours_ts;
    for (unsigned i = 0; i < h.sack_count; i++) {
        h.sacks[i].start += base->ours;
        h.sacks[i].end += base->ours;
    }
    s->len = tcp_wire_emit(&h, s->data);
    for (uint32_t i = 0; i < seg->len; i++)
        s->data[s->len + i] = tcp_dsl_pattern(offset + i);
    s->len += seg->len;
}

bool tcp_dsl_seg_record(struct tcp_dsl_base *base, const struct seg *s, struct tcp_dsl_seg *out)
{
    struct tcp_header *h = &out->h;

    memset(out, 0, sizeof(*out));
    if (!tcp_wire_parse(s->data, s->len, h))
        return false;
    out->len = s->len - h->header_len;
    out->tos = s->flags & SEG_TX_ECT ? ECT0 : 0;
    if (h->flags & TCP_SYN) {
        base->ours = h->seq;
        base->ours_known = true;
        base->ours_ts = h->options & TCP_HAS_TS ? h->ts_val : 0;
    }
    h->seq -= base->ours;
    if (h->flags & TCP_ACK)
        h->ack -= base->peer;
    for (unsigned i = 0; i < h->sack_count; i++) {
        h->sacks[i].start -= base->peer;
        h->sacks[i].end -= base->peer;
    }
    out->payload_good = true;
    for (uint32_t i = 0; i < out->len; i++)
        out->payload_good &= s->data[h->header_len + i] == tcp_dsl_pattern(h->seq - 1 + i);
    return true;
}

static bool options_match(const struct tcp_dsl_seg *want, const struct tcp_dsl_seg *got)
{
    const struct tcp_header *w = &want->h;
    const struct tcp_header *g = &got->h;
    uint32_t given = want->given;

    if (given & TCP_DSL_MSS && (!(g->options & TCP_HAS_MSS) || g->mss != w->mss))
        return false;
    if (given & TCP_DSL_WS && (!(g->options & TCP_HAS_WSCALE) || g->wscale != w->wscale))
        return false;
    if (given & TCP_DSL_SACK_OK && !(g->options & TCP_HAS_SACK_OK))
        return false;
    if (given & (TCP_DSL_TS | TCP_DSL_TS_ECR) && !(g->options & TCP_HAS_TS))
        return false;
    if (given & TCP_DSL_TS_ECR && g->ts_ecr != w->ts_ecr)
        return false;
    if (given & TCP_DSL_NO_TS && g->options & TCP_HAS_TS)
        return false;
    if (given & TCP_DSL_NO_WS && g->options & TCP_HAS_WSCALE)
        return false;
    if (given & TCP_DSL_NO_SACK && (g->sack_count > 0 || g->options & TCP_HAS_SACK_OK))
        return false;
    if (w->sack_count > 0 && w->sack_count != g->sack_count)
        return false;
    return memcmp(w->sacks, g->sacks, w->sack_count * sizeof(w->sacks[0])) == 0;
}

bool tcp_dsl_seg_matches(const struct tcp_dsl_seg *want, const struct tcp_dsl_seg *got)
{
    if (want->h.flags != got->h.flags || want->len != got->len || !got->payload_good)
        return false;
    if (want->given & TCP_DSL_SEQ && want->h.seq != got->h.seq)
        return false;
    if (want->given & TCP_DSL_ACK && want->h.ack != got->h.ack)
        return false;
    if (want->given & TCP_DSL_TOS && want->tos != got->tos)
        return false;
    if (want->given & TCP_DSL_WND && want->h.wnd != got->h.wnd)
        return false;
    return options_match(want, got);
}

const char *tcp_dsl_seg_text(const struct tcp_dsl_seg *seg, char *to, size_t cap)
{
    const struct tcp_header *h = &seg->h;
    char flags[9] = { 0 };
    unsigned n = 0;
    int used;

    for (unsigned i = 0; i < 8; i++) {
        if (h->flags & 1U << i)
            flags[n++] = flag_letters[i];
    }
    used = snprintf(
        to, cap, "%s seq=%u ack=%u len=%u wnd=%u%s%s%s%s", flags, h->seq, h->ack, seg->len, h->wnd,
        h->options & TCP_HAS_TS ? " ts" : "", h->options & TCP_HAS_WSCALE ? " ws" : "",
        h->options & TCP_HAS_SACK_OK ? " sackok" : "", seg->payload_good ? "" : " WRONG BYTES");
    for (unsigned i = 0; i < h->sack_count && used > 0 && (size_t)used < cap; i++)
        used += snprintf(to + used, cap - (size_t)used, " sack=%u-%u", h->sacks[i].start,
                         h->sacks[i].end);
    return to;
}
