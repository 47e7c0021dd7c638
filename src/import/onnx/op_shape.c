/* import/onnx/op_shape.c: what moves values or passes them on: Flatten, Reshape, Squeeze, Unsqueeze, Transpose, Identity, Dropout, Cast,
 * Shape. */
#include "import/onnx/sizes.h"

/* Values in any order of axes, whatever becomes of them: also a softmax that an output will name. */
static bool any_variable(OnnxNode *node, OnnxVariable *out)
{
    const OnnxValue *value = onnx_value(node, 0);
    if (value->kind == ONNX_VARIABLE && value->variable.logits != GRAPH_NONE) {
        *out = value->variable;
        return true;
    }
    return onnx_variable_moved(node, 0, out);
}

#define OP_SIZES(name)                                                                                                                     \
    void onnx_op_##name(OnnxNode *node)                                                                                                    \
    {                                                                                                                                      \
        OnnxVariable x;                                                                                                                    \
        OnnxDims dims;                                                                                                                     \
        if (onnx_variable(node, 0, &x) && onnx_sizes_##name(node, x.dims, &dims) && onnx_emit_reshape(node, x, dims, &x))                  \
            onnx_set_variable(node, x);                                                                                                    \
    }
OP_SIZES(flatten)
OP_SIZES(reshape)
OP_SIZES(squeeze)
OP_SIZES(unsqueeze)

/* Builds nothing: only the order changes in which the file counts the axes. */
void onnx_op_transpose(OnnxNode *node)
{
    OnnxVariable x;
    uint32_t permutation[ONNX_MAX_RANK];
    if (!onnx_variable_moved(node, 0, &x) || !onnx_sizes_permutation(node, x.dims.rank, permutation))
        return;
    if (x.batched && permutation[0] != 0) {
        onnx_refuse(node, "perm", "the batch, the first axis, must stay the first", "a transpose that moves the batch axis");
        return;
    }
    OnnxVariable y = x;
    y.moved = false;
    for (uint32_t i = 0, skip = x.batched ? 1 : 0, k; i < x.dims.rank; i++) {
        y.dims.dim[i] = x.dims.dim[permutation[i]];
        if (onnx_graph_axis(&x, permutation[i], &k)) {
            y.axes[k] = i - skip;
            y.moved = y.moved || k != i - skip;
        }
    }
    onnx_set_variable(node, y);
}

void onnx_op_identity(OnnxNode *node)
{
    OnnxVariable x;
    if (any_variable(node, &x))
        onnx_set_variable(node, x);
}

/* At inference, nothing; ratio and the mask do not matter then. */
void onnx_op_dropout(OnnxNode *node)
{
    const OnnxConstant *training = onnx_has_input(node, 2) ? onnx_constant(node, 2) : NULL;
    if (onnx_has_input(node, 2) && (!training || training->n != 1 || onnx_constant_f64(training, 0) != 0)) {
        onnx_refuse(node, "training_mode", "export the model in evaluation mode", "a Dropout in training mode");
        return;
    }
    if (node->n_out > 1 && node->out[1] != ONNX_NONE && node->import->values.at[node->out[1]].n_uses) {
        onnx_refuse(node, "mask", NULL, "the mask of a Dropout is used");
        return;
    }
    onnx_op_identity(node);
}

void onnx_op_cast(OnnxNode *node)
{
    OnnxVariable x;
    int64_t to = onnx_int(node, "to", 0);
    if (!any_variable(node, &x))
        return;
    bool from_index = x.type == ONNX_TYPE_INT64 || x.type == ONNX_TYPE_INT32, to_real = to == ONNX_TYPE_FLOAT || to == ONNX_TYPE_DOUBLE;
    if (!to_real && !(from_index && (to == ONNX_TYPE_INT64 || to == ONNX_TYPE_INT32))) {
        onnx_refuse(node, "to", "float32 and float64; indices of an ArgMax also int32 and int64", "a tensor cast to %s",
                    onnx_type_text((int32_t)to));
        return;
    }
    x.type = (OnnxType)to;
    onnx_set_variable(node, x);
}

void onnx_op_shape(OnnxNode *node)
{
    OnnxVariable x;
    if (any_variable(node, &x))
        onnx_set_constant(node, onnx_sizes_as_constant(node, x.dims));
}
