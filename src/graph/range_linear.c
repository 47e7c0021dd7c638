/* graph/range_linear.c: dense and conv2d: out[o] = sum over i of x[i] w[i, o], plus bias[o].
 *
 * With raw values X, W and scales x = X 2^-fx mx + ox[i], w = W 2^-fw mw[o]:
 *
 *     out[o] = mx mw[o] * sum X W 2^-(fx + fw)   +   mw[o] * sum ox[i] W 2^-fw
 *              `-scale-'  `------- raw -------'      `-------- offset -------'
 *
 * so mx must be one number, mw may differ by output channel, and offsets of x need constant weights and no padding (a padded 0 is no value
 * of a scaled x). Each range is the sum of the terms' exact intervals: every bound is reached when the inputs are independent.
 */
#include "graph/inside.h"

#include <assert.h>

typedef struct Linear {
    GraphInfer *at;
    const GraphNode *x, *w, *bias; /* bias NULL: none */
    GraphWindow window;
    int32_t frac;  /* of the sum */
    bool add_bias; /* in raw */
    bool narrow;   /* the weights are constants, and no sum of terms can reach 126 bits: no need to ask at each step */
} Linear;

static uint32_t n_weights(const Linear *l) { return shape_size(l->w->shape); }
static int32_t x_frac_at(const Linear *l, uint32_t i) { return type_at(&l->x->type, l->x->shape, i).frac; }
static int32_t w_frac_at(const Linear *l, uint32_t i)
{
    return l->w->type.spread.kind == SPREAD_UNIFORM ? l->w->type.at[0].frac : type_at(&l->w->type, l->w->shape, i).frac;
}

static bool is_zero(Interval a) { return a.lo == 0 && a.hi == 0; }

static bool refuse(GraphInfer *at, const char *why)
{
    diag_error(at->diags, DIAG_SCALE, infer_place(at), "put a quantiser with a power-of-two step before the layer", "%s", why);
    return false;
}

/* ---- ranges ---- */

static bool add_term(const Linear *l, Interval x, int32_t x_frac, uint32_t w_index, Interval *sum)
{
    Interval w = l->w->range[w_index], term;
    if (is_zero(w))
        return true;
    uint32_t shift = (uint32_t)(l->frac - x_frac - w_frac_at(l, w_index));
    return (interval_mul(x, w, &term) && interval_shl(term, shift, &term) && interval_add(*sum, term, sum)) || infer_too_wide(l->at);
}

/* The same where no bound can overflow: the hot loop of this room. */
static void add_row_narrow(const Linear *l, Interval x, int32_t x_frac, uint32_t row, Interval *sum)
{
    for (uint32_t o = 0; o < l->window.out_channels; o++) {
        const Interval *w = &l->w->range[row + o];
        if (w->lo == 0)
            continue;
        uint32_t shift = (uint32_t)(l->frac - x_frac - w_frac_at(l, row + o)), zeros = (uint32_t)x.zeros + w->zeros + shift;
        i128 weight = (i128)((u128)w->lo << shift), a = x.lo * weight, b = x.hi * weight;
        sum[o].lo += weight > 0 ? a : b;
        sum[o].hi += weight > 0 ? b : a;
        sum[o].zeros = (uint8_t)u32_min(sum[o].zeros, zeros);
    }
}

static bool add_row(const Linear *l, Interval x, int32_t x_frac, uint32_t row, Interval *sum)
{
    for (uint32_t o = 0; o < l->window.out_channels; o++)
        if (!add_term(l, x, x_frac, row + o, &sum[o]))
            return false;
    return true;
}

static bool range_of_window(const Linear *l, uint32_t y, uint32_t column, Interval *sum /* [out_channels] */)
{
    const GraphWindow *w = &l->window;
    for (uint32_t o = 0; o < w->out_channels; o++) {
        sum[o] = interval_point(0);
        if (l->add_bias && !infer_lift(l->at, l->bias, o, l->frac, &sum[o]))
            return false;
    }
    for (uint32_t k = 0, first; k < w->kernel_height * w->kernel_width; k++) {
        if (!window_input(w, y, column, k / w->kernel_width, k % w->kernel_width, &first))
            continue;
        for (uint32_t i = 0; i < w->in_channels; i++) {
            Interval x = l->x->range[first + i];
            if (is_zero(x))
                continue;
            int32_t x_frac = x_frac_at(l, first + i);
            uint32_t row = (k * w->in_channels + i) * w->out_channels;
            if (l->narrow)
                add_row_narrow(l, x, x_frac, row, sum);
            else if (!add_row(l, x, x_frac, row, sum))
                return false;
        }
    }
    for (uint32_t o = 0; o < w->out_channels; o++)
        if (interval_is_point(sum[o]))
            sum[o] = interval_point(sum[o].lo);
    return true;
}

/* Bits of the largest magnitude of a tensor's values, in units of its greatest frac. */
static uint32_t magnitude_bits(const GraphNode *x)
{
    int32_t frac = type_map_frac(&x->type, x->shape);
    uint32_t bits = 0;
    for (uint32_t i = 0, n = shape_size(x->shape); i < n; i++)
        if (!is_zero(x->range[i]))
            bits = u32_max(bits, u32_max(bits_signed(x->range[i].lo), bits_signed(x->range[i].hi)) +
                                     (uint32_t)(frac - type_at(&x->type, x->shape, i).frac));
    return bits;
}

static bool is_narrow(const Linear *l)
{
    for (uint32_t i = 0, n = n_weights(l); i < n; i++)
        if (!interval_is_point(l->w->range[i]))
            return false;
    uint64_t terms = (uint64_t)n_weights(l) / l->window.out_channels + 1; /* below 2^28: the bias is one */
    uint32_t bias = l->add_bias ? magnitude_bits(l->bias) + (uint32_t)(l->frac - type_map_frac(&l->bias->type, l->bias->shape)) : 0;
    uint64_t shift = (uint64_t)(l->frac - type_map_frac(&l->x->type, l->x->shape) - type_map_frac(&l->w->type, l->w->shape));
    return u32_max(bias, magnitude_bits(l->x) + magnitude_bits(l->w) + (uint32_t)u32_min((uint32_t)shift, 1000)) + bits_unsigned(terms) <
           124;
}

static bool range_of_all(Linear *l)
{
    const GraphWindow *w = &l->window;
    Interval *range = arena_array(l->at->arena, Interval, shape_size(l->at->node->shape)), *next = range;
    for (uint32_t y = 0; y < w->out_height; y++)
        for (uint32_t x = 0; x < w->out_width; x++, next += w->out_channels)
            if (!range_of_window(l, y, x, next))
                return false;
    return infer_uniform(l->at, range, l->frac);
}

/* ---- scales ---- */

/* The multiplier that all elements of x share. */
static bool input_multiplier(const Linear *l, Rational *out)
{
    const Scale *scale = &l->x->scale;
    *out = scale_multiplier_at(scale, l->x->shape, 0);
    for (uint32_t i = 1, n = scale_is_identity(scale) ? 0 : spread_count(scale->spread, l->x->shape); i < n; i++)
        if (!rational_equal(scale->multiplier[i], *out))
            return refuse(l->at, "the input's scale differs between the terms of a sum");
    return true;
}

static bool weight_multipliers(const Linear *l, Rational *out /* [out_channels] */)
{
    const Scale *scale = &l->w->scale;
    Shape shape = l->w->shape;
    uint32_t n_out = l->window.out_channels;
    for (uint32_t o = 0; o < n_out; o++)
        out[o] = scale_multiplier_at(scale, shape, o);
    if (scale_is_identity(scale))
        return true;
    if (scale_has_offset(scale, shape))
        return refuse(l->at, "the weights have a zero point");
    bool by_output = scale->spread.kind == SPREAD_UNIFORM || (scale->spread.kind == SPREAD_CHANNEL && scale->spread.axis == shape.rank - 1);
    for (uint32_t i = 0, n = by_output ? 0 : n_weights(l); i < n; i++)
        if (!rational_equal(scale_multiplier_at(scale, shape, i), out[i % n_out]))
            return refuse(l->at, "the weights' scale differs between the terms of a sum");
    return true;
}

/* sum of ox[i] times the weight's value, its scale left out; ox by input channel */
static bool offset_of_output(const Linear *l, uint32_t o, Rational *out)
{
    const GraphWindow *w = &l->window;
    Arena *arena = l->at->arena;
    *out = rational_zero();
    for (uint32_t i = 0, n = n_weights(l) / w->out_channels; i < n; i++) {
        uint32_t index = i * w->out_channels + o;
        Interval weight = l->w->range[index];
        if (!interval_is_point(weight))
            return refuse(l->at, "an input with a zero point meets weights that are not constant");
        if (weight.lo == 0)
            continue;
        Rational value = rational_from_raw(arena, weight.lo, w_frac_at(l, index));
        *out = rational_add(arena, *out, rational_mul(arena, value, scale_offset_at(&l->x->scale, l->x->shape, i % w->in_channels)));
    }
    return true;
}

static bool input_offsets(const Linear *l, const Rational *weight_multiplier, Rational *out /* [out_channels] */)
{
    const Scale *scale = &l->x->scale;
    uint32_t last = l->x->shape.rank - 1;
    bool any = scale_has_offset(scale, l->x->shape);
    bool by_channel = scale->spread.kind == SPREAD_UNIFORM || (scale->spread.kind == SPREAD_CHANNEL && scale->spread.axis == last);
    if (any && l->window.is_padded)
        return refuse(l->at, "zeros are padded to an input with a zero point");
    if (any && !by_channel && shape_size(l->x->shape) != l->window.in_channels)
        return refuse(l->at, "the input's zero point differs between the elements of a channel");
    for (uint32_t o = 0; o < l->window.out_channels; o++) {
        out[o] = rational_zero();
        if (any && !offset_of_output(l, o, &out[o]))
            return false;
        out[o] = any ? rational_mul(l->at->arena, out[o], weight_multiplier[o]) : out[o];
    }
    return true;
}

/* The bias is added in raw units if its multipliers are those of the sum, else its constant value goes into the offset. */
static bool bias_scale(Linear *l, const Rational *multiplier, Rational *offset)
{
    const GraphNode *bias = l->bias;
    bool equal = true, constant = true;
    for (uint32_t o = 0; o < l->window.out_channels; o++) {
        equal &= rational_equal(scale_multiplier_at(&bias->scale, bias->shape, o), multiplier[o]);
        constant &= interval_is_point(bias->range[o]);
    }
    if (!equal && !constant)
        return refuse(l->at, "a bias that is not constant has another scale than the sum");
    l->add_bias = equal;
    l->at->node->last_absorbed = !equal;
    for (uint32_t o = 0; o < l->window.out_channels; o++) {
        Rational more =
            equal ? scale_offset_at(&bias->scale, bias->shape, o)
                  : scale_value(l->at->arena, &bias->scale, bias->shape, o, bias->range[o].lo, type_at(&bias->type, bias->shape, o));
        offset[o] = rational_add(l->at->arena, offset[o], more);
    }
    return true;
}

static bool scale_of_linear(Linear *l)
{
    l->add_bias = l->bias != NULL;
    if (scale_is_identity(&l->x->scale) && scale_is_identity(&l->w->scale) && (!l->bias || scale_is_identity(&l->bias->scale)))
        return true;
    Arena *arena = l->at->arena;
    uint32_t n_out = l->window.out_channels;
    Rational *multiplier = arena_array(arena, Rational, n_out), *offset = arena_array(arena, Rational, n_out), of_input;
    if (!input_multiplier(l, &of_input) || !weight_multipliers(l, multiplier) || !input_offsets(l, multiplier, offset))
        return false;
    for (uint32_t o = 0; o < n_out; o++)
        multiplier[o] = rational_mul(arena, multiplier[o], of_input);
    if (l->bias && !bias_scale(l, multiplier, offset))
        return false;
    Shape channels = {.rank = 1, .dim = {n_out}};
    Scale scale = scale_compress(arena, channels, multiplier, offset);
    if (scale.spread.kind != SPREAD_UNIFORM)
        scale.spread = (Spread){SPREAD_CHANNEL, l->at->node->shape.rank - 1};
    l->at->node->scale = scale;
    return true;
}

static bool range_linear(GraphInfer *at)
{
    Linear l = {.at = at, .x = infer_in(at, 0), .w = infer_in(at, 1), .bias = at->node->n_inputs > 2 ? infer_in(at, 2) : NULL};
    l.window = graph_window(at->module, at->node);
    if (!scale_of_linear(&l))
        return false;
    l.frac = type_map_frac(&l.x->type, l.x->shape) + type_map_frac(&l.w->type, l.w->shape);
    if (l.add_bias) {
        int32_t bias_frac = type_map_frac(&l.bias->type, l.bias->shape);
        l.frac = bias_frac > l.frac ? bias_frac : l.frac;
    }
    l.narrow = is_narrow(&l);
    scale_drop_identity(at->node->shape, &at->node->scale);
    return range_of_all(&l);
}

bool graph_range_dense(GraphInfer *at) { return range_linear(at); }
bool graph_range_conv2d(GraphInfer *at) { return range_linear(at); }
