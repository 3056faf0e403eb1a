/* A policy as a script has it: who the login may be, and how much is left. */
#ifndef POSTERN_DIALOGUE_POLICY_H
#define POSTERN_DIALOGUE_POLICY_H

#include "smtp/smtp.h"

#define POLICY_MAILBOXES_MAX 4

struct policy_script {
    char *mailboxes[POLICY_MAILBOXES_MAX]; /* of every login */
    uint32_t mailbox_count;                /* 0: anybody's */
    bool limited[SMTP_USE_COUNT];
    uint64_t room[SMTP_USE_COUNT]; /* uses left, where it is limited */
    bool crowded;
    uint64_t size; /* of a message, the login's own; 0: everybody's */
    uint32_t rcpt;
};

struct policy_talk {
    struct smtp_policy smtp; /* first */
    struct policy_script script;
    int inside; /* logins that entered and did not leave */
};

void policy_talk_init(struct policy_talk *p, const struct policy_script *script);

#endif
