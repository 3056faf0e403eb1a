/*
 * Which messages exist, from the records that count (FORMAT.md V10, V11): extents are gathered by
 * ticket, a commit turns them into a message.
 */
#ifndef POSTERN_SPOOL_INDEX_H
#define POSTERN_SPOOL_INDEX_H

#include "spool/spool_format.h"
#include "spool/spool_map.h"

#define SPOOL_INDEX_NONE UINT32_MAX

struct spool_index_extent {
    uint64_t offset; /* of the record */
    uint64_t generation;
    uint32_t segment; /* the caller's number for it */
    uint32_t bytes;
    uint32_t next; /* extent of the same message, or SPOOL_INDEX_NONE */
};

struct spool_index_ticket {
    uint64_t ticket;
    uint64_t stored_bytes;
    uint32_t first;
    uint32_t last;
    uint32_t extents;
    uint32_t crc;
    bool broken; /* an extent is missing */
    bool committed;
};

struct spool_index_message {
    uint64_t id;
    uint64_t body_bytes;
    uint64_t stored_bytes;
    uint8_t *texts; /* envelope, then header; NULL when they were not kept */
    uint32_t envelope_bytes;
    uint32_t header_bytes;
    uint32_t flags;   /* enum mail_flag */
    uint32_t first;   /* extent */
    uint32_t segment; /* of the commit */
    bool damaged;
};

struct spool_index {
    struct spool_index_extent *extents;
    struct spool_index_ticket *tickets;
    struct spool_index_message *messages; /* in commit order */
    uint32_t extent_count, extent_room;
    uint32_t ticket_count, ticket_room;
    uint32_t message_count, message_room;
    struct spool_map by_ticket; /* -> tickets */
    struct spool_map by_id;     /* -> messages */
    uint64_t id_max;
    uint32_t damaged; /* messages */
    uint32_t doubles; /* commits of an id that was there */
    bool keep_texts;
};

void spool_index_destroy(struct spool_index *x);
/* Takes in a record of a segment, in the order of the log. False: memory is short. */
bool spool_index_add(struct spool_index *x, uint32_t segment, const struct spool_record *record,
                     struct span body);
/* Tickets that were begun and never committed. */
uint32_t spool_index_dropped(const struct spool_index *x);
/* Adds to live[segment] the messages that stand in it. */
void spool_index_live(const struct spool_index *x, uint32_t *live);

#endif
