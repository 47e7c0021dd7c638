/* Unit tests of import/onnx: what it refuses, by name, all in one run; damaged and hostile files; memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "import/import.h"
#include "onnx_build.h"

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

static const char *text_of(Arena *arena, const DiagList *diags)
{
    Text text = text_init(arena);
    diag_print(&text, diags);
    return text.at;
}

static DiagList refuse_bytes(Arena *arena, Bytes bytes)
{
    DiagList diags = diag_init(arena);
    assert_null(import_onnx(arena, "m.onnx", bytes, &diags));
    assert_true(diags.n_errors > 0);
    return diags;
}

/* Exactly one error, of that code, whose printed form holds `words`. */
static void assert_refused(Builder *b, DiagCode code, const char *words)
{
    DiagList diags = refuse_bytes(b->arena, builder_bytes(b));
    const char *text = text_of(b->arena, &diags);
    if (diags.n_errors != 1 || diags.list.at[0].code != code || !strstr(text, words))
        fail_msg("expected one error %s with '%s', got:\n%s", diag_code_text(code), words, text);
}

/* Input x [1, 2], constant c [2] = {1, 2}, output y; the node is added by the caller. */
static Builder *start(Arena *arena)
{
    Builder *b = builder_new(arena, 13);
    builder_input(b, "x", DIMS(1, 2));
    builder_floats(b, "c", DIMS(2), FLOATS(1, 2));
    builder_output(b, "y");
    return b;
}

static void all_unknown_things_are_told_in_one_run(void **state)
{
    Builder *b = start(*state);
    builder_node(b, "Tanh", "x", "t");
    builder_node(b, "TopK", "t", "k");
    builder_node(b, "Relu", "k", "r");
    builder_int(b, "slope", 1);
    builder_node(b, "Quant", "r c c c", "y")->domain = arena_strdup(*state, "com.example");
    DiagList diags = refuse_bytes(*state, builder_bytes(b));
    const char *text = text_of(*state, &diags);
    assert_int_equal(diags.n_errors, 4);
    assert_non_null(strstr(text, "layer 'T' (Tanh): error: operator 'Tanh' is not known"));
    assert_non_null(strstr(text, "layer 'K' (TopK)"));
    assert_non_null(strstr(text, "attribute 'slope' is not known"));
    assert_non_null(strstr(text, "operator 'Quant' of domain 'com.example'"));
    assert_non_null(strstr(text, "known here: Add, Sub, Mul"));
}

static void operators_that_kaon_cannot_express(void **state)
{
    static const struct {
        const char *type, *inputs, *words;
    } cases[] = {
        {"Mul", "x x", "layer 'Y' (Mul): error: a product of two tensors"},
        {"Div", "c x", "a constant divided by a tensor"},
        {"MatMul", "c x", "weights on the left of a MatMul"},
        {"Sqrt", "x", "Sqrt of a tensor that depends on the model's inputs"},
        {"Min", "x c", "Min of a tensor"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Builder *b = start(*state);
        builder_node(b, cases[i].type, cases[i].inputs, "y");
        assert_refused(b, DIAG_UNSUPPORTED, cases[i].words);
    }
}

static void refused_attributes(void **state)
{
    static const struct {
        const char *type, *inputs, *attribute, *words;
        int64_t value;
        DiagCode code;
    } cases[] = {
        {"Gemm", "x w", "transA", "the first factor transposed", 1, DIAG_UNSUPPORTED},
        {"Softmax", "x", "axis", "over other axes than the last", 0, DIAG_UNSUPPORTED},
        {"ArgMax", "x", "select_last_index", "the last of equal values", 1, DIAG_UNSUPPORTED},
        {"ArgMax", "x", "axis", "over another axis than the last", 0, DIAG_UNSUPPORTED},
        {"BatchNormalization", "x c c c c", "training_mode", "training mode", 1, DIAG_UNSUPPORTED},
        {"Cast", "x", "to", "cast to int8", 3, DIAG_UNSUPPORTED},
        {"Flatten", "x", "axis", "not one of the tensor's", 5, DIAG_SHAPE},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Builder *b = start(*state);
        builder_floats(b, "w", DIMS(2, 1), FLOATS(1, 2));
        builder_node(b, cases[i].type, cases[i].inputs, "y");
        builder_int(b, cases[i].attribute, cases[i].value);
        assert_refused(b, cases[i].code, cases[i].words);
    }
}

static void a_softmax_in_the_middle(void **state)
{
    Builder *b = start(*state);
    builder_node(b, "Softmax", "x", "p");
    builder_node(b, "Relu", "p", "y");
    assert_refused(b, DIAG_UNSUPPORTED, "a softmax is computed with");
}

static void numbers_that_cannot_be_used(void **state)
{
    static const struct {
        const char *type;
        float value;
        const char *words;
    } cases[] = {
        {"Add", NAN, "layer 'Y' (Add), w: error: element 1 is NaN"},
        {"Mul", INFINITY, "element 1 is infinite"},
        {"MatMul", -INFINITY, "element 1 is infinite"},
        {"Div", 0, "a division by 0"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Builder *b = start(*state);
        if (text_equal(cases[i].type, "MatMul"))
            builder_floats(b, "w", DIMS(2, 1), FLOATS(1, cases[i].value));
        else
            builder_floats(b, "w", DIMS(2), FLOATS(1, cases[i].value));
        builder_node(b, cases[i].type, "x w", "y");
        assert_refused(b, DIAG_VALUE, cases[i].words);
    }
    Builder *b = start(*state);
    builder_floats(b, "v", DIMS(2), FLOATS(1, -1));
    builder_node(b, "BatchNormalization", "x c c c v", "y");
    assert_refused(b, DIAG_VALUE, "the variance of channel 1");
}

static void quantisers_that_make_no_sense(void **state)
{
    static const struct {
        float scale, bits;
        const char *mode, *words;
        DiagCode code;
    } cases[] = {
        {0, 4, "ROUND", "scale 0 is not above 0", DIAG_VALUE},
        {-1, 4, "ROUND", "is not above 0", DIAG_VALUE},
        {NAN, 4, "ROUND", "element 0 is NaN", DIAG_VALUE},
        {1, 2.5f, "ROUND", "a bit width of 2.5", DIAG_VALUE},
        {1, 0, "ROUND", "a bit width of 0", DIAG_VALUE},
        {1, 65, "ROUND", "a bit width of 65", DIAG_VALUE},
        {1, NAN, "ROUND", "a bit width of", DIAG_VALUE},
        {1, 4, "SOMETIMES", "rounding mode 'SOMETIMES' is not known", DIAG_UNKNOWN_QUANTISER},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Builder *b = start(*state);
        builder_floats(b, "s", SCALAR, &cases[i].scale);
        builder_floats(b, "b", SCALAR, &cases[i].bits);
        builder_floats(b, "z", SCALAR, FLOATS(0));
        builder_node(b, "Quant", "x s z b", "y");
        builder_string(b, "rounding_mode", cases[i].mode);
        assert_refused(b, cases[i].code, cases[i].words);
    }
}

static void weights_with_a_scale_for_each_input(void **state)
{
    Builder *b = start(*state);
    builder_floats(b, "w", DIMS(2, 1), FLOATS(1, 2));
    builder_floats(b, "s", DIMS(2, 1), FLOATS(0.1f, 0.2f));
    builder_floats(b, "z", SCALAR, FLOATS(0));
    builder_floats(b, "b", SCALAR, FLOATS(4));
    builder_node(b, "Quant", "w s z b", "q");
    builder_node(b, "MatMul", "x q", "y");
    assert_refused(b, DIAG_UNSUPPORTED, "a scale for each input");
}

static void integers_between_a_pair(void **state)
{
    Builder *b = start(*state);
    builder_floats(b, "s", SCALAR, FLOATS(1));
    builder_node(b, "QuantizeLinear", "x s", "q");
    builder_node(b, "Relu", "q", "y");
    assert_refused(b, DIAG_UNSUPPORTED, "the integers of a QuantizeLinear are computed with");
    b = start(*state);
    builder_floats(b, "s", SCALAR, FLOATS(1));
    builder_floats(b, "r", SCALAR, FLOATS(2));
    builder_node(b, "QuantizeLinear", "x s", "q");
    builder_node(b, "DequantizeLinear", "q r", "y");
    assert_refused(b, DIAG_UNSUPPORTED, "differ from those of the QuantizeLinear");
}

static void graphs_that_hang_together_wrongly(void **state)
{
    Builder *b = start(*state);
    builder_node(b, "Add", "x w", "v");
    builder_node(b, "Relu", "v", "w");
    builder_node(b, "Neg", "w", "y");
    assert_refused(b, DIAG_CYCLE, "a loop of 2 nodes");
    b = start(*state);
    builder_node(b, "Relu", "nowhere", "y");
    assert_refused(b, DIAG_MISSING, "input 'nowhere' is made by no node");
    b = start(*state);
    builder_node(b, "Relu", "x", "y");
    builder_node(b, "Neg", "x", "y");
    assert_refused(b, DIAG_DUPLICATE, "tensor 'y' is made twice");
    b = start(*state);
    builder_node(b, "Relu", "x", "y");
    builder_output(b, "y");
    assert_refused(b, DIAG_DUPLICATE, "the output is listed twice");
    b = start(*state);
    builder_node(b, "Relu", "x", "z");
    assert_refused(b, DIAG_MISSING, "output 'y'");
    b = start(*state);
    builder_input(b, "x", DIMS(1, 2));
    builder_node(b, "Relu", "x", "y");
    assert_refused(b, DIAG_DUPLICATE, "tensor 'x' is made twice");
    b = start(*state);
    assert_refused(b, DIAG_MISSING, "no graph, or one without nodes");
    b = start(*state);
    builder_node(b, "Neg", "c", "y");
    assert_refused(b, DIAG_UNSUPPORTED, "does not depend on the model's inputs");
}

static void shapes_that_are_not_usable(void **state)
{
    Builder *b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(1, 0, 3));
    builder_node(b, "Relu", "x", "y");
    builder_output(b, "y");
    assert_refused(b, DIAG_SHAPE, "the size of axis 1 is not fixed");
    b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(1, 1000000000));
    builder_node(b, "Relu", "x", "y");
    builder_output(b, "y");
    assert_refused(b, DIAG_LIMIT, "input 'x': error: the input's shape is not usable");
    b = builder_new(*state, 13);
    builder_input(b, "x", DIMS(1, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20));
    builder_node(b, "Relu", "x", "y");
    builder_output(b, "y");
    assert_refused(b, DIAG_LIMIT, "shape is not usable");
    b = start(*state);
    builder_floats(b, "w", DIMS(3, 1), FLOATS(1, 2, 3));
    builder_node(b, "MatMul", "x w", "y");
    assert_refused(b, DIAG_SHAPE, "weights [3, 1] are multiplied with a tensor of shape [1, 2]");
    b = start(*state);
    builder_ints(b, "n", 7, DIMS(2), INTS(-1, 3));
    builder_node(b, "Reshape", "x n", "y");
    assert_refused(b, DIAG_SHAPE, "no size fits in place of -1");
}

static void tensors_whose_bytes_do_not_fit(void **state)
{
    Builder *b = start(*state);
    builder_floats(b, "w", DIMS(2), FLOATS(1, 2))->raw_data.len = 7;
    builder_node(b, "Add", "x w", "y");
    assert_refused(b, DIAG_SYNTAX, "initializer 'w': error: shape [2] of float32 asks for 8 bytes, the file has 7");
    b = start(*state);
    Onnx__TensorProto *tensor = builder_floats(b, "w", DIMS(2), FLOATS(1, 2));
    tensor->dims[0] = 1000000000;
    builder_node(b, "Add", "x w", "y");
    assert_refused(b, DIAG_LIMIT, "initializer 'w'");
    b = start(*state);
    builder_floats(b, "w", DIMS(2), FLOATS(1, 2))->dims[0] = -2;
    builder_node(b, "Add", "x w", "y");
    assert_refused(b, DIAG_LIMIT, "initializer 'w'");
    b = start(*state);
    tensor = builder_floats(b, "w", DIMS(2), FLOATS(1, 2));
    tensor->has_data_location = 1;
    tensor->data_location = 1;
    builder_node(b, "Add", "x w", "y");
    assert_refused(b, DIAG_UNSUPPORTED, "external data");
    b = start(*state);
    builder_floats(b, "w", DIMS(2), FLOATS(1, 2))->data_type = 14;
    builder_node(b, "Add", "x w", "y");
    assert_refused(b, DIAG_UNSUPPORTED, "the tensor holds complex64 (type 14)");
}

static void small_files_that_ask_for_a_lot(void **state)
{
    Builder *b = start(*state);
    builder_ints(b, "n", 7, DIMS(1), INTS(1 << 28));
    builder_node(b, "ConstantOfShape", "n", "k");
    builder_node(b, "Add", "x k", "y");
    assert_refused(b, DIAG_LIMIT, "more than 2^26 elements");
    b = start(*state);
    char from[8] = "c", to[8];
    for (uint32_t i = 0; i < 40; i++) { /* twice as long each time */
        snprintf(to, sizeof to, "d%u", i);
        builder_node(b, "Concat", fmt(*state, "%s %s", from, from), to);
        builder_int(b, "axis", 0);
        memcpy(from, to, sizeof to);
    }
    builder_node(b, "Add", fmt(*state, "x %s", from), "y");
    assert_refused(b, DIAG_LIMIT, "more than 2^26 elements");
}

static void operator_sets_that_are_not_read(void **state)
{
    for (int64_t opset = 6; opset <= 23; opset += 17) {
        Builder *b = builder_new(*state, opset);
        builder_input(b, "x", DIMS(1, 2));
        builder_node(b, "Relu", "x", "y");
        builder_output(b, "y");
        assert_refused(b, DIAG_UNSUPPORTED, "kaon reads 7 to 22");
    }
}

/* A small model with a bit of everything. */
static Bytes whole_model(Arena *arena)
{
    Builder *b = builder_new(arena, 13);
    builder_input(b, "x", DIMS(0, 1, 4));
    builder_floats(b, "w", DIMS(3, 4), FLOATS(1, 0.5f, -3, 0.1f, 2, 2, 0.3f, 1, -1, -1, 0.7f, 2));
    builder_floats(b, "c", DIMS(3), FLOATS(1, 0.3f, -3));
    builder_floats(b, "v", DIMS(3), FLOATS(1, 0.3f, 3));
    builder_floats(b, "s", SCALAR, FLOATS(0.3f));
    builder_floats(b, "z", SCALAR, FLOATS(0));
    builder_floats(b, "b", SCALAR, FLOATS(4));
    builder_ints(b, "t", 7, DIMS(2), INTS(1, -1));
    builder_node(b, "Quant", "x s z b", "a");
    builder_node(b, "Reshape", "a t", "f");
    builder_node(b, "Quant", "w s z b", "q");
    builder_node(b, "Gemm", "f q c", "g");
    builder_int(b, "transB", 1);
    builder_node(b, "BatchNormalization", "g v c c v", "n");
    builder_node(b, "Relu", "n", "r");
    builder_node(b, "Quant", "r s z b", "k");
    builder_string(b, "rounding_mode", "FLOOR");
    builder_node(b, "Softmax", "k", "y");
    builder_output(b, "y");
    return builder_bytes(b);
}

static void every_truncation_is_refused(void **state)
{
    Bytes whole = whole_model(*state);
    for (size_t n = 0; n < whole.n; n++) {
        Arena *arena = arena_child(*state);
        uint8_t *cut = arena_copy(arena, whole.at, n, 1); /* its own block: reading behind it is seen */
        DiagList diags = diag_init(arena);
        if (import_onnx(arena, "m.onnx", (Bytes){cut, n}, &diags))
            assert_true(n + 4 >= whole.n); /* the operator set stands last: all else is there */
        else
            assert_true(diags.n_errors > 0);
        arena_destroy(arena);
    }
}

static void damaged_files_give_a_graph_or_a_diagnostic(void **state)
{
    Bytes whole = whole_model(*state);
    Rng rng = {.state = 20240611};
    print_message("seed %llu\n", (unsigned long long)rng.state);
    for (uint32_t i = 0; i < 4000; i++) {
        Arena *arena = arena_child(*state);
        uint8_t *bytes = arena_copy(arena, whole.at, whole.n, 1);
        for (uint32_t k = 0, n = 1 + rng_below(&rng, 4); k < n; k++)
            bytes[rng_below(&rng, (uint32_t)whole.n)] = (uint8_t)rng_below(&rng, 256);
        DiagList diags = diag_init(arena);
        Graph *graph = import_onnx(arena, "m.onnx", (Bytes){bytes, whole.n}, &diags);
        assert_int_equal(graph != NULL, diags.n_errors == 0);
        arena_destroy(arena);
    }
}

typedef struct Job {
    Arena *arena;
    Bytes bytes;
    Graph *graph;
    uint32_t n_errors;
} Job;

static void import_body(void *context)
{
    Job *job = context;
    DiagList diags = diag_init(job->arena);
    job->graph = import_onnx(job->arena, "m.onnx", job->bytes, &diags);
    job->n_errors = diags.n_errors;
}

static void every_failed_allocation_returns_to_the_boundary(void **state)
{
    Bytes whole = whole_model(*state);
    bool ended = false;
    for (uint64_t n = 1; !ended; n++) {
        Memory memory = {.fail_at = n};
        Arena *arena = arena_create(&memory);
        assert_non_null(arena);
        Job job = {.arena = arena, .bytes = whole};
        ended = arena_run(arena, import_body, &job);
        if (ended)
            assert_non_null(job.graph);
        arena_destroy(arena);
        assert_int_equal(memory.used_bytes, 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(all_unknown_things_are_told_in_one_run),
        TEST(operators_that_kaon_cannot_express),
        TEST(refused_attributes),
        TEST(a_softmax_in_the_middle),
        TEST(numbers_that_cannot_be_used),
        TEST(quantisers_that_make_no_sense),
        TEST(weights_with_a_scale_for_each_input),
        TEST(integers_between_a_pair),
        TEST(graphs_that_hang_together_wrongly),
        TEST(shapes_that_are_not_usable),
        TEST(tensors_whose_bytes_do_not_fit),
        TEST(small_files_that_ask_for_a_lot),
        TEST(operator_sets_that_are_not_read),
        TEST(every_truncation_is_refused),
        TEST(damaged_files_give_a_graph_or_a_diagnostic),
        TEST(every_failed_allocation_returns_to_the_boundary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
