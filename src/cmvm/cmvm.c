/* cmvm/cmvm.c: the door: a matrix becomes columns of digits, the two halves solve them, and the result is multiplied out.
 *
 * Preparation: inputs of range 0 are left out; columns equal up to a sign and a power of two are one; each weight becomes canonical signed
 * digits (no two neighbours, fewest nonzero ones). A column of n digits at level 0 may become 2 adders deeper than its shallowest tree:
 * sharing needs that room, pipeline stages should not pay for more.
 *
 * Large matrices are shared in blocks of inputs, so that the table of pairs stays within memory: what blocks lose is the sharing across
 * them. Source: own measurements, tables in docs; canonical digits: Reitwiesner 1960.
 */
#include <assert.h>
#include <string.h>

#include "cmvm/engine.h"

#define DEPTH_SLACK   2u
#define MOST_PAIRS    (8ull << 20) /* initial pairs of a block, over all columns */
#define MOST_PATTERNS (3ull << 20) /* different ones */
#define LEVEL_BITS    16u          /* an adder level is the delay of an adder of this width */

/* ---- verification: coefficients modulo 2^128, far above what 64-bit weights can reach ---- */
static u128 moved(u128 value, int32_t shift) { return shift >= 128 ? 0 : value << shift; }

static bool verify_input(const CmvmProblem *problem, const CmvmSolution *solution, uint32_t input, u128 *value)
{
    for (uint32_t i = 0; i < problem->n_in; i++)
        value[i] = i == input;
    for (uint32_t i = 0; i < solution->n_nodes; i++) {
        const CmvmNode *node = &solution->node[i];
        u128 a = moved(value[node->a], node->shift_a), b = moved(value[node->b], node->shift_b);
        value[problem->n_in + i] = node->negate_b ? a - b : a + b;
    }
    for (uint32_t j = 0; j < problem->n_out; j++) {
        const CmvmResult *out = &solution->out[j];
        i128 want = problem->weight[(size_t)input * problem->n_out + j];
        i128 got = out->source == CMVM_ZERO ? 0 : (i128)moved(value[out->source], out->shift - problem->weight_step_log2);
        if ((out->negate ? -got : got) != want)
            return false;
    }
    return true;
}

static bool is_zero_input(const CmvmProblem *problem, uint32_t i) { return problem->in[i].range.lo == 0 && problem->in[i].range.hi == 0; }

bool cmvm_verify(Arena *arena, const CmvmProblem *problem, const CmvmSolution *solution)
{
    for (uint32_t i = 0; i < solution->n_nodes; i++) {
        const CmvmNode *node = &solution->node[i];
        if (node->a >= problem->n_in + i || node->b >= problem->n_in + i || node->shift_a < 0 || node->shift_b < 0)
            return false;
    }
    for (uint32_t j = 0; j < problem->n_out; j++) {
        const CmvmResult *out = &solution->out[j];
        if (out->source != CMVM_ZERO && (out->source >= problem->n_in + solution->n_nodes || out->shift < problem->weight_step_log2))
            return false;
    }
    Arena *scratch = arena_child(arena);
    u128 *value = arena_array(scratch, u128, (size_t)problem->n_in + solution->n_nodes);
    bool right = true;
    for (uint32_t i = 0; i < problem->n_in && right; i++)
        right = is_zero_input(problem, i) || verify_input(problem, solution, i, value);
    arena_destroy(scratch);
    return right;
}

/* ---- nodes ---- */
int32_t cmvm_adder_bits(const CmvmShape *a, const CmvmShape *b, int32_t shift_b)
{
    int32_t high = a->high > b->high + shift_b ? a->high : b->high + shift_b;
    int32_t low = a->low > b->low + shift_b ? a->low : b->low + shift_b;
    int32_t bits = high - low + (a->is_negative || b->is_negative);
    return bits > 1 ? bits : 1;
}

static CmvmShape shape_of(Interval range, int32_t step, uint32_t level)
{
    u128 low = range.lo < 0 ? (u128)-range.lo : (u128)range.lo, high = range.hi < 0 ? (u128)-range.hi : (u128)range.hi;
    return (CmvmShape){.low = step + (range.lo == 0 && range.hi == 0 ? 0 : range.zeros),
                       .high = step + (int32_t)bits_unsigned(low > high ? low : high),
                       .level = level,
                       .is_negative = range.lo < 0};
}

/* Ranges beyond 2^126 steer nothing any more: the caller will refuse such widths. */
static Interval range_of_sum(Interval a, uint32_t shift_a, Interval b, uint32_t shift_b, bool negate_b)
{
    Interval x, y, sum;
    if (interval_shl(a, shift_a, &x) && interval_shl(b, shift_b, &y) && (negate_b ? interval_sub : interval_add)(x, y, &sum))
        return sum;
    return interval_of(-((i128)1 << 125), (i128)1 << 125);
}

CmvmTerm cmvm_join(CmvmEngine *engine, CmvmTerm a, CmvmTerm b)
{
    if (a.negative && !b.negative) {
        CmvmTerm other = a;
        a = b;
        b = other;
    }
    int32_t shift = a.shift < b.shift ? a.shift : b.shift;
    CmvmNode node = {a.value, b.value, a.shift - shift, b.shift - shift, a.negative != b.negative};
    int32_t step_a = engine->step.at[a.value] + node.shift_a, step_b = engine->step.at[b.value] + node.shift_b;
    int32_t step = step_a < step_b ? step_a : step_b;
    Interval range = range_of_sum(engine->range.at[a.value], (uint32_t)(step_a - step), engine->range.at[b.value],
                                  (uint32_t)(step_b - step), node.negate_b);
    const CmvmShape *shape_a = &engine->shape.at[a.value], *shape_b = &engine->shape.at[b.value];
    uint32_t level = u32_max(shape_a->level, shape_b->level) + 1;
    engine->cost_bits += (uint64_t)cmvm_adder_bits(shape_a, shape_b, node.shift_b - node.shift_a);
    CmvmTerm result = {engine->problem->n_in + engine->node.n, shift, a.negative};
    vec_push(engine->arena, &engine->node, node);
    vec_push(engine->arena, &engine->shape, shape_of(range, step, level));
    vec_push(engine->arena, &engine->range, range);
    vec_push(engine->arena, &engine->step, step);
    return result;
}

/* ---- columns ---- */
/* Canonical signed digits: each step takes +1 or -1 so that the next bit becomes 0. |weight| <= 2^63. */
static void push_digits(Arena *arena, CmvmTerms *terms, uint32_t input, i128 weight)
{
    for (int32_t shift = 0; weight != 0; shift++, weight /= 2) {
        if (weight % 2 == 0)
            continue;
        bool negative = (weight & 3) == 3;
        vec_push(arena, terms, (CmvmTerm){input, shift, negative});
        weight += negative ? 1 : -1;
    }
}

/* What column j has in common with others: the power of two that divides it, and the sign of its first weight. */
typedef struct ColumnForm {
    uint32_t shift;
    bool negative, is_zero;
} ColumnForm;

static ColumnForm column_form(const CmvmProblem *problem, uint32_t j, i128 *column)
{
    ColumnForm form = {.is_zero = true};
    uint64_t bits = 0;
    for (uint32_t i = 0; i < problem->n_in; i++) {
        column[i] = is_zero_input(problem, i) ? 0 : problem->weight[(size_t)i * problem->n_out + j];
        if (column[i] != 0 && form.is_zero) {
            form.is_zero = false;
            form.negative = column[i] < 0;
        }
        bits |= (uint64_t)(int64_t)column[i];
    }
    if (form.is_zero)
        return form;
    form.shift = (uint32_t)__builtin_ctzll(bits);
    for (uint32_t i = 0; i < problem->n_in; i++)
        column[i] = (form.negative ? -column[i] : column[i]) / ((i128)1 << form.shift);
    return form;
}

static void set_depth_limit(const CmvmEngine *engine, CmvmColumn *column)
{
    column->kraft = 0;
    for (uint32_t i = 0; i < column->terms.n; i++)
        column->kraft += 1ull << engine->shape.at[column->terms.at[i].value].level;
    uint32_t depth = 0;
    while ((1ull << depth) < column->kraft)
        depth++;
    column->kraft_limit = 1ull << (depth + DEPTH_SLACK);
}

typedef struct ColumnUse {
    uint32_t column;
    ColumnForm form;
} ColumnUse;

/* Different columns, in the sign in which they are first met: then most results need no negation. */
static void build_columns(CmvmEngine *engine, ColumnUse *use)
{
    const CmvmProblem *problem = engine->problem;
    Arena *scratch = arena_child(engine->arena);
    Map seen = map_init(scratch);
    bool *negative = arena_array(scratch, bool, problem->n_out);
    i128 *column = arena_array(scratch, i128, problem->n_in);
    engine->column = arena_array(engine->arena, CmvmColumn, problem->n_out);
    for (uint32_t j = 0; j < problem->n_out; j++) {
        use[j].form = column_form(problem, j, column);
        if (use[j].form.is_zero)
            continue;
        uint32_t known = map_get_bytes(&seen, column, problem->n_in * sizeof *column);
        if (known == MAP_NONE) {
            known = engine->n_columns++;
            map_put_bytes(&seen, column, problem->n_in * sizeof *column, known);
            negative[known] = use[j].form.negative;
            for (uint32_t i = 0; i < problem->n_in; i++)
                push_digits(engine->arena, &engine->column[known].terms, i, negative[known] ? -column[i] : column[i]);
            set_depth_limit(engine, &engine->column[known]);
        }
        use[j].column = known;
        use[j].form.negative = use[j].form.negative != negative[known];
    }
    arena_destroy(scratch);
}

/* ---- blocks ---- */
/* How many inputs, from `first` on, share a table of pairs. */
static uint32_t block_size(const CmvmEngine *engine, uint32_t first, const uint32_t *digits, uint32_t n_shifts)
{
    uint32_t n_in = engine->problem->n_in;
    uint64_t in_block = 0, n = 0;
    for (uint32_t i = first; i < n_in; i++, n++) {
        in_block += digits[i];
        uint64_t pairs = in_block * in_block / (2ull * (engine->n_columns > 0 ? engine->n_columns : 1));
        if (n > 1 && (pairs > MOST_PAIRS || (n * n * n_shifts > MOST_PATTERNS && pairs > MOST_PATTERNS)))
            break;
    }
    return (uint32_t)n;
}

static void share_in_blocks(CmvmEngine *engine)
{
    uint32_t n_in = engine->problem->n_in, n_shifts = 1;
    uint32_t *digits = arena_array(engine->arena, uint32_t, n_in);
    for (uint32_t j = 0; j < engine->n_columns; j++)
        for (uint32_t i = 0; i < engine->column[j].terms.n; i++) {
            digits[engine->column[j].terms.at[i].value]++;
            n_shifts = u32_max(n_shifts, (uint32_t)engine->column[j].terms.at[i].shift + 1);
        }
    for (uint32_t first = 0; first < n_in;) {
        uint32_t n = block_size(engine, first, digits, 2 * n_shifts);
        cmvm_share(engine, first, n);
        first += n;
    }
}

static void add_inputs(CmvmEngine *engine)
{
    const CmvmProblem *problem = engine->problem;
    int32_t earliest = INT32_MAX, level_ps = 0;
    if (problem->part != NULL)
        level_ps = (int32_t)part_price(problem->part, (PartQuery){.operation = PART_ADD, .bits = LEVEL_BITS}).delay_ps;
    for (uint32_t i = 0; i < problem->n_in; i++)
        if (!interval_is_point(problem->in[i].range) && problem->in[i].arrival_ps < earliest)
            earliest = problem->in[i].arrival_ps;
    for (uint32_t i = 0; i < problem->n_in; i++) {
        const CmvmInput *in = &problem->in[i];
        int32_t late = interval_is_point(in->range) || level_ps <= 0 ? 0 : (in->arrival_ps - earliest) / level_ps;
        vec_push(engine->arena, &engine->shape, shape_of(in->range, in->step_log2, u32_min((uint32_t)late, CMVM_MAX_LEVEL)));
        vec_push(engine->arena, &engine->range, in->range);
        vec_push(engine->arena, &engine->step, in->step_log2);
    }
}

CmvmSolution cmvm_solve(Arena *arena, const CmvmProblem *problem)
{
    Arena *scratch = arena_child(arena);
    CmvmEngine *engine = arena_new(scratch, CmvmEngine);
    *engine = (CmvmEngine){.arena = scratch, .problem = problem};
    ColumnUse *use = arena_array(scratch, ColumnUse, problem->n_out);
    add_inputs(engine);
    build_columns(engine, use);
    share_in_blocks(engine);
    CmvmTerm *sum = arena_array(scratch, CmvmTerm, engine->n_columns);
    for (uint32_t j = 0; j < engine->n_columns; j++)
        sum[j] = cmvm_tree(engine, &engine->column[j]);

    CmvmSolution solution = {.n_nodes = engine->node.n, .cost_bits = engine->cost_bits};
    solution.node = arena_array(arena, CmvmNode, engine->node.n);
    if (engine->node.n > 0)
        memcpy(solution.node, engine->node.at, engine->node.n * sizeof *solution.node);
    solution.out = arena_array(arena, CmvmResult, problem->n_out);
    uint32_t *depth = arena_array(scratch, uint32_t, (size_t)problem->n_in + engine->node.n);
    for (uint32_t i = 0; i < engine->node.n; i++) {
        depth[problem->n_in + i] = u32_max(depth[solution.node[i].a], depth[solution.node[i].b]) + 1;
        solution.depth = u32_max(solution.depth, depth[problem->n_in + i]);
    }
    for (uint32_t j = 0; j < problem->n_out; j++) {
        solution.out[j] = (CmvmResult){.source = CMVM_ZERO};
        if (use[j].form.is_zero)
            continue;
        const CmvmTerm *term = &sum[use[j].column];
        solution.out[j] = (CmvmResult){term->value, term->shift + (int32_t)use[j].form.shift + problem->weight_step_log2,
                                       term->negative != use[j].form.negative};
    }
    arena_destroy(scratch);
    cmvm_find_ranges(arena, problem, &solution);
    bool right = cmvm_verify(arena, problem, &solution);
    assert(right && "cmvm: the solution is not the matrix");
    (void)right;
    return solution;
}
