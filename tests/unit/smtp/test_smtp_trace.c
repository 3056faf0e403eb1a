/* The Received field: its words, its folds, its date. */
#include "lib/unit.h"

#include "base/limits.h"
#include "base/mail.h"
#include "smtp/smtp_trace.h"

static struct smtp_trace usual(void)
{
    return (struct smtp_trace){
        .helo = SPAN_LITERAL("c.example"),
        .host = SPAN_LITERAL("mx.example"),
        .recipient = SPAN_LITERAL("b@y.example"),
        .client = addr_from_v4(0xc0000207),
        .esmtp = true,
        .secure = true,
        .authenticated = true,
        .tls_version = "TLSv1.3",
        .tls_cipher = "TLS_AES_128_GCM_SHA256",
        .tls_group = "X25519",
        .id = 1,
        .unix_ms = 1000000000000ULL,
    };
}

static const char *received(const struct smtp_trace *t)
{
    static char text[LIMIT_HEADER_BYTES + 1];
    struct buf out = { (uint8_t *)text, 0, LIMIT_HEADER_BYTES };

    assert_true(smtp_trace_received(t, &out));
    text[out.len] = '\0';
    return text;
}

/* The field on one line. */
static const char *unfolded(const struct smtp_trace *t)
{
    static char text[LIMIT_HEADER_BYTES + 1];
    const char *p = received(t);
    char *to = text;

    for (; *p != '\0'; p++) {
        if (*p != '\r' && *p != '\n')
            *to++ = *p == '\t' ? ' ' : *p;
    }
    *to = '\0';
    return text;
}

static void the_usual(void **state)
{
    struct smtp_trace t = usual();

    (void)state;
    assert_string_equal(
        received(&t),
        "Received: from c.example ([192.0.2.7]) by mx.example (Postern) with ESMTPSA\r\n"
        "\t(TLSv1.3 TLS_AES_128_GCM_SHA256 X25519) id 0000000000001 for <b@y.example>;\r\n"
        "\tSun, 9 Sep 2001 01:46:40 +0000\r\n");
}

static void several_recipients_are_not_named(void **state)
{
    struct smtp_trace t = usual();

    (void)state;
    t.recipient = span_of(NULL, 0);
    assert_null(strstr(unfolded(&t), "for"));
    assert_non_null(strstr(unfolded(&t), "id 0000000000001; Sun"));
}

static void protocols(void **state)
{
    struct smtp_trace t = usual();

    (void)state;
    t.secure = false;
    t.tls_version = NULL;
    assert_non_null(strstr(unfolded(&t), "with ESMTPA id"));
    t.authenticated = false;
    assert_non_null(strstr(unfolded(&t), "with ESMTP id"));
    t.esmtp = false;
    assert_non_null(strstr(unfolded(&t), "with SMTP id"));
    t.esmtp = t.secure = true;
    assert_non_null(strstr(unfolded(&t), "with ESMTPS id"));
}

static void tls_words_may_be_missing(void **state)
{
    struct smtp_trace t = usual();

    (void)state;
    t.tls_group = NULL;
    assert_non_null(strstr(unfolded(&t), "(TLSv1.3 TLS_AES_128_GCM_SHA256)"));
    t.tls_cipher = NULL;
    assert_non_null(strstr(unfolded(&t), "(TLSv1.3)"));
}

static void ipv6_client(void **state)
{
    struct smtp_trace t = usual();

    (void)state;
    assert_true(addr_parse("2001:db8::7", &t.client));
    assert_non_null(strstr(unfolded(&t), "([IPv6:2001:db8::7])"));
}

/* Neither the address nor the name of the client. */
static void hidden_client(void **state)
{
    struct smtp_trace t = usual();
    const char *text;

    (void)state;
    t.hide_client = true;
    text = unfolded(&t);
    assert_non_null(strstr(text, "Received: from client.invalid by "));
    assert_null(memmem(text, strlen(text), t.helo.ptr, t.helo.len));
    assert_null(strchr(text, '['));
}

static void utf8_protocols(void **state)
{
    struct smtp_trace t = usual();

    (void)state;
    t.utf8 = true;
    assert_non_null(strstr(unfolded(&t), " with UTF8SMTPSA "));
    t.secure = t.authenticated = false;
    assert_non_null(strstr(unfolded(&t), " with UTF8SMTP "));
}

/* No line is over 78 bytes, but for a word that is; never two words in such a line. */
static void folds(void **state)
{
    static uint8_t name[LIMIT_PATH_BYTES];
    struct smtp_trace t = usual();

    (void)state;
    memset(name, 'n', sizeof(name));
    for (uint32_t helo = 1; helo <= 255; helo += 2) {
        for (uint32_t host = 1; host <= 255; host += 23) {
            char *line;
            char *save = NULL;
            char text[LIMIT_HEADER_BYTES + 1];

            t.helo = span_of(name, helo);
            t.host = span_of(name, host);
            t.recipient = span_of(name, 254);
            memcpy(text, received(&t), sizeof(text));
            for (line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
                if (strlen(line) > 78)
                    assert_true(strlen(line) <= 1 + 5 + 256 + 2);
                assert_true(strlen(line) <= 998);
            }
        }
    }
}

static void no_room(void **state)
{
    struct smtp_trace t = usual();
    uint8_t bytes[40];
    struct buf out = { bytes, 0, sizeof(bytes) };

    (void)state;
    assert_false(smtp_trace_received(&t, &out));
    assert_true(out.len <= sizeof(bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual),      cmocka_unit_test(several_recipients_are_not_named),
        cmocka_unit_test(protocols),      cmocka_unit_test(tls_words_may_be_missing),
        cmocka_unit_test(ipv6_client),    cmocka_unit_test(folds),
        cmocka_unit_test(no_room),        cmocka_unit_test(hidden_client),
        cmocka_unit_test(utf8_protocols),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
