/* cmvm/timing.c: picoseconds as levels, and when the outputs of a solution are ready.
 *
 * Budgets are counted in levels (engine.h): 2^level for each term of a column. Without arrivals or deadlines a level is an adder. Else it
 * is the delay of the widest adder that any column can need, and a value that is ready at time t stands at the first level that is not
 * before:
 *
 *     level 0        1           2           3           4
 *       ----|-----------|-----------|-----------|-----------|---->  ps        each mark phase + level * level_ps
 *                 ^ ready here: level 2                     ^ the tightest deadline lies on a mark
 *
 * A chain from an input that is ready at a to a deadline T holds floor((T - a) / level_ps) adders, which is what the marks say when T lies
 * on one: so the budget is exact for the tightest deadline, and others lose less than a level. Nodes keep their own picoseconds, by their
 * own widths: those that are narrower than the widest leave their rest to what comes behind them.
 *
 * Without deadlines the marks lie where the slowest output is ready first, of eight places tried, and a node counts a full level: nobody
 * has said that time may be spent, and nets came out with more clocks when it was.
 */
#include "cmvm/engine.h"

#define PHASES 8

static bool is_still(const CmvmProblem *problem, uint32_t i) { return interval_is_point(problem->in[i].range); }

static int32_t earliest_ps(const CmvmProblem *problem)
{
    int32_t earliest = INT32_MAX;
    for (uint32_t i = 0; i < problem->n_in; i++)
        if (!is_still(problem, i) && problem->in[i].arrival_ps < earliest)
            earliest = problem->in[i].arrival_ps;
    return earliest == INT32_MAX ? 0 : earliest;
}

static int32_t tightest_ps(const CmvmProblem *problem)
{
    int32_t tightest = INT32_MAX;
    for (uint32_t j = 0; problem->out != NULL && j < problem->n_out; j++)
        tightest = problem->out[j].deadline_ps < tightest ? problem->out[j].deadline_ps : tightest;
    return tightest;
}

static bool is_timed(const CmvmProblem *problem, int32_t earliest)
{
    if (problem->part == NULL)
        return false;
    bool timed = tightest_ps(problem) != INT32_MAX;
    for (uint32_t i = 0; i < problem->n_in; i++)
        timed |= !is_still(problem, i) && problem->in[i].arrival_ps != earliest;
    return timed;
}

CmvmTiming cmvm_timing(Arena *arena, const CmvmProblem *problem)
{
    CmvmTiming timing = {.earliest_ps = earliest_ps(problem)};
    if (!is_timed(problem, timing.earliest_ps))
        return timing;
    int32_t *adder_ps = arena_array(arena, int32_t, CMVM_WIDEST + 1);
    for (uint32_t bits = 1; bits <= CMVM_WIDEST; bits++)
        adder_ps[bits] = (int32_t)part_price(problem->part, (PartQuery){.operation = PART_ADD, .bits = bits}).delay_ps;
    timing.adder_ps = adder_ps;
    return timing;
}

int32_t cmvm_arrival(const CmvmTiming *timing, const CmvmProblem *problem, uint32_t input)
{
    if (timing->adder_ps == NULL || is_still(problem, input))
        return 0;
    int64_t late = (int64_t)problem->in[input].arrival_ps - timing->earliest_ps;
    return late > CMVM_LATEST_PS ? CMVM_LATEST_PS : (int32_t)late;
}

uint32_t cmvm_limit(const CmvmTiming *timing, int32_t deadline_ps)
{
    if (timing->level_ps == 0 || deadline_ps == INT32_MAX)
        return CMVM_DEEPEST;
    int64_t levels = ((int64_t)deadline_ps - timing->earliest_ps - timing->phase_ps) / timing->level_ps;
    return levels < 0 ? 0 : levels > (int64_t)CMVM_DEEPEST ? CMVM_DEEPEST : (uint32_t)levels;
}

uint32_t cmvm_three_halves(const CmvmTiming *timing, const CmvmProblem *problem, uint32_t widest)
{
    if (timing->level_ps == 0)
        return 3;
    uint32_t bits = u32_max(u32_min(widest, CMVM_WIDEST), 1);
    uint64_t three_ps = part_price(problem->part, (PartQuery){.operation = PART_ADD3, .bits = bits}).delay_ps;
    return 2 * three_ps <= 3 * (uint64_t)timing->level_ps ? 3 : 4;
}

/* ---- where the marks lie ---- */
/* When the slowest column can be ready, the marks lying at the plan's phase. */
static int64_t ready_of(const CmvmPlan *plan)
{
    uint32_t deepest = 0;
    for (uint32_t j = 0; j < plan->n_columns; j++)
        deepest = u32_max(deepest, cmvm_least_depth(plan, plan->weight + (size_t)j * plan->problem->n_in));
    return plan->timing.phase_ps + (int64_t)deepest * plan->timing.level_ps;
}

static void set_levels(CmvmPlan *plan)
{
    for (uint32_t i = 0; i < plan->problem->n_in; i++)
        plan->shape[i].level = (uint8_t)u32_min(cmvm_level(&plan->timing, plan->ready_ps[i]), CMVM_MAX_LEVEL);
}

void cmvm_set_phase(CmvmPlan *plan, uint32_t widest)
{
    CmvmTiming *timing = &plan->timing;
    if (timing->adder_ps == NULL)
        return;
    timing->has_deadline = tightest_ps(plan->problem) != INT32_MAX;
    timing->level_ps = timing->adder_ps[u32_max(u32_min(widest, CMVM_WIDEST), 1)];
    int32_t tightest = tightest_ps(plan->problem);
    if (tightest != INT32_MAX) {
        int64_t time = (int64_t)tightest - timing->earliest_ps;
        timing->phase_ps = time > 0 ? (int32_t)(time % timing->level_ps) : 0;
        set_levels(plan);
        return;
    }
    int32_t best = 0;
    int64_t best_ready = INT64_MAX;
    for (int32_t k = 0; k < PHASES; k++) {
        timing->phase_ps = (int32_t)((int64_t)timing->level_ps * k / PHASES);
        set_levels(plan);
        int64_t ready = ready_of(plan);
        if (ready < best_ready) {
            best_ready = ready;
            best = timing->phase_ps;
        }
    }
    timing->phase_ps = best;
    set_levels(plan);
}

/* ---- when a solution is ready ---- */
typedef struct Wire {
    Interval raw;
    int32_t step_log2;
    bool known;
    int64_t read; /* bits from 2^read up are not read */
    int64_t ready_ps;
} Wire;

static Wire shifted(Wire wire, int32_t shift)
{
    wire.step_log2 += shift;
    return wire;
}

static int64_t low_of(const Wire *wire) { return wire->step_log2 + (int64_t)wire->raw.zeros; }
static int64_t top_of(const Wire *wire) { return (int64_t)interval_type(wire->raw, 0).bits + wire->step_log2; }

/* Positions of the chain: from the higher start (of a difference: the subtrahend's) to the top of the result, or of what is read of it. */
static uint32_t chain_bits(const Wire *a, const Wire *b, bool subtract, const Wire *sum)
{
    if (!a->known || !b->known || !sum->known)
        return CMVM_WIDEST;
    int64_t low = subtract || low_of(b) > low_of(a) ? low_of(b) : low_of(a), top = top_of(sum);
    bool beside = (b->raw.lo >= 0 && low >= top_of(b)) || (!subtract && a->raw.lo >= 0 && low >= top_of(a));
    top = top < sum->read ? top : sum->read;
    return top <= low || beside ? 0 : (uint32_t)(top - low < CMVM_WIDEST ? top - low : CMVM_WIDEST);
}

/* The same of three operands: from the second start, or the least of a subtrahend's. */
static uint32_t three_bits(const Wire *x, const bool *minus, const Wire *sum)
{
    if (!x[0].known || !x[1].known || !x[2].known || !sum->known)
        return CMVM_WIDEST;
    uint32_t finest = 0;
    int64_t low = INT64_MAX, top = top_of(sum) < sum->read ? top_of(sum) : sum->read;
    for (uint32_t i = 1; i < 3; i++)
        if (low_of(&x[i]) < low_of(&x[finest]) || (low_of(&x[i]) == low_of(&x[finest]) && minus[i]))
            finest = i;
    for (uint32_t i = 0; i < 3; i++)
        if ((i != finest || minus[i]) && low_of(&x[i]) < low)
            low = low_of(&x[i]);
    return top <= low ? 0 : (uint32_t)(top - low < CMVM_WIDEST ? top - low : CMVM_WIDEST);
}

static void read_more(Wire *wire, int64_t read) { wire->read = read > wire->read ? read : wire->read; }

static void find_read_bits(const CmvmProblem *problem, const CmvmSolution *solution, Wire *wire)
{
    for (uint32_t j = 0; j < problem->n_out; j++) {
        const CmvmResult *out = &solution->out[j];
        int32_t highest = problem->out != NULL ? problem->out[j].highest_log2 : INT32_MAX;
        if (out->source != CMVM_ZERO)
            read_more(&wire[out->source], highest == INT32_MAX ? INT32_MAX : (int64_t)highest - out->shift);
    }
    for (uint32_t i = solution->n_nodes; i-- > 0;) {
        const CmvmNode *node = &solution->node[i];
        int64_t read = wire[problem->n_in + i].read;
        read_more(&wire[node->a], read == INT32_MAX ? read : read - node->shift_a);
        read_more(&wire[node->b], read == INT32_MAX ? read : read - node->shift_b);
        if (node->c != CMVM_NONE)
            read_more(&wire[node->c], read == INT32_MAX ? read : read - node->shift_c);
    }
}

void cmvm_find_ready(Arena *arena, const CmvmProblem *problem, CmvmSolution *solution)
{
    if (problem->part == NULL)
        return;
    Arena *scratch = arena_child(arena);
    uint32_t n_in = problem->n_in, n = n_in + solution->n_nodes;
    int64_t never = (int64_t)problem->n_in > 0 ? earliest_ps(problem) : 0; /* constants are there before anything else */
    Wire *wire = arena_array(scratch, Wire, n);
    for (uint32_t i = 0; i < n; i++)
        if (i < n_in)
            wire[i] = (Wire){problem->in[i].range, problem->in[i].step_log2, true, INT64_MIN,
                             is_still(problem, i) ? never : problem->in[i].arrival_ps};
        else
            wire[i] =
                (Wire){solution->range[i - n_in].raw, solution->range[i - n_in].step_log2, solution->range[i - n_in].known, INT64_MIN, 0};
    find_read_bits(problem, solution, wire);
    for (uint32_t i = 0; i < solution->n_nodes; i++) {
        const CmvmNode *node = &solution->node[i];
        Wire x[3] = {shifted(wire[node->a], node->shift_a), shifted(wire[node->b], node->shift_b)}, *sum = &wire[n_in + i];
        PartQuery query = {.operation = PART_ADD};
        int64_t latest = x[0].ready_ps > x[1].ready_ps ? x[0].ready_ps : x[1].ready_ps;
        if (node->c == CMVM_NONE) {
            query.bits = chain_bits(&x[0], &x[1], node->negate_b, sum);
        } else {
            x[2] = shifted(wire[node->c], node->shift_c);
            latest = x[2].ready_ps > latest ? x[2].ready_ps : latest;
            query.operation = PART_ADD3;
            query.bits = three_bits(x, (bool[]){false, node->negate_b, node->negate_c}, sum);
        }
        sum->ready_ps = latest + part_price(problem->part, query).delay_ps;
    }
    for (uint32_t j = 0; j < problem->n_out; j++) {
        uint32_t source = solution->out[j].source;
        int64_t ready = source == CMVM_ZERO ? never : wire[source].ready_ps;
        solution->out[j].ready_ps = ready > INT32_MAX ? INT32_MAX : (int32_t)ready;
    }
    arena_destroy(scratch);
}
