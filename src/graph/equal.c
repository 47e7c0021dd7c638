/* graph/equal.c: the same structure, attributes and layers; what is derived is not looked at. */
#include "graph/inside.h"

#include <string.h>

static bool same_spread(Spread a, Spread b) { return a.kind == b.kind && (a.kind != SPREAD_CHANNEL || a.axis == b.axis); }

static bool same_rationals(const Rational *a, const Rational *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!rational_equal(a[i], b[i]))
            return false;
    return true;
}

static bool same_scale(const Scale *a, const Scale *b, Shape shape)
{
    if (scale_is_identity(a) || scale_is_identity(b))
        return scale_is_identity(a) && scale_is_identity(b);
    uint32_t n = spread_fits(a->spread, shape) ? spread_count(a->spread, shape) : 0;
    return same_spread(a->spread, b->spread) && same_rationals(a->multiplier, b->multiplier, n) && same_rationals(a->offset, b->offset, n);
}

static bool same_quantisers(const QuantMap *a, const QuantMap *b, Shape shape)
{
    if (!a->at || !b->at)
        return !a->at && !b->at;
    if (!same_spread(a->spread, b->spread))
        return false;
    for (uint32_t i = 0, n = spread_count(a->spread, shape); i < n; i++)
        if (!quantiser_equal(a->at[i], b->at[i]))
            return false;
    return true;
}

static bool same_types(const TypeMap *a, const TypeMap *b, Shape shape)
{
    if (!same_spread(a->spread, b->spread))
        return false;
    for (uint32_t i = 0, n = spread_count(a->spread, shape); i < n; i++)
        if (!fixed_equal(a->at[i], b->at[i]))
            return false;
    return true;
}

static bool same_tensor(const GraphTensor *a, const GraphTensor *b, Shape shape)
{
    uint32_t n = shape_size(shape);
    if (a->kind != b->kind || a->is_default != b->is_default || !same_scale(&a->scale, &b->scale, shape))
        return false;
    if (a->kind == KIND_FIXED && !same_types(&a->type, &b->type, shape))
        return false;
    if (a->kind == KIND_F32 || a->kind == KIND_F64) /* by bits: -0 is not 0 */
        return memcmp(a->real, b->real, n * sizeof *a->real) == 0;
    for (uint32_t e = 0; e < n; e++)
        if (a->raw[e] != b->raw[e])
            return false;
    return true;
}

static bool same_threshold(const GraphThreshold *a, const GraphThreshold *b, Shape shape)
{
    if (!same_spread(a->spread, b->spread) || a->n_steps != b->n_steps || !fixed_equal(a->type, b->type))
        return false;
    size_t count = spread_count(a->spread, shape), n = count * a->n_steps;
    if (!same_rationals(a->at, b->at, n))
        return false;
    for (size_t i = 0; i < n; i++)
        if ((a->strict && a->strict[i]) != (b->strict && b->strict[i]))
            return false;
    for (size_t i = 0; i < n + count; i++)
        if (a->level[i] != b->level[i])
            return false;
    return true;
}

static bool same_attribute(const GraphNode *a, const GraphNode *b)
{
    Shape shape = a->shape;
    switch (graph_op_info(a->op)->attribute) {
    case GRAPH_ATTR_NONE:
        return true;
    case GRAPH_ATTR_INPUT:
        return text_equal(a->attr.input->name, b->attr.input->name) && a->attr.input->is_default == b->attr.input->is_default &&
               same_quantisers(&a->attr.input->type, &b->attr.input->type, shape) &&
               same_scale(&a->attr.input->scale, &b->attr.input->scale, shape);
    case GRAPH_ATTR_TENSOR:
        return same_tensor(a->attr.tensor, b->attr.tensor, shape);
    case GRAPH_ATTR_QUANT:
        return a->attr.quant->is_default == b->attr.quant->is_default && same_quantisers(&a->attr.quant->map, &b->attr.quant->map, shape);
    case GRAPH_ATTR_AFFINE: {
        const GraphAffine *x = a->attr.affine, *y = b->attr.affine;
        uint32_t n = spread_count(x->spread, shape);
        return same_spread(x->spread, y->spread) && same_rationals(x->multiplier, y->multiplier, n) &&
               same_rationals(x->offset, y->offset, n);
    }
    case GRAPH_ATTR_CONV:
        return memcmp(a->attr.conv, b->attr.conv, sizeof *a->attr.conv) == 0;
    case GRAPH_ATTR_POOL:
        return memcmp(a->attr.pool, b->attr.pool, sizeof *a->attr.pool) == 0;
    case GRAPH_ATTR_SHAPE:
        return shape_equal(a->attr.shape, b->attr.shape);
    case GRAPH_ATTR_PERMUTATION:
        return memcmp(a->attr.permutation, b->attr.permutation, shape.rank * sizeof a->attr.permutation[0]) == 0;
    case GRAPH_ATTR_CLIP:
        return rational_equal(a->attr.clip->lo, b->attr.clip->lo) && rational_equal(a->attr.clip->hi, b->attr.clip->hi);
    case GRAPH_ATTR_THRESHOLD:
        return same_threshold(a->attr.threshold, b->attr.threshold, shape);
    case GRAPH_ATTR_MODULE:
    case GRAPH_ATTR_OUT:
        return a->attr.index == b->attr.index;
    }
    return false;
}

static bool same_node(const GraphModule *ma, const GraphModule *mb, uint32_t i)
{
    const GraphNode *a = graph_node(ma, i), *b = graph_node(mb, i);
    if (a->op != b->op || a->n_inputs != b->n_inputs || !text_equal(a->layer, b->layer) || !shape_equal(a->shape, b->shape))
        return false;
    for (uint32_t k = 0; k < a->n_inputs; k++)
        if (graph_inputs(ma, a)[k] != graph_inputs(mb, b)[k])
            return false;
    return same_attribute(a, b);
}

static bool same_module(const GraphModule *a, const GraphModule *b)
{
    if (!text_equal(a->name, b->name) || a->nodes.n != b->nodes.n || a->inputs.n != b->inputs.n || a->outputs.n != b->outputs.n)
        return false;
    for (uint32_t i = 0; i < a->nodes.n; i++)
        if (!same_node(a, b, i))
            return false;
    for (uint32_t i = 0; i < a->inputs.n; i++)
        if (a->inputs.at[i] != b->inputs.at[i])
            return false;
    for (uint32_t i = 0; i < a->outputs.n; i++) {
        const GraphOutput *x = &a->outputs.at[i], *y = &b->outputs.at[i];
        if (!text_equal(x->name, y->name) || x->ref != y->ref || x->post != y->post)
            return false;
    }
    return true;
}

bool graph_equal(const Graph *a, const Graph *b)
{
    if (a->modules.n != b->modules.n)
        return false;
    for (uint32_t i = 0; i < a->modules.n; i++)
        if (!same_module(a->modules.at[i], b->modules.at[i]))
            return false;
    return true;
}
