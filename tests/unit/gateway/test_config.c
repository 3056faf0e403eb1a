/*
 * Does the configuration file say what we mean, and does each fault get its line and a sentence
 * that helps?
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/config.h"
#include "tls/tls.h"
#include "gateway/config_key.h"

static uint8_t room[CONFIG_ERRORS_MAX];
static struct buf errors;

#define LEAST                        \
    "listener a { path = kernel }\n" \
    "tls { certificate { chain = /c key = /k } }\n"

static struct config *parse(const char *text)
{
    errors = (struct buf){ room, 0, sizeof(room) };
    return config_parse("t", span_str(text), &errors);
}

struct bad {
    const char *text;
    const char *said; /* all of it */
};

static const struct bad bad[] = {
    /* Syntax. */
    { "port = 1",
      "t:1: no such option 'port' in the file; known there: hostname, users, privacy, user, "
      "log {}, control {}, device {}, workers {}, listener {}, tls {}, spool {}, limits {}, "
      "auth {}, policy {}\n" },
    { "\nlog { levle = info }", "t:2: no such option 'levle' in log; known there: level, file\n" },
    { "tls {\n key = /k }", "t:2: no such option 'key' in tls; known there: tls12, records, "
                            "ticket-lifetime, ticket-keys, client-certificates, client-ca, "
                            "client-crl, client-login, handshakes-per-turn, certificate {}\n" },
    { "log {\n level = info\n", "t:2: the file ends inside the block log: a } is missing\n" },
    { "hostname =", "t:1: hostname = is the end: its value is missing\n" },
    { LEAST "/* and so on", "t: the file ends inside a comment: a */ is missing\n" },
    { "hostname = \"a", "t:1: premature end of file: a quote or a value is not ended\n" },
    { "hostname = a\n}", "t:2: unexpected closing brace\n" },
    { "hostname a", "t:1: missing equal sign after option 'hostname'\n" },
    { "listener {}", "t:1: missing title for section 'listener'\n" },
    /* Given twice. */
    { LEAST "user = a\nuser = b\n", "t:4: user is given twice, first in line 3: once is right\n" },
    { LEAST "log { }\nlog { }\n", "t:4: log is there twice: put both into one block\n" },
    { LEAST "listener a { path = kernel port = 587 }",
      "t:3: found duplicate title 'a': each listener has a name of its own\n" },
    /* Values. */
    { LEAST "hostname = \"mail..example\"\n", "t:3: hostname = \"mail..example\": must be a host's "
                                              "full name, like \"mail.example.org\"\n" },
    { LEAST "users = users\n", "t:3: users = \"users\": must be a path that begins with /\n" },
    { LEAST "log { level = loud }", "t:3: level = \"loud\": must be debug, info, warn or error\n" },
    { LEAST "log { file = here }", "t:3: file = \"here\": must be a path that begins with /, or "
                                   "\"-\" for standard output\n" },
    { LEAST "workers { count = 0 }", "t:3: count = \"0\": must be a whole number from 1 to 64\n" },
    { LEAST "workers { count = -1 }",
      "t:3: count = \"-1\": must be a whole number from 1 to 64\n" },
    { LEAST "workers { count = 1k }",
      "t:3: count = \"1k\": must be a whole number from 1 to 64\n" },
    { "listener a { path = kernel proxy = { 192.0.2.1/24 } }\n"
      "tls { certificate { chain = /c key = /k } }",
      "t:1: proxy = \"192.0.2.1/24\": must be an address, or a network like \"192.0.2.0/24\" or "
      "\"2001:db8::/32\"\n" },
    { "listener a { path = kernel tls = none }\ntls { certificate { chain = /c key = /k } }",
      "t:1: tls = \"none\": must be implicit or starttls\n" },
    { LEAST "workers { idle = doze }", "t:3: idle = \"doze\": must be sleep or spin\n" },
    { LEAST "spool { size = 1GB }", "t:3: size = \"1GB\": must be a size in bytes, or with k, M, "
                                    "G or T, from 2M to 64T\n" },
    { LEAST "spool { size = \"1 G\" }", "t:3: size = \"1 G\": must be a size in bytes, or with k, "
                                        "M, G or T, from 2M to 64T\n" },
    { LEAST "spool { size = 99999999999999999999 }",
      "t:3: size = \"99999999999999999999\": must be a size in bytes, or with k, M, G or T, from "
      "2M to 64T\n" },
    { LEAST "spool { size = 17179869184G }",
      "t:3: size = \"17179869184G\": must be a size in bytes, or with k, M, G or T, from 2M to "
      "64T\n" },
    { LEAST "limits {\n\n data-timeout = 5x }",
      "t:5: data-timeout = \"5x\": must be a time with s, m, h or d (without: seconds) from 1s to "
      "1d\n" },
    { LEAST "tls { tls12 = maybe }", "t:3: tls12 = \"maybe\": must be yes or no\n"
                                     "t:3: tls is there twice: put both into one block\n" },
    { "listener a { path = kernel address = 1.2.3 }\ntls { certificate { chain = /c key = /k } }",
      "t:1: address = \"1.2.3\": must be an IPv4 or IPv6 address\n" },
    { "listener \"\" { path = kernel }\ntls { certificate { chain = /c key = /k } }",
      "t:1: a listener's name must be text of 1 to 63 bytes\n" },
    { LEAST "device { address = 192.0.2.1 }",
      "t:3: address = \"192.0.2.1\": must be an IPv4 address with its prefix length, like "
      "\"192.0.2.10/24\"\n" },
    { LEAST "device { address = 192.0.2.1/33 }",
      "t:3: address = \"192.0.2.1/33\": must be an IPv4 address with its prefix length, like "
      "\"192.0.2.10/24\"\n" },
    { LEAST "device { address = 192.0.2.1/24 mac = 01:00:00:00:00:00 }",
      "t:3: mac = \"01:00:00:00:00:00\": must be one host's MAC address, like "
      "\"02:00:00:00:00:01\"\n" },
    { LEAST "workers { cores = { 1, x } }",
      "t:3: cores = \"x\": must be a whole number from 0 to 1023\n" },
    /* Keys that have no default. */
    { LEAST "device {\n}", "t: device: must have an address, an address6, or both\n" },
    { LEAST "device { address6 = 2001:db8::1 }",
      "t:3: address6 = \"2001:db8::1\": must be an IPv6 address with its prefix length, like "
      "\"2001:db8::10/64\"\n" },
    { LEAST "device { address6 = ff02::1/64 }",
      "t:3: address6: must be one host's address, not a group's\n" },
    { LEAST "device { address6 = 2001:db8::1/64 mtu = 1279 }",
      "t:3: mtu: must be 1280 at least with an address6 (RFC 8200, 5)\n" },
    { LEAST "device { address = 192.0.2.1/24 shared = yes\n mac = 02:00:00:00:00:01 }",
      "t:4: mac: must be left out with shared = yes: it is the kernel's\n" },
    { LEAST "device { address = 192.0.2.1/24 shared = yes\n exception = pk0 }",
      "t:4: exception: must be left out with shared = yes: the kernel has the interface itself\n" },
    { LEAST "device { address = 192.0.2.1/24\n exception = \"tap%d\" }",
      "t:4: exception: must be the name of an interface, like \"postern0\"\n" },
    { LEAST "device { address = 192.0.2.1/24\n vlan = 4095 }",
      "t:4: vlan = \"4095\": must be a whole number from 0 to 4094\n" },
    { "listener a { path = kernel }\ntls { certificate { chain = /c } }",
      "t:2: certificate without key: it must be given, since no default fits\n" },
    { "", "t: no listener: give at least one, like listener \"submissions\" {}\n"
          "t: no certificate: give one, like tls { certificate { chain = \"/...pem\" key = "
          "\"/...pem\" } }\n" },
    /* All wrong values of a file, each with its line. */
    { "user = a\nlog {\n level = x\n file = y\n}\nworkers { helpers = 0 }\n",
      "t:3: level = \"x\": must be debug, info, warn or error\n"
      "t:4: file = \"y\": must be a path that begins with /, or \"-\" for standard output\n"
      "t:6: helpers = \"0\": must be a whole number from 1 to 64\n" },
    /* Values that do not fit each other. */
    { "listener a {}\ntls { certificate { chain = /c key = /k } }",
      "t:1: listener a: path = dpdk needs a device block; give one, or path = kernel\n" },
    { LEAST "listener b { path = kernel address = 192.0.2.1 }",
      "t:3: listener b: has the address and port of listener a (line 1); change one of them\n" },
    { LEAST "device { address = 192.0.2.1/24 }\nlistener b { address = 192.0.2.2 }",
      "t:4: listener b: address must be one of the device's, or \"*\"\n" },
    { LEAST "device { address = 192.0.2.1/24\n gateway = 192.0.3.1 }",
      "t:4: gateway: must be an IPv4 address in the network of address\n" },
    { LEAST "device { address = 192.0.2.1/24 gateway = 192.0.2.1 }",
      "t:3: gateway: must be another host, not our own address\n" },
    { LEAST "device { address = 192.0.2.1/24 gateway6 = fe80::1 }",
      "t:3: gateway6: needs address6 beside it\n" },
    { LEAST "device { address6 = 2001:db8::1/64\n gateway6 = 2001:db8:0:1::1 }",
      "t:4: gateway6: must be an IPv6 address in the network of address6, or a link-local one\n" },
    { LEAST "workers { count = 2 cores = {1} }",
      "t:3: cores: must be one for each of the 2 workers, or {}\n" },
    { LEAST "workers { count = 2 cores = {1,1} }",
      "t:3: cores: 1 is there twice: a worker has a core of its own\n" },
    { LEAST "spool { size = 64M }",
      "t:3: size: must be that of two segments (134217728 bytes) at least\n"
      "t: message-size: must be at most half of the spool's size (67108864 bytes)\n" },
    { LEAST "spool { segment = 1500k }", "t:3: segment: must be a multiple of 1M\n" },
    { LEAST "limits { session-timeout = 1m }",
      "t:3: session-timeout: must not be shorter than command-timeout (300s) and data-timeout "
      "(180s)\n" },
    { "listener a { path = kernel }\n"
      "tls { certificate { chain = /c key = /k }\n client-certificates = ask }",
      "t:3: client-certificates: needs client-ca beside it: who signs them\n" },
    { "listener a { path = kernel }\n"
      "tls { certificate { chain = /c key = /k }\n client-ca = /a client-crl = /b }",
      "t:3: client-ca: needs client-certificates = ask or require\n"
      "t:3: client-crl: needs client-certificates = ask or require\n" },
    { LEAST "auth { jwks = /k\n jwt-scope = \"a b\" }",
      "t:3: jwks: needs jwt-issuer beside it: who signs with these keys\n"
      "t:3: jwks: needs jwt-audience beside it: what tokens for us say\n"
      "t:4: jwt-scope: must be one word of printable ASCII without \" and \\\n" },
    { LEAST "auth { jwks = k }",
      "t:3: jwks = \"k\": must be a path that begins with /, or \"\"\n" },
};

static void each_fault_has_its_line_and_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct config *c = parse(bad[i].text);

        room[errors.len] = 0;
        if (c != NULL)
            fail_msg("taken: %s", bad[i].text);
        assert_string_equal((char *)room, bad[i].said);
    }
}

static void a_nul_is_refused(void **state)
{
    static const char text[] = LEAST "\0 port = 1";

    (void)state;
    errors = (struct buf){ room, 0, sizeof(room) };
    assert_null(config_parse("t", span_of(text, sizeof(text) - 1), &errors));
    room[errors.len] = 0;
    assert_string_equal((char *)room, "t: holds a NUL byte: it must be text\n");
}

static void the_least_file_gets_every_default(void **state)
{
    struct config *c = parse(LEAST);

    (void)state;
    assert_non_null(c);
    assert_int_equal(errors.len, 0);
    assert_string_equal(c->users, "/etc/postern/users");
    assert_string_equal(c->log.file, "-");
    assert_int_equal(c->log.level, LOG_LEVEL_INFO);
    assert_false(c->device.present);
    assert_int_equal(c->workers.count, 1);
    assert_int_equal(c->workers.core_count, 0);
    assert_int_equal(c->listener_count, 1);
    assert_string_equal(c->listeners[0].name, "a");
    assert_int_equal(c->listeners[0].port, 465);
    assert_int_equal(c->listeners[0].path, CONFIG_PATH_KERNEL);
    assert_int_equal(c->tls.certificate_count, 1);
    assert_true(c->tls.tls12);
    assert_int_equal(c->tls.records, CONFIG_RECORDS_OWN);
    assert_int_equal(c->limits.message_bytes, LIMIT_MESSAGE_BYTES_DEFAULT);
    assert_int_equal(c->auth.cache_lifetime_s, LIMIT_AUTH_CACHE_LIFETIME_S_DEFAULT);
    config_free(c);
}

static const char full[] =
    "# a comment\n"
    "hostname = \"mail.example.org\" // another\n"
    "users = '/etc/postern/users'\n"
    "device { name = net_tap0 eal = { \"--no-huge\", \"--vdev=net_tap0,iface=p0\" }\n"
    "  address = 198.18.0.2/30 gateway = 198.18.0.1 mac = 02:00:00:00:00:0A mtu = 1500\n"
    "  address6 = 2001:db8::2/64 gateway6 = fe80::1 vlan = 7 }\n"
    "workers { count = 2 cores = { 0, 1 } helpers = 3 idle = spin }\n"
    "listener submissions { address = 198.18.0.2 }\n"
    "listener submissions6 { address = 2001:db8::2 }\n"
    "listener six { address = 2001:db8::1 port = 4650 path = kernel }\n"
    "listener submission { path = kernel tls = starttls\n"
    "  proxy = { 192.0.2.0/24, 2001:db8::/32, \"::1\" } }\n"
    "listener odd { path = kernel tls = starttls port = 5870 }\n"
    "tls { certificate { chain = /a key = /b } certificate { chain = \"/c\\$\\\"d\" key = /e }\n"
    "  tls12 = no records = boringssl ticket-lifetime = 90m handshakes-per-turn = 8\n"
    "  client-certificates = require client-ca = /ca client-login = cn }\n"
    "spool { directory = /s size = 8G segment = 128M }\n"
    "limits { message-size = 25M data-timeout = 180 }\n"
    "auth { cache-size = 0 block-time = 1h }\n";

static void a_full_file_lands_where_it_should(void **state)
{
    struct config *c = parse(full);
    struct addr v4 = addr_from_v4(0xc6120002), v6;

    (void)state;
    assert_non_null(c);
    assert_true(addr_parse("2001:db8::2", &v6));
    assert_true(c->device.present);
    assert_int_equal(c->device.eal_count, 2);
    assert_string_equal(c->device.eal[1], "--vdev=net_tap0,iface=p0");
    assert_true(addr_equal(&c->device.address, &v4));
    assert_int_equal(c->device.prefix_length, 30);
    assert_true(addr_equal(&c->device.address6, &v6));
    assert_int_equal(c->device.prefix_length6, 64);
    assert_true(addr_is_link_local(&c->device.gateway6));
    assert_int_equal(c->device.vlan, 7);
    assert_true(c->device.mac_set);
    assert_int_equal(c->device.mac[5], 10);
    assert_int_equal(c->workers.cores[1], 1);
    assert_int_equal(c->tls.clients, TLS_CLIENTS_REQUIRE);
    assert_string_equal(c->tls.client_ca, "/ca");
    assert_string_equal(c->tls.client_crl, "");
    assert_int_equal(c->tls.client_login, TLS_IDENTITY_CN);
    assert_int_equal(c->workers.idle, CONFIG_IDLE_SPIN);
    assert_int_equal(c->listener_count, 5);
    assert_int_equal(c->listeners[0].path, CONFIG_PATH_DPDK);
    assert_int_equal(c->listeners[0].port, 465);
    assert_int_equal(c->listeners[1].path, CONFIG_PATH_DPDK);
    assert_int_equal(c->listeners[2].port, 4650);
    assert_int_equal(c->listeners[2].tls, CONFIG_LISTENER_IMPLICIT);
    assert_int_equal(c->listeners[3].port, 587);
    assert_int_equal(c->listeners[3].tls, CONFIG_LISTENER_STARTTLS);
    assert_int_equal(c->listeners[3].proxy_count, 3);
    assert_int_equal(c->listeners[3].proxies[0].bits, 96 + 24);
    assert_int_equal(c->listeners[3].proxies[2].bits, 128);
    assert_int_equal(c->listeners[4].port, 5870);
    assert_int_equal(c->listeners[4].proxy_count, 0);
    assert_int_equal(c->tls.certificate_count, 2);
    assert_string_equal(c->tls.certificates[1].chain, "/c$\"d");
    assert_int_equal(c->tls.records, CONFIG_RECORDS_BORINGSSL);
    assert_int_equal(c->tls.ticket_lifetime_s, 5400);
    assert_int_equal(c->spool.bytes_max, 8ULL << 30);
    assert_int_equal(c->limits.message_bytes, 25 << 20);
    assert_int_equal(c->auth.cache_entries, 0);
    assert_int_equal(c->auth.block_time_s, 3600);
    config_free(c);
}

/* Printed, read and printed again: the same text, so nothing is lost or changed on the way. */
static void what_is_printed_can_be_read(void **state)
{
    static uint8_t first[16384];
    static uint8_t second[16384];
    struct buf one = { first, 0, sizeof(first) };
    struct buf two = { second, 0, sizeof(second) };
    struct config *c = parse(full);
    struct config *again;

    (void)state;
    assert_true(config_print(c, &one));
    errors.len = 0;
    again = config_parse("t", span_of(one.ptr, one.len), &errors);
    assert_non_null(again);
    assert_true(config_print(again, &two));
    assert_int_equal(one.len, two.len);
    assert_memory_equal(first, second, one.len);
    one = (struct buf){ first, 0, 100 };
    assert_false(config_print(c, &one));
    config_free(c);
    config_free(again);
}

static void too_many_blocks_are_refused(void **state)
{
    static char text[8192];
    int len = 0;

    (void)state;
    for (int i = 0; i <= LIMIT_LISTENERS; i++)
        len += snprintf(text + len, sizeof(text) - (size_t)len,
                        "listener l%d { path = kernel port = %d }\n", i, 1000 + i);
    snprintf(text + len, sizeof(text) - (size_t)len, "tls { certificate { chain = /c key = /k } }");
    assert_null(parse(text));
    room[errors.len] = 0;
    assert_string_equal((char *)room, "t:17: more than 16 listeners\n");
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void named_files_must_be_there(void **state)
{
    char dir[] = "/tmp/postern-test-config-XXXXXX";
    char path[64];
    char users[64];
    char text[512];
    char want[1024];
    struct config *c;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/conf", dir);
    snprintf(users, sizeof(users), "%s/users", dir);
    write_file(users, "# nobody\nbob\n");
    snprintf(text, sizeof(text),
             "users = %s\nuser = \"\" spool { directory = %s }\nlistener a { path = kernel }\n"
             "tls { certificate { chain = %s/none key = %s } }\n",
             users, path, dir, dir);
    write_file(path, text);
    errors = (struct buf){ room, 0, sizeof(room) };
    assert_null(config_load(path, &errors));
    snprintf(want, sizeof(want),
             "%s:2: the line must be login:hash or login:name:hash, or begin with #\n"
             "%s:4: chain = \"%s/none\": cannot be read: No such file or directory\n"
             "%s:4: key = \"%s\": is not a file\n"
             "%s:2: directory = \"%s\": is not a directory\n",
             users, path, dir, path, dir, path, path);
    room[errors.len] = 0;
    assert_string_equal((char *)room, want);

    write_file(users, "# nobody\n");
    snprintf(text, sizeof(text),
             "users = %s\nuser = \"\" spool { directory = %s }\nlistener a { path = kernel }\n"
             "tls { certificate { chain = %s key = %s } }\n",
             users, dir, users, users);
    write_file(path, text);
    errors.len = 0;
    c = config_load(path, &errors);
    assert_non_null(c);
    assert_true(c->hostname[0] != 0);
    assert_string_equal(c->path, path);
    config_free(c);
    assert_int_equal(unlink(users), 0);
    assert_int_equal(unlink(path), 0);
    errors.len = 0;
    assert_null(config_load(path, &errors));
    assert_int_equal(rmdir(dir), 0);
}

static void the_user_must_exist(void **state)
{
    char path[] = "/tmp/postern-test-config-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    write_file(path, LEAST "\nuser = no-such-user-here\n");
    errors = (struct buf){ room, 0, sizeof(room) };
    assert_null(config_load(path, &errors));
    room[errors.len] = 0;
    assert_non_null(strstr((char *)room, ":4: user \"no-such-user-here\" does not exist: make it"));
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_line_and_sentence),
        cmocka_unit_test(a_nul_is_refused),
        cmocka_unit_test(the_least_file_gets_every_default),
        cmocka_unit_test(a_full_file_lands_where_it_should),
        cmocka_unit_test(what_is_printed_can_be_read),
        cmocka_unit_test(too_many_blocks_are_refused),
        cmocka_unit_test(named_files_must_be_there),
        cmocka_unit_test(the_user_must_exist),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
