/*
 * A segment file from anybody, alone in a directory of the simulated disk: opened by a reader,
 * which reads every body, then by the writer, which goes on in it or beside it, and read once more.
 *
 * Records are sealed by a generation that a stranger would have to know; the corpus has it right
 * and leaves the rest to the mutations. So that they get behind the checksums, an input that begins
 * with 'R' has the header and the records that it names by its length fields sealed anew first.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "sim/sim_disk.h"
#include "spool/spool.h"
#include "spool/spool_format.h"

#define FILE_BYTES (256u * 1024)
#define NAME       "segment-00000001"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- sealing anew ---------------------------------------------------------------------------- */

static void seal_header(uint8_t *file)
{
    struct spool_segment_header h;

    memcpy(&h, file, sizeof(h));
    h.crc = spool_format_crc(0, &h, offsetof(struct spool_segment_header, crc));
    memcpy(file, &h, sizeof(h));
}

/* Seals the record at an offset; returns where the next one begins. */
static uint64_t seal_record(uint8_t *file, uint64_t at, uint64_t *generation)
{
    struct spool_resume resume;
    struct spool_record r;

    memcpy(&r, file + at, sizeof(r));
    r.generation = *generation;
    r.offset = at;
    if (r.body_bytes <= FILE_BYTES - at - sizeof(r))
        r.body_crc = spool_format_crc(*generation, file + at + sizeof(r), r.body_bytes);
    r.crc = spool_format_crc(*generation, &r, offsetof(struct spool_record, crc));
    memcpy(file + at, &r, sizeof(r));
    if (r.type == RECORD_RESUME && at + sizeof(r) + sizeof(resume) <= FILE_BYTES) {
        memcpy(&resume, file + at + sizeof(r), sizeof(resume));
        *generation = resume.generation;
    }
    return at + (r.span_bytes > sizeof(r) ? r.span_bytes & ~7u : sizeof(r));
}

static void seal_records(uint8_t *file)
{
    struct spool_segment_header h;
    uint64_t at = SPOOL_BLOCK_BYTES;

    memcpy(&h, file, sizeof(h));
    while (at + sizeof(struct spool_record) <= FILE_BYTES) {
        if (memcmp(file + at, "PREC", 4) == 0)
            at = seal_record(file, at, &h.generation);
        else if (at % SPOOL_BLOCK_BYTES != 0)
            at = spool_format_block_up(at);
        else
            return;
    }
}

/* --- what everybody may do with it ----------------------------------------------------------- */

static void read_bodies(struct spool_reader *r)
{
    static uint8_t room[LIMIT_EXTENT_BYTES];
    struct mail m;

    for (uint64_t i = 0; spool_reader_at(r, i, &m); i++) {
        struct span rest = m.envelope;
        struct mail_field f;
        uint64_t at = 0;
        int64_t n = 1;

        ASSERT(m.id != 0);
        while (mail_field_next(&rest, &f))
            continue;
        while (n > 0) {
            struct buf out = { room, 0, sizeof(room) };

            n = spool_reader_body(r, i, at, &out);
            at += n > 0 ? (uint64_t)n : 0;
        }
        ASSERT(spool_reader_damaged(r, i) == (n < 0));
        ASSERT(n < 0 || at == m.body_bytes);
    }
}

static void look(struct sim_disk *d, struct spool_recovery *totals)
{
    uint8_t text[256];
    struct buf why = { text, 0, sizeof(text) };
    struct spool_reader *r = spool_reader_open(sim_disk_io(d), &why);

    ASSERT(r != NULL);
    spool_reader_totals(r, totals);
    ASSERT(totals->messages + totals->damaged == spool_reader_count(r));
    read_bodies(r);
    spool_reader_close(r);
}

/* I8: what a reader has found the writer finds, and leaves there. */
static void write_on(struct sim_disk *d)
{
    static const struct spool_config config = {
        .bytes_max = 4 * FILE_BYTES,
        .segment_bytes = FILE_BYTES,
        .ports = 1,
        .extents_per_port = 1,
        .messages_per_port = 1,
    };
    uint8_t text[256];
    struct buf why = { text, 0, sizeof(text) };
    struct counters counters = { 0 };
    struct spool_env env = { .io = sim_disk_io(d), .counters = &counters };
    struct spool_recovery before;
    struct spool_recovery found;
    struct spool_recovery after;
    struct spool *s;

    look(d, &before);
    s = spool_open(&config, &env, &found, &why);
    ASSERT((s == NULL) == (why.len > 0));
    if (s == NULL)
        return;
    ASSERT(found.messages == before.messages);
    ASSERT(found.damaged == before.damaged);
    spool_close(s);
    look(d, &after);
    ASSERT(after.messages == before.messages);
    ASSERT(after.damaged == before.damaged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t file[FILE_BYTES];
    struct clock clock = { NS_PER_S, 1790000000000ULL };
    struct sim_disk *d;
    struct rng rng;

    if (size == 0 || size > FILE_BYTES)
        return 0;
    memset(file, 0, sizeof(file));
    memcpy(file, data + 1, size - 1);
    if (data[0] == 'R') {
        seal_header(file);
        seal_records(file);
    }
    rng_seed(&rng, size);
    d = sim_disk_create(&clock, &rng, false);
    sim_disk_put(d, NAME, file, data[0] == 'S' ? size - 1 : sizeof(file));
    write_on(d);
    sim_disk_destroy(d);
    return 0;
}
