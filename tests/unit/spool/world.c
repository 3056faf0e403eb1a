/* See world.h. */
#include "lib/unit.h"

#include "unit/spool/world.h"

#include <string.h>

struct world world;

static void keep_note(void *arg, const char *sentence)
{
    (void)arg;
    assert_true(buf_printf(&world.notes_buf, "%s\n", sentence));
}

int world_set_up(void **state)
{
    (void)state;
    memset(&world, 0, sizeof(world));
    rig_make(&world.rig, 1);
    rig_image_make(&world.a, 1, 100);
    rig_image_make(&world.b, 2, 200);
    return 0;
}

int world_tear_down(void **state)
{
    (void)state;
    spool_recover_destroy(&world.found);
    rig_image_free(&world.a);
    rig_image_free(&world.b);
    rig_unmake(&world.rig);
    return 0;
}

bool world_load(void)
{
    struct buf why = { (uint8_t *)world.rig.why, 0, sizeof(world.rig.why) - 1 };

    spool_recover_destroy(&world.found);
    memset(world.notes, 0, sizeof(world.notes));
    world.notes_buf = (struct buf){ (uint8_t *)world.notes, 0, sizeof(world.notes) };
    world.found = (struct spool_found){ .note = keep_note };
    return spool_recover_load(world.rig.io, &world.found, &why);
}

void world_load_images(bool both)
{
    rig_image_put(&world.a, &world.rig, 1);
    if (both)
        rig_image_put(&world.b, &world.rig, 2);
    assert_true(world_load());
}

bool world_has(uint64_t id)
{
    uint32_t at;

    return spool_map_find(&world.found.index.by_id, id, &at) &&
           !world.found.index.messages[at].damaged;
}

const struct spool_found_segment *world_segment(uint32_t number)
{
    for (uint32_t i = 0; i < world.found.count; i++)
        if (world.found.segments[i].number == number)
            return &world.found.segments[i];
    fail();
    return NULL;
}

bool world_noted(const char *words)
{
    return strstr(world.notes, words) != NULL;
}
