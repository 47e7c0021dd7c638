/* import/onnx/op_dense.c: MatMul and Gemm with weights that stand in the model -> dense. */
#include "import/onnx/onnx.h"

bool onnx_is_binary(const OnnxConstant *constant)
{
    int32_t log2;
    uint32_t n = !constant->step ? 0 : constant->step_axis < 0 ? 1 : constant->dims.dim[constant->step_axis];
    for (uint32_t i = 0; i < n; i++)
        if (!rational_power_of_two(constant->step[i], &log2))
            return false;
    return constant->whole != NULL;
}

bool onnx_bias_joins(const OnnxVariable *x, const OnnxConstant *weights, const OnnxConstant *bias)
{
    if (weights->real)
        return bias->real != NULL;
    return !x->scaled && onnx_is_binary(weights) && onnx_is_binary(bias);
}

/* One number for each output? y: the result's shape, batch included. */
static bool is_bias_of(const OnnxConstant *bias, OnnxDims y)
{
    bool uniform;
    uint32_t axis;
    return bias->n == y.dim[y.rank - 1] && onnx_constant_spread(bias, y, &uniform, &axis) && (uniform || axis == y.rank - 1);
}

/* weights [n_in, n_out]; bias may be NULL. false and a diagnostic. */
static bool emit_dense(OnnxNode *node, OnnxVariable x, const OnnxConstant *weights, const OnnxConstant *bias, OnnxVariable *out)
{
    Shape event = onnx_event_shape(&x);
    if (event.rank == 0 || event.dim[event.rank - 1] != weights->dims.dim[0]) {
        diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, NULL), NULL, "weights %s are multiplied with a tensor of shape %s",
                   onnx_dims_text(node->import->scratch, weights->dims), onnx_dims_text(node->import->scratch, x.dims));
        return false;
    }
    if (weights->step && weights->step_axis == 0) {
        onnx_refuse(node, onnx_input_name(node, 1), "one scale for the tensor, or one for each output",
                    "the weights have a scale for each input, so that the products have no common step");
        return false;
    }
    uint32_t n_out = weights->dims.dim[1];
    if (n_out == 0 || weights->n == 0) {
        diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, onnx_input_name(node, 1)), NULL, "the weights are empty");
        return false;
    }
    GraphRef inputs[3] = {x.ref};
    inputs[1] = onnx_emit_constant(node, weights, (Shape){.rank = 2, .dim = {weights->dims.dim[0], n_out}});
    if (bias)
        inputs[2] = onnx_emit_constant(node, bias, (Shape){.rank = 1, .dim = {n_out}});
    *out = x;
    out->ref = onnx_emit(node, GRAPH_dense, inputs, bias ? 3 : 2);
    out->dims.dim[x.dims.rank - 1] = n_out;
    out->scaled = x.scaled || (weights->whole && !onnx_is_binary(weights));
    return true;
}

/* The Add behind a MatMul, if nothing else reads the product and what it adds is a bias. */
static OnnxNode *find_bias(OnnxNode *node, const OnnxVariable *x, const OnnxConstant *weights, const OnnxConstant **bias)
{
    const OnnxValue *product = &node->import->values.at[node->out[0]];
    if (product->n_uses != 1 || product->user == ONNX_NONE)
        return NULL;
    OnnxNode *add = &node->import->nodes[product->user];
    if (!add->op || add->op->handler != onnx_op_add)
        return NULL;
    uint32_t other = add->in[0] == node->out[0] ? 1 : 0;
    const OnnxValue *value = onnx_value(add, other);
    if (value->kind != ONNX_CONSTANT)
        return NULL;
    OnnxDims y = x->dims;
    y.dim[y.rank - 1] = weights->dims.dim[1];
    if (!is_bias_of(value->constant, y) || !onnx_bias_joins(x, weights, value->constant) ||
        !onnx_constant_finite(add, other, value->constant))
        return NULL;
    *bias = value->constant;
    return add;
}

/* Weights of rank 2: a vector is one column, leading axes of size 1 go. */
static const OnnxConstant *as_matrix(OnnxNode *node, const OnnxConstant *weights)
{
    OnnxDims dims = {.rank = 2, .dim = {1, 1}};
    uint32_t rank = weights->dims.rank, most = 1;
    for (uint32_t i = 0; i + 2 < rank; i++)
        most = u32_max(most, weights->dims.dim[i]);
    if (rank == 0 || most > 1) {
        onnx_refuse(node, onnx_input_name(node, 1), "weights of shape [inputs, outputs]", "weights of shape %s",
                    onnx_dims_text(node->import->scratch, weights->dims));
        return NULL;
    }
    dims.dim[0] = weights->dims.dim[rank >= 2 ? rank - 2 : 0];
    dims.dim[1] = rank >= 2 ? weights->dims.dim[rank - 1] : 1;
    const OnnxConstant *matrix = onnx_constant_reshaped(node->import->scratch, weights, dims);
    if (!matrix)
        onnx_refuse(node, onnx_input_name(node, 1), NULL, "scales on an axis of size 1");
    return matrix;
}

void onnx_op_matmul(OnnxNode *node)
{
    OnnxVariable x;
    if (onnx_input_is_constant(node, 0)) {
        onnx_refuse(node, onnx_input_name(node, 0), "the tensor that depends on the inputs first, the weights second",
                    "weights on the left of a MatMul");
        return;
    }
    if (!onnx_variable(node, 0, &x))
        return;
    if (!onnx_input_is_constant(node, 1)) {
        onnx_refuse(node, onnx_input_name(node, 1), NULL, "a product of two tensors that both depend on the model's inputs");
        return;
    }
    const OnnxConstant *given = onnx_constant(node, 1), *bias = NULL;
    const OnnxConstant *weights = given && onnx_constant_finite(node, 1, given) ? as_matrix(node, given) : NULL;
    if (!weights)
        return;
    bool column = given->dims.rank == 1;
    OnnxNode *add = column ? NULL : find_bias(node, &x, weights, &bias);
    OnnxVariable y;
    if (!emit_dense(node, x, weights, bias, &y))
        return;
    if (column) { /* the axis of size 1 that a vector leaves */
        OnnxDims dims = y.dims;
        dims.rank--;
        if (!onnx_emit_reshape(node, y, dims, &y))
            return;
    }
    onnx_set_variable(node, y);
    if (add)
        onnx_set_variable(add, y);
}

/* y * alpha + beta * c behind the sum, exactly; c may be NULL. */
static bool emit_rest(OnnxNode *node, OnnxVariable y, double alpha, double beta, bool has_c, OnnxVariable *out)
{
    Arena *arena = node->import->scratch;
    Spread spread = SPREAD_ONE;
    const Rational *c = NULL;
    if (has_c && !onnx_spread_input(node, 2, &y, &spread, &c))
        return false;
    uint32_t n = spread_count(spread, onnx_event_shape(&y));
    Rational *multiplier = arena_array(arena, Rational, n), *offset = arena_array(arena, Rational, n);
    for (uint32_t i = 0; i < n; i++) {
        multiplier[i] = rational_from_double(arena, alpha);
        offset[i] = c ? rational_mul(arena, c[i], rational_from_double(arena, beta)) : rational_from_i64(arena, 0, 1);
    }
    *out = onnx_emit_affine(node, y, spread, multiplier, offset);
    return true;
}

void onnx_op_gemm(OnnxNode *node)
{
    OnnxVariable x, y;
    double alpha = onnx_float(node, "alpha", 1.0), beta = onnx_float(node, "beta", 1.0);
    if (onnx_int(node, "transA", 0) != 0) {
        onnx_refuse(node, "transA", NULL, "the first factor transposed");
        return;
    }
    if (!(alpha - alpha == 0) || !(beta - beta == 0)) {
        diag_error(node->import->diags, DIAG_VALUE, onnx_place(node, NULL), NULL, "alpha or beta is not a finite number");
        return;
    }
    if (!onnx_variable(node, 0, &x))
        return;
    if (!onnx_input_is_constant(node, 1)) {
        onnx_refuse(node, onnx_input_name(node, 1), NULL, "a product of two tensors that both depend on the model's inputs");
        return;
    }
    const OnnxConstant *weights = onnx_constant(node, 1),
                       *c = onnx_has_input(node, 2) && onnx_input_is_constant(node, 2) ? onnx_constant(node, 2) : NULL;
    if (!weights || !onnx_constant_finite(node, 1, weights) || (c && !onnx_constant_finite(node, 2, c)))
        return;
    if (weights->dims.rank != 2 || x.dims.rank != 2) {
        diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, NULL), NULL, "Gemm takes matrices, not %s and %s",
                   onnx_dims_text(node->import->scratch, x.dims), onnx_dims_text(node->import->scratch, weights->dims));
        return;
    }
    if (onnx_int(node, "transB", 0) != 0)
        weights = onnx_constant_transposed(node->import->scratch, weights, (const uint32_t[]){1, 0});
    OnnxDims y_dims = {.rank = 2, .dim = {x.dims.dim[0], weights->dims.dim[1]}};
    bool joins = c && alpha == 1 && beta == 1 && is_bias_of(c, y_dims) && onnx_bias_joins(&x, weights, c);
    if (!emit_dense(node, x, weights, joins ? c : NULL, &y))
        return;
    if (onnx_has_input(node, 2) && !c) {
        onnx_refuse(node, onnx_input_name(node, 2), "an Add behind the Gemm", "a bias that depends on the model's inputs");
        return;
    }
    if (joins || emit_rest(node, y, alpha, beta, c != NULL, &y))
        onnx_set_variable(node, y);
}
