/* cmvm/tree.c: the sum of one column's terms.
 *
 * An adder costs the bits from the coarser lowest bit of its operands to the larger highest one. In any tree over the same terms every
 * merge hands on the finer lowest bit and pays from the coarser one, so the part of the lowest bits is the same for all trees; what is left
 * to choose is the sum of the larger magnitudes, and that is smallest when the two smallest are merged first (Huffman). The depth limit of
 * the column bars some pairs; two terms of the least level, or the only one of it with one of the next level, are never barred, so a pair
 * is always found.
 *
 * Look-up tables see a difference otherwise: below the subtrahend the other operand passes, but what the subtrahend alone has there is
 * negated. So, while a positive term is left to end the sum with, a difference is taken with the finer operand positive.
 *
 * O(k^2) for k terms, by insertion into a sorted list, which for the k that sharing leaves is mostly short moves.
 */
#include <assert.h>
#include <string.h>

#include "cmvm/engine.h"

typedef struct Tree {
    CmvmEngine *engine;
    CmvmColumn *column;
    CmvmSummand *at; /* [n] sorted */
    uint32_t n, n_positive;
    uint64_t kraft;
} Tree;

static bool is_smaller(const CmvmSummand *a, const CmvmSummand *b)
{
    if (a->shape.high != b->shape.high)
        return a->shape.high < b->shape.high;
    if (a->shape.level != b->shape.level)
        return a->shape.level < b->shape.level;
    return a->slot < b->slot;
}

static void insert(Tree *tree, CmvmSummand summand)
{
    uint32_t lo = 0, hi = tree->n;
    while (lo < hi) {
        uint32_t middle = (lo + hi) / 2;
        if (is_smaller(&summand, &tree->at[middle]))
            hi = middle;
        else
            lo = middle + 1;
    }
    memmove(&tree->at[lo + 1], &tree->at[lo], (tree->n - lo) * sizeof *tree->at);
    tree->at[lo] = summand;
    tree->n++;
    tree->n_positive += !summand.negative;
}

static void take_out(Tree *tree, uint32_t i)
{
    tree->n_positive -= !tree->at[i].negative;
    tree->n--;
    memmove(&tree->at[i], &tree->at[i + 1], (tree->n - i) * sizeof *tree->at);
}

static void insert_term(Tree *tree, CmvmTerm term, uint32_t slot)
{
    const CmvmEngine *engine = tree->engine;
    CmvmShape shape = engine->shape.at[term.value];
    shape.low = (int16_t)(shape.low + term.shift);
    shape.high = (int16_t)(shape.high + term.shift);
    if (shape.high > tree->column->top)
        shape.high = (int16_t)tree->column->top;
    const CmvmValue *value = &engine->value.at[term.value];
    insert(tree, (CmvmSummand){cmvm_reach_shift(value->reach, term.shift), shape, value->ready_ps, term.negative, 0, slot});
}

static uint64_t weight_of(const CmvmSummand *summand) { return 1ull << summand->shape.level; }

static uint64_t rise_of(const CmvmSummand *a, const CmvmSummand *b)
{
    uint64_t x = weight_of(a), y = weight_of(b);
    return x > y ? x - y : y - x;
}

/* The pair with the smallest larger term that the budget allows: best of the two first terms of each level, and the first ones of two. */
static void choose(const Tree *tree, uint32_t *first, uint32_t *second)
{
    uint64_t slack = tree->column->kraft_limit - tree->kraft;
    *first = 0;
    *second = 1;
    if (rise_of(&tree->at[0], &tree->at[1]) <= slack)
        return;
    uint32_t head[64];
    memset(head, 0xff, sizeof head);
    for (uint32_t j = 1; j < tree->n; j++) {
        uint32_t level = tree->at[j - 1].shape.level;
        if (head[level] == CMVM_NONE)
            head[level] = j - 1;
        *first = CMVM_NONE;
        for (uint32_t other = 0; other < 64; other++)
            if (head[other] < *first && rise_of(&tree->at[head[other]], &tree->at[j]) <= slack)
                *first = head[other];
        *second = j;
        if (*first != CMVM_NONE)
            return;
    }
    assert(!"a pair is always allowed");
}

static int64_t merge(Tree *tree, uint32_t slot, CmvmMerge *how)
{
    uint32_t first, second;
    choose(tree, &first, &second);
    CmvmSummand a = tree->at[first], b = tree->at[second];
    take_out(tree, second);
    take_out(tree, first);
    bool subtract = a.negative != b.negative;
    if (subtract) {
        bool flip = tree->engine->problem->objective == CMVM_LUTS && tree->n_positive > 0 &&
                    (a.negative ? a.shape.low < b.shape.low : b.shape.low < a.shape.low);
        if (a.negative != flip) {
            CmvmSummand other = a;
            a = b;
            b = other;
        }
    }
    CmvmSummand sum = {.reach = cmvm_reach_sum(a.reach, b.reach, subtract), .negative = a.negative, .slot = slot};
    int32_t low = a.shape.low < b.shape.low ? a.shape.low : b.shape.low;
    uint32_t level = cmvm_sum_level(&tree->engine->timing, &a.shape, &b.shape, subtract, sum.reach, tree->column->top,
                                    a.ready_ps > b.ready_ps ? a.ready_ps : b.ready_ps, &sum.ready_ps);
    sum.shape = cmvm_shape(sum.reach, low, level);
    tree->kraft += weight_of(&sum) - weight_of(&a) - weight_of(&b);
    if (sum.shape.high > tree->column->top)
        sum.shape.high = (int16_t)tree->column->top;
    *how = (CmvmMerge){a.slot, b.slot, CMVM_NONE, subtract, a.negative};
    int64_t price = cmvm_price(tree->engine->problem->objective, &a.shape, &b.shape, subtract, sum.reach, tree->column->top);
    insert(tree, sum);
    return price;
}

int64_t cmvm_tree(CmvmEngine *engine, CmvmColumn *column, Arena *arena, CmvmMerges *merges)
{
    if (engine->problem->adders == 3)
        return cmvm_tree_of_threes(engine, column, arena, merges);
    uint32_t n_active = column->id.at.n, n = n_active + column->passive.n;
    engine->summand.n = 0;
    vec_reserve(engine->arena, &engine->summand, n + 1);
    Tree tree = {.engine = engine, .column = column, .at = engine->summand.at, .kraft = column->kraft};
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
    if (engine->problem->objective == CMVM_LUTS && tree.n == 1 && tree.at[0].negative)
        cost += tree.at[0].shape.high - tree.at[0].shape.low; /* the output is negated */
    return cost;
}

int64_t cmvm_cost(CmvmEngine *engine)
{
    for (uint32_t i = 0; i < engine->dirty.at.n; i++) {
        CmvmColumn *column = &engine->column[engine->dirty.at.at[i]];
        if (!column->is_dirty)
            continue;
        column->is_dirty = false;
        int64_t cost = cmvm_tree(engine, column, NULL, NULL);
        engine->tree_cost += cost - column->tree_cost;
        column->tree_cost = cost;
    }
    return engine->node_cost + engine->tree_cost;
}
