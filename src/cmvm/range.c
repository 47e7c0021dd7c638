/* cmvm/range.c: what the nodes of a solution can reach.
 *
 * A node is a sum of multiples of inputs; its interval follows from its coefficients, not from its two operands, which may share inputs:
 * 4x - x reaches 3 times the ends of x, while the operands' intervals alone would give 5 times. Coefficients are kept as sorted lists; in a
 * tree of n terms all lists together have n log n entries.
 */
#include "cmvm/engine.h"

typedef struct Part {
    uint32_t input;
    i128 coefficient;
} Part;

typedef struct Sum {
    const Part *part; /* [n], by input */
    uint32_t n;
} Sum;

static i128 times(i128 value, int32_t shift) { return (i128)((u128)value << shift); }

/* (a << shift_a) +- (b << shift_b) */
static Sum add_sums(Arena *arena, Sum a, Sum b, int32_t shift_a, int32_t shift_b, bool negate_b)
{
    Part *part = arena_array(arena, Part, (size_t)a.n + b.n);
    uint32_t n = 0, i = 0, j = 0;
    while (i < a.n || j < b.n) {
        Part now = {0};
        if (j == b.n || (i < a.n && a.part[i].input <= b.part[j].input)) {
            now.input = a.part[i].input;
            now.coefficient = times(a.part[i++].coefficient, shift_a);
        } else {
            now.input = b.part[j].input;
        }
        if (j < b.n && b.part[j].input == now.input) {
            i128 other = times(b.part[j++].coefficient, shift_b);
            now.coefficient += negate_b ? -other : other;
        }
        if (now.coefficient != 0)
            part[n++] = now;
    }
    return (Sum){part, n};
}

static bool range_of(const CmvmProblem *problem, Sum sum, Interval *range, int32_t *step)
{
    *step = INT32_MAX;
    for (uint32_t i = 0; i < sum.n; i++)
        *step = problem->in[sum.part[i].input].step_log2 < *step ? problem->in[sum.part[i].input].step_log2 : *step;
    *range = interval_point(0);
    for (uint32_t i = 0; i < sum.n; i++) {
        const CmvmInput *in = &problem->in[sum.part[i].input];
        Interval term;
        i128 coefficient = sum.part[i].coefficient, most = (i128)1 << 100;
        if (coefficient > most || coefficient < -most || in->step_log2 - *step > 120)
            return false;
        if (!interval_mul(in->range, interval_point(coefficient), &term) || !interval_shl(term, (uint32_t)(in->step_log2 - *step), &term) ||
            !interval_add(*range, term, range))
            return false;
    }
    if (sum.n == 0)
        *step = 0;
    return true;
}

void cmvm_find_ranges(Arena *arena, const CmvmProblem *problem, CmvmSolution *solution)
{
    Arena *scratch = arena_child(arena);
    uint32_t n_in = problem->n_in;
    Sum *sum = arena_array(scratch, Sum, (size_t)n_in + solution->n_nodes);
    Part *own = arena_array(scratch, Part, n_in);
    solution->range = arena_array(arena, CmvmRange, solution->n_nodes);
    for (uint32_t i = 0; i < n_in; i++) {
        own[i] = (Part){i, 1};
        sum[i] = (Sum){&own[i], 1};
    }
    for (uint32_t i = 0; i < solution->n_nodes; i++) {
        const CmvmNode *node = &solution->node[i];
        CmvmRange *range = &solution->range[i];
        sum[n_in + i] = add_sums(scratch, sum[node->a], sum[node->b], node->shift_a, node->shift_b, node->negate_b);
        if (node->c != CMVM_NONE)
            sum[n_in + i] = add_sums(scratch, sum[n_in + i], sum[node->c], 0, node->shift_c, node->negate_c);
        range->known = range_of(problem, sum[n_in + i], &range->raw, &range->step_log2);
    }
    arena_destroy(scratch);
}
