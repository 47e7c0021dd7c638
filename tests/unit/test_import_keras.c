/* Unit tests of src/import/keras without HDF5: quantisers against QKeras' own results (keras_cases.h), calls in Python's syntax, the wiring
 * of models, and what is reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "keras_stream.h"
#include "run/ref/ref.h"

typedef enum Where { KERNEL, BIAS, ACTIVATION } Where;
#include "keras_cases.h"

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

static const char *shown(Arena *arena, const DiagList *diags)
{
    Text text = text_init(arena);
    diag_print(&text, diags);
    return text.at;
}

static Graph *build(Arena *arena, Bytes stream)
{
    DiagList diags = diag_init(arena);
    Graph *graph = keras_build_graph(arena, "x.h5", stream, &diags);
    if (!graph || !graph_infer(graph, "x.h5", &diags) || !graph_verify(graph, "x.h5", &diags))
        fail_msg("%s", shown(arena, &diags));
    return graph;
}

static void run_f64(Arena *arena, const Graph *graph, const double *x, double *y) { ref_run_f64(ref_create(arena, graph, REF_F64), x, y); }

/* --- quantisers */

#define LAYER(class_name, name, config) "{\"class_name\": \"" class_name "\", \"config\": {\"name\": \"" name "\", " config "}}"
#define INPUT(n)                        LAYER("InputLayer", "in", "\"batch_input_shape\": [null, " #n "]")
#define SEQUENTIAL(layers)              "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"m\", \"layers\": [" layers "]}}"

/* a dense layer whose weights show in its outputs, one row at a time */
static void run_kernel(Arena *arena, const struct KerasCase *c, float y[12])
{
    Text stream = stream_begin(
        arena, fmt(arena, SEQUENTIAL(INPUT(4) "," LAYER("QDense", "d", "\"units\": 3, \"use_bias\": false, \"kernel_quantizer\": \"%s\"")),
                   c->call));
    stream_weight(&stream, "d", "d/kernel:0", c->x, 4, 3);
    Graph *graph = build(arena, stream_end(&stream));
    for (int row = 0; row < 4; row++) {
        double x[4] = {0}, out[3];
        x[row] = 1;
        run_f64(arena, graph, x, out);
        for (int i = 0; i < 3; i++)
            y[3 * row + i] = (float)out[i];
    }
}

static void run_bias(Arena *arena, const struct KerasCase *c, float y[12])
{
    const float zero[24] = {0};
    double out[12];
    Text stream = stream_begin(
        arena, fmt(arena, SEQUENTIAL(INPUT(2) "," LAYER("QDense", "d", "\"units\": 12, \"bias_quantizer\": \"%s\"")), c->call));
    stream_weight(&stream, "d", "d/kernel:0", zero, 2, 12);
    stream_weight(&stream, "d", "d/bias:0", c->x, 12, 0);
    run_f64(arena, build(arena, stream_end(&stream)), (double[]){0, 0}, out);
    for (int i = 0; i < 12; i++)
        y[i] = (float)out[i];
}

static void run_activation(Arena *arena, const struct KerasCase *c, float y[12])
{
    double x[12], out[12];
    Text stream = stream_begin(arena, fmt(arena, SEQUENTIAL(INPUT(12) "," LAYER("QActivation", "a", "\"activation\": \"%s\"")), c->call));
    for (int i = 0; i < 12; i++)
        x[i] = c->x[i];
    run_f64(arena, build(arena, stream_end(&stream)), x, out);
    for (int i = 0; i < 12; i++)
        y[i] = (float)out[i];
}

static void quantisers_are_those_of_qkeras(void **state)
{
    for (size_t k = 0; k < COUNT_OF(keras_cases); k++) {
        const struct KerasCase *c = &keras_cases[k];
        Arena *arena = arena_child(*state);
        float y[12], most = 1;
        if (c->where == KERNEL)
            run_kernel(arena, c, y);
        else if (c->where == BIAS)
            run_bias(arena, c, y);
        else
            run_activation(arena, c, y);
        for (int i = 0; i < 12; i++)
            most = fmaxf(most, fabsf(c->x[i]));
        for (int i = 0; i < 12; i++) /* QKeras gives x + (q - x) in float32, so one rounding of the size of x */
            if (!(fabsf(y[i] - c->y[i]) <= 0x1p-22f * most))
                fail_msg("case %zu, %s: %.9g gives %.9g, QKeras says %.9g", k, c->call, (double)c->x[i], (double)y[i], (double)c->y[i]);
        arena_destroy(arena);
    }
}

/* --- Python's syntax */

static void calls_are_parsed(void **state)
{
    PyCall call;
    const char *why;
    assert_true(py_call_parse(*state, " quantized_bits ( 4, -1.5e-1,True , alpha = 'auto' ,x=[1, 2,], y=None, z=f(g=2)) ", &call, &why));
    assert_string_equal(call.name, "quantized_bits");
    assert_int_equal(call.n, 7);
    assert_int_equal(call.args[0].value.integer, 4);
    assert_null(call.args[0].key);
    assert_true(call.args[1].value.kind == PY_REAL && call.args[1].value.real == -0.15);
    assert_true(call.args[2].value.kind == PY_BOOL && call.args[2].value.integer == 1);
    assert_string_equal(call.args[3].key, "alpha");
    assert_string_equal(call.args[3].value.string, "auto");
    assert_int_equal(call.args[4].value.n, 2);
    assert_true(call.args[5].value.kind == PY_NONE);
    assert_string_equal(call.args[6].value.call->args[0].key, "g");
    assert_true(py_call_parse(*state, "binary", &call, &why) && call.n == 0);
    assert_true(py_call_parse(*state, "binary()", &call, &why) && call.n == 0);
}

static void bad_calls_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "4",
        "f(",
        "f(1",
        "f(1,,2)",
        "f(a=1, 2)",
        "f(1) g",
        "f('a)",
        "f(1 2)",
        "f(=1)",
        "f(--1)",
        "f(a=)",
        "f(@)",
        "f([1)",
        "f(((((((((((1)))))))))))",
        "f(g(g(g(g(g(g(g(g(g(1))))))))))",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        PyCall call;
        const char *why = NULL;
        if (py_call_parse(*state, bad[i], &call, &why))
            fail_msg("'%s' was taken", bad[i]);
        assert_non_null(why);
    }
}

/* --- models */

static void batch_norm_is_exact(void **state)
{
    /* gamma / sqrt(var + eps) with var + eps = 1/4 exactly: 2 gamma; y = 2 * 3 (x - 1.5) + 0.25 */
    Text stream = stream_begin(*state, SEQUENTIAL(INPUT(1) "," LAYER("BatchNormalization", "n", "\"axis\": [1], \"epsilon\": 0.125")));
    stream_weight(&stream, "n", "n/gamma:0", (float[]){3}, 1, 0);
    stream_weight(&stream, "n", "n/beta:0", (float[]){0.25}, 1, 0);
    stream_weight(&stream, "n", "n/moving_mean:0", (float[]){1.5}, 1, 0);
    stream_weight(&stream, "n", "n/moving_variance:0", (float[]){0.125}, 1, 0);
    Graph *graph = build(*state, stream_end(&stream));
    const GraphNode *node = graph_node(graph_top(graph), vec_last(&graph_top(graph)->outputs)->ref);
    assert_int_equal(node->op, GRAPH_affine);
    assert_true(rational_equal(node->attr.affine->multiplier[0], rational_from_i64(*state, 6, 1)));
    assert_true(rational_equal(node->attr.affine->offset[0], rational_from_i64(*state, -35, 4)));
}

#define CALL_OF(name) "[\"" name "\", 0, 0, {}]"
#define NODE(class_name, name, config, inbound)                                                                                            \
    "{\"class_name\": \"" class_name "\", \"name\": \"" name "\", \"config\": {\"name\": \"" name "\", " config                            \
    "}, \"inbound_nodes\": [" inbound "]}"
#define FUNCTIONAL(layers, in, out)                                                                                                        \
    "{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": [" layers "], \"input_layers\": [" in                      \
    "], \"output_layers\": [" out "]}}"
#define IN(name) NODE("InputLayer", name, "\"batch_input_shape\": [null, 2]", "")

static void functional_models_are_wired(void **state)
{
    /* relu(a) - b, and the same relu, called again, of that; written users first, inputs in the order b, a */
    const char *config =
        FUNCTIONAL(NODE("ReLU", "r", "\"max_value\": null", "[" CALL_OF("a") "], [" CALL_OF("s") "]") "," NODE(
                       "Subtract", "s", "\"trainable\": true", "[" CALL_OF("r") ", " CALL_OF("b") "]") "," IN("a") "," IN("b"),
                   CALL_OF("b") "," CALL_OF("a"), "[\"r\", 1, 0]," CALL_OF("s"));
    Text stream = stream_begin(*state, config);
    Graph *graph = build(*state, stream_end(&stream));
    double y[4];
    run_f64(*state, graph, (double[]){5, -1 /* b */, 3, -7 /* a */}, y);
    assert_true(y[0] == 0 && y[1] == 1 && y[2] == -2 && y[3] == 1);
    assert_string_equal(graph_top(graph)->outputs.at[0].name, "r");
    assert_string_equal(graph_node(graph_top(graph), graph_top(graph)->inputs.at[0])->attr.input->name, "b");
}

static void shapes_without_an_input_layer(void **state)
{
    const char *config = SEQUENTIAL(LAYER("Reshape", "r", "\"batch_input_shape\": [null, 6], \"target_shape\": [2, -1]") "," LAYER(
        "Flatten", "f",
        "\"data_format\": \"channels_last\"") "," LAYER("Dropout", "d",
                                                        "\"rate\": 0.5") "," LAYER("LeakyReLU", "l",
                                                                                   "\"alpha\": 0.25") "," LAYER("Activation", "s",
                                                                                                                "\"activation\": "
                                                                                                                "\"softmax\""));
    Text stream = stream_begin(*state, config);
    Graph *graph = build(*state, stream_end(&stream));
    const GraphModule *top = graph_top(graph);
    assert_string_equal(graph_node(top, top->inputs.at[0])->attr.input->name, "r_input");
    assert_int_equal(graph_node(top, top->outputs.at[0].ref)->op, GRAPH_softmax);
    assert_int_equal(graph_node(top, 1)->shape.dim[1], 3);
}

/* --- what is refused, and how */

static void expect(Arena *arena, Bytes stream, uint32_t n_errors, DiagCode code, const char *part_of_text)
{
    DiagList diags = diag_init(arena);
    assert_null(keras_build_graph(arena, "x.h5", stream, &diags));
    const char *text = shown(arena, &diags);
    bool found = false;
    for (uint32_t i = 0; i < diags.list.n; i++)
        found = found || diags.list.at[i].code == code;
    if (diags.n_errors != n_errors || !found || !strstr(text, part_of_text))
        fail_msg("expected %u errors, one of them %s with '%s':\n%s", n_errors, diag_code_text(code), part_of_text, text);
}

static void expect_config(Arena *arena, const char *config, uint32_t n_errors, DiagCode code, const char *part_of_text)
{
    Text stream = stream_begin(arena, config);
    expect(arena, stream_end(&stream), n_errors, code, part_of_text);
}

static void all_errors_in_one_run(void **state)
{
    /* behind the unknown Warp nothing is said about sizes, but each layer is still read */
    const char *config = SEQUENTIAL(
        INPUT(4) "," LAYER("Warp", "w", "\"factor\": 9") "," LAYER("QDense", "d", "\"units\": 3, \"kernel_quantizer\": \"quantized_foo(3)\", \"gain\": 1") "," LAYER(
            "QActivation", "a",
            "\"activation\": \"quantized_relu(bits=3, colour=2)\"") "," LAYER("Sequential", "inner",
                                                                              "\"layers\": []") "," LAYER("Activation", "t",
                                                                                                          "\"activation\": "
                                                                                                          "\"tanh\"") "," LAYER("QA"
                                                                                                                                "ct"
                                                                                                                                "iv"
                                                                                                                                "at"
                                                                                                                                "io"
                                                                                                                                "n",
                                                                                                                                "q",
                                                                                                                                "\""
                                                                                                                                "ac"
                                                                                                                                "ti"
                                                                                                                                "va"
                                                                                                                                "ti"
                                                                                                                                "on"
                                                                                                                                "\""
                                                                                                                                ": "
                                                                                                                                "{"
                                                                                                                                "\""
                                                                                                                                "cl"
                                                                                                                                "as"
                                                                                                                                "s_"
                                                                                                                                "na"
                                                                                                                                "me"
                                                                                                                                "\""
                                                                                                                                ": "
                                                                                                                                "\""
                                                                                                                                "qu"
                                                                                                                                "an"
                                                                                                                                "ti"
                                                                                                                                "ze"
                                                                                                                                "d_"
                                                                                                                                "ta"
                                                                                                                                "nh"
                                                                                                                                "\""
                                                                                                                                ", "
                                                                                                                                "\""
                                                                                                                                "co"
                                                                                                                                "nf"
                                                                                                                                "ig"
                                                                                                                                "\""
                                                                                                                                ": "
                                                                                                                                "{"
                                                                                                                                "\""
                                                                                                                                "us"
                                                                                                                                "e_"
                                                                                                                                "re"
                                                                                                                                "al"
                                                                                                                                "_t"
                                                                                                                                "an"
                                                                                                                                "h"
                                                                                                                                "\""
                                                                                                                                ": "
                                                                                                                                "tr"
                                                                                                                                "ue"
                                                                                                                                "}"
                                                                                                                                "}"));
    Text stream = stream_begin(*state, config);
    stream_weight(&stream, "d", "d/kernel:0", (float[]){1, NAN, INFINITY}, 1, 3);
    Bytes bytes = stream_end(&stream);
    expect(*state, bytes, 9, DIAG_UNKNOWN_LAYER, "layer 'w' (Warp): error: layer class 'Warp' is not known");
    expect(*state, bytes, 9, DIAG_UNKNOWN_QUANTISER, "layer 'd' (QDense), kernel_quantizer: error: quantiser 'quantized_foo' is not known");
    expect(*state, bytes, 9, DIAG_UNKNOWN_ATTRIBUTE, "attribute 'gain' is not known");
    expect(*state, bytes, 9, DIAG_VALUE, "2 of 3 weights are NaN or infinite");
    expect(*state, bytes, 9, DIAG_MISSING, "the file has no weight 'bias' for this layer");
    expect(*state, bytes, 9, DIAG_UNKNOWN_ATTRIBUTE, "'quantized_relu' has no parameter colour");
    expect(*state, bytes, 9, DIAG_UNSUPPORTED, "a model inside a model is not supported");
    expect(*state, bytes, 9, DIAG_UNKNOWN_ATTRIBUTE, "activation 'tanh' is not known");
    expect(*state, bytes, 9, DIAG_UNSUPPORTED, "'quantized_tanh' with use_real_tanh=True is not supported");
}

static void bad_models(void **state)
{
    Arena *arena = *state;
    expect_config(arena, "{\"class_name\": ", 1, DIAG_SYNTAX, "not JSON");
    expect_config(arena, "[]", 1, DIAG_UNKNOWN_LAYER, "a model of class ''");
    expect_config(arena, SEQUENTIAL(""), 1, DIAG_MISSING, "this one has 0");
    expect_config(arena, SEQUENTIAL(INPUT(4)), 1, DIAG_MISSING, "no layers behind its inputs");
    expect_config(arena, SEQUENTIAL(INPUT(4) "," LAYER("ReLU", "in", "\"threshold\": 0")), 1, DIAG_DUPLICATE, "two layers are called 'in'");
    expect_config(arena, SEQUENTIAL(INPUT(null) "," LAYER("ReLU", "r", "\"threshold\": 0")), 1, DIAG_UNKNOWN_ATTRIBUTE,
                  "axes of fixed length");
    expect_config(arena, SEQUENTIAL(LAYER("ReLU", "r", "\"threshold\": 0")), 1, DIAG_MISSING, "the shape of the input is missing");
    expect_config(arena, SEQUENTIAL(INPUT(1000000000) "," LAYER("ReLU", "r", "\"threshold\": 0")), 1, DIAG_UNKNOWN_ATTRIBUTE,
                  "batch_input_shape");
    expect_config(arena, SEQUENTIAL(INPUT(4) "," LAYER("ReLU", "r", "\"threshold\": 0.5")), 1, DIAG_UNKNOWN_ATTRIBUTE, "threshold = 0.5");
    expect_config(arena, SEQUENTIAL(INPUT(4) "," LAYER("Reshape", "r", "\"target_shape\": [3, -1]")), 1, DIAG_UNKNOWN_ATTRIBUTE,
                  "target_shape");
    expect_config(arena, SEQUENTIAL(INPUT(4) "," LAYER("Softmax", "s", "\"axis\": 0")), 1, DIAG_UNKNOWN_ATTRIBUTE, "the last axis");
    expect_config(arena, SEQUENTIAL(INPUT(4) "," LAYER("Flatten", "f", "\"dtype\": \"mixed_float16\"")), 1, DIAG_UNSUPPORTED,
                  "mixed_float16");
    expect_config(arena, SEQUENTIAL(INPUT(4) "," LAYER("QActivation", "q", "\"activation\": \"quantized_bits(4, alpha='auto')\"")), 1,
                  DIAG_UNSUPPORTED, "on an activation");
    expect_config(arena, SEQUENTIAL(INPUT(4) "," LAYER("QActivation", "q", "\"activation\": \"quantized_bits(4, qnoise_factor=0.5)\"")), 1,
                  DIAG_UNSUPPORTED, "qnoise_factor");
    expect_config(arena, SEQUENTIAL(INPUT(4) "," LAYER("QActivation", "q", "\"activation\": \"quantized_bits(4, bits=4)\"")), 1,
                  DIAG_UNKNOWN_ATTRIBUTE, "twice");
}

static void bad_wiring(void **state)
{
    Arena *arena = *state;
    expect_config(
        arena,
        FUNCTIONAL(IN("a") "," NODE("Add", "x", "\"dtype\": null", "[" CALL_OF("a") "," CALL_OF("y") "]") "," NODE(
                       "ReLU", "y", "\"dtype\": null", "[" CALL_OF("x") "]") "," NODE("ReLU", "z", "\"dtype\": null", "[" CALL_OF("y") "]"),
                   CALL_OF("a"), CALL_OF("z")),
        1, DIAG_CYCLE, "layer 'x' (Add): error: the output of this layer leads back into it");
    expect_config(arena, FUNCTIONAL(IN("a") "," NODE("ReLU", "y", "\"dtype\": null", "[" CALL_OF("x") "]"), CALL_OF("a"), CALL_OF("y")), 1,
                  DIAG_MISSING, "call 0 of layer 'x' does not exist");
    expect_config(arena, FUNCTIONAL(IN("a") "," NODE("ReLU", "y", "\"dtype\": null", "[" CALL_OF("a") "]"), CALL_OF("a"), ""), 1,
                  DIAG_MISSING, "no outputs");
    expect_config(
        arena,
        FUNCTIONAL(IN("a") "," NODE("ReLU", "y", "\"dtype\": null", "[[\"a\", 0, 0, {\"mask\": true}]]"), CALL_OF("a"), CALL_OF("y")), 1,
        DIAG_UNKNOWN_ATTRIBUTE, "call argument 'mask'");
    expect_config(arena, FUNCTIONAL(IN("a") "," NODE("Add", "y", "\"dtype\": null", "[" CALL_OF("a") "]"), CALL_OF("a"), CALL_OF("y")), 1,
                  DIAG_SHAPE, "it has 1 inputs");
}

static void bad_weights(void **state)
{
    Arena *arena = *state;
    const char *dense = SEQUENTIAL(INPUT(2) "," LAYER("Dense", "d", "\"units\": 3"));
    const float x[6] = {0};
    Text stream = stream_begin(arena, dense);
    stream_weight(&stream, "d", "d/kernel:0", x, 3, 2);
    stream_weight(&stream, "d", "d/bias:0", x, 2, 0);
    expect(arena, stream_end(&stream), 1, DIAG_SHAPE, "its shape is [3, 2], but must be [2, 3]");
    stream = stream_begin(arena, dense);
    stream_weight(&stream, "d", "d/kernel:0", x, 2, 3);
    stream_weight(&stream, "d", "d/kernel:0", x, 2, 3);
    stream_weight(&stream, "d", "d/bias:0", x, 3, 0);
    expect(arena, stream_end(&stream), 1, DIAG_DUPLICATE, "two weights");
    stream = stream_begin(arena, SEQUENTIAL(INPUT(1) "," LAYER("BatchNormalization", "n", "\"center\": false, \"scale\": false")));
    stream_weight(&stream, "n", "n/moving_mean:0", (float[]){0}, 1, 0);
    stream_weight(&stream, "n", "n/moving_variance:0", (float[]){-1}, 1, 0);
    expect(arena, stream_end(&stream), 1, DIAG_VALUE, "the variance of channel 0 is not positive");
}

/* Every prefix of a good stream, and every byte of it changed, gives a graph or a diagnostic. */
static void broken_streams(void **state)
{
    Text stream = stream_begin(*state, SEQUENTIAL(INPUT(2) "," LAYER("QDense", "d", "\"units\": 2, \"kernel_quantizer\": \"ternary()\"")));
    stream_weight(&stream, "d", "d/kernel:0", (float[]){1, 2, 3, 4}, 2, 2);
    stream_weight(&stream, "d", "d/bias:0", (float[]){1, 2}, 2, 0);
    Bytes good = stream_end(&stream);
    for (size_t i = 0; i < good.n; i++) {
        Arena *arena = arena_child(*state);
        DiagList diags = diag_init(arena);
        assert_null(keras_build_graph(arena, "x.h5", (Bytes){good.at, i}, &diags));
        assert_true(diags.n_errors > 0);
        uint8_t *bad = arena_copy(arena, good.at, good.n, 1);
        diags = diag_init(arena);
        bad[i] ^= 0x81;
        assert_true(keras_build_graph(arena, "x.h5", (Bytes){bad, good.n}, &diags) != NULL || diags.n_errors > 0);
        arena_destroy(arena);
    }
}

typedef struct Job {
    Arena *arena;
    Bytes stream;
    bool good;
} Job;

static void build_job(void *context)
{
    Job *job = context;
    DiagList diags = diag_init(job->arena);
    job->good = keras_build_graph(job->arena, "x.h5", job->stream, &diags) != NULL;
}

/* The first, second, ... allocation fails, until none does: control comes back, and nothing leaks (under the sanitiser). */
static void memory_may_run_out(void **state)
{
    Text stream = stream_begin(
        *state, SEQUENTIAL(LAYER("QDense", "d", "\"units\": 2, \"batch_input_shape\": [null, 2], \"kernel_quantizer\": \"ternary()\"")));
    stream_weight(&stream, "d", "d/kernel:0", (float[]){1, 2, 3, 4}, 2, 2);
    stream_weight(&stream, "d", "d/bias:0", (float[]){1, 2}, 2, 0);
    Job job = {.stream = stream_end(&stream)};
    for (uint64_t n = 2; !job.good; n++) {
        Memory memory = {.fail_at = n};
        job.arena = arena_create(&memory);
        assert_non_null(job.arena);
        assert_true(arena_run(job.arena, build_job, &job) == job.good);
        arena_destroy(job.arena);
        assert_true(n < 100000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(quantisers_are_those_of_qkeras),
        TEST(calls_are_parsed),
        TEST(bad_calls_are_refused),
        TEST(batch_norm_is_exact),
        TEST(functional_models_are_wired),
        TEST(shapes_without_an_input_layer),
        TEST(all_errors_in_one_run),
        TEST(bad_models),
        TEST(bad_wiring),
        TEST(bad_weights),
        TEST(broken_streams),
        TEST(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
