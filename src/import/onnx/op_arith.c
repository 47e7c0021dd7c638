/* import/onnx/op_arith.c: Add, Sub, Mul, Div, Neg. With constants: an affine node, exact. Of two tensors: sums and differences. */
#include "import/onnx/onnx.h"

typedef enum Arith { ADD, SUB, MUL, DIV } Arith;

/* Which input is the constant, if it is one for the tensor or one for each channel: x becomes x * multiplier + offset. */
static void emit_with_constant(OnnxNode *node, Arith arith, uint32_t i_constant, OnnxVariable x)
{
    Arena *arena = node->import->scratch;
    Spread spread;
    const Rational *c;
    if (!onnx_spread_input(node, i_constant, &x, &spread, &c))
        return;
    uint32_t n = spread_count(spread, onnx_event_shape(&x));
    Rational *multiplier = arena_array(arena, Rational, n), *offset = arena_array(arena, Rational, n);
    Rational one = rational_from_i64(arena, 1, 1), zero = rational_from_i64(arena, 0, 1);
    for (uint32_t i = 0; i < n; i++) {
        multiplier[i] = one;
        offset[i] = zero;
        switch (arith) {
        case ADD:
            offset[i] = c[i];
            break;
        case SUB:
            multiplier[i] = i_constant == 0 ? rational_neg(one) : one;
            offset[i] = i_constant == 0 ? c[i] : rational_neg(c[i]);
            break;
        case MUL:
            multiplier[i] = c[i];
            break;
        case DIV:
            if (rational_sign(c[i]) == 0) {
                diag_error(node->import->diags, DIAG_VALUE, onnx_place(node, onnx_input_name(node, i_constant)), NULL, "a division by 0");
                return;
            }
            multiplier[i] = rational_div(arena, one, c[i]);
            break;
        }
    }
    onnx_set_variable(node, onnx_emit_affine(node, x, spread, multiplier, offset));
}

static OnnxVariable negate(OnnxNode *node, OnnxVariable x)
{
    Rational minus = rational_from_i64(node->import->scratch, -1, 1), zero = rational_from_i64(node->import->scratch, 0, 1);
    bool scaled = x.scaled;
    x = onnx_emit_affine(node, x, SPREAD_ONE, &minus, &zero);
    x.scaled = scaled;
    return x;
}

/* Does y fit into x by broadcasting, batch beside batch? */
static bool holds(const OnnxVariable *x, const OnnxVariable *y)
{
    OnnxDims both;
    bool aligned = x->batched == y->batched ? x->dims.rank == y->dims.rank || !x->batched : !y->batched && y->dims.rank < x->dims.rank;
    return aligned && onnx_broadcast(x->dims, y->dims, &both) && onnx_dims_equal(both, x->dims);
}

static void emit_sum(OnnxNode *node, GraphOp op, OnnxVariable x, OnnxVariable y)
{
    if (!holds(&x, &y) && holds(&y, &x)) {
        OnnxVariable swap = op == GRAPH_sub ? negate(node, y) : y; /* x - y = -y + x */
        y = x;
        x = swap;
        op = GRAPH_add;
    }
    if (!holds(&x, &y)) {
        onnx_refuse(node, NULL, "one of the two must have the shape of the result", "tensors of shapes %s and %s combined",
                    onnx_dims_text(node->import->scratch, x.dims), onnx_dims_text(node->import->scratch, y.dims));
        return;
    }
    x.ref = onnx_emit(node, op, (const GraphRef[]){x.ref, y.ref}, 2);
    x.scaled = x.scaled || y.scaled;
    onnx_set_variable(node, x);
}

/* A constant with its own number for many elements: a tensor like any other. */
static bool constant_as_variable(OnnxNode *node, uint32_t i, const OnnxVariable *x, OnnxVariable *out)
{
    const OnnxConstant *constant = onnx_constant(node, i);
    bool uniform;
    uint32_t axis, graph_axis;
    if (!constant || (onnx_constant_spread(constant, x->dims, &uniform, &axis) && (uniform || onnx_graph_axis(x, axis, &graph_axis))))
        return false;
    OnnxVariable y = {.dims = constant->dims,
                      .batched = x->batched && constant->dims.rank == x->dims.rank,
                      .logits = GRAPH_NONE,
                      .type = constant->type,
                      .scaled = constant->step != NULL};
    OnnxDims both;
    if ((y.batched && y.dims.dim[0] != 1) || !onnx_broadcast(x->dims, y.dims, &both) || !onnx_dims_equal(both, x->dims) ||
        (!y.batched && y.dims.rank > SHAPE_MAX_RANK) || !onnx_constant_finite(node, i, constant))
        return false;
    const OnnxConstant *event = constant;
    Shape shape = onnx_event_shape(&y);
    if (y.batched) {
        OnnxDims dims = {.rank = shape.rank};
        for (uint32_t k = 0; k < shape.rank; k++)
            dims.dim[k] = shape.dim[k];
        event = onnx_constant_reshaped(node->import->scratch, constant, dims);
    }
    if (!event)
        return false;
    y.ref = onnx_emit_constant(node, event, shape);
    if (y.batched)
        y.dims.dim[0] = x->dims.dim[0];
    *out = y;
    return true;
}

static void emit(OnnxNode *node, Arith arith)
{
    OnnxVariable x, y;
    if (onnx_input_is_constant(node, 0) || onnx_input_is_constant(node, 1)) {
        uint32_t i_constant = onnx_input_is_constant(node, 0) ? 0 : 1;
        if (!onnx_variable_moved(node, 1 - i_constant, &x))
            return;
        bool sum = arith == ADD || (arith == SUB && i_constant == 1);
        if (arith == DIV && i_constant == 0)
            onnx_refuse(node, NULL, NULL, "a constant divided by a tensor that depends on the model's inputs");
        else if (sum && constant_as_variable(node, i_constant, &x, &y))
            emit_sum(node, arith == ADD ? GRAPH_add : GRAPH_sub, onnx_emit_axes(node, x, NULL), y);
        else
            emit_with_constant(node, arith, i_constant, x);
        return;
    }
    if (!onnx_variable_moved(node, 0, &x) || !onnx_variable_moved(node, 1, &y))
        return;
    if (arith == MUL || arith == DIV)
        onnx_refuse(node, NULL, "products with numbers of the model are taken",
                    "a %s of two tensors that both depend on the model's inputs", arith == MUL ? "product" : "quotient");
    else if (x.moved && x.batched == y.batched && x.dims.rank == y.dims.rank)
        emit_sum(node, arith == ADD ? GRAPH_add : GRAPH_sub, x, onnx_emit_axes(node, y, x.axes)); /* y follows x */
    else {
        x = onnx_emit_axes(node, x, NULL);
        y = onnx_emit_axes(node, y, NULL);
        emit_sum(node, arith == ADD ? GRAPH_add : GRAPH_sub, x, y);
    }
}

void onnx_op_add(OnnxNode *node) { emit(node, ADD); }
void onnx_op_sub(OnnxNode *node) { emit(node, SUB); }
void onnx_op_mul(OnnxNode *node) { emit(node, MUL); }
void onnx_op_div(OnnxNode *node) { emit(node, DIV); }

void onnx_op_neg(OnnxNode *node)
{
    OnnxVariable x;
    if (onnx_variable_moved(node, 0, &x))
        onnx_set_variable(node, negate(node, x));
}
