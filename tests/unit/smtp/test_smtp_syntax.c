/* The grammar: what is in it, what is not, and where each length ends. */
#include "lib/unit.h"

#include "smtp/smtp_syntax.h"

static enum smtp_syntax_outcome path_of(const char *text, struct span *mailbox, struct span *rest)
{
    *rest = span_str(text);
    return smtp_syntax_path(rest, SPAN_LITERAL("FROM:"), mailbox);
}

static void good_path(const char *text, const char *want, const char *want_rest)
{
    struct span mailbox;
    struct span rest;

    assert_int_equal(path_of(text, &mailbox, &rest), SMTP_SYNTAX_OK);
    assert_true(span_equal(mailbox, span_str(want)));
    assert_true(span_equal(rest, span_str(want_rest)));
}

static void paths(void **state)
{
    (void)state;
    good_path("FROM:<a@b>", "a@b", "");
    good_path("from:<a@b> SIZE=1", "a@b", " SIZE=1");
    good_path("FROM:  <a@b>", "a@b", "");
    good_path("FROM:<>", "", "");
    good_path("FROM:<> X", "", " X");
    good_path("FROM:<Postmaster>", "Postmaster", "");
    good_path("FROM:<@r.example,@s:a@b>", "a@b", "");
    good_path("FROM:<\"a>b\\\" c\"@b>", "\"a>b\\\" c\"@b", "");
}

static void bad_path(const char *text, enum smtp_syntax_outcome want)
{
    struct span mailbox;
    struct span rest;

    assert_int_equal(path_of(text, &mailbox, &rest), want);
}

static void no_paths(void **state)
{
    static const char *const texts[] = {
        "",
        "FROM",
        "FROM:",
        "FRO:<a@b>",
        "TO:<a@b>",
        "FROM:a@b",
        "FROM:<a@b",
        "FROM:a@b>",
        "FROM: ",
        "FROM:<",
        "FROM:<a",
        "FROM:<a@b>x",
        "FROM:<a@b>>",
        "FROM:<<a@b>>",
        "FROM:<a@b\t>",
        "FROM:\t<a@b>",
        "FROM:< >",
        "FROM:<postmaster ",
        "FROM:<@r>",
        "FROM:<@r:>",
        "FROM:<@r a@b>",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        bad_path(texts[i], SMTP_SYNTAX_BAD);
}

static void mailboxes(void **state)
{
    static const char *const good[] = {
        "a@b",           "a.b.c@d.e.f",  "!#$%&'*+-/=?^_`{|}~@x",
        "\"\"@x",        "\"a b\"@x",    "\"\\\\\"@x",
        "a@[127.0.0.1]", "a@[IPv6:::1]", "a@[IPv6:2001:db8::7]",
        "0@0",           "a@b-c.d",
    };
    static const char *const bad[] = {
        "",
        "@",
        "a",
        "a@",
        "@b",
        ".a@b",
        "a.@b",
        "a..b@c",
        "a b@c",
        "a@b c",
        "a@b.",
        "a@.b",
        "a@b..c",
        "a@-b",
        "a@b-",
        "a@b_c",
        "\"a@b",
        "\"a\\\"@b",
        "a\"@b",
        "a@[1.2.3]",
        "a@[1.2.3.256]",
        "a@[::1]",
        "a@[IPv6:1.2.3.4]",
        "a@[IPv6:]",
        "a@[1.2.3.4",
        "a@1.2.3.4]",
        "a@b@c",
        "a,b@c",
        "a:b@c",
        "a;b@c",
        "a<b@c",
        "(a)b@c",
        "a@b\n",
        "a\r@b",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(smtp_syntax_mailbox(span_str(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(smtp_syntax_mailbox(span_str(bad[i])));
    assert_false(smtp_syntax_mailbox(SPAN_LITERAL("a\0@b")));
    assert_false(smtp_syntax_mailbox(SPAN_LITERAL("a@b\0")));
    assert_false(smtp_syntax_mailbox(SPAN_LITERAL("\"\0\"@b")));
}

/* `front`, then `fill` times n, then `end`. */
static struct span built(uint8_t *bytes, const char *front, char fill, uint32_t n, const char *end)
{
    uint32_t len = (uint32_t)strlen(front);

    memcpy(bytes, front, len);
    memset(bytes + len, fill, n);
    memcpy(bytes + len + n, end, strlen(end));
    return span_of(bytes, len + n + (uint32_t)strlen(end));
}

static void lengths(void **state)
{
    uint8_t b[600];

    (void)state;
    assert_true(smtp_syntax_mailbox(built(b, "", 'a', 64, "@b")));
    assert_false(smtp_syntax_mailbox(built(b, "", 'a', 65, "@b")));
    assert_true(smtp_syntax_mailbox(built(b, "\"", 'a', 62, "\"@b")));
    assert_false(smtp_syntax_mailbox(built(b, "\"", 'a', 63, "\"@b")));
    assert_true(smtp_syntax_domain(built(b, "", 'a', 63, ".b")));
    assert_false(smtp_syntax_domain(built(b, "", 'a', 64, ".b")));
    assert_true(smtp_syntax_helo(built(b, "", 'a', LIMIT_HELO_BYTES, "")));
    assert_false(smtp_syntax_helo(built(b, "", 'a', LIMIT_HELO_BYTES + 1, "")));
}

static void domain_lengths(void **state)
{
    struct span mailbox;
    struct span rest;
    uint8_t b[400];

    (void)state;
    memset(b, 'a', sizeof(b));
    for (uint32_t i = 49; i < 400; i += 50)
        b[i] = '.';
    assert_true(smtp_syntax_domain(span_of(b, 255)));
    assert_false(smtp_syntax_domain(span_of(b, 256)));
    /* A path of 256 bytes, brackets and route included: "FROM:<@r:a@" + domain + ">". */
    memcpy(b, "FROM:<@r:a@aaaa.", 16);
    b[260] = '>';
    rest = span_of(b, 261);
    assert_int_equal(smtp_syntax_path(&rest, SPAN_LITERAL("FROM:"), &mailbox), SMTP_SYNTAX_OK);
    b[260] = 'a';
    b[261] = '>';
    rest = span_of(b, 262);
    assert_int_equal(smtp_syntax_path(&rest, SPAN_LITERAL("FROM:"), &mailbox), SMTP_SYNTAX_BAD);
}

static void helo_names(void **state)
{
    (void)state;
    assert_true(smtp_syntax_helo(SPAN_LITERAL("mail.example.org")));
    assert_true(smtp_syntax_helo(SPAN_LITERAL("[IPv6:2001:db8::1]")));
    assert_true(smtp_syntax_helo(SPAN_LITERAL("MY_PC")));
    assert_false(smtp_syntax_helo(SPAN_LITERAL("")));
    assert_false(smtp_syntax_helo(SPAN_LITERAL("a b")));
    assert_false(smtp_syntax_helo(SPAN_LITERAL("a(b")));
    assert_false(smtp_syntax_helo(SPAN_LITERAL("a\0b")));
    assert_false(smtp_syntax_helo(SPAN_LITERAL("a\r\nX: y")));
    assert_false(smtp_syntax_helo(SPAN_LITERAL("a;b")));
    assert_false(smtp_syntax_helo(SPAN_LITERAL("\x80")));
}

static void xtext(void **state)
{
    uint8_t bytes[8];
    struct buf to = { bytes, 1, sizeof(bytes) };

    (void)state;
    assert_true(smtp_syntax_xtext(SPAN_LITERAL("a+2Bb"), &to));
    assert_int_equal(to.len, 4);
    assert_memory_equal(bytes + 1, "a+b", 3);
    assert_false(smtp_syntax_xtext(SPAN_LITERAL("12345"), &to)); /* one too many */
    assert_int_equal(to.len, 4);
    assert_true(smtp_syntax_xtext(SPAN_LITERAL("1234"), &to));
    to.len = 0;
    assert_false(smtp_syntax_xtext(SPAN_LITERAL("a="), &to));
    assert_false(smtp_syntax_xtext(SPAN_LITERAL("a b"), &to));
    assert_false(smtp_syntax_xtext(SPAN_LITERAL("+"), &to));
    assert_false(smtp_syntax_xtext(SPAN_LITERAL("+4"), &to));
    assert_false(smtp_syntax_xtext(SPAN_LITERAL("+4g"), &to));
    assert_false(smtp_syntax_xtext(SPAN_LITERAL("+2b"), &to)); /* hexchar is upper case */
    assert_false(smtp_syntax_xtext(SPAN_LITERAL("+0A"), &to));
    assert_false(smtp_syntax_xtext(SPAN_LITERAL("+7F"), &to));
    assert_false(smtp_syntax_xtext(SPAN_LITERAL("+80"), &to));
    assert_int_equal(to.len, 0);
}

static void chunks(void **state)
{
    static const char *const bad[] = { "",         " 1",     "x",       "-1",       "1 LAST LAST",
                                       "1LAST",    "1 LA",   "1 LASTX", "1\tLAST",  "1 2",
                                       "1.0 LAST", "LAST 1", "+1",      "0x1 LAST", "1 " };
    struct smtp_chunk c;

    (void)state;
    assert_true(smtp_syntax_chunk(SPAN_LITERAL("0"), &c) && c.bytes == 0 && !c.last);
    assert_true(smtp_syntax_chunk(SPAN_LITERAL("17 LAST"), &c) && c.bytes == 17 && c.last);
    assert_true(smtp_syntax_chunk(SPAN_LITERAL("17  last"), &c) && c.last);
    assert_true(smtp_syntax_chunk(SPAN_LITERAL("99999999999999999999"), &c));
    assert_true(c.bytes == UINT64_MAX);
    assert_false(smtp_syntax_chunk(SPAN_LITERAL("000000000000000000001"), &c));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(smtp_syntax_chunk(span_str(bad[i]), &c));
}

/* What ASCII alone may have is the same with UTF-8 beside it (RFC 6531, 3.3). */
static void utf8_mailboxes(void **state)
{
    static const char *const good[] = {
        "j\xc3\xb6rg@b",      "a@b\xc3\xbc.example", "\"\xe6\x97\xa5 \"@b",
        "\xf0\x9f\x93\xa7@x", "a@\xe4\xbe\x8b",      "\xc3\xa4.\xc3\xa4@b",
    };
    static const char *const bad[] = {
        "\xc3@b",           "\xff@b",        "a@\xc0\xaf",
        "\xed\xa0\x80@b",   "\xc2\x85@b",    "\xf4\x90\x80\x80@b",
        "\"\\\xc3\xa4\"@b", "\xc3\xa4..a@b", "a@-\xc3\xa4",
    };
    struct span mailbox;
    struct span rest;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(smtp_syntax_mailbox(span_str(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(smtp_syntax_mailbox(span_str(bad[i])));
    assert_false(smtp_syntax_domain(SPAN_LITERAL("b\xc3\xbc.example")));
    assert_int_equal(path_of("FROM:<\xc3\xa4@b>", &mailbox, &rest), SMTP_SYNTAX_UTF8);
    assert_int_equal(path_of("FROM:<@\xc3\xa4:a@b>", &mailbox, &rest), SMTP_SYNTAX_OK);
    bad_path("FROM:<a@\xff>", SMTP_SYNTAX_BAD);
    bad_path("FROM:<\"\x80\"@b>", SMTP_SYNTAX_BAD);
}

/* RFC 5321, 4.1.3 */
static void literals(void **state)
{
    (void)state;
    assert_true(smtp_syntax_domain(SPAN_LITERAL("[192.0.2.1]")));
    assert_true(smtp_syntax_domain(SPAN_LITERAL("[ipv6:2001:db8::1]")));
    assert_true(smtp_syntax_domain(SPAN_LITERAL("[X25:311061700956]")));
    assert_true(smtp_syntax_domain(SPAN_LITERAL("[a-b:!\"#$%^_`{|}~.@]")));
    assert_false(smtp_syntax_domain(SPAN_LITERAL("[a-:b]")));
    assert_false(smtp_syntax_domain(SPAN_LITERAL("[a:]")));
    assert_false(smtp_syntax_domain(SPAN_LITERAL("[:a]")));
    assert_false(smtp_syntax_domain(SPAN_LITERAL("[]")));
    assert_false(smtp_syntax_domain(SPAN_LITERAL("[a:b c]")));
    assert_false(smtp_syntax_domain(SPAN_LITERAL("[a:b[c]")));
    assert_false(smtp_syntax_domain(SPAN_LITERAL("[a:b\\c]")));
    assert_false(smtp_syntax_domain(SPAN_LITERAL("[fe80::1]"))); /* the tag is missing */
    assert_false(smtp_syntax_domain(SPAN_LITERAL("[IPv6:fe80::1%eth0]")));
    assert_false(smtp_syntax_domain(SPAN_LITERAL("[192.0.2.1].example")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),          cmocka_unit_test(no_paths),
        cmocka_unit_test(mailboxes),      cmocka_unit_test(lengths),
        cmocka_unit_test(domain_lengths), cmocka_unit_test(helo_names),
        cmocka_unit_test(xtext),          cmocka_unit_test(chunks),
        cmocka_unit_test(utf8_mailboxes), cmocka_unit_test(literals),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
