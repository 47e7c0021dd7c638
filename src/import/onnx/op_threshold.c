/* import/onnx/op_threshold.c: MultiThreshold of FINN and QONNX: out_scale * (number of thresholds <= x) + out_bias, the thresholds being
 * those of the channel. */
#include "import/onnx/onnx.h"

#include <stdlib.h>
#include <string.h>

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The axis of channels that data_layout names; without it the second one, or the last of three (as QONNX guesses: NC, NWC, NCHW). */
static bool channel_axis(OnnxNode *node, OnnxDims dims, uint32_t *axis)
{
    const char *layout = onnx_string(node, "data_layout", "");
    const char *c = strchr(layout, 'C');
    *axis = c ? (uint32_t)(c - layout) : dims.rank == 3 && !*layout ? 2 : 1;
    if (*axis < dims.rank && (!*layout || strlen(layout) == dims.rank))
        return true;
    diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, "data_layout"), NULL, "layout '%s' does not fit a tensor of shape %s",
               layout, onnx_dims_text(node->import->scratch, dims));
    return false;
}

/* Thresholds in rising order, each channel on its own: what counts is how many are reached. */
static Rational *sorted_thresholds(OnnxNode *node, const OnnxConstant *given, uint32_t n_channels, uint32_t n_steps)
{
    Rational *at = arena_array(node->import->arena, Rational, given->n);
    double *row = arena_array(node->import->scratch, double, n_steps);
    for (uint32_t c = 0; c < n_channels; c++) {
        for (uint32_t k = 0; k < n_steps; k++)
            row[k] = onnx_constant_f64(given, c * n_steps + k);
        qsort(row, n_steps, sizeof row[0], compare_doubles);
        for (uint32_t k = 0; k < n_steps; k++)
            at[c * n_steps + k] = rational_from_double(node->import->arena, row[k]);
    }
    return at;
}

/* Levels k * scale + bias as raw integers of a type where scale is a power of two and bias a multiple of it; else plain counts, and false.
 */
static bool fill_levels(GraphThreshold *threshold, Arena *arena, uint32_t n_channels, double scale, double bias)
{
    uint32_t n = threshold->n_steps;
    int32_t log2 = 0, bias_log2;
    i128 first = 0;
    i128 *level = arena_array(arena, i128, (size_t)n_channels * (n + 1));
    Rational ratio = rational_div(arena, rational_from_double(arena, bias), rational_from_double(arena, scale));
    bool joins = rational_power_of_two(rational_from_double(arena, scale), &log2) && rational_to_dyadic(ratio, &first, &bias_log2);
    if (joins && first != 0 && bias_log2 <= 0 && bias_log2 > -32 && first < INT32_MAX && first > INT32_MIN)
        first *= (i128)1 << -bias_log2;
    else if (first != 0)
        joins = false;
    if (!joins)
        first = log2 = 0;
    for (uint32_t c = 0; c < n_channels; c++)
        for (uint32_t k = 0; k <= n; k++)
            level[c * (n + 1) + k] = first + k;
    threshold->level = level;
    threshold->type = fixed_holding(first, first + n, -log2);
    return joins;
}

void onnx_op_multi_threshold(OnnxNode *node)
{
    OnnxImport *import = node->import;
    OnnxVariable x;
    const OnnxConstant *given = onnx_constant(node, 1);
    double scale = onnx_float(node, "out_scale", 1), bias = onnx_float(node, "out_bias", 0);
    uint32_t axis, graph_axis;
    if (!onnx_variable_moved(node, 0, &x) || !given || !onnx_constant_finite(node, 1, given) || !channel_axis(node, x.dims, &axis))
        return;
    if (given->dims.rank != 2 || given->n == 0 || (given->dims.dim[0] != 1 && given->dims.dim[0] != x.dims.dim[axis]) ||
        !onnx_graph_axis(&x, axis, &graph_axis)) {
        diag_error(import->diags, DIAG_SHAPE, onnx_place(node, onnx_input_name(node, 1)), "[channels, steps] or [1, steps]",
                   "thresholds of shape %s for a tensor of shape %s", onnx_dims_text(import->scratch, given->dims),
                   onnx_dims_text(import->scratch, x.dims));
        return;
    }
    if (scale == 0 || !(scale - scale == 0) || !(bias - bias == 0)) {
        diag_error(import->diags, DIAG_VALUE, onnx_place(node, "out_scale"), NULL, "out_scale or out_bias is not usable");
        return;
    }
    uint32_t n_channels = given->dims.dim[0], n_steps = given->dims.dim[1];
    GraphThreshold *threshold = arena_new(import->arena, GraphThreshold);
    *threshold = (GraphThreshold){.spread = n_channels == 1 ? SPREAD_ONE : (Spread){SPREAD_CHANNEL, graph_axis},
                                  .n_steps = n_steps,
                                  .at = sorted_thresholds(node, given, n_channels, n_steps)};
    bool joined = fill_levels(threshold, import->arena, n_channels, scale, bias);
    x.ref = onnx_emit(node, GRAPH_threshold, &x.ref, 1);
    graph_node(import->module, x.ref)->attr.threshold = threshold;
    x.scaled = false;
    if (!joined) {
        Rational multiplier = rational_from_double(import->scratch, scale), offset = rational_from_double(import->scratch, bias);
        x = onnx_emit_affine(node, x, SPREAD_ONE, &multiplier, &offset);
    }
    onnx_set_variable(node, x);
}
