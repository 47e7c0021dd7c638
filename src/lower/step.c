/* lower/step.c: a function of steps over a wire's raw integers: what thresholds become.
 *
 * Three forms; the cheapest by part's prices is taken:
 *
 *   thermometer   one compare a step, all at once; where the levels rise by one power of two each, the bits are counted by halving:
 *                 the middle bit is the count's highest one and selects which half is counted next; n compares, about n one-bit selects.
 *   select tree   one compare a step; the levels as constants below a balanced tree of selects.
 *   linear        where the steps lie on a line, level k = floor((M x + B) / 2^s) within the limits: one constant product, a shift, two
 * clamps. M, B and s are searched for and the equality is checked on both sides of every step, which proves it, because both sides are
 * monotone.
 */
#include <assert.h>

#include "cmvm/cmvm.h"
#include "lower/inside.h"

#define LINEAR_MOST_SHIFT  48
#define LINEAR_LEAST_STEPS 6u

typedef struct Steps {
    Lower *l;
    CircuitRef x;
    const LowerStep *step;
    uint32_t n;
    i128 lowest;
    int32_t frac;    /* of the levels */
    CircuitRef *bit; /* [n] x has reached step i */
} Steps;

static void make_bits(Steps *s)
{
    CircuitBuilder *b = &s->l->b;
    s->bit = arena_array(s->l->arena, CircuitRef, s->n);
    for (uint32_t i = 0; i < s->n; i++) {
        CircuitRef at = circuit_constant(b, s->step[i].at, wire(s->l, s->x)->type.frac);
        s->bit[i] = circuit_compare(b, CIRCUIT_less_equal, at, s->x);
    }
}

/* ---- select tree ---- */
static CircuitRef select_level(Steps *s, uint32_t first, uint32_t n)
{
    CircuitBuilder *b = &s->l->b;
    if (n == 0)
        return circuit_constant(b, first == 0 ? s->lowest : s->step[first - 1].level, s->frac);
    uint32_t middle = first + n / 2;
    CircuitRef above = select_level(s, middle + 1, first + n - middle - 1), below = select_level(s, first, middle - first);
    return circuit_select(b, s->bit[middle], above, below);
}

/* ---- thermometer ---- */
/* The difference of all neighbouring levels; false if there is more than one, or it is no power of two. */
static bool equal_rise(const Steps *s, uint32_t *log2, bool *falls)
{
    i128 rise = s->step[0].level - s->lowest;
    for (uint32_t i = 1; i < s->n; i++)
        if (s->step[i].level - s->step[i - 1].level != rise)
            return false;
    *falls = rise < 0;
    u128 size = rise < 0 ? (u128)-rise : (u128)rise;
    *log2 = bits_unsigned(size) - 1;
    return (size & (size - 1)) == 0;
}

/* How many of bit[n] are set, given that they are set from the first on: an unsigned number. */
static CircuitRef count_bits(Lower *l, CircuitRef *bit, uint32_t n)
{
    CircuitRef digit[32];
    uint32_t n_digits = 0;
    while (n > 0) {
        uint32_t half = 1;
        while (half * 2 <= n)
            half *= 2;
        CircuitRef high = bit[half - 1];
        digit[n_digits++] = high;
        for (uint32_t i = 0; i + 1 < half; i++) {
            if (half + i < n)
                bit[i] = circuit_select(&l->b, high, bit[half + i], bit[i]);
            else
                bit[i] = circuit_bitwise(&l->b, CIRCUIT_and, circuit_not(&l->b, high), bit[i]);
        }
        n = half - 1;
    }
    return n_digits == 1 ? digit[0] : circuit_concat(&l->b, digit, n_digits);
}

/* lowest +- count * 2^log2 */
static CircuitRef scale_count(const Steps *s, CircuitRef count, uint32_t log2, bool falls)
{
    CircuitBuilder *b = &s->l->b;
    int32_t shift = (int32_t)log2 - s->frac;
    if (s->lowest == 0 && !falls)
        return shift != 0 ? circuit_shift(b, count, shift) : count;
    CircuitRef lowest = circuit_constant(b, s->lowest, s->frac);
    return falls ? circuit_sub(b, lowest, count, shift) : circuit_add(b, lowest, count, shift);
}

/* ---- linear ---- */
typedef struct Line {
    i128 m, b;
    uint32_t shift;
} Line;

static i128 ceil_div(i128 a, i128 b) { return a / b + (a % b > 0); } /* b > 0 */

/* A B for which floor((m x + B) / 2^shift) steps where the steps are: B >= i 2^shift - m at_i and B < i 2^shift - m (at_i - 1). */
static bool offset_for(const Steps *s, i128 m, uint32_t shift, i128 *out)
{
    i128 least = -((i128)1 << 120), beyond = (i128)1 << 120;
    for (uint32_t i = 0; i < s->n; i++) {
        i128 line = ((i128)(i + 1) << shift) - m * s->step[i].at;
        least = i128_max(least, line);
        beyond = i128_min(beyond, line + m);
    }
    if (least >= beyond)
        return false;
    *out = least;
    for (uint32_t zeros = 1; zeros < 100; zeros++) { /* the roundest one */
        i128 round = ceil_div(least, (i128)1 << zeros) * ((i128)1 << zeros);
        if (round >= beyond)
            break;
        *out = round;
    }
    return true;
}

static bool find_line(const Steps *s, Line *line)
{
    i128 span = s->step[s->n - 1].at - s->step[0].at, most = (i128)1 << 60;
    if (span <= 0 || span >= most || s->step[0].at <= -most || s->step[s->n - 1].at >= most)
        return false;
    for (uint32_t shift = 0; shift <= LINEAR_MOST_SHIFT; shift++) {
        i128 m = ((i128)(s->n - 1) << shift) / span;
        for (i128 try = i128_max(m, 1); try <= m + 1; try++)
            if (offset_for(s, try, shift, &line->b)) {
                line->m = try;
                line->shift = shift;
                return true;
            }
    }
    return false;
}

static CmvmSolution solve_product(const Steps *s, const Line *line, CmvmProblem *problem, CmvmInput *in, int64_t *weight)
{
    in[0] = (CmvmInput){wire(s->l, s->x)->range, 0, 0};
    in[1] = (CmvmInput){interval_point(line->b), 0, 0};
    weight[0] = (int64_t)line->m;
    weight[1] = 1;
    *problem = (CmvmProblem){.n_in = 2, .n_out = 1, .weight = weight, .in = in, .part = s->l->options->part, .objective = CMVM_LUTS};
    return cmvm_solve(s->l->arena, problem);
}

static CircuitRef linear_count(const Steps *s, const Line *line)
{
    CircuitBuilder *b = &s->l->b;
    CmvmInput in[2];
    int64_t weight[2];
    CmvmProblem problem;
    CmvmSolution solution = solve_product(s, line, &problem, in, weight);
    int32_t frac = wire(s->l, s->x)->type.frac; /* M raw + B, at this frac */
    CircuitRef product[1], term[2] = {s->x, circuit_constant(b, line->b, frac)};
    lower_solution(s->l, &problem, &solution, term, product);
    /* floor to multiples of 2^shift of raw units, then one of them is 1 */
    const CircuitNode *node = wire(s->l, product[0]);
    int32_t count_frac = frac - (int32_t)line->shift, drop = node->type.frac - count_frac;
    if (drop > 0) {
        Interval floored = interval_shr(node->range, (uint32_t)drop);
        Quantiser q = {interval_type(floored, count_frac), ROUND_TRN, OVERFLOW_WRAP, 0};
        product[0] = circuit_quantise(b, product[0], &q);
    }
    CircuitRef count = circuit_shift(b, product[0], count_frac);
    count = lower_max(b, count, circuit_constant(b, 0, 0));
    return lower_min(b, count, circuit_constant(b, s->n, 0));
}

static uint64_t price(const Steps *s, PartOperation operation, uint32_t bits, bool constant)
{
    return part_price(s->l->options->part, (PartQuery){.operation = operation, .bits = bits, .constant = constant}).luts;
}

/* Whether the line costs less than the compares; it must also fit 64 bits. */
static bool line_pays(const Steps *s, const Line *line)
{
    if (s->l->options->part == NULL)
        return false;
    CmvmInput in[2];
    int64_t weight[2];
    CmvmProblem problem;
    CmvmSolution solution = solve_product(s, line, &problem, in, weight);
    const CircuitNode *x = wire(s->l, s->x);
    uint32_t x_bits = interval_type(x->range, 0).bits, sum_bits = x_bits + bits_unsigned((u128)line->m) + 1;
    if (u32_max(sum_bits, bits_signed(line->b) + 1) > 60)
        return false;
    uint32_t count_bits = sum_bits > line->shift ? sum_bits - line->shift : 1;
    uint64_t linear = price(s, PART_ADD, (uint32_t)solution.cost_bits, false) + 2 * price(s, PART_COMPARE, count_bits, true) +
                      2 * price(s, PART_SELECT, count_bits, true);
    uint64_t compares = s->n * (price(s, PART_COMPARE, x_bits, true) + price(s, PART_SELECT, 1, false));
    return linear < compares;
}

static void drop_useless(Steps *s, LowerStep *step)
{
    const Interval range = wire(s->l, s->x)->range;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        LowerStep now = step[i];
        if (now.at > range.hi)
            break;
        if (now.at <= range.lo) {
            s->lowest = now.level;
            continue;
        }
        if (kept > 0 && step[kept - 1].at == now.at)
            kept--; /* the later one decides */
        if (now.level != (kept == 0 ? s->lowest : step[kept - 1].level))
            step[kept++] = now;
    }
    s->n = kept;
}

CircuitRef lower_steps(Lower *l, CircuitRef x, LowerStep *step, uint32_t n, i128 lowest_level, int32_t level_frac)
{
    Steps s = {.l = l, .x = x, .step = step, .n = n, .lowest = lowest_level, .frac = level_frac};
    drop_useless(&s, step);
    uint32_t log2;
    bool falls;
    if (s.n == 0)
        return circuit_constant(&l->b, s.lowest, level_frac);
    if (l->options->plain || !equal_rise(&s, &log2, &falls)) {
        make_bits(&s);
        return select_level(&s, 0, s.n);
    }
    Line line;
    if (s.n >= LINEAR_LEAST_STEPS && find_line(&s, &line) && line_pays(&s, &line))
        return scale_count(&s, linear_count(&s, &line), log2, falls);
    make_bits(&s);
    if (s.n == 1 && (s.lowest != 0 || falls))
        return select_level(&s, 0, 1);
    return scale_count(&s, count_bits(l, s.bit, s.n), log2, falls);
}

/* ---- thresholds of a channel, as integers of the wire ---- */
static i128 cut(Big value)
{
    i128 most = (i128)1 << 126, out;
    return !big_to_i128(value, &out) ? (big_sign(value) < 0 ? -most : most) : i128_max(-most, i128_min(most, out));
}

/* Step k of channel c: reached iff raw >= *at (rising), or iff raw < *at (falling scale). */
static i128 integer_threshold(Arena *arena, Rational at, bool strict, Rational multiplier, Rational offset, int32_t frac)
{
    Rational unit = rational_mul(arena, multiplier, rational_from_raw(arena, 1, frac));
    Rational raw = rational_div(arena, rational_sub(arena, at, offset), unit);
    bool next = rational_sign(multiplier) > 0 ? strict : !strict; /* where raw meets it exactly, the step lies behind it */
    Big whole = next ? big_add(arena, rational_floor(arena, raw), big_from_i128(arena, 1)) : rational_ceil(arena, raw);
    return cut(whole);
}

static CircuitRef lower_channel(Lower *l, GraphRef ref, uint32_t element, CircuitRef x)
{
    const GraphNode *node = lower_node(l, ref), *input = lower_input_node(l, ref, 0);
    const GraphThreshold *t = node->attr.threshold;
    uint32_t channel = spread_index(t->spread, node->shape, element);
    const i128 *level = t->level + (size_t)channel * (t->n_steps + 1);
    Rational multiplier = scale_multiplier_at(&input->scale, input->shape, element);
    Rational offset = scale_offset_at(&input->scale, input->shape, element);
    bool rising = rational_sign(multiplier) > 0;
    Arena *scratch = arena_child(l->arena);
    LowerStep *step = arena_array(scratch, LowerStep, t->n_steps);
    for (uint32_t k = 0; k < t->n_steps; k++) {
        size_t index = (size_t)channel * t->n_steps + k;
        i128 at =
            integer_threshold(scratch, t->at[index], t->strict != NULL && t->strict[index], multiplier, offset, wire(l, x)->type.frac);
        /* falling: raw from `at` up has not reached step k, so level k begins there */
        step[rising ? k : t->n_steps - 1 - k] = (LowerStep){at, level[rising ? k + 1 : k]};
    }
    CircuitRef out = lower_steps(l, x, step, t->n_steps, level[rising ? 0 : t->n_steps], t->type.frac);
    arena_destroy(scratch);
    return out;
}

void lower_threshold(Lower *l, GraphRef ref)
{
    const CircuitRef *in = lower_in(l, ref, 0);
    CircuitRef *out = lower_new(l, ref);
    for (uint32_t e = 0, n = shape_size(lower_node(l, ref)->shape); e < n; e++) {
        l->b.element = e;
        out[e] = lower_channel(l, ref, e, in[e]);
    }
}
