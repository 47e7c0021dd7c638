/* Unit tests of src/import: the telling of formats, and kaon's neutral net description. Expected outputs are computed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "import/import.h"
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

static Bytes text_bytes(const char *text) { return (Bytes){(const uint8_t *)text, strlen(text)}; }

static Graph *read_net(Arena *arena, const char *text, DiagList *diags)
{
    *diags = diag_init(arena);
    return import_net(arena, "x.json", text_bytes(text), diags);
}

static Graph *good_net(Arena *arena, const char *text)
{
    DiagList diags;
    Graph *graph = read_net(arena, text, &diags);
    if (!graph) {
        Text shown = text_init(arena);
        diag_print(&shown, &diags);
        print_error("%s", shown.at);
    }
    assert_non_null(graph);
    return graph;
}

static void run_raw(Arena *arena, const Graph *graph, const int *in, uint32_t n_in, const int *expected, uint32_t n_out)
{
    i128 x[64], y[64];
    assert_true(n_in <= 64 && n_out <= 64);
    RefExecutor *executor = ref_create(arena, graph, REF_RAW);
    for (uint32_t i = 0; i < n_in; i++)
        x[i] = in[i];
    ref_run_raw(executor, x, y);
    for (uint32_t i = 0; i < n_out; i++)
        assert_int_equal((long long)y[i], expected[i]);
}

#define INPUT_2         "\"input\": {\"shape\": [2], \"signed\": 1, \"int_bits\": 3, \"frac_bits\": 2}"
#define OUTPUT(n, frac) "\"output\": {\"shape\": [" #n "], \"frac_bits\": " #frac "}"

/* --- what it means */

static void dense_relu_quantize(void **state)
{
    /* x = [1.25, -2.5]; y0 = 1.25*1.5 - 2.5*-1 + 0.25 = 4.625, y1 = 1.25*-2 + 0 - 1 = -3.5; relu; 4.625 to steps of 0.5, ties to even: 4.5
     */
    Graph *graph = good_net(
        *state, "{\"name\": \"n\", " INPUT_2 ", \"ops\": ["
                "{\"op\": \"dense\", \"weights\": [[3, -4], [-2, 0]], \"weight_frac\": 1, \"bias\": [1, -4], \"bias_frac\": 2},"
                "{\"op\": \"relu\"},"
                "{\"op\": \"quantize\", \"signed\": 0, \"int_bits\": 4, \"frac_bits\": 1, \"round\": \"RND_CONV\", \"overflow\": \"SAT\"}"
                "], " OUTPUT(2, 1) "}");
    run_raw(*state, graph, (int[]){5, -10}, 2, (int[]){9, 0}, 2);
    assert_string_equal(graph_top(graph)->name, "n");
    const GraphNode *last = graph_node(graph_top(graph), vec_last(&graph_top(graph)->outputs)->ref);
    assert_int_equal(last->op, GRAPH_quantise);
    assert_string_equal(last->layer, "quantize_2");
}

static void output_words_have_the_fraction_that_is_asked_for(void **state)
{
    /* x has steps of 0.25; words with 4 fractional bits are 4 times the input's */
    Graph *graph = good_net(*state, "{" INPUT_2 ", \"ops\": [{\"op\": \"relu\"}], " OUTPUT(2, 4) "}");
    run_raw(*state, graph, (int[]){5, -10}, 2, (int[]){20, 0}, 2);
    /* weights of 2 drop a bit that is always 0: x0 + x1 = -1.25, doubled -2.5, at 1 fractional bit -5 */
    graph =
        good_net(*state, "{" INPUT_2 ", \"ops\": [{\"op\": \"dense\", \"weights\": [[2], [2]], \"weight_frac\": 0}], " OUTPUT(1, 1) "}");
    run_raw(*state, graph, (int[]){5, -10}, 2, (int[]){-5}, 1);
}

static void types_by_element(void **state)
{
    /* element 0: u1.0 of 1.25 rounds to 1; element 1 has no bits: 0; element 2: s4.-1, steps of 2, wraps: -9 -> TRN -10 = raw -5 */
    Graph *graph = good_net(
        *state, "{\"input\": {\"shape\": [3], \"signed\": 1, \"int_bits\": 5, \"frac_bits\": [2, 2, 0]}, \"ops\": [{\"op\": \"quantize\", "
                "\"signed\": [0, 0, 1], \"int_bits\": [1, -2, 4], \"frac_bits\": [0, 2, -1], \"round\": \"TRN\", \"overflow\": \"WRAP\"}], "
                "\"output\": {\"shape\": [3], \"frac_bits\": [0, 2, -1]}}");
    run_raw(*state, graph, (int[]){5, 7, -9}, 3, (int[]){1, 0, -5}, 3);
}

static void conv_and_pool(void **state)
{
    /* 3x3x1 image 1..9; 2x2 kernel of ones, "same": sums at the right and lower border see zeros; 12 16 9 / 24 28 15 / 15 17 9 */
    Graph *graph =
        good_net(*state, "{\"input\": {\"shape\": [3, 3, 1], \"signed\": 0, \"int_bits\": 4, \"frac_bits\": 0}, \"ops\": ["
                         "{\"op\": \"conv2d\", \"kernel\": [[[[1]], [[1]]], [[[1]], [[1]]]], \"weight_frac\": 0, \"padding\": \"same\"}], "
                         "\"output\": {\"shape\": [3, 3, 1], \"frac_bits\": 0}}");
    int image[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    run_raw(*state, graph, image, 9, (int[]){12, 16, 9, 24, 28, 15, 15, 17, 9}, 9);
    graph = good_net(*state, "{\"input\": {\"shape\": [3, 3, 1], \"signed\": 0, \"int_bits\": 4, \"frac_bits\": 0}, \"ops\": ["
                             "{\"op\": \"maxpool2d\", \"size\": [2, 2], \"stride\": [1, 1]}, {\"op\": \"flatten\", \"name\": \"flat\"}], "
                             "\"output\": {\"shape\": [4], \"frac_bits\": 0}}");
    run_raw(*state, graph, image, 9, (int[]){5, 6, 8, 9}, 4);
}

/* --- what is refused, and how */

static void expect(Arena *arena, const char *text, uint32_t n_errors, DiagCode code, const char *part_of_text)
{
    DiagList diags;
    assert_null(read_net(arena, text, &diags));
    Text shown = text_init(arena);
    diag_print(&shown, &diags);
    bool found = false;
    for (uint32_t i = 0; i < diags.list.n; i++)
        found = found || diags.list.at[i].code == code;
    if (diags.n_errors != n_errors || !found || !strstr(shown.at, part_of_text))
        fail_msg("expected %u errors, one of them %s with '%s':\n%s", n_errors, diag_code_text(code), part_of_text, shown.at);
}

static void all_errors_in_one_run(void **state)
{
    expect(
        *state,
        "{" INPUT_2
        ", \"ops\": [{\"op\": \"softsign\"}, {\"op\": \"dense\", \"weights\": [[1, 2], [3, 4], [5, 6]], \"weight_frac\": 0, \"gain\": 2},"
        "{\"op\": \"relu\", \"slope\": 1}, {\"op\": \"warp\"}], " OUTPUT(2, 0) "}",
        4, DIAG_UNKNOWN_LAYER, "layer 'warp_3' (warp): error: op 'warp' is not known");
}

static void bad_nets(void **state)
{
    Arena *arena = *state;
    expect(arena, "{" INPUT_2 ", \"ops\": [" OUTPUT(2, 2), 1, DIAG_SYNTAX, "x.json:1:");
    expect(arena, "[1]", 1, DIAG_SYNTAX, "an object is expected");
    expect(arena, "{}", 3, DIAG_MISSING, "key 'ops' is missing");
    expect(arena, "{\"name\": \"a\", \"name\": \"b\"}", 1, DIAG_DUPLICATE, "not JSON: key 'name' is given twice");
    expect(arena, "{" INPUT_2 ", \"ops\": [], " OUTPUT(2, 2) "}", 1, DIAG_MISSING, "no layers");
    expect(arena,
           "{\"input\": {\"name\": \"\", \"shape\": [2], \"signed\": 1, \"int_bits\": 3, \"frac_bits\": 2}, \"ops\": [{\"op\": "
           "\"relu\"}], " OUTPUT(2, 2) "}",
           1, DIAG_VALUE, "input, name: error: '' cannot be the name of a port");
    expect(arena, "{" INPUT_2 ", \"ops\": [{\"op\": \"relu\", \"name\": \"a\"}, {\"op\": \"relu\", \"name\": \"a\"}], " OUTPUT(2, 2) "}", 1,
           DIAG_DUPLICATE, "two layers are called 'a'");
    expect(arena, "{" INPUT_2 ", \"ops\": [{\"op\": \"dense\", \"weights\": [[1, 2], [3]], \"weight_frac\": 0}], " OUTPUT(2, 2) "}", 1,
           DIAG_SHAPE, "a list of 2 is expected");
    expect(arena, "{" INPUT_2 ", \"ops\": [{\"op\": \"dense\", \"weights\": [[1], [2], [3]], \"weight_frac\": 0}], " OUTPUT(1, 2) "}", 1,
           DIAG_SHAPE, "weights for 3 inputs, but 2 come in");
    expect(arena, "{" INPUT_2 ", \"ops\": [{\"op\": \"dense\", \"weights\": [[0.5], [2]], \"weight_frac\": 0}], " OUTPUT(1, 2) "}", 1,
           DIAG_SYNTAX, "an integer is expected here, not a number");
    expect(arena,
           "{" INPUT_2 ", \"ops\": [{\"op\": \"dense\", \"weights\": [[1], [2]], \"weight_frac\": 0, \"bias\": [1]}], " OUTPUT(1, 2) "}", 1,
           DIAG_MISSING, "come together");
    expect(arena, "{" INPUT_2 ", \"ops\": [{\"op\": \"maxpool2d\", \"size\": [2, 2]}], " OUTPUT(2, 2) "}", 1, DIAG_SHAPE, "3 are needed");
    expect(arena, "{" INPUT_2 ", \"ops\": [{\"op\": \"relu\"}], " OUTPUT(3, 2) "}", 1, DIAG_SHAPE, "the last layer gives [2]");
    expect(arena, "{" INPUT_2 ", \"ops\": [{\"op\": \"relu\"}], " OUTPUT(2, 1) "}", 1, DIAG_TYPE, "would lose bits");
    expect(arena, "{" INPUT_2 ", \"ops\": [{\"op\": \"relu\"}], " OUTPUT(2, 64) "}", 1, DIAG_WIDTH, "more than 64 bits");
    expect(
        arena,
        "{\"input\": {\"shape\": [1000000000], \"signed\": 1, \"int_bits\": 3, \"frac_bits\": 2}, \"ops\": [{\"op\": \"relu\"}], " OUTPUT(
            2, 2) "}",
        1, DIAG_LIMIT, "at most");
    expect(
        arena,
        "{\"input\": {\"shape\": [2], \"signed\": 1, \"int_bits\": 60, \"frac_bits\": 4}, \"ops\": [{\"op\": \"relu\"}], " OUTPUT(2, 2) "}",
        1, DIAG_TYPE, "1 + 60 + 4 bits");
    expect(arena,
           "{" INPUT_2 ", \"ops\": [{\"op\": \"quantize\", \"signed\": 0, \"int_bits\": [1], \"frac_bits\": 1, \"round\": \"UPWARD\", "
           "\"overflow\": \"CLIP\"}], " OUTPUT(2, 1) "}",
           3, DIAG_VALUE, "rounding 'UPWARD' is not known");
}

typedef struct Job {
    Arena *arena;
    bool good;
} Job;

static void read_job(void *context)
{
    Job *job = context;
    DiagList diags;
    const char *text = "{" INPUT_2 ", \"ops\": [{\"op\": \"dense\", \"weights\": [[1], [2]], \"weight_frac\": 0}], " OUTPUT(1, 4) "}";
    job->good = read_net(job->arena, text, &diags) != NULL;
}

/* The first, second, ... allocation fails, until none does: control comes back, and nothing leaks (under the sanitiser). */
static void memory_may_run_out(void **state)
{
    (void)state;
    Job job = {0};
    for (uint64_t n = 2; !job.good; n++) {
        Memory memory = {.fail_at = n};
        job.arena = arena_create(&memory);
        assert_non_null(job.arena);
        assert_true(arena_run(job.arena, read_job, &job) == job.good);
        arena_destroy(job.arena);
        assert_true(n < 100000);
    }
}

/* --- telling formats */

static void write_file(const char *path, const char *text, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static void expect_file(Arena *arena, const char *name, const char *text, size_t n, DiagCode code, const char *part_of_text)
{
    DiagList diags = diag_init(arena);
    const char *folder = folder_temporary(arena, &diags), *path = path_join(arena, folder, name);
    write_file(path, text, n);
    assert_null(import_model(arena, path, &diags));
    Text shown = text_init(arena);
    diag_print(&shown, &diags);
    assert_int_equal(diags.n_errors, 1);
    assert_int_equal(diags.list.at[0].code, code);
    if (!strstr(shown.at, part_of_text))
        fail_msg("expected '%s' in: %s", part_of_text, shown.at);
}

static void formats_are_told(void **state)
{
    Arena *arena = *state;
    expect_file(arena, "x.h5", "", 0, DIAG_SYNTAX, "empty");
    expect_file(arena, "x.bin", "hello world", 11, DIAG_FORMAT, "kaon reads: net (.json)");
    expect_file(arena, "x.keras", "PK\x03\x04rest", 8, DIAG_FORMAT, "Keras 3");
    expect_file(arena, "x.onnx", "{\"a\": 1", 7, DIAG_SYNTAX, "not JSON"); /* the bytes win */
    expect_file(arena, "x.onnx", "\x89HDF\r\n\x1a\nrest", 12, DIAG_SYNTAX, "not an HDF5 file, or a truncated one");
    DiagList diags = diag_init(arena);
    const char *folder = folder_temporary(arena, &diags);
    assert_null(import_model(arena, folder, &diags));
    assert_int_equal(diags.list.at[0].code, DIAG_FORMAT);
    assert_null(import_model(arena, path_join(arena, folder, "none.json"), &diags));
    assert_int_equal(diags.list.at[1].code, DIAG_FILE);
}

static void own_text_form_is_read(void **state)
{
    Arena *arena = *state;
    DiagList diags = diag_init(arena);
    const char *path = path_join(arena, folder_temporary(arena, &diags), "x");
    Text text = text_init(arena);
    text_put(&text, "# a comment\n");
    graph_print(&text, good_net(arena, "{" INPUT_2 ", \"ops\": [{\"op\": \"relu\"}], " OUTPUT(2, 2) "}"), NULL);
    write_file(path, text.at, text.n);
    Graph *graph = import_model(arena, path, &diags);
    assert_non_null(graph);
    run_raw(arena, graph, (int[]){5, -10}, 2, (int[]){5, 0}, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(dense_relu_quantize),   TEST(output_words_have_the_fraction_that_is_asked_for),
        TEST(types_by_element),      TEST(conv_and_pool),
        TEST(all_errors_in_one_run), TEST(bad_nets),
        TEST(formats_are_told),      TEST(own_text_form_is_read),
        TEST(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
