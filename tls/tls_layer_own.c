/*
 * Records by tls_record: TLS 1.3 after the handshake, without an SSL object.
 *
 * Happy path: a record that is there as a whole is opened from the lower stream's segments to the
 * place that the reader names. Of one that is not, the part goes to a buffer, so that the
 * transport's window stays open; a worker has some of these, and past them the part waits with the
 * transport. A reply is sealed in the segment that it was written to.
 *
 * Failure modes: a fault of the peer's (its alert goes out, FAILED); a place too small for a record
 * (the rest is had by opening it again: no memory is held for it); no segment for a KeyUpdate or
 * close_notify (false: tls_stream tries again); no memory to expand a key (FAILED).
 */
#include <openssl/mem.h>

#include "base/assert.h"
#include "tls/tls_conn.h"
#include "tls/tls_error.h"

static bool fail_for_memory(struct tls_conn *c)
{
    tls_conn_fail(c, TLS_FAULT_SELF, "memory is short");
    return false;
}

/* Seals what stands at seg->data, and hands it down. */
static void send_seg(struct tls_conn *c, const struct tls_awake *keys, enum tls_record_type type,
                     struct seg *seg)
{
    tls_record_seal(&keys->out, &c->own.out, type, seg->data, seg->len);
    seg->data -= TLS_RECORD_HEADER_BYTES;
    seg->len += TLS_RECORD_HEADER_BYTES + TLS_RECORD_TRAILER_BYTES;
    c->lower->ops->commit(c->lower, seg);
}

/* A small record of our own: false: no room below, or c failed. */
static bool send_small(struct tls_conn *c, enum tls_record_type type, struct span bytes)
{
    uint32_t len = TLS_RECORD_HEADER_BYTES + bytes.len + TLS_RECORD_TRAILER_BYTES;
    struct tls_awake *keys = tls_awake_keys(c);
    struct seg *seg;

    if (keys == NULL)
        return fail_for_memory(c);
    seg = c->lower->ops->reserve(c->lower, len);
    if (seg == NULL)
        return false;
    seg->data += TLS_RECORD_HEADER_BYTES;
    memcpy(seg->data, bytes.ptr, bytes.len);
    seg->len = bytes.len;
    send_seg(c, keys, type, seg);
    return true;
}

/* The alert goes out if there is room for it. */
static void fail(struct tls_conn *c, const struct tls_record_fault *fault)
{
    enum tls_fault whose = fault->alert == SSL_AD_INTERNAL_ERROR ? TLS_FAULT_SELF : TLS_FAULT_PEER;
    uint8_t alert[2] = { SSL3_AL_FATAL, fault->alert };

    (void)send_small(c, TLS_RECORD_ALERT, span_of(alert, sizeof(alert)));
    if (c->state == TLS_STATE_FAILED)
        return;
    c->alert_sent = fault->alert;
    tls_conn_fail(c, whose, fault->reason);
    c->error.alert = fault->alert;
}

/* --- Out ------------------------------------------------------------------------------------- */

/*
 * 4.6.3 and 5.5: before more data goes out, our key changes if the peer asked for it or if it has
 * sealed enough; and the peer is asked to change its own if that has.
 */
static bool renew_keys(struct tls_conn *c)
{
    struct tls_own *o = &c->own;
    bool ask = o->in.sequence >= LIMIT_TLS_RECORDS_PER_KEY && !o->asked;
    uint8_t message[] = { SSL3_MT_KEY_UPDATE, 0, 0, 1, ask };

    if (!ask && !o->update_due && o->out.sequence < LIMIT_TLS_RECORDS_PER_KEY)
        return true;
    if (!send_small(c, TLS_RECORD_HANDSHAKE, span_of(message, sizeof(message))))
        return false;
    o->asked = o->asked || ask;
    o->update_due = false;
    tls_record_key_wipe(&o->awake->out);
    if (!tls_record_secret_next(&o->out) || !tls_record_key_make(&o->awake->out, &o->out))
        return fail_for_memory(c);
    counter_inc(c->worker->env.counters, COUNTER_TLS_KEY_UPDATES);
    return true;
}

static struct seg *reserve(struct tls_conn *c, uint32_t len)
{
    struct seg *seg = c->lower->ops->reserve(c->lower, len);

    if (seg == NULL)
        return NULL;
    ASSERT(seg_tailroom(seg) >= len + TLS_RECORD_HEADER_BYTES + TLS_RECORD_TRAILER_BYTES);
    seg->data += TLS_RECORD_HEADER_BYTES;
    seg->cap -= TLS_RECORD_TRAILER_BYTES; /* the writer may fill all that it sees */
    return seg;
}

static bool write_seg(struct tls_conn *c, struct seg *seg)
{
    struct tls_awake *keys;

    if (seg->len == 0) {
        seg_release(seg);
        return true;
    }
    if (!renew_keys(c))
        return false;
    keys = tls_awake_keys(c);
    if (keys == NULL)
        return fail_for_memory(c);
    seg->cap += TLS_RECORD_TRAILER_BYTES;
    send_seg(c, keys, TLS_RECORD_DATA, seg);
    return true;
}

static bool close_notify(struct tls_conn *c)
{
    static const uint8_t alert[2] = { SSL3_AL_WARNING, SSL_AD_CLOSE_NOTIFY };

    return send_small(c, TLS_RECORD_ALERT, span_of(alert, sizeof(alert)));
}

/* --- In -------------------------------------------------------------------------------------- */

enum step {
    STEP_STOP, /* nothing more for this read */
    STEP_ON,
};

/* Up to cap of the first bytes of the runs; how many. */
static uint32_t first_bytes(const struct span *runs, unsigned count, uint8_t *to, uint32_t cap)
{
    struct buf b = { to, 0, cap };

    for (unsigned i = 0; i < count && buf_room(&b) > 0; i++)
        if (!buf_put(&b, span_first(runs[i], buf_room(&b))))
            UNREACHABLE("a part cut to the room has room");
    return b.len;
}

static bool hold(const struct span *runs, unsigned count, uint32_t len)
{
    uint32_t there = 0;

    for (unsigned i = 0; i < count && there < len; i++)
        there += runs[i].len;
    return there >= len;
}

/*
 * Fills the buffer of a record that came in parts; STEP_ON: it is whole. What is in it is no more
 * the transport's to hold: its window opens, and its segments go home.
 */
static enum step fill(struct tls_conn *c, struct tls_record_job *job)
{
    struct tls_own *o = &c->own;
    const struct tls_record_fault *fault = NULL;
    uint32_t n = 1;

    while (n > 0) {
        job->len = TLS_RECORD_HEADER_BYTES;
        if (o->gathered >= TLS_RECORD_HEADER_BYTES)
            fault = tls_record_open_header(o->gather, &job->len);
        if (fault != NULL) {
            fail(c, fault);
            return STEP_STOP;
        }
        o->whole = o->gathered == job->len && o->gathered > TLS_RECORD_HEADER_BYTES;
        if (o->whole)
            break;
        n = c->lower->ops->read(c->lower, o->gather + o->gathered, job->len - o->gathered);
        o->gathered = (uint16_t)(o->gathered + n);
        counter_add(c->worker->env.counters, COUNTER_TLS_IN_MOVED, n);
    }
    c->worker->runs[0] = span_of(o->gather, o->gathered);
    job->runs = c->worker->runs;
    return o->whole ? STEP_ON : STEP_STOP;
}

/* Looks for a whole record in the first `max` runs; *all: they were all that is there. */
static enum step find_in(struct tls_conn *c, unsigned max, struct tls_record_job *job, bool *all)
{
    struct span *runs = c->worker->runs;
    unsigned count = c->lower->ops->peek(c->lower, runs, max);
    uint8_t header[TLS_RECORD_HEADER_BYTES];
    const struct tls_record_fault *fault = NULL;

    *all = count < max;
    job->runs = runs;
    job->len = sizeof(header);
    if (first_bytes(runs, count, header, sizeof(header)) == sizeof(header))
        fault = tls_record_open_header(header, &job->len);
    if (fault != NULL) {
        fail(c, fault);
        return STEP_STOP;
    }
    return job->len > sizeof(header) && hold(runs, count, job->len) ? STEP_ON : STEP_STOP;
}

/* A whole record; STEP_STOP: there is none, or c failed. Most lie in one run, or in a dozen. */
static enum step find_record(struct tls_conn *c, struct tls_record_job *job)
{
    static const struct tls_record_fault pieces = { SSL_AD_INTERNAL_ERROR,
                                                    "record in too many pieces" };
    bool all;

    if (c->own.gather != NULL)
        return fill(c, job);
    if (find_in(c, 1, job, &all) == STEP_ON)
        return STEP_ON;
    if (c->state == TLS_STATE_OPEN && find_in(c, LIMIT_TLS_RECORD_RUNS, job, &all) == STEP_ON)
        return STEP_ON;
    if (c->state != TLS_STATE_OPEN)
        return STEP_STOP;
    c->own.gather = pool_get(c->worker->gathers);
    if (c->own.gather != NULL)
        return fill(c, job);
    c->own.partial = true; /* it stays with the transport */
    if (!all)
        fail(c, &pieces);
    return STEP_STOP;
}

/* The record is done with. */
static void consume(struct tls_conn *c, uint32_t len)
{
    c->own.in.sequence++;
    c->own.taken = 0;
    if (c->own.gather != NULL)
        tls_layer_own_drop(c);
    else
        c->lower->ops->consume(c->lower, len);
}

void tls_layer_own_drop(struct tls_conn *c)
{
    if (c->own.gather != NULL)
        pool_put(c->worker->gathers, c->own.gather);
    c->own.gather = NULL;
    c->own.gathered = 0;
    c->own.whole = false;
}

static bool change_read_key(struct tls_conn *c)
{
    struct tls_own *o = &c->own;

    tls_record_key_wipe(&o->awake->in);
    if (!tls_record_secret_next(&o->in) || !tls_record_key_make(&o->awake->in, &o->in))
        return fail_for_memory(c);
    o->asked = false;
    return true;
}

static enum step take_control(struct tls_conn *c, const struct tls_record_job *job)
{
    struct tls_record_news news;
    const struct tls_record_fault *fault = tls_record_control_take(
        &c->own.control, job->type, span_of(job->scratch, job->content), &news);

    if (fault != NULL) {
        fail(c, fault);
        return STEP_STOP;
    }
    consume(c, job->len);
    if (news.its_alert != 0) {
        c->alert_received = news.its_alert;
        tls_conn_fail(c, TLS_FAULT_NONE, NULL);
    }
    c->ended = news.ended;
    c->own.update_due = c->own.update_due || news.wants_ours;
    if (news.new_key && !change_read_key(c))
        return STEP_STOP;
    return c->state == TLS_STATE_OPEN && !c->ended ? STEP_ON : STEP_STOP;
}

static enum step take_data(struct tls_conn *c, const struct tls_record_job *job, uint32_t *done)
{
    const struct tls_record_fault *fault = NULL;

    if (job->from == 0)
        fault = tls_record_control_data(&c->own.control, job->content);
    if (fault != NULL) {
        fail(c, fault);
        return STEP_STOP;
    }
    *done += job->given;
    if (job->from + job->given < job->content) {
        c->own.taken = (uint16_t)(job->from + job->given);
        return STEP_STOP;
    }
    consume(c, job->len);
    return STEP_ON;
}

/* One record. A reader that has something already comes again for one that may not fit behind it.
 */
static enum step read_step(struct tls_conn *c, uint8_t *to, uint32_t cap, uint32_t *done)
{
    struct tls_record_job job = {
        .to = to + *done, .cap = cap - *done, .from = c->own.taken, .scratch = c->worker->scratch
    };
    const struct tls_record_fault *fault;
    struct tls_awake *keys;

    if (find_record(c, &job) == STEP_STOP)
        return STEP_STOP;
    if (*done > 0 && job.len > job.cap + TLS_RECORD_HEADER_BYTES + TLS_RECORD_TRAILER_BYTES)
        return STEP_STOP;
    keys = tls_awake_keys(c);
    if (keys == NULL) {
        fail_for_memory(c);
        return STEP_STOP;
    }
    fault = tls_record_open(&keys->in, &c->own.in, &job);
    if (fault != NULL) {
        fail(c, fault);
        return STEP_STOP;
    }
    counter_add(c->worker->env.counters, COUNTER_TLS_IN_MOVED, job.moved);
    return job.type == TLS_RECORD_DATA ? take_data(c, &job, done) : take_control(c, &job);
}

static bool is_readable(const struct tls_conn *c)
{
    return c->own.whole || (!c->own.partial && (c->lower->ready & STREAM_READABLE));
}

static uint32_t read_plain(struct tls_conn *c, uint8_t *to, uint32_t cap)
{
    uint32_t done = 0;

    while (done < cap && is_readable(c) && read_step(c, to, cap, &done) == STEP_ON) {
    }
    return done;
}

const struct tls_layer tls_layer_own = {
    .read = read_plain,
    .is_readable = is_readable,
    .reserve = reserve,
    .write = write_seg,
    .close = close_notify,
};
