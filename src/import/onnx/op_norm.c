/* import/onnx/op_norm.c: BatchNormalization of a trained model, and scikit-learn's Scaler -> affine. */
#include "import/onnx/onnx.h"

#include "num/rsqrt.h"

void onnx_op_batch_norm(OnnxNode *node)
{
    OnnxImport *import = node->import;
    OnnxVariable x;
    const OnnxConstant *parameter[4];
    double epsilon = onnx_float(node, "epsilon", (double)1e-5f);
    if (onnx_int(node, "training_mode", 0) != 0 || onnx_int(node, "spatial", 1) != 1) {
        onnx_refuse(node, NULL, "export the model in evaluation mode", "training mode, or statistics for each position");
        return;
    }
    if (!onnx_variable_moved(node, 0, &x))
        return;
    uint32_t axis, n;
    uint32_t channels = node->op->domain == ONNX_DOMAIN_LAST ? x.dims.rank - 1 : 1;
    if (x.dims.rank < 2 || !onnx_graph_axis(&x, channels, &axis)) {
        diag_error(import->diags, DIAG_SHAPE, onnx_place(node, NULL), NULL, "a tensor of shape %s has no channel axis",
                   onnx_dims_text(import->scratch, x.dims));
        return;
    }
    n = x.dims.dim[channels];
    for (uint32_t i = 0; i < 4; i++) {
        parameter[i] = onnx_constant(node, i + 1);
        if (!parameter[i] || !onnx_constant_finite(node, i + 1, parameter[i]))
            return;
        if (parameter[i]->n != n) {
            diag_error(import->diags, DIAG_SHAPE, onnx_place(node, onnx_input_name(node, i + 1)), NULL, "%u numbers for %u channels",
                       parameter[i]->n, n);
            return;
        }
    }
    Rational *multiplier = arena_array(import->scratch, Rational, n), *offset = arena_array(import->scratch, Rational, n);
    for (uint32_t i = 0; i < n; i++)
        if (!rational_batch_norm(import->scratch, onnx_constant_f64(parameter[0], i), onnx_constant_f64(parameter[1], i),
                                 onnx_constant_f64(parameter[2], i), onnx_constant_f64(parameter[3], i), epsilon, &multiplier[i],
                                 &offset[i])) {
            diag_error(import->diags, DIAG_VALUE, onnx_place(node, onnx_input_name(node, 4)), NULL,
                       "the variance of channel %u is not usable", i);
            return;
        }
    Spread spread = {SPREAD_CHANNEL, axis};
    onnx_set_variable(node, onnx_emit_affine(node, x, spread, multiplier, offset));
}

/* The floats of an attribute: one for all, or one for each index of the last axis. */
static bool scaler_list(OnnxNode *node, const char *name, uint32_t n, const float **list, uint32_t *count)
{
    const Onnx__AttributeProto *attribute = onnx_attribute(node, name);
    if (attribute && (attribute->n_floats == 1 || attribute->n_floats == n)) {
        *list = attribute->floats;
        *count = (uint32_t)attribute->n_floats;
        bool finite = true;
        for (uint32_t i = 0; i < *count; i++)
            finite = finite && (*list)[i] - (*list)[i] == 0;
        if (finite)
            return true;
    }
    diag_error(node->import->diags, DIAG_VALUE, onnx_place(node, name), NULL, "not a list of %u finite numbers", n);
    return false;
}

void onnx_op_scaler(OnnxNode *node)
{
    Arena *arena = node->import->scratch;
    OnnxVariable x;
    if (!onnx_variable(node, 0, &x))
        return;
    Shape event = onnx_event_shape(&x);
    uint32_t n = event.rank ? event.dim[event.rank - 1] : 1, n_offset, n_scale;
    const float *offsets, *scales;
    if (!scaler_list(node, "offset", n, &offsets, &n_offset) || !scaler_list(node, "scale", n, &scales, &n_scale))
        return;
    Rational *multiplier = arena_array(arena, Rational, n), *offset = arena_array(arena, Rational, n);
    for (uint32_t i = 0; i < n; i++) {
        multiplier[i] = rational_from_double(arena, (double)scales[n_scale == 1 ? 0 : i]);
        offset[i] = rational_neg(rational_mul(arena, multiplier[i], rational_from_double(arena, (double)offsets[n_offset == 1 ? 0 : i])));
    }
    Spread spread = event.rank ? (Spread){SPREAD_CHANNEL, event.rank - 1} : SPREAD_ONE;
    onnx_set_variable(node, onnx_emit_affine(node, x, spread, multiplier, offset));
}
