/*
 * From a directory to a spool that takes messages, and back.
 *
 * Failure modes, all with a sentence: a configuration that cannot work, a directory that cannot be
 * read, a segment of a newer Postern, short memory, a disk that takes no first write. A full disk
 * is none of them: the spool opens, and answers FULL until there is room.
 */
#include <errno.h>
#include <stdlib.h>

#include "spool/spool_roll.h"
#include "spool/spool_segment.h"

/* Segments smaller than this would be all headers. */
#define SEGMENT_BYTES_MIN (256ULL * 1024)
/* Files that are tried at start before the disk is said to be bad. */
#define OPEN_TRIES 3

static bool config_good(const struct spool_config *c, struct buf *why)
{
    if (c->segment_bytes < SEGMENT_BYTES_MIN || c->segment_bytes % SPOOL_BLOCK_BYTES != 0)
        return buf_printf(why, "segments must have at least %llu KB, and whole blocks of 4 KB",
                          SEGMENT_BYTES_MIN / 1024) &&
               false;
    if (c->bytes_max < c->segment_bytes)
        return buf_printf(why, "the spool's size must hold at least one segment") && false;
    if (c->ports == 0 || c->extents_per_port == 0 || c->messages_per_port == 0)
        return buf_printf(why, "there must be workers, extents and messages") && false;
    return true;
}

static void note(void *arg, const char *sentence)
{
    const struct spool_env *env = arg;
    struct log_line *line;

    if (env->log == NULL)
        return;
    line = log_begin(env->log, LOG_LEVEL_WARN, "spool_recovery");
    log_str(line, "note", sentence);
    log_end(env->log, line);
}

/* The one piece of memory that the disk reads from, shared out. The workers' extents lie in it as
 * well, so that they are there: a page fault would stop a poll loop. */
static bool memory_init(struct spool *s)
{
    uint64_t port_bytes = (uint64_t)s->config.extents_per_port * LIMIT_EXTENT_BYTES;
    uint64_t fixed = (uint64_t)LIMIT_SPOOL_BATCHES * LIMIT_SPOOL_BATCH_BYTES +
                     LIMIT_SPOOL_ZERO_BYTES + SPOOL_BLOCK_BYTES;
    uint8_t *at = s->io->ops->memory(s->io, fixed + s->config.ports * port_bytes);

    if (at == NULL)
        return false;
    for (unsigned i = 0; i < LIMIT_SPOOL_BATCHES; i++, at += LIMIT_SPOOL_BATCH_BYTES)
        s->batches[i].data = at;
    s->zeros = at;
    memset(s->zeros, 0, LIMIT_SPOOL_ZERO_BYTES);
    at += LIMIT_SPOOL_ZERO_BYTES;
    for (unsigned i = 0; i < s->config.ports; i++, at += port_bytes)
        if (!spool_port_create(&s->ports[i], s, at, s->io->ops->event(s->io, i)))
            return false;
    s->open_block = at;
    return true;
}

static void unmake(struct spool *s)
{
    for (unsigned i = 0; s->ports != NULL && i < s->config.ports; i++)
        spool_port_destroy(&s->ports[i]);
    free(s->ports);
    free(s->segments);
    free(s);
}

static struct spool *make(const struct spool_config *config, const struct spool_env *env,
                          struct buf *why)
{
    struct spool *s = aligned_alloc(64, (sizeof(*s) + 63) & ~(size_t)63);

    if (s == NULL) {
        buf_printf(why, "memory is short");
        return NULL;
    }
    *s = (struct spool){ .config = *config, .env = *env, .io = env->io, .phase = PHASE_STUCK };
    list_init(&s->live);
    list_init(&s->committed);
    list_init(&s->withheld);
    s->segments = calloc(LIMIT_SPOOL_SEGMENTS, sizeof(*s->segments));
    s->ports = aligned_alloc(64, config->ports * sizeof(*s->ports));
    if (s->ports != NULL)
        memset(s->ports, 0, config->ports * sizeof(*s->ports));
    if (s->segments == NULL || s->ports == NULL || !memory_init(s)) {
        buf_printf(why, "memory is short (the writer's buffers)");
        unmake(s);
        return NULL;
    }
    return s;
}

static bool all_known(const struct spool_found *found, struct buf *why)
{
    char name[SPOOL_NAME_BYTES];

    for (uint32_t i = 0; i < found->count; i++) {
        if (found->segments[i].find != FIND_FOREIGN)
            continue;
        spool_format_name(found->segments[i].number, name);
        buf_printf(why, "%s was written by a newer Postern; this one would not see all its mail",
                   name);
        return false;
    }
    return true;
}

static void report(const struct spool_found *found, struct spool_recovery *out)
{
    *out = (struct spool_recovery){
        .messages = found->index.message_count - found->index.damaged,
        .dropped = spool_index_dropped(&found->index),
        .bytes_read = found->read_bytes,
        .id_max = found->index.id_max,
        .damaged = found->index.damaged,
    };
    for (uint32_t i = 0; i < found->count; i++)
        out->segments += found->segments[i].find == FIND_GOOD;
}

/* Until the first segment takes records, or it is clear that none will now. */
static bool settle(struct spool *s, struct buf *why)
{
    unsigned tries = 0;

    while (s->phase != PHASE_RUN) {
        unsigned work;

        if (s->phase == PHASE_STUCK && s->next == NULL &&
            (tries++ == OPEN_TRIES || !spool_roll_want(s)))
            break;
        work = spool_turn(s);
        if (work == 0 && (s->opening.flying || s->zeroing.flying))
            s->io->ops->wait(s->io);
    }
    if (s->phase == PHASE_RUN || s->error == ENOSPC || s->error == EDQUOT)
        return true;
    ASSERT(s->error != 0);
    buf_printf(why, "the disk takes no first write: %s", strerror(s->error));
    return false;
}

struct spool *spool_open(const struct spool_config *config, const struct spool_env *env,
                         struct spool_recovery *recovery, struct buf *why)
{
    struct spool_found found = { .note = note, .note_arg = (void *)(uintptr_t)env };
    struct spool *s = NULL;

    ASSERT(env->io != NULL);
    ASSERT(env->counters != NULL);
    if (env->io->note[0] != '\0')
        note((void *)(uintptr_t)env, env->io->note);
    if (config_good(config, why) && spool_recover_load(env->io, &found, why) &&
        all_known(&found, why))
        s = make(config, env, why);
    if (s != NULL) {
        report(&found, recovery);
        s->next_ticket = env->io->ops->random_u64(env->io) | 1;
        spool_segment_adopt(s, &found);
        spool_roll_start(s, &found);
        if (!settle(s, why)) {
            spool_close(s);
            s = NULL;
        }
    }
    spool_recover_destroy(&found);
    return s;
}

struct spool_port *spool_port(struct spool *s, unsigned worker)
{
    ASSERT(worker < s->config.ports);
    return &s->ports[worker];
}

void spool_close(struct spool *s)
{
    if (s == NULL)
        return;
    /* What is under way ends first: its memory is about to go (I5). */
    s->closing = true;
    while (s->flight_count > 0 || s->opening.flying || s->zeroing.flying)
        if (spool_turn_reap(s) == 0)
            s->io->ops->wait(s->io);
    spool_segment_close_all(s);
    unmake(s);
}
