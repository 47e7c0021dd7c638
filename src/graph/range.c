/* graph/range.c: types, scales and proven ranges of FIXED nodes, by element. dense and conv2d: range_linear.c; add and sub:
 * range_sum.c; moves and argmax: range_move.c. */
#include "graph/inside.h"

#include <assert.h>

Interval *infer_new_range(const GraphInfer *at) { return arena_array(at->arena, Interval, shape_size(at->node->shape)); }

bool infer_too_wide(GraphInfer *at)
{
    diag_error(at->diags, DIAG_WIDTH, infer_place(at), "quantise the inputs to types of fewer bits",
               "the exact result needs more than 126 bits");
    return false;
}

/* bits of a value whose trailing zeros are known and cost nothing */
static uint32_t bits_of(Interval a) { return a.lo == 0 && a.hi == 0 ? 0 : fixed_holding(a.lo >> a.zeros, a.hi >> a.zeros, 0).bits; }

bool infer_uniform(GraphInfer *at, const Interval *range, int32_t frac)
{
    uint32_t n = shape_size(at->node->shape);
    Interval hull = range[0];
    for (uint32_t e = 0; e < n; e++) {
        hull = interval_join(hull, range[e]);
        if (bits_of(range[e]) <= FIXED_MAX_BITS)
            continue;
        diag_error(at->diags, DIAG_WIDTH, infer_place(at), "quantise the inputs to types of fewer bits",
                   "the exact result needs %u bits (element %u), more than %u", bits_of(range[e]), e, FIXED_MAX_BITS);
        return false;
    }
    FixedType *type = arena_new(at->arena, FixedType);
    *type = interval_type(hull, frac);
    at->node->type = (TypeMap){SPREAD_ONE, type};
    at->node->range = range;
    return true;
}

bool infer_lift(GraphInfer *at, const GraphNode *x, uint32_t element, int32_t frac, Interval *out)
{
    *out = x->range[element];
    if (out->lo == 0 && out->hi == 0)
        return true;
    int64_t shift = (int64_t)frac - type_at(&x->type, x->shape, element).frac;
    assert(shift >= 0);
    return interval_shl(*out, (uint32_t)shift, out) || infer_too_wide(at);
}

static Interval interval_of_quantiser(const Quantiser *q) { return interval_of(quantiser_min(q), fixed_max(q->type)); }

static TypeMap types_of(const GraphInfer *at, const QuantMap *map)
{
    uint32_t n = spread_count(map->spread, at->node->shape);
    FixedType *type = arena_array(at->arena, FixedType, n);
    for (uint32_t i = 0; i < n; i++)
        type[i] = map->at[i].type;
    return (TypeMap){map->spread, type};
}

bool graph_range_input(GraphInfer *at)
{
    const GraphInput *input = at->node->attr.input;
    Interval *range = infer_new_range(at);
    for (uint32_t e = 0, n = shape_size(at->node->shape); e < n; e++)
        range[e] = interval_of_quantiser(quantiser_at(&input->type, at->node->shape, e));
    at->node->type = types_of(at, &input->type);
    at->node->scale = input->scale;
    at->node->range = range;
    scale_normalise(at->arena, at->node->shape, &at->node->type, &at->node->scale);
    return true;
}

bool graph_range_constant(GraphInfer *at)
{
    const GraphTensor *tensor = at->node->attr.tensor;
    Interval *range = infer_new_range(at);
    for (uint32_t e = 0, n = shape_size(at->node->shape); e < n; e++)
        range[e] = interval_point(tensor->raw[e]);
    at->node->type = tensor->type;
    at->node->scale = tensor->scale;
    at->node->range = range;
    scale_normalise(at->arena, at->node->shape, &at->node->type, &at->node->scale);
    return true;
}

/* Rounding, then saturating, is monotone: the ends' images are the image's ends. Of a mode that is not, the type's own range is taken. */
static Interval quantise_scaled(Arena *arena, const GraphNode *x, uint32_t e, const Quantiser *q)
{
    if (q->overflow == OVERFLOW_WRAP || q->overflow == OVERFLOW_SAT_ZERO)
        return interval_of_quantiser(q);
    Arena *scratch = arena_child(arena);
    FixedType type = type_at(&x->type, x->shape, e);
    i128 lo = quantise_rational(scratch, scale_value(scratch, &x->scale, x->shape, e, x->range[e].lo, type), q, NULL);
    i128 hi = quantise_rational(scratch, scale_value(scratch, &x->scale, x->shape, e, x->range[e].hi, type), q, NULL);
    arena_destroy(scratch);
    return interval_of(i128_min(lo, hi), i128_max(lo, hi));
}

static Interval quantise_element(const GraphInfer *at, const GraphNode *x, uint32_t e, const Quantiser *q)
{
    if (x->op == GRAPH_constant && x->kind != KIND_FIXED) {
        const GraphTensor *tensor = x->attr.tensor;
        return interval_point(tensor->real ? quantise_double(tensor->real[e], q, NULL) : quantise_raw(tensor->raw[e], 0, q, NULL));
    }
    if (x->kind != KIND_FIXED || x->scale_open)
        return interval_of_quantiser(q);
    if (!scale_is_identity(&x->scale))
        return quantise_scaled(at->arena, x, e, q);
    return interval_quantise(x->range[e], type_at(&x->type, x->shape, e).frac, q);
}

bool graph_range_quantise(GraphInfer *at)
{
    const QuantMap *map = &at->node->attr.quant->map;
    const GraphNode *x = infer_in(at, 0);
    Interval *range = infer_new_range(at);
    for (uint32_t e = 0, n = shape_size(at->node->shape); e < n; e++)
        range[e] = quantise_element(at, x, e, quantiser_at(map, at->node->shape, e));
    at->node->type = types_of(at, map);
    at->node->range = range;
    return true;
}

/* ---- affine ---- */

#define AFFINE_MAX_FRAC 62

/* Both addends of every channel, at frac, are below 2^62, so that their sum is a value of at most 64 bits. */
static bool affine_is_narrow(const GraphNode *x, const GraphAffine *affine, int32_t frac)
{
    uint32_t x_bits = 0;
    for (uint32_t i = 0, n = spread_count(x->type.spread, x->shape); i < n; i++)
        x_bits = u32_max(x_bits, x->type.at[i].bits);
    int32_t x_frac = type_map_frac(&x->type, x->shape);
    for (uint32_t i = 0, n = spread_count(affine->spread, x->shape); i < n; i++) {
        int32_t power = 0, offset_frac = 0;
        i128 offset = 0;
        if (rational_sign(affine->multiplier[i]) != 0) {
            rational_power_of_two(affine->multiplier[i], &power);
            if ((int64_t)x_bits + frac - x_frac + power > 62)
                return false;
        }
        rational_to_dyadic(affine->offset[i], &offset, &offset_frac);
        if (offset != 0 && (int64_t)bits_signed(offset) + frac - offset_frac > 62)
            return false;
    }
    return true;
}

bool affine_is_raw(const GraphNode *x, const GraphNode *node, int32_t *frac)
{
    const GraphAffine *affine = node->attr.affine;
    if (!scale_is_identity(&x->scale))
        return false;
    int32_t most = INT32_MIN, in_frac = type_map_frac(&x->type, x->shape);
    bool any_offset = false;
    for (uint32_t i = 0, n = spread_count(affine->spread, x->shape); i < n; i++) {
        int32_t power = 0, offset_frac = 0;
        i128 offset;
        bool is_zero = rational_sign(affine->multiplier[i]) == 0;
        if (!is_zero && (!rational_power_of_two(affine->multiplier[i], &power) || power > AFFINE_MAX_FRAC || power < -AFFINE_MAX_FRAC))
            return false;
        if (rational_sign(affine->offset[i]) != 0) {
            any_offset = true;
            if (!rational_to_dyadic(affine->offset[i], &offset, &offset_frac) || offset_frac > AFFINE_MAX_FRAC ||
                offset_frac < -AFFINE_MAX_FRAC)
                return false;
            most = offset_frac > most ? offset_frac : most;
        }
        if (!is_zero && in_frac - power > most)
            most = in_frac - power;
    }
    *frac = most;
    return any_offset && affine_is_narrow(x, affine, most);
}

static bool range_affine_raw(GraphInfer *at, int32_t frac)
{
    const GraphAffine *affine = at->node->attr.affine;
    const GraphNode *x = infer_in(at, 0);
    Interval *range = infer_new_range(at);
    for (uint32_t e = 0, n = shape_size(x->shape); e < n; e++) {
        uint32_t i = spread_index(affine->spread, x->shape, e);
        int32_t power = 0, offset_frac = 0;
        i128 offset_raw = 0;
        Interval offset;
        range[e] = interval_point(0);
        if (rational_sign(affine->multiplier[i]) != 0) {
            rational_power_of_two(affine->multiplier[i], &power);
            if (!infer_lift(at, x, e, frac + power, &range[e]))
                return false;
        }
        rational_to_dyadic(affine->offset[i], &offset_raw, &offset_frac);
        if (offset_raw != 0 && !(interval_shl(interval_point(offset_raw), (uint32_t)(frac - offset_frac), &offset) &&
                                 interval_add(range[e], offset, &range[e])))
            return infer_too_wide(at);
    }
    return infer_uniform(at, range, frac);
}

/* The scale behind an affine on a scaled value; a multiplier 0 becomes 1 on raw 0. */
static Scale scale_behind(const GraphInfer *at, const GraphNode *x)
{
    const GraphAffine *affine = at->node->attr.affine;
    Shape shape = x->shape;
    Spread spread = affine->spread;
    bool alike = x->scale.spread.kind == spread.kind && x->scale.spread.axis == spread.axis;
    if (!scale_is_identity(&x->scale) && !alike) {
        if (spread.kind == SPREAD_UNIFORM)
            spread = x->scale.spread;
        else if (x->scale.spread.kind != SPREAD_UNIFORM)
            spread = (Spread){SPREAD_ELEMENT, 0};
    }
    uint32_t n = spread_count(spread, shape), n_affine = spread_count(affine->spread, shape);
    bool by_element = spread.kind == SPREAD_ELEMENT;
    Rational *multiplier = arena_array(at->arena, Rational, n), *offset = arena_array(at->arena, Rational, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t a = by_element ? spread_index(affine->spread, shape, i) : n_affine == 1 ? 0 : i;
        Rational m = rational_one(), o = rational_zero();
        if (!scale_is_identity(&x->scale)) {
            uint32_t s = by_element ? spread_index(x->scale.spread, shape, i) : x->scale.spread.kind == SPREAD_UNIFORM ? 0 : i;
            m = x->scale.multiplier[s];
            o = x->scale.offset[s];
        }
        bool is_zero = rational_sign(affine->multiplier[a]) == 0;
        multiplier[i] = is_zero ? rational_one() : rational_mul(at->arena, m, affine->multiplier[a]);
        offset[i] =
            is_zero ? affine->offset[a] : rational_add(at->arena, rational_mul(at->arena, o, affine->multiplier[a]), affine->offset[a]);
    }
    return (Scale){spread, multiplier, offset};
}

bool graph_range_affine(GraphInfer *at)
{
    const GraphAffine *affine = at->node->attr.affine;
    const GraphNode *x = infer_in(at, 0);
    int32_t frac;
    if (affine_is_raw(x, at->node, &frac))
        return range_affine_raw(at, frac);
    Interval *range = infer_new_range(at);
    for (uint32_t e = 0, n = shape_size(x->shape); e < n; e++)
        range[e] = rational_sign(affine->multiplier[spread_index(affine->spread, x->shape, e)]) == 0 ? interval_point(0) : x->range[e];
    at->node->range = range;
    at->node->type = x->type;
    at->node->scale = scale_behind(at, x);
    scale_normalise(at->arena, x->shape, &at->node->type, &at->node->scale);
    return true;
}

/* ---- monotone functions ---- */

bool graph_range_relu(GraphInfer *at)
{
    const GraphNode *x = infer_in(at, 0);
    if (scale_has_offset(&x->scale, x->shape) || !scale_is_positive(&x->scale, x->shape)) {
        at->node->scale_open = true;
        return true;
    }
    int32_t frac = type_map_frac(&x->type, x->shape);
    Interval *range = infer_new_range(at);
    for (uint32_t e = 0, n = shape_size(x->shape); e < n; e++) {
        if (!infer_lift(at, x, e, frac, &range[e]))
            return false;
        range[e] = interval_max(range[e], interval_point(0));
    }
    at->node->scale = x->scale;
    return infer_uniform(at, range, frac);
}

/* raw at `from` -> raw at frac, cut to below 2^126; frac is not below `from` */
static i128 limit_at(i128 raw, int32_t from, int32_t frac)
{
    Interval lifted;
    i128 most = ((i128)1 << 126) - 1;
    if (raw == 0)
        return 0;
    if (!interval_shl(interval_point(raw), (uint32_t)i128_min((i128)frac - from, 1000), &lifted))
        return raw < 0 ? -most : most;
    return i128_max(-most, i128_min(most, lifted.lo));
}

bool clip_limits(const GraphNode *x, const GraphClip *clip, int32_t *frac, i128 *lo, i128 *hi)
{
    i128 lo_raw, hi_raw;
    int32_t lo_frac = 0, hi_frac = 0, x_frac = type_map_frac(&x->type, x->shape);
    if (!scale_is_identity(&x->scale) || !rational_to_dyadic(clip->lo, &lo_raw, &lo_frac) ||
        !rational_to_dyadic(clip->hi, &hi_raw, &hi_frac))
        return false;
    int32_t most = lo_frac > hi_frac ? lo_frac : hi_frac;
    if (most > x_frac && most > AFFINE_MAX_FRAC)
        return false;
    *frac = most > x_frac ? most : x_frac;
    *lo = limit_at(lo_raw, lo_frac, *frac);
    *hi = limit_at(hi_raw, hi_frac, *frac);
    return true;
}

bool graph_range_clip(GraphInfer *at)
{
    const GraphNode *x = infer_in(at, 0);
    int32_t frac;
    i128 lo, hi;
    if (!clip_limits(x, at->node->attr.clip, &frac, &lo, &hi)) {
        at->node->scale_open = true;
        return true;
    }
    Interval *range = infer_new_range(at);
    for (uint32_t e = 0, n = shape_size(x->shape); e < n; e++) {
        if (!infer_lift(at, x, e, frac, &range[e]))
            return false;
        range[e] = interval_min(interval_max(range[e], interval_point(lo)), interval_point(hi));
    }
    return infer_uniform(at, range, frac);
}

bool graph_range_max_pool(GraphInfer *at)
{
    const GraphNode *x = infer_in(at, 0);
    const Scale *scale = &x->scale;
    bool by_channel = scale->spread.kind == SPREAD_UNIFORM || (scale->spread.kind == SPREAD_CHANNEL && scale->spread.axis == 2);
    if (!scale_is_identity(scale) && (!by_channel || !scale_is_positive(scale, x->shape))) {
        at->node->scale_open = true;
        return true;
    }
    GraphWindow w = graph_window(at->module, at->node);
    int32_t frac = type_map_frac(&x->type, x->shape);
    Interval *range = infer_new_range(at);
    Bitset seen = bitset_create(at->arena, shape_size(at->node->shape));
    for (uint32_t y = 0, e = 0; y < w.out_height; y++)
        for (uint32_t column = 0; column < w.out_width; column++, e += w.out_channels)
            for (uint32_t k = 0, first; k < w.kernel_height * w.kernel_width; k++) {
                if (!window_input(&w, y, column, k / w.kernel_width, k % w.kernel_width, &first))
                    continue;
                for (uint32_t c = 0; c < w.out_channels; c++) {
                    Interval value;
                    if (!infer_lift(at, x, first + c, frac, &value))
                        return false;
                    range[e + c] = bitset_has(&seen, e + c) ? interval_max(range[e + c], value) : value;
                    bitset_add(&seen, e + c);
                }
            }
    at->node->scale = x->scale;
    return infer_uniform(at, range, frac);
}

/* ---- threshold ---- */

/* The least raw at `frac` that reaches a threshold, in -2^126 .. 2^126. */
static i128 threshold_at(Arena *scratch, Rational at, bool strict, int32_t frac)
{
    Rational scaled = rational_mul(scratch, at, rational_from_raw(scratch, 1, -frac));
    Big least = strict ? big_add(scratch, rational_floor(scratch, scaled), big_from_i128(scratch, 1)) : rational_ceil(scratch, scaled);
    i128 raw, beyond = (i128)1 << 126;
    if (!big_to_i128(least, &raw))
        return big_sign(least) < 0 ? -beyond : beyond;
    return i128_max(-beyond, i128_min(beyond, raw));
}

static void set_threshold_raw(GraphInfer *at, const GraphNode *x)
{
    const GraphThreshold *t = at->node->attr.threshold;
    uint32_t n = spread_count(t->spread, x->shape) * t->n_steps;
    int32_t frac = type_map_frac(&x->type, x->shape);
    i128 *raw = arena_array(at->arena, i128, n);
    Arena *scratch = arena_child(at->arena);
    for (uint32_t i = 0; i < n; i++)
        raw[i] = threshold_at(scratch, t->at[i], t->strict && t->strict[i], frac);
    arena_destroy(scratch);
    at->node->threshold_raw = raw;
}

bool graph_range_threshold(GraphInfer *at)
{
    const GraphThreshold *t = at->node->attr.threshold;
    const GraphNode *x = infer_in(at, 0);
    bool counts = !x->scale_open && scale_is_identity(&x->scale);
    int32_t frac = counts ? type_map_frac(&x->type, x->shape) : 0;
    if (counts)
        set_threshold_raw(at, x);
    Interval *range = infer_new_range(at);
    for (uint32_t e = 0, n = shape_size(x->shape); e < n; e++) {
        uint32_t c = spread_index(t->spread, x->shape, e), first = 0, last = t->n_steps;
        const i128 *level = t->level + (size_t)c * (t->n_steps + 1);
        Interval value;
        if (counts && !infer_lift(at, x, e, frac, &value))
            return false;
        if (counts) {
            const i128 *step = at->node->threshold_raw + (size_t)c * t->n_steps;
            while (first < t->n_steps && value.lo >= step[first])
                first++;
            while (last > first && value.hi < step[last - 1])
                last--;
        }
        range[e] = interval_point(level[first]);
        for (uint32_t k = first + 1; k <= last; k++)
            range[e] = interval_join(range[e], interval_point(level[k]));
    }
    FixedType *type = arena_copy(at->arena, &t->type, sizeof t->type, alignof(FixedType));
    at->node->type = (TypeMap){SPREAD_ONE, type};
    at->node->range = range;
    return true;
}
