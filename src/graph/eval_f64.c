/* graph/eval_f64.c: one node in plain double arithmetic, terms added in natural order: the model as a framework would run it. */
#include "graph/inside.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static uint32_t size_of(const GraphNode *node) { return shape_size(node->shape); }

void graph_eval_f64_constant(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    const GraphTensor *tensor = node->attr.tensor;
    const Scale *scale = &tensor->scale;
    (void)module, (void)in;
    if (tensor->real) {
        memcpy(out, tensor->real, size_of(node) * sizeof *out);
        return;
    }
    for (uint32_t e = 0, n = size_of(node); e < n; e++) {
        int32_t frac = tensor->kind == KIND_FIXED ? type_at(&tensor->type, node->shape, e).frac : 0;
        out[e] = fixed_to_double(tensor->raw[e], frac);
        if (!scale_is_identity(scale)) {
            uint32_t i = spread_index(scale->spread, node->shape, e);
            out[e] = out[e] * rational_to_double(scale->multiplier[i]) + rational_to_double(scale->offset[i]);
        }
    }
}

void graph_eval_f64_quantise(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    (void)module;
    for (uint32_t e = 0, n = size_of(node); e < n; e++) {
        const Quantiser *q = quantiser_at(&node->attr.quant->map, node->shape, e);
        out[e] = fixed_to_double(quantise_double(in[0][e], q, NULL), q->type.frac);
    }
}

void graph_eval_f64_affine(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    const GraphAffine *affine = node->attr.affine;
    uint32_t n = size_of(node), count = spread_count(affine->spread, node->shape), inner = spread_inner(affine->spread, node->shape);
    (void)module;
    for (uint32_t i = 0; i < count; i++) {
        double multiplier = rational_to_double(affine->multiplier[i]), offset = rational_to_double(affine->offset[i]);
        for (uint32_t first = i * inner; first < n; first += count * inner)
            for (uint32_t e = first; e < first + inner; e++)
                out[e] = in[0][e] * multiplier + offset;
    }
}

void graph_eval_f64_relu(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    (void)module;
    for (uint32_t e = 0, n = size_of(node); e < n; e++)
        out[e] = in[0][e] > 0 ? in[0][e] : 0;
}

void graph_eval_f64_clip(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    double lo = rational_to_double(node->attr.clip->lo), hi = rational_to_double(node->attr.clip->hi);
    (void)module;
    for (uint32_t e = 0, n = size_of(node); e < n; e++)
        out[e] = fmin(fmax(in[0][e], lo), hi);
}

/* Step by step, so that each threshold is converted once: out counts the steps reached so far. */
void graph_eval_f64_threshold(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    const GraphThreshold *t = node->attr.threshold;
    uint32_t n = size_of(node), count = spread_count(t->spread, node->shape), inner = spread_inner(t->spread, node->shape);
    (void)module;
    memset(out, 0, n * sizeof *out);
    for (size_t i = 0; i < (size_t)count * t->n_steps; i++) {
        double at = rational_to_double(t->at[i]);
        bool strict = t->strict && t->strict[i];
        for (uint32_t first = (uint32_t)(i / t->n_steps) * inner; first < n; first += count * inner)
            for (uint32_t e = first; e < first + inner; e++)
                out[e] += strict ? in[0][e] > at : in[0][e] >= at; /* they rise: who reaches one has reached those before it */
    }
    for (uint32_t e = 0; e < n; e++) {
        size_t level = (size_t)spread_index(t->spread, node->shape, e) * (t->n_steps + 1) + (size_t)out[e];
        out[e] = fixed_to_double(t->level[level], t->type.frac);
    }
}

static void eval_sum(const GraphModule *module, const GraphNode *node, const double *const *in, double *out, double sign)
{
    const GraphNode *y = graph_input_node(module, node, 1);
    for (uint32_t e = 0, n = size_of(node); e < n; e++)
        out[e] = in[0][e] + sign * in[1][broadcast_index(node->shape, y->shape, e)];
}

void graph_eval_f64_add(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    eval_sum(module, node, in, out, 1);
}
void graph_eval_f64_sub(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    eval_sum(module, node, in, out, -1);
}

static void add_point(const GraphWindow *window, const double *x, const double *w, double *sum)
{
    for (uint32_t i = 0; i < window->in_channels; i++)
        for (uint32_t o = 0; o < window->out_channels; o++)
            sum[o] += x[i] * w[(size_t)i * window->out_channels + o];
}

static void eval_linear(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    GraphWindow w = graph_window(module, node);
    for (uint32_t y = 0; y < w.out_height; y++)
        for (uint32_t x = 0; x < w.out_width; x++, out += w.out_channels) {
            for (uint32_t o = 0; o < w.out_channels; o++)
                out[o] = 0;
            for (uint32_t k = 0, first; k < w.kernel_height * w.kernel_width; k++)
                if (window_input(&w, y, x, k / w.kernel_width, k % w.kernel_width, &first))
                    add_point(&w, in[0] + first, in[1] + (size_t)k * w.in_channels * w.out_channels, out);
            for (uint32_t o = 0; node->n_inputs > 2 && o < w.out_channels; o++)
                out[o] += in[2][o];
        }
}

void graph_eval_f64_dense(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    eval_linear(module, node, in, out);
}
void graph_eval_f64_conv2d(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    eval_linear(module, node, in, out);
}

void graph_eval_f64_max_pool(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    GraphWindow w = graph_window(module, node);
    for (uint32_t y = 0; y < w.out_height; y++)
        for (uint32_t x = 0; x < w.out_width; x++, out += w.out_channels) {
            for (uint32_t c = 0; c < w.out_channels; c++)
                out[c] = -INFINITY;
            for (uint32_t k = 0, first; k < w.kernel_height * w.kernel_width; k++) {
                if (!window_input(&w, y, x, k / w.kernel_width, k % w.kernel_width, &first))
                    continue;
                for (uint32_t c = 0; c < w.out_channels; c++)
                    out[c] = in[0][first + c] > out[c] ? in[0][first + c] : out[c];
            }
        }
}

void graph_eval_f64_reshape(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    (void)module;
    memcpy(out, in[0], size_of(node) * sizeof *out);
}

void graph_eval_f64_transpose(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    const GraphNode *x = graph_input_node(module, node, 0);
    for (uint32_t e = 0, n = size_of(node); e < n; e++)
        out[e] = in[0][transpose_index(node->shape, x->shape, node->attr.permutation, e)];
}

void graph_eval_f64_argmax(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    const GraphNode *x = graph_input_node(module, node, 0);
    uint32_t n = x->shape.dim[x->shape.rank - 1];
    for (uint32_t e = 0, count = size_of(node); e < count; e++) {
        const double *row = in[0] + (size_t)e * n;
        uint32_t best = 0;
        for (uint32_t i = 1; i < n; i++)
            if (row[i] > row[best])
                best = i;
        out[e] = best;
    }
}

void graph_softmax_f64(const double *in, double *out, uint32_t n)
{
    double most = in[0], sum = 0;
    for (uint32_t i = 1; i < n; i++)
        most = in[i] > most ? in[i] : most;
    for (uint32_t i = 0; i < n; i++)
        sum += out[i] = exp(in[i] - most);
    for (uint32_t i = 0; i < n; i++)
        out[i] /= sum;
}

void graph_eval_f64_softmax(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    uint32_t n = node->shape.dim[node->shape.rank - 1];
    (void)module;
    for (uint32_t e = 0, count = size_of(node); e < count; e += n)
        graph_softmax_f64(in[0] + e, out + e, n);
}

#define NOT_HERE(name)                                                                                                                     \
    void graph_eval_f64_##name(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)                     \
    {                                                                                                                                      \
        (void)module, (void)node, (void)in, (void)out;                                                                                     \
        assert(!"input, call and out belong to whoever walks the graph");                                                                  \
    }
NOT_HERE(input)
NOT_HERE(call)
NOT_HERE(out)

void graph_eval_f64(const GraphModule *module, const GraphNode *node, const double *const *in, double *out)
{
    switch (node->op) {
#define OP(name, text, min_inputs, max_inputs, flags, attribute, summary)                                                                  \
    case GRAPH_##name:                                                                                                                     \
        graph_eval_f64_##name(module, node, in, out);                                                                                      \
        return;
#include "graph/graph_ops.def"
#undef OP
    case GRAPH_OP_COUNT:
        break;
    }
    assert(!"no such op");
}
