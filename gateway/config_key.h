/*
 * Every key of the configuration file, a row each: where its value goes, what it may be, what it is
 * when not given. Reading, printing, and the test that holds the manual to it all walk this one
 * table.
 */
#ifndef POSTERN_CONFIG_KEY_H
#define POSTERN_CONFIG_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/config.h"

/* Rows there is room for while a file is read. */
#define CONFIG_KEYS_MAX 128

enum config_section {
    CONFIG_ROOT,
    CONFIG_LOG,
    CONFIG_CONTROL,
    CONFIG_DEVICE,
    CONFIG_WORKERS,
    CONFIG_LISTENER,
    CONFIG_TLS,
    CONFIG_CERTIFICATE, /* inside tls */
    CONFIG_SPOOL,
    CONFIG_LIMITS,
    CONFIG_AUTH,
    CONFIG_POLICY,
    CONFIG_SECTIONS
};

enum config_kind {
    CONFIG_TEXT,         /* const char *; least, most: bytes */
    CONFIG_HOSTNAME,     /* const char *: a domain, or "" */
    CONFIG_FILE,         /* const char *: an absolute path */
    CONFIG_FILE_OR_NONE, /* the same, or "" */
    CONFIG_FILE_OR_STD,  /* const char *: an absolute path, or "-" */
    CONFIG_SOCKET,       /* const char *: an absolute path that fits a socket's address, or "" */
    CONFIG_COUNT,        /* uint32_t */
    CONFIG_BYTES,        /* uint64_t, with k, M, G */
    CONFIG_SECONDS,      /* uint32_t, with s, m, h, d */
    CONFIG_RATE,         /* struct quota_rate; "": none */
    CONFIG_BYTES_RATE,   /* the same of bytes, with k, M, G */
    CONFIG_BOOL,         /* bool */
    CONFIG_CHOICE,       /* uint32_t, index into choices */
    CONFIG_ADDRESS,      /* struct addr; "" and "*": all zero */
    CONFIG_NETWORK,      /* struct addr, IPv4; companion: uint32_t prefix length; "": all zero */
    CONFIG_NETWORK6,     /* the same of IPv6 */
    CONFIG_MAC,          /* uint8_t[6]; companion: bool, false for "" */
    CONFIG_TEXT_LIST,    /* const char *[]; companion: uint32_t count */
    CONFIG_COUNT_LIST,   /* uint32_t[]; companion: uint32_t count */
    CONFIG_NET_LIST,     /* struct addr_net[]; companion: uint32_t count */
};

struct config_key {
    enum config_section section;
    const char *name;
    enum config_kind kind;
    size_t offset;    /* of the value in the section's struct */
    size_t companion; /* of the second value, where the kind has one */
    uint64_t least;   /* of a number, or bytes of a text; of each item of a list */
    uint64_t most;
    uint32_t items_max;         /* of a list */
    uint64_t number;            /* default of numbers, choices, bool */
    const char *text;           /* default of all else; NULL: the key must be given */
    const char *const *choices; /* NULL-ended */
};

uint32_t config_key_count(void);
const struct config_key *config_key_at(uint32_t index);
/* "" for the root. */
const char *config_key_section_name(enum config_section section);
/* Blocks of this section in *c so far; 1 for those that there is one of. */
uint32_t config_key_blocks(const struct config *c, enum config_section section);
/* The struct that block `index` of the section fills; NULL past the last that there is room for. */
void *config_key_base(struct config *c, enum config_section section, uint32_t index);
bool config_key_is_list(const struct config_key *k);

#endif
