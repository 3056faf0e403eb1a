/*
 * A spool on the simulated disk for unit tests, and segments made by hand: records are put together
 * with spool_format's own calls, and the place of each is the test's to choose.
 *
 * Happy path: rig_make; images put on rig.disk, or rig_open and messages through rig.port; what is
 * then on the disk is read by rig_read; rig_unmake.
 */
#ifndef POSTERN_TESTS_UNIT_SPOOL_RIG_H
#define POSTERN_TESTS_UNIT_SPOOL_RIG_H

#include "sim/sim_disk.h"
#include "spool/spool.h"
#include "spool/spool_format.h"

#define RIG_SEGMENT_BYTES (256u * 1024)

struct rig {
    struct clock clock;
    struct rng rng;
    struct counters counters;
    struct sim_disk *disk;
    struct spool_io *io;
    struct spool_config
        config; /* one worker, segments of RIG_SEGMENT_BYTES; a test may change it */
    struct spool_recovery recovery;
    struct spool *spool;
    struct spool_port *port; /* of worker 0 */
    char why[256];           /* of the last call that refused */
};

void rig_make(struct rig *r, uint64_t seed);
void rig_unmake(struct rig *r);
/* False: with a sentence in r->why. */
bool rig_open(struct rig *r);
void rig_close(struct rig *r);
/* A turn of the writer, and the clock set to the end of the next write. */
void rig_step(struct rig *r);
/* Steps until the spool is idle. */
void rig_settle(struct rig *r);
/* The nth durable write or sync from now on fails; 0: none. */
void rig_fail_nth(struct rig *r, uint64_t nth);
/* The nth list, open, read or blocking sync from now on fails; 0: none. */
void rig_fail_call(struct rig *r, uint64_t nth);

/* A message of `bytes` bytes, all of them made from its id, appended and its commit asked for. */
struct spool_message *rig_send(struct rig *r, uint64_t id, uint32_t bytes);
/* The state with which `id` ended, after as many steps as it takes; the message is released. */
enum spool_state rig_answer(struct rig *r);

/* A reader of what is on the disk now; it must open. */
struct spool_reader *rig_read(struct rig *r);
/* Is it there, whole, with the body that rig_send gave it? */
bool rig_reads(struct spool_reader *reader, uint64_t id, uint32_t bytes);
/* The same, by a reader of its own. */
bool rig_holds(struct rig *r, uint64_t id, uint32_t bytes);
void rig_fill(uint64_t id, uint64_t offset, uint8_t *to, uint32_t len);

/* --- segments by hand ------------------------------------------------------------------------ */

struct rig_image {
    uint8_t *bytes;
    struct spool_segment_header header;
    uint64_t generation; /* of the next record */
    uint64_t at;         /* where it goes */
};

/* A message on its way into an image. */
struct rig_mail {
    uint64_t ticket;
    uint64_t id;
    uint64_t bytes;
    uint32_t extents;
    uint32_t crc;
};

/* An empty segment of RIG_SEGMENT_BYTES, or so many bytes, that names none before it. */
void rig_image_make(struct rig_image *g, uint64_t sequence, uint64_t generation);
void rig_image_make_sized(struct rig_image *g, uint64_t sequence, uint64_t bytes);
void rig_image_free(struct rig_image *g);
/* Its header names a segment before it. */
void rig_image_follow(struct rig_image *g, uint64_t previous, uint64_t previous_end,
                      uint32_t flags);
/* Seals r (type, ticket, number, body_bytes) at g->at; returns where that was. */
uint64_t rig_image_record(struct rig_image *g, struct spool_record r, const void *body);
uint64_t rig_image_extent(struct rig_image *g, struct rig_mail *m, const char *text);
uint64_t rig_image_commit(struct rig_image *g, const struct rig_mail *m);
/* An extent and its commit; the ticket is the id. */
void rig_image_message(struct rig_image *g, uint64_t id, const char *text);
/* At the next block, naming previous_end. */
void rig_image_resume(struct rig_image *g, uint64_t previous_end, uint64_t generation);
/* Onto the disk, as segment-0000000N. */
void rig_image_put(const struct rig_image *g, struct rig *r, uint32_t number);

#endif
