/* import/onnx/op_conv.c: Conv and MaxPool over images -> conv2d, max_pool.
 *
 * The graph has images as [height, width, channels], kernels as [height, width, n_in, n_out]. ONNX has [batch, channels, height, width] and
 * [n_out, n_in / group, height, width]; in QONNX' channels_last domain the channels are last in both
 * (https://github.com/fastmachinelearning/qonnx, src/qonnx/custom_op/channels_last).
 *
 * Groups and dilations are a larger kernel with zeros, which cost no logic:
 *
 *     group 2     w . 0 0       n_out 0 sees the first half      dilation 2     w 0 w 0 w
 *                 0 0 w .       of the channels only
 */
#include "import/onnx/onnx.h"

#define WINDOW_MOST ((int64_t)1 << 14) /* of strides, sides and paddings */

typedef struct Window {
    uint32_t size[2], kernel[2], dilation[2], stride[2], before[2], behind[2], out[2]; /* height, width */
} Window;

/* Integers of an attribute, or `otherwise` for each of them. */
static bool read_list(OnnxNode *node, const char *name, uint32_t n, int64_t least, int64_t otherwise, uint32_t *out)
{
    const int64_t *list = NULL;
    uint32_t length = n;
    bool given = onnx_attribute(node, name) != NULL;
    if (given && !onnx_int_list(node, name, ONNX_NONE, &list, &length, &given))
        return false;
    for (uint32_t i = 0; i < n && length == n; i++) {
        int64_t value = list ? list[i] : otherwise;
        if (value < least || value >= WINDOW_MOST) {
            diag_error(node->import->diags, DIAG_VALUE, onnx_place(node, name), NULL, "%lld is not usable", (long long)value);
            return false;
        }
        out[i] = (uint32_t)value;
    }
    if (length != n)
        diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, name), NULL, "%u numbers where a window over height and width has %u",
                   length, n);
    return length == n;
}

static uint32_t extent(const Window *w, uint32_t i) { return (w->kernel[i] - 1) * w->dilation[i] + 1; }

/* auto_pad: as many windows as strides fit into the image, the zeros on both sides; an odd one at the end (SAME_UPPER) or the beginning. */
static bool read_padding(OnnxNode *node, Window *w)
{
    const char *mode = onnx_string(node, "auto_pad", "NOTSET");
    bool upper = text_equal(mode, "SAME_UPPER"), same = upper || text_equal(mode, "SAME_LOWER"), none = text_equal(mode, "VALID");
    uint32_t pads[4];
    if (!same && !none && !text_equal(mode, "NOTSET")) {
        diag_error(node->import->diags, DIAG_VALUE, onnx_place(node, "auto_pad"), "known: NOTSET, VALID, SAME_UPPER, SAME_LOWER",
                   "'%s' is not known", mode);
        return false;
    }
    if (!read_list(node, "pads", 4, 0, 0, pads))
        return false;
    if ((same || none) && (pads[0] || pads[1] || pads[2] || pads[3])) {
        onnx_refuse(node, "pads", "leave out one of the two", "pads beside auto_pad = %s", mode);
        return false;
    }
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t n = (w->size[i] - 1) / w->stride[i] * w->stride[i] + extent(w, i), all = n > w->size[i] ? n - w->size[i] : 0;
        w->before[i] = !same ? pads[i] : upper ? all / 2 : all - all / 2;
        w->behind[i] = !same ? pads[i + 2] : all - w->before[i];
    }
    return true;
}

/* Number of windows along an axis. ceil_mode: one more that the image does not fill, if it begins before the image ends. */
static bool count_windows(OnnxNode *node, Window *w, bool ceil_mode)
{
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t padded = w->before[i] + w->size[i] + w->behind[i], n = extent(w, i);
        if (padded < n) {
            diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, NULL), NULL, "a window of %u does not fit into %u", n, padded);
            return false;
        }
        if (w->before[i] >= WINDOW_MOST || w->behind[i] >= WINDOW_MOST) {
            diag_error(node->import->diags, DIAG_LIMIT, onnx_place(node, NULL), NULL, "the padding is %u and %u", w->before[i],
                       w->behind[i]);
            return false;
        }
        w->out[i] = (padded - n) / w->stride[i] + 1;
        if (ceil_mode && (padded - n) % w->stride[i] && w->out[i] * w->stride[i] < w->before[i] + w->size[i]) {
            w->behind[i] += w->out[i] * w->stride[i] + n - padded;
            w->out[i]++;
        }
    }
    return true;
}

/* x as the graph has images, and the axes of the file's: dims.dim[axis[0, 1, 2]] are height, width, channels. */
static bool read_image(OnnxNode *node, OnnxVariable *x, uint32_t axis[3])
{
    bool last = node->op->domain == ONNX_DOMAIN_LAST;
    if (!onnx_variable_moved(node, 0, x))
        return false;
    if (x->dims.rank != 4 || !x->batched) {
        onnx_refuse(node, onnx_input_name(node, 0), last ? "[batch, height, width, channels]" : "[batch, channels, height, width]",
                    "%s over a tensor of shape %s", node->op->type, onnx_dims_text(node->import->scratch, x->dims));
        return false;
    }
    for (uint32_t k = 0; k < 3; k++)
        axis[k] = last ? k + 1 : k == 2 ? 1 : k + 2;
    *x = onnx_emit_axes(node, *x, (const uint32_t[SHAPE_MAX_RANK]){axis[0] - 1, axis[1] - 1, axis[2] - 1});
    return true;
}

/* ---- Conv ---- */

/* [height, width, n_in / group, n_out] -> the kernel with zeros between its points and for the channels of other groups */
static const OnnxConstant *with_zeros(OnnxNode *node, const OnnxConstant *kernel, const Window *w, uint32_t n_in)
{
    uint32_t n_part = kernel->dims.dim[2], n_out = kernel->dims.dim[3], n_group = n_in / n_part;
    int64_t dims[4] = {extent(w, 0), extent(w, 1), n_in, n_out};
    OnnxDims all;
    if (!onnx_dims_make(dims, 4, &all)) {
        diag_error(node->import->diags, DIAG_LIMIT, onnx_place(node, NULL), NULL, "the kernel has more than 2^28 elements");
        return NULL;
    }
    if (onnx_dims_equal(all, kernel->dims))
        return kernel;
    if (!onnx_fold_room(node, all))
        return NULL;
    OnnxConstant *wide = onnx_constant_new(node->import->scratch, kernel->type, all);
    wide->step = kernel->step;
    wide->step_axis = kernel->step_axis;
    double *real = kernel->real ? onnx_constant_reals(node->import->scratch, wide) : NULL;
    int64_t *whole = kernel->whole ? onnx_constant_wholes(node->import->scratch, wide) : NULL;
    for (uint32_t from = 0; from < kernel->n; from++) {
        uint32_t out = from % n_out, in = from / n_out % n_part, point = from / n_out / n_part;
        uint32_t row = point / w->kernel[1] * w->dilation[0], column = point % w->kernel[1] * w->dilation[1];
        uint32_t channel = out / (n_out / n_group) * n_part + in;
        uint32_t to = ((row * all.dim[1] + column) * n_in + channel) * n_out + out;
        if (real)
            real[to] = kernel->real[from];
        else
            whole[to] = kernel->whole[from];
    }
    return wide;
}

/* The weights as [height, width, n_in / group, n_out], and the window. NULL and a diagnostic. */
static const OnnxConstant *read_kernel(OnnxNode *node, uint32_t n_in, Window *w)
{
    const OnnxConstant *weights = onnx_constant(node, 1);
    bool last = node->op->domain == ONNX_DOMAIN_LAST;
    int64_t n_group = onnx_int(node, "group", 1);
    uint32_t shape[2];
    if (!weights || !onnx_constant_finite(node, 1, weights))
        return NULL;
    if (weights->dims.rank == 4 && weights->n > 0) {
        const uint32_t first_order[] = {2, 3, 1, 0}, last_order[] = {1, 2, 3, 0};
        weights = onnx_constant_transposed(node->import->scratch, weights, last ? last_order : first_order);
    }
    const uint32_t *dim = weights->dims.dim;
    if (weights->dims.rank != 4 || weights->n == 0 || n_group < 1 || n_group > n_in || dim[2] * (uint64_t)n_group != n_in ||
        dim[3] % (uint64_t)n_group) {
        diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, onnx_input_name(node, 1)), NULL,
                   "the weights do not fit %u channels in %lld groups", n_in, (long long)n_group);
        return NULL;
    }
    if (weights->step && weights->step_axis >= 0 && weights->step_axis != 3) {
        onnx_refuse(node, onnx_input_name(node, 1), "one scale for the tensor, or one for each output channel",
                    "the weights have scales along another axis than the outputs, so that the products have no common step");
        return NULL;
    }
    for (uint32_t i = 0; i < 2; i++) {
        w->kernel[i] = shape[i] = dim[i];
        if (dim[i] >= WINDOW_MOST) {
            diag_error(node->import->diags, DIAG_LIMIT, onnx_place(node, NULL), NULL, "a kernel of %u", dim[i]);
            return NULL;
        }
    }
    if (onnx_attribute(node, "kernel_shape") &&
        (!read_list(node, "kernel_shape", 2, 1, 1, shape) || shape[0] != dim[0] || shape[1] != dim[1])) {
        diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, "kernel_shape"), NULL, "not that of the weights, %u x %u", dim[0],
                   dim[1]);
        return NULL;
    }
    return weights;
}

/* The bias of a Conv, one number for each output; *ok false: reported. NULL: none. */
static const OnnxConstant *read_conv_bias(OnnxNode *node, uint32_t n_out, bool *ok)
{
    *ok = true;
    if (!onnx_has_input(node, 2))
        return NULL;
    const OnnxConstant *bias = onnx_constant(node, 2);
    *ok = bias && onnx_constant_finite(node, 2, bias);
    if (*ok && (bias->dims.rank != 1 || bias->n != n_out)) {
        *ok = false;
        diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, onnx_input_name(node, 2)), NULL, "a bias of shape %s for %u outputs",
                   onnx_dims_text(node->import->scratch, bias->dims), n_out);
    }
    return bias;
}

/* A bias on another grid than the sum: an exact offset behind it. */
static OnnxVariable emit_bias(OnnxNode *node, OnnxVariable y, const OnnxConstant *bias)
{
    Rational *multiplier = arena_array(node->import->scratch, Rational, bias->n);
    Rational *offset = arena_array(node->import->scratch, Rational, bias->n);
    for (uint32_t i = 0; i < bias->n; i++) {
        multiplier[i] = rational_from_i64(node->import->scratch, 1, 1);
        offset[i] = onnx_constant_rational(node->import->scratch, bias, i);
    }
    return onnx_emit_affine(node, y, (Spread){SPREAD_CHANNEL, 2}, multiplier, offset);
}

void onnx_op_conv(OnnxNode *node)
{
    OnnxVariable x;
    uint32_t axis[3];
    if (!read_image(node, &x, axis))
        return;
    Window w = {.size = {x.dims.dim[axis[0]], x.dims.dim[axis[1]]}};
    uint32_t n_in = x.dims.dim[axis[2]];
    bool ok;
    const OnnxConstant *kernel = read_kernel(node, n_in, &w);
    if (!kernel || !read_list(node, "dilations", 2, 1, 1, w.dilation) || !read_list(node, "strides", 2, 1, 1, w.stride) ||
        !read_padding(node, &w) || !count_windows(node, &w, false))
        return;
    uint32_t n_out = kernel->dims.dim[3];
    const OnnxConstant *bias = read_conv_bias(node, n_out, &ok);
    if (!ok || !(kernel = with_zeros(node, kernel, &w, n_in)))
        return;
    bool joins = bias && onnx_bias_joins(&x, kernel, bias);
    GraphRef inputs[3] = {x.ref};
    inputs[1] = onnx_emit_constant(node, kernel, (Shape){4, {extent(&w, 0), extent(&w, 1), n_in, n_out}});
    if (joins)
        inputs[2] = onnx_emit_constant(node, bias, (Shape){1, {n_out}});
    GraphConv *conv = arena_new(node->import->arena, GraphConv);
    *conv = (GraphConv){w.stride[0], w.stride[1], w.before[0], w.before[1], w.behind[0], w.behind[1]};
    OnnxVariable y = x;
    y.ref = onnx_emit(node, GRAPH_conv2d, inputs, joins ? 3 : 2);
    graph_node(node->import->module, y.ref)->attr.conv = conv;
    y.dims.dim[axis[0]] = w.out[0];
    y.dims.dim[axis[1]] = w.out[1];
    y.dims.dim[axis[2]] = n_out;
    y.scaled = x.scaled || (kernel->whole && !onnx_is_binary(kernel));
    onnx_set_variable(node, bias && !joins ? emit_bias(node, y, bias) : y);
}

/* ---- MaxPool ---- */

void onnx_op_max_pool(OnnxNode *node)
{
    OnnxVariable x;
    uint32_t axis[3];
    if (node->n_out > 1 && node->out[1] != ONNX_NONE && node->import->values.at[node->out[1]].n_uses) {
        onnx_refuse(node, "Indices", NULL, "the positions of the largest elements are used");
        return;
    }
    if (!onnx_attribute(node, "kernel_shape")) {
        diag_error(node->import->diags, DIAG_MISSING, onnx_place(node, "kernel_shape"), NULL, "the size of the window is not given");
        return;
    }
    if (!read_image(node, &x, axis))
        return;
    Window w = {.size = {x.dims.dim[axis[0]], x.dims.dim[axis[1]]}};
    if (!read_list(node, "kernel_shape", 2, 1, 1, w.kernel) || !read_list(node, "dilations", 2, 1, 1, w.dilation) ||
        !read_list(node, "strides", 2, 1, 1, w.stride))
        return;
    if (w.dilation[0] != 1 || w.dilation[1] != 1) {
        onnx_refuse(node, "dilations", "windows without gaps", "a window with gaps");
        return;
    }
    if (!read_padding(node, &w) || !count_windows(node, &w, onnx_int(node, "ceil_mode", 0) != 0))
        return;
    for (uint32_t i = 0; i < 2; i++)
        if (w.before[i] >= w.kernel[i] || w.behind[i] >= w.kernel[i]) {
            diag_error(node->import->diags, DIAG_VALUE, onnx_place(node, "pads"), NULL,
                       "the padding is as large as the window, which would be empty there");
            return;
        }
    GraphPool *pool = arena_new(node->import->arena, GraphPool);
    *pool = (GraphPool){w.kernel[0], w.kernel[1], w.stride[0], w.stride[1], w.before[0], w.before[1], w.behind[0], w.behind[1]};
    x.ref = onnx_emit(node, GRAPH_max_pool, &x.ref, 1);
    graph_node(node->import->module, x.ref)->attr.pool = pool;
    x.dims.dim[axis[0]] = w.out[0];
    x.dims.dim[axis[1]] = w.out[1];
    onnx_set_variable(node, x);
}
