/* cmvm/greedy.c: pairs of digits that stand in several columns, or twice in one, become nodes.
 *
 *     y0 = a + (b << 2) + c             n  = a + (b << 2)
 *     y1 = (a << 1) + (b << 3) - d  =>  y0 = n + c
 *                                       y1 = (n << 1) - d
 *
 * The pair that saves most comes first, ties at random. The table counts overlapping occurrences (a, a << 2, a << 4 holds "a + (a << 2)"
 * twice), so the matches are found before a pattern is taken, and it waits again where they save less. A column's depth budget (Kraft,
 * engine.h) drops matches that would make it too deep.
 *
 * Work: about three times the number of initial pairs, sum over columns of digits^2 / 2. Reference: two-term elimination of Hosangadi
 * et al.; the overlap that minds the shift, the net gain and the depth budget are measured in docs/cmvm.md.
 */
#include "cmvm/engine.h"

static bool take_match(CmvmEngine *engine, uint32_t a, uint32_t b)
{
    CmvmDigit *x = &engine->digit.at[a], *y = &engine->digit.at[b];
    if (x->stamp == engine->search || y->stamp == engine->search)
        return false;
    uint64_t weight_a = 1ull << engine->shape.at[x->term.value].level, weight_b = 1ull << engine->shape.at[y->term.value].level;
    uint64_t rise = weight_a > weight_b ? weight_a - weight_b : weight_b - weight_a;
    CmvmColumn *column = &engine->column[x->column];
    if (column->kraft + column->rise + rise > column->kraft_limit)
        return false;
    column->rise += rise;
    x->stamp = y->stamp = engine->search;
    vec_push(engine->arena, &engine->match, (CmvmMatch){a, b});
    return true;
}

/* For each digit of the value with fewer of them, its column is searched for the other one. */
static void match_by_column(CmvmEngine *engine, uint32_t from, uint32_t to, int32_t shift, bool sub, bool swapped)
{
    for (uint32_t i = engine->value.at[from].first; i != CMVM_NONE; i = engine->digit.at[i].next) {
        const CmvmDigit *digit = &engine->digit.at[i];
        const CmvmColumn *column = &engine->column[digit->column];
        uint64_t wanted = cmvm_form((CmvmTerm){to, digit->term.shift + shift, digit->term.negative != sub});
        const uint64_t *form = column->form.at.at;
        uint32_t n = column->form.at.n, at = 0;
        engine->work += n / 16;
        while (at < n && form[at] != wanted)
            at++;
        if (at < n)
            take_match(engine, swapped ? column->id.at.at[at] : i, swapped ? i : column->id.at.at[at]);
    }
}

/* Digits of b are chained by column, then those of a look through their column's chain. */
static void match_by_chain(CmvmEngine *engine, uint32_t a, uint32_t b, int32_t shift, bool sub)
{
    for (uint32_t i = engine->value.at[b].first; i != CMVM_NONE; i = engine->digit.at[i].next) {
        CmvmColumn *column = &engine->column[engine->digit.at[i].column];
        engine->digit.at[i].chain = column->chain;
        column->chain = i;
    }
    for (uint32_t i = engine->value.at[a].first; i != CMVM_NONE; i = engine->digit.at[i].next) {
        CmvmTerm x = engine->digit.at[i].term;
        for (uint32_t j = engine->column[engine->digit.at[i].column].chain; j != CMVM_NONE; j = engine->digit.at[j].chain) {
            CmvmTerm y = engine->digit.at[j].term;
            if (y.shift - x.shift == shift && (x.negative != y.negative) == sub) {
                take_match(engine, i, j);
                break;
            }
        }
    }
    for (uint32_t i = engine->value.at[b].first; i != CMVM_NONE; i = engine->digit.at[i].next)
        engine->column[engine->digit.at[i].column].chain = CMVM_NONE;
    engine->work += (engine->value.at[a].n_digits + engine->value.at[b].n_digits) / 2;
}

/* Fills engine->match with occurrences of the pattern that do not overlap and fit their columns' budgets. */
static void find_matches(CmvmEngine *engine, uint64_t key)
{
    uint32_t a = cmvm_key_a(key), b = cmvm_key_b(key), n_a = engine->value.at[a].n_digits, n_b = engine->value.at[b].n_digits;
    int32_t shift = cmvm_key_shift(key);
    bool sub = cmvm_key_sub(key);
    engine->match.n = 0;
    engine->search++;
    if (u32_min(n_a, n_b) > 24)
        match_by_chain(engine, a, b, shift, sub);
    else if (n_a <= n_b)
        match_by_column(engine, a, b, shift, sub, false);
    else
        match_by_column(engine, b, a, -shift, sub, true);
    for (uint32_t i = 0; i < engine->match.n; i++)
        engine->column[engine->digit.at[engine->match.at[i].a].column].rise = 0;
}

/* A key of the highest bucket that holds any, ties at random; 0: nothing waits. */
static uint64_t pop(CmvmEngine *engine)
{
    CmvmPairs *pairs = &engine->pairs;
    while (pairs->top > 0 && pairs->bucket[pairs->top].at.n == 0)
        pairs->top--;
    if (pairs->top == 0)
        return 0;
    CmvmKeys *bucket = &pairs->bucket[pairs->top];
    uint32_t at = bucket->at.n == 1 ? 0 : rng_below(&engine->rng, bucket->at.n);
    uint64_t key = bucket->at.at[at];
    bucket->at.at[at] = bucket->at.at[bucket->at.n - 1];
    bucket->at.n--;
    return key;
}

/* The pattern that saves most, its occurrences in engine->match; 0 when none saves anything. */
static uint64_t best_pattern(CmvmEngine *engine)
{
    for (uint64_t key = pop(engine); key != 0; key = pop(engine)) {
        uint32_t bucket = engine->pairs.top;
        CmvmPair *pair = cmvm_pairs_find(&engine->pairs, key);
        engine->work++;
        if (pair == NULL || pair->queued != bucket)
            continue;
        int64_t gain = cmvm_gain(engine, pair, pair->count);
        if (cmvm_bucket(gain) >= bucket && engine->demote != 0 && rng_chance(&engine->rng, engine->demote))
            gain /= 2;
        if (cmvm_bucket(gain) >= bucket) {
            find_matches(engine, key);
            gain = cmvm_gain(engine, pair, engine->match.n);
        }
        if (gain > 0 && cmvm_bucket(gain) >= bucket) {
            pair->queued = 0;
            return key;
        }
        cmvm_queue(engine, pair, gain);
        cmvm_pairs_drop(&engine->pairs, pair);
    }
    return 0;
}

/* Whether each column of a match keeps a digit to be subtracted from. */
static bool may_flip(const CmvmEngine *engine)
{
    if (engine->problem->objective != CMVM_LUTS)
        return false;
    for (uint32_t i = 0; i < engine->match.n; i++)
        if (engine->column[engine->digit.at[engine->match.at[i].a].column].n_positive < 2)
            return false;
    return true;
}

void cmvm_greedy(CmvmEngine *engine)
{
    for (uint64_t key = best_pattern(engine); key != 0; key = best_pattern(engine)) {
        uint32_t node = cmvm_pairs_find(&engine->pairs, key)->node;
        node = node != 0 ? node - 1 : cmvm_make(engine, key, may_flip(engine));
        bool flips = engine->value.at[node].negative_a;
        for (uint32_t i = 0; i < engine->match.n; i++) {
            CmvmMatch match = engine->match.at[i];
            CmvmTerm a = engine->digit.at[match.a].term, b = engine->digit.at[match.b].term;
            uint32_t column = engine->digit.at[match.a].column;
            cmvm_remove(engine, match.a);
            cmvm_remove(engine, match.b);
            cmvm_add(engine, column, (CmvmTerm){node, a.shift < b.shift ? a.shift : b.shift, a.negative != flips});
        }
    }
    cmvm_bury(engine);
}
