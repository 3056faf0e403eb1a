/*
 * The parameters of MAIL and RCPT (RFC 5321, 4.1.2: esmtp-param), read strictly: a keyword that was
 * not announced is told apart from one that is malformed or stands twice. Pure; what it gives out
 * lies in the memory of what it was given.
 */
#ifndef POSTERN_SMTP_PARAMS_H
#define POSTERN_SMTP_PARAMS_H

#include "base/span.h"

enum smtp_param {
    SMTP_PARAM_SIZE = 1 << 0,       /* RFC 1870 */
    SMTP_PARAM_BODY = 1 << 1,       /* RFC 6152; RFC 3030, 3 */
    SMTP_PARAM_AUTH = 1 << 2,       /* RFC 4954, 5 */
    SMTP_PARAM_RET = 1 << 3,        /* RFC 3461, 4.3 */
    SMTP_PARAM_ENVID = 1 << 4,      /* RFC 3461, 4.4 */
    SMTP_PARAM_SMTPUTF8 = 1 << 5,   /* RFC 6531, 3.4 */
    SMTP_PARAM_REQUIRETLS = 1 << 6, /* RFC 8689, 2 */
    SMTP_PARAM_PRIORITY = 1 << 7,   /* RFC 6710, 4.1 */
    SMTP_PARAM_BY = 1 << 8,         /* RFC 2852, 4 */
    SMTP_PARAM_HOLDFOR = 1 << 9,    /* RFC 4865, 5 */
    SMTP_PARAM_HOLDUNTIL = 1 << 10, /* RFC 4865, 5 */
    SMTP_PARAM_NOTIFY = 1 << 11,    /* RFC 3461, 4.1 */
    SMTP_PARAM_ORCPT = 1 << 12,     /* RFC 3461, 4.2 */
};

enum smtp_body_type {
    SMTP_BODY_TYPE_NONE, /* not said */
    SMTP_BODY_TYPE_7BIT,
    SMTP_BODY_TYPE_8BITMIME,
    SMTP_BODY_TYPE_BINARYMIME,
};

enum smtp_notify {
    SMTP_NOTIFY_SUCCESS = 1 << 0,
    SMTP_NOTIFY_FAILURE = 1 << 1,
    SMTP_NOTIFY_DELAY = 1 << 2,
};

struct smtp_params {
    uint32_t given; /* enum smtp_param, or'ed; what is not given is all zero */
    /* MAIL */
    uint64_t size;
    enum smtp_body_type body;
    struct span auth;  /* xtext, checked, still encoded */
    struct span envid; /* the same */
    bool ret_full;     /* RET=FULL; else HDRS */
    int priority;      /* -9 to 9 */
    int64_t by_s;      /* seconds from now; may be negative with by_return false */
    bool by_return;    /* "R": return it when late; else "N": notify */
    bool by_trace;     /* "T" */
    uint64_t hold_s;   /* HOLDFOR: seconds from now; HOLDUNTIL: unix time */
    /* RCPT */
    uint32_t notify;   /* enum smtp_notify, or'ed; 0: NEVER */
    struct span orcpt; /* checked, as sent: type, ";", and xtext or the form of RFC 6533, 3 */
};

enum smtp_params_outcome {
    SMTP_PARAMS_OK,
    SMTP_PARAMS_BAD,     /* malformed, twice, or a value that its keyword does not have */
    SMTP_PARAMS_UNKNOWN, /* a keyword that was not announced */
};

/* Read all of `rest` (what stands behind the path) into *out. `offered`: the enum smtp_param that
 * were announced; others are not known. */
enum smtp_params_outcome smtp_params_mail(struct span rest, uint32_t offered,
                                          struct smtp_params *out);
enum smtp_params_outcome smtp_params_rcpt(struct span rest, struct smtp_params *out);

#endif
