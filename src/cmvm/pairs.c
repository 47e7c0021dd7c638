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

static inline uint32_t slot_of(const CmvmPairs *pairs, uint64_t key)
{
    return (uint32_t)(key * 0x9e3779b97f4a7c15ull >> 32) & (pairs->n_slots - 1);
}

/* The entry of a key from its home slot on, or the empty one where it belongs. */
static inline CmvmPair *probe(const CmvmPairs *pairs, uint64_t key, uint32_t home)
{
    while (pairs->slot[home].key != key && pairs->slot[home].key != 0)
        home = (home + 1) & (pairs->n_slots - 1);
    return &pairs->slot[home];
}

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
    CmvmPair *pair = probe(pairs, key, slot_of(pairs, key));
    return pair->key == key ? pair : NULL;
}

static inline CmvmPair *take_at(CmvmPairs *pairs, uint64_t key, uint32_t home)
{
    CmvmPair *pair = probe(pairs, key, home);
    if (pair->key == 0) {
        pair->key = key;
        pairs->n_used++;
    }
    return pair;
}

CmvmPair *cmvm_pairs_take(CmvmPairs *pairs, uint64_t key) { return take_at(pairs, key, slot_of(pairs, key)); }

static bool is_full(const CmvmPairs *pairs, uint32_t more) { return (uint64_t)pairs->n_used + more >= (uint64_t)pairs->n_slots / 16 * 11; }

void cmvm_pairs_reserve(CmvmPairs *pairs, Arena *parent, uint32_t more)
{
    if (!is_full(pairs, more))
        return;
    CmvmPairs old = *pairs;
    while (is_full(pairs, more))
        pairs->n_slots *= 2;
    pairs->arena = arena_child(parent);
    pairs->slot = arena_array(pairs->arena, CmvmPair, pairs->n_slots);
    for (uint32_t i = 0; i < old.n_slots; i++)
        if (old.slot[i].key != 0)
            *probe(pairs, old.slot[i].key, slot_of(pairs, old.slot[i].key)) = old.slot[i];
    arena_destroy(old.arena);
}

static void take_out(CmvmPairs *pairs, CmvmPair *pair)
{
    uint32_t mask = pairs->n_slots - 1, hole = (uint32_t)(pair - pairs->slot);
    for (uint32_t at = (hole + 1) & mask; pairs->slot[at].key != 0; at = (at + 1) & mask)
        if (((at - slot_of(pairs, pairs->slot[at].key)) & mask) >= ((at - hole) & mask)) {
            pairs->slot[hole] = pairs->slot[at];
            hole = at;
        }
    pairs->slot[hole] = (CmvmPair){.key = 0};
    pairs->n_used--;
}

static inline bool is_idle(const CmvmPair *pair) { return pair->count == 0 && pair->node == 0 && pair->queued == 0; }

void cmvm_pairs_drop(CmvmPairs *pairs, CmvmPair *pair)
{
    if (is_idle(pair))
        take_out(pairs, pair);
}

/* ---- the queue ---- */
static inline int64_t gain_of(const CmvmEngine *engine, const CmvmPair *pair, uint32_t count)
{
    const CmvmShape *a = &engine->shape.at[cmvm_key_a(pair->key)], *b = &engine->shape.at[cmvm_key_b(pair->key)];
    int32_t shift = cmvm_key_shift(pair->key), low_b = b->low + shift, high_b = b->high + shift;
    int32_t low = a->low > low_b ? a->low : low_b;
    int32_t less = a->high < high_b ? a->high : high_b, more = a->high < high_b ? high_b : a->high;
    int32_t sign = a->is_negative | b->is_negative, overlap = less - low + sign, width = more - low + sign;
    if (overlap <= 0)
        return 0;
    if (engine->problem->adders == 3) /* adders of three make a merge dearer than half of one; three quarters turned out best */
        return (int64_t)count * overlap * 3 / 4 - (pair->node != 0 ? 0 : width > 1 ? width : 1);
    return (int64_t)count * overlap - (pair->node != 0 ? 0 : width > 1 ? width : 1);
}

int64_t cmvm_gain(const CmvmEngine *engine, const CmvmPair *pair, uint32_t count) { return gain_of(engine, pair, count); }

static inline uint32_t bucket_of(int64_t gain)
{
    if (gain < EXACT_GAINS)
        return gain <= 0 ? 0 : (uint32_t)gain;
    uint32_t octave = 58 - (uint32_t)__builtin_clzll((uint64_t)gain); /* gain >> octave is 32 .. 63 */
    return u32_min(32 * octave + (uint32_t)(gain >> octave), CMVM_BUCKETS - 1);
}

uint32_t cmvm_bucket(int64_t gain) { return bucket_of(gain); }

void cmvm_queue(CmvmEngine *engine, CmvmPair *pair, int64_t gain)
{
    CmvmPairs *pairs = &engine->pairs;
    uint32_t bucket = bucket_of(gain);
    pair->queued = bucket & (CMVM_BUCKETS - 1);
    if (bucket == 0)
        return;
    vec_push(engine->arena, &pairs->bucket[bucket].at, pair->key);
    pairs->top = u32_max(pairs->top, bucket);
}

/* ---- counts ---- */
/* The keys of a digit with those of a column, and where they live; their lines are on the way while the rest is worked out. Returns the
 * place of a digit of the same value and shift, CMVM_NONE if there is none. */
static uint32_t gather(CmvmEngine *engine, const CmvmColumn *column, uint64_t form)
{
    CmvmPairs *pairs = &engine->pairs;
    uint32_t n = column->form.at.n;
    engine->keys.at.n = engine->homes.at.n = 0;
    vec_reserve(engine->arena, &engine->keys.at, n);
    vec_reserve(engine->arena, &engine->homes.at, n);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t other = column->form.at.at[i];
        if ((other ^ form) <= 1)
            return i;
        uint64_t key = cmvm_key(form, other);
        uint32_t home = slot_of(pairs, key);
        __builtin_prefetch(&pairs->slot[home], 1);
        engine->keys.at.at[i] = key;
        engine->homes.at.at[i] = home;
    }
    return CMVM_NONE;
}

uint32_t cmvm_count_up(CmvmEngine *engine, const CmvmColumn *column, uint64_t form)
{
    CmvmPairs *pairs = &engine->pairs;
    uint32_t n = column->form.at.n;
    cmvm_pairs_reserve(pairs, engine->arena, n);
    uint32_t twin = gather(engine, column, form);
    if (twin != CMVM_NONE)
        return twin;
    for (uint32_t i = 0; i < n; i++) {
        CmvmPair *pair = take_at(pairs, engine->keys.at.at[i], engine->homes.at.at[i]);
        assert(pair->count < (1u << 20) - 1);
        pair->count++;
        if ((pair->count < 2 && pair->node == 0) || engine->quiet)
            continue;
        int64_t gain = gain_of(engine, pair, pair->count);
        if (bucket_of(gain) > pair->queued)
            cmvm_queue(engine, pair, gain);
    }
    engine->work += n;
    return CMVM_NONE;
}

void cmvm_count_down(CmvmEngine *engine, const CmvmColumn *column, uint64_t form)
{
    CmvmPairs *pairs = &engine->pairs;
    uint32_t n = column->form.at.n;
    gather(engine, column, form);
    for (uint32_t i = 0; i < n; i++) {
        CmvmPair *pair = probe(pairs, engine->keys.at.at[i], engine->homes.at.at[i]);
        assert(pair->count > 0);
        pair->count--;
        if (is_idle(pair))
            take_out(pairs, pair);
    }
    engine->work += n;
}
