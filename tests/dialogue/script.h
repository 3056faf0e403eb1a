/*
 * A dialogue script (.in): what a client sends, and how the world behind the session answers.
 *
 *   # text               a comment
 *   C: text              a line that the client sends, CR LF behind it
 *   R: text              the same without CR LF
 *   X: count text        text, count times, without CR LF
 *   !config key value    hostname, size, recipients, errors, tries, hold, soft, delay, hops,
 *                        privacy yes|no
 *   !client key value    secure yes|no|starttls, address TEXT, xclient yes
 *   !client scram yes    SCRAM-SHA-256 and -PLUS are offered beside PLAIN and LOGIN
 *   !policy key value    mailbox ADDRESS (the login's; several), from any|sender|own,
 *                        messages|recipients|bytes N (left), size|rcpt N (its own), crowded yes
 *   !client oauth yes    OAUTHBEARER and XOAUTH2 are; whose the token is, "user", comes with the
 *                        verdict
 *   !client certificate NAME       a verified one is there, and its name is the login: EXTERNAL is
 *                        offered, and the back end says ok as that name
 *   !verdict word...     ok wrong temporary blocked: the answers to the next AUTHs, in order;
 *                        challenge: the back end asks back, as "user" and by "challenge"
 *   !delivery word...    durable full failed: the answers to the next messages, in order
 *   !lost full|failed    the spool gives up at the first byte of a body
 *   !end timeout|shutdown|drain    after all that stands before it was sent
 *   !wait                for the reply to STARTTLS; what follows is sent behind it, in TLS if that
 *                        was the 220. Without it all is sent in clear, at once.
 *   !no-tls              TLS is not to be had
 *
 * In text, \r \n \0 \t \\ and \xHH are bytes. Lines with ! other than !end and !wait hold for the
 * whole script and stand first.
 */
#ifndef POSTERN_TESTS_DIALOGUE_SCRIPT_H
#define POSTERN_TESTS_DIALOGUE_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "dialogue/policy.h"
#include "smtp/smtp.h"

#define SCRIPT_BYTES_MAX   (16 * 1024 * 1024)
#define SCRIPT_ANSWERS_MAX 64
#define SCRIPT_CHALLENGE   (-1)

struct script {
    struct smtp_config config;
    bool has_policy;
    struct policy_script policy;
    struct smtp_client client;
    char certificate[LIMIT_LOGIN_BYTES + 1]; /* the client's identity */
    int verdicts[SCRIPT_ANSWERS_MAX];        /* enum smtp_verdict, or SCRIPT_CHALLENGE */
    uint32_t verdict_count;
    enum smtp_delivery deliveries[SCRIPT_ANSWERS_MAX];
    uint32_t delivery_count;
    bool lost;
    enum smtp_delivery lost_why;
    bool end;
    enum smtp_end end_why;
    uint32_t end_at; /* bytes that are sent before the end */
    bool no_tls;
    bool wait;
    uint32_t clear; /* bytes that are sent before the reply to STARTTLS is read */
    uint8_t *bytes; /* all that the client sends */
    uint32_t len;
};

/* Ends the program with file and line when the script is wrong. */
void script_load(struct script *s, const char *path);
void script_free(struct script *s);

#endif
