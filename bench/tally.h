/*
 * What a load run counts: errors by where and how, messages acknowledged with their log, times.
 */
#ifndef POSTERN_BENCH_TALLY_H
#define POSTERN_BENCH_TALLY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/span.h"
#include "bench/hdr.h"
#include "bench/letter.h"

/* Where a connection stood. */
enum tally_step {
    TALLY_CONNECT,
    TALLY_BANNER,
    TALLY_EHLO,
    TALLY_STARTTLS,
    TALLY_TLS,
    TALLY_AUTH,
    TALLY_MAIL,
    TALLY_RCPT,
    TALLY_DATA,
    TALLY_MESSAGE, /* the reply that vouches for a message */
    TALLY_QUIT,
    TALLY_STEPS
};

enum tally_fault {
    TALLY_REFUSED_4XX,
    TALLY_REFUSED_5XX,
    TALLY_WRONG_CODE,  /* another one than this step can have */
    TALLY_NOT_A_REPLY, /* breaks RFC 5321, 4.2 */
    TALLY_UNASKED,     /* a reply, or bytes, that nothing asked for */
    TALLY_CLOSED,      /* the server ended the connection */
    TALLY_SYSTEM,      /* connect, send or recv failed */
    TALLY_CRYPTO,      /* TLS failed */
    TALLY_TIMEOUT,
    TALLY_NOT_OFFERED, /* EHLO's reply lacks what is needed */
    TALLY_UNFINISHED,  /* the run ended before it */
    TALLY_FAULTS
};

struct tally_error {
    uint64_t count;
    char text[96]; /* of the first one */
};

struct tally {
    struct tally_error errors[TALLY_STEPS][TALLY_FAULTS];
    uint64_t error_count;
    uint64_t started; /* messages taken up */
    uint64_t acknowledged;
    uint64_t bytes;   /* of the acknowledged */
    uint64_t dropped; /* arrivals past what may wait */
    uint64_t connections;
    uint64_t resumed;
    uint64_t start_ns;
    uint64_t last_ns;     /* the last acknowledgement */
    struct hdr message;   /* ns from the intended start to the reply that vouches for it */
    struct hdr commit;    /* ns from its last byte handed to the kernel to that reply */
    struct hdr handshake; /* ns from connect to the end of TLS's handshake */
    FILE *log;            /* of acknowledged messages, NULL: none */
};

void tally_init(struct tally *t, FILE *log);
void tally_error(struct tally *t, enum tally_step step, enum tally_fault fault, struct span text);
/* A line of the log: seconds, id, bytes, CRC-32C of the text, what the server said; by tabs. */
void tally_acknowledge(struct tally *t, const struct letter *l, uint64_t now_ns, struct span said);
/* For people on standard output, for programs (sample.h's lines) in tsv when that is not NULL. */
void tally_print(const struct tally *t, double cpu_s, FILE *tsv);
/* Of the clients beside the load, idle and slow ones, when there were any. */
void tally_print_aside(const struct tally *t);

#endif
