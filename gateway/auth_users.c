/*
 * Happy path: read, cut into lines, sort by login, find by halves. A line keeps its place in one
 * copy of the text. Failure modes: a line that is no `login:hash` or has a kind of hash that is
 * weak or cut short: the whole file is refused, each fault with its line, so that nobody finds out
 * by being unable to log in.
 */
#include "gateway/auth_users.h"

#include <crypt.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "gateway/slurp.h"

STATIC_ASSERT(LIMIT_PASSWORD_BYTES == CRYPT_MAX_PASSPHRASE_SIZE, "libxcrypt's bound is ours");

#define COSTS_MAX 16 /* different costs that are counted to find the most usual one */

struct user {
    struct span login;
    const char *hash; /* NUL-ended */
    uint32_t line;
};

struct auth_users {
    _Atomic uint32_t references;
    uint32_t count;
    struct user *users; /* sorted by login */
    char *text;         /* the file, lines ended by NUL */
    size_t text_bytes;
    const char *usual; /* a hash as most are; NULL: there are no users */
};

/* A kind of hash: how it begins, how long the part behind its last $ is, where its cost ends. */
struct kind {
    const char *prefix;
    uint32_t digest_len;
    uint32_t cost_len; /* 0: up to the third $ */
};

static const struct kind kinds[] = {
    { "$y$", 43, 0 },  { "$gy$", 43, 0 }, { "$7$", 43, 14 }, { "$2b$", 53, 7 },
    { "$2a$", 53, 7 }, { "$2y$", 53, 7 }, { "$6$", 86, 0 },
};

static const struct kind *kind_of(const char *hash)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strncmp(hash, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
            return &kinds[i];
    }
    return NULL;
}

/* NULL: fine. What is strong is libxcrypt's word, which leaves DES, MD5 and sha256-crypt out. */
static const char *hash_fault(const char *hash)
{
    static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static const char weak[] = "is of no known strong kind: use yescrypt ($y$), bcrypt ($2b$) or "
                               "sha512-crypt ($6$), as mkpasswd(1) makes them";
    const struct kind *kind = kind_of(hash);
    const char *digest;

    if (kind == NULL)
        return weak;
    digest = strrchr(hash, '$') + 1;
    if (digest <= hash + strlen(kind->prefix) || strlen(digest) != kind->digest_len ||
        strspn(digest, digits) != kind->digest_len)
        return "is not whole: something was cut off or added";
    return crypt_checksalt(hash) == CRYPT_SALT_OK ? NULL : weak;
}

/* The part of a hash that says what it costs: two with the same are as slow as each other. */
static uint32_t cost_len(const char *hash)
{
    const struct kind *kind = kind_of(hash);
    const char *second = strchr(hash + 1, '$');
    bool rounds = strncmp(second, "$rounds=", 8) == 0;

    if (kind->cost_len > 0)
        return kind->cost_len;
    if (hash[1] == '6' && !rounds)
        return (uint32_t)(second - hash);
    return (uint32_t)(strchr(second + 1, '$') - hash);
}

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
    sentence = hash_fault(colon + 1);
    if (sentence != NULL) {
        fault(r, line, "the hash", sentence);
        return;
    }
    t->users[t->count++] = (struct user){ .login = span_of(text, (uint32_t)(colon - text)),
                                          .hash = colon + 1,
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
    const char *hash;
    uint32_t len;
    uint32_t count;
};

static struct cost *cost_of(struct cost *costs, const char *hash)
{
    uint32_t len = cost_len(hash);
    uint32_t i = 0;

    while (i < COSTS_MAX - 1 && costs[i].count > 0 &&
           (costs[i].len != len || memcmp(costs[i].hash, hash, len) != 0))
        i++;
    costs[i].hash = hash;
    costs[i].len = len;
    return &costs[i];
}

static const char *find_usual(const struct auth_users *t)
{
    struct cost costs[COSTS_MAX] = { { 0 } };
    struct cost *best = &costs[0];

    for (uint32_t i = 0; i < t->count; i++) {
        struct cost *c = cost_of(costs, t->users[i].hash);

        c->count++;
        if (c->count > best->count)
            best = c;
    }
    return best->hash;
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
    if (r->table->count > 0)
        qsort(r->table->users, r->table->count, sizeof(struct user), compare_users);
    refuse_twins(r);
    r->table->usual = find_usual(r->table);
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

static bool same_text(const char *a, const char *b)
{
    size_t len = strlen(a);
    uint8_t different = strlen(b) != len;

    for (size_t i = 0; i < len && different == 0; i++)
        different |= (uint8_t)(a[i] ^ b[i]);
    return different == 0;
}

bool auth_users_verify(const struct auth_users *u, struct span login, struct span password)
{
    static _Thread_local struct crypt_data scratch;
    const struct user *user = find_user(u, login);
    const char *hash = user != NULL ? user->hash : u->usual;
    char text[LIMIT_PASSWORD_BYTES + 1] = { 0 };
    bool possible = password.len > 0 && password.len < LIMIT_PASSWORD_BYTES &&
                    memchr(password.ptr, 0, password.len) == NULL;
    const char *made;
    bool right;

    if (hash == NULL)
        return false;
    if (possible)
        memcpy(text, password.ptr, password.len);
    made = crypt_r(text, hash, &scratch);
    right = possible && user != NULL && made != NULL && same_text(made, hash);
    explicit_bzero(text, sizeof(text));
    explicit_bzero(&scratch, sizeof(scratch));
    return right;
}
