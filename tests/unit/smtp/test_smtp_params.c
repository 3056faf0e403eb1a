/* Each keyword: its values, what is no value of it, and what the table judges for all. */
#include "lib/unit.h"

#include "base/limits.h"
#include "smtp/smtp_params.h"

static struct smtp_params p;

static enum smtp_params_outcome mail(const char *text)
{
    return smtp_params_mail(span_str(text), UINT32_MAX, &p);
}

static enum smtp_params_outcome rcpt(const char *text)
{
    return smtp_params_rcpt(span_str(text), &p);
}

#define ALL_BAD(read, texts)                                        \
    for (size_t i = 0; i < sizeof(texts) / sizeof((texts)[0]); i++) \
    assert_int_equal(read((texts)[i]), SMTP_PARAMS_BAD)

static void nothing(void **state)
{
    (void)state;
    assert_int_equal(mail(""), SMTP_PARAMS_OK);
    assert_int_equal(p.given, 0);
    assert_int_equal(mail("   "), SMTP_PARAMS_OK);
    assert_int_equal(rcpt(""), SMTP_PARAMS_OK);
    assert_int_equal(p.given, 0);
}

static void several(void **state)
{
    (void)state;
    assert_int_equal(mail("  SIZE=18446744073709551615  body=8bitmime AUTH=+3C+3E "),
                     SMTP_PARAMS_OK);
    assert_int_equal(p.given, SMTP_PARAM_SIZE | SMTP_PARAM_BODY | SMTP_PARAM_AUTH);
    assert_true(p.size == UINT64_MAX);
    assert_int_equal(p.body, SMTP_BODY_TYPE_8BITMIME);
    assert_true(span_equal(p.auth, SPAN_LITERAL("+3C+3E")));
}

static void bodies(void **state)
{
    static const char *const bad[] = { " BODY", " BODY=", " BODY=16BIT", " BODY=7BIT BODY=7BIT" };

    (void)state;
    assert_int_equal(mail(" BODY=7BIT"), SMTP_PARAMS_OK);
    assert_int_equal(p.body, SMTP_BODY_TYPE_7BIT);
    assert_int_equal(mail(" BODY=BinaryMime"), SMTP_PARAMS_OK);
    assert_int_equal(p.body, SMTP_BODY_TYPE_BINARYMIME);
    ALL_BAD(mail, bad);
}

static void sizes(void **state)
{
    static const char *const bad[] = { " SIZE", " SIZE=:", " SIZE=/", " SIZE=-1",
                                       " SIZE=1 SIZE=1" };

    (void)state;
    assert_int_equal(mail(" SIZE=99999999999999999999"), SMTP_PARAMS_OK);
    assert_true(p.size == UINT64_MAX);
    ALL_BAD(mail, bad);
}

static void dsn_of_mail(void **state)
{
    static const char *const bad[] = {
        " RET",     " RET=",      " RET=BODY",  " RET=FULL RET=HDRS", " ENVID",    " ENVID=",
        " ENVID=+", " ENVID=+4g", " ENVID=+0A", " ENVID=a ENVID=b",   " ENVID=a=b"
    };
    char text[200] = " ENVID=";

    (void)state;
    assert_int_equal(mail(" RET=full ENVID=QQ+2B314159"), SMTP_PARAMS_OK);
    assert_true(p.ret_full);
    assert_true(span_equal(p.envid, SPAN_LITERAL("QQ+2B314159")));
    assert_int_equal(mail(" RET=HDRS"), SMTP_PARAMS_OK);
    assert_false(p.ret_full);
    ALL_BAD(mail, bad);
    memset(text + 7, 'e', LIMIT_ENVID_BYTES);
    assert_int_equal(mail(text), SMTP_PARAMS_OK);
    text[7 + LIMIT_ENVID_BYTES] = 'e';
    assert_int_equal(mail(text), SMTP_PARAMS_BAD);
}

static void bare_words(void **state)
{
    static const char *const bad[] = { " SMTPUTF8=1", " SMTPUTF8=", " SMTPUTF8 SMTPUTF8",
                                       " REQUIRETLS=YES", " REQUIRETLS REQUIRETLS" };

    (void)state;
    assert_int_equal(mail(" smtputf8 RequireTLS"), SMTP_PARAMS_OK);
    assert_int_equal(p.given, SMTP_PARAM_SMTPUTF8 | SMTP_PARAM_REQUIRETLS);
    ALL_BAD(mail, bad);
}

static void priorities(void **state)
{
    static const char *const bad[] = { " MT-PRIORITY",     " MT-PRIORITY=10",
                                       " MT-PRIORITY=-0",  " MT-PRIORITY=+1",
                                       " MT-PRIORITY=-10", " MT-PRIORITY=-",
                                       " MT-PRIORITY=a",   " MT-PRIORITY=1 MT-PRIORITY=1" };

    (void)state;
    assert_int_equal(mail(" MT-PRIORITY=-9"), SMTP_PARAMS_OK);
    assert_int_equal(p.priority, -9);
    assert_int_equal(mail(" mt-priority=9"), SMTP_PARAMS_OK);
    assert_int_equal(p.priority, 9);
    assert_int_equal(mail(" MT-PRIORITY=0"), SMTP_PARAMS_OK);
    assert_int_equal(p.priority, 0);
    ALL_BAD(mail, bad);
}

static void due_times(void **state)
{
    static const char *const bad[] = { " BY",       " BY=",          " BY=1",    " BY=1;",
                                       " BY=;R",    " BY=1;X",       " BY=1;RX", " BY=1;RTT",
                                       " BY=1;TR",  " BY=0;R",       " BY=-1;R", " BY=1234567890;N",
                                       " BY=--1;N", " BY=1;R BY=1;R" };

    (void)state;
    assert_int_equal(mail(" BY=120;R"), SMTP_PARAMS_OK);
    assert_true(p.by_s == 120 && p.by_return && !p.by_trace);
    assert_int_equal(mail(" BY=-999999999;nt"), SMTP_PARAMS_OK);
    assert_true(p.by_s == -999999999 && !p.by_return && p.by_trace);
    assert_int_equal(mail(" BY=+0;N"), SMTP_PARAMS_OK);
    assert_true(p.by_s == 0);
    ALL_BAD(mail, bad);
}

static void holds(void **state)
{
    static const char *const bad[] = {
        " HOLDFOR",
        " HOLDFOR=0",
        " HOLDFOR=-1",
        " HOLDFOR=1234567890",
        " HOLDFOR=1 HOLDFOR=1",
        " HOLDUNTIL",
        " HOLDUNTIL=1",
        " HOLDUNTIL=2026-02-30T00:00:00Z",
        " HOLDFOR=1 HOLDUNTIL=2026-11-24T14:00:00Z",
        " HOLDUNTIL=2026-11-24T14:00:00Z HOLDFOR=1",
    };

    (void)state;
    assert_int_equal(mail(" HOLDFOR=999999999"), SMTP_PARAMS_OK);
    assert_true(p.hold_s == 999999999);
    assert_int_equal(mail(" HOLDUNTIL=1970-01-02T00:00:00Z"), SMTP_PARAMS_OK);
    assert_true(p.hold_s == 86400);
    ALL_BAD(mail, bad);
}

static void notices(void **state)
{
    static const char *const bad[] = { " NOTIFY",
                                       " NOTIFY=",
                                       " NOTIFY=,",
                                       " NOTIFY=SUCCESS,",
                                       " NOTIFY=NEVER,DELAY",
                                       " NOTIFY=DELAY,NEVER",
                                       " NOTIFY=ALWAYS",
                                       " NOTIFY=SUCCESS;DELAY",
                                       " NOTIFY=NEVER NOTIFY=NEVER" };

    (void)state;
    assert_int_equal(rcpt(" NOTIFY=never"), SMTP_PARAMS_OK);
    assert_true(p.given == SMTP_PARAM_NOTIFY && p.notify == 0);
    assert_int_equal(rcpt(" NOTIFY=DELAY,success,DELAY"), SMTP_PARAMS_OK);
    assert_int_equal(p.notify, SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_DELAY);
    assert_int_equal(rcpt(" NOTIFY=FAILURE"), SMTP_PARAMS_OK);
    assert_int_equal(p.notify, SMTP_NOTIFY_FAILURE);
    ALL_BAD(rcpt, bad);
}

static void original_recipients(void **state)
{
    static const char *const good[] = {
        " ORCPT=a;b",
        " ORCPT=rfc822;Bob+2Bx@example.net",
        " ORCPT=utf-8;j\xc3\xb6rg@example.net",
        " ORCPT=UTF-8;j\\x\173F6\175rg@example.net",
        " ORCPT=utf-8;\\x\17310FFFF\175",
    };
    static const char *const bad[] = {
        " ORCPT",
        " ORCPT=",
        " ORCPT=rfc822",
        " ORCPT=rfc822;",
        " ORCPT=;a",
        " ORCPT=rfc822;a+",
        " ORCPT=rfc822;a+2b",
        " ORCPT=rfc822;a+0D",
        " ORCPT=rfc822;\xc3\xb6",
        " ORCPT=utf-8;\xc3",
        " ORCPT=utf-8;a+2B",
        " ORCPT=utf-8;\\x\173F\175",
        " ORCPT=utf-8;\\x\173f6\175",
        " ORCPT=utf-8;\\x\173F6",
        " ORCPT=utf-8;\\a",
        " ORCPT=utf-8;\\x\1731234567\175",
        " ORCPT=\xc3\xb6;a",
        " ORCPT=rfc822;a ORCPT=rfc822;a",
        " ORCPT=utf-8;\xc2\x85",
    };
    char text[600] = " ORCPT=rfc822;";

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(rcpt(good[i]), SMTP_PARAMS_OK);
        assert_true(span_equal(p.orcpt, span_str(good[i] + 7)));
    }
    ALL_BAD(rcpt, bad);
    memset(text + 14, 'o', LIMIT_ORCPT_BYTES - 7);
    assert_int_equal(rcpt(text), SMTP_PARAMS_OK);
    text[7 + LIMIT_ORCPT_BYTES] = 'o';
    assert_int_equal(rcpt(text), SMTP_PARAMS_BAD);
}

/* Each verb has its own; what was not offered is not known; malformed comes before unknown. */
static void tables(void **state)
{
    (void)state;
    assert_int_equal(mail(" NOTIFY=NEVER"), SMTP_PARAMS_UNKNOWN);
    assert_int_equal(rcpt(" SIZE=1"), SMTP_PARAMS_UNKNOWN);
    assert_int_equal(mail(" X-FOO"), SMTP_PARAMS_UNKNOWN);
    assert_int_equal(mail(" SIZE=1 X=y"), SMTP_PARAMS_UNKNOWN);
    assert_int_equal(
        smtp_params_mail(SPAN_LITERAL(" HOLDFOR=1"), ~(uint32_t)SMTP_PARAM_HOLDFOR, &p),
        SMTP_PARAMS_UNKNOWN);
    assert_int_equal(mail(" -X"), SMTP_PARAMS_BAD);
    assert_int_equal(mail(" X="), SMTP_PARAMS_BAD);
    assert_int_equal(mail(" X=y=z"), SMTP_PARAMS_BAD);
    assert_int_equal(mail(" X\t"), SMTP_PARAMS_BAD);
    assert_int_equal(mail(" \x7f"), SMTP_PARAMS_BAD);
    assert_int_equal(mail(" SIZE=\x7f"), SMTP_PARAMS_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing),     cmocka_unit_test(several),
        cmocka_unit_test(bodies),      cmocka_unit_test(sizes),
        cmocka_unit_test(dsn_of_mail), cmocka_unit_test(bare_words),
        cmocka_unit_test(priorities),  cmocka_unit_test(due_times),
        cmocka_unit_test(holds),       cmocka_unit_test(notices),
        cmocka_unit_test(tables),      cmocka_unit_test(original_recipients),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
