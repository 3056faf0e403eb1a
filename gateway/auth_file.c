/*
 * Happy path: ask holds the table for as long as the question is under way; a helper makes the
 * hash; the answer is given back on the loop. Passwords are wiped as soon as they were looked at.
 */
#include "gateway/auth_file.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/base64.h"
#include "gateway/auth_exchange.h"

struct auth_file {
    struct auth_backend backend; /* first: its functions get this address */
    struct counters *counters;
    struct job_queue *jobs;
    struct auth_users *users;
    _Atomic(struct auth_users *) offered; /* the next table, or NULL */
    struct hmac_sha256_ctx nonce_maker;
    uint64_t nonces; /* made so far */
};

static bool take_offer(struct auth_backend *b)
{
    struct auth_file *f = (struct auth_file *)b;
    struct auth_users *next;

    if (atomic_load_explicit(&f->offered, memory_order_relaxed) == NULL)
        return false;
    next = atomic_exchange_explicit(&f->offered, NULL, memory_order_acq_rel);
    if (next == NULL)
        return false;
    auth_users_release(f->users);
    f->users = next;
    return true;
}

static uint32_t mechanisms(struct auth_backend *b, bool bound)
{
    const struct auth_file *f = (struct auth_file *)b;
    uint32_t all = SMTP_MECHANISM_PLAIN | SMTP_MECHANISM_LOGIN;

    if (auth_users_have_scram(f->users))
        all |= SMTP_MECHANISM_SCRAM | (bound ? SMTP_MECHANISM_SCRAM_PLUS : 0);
    return all;
}

/* --- passwords ------------------------------------------------------------------------------- */

/* On a helper thread. */
static void run_check(struct job *job)
{
    struct auth_question *q = (struct auth_question *)job;
    bool right = auth_users_verify(q->context, span_of(q->login, q->login_len),
                                   span_of(q->secret, q->secret_len));

    explicit_bzero(q->secret, q->secret_len);
    q->answer.verdict = right ? SMTP_VERDICT_OK : SMTP_VERDICT_WRONG;
}

/* Back on the worker's loop; when the program stops, without having run. */
static void end_check(struct job *job)
{
    struct auth_question *q = (struct auth_question *)job;

    auth_users_release(q->context);
    q->done(q);
}

static void check_password(struct auth_file *f, struct auth_question *q)
{
    q->job.run = run_check;
    q->job.done = end_check;
    q->context = auth_users_ref(f->users);
    if (f->jobs->submit(f->jobs, &q->job)) {
        counter_inc(f->counters, COUNTER_AUTH_HASHES);
        return;
    }
    counter_inc(f->counters, COUNTER_AUTH_BUSY);
    end_check(&q->job);
}

/* --- SCRAM ----------------------------------------------------------------------------------- */

/* Our part of a nonce: never the same again, and nobody else can make it. */
static struct span make_nonce(struct auth_file *f, uint8_t text[AUTH_SCRAM_NONCE_BYTES])
{
    struct buf out = { text, 0, AUTH_SCRAM_NONCE_BYTES };
    uint8_t digest[SHA256_DIGEST_SIZE];

    f->nonces++;
    hmac_sha256_update(&f->nonce_maker, sizeof(f->nonces), (const uint8_t *)&f->nonces);
    hmac_sha256_digest(&f->nonce_maker, sizeof(digest), digest);
    base64_encode(&out, span_of(digest, AUTH_SCRAM_NONCE_BYTES / 4 * 3));
    return span_of(text, out.len);
}

static void read_message(struct auth_file *f, struct auth_question *q)
{
    struct auth_exchange *x = (struct auth_exchange *)q->memo;
    uint8_t nonce[AUTH_SCRAM_NONCE_BYTES];
    enum auth_exchange_outcome outcome =
        auth_exchange_step(x, f->users, q->asked, make_nonce(f, nonce));

    q->answer = (struct auth_answer){
        .asks = outcome == AUTH_EXCHANGE_ASKS,
        .verdict = outcome == AUTH_EXCHANGE_RIGHT ? SMTP_VERDICT_OK : SMTP_VERDICT_WRONG,
        .login = span_of(x->scram.login, x->scram.login_len),
        .challenge = span_of(x->answer, x->answer_len),
    };
    q->done(q);
}

static void ask(struct auth_backend *b, struct auth_question *q)
{
    struct auth_file *f = (struct auth_file *)b;

    if (q->mechanism & SMTP_MECHANISMS_OF_PASSWORDS)
        check_password(f, q);
    else
        read_message(f, q);
}

/* --- life ------------------------------------------------------------------------------------ */

static void destroy(struct auth_backend *b)
{
    struct auth_file *f = (struct auth_file *)b;

    auth_users_release(f->users);
    auth_users_release(atomic_load_explicit(&f->offered, memory_order_acquire));
    explicit_bzero(f, sizeof(*f));
    free(f);
}

struct auth_file *auth_file_create(const struct auth_file_env *env)
{
    struct auth_file *f = calloc(1, sizeof(*f));

    if (f == NULL)
        return NULL;
    f->backend = (struct auth_backend){ mechanisms, take_offer, ask, destroy };
    f->counters = env->counters;
    f->jobs = env->jobs;
    f->users = auth_users_ref(env->users);
    hmac_sha256_set_key(&f->nonce_maker, sizeof(env->secret), env->secret);
    return f;
}

struct auth_backend *auth_file_backend(struct auth_file *f)
{
    return &f->backend;
}

void auth_file_offer(struct auth_file *f, struct auth_users *users)
{
    auth_users_release(atomic_exchange_explicit(&f->offered, users, memory_order_acq_rel));
}
