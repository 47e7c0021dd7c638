/* Unit tests of import/onnx: what each operator means (in double, through the reference interpreter; expectations worked out by hand), and
 * what it builds. Refusals and hostile files are in test_onnx_refused.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "import/import.h"
#include "onnx_build.h"
#include "run/ref/ref.h"

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
        print_error("%s", text.at);
    }
    assert_non_null(graph);
    assert_int_equal(diags.n_errors, 0);
    return graph;
}

/* One event through the graph: all outputs, one after the other, must be exactly those. */
static void assert_outputs(Graph *graph, const double *in, uint32_t n, const double *expected)
{
    uint32_t size = 0;
    const GraphModule *top = graph_top(graph);
    for (uint32_t i = 0; i < top->outputs.n; i++)
        size += shape_size(graph_node(top, top->outputs.at[i].ref)->shape);
    assert_int_equal(size, n);
    double *out = arena_array(graph->arena, double, n);
    ref_run_f64(ref_create(graph->arena, graph, REF_F64), in, out);
    for (uint32_t i = 0; i < n; i++)
        if (out[i] != expected[i])
            fail_msg("output %u is %.17g, expected %.17g", i, out[i], expected[i]);
}
#define GIVES(graph, in, ...)                                                                                                              \
    assert_outputs((graph), (in), (uint32_t)COUNT_OF(((const double[]){__VA_ARGS__})), (const double[]){__VA_ARGS__})
#define X(...)                                                                                                                             \
    (const double[]) { __VA_ARGS__ }

static uint32_t count_op(const Graph *graph, GraphOp op)
{
    uint32_t n = 0;
    const GraphModule *top = graph_top(graph);
    for (uint32_t i = 0; i < top->nodes.n; i++)
        n += top->nodes.at[i].op == op;
    return n;
}

static const GraphNode *find_op(const Graph *graph, GraphOp op)
{
    const GraphModule *top = graph_top(graph);
    for (uint32_t i = 0; i < top->nodes.n; i++)
        if (top->nodes.at[i].op == op)
            return &top->nodes.at[i];
    fail_msg("the graph has no such node");
    return NULL;
}

/* A model with input x, one node, output y; constants are added by the caller in between. */
static Builder *one_node(Arena *arena, int64_t opset, uint32_t rank, const int64_t *dims, const char *type, const char *inputs)
{
    Builder *b = builder_new(arena, opset);
    builder_input(b, "x", rank, dims);
    builder_node(b, type, inputs, "y");
    builder_output(b, "y");
    return b;
}

/* ---- products ---- */

static void matmul_with_its_bias_is_one_dense(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(0, 2));
    builder_floats(b, "w", DIMS(2, 3), FLOATS(1, 2, 3, 4, 5, 6));
    builder_floats(b, "c", DIMS(3), FLOATS(0.5f, -1, 2));
    builder_node(b, "MatMul", "x w", "p");
    builder_node(b, "Add", "c p", "y");
    builder_output(b, "y");
    Graph *graph = load(b);
    assert_int_equal(find_op(graph, GRAPH_dense)->n_inputs, 3);
    assert_string_equal(find_op(graph, GRAPH_dense)->layer, "P");
    assert_int_equal(count_op(graph, GRAPH_affine), 0);
    GIVES(graph, X(10, 1), 14.5, 24, 38);
}

static void a_product_read_twice_keeps_its_bias_apart(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(1, 2));
    builder_floats(b, "w", DIMS(2, 2), FLOATS(1, 2, 3, 4));
    builder_floats(b, "c", DIMS(1, 2), FLOATS(0.5f, -1));
    builder_node(b, "MatMul", "x w", "p");
    builder_node(b, "Add", "p c", "y");
    builder_output(b, "y");
    builder_output(b, "p");
    Graph *graph = load(b);
    assert_int_equal(find_op(graph, GRAPH_dense)->n_inputs, 2);
    GIVES(graph, X(1, 1), 4.5, 5, 4, 6);
}

static void matmul_takes_a_vector_and_more_axes(void **state)
{
    Builder *b = one_node(*state, 13, DIMS(1, 2, 2), "MatMul", "x w");
    builder_floats(b, "w", DIMS(2), FLOATS(1, 10));
    Graph *graph = load(b);
    assert_int_equal(graph_node(graph_top(graph), graph_top(graph)->outputs.at[0].ref)->shape.rank, 1);
    GIVES(graph, X(1, 2, 3, 4), 21, 43);
}

static void gemm_scales_exactly(void **state)
{
    Builder *b = one_node(*state, 11, DIMS(0, 2), "Gemm", "x w c");
    builder_float(b, "alpha", 0.5f);
    builder_float(b, "beta", 2);
    builder_int(b, "transB", 1);
    builder_floats(b, "w", DIMS(3, 2), FLOATS(1, 2, 3, 4, 5, 6));
    builder_floats(b, "c", DIMS(3), FLOATS(1, 2, 3));
    GIVES(load(b), X(1, 2), 0.5 * 5 + 2, 0.5 * 11 + 4, 0.5 * 17 + 6);
}

/* ---- sums, factors, norms ---- */

static void constants_become_affine(void **state)
{
    static const struct {
        const char *type, *inputs;
        double y[2];
    } cases[] = {
        {"Add", "x c", {3.5, 6}},    {"Add", "c x", {3.5, 6}},   {"Sub", "x c", {2.5, 10}},
        {"Sub", "c x", {-2.5, -10}}, {"Mul", "x c", {1.5, -16}}, {"Div", "x c", {6, -4}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Builder *b = one_node(*state, 13, DIMS(1, 2), cases[i].type, cases[i].inputs);
        builder_floats(b, "c", DIMS(2), FLOATS(0.5f, -2));
        Graph *graph = load(b);
        assert_int_equal(count_op(graph, GRAPH_affine), 1);
        assert_outputs(graph, X(3, 8), 2, cases[i].y);
    }
}

static void division_is_exact(void **state)
{
    Builder *b = one_node(*state, 13, DIMS(1, 1), "Div", "x c");
    builder_floats(b, "c", SCALAR, FLOATS(3));
    const GraphAffine *affine = find_op(load(b), GRAPH_affine)->attr.affine;
    assert_true(rational_equal(affine->multiplier[0], rational_from_i64(*state, 1, 3)));
}

static void tensors_add_and_subtract_with_broadcasting(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(1, 1, 2));
    builder_input(b, "z", DIMS(1, 2, 2));
    builder_node(b, "Sub", "x z", "s");
    builder_node(b, "Add", "z x", "a");
    builder_output(b, "s");
    builder_output(b, "a");
    GIVES(load(b), X(10, 20, 1, 2, 3, 4), 9, 18, 7, 16, 11, 22, 13, 24);
}

static void a_constant_for_each_element_is_added(void **state)
{
    Builder *b = one_node(*state, 13, DIMS(1, 2, 2), "Add", "x c");
    builder_floats(b, "c", DIMS(2, 2), FLOATS(1, 2, 3, 4));
    GIVES(load(b), X(10, 10, 10, 10), 11, 12, 13, 14);
}

static void batch_norm_is_rounded_once(void **state)
{
    Builder *b = one_node(*state, 13, DIMS(1, 2, 2), "BatchNormalization", "x g b m v");
    builder_float(b, "epsilon", 0x1.4f8b58p-17f);
    builder_floats(b, "g", DIMS(2), FLOATS(-0x1.2dc892p+0f, 1));
    builder_floats(b, "b", DIMS(2), FLOATS(0.5f, 0));
    builder_floats(b, "m", DIMS(2), FLOATS(3, 0));
    builder_floats(b, "v", DIMS(2), FLOATS(0x1.ef8732p+13f, 1));
    const GraphAffine *affine = find_op(load(b), GRAPH_affine)->attr.affine;
    Rational multiplier = rational_from_double(*state, -0x1.32c21e96ad183p-7); /* from Python integers */
    assert_int_equal(affine->spread.kind, SPREAD_CHANNEL);
    assert_int_equal(affine->spread.axis, 0);
    assert_true(rational_equal(affine->multiplier[0], multiplier));
    Rational offset =
        rational_sub(*state, rational_from_double(*state, 0.5), rational_mul(*state, rational_from_i64(*state, 3, 1), multiplier));
    assert_true(rational_equal(affine->offset[0], offset));
}

static void scaler_of_scikit_learn(void **state)
{
    Builder *b = builder_new(*state, 17);
    builder_input(b, "x", DIMS(0, 2));
    Onnx__NodeProto *node = builder_node(b, "Scaler", "x", "y");
    node->domain = arena_strdup(*state, "ai.onnx.ml");
    for (uint32_t i = 0; i < 2; i++) {
        builder_float(b, i ? "scale" : "offset", 0);
        Onnx__AttributeProto *attribute = node->attribute[i];
        attribute->type = 6;
        attribute->has_f = 0;
        attribute->n_floats = 2;
        attribute->floats = arena_copy(*state, i ? FLOATS(2, 0.5f) : FLOATS(1, -3), 2 * sizeof(float), alignof(float));
    }
    builder_output(b, "y");
    GIVES(load(b), X(5, 1), 8, 2);
}

/* ---- activations ---- */

static void relu_clip_and_sign(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(1, 4));
    builder_floats(b, "lo", SCALAR, FLOATS(-1));
    builder_floats(b, "hi", SCALAR, FLOATS(6));
    builder_node(b, "Relu", "x", "r");
    builder_node(b, "Clip", "x lo hi", "c");
    builder_node(b, "Clip", "x - hi", "u");
    builder_node(b, "Sign", "x", "s");
    for (const char *const *name = (const char *const[]){"r", "c", "u", "s", NULL}; *name; name++)
        builder_output(b, *name);
    GIVES(load(b), X(-3, -0.25, 0, 9), 0, 0, 0, 9, -1, -0.25, 0, 6, -3, -0.25, 0, 6, -1, -1, 0, 1);
}

static void clip_had_attributes(void **state)
{
    Builder *b = one_node(*state, 9, DIMS(1, 3), "Clip", "x");
    builder_float(b, "min", -2);
    builder_float(b, "max", 0.5f);
    GIVES(load(b), X(-3, 0.25, 4), -2, 0.25, 0.5);
}

static void argmax_looks_through_softmax(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(0, 3));
    builder_node(b, "Softmax", "x", "p");
    builder_node(b, "ArgMax", "p", "i");
    builder_int(b, "axis", -1);
    builder_node(b, "Cast", "i", "y");
    builder_int(b, "to", 6);
    builder_output(b, "y");
    builder_output(b, "p");
    Graph *graph = load(b);
    const GraphModule *top = graph_top(graph);
    assert_int_equal(graph_input_node(top, find_op(graph, GRAPH_argmax), 0)->op, GRAPH_input);
    double out[4];
    ref_run_f64(ref_create(*state, graph, REF_F64), X(1, 3, 3), out);
    assert_true(out[0] == 1);
    assert_true(fabs(out[2] - 1 / (2 + exp(-2.0))) < 1e-15);
}

static void softmax_of_old_operator_sets_over_the_last_axis(void **state)
{
    Builder *b = one_node(*state, 9, DIMS(1, 1, 4), "Softmax", "x"); /* axes 1 and 2 together */
    assert_int_equal(count_op(load(b), GRAPH_softmax), 1);
}

/* ---- shapes ---- */

/* What PyTorch writes around a flatten. */
static void shape_arithmetic_is_folded(void **state)
{
    Builder *b = builder_new(*state, 11);
    builder_input(b, "x", DIMS(0, 1, 2, 2));
    builder_ints(b, "zero", 7, SCALAR, INTS(0));
    builder_ints(b, "rest", 7, DIMS(1), INTS(-1));
    builder_node(b, "Shape", "x", "s");
    builder_node(b, "Gather", "s zero", "n");
    builder_node(b, "Unsqueeze", "n", "u");
    builder_int_list(b, "axes", 1, INTS(0));
    builder_node(b, "Concat", "u rest", "t");
    builder_int(b, "axis", 0);
    builder_node(b, "Reshape", "x t", "y");
    builder_output(b, "y");
    Graph *graph = load(b);
    assert_int_equal(graph_top(graph)->nodes.n, 2);
    GIVES(graph, X(1, 2, 3, 4), 1, 2, 3, 4);
}

static void axes_move_and_vanish(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(4, 2, 3)); /* a batch of four */
    builder_ints(b, "one", 7, DIMS(1), INTS(1));
    builder_node(b, "Transpose", "x", "t");
    builder_int_list(b, "perm", 3, INTS(0, 2, 1));
    builder_node(b, "Unsqueeze", "t one", "u");
    builder_node(b, "Squeeze", "u one", "q");
    builder_node(b, "Flatten", "q", "f");
    builder_node(b, "Identity", "f", "i");
    builder_node(b, "Dropout", "i", "y");
    builder_output(b, "y");
    GIVES(load(b), X(1, 2, 3, 4, 5, 6), 1, 4, 2, 5, 3, 6);
}

static void constants_are_computed_in_float32(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(1, 1));
    builder_floats(b, "a", SCALAR, FLOATS(0.1f));
    builder_floats(b, "three", DIMS(1), FLOATS(3));
    builder_node(b, "Mul", "a three", "p"); /* float32(0.1) * 3 in float32 */
    builder_node(b, "Sqrt", "p", "r");
    builder_node(b, "Add", "x r", "y");
    builder_output(b, "y");
    GIVES(load(b), X(0), (double)sqrtf(0.1f * 3.0f));
}

/* ---- quantisers ---- */

static Builder *quant_model(Arena *arena, const char *mode, float scale, float zero, float bits, int64_t is_signed, int64_t narrow,
                            uint32_t n)
{
    Builder *b = builder_new(arena, 13);
    builder_input(b, "x", DIMS(1, n));
    builder_floats(b, "s", SCALAR, &scale);
    builder_floats(b, "z", SCALAR, &zero);
    builder_floats(b, "b", SCALAR, &bits);
    builder_node(b, "Relu", "x", "r"); /* so that the port stays out of it */
    builder_node(b, "Neg", "x", "m");
    Onnx__NodeProto *node = builder_node(b, "Quant", "m s z b", "q");
    node->domain = arena_strdup(arena, "qonnx.custom_op.general");
    builder_int(b, "signed", is_signed);
    builder_int(b, "narrow", narrow);
    builder_string(b, "rounding_mode", mode);
    builder_node(b, "Neg", "q", "y");
    builder_output(b, "y");
    return b;
}

/* y of -x, negated: 8-bit signed, scale 1 */
static void every_rounding_mode(void **state)
{
    const double x[8] = {-2.5, -1.5, -1.25, -0.5, 0.5, 0.75, 1.5, 2.5};
    static const struct {
        const char *mode;
        double of_minus_x[8];
    } cases[] = {
        {"ROUND", {2, 2, 1, 0, 0, -1, -2, -2}},    {"HALF_EVEN", {2, 2, 1, 0, 0, -1, -2, -2}}, {"CEIL", {3, 2, 2, 1, 0, 0, -1, -2}},
        {"FLOOR", {2, 1, 1, 0, -1, -1, -2, -3}},   {"UP", {3, 2, 2, 1, -1, -1, -2, -3}},       {"DOWN", {2, 1, 1, 0, 0, 0, -1, -2}},
        {"HALF_UP", {3, 2, 1, 1, -1, -1, -2, -3}}, {"HALF_DOWN", {2, 1, 1, 0, 0, -1, -1, -2}}, {"floor", {2, 1, 1, 0, -1, -1, -2, -3}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        double expected[8];
        for (uint32_t k = 0; k < 8; k++)
            expected[k] = -cases[i].of_minus_x[k];
        assert_outputs(load(quant_model(*state, cases[i].mode, 1, 0, 8, 1, 0, 8)), x, 8, expected);
    }
}

static void limits_of_quant(void **state)
{
    const double x[4] = {-100, -3.4, 2.6, 100};
    static const struct {
        int64_t is_signed, narrow;
        double y[4]; /* -quant(-x) */
    } cases[] = {
        {1, 0, {-7, -3, 3, 8}},
        {1, 1, {-7, -3, 3, 7}},
        {0, 0, {-15, -3, 0, 0}},
        {0, 1, {-14, -3, 0, 0}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Graph *graph = load(quant_model(*state, "ROUND", 1, 0, 4, cases[i].is_signed, cases[i].narrow, 4));
        assert_outputs(graph, x, 4, cases[i].y);
        assert_int_equal(count_op(graph, GRAPH_clip), !cases[i].is_signed && cases[i].narrow);
    }
}

static void powers_of_two_are_a_type(void **state)
{
    Graph *graph = load(quant_model(*state, "ROUND", 0.25f, 0, 6, 1, 1, 1));
    const Quantiser *q = find_op(graph, GRAPH_quantise)->attr.quant->map.at;
    assert_int_equal(q->type.frac, 2);
    assert_int_equal(q->type.bits, 6);
    assert_int_equal(q->overflow, OVERFLOW_SAT_SYM);
    assert_int_equal(q->rounding, ROUND_RND_CONV);
    assert_int_equal(count_op(graph, GRAPH_affine), 2); /* the two Neg */
}

static void other_scales_stand_around_integers(void **state)
{
    Graph *graph = load(quant_model(*state, "ROUND", 0.3f, 2, 4, 0, 0, 2));
    Rational step = rational_from_double(*state, (double)0.3f);
    const GraphModule *top = graph_top(graph);
    const GraphAffine *in = graph_input_node(top, find_op(graph, GRAPH_quantise), 0)->attr.affine;
    assert_true(rational_equal(in->multiplier[0], rational_div(*state, rational_from_i64(*state, 1, 1), step)));
    assert_true(rational_equal(in->offset[0], rational_from_i64(*state, 2, 1)));
    assert_int_equal(find_op(graph, GRAPH_quantise)->attr.quant->map.at->type.frac, 0);
    GIVES(graph, X(-0.59, 100), -2 * (double)0.3f, 2 * (double)0.3f); /* 2 + 2, and 0: (0 - 2) 0.3 */
}

/* x -> Quant directly: the port has the type, the scale and the zero point. */
static void a_quantiser_alone_on_an_input_is_its_type(void **state)
{
    for (uint32_t uses = 1; uses <= 2; uses++) {
        Builder *b = one_node(*state, 13, DIMS(1, 2), "Quant", "x s z b");
        builder_int(b, "signed", 1);
        builder_int(b, "narrow", 0);
        builder_floats(b, "s", DIMS(1), FLOATS(0.3f));
        builder_floats(b, "z", SCALAR, FLOATS(1));
        builder_ints(b, "b", 7, SCALAR, INTS(8));
        if (uses == 2)
            builder_output(b, "x");
        Graph *graph = load(b);
        const GraphInput *port = find_op(graph, GRAPH_input)->attr.input;
        assert_int_equal(count_op(graph, GRAPH_quantise), uses - 1);
        assert_int_equal(port->type.at != NULL, uses == 1);
        if (uses == 1) {
            assert_true(rational_equal(port->scale.multiplier[0], rational_from_double(*state, (double)0.3f)));
            assert_true(rational_equal(port->scale.offset[0], rational_neg(port->scale.multiplier[0])));
            assert_int_equal(port->type.at[0].type.bits, 8);
        }
    }
}

static void scales_by_channel(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(1, 2, 3));
    builder_floats(b, "s", DIMS(1, 2, 1), FLOATS(0.5f, 4));
    builder_floats(b, "z", SCALAR, FLOATS(0));
    builder_floats(b, "b", SCALAR, FLOATS(3));
    builder_node(b, "Relu", "x", "r");
    builder_node(b, "IntQuant", "r s z b", "y");
    builder_int(b, "signed", 1);
    builder_int(b, "narrow", 0);
    builder_output(b, "y");
    Graph *graph = load(b);
    assert_int_equal(find_op(graph, GRAPH_quantise)->attr.quant->map.spread.axis, 0);
    GIVES(graph, X(0.3, 0.8, 9, 0.3, 7, 99), 0.5, 1, 1.5, 0, 8, 12);
}

static void one_bit_is_a_sign(void **state)
{
    GIVES(load(quant_model(*state, "ROUND", 0.5f, 0, 1, 1, 0, 3)), X(-3, 0, 0.1), -0.5, -0.5, 0.5);
    Builder *b = one_node(*state, 13, DIMS(1, 3), "BipolarQuant", "x s");
    builder_floats(b, "s", SCALAR, FLOATS(0.3f));
    GIVES(load(b), X(-0.1, 0, 7), -(double)0.3f, (double)0.3f, (double)0.3f);
}

/* Weights: integers with a scale by output; ties of the exact quotient go to even. */
static void weights_are_quantised_exactly(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(1, 2));
    builder_floats(b, "w", DIMS(2, 2), FLOATS(0.75f, -9, 0.25f, 1.5f)); /* [outputs][inputs] */
    builder_floats(b, "s", DIMS(2, 1), FLOATS(0.5f, 0.1f));
    builder_floats(b, "z", SCALAR, FLOATS(0));
    builder_floats(b, "b", SCALAR, FLOATS(4));
    builder_node(b, "Quant", "w s z b", "q");
    builder_int(b, "signed", 1);
    builder_int(b, "narrow", 1);
    builder_node(b, "Transpose", "q", "t");
    builder_node(b, "MatMul", "x t", "y");
    builder_output(b, "y");
    Graph *graph = load(b);
    const GraphTensor *w = find_op(graph, GRAPH_constant)->attr.tensor;
    const i128 raw[4] = {2, 2, -7, 7}; /* 1.5 -> 2; 0.25 / 0.1f = 2.4999.. -> 2; saturated */
    assert_int_equal(w->kind, KIND_FIXED);
    assert_int_equal(w->scale.spread.kind, SPREAD_CHANNEL);
    assert_int_equal(w->scale.spread.axis, 1);
    assert_true(rational_equal(w->scale.multiplier[1], rational_from_double(*state, (double)0.1f)));
    assert_memory_equal(w->raw, raw, sizeof raw);
}

static void thresholds_of_finn(void **state)
{
    Builder *b = one_node(*state, 13, DIMS(1, 2), "MultiThreshold", "x t");
    builder_string(b, "out_dtype", "INT2");
    builder_float(b, "out_bias", -1);
    builder_floats(b, "t", DIMS(2, 2), FLOATS(3, 1, -0.5f, 0.5f)); /* not in order */
    Graph *graph = load(b);
    GIVES(graph, X(1, 0.25), 0, 0);
    GIVES(graph, X(3, -1), 1, -1);
    b = one_node(*state, 13, DIMS(1, 2), "MultiThreshold", "x t");
    builder_float(b, "out_scale", 0.3f);
    builder_floats(b, "t", DIMS(1, 2), FLOATS(0, 1));
    GIVES(load(b), X(0, 5), (double)0.3f, 2 * (double)0.3f);
}

/* 2.5 -> 2, and then the zero point: not 2.5 + 1 -> 4. */
static void quantize_linear_rounds_before_the_zero_point(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(1, 3));
    builder_floats(b, "s", SCALAR, FLOATS(1));
    builder_ints(b, "z", 2, SCALAR, INTS(1));
    builder_ints(b, "hi", 2, SCALAR, INTS(15));
    builder_ints(b, "lo", 2, SCALAR, INTS(0));
    builder_node(b, "QuantizeLinear", "x s z", "i");
    builder_node(b, "Clip", "i lo hi", "k");
    builder_node(b, "DequantizeLinear", "k s z", "y");
    builder_output(b, "y");
    GIVES(load(b), X(2.5, -9, 99), 2, -1, 14);
}

static void dequantised_weights_are_integers_with_a_scale(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(1, 1));
    builder_ints(b, "w", 3, DIMS(1, 2), INTS(-3, 5));
    builder_floats(b, "s", DIMS(2), FLOATS(0.3f, 0.7f));
    builder_ints(b, "z", 3, DIMS(2), INTS(0, 1));
    builder_node(b, "DequantizeLinear", "w s z", "d");
    builder_int(b, "axis", 1);
    builder_node(b, "MatMul", "x d", "y");
    builder_output(b, "y");
    GIVES(load(b), X(1), -3 * (double)0.3f, 4 * (double)0.7f);
}

static void port_names_can_be_printed(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x.1", DIMS(1, 1));
    builder_input(b, "x:1", DIMS(1, 1));
    builder_node(b, "Add", "x.1 x:1", "34");
    builder_output(b, "34");
    Graph *graph = load(b);
    const GraphModule *top = graph_top(graph);
    assert_string_equal(graph_node(top, top->inputs.at[0])->attr.input->name, "x_1");
    assert_string_equal(graph_node(top, top->inputs.at[1])->attr.input->name, "x_1_2");
}

static void unordered_nodes_are_put_in_order(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(1, 1));
    builder_node(b, "Add", "b a", "y");
    builder_node(b, "Neg", "a", "b");
    builder_node(b, "Relu", "x", "a");
    builder_output(b, "y");
    GIVES(load(b), X(3), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(matmul_with_its_bias_is_one_dense),
        TEST(a_product_read_twice_keeps_its_bias_apart),
        TEST(matmul_takes_a_vector_and_more_axes),
        TEST(gemm_scales_exactly),
        TEST(constants_become_affine),
        TEST(division_is_exact),
        TEST(tensors_add_and_subtract_with_broadcasting),
        TEST(a_constant_for_each_element_is_added),
        TEST(batch_norm_is_rounded_once),
        TEST(scaler_of_scikit_learn),
        TEST(relu_clip_and_sign),
        TEST(clip_had_attributes),
        TEST(argmax_looks_through_softmax),
        TEST(softmax_of_old_operator_sets_over_the_last_axis),
        TEST(shape_arithmetic_is_folded),
        TEST(axes_move_and_vanish),
        TEST(constants_are_computed_in_float32),
        TEST(every_rounding_mode),
        TEST(limits_of_quant),
        TEST(powers_of_two_are_a_type),
        TEST(other_scales_stand_around_integers),
        TEST(a_quantiser_alone_on_an_input_is_its_type),
        TEST(scales_by_channel),
        TEST(one_bit_is_a_sign),
        TEST(weights_are_quantised_exactly),
        TEST(thresholds_of_finn),
        TEST(quantize_linear_rounds_before_the_zero_point),
        TEST(dequantised_weights_are_integers_with_a_scale),
        TEST(port_names_can_be_printed),
        TEST(unordered_nodes_are_put_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
