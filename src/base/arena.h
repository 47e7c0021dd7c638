/* base/arena.h: memory with one lifetime.
 *
 * Everything a model, a pass or a request allocates comes from an arena and goes with it; nothing is freed alone. References between
 * objects of an IR are 32-bit indices, so an array may move when it grows.
 *
 * Running out of memory is the machine's error, not the caller's: the failing allocation sets a sticky flag and control returns to the
 * phase boundary, the innermost arena_run() of that arena's family. Code between needs no checks. What is not memory (a file, a json_t, a
 * child process) is handed to arena_defer(), which releases it with the arena, so that the return leaks nothing.
 *
 *     Memory memory = { .limit_bytes = 4ull << 30 };
 *     Arena *arena = arena_create(&memory);
 *     if (!arena_run(arena, compile, &job)) ... out of memory ...
 *     arena_destroy(arena);
 */
#ifndef KAON_BASE_ARENA_H
#define KAON_BASE_ARENA_H

#include "base/types.h"

typedef struct Arena Arena;

/* What all arenas of one family share. Zeroed means: no limit, nothing fails. */
typedef struct Memory {
    uint64_t limit_bytes; /* refuse beyond it; 0: none */
    uint64_t used_bytes;  /* held now */
    uint64_t peak_bytes;
    uint64_t allocations; /* calls of arena_alloc so far, in all arenas of the family; making a child counts as one */
    uint64_t fail_at;     /* the call with this number (from 1) fails, and all after it; 0: none. For tests. */
} Memory;

/* Both return NULL when memory is short. A child shares the parent's Memory and its phase boundary and dies with it at the latest; use one
 * for scratch. */
Arena *arena_create(Memory *memory); /* memory may be NULL: an own, unlimited one */
Arena *arena_child(Arena *parent);   /* never NULL: failure returns to the boundary */
void arena_destroy(Arena *arena);    /* NULL is fine; runs the deferred releases, last first */

/* Zeroed memory; on failure does not return. size 0 gives a valid pointer. */
void *arena_alloc(Arena *arena, size_t size, size_t align);
void *arena_alloc_array(Arena *arena, size_t count, size_t size, size_t align); /* checks count * size for overflow */
/* For callbacks of foreign libraries, which must be returned to: NULL on failure, and the sticky flag. */
void *arena_alloc_or_null(Arena *arena, size_t size);

#define arena_new(arena, T)          ((T *)arena_alloc((arena), sizeof(T), alignof(T)))
#define arena_array(arena, T, count) ((T *)arena_alloc_array((arena), (count), sizeof(T), alignof(T)))

void *arena_copy(Arena *arena, const void *from, size_t size, size_t align);
char *arena_strdup(Arena *arena, const char *text);
char *arena_strndup(Arena *arena, const char *text, size_t length);

/* Calls release(object) when the arena is destroyed; at once, should memory for the note itself be short. */
void arena_defer(Arena *arena, void (*release)(void *object), void *object);

bool arena_failed(const Arena *arena); /* the sticky flag */
Memory *arena_memory(Arena *arena);

/* The phase boundary: calls body(context); false when an allocation of the family failed inside, whatever body had left to do. Nests. */
bool arena_run(Arena *arena, void (*body)(void *context), void *context);
/* Returns to the phase boundary as a failed allocation does; for libraries that report their own failed malloc. */
KAON_NORETURN void arena_out_of_memory(Arena *arena);

#endif
