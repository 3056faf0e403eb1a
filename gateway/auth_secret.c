/*
 * Two kinds of secrets behind one door. Happy path: auth_secret_verify makes the hash anew and
 * compares in constant time. Failure modes: what is weak, cut short or of no known kind is named
 * when the file is read.
 */
#include "gateway/auth_secret.h"

#include <crypt.h>
#include <string.h>

#include "base/assert.h"

STATIC_ASSERT(LIMIT_PASSWORD_BYTES == CRYPT_MAX_PASSPHRASE_SIZE, "libxcrypt's bound is ours");

#define SCRAM_PREFIX "{SCRAM-SHA-256}"

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

static uint32_t hash_cost_len(const char *hash)
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

bool auth_secret_is_scram(const char *text)
{
    return strncmp(text, SCRAM_PREFIX, strlen(SCRAM_PREFIX)) == 0;
}

/* The keys behind the prefix; false: it is a hash. */
static bool find_keys(const char *text, struct span *keys)
{
    if (!auth_secret_is_scram(text))
        return false;
    *keys = span_str(text + strlen(SCRAM_PREFIX));
    return true;
}

const char *auth_secret_fault(const char *text)
{
    struct auth_scram_keys keys;
    const char *fault;
    struct span part;

    if (!find_keys(text, &part))
        return hash_fault(text);
    fault = auth_scram_keys_read(&keys, part);
    explicit_bzero(&keys, sizeof(keys));
    return fault;
}

uint32_t auth_secret_cost_len(const char *text)
{
    return auth_secret_is_scram(text) ? (uint32_t)strcspn(text, ",") : hash_cost_len(text);
}

bool auth_secret_scram(const char *text, struct auth_scram_keys *keys)
{
    struct span part;

    return find_keys(text, &part) && auth_scram_keys_read(keys, part) == NULL;
}

static bool same_text(const char *a, const char *b)
{
    size_t len = strlen(a);
    uint8_t different = strlen(b) != len;

    for (size_t i = 0; i < len && different == 0; i++)
        different |= (uint8_t)(a[i] ^ b[i]);
    return different == 0;
}

static bool verify_hash(const char *hash, const char *password)
{
    static _Thread_local struct crypt_data scratch;
    const char *made = crypt_r(password, hash, &scratch);
    bool right = made != NULL && same_text(made, hash);

    explicit_bzero(&scratch, sizeof(scratch));
    return right;
}

bool auth_secret_verify(const char *text, struct span password)
{
    char word[LIMIT_PASSWORD_BYTES + 1] = { 0 };
    struct auth_scram_keys keys;
    bool right;

    ASSERT(password.len < LIMIT_PASSWORD_BYTES);
    if (auth_secret_scram(text, &keys)) {
        right = auth_scram_keys_match(&keys, password);
    } else {
        if (password.len > 0)
            memcpy(word, password.ptr, password.len);
        right = verify_hash(text, word);
    }
    explicit_bzero(word, sizeof(word));
    explicit_bzero(&keys, sizeof(keys));
    return right;
}
