/*
 * Intrusive doubly linked list. A node in no list points to itself.
 * No allocation; removal is O(1) and needs no list head.
 */
#ifndef POSTERN_BASE_LIST_H
#define POSTERN_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *prev;
    struct list_node *next;
};

struct list {
    struct list_node head;
};

#define LIST_ENTRY(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void list_node_init(struct list_node *n)
{
    n->prev = n;
    n->next = n;
}

static inline void list_init(struct list *l)
{
    list_node_init(&l->head);
}

static inline bool list_empty(const struct list *l)
{
    return l->head.next == &l->head;
}

static inline bool list_linked(const struct list_node *n)
{
    return n->next != n;
}

static inline void list_append(struct list *l, struct list_node *n)
{
    n->prev = l->head.prev;
    n->next = &l->head;
    l->head.prev->next = n;
    l->head.prev = n;
}

static inline void list_prepend(struct list *l, struct list_node *n)
{
    n->prev = &l->head;
    n->next = l->head.next;
    l->head.next->prev = n;
    l->head.next = n;
}

static inline void list_remove(struct list_node *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    list_node_init(n);
}

/* The first node, unlinked, or NULL. */
static inline struct list_node *list_pop(struct list *l)
{
    struct list_node *n = l->head.next;

    if (n == &l->head)
        return NULL;
    list_remove(n);
    return n;
}

#endif
