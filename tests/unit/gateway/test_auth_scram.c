/*
 * Is SCRAM-SHA-256 what RFC 7677 shows, does each change of a message end it, and can nobody tell
 * who is there? The client is written here anew, from RFC 5802.
 */
#include "lib/unit.h"

#include <nettle/memops.h>
#include <nettle/pbkdf2.h>
#include <stdio.h>

#include "base/base64.h"
#include "gateway/auth_exchange.h"

/* RFC 7677, 3: user "user", password "pencil". */
#define VECTOR_KEYS                                                               \
    "4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=," \
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define VECTOR_FIRST "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
#define VECTOR_NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define VECTOR_SERVER_FIRST \
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define VECTOR_FINAL                                               \
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0," \
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define VECTOR_SERVER_FINAL "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

#define BINDING   "0123456789abcdef0123456789abcdef"
#define END_POINT "the hash of a certificate, in 48 bytes for example"

static const struct auth_scram_channel plain_channel = { .plus = false };

static bool final_of(const char *message, struct buf *out)
{
    struct auth_scram x = { .challenged = false };
    struct auth_scram_keys keys;
    uint8_t bytes[512];
    struct buf first = { bytes, 0, sizeof(bytes) };

    assert_null(auth_scram_keys_read(&keys, SPAN_LITERAL(VECTOR_KEYS)));
    assert_true(auth_scram_first(&x, SPAN_LITERAL(VECTOR_FIRST), &plain_channel));
    assert_true(span_equal(span_of(x.login, x.login_len), SPAN_LITERAL("user")));
    auth_scram_challenge(&x, &keys, SPAN_LITERAL(VECTOR_NONCE), &first);
    assert_true(span_equal(span_of(bytes, first.len), SPAN_LITERAL(VECTOR_SERVER_FIRST)));
    return auth_scram_final(&x, span_str(message), out);
}

static void the_vector_of_the_rfc(void **state)
{
    uint8_t bytes[512];
    struct buf out = { bytes, 0, sizeof(bytes) };

    (void)state;
    assert_true(final_of(VECTOR_FINAL, &out));
    assert_true(span_equal(span_of(bytes, out.len), SPAN_LITERAL(VECTOR_SERVER_FINAL)));
}

/* Each byte of the final message but the ones that carry nothing. */
static void each_changed_byte_is_wrong(void **state)
{
    char message[] = VECTOR_FINAL;
    uint8_t bytes[512];

    (void)state;
    for (size_t i = 0; i < sizeof(message) - 1; i++) {
        struct buf out = { bytes, 0, sizeof(bytes) };

        message[i] ^= 1;
        assert_false(final_of(message, &out));
        assert_int_equal(out.len, 0);
        message[i] ^= 1;
    }
    for (size_t len = 0; len < sizeof(message) - 1; len++) {
        struct buf out = { bytes, 0, sizeof(bytes) };

        message[len] = 0;
        assert_false(final_of(message, &out));
        message[len] = VECTOR_FINAL[len];
    }
}

static void first_messages(void **state)
{
    static const char *const bad[] = {
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=user",
        "n,,n=,r=x",
        "n,,n=u,r=",
        "n,,r=x,n=u",
        "n,,n=u=,r=x",
        "n,,n=u=2,r=x",
        "n,,n=u=2c,r=x",
        "n,b=x,n=u,r=x",
        "n,a=v,n=u,r=x",
        "n,a=,n=u,r=x",
        "n,,m=x,n=u,r=x",
        "n,,n=u,r=a b",
        "p=tls-exporter,,n=u,r=x",
        "p=,,n=u,r=x",
        "x,,n=u,r=x",
        "N,,n=u,r=x",
    };
    static const char *const good[] = { "n,,n=a=2Cb=3Dc,r=x", "n,a=a=2Cb=3Dc,n=a=2Cb=3Dc,r=x",
                                        "y,,n=a=2Cb=3Dc,r=x,t=1" };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct auth_scram x = { .challenged = false };

        if (auth_scram_first(&x, span_str(bad[i]), &plain_channel))
            fail_msg("taken: %s", bad[i]);
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct auth_scram x = { .challenged = false };

        assert_true(auth_scram_first(&x, span_str(good[i]), &plain_channel));
        assert_true(span_equal(span_of(x.login, x.login_len), SPAN_LITERAL("a,b=c")));
    }
}

static void long_parts(void **state)
{
    char text[600];
    struct auth_scram x = { .challenged = false };

    (void)state;
    snprintf(text, sizeof(text), "n,,n=%0256d,r=%0128d", 0, 0);
    assert_true(auth_scram_first(&x, span_str(text), &plain_channel));
    snprintf(text, sizeof(text), "n,,n=%0257d,r=%0128d", 0, 0);
    assert_false(auth_scram_first(&x, span_str(text), &plain_channel));
    snprintf(text, sizeof(text), "n,,n=%0256d,r=%0129d", 0, 0);
    assert_false(auth_scram_first(&x, span_str(text), &plain_channel));
}

static void a_downgrade_is_seen(void **state)
{
    struct auth_scram_channel plus = { true, true, .binding = SPAN_LITERAL(BINDING) };
    const struct auth_scram_channel could = { false, true, .binding = SPAN_LITERAL(BINDING) };
    struct auth_scram x = { .challenged = false };

    (void)state;
    assert_false(auth_scram_first(&x, SPAN_LITERAL("y,,n=u,r=x"), &could));
    assert_true(auth_scram_first(&x, SPAN_LITERAL("n,,n=u,r=x"), &could));
    assert_false(auth_scram_first(&x, SPAN_LITERAL("n,,n=u,r=x"), &plus));
    assert_false(auth_scram_first(&x, SPAN_LITERAL("y,,n=u,r=x"), &plus));
    assert_false(auth_scram_first(&x, SPAN_LITERAL("p=tls-unique,,n=u,r=x"), &plus));
    assert_true(auth_scram_first(&x, SPAN_LITERAL("p=tls-exporter,,n=u,r=x"), &plus));
    /* Each name is for the binding that there is. */
    assert_false(auth_scram_first(&x, SPAN_LITERAL("p=tls-server-end-point,,n=u,r=x"), &plus));
    plus.end_point = SPAN_LITERAL(END_POINT);
    assert_true(auth_scram_first(&x, SPAN_LITERAL("p=tls-server-end-point,,n=u,r=x"), &plus));
    plus.binding = (struct span){ NULL, 0 };
    assert_false(auth_scram_first(&x, SPAN_LITERAL("p=tls-exporter,,n=u,r=x"), &plus));
}

static void keys_are_read_whole(void **state)
{
    static const char *const bad[] = {
        "",
        "4096",
        "4095,c2FsdA==,x,x",
        "04096,c2FsdA==,x,x",
        "1000001,c2FsdA==,x,x",
        "4294971392,c2FsdA==,x,x",
        "4096,,x,x",
        "4096,c2FsdA==,c2FsdA==,c2FsdA==",
        VECTOR_KEYS ",",
        "4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=",
    };
    struct auth_scram_keys keys;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(auth_scram_keys_read(&keys, span_str(bad[i])));
    assert_null(auth_scram_keys_read(&keys, SPAN_LITERAL(VECTOR_KEYS)));
    assert_true(auth_scram_keys_match(&keys, SPAN_LITERAL("pencil")));
    assert_false(auth_scram_keys_match(&keys, SPAN_LITERAL("pencils")));
    assert_false(auth_scram_keys_match(&keys, SPAN_LITERAL("")));
}

/* --- Whole exchanges ------------------------------------------------------------------------- */

static void hmac(const uint8_t *key, struct span text, uint8_t *out)
{
    struct hmac_sha256_ctx mac;

    hmac_sha256_set_key(&mac, SHA256_DIGEST_SIZE, key);
    hmac_sha256_update(&mac, text.len, text.ptr);
    hmac_sha256_digest(&mac, SHA256_DIGEST_SIZE, out);
}

struct client {
    const char *header; /* gs2 */
    const char *login;
    const char *password;
    const char *binding;
};

/* The final message for a challenge (RFC 5802, 3). */
static void prove(const struct client *c, struct span challenge, struct buf *out)
{
    char server_first[400];
    char nonce[200];
    char salt_text[100];
    char message[1200];
    unsigned iterations;
    uint8_t salt[64];
    uint8_t key[32];
    uint8_t stored[32];
    uint8_t proof[32];
    struct sha256_ctx hash;
    int salt_len;
    uint8_t said[256];
    struct buf channel = { said, 0, sizeof(said) };

    snprintf(server_first, sizeof(server_first), "%.*s", (int)challenge.len, challenge.ptr);
    assert_int_equal(
        sscanf(server_first, "r=%199[^,],s=%99[^,],i=%u", nonce, salt_text, &iterations), 3);
    salt_len = base64_decode(span_str(salt_text), salt, sizeof(salt));
    assert_true(salt_len > 0);
    pbkdf2_hmac_sha256(strlen(c->password), (const uint8_t *)c->password, iterations,
                       (size_t)salt_len, salt, sizeof(key), key);
    hmac(key, SPAN_LITERAL("Client Key"), key);
    sha256_init(&hash);
    sha256_update(&hash, sizeof(key), key);
    sha256_digest(&hash, sizeof(stored), stored);

    snprintf(message, sizeof(message), "%s%s", c->header, c->binding);
    buf_put(out, SPAN_LITERAL("c="));
    base64_encode(&channel, span_str(message));
    buf_put(out, span_of(said, channel.len));
    buf_printf(out, ",r=%s", nonce);
    snprintf(message, sizeof(message), "n=%s,r=abc,%s,%.*s", c->login, server_first, (int)out->len,
             out->ptr);
    hmac(stored, span_str(message), proof);
    memxor(proof, key, sizeof(proof));
    buf_put(out, SPAN_LITERAL(",p="));
    base64_encode(out, span_of(proof, sizeof(proof)));
}

static const struct auth_users *users(void)
{
    static const char text[] =
        "hash:$y$j9T$rk3mOfBv0oIjPUJSyZd6F/$Aw5yE/nVH2l9hjEyRqPVP3C8VYyGdrTm6Cfo9W8gLh0\n"
        "user:{SCRAM-SHA-256}" VECTOR_KEYS "\n";
    static struct auth_users *table;
    uint8_t bytes[256];
    struct buf errors = { bytes, 0, sizeof(bytes) };

    if (table == NULL)
        table = auth_users_parse("u", span_str(text), &errors);
    assert_non_null(table);
    return table;
}

/* Plays it to its end; the challenge is left in `seen`. */
static enum auth_exchange_outcome play(const struct client *c, uint32_t offered,
                                       const char *binding, char *seen)
{
    struct auth_exchange x = { .turn = AUTH_EXCHANGE_FIRST };
    char first[600];
    uint8_t bytes[1024];
    struct buf final = { bytes, 0, sizeof(bytes) };
    struct smtp_client from = { .mechanisms = (uint16_t)offered,
                                .binding = span_str(binding),
                                .end_point = SPAN_LITERAL(END_POINT) };
    struct smtp_auth q = {
        .mechanism = c->header[0] == 'p' ? SMTP_MECHANISM_SCRAM_PLUS : SMTP_MECHANISM_SCRAM,
        .client = &from,
    };
    enum auth_exchange_outcome outcome;

    snprintf(first, sizeof(first), "%sn=%s,r=abc", c->header, c->login);
    q.message = span_str(first);
    outcome = auth_exchange_step(&x, users(), &q, SPAN_LITERAL("xyz"));
    if (outcome != AUTH_EXCHANGE_ASKS)
        return outcome;
    if (seen != NULL)
        snprintf(seen, 400, "%.*s", (int)x.answer_len, x.answer);
    prove(c, span_of(x.answer, x.answer_len), &final);
    q.message = span_of(bytes, final.len);
    outcome = auth_exchange_step(&x, users(), &q, SPAN_LITERAL("xyz"));
    if (outcome != AUTH_EXCHANGE_ASKS)
        return outcome;
    assert_memory_equal(x.answer, "v=", 2);
    q.message = span_str("");
    return auth_exchange_step(&x, users(), &q, SPAN_LITERAL("xyz"));
}

static void exchanges(void **state)
{
    const uint32_t both = SMTP_MECHANISM_SCRAM | SMTP_MECHANISM_SCRAM_PLUS;
    const uint32_t one = SMTP_MECHANISM_SCRAM;
    struct client c = { "n,,", "user", "pencil", "" };

    (void)state;
    assert_int_equal(play(&c, one, "", NULL), AUTH_EXCHANGE_RIGHT);
    assert_int_equal(play(&c, both, BINDING, NULL), AUTH_EXCHANGE_RIGHT);
    c.header = "y,,";
    assert_int_equal(play(&c, one, "", NULL), AUTH_EXCHANGE_RIGHT);
    assert_int_equal(play(&c, both, BINDING, NULL), AUTH_EXCHANGE_WRONG);
    c = (struct client){ "p=tls-exporter,,", "user", "pencil", BINDING };
    assert_int_equal(play(&c, both, BINDING, NULL), AUTH_EXCHANGE_RIGHT);
    c.binding = "another channel, of another TLS.";
    assert_int_equal(play(&c, both, BINDING, NULL), AUTH_EXCHANGE_WRONG);
    c = (struct client){ "p=tls-server-end-point,,", "user", "pencil", END_POINT };
    assert_int_equal(play(&c, both, BINDING, NULL), AUTH_EXCHANGE_RIGHT);
    assert_int_equal(play(&c, both, "", NULL), AUTH_EXCHANGE_RIGHT); /* TLS 1.2 */
    c.binding = BINDING;                                             /* the other one's */
    assert_int_equal(play(&c, both, BINDING, NULL), AUTH_EXCHANGE_WRONG);
    c = (struct client){ "n,,", "user", "Pencil", "" };
    assert_int_equal(play(&c, one, "", NULL), AUTH_EXCHANGE_WRONG);
}

/* A stranger, and a login with a hash only: challenged like a user, and the same each time. */
static void nobody_is_challenged_too(void **state)
{
    static const char *const logins[] = { "nobody", "hash", "user2" };
    char first[400];
    char again[400];
    char other[400];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct client c = { "n,,", logins[i], "secret", "" };
        struct client wrong = { "n,,", "user", "wrong", "" };

        assert_int_equal(play(&c, SMTP_MECHANISM_SCRAM, "", first), AUTH_EXCHANGE_WRONG);
        assert_int_equal(play(&c, SMTP_MECHANISM_SCRAM, "", again), AUTH_EXCHANGE_WRONG);
        assert_string_equal(first, again);
        assert_int_equal(play(&wrong, SMTP_MECHANISM_SCRAM, "", other), AUTH_EXCHANGE_WRONG);
        assert_int_equal(strlen(first), strlen(other));
        assert_string_not_equal(first, other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_of_the_rfc),
        cmocka_unit_test(each_changed_byte_is_wrong),
        cmocka_unit_test(first_messages),
        cmocka_unit_test(long_parts),
        cmocka_unit_test(a_downgrade_is_seen),
        cmocka_unit_test(keys_are_read_whole),
        cmocka_unit_test(exchanges),
        cmocka_unit_test(nobody_is_challenged_too),
    };
    int failed;

    failed = cmocka_run_group_tests(tests, NULL, NULL);
    auth_users_release((struct auth_users *)users());
    return failed;
}
