/*
 * Cycles of one record, in and out, through struct stream: BoringSSL's layer and ours in turns on
 * one core, with the AEAD alone beside them. Not run by the tests; prints medians, least and most.
 *
 *     taskset -c 1 build/tests/unit/tls/micro_record [RUNS]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#include <cmocka.h>

#include "tls/tls_conn.h"
#include "unit/tls/forge.h"

#define RUNS_MAX 999
#define BATCH    4  /* records that lie ready at once: the largest fit into the second cache */
#define BATCHES  10 /* a run is short, so that most are not disturbed */

enum side { SIDE_OWN, SIDE_BORINGSSL, SIDE_AEAD, SIDES };

static const char *const side_names[SIDES] = { "own", "boringssl", "aead" };
static struct rig rigs[2];
static struct forge forges[2];
static uint8_t text[TLS_RECORD_PLAIN_MAX], place[TLS_RECORD_MAX];
static uint64_t figures[SIDES][RUNS_MAX];
static unsigned runs = RUNS_MAX;

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void print(const char *what, uint32_t bytes, unsigned sides)
{
    printf("%-24s %6u B ", what, bytes);
    for (unsigned s = 0; s < sides; s++) {
        qsort(figures[s], runs, sizeof(uint64_t), compare);
        printf(" %s %lu (%lu..%lu)", side_names[s], figures[s][runs / 2], figures[s][0],
               figures[s][runs - 1]);
    }
    printf("\n");
}

/* The forged record on the wire, in segments as a network of 1,500 bytes brings them. */
static void put_full(struct forge *f, uint32_t len)
{
    struct stream *s = mem_stream_end(f->rig->wire, 1);
    uint32_t at = 0;

    while (at < len) {
        struct seg *seg = s->ops->reserve(s, 1);
        struct span part = span_first(span_of(f->record + at, len - at), seg_tailroom(seg));

        memcpy(seg->data, part.ptr, part.len);
        seg->len = part.len;
        at += part.len;
        s->ops->commit(s, seg);
    }
}

static uint64_t open_batch(unsigned side, uint32_t bytes)
{
    struct stream *s = tls_conn_stream(rigs[side].conn);
    struct forge *f = &forges[side];
    uint32_t got = 0;
    uint64_t begin;

    memcpy(f->inner, text, bytes);
    f->inner[bytes] = TLS_RECORD_DATA;
    for (unsigned i = 0; i < BATCH; i++)
        put_full(f, forge_seal(f, bytes + 1, NULL));
    begin = __rdtsc();
    tls_conn_update(rigs[side].conn);
    while (got < BATCH * bytes)
        got += s->ops->read(s, place, LIMIT_READ_BYTES);
    return __rdtsc() - begin;
}

static uint64_t aead_batch(uint32_t bytes)
{
    struct forge *f = &forges[0];
    struct tls_record_secret s = f->secret;
    uint8_t nonce[12];
    uint64_t begin;
    size_t len = forge_seal(f, bytes + 1, NULL) - 5;

    f->secret = s; /* it was not sent */
    tls_record_nonce(&f->key, s.sequence, nonce);
    begin = __rdtsc();
    for (unsigned i = 0; i < BATCH; i++) {
        size_t out;

        assert_true(EVP_AEAD_CTX_open(&f->key.aead, place, &out, sizeof(place), nonce, 12,
                                      f->record + 5, len, f->record, 5));
    }
    return __rdtsc() - begin;
}

static void measure_open(uint32_t bytes)
{
    for (unsigned run = 0; run < runs; run++) {
        uint64_t cycles[SIDES] = { 0 };

        for (unsigned i = 0; i < BATCHES; i++) {
            cycles[SIDE_OWN] += open_batch(SIDE_OWN, bytes);
            cycles[SIDE_BORINGSSL] += open_batch(SIDE_BORINGSSL, bytes);
            cycles[SIDE_AEAD] += aead_batch(bytes);
        }
        for (unsigned s = 0; s < SIDES; s++)
            figures[s][run] = cycles[s] / (BATCH * BATCHES);
    }
    print("open, a record", bytes, SIDES);
}

static uint64_t seal_batch(unsigned side, uint32_t bytes)
{
    struct stream *s = tls_conn_stream(rigs[side].conn);
    struct stream *client = mem_stream_end(rigs[side].wire, 1);
    uint64_t begin = __rdtsc(), cycles;

    for (unsigned i = 0; i < BATCH; i++) {
        struct seg *seg = s->ops->reserve(s, bytes);

        seg->len = bytes;
        s->ops->commit(s, seg);
    }
    cycles = __rdtsc() - begin;
    while (client->ops->read(client, place, sizeof(place)) > 0) {
    }
    return cycles;
}

static void measure_seal(uint32_t bytes)
{
    for (unsigned run = 0; run < runs; run++) {
        uint64_t cycles[2] = { 0 };

        for (unsigned i = 0; i < BATCHES; i++)
            for (unsigned s = 0; s < 2; s++)
                cycles[s] += seal_batch(s, bytes);
        for (unsigned s = 0; s < 2; s++)
            figures[s][run] = cycles[s] / (BATCH * BATCHES);
    }
    print("seal, a reply", bytes, 2);
}

static void measure_wake(void)
{
    for (unsigned run = 0; run < runs; run++) {
        uint64_t begin = __rdtsc();

        for (unsigned i = 0; i < 20; i++) {
            tls_awake_rest(rigs[0].conn);
            (void)tls_awake_keys(rigs[0].conn);
        }
        figures[SIDE_OWN][run] = (__rdtsc() - begin) / 20;
    }
    print("keys of an idle one", 0, 1);
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = { 64, 1400, 4096, 16384 };

    if (argc > 1)
        runs = (unsigned)strtoul(argv[1], NULL, 10);
    if (runs == 0 || runs > RUNS_MAX) {
        fprintf(stderr, "usage: micro_record [RUNS: 1 to %u]\n", RUNS_MAX);
        return 2;
    }
    for (unsigned s = 0; s < 2; s++) {
        rig_boringssl_records = s == SIDE_BORINGSSL;
        rig_open(&rigs[s], &(struct rig_config){ .tls13_only = true });
        forge_begin(&forges[s], &rigs[s], NULL);
        rig_server_send(&rigs[s], "220 x\r\n");
    }
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        measure_open(sizes[i]);
    measure_seal(40);
    measure_seal(1000);
    measure_wake();
    printf("a connection at rest: %zu bytes, its expanded keys: %zu\n", sizeof(struct tls_conn),
           sizeof(struct tls_awake));
    for (unsigned s = 0; s < 2; s++) {
        forge_end(&forges[s]);
        rig_close(&rigs[s]);
    }
    return 0;
}
