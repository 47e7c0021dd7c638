/* cmvm/columns.c: the problem as columns of digits.
 *
 * Inputs of range 0 are left out; weights are reduced modulo the bits that are read; columns equal up to a sign and a power of two are one;
 * each weight becomes canonical signed digits (no two neighbours, fewest nonzero ones; Reitwiesner 1960). Every column gets a deadline in
 * levels, from the depth asked for and from its outputs' deadlines (timing.c).
 */
#include <string.h>

#include "cmvm/engine.h"

static bool is_zero_input(const CmvmProblem *problem, uint32_t i) { return problem->in[i].range.lo == 0 && problem->in[i].range.hi == 0; }

static int32_t low_of(const CmvmInput *in) { return in->step_log2 + (int32_t)in->range.zeros; }

uint32_t cmvm_naf_digits(i128 weight)
{
    u128 w = weight < 0 ? (u128)-weight : (u128)weight, x = (3 * w) ^ w;
    return (uint32_t)(__builtin_popcountll((uint64_t)x) + __builtin_popcountll((uint64_t)(x >> 64)));
}

/* ---- inputs ---- */
static int32_t base_step(const CmvmProblem *problem)
{
    int32_t base = INT32_MAX;
    for (uint32_t i = 0; i < problem->n_in; i++)
        if (!is_zero_input(problem, i) && low_of(&problem->in[i]) < base)
            base = low_of(&problem->in[i]);
    return base == INT32_MAX ? 0 : base;
}

static int64_t narrow(i128 x) { return x < -((i128)1 << 60) ? -((int64_t)1 << 60) : x > (i128)1 << 60 ? (int64_t)1 << 60 : (int64_t)x; }

static void plan_inputs(Arena *arena, CmvmPlan *plan, int32_t base)
{
    const CmvmProblem *problem = plan->problem;
    plan->ready_ps = arena_array(arena, int32_t, problem->n_in);
    plan->shape = arena_array(arena, CmvmShape, problem->n_in);
    plan->reach = arena_array(arena, CmvmReach, problem->n_in);
    for (uint32_t i = 0; i < problem->n_in; i++) {
        const CmvmInput *in = &problem->in[i];
        if (is_zero_input(problem, i))
            continue;
        int32_t low = low_of(in) - base;
        CmvmReach steps = {narrow(in->range.lo >> in->range.zeros), narrow(in->range.hi >> in->range.zeros)};
        plan->reach[i] = cmvm_reach_shift(steps, low);
        plan->shape[i] = cmvm_shape(plan->reach[i], low, 0);
        plan->ready_ps[i] = cmvm_arrival(&plan->timing, problem, i);
    }
}

/* ---- columns ---- */
/* The weight that gives the same bits below 2^highest: the one nearest to 0. */
static i128 reduced(i128 weight, int64_t bits)
{
    if (bits <= 0)
        return 0;
    if (bits >= 64)
        return weight;
    i128 modulus = (i128)1 << bits, rest = weight & (modulus - 1);
    return rest >= modulus / 2 ? rest - modulus : rest;
}

/* Column j reduced, made odd in common and with its first weight positive. */
static CmvmColumnForm column_form(const CmvmProblem *problem, uint32_t j, i128 *column)
{
    CmvmColumnForm form = {.column = CMVM_NONE};
    uint64_t bits = 0;
    int64_t highest = problem->out != NULL ? problem->out[j].highest_log2 : INT32_MAX;
    for (uint32_t i = 0; i < problem->n_in; i++) {
        column[i] = is_zero_input(problem, i) ? 0 : problem->weight[(size_t)i * problem->n_out + j];
        if (highest != INT32_MAX)
            column[i] = reduced(column[i], highest - problem->weight_step_log2 - low_of(&problem->in[i]));
        if (column[i] != 0 && bits == 0)
            form.negative = column[i] < 0;
        bits |= (uint64_t)(int64_t)column[i];
    }
    if (bits == 0)
        return form;
    form.column = 0;
    form.shift = (uint32_t)__builtin_ctzll(bits);
    for (uint32_t i = 0; i < problem->n_in; i++)
        column[i] = (form.negative ? -column[i] : column[i]) / ((i128)1 << form.shift);
    return form;
}

static uint32_t depth_of(uint64_t kraft)
{
    uint32_t depth = 0;
    while ((1ull << depth) < kraft)
        depth++;
    return depth;
}

uint32_t cmvm_least_depth(const CmvmPlan *plan, const int64_t *column)
{
    uint64_t kraft = 0;
    for (uint32_t i = 0; i < plan->problem->n_in; i++)
        kraft += (uint64_t)cmvm_naf_digits(column[i]) << plan->shape[i].level;
    return depth_of(kraft);
}

/* Bits that any adder of a column can have: of the sum of all its digits' magnitudes, which are at most twice the weights'. */
static uint32_t widest_adder(const CmvmPlan *plan)
{
    int32_t widest = 1;
    for (uint32_t j = 0; j < plan->n_columns; j++) {
        i128 most = 0;
        int32_t low = INT16_MAX;
        for (uint32_t i = 0; i < plan->problem->n_in; i++) {
            i128 weight = plan->weight[(size_t)j * plan->problem->n_in + i];
            int64_t above = plan->reach[i].hi > -plan->reach[i].lo ? plan->reach[i].hi : -plan->reach[i].lo;
            most += 2 * (weight < 0 ? -weight : weight) * above;
            low = weight != 0 && plan->shape[i].low < low ? plan->shape[i].low : low;
        }
        int32_t bits = 1 - low;
        for (; most > 0; most >>= 1)
            bits++;
        bits = bits < plan->top[j] ? bits : plan->top[j];
        widest = bits > widest ? bits : widest;
    }
    return (uint32_t)widest;
}

static void set_limits(CmvmPlan *plan, const int32_t *deadline_ps)
{
    const CmvmProblem *problem = plan->problem;
    uint32_t deepest = 0;
    for (uint32_t j = 0; j < plan->n_columns; j++) {
        plan->limit[j] = cmvm_least_depth(plan, plan->weight + (size_t)j * problem->n_in);
        deepest = u32_max(deepest, plan->limit[j]);
    }
    uint32_t wanted =
        problem->max_depth != 0 ? problem->max_depth : u32_min(deepest + u32_min(problem->depth_extra, CMVM_DEEPEST), CMVM_DEEPEST);
    for (uint32_t j = 0; j < plan->n_columns; j++)
        plan->limit[j] = u32_min(u32_max(plan->limit[j], u32_min(wanted, cmvm_limit(&plan->timing, deadline_ps[j]))), CMVM_DEEPEST);
}

static void plan_columns(Arena *arena, CmvmPlan *plan, int32_t base)
{
    const CmvmProblem *problem = plan->problem;
    uint32_t n_in = problem->n_in;
    Arena *scratch = arena_child(arena);
    Map seen = map_init(scratch);
    bool *negative = arena_array(scratch, bool, problem->n_out);
    int32_t *deadline_ps = arena_array(scratch, int32_t, problem->n_out);
    i128 *column = arena_array(scratch, i128, n_in + 1); /* the last one: bits that are read */
    plan->use = arena_array(arena, CmvmColumnForm, problem->n_out);
    plan->limit = arena_array(arena, uint32_t, problem->n_out);
    plan->top = arena_array(arena, int32_t, problem->n_out);
    plan->weight = arena_array(arena, int64_t, (size_t)problem->n_out * n_in);
    for (uint32_t j = 0; j < problem->n_out; j++) {
        CmvmColumnForm *use = &plan->use[j];
        *use = column_form(problem, j, column);
        if (use->column == CMVM_NONE)
            continue;
        int64_t highest = problem->out != NULL ? problem->out[j].highest_log2 : INT32_MAX;
        int64_t top = highest == INT32_MAX ? INT16_MAX : highest - problem->weight_step_log2 - (int64_t)use->shift - base;
        column[n_in] = top < INT16_MAX ? top : INT16_MAX;
        uint32_t known = map_get_bytes(&seen, column, (n_in + 1) * sizeof *column);
        if (known == MAP_NONE) {
            known = plan->n_columns++;
            map_put_bytes(&seen, column, (n_in + 1) * sizeof *column, known);
            negative[known] = use->negative;
            plan->top[known] = (int32_t)column[n_in];
            deadline_ps[known] = INT32_MAX;
            for (uint32_t i = 0; i < n_in; i++) {
                plan->weight[(size_t)known * n_in + i] = (int64_t)(use->negative ? -column[i] : column[i]);
                plan->n_digits += cmvm_naf_digits(column[i]);
            }
        }
        if (problem->out != NULL && problem->out[j].deadline_ps < deadline_ps[known])
            deadline_ps[known] = problem->out[j].deadline_ps;
        use->column = known;
        use->negative = use->negative != negative[known];
    }
    plan->widest = widest_adder(plan);
    cmvm_set_phase(plan, plan->widest);
    set_limits(plan, deadline_ps);
    arena_destroy(scratch);
}

CmvmPlan cmvm_plan(Arena *arena, const CmvmProblem *problem)
{
    CmvmPlan plan = {.problem = problem, .timing = cmvm_timing(arena, problem)};
    int32_t base = base_step(problem);
    plan_inputs(arena, &plan, base);
    plan_columns(arena, &plan, base);
    return plan;
}

/* ---- the engine ---- */
static CmvmReach column_reach(const CmvmPlan *plan, const int64_t *column, int32_t *low)
{
    CmvmReach sum = {0, 0};
    *low = INT16_MAX;
    for (uint32_t i = 0; i < plan->problem->n_in; i++) {
        if (column[i] == 0)
            continue;
        i128 lo = (i128)plan->reach[i].lo * column[i], hi = (i128)plan->reach[i].hi * column[i];
        sum = cmvm_reach_sum(sum, (CmvmReach){narrow(lo < hi ? lo : hi), narrow(lo < hi ? hi : lo)}, false);
        *low = plan->shape[i].low < *low ? plan->shape[i].low : *low;
    }
    return sum;
}

static void push_value(CmvmEngine *engine, CmvmReach reach, CmvmShape shape, int32_t ready_ps)
{
    CmvmValue value = {.reach = reach, .a = CMVM_NONE, .b = CMVM_NONE, .ready_ps = ready_ps, .alive = true, .first = CMVM_NONE};
    vec_push(engine->arena, &engine->value, value);
    vec_push(engine->arena, &engine->shape, shape);
}

/* Canonical signed digits: each step takes +1 or -1 so that the next bit becomes 0. |weight| <= 2^64. */
static void push_digits(CmvmEngine *engine, CmvmColumn *column, uint32_t input, i128 weight)
{
    for (int32_t shift = 0; weight != 0; shift++, weight /= 2) {
        if (weight % 2 == 0)
            continue;
        bool negative = (weight & 3) == 3;
        vec_push(engine->arena, &column->passive, (CmvmTerm){input, shift, negative});
        column->kraft += 1ull << engine->shape.at[input].level;
        column->n_positive += !negative;
        weight += negative ? 1 : -1;
    }
}

static void fill_column(CmvmEngine *engine, const CmvmPlan *plan, const CmvmParents *parents, uint32_t j)
{
    uint32_t n_in = plan->problem->n_in, parent = parents->of[j];
    const int64_t *own = plan->weight + (size_t)j * n_in;
    CmvmColumn *column = &engine->column[j];
    *column = (CmvmColumn){.kraft_limit = 1ull << parents->limit[j], .top = plan->top[j], .chain = CMVM_NONE};
    for (uint32_t i = 0; i < n_in; i++) {
        i128 weight = own[i];
        if (parent != CMVM_NONE) {
            i128 other = (i128)plan->weight[(size_t)parent * n_in + i] * (1 << parents->shift[j]);
            weight = parents->negative[j] ? weight + other : weight - other;
        }
        push_digits(engine, column, i, weight);
    }
    if (parent == CMVM_NONE)
        return;
    CmvmTerm term = {n_in + parent, parents->shift[j], parents->negative[j]};
    vec_push(engine->arena, &column->passive, term);
    column->kraft += 1ull << engine->shape.at[term.value].level;
    column->n_positive += !term.negative;
}

CmvmEngine *cmvm_engine_create(Arena *arena, const CmvmPlan *plan, const CmvmParents *parents, uint64_t seed)
{
    CmvmEngine *engine = arena_new(arena, CmvmEngine);
    *engine = (CmvmEngine){.arena = arena, .problem = plan->problem, .timing = plan->timing, .n_columns = plan->n_columns, .rng = {seed}};
    engine->three_halves = cmvm_three_halves(&plan->timing, plan->problem, plan->widest);
    if (plan->problem->adders == 3)
        engine->timing.has_deadline = false; /* trees of threes count levels */
    for (uint32_t i = 0; i < plan->problem->n_in; i++)
        push_value(engine, plan->reach[i], plan->shape[i], plan->ready_ps[i]);
    for (uint32_t j = 0; j < plan->n_columns; j++) {
        int32_t low;
        CmvmReach reach = column_reach(plan, plan->weight + (size_t)j * plan->problem->n_in, &low);
        int64_t ready_ps = plan->timing.phase_ps + (int64_t)parents->limit[j] * plan->timing.level_ps;
        push_value(engine, reach, cmvm_shape(reach, low, parents->limit[j]),
                   ready_ps < CMVM_LATEST_PS ? (int32_t)ready_ps : CMVM_LATEST_PS);
    }
    engine->first_node = engine->value.n;
    engine->column = arena_array(arena, CmvmColumn, plan->n_columns);
    for (uint32_t j = 0; j < plan->n_columns; j++)
        fill_column(engine, plan, parents, j);
    engine->pairs.bucket = arena_array(arena, CmvmKeys, CMVM_BUCKETS);
    cmvm_pairs_init(&engine->pairs, arena);
    return engine;
}
