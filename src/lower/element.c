/* lower/element.c: ops that work element by element, and those that only move elements. */
#include "lower/inside.h"

#include <assert.h>

void lower_relu(Lower *l, GraphRef ref)
{
    const CircuitRef *in = lower_in(l, ref, 0);
    CircuitRef *out = lower_new(l, ref);
    for (uint32_t e = 0, n = shape_size(lower_node(l, ref)->shape); e < n; e++) {
        l->b.element = e;
        Interval range = wire(l, in[e])->range;
        if (range.lo >= 0 || l->put_off[ref])
            out[e] = in[e];
        else
            out[e] = range.hi <= 0 ? circuit_constant(&l->b, 0, 0) : circuit_max(&l->b, in[e], circuit_constant(&l->b, 0, 0));
    }
}

/* The limit as a wire, unless no value of x lies beyond it. */
static bool limit(Lower *l, CircuitRef x, Rational at, bool lower_limit, CircuitRef *out)
{
    const CircuitNode *node = wire(l, x);
    Rational end = rational_from_raw(l->arena, lower_limit ? node->range.lo : node->range.hi, node->type.frac);
    int order = rational_compare(l->arena, end, at);
    if (lower_limit ? order >= 0 : order <= 0)
        return false;
    i128 raw;
    int32_t frac;
    bool dyadic = rational_to_dyadic(at, &raw, &frac);
    assert(dyadic); /* else the scale is open */
    (void)dyadic;
    *out = circuit_constant(&l->b, raw, frac);
    return true;
}

void lower_clip(Lower *l, GraphRef ref)
{
    const CircuitRef *in = lower_in(l, ref, 0);
    CircuitRef *out = lower_new(l, ref), bound;
    const GraphClip *clip = lower_node(l, ref)->attr.clip;
    for (uint32_t e = 0, n = shape_size(lower_node(l, ref)->shape); e < n; e++) {
        l->b.element = e;
        out[e] = in[e];
        if (limit(l, out[e], clip->lo, true, &bound))
            out[e] = lower_max(&l->b, out[e], bound);
        if (limit(l, out[e], clip->hi, false, &bound))
            out[e] = lower_min(&l->b, out[e], bound);
    }
}

/* Tensors know tighter ranges than wires: no interval of a sum of dependent terms is exact. */
bool lower_cannot_overflow(const GraphNode *x, uint32_t element, const Quantiser *q)
{
    if (q->overflow == OVERFLOW_WRAP || q->type.bits == 0 || x->range == NULL)
        return false;
    Quantiser wide = *q;
    wide.type = (FixedType){true, FIXED_MAX_BITS, q->type.frac};
    wide.overflow = OVERFLOW_SAT;
    QuantiserCounts counts = {0};
    int32_t frac = type_at(&x->type, x->shape, element).frac;
    i128 lo = quantise_raw(x->range[element].lo, frac, &wide, &counts), hi = quantise_raw(x->range[element].hi, frac, &wide, &counts);
    return counts.overflows == 0 && lo >= quantiser_min(q) && hi <= fixed_max(q->type);
}

/* Comparing and selecting all bits of a window's values, and limiting one, against limiting all of them first. */
static bool limits_pay_behind(const Lower *l, GraphRef pool, const CircuitRef *floor, const GraphNode *quantise)
{
    const GraphPool *of = lower_node(l, pool)->attr.pool;
    uint64_t n = (uint64_t)of->height * of->width, wide = 0, narrow = 0;
    for (uint32_t e = 0, count = shape_size(quantise->shape); e < count; e++) {
        wide += wire(l, floor[e])->type.bits;
        narrow += quantiser_at(&quantise->attr.quant->map, quantise->shape, e)->type.bits;
    }
    return (n - 1) * 2 * wide + narrow < (n - 1) * 2 * narrow + n * narrow;
}

static void lower_floors(Lower *l, GraphRef ref, const CircuitRef *in, CircuitRef *out)
{
    const GraphNode *node = lower_node(l, ref), *x = lower_input_node(l, ref, 0);
    uint32_t n = shape_size(node->shape);
    for (uint32_t e = 0; e < n; e++) {
        l->b.element = e;
        out[e] = lower_floor(&l->b, in[e], type_at(&x->type, x->shape, e).frac, quantiser_at(&node->attr.quant->map, node->shape, e));
    }
    if (l->pool[ref] != GRAPH_NONE && limits_pay_behind(l, l->pool[ref], out, node)) {
        l->limits[l->pool[ref]] = ref;
        return;
    }
    for (uint32_t e = 0; e < n; e++) {
        l->b.element = e;
        Quantiser q = *quantiser_at(&node->attr.quant->map, node->shape, e);
        if (lower_cannot_overflow(x, e, &q))
            q.overflow = OVERFLOW_WRAP; /* costs nothing */
        out[e] = lower_limited(&l->b, out[e], &q, l->floors[ref] == LOWER_FLOORS_POSITIVE);
    }
}

void lower_quantise(Lower *l, GraphRef ref)
{
    const GraphNode *node = lower_node(l, ref), *x = lower_input_node(l, ref, 0);
    if (!scale_is_identity(&x->scale)) {
        lower_refuse(l, ref, DIAG_SCALE, "run the pass 'scales' first", "a quantiser stands behind a scale");
        return;
    }
    const CircuitRef *in = lower_in(l, ref, 0);
    CircuitRef *out = lower_new(l, ref);
    if (l->floors[ref] != LOWER_ROUNDS) {
        lower_floors(l, ref, in, out);
        return;
    }
    for (uint32_t e = 0, n = shape_size(node->shape); e < n; e++) {
        l->b.element = e;
        Quantiser q = *quantiser_at(&node->attr.quant->map, node->shape, e);
        if (l->options->plain && q.type.bits > 0) {
            out[e] = circuit_quantise(&l->b, in[e], &q);
            continue;
        }
        if (lower_cannot_overflow(x, e, &q))
            q.overflow = OVERFLOW_WRAP; /* costs nothing */
        out[e] = lower_quantised(&l->b, in[e], &q);
    }
}

/* ---- affine: raw values stay, but for powers of two (a shift of the point) and dyadic offsets on an identity scale, which are computed
 * ---- */
static bool is_computed(const Lower *l, GraphRef ref)
{
    const GraphNode *node = lower_node(l, ref), *x = lower_input_node(l, ref, 0);
    const GraphAffine *affine = node->attr.affine;
    bool offset = false;
    for (uint32_t i = 0, n = spread_count(affine->spread, node->shape); i < n; i++)
        offset |= rational_sign(affine->offset[i]) != 0;
    return offset && scale_is_identity(&x->scale) && scale_is_identity(&node->scale);
}

static CircuitRef computed_affine(Lower *l, CircuitRef x, Rational multiplier, Rational offset)
{
    int32_t power = 0, frac = 0;
    i128 raw = 0;
    if (rational_sign(multiplier) == 0)
        x = circuit_constant(&l->b, 0, 0);
    else if (rational_power_of_two(multiplier, &power) && power != 0)
        x = circuit_shift(&l->b, x, power);
    if (rational_sign(offset) == 0)
        return x;
    bool dyadic = rational_to_dyadic(offset, &raw, &frac);
    assert(dyadic);
    (void)dyadic;
    return circuit_add(&l->b, x, circuit_constant(&l->b, raw, frac), 0);
}

void lower_affine(Lower *l, GraphRef ref)
{
    const GraphNode *node = lower_node(l, ref), *x = lower_input_node(l, ref, 0);
    const GraphAffine *affine = node->attr.affine;
    const CircuitRef *in = lower_in(l, ref, 0);
    CircuitRef *out = lower_new(l, ref);
    bool computed = is_computed(l, ref);
    for (uint32_t e = 0, n = shape_size(node->shape); e < n; e++) {
        l->b.element = e;
        uint32_t i = spread_index(affine->spread, node->shape, e);
        int32_t shift = type_at(&x->type, x->shape, e).frac - type_at(&node->type, node->shape, e).frac;
        if (computed)
            out[e] = computed_affine(l, in[e], affine->multiplier[i], affine->offset[i]);
        else if (rational_sign(affine->multiplier[i]) == 0)
            out[e] = circuit_constant(&l->b, 0, 0);
        else
            out[e] = shift != 0 ? circuit_shift(&l->b, in[e], shift) : in[e];
    }
}

/* ---- sums ---- */
/* numpy: axes from the right, those of 1 repeat */
static uint32_t broadcast(Shape to, Shape from, uint32_t element)
{
    uint32_t index = 0, step = 1;
    for (uint32_t i = 0; i < from.rank; i++) {
        uint32_t dim = to.dim[to.rank - 1 - i], own = from.dim[from.rank - 1 - i];
        index += own == 1 ? 0 : element % dim * step;
        step *= own;
        element /= dim;
    }
    return index;
}

static void lower_sum(Lower *l, GraphRef ref, bool minus)
{
    const GraphNode *node = lower_node(l, ref);
    Shape of_x = lower_input_node(l, ref, 0)->shape, of_y = lower_input_node(l, ref, 1)->shape;
    const CircuitRef *x = lower_in(l, ref, 0), *y = node->last_absorbed ? NULL : lower_in(l, ref, 1);
    CircuitRef *out = lower_new(l, ref);
    for (uint32_t e = 0, n = shape_size(node->shape); e < n; e++) {
        l->b.element = e;
        CircuitRef a = x[broadcast(node->shape, of_x, e)];
        if (y == NULL)
            out[e] = a;
        else
            out[e] = (minus ? circuit_sub : circuit_add)(&l->b, a, y[broadcast(node->shape, of_y, e)], 0);
    }
}

void lower_add(Lower *l, GraphRef ref) { lower_sum(l, ref, false); }
void lower_sub(Lower *l, GraphRef ref) { lower_sum(l, ref, true); }

/* ---- moves ---- */
void lower_reshape(Lower *l, GraphRef ref)
{
    const CircuitRef *in = lower_in(l, ref, 0);
    CircuitRef *out = lower_new(l, ref);
    for (uint32_t e = 0, n = shape_size(lower_node(l, ref)->shape); e < n; e++)
        out[e] = in[e];
}

uint32_t lower_transposed_element(const GraphNode *node, Shape x, uint32_t element)
{
    uint32_t step[SHAPE_MAX_RANK], source = 0; /* of the input's axes, in elements */
    for (uint32_t i = x.rank, size = 1; i-- > 0; size *= x.dim[i])
        step[i] = size;
    for (uint32_t i = node->shape.rank; i-- > 0; element /= node->shape.dim[i])
        source += element % node->shape.dim[i] * step[node->attr.permutation[i]];
    return source;
}

void lower_transpose(Lower *l, GraphRef ref)
{
    const GraphNode *node = lower_node(l, ref);
    Shape from = lower_input_node(l, ref, 0)->shape;
    const CircuitRef *in = lower_in(l, ref, 0);
    CircuitRef *out = lower_new(l, ref);
    for (uint32_t e = 0, n = shape_size(node->shape); e < n; e++)
        out[e] = in[lower_transposed_element(node, from, e)];
}
