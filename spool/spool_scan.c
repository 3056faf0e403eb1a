/*
 * A window slides over the file; a record is judged only when all of it is in the window. What the
 * disk holds is never asserted: it ends the walk, or is stepped over and counted.
 */
#include "spool/spool_scan.h"

#include "base/limits.h"

STATIC_ASSERT(SPOOL_SCAN_WINDOW_BYTES >= LIMIT_SPOOL_RECORD_BYTES + 2 * SPOOL_BLOCK_BYTES,
              "the window holds a record that begins anywhere in a block");

void spool_scan_begin(struct spool_scan *scan)
{
    ASSERT(scan->window != NULL);
    ASSERT(scan->io != NULL);
    scan->position = SPOOL_BLOCK_BYTES;
    scan->lost_bytes = 0;
    scan->error = 0;
    scan->window_at = 0;
    scan->window_len = 0;
}

static bool load(struct spool_scan *scan, uint64_t offset)
{
    uint64_t at = offset & ~(uint64_t)(SPOOL_BLOCK_BYTES - 1);
    uint64_t want = spool_format_block_up(scan->end) - at;
    int64_t got;

    if (want > SPOOL_SCAN_WINDOW_BYTES)
        want = SPOOL_SCAN_WINDOW_BYTES;
    got = scan->io->ops->read(scan->io, scan->file, at, scan->window, (uint32_t)want);
    if (got < 0) {
        scan->error = (int)-got;
        scan->window_len = 0;
        return false;
    }
    scan->window_at = at;
    scan->window_len = (uint32_t)got;
    scan->read_bytes += (uint64_t)got;
    return true;
}

/* The bytes at an offset, or NULL: past the end of what counts or of the file, or unreadable. */
static const uint8_t *fetch(struct spool_scan *scan, uint64_t offset, uint32_t len)
{
    if (offset > scan->end || len > scan->end - offset)
        return NULL;
    if (offset < scan->window_at || offset - scan->window_at + len > scan->window_len) {
        if (!load(scan, offset))
            return NULL;
        if (offset - scan->window_at + len > scan->window_len)
            return NULL;
    }
    return scan->window + (offset - scan->window_at);
}

/* Judges the record at an offset. SPOOL_SPOILED: `record` may be trusted, the body may not. */
static enum spool_verdict judge(struct spool_scan *scan, uint64_t offset,
                                struct spool_record *record, struct span *body)
{
    struct spool_format_place at = { scan->generation, offset, scan->end };
    const uint8_t *bytes = fetch(scan, offset, sizeof(*record));
    enum spool_verdict verdict;

    if (bytes == NULL)
        return SPOOL_NONE;
    verdict = spool_format_record_check(bytes, &at, record);
    if (verdict != SPOOL_VALID)
        return verdict;
    bytes = fetch(scan, offset, (uint32_t)sizeof(*record) + record->body_bytes);
    if (bytes == NULL)
        return SPOOL_NONE;
    *body = span_of(bytes + sizeof(*record), record->body_bytes);
    if (!spool_format_body_check(record, body->ptr))
        return SPOOL_SPOILED;
    return spool_format_body_known(record, body->ptr) ? SPOOL_VALID : SPOOL_UNKNOWN;
}

/* V7: goes on behind a resume at `offset` that says that what is before `from` counts. */
static bool resume(struct spool_scan *scan, uint64_t offset, uint64_t from)
{
    struct spool_record record;
    struct spool_resume r;
    struct span body;

    if (judge(scan, offset, &record, &body) != SPOOL_VALID || record.type != RECORD_RESUME ||
        !spool_format_resume_decode(body, &r))
        return false;
    /* Where damage was stepped over (V9), the place that it names may lie in the damage. */
    if (scan->closed ? r.previous_end < from || r.previous_end > offset : r.previous_end != from)
        return false;
    scan->generation = r.generation;
    scan->position = offset + record.span_bytes;
    return true;
}

/* V9: from damage at `position` to the next block with a record; false: there is none. */
static bool step_over(struct spool_scan *scan)
{
    uint64_t from = scan->position;
    uint64_t at = spool_format_block_up(from + 1);
    struct spool_record record;
    struct span body;

    for (; at + sizeof(record) <= scan->end && scan->error == 0; at += SPOOL_BLOCK_BYTES) {
        enum spool_verdict verdict = judge(scan, at, &record, &body);

        if (verdict != SPOOL_VALID && verdict != SPOOL_UNKNOWN)
            continue;
        scan->lost_bytes += at - from;
        if (verdict == SPOOL_VALID && record.type == RECORD_RESUME)
            return resume(scan, at, from);
        scan->position = at;
        return true;
    }
    if (scan->error == 0)
        scan->lost_bytes += scan->end - from;
    return false;
}

/* No valid record at `position`: true when the walk goes on elsewhere. */
static bool go_on(struct spool_scan *scan, enum spool_verdict verdict,
                  const struct spool_record *record)
{
    if (resume(scan, spool_format_block_up(scan->position), scan->position))
        return true;
    if (!scan->closed || scan->position >= scan->end || scan->error != 0)
        return false;
    if (verdict == SPOOL_SPOILED) {
        scan->lost_bytes += record->span_bytes;
        scan->position += record->span_bytes;
        return true;
    }
    return step_over(scan);
}

enum spool_scan_step spool_scan_next(struct spool_scan *scan, struct spool_record *record,
                                     struct span *body)
{
    for (;;) {
        enum spool_verdict verdict = judge(scan, scan->position, record, body);
        bool ordinary = verdict == SPOOL_VALID && record->type != RECORD_RESUME;

        if (scan->error != 0)
            return SCAN_ERROR;
        if (verdict == SPOOL_UNKNOWN)
            return SCAN_UNKNOWN;
        if (ordinary) {
            scan->position += record->span_bytes;
            return SCAN_RECORD;
        }
        if (!go_on(scan, verdict, record))
            return scan->error != 0 ? SCAN_ERROR : SCAN_END;
        ASSERT(scan->position <= scan->end);
    }
}
