/*
 * See tcp_ranges.h. Happy path: a dozen steps down the tree. Ranks never change, so a range is
 * added where its rank says, by a split of what was there, and removed by a merge. Failure modes:
 * none; ranks that meet by chance cost a step.
 */
#include "dataplane/tcp/tcp_ranges.h"

#include "base/assert.h"
#include "dataplane/tcp/tcp_seq.h"

struct tcp_range *tcp_ranges_from(struct tcp_range *root, uint32_t seq)
{
    struct tcp_range *found = NULL;

    while (root != NULL) {
        if (tcp_seq_ge(root->end, seq)) {
            found = root;
            root = root->below;
        } else {
            root = root->above;
        }
    }
    return found;
}

/* What is in `tree` goes into *below or *above seq, where no range is. */
static void split(struct tcp_range *tree, uint32_t seq, struct tcp_range **below,
                  struct tcp_range **above)
{
    while (tree != NULL) {
        if (tcp_seq_lt(tree->start, seq)) {
            *below = tree;
            below = &tree->above;
            tree = tree->above;
        } else {
            *above = tree;
            above = &tree->below;
            tree = tree->below;
        }
    }
    *below = NULL;
    *above = NULL;
}

/* All of `below` lies before all of `above`. */
static void merge(struct tcp_range **into, struct tcp_range *below, struct tcp_range *above)
{
    while (below != NULL && above != NULL) {
        if (below->rank >= above->rank) {
            *into = below;
            into = &below->above;
            below = below->above;
        } else {
            *into = above;
            into = &above->below;
            above = above->below;
        }
    }
    *into = below != NULL ? below : above;
}

static struct tcp_range **towards(struct tcp_range *at, uint32_t seq)
{
    return tcp_seq_lt(seq, at->start) ? &at->below : &at->above;
}

void tcp_ranges_add(struct tcp_range **root, struct tcp_range *r)
{
    while (*root != NULL && (*root)->rank >= r->rank)
        root = towards(*root, r->start);
    split(*root, r->start, &r->below, &r->above);
    *root = r;
}

void tcp_ranges_remove(struct tcp_range **root, const struct tcp_range *r)
{
    while (*root != r) {
        ASSERT(*root != NULL);
        root = towards(*root, r->start);
    }
    merge(root, r->below, r->above);
}
