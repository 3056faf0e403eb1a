/*
 * What a peer with the right keys can send after the handshake: inner plaintexts of any content,
 * type and padding, sealed here and opened from pieces into places of any size. Held: what comes
 * out is what a scan of the plaintext finds, nothing is written past its place, and a fault has an
 * alert and words. And headers, raw.
 *
 * Input: suite, piece, place (2 bytes), then records: a length (2 bytes) and that many bytes.
 */
#include "base/assert.h"
#include "base/byteorder.h"
#include "tls/tls_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define GUARD 0xee

static uint8_t record[TLS_RECORD_MAX + 16], to[TLS_RECORD_MAX], scratch[TLS_RECORD_BODY_MAX];
static struct span runs[TLS_RECORD_MAX];

struct setting {
    struct tls_record_key key;
    struct tls_record_secret in;
    struct tls_record_control control;
    uint32_t piece;
    uint32_t cap;
};

static void check_fault(const struct tls_record_fault *fault)
{
    ASSERT(fault->alert != 0);
    ASSERT(fault->reason != NULL && fault->reason[0] != 0);
}

static uint32_t seal(const struct setting *s, struct span inner)
{
    uint8_t nonce[12];
    size_t sealed = 0;

    record[0] = TLS_RECORD_DATA;
    store_be16(record + 1, 0x0303);
    store_be16(record + 3, (uint16_t)(inner.len + TLS_RECORD_TAG_BYTES));
    tls_record_nonce(&s->key, s->in.sequence, nonce);
    ASSERT(EVP_AEAD_CTX_seal(&s->key.aead, record + 5, &sealed, sizeof(record) - 5, nonce, 12,
                             inner.ptr, inner.len, record, 5));
    return 5 + (uint32_t)sealed;
}

/* Opens the record wholly, place by place, beside the plaintext that it was made of. */
static const struct tls_record_fault *open_all(struct setting *s, struct span inner,
                                               struct tls_record_job *job)
{
    do {
        const struct tls_record_fault *fault;

        memset(to, GUARD, sizeof(to));
        fault = tls_record_open(&s->key, &s->in, job);
        ASSERT(job->cap == sizeof(to) || to[job->cap] == GUARD);
        if (fault != NULL)
            return fault;
        ASSERT(job->content < inner.len && inner.ptr[job->content] == job->type);
        for (uint32_t i = job->content + 1; i < inner.len; i++)
            ASSERT(inner.ptr[i] == 0);
        if (job->type != TLS_RECORD_DATA) {
            ASSERT(memcmp(scratch, inner.ptr, job->content) == 0);
            return NULL;
        }
        ASSERT(job->given > 0 || job->content == 0);
        ASSERT(memcmp(to, inner.ptr + job->from, job->given) == 0);
        job->from += job->given;
    } while (job->from < job->content);
    return NULL;
}

static const struct tls_record_fault *one_record(struct setting *s, struct span inner)
{
    struct tls_record_job job = { .runs = runs, .to = to, .cap = s->cap, .scratch = scratch };
    uint32_t len = seal(s, inner), count = 0;
    const struct tls_record_fault *fault = tls_record_open_header(record, &job.len);
    struct tls_record_news news;

    if (fault != NULL)
        return fault;
    ASSERT(job.len == len);
    for (uint32_t at = 0; at < len; at += s->piece)
        runs[count++] = span_first(span_of(record + at, len - at), s->piece);
    fault = open_all(s, inner, &job);
    if (fault != NULL)
        return fault;
    s->in.sequence++;
    if (job.type == TLS_RECORD_DATA)
        return tls_record_control_data(&s->control, job.content);
    return tls_record_control_take(&s->control, job.type, span_of(scratch, job.content), &news);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t secret[48] = { 1 };
    struct span rest = span_of(data, (uint32_t)size);
    struct setting s = { .piece = 1 };
    const struct tls_record_fault *fault = NULL;

    if (rest.len < 5)
        return 0;
    fault = tls_record_open_header(data, &s.cap);
    if (fault != NULL)
        check_fault(fault);
    ASSERT(tls_record_secret_set(&s.in, (uint16_t)(0x1301 + data[0] % 3),
                                 span_of(secret, data[0] % 3 == 1 ? 48 : 32), data[0]));
    ASSERT(tls_record_key_make(&s.key, &s.in));
    s.piece += data[1] * 8u;
    s.cap = 1 + load_be16(data + 2) % TLS_RECORD_MAX;
    rest = span_skip(rest, 4);
    fault = NULL;
    while (rest.len > 2 && fault == NULL) {
        struct span inner = span_first(span_skip(rest, 2), load_be16(rest.ptr) % 16624u);

        rest = span_skip(rest, 2 + inner.len);
        if (s.cap > 64 || inner.len < 512) /* small places open a record again and again */
            fault = one_record(&s, inner);
    }
    if (fault != NULL)
        check_fault(fault);
    tls_record_key_wipe(&s.key);
    return 0;
}
