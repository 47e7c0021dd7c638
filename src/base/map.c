/* base/map.c: open addressing with linear probing over indices into an insertion-ordered array; at most half full. */
#include "base/map.h"

#include <assert.h>
#include <string.h>

#include "base/vec.h"

static uint64_t mix(uint64_t a, uint64_t b)
{
    u128 product = (u128)(a ^ 0x9e3779b97f4a7c15ull) * (b ^ 0xd1b54a32d192ed03ull);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Bytes are assembled, not loaded: the same hash whatever the byte order of the machine. */
uint64_t hash_bytes(const void *at, size_t n, uint64_t seed)
{
    const uint8_t *byte = at;
    uint64_t hash = mix(seed, n);
    for (; n >= 8; n -= 8, byte += 8) {
        uint64_t word = 0;
        for (unsigned i = 0; i < 8; i++)
            word |= (uint64_t)byte[i] << (8 * i);
        hash = mix(hash, word) + word;
    }
    uint64_t tail = 0;
    for (size_t i = 0; i < n; i++)
        tail |= (uint64_t)byte[i] << (8 * i);
    return mix(hash + tail, hash ^ 0xa0761d6478bd642full);
}

Map map_init(Arena *arena) { return (Map){.arena = arena}; }

/* The slot where the key is, or the empty one where it belongs. */
static uint32_t map_slot(const Map *map, const void *key, size_t length, uint64_t hash)
{
    uint32_t mask = map->n_slots - 1;
    for (uint32_t slot = (uint32_t)hash & mask;; slot = (slot + 1) & mask) {
        if (!map->slot[slot])
            return slot;
        const MapEntry *entry = &map->entry[map->slot[slot] - 1];
        if (entry->hash == hash && entry->length == length && (length == 0 || memcmp(entry->key, key, length) == 0))
            return slot;
    }
}

static void map_rehash(Map *map)
{
    if (map->n_slots > UINT32_MAX / 2)
        arena_out_of_memory(map->arena);
    uint32_t n_slots = map->n_slots ? 2 * map->n_slots : 16;
    map->slot = arena_array(map->arena, uint32_t, n_slots); /* n_slots is set behind the one call that may not return */
    map->n_slots = n_slots;
    for (uint32_t i = 0; i < map->n; i++) {
        uint32_t slot = (uint32_t)map->entry[i].hash & (n_slots - 1);
        while (map->slot[slot])
            slot = (slot + 1) & (n_slots - 1);
        map->slot[slot] = i + 1;
    }
}

uint32_t map_get_bytes(const Map *map, const void *key, size_t length)
{
    if (!map->n)
        return MAP_NONE;
    uint32_t index = map->slot[map_slot(map, key, length, hash_bytes(key, length, 0))];
    return index ? map->entry[index - 1].value : MAP_NONE;
}

uint32_t map_get(const Map *map, const char *key) { return map_get_bytes(map, key, strlen(key)); }

uint32_t map_put_bytes(Map *map, const void *key, size_t length, uint32_t value)
{
    assert(length < UINT32_MAX);
    if (map->n >= map->n_slots / 2)
        map_rehash(map);
    uint64_t hash = hash_bytes(key, length, 0);
    uint32_t slot = map_slot(map, key, length, hash);
    if (map->slot[slot]) {
        MapEntry *entry = &map->entry[map->slot[slot] - 1];
        uint32_t before = entry->value;
        entry->value = value;
        return before;
    }
    map->entry = vec_grow(map->arena, map->entry, map->n, &map->cap, 1, sizeof *map->entry, alignof(MapEntry));
    const char *copy = arena_strndup(map->arena, key, length);
    map->entry[map->n++] = (MapEntry){.key = copy, .length = (uint32_t)length, .value = value, .hash = hash};
    map->slot[slot] = map->n;
    return MAP_NONE;
}

uint32_t map_put(Map *map, const char *key, uint32_t value) { return map_put_bytes(map, key, strlen(key), value); }

Bitset bitset_create(Arena *arena, uint32_t n_bits)
{
    return (Bitset){.word = arena_array(arena, uint64_t, ((size_t)n_bits + 63) / 64), .n_bits = n_bits};
}
