/*
 * One run of a script against a session, its bytes cut in a given way, from memory or over TLS.
 * Gives the transcript.
 */
#ifndef POSTERN_TESTS_DIALOGUE_TALK_H
#define POSTERN_TESTS_DIALOGUE_TALK_H

#include "dialogue/link.h"
#include "dialogue/script.h"

#define TRANSCRIPT_MAX (1024 * 1024)
#define TALK_READ_MAX  16384

/* How the bytes are handed over: a first piece, then pieces of `step` bytes (0: all the rest). */
struct cut {
    uint32_t first;
    uint32_t step;
    uint32_t output; /* room for replies that each call gets; LIMIT_REPLY_BYTES and up */
    uint32_t read;   /* over TLS: bytes that are read at a time; TALK_READ_MAX and down */
    uint32_t chunk;  /* over TLS: bytes that the wire brings at a time; 0: all */
};

/*
 * The transcript: "S: " and each reply line, "auth ..." for each question to the back end, "mail
 * ..." and its fields, header and body for each message handed over, and how it ended. NUL-ended.
 * Over TLS (link not NULL), replies are what the client has read. Aborts when the session breaks
 * its contract.
 */
void talk_run(const struct script *s, struct cut cut, struct link *link,
              char transcript[TRANSCRIPT_MAX]);

#endif
