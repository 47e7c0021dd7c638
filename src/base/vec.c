/* base/vec.c: growth of VEC(T): doubling, so n pushes copy fewer than 2n elements. */
#include "base/vec.h"

#include <string.h>

void *vec_grow(Arena *arena, void *at, uint32_t n, uint32_t *cap, size_t more, size_t size, size_t align)
{
    if (more <= *cap - n)
        return at;
    if (more > UINT32_MAX - n)
        arena_out_of_memory(arena); /* indices are 32 bits: as full as full memory */
    uint64_t need = (uint64_t)n + more, want = *cap < 4 ? 8 : 2ull * *cap;
    if (want < need)
        want = need;
    if (want > UINT32_MAX)
        want = UINT32_MAX;
    void *grown = arena_alloc_array(arena, want, size, align);
    if (n)
        memcpy(grown, at, n * size);
    *cap = (uint32_t)want;
    return grown;
}
