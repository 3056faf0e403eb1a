/*
 * Happy path: read, cut into lines, sort by login, find by halves. A line keeps its place in one
 * copy of the text. Failure modes: a line that is no `login:secret` or has one that is weak or
 * cut short: the whole file is refused, each fault with its line, so that nobody finds out
 * by being unable to log in.
 */
#include "gateway/auth_users.h"

#include <nettle/hmac.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "gateway/slurp.h"

#define COSTS_MAX 16 /* different costs that are counted to find the most usual one */

struct user {
    struct span login;
    const char *secret; /* auth_secret.h; NUL-ended */
    uint32_t line;
};

struct auth_users {
    _Atomic uint32_t references;
    uint32_t count;
    struct user *users; /* sorted by login */
    char *text;         /* the file, lines ended by NUL */
    size_t text_bytes;
    const char *usual;       /* a secret as most are; NULL: there are no users */
    const char *usual_scram; /* the same among those with SCRAM keys; NULL: there are none */
    struct hmac_sha256_ctx inventor; /* makes the keys of those who have none */
};

struct reader {
    struct auth_users *table;
    const char *path;
    struct buf *errors;
    uint32_t faults;
};

static void fault(struct reader *r, uint32_t line, const char *what, const char *sentence)
{
    r->faults++;
    buf_printf(r->errors, "%s:%u: %s %s\n", r->path, line, what, sentence);
}

static const char *login_fault(const char *login, size_t len)
{
    if (len == 0 || len > LIMIT_LOGIN_BYTES)
        return "must have 1 to 256 bytes";
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)login[i] <= ' ' || login[i] == 0x7f)
            return "must have no spaces or control characters";
    }
    return NULL;
}

static void read_line(struct reader *r, char *text, uint32_t line)
{
    struct auth_users *t = r->table;
    char *colon = strchr(text, ':');
    const char *sentence;

    if (text[0] == 0 || text[0] == '#')
        return;
    if (colon == NULL) {
        fault(r, line, "the line", "must be login:hash, or begin with #");
        return;
    }
    sentence = login_fault(text, (size_t)(colon - text));
    if (sentence != NULL) {
        fault(r, line, "the login", sentence);
        return;
    }
    sentence = auth_secret_fault(colon + 1);
    if (sentence != NULL) {
        fault(r, line, auth_secret_is_scram(colon + 1) ? "the SCRAM keys" : "the hash", sentence);
        return;
    }
    t->users[t->count++] = (struct user){ .login = span_of(text, (uint32_t)(colon - text)),
                                          .secret = colon + 1,
                                          .line = line };
}

static int compare_spans(struct span a, struct span b)
{
    uint32_t len = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.ptr, b.ptr, len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_users(const void *a, const void *b)
{
    return compare_spans(((const struct user *)a)->login, ((const struct user *)b)->login);
}

static void refuse_twins(struct reader *r)
{
    const struct user *u = r->table->users;

    for (uint32_t i = 1; i < r->table->count; i++) {
        if (span_equal(u[i - 1].login, u[i].login))
            fault(r, u[i - 1].line > u[i].line ? u[i - 1].line : u[i].line, "the login",
                  "is there already: one line each");
    }
}

struct cost {
    const char *secret;
    uint32_t len;
    uint32_t count;
};

static struct cost *cost_of(struct cost *costs, const char *secret)
{
    uint32_t len = auth_secret_cost_len(secret);
    uint32_t i = 0;

    while (i < COSTS_MAX - 1 && costs[i].count > 0 &&
           (costs[i].len != len || memcmp(costs[i].secret, secret, len) != 0))
        i++;
    costs[i].secret = secret;
    costs[i].len = len;
    return &costs[i];
}

static const char *find_usual(const struct auth_users *t, const char *prefix)
{
    struct cost costs[COSTS_MAX] = { { 0 } };
    struct cost *best = &costs[0];

    for (uint32_t i = 0; i < t->count; i++) {
        struct cost *c;

        if (strncmp(t->users[i].secret, prefix, strlen(prefix)) != 0)
            continue;
        c = cost_of(costs, t->users[i].secret);
        c->count++;
        if (c->count > best->count)
            best = c;
    }
    return best->secret;
}

/*
 * The salt of a login without keys must be the same each time it is asked for, by each worker,
 * after a restart and when a line was added: so its key is the file's first secret.
 */
static void set_inventor(struct auth_users *t, const char *secret)
{
    hmac_sha256_set_key(&t->inventor, strlen(secret), (const uint8_t *)secret);
}

static void invent(const struct auth_users *u, struct span login, const char *what, uint8_t *out)
{
    struct hmac_sha256_ctx mac = u->inventor;

    hmac_sha256_update(&mac, strlen(what), (const uint8_t *)what);
    hmac_sha256_update(&mac, login.len, login.ptr);
    hmac_sha256_digest(&mac, SHA256_DIGEST_SIZE, out);
    explicit_bzero(&mac, sizeof(mac));
}

/* As long and as costly as most are (RFC 5802, 9: nobody learns who is there). */
static void invent_keys(const struct auth_users *u, struct span login, struct auth_scram_keys *keys)
{
    *keys = (struct auth_scram_keys){ .iterations = LIMIT_SCRAM_ITERATIONS_LEAST, .salt_len = 16 };
    if (u->usual_scram != NULL)
        auth_secret_scram(u->usual_scram, keys);
    invent(u, login, "salt 1", keys->salt);
    invent(u, login, "salt 2", keys->salt + SHA256_DIGEST_SIZE);
    invent(u, login, "StoredKey", keys->stored_key);
    invent(u, login, "ServerKey", keys->server_key);
}

static void read_lines(struct reader *r, char *text)
{
    uint32_t line = 1;

    while (text != NULL) {
        char *end = strchr(text, '\n');

        if (end != NULL)
            *end++ = 0;
        read_line(r, text, line++);
        text = end;
    }
    set_inventor(r->table, r->table->count > 0 ? r->table->users[0].secret : "");
    if (r->table->count > 0)
        qsort(r->table->users, r->table->count, sizeof(struct user), compare_users);
    refuse_twins(r);
    r->table->usual = find_usual(r->table, "");
    r->table->usual_scram = find_usual(r->table, "{");
}

static uint32_t count_lines(struct span text)
{
    uint32_t lines = 1;

    for (uint32_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n';
    return lines;
}

static void free_table(struct auth_users *t)
{
    if (t->text != NULL)
        explicit_bzero(t->text, t->text_bytes);
    free(t->text);
    free(t->users);
    explicit_bzero(t, sizeof(*t));
    free(t);
}

static struct auth_users *make_table(struct span text)
{
    struct auth_users *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return NULL;
    t->references = 1;
    t->text_bytes = (size_t)text.len + 1;
    t->text = malloc(t->text_bytes);
    t->users = calloc(count_lines(text), sizeof(t->users[0]));
    if (t->text == NULL || t->users == NULL) {
        free_table(t);
        return NULL;
    }
    memcpy(t->text, text.ptr, text.len);
    t->text[text.len] = 0;
    return t;
}

struct auth_users *auth_users_parse(const char *path, struct span text, struct buf *errors)
{
    struct reader r = { .path = path, .errors = errors };

    if (text.len > 0 && memchr(text.ptr, 0, text.len) != NULL) {
        buf_printf(errors, "%s: holds a NUL byte: it must be text\n", path);
        return NULL;
    }
    r.table = make_table(text);
    if (r.table == NULL) {
        buf_printf(errors, "%s: memory is short\n", path);
        return NULL;
    }
    read_lines(&r, r.table->text);
    if (r.faults == 0)
        return r.table;
    free_table(r.table);
    return NULL;
}

struct auth_users *auth_users_load(const char *path, struct buf *errors)
{
    struct auth_users *t;
    struct span text;

    if (!slurp_file(path, LIMIT_USERS_BYTES, &text, errors))
        return NULL;
    t = auth_users_parse(path, text, errors);
    slurp_free(text);
    return t;
}

struct auth_users *auth_users_ref(struct auth_users *u)
{
    atomic_fetch_add_explicit(&u->references, 1, memory_order_relaxed);
    return u;
}

void auth_users_release(struct auth_users *u)
{
    if (u != NULL && atomic_fetch_sub_explicit(&u->references, 1, memory_order_acq_rel) == 1)
        free_table(u);
}

bool auth_users_have_scram(const struct auth_users *u)
{
    return u->usual_scram != NULL;
}

uint32_t auth_users_count(const struct auth_users *u)
{
    return u->count;
}

static const struct user *find_user(const struct auth_users *u, struct span login)
{
    uint32_t low = 0;
    uint32_t high = u->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare_spans(login, u->users[middle].login);

        if (order == 0)
            return &u->users[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool auth_users_verify(const struct auth_users *u, struct span login, struct span password)
{
    const struct user *user = find_user(u, login);
    const char *secret = user != NULL ? user->secret : u->usual;
    bool possible = password.len > 0 && password.len < LIMIT_PASSWORD_BYTES &&
                    memchr(password.ptr, 0, password.len) == NULL;
    bool right;

    if (secret == NULL)
        return false;
    right = auth_secret_verify(secret, possible ? password : SPAN_LITERAL(""));
    return right && possible && user != NULL;
}

bool auth_users_scram(const struct auth_users *u, struct span login, struct auth_scram_keys *keys)
{
    const struct user *user = find_user(u, login);
    struct auth_scram_keys own = { 0 };
    const char *secret;
    bool real;

    invent_keys(u, login, keys);
    real = user != NULL && auth_secret_is_scram(user->secret);
    secret = real ? user->secret : u->usual_scram;
    if (secret != NULL)
        auth_secret_scram(secret, &own); /* what a stranger costs, too */
    if (real)
        *keys = own;
    explicit_bzero(&own, sizeof(own));
    return real;
}
