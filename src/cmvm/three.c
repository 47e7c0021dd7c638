/* cmvm/three.c: the sum of one column's terms by adders of two and three operands.
 *
 *     t0 t1 t2 t3 t4 t5      an even number: the two smallest first, so that all other merges take three
 *      \ /    |  |  |
 *       s0    |  |  |        then always three small magnitudes (Huffman's rule for three; tree.c has it for two)
 *        \____|__|  |
 *            s1     ...
 *
 * A merge of three pays from its second lowest bit; it hands on the lowest one and takes away the other two. All merges together take away
 * the same lowest bits whatever the tree, so the sum of prices is a constant plus the sum over merges of three of their highest bit and
 * the highest of their lowest bits, and over merges of two of their highest bit. Both are kept small: of the six smallest terms those
 * three are taken that have least of it, and half a bit less for each bit of the middle one, which is taken away for nothing.
 *
 * Depth is counted in halves of an adder's level: an adder of two takes two, one of three takes three (the ratio of their delays is 1.4 to
 * 1.5 at usual widths), or four where times count and all adders are narrow. Kraft's sum does not decide for such a mixture. A merge is
 * allowed when what it leaves can be finished in time by adders of two alone (the two earliest terms first, which is exact: Golumbic 1976),
 * or by adders of three in the same order. One of the two holds at the start, and its own next merge keeps it, so some merge is always
 * allowed.
 *
 * Prices are look-up tables: one for each bit of the result, down to the second lowest bit where the finest operand is not negated. O(k^2)
 * for k terms.
 */
#include <assert.h>
#include <string.h>

#include "cmvm/engine.h"

enum {
    HALVES = 136, /* twice the deepest limit, and the last merges */
    WINDOW = 6,   /* terms among which three are chosen */
};

typedef struct Tree {
    CmvmEngine *engine;
    CmvmColumn *column;
    CmvmSummand *at; /* [n] sorted by magnitude */
    uint32_t n, n_positive;
    uint32_t limit;         /* halves */
    uint64_t kraft;         /* terms weighed by their levels, halves rounded up */
    uint16_t count[HALVES]; /* terms at each */
} Tree;

static bool is_smaller(const CmvmSummand *a, const CmvmSummand *b)
{
    if (a->shape.high != b->shape.high)
        return a->shape.high < b->shape.high;
    if (a->half != b->half)
        return a->half < b->half;
    return a->slot < b->slot;
}

static void note(Tree *tree, const CmvmSummand *s, bool comes)
{
    uint64_t weight = 1ull << s->shape.level;
    tree->kraft = comes ? tree->kraft + weight : tree->kraft - weight;
    tree->count[s->half] = (uint16_t)(comes ? tree->count[s->half] + 1 : tree->count[s->half] - 1);
    tree->n_positive += comes ? !s->negative : -(uint32_t)!s->negative;
}

static void insert(Tree *tree, CmvmSummand summand)
{
    uint32_t i = tree->n++;
    for (; i > 0 && is_smaller(&summand, &tree->at[i - 1]); i--)
        tree->at[i] = tree->at[i - 1];
    tree->at[i] = summand;
    note(tree, &summand, true);
}

static void insert_term(Tree *tree, CmvmTerm term, uint32_t slot)
{
    const CmvmEngine *engine = tree->engine;
    CmvmShape shape = engine->shape.at[term.value];
    shape.low = (int16_t)(shape.low + term.shift);
    shape.high = (int16_t)(shape.high + term.shift);
    if (shape.high > tree->column->top)
        shape.high = (int16_t)tree->column->top;
    insert(tree, (CmvmSummand){.reach = cmvm_reach_shift(engine->value.at[term.value].reach, term.shift),
                               .shape = shape,
                               .negative = term.negative,
                               .slot = slot,
                               .half = 2u * shape.level});
}

/* ---- depth ---- */
static uint32_t halves_of(const CmvmEngine *engine, uint32_t n) { return n == 3 ? engine->three_halves : 2; }

/* Whether n terms, count[] at each half, end in time if k at a time are merged, the earliest first. */
static bool finishes(const Tree *tree, uint32_t n, uint32_t k)
{
    uint32_t made[HALVES + 4] = {0}, waiting = 0;
    for (uint32_t h = 0; h <= tree->limit; h++) {
        waiting += tree->count[h] + made[h];
        if (waiting == n && n <= k)
            return n == 1 || h + halves_of(tree->engine, n) <= tree->limit;
        uint32_t groups = waiting / k;
        made[h + halves_of(tree->engine, k)] += groups;
        waiting -= groups * k;
        n -= groups * (k - 1);
    }
    return false;
}

static bool in_time(const Tree *tree, uint32_t k) { return finishes(tree, tree->n, k); }

/* Whether the terms at place[0 .. n) may be merged. */
static bool is_allowed(Tree *tree, const uint32_t *place, uint32_t n)
{
    uint32_t half = 0;
    uint64_t kraft = tree->kraft;
    for (uint32_t i = 0; i < n; i++) {
        half = u32_max(half, tree->at[place[i]].half);
        kraft -= 1ull << tree->at[place[i]].shape.level;
    }
    half += halves_of(tree->engine, n);
    if (half > tree->limit)
        return false;
    if (kraft + (1ull << (half + 1) / 2) <= tree->column->kraft_limit)
        return true;
    for (uint32_t i = 0; i < n; i++)
        tree->count[tree->at[place[i]].half]--;
    tree->count[half]++;
    uint32_t left = tree->n - n + 1;
    bool allowed = finishes(tree, left, 2) || finishes(tree, left, 3);
    tree->count[half]--;
    for (uint32_t i = 0; i < n; i++)
        tree->count[tree->at[place[i]].half]++;
    return allowed;
}

/* The places of the n earliest terms, smaller ones first among equals, ascending. */
static void find_earliest(const Tree *tree, uint32_t *place, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        place[i] = CMVM_NONE;
        for (uint32_t j = 0; j < tree->n; j++) {
            bool taken = false;
            for (uint32_t k = 0; k < i; k++)
                taken |= place[k] == j;
            if (!taken && (place[i] == CMVM_NONE || tree->at[j].half < tree->at[place[i]].half))
                place[i] = j;
        }
    }
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t j = i; j > 0 && place[j] < place[j - 1]; j--) {
            uint32_t other = place[j];
            place[j] = place[j - 1];
            place[j - 1] = other;
        }
}

/* What a merge of three is to have little of: its highest bit, and the highest of its lowest bits. */
static int32_t score_of(const CmvmSummand *a, const CmvmSummand *b, const CmvmSummand *c)
{
    int32_t least = a->shape.low < b->shape.low ? a->shape.low : b->shape.low, most = a->shape.low + b->shape.low - least;
    least = c->shape.low < least ? c->shape.low : least;
    most = c->shape.low > most ? c->shape.low : most;
    int32_t middle = a->shape.low + b->shape.low + c->shape.low - least - most;
    return 2 * (c->shape.high + most) - middle; /* c is the largest */
}

/* The best three of the smallest terms; false: none may be merged. */
static bool choose_three(Tree *tree, uint32_t *place)
{
    uint32_t n = u32_min(WINDOW, tree->n);
    int32_t best = INT32_MAX;
    for (uint32_t c = 2; c < n; c++)
        for (uint32_t b = 1; b < c; b++)
            for (uint32_t a = 0; a < b; a++) {
                uint32_t now[3] = {a, b, c};
                int32_t score = score_of(&tree->at[a], &tree->at[b], &tree->at[c]);
                if (score >= best || !is_allowed(tree, now, 3))
                    continue;
                best = score;
                memcpy(place, now, sizeof now);
            }
    return best != INT32_MAX;
}

/* Which terms are merged next; their number. */
static uint32_t choose(Tree *tree, uint32_t *place)
{
    bool wants_three = tree->n % 2 == 1;
    for (uint32_t tries = 0; tries < 2 && tree->n > 2; tries++) {
        uint32_t n = wants_three == (tries == 0) ? 3 : 2;
        for (uint32_t i = 0; i < n; i++)
            place[i] = i;
        if (n == 3 && choose_three(tree, place))
            return 3;
        if (is_allowed(tree, place, n))
            return n;
        find_earliest(tree, place, n);
        if (is_allowed(tree, place, n))
            return n;
    }
    uint32_t n = tree->n > 2 && !in_time(tree, 2) ? 3 : 2;
    find_earliest(tree, place, n);
    assert(is_allowed(tree, place, n) && "some merge is always allowed");
    return n;
}

/* ---- merging ---- */
typedef struct Joined {
    CmvmReach reach;
    int32_t price, low;
} Joined;

/* The sum of n terms, or minus it. */
static Joined join(const Tree *tree, const CmvmSummand *s, uint32_t n, bool negative)
{
    CmvmShape shape[3];
    bool minus[3];
    Joined joined = {.low = INT16_MAX};
    for (uint32_t i = 0; i < n; i++) {
        shape[i] = s[i].shape;
        minus[i] = s[i].negative != negative;
        joined.low = shape[i].low < joined.low ? shape[i].low : joined.low;
        joined.reach = cmvm_reach_sum(joined.reach, s[i].reach, minus[i]);
    }
    if (n == 3) {
        joined.price = cmvm_price_of_three(shape, minus, joined.reach, tree->column->top);
    } else {
        uint32_t first = minus[0];
        joined.price = cmvm_price(CMVM_LUTS, &shape[first], &shape[1 - first], minus[1 - first], joined.reach, tree->column->top);
    }
    return joined;
}

static int64_t merge(Tree *tree, uint32_t slot, CmvmMerge *how)
{
    uint32_t place[3], n = choose(tree, place), n_negative = 0;
    CmvmSummand s[3];
    CmvmSummand sum = {.slot = slot};
    for (uint32_t i = n; i-- > 0;) {
        s[i] = tree->at[place[i]];
        note(tree, &s[i], false);
        memmove(&tree->at[place[i]], &tree->at[place[i] + 1], (tree->n - place[i] - 1) * sizeof *tree->at);
        tree->n--;
        n_negative += s[i].negative;
        sum.half = sum.half > s[i].half ? sum.half : s[i].half;
    }
    sum.half = (uint8_t)(sum.half + halves_of(tree->engine, n));
    sum.negative = n_negative == n;
    Joined joined = join(tree, s, n, sum.negative);
    if (n_negative > 0 && n_negative < n && tree->n_positive > 0) { /* somebody is left to subtract it from */
        Joined other = join(tree, s, n, true);
        if (other.price < joined.price) {
            joined = other;
            sum.negative = true;
        }
    }
    sum.reach = joined.reach;
    sum.shape = cmvm_shape(joined.reach, joined.low, (sum.half + 1u) / 2);
    if (sum.shape.high > tree->column->top)
        sum.shape.high = (int16_t)tree->column->top;
    *how = (CmvmMerge){.a = s[0].slot, .b = s[1].slot, .c = n == 3 ? s[2].slot : CMVM_NONE, .negative = sum.negative};
    if (n == 2) { /* the one that keeps the result's sign first */
        bool swap = s[0].negative != sum.negative;
        how->a = s[swap].slot;
        how->b = s[!swap].slot;
        how->subtract = s[0].negative != s[1].negative;
    }
    insert(tree, sum);
    return joined.price;
}

int64_t cmvm_tree_of_threes(CmvmEngine *engine, CmvmColumn *column, Arena *arena, CmvmMerges *merges)
{
    uint32_t n_active = column->id.at.n, n = n_active + column->passive.n;
    engine->summand.n = 0;
    vec_reserve(engine->arena, &engine->summand, n + 1);
    Tree tree = {.engine = engine, .column = column, .at = engine->summand.at};
    tree.limit = 2 * (uint32_t)__builtin_ctzll(column->kraft_limit);
    for (uint32_t i = 0; i < n; i++)
        insert_term(&tree, i < n_active ? engine->digit.at[column->id.at.at[i]].term : column->passive.at[i - n_active], i);
    int64_t cost = 0;
    for (uint32_t slot = n; tree.n > 1; slot++) {
        CmvmMerge how;
        cost += merge(&tree, slot, &how);
        if (merges != NULL)
            vec_push(arena, merges, how);
    }
    engine->work += n;
    if (tree.n == 1 && tree.at[0].negative)
        cost += tree.at[0].shape.high - tree.at[0].shape.low; /* the output is negated */
    return cost;
}
