/* cmvm/tree.c: the sum of one column's terms.
 *
 * An adder costs the bits from the coarser lowest bit of its operands to the larger highest one. In any tree over the same terms every
 * merge hands on the finer lowest bit and pays from the coarser one, so the part of the lowest bits is the same for all trees; what is left
 * to choose is the sum of the larger magnitudes, and that is smallest when the two smallest are merged first (Huffman). The depth limit of
 * the column bars some pairs; two terms of the least level, or the only one of it with one of the next level, are never barred, so a pair
 * is always found.
 *
 * O(k^2) for k terms.
 */
#include <assert.h>

#include "cmvm/engine.h"

static int32_t top_of(const CmvmEngine *engine, const CmvmTerm *term) { return engine->shape.at[term->value].high + term->shift; }

static bool is_smaller(const CmvmEngine *engine, const CmvmTerm *a, const CmvmTerm *b)
{
    int32_t top_a = top_of(engine, a), top_b = top_of(engine, b);
    if (top_a != top_b)
        return top_a < top_b;
    uint32_t level_a = engine->shape.at[a->value].level, level_b = engine->shape.at[b->value].level;
    if (level_a != level_b)
        return level_a < level_b;
    if (a->value != b->value)
        return a->value < b->value;
    return a->shift < b->shift;
}

/* Keeps [0, n) sorted when a term is put into it. */
static void insert_sorted(const CmvmEngine *engine, CmvmTerm *term, uint32_t n, CmvmTerm new_term)
{
    uint32_t lo = 0, hi = n;
    while (lo < hi) {
        uint32_t middle = (lo + hi) / 2;
        if (is_smaller(engine, &new_term, &term[middle]))
            hi = middle;
        else
            lo = middle + 1;
    }
    for (uint32_t i = n; i > lo; i--)
        term[i] = term[i - 1];
    term[lo] = new_term;
}

static uint64_t weight_of(const CmvmEngine *engine, const CmvmTerm *term) { return 1ull << engine->shape.at[term->value].level; }

CmvmTerm cmvm_tree(CmvmEngine *engine, CmvmColumn *column)
{
    uint32_t n = column->terms.n;
    if (n == 0)
        return (CmvmTerm){.value = CMVM_ZERO};
    Arena *scratch = arena_child(engine->arena);
    CmvmTerm *term = arena_array(scratch, CmvmTerm, n);
    uint64_t kraft = 0;
    for (uint32_t i = 0; i < n; i++) {
        insert_sorted(engine, term, i, column->terms.at[i]);
        kraft += weight_of(engine, &column->terms.at[i]);
    }
    while (n > 1) {
        uint32_t first = 0, second = 0;
        uint64_t rise = 0;
        for (uint32_t j = 1; j < n && second == 0; j++) {
            uint64_t weight = weight_of(engine, &term[j]);
            for (uint32_t i = 0; i < j; i++) {
                uint64_t other = weight_of(engine, &term[i]);
                rise = weight > other ? weight - other : other - weight;
                if (kraft + rise <= column->kraft_limit) {
                    first = i;
                    second = j;
                    break;
                }
            }
        }
        assert(second != 0);
        kraft += rise;
        CmvmTerm joined = cmvm_join(engine, term[first], term[second]);
        for (uint32_t i = second; i + 1 < n; i++)
            term[i] = term[i + 1];
        for (uint32_t i = first; i + 2 < n; i++)
            term[i] = term[i + 1];
        n -= 2;
        insert_sorted(engine, term, n, joined);
        n++;
    }
    CmvmTerm result = term[0];
    arena_destroy(scratch);
    return result;
}
