/* cmvm/parent.c: columns as differences of columns.
 *
 *     y_j = +- (y_p << s) + rest        the column holds one more digit, whose value is the sum of column p
 *
 * A tree is grown from nothing as Prim does: of the columns outside, the one that is cheapest to reach comes next, by its own digits or by
 * those of its difference from a column inside, plus beta. The parent must be ready in time: with asap(p) the least depth of p,
 * 2^asap(p) + rest <= 2^limit(j). Deadlines of parents are as late as all their children allow. As a parent's deadline is before its
 * children's, what is built from it never returns into it.
 *
 * O(n_out^2 n_in) digit counts; correlated columns (filters of an image, windows) lose a third of their cost, random ones nothing.
 */
#include "cmvm/engine.h"

#define MOST_SHIFT 2u
#define MOST_STEPS (1ull << 28)
#define WIDEST     ((int64_t)1 << 58)

typedef struct Edge {
    uint32_t parent, digits;
    uint8_t shift;
    bool negative;
} Edge;

typedef struct Grow {
    const CmvmPlan *plan;
    uint32_t beta;
    Edge *best;      /* [n_columns] the cheapest way in; parent CMVM_NONE: from nothing */
    uint32_t *price; /* [n_columns] */
    uint32_t *asap;  /* [n_columns] of columns inside */
    bool *inside;
} Grow;

static const int64_t *weights(const CmvmPlan *plan, uint32_t j) { return plan->weight + (size_t)j * plan->problem->n_in; }

static i128 rest_of(const int64_t *own, const int64_t *parent, uint32_t i, const Edge *edge)
{
    i128 other = (i128)parent[i] * (1 << edge->shift);
    return edge->negative ? (i128)own[i] + other : (i128)own[i] - other;
}

/* Digits of the difference; stops when they exceed `most`. */
static uint32_t distance(const CmvmPlan *plan, const int64_t *own, const int64_t *parent, const Edge *edge, uint32_t most)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < plan->problem->n_in && n <= most; i++) {
        int64_t other = (int64_t)((uint64_t)parent[i] << edge->shift), rest = edge->negative ? own[i] + other : own[i] - other;
        uint64_t w = rest < 0 ? (uint64_t)-rest : (uint64_t)rest;
        n += (uint32_t)__builtin_popcountll((3 * w) ^ w);
    }
    return n;
}

static uint64_t kraft_of(const CmvmPlan *plan, uint32_t j, const Edge *edge)
{
    uint64_t kraft = 0;
    const int64_t *own = weights(plan, j), *parent = edge->parent != CMVM_NONE ? weights(plan, edge->parent) : NULL;
    for (uint32_t i = 0; i < plan->problem->n_in; i++)
        kraft += (uint64_t)cmvm_naf_digits(parent != NULL ? rest_of(own, parent, i, edge) : own[i]) << plan->shape[i].level;
    return kraft;
}

static uint32_t log2_up(uint64_t x)
{
    uint32_t n = 0;
    while ((1ull << n) < x)
        n++;
    return n;
}

/* Whether the columns outside are nearer by way of column p, which has just come in. */
static void relax(Grow *grow, uint32_t p)
{
    const CmvmPlan *plan = grow->plan;
    for (uint32_t j = 0; j < plan->n_columns; j++) {
        if (grow->inside[j])
            continue;
        for (uint32_t shift = 0; shift <= MOST_SHIFT; shift++)
            for (uint32_t negative = 0; negative < 2; negative++) {
                if (grow->price[j] <= grow->beta + 1 || plan->top[j] > plan->top[p] + (int32_t)shift)
                    continue;
                uint32_t most = grow->price[j] - grow->beta - 1;
                Edge edge = {.parent = p, .shift = (uint8_t)shift, .negative = negative != 0};
                edge.digits = distance(plan, weights(plan, j), weights(plan, p), &edge, most);
                if (edge.digits > most || edge.digits == 0)
                    continue;
                if ((1ull << grow->asap[p]) + kraft_of(plan, j, &edge) > 1ull << plan->limit[j])
                    continue;
                grow->best[j] = edge;
                grow->price[j] = edge.digits + grow->beta;
            }
    }
}

static bool is_narrow(const CmvmPlan *plan)
{
    for (size_t i = 0; i < (size_t)plan->n_columns * plan->problem->n_in; i++)
        if (plan->weight[i] > WIDEST >> MOST_SHIFT || plan->weight[i] < -(WIDEST >> MOST_SHIFT))
            return false;
    return true;
}

static uint32_t nearest(const Grow *grow)
{
    uint32_t best = CMVM_NONE;
    for (uint32_t j = 0; j < grow->plan->n_columns; j++)
        if (!grow->inside[j] && (best == CMVM_NONE || grow->price[j] < grow->price[best]))
            best = j;
    return best;
}

static CmvmParents without_parents(Arena *arena, const CmvmPlan *plan)
{
    uint32_t n = plan->n_columns;
    CmvmParents parents = {.of = arena_array(arena, uint32_t, n),
                           .shift = arena_array(arena, uint8_t, n),
                           .negative = arena_array(arena, bool, n),
                           .limit = arena_array(arena, uint32_t, n)};
    for (uint32_t j = 0; j < n; j++) {
        parents.of[j] = CMVM_NONE;
        parents.limit[j] = plan->limit[j];
    }
    return parents;
}

CmvmParents cmvm_parents(Arena *arena, const CmvmPlan *plan, uint32_t beta)
{
    CmvmParents parents = without_parents(arena, plan);
    uint32_t n = plan->n_columns;
    if (beta == CMVM_NONE || n < 2 || (uint64_t)n * n * plan->problem->n_in > MOST_STEPS || !is_narrow(plan))
        return parents;
    Arena *scratch = arena_child(arena);
    Grow grow = {plan,
                 beta,
                 arena_array(scratch, Edge, n),
                 arena_array(scratch, uint32_t, n),
                 arena_array(scratch, uint32_t, n),
                 arena_array(scratch, bool, n)};
    uint32_t *order = arena_array(scratch, uint32_t, n);
    for (uint32_t j = 0; j < n; j++) {
        grow.best[j] = (Edge){.parent = CMVM_NONE};
        for (uint32_t i = 0; i < plan->problem->n_in; i++)
            grow.price[j] += cmvm_naf_digits(weights(plan, j)[i]);
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = nearest(&grow), p = grow.best[j].parent;
        order[i] = j;
        grow.inside[j] = true;
        grow.asap[j] = log2_up(kraft_of(plan, j, &grow.best[j]) + (p != CMVM_NONE ? 1ull << grow.asap[p] : 0));
        relax(&grow, j);
    }
    for (uint32_t i = n; i-- > 0;) {
        uint32_t j = order[i], p = grow.best[j].parent, late = parents.limit[j];
        if (p == CMVM_NONE)
            continue;
        uint64_t rest = kraft_of(plan, j, &grow.best[j]);
        while ((1ull << late) + rest > 1ull << parents.limit[j])
            late--;
        parents.of[j] = p;
        parents.shift[j] = grow.best[j].shift;
        parents.negative[j] = grow.best[j].negative;
        parents.limit[p] = u32_min(parents.limit[p], late);
        parents.n++;
    }
    arena_destroy(scratch);
    return parents;
}
