/* import/onnx/op_activation.c: Relu, Clip, Sign, Softmax, ArgMax. */
#include "import/onnx/onnx.h"

#include <float.h>
#include <math.h>

void onnx_op_relu(OnnxNode *node)
{
    OnnxVariable x;
    if (!onnx_variable_moved(node, 0, &x))
        return;
    x.ref = onnx_emit(node, GRAPH_relu, &x.ref, 1);
    onnx_set_variable(node, x);
}

/* A limit of Clip: attribute before operator set 11, input after. Left out or infinite: otherwise. */
static bool read_limit(OnnxNode *node, const char *name, uint32_t i, double otherwise, double *out)
{
    *out = onnx_float(node, name, otherwise);
    if (onnx_has_input(node, i)) {
        const OnnxConstant *constant = onnx_constant(node, i);
        if (!constant || constant->n != 1) {
            if (constant)
                diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, name), NULL, "a limit is one number");
            return false;
        }
        *out = onnx_constant_f64(constant, 0);
    }
    if (isinf(*out) && (*out < 0) == (otherwise < 0))
        *out = otherwise;
    if (isfinite(*out))
        return true;
    diag_error(node->import->diags, DIAG_VALUE, onnx_place(node, name), NULL, "the limit is not usable");
    return false;
}

/* Between QuantizeLinear and DequantizeLinear: fewer integers are kept. */
static void clip_integers(OnnxNode *node, const OnnxValue *from, double lo, double hi)
{
    OnnxQuant *quant = arena_copy(node->import->scratch, from->quant, sizeof *quant, alignof(OnnxQuant));
    bool none = lo > (double)quant->hi || hi < (double)quant->lo;
    if (!none && lo > (double)quant->lo)
        quant->lo = (i128)ceil(lo);
    if (!none && hi < (double)quant->hi)
        quant->hi = (i128)floor(hi);
    if (none || quant->lo > quant->hi) {
        diag_error(node->import->diags, DIAG_VALUE, onnx_place(node, NULL), NULL, "no integer is between the limits");
        return;
    }
    OnnxValue *value = &node->import->values.at[node->out[0]];
    value->kind = ONNX_INTEGERS;
    value->quant = quant;
    value->variable = from->variable;
    value->variable.port = from->variable.port && from->n_uses == 1;
}

void onnx_op_clip(OnnxNode *node)
{
    OnnxVariable x;
    double lo, hi;
    bool known = read_limit(node, "min", 1, -(double)FLT_MAX, &lo);
    known = read_limit(node, "max", 2, (double)FLT_MAX, &hi) && known;
    const OnnxValue *value = onnx_value(node, 0);
    if (known && value->kind == ONNX_INTEGERS) {
        clip_integers(node, value, lo, hi);
        return;
    }
    if (!onnx_variable_moved(node, 0, &x) || !known)
        return;
    if (lo > hi) {
        diag_error(node->import->diags, DIAG_VALUE, onnx_place(node, NULL), NULL, "the lower limit %g is above the upper one, %g", lo, hi);
        return;
    }
    if (lo == 0 && hi == (double)FLT_MAX) {
        x.ref = onnx_emit(node, GRAPH_relu, &x.ref, 1);
    } else {
        GraphClip *clip = arena_new(node->import->arena, GraphClip);
        *clip = (GraphClip){.lo = rational_from_double(node->import->arena, lo), .hi = rational_from_double(node->import->arena, hi)};
        x.ref = onnx_emit(node, GRAPH_clip, &x.ref, 1);
        graph_node(node->import->module, x.ref)->attr.clip = clip;
    }
    onnx_set_variable(node, x);
}

/* -1, 0, 1: x has reached 0, x is above 0. */
void onnx_op_sign(OnnxNode *node)
{
    Arena *arena = node->import->arena;
    OnnxVariable x;
    if (!onnx_variable_moved(node, 0, &x))
        return;
    const Rational at[] = {rational_from_i64(arena, 0, 1), rational_from_i64(arena, 0, 1)};
    const bool strict[] = {false, true};
    const i128 level[] = {-1, 0, 1};
    GraphThreshold *threshold = arena_new(arena, GraphThreshold);
    *threshold = (GraphThreshold){.spread = SPREAD_ONE,
                                  .n_steps = 2,
                                  .type = {.is_signed = true, .bits = 2, .frac = 0},
                                  .at = arena_copy(arena, at, sizeof at, alignof(Rational)),
                                  .strict = arena_copy(arena, strict, sizeof strict, alignof(bool)),
                                  .level = arena_copy(arena, level, sizeof level, alignof(i128))};
    x.ref = onnx_emit(node, GRAPH_threshold, &x.ref, 1);
    graph_node(node->import->module, x.ref)->attr.threshold = threshold;
    x.scaled = false;
    onnx_set_variable(node, x);
}

/* Over the last axis? Before operator set 13 a softmax went over all axes from `axis` on: the same if all but the last of them are of
 * size 1. */
static bool is_over_last(OnnxDims dims, int64_t axis, bool joined)
{
    uint32_t at, size = 1;
    if (!onnx_axis(axis, dims.rank, &at))
        return false;
    for (uint32_t i = at; i < dims.rank; i++)
        size *= dims.dim[i];
    return at == dims.rank - 1 || (joined && size == dims.dim[dims.rank - 1]);
}

void onnx_op_softmax(OnnxNode *node)
{
    OnnxVariable x;
    bool joined = node->import->opset < 13;
    if (!onnx_variable(node, 0, &x))
        return;
    if (!is_over_last(x.dims, onnx_int(node, "axis", joined ? 1 : -1), joined) || onnx_event_shape(&x).rank == 0) {
        onnx_refuse(node, "axis", "over the last axis", "a softmax over other axes than the last, of a tensor of shape %s",
                    onnx_dims_text(node->import->scratch, x.dims));
        return;
    }
    OnnxVariable y = x;
    y.logits = x.ref;
    y.ref = onnx_emit(node, GRAPH_softmax, &x.ref, 1);
    onnx_set_variable(node, y);
}

/* Of a softmax: of what went into it, whose largest element is the same one. */
void onnx_op_argmax(OnnxNode *node)
{
    const OnnxValue *value = onnx_value(node, 0);
    OnnxVariable x;
    if (value->kind == ONNX_VARIABLE && value->variable.logits != GRAPH_NONE) {
        x = value->variable;
        x.ref = x.logits;
        x.logits = GRAPH_NONE;
    } else if (!onnx_variable(node, 0, &x)) {
        return;
    }
    uint32_t axis;
    if (onnx_int(node, "select_last_index", 0) != 0) {
        onnx_refuse(node, "select_last_index", "the first of equal values", "the last of equal values");
        return;
    }
    if (!onnx_axis(onnx_int(node, "axis", 0), x.dims.rank, &axis) || axis != x.dims.rank - 1 || onnx_event_shape(&x).rank == 0) {
        onnx_refuse(node, "axis", "over the last axis", "an ArgMax over another axis than the last of %s",
                    onnx_dims_text(node->import->scratch, x.dims));
        return;
    }
    x.ref = onnx_emit(node, GRAPH_argmax, &x.ref, 1);
    x.scaled = false;
    x.type = ONNX_TYPE_INT64;
    OnnxDims kept = x.dims;
    kept.dim[axis] = 1;
    x.dims.rank--;
    if (onnx_int(node, "keepdims", 1) == 0 || onnx_emit_reshape(node, x, kept, &x))
        onnx_set_variable(node, x);
}
