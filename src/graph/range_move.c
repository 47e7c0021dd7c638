/* graph/range_move.c: what only moves values, whose types, scales and ranges move along by element; and argmax, which only chooses among
 * places. */
#include "graph/inside.h"

#include <assert.h>

/* Where a spread goes when elements move; *gather: which old entry each new one is, NULL where the list stays as it is. */
static Spread move_spread(const GraphInfer *at, Spread spread, const uint32_t *source, uint32_t **gather)
{
    const GraphNode *x = infer_in(at, 0);
    Shape from = x->shape, to = at->node->shape;
    *gather = NULL;
    if (spread.kind == SPREAD_UNIFORM)
        return spread;
    if (spread.kind == SPREAD_CHANNEL && at->node->op == GRAPH_transpose) {
        uint32_t axis = 0;
        while (at->node->attr.permutation[axis] != spread.axis)
            axis++;
        return (Spread){SPREAD_CHANNEL, axis};
    }
    bool keeps_last = from.rank > 0 && to.rank > 0 && from.dim[from.rank - 1] == to.dim[to.rank - 1];
    if (spread.kind == SPREAD_CHANNEL && keeps_last && spread.axis == from.rank - 1)
        return (Spread){SPREAD_CHANNEL, to.rank - 1};
    uint32_t n = shape_size(to);
    *gather = arena_array(at->arena, uint32_t, n);
    for (uint32_t e = 0; e < n; e++)
        (*gather)[e] = spread_index(spread, from, source ? source[e] : e);
    return (Spread){SPREAD_ELEMENT, 0};
}

static void move_type(GraphInfer *at, const TypeMap *type, const uint32_t *source)
{
    uint32_t *gather;
    TypeMap moved = {move_spread(at, type->spread, source, &gather), type->at};
    if (gather) {
        uint32_t n = shape_size(at->node->shape);
        FixedType *list = arena_array(at->arena, FixedType, n);
        for (uint32_t i = 0; i < n; i++)
            list[i] = type->at[gather[i]];
        moved.at = list;
    }
    at->node->type = moved;
}

static void move_scale(GraphInfer *at, const Scale *scale, const uint32_t *source)
{
    if (scale_is_identity(scale))
        return;
    uint32_t *gather;
    Scale moved = {move_spread(at, scale->spread, source, &gather), scale->multiplier, scale->offset};
    if (gather) {
        uint32_t n = shape_size(at->node->shape);
        Rational *multiplier = arena_array(at->arena, Rational, n), *offset = arena_array(at->arena, Rational, n);
        for (uint32_t i = 0; i < n; i++) {
            multiplier[i] = scale->multiplier[gather[i]];
            offset[i] = scale->offset[gather[i]];
        }
        moved.multiplier = multiplier;
        moved.offset = offset;
    }
    at->node->scale = moved;
}

bool graph_range_reshape(GraphInfer *at)
{
    const GraphNode *x = infer_in(at, 0);
    move_type(at, &x->type, NULL);
    move_scale(at, &x->scale, NULL);
    at->node->range = x->range;
    return true;
}

bool graph_range_transpose(GraphInfer *at)
{
    const GraphNode *x = infer_in(at, 0);
    uint32_t n = shape_size(x->shape);
    uint32_t *source = arena_array(at->arena, uint32_t, n);
    for (uint32_t e = 0; e < n; e++)
        source[e] = transpose_index(at->node->shape, x->shape, at->node->attr.permutation, e);
    move_type(at, &x->type, source);
    move_scale(at, &x->scale, source);
    Interval *range = infer_new_range(at);
    for (uint32_t e = 0; e < n; e++)
        range[e] = x->range[source[e]];
    at->node->range = range;
    return true;
}

/* ---- argmax ---- */

/* First and last index that can be the first largest: one that some value of it can win against the least values of the others. */
static bool winners(GraphInfer *at, const GraphNode *x, uint32_t first, uint32_t n, int32_t frac, Interval *out)
{
    Interval *value = arena_array(at->arena, Interval, n);
    for (uint32_t i = 0; i < n; i++)
        if (!infer_lift(at, x, first + i, frac, &value[i]))
            return false;
    /* before[i]: greatest lo of those in front of i, that i must exceed; after: of those behind it, that it must reach */
    i128 *after = arena_array(at->arena, i128, n);
    for (uint32_t i = n; i-- > 1;)
        after[i - 1] = i == n - 1 ? value[i].lo : i128_max(after[i], value[i].lo);
    i128 before = value[0].lo;
    bool any = false;
    for (uint32_t i = 0; i < n; before = i128_max(before, value[i].lo), i++) {
        if ((i > 0 && value[i].hi <= before) || (i < n - 1 && value[i].hi < after[i]))
            continue;
        *out = any ? interval_join(*out, interval_point(i)) : interval_point(i);
        any = true;
    }
    assert(any);
    return true;
}

bool graph_range_argmax(GraphInfer *at)
{
    const GraphNode *x = infer_in(at, 0);
    uint32_t n = x->shape.dim[x->shape.rank - 1];
    int32_t frac = type_map_frac(&x->type, x->shape);
    bool compares_raw = scale_is_uniform(&x->scale, x->shape) && scale_is_positive(&x->scale, x->shape);
    Interval *range = infer_new_range(at);
    for (uint32_t e = 0, count = shape_size(at->node->shape); e < count; e++) {
        range[e] = interval_of(0, n - 1);
        if (compares_raw && !winners(at, x, e * n, n, frac, &range[e]))
            return false;
    }
    FixedType *type = arena_new(at->arena, FixedType);
    *type = fixed_holding(0, n - 1, 0);
    at->node->type = (TypeMap){SPREAD_ONE, type};
    at->node->range = range;
    return true;
}

bool graph_range_softmax(GraphInfer *at)
{
    at->node->kind = KIND_F64;
    return true;
}
