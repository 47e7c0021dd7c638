/* cmvm/pairs.c: how often each pair of digits stands in a column, and the queue of pairs by what they would save.
 *
 * An open-addressed table that grows and never keeps empty entries: a pair that nobody counts, builds or waits for is taken out by moving
 * the rest of its run back (Knuth 6.4 R). Buckets hold keys, not entries; a key whose entry says another bucket is stale and skipped.
 *
 *     gain = occurrences * overlap - width of the new adder
 *
 * where overlap is what the merge would cost in a column's tree at the level of the smaller operand: between the coarser lowest bit and
 * the smaller highest one.
 */
#include <assert.h>
#include <string.h>

#include "cmvm/engine.h"

#define FIRST_SLOTS (1u << 10)
#define EXACT_GAINS 64 /* above it 32 buckets an octave: an order within 3 % is enough, and a pattern whose count grows moves seldom */

static uint32_t slot_of(const CmvmPairs *pairs, uint64_t key) { return (uint32_t)(key * 0x9e3779b97f4a7c15ull >> 32) & (pairs->n_slots - 1); }

void cmvm_pairs_prefetch(const CmvmPairs *pairs, uint64_t key) { __builtin_prefetch(&pairs->slot[slot_of(pairs, key)], 1); }

void cmvm_pairs_init(CmvmPairs *pairs, Arena *parent)
{
    if (pairs->arena != NULL)
        arena_destroy(pairs->arena);
    pairs->arena = arena_child(parent);
    pairs->n_slots = FIRST_SLOTS;
    pairs->n_used = 0;
    pairs->slot = arena_array(pairs->arena, CmvmPair, FIRST_SLOTS);
}

CmvmPair *cmvm_pairs_find(CmvmPairs *pairs, uint64_t key)
{
    uint32_t at = slot_of(pairs, key);
    while (pairs->slot[at].key != key) {
        if (pairs->slot[at].key == 0)
            return NULL;
        at = (at + 1) & (pairs->n_slots - 1);
    }
    return &pairs->slot[at];
}

CmvmPair *cmvm_pairs_take(CmvmPairs *pairs, uint64_t key)
{
    uint32_t at = slot_of(pairs, key);
    while (pairs->slot[at].key != key) {
        if (pairs->slot[at].key == 0) {
            pairs->slot[at] = (CmvmPair){.key = key};
            pairs->n_used++;
            break;
        }
        at = (at + 1) & (pairs->n_slots - 1);
    }
    return &pairs->slot[at];
}

void cmvm_pairs_reserve(CmvmPairs *pairs, Arena *parent, uint32_t more)
{
    if ((uint64_t)pairs->n_used + more < (uint64_t)pairs->n_slots / 8 * 5)
        return;
    CmvmPairs old = *pairs;
    while ((uint64_t)pairs->n_used + more >= (uint64_t)pairs->n_slots / 8 * 5)
        pairs->n_slots *= 2;
    pairs->arena = arena_child(parent);
    pairs->slot = arena_array(pairs->arena, CmvmPair, pairs->n_slots);
    for (uint32_t i = 0; i < old.n_slots; i++) {
        if (old.slot[i].key == 0)
            continue;
        uint32_t at = slot_of(pairs, old.slot[i].key);
        while (pairs->slot[at].key != 0)
            at = (at + 1) & (pairs->n_slots - 1);
        pairs->slot[at] = old.slot[i];
    }
    arena_destroy(old.arena);
}

void cmvm_pairs_drop(CmvmPairs *pairs, CmvmPair *pair)
{
    if (pair->count > 0 || pair->node != 0 || pair->queued != 0)
        return;
    uint32_t mask = pairs->n_slots - 1, hole = (uint32_t)(pair - pairs->slot);
    for (uint32_t at = (hole + 1) & mask; pairs->slot[at].key != 0; at = (at + 1) & mask)
        if (((at - slot_of(pairs, pairs->slot[at].key)) & mask) >= ((at - hole) & mask)) {
            pairs->slot[hole] = pairs->slot[at];
            hole = at;
        }
    pairs->slot[hole] = (CmvmPair){.key = 0};
    pairs->n_used--;
}

/* ---- the queue ---- */
int64_t cmvm_gain(const CmvmEngine *engine, const CmvmPair *pair, uint32_t count)
{
    const CmvmShape *a = &engine->shape.at[cmvm_key_a(pair->key)], *b = &engine->shape.at[cmvm_key_b(pair->key)];
    int32_t shift = cmvm_key_shift(pair->key), low_b = b->low + shift, high_b = b->high + shift;
    int32_t low = a->low > low_b ? a->low : low_b;
    int32_t less = a->high < high_b ? a->high : high_b, more = a->high < high_b ? high_b : a->high;
    int32_t sign = a->is_negative | b->is_negative, overlap = less - low + sign, width = more - low + sign;
    if (overlap <= 0)
        return 0;
    return (int64_t)count * overlap - (pair->node != 0 ? 0 : width > 1 ? width : 1);
}

uint32_t cmvm_bucket(int64_t gain)
{
    if (gain < EXACT_GAINS)
        return gain <= 0 ? 0 : (uint32_t)gain;
    uint32_t octave = 58 - (uint32_t)__builtin_clzll((uint64_t)gain); /* gain >> octave is 32 .. 63 */
    return u32_min(32 * octave + (uint32_t)(gain >> octave), CMVM_BUCKETS - 1);
}

void cmvm_queue(CmvmEngine *engine, CmvmPair *pair, int64_t gain)
{
    CmvmPairs *pairs = &engine->pairs;
    uint32_t bucket = cmvm_bucket(gain);
    pair->queued = bucket & (CMVM_BUCKETS - 1);
    if (bucket == 0)
        return;
    vec_push(engine->arena, &pairs->bucket[bucket].at, pair->key);
    pairs->top = u32_max(pairs->top, bucket);
}
