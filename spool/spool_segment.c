/*
 * Happy path: while one segment fills, the next one is chosen (one that holds nothing, or a new
 * file) and zeroed in chunks.
 *
 * Failure modes: zeros that cannot be written end the segment before them; where there is no
 * segment to be had (size limit, full disk), choosing is tried again with each request, at most
 * once a turn.
 */
#include "spool/spool_segment.h"

#include <errno.h>

#include "spool/spool_roll.h"

/* Room for any record; smaller files are not worth a header. */
#define USEFUL_BYTES (256u * 1024)

void spool_segment_log(struct spool *s, enum log_level level, const char *event,
                       const struct spool_segment *g, int error)
{
    struct log_line *line;
    char name[SPOOL_NAME_BYTES];

    if (s->env.log == NULL)
        return;
    line = log_begin(s->env.log, level, event);
    if (g != NULL) {
        spool_format_name(g->number, name);
        log_str(line, "segment", name);
        log_u64(line, "sequence", g->sequence);
    }
    if (error != 0)
        log_str(line, "error", strerror(error));
    log_end(s->env.log, line);
}

/* --- which messages stand where --------------------------------------------------------------- */

static void add_refs(struct spool *s, uint64_t after, uint64_t up_to, uint64_t n)
{
    for (uint32_t i = 0; i < s->segment_count; i++) {
        struct spool_segment *g = &s->segments[i];

        if (g->sequence > after && g->sequence <= up_to)
            g->refs += n;
    }
}

void spool_segment_hold(struct spool *s, struct spool_port_message *m, uint64_t end)
{
    uint64_t now = s->active->sequence;

    ASSERT(now != 0);
    ASSERT(m->last_sequence <= now);
    if (m->first_sequence == 0) {
        m->first_sequence = now;
        add_refs(s, now - 1, now, 1);
    } else if (m->last_sequence < now) {
        /* Those between as well: it costs nothing, and the way back is one range. */
        add_refs(s, m->last_sequence, now, 1);
    }
    m->last_sequence = now;
    m->last_end = end;
}

void spool_segment_let_go(struct spool *s, struct spool_port_message *m)
{
    if (m->first_sequence == 0)
        return;
    ASSERT(m->first_sequence <= m->last_sequence);
    add_refs(s, m->first_sequence - 1, m->last_sequence, UINT64_MAX); /* minus one */
    m->first_sequence = 0;
    m->last_sequence = 0;
    m->last_end = 0;
}

/* --- which segment is next -------------------------------------------------------------------- */

static bool is_there(const struct spool *s, uint64_t sequence)
{
    for (uint32_t i = 0; i < s->segment_count; i++)
        if (s->segments[i].sequence == sequence)
            return true;
    return false;
}

/* W9; and not while its zeros, or their sync, are still under way: its file is open until then. */
static bool may_be_used_again(const struct spool *s, const struct spool_segment *g)
{
    return g->use == USE_SEALED && g->file < 0 && g->refs == 0 && g->bytes >= USEFUL_BYTES &&
           g->sequence != s->previous.sequence && !(g->cuts && is_there(s, g->previous));
}

/* Opens a segment's file and takes it; 0 or errno. */
static int take(struct spool *s, struct spool_segment *g, enum spool_io_mode mode)
{
    char name[SPOOL_NAME_BYTES];
    int file;

    ASSERT(g->use == USE_READY || g->use == USE_SEALED);
    ASSERT(g->file < 0);
    ASSERT(s->next == NULL);
    spool_format_name(g->number, name);
    file = s->io->ops->open(s->io, name, mode, g->bytes);
    if (file < 0)
        return -file;
    g->file = file;
    g->use = USE_TAKEN;
    g->limit = g->bytes;
    g->zeroed = mode == SPOOL_IO_CREATE ? 0 : g->bytes;
    s->next = g;
    return 0;
}

static int take_old(struct spool *s)
{
    for (uint32_t i = 0; i < s->segment_count; i++) {
        struct spool_segment *g = &s->segments[i];
        int error;

        if (!may_be_used_again(s, g) && !(g->use == USE_READY && g->bytes >= USEFUL_BYTES))
            continue;
        error = take(s, g, SPOOL_IO_WRITE);
        if (error == 0)
            return 0;
        spool_segment_log(s, LOG_LEVEL_ERROR, "spool_segment_open_failed", g, error);
        g->use = USE_BROKEN;
    }
    return ENOENT;
}

/* The entry for a file to be made: one that was cut short before its first use, or a new one. */
static struct spool_segment *entry_for_new(struct spool *s)
{
    for (uint32_t i = 0; i < s->segment_count; i++)
        if (s->segments[i].use == USE_READY && s->segments[i].bytes < USEFUL_BYTES)
            return &s->segments[i];
    if (s->segment_count == LIMIT_SPOOL_SEGMENTS || s->number_max == SPOOL_NUMBER_MAX)
        return NULL;
    s->segments[s->segment_count] = (struct spool_segment){
        .number = s->number_max + 1,
        .file = -1,
        .use = USE_READY,
    };
    return &s->segments[s->segment_count];
}

static int take_new(struct spool *s)
{
    struct spool_segment *g;
    uint64_t bytes = s->config.segment_bytes;
    uint64_t before;
    int error;

    if (bytes > s->config.bytes_max || s->total_bytes > s->config.bytes_max - bytes)
        return ENOSPC;
    g = entry_for_new(s);
    if (g == NULL)
        return ENOSPC;
    before = g->bytes;
    g->bytes = bytes;
    error = take(s, g, SPOOL_IO_CREATE);
    if (error != 0) {
        g->bytes = before;
        return error;
    }
    s->total_bytes += bytes - before;
    if (g == &s->segments[s->segment_count]) {
        s->segment_count++;
        s->number_max = g->number;
    }
    return 0;
}

/* Last choice: one whose header or zeros were refused; the disk may be well again (W7). */
static int take_doubtful(struct spool *s)
{
    for (uint32_t i = 0; i < s->segment_count; i++) {
        struct spool_segment *g = &s->segments[i];

        if (g->use != USE_DOUBTFUL || g->file >= 0)
            continue;
        g->use = USE_READY;
        if (take(s, g, SPOOL_IO_WRITE) == 0)
            return 0;
        g->use = USE_BROKEN;
    }
    return ENOSPC;
}

bool spool_segment_choose(struct spool *s)
{
    int error;

    if (s->next != NULL)
        return true;
    if (s->looked)
        return false;
    s->looked = true;
    error = take_old(s);
    if (error != 0)
        error = take_new(s);
    if (error != 0 && take_doubtful(s) == 0)
        error = 0;
    if (error != 0) {
        if (!s->sealed)
            s->error = error;
        if (!s->said_stuck)
            spool_segment_log(s, LOG_LEVEL_WARN, "spool_no_segment", NULL, error);
        s->said_stuck = true;
        return false;
    }
    if (s->said_stuck)
        spool_segment_log(s, LOG_LEVEL_INFO, "spool_has_room_again", s->next, 0);
    s->said_stuck = false;
    return true;
}

/* --- zeroing ahead ---------------------------------------------------------------------------- */

/* W1: a chunk or the sync after the last one, for `active` first, which somebody may wait for. */
unsigned spool_segment_zero(struct spool *s)
{
    struct spool_flight *f = &s->zeroing;
    struct spool_io_request r = { .op = SPOOL_IO_OP_WRITE, .data = s->zeros, .tag = f };
    struct spool_segment *g = s->active;
    uint64_t left;

    if (f->flying || s->closing)
        return 0;
    if (g == NULL || s->sealed || g->zeroed >= g->limit)
        g = s->next;
    if (g == NULL || g->zeroed >= g->limit)
        return 0;
    left = g->limit - g->zeroed;
    *f = (struct spool_flight){ .kind = FLIGHT_ZERO, .flying = true, .offset = g->zeroed };
    f->len = left < LIMIT_SPOOL_ZERO_BYTES ? (uint32_t)left : LIMIT_SPOOL_ZERO_BYTES;
    f->segment = g;
    r.file = g->file;
    r.offset = f->offset;
    r.len = f->len;
    s->io->ops->submit(s->io, &r);
    return 1;
}

static void sync_zeros(struct spool *s, struct spool_segment *g)
{
    struct spool_io_request r = { .op = SPOOL_IO_OP_SYNC, .file = g->file, .tag = &s->zeroing };

    s->zeroing = (struct spool_flight){ .kind = FLIGHT_SYNC, .flying = true };
    s->zeroing.segment = g;
    s->io->ops->submit(s->io, &r);
}

void spool_segment_close(struct spool *s, struct spool_segment *g)
{
    /* While zeros for it are under way its number must not go to another file. */
    if (g->file < 0 || (s->zeroing.flying && s->zeroing.segment == g))
        return;
    s->io->ops->close(s->io, g->file);
    g->file = -1;
}

/* The zeros of a chosen segment end too early for it to be of use. */
static void give_up_next(struct spool *s, int error)
{
    struct spool_segment *g = s->next;

    g->use = USE_DOUBTFUL;
    s->next = NULL;
    if (!s->sealed)
        s->error = error;
}

void spool_segment_zeroed(struct spool *s, struct spool_flight *f, int error)
{
    struct spool_segment *g = f->segment;
    bool sealed = g->use != USE_TAKEN || (g == s->active && s->sealed);

    ASSERT(f == &s->zeroing);
    ASSERT(f->flying);
    f->flying = false;
    if (error != 0) {
        spool_segment_log(s, LOG_LEVEL_ERROR, "spool_zeroing_failed", g, error);
        counter_inc(s->env.counters, COUNTER_SPOOL_WRITE_ERRORS);
        g->limit = g->zeroed;
        if (f->kind == FLIGHT_SYNC && g == s->active && !s->sealed)
            spool_roll_seal(s, error);
        if (g == s->next && g->limit < USEFUL_BYTES && s->phase != PHASE_OPEN)
            give_up_next(s, error);
    } else if (f->kind == FLIGHT_ZERO && !sealed && !s->closing) {
        g->zeroed = f->offset + f->len;
        if (g->zeroed == g->limit)
            sync_zeros(s, g);
    }
    if (g->use != USE_TAKEN)
        spool_segment_close(s, g);
}

/* --- what recovery found ---------------------------------------------------------------------- */

void spool_segment_adopt(struct spool *s, const struct spool_found *found)
{
    static const enum spool_use uses[] = {
        [FIND_UNUSED] = USE_READY,
        [FIND_GOOD] = USE_SEALED,
        [FIND_DAMAGED] = USE_BROKEN,
        [FIND_FOREIGN] = USE_BROKEN,
    };

    ASSERT(s->segment_count == 0);
    ASSERT(found->count <= LIMIT_SPOOL_SEGMENTS);
    for (uint32_t i = 0; i < found->count; i++) {
        const struct spool_found_segment *f = &found->segments[i];
        struct spool_segment *g = &s->segments[s->segment_count++];

        *g = (struct spool_segment){
            .bytes = f->file_bytes & ~(uint64_t)(SPOOL_BLOCK_BYTES - 1),
            .refs = f->live,
            .number = f->number,
            .file = -1,
            .use = uses[f->find],
        };
        if (f->find == FIND_GOOD) {
            g->sequence = f->header.sequence;
            g->previous = f->header.previous;
            g->cuts = (f->header.flags & SEGMENT_CUTS) != 0;
            if (g->sequence > s->sequence_max)
                s->sequence_max = g->sequence;
        }
        s->total_bytes += f->file_bytes;
    }
    s->number_max = found->number_max;
}

void spool_segment_close_all(struct spool *s)
{
    for (uint32_t i = 0; i < s->segment_count; i++)
        spool_segment_close(s, &s->segments[i]);
}
