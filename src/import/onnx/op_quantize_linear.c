/* import/onnx/op_quantize_linear.c: QuantizeLinear, DequantizeLinear (QCDQ: PyTorch, Brevitas, ONNX Runtime).
 *
 *     integers = saturate(round_half_even(x / scale) + zero_point)        value = (integers - zero_point) * scale
 *
 * Rounding comes before the zero point, so a pair is the quantiser without zero point whose limits are lowered by it. The integers between
 * the two are not built: QuantizeLinear notes what it would do, Clip narrows the limits, DequantizeLinear of the same scale builds one
 * quantiser.
 */
#include "import/onnx/onnx.h"

/* Limits of the integer type. */
static bool limits_of_type(int64_t type, i128 *lo, i128 *hi)
{
    switch (type) {
    case ONNX_TYPE_INT8:
        *lo = INT8_MIN, *hi = INT8_MAX;
        return true;
    case ONNX_TYPE_UINT8:
        *lo = 0, *hi = UINT8_MAX;
        return true;
    case ONNX_TYPE_INT16:
        *lo = INT16_MIN, *hi = INT16_MAX;
        return true;
    case ONNX_TYPE_UINT16:
        *lo = 0, *hi = UINT16_MAX;
        return true;
    case ONNX_TYPE_INT32:
        *lo = INT32_MIN, *hi = INT32_MAX;
        return true;
    }
    return false;
}

/* A list of scales belongs to the axis that the attribute names: in shape so that it broadcasts. */
static const OnnxConstant *on_axis(OnnxNode *node, uint32_t input, OnnxDims of)
{
    const OnnxConstant *constant = onnx_constant(node, input);
    if (!constant || constant->n == 1 || constant->dims.rank != 1)
        return constant;
    uint32_t axis;
    if (!onnx_axis(onnx_int(node, "axis", 1), of.rank, &axis)) {
        diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, "axis"), NULL, "not an axis of a tensor of shape %s",
                   onnx_dims_text(node->import->scratch, of));
        return NULL;
    }
    OnnxDims dims = {.rank = of.rank};
    for (uint32_t i = 0; i < of.rank; i++)
        dims.dim[i] = i == axis ? constant->n : 1;
    return onnx_constant_reshaped(node->import->scratch, constant, dims);
}

static bool read_linear(OnnxNode *node, const OnnxVariable *x, OnnxQuant *quant)
{
    if (onnx_int(node, "block_size", 0) != 0) {
        onnx_refuse(node, "block_size", "per tensor or per axis", "scales in blocks");
        return false;
    }
    const OnnxConstant *step = on_axis(node, 1, x->dims), *zero = onnx_has_input(node, 2) ? on_axis(node, 2, x->dims) : NULL;
    if (!step || (onnx_has_input(node, 2) && !zero))
        return false;
    quant->rounding = ROUND_RND_CONV;
    return onnx_quant_parameters(node, x, step, zero, quant);
}

/* The type of the integers: the zero point's, else output_dtype, else uint8. */
static bool read_integers(OnnxNode *node, OnnxQuant *quant)
{
    const OnnxConstant *zero = onnx_has_input(node, 2) ? onnx_constant(node, 2) : NULL;
    int64_t type = onnx_int(node, "output_dtype", 0);
    if (zero)
        type = zero->type;
    else if (type == 0)
        type = ONNX_TYPE_UINT8;
    if (limits_of_type(type, &quant->lo, &quant->hi))
        return true;
    onnx_refuse(node, NULL, "int8, uint8, int16, uint16, int32", "quantised to %s", onnx_type_text((int32_t)type));
    return false;
}

/* Limits without zero point; the zero points of all channels must be equal, since the limits of a quantiser are. */
static bool take_out_zero(OnnxNode *node, OnnxQuant *quant, uint32_t n)
{
    i128 zero;
    Rational *zeros = arena_array(node->import->scratch, Rational, n);
    for (uint32_t i = 0; i < n; i++) {
        if (!rational_equal(quant->zero[i], quant->zero[0])) {
            onnx_refuse(node, onnx_input_name(node, 2), NULL, "zero points of activations that differ by channel");
            return false;
        }
        zeros[i] = rational_from_i64(node->import->scratch, 0, 1);
    }
    if (!big_to_i128(rational_floor(node->import->scratch, quant->zero[0]), &zero))
        return false;
    quant->lo -= zero;
    quant->hi -= zero;
    quant->zero = zeros;
    return true;
}

void onnx_op_quantize_linear(OnnxNode *node)
{
    OnnxVariable x;
    OnnxQuant quant = {0};
    if (!onnx_variable_moved(node, 0, &x) || !read_linear(node, &x, &quant) || !read_integers(node, &quant))
        return;
    OnnxValue *value = &node->import->values.at[node->out[0]];
    value->kind = ONNX_INTEGERS;
    value->variable = x;
    value->quant = arena_copy(node->import->scratch, &quant, sizeof quant, alignof(OnnxQuant));
}

static bool same_numbers(const Rational *a, const Rational *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!rational_equal(a[i], b[i]))
            return false;
    return true;
}

void onnx_op_dequantize_linear(OnnxNode *node)
{
    const OnnxValue *value = onnx_value(node, 0);
    OnnxQuant quant = {0};
    if (value->kind != ONNX_INTEGERS) {
        onnx_refuse(node, value->name, "quantised inputs: let the model begin with QuantizeLinear",
                    "DequantizeLinear without QuantizeLinear before it");
        return;
    }
    OnnxVariable x = value->variable;
    if (!read_linear(node, &x, &quant))
        return;
    uint32_t n = spread_count(quant.spread, onnx_event_shape(&x));
    const OnnxQuant *begun = value->quant;
    if (n != spread_count(begun->spread, onnx_event_shape(&x)) || !same_numbers(quant.step, begun->step, n) ||
        !same_numbers(quant.zero, begun->zero, n)) {
        onnx_refuse(node, NULL, NULL, "scale or zero point differ from those of the QuantizeLinear before it");
        return;
    }
    quant.lo = begun->lo;
    quant.hi = begun->hi;
    x.port = x.port && value->n_uses == 1;
    if (take_out_zero(node, &quant, n) && onnx_emit_quant(node, x, &quant, &x))
        onnx_set_variable(node, x);
}

void onnx_fold_quantize_linear(OnnxNode *node)
{
    const OnnxConstant *x = onnx_constant(node, 0);
    OnnxQuant quant = {0};
    if (!x || !read_linear(node, &(OnnxVariable){.dims = x->dims}, &quant) || !read_integers(node, &quant))
        return;
    uint32_t n = quant.spread.kind == SPREAD_CHANNEL ? x->dims.dim[quant.spread.axis] : 1;
    i128 zero = 0;
    big_to_i128(rational_floor(node->import->scratch, quant.zero[0]), &zero);
    if (!take_out_zero(node, &quant, n))
        return;
    const OnnxConstant *steps = onnx_fold_with_quant(node, onnx_dequantised(node->import->scratch, x), &quant);
    if (!steps)
        return;
    const OnnxConstant *point = onnx_has_input(node, 2) ? onnx_constant(node, 2) : NULL;
    OnnxConstant *result = onnx_constant_new(node->import->scratch, point ? point->type : ONNX_TYPE_UINT8, x->dims);
    int64_t *whole = onnx_constant_wholes(node->import->scratch, result);
    for (uint32_t i = 0; i < result->n; i++)
        whole[i] = steps->whole[i] + (int64_t)zero;
    onnx_set_constant(node, result);
}

void onnx_fold_dequantize_linear(OnnxNode *node)
{
    const OnnxConstant *x = onnx_constant(node, 0);
    OnnxQuant quant = {0};
    if (!x || !onnx_fold_room(node, x->dims) || !read_linear(node, &(OnnxVariable){.dims = x->dims}, &quant))
        return;
    i128 lo, hi;
    const OnnxConstant *zeros = onnx_has_input(node, 2) ? onnx_constant(node, 2) : NULL;
    if (!x->whole || x->step || !limits_of_type(x->type, &lo, &hi) || (zeros && zeros->type != x->type)) {
        onnx_refuse(node, onnx_input_name(node, 0), "int8, uint8, int16, uint16, int32, the zero point alike", "%s are dequantised",
                    onnx_type_text(x->type));
        return;
    }
    bool channels = quant.spread.kind == SPREAD_CHANNEL;
    uint32_t n = channels ? x->dims.dim[quant.spread.axis] : 1, stride = 1;
    for (uint32_t i = quant.spread.axis + 1; channels && i < x->dims.rank; i++)
        stride *= x->dims.dim[i];
    OnnxConstant *result = onnx_constant_new(node->import->scratch, ONNX_TYPE_FLOAT, x->dims);
    int64_t *whole = onnx_constant_wholes(node->import->scratch, result);
    result->step = quant.step;
    result->step_axis = channels ? (int32_t)quant.spread.axis : -1;
    for (uint32_t i = 0; i < x->n; i++) {
        i128 zero = 0;
        big_to_i128(rational_floor(node->import->scratch, quant.zero[channels ? i / stride % n : 0]), &zero);
        whole[i] = x->whole[i] - (int64_t)zero;
    }
    onnx_set_constant(node, result);
}
