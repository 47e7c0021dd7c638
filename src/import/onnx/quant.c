/* import/onnx/quant.c: uniform quantisers, exactly.
 *
 *     y = (round(clamp(x / step + zero, lo, hi)) - zero) * step
 *
 * of a variable becomes        affine(1 / step, zero) -> quantise to integers -> affine(step, -zero * step)
 * with a power of two as step and no zero it is        quantise to a type with that step
 * and on an input that nothing else reads it is the type and the scale of the port.
 *
 * step and zero are the file's numbers, taken exactly: x / step is never rounded. Frameworks divide in float32; where that division rounds
 * across a tie, they give the neighbouring integer.
 */
#include "import/onnx/onnx.h"

#include <assert.h>
#include <math.h>

#include "num/big.h"

static bool quant_spread(OnnxNode *node, uint32_t input, const OnnxVariable *x, const OnnxConstant *constant, Spread *spread)
{
    bool uniform;
    uint32_t axis, graph_axis = 0;
    if (!onnx_constant_finite(node, input, constant))
        return false;
    if (!onnx_constant_spread(constant, x->dims, &uniform, &axis) || (!uniform && !onnx_graph_axis(x, axis, &graph_axis))) {
        onnx_refuse(node, onnx_input_name(node, input), "one number for the tensor, or one for each index of one axis",
                    "numbers of shape %s for a tensor of shape %s", onnx_dims_text(node->import->scratch, constant->dims),
                    onnx_dims_text(node->import->scratch, x->dims));
        return false;
    }
    *spread = uniform ? SPREAD_ONE : (Spread){SPREAD_CHANNEL, graph_axis};
    return true;
}

bool onnx_quant_parameters(OnnxNode *node, const OnnxVariable *x, const OnnxConstant *step, const OnnxConstant *zero, OnnxQuant *quant)
{
    Arena *arena = node->import->scratch;
    Spread of_step, of_zero = SPREAD_ONE;
    if (!quant_spread(node, 1, x, step, &of_step) || (zero && !quant_spread(node, 2, x, zero, &of_zero)))
        return false;
    if (of_step.kind == SPREAD_CHANNEL && of_zero.kind == SPREAD_CHANNEL && of_step.axis != of_zero.axis) {
        onnx_refuse(node, onnx_input_name(node, 2), NULL, "the scale belongs to one axis, the zero point to another");
        return false;
    }
    quant->spread = of_step.kind == SPREAD_CHANNEL ? of_step : of_zero;
    uint32_t n = u32_max(step->n, zero ? zero->n : 1);
    Rational *steps = arena_array(arena, Rational, n), *zeros = arena_array(arena, Rational, n);
    for (uint32_t i = 0; i < n; i++) {
        steps[i] = onnx_constant_rational(arena, step, step->n == 1 ? 0 : i);
        zeros[i] = zero ? onnx_constant_rational(arena, zero, zero->n == 1 ? 0 : i) : rational_from_i64(arena, 0, 1);
        if (rational_sign(steps[i]) <= 0) {
            diag_error(node->import->diags, DIAG_VALUE, onnx_place(node, onnx_input_name(node, 1)), NULL, "scale %u is not above 0", i);
            return false;
        }
    }
    quant->step = steps;
    quant->zero = zeros;
    return true;
}

/* ---- constants ---- */

/* round(x / step + zero) without rationals, where double precision is certain: the quotient errs by less than 2^-50 of itself, so the
 * rounding of a value that stays 2^-20 away from where it switches cannot change. Weights that stand exactly on a switch go the exact way.
 */
static bool round_quickly(double x, double step, double zero, Rounding rounding, i128 *out)
{
    double v = x / step + zero;
    if (!(fabs(v) < 0x1p28) || !(fabs(zero) < 0x1p20))
        return false;
    double below = floor(v), part = v - below;
    bool nearest = rounding == ROUND_RND || rounding == ROUND_RND_ZERO || rounding == ROUND_RND_INF || rounding == ROUND_RND_MIN_INF ||
                   rounding == ROUND_RND_CONV;
    if (fabs(part - 0.5) < 0x1p-20 || (!nearest && (part < 0x1p-20 || part > 1 - 0x1p-20)))
        return false;
    bool odd = fmod(below, 2) != 0;
    *out = (i128)below + round_up(rounding, v < 0, odd, part < 0.5 ? -1 : 1);
    return true;
}

static i128 round_exactly(Arena *arena, const OnnxConstant *x, uint32_t i, Rational step, Rational zero, Rounding rounding)
{
    Quantiser q = {.type = {.is_signed = true, .bits = 64, .frac = 0}, .rounding = rounding, .overflow = OVERFLOW_SAT};
    Rational v = rational_add(arena, rational_div(arena, onnx_constant_rational(arena, x, i), step), zero);
    return quantise_rational(arena, v, &q, NULL);
}

#define SCRATCH_ROUNDS 1024 /* exact roundings between two renewals of their scratch memory */

const OnnxConstant *onnx_fold_with_quant(OnnxNode *node, const OnnxConstant *x, const OnnxQuant *quant)
{
    Arena *arena = node->import->scratch, *scratch = NULL;
    if (!onnx_fold_room(node, x->dims) || !onnx_constant_finite(node, 0, x))
        return NULL;
    bool channels = quant->spread.kind == SPREAD_CHANNEL;
    uint32_t n_steps = channels ? x->dims.dim[quant->spread.axis] : 1, stride = 1, exact = 0;
    for (uint32_t i = quant->spread.axis + 1; channels && i < x->dims.rank; i++)
        stride *= x->dims.dim[i];
    int64_t *zero = arena_array(arena, int64_t, n_steps);
    double *step = arena_array(arena, double, n_steps);
    for (uint32_t c = 0; c < n_steps; c++) {
        i128 whole;
        step[c] = rational_to_double(quant->step[c]);
        if (!rational_equal(quant->zero[c], (Rational){rational_floor(arena, quant->zero[c]), big_from_i128(arena, 1)}) ||
            !big_to_i128(quant->zero[c].num, &whole) || whole > INT32_MAX || whole < INT32_MIN) {
            onnx_refuse(node, onnx_input_name(node, 2), NULL, "a zero point of weights that is not a whole number");
            return NULL;
        }
        zero[c] = (int64_t)whole;
    }
    OnnxConstant *result = onnx_constant_new(arena, ONNX_TYPE_FLOAT, x->dims);
    int64_t *whole = onnx_constant_wholes(arena, result);
    result->step = quant->step;
    result->step_axis = channels ? (int32_t)quant->spread.axis : -1;
    for (uint32_t i = 0; i < x->n; i++) {
        uint32_t c = channels ? i / stride % n_steps : 0;
        i128 k;
        double value = onnx_constant_f64(x, i);
        if (quant->bipolar && zero[c] == 0)
            k = value >= 0 ? 1 : -1;
        else if (quant->bipolar || !round_quickly(value, step[c], (double)zero[c], quant->rounding, &k)) {
            if (exact++ % SCRATCH_ROUNDS == 0) {
                arena_destroy(scratch);
                scratch = arena_child(arena);
            }
            if (quant->bipolar) {
                Rational v = rational_div(scratch, onnx_constant_rational(scratch, x, i), quant->step[c]);
                k = rational_sign(rational_add(scratch, v, quant->zero[c])) >= 0 ? 1 : -1;
            } else {
                k = round_exactly(scratch, x, i, quant->step[c], quant->zero[c], quant->rounding);
            }
        }
        if (!quant->bipolar)
            k = k < quant->lo ? quant->lo : k > quant->hi ? quant->hi : k;
        whole[i] = (int64_t)(k - zero[c]);
    }
    arena_destroy(scratch);
    return result;
}

/* ---- variables ---- */

/* The assignment to integers whose limits are lo and hi; false: they are no type's own, a clip must stand in front. */
static bool quantiser_of_limits(i128 lo, i128 hi, Rounding rounding, Quantiser *q)
{
    *q = (Quantiser){.type = fixed_holding(lo, hi, 0), .rounding = rounding, .overflow = OVERFLOW_SAT};
    if (fixed_min(q->type) == lo && fixed_max(q->type) == hi)
        return true;
    q->overflow = OVERFLOW_SAT_SYM;
    if (q->type.is_signed && lo == -hi && fixed_max(q->type) == hi)
        return true;
    q->overflow = OVERFLOW_SAT;
    return false;
}

/* No zero point, and every step a power of two. */
static bool is_binary(const OnnxQuant *quant, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        int32_t log2;
        if (rational_sign(quant->zero[i]) != 0 || !rational_power_of_two(quant->step[i], &log2))
            return false;
    }
    return true;
}

static OnnxVariable emit_clip(OnnxNode *node, OnnxVariable x, Rational lo, Rational hi)
{
    GraphClip *clip = arena_new(node->import->arena, GraphClip);
    *clip = (GraphClip){.lo = onnx_rational_keep(node->import->arena, lo), .hi = onnx_rational_keep(node->import->arena, hi)};
    x.ref = onnx_emit(node, GRAPH_clip, &x.ref, 1);
    graph_node(node->import->module, x.ref)->attr.clip = clip;
    return x;
}

/* q for every channel, with the channel's step in its type where `binary` */
static QuantMap quantisers(OnnxNode *node, const OnnxQuant *quant, uint32_t n, Quantiser q, bool binary)
{
    Quantiser *at = arena_array(node->import->arena, Quantiser, n);
    for (uint32_t i = 0; i < n; i++) {
        int32_t log2 = 0;
        if (binary)
            rational_power_of_two(quant->step[i], &log2);
        at[i] = q;
        at[i].type.frac = -log2;
    }
    return (QuantMap){.spread = n == 1 ? SPREAD_ONE : quant->spread, .at = at};
}

static OnnxVariable emit_quantise(OnnxNode *node, OnnxVariable x, QuantMap map)
{
    GraphQuant *attribute = arena_new(node->import->arena, GraphQuant);
    attribute->map = map;
    x.ref = onnx_emit(node, GRAPH_quantise, &x.ref, 1);
    graph_node(node->import->module, x.ref)->attr.quant = attribute;
    x.scaled = false;
    return x;
}

/* (k - zero) * step */
static OnnxVariable emit_worth(OnnxNode *node, OnnxVariable x, const OnnxQuant *quant, uint32_t n)
{
    Arena *arena = node->import->scratch;
    Rational *offset = arena_array(arena, Rational, n);
    for (uint32_t i = 0; i < n; i++)
        offset[i] = rational_neg(rational_mul(arena, quant->zero[i], quant->step[i]));
    return onnx_emit_affine(node, x, n == 1 ? SPREAD_ONE : quant->spread, quant->step, offset);
}

/* x >= -zero * step ? +1 : -1 */
static OnnxVariable emit_sign(OnnxNode *node, OnnxVariable x, const OnnxQuant *quant, uint32_t n)
{
    Arena *arena = node->import->arena;
    int32_t log2 = 0;
    bool binary = n == 1 && is_binary(quant, 1) && rational_power_of_two(quant->step[0], &log2);
    Rational *at = arena_array(arena, Rational, n);
    i128 *level = arena_array(arena, i128, 2 * (size_t)n);
    for (uint32_t i = 0; i < n; i++) {
        at[i] = onnx_rational_keep(arena, rational_neg(rational_mul(arena, quant->zero[i], quant->step[i])));
        level[2 * i] = -1;
        level[2 * i + 1] = 1;
    }
    GraphThreshold *threshold = arena_new(arena, GraphThreshold);
    *threshold = (GraphThreshold){.spread = n == 1 ? SPREAD_ONE : quant->spread,
                                  .n_steps = 1,
                                  .at = at,
                                  .level = level,
                                  .type = {.is_signed = true, .bits = 2, .frac = binary ? -log2 : 0}};
    x.ref = onnx_emit(node, GRAPH_threshold, &x.ref, 1);
    graph_node(node->import->module, x.ref)->attr.threshold = threshold;
    x.scaled = false;
    return binary ? x : emit_worth(node, x, quant, n);
}

/* The port itself is quantised: x becomes integers of that type, with that scale. */
static OnnxVariable set_port(OnnxNode *node, OnnxVariable x, const OnnxQuant *quant, uint32_t n, QuantMap map, bool binary)
{
    Arena *arena = node->import->arena;
    GraphNode *port = graph_node(node->import->module, x.ref);
    GraphInput *input = arena_copy(arena, port->attr.input, sizeof *input, alignof(GraphInput));
    input->type = map;
    if (!binary) {
        Rational *multiplier = arena_array(arena, Rational, n), *offset = arena_array(arena, Rational, n);
        for (uint32_t i = 0; i < n; i++) {
            multiplier[i] = onnx_rational_keep(arena, quant->step[i]);
            offset[i] = onnx_rational_keep(arena, rational_neg(rational_mul(arena, quant->zero[i], quant->step[i])));
        }
        input->scale = (Scale){.spread = n == 1 ? SPREAD_ONE : quant->spread, .multiplier = multiplier, .offset = offset};
    }
    port->attr.input = input;
    x.scaled = !binary;
    x.port = false; /* another quantiser is a node */
    return x;
}

bool onnx_emit_quant(OnnxNode *node, OnnxVariable x, const OnnxQuant *quant, OnnxVariable *out)
{
    Arena *scratch = node->import->scratch;
    uint32_t n = spread_count(quant->spread, onnx_event_shape(&x));
    if (quant->bipolar) {
        *out = emit_sign(node, x, quant, n);
        return true;
    }
    Quantiser q;
    bool plain = quantiser_of_limits(quant->lo, quant->hi, quant->rounding, &q);
    if (q.type.bits > FIXED_MAX_BITS) {
        diag_error(node->import->diags, DIAG_WIDTH, onnx_place(node, NULL), NULL, "the quantiser has more than 64 bits");
        return false;
    }
    bool binary = is_binary(quant, n);
    if (x.port && plain && graph_node(node->import->module, x.ref)->op == GRAPH_input) {
        *out = set_port(node, x, quant, n, quantisers(node, quant, n, q, binary), binary);
        return true;
    }
    Rational lo = rational_from_raw(scratch, quant->lo, 0), hi = rational_from_raw(scratch, quant->hi, 0);
    if (binary && (plain || n == 1)) {
        if (!plain)
            x = emit_clip(node, x, rational_mul(scratch, lo, quant->step[0]), rational_mul(scratch, hi, quant->step[0]));
        *out = emit_quantise(node, x, quantisers(node, quant, n, q, true));
        return true;
    }
    Rational *inverse = arena_array(scratch, Rational, n), one = rational_from_i64(scratch, 1, 1);
    for (uint32_t i = 0; i < n; i++)
        inverse[i] = rational_div(scratch, one, quant->step[i]);
    x = onnx_emit_affine(node, x, n == 1 ? SPREAD_ONE : quant->spread, inverse, quant->zero);
    if (!plain)
        x = emit_clip(node, x, lo, hi);
    x = emit_quantise(node, x, quantisers(node, quant, 1, q, false));
    *out = emit_worth(node, x, quant, n);
    return true;
}
