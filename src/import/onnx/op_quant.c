/* import/onnx/op_quant.c: QONNX' quantisers Quant (IntQuant) and BipolarQuant, on activations and on weights.
 * Source: https://github.com/fastmachinelearning/qonnx, docs/qonnx-custom-ops. */
#include "import/onnx/onnx.h"

/* lo and hi of Quant's integers; bipolar for one signed bit. */
static bool read_limits(OnnxNode *node, OnnxQuant *quant)
{
    const OnnxConstant *bits = onnx_constant(node, 3);
    if (!bits)
        return false;
    bool is_signed = onnx_int(node, "signed", 1) != 0, narrow = onnx_int(node, "narrow", 1) != 0;
    double width = bits->n ? onnx_constant_f64(bits, 0) : 0;
    for (uint32_t i = 1; i < bits->n; i++)
        if (onnx_constant_f64(bits, i) != width) {
            onnx_refuse(node, onnx_input_name(node, 3), "one bit width for the tensor", "bit widths that differ by channel");
            return false;
        }
    if (!(width >= 1 && width <= FIXED_MAX_BITS) || width != (int)width) {
        diag_error(node->import->diags, DIAG_VALUE, onnx_place(node, onnx_input_name(node, 3)), "1 to 64", "a bit width of %g", width);
        return false;
    }
    i128 half = (i128)1 << ((int)width - 1);
    quant->bipolar = is_signed && width == 1;
    quant->lo = is_signed ? -half + narrow : 0;
    quant->hi = is_signed ? half - 1 : 2 * half - 1 - narrow;
    return true;
}

static bool read_rounding(OnnxNode *node, OnnxQuant *quant)
{
    const char *text = onnx_string(node, "rounding_mode", "ROUND");
    if (rounding_parse(text, &quant->rounding))
        return true;
    diag_error(node->import->diags, DIAG_UNKNOWN_QUANTISER, onnx_place(node, "rounding_mode"),
               "known: ROUND (HALF_EVEN), CEIL, FLOOR, UP, DOWN, HALF_UP, HALF_DOWN", "rounding mode '%s' is not known", text);
    return false;
}

static bool read_quant(OnnxNode *node, const OnnxVariable *x, OnnxQuant *quant)
{
    const OnnxConstant *step = onnx_constant(node, 1), *zero = onnx_constant(node, 2);
    bool ok = read_rounding(node, quant);
    return read_limits(node, quant) && step && zero && onnx_quant_parameters(node, x, step, zero, quant) && ok;
}

void onnx_op_quant(OnnxNode *node)
{
    OnnxVariable x;
    OnnxQuant quant = {0};
    if (onnx_variable_moved(node, 0, &x) && read_quant(node, &x, &quant) && onnx_emit_quant(node, x, &quant, &x))
        onnx_set_variable(node, x);
}

static void set_folded(OnnxNode *node, const OnnxQuant *quant)
{
    const OnnxConstant *result = onnx_fold_with_quant(node, onnx_dequantised(node->import->scratch, onnx_constant(node, 0)), quant);
    if (result)
        onnx_set_constant(node, result);
}

void onnx_fold_quant(OnnxNode *node)
{
    const OnnxConstant *x = onnx_constant(node, 0);
    OnnxQuant quant = {0};
    if (!x || !read_quant(node, &(OnnxVariable){.dims = x->dims}, &quant))
        return;
    if (quant.hi > INT32_MAX) {
        onnx_refuse(node, onnx_input_name(node, 3), NULL, "weights of more than 32 bits");
        return;
    }
    set_folded(node, &quant);
}

static bool read_bipolar(OnnxNode *node, const OnnxVariable *x, OnnxQuant *quant)
{
    const OnnxConstant *step = onnx_constant(node, 1);
    *quant = (OnnxQuant){.bipolar = true, .lo = -1, .hi = 1};
    return step && onnx_quant_parameters(node, x, step, NULL, quant);
}

void onnx_op_bipolar_quant(OnnxNode *node)
{
    OnnxVariable x;
    OnnxQuant quant;
    if (onnx_variable_moved(node, 0, &x) && read_bipolar(node, &x, &quant) && onnx_emit_quant(node, x, &quant, &x))
        onnx_set_variable(node, x);
}

void onnx_fold_bipolar_quant(OnnxNode *node)
{
    const OnnxConstant *x = onnx_constant(node, 0);
    OnnxQuant quant;
    if (x && read_bipolar(node, &(OnnxVariable){.dims = x->dims}, &quant))
        set_folded(node, &quant);
}
