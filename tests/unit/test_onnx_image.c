/* Unit tests of import/onnx: images. Conv and MaxPool against loops written from the definition of ONNX, over the file's order of axes;
 * operators between them that know an axis; where transposes stand. Numbers are small integers, so that sums in double are exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "import/import.h"
#include "onnx_build.h"
#include "run/ref/ref.h"

enum { MOST = 4096 };

static int setup(void **state)
{
    *state = arena_create(NULL);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_destroy(*state);
    return 0;
}

static Graph *load(Builder *b)
{
    DiagList diags = diag_init(b->arena);
    Graph *graph = import_onnx(b->arena, "m.onnx", builder_bytes(b), &diags);
    if (!graph) {
        Text text = text_init(b->arena);
        diag_print(&text, &diags);
        fail_msg("%s", text.at);
    }
    return graph;
}

static uint32_t count_op(const Graph *graph, GraphOp op)
{
    uint32_t n = 0;
    const GraphModule *top = graph_top(graph);
    for (uint32_t i = 0; i < top->nodes.n; i++)
        n += top->nodes.at[i].op == op;
    return n;
}

/* One event through a graph of one output: exactly the n expected numbers. seed: 0 if nothing is random. */
static void assert_output(Graph *graph, uint64_t seed, const double *in, const double *expected, uint32_t n)
{
    const GraphModule *top = graph_top(graph);
    assert_int_equal(shape_size(graph_node(top, top->outputs.at[0].ref)->shape), n);
    double *out = arena_array(graph->arena, double, n);
    ref_run_f64(ref_create(graph->arena, graph, REF_F64), in, out);
    for (uint32_t i = 0; i < n; i++)
        if (out[i] != expected[i])
            fail_msg("seed %llu: output %u is %.17g, expected %.17g", (unsigned long long)seed, i, out[i], expected[i]);
}
#define GIVES(graph, in, ...)                                                                                                              \
    assert_output((graph), 0, (in), (const double[]){__VA_ARGS__}, (uint32_t)COUNT_OF(((const double[]){__VA_ARGS__})))
#define X(...)                                                                                                                             \
    (const double[]) { __VA_ARGS__ }

static void builder_domain(Builder *b, const char *domain) { (*vec_last(&b->nodes))->domain = arena_strdup(b->arena, domain); }

/* ---- random windows ---- */

typedef struct Case {
    uint32_t n_in, n_out, n_group;
    int64_t size[2], kernel[2], stride[2], dilation[2], pads[4]; /* top, left, bottom, right */
    const char *auto_pad;
    bool last, ceil_mode, bias;
} Case;

static Case random_case(Rng *rng, bool pool)
{
    static const char *const modes[] = {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"};
    Case c = {.n_group = (uint32_t)rng_between(rng, 1, pool ? 1 : 3), .auto_pad = modes[rng_between(rng, 0, 3)]};
    c.n_in = c.n_group * (uint32_t)rng_between(rng, 1, 2);
    c.n_out = pool ? c.n_in : c.n_group * (uint32_t)rng_between(rng, 1, 2);
    c.last = rng_between(rng, 0, 2) == 0;
    c.ceil_mode = pool && text_equal(c.auto_pad, "NOTSET") && rng_between(rng, 0, 1);
    c.bias = rng_between(rng, 0, 1);
    for (uint32_t i = 0; i < 2; i++) {
        c.kernel[i] = rng_between(rng, 1, 3);
        c.stride[i] = rng_between(rng, 1, 3);
        c.dilation[i] = pool ? 1 : rng_between(rng, 1, 2);
        c.size[i] = rng_between(rng, 5, 7);
        if (text_equal(c.auto_pad, "NOTSET")) {
            c.pads[i] = rng_between(rng, 0, (int32_t)c.kernel[i] - 1);
            c.pads[i + 2] = rng_between(rng, 0, (int32_t)c.kernel[i] - 1);
        }
    }
    return c;
}

/* What auto_pad and ceil_mode say, in the words of the specification: the number of windows, and where the first begins. */
static void expected_windows(const Case *c, uint32_t i, int64_t *n, int64_t *first)
{
    int64_t side = (c->kernel[i] - 1) * c->dilation[i] + 1, padded = c->size[i] + c->pads[i] + c->pads[i + 2];
    *first = -c->pads[i];
    *n = 0;
    if (strncmp(c->auto_pad, "SAME", 4) == 0) {
        *n = (c->size[i] + c->stride[i] - 1) / c->stride[i];
        int64_t zeros = (*n - 1) * c->stride[i] + side - c->size[i];
        zeros = zeros < 0 ? 0 : zeros;
        *first = text_equal(c->auto_pad, "SAME_UPPER") ? -(zeros / 2) : -((zeros + 1) / 2);
        return;
    }
    for (int64_t at = 0; at < padded; at += c->stride[i])
        if (at + side <= padded || (c->ceil_mode && (at + side - padded) < c->stride[i] && at < c->pads[i] + c->size[i]))
            (*n)++;
}

/* Where element (channel, row, column) of an image stands in the file's order. */
static uint32_t place(const Case *c, uint32_t n_channels, int64_t height, int64_t width, int64_t channel, int64_t row, int64_t column)
{
    return (uint32_t)(c->last ? (row * width + column) * n_channels + channel : (channel * height + row) * width + column);
}

static uint32_t expect(const Case *c, bool pool, const double *x, const float *w, const float *bias, double *y)
{
    int64_t n[2], first[2];
    uint32_t part = c->n_in / c->n_group;
    for (uint32_t i = 0; i < 2; i++)
        expected_windows(c, i, &n[i], &first[i]);
    for (int64_t o = 0; o < c->n_out; o++)
        for (int64_t r = 0; r < n[0]; r++)
            for (int64_t s = 0; s < n[1]; s++) {
                double sum = c->bias && !pool ? (double)bias[o] : 0, most = -1e9;
                for (int64_t k = 0; k < (pool ? 1 : part) * c->kernel[0] * c->kernel[1]; k++) {
                    int64_t in = k / (c->kernel[0] * c->kernel[1]), p = k / c->kernel[1] % c->kernel[0], q = k % c->kernel[1];
                    int64_t row = first[0] + r * c->stride[0] + p * c->dilation[0],
                            column = first[1] + s * c->stride[1] + q * c->dilation[1];
                    int64_t channel = pool ? o : o / (c->n_out / c->n_group) * part + in;
                    if (row < 0 || row >= c->size[0] || column < 0 || column >= c->size[1])
                        continue;
                    double v = x[place(c, c->n_in, c->size[0], c->size[1], channel, row, column)];
                    int64_t first_order = ((o * part + in) * c->kernel[0] + p) * c->kernel[1] + q;
                    int64_t last_order = ((o * c->kernel[0] + p) * c->kernel[1] + q) * part + in;
                    sum += pool ? 0 : v * (double)w[c->last ? last_order : first_order];
                    most = v > most ? v : most;
                }
                y[place(c, c->n_out, n[0], n[1], o, r, s)] = pool ? most : sum;
            }
    return (uint32_t)(c->n_out * n[0] * n[1]);
}

static void run_case(Arena *arena, uint64_t seed, bool pool)
{
    Rng rng_at = {seed}, *rng = &rng_at;
    Case c = random_case(rng, pool);
    double x[MOST], y[MOST];
    float w[MOST], bias[16];
    uint32_t n_x = (uint32_t)(c.n_in * c.size[0] * c.size[1]), part = c.n_in / c.n_group;
    for (uint32_t i = 0; i < n_x; i++)
        x[i] = (double)rng_between(rng, -9, 9);
    for (uint32_t i = 0; i < c.n_out * part * c.kernel[0] * c.kernel[1]; i++)
        w[i] = (float)rng_between(rng, -9, 9);
    for (uint32_t i = 0; i < c.n_out; i++)
        bias[i] = (float)rng_between(rng, -9, 9);
    Builder *b = builder_new(arena, 13);
    const int64_t first_dims[] = {0, c.n_in, c.size[0], c.size[1]}, last_dims[] = {0, c.size[0], c.size[1], c.n_in};
    builder_input(b, "x", 4, c.last ? last_dims : first_dims);
    const int64_t first_weights[] = {c.n_out, part, c.kernel[0], c.kernel[1]}, last_weights[] = {c.n_out, c.kernel[0], c.kernel[1], part};
    builder_floats(b, "w", 4, c.last ? last_weights : first_weights, w);
    builder_floats(b, "c", DIMS(c.n_out), bias);
    builder_node(b, pool ? "MaxPool" : "Conv", pool ? "x" : c.bias ? "x w c" : "x w", "y");
    if (c.last)
        builder_domain(b, "qonnx.custom_op.channels_last");
    builder_int_list(b, "kernel_shape", 2, c.kernel);
    builder_int_list(b, "strides", 2, c.stride);
    builder_int_list(b, "dilations", 2, c.dilation);
    if (text_equal(c.auto_pad, "NOTSET"))
        builder_int_list(b, "pads", 4, c.pads);
    else
        builder_string(b, "auto_pad", c.auto_pad);
    if (pool)
        builder_int(b, "ceil_mode", c.ceil_mode);
    else
        builder_int(b, "group", c.n_group);
    builder_output(b, "y");
    uint32_t n_y = expect(&c, pool, x, w, bias, y);
    Graph *graph = load(b);
    assert_output(graph, seed, x, y, n_y);
    assert_int_equal(count_op(graph, GRAPH_transpose), c.last ? 0 : 2);
}

static void run_cases(bool pool)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        Arena *arena = arena_create(NULL);
        run_case(arena, seed, pool);
        arena_destroy(arena);
    }
}

static void conv_is_what_onnx_says(void **state)
{
    (void)state;
    run_cases(false);
}

static void max_pool_is_what_onnx_says(void **state)
{
    (void)state;
    run_cases(true);
}

/* ---- between them ---- */

/* x [1, 2, 1, 2] -> Conv 1x1 that swaps the channels -> p, for operators that know an axis to stand behind. */
static Builder *swapped(Arena *arena)
{
    Builder *b = builder_new(arena, 13);
    builder_input(b, "x", DIMS(1, 2, 1, 2));
    builder_floats(b, "w", DIMS(2, 2, 1, 1), FLOATS(0, 1, 1, 0));
    builder_node(b, "Conv", "x w", "p");
    builder_output(b, "y");
    return b;
}

static void numbers_by_channel_follow_their_axis(void **state)
{
    Builder *b = swapped(*state);
    builder_floats(b, "m", DIMS(2, 1, 1), FLOATS(10, 100));
    builder_floats(b, "o", DIMS(1, 1, 1, 2), FLOATS(1, 2)); /* along the width */
    builder_floats(b, "one", DIMS(2), FLOATS(1, 2));
    builder_floats(b, "zero", DIMS(2), FLOATS(0, 0));
    builder_node(b, "Mul", "p m", "q");
    builder_node(b, "Add", "o q", "r");
    builder_node(b, "BatchNormalization", "r one zero zero one", "s");
    builder_float(b, "epsilon", 0);
    builder_node(b, "Neg", "s", "y");
    Graph *graph = load(b);
    assert_int_equal(count_op(graph, GRAPH_transpose), 2);
    /* variances 1 and 2: only the first channel is compared exactly, the second is rounded once */
    const GraphModule *top = graph_top(graph);
    double out[4];
    ref_run_f64(ref_create(graph->arena, graph, REF_F64), X(1, 2, 3, 4), out);
    assert_int_equal(shape_size(graph_node(top, top->outputs.at[0].ref)->shape), 4);
    assert_true(out[0] == -31 && out[1] == -42);
    assert_true(out[2] + 101 * 1.4142135623730951 < 1e-6 && out[2] + 101 * 1.4142135623730951 > -1e-6);
    assert_true(out[3] + 202 * 1.4142135623730951 < 1e-6 && out[3] + 202 * 1.4142135623730951 > -1e-6);
}

static void quantisers_by_channel_follow_their_axis(void **state)
{
    Builder *b = swapped(*state);
    builder_floats(b, "s", DIMS(1, 2, 1, 1), FLOATS(1, 3));
    builder_floats(b, "z", SCALAR, FLOATS(0));
    builder_floats(b, "n", SCALAR, FLOATS(4));
    builder_node(b, "Quant", "p s z n", "y");
    builder_int(b, "narrow", 0);
    GIVES(load(b), X(4, 5, 2.25, 100), 2, 7, 3, 6); /* round to even of 4 / 3 and 5 / 3 */

    b = swapped(*state);
    builder_floats(b, "s", DIMS(2), FLOATS(0.5f, 3));
    builder_ints(b, "z", 3, DIMS(2), INTS(0, 0));
    builder_node(b, "QuantizeLinear", "p s z", "q");
    builder_node(b, "DequantizeLinear", "q s z", "y"); /* axis 1 unless told */
    GIVES(load(b), X(4, 5, 2.2, 100), 2, 63.5, 3, 6);

    b = swapped(*state);
    builder_floats(b, "t", DIMS(2, 2), FLOATS(0, 1, 10, 20));
    builder_node(b, "MultiThreshold", "p t", "y");
    GIVES(load(b), X(15, 5, 0.5, 3), 1, 2, 1, 0);
}

static void channels_last_has_its_own_axis(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(0, 1, 3, 2));
    builder_floats(b, "one", DIMS(2), FLOATS(1, 1));
    builder_floats(b, "m", DIMS(2), FLOATS(2, 3));
    builder_floats(b, "o", DIMS(2), FLOATS(10, 20));
    builder_floats(b, "zero", DIMS(2), FLOATS(0, 0));
    builder_node(b, "BatchNormalization", "x m o zero one", "y");
    builder_domain(b, "qonnx.custom_op.channels_last");
    builder_float(b, "epsilon", 0);
    builder_output(b, "y");
    GIVES(load(b), X(1, 2, 3, 4, 5, 6), 12, 26, 16, 32, 20, 38);
}

static void tensors_add_in_either_order(void **state)
{
    Builder *b = swapped(*state);
    builder_node(b, "Conv", "p w", "q"); /* x again */
    builder_node(b, "Add", "p q", "r");  /* both as the graph has them */
    builder_node(b, "Sub", "x r", "s");  /* a moved one and the input */
    builder_floats(b, "c", DIMS(1, 2, 1, 2), FLOATS(1000, 2000, 3000, 4000));
    builder_node(b, "Add", "s c", "y");
    GIVES(load(b), X(1, 2, 3, 4), 1000 - 3, 2000 - 4, 3000 - 1, 4000 - 2);

    b = swapped(*state);
    builder_node(b, "Sub", "p x", "y"); /* a moved one before one that is not */
    GIVES(load(b), X(1, 2, 3, 40), 2, 38, -2, -38);
}

static void readers_that_count_axes_get_the_files_order(void **state)
{
    Builder *b = swapped(*state);
    builder_node(b, "Flatten", "p", "y");
    GIVES(load(b), X(1, 2, 3, 4), 3, 4, 1, 2);

    b = swapped(*state); /* over the width, not the channels */
    builder_node(b, "ArgMax", "p", "y");
    builder_int(b, "axis", 3);
    builder_int(b, "keepdims", 0);
    GIVES(load(b), X(1, 2, 8, 4), 0, 1);

    b = swapped(*state);
    builder_floats(b, "v", DIMS(2, 1), FLOATS(1, 10));
    builder_node(b, "MatMul", "p v", "y");
    GIVES(load(b), X(1, 2, 3, 4), 43, 21);
}

/* ---- where transposes stand ---- */

static void a_chain_of_images_has_two_transposes(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(0, 1, 4, 4));
    builder_floats(b, "w", DIMS(2, 1, 1, 1), FLOATS(1, -1));
    builder_floats(b, "v", DIMS(1, 2, 2, 2), FLOATS(1, 2, 3, 4, 5, 6, 7, 8));
    builder_node(b, "Conv", "x w", "a");
    builder_node(b, "Relu", "a", "r");
    builder_node(b, "MaxPool", "r", "m");
    builder_int_list(b, "kernel_shape", 2, INTS(2, 2));
    builder_int_list(b, "strides", 2, INTS(2, 2));
    builder_node(b, "Conv", "m v", "c");
    builder_node(b, "Flatten", "c", "y");
    builder_output(b, "y");
    Graph *graph = load(b);
    assert_int_equal(count_op(graph, GRAPH_transpose), 2);
    GIVES(graph, X(1, 2, 0, 0, 3, 4, 0, -5, 0, 0, -6, 0, 0, 0, 0, 0), 1 * 4 + 2 * 0 + 3 * 0 + 4 * 0 + 5 * 0 + 6 * 5 + 7 * 0 + 8 * 6);
}

/* Keras' exports: images are channels last, and each operator stands between two Transposes. */
static void transposes_around_each_operator_vanish(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(0, 1, 3, 2)); /* height 1, width 3, channels 2 */
    builder_floats(b, "w", DIMS(1, 2, 1, 2), FLOATS(1, 2, 3, 4));
    builder_node(b, "Transpose", "x", "a");
    builder_int_list(b, "perm", 4, INTS(0, 3, 1, 2));
    builder_node(b, "Conv", "a w", "c");
    builder_node(b, "Transpose", "c", "d");
    builder_int_list(b, "perm", 4, INTS(0, 2, 3, 1));
    builder_node(b, "Flatten", "d", "y");
    builder_output(b, "y");
    Graph *graph = load(b);
    assert_int_equal(count_op(graph, GRAPH_transpose), 0);
    GIVES(graph, X(1, 10, 2, 20, 3, 30), 1 + 4 + 30 + 80, 2 + 6 + 60 + 120);
}

static void transposes_that_stay_are_one(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(0, 1, 2, 3));
    builder_node(b, "Transpose", "x", "a"); /* [0, 3, 1, 2] */
    builder_int_list(b, "perm", 4, INTS(0, 3, 1, 2));
    builder_node(b, "Transpose", "a", "b"); /* [0, 3, 2, 1] */
    builder_int_list(b, "perm", 4, INTS(0, 1, 3, 2));
    builder_node(b, "Relu", "b", "y");
    builder_output(b, "y");
    Graph *graph = load(b);
    assert_int_equal(count_op(graph, GRAPH_transpose), 1);
    GIVES(graph, X(1, 2, 3, 4, 5, 6), 1, 4, 2, 5, 3, 6);
}

/* Behind a Transpose, too, the first quantiser is the port's type, by the port's own axes; a second one is a node. */
static void a_quantiser_behind_a_transpose_is_the_ports_type(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(0, 1, 1, 2)); /* channels last */
    builder_floats(b, "s", DIMS(2, 1, 1), FLOATS(1, 4));
    builder_floats(b, "two", SCALAR, FLOATS(2));
    builder_floats(b, "z", SCALAR, FLOATS(0));
    builder_floats(b, "n", SCALAR, FLOATS(4));
    builder_node(b, "Transpose", "x", "a");
    builder_int_list(b, "perm", 4, INTS(0, 3, 1, 2));
    builder_node(b, "Identity", "a", "b");
    builder_node(b, "Quant", "b s z n", "q");
    builder_int(b, "narrow", 0);
    builder_node(b, "Quant", "q two z n", "y");
    builder_int(b, "narrow", 0);
    builder_output(b, "y");
    Graph *graph = load(b);
    assert_int_equal(count_op(graph, GRAPH_quantise), 1);
    GIVES(graph, X(100, 100), 8, 14); /* 7 and 28; in steps of 2: 7 / 2 to even, and at most 7 of them */
}

static void a_bias_on_another_grid_stands_behind(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(1, 1, 1, 2));
    builder_floats(b, "w", DIMS(2, 1, 1, 1), FLOATS(0.9f, -0.4f));
    builder_floats(b, "s", DIMS(2, 1, 1, 1), FLOATS(0.75f, 0.25f)); /* a scale for each output; one is no power of two */
    builder_floats(b, "z", SCALAR, FLOATS(0));
    builder_floats(b, "n", SCALAR, FLOATS(4));
    builder_floats(b, "c", DIMS(2), FLOATS(0.125f, 7));
    builder_node(b, "Quant", "w s z n", "q");
    builder_node(b, "Conv", "x q c", "y");
    builder_output(b, "y");
    Graph *graph = load(b);
    assert_int_equal(count_op(graph, GRAPH_affine), 1);
    GIVES(graph, X(1, 2), 0.75 + 0.125, 1.5 + 0.125, 7 - 0.5, 7 - 1);
}

/* ---- refused ---- */

static void assert_refused(Builder *b, DiagCode code, const char *words)
{
    DiagList diags = diag_init(b->arena);
    assert_null(import_onnx(b->arena, "m.onnx", builder_bytes(b), &diags));
    Text text = text_init(b->arena);
    diag_print(&text, &diags);
    if (diags.n_errors != 1 || diags.list.at[0].code != code || !strstr(text.at, words))
        fail_msg("expected one error %s with '%s', got:\n%s", diag_code_text(code), words, text.at);
}

static Builder *window(Arena *arena, const char *type, const char *inputs)
{
    Builder *b = builder_new(arena, 13);
    builder_input(b, "x", DIMS(0, 2, 4, 4));
    builder_input(b, "row", DIMS(0, 4));
    builder_floats(b, "w", DIMS(1, 2, 2, 2), FLOATS(1, 2, 3, 4, 5, 6, 7, 8));
    builder_floats(b, "narrow", DIMS(1, 1, 2, 2), FLOATS(1, 2, 3, 4));
    builder_floats(b, "c", DIMS(3), FLOATS(1, 2, 3));
    builder_node(b, type, inputs, "y");
    builder_output(b, "y");
    return b;
}

static void windows_that_are_not_taken(void **state)
{
    static const struct {
        const char *type, *inputs, *list;
        uint32_t n;
        int64_t values[4];
        const char *words;
        DiagCode code;
    } cases[] = {
        {"Conv", "x x", "strides", 2, {1, 1}, "input 1 depends on the model's inputs", DIAG_UNSUPPORTED},
        {"Conv", "row w", "strides", 2, {1, 1}, "Conv over a tensor of shape [1, 4]", DIAG_UNSUPPORTED},
        {"Conv", "x narrow", "strides", 2, {1, 1}, "do not fit 2 channels in 1 groups", DIAG_SHAPE},
        {"Conv", "x w c", "strides", 2, {1, 1}, "a bias of shape [3] for 1 outputs", DIAG_SHAPE},
        {"Conv", "x w", "strides", 2, {0, 1}, "strides: error: 0 is not usable", DIAG_VALUE},
        {"Conv", "x w", "strides", 1, {1}, "1 numbers where a window over height and width has 2", DIAG_SHAPE},
        {"Conv", "x w", "pads", 4, {0, -1, 0, 0}, "-1 is not usable", DIAG_VALUE},
        {"Conv", "x w", "kernel_shape", 2, {3, 2}, "not that of the weights, 2 x 2", DIAG_SHAPE},
        {"Conv", "x w", "dilations", 2, {1, 4}, "a window of 5 does not fit into 4", DIAG_SHAPE},
        {"Conv", "x w", "dilations", 2, {16000, 16000}, "the kernel has more than 2^28 elements", DIAG_LIMIT},
        {"MaxPool", "x", "strides", 2, {1, 1}, "the size of the window is not given", DIAG_MISSING},
        {"MaxPool", "x", "kernel_shape", 2, {5, 1}, "a window of 5 does not fit into 4", DIAG_SHAPE},
        {"MaxPool", "row", "kernel_shape", 2, {1, 1}, "MaxPool over a tensor of shape [1, 4]", DIAG_UNSUPPORTED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Builder *b = window(*state, cases[i].type, cases[i].inputs);
        builder_int_list(b, cases[i].list, cases[i].n, cases[i].values);
        if (cases[i].values[0] == 16000) /* room for the window, not for its zeros */
            builder_string(b, "auto_pad", "SAME_UPPER");
        assert_refused(b, cases[i].code, cases[i].words);
    }
}

static void padding_that_says_two_things(void **state)
{
    Builder *b = window(*state, "Conv", "x w");
    builder_string(b, "auto_pad", "VALID");
    builder_int_list(b, "pads", 4, INTS(1, 0, 0, 0));
    assert_refused(b, DIAG_UNSUPPORTED, "pads beside auto_pad = VALID");
    b = window(*state, "Conv", "x w");
    builder_string(b, "auto_pad", "SOME");
    assert_refused(b, DIAG_VALUE, "'SOME' is not known");
    b = window(*state, "MaxPool", "x");
    builder_int_list(b, "kernel_shape", 2, INTS(2, 2));
    builder_int_list(b, "pads", 4, INTS(2, 0, 0, 0));
    assert_refused(b, DIAG_VALUE, "as large as the window");
    b = window(*state, "MaxPool", "x");
    builder_int_list(b, "kernel_shape", 2, INTS(2, 2));
    builder_int_list(b, "dilations", 2, INTS(1, 2));
    assert_refused(b, DIAG_UNSUPPORTED, "a window with gaps");
}

static void kernels_with_a_scale_for_each_input(void **state)
{
    Builder *b = window(*state, "Conv", "x q");
    builder_floats(b, "s", DIMS(1, 2, 1, 1), FLOATS(1, 3));
    builder_floats(b, "z", SCALAR, FLOATS(0));
    builder_floats(b, "n", SCALAR, FLOATS(4));
    builder_node(b, "Quant", "w s z n", "q");
    assert_refused(b, DIAG_UNSUPPORTED, "scales along another axis than the outputs");
}

/* The padded 0 is a number, the quantiser's integers stand for others. */
static void zeros_beside_a_zero_point(void **state)
{
    for (int64_t pad = 0; pad < 2; pad++) {
        Builder *b = window(*state, "Conv", "q v");
        builder_int_list(b, "pads", 4, (const int64_t[]){pad, 0, 0, 0});
        builder_floats(b, "s", SCALAR, FLOATS(0.5f));
        builder_floats(b, "z", SCALAR, FLOATS(3));
        builder_floats(b, "n", SCALAR, FLOATS(4));
        builder_floats(b, "none", SCALAR, FLOATS(0));
        builder_node(b, "Quant", "x s z n", "q");
        builder_node(b, "Quant", "w s none n", "v");
        if (pad)
            assert_refused(b, DIAG_SCALE, "zeros are padded to an input with a zero point");
        else
            load(b);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(conv_is_what_onnx_says),
        TEST(max_pool_is_what_onnx_says),
        TEST(numbers_by_channel_follow_their_axis),
        TEST(quantisers_by_channel_follow_their_axis),
        TEST(channels_last_has_its_own_axis),
        TEST(tensors_add_in_either_order),
        TEST(readers_that_count_axes_get_the_files_order),
        TEST(a_chain_of_images_has_two_transposes),
        TEST(transposes_around_each_operator_vanish),
        TEST(transposes_that_stay_are_one),
        TEST(a_quantiser_behind_a_transpose_is_the_ports_type),
        TEST(a_bias_on_another_grid_stands_behind),
        TEST(windows_that_are_not_taken),
        TEST(padding_that_says_two_things),
        TEST(kernels_with_a_scale_for_each_input),
        TEST(zeros_beside_a_zero_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
