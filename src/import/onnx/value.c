/* import/onnx/value.c: pieces of the graph that several operators need. */
#include "import/onnx/onnx.h"

#include <assert.h>
#include <string.h>

Shape onnx_event_shape(const OnnxVariable *variable)
{
    uint32_t skip = variable->batched ? 1 : 0;
    Shape shape = {.rank = variable->dims.rank - skip};
    for (uint32_t i = 0; i < shape.rank && i < SHAPE_MAX_RANK; i++)
        shape.dim[i] = variable->dims.dim[(variable->moved ? variable->axes[i] : i) + skip];
    return shape;
}

GraphRef onnx_emit(OnnxNode *node, GraphOp op, const GraphRef *inputs, uint32_t n_inputs)
{
    return graph_add_node(node->import->module, op, inputs, n_inputs, node->layer);
}

/* log2 of every step, if all are powers of two not further apart than the spare bits of a type of `bits` allow */
static bool binary_steps(const OnnxConstant *constant, uint32_t n_steps, uint32_t bits, int32_t *least)
{
    int32_t lo = INT32_MAX, hi = INT32_MIN;
    for (uint32_t i = 0; i < n_steps; i++) {
        int32_t log2;
        if (!rational_power_of_two(constant->step[i], &log2))
            return false;
        lo = log2 < lo ? log2 : lo;
        hi = log2 > hi ? log2 : hi;
    }
    *least = lo;
    return bits + (uint32_t)(hi - lo) <= FIXED_MAX_BITS;
}

static FixedType type_of_wholes(const i128 *raw, uint32_t n, int32_t frac)
{
    i128 lo = raw[0], hi = raw[0];
    for (uint32_t i = 1; i < n; i++) {
        lo = i128_min(lo, raw[i]);
        hi = i128_max(hi, raw[i]);
    }
    return fixed_holding(lo, hi, frac);
}

Rational onnx_rational_keep(Arena *arena, Rational a)
{
    a.num.limb = arena_copy(arena, a.num.limb, a.num.n * sizeof a.num.limb[0], alignof(uint32_t));
    a.den.limb = arena_copy(arena, a.den.limb, a.den.n * sizeof a.den.limb[0], alignof(uint32_t));
    return a;
}

/* Quantised weights and whole numbers: raw integers with a type; steps that are powers of two go into the type, others into the scale. */
static void fill_fixed(OnnxImport *import, const OnnxConstant *constant, GraphTensor *tensor)
{
    Arena *arena = import->arena;
    i128 *raw = arena_array(arena, i128, constant->n);
    for (uint32_t i = 0; i < constant->n; i++)
        raw[i] = constant->whole[i];
    FixedType type = type_of_wholes(raw, constant->n, 0);
    if (constant->step) {
        uint32_t n_steps = constant->step_axis < 0 ? 1 : constant->dims.dim[constant->step_axis];
        int32_t least;
        if (binary_steps(constant, n_steps, type.bits, &least)) {
            uint32_t stride = 1;
            for (uint32_t i = (uint32_t)(constant->step_axis + 1); i < constant->dims.rank; i++)
                stride *= constant->dims.dim[i];
            for (uint32_t i = 0; i < constant->n; i++) {
                int32_t log2 = 0;
                rational_power_of_two(constant->step[n_steps == 1 ? 0 : i / stride % n_steps], &log2);
                raw[i] *= (i128)1 << (log2 - least);
            }
            type = type_of_wholes(raw, constant->n, -least);
        } else {
            Rational *multiplier = arena_array(arena, Rational, n_steps), *offset = arena_array(arena, Rational, n_steps);
            for (uint32_t i = 0; i < n_steps; i++) {
                multiplier[i] = onnx_rational_keep(arena, constant->step[i]);
                offset[i] = rational_from_i64(arena, 0, 1);
            }
            Spread spread = n_steps == 1 ? SPREAD_ONE : (Spread){SPREAD_CHANNEL, (uint32_t)constant->step_axis};
            tensor->scale = (Scale){.spread = spread, .multiplier = multiplier, .offset = offset};
        }
    }
    tensor->kind = KIND_FIXED;
    tensor->raw = raw;
    tensor->type = (TypeMap){.spread = SPREAD_ONE, .at = arena_copy(arena, &type, sizeof type, alignof(FixedType))};
}

GraphRef onnx_emit_constant(OnnxNode *node, const OnnxConstant *constant, Shape shape)
{
    OnnxImport *import = node->import;
    assert(constant->n == shape_size(shape) && constant->n > 0);
    GraphTensor *tensor = arena_new(import->arena, GraphTensor);
    if (constant->real) {
        tensor->kind = constant->type == ONNX_TYPE_DOUBLE ? KIND_F64 : KIND_F32;
        tensor->real = arena_copy(import->arena, constant->real, constant->n * sizeof(double), alignof(double));
    } else {
        fill_fixed(import, constant, tensor);
    }
    return graph_add_constant(import->module, shape, tensor, node->layer);
}

OnnxVariable onnx_emit_affine(OnnxNode *node, OnnxVariable x, Spread spread, const Rational *multiplier, const Rational *offset)
{
    Arena *arena = node->import->arena;
    uint32_t n = spread_count(spread, onnx_event_shape(&x));
    bool identity = true;
    Rational *m = arena_array(arena, Rational, n), *o = arena_array(arena, Rational, n), one = rational_from_i64(arena, 1, 1);
    for (uint32_t i = 0; i < n; i++) {
        m[i] = onnx_rational_keep(arena, multiplier[i]);
        o[i] = onnx_rational_keep(arena, offset[i]);
        identity = identity && rational_equal(m[i], one) && rational_sign(o[i]) == 0;
    }
    if (identity)
        return x;
    GraphAffine *affine = arena_new(arena, GraphAffine);
    *affine = (GraphAffine){.spread = spread, .multiplier = m, .offset = o};
    x.ref = onnx_emit(node, GRAPH_affine, &x.ref, 1);
    graph_node(node->import->module, x.ref)->attr.affine = affine;
    x.scaled = true;
    return x;
}

OnnxVariable onnx_emit_axes(OnnxNode *node, OnnxVariable x, const uint32_t *axes)
{
    uint32_t rank = onnx_event_shape(&x).rank, permutation[SHAPE_MAX_RANK] = {0};
    bool moves = false;
    OnnxVariable y = x;
    y.moved = false;
    for (uint32_t k = 0; k < rank; k++) {
        y.axes[k] = axes ? axes[k] : k;
        y.moved = y.moved || y.axes[k] != k;
        onnx_graph_axis(&x, y.axes[k] + (x.batched ? 1 : 0), &permutation[k]);
        moves = moves || permutation[k] != k;
    }
    if (moves) {
        y.ref = onnx_emit(node, GRAPH_transpose, &x.ref, 1);
        memcpy(graph_node(node->import->module, y.ref)->attr.permutation, permutation, sizeof permutation);
    }
    return y;
}

bool onnx_emit_reshape(OnnxNode *node, OnnxVariable x, OnnxDims dims, OnnxVariable *out)
{
    assert(!x.moved);
    OnnxVariable y = x;
    Shape old = onnx_event_shape(&x);
    uint32_t batch = x.batched ? x.dims.dim[0] : 1;
    y.dims = dims;
    y.batched = x.batched && dims.rank > 0 && dims.dim[0] == batch && onnx_dims_size(dims) == batch * shape_size(old);
    uint32_t rank = dims.rank - (y.batched ? 1 : 0);
    if (x.batched && !y.batched && batch != 1) {
        onnx_refuse(node, NULL, "export the model with a batch of one event", "shape %s mixes the batch axis with others",
                    onnx_dims_text(node->import->scratch, dims));
        return false;
    }
    if (onnx_dims_size(dims) != batch * shape_size(old) || rank > SHAPE_MAX_RANK) {
        diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, NULL), NULL, "%s cannot become %s",
                   onnx_dims_text(node->import->scratch, x.dims), onnx_dims_text(node->import->scratch, dims));
        return false;
    }
    Shape shape = onnx_event_shape(&y);
    if (!shape_equal(shape, old)) {
        y.ref = onnx_emit(node, GRAPH_reshape, &x.ref, 1);
        graph_node(node->import->module, y.ref)->attr.shape = shape;
    }
    *out = y;
    return true;
}

bool onnx_graph_axis(const OnnxVariable *x, uint32_t axis, uint32_t *out)
{
    if (x->batched && axis == 0)
        return false;
    *out = axis - (x->batched ? 1 : 0);
    for (uint32_t k = 0, wanted = *out; x->moved && k < onnx_event_shape(x).rank; k++)
        if (x->axes[k] == wanted)
            *out = k;
    return true;
}

bool onnx_spread_input(OnnxNode *node, uint32_t i, const OnnxVariable *x, Spread *spread, const Rational **at)
{
    const OnnxConstant *constant = onnx_constant(node, i);
    if (!constant || !onnx_constant_finite(node, i, constant))
        return false;
    bool uniform;
    uint32_t axis, graph_axis = 0;
    if (!onnx_constant_spread(constant, x->dims, &uniform, &axis) || (!uniform && !onnx_graph_axis(x, axis, &graph_axis))) {
        onnx_refuse(node, onnx_input_name(node, i), "one number for the tensor, or one for each index of one axis",
                    "numbers of shape %s are combined with a tensor of shape %s", onnx_dims_text(node->import->scratch, constant->dims),
                    onnx_dims_text(node->import->scratch, x->dims));
        return false;
    }
    Rational *list = arena_array(node->import->scratch, Rational, constant->n);
    for (uint32_t k = 0; k < constant->n; k++)
        list[k] = onnx_constant_rational(node->import->scratch, constant, k);
    *spread = uniform ? SPREAD_ONE : (Spread){SPREAD_CHANNEL, graph_axis};
    *at = list;
    return true;
}
