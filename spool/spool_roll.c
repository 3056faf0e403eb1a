/*
 * Happy path: a record finds no room; the writes under way run out (PHASE_DRAIN), the next
 * segment's header is written alone (PHASE_OPEN), and records go on there (PHASE_RUN).
 *
 * Failure modes: a failed write drains as well, and the next header cuts the old segment; a failed
 * header leaves the writer stuck, and it tries another segment when something is asked of it.
 */
#include "spool/spool_roll.h"

#include <errno.h>

#include "spool/spool_append.h"
#include "spool/spool_segment.h"

/* Less room than this at the end of a segment is not worth a resume. */
#define RESUME_ROOM_BYTES (128u * 1024)

static void set_phase(struct spool *s, enum spool_phase phase)
{
    static const uint8_t from[] = {
        [PHASE_RUN] = 1 << PHASE_OPEN | 1 << PHASE_DRAIN,
        [PHASE_DRAIN] = 1 << PHASE_RUN,
        [PHASE_OPEN] = 1 << PHASE_DRAIN | 1 << PHASE_STUCK,
        [PHASE_STUCK] = 1 << PHASE_DRAIN | 1 << PHASE_OPEN,
    };

    ASSERT((from[phase] & 1 << s->phase) != 0);
    s->phase = phase;
}

static void write_opening(struct spool *s, struct spool_segment *g, uint64_t offset)
{
    struct spool_io_request r = {
        .op = SPOOL_IO_OP_WRITE_DURABLE,
        .file = g->file,
        .offset = offset,
        .data = s->open_block,
        .len = SPOOL_BLOCK_BYTES,
        .tag = &s->opening,
    };

    ASSERT(s->flight_count == 0); /* W5, W8 */
    ASSERT(!s->opening.flying);
    s->opening = (struct spool_flight){ .kind = FLIGHT_OPEN, .flying = true, .offset = offset };
    s->opening.len = SPOOL_BLOCK_BYTES;
    s->opening.segment = g;
    set_phase(s, PHASE_OPEN);
    s->io->ops->submit(s->io, &r);
}

/* The header of s->next, naming s->previous (W5, W6). */
static void open_next(struct spool *s)
{
    struct spool_segment *g = s->next;
    struct spool_segment_header h = {
        .flags = s->previous.cut ? SEGMENT_CUTS : 0,
        .sequence = s->sequence_max + 1,
        .generation = s->io->ops->random_u64(s->io),
        .segment_bytes = g->bytes,
        .previous = s->previous.sequence,
        .previous_end = s->previous.end,
    };

    ASSERT(g->zeroed >= SPOOL_BLOCK_BYTES);
    ASSERT(g->refs == 0); /* I7 */
    s->sequence_max++;
    g->sequence = h.sequence;
    g->previous = h.previous;
    g->cuts = s->previous.cut;
    s->generation = h.generation;
    spool_format_header_encode(&h, s->open_block);
    write_opening(s, g, 0);
}

/* W8: goes on in a segment behind the end that recovery found. */
static void open_by_resume(struct spool *s, const struct spool_found_segment *found)
{
    struct spool_resume body = {
        .generation = s->io->ops->random_u64(s->io),
        .previous_end = found->end,
    };
    struct spool_record r = {
        .type = RECORD_RESUME,
        .generation = found->generation,
        .offset = spool_format_block_up(found->end),
        .body_bytes = sizeof(body),
        .span_bytes = SPOOL_BLOCK_BYTES,
    };

    ASSERT(s->active->sequence == found->header.sequence);
    memset(s->open_block, 0, SPOOL_BLOCK_BYTES);
    memcpy(s->open_block + sizeof(r), &body, sizeof(body));
    spool_format_record_seal(&r, &body);
    memcpy(s->open_block, &r, sizeof(r));
    s->generation = body.generation;
    write_opening(s, s->active, r.offset);
}

/* `active` takes no more: what the next header will say of it. */
static void leave_active(struct spool *s, enum spool_use use)
{
    ASSERT(s->flight_count == 0);
    ASSERT(s->open == NULL);
    s->previous = (struct spool_previous){ s->active->sequence, s->durable_end, s->sealed };
    s->active->use = use;
    spool_segment_close(s, s->active);
    s->active = NULL;
}

static void opened_next(struct spool *s, struct spool_segment *g, int error)
{
    ASSERT(g == s->next);
    ASSERT(s->active == NULL);
    s->next = NULL;
    spool_append_answer_withheld(s, error == 0);
    if (error != 0) {
        /* W7: `previous` stays. */
        s->error = error;
        g->use = USE_DOUBTFUL;
        g->sequence = 0; /* whether its header is there or not, nothing stands in it */
        g->cuts = false;
        spool_segment_close(s, g);
        set_phase(s, PHASE_STUCK);
        return;
    }
    s->active = g;
    s->offset = SPOOL_BLOCK_BYTES;
    s->durable_end = s->offset;
    s->sealed = false;
    s->holed = false;
    s->error = 0;
    s->chosen_ahead = false;
    set_phase(s, PHASE_RUN);
    spool_segment_log(s, LOG_LEVEL_INFO, "spool_segment_opened", g, 0);
}

void spool_roll_opened(struct spool *s, struct spool_flight *f, int error)
{
    struct spool_segment *g = f->segment;

    ASSERT(f == &s->opening);
    ASSERT(f->flying);
    ASSERT(s->phase == PHASE_OPEN);
    f->flying = false;
    if (error != 0) {
        spool_segment_log(s, LOG_LEVEL_ERROR, "spool_segment_not_opened", g, error);
        counter_inc(s->env.counters, COUNTER_SPOOL_WRITE_ERRORS);
    }
    if (g != s->active) {
        opened_next(s, g, error);
        return;
    }
    if (error != 0) {
        s->sealed = true;
        s->error = error;
        leave_active(s, USE_BROKEN);
        set_phase(s, PHASE_STUCK);
        return;
    }
    s->offset = f->offset + f->len;
    s->durable_end = s->offset;
    set_phase(s, PHASE_RUN);
}

bool spool_roll_want(struct spool *s)
{
    if (s->phase == PHASE_DRAIN || s->phase == PHASE_OPEN)
        return true;
    if (!spool_segment_choose(s))
        return false;
    if (s->phase == PHASE_RUN)
        set_phase(s, PHASE_DRAIN);
    return true;
}

void spool_roll_seal(struct spool *s, int error)
{
    ASSERT(error != 0);
    if (s->sealed)
        return;
    ASSERT(s->phase == PHASE_RUN || s->phase == PHASE_DRAIN);
    s->sealed = true;
    s->error = error;
    counter_inc(s->env.counters, COUNTER_SPOOL_SEALED);
    spool_segment_log(s, LOG_LEVEL_ERROR, "spool_segment_sealed", s->active, error);
    if (s->phase == PHASE_RUN)
        set_phase(s, PHASE_DRAIN);
}

/* The last write to `active` has ended. */
static void drained(struct spool *s)
{
    if (s->sealed) {
        spool_append_cut(s);
        leave_active(s, USE_BROKEN);
        set_phase(s, PHASE_STUCK);
        return;
    }
    ASSERT(s->durable_end == s->offset);
    if (!spool_segment_choose(s)) {
        set_phase(s, PHASE_RUN); /* the next one was lost again; small records may still fit */
        return;
    }
    if (s->next->zeroed < SPOOL_BLOCK_BYTES)
        return;
    leave_active(s, USE_SEALED);
    open_next(s);
}

unsigned spool_roll_turn(struct spool *s)
{
    enum spool_phase before = s->phase;

    if (s->phase == PHASE_RUN && !s->chosen_ahead) {
        s->chosen_ahead = true;
        (void)spool_segment_choose(s); /* in vain: tried again when there is need */
    }
    if (s->phase == PHASE_DRAIN && s->flight_count == 0)
        drained(s);
    if (s->phase == PHASE_STUCK && !list_empty(&s->withheld) && !spool_segment_choose(s))
        spool_append_answer_withheld(s, false);
    if (s->phase == PHASE_STUCK && s->next != NULL && s->next->zeroed >= SPOOL_BLOCK_BYTES)
        open_next(s);
    return spool_segment_zero(s) + (s->phase != before);
}

void spool_roll_start(struct spool *s, const struct spool_found *found)
{
    const struct spool_found_segment *newest = spool_recover_newest(found);
    struct spool_segment *g;
    char name[SPOOL_NAME_BYTES];

    ASSERT(s->phase == PHASE_STUCK);
    ASSERT(s->active == NULL);
    if (newest == NULL)
        return;
    g = &s->segments[newest - found->segments];
    ASSERT(g->number == newest->number);
    s->previous = (struct spool_previous){ newest->header.sequence, newest->end, false };
    if (spool_format_block_up(newest->end) + RESUME_ROOM_BYTES > g->bytes)
        return;
    spool_format_name(g->number, name);
    g->file = s->io->ops->open(s->io, name, SPOOL_IO_WRITE, 0);
    if (g->file < 0 || s->io->ops->sync(s->io, g->file) != 0) {
        spool_segment_log(s, LOG_LEVEL_ERROR, "spool_segment_not_opened", g, EIO);
        g->use = USE_BROKEN;
        spool_segment_close(s, g);
        return;
    }
    g->use = USE_TAKEN;
    g->limit = g->bytes;
    g->zeroed = g->bytes;
    s->active = g;
    s->durable_end = newest->end;
    open_by_resume(s, newest);
}
