/* graph/eval_raw.c: the integers of one node: the specification of what hardware and fast engines compute. Every rule is the exact value of
 * the op; graph_infer has proven that nothing overflows. Where a scale is met the value is taken as a rational.
 */
#include "graph/inside.h"

#include <assert.h>
#include <string.h>

/* raw of element e of x at another frac */
static i128 lift(const GraphNode *x, const i128 *raw, uint32_t e, int32_t frac)
{
    return raw_at_frac(raw[e], type_at(&x->type, x->shape, e).frac, frac);
}

/* ---- rationals: work in an arena of their own, so that executors of several threads may share a graph ---- */

typedef struct Exact {
    const GraphModule *module;
    const GraphNode *node, *x;
    const i128 *in;
    i128 *out;
    Arena *arena;
    void (*work)(struct Exact *exact);
} Exact;

static void exact_body(void *context)
{
    Exact *exact = context;
    exact->work(exact);
}

static void run_exact(const GraphModule *module, const GraphNode *node, const i128 *in, i128 *out, void (*work)(Exact *))
{
    Exact exact = {module, node, graph_input_node(module, node, 0), in, out, arena_create(NULL), work};
    bool done = exact.arena && arena_run(exact.arena, exact_body, &exact);
    arena_destroy(exact.arena);
    if (!done)
        arena_out_of_memory(module->graph->arena);
}

static Rational exact_value(const Exact *exact, Arena *arena, uint32_t e)
{
    const GraphNode *x = exact->x;
    return scale_value(arena, &x->scale, x->shape, e, exact->in[e], type_at(&x->type, x->shape, e));
}

/* ---- element by element ---- */

void graph_eval_raw_constant(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)
{
    (void)module, (void)in;
    memcpy(out, node->attr.tensor->raw, shape_size(node->shape) * sizeof *out);
}

static void quantise_exact(Exact *exact)
{
    const QuantMap *map = &exact->node->attr.quant->map;
    for (uint32_t e = 0, n = shape_size(exact->x->shape); e < n; e++) {
        Arena *scratch = arena_child(exact->arena);
        exact->out[e] = quantise_rational(scratch, exact_value(exact, scratch, e), quantiser_at(map, exact->x->shape, e), NULL);
        arena_destroy(scratch);
    }
}

void graph_eval_raw_quantise(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)
{
    const GraphNode *x = graph_input_node(module, node, 0);
    assert(x->kind == KIND_FIXED && !x->scale_open);
    if (!scale_is_identity(&x->scale)) {
        run_exact(module, node, in[0], out, quantise_exact);
        return;
    }
    for (uint32_t e = 0, n = shape_size(x->shape); e < n; e++)
        out[e] = quantise_raw(in[0][e], type_at(&x->type, x->shape, e).frac, quantiser_at(&node->attr.quant->map, x->shape, e), NULL);
}

void graph_eval_raw_affine(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)
{
    const GraphNode *x = graph_input_node(module, node, 0);
    const GraphAffine *affine = node->attr.affine;
    int32_t frac;
    bool moves = affine_is_raw(x, node, &frac);
    for (uint32_t e = 0, n = shape_size(x->shape); e < n; e++) {
        uint32_t i = spread_index(affine->spread, x->shape, e);
        bool is_zero = rational_sign(affine->multiplier[i]) == 0;
        out[e] = is_zero ? 0 : in[0][e];
        if (!moves)
            continue;
        int32_t power = 0, offset_frac = 0;
        i128 offset = 0;
        rational_power_of_two(affine->multiplier[i], &power);
        rational_to_dyadic(affine->offset[i], &offset, &offset_frac);
        out[e] = (is_zero ? 0 : lift(x, in[0], e, frac + power)) + raw_at_frac(offset, offset_frac, frac);
    }
}

void graph_eval_raw_relu(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)
{
    const GraphNode *x = graph_input_node(module, node, 0);
    int32_t frac = node->type.at[0].frac;
    for (uint32_t e = 0, n = shape_size(x->shape); e < n; e++)
        out[e] = i128_max(0, lift(x, in[0], e, frac));
}

void graph_eval_raw_clip(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)
{
    const GraphNode *x = graph_input_node(module, node, 0);
    int32_t frac;
    i128 lo, hi;
    bool on_grid = clip_limits(x, node->attr.clip, &frac, &lo, &hi);
    assert(on_grid);
    (void)on_grid;
    for (uint32_t e = 0, n = shape_size(x->shape); e < n; e++)
        out[e] = i128_min(i128_max(lift(x, in[0], e, frac), lo), hi);
}

/* ---- threshold ---- */

static void threshold_exact(Exact *exact)
{
    const GraphThreshold *t = exact->node->attr.threshold;
    for (uint32_t e = 0, n = shape_size(exact->x->shape); e < n; e++) {
        Arena *scratch = arena_child(exact->arena);
        Rational value = exact_value(exact, scratch, e);
        uint32_t c = spread_index(t->spread, exact->x->shape, e), k = 0;
        for (; k < t->n_steps; k++) {
            size_t i = (size_t)c * t->n_steps + k;
            if (rational_compare(scratch, value, t->at[i]) < (t->strict && t->strict[i] ? 1 : 0))
                break;
        }
        exact->out[e] = t->level[(size_t)c * (t->n_steps + 1) + k];
        arena_destroy(scratch);
    }
}

void graph_eval_raw_threshold(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)
{
    const GraphNode *x = graph_input_node(module, node, 0);
    const GraphThreshold *t = node->attr.threshold;
    assert(!x->scale_open);
    if (!node->threshold_raw) {
        run_exact(module, node, in[0], out, threshold_exact);
        return;
    }
    int32_t frac = type_map_frac(&x->type, x->shape);
    for (uint32_t e = 0, n = shape_size(x->shape); e < n; e++) {
        uint32_t c = spread_index(t->spread, x->shape, e), reached = 0, above = t->n_steps;
        const i128 *step = node->threshold_raw + (size_t)c * t->n_steps;
        i128 value = lift(x, in[0], e, frac);
        while (reached < above) { /* steps [0, reached) are reached, [above, n_steps) are not */
            uint32_t middle = reached + (above - reached) / 2;
            if (value >= step[middle])
                reached = middle + 1;
            else
                above = middle;
        }
        out[e] = t->level[(size_t)c * (t->n_steps + 1) + reached];
    }
}

/* ---- sums ---- */

static void eval_sum(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out, int sign)
{
    const GraphNode *x = graph_input_node(module, node, 0), *y = graph_input_node(module, node, 1);
    int32_t frac = node->type.at[0].frac;
    for (uint32_t e = 0, n = shape_size(node->shape); e < n; e++) {
        out[e] = lift(x, in[0], e, frac);
        if (!node->last_absorbed)
            out[e] += sign * lift(y, in[1], broadcast_index(node->shape, y->shape, e), frac);
    }
}

void graph_eval_raw_add(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)
{
    eval_sum(module, node, in, out, 1);
}
void graph_eval_raw_sub(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)
{
    eval_sum(module, node, in, out, -1);
}

/* ---- dense, conv2d ---- */

/* One point of the window: every input channel times its row of weights. Zeros, which are many, cost nothing. */
static void add_point(const GraphNode *x, const GraphNode *w, const GraphWindow *window, const i128 *const *in, uint32_t first,
                      uint32_t point, int32_t frac, i128 *sum)
{
    bool one_frac = w->type.spread.kind == SPREAD_UNIFORM;
    uint32_t n_out = window->out_channels;
    for (uint32_t i = 0; i < window->in_channels; i++) {
        i128 value = in[0][first + i];
        if (value == 0)
            continue;
        int32_t x_frac = type_at(&x->type, x->shape, first + i).frac;
        uint32_t row = (point * window->in_channels + i) * n_out;
        for (uint32_t o = 0; o < n_out; o++) {
            i128 weight = in[1][row + o];
            if (weight == 0)
                continue;
            int32_t w_frac = one_frac ? w->type.at[0].frac : type_at(&w->type, w->shape, row + o).frac;
            sum[o] += raw_at_frac(value * weight, x_frac + w_frac, frac);
        }
    }
}

static void eval_linear(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)
{
    const GraphNode *x = graph_input_node(module, node, 0), *w = graph_input_node(module, node, 1);
    GraphWindow window = graph_window(module, node);
    bool adds_bias = node->n_inputs > 2 && !node->last_absorbed;
    int32_t frac = node->type.at[0].frac;
    for (uint32_t y = 0; y < window.out_height; y++)
        for (uint32_t column = 0; column < window.out_width; column++, out += window.out_channels) {
            for (uint32_t o = 0; o < window.out_channels; o++)
                out[o] = adds_bias ? lift(graph_input_node(module, node, 2), in[2], o, frac) : 0;
            for (uint32_t k = 0, first; k < window.kernel_height * window.kernel_width; k++)
                if (window_input(&window, y, column, k / window.kernel_width, k % window.kernel_width, &first))
                    add_point(x, w, &window, in, first, k, frac, out);
        }
}

void graph_eval_raw_dense(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)
{
    eval_linear(module, node, in, out);
}
void graph_eval_raw_conv2d(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)
{
    eval_linear(module, node, in, out);
}

void graph_eval_raw_max_pool(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)
{
    const GraphNode *x = graph_input_node(module, node, 0);
    GraphWindow window = graph_window(module, node);
    int32_t frac = node->type.at[0].frac;
    for (uint32_t y = 0; y < window.out_height; y++)
        for (uint32_t column = 0; column < window.out_width; column++, out += window.out_channels) {
            bool any = false;
            for (uint32_t k = 0, first; k < window.kernel_height * window.kernel_width; k++) {
                if (!window_input(&window, y, column, k / window.kernel_width, k % window.kernel_width, &first))
                    continue;
                for (uint32_t c = 0; c < window.out_channels; c++) {
                    i128 value = lift(x, in[0], first + c, frac);
                    out[c] = any ? i128_max(out[c], value) : value;
                }
                any = true;
            }
        }
}

/* ---- moves ---- */

void graph_eval_raw_reshape(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)
{
    (void)module;
    memcpy(out, in[0], shape_size(node->shape) * sizeof *out);
}

void graph_eval_raw_transpose(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)
{
    const GraphNode *x = graph_input_node(module, node, 0);
    uint32_t n = shape_size(node->shape);
    for (uint32_t e = 0; e < n; e++)
        out[e] = in[0][transpose_index(node->shape, x->shape, node->attr.permutation, e)];
}

/* ---- argmax ---- */

static void argmax_exact(Exact *exact)
{
    uint32_t n = exact->x->shape.dim[exact->x->shape.rank - 1];
    for (uint32_t e = 0, count = shape_size(exact->node->shape); e < count; e++) {
        Arena *scratch = arena_child(exact->arena);
        Rational best = exact_value(exact, scratch, e * n);
        exact->out[e] = 0;
        for (uint32_t i = 1; i < n; i++) {
            Rational value = exact_value(exact, scratch, e * n + i);
            if (rational_compare(scratch, value, best) <= 0)
                continue;
            best = value;
            exact->out[e] = i;
        }
        arena_destroy(scratch);
    }
}

void graph_eval_raw_argmax(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)
{
    const GraphNode *x = graph_input_node(module, node, 0);
    if (!scale_is_uniform(&x->scale, x->shape) || !scale_is_positive(&x->scale, x->shape)) {
        run_exact(module, node, in[0], out, argmax_exact);
        return;
    }
    uint32_t n = x->shape.dim[x->shape.rank - 1];
    int32_t frac = type_map_frac(&x->type, x->shape);
    for (uint32_t e = 0, count = shape_size(node->shape); e < count; e++) {
        i128 best = lift(x, in[0], e * n, frac);
        out[e] = 0;
        for (uint32_t i = 1; i < n; i++) {
            i128 value = lift(x, in[0], e * n + i, frac);
            if (value <= best)
                continue;
            best = value;
            out[e] = i;
        }
    }
}

/* ---- not for one node alone ---- */

#define NOT_HERE(name)                                                                                                                     \
    void graph_eval_raw_##name(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)                         \
    {                                                                                                                                      \
        (void)module, (void)node, (void)in, (void)out;                                                                                     \
        assert(!"input, call and out belong to whoever walks the graph, softmax to the host");                                             \
    }
NOT_HERE(input)
NOT_HERE(call)
NOT_HERE(out)
NOT_HERE(softmax)

void graph_eval_raw(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out)
{
    assert(!node->scale_open);
    switch (node->op) {
#define OP(name, text, min_inputs, max_inputs, flags, attribute, summary)                                                                  \
    case GRAPH_##name:                                                                                                                     \
        graph_eval_raw_##name(module, node, in, out);                                                                                      \
        return;
#include "graph/graph_ops.def"
#undef OP
    case GRAPH_OP_COUNT:
        break;
    }
    assert(!"no such op");
}
