/* tls/tls_error.c: whose fault, which alert, which words; and an empty queue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tls/tls_error.h"

static void put(int library, int reason)
{
    ERR_put_error(library, 0, reason, __FILE__, __LINE__);
}

static struct tls_error take(uint8_t sent, uint8_t received)
{
    struct tls_error e;

    memset(&e, 0xff, sizeof(e));
    tls_error_take(&e, sent, received);
    assert_int_equal(ERR_peek_error(), 0);
    assert_false(e.not_tls);
    return e;
}

static void test_of_the_peer(void **state)
{
    struct tls_error e;

    (void)state;
    put(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER);
    e = take(SSL_AD_HANDSHAKE_FAILURE, 0);
    assert_int_equal(e.fault, TLS_FAULT_PEER);
    assert_int_equal(e.alert, SSL_AD_HANDSHAKE_FAILURE);
    assert_string_equal(e.reason, "no shared cipher");
}

static void test_of_ours(void **state)
{
    (void)state;
    put(ERR_LIB_SSL, SSL_R_PRIVATE_KEY_OPERATION_FAILED);
    assert_int_equal(take(SSL_AD_INTERNAL_ERROR, 0).fault, TLS_FAULT_SELF);
    put(ERR_LIB_CRYPTO, ERR_R_MALLOC_FAILURE);
    assert_int_equal(take(0, 0).fault, TLS_FAULT_SELF);
    assert_int_equal(take(0, 0).fault, TLS_FAULT_SELF); /* an empty queue */
    assert_string_equal(take(0, 0).reason, "unknown error");
}

/* The lower layer's error is first in the queue, what it means for TLS after it. */
static void test_the_words_we_have_win(void **state)
{
    (void)state;
    put(ERR_LIB_CIPHER, 101);
    put(ERR_LIB_SSL, SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC);
    assert_string_equal(take(SSL_AD_BAD_RECORD_MAC, 0).reason, "record does not decrypt");
    put(ERR_LIB_SSL, SSL_R_TOO_MUCH_READ_EARLY_DATA); /* no row: BoringSSL's name */
    assert_string_equal(take(0, 0).reason, "TOO_MUCH_READ_EARLY_DATA");
    put(ERR_LIB_SSL, 4095); /* no name at all */
    assert_string_equal(take(0, 0).reason, "unknown error");
}

static void test_alerts(void **state)
{
    struct tls_error e;

    (void)state;
    put(ERR_LIB_SSL, SSL_R_TLSV1_ALERT_UNKNOWN_CA);
    e = take(0, SSL_AD_UNKNOWN_CA);
    assert_int_equal(e.fault, TLS_FAULT_PEER);
    assert_int_equal(e.alert, SSL_AD_UNKNOWN_CA);
    assert_string_equal(e.reason, "peer says: unknown certificate authority");
    assert_string_equal(take(0, 200).reason, "peer sent an unknown alert");
}

static void test_text(void **state)
{
    struct tls_error e;

    (void)state;
    assert_string_equal(tls_error_text(), "unknown error");
    put(ERR_LIB_SSL, SSL_R_NO_SHARED_GROUP);
    assert_string_equal(tls_error_text(), "no shared group");
    assert_int_equal(ERR_peek_error(), 0);
    put(ERR_LIB_SSL, SSL_R_NO_SHARED_GROUP);
    tls_error_forget();
    assert_int_equal(ERR_peek_error(), 0);
    put(ERR_LIB_SSL, SSL_R_NO_SHARED_GROUP);
    tls_error_set(&e, TLS_FAULT_TRANSPORT, "gone");
    assert_int_equal(e.fault, TLS_FAULT_TRANSPORT);
    assert_string_equal(e.reason, "gone");
    assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_the_peer),
        cmocka_unit_test(test_of_ours),
        cmocka_unit_test(test_the_words_we_have_win),
        cmocka_unit_test(test_alerts),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
