/* graph/range_sum.c: add and sub. Raw values of equal scale multipliers are added, their offsets as well; a constant of another scale
 * becomes part of the offset; all else has no common integer form and is refused by name. */
#include "graph/inside.h"

static bool is_point_tensor(const GraphNode *y)
{
    for (uint32_t e = 0, n = shape_size(y->shape); e < n; e++)
        if (!interval_is_point(y->range[e]))
            return false;
    return true;
}

typedef enum SumScales { SUM_RAW, SUM_ABSORBS, SUM_REFUSED } SumScales;

/* Raw values may be added where multipliers are equal; a constant of another scale becomes part of the offset. */
static SumScales sum_scales(const GraphNode *x, const GraphNode *y, Shape shape)
{
    if (scale_is_identity(&x->scale) && scale_is_identity(&y->scale))
        return SUM_RAW;
    for (uint32_t e = 0, n = shape_size(shape); e < n; e++)
        if (!rational_equal(scale_multiplier_at(&x->scale, x->shape, e),
                            scale_multiplier_at(&y->scale, y->shape, broadcast_index(shape, y->shape, e))))
            return is_point_tensor(y) ? SUM_ABSORBS : SUM_REFUSED;
    return SUM_RAW;
}

static Scale scale_of_sum(const GraphInfer *at, const GraphNode *x, const GraphNode *y, bool minus, bool absorbs)
{
    Shape shape = at->node->shape;
    if (scale_is_identity(&x->scale) && scale_is_identity(&y->scale))
        return (Scale){0};
    uint32_t n = shape_size(shape);
    Rational *multiplier = arena_array(at->arena, Rational, n), *offset = arena_array(at->arena, Rational, n);
    for (uint32_t e = 0; e < n; e++) {
        uint32_t i = broadcast_index(shape, y->shape, e);
        Rational more = absorbs ? scale_value(at->arena, &y->scale, y->shape, i, y->range[i].lo, type_at(&y->type, y->shape, i))
                                : scale_offset_at(&y->scale, y->shape, i);
        multiplier[e] = scale_multiplier_at(&x->scale, x->shape, e);
        offset[e] = rational_add(at->arena, scale_offset_at(&x->scale, x->shape, e), minus ? rational_neg(more) : more);
    }
    return scale_compress(at->arena, shape, multiplier, offset);
}

static bool range_sum(GraphInfer *at, bool minus)
{
    const GraphNode *x = infer_in(at, 0), *y = infer_in(at, 1);
    Shape shape = at->node->shape;
    SumScales how = sum_scales(x, y, shape);
    if (how == SUM_REFUSED) {
        diag_error(at->diags, DIAG_SCALE, infer_place(at), "put a quantiser before the sum", "values of different scales are added");
        return false;
    }
    int32_t frac = type_map_frac(&x->type, x->shape), y_frac = type_map_frac(&y->type, y->shape);
    if (how == SUM_RAW && y_frac > frac)
        frac = y_frac;
    Interval *range = infer_new_range(at);
    for (uint32_t e = 0, n = shape_size(shape); e < n; e++) {
        Interval addend = interval_point(0);
        if (!infer_lift(at, x, e, frac, &range[e]))
            return false;
        if (how == SUM_RAW && !infer_lift(at, y, broadcast_index(shape, y->shape, e), frac, &addend))
            return false;
        if (!(minus ? interval_sub(range[e], addend, &range[e]) : interval_add(range[e], addend, &range[e])))
            return infer_too_wide(at);
    }
    at->node->last_absorbed = how == SUM_ABSORBS;
    at->node->scale = scale_of_sum(at, x, y, minus, how == SUM_ABSORBS);
    scale_drop_identity(shape, &at->node->scale);
    return infer_uniform(at, range, frac);
}

bool graph_range_add(GraphInfer *at) { return range_sum(at, false); }
bool graph_range_sub(GraphInfer *at) { return range_sum(at, true); }
