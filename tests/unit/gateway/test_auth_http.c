/*
 * An HTTP hook in nginx's form: is what is asked in that form, are answers understood or refused,
 * and what becomes of connections that are kept, closed under a question, or say too much? The
 * test itself is the server, at a UNIX socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <unistd.h>

#include "gateway/auth_http.h"
#include "gateway/auth_http_wire.h"

#define DEADLINE_MS 20000

/* --- the wire -------------------------------------------------------------------------------- */

static const char *const good_urls[] = {
    "http://127.0.0.1",  "http://127.1.2.3:9000/auth?x", "http://[::1]:9000/auth",
    "http://localhost/", "http://unix:/run/hook:/auth",  "http://unix:/run/hook"
};

static const char *const bad_urls[] = { "https://127.0.0.1/",
                                        "http://",
                                        "http://192.0.2.1/",
                                        "http://example.org/auth",
                                        "http://[::1/",
                                        "http://[::2]/",
                                        "http://127.0.0.1:0/",
                                        "http://127.0.0.1:65536/",
                                        "http://127.0.0.1:/",
                                        "http://127.0.0.1/a b",
                                        "http://127.0.0.1/\r\nX: y",
                                        "http://unix:run",
                                        "" };

static void where_it_may_be(void **state)
{
    struct auth_http_place p;

    (void)state;
    for (uint32_t i = 0; i < sizeof(good_urls) / sizeof(good_urls[0]); i++)
        assert_null(auth_http_wire_place(good_urls[i], &p));
    for (uint32_t i = 0; i < sizeof(bad_urls) / sizeof(bad_urls[0]); i++)
        assert_non_null(auth_http_wire_place(bad_urls[i], &p));
    assert_null(auth_http_wire_place("http://localhost:9000/auth?x", &p));
    assert_int_equal(p.at.v4.sin_port, htons(9000));
    assert_int_equal(p.at.v4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_true(span_equal(p.host, SPAN_LITERAL("localhost:9000")));
    assert_true(span_equal(p.target, SPAN_LITERAL("/auth?x")));
    assert_null(auth_http_wire_place("http://unix:/run/hook:/auth", &p));
    assert_string_equal(p.at.local.sun_path, "/run/hook");
    assert_true(span_equal(p.target, SPAN_LITERAL("/auth")));
}

static struct auth_question question;

static void make_question(const char *login, const char *password)
{
    question = (struct auth_question){
        .mechanism = SMTP_MECHANISM_LOGIN,
        .client = { addr_from_v4(0xc0000201), 4000 },
        .tls_version = "TLSv1.3",
        .tls_cipher = "TLS_AES_128_GCM_SHA256",
        .attempt = 2,
        .login_len = (uint32_t)strlen(login),
        .secret_len = (uint32_t)strlen(password),
        .answer.verdict = SMTP_VERDICT_TEMPORARY,
    };
    memcpy(question.login, login, strlen(login));
    memcpy(question.secret, password, strlen(password));
}

static void what_is_asked(void **state)
{
    static const char request[] = "GET /auth HTTP/1.0\r\nHost: 127.0.0.1:9\r\n"
                                  "Connection: keep-alive\r\nAuth-Method: plain\r\n"
                                  "Auth-User: a%25n%0D%0AX:\r\nAuth-Pass: s%20%7F\xc3\xa9\r\n"
                                  "Auth-Protocol: smtp\r\nAuth-Login-Attempt: 2\r\n"
                                  "Client-IP: 192.0.2.1\r\nAuth-SSL: on\r\n"
                                  "Auth-SSL-Protocol: TLSv1.3\r\n"
                                  "Auth-SSL-Cipher: TLS_AES_128_GCM_SHA256\r\n\r\n";
    static uint8_t bytes[LIMIT_HTTP_REQUEST_BYTES];
    struct buf out = { bytes, 0, sizeof(bytes) };
    struct auth_http_place p;

    (void)state;
    assert_null(auth_http_wire_place("http://127.0.0.1:9/auth", &p));
    make_question("a%n\r\nX:", "s \x7f\xc3\xa9");
    assert_true(auth_http_wire_ask(&p, &question, &out));
    assert_true(span_equal(span_of(bytes, out.len), span_str(request)));
    /* The longest that there can be fits. */
    question.login_len = LIMIT_LOGIN_BYTES;
    question.secret_len = LIMIT_PASSWORD_BYTES - 1;
    memset(question.login, '%', LIMIT_LOGIN_BYTES);
    memset(question.secret, '%', LIMIT_PASSWORD_BYTES);
    out.len = 0;
    assert_true(auth_http_wire_ask(&p, &question, &out));
    assert_true(out.len + 2 * 255 <= sizeof(bytes));
}

static const char *read_head(const char *text, struct auth_http_head *out)
{
    uint32_t len = auth_http_wire_whole(span_str(text));

    assert_int_not_equal(len, 0);
    return auth_http_wire_read(span_of(text, len), out);
}

static void what_it_says(void **state)
{
    struct auth_http_head h;

    (void)state;
    assert_null(read_head("HTTP/1.1 200 OK\r\nauth-status:OK\r\nAuth-User: \t ann \r\n"
                          "Content-Length: 2\r\nConnection: Keep-Alive\r\n\r\nhi",
                          &h));
    assert_int_equal(h.verdict, SMTP_VERDICT_OK);
    assert_true(span_equal(h.user, SPAN_LITERAL("ann")));
    assert_true(h.stays);
    assert_int_equal(h.body_bytes, 2);
    assert_null(read_head("HTTP/1.0 200\r\nAuth-Status: No such user\r\nAuth-Wait: 3\r\n\r\n", &h));
    assert_int_equal(h.verdict, SMTP_VERDICT_WRONG);
    assert_int_equal(h.wait_s, 3);
    assert_false(h.stays);
    assert_null(
        read_head("HTTP/1.0 200 OK\r\nAuth-Status: ok\r\nAuth-Error-Code: 535 5.7.8\r\n\r\n", &h));
    assert_int_equal(h.verdict, SMTP_VERDICT_WRONG);
    assert_null(
        read_head("HTTP/1.0 200 OK\r\nAuth-Status: db\r\nAuth-Error-Code: 451 4.3.0\r\n\r\n", &h));
    assert_int_equal(h.verdict, SMTP_VERDICT_TEMPORARY);
    assert_int_equal(auth_http_wire_whole(SPAN_LITERAL("HTTP/1.0 200 OK\r\nA: b\r\n\r")), 0);
}

static const char *const bad_heads[] = {
    "220 hello\r\n\r\n",
    "HTTP/2 200 OK\r\nAuth-Status: OK\r\n\r\n",
    "HTTP/1.1 500 OK\r\nAuth-Status: OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nAuth-Status:\r\n\r\n",
    "HTTP/1.1 200 OK\r\nAuth-Status: no\r\nAuth-Status: OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nAuth-Status : OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\n Auth-Status: OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: y\r\n folded\r\nAuth-Status: OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: y\nAuth-Status: OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nAuth-Status: OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nAuth-Status: no\r\nAuth-Wait: soon\r\n\r\n",
    "HTTP/1.1 200 OK\r\nAuth-Status: no\r\nAuth-Error-Code: what\r\n\r\n",
};

static void what_it_may_not_say(void **state)
{
    struct auth_http_head h;

    (void)state;
    for (uint32_t i = 0; i < sizeof(bad_heads) / sizeof(bad_heads[0]); i++)
        assert_non_null(read_head(bad_heads[i], &h));
}

/* --- the hook -------------------------------------------------------------------------------- */

static char directory[32];
static char socket_path[64];
static char url[96];
static int listener;
static struct auth_remote *remote;
static struct auth_backend *backend;
static uint32_t answered;

static int set_up(void **state)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    static uint8_t text[256];
    struct buf why = { text, 0, sizeof(text) };
    struct auth_client *client;

    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/postern-hook-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(socket_path, sizeof(socket_path), "%s/s", directory);
    snprintf(url, sizeof(url), "http://unix:%s:/auth", socket_path);
    memcpy(at.sun_path, socket_path, strlen(socket_path));
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(listener, 8), 0);
    client = auth_http_create(url, 1);
    assert_non_null(client);
    remote = auth_remote_create(client, 1, LOG_LEVEL_ERROR, &why);
    assert_non_null(remote);
    backend = auth_remote_backend(remote, 0);
    assert_true(auth_remote_start(remote, &why));
    answered = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    auth_remote_stop(remote);
    while (auth_remote_poll(remote, 0) > 0)
        continue;
    backend->destroy(backend);
    auth_remote_destroy(remote);
    close(listener);
    unlink(socket_path);
    rmdir(directory);
    return 0;
}

static void done(struct auth_question *q)
{
    (void)q;
    answered++;
}

static void ask(const char *password)
{
    make_question("ann", password);
    question.done = done;
    backend->ask(backend, &question);
}

static void await(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
}

static int accept_one(void)
{
    await(listener);
    return accept(listener, NULL, NULL);
}

/* The request, up to its empty line. */
static void hear(int peer, const char *password)
{
    char text[LIMIT_HTTP_REQUEST_BYTES + 1];
    char want[64];
    size_t len = 0;

    text[0] = 0;
    while (strstr(text, "\r\n\r\n") == NULL) {
        ssize_t n;

        await(peer);
        n = recv(peer, text + len, sizeof(text) - 1 - len, 0);
        assert_true(n > 0);
        len += (size_t)n;
        text[len] = 0;
    }
    snprintf(want, sizeof(want), "\r\nAuth-Pass: %s\r\n", password);
    assert_non_null(strstr(text, want));
}

static void say(int peer, const char *text)
{
    assert_int_equal(send(peer, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static enum smtp_verdict verdict(void)
{
    uint32_t before = answered;

    while (answered == before) {
        if (auth_remote_poll(remote, 0) == 0)
            await(auth_remote_fd(remote, 0));
    }
    for (uint32_t i = 0; i < question.secret_len; i++)
        assert_int_equal(question.secret[i], 0);
    return question.answer.verdict;
}

static const char kept[] = "HTTP/1.1 200 OK\r\nAuth-Status: OK\r\nAuth-User: ann@example.org\r\n"
                           "Auth-Senders: self rcpt=5\r\nConnection: keep-alive\r\n"
                           "Content-Length: 4\r\n\r\n";

static void a_connection_is_kept(void **state)
{
    int peer;

    (void)state;
    ask("one");
    peer = accept_one();
    hear(peer, "one");
    say(peer, kept);
    say(peer, "body");
    assert_int_equal(verdict(), SMTP_VERDICT_OK);
    assert_true(span_equal(question.answer.login, SPAN_LITERAL("ann@example.org")));
    assert_true(span_equal(question.answer.grant, SPAN_LITERAL("self rcpt=5")));
    ask("two");
    hear(peer, "two");
    say(peer, "HTTP/1.1 200 OK\r\nAuth-Status: no\r\nConnection: close\r\n\r\n");
    assert_int_equal(verdict(), SMTP_VERDICT_WRONG);
    assert_int_equal(recv(peer, &(char){ 0 }, 1, 0), 0);
    close(peer);
}

/* The server has closed it meanwhile, or did when it was asked: asked again, once. */
static void a_kept_connection_is_gone(void **state)
{
    int peer;

    (void)state;
    ask("one");
    peer = accept_one();
    hear(peer, "one");
    say(peer, kept);
    say(peer, "body");
    assert_int_equal(verdict(), SMTP_VERDICT_OK);
    ask("two");
    hear(peer, "two");
    close(peer);
    peer = accept_one();
    hear(peer, "two");
    close(peer);
    assert_int_equal(verdict(), SMTP_VERDICT_TEMPORARY);
}

/* What stands behind an answer is never the answer to another question. */
static void an_answer_too_many(void **state)
{
    int peer;

    (void)state;
    ask("one");
    peer = accept_one();
    hear(peer, "one");
    say(peer, kept);
    say(peer, "bodyHTTP/1.1 200 OK\r\nAuth-Status: OK\r\n\r\n");
    (void)verdict();
    ask("two");
    close(peer);
    peer = accept_one();
    hear(peer, "two");
    say(peer, "HTTP/1.1 200 OK\r\nAuth-Status: no\r\n\r\n");
    assert_int_equal(verdict(), SMTP_VERDICT_WRONG);
    close(peer);
}

/* Less than it meant would be taken, or more. */
static void it_grants_what_nobody_knows(void **state)
{
    int peer;

    (void)state;
    ask("one");
    peer = accept_one();
    hear(peer, "one");
    say(peer, "HTTP/1.1 200 OK\r\nAuth-Status: OK\r\nAuth-Senders: a@x speed=5\r\n\r\n");
    assert_int_equal(verdict(), SMTP_VERDICT_TEMPORARY);
    close(peer);
}

static void it_says_too_much(void **state)
{
    static char line[1001];
    int peer;

    (void)state;
    memset(line, 'x', sizeof(line) - 1);
    ask("one");
    peer = accept_one();
    hear(peer, "one");
    say(peer, "HTTP/1.1 200 OK\r\nAuth-Status: OK\r\nX: ");
    for (uint32_t i = 0; i < LIMIT_HTTP_HEAD_BYTES; i += sizeof(line) - 1)
        (void)!send(peer, line, sizeof(line) - 1, MSG_NOSIGNAL);
    assert_int_equal(verdict(), SMTP_VERDICT_TEMPORARY);
    close(peer);
}

/* A second, the hook's time: no answer to a question, or to a connection. */
static void it_says_nothing(void **state)
{
    int peer;

    (void)state;
    ask("one");
    peer = accept_one();
    hear(peer, "one");
    say(peer, "HTTP/1.1 200 OK\r\nAuth-Status: OK\r\n"); /* and no more */
    assert_int_equal(verdict(), SMTP_VERDICT_TEMPORARY);
    assert_int_equal(recv(peer, &(char){ 0 }, 1, 0), 0);
    close(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_it_may_be),
        cmocka_unit_test(what_is_asked),
        cmocka_unit_test(what_it_says),
        cmocka_unit_test(what_it_may_not_say),
        cmocka_unit_test_setup_teardown(a_connection_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kept_connection_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_too_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_grants_what_nobody_knows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_says_too_much, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_says_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
