/* base/vec.h: a growing array in an arena.
 *
 *     VEC(Diag) list = { 0 };
 *     vec_push(arena, &list, diag);
 *     for (uint32_t i = 0; i < list.n; i++) use(&list.at[i]);
 *
 * Growth doubles and leaves the old block to the arena: pointers to elements do not survive a push, indices do.
 */
#ifndef KAON_BASE_VEC_H
#define KAON_BASE_VEC_H

#include "base/arena.h"

#define VEC(T)                                                                                                                             \
    struct {                                                                                                                               \
        T *at;                                                                                                                             \
        uint32_t n;                                                                                                                        \
        uint32_t cap;                                                                                                                      \
    }

#define vec_push(arena, vec, ...) (vec_reserve((arena), (vec), 1), (vec)->at[(vec)->n++] = (__VA_ARGS__))
#define vec_pop(vec)              ((vec)->at[--(vec)->n])
/* room for `more` further elements */
#define vec_reserve(arena, vec, more)                                                                                                      \
    ((vec)->at = vec_grow((arena), (vec)->at, (vec)->n, &(vec)->cap, (more), sizeof *(vec)->at, alignof(max_align_t)))
#define vec_last(vec) (&(vec)->at[(vec)->n - 1])

void *vec_grow(Arena *arena, void *at, uint32_t n, uint32_t *cap, size_t more, size_t size, size_t align);

#endif
