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
#include "gateway/auth_prep.h"
#include "gateway/slurp.h"

#define COSTS_MAX 16 /* different costs that are counted to find the most usual one */

/* One password of a login. */
struct user {
    struct span login;
    struct span name;   /* "" for the one without */
    const char *secret; /* auth_secret.h; NUL-ended */
    uint32_t line;
};

struct auth_users {
    _Atomic uint32_t references;
    uint32_t count;
    uint32_t most;      /* passwords of one login, at most */
    struct user *users; /* sorted by login, then by name */
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
    uint8_t room[LIMIT_LOGIN_BYTES];
    struct buf form = { room, 0, sizeof(room) };

    if (len == 0 || len > LIMIT_LOGIN_BYTES)
        return "must have 1 to 256 bytes";
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)login[i] <= ' ' || login[i] == 0x7f)
            return "must have no spaces or control characters";
    }
    if (!auth_prep(span_of(login, (uint32_t)len), &form) ||
        !span_equal(span_of(form.ptr, form.len), span_of(login, (uint32_t)len)))
        return "is not in the form that SASLprep (RFC 4013) gives it: write it composed (NFC), as "
               "clients' logins are compared";
    return NULL;
}

static const char *name_fault(struct span name)
{
    static const char good[] = "-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    if (name.len <= LIMIT_PASSWORD_NAME_BYTES && strspn((const char *)name.ptr, good) == name.len)
        return NULL;
    return "must have up to 64 letters, digits, dots, dashes or underscores";
}

/* "login:secret" or "login:name:secret"; neither a name nor a secret has a colon in it. */
static bool split_line(char *text, struct user *user)
{
    char *colon = strchr(text, ':');
    char *second = colon != NULL ? strchr(colon + 1, ':') : NULL;

    if (colon == NULL)
        return false;
    user->login = span_of(text, (uint32_t)(colon - text));
    user->name = span_of(colon + 1, second != NULL ? (uint32_t)(second - colon - 1) : 0);
    user->secret = second != NULL ? second + 1 : colon + 1;
    *colon = 0;
    if (second != NULL)
        *second = 0;
    return true;
}

static void read_line(struct reader *r, char *text, uint32_t line)
{
    struct user user = { .line = line };
    const char *sentence;

    if (text[0] == 0 || text[0] == '#')
        return;
    if (!split_line(text, &user)) {
        fault(r, line, "the line", "must be login:hash or login:name:hash, or begin with #");
        return;
    }
    sentence = login_fault(text, user.login.len);
    if (sentence != NULL) {
        fault(r, line, "the login", sentence);
        return;
    }
    sentence = user.name.len > 0 ? name_fault(user.name) : NULL;
    if (sentence != NULL) {
        fault(r, line, "the name", sentence);
        return;
    }
    sentence = auth_secret_fault(user.secret);
    if (sentence != NULL) {
        fault(r, line, auth_secret_is_scram(user.secret) ? "the SCRAM keys" : "the hash", sentence);
        return;
    }
    r->table->users[r->table->count++] = user;
}

static int compare_spans(struct span a, struct span b)
{
    uint32_t len = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.ptr, b.ptr, len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* By login; those of one login by name, so that the one without a name is first. */
static int compare_users(const void *a, const void *b)
{
    const struct user *x = a;
    const struct user *y = b;
    int order = compare_spans(x->login, y->login);

    return order != 0 ? order : compare_spans(x->name, y->name);
}

static void refuse_twin(struct reader *r, const struct user *a, const struct user *b)
{
    uint32_t line = a->line > b->line ? a->line : b->line;

    if (span_equal(a->name, b->name))
        fault(r, line, "the login",
              a->name.len > 0 ? "has a password of this name already: one line each"
                              : "is there already: one line each, or give the password a name");
    else if (auth_secret_is_scram(a->secret) && auth_secret_is_scram(b->secret))
        fault(r, line, "the login", "has SCRAM keys already: one salt each, so one line of keys");
}

/* Looks at the lines of each login beside each other, and notes how many one has at most. */
static void check_logins(struct reader *r)
{
    struct auth_users *t = r->table;
    uint32_t first = 0; /* of this login */

    for (uint32_t i = 0; i < t->count; i++) {
        if (!span_equal(t->users[first].login, t->users[i].login))
            first = i;
        for (uint32_t k = first; k < i && i - first < LIMIT_PASSWORDS_PER_LOGIN; k++)
            refuse_twin(r, &t->users[k], &t->users[i]);
        if (i - first == LIMIT_PASSWORDS_PER_LOGIN)
            fault(r, t->users[i].line, "the login", "has more than 16 passwords");
        if (i - first + 1 > t->most)
            t->most = i - first + 1;
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
 * after a restart and when a line was added: so its key is the file's first secret, unless there is
 * one that outlasts any line.
 */
void auth_users_invent_from(struct auth_users *u, struct span key)
{
    hmac_sha256_set_key(&u->inventor, key.len, key.ptr);
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
    auth_users_invent_from(r->table,
                           span_str(r->table->count > 0 ? r->table->users[0].secret : ""));
    if (r->table->count > 0)
        qsort(r->table->users, r->table->count, sizeof(struct user), compare_users);
    check_logins(r);
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

/* The lines of a login, one after the other; none: *count is 0. */
static const struct user *find_user(const struct auth_users *u, struct span login, uint32_t *count)
{
    uint32_t low = 0;
    uint32_t high = u->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (compare_spans(u->users[middle].login, login) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (*count = 0; low + *count < u->count; (*count)++) {
        if (!span_equal(u->users[low + *count].login, login))
            break;
    }
    return &u->users[low];
}

/* A wrong guess costs as much as at the login with the most passwords, whoever is guessed at. */
bool auth_users_verify(const struct auth_users *u, struct span login, struct span password)
{
    uint32_t count;
    const struct user *user = find_user(u, login, &count);
    uint8_t room[LIMIT_PASSWORD_BYTES - 1];
    struct buf form = { room, 0, sizeof(room) };
    bool possible = auth_prep(password, &form);
    bool right = false;

    for (uint32_t i = 0; i < u->most && !right; i++) {
        const char *secret = i < count ? user[i].secret : u->usual;

        right = auth_secret_verify(secret, span_of(room, form.len)) && possible && i < count;
    }
    explicit_bzero(room, sizeof(room));
    return right;
}

bool auth_users_scram(const struct auth_users *u, struct span login, struct auth_scram_keys *keys)
{
    uint32_t count;
    const struct user *user = find_user(u, login, &count);
    const char *secret = u->usual_scram;
    struct auth_scram_keys own = { 0 };
    bool real = false;

    for (uint32_t i = 0; i < count && !real; i++) {
        real = auth_secret_is_scram(user[i].secret);
        secret = real ? user[i].secret : secret;
    }
    invent_keys(u, login, keys);
    if (secret != NULL)
        auth_secret_scram(secret, &own); /* what a stranger costs, too */
    if (real)
        *keys = own;
    explicit_bzero(&own, sizeof(own));
    return real;
}
