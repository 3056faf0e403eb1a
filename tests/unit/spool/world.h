/*
 * Two segments made by hand, and what recovery finds of them: the world of test_spool_recover.c and
 * test_spool_crash.c.
 */
#ifndef POSTERN_TESTS_UNIT_SPOOL_WORLD_H
#define POSTERN_TESTS_UNIT_SPOOL_WORLD_H

#include "spool/spool_recover.h"
#include "unit/spool/rig.h"

struct world {
    struct rig rig;
    struct spool_found found;
    char notes[4096];
    struct buf notes_buf;
    struct rig_image a; /* sequence 1, in segment-00000001, generation 100 */
    struct rig_image b; /* sequence 2, in segment-00000002, generation 200; names all of a */
};

extern struct world world;

int world_set_up(void **state);
int world_tear_down(void **state);
/* Recovers what is on the disk. False: with a sentence in world.rig.why. */
bool world_load(void);
/* a, and where it is wanted b, onto the disk; then the same, which must go well. */
void world_load_images(bool both);
/* Is the message there, and whole? */
bool world_has(uint64_t id);
/* The segment with this number in its name; it must be there. */
const struct spool_found_segment *world_segment(uint32_t number);
/* Has recovery said this? */
bool world_noted(const char *words);

#endif
