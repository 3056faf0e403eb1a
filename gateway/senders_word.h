/*
 * The words that say whose addresses a login may send as, and how much: of a line of the senders
 * file, and of what a back end grants. Pure: nothing is allocated, and what is read shows to its
 * text.
 */
#ifndef POSTERN_SENDERS_WORD_H
#define POSTERN_SENDERS_WORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "gateway/quota.h"
#include "smtp/smtp.h"

/* What is given is set; the rest is 0. */
struct senders_limits {
    struct quota_rate rates[SMTP_USE_COUNT];
    uint32_t sessions;
    uint32_t recipients; /* of one message */
    uint64_t message_bytes;
};

/* Addresses. A star stands for any bytes, none too. */
struct senders_pattern {
    struct span local; /* in front of its star, or all of it */
    struct span local_end;
    struct span domain; /* behind "*.", or all of it; behind "*": "" */
    bool local_star;
    bool domain_star;
    bool self; /* the login; all else is empty then */
};

/* An address to be looked for, its domain in A-labels (RFC 5890). */
struct senders_address {
    struct span local;
    struct span domain; /* shows to what was read, or to `name` */
    char name[256];
};

/* "name=value": true when the name is known; *good: so is the value, and *l has it. */
bool senders_word_setting(const char *word, struct senders_limits *l, bool *good);
/* False: it is neither an address nor self nor a star. The domain is as it is written. */
bool senders_word_pattern(const char *word, struct span login, struct senders_pattern *p);
/* False: it is none. */
bool senders_word_address(struct span mailbox, struct senders_address *out);
/* `p` has its domain in A-labels. */
bool senders_word_fits(const struct senders_pattern *p, struct span login,
                       const struct senders_address *a);

#endif
