/* base/arena.c: chunks that double, a tree of arenas, and the phase boundary.
 *
 *     family --- memory (limit, counters), guard stack, sticky flag
 *        root arena ---- chunk -> chunk -> ...      deferred: last -> ... -> first
 *           |- child --- chunk
 *           |- child
 *
 * Chunks come from calloc, are never reused and are handed out from the front, so memory is zero without a memset. A request that would
 * waste more than half a chunk gets a chunk of its own behind the current one. An allocation is O(1) but for calloc.
 */
#include "base/arena.h"

#include <assert.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define RED_ZONE 16u /* unreadable bytes behind each block, so that an overrun inside a chunk is seen */
#else
#define ASAN_POISON_MEMORY_REGION(at, n)   ((void)(at), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(at, n) ((void)(at), (void)(n))
#define RED_ZONE                           0u
#endif

#define CHUNK_FIRST ((size_t)4 << 10)
#define CHUNK_MOST  ((size_t)1 << 20)
#define BLOCK_MOST  ((size_t)1 << 39) /* 512 GiB: a size above it is a mistake or an attack, and sanitisers stop at 1 TiB */

typedef struct Chunk {
    alignas(max_align_t) struct Chunk *next;
    size_t size, used; /* bytes behind this head */
} Chunk;

typedef struct Deferred {
    struct Deferred *next;
    void (*release)(void *object);
    void *object;
} Deferred;

typedef struct Guard {
    struct Guard *outer;
    jmp_buf boundary;
} Guard;

typedef struct Family {
    Memory own; /* where the caller gave none */
    Memory *memory;
    Guard *guard; /* innermost arena_run */
    bool failed;
} Family;

struct Arena {
    Family *family;
    Arena *parent, *child, *next, **link; /* link: what points at this one among its siblings */
    Chunk *chunk;                         /* the first one is the one being filled */
    size_t next_size;
    Deferred *deferred;
};

/* calloc within the limit; NULL beyond it. */
static void *memory_take(Memory *memory, size_t size)
{
    if (memory->limit_bytes && (memory->used_bytes > memory->limit_bytes || size > memory->limit_bytes - memory->used_bytes))
        return NULL;
    void *at = calloc(1, size);
    if (!at)
        return NULL;
    memory->used_bytes += size;
    if (memory->peak_bytes < memory->used_bytes)
        memory->peak_bytes = memory->used_bytes;
    return at;
}

static void memory_give(Memory *memory, void *at, size_t size)
{
    memory->used_bytes -= size;
    free(at);
}

/* Counts a call; true if it must fail because a test asked for it. */
static bool must_fail(Memory *memory)
{
    memory->allocations++;
    return memory->fail_at && memory->allocations >= memory->fail_at;
}

static Arena *arena_open(Family *family)
{
    Arena *arena = memory_take(family->memory, sizeof *arena);
    if (!arena)
        return NULL;
    arena->family = family;
    arena->next_size = CHUNK_FIRST;
    return arena;
}

Arena *arena_create(Memory *memory)
{
    Family *family = calloc(1, sizeof *family);
    if (!family)
        return NULL;
    family->memory = memory ? memory : &family->own;
    Arena *arena = arena_open(family);
    if (!arena)
        free(family);
    return arena;
}

Arena *arena_child(Arena *parent)
{
    Arena *arena = must_fail(parent->family->memory) ? NULL : arena_open(parent->family);
    if (!arena)
        arena_out_of_memory(parent);
    arena->parent = parent;
    arena->next = parent->child;
    arena->link = &parent->child;
    if (arena->next)
        arena->next->link = &arena->next;
    parent->child = arena;
    return arena;
}

void arena_destroy(Arena *arena)
{
    if (!arena)
        return;
    while (arena->child)
        arena_destroy(arena->child);
    while (arena->deferred) {
        Deferred *deferred = arena->deferred;
        arena->deferred = deferred->next; /* first, so that nothing is released twice if release itself runs out of memory */
        deferred->release(deferred->object);
    }
    Family *family = arena->family;
    for (Chunk *chunk = arena->chunk, *next; chunk; chunk = next) {
        next = chunk->next;
        ASAN_UNPOISON_MEMORY_REGION(chunk + 1, chunk->size);
        memory_give(family->memory, chunk, sizeof *chunk + chunk->size);
    }
    if (arena->parent) {
        *arena->link = arena->next;
        if (arena->next)
            arena->next->link = arena->link;
    }
    bool root = !arena->parent;
    memory_give(family->memory, arena, sizeof *arena);
    if (root)
        free(family);
}

/* Bytes to skip so that the next block of the chunk starts aligned. */
static size_t chunk_gap(const Chunk *chunk, size_t align) { return -((uintptr_t)(chunk + 1) + chunk->used) & (align - 1); }

static void *chunk_take(Chunk *chunk, size_t size, size_t align)
{
    size_t gap = chunk_gap(chunk, align);
    if (gap > chunk->size - chunk->used || size > chunk->size - chunk->used - gap)
        return NULL;
    uint8_t *at = (uint8_t *)(chunk + 1) + chunk->used + gap;
    chunk->used += gap + size;
    ASAN_UNPOISON_MEMORY_REGION(at, size - RED_ZONE);
    return at;
}

static Chunk *chunk_open(Arena *arena, size_t size)
{
    Chunk *chunk = memory_take(arena->family->memory, sizeof *chunk + size);
    if (!chunk)
        return NULL;
    chunk->size = size;
    ASAN_POISON_MEMORY_REGION(chunk + 1, size);
    return chunk;
}

static void *arena_take(Arena *arena, size_t size, size_t align)
{
    assert(align && !(align & (align - 1)));
    if (size == 0)
        size = 1; /* so that two blocks never share an address */
    if (size > BLOCK_MOST || align > CHUNK_FIRST)
        return NULL;
    size += RED_ZONE;
    void *at = arena->chunk ? chunk_take(arena->chunk, size, align) : NULL;
    if (at)
        return at;

    size_t exact = size + align;
    bool alone = exact > arena->next_size / 2 && arena->chunk;
    Chunk *chunk = chunk_open(arena, alone || exact > arena->next_size ? exact : arena->next_size);
    if (!chunk && !alone) /* a whole chunk is above the limit: this block alone may not be */
        chunk = chunk_open(arena, exact);
    if (!chunk)
        return NULL;
    if (alone) {
        chunk->next = arena->chunk->next;
        arena->chunk->next = chunk;
    } else {
        chunk->next = arena->chunk;
        arena->chunk = chunk;
        if (arena->next_size < CHUNK_MOST)
            arena->next_size *= 2;
    }
    return chunk_take(chunk, size, align);
}

static void *take_or_flag(Arena *arena, size_t size, size_t align)
{
    void *at = must_fail(arena->family->memory) ? NULL : arena_take(arena, size, align);
    if (!at)
        arena->family->failed = true;
    return at;
}

void *arena_alloc(Arena *arena, size_t size, size_t align)
{
    void *at = take_or_flag(arena, size, align);
    if (!at)
        arena_out_of_memory(arena);
    return at;
}

void *arena_alloc_array(Arena *arena, size_t count, size_t size, size_t align)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        arena_out_of_memory(arena);
    return arena_alloc(arena, total, align);
}

void *arena_alloc_or_null(Arena *arena, size_t size) { return take_or_flag(arena, size, alignof(max_align_t)); }

void *arena_copy(Arena *arena, const void *from, size_t size, size_t align)
{
    void *to = arena_alloc(arena, size, align);
    if (size)
        memcpy(to, from, size);
    return to;
}

char *arena_strndup(Arena *arena, const char *text, size_t length)
{
    if (length == SIZE_MAX)
        arena_out_of_memory(arena);
    char *to = arena_alloc(arena, length + 1, 1);
    if (length)
        memcpy(to, text, length);
    return to;
}

char *arena_strdup(Arena *arena, const char *text) { return arena_strndup(arena, text, strlen(text)); }

void arena_defer(Arena *arena, void (*release)(void *object), void *object)
{
    Deferred *deferred = take_or_flag(arena, sizeof *deferred, alignof(Deferred));
    if (!deferred) {
        release(object); /* nobody else knows of it any more */
        arena_out_of_memory(arena);
    }
    *deferred = (Deferred){.next = arena->deferred, .release = release, .object = object};
    arena->deferred = deferred;
}

bool arena_failed(const Arena *arena) { return arena->family->failed; }

Memory *arena_memory(Arena *arena) { return arena->family->memory; }

bool arena_run(Arena *arena, void (*body)(void *context), void *context)
{
    Family *const family = arena->family;
    const bool failed_before = family->failed;
    Guard guard = {.outer = family->guard};
    family->failed = false;
    family->guard = &guard;
    if (setjmp(guard.boundary) == 0)
        body(context);
    const bool failed = family->failed;
    family->guard = guard.outer;
    family->failed = failed || failed_before;
    return !failed;
}

void arena_out_of_memory(Arena *arena)
{
    Family *family = arena->family;
    family->failed = true;
    if (!family->guard) {
        fputs("kaon: out of memory outside of a phase\n", stderr);
        abort();
    }
    longjmp(family->guard->boundary, 1);
}
