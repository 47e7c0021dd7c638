/* cmvm/share.c: greedy sharing of two-term sums.
 *
 *     y0 = a + (b << 2) + c             n  = a + (b << 2)
 *     y1 = (a << 1) + (b << 3) - d  =>  y0 = n + c
 *                                       y1 = (n << 1) - d
 *
 * A pattern is (a, b, relative shift, relative sign). The number of its occurrences over all columns is kept in a hash table that is
 * updated as digits come and go, never recounted; patterns wait in buckets by the bits they save:
 *
 *     gain = occurrences * overlap - width of the new adder
 *
 * where overlap is what the merge would cost in a column's tree at the level of the smaller operand. The table counts overlapping
 * occurrences (a, a << 2, a << 4 holds "a + (a << 2)" twice), so the matches are found before a pattern is taken, and it waits again where
 * they save less. A column's depth budget (Kraft, engine.h) drops matches that would make it too deep.
 *
 * Work: about three times the number of initial pairs, sum over columns of digits^2 / 2. Reference: the two-term elimination of Hosangadi
 * et al.; budget, gain and incremental counts are described in docs.
 */
#include <assert.h>
#include <string.h>

#include "cmvm/engine.h"

#define NONE        UINT32_MAX
#define N_BUCKETS   2048u
#define EXACT_GAINS 64 /* above it 32 buckets an octave: an order within 3 % is enough, and a pattern whose count grows moves seldom */

typedef struct Digit {
    CmvmTerm term;
    uint32_t column, place;  /* column->digit[place] is this one */
    uint32_t next, previous; /* digits of the same value */
    uint32_t chain, stamp;   /* scratch of find_matches: next digit of the column's, the search that used it */
} Digit;

typedef struct Pair {
    uint64_t key; /* 0: empty */
    uint32_t count : 20;
    uint32_t queued : 11;  /* the bucket where it waits; 0: in none */
    uint32_t is_built : 1; /* the pattern is a node: share->node_of */
} Pair;                    /* 16 bytes: tables of millions decide how much memory a layer takes */

typedef struct Match {
    uint32_t a, b; /* digits */
    uint64_t rise; /* of the column's Kraft sum */
} Match;

typedef struct Share {
    CmvmEngine *engine;
    Arena *arena;
    VEC(Digit) digit;
    VEC(uint32_t) free_digit;
    struct DigitList {
        VEC(uint32_t) at;
    } * column;             /* [n_columns] */
    VEC(uint32_t) first_of; /* [values], first digit of a value */
    VEC(uint32_t) count_of;
    Pair *pair;
    uint32_t n_slots, n_pairs; /* a power of two; used slots */
    Pair *spare;               /* the table before this one: tables that do not grow take turns */
    uint32_t n_spare;
    struct KeyList {
        VEC(uint64_t) at;
    } * bucket; /* [N_BUCKETS] */
    uint32_t top;
    bool counting; /* the first count: nothing is queued yet */
    VEC(uint64_t) keys;
    VEC(Match) match;
    uint32_t *column_chain; /* [n_columns] */
    uint32_t search;
    Map node_of; /* key -> value */
} Share;

/* ---- patterns: [a 26][b 26][shift + 512: 10][sub 1] + 1, a < b or a == b and shift > 0 ---- */
static uint64_t key_of(const Digit *x, const Digit *y)
{
    if (x->term.value > y->term.value || (x->term.value == y->term.value && x->term.shift > y->term.shift)) {
        const Digit *other = x;
        x = y;
        y = other;
    }
    uint64_t shift = (uint64_t)(y->term.shift - x->term.shift + 512);
    return ((uint64_t)x->term.value << 37 | (uint64_t)y->term.value << 11 | shift << 1 | (x->term.negative != y->term.negative)) + 1;
}
static uint32_t key_a(uint64_t key) { return (uint32_t)((key - 1) >> 37); }
static uint32_t key_b(uint64_t key) { return (uint32_t)((key - 1) >> 11) & ((1u << 26) - 1); }
static int32_t key_shift(uint64_t key) { return (int32_t)((key - 1) >> 1 & 1023) - 512; }
static bool key_sub(uint64_t key) { return (key - 1) & 1; }

static uint32_t slot_of(const Share *s, uint64_t key)
{
    uint64_t hash = key * 0x9e3779b97f4a7c15ull;
    return (uint32_t)(hash >> 32) & (s->n_slots - 1);
}

static Pair *find_pair(Share *s, uint64_t key)
{
    uint32_t slot = slot_of(s, key);
    while (s->pair[slot].key != 0 && s->pair[slot].key != key)
        slot = (slot + 1) & (s->n_slots - 1);
    return &s->pair[slot];
}

/* Makes room, and leaves out what nobody counts, queues or has built. */
static void rehash(Share *s)
{
    Pair *old = s->pair;
    uint32_t n_old = s->n_slots, alive = 0;
    for (uint32_t i = 0; i < n_old; i++)
        alive += old[i].key != 0 && (old[i].count > 0 || old[i].is_built || old[i].queued != 0);
    while (s->n_slots < 2 * (alive + 1))
        s->n_slots *= 2;
    if (s->n_spare == s->n_slots) {
        s->pair = s->spare;
        memset(s->pair, 0, s->n_slots * sizeof *s->pair);
    } else {
        s->pair = arena_array(s->arena, Pair, s->n_slots);
    }
    s->spare = old;
    s->n_spare = n_old;
    s->n_pairs = 0;
    for (uint32_t i = 0; i < n_old; i++)
        if (old[i].key != 0 && (old[i].count > 0 || old[i].is_built || old[i].queued != 0)) {
            *find_pair(s, old[i].key) = old[i];
            s->n_pairs++;
        }
}

/* ---- gain ---- */
static int64_t gain_of(const Share *s, const Pair *pair, uint32_t count)
{
    const CmvmShape *a = &s->engine->shape.at[key_a(pair->key)], *b = &s->engine->shape.at[key_b(pair->key)];
    int32_t shift = key_shift(pair->key);
    int32_t low = a->low > b->low + shift ? a->low : b->low + shift;
    int32_t high = a->high < b->high + shift ? a->high : b->high + shift;
    int32_t overlap = high - low + (a->is_negative || b->is_negative || key_sub(pair->key));
    if (overlap <= 0)
        return 0;
    return (int64_t)count * overlap - (pair->is_built ? 0 : cmvm_adder_bits(a, b, shift));
}

static uint32_t bucket_of(int64_t gain)
{
    if (gain < EXACT_GAINS)
        return gain <= 0 ? 0 : (uint32_t)gain;
    uint32_t octave = bits_unsigned((u128)gain) - 6; /* gain >> octave is 32 .. 63 */
    return u32_min(32 * octave + (uint32_t)(gain >> octave), N_BUCKETS - 1);
}

static void queue(Share *s, Pair *pair, int64_t gain)
{
    uint32_t bucket = bucket_of(gain);
    pair->queued = bucket & (N_BUCKETS - 1);
    if (bucket == 0)
        return;
    vec_push(s->arena, &s->bucket[bucket].at, pair->key);
    if (bucket > s->top)
        s->top = bucket;
}

static void count_pair(Share *s, uint64_t key, bool up)
{
    if (s->n_pairs >= s->n_slots / 4 * 3)
        rehash(s);
    Pair *pair = find_pair(s, key);
    if (!up) {
        assert(pair->count > 0);
        pair->count--;
        return;
    }
    if (pair->key == 0) {
        *pair = (Pair){.key = key};
        s->n_pairs++;
    }
    assert(pair->count < (1u << 20) - 1);
    pair->count++;
    if (s->counting || (pair->count < 2 && !pair->is_built))
        return;
    int64_t gain = gain_of(s, pair, pair->count);
    if (bucket_of(gain) > pair->queued)
        queue(s, pair, gain);
}

/* ---- digits ---- */
static void count_column(Share *s, const Digit *digit, bool up)
{
    struct DigitList *column = &s->column[digit->column];
    s->keys.n = 0;
    vec_reserve(s->arena, &s->keys, column->at.n);
    for (uint32_t i = 0; i < column->at.n; i++) {
        uint64_t key = key_of(digit, &s->digit.at[column->at.at[i]]);
        __builtin_prefetch(&s->pair[slot_of(s, key)], 1);
        s->keys.at[s->keys.n++] = key;
    }
    for (uint32_t i = 0; i < s->keys.n; i++)
        count_pair(s, s->keys.at[i], up);
}

static void add_digit(Share *s, uint32_t column, CmvmTerm term)
{
    uint32_t id;
    if (s->free_digit.n > 0) {
        id = vec_pop(&s->free_digit);
    } else {
        id = s->digit.n;
        vec_push(s->arena, &s->digit, (Digit){.column = 0});
    }
    while (s->first_of.n <= term.value) {
        vec_push(s->arena, &s->first_of, NONE);
        vec_push(s->arena, &s->count_of, 0);
    }
    uint32_t next = s->first_of.at[term.value];
    s->digit.at[id] = (Digit){.term = term, .column = column, .place = s->column[column].at.n, .next = next, .previous = NONE};
    if (next != NONE)
        s->digit.at[next].previous = id;
    s->first_of.at[term.value] = id;
    s->count_of.at[term.value]++;
    Digit copy = s->digit.at[id];
    count_column(s, &copy, true);
    vec_push(s->arena, &s->column[column].at, id);
}

static void remove_digit(Share *s, uint32_t id)
{
    Digit digit = s->digit.at[id];
    struct DigitList *column = &s->column[digit.column];
    uint32_t last = column->at.at[--column->at.n];
    if (last != id) {
        column->at.at[digit.place] = last;
        s->digit.at[last].place = digit.place;
    }
    if (digit.previous != NONE)
        s->digit.at[digit.previous].next = digit.next;
    else
        s->first_of.at[digit.term.value] = digit.next;
    if (digit.next != NONE)
        s->digit.at[digit.next].previous = digit.previous;
    s->count_of.at[digit.term.value]--;
    count_column(s, &digit, false);
    vec_push(s->arena, &s->free_digit, id);
}

/* ---- matches ---- */
static bool take_match(Share *s, uint32_t a, uint32_t b)
{
    const CmvmEngine *engine = s->engine;
    uint64_t weight_a = 1ull << engine->shape.at[s->digit.at[a].term.value].level;
    uint64_t weight_b = 1ull << engine->shape.at[s->digit.at[b].term.value].level;
    uint64_t rise = weight_a > weight_b ? weight_a - weight_b : weight_b - weight_a;
    CmvmColumn *column = &engine->column[s->digit.at[a].column];
    if (column->kraft + rise > column->kraft_limit)
        return false;
    column->kraft += rise;
    vec_push(s->arena, &s->match, (Match){a, b, rise});
    return true;
}

/* Fills s->match with occurrences of the pattern that do not overlap; their columns' Kraft sums are raised already. */
static void find_matches(Share *s, uint64_t key)
{
    uint32_t a = key_a(key), b = key_b(key);
    int32_t shift = key_shift(key);
    s->match.n = 0;
    for (uint32_t i = s->first_of.at[b]; i != NONE; i = s->digit.at[i].next) {
        Digit *digit = &s->digit.at[i];
        digit->chain = s->column_chain[digit->column];
        s->column_chain[digit->column] = i;
    }
    s->search++;
    for (uint32_t i = s->first_of.at[a]; i != NONE; i = s->digit.at[i].next) {
        const Digit *x = &s->digit.at[i];
        for (uint32_t j = s->column_chain[x->column]; j != NONE; j = s->digit.at[j].chain) {
            const Digit *y = &s->digit.at[j];
            if (y->term.shift - x->term.shift != shift || (x->term.negative != y->term.negative) != key_sub(key))
                continue;
            if (x->stamp != s->search && y->stamp != s->search && take_match(s, i, j))
                s->digit.at[i].stamp = s->digit.at[j].stamp = s->search;
            break;
        }
    }
    for (uint32_t i = s->first_of.at[b]; i != NONE; i = s->digit.at[i].next)
        s->column_chain[s->digit.at[i].column] = NONE;
}

static void drop_matches(Share *s)
{
    for (uint32_t i = 0; i < s->match.n; i++)
        s->engine->column[s->digit.at[s->match.at[i].a].column].kraft -= s->match.at[i].rise;
    s->match.n = 0;
}

/* The pattern that saves most, its occurrences in s->match; 0 when none saves anything. */
static uint64_t best_pattern(Share *s)
{
    while (s->top > 0) {
        if (s->bucket[s->top].at.n == 0) {
            s->top--;
            continue;
        }
        uint64_t key = vec_pop(&s->bucket[s->top].at);
        Pair *pair = find_pair(s, key);
        if (pair->key == 0 || pair->queued != s->top)
            continue;
        uint32_t bucket = s->top;
        int64_t gain = gain_of(s, pair, pair->count);
        if (bucket_of(gain) < bucket) {
            queue(s, pair, gain);
            continue;
        }
        find_matches(s, key);
        gain = gain_of(s, pair, s->match.n);
        if (gain > 0 && bucket_of(gain) >= bucket) {
            pair->queued = 0;
            return key;
        }
        drop_matches(s);
        queue(s, pair, gain);
    }
    return 0;
}

static void apply_pattern(Share *s, uint64_t key)
{
    uint32_t value = map_get_bytes(&s->node_of, &key, sizeof key);
    if (value == MAP_NONE) {
        CmvmTerm a = {key_a(key), 0, false}, b = {key_b(key), key_shift(key), key_sub(key)};
        value = cmvm_join(s->engine, a, b).value;
        map_put_bytes(&s->node_of, &key, sizeof key, value);
        find_pair(s, key)->is_built = true;
    }
    for (uint32_t i = 0; i < s->match.n; i++) {
        CmvmTerm a = s->digit.at[s->match.at[i].a].term, b = s->digit.at[s->match.at[i].b].term;
        uint32_t column = s->digit.at[s->match.at[i].a].column;
        remove_digit(s, s->match.at[i].a);
        remove_digit(s, s->match.at[i].b);
        add_digit(s, column, (CmvmTerm){value, a.shift < b.shift ? a.shift : b.shift, a.negative});
    }
}

void cmvm_share(CmvmEngine *engine, uint32_t first_input, uint32_t n_inputs)
{
    Arena *arena = arena_child(engine->arena);
    Share *s = arena_new(arena, Share);
    *s = (Share){.engine = engine, .arena = arena, .n_slots = 1u << 10, .counting = true};
    s->node_of = map_init(arena);
    s->pair = arena_array(arena, Pair, s->n_slots);
    s->column = arena_array(arena, struct DigitList, engine->n_columns);
    s->bucket = arena_array(arena, struct KeyList, N_BUCKETS);
    s->column_chain = arena_array(arena, uint32_t, engine->n_columns);
    for (uint32_t j = 0; j < engine->n_columns; j++) {
        s->column_chain[j] = NONE;
        CmvmTerms *terms = &engine->column[j].terms;
        uint32_t kept = 0;
        for (uint32_t i = 0; i < terms->n; i++) {
            CmvmTerm term = terms->at[i];
            if (term.value >= first_input && term.value - first_input < n_inputs)
                add_digit(s, j, term);
            else
                terms->at[kept++] = term;
        }
        terms->n = kept;
    }
    s->counting = false;
    for (uint32_t i = 0; i < s->n_slots; i++)
        if (s->pair[i].key != 0 && s->pair[i].count > 1)
            queue(s, &s->pair[i], gain_of(s, &s->pair[i], s->pair[i].count));
    for (uint64_t key = best_pattern(s); key != 0; key = best_pattern(s))
        apply_pattern(s, key);
    for (uint32_t j = 0; j < engine->n_columns; j++)
        for (uint32_t i = 0; i < s->column[j].at.n; i++)
            vec_push(engine->arena, &engine->column[j].terms, s->digit.at[s->column[j].at.at[i]].term);
    arena_destroy(arena);
}
