/* base/map.h: a hash map from bytes (mostly strings) to 32-bit numbers, and a bit set. Iteration order is insertion order, so that nothing
 * printed depends on hashing. */
#ifndef KAON_BASE_MAP_H
#define KAON_BASE_MAP_H

#include "base/arena.h"

#define MAP_NONE UINT32_MAX

typedef struct MapEntry {
    const void *key; /* own copy, NUL-terminated behind the last byte */
    uint32_t length;
    uint32_t value;
    uint64_t hash;
} MapEntry;

typedef struct Map {
    Arena *arena;
    MapEntry *entry; /* [n], in order of insertion */
    uint32_t n, cap;
    uint32_t *slot; /* [n_slots], a power of two; index into entry + 1, 0 empty */
    uint32_t n_slots;
} Map;

Map map_init(Arena *arena);
uint32_t map_get(const Map *map, const char *key); /* MAP_NONE if absent */
uint32_t map_get_bytes(const Map *map, const void *key, size_t length);
/* Sets or replaces; returns the value that stood there before, MAP_NONE if none. */
uint32_t map_put(Map *map, const char *key, uint32_t value);
uint32_t map_put_bytes(Map *map, const void *key, size_t length, uint32_t value);
uint64_t hash_bytes(const void *at, size_t n, uint64_t seed);

typedef struct Bitset {
    uint64_t *word;
    uint32_t n_bits;
} Bitset;

Bitset bitset_create(Arena *arena, uint32_t n_bits);
static inline bool bitset_has(const Bitset *set, uint32_t i) { return set->word[i >> 6] >> (i & 63) & 1; }
static inline void bitset_add(Bitset *set, uint32_t i) { set->word[i >> 6] |= 1ull << (i & 63); }
static inline void bitset_remove(Bitset *set, uint32_t i) { set->word[i >> 6] &= ~(1ull << (i & 63)); }

#endif
