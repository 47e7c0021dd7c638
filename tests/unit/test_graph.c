/* The tensor IR and its reference interpreter. What every op computes is compared with an independent oracle in graph_oracle.py; here stand
 * the text form, the verifier, inference (scales, widths, ranges) with numbers derived by hand, and properties of random graphs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"
#include "run/ref/ref.h"

static uint64_t seed_of_run(void)
{
    const char *given = getenv("KAON_SEED");
    return given ? strtoull(given, NULL, 0) : 0x6772617068ull;
}

static int open_arena(void **state)
{
    *state = arena_create(NULL);
    return *state == NULL;
}

static int close_arena(void **state)
{
    arena_destroy(*state);
    return 0;
}

static const char *print(Arena *arena, const Graph *graph)
{
    Text text = text_init(arena);
    graph_print(&text, graph, NULL);
    return text.at;
}

static Graph *parse(Arena *arena, const char *text, DiagList *diags)
{
    return graph_parse(arena, (Bytes){(const uint8_t *)text, strlen(text)}, "t.graph", diags);
}

static const char *messages(Arena *arena, const DiagList *diags)
{
    Text text = text_init(arena);
    diag_print(&text, diags);
    return text.at;
}

/* a graph that must be sound */
static Graph *sound(Arena *arena, const char *text)
{
    DiagList diags = diag_init(arena);
    Graph *graph = parse(arena, text, &diags);
    if (!graph)
        fail_msg("%s\n%s", text, messages(arena, &diags));
    return graph;
}

static Graph *random_graph(Arena *arena, Rng *rng, bool scales)
{
    GraphRandomOptions options = {
        .n_nodes = 4 + rng_below(rng, 20), .max_elements = 8 + rng_below(rng, 32), .scales = scales, .modules = rng_chance(rng, 2)};
    return graph_random(arena, rng, &options);
}

/* ---- text ---- */

static void test_text_round_trip(void **state)
{
    Rng rng = {seed_of_run()};
    print_message("KAON_SEED=%#llx\n", (unsigned long long)seed_of_run());
    for (int i = 0; i < 400; i++) {
        Arena *arena = arena_child(*state);
        Graph *graph = random_graph(arena, &rng, i % 2);
        const char *text = print(arena, graph);
        Graph *again = sound(arena, text);
        assert_true(graph_equal(graph, again));
        assert_string_equal(print(arena, again), text);
        arena_destroy(arena);
    }
}

/* What the printer is to write. %5 by hand: weights 3/32, -1/2, 0, 31/32, the last on a pruned input; 3 x0 - 16 x1 in 2^-9: from
 * -3 * 128 - 16 * 127 = -2416 to 3 * 127 + 16 * 128 = 2429. */
static const char canonical[] = "module pair\n"
                                "  %0 = input a fixed<8,4,RND,SAT> : [4] s8.4\n"
                                "  %1 = relu %0 : [4] u7.4 [0, 7.9375] from r1\n"
                                "  output y = %1\n"
                                "\n"
                                "graph jets\n"
                                "  %0 = input x channel(0) { 3 * fixed<8,4,RND,SAT>, fixed<0,0,TRN,WRAP> } default : [4] mixed\n"
                                "  %1 = input \"z port\" open scale 1/3 offset 0 : [4] f64\n"
                                "  %2 = const f32 { 0.1, -0.5, 1e-10, 3 } : [4, 1] from \"fc/1\"\n"
                                "  %3 = quantise %2 fixed<6,1,RND_CONV,SAT> : [4, 1] s6.5 [-0.5, 0.96875]\n"
                                "  %4 = const fixed s6.5 default scale channel(1) { 1/3, 7*2^-30 } offset { 0, 1/2 } { 1, -32 } : [1, 2]\n"
                                "  %5 = dense %0, %3 : [1] s13.9 [-4.71875, 4.744140625]\n"
                                "  %6 = threshold %5 u2.0 { -1/3, 1/3 strict } level { 0, 1, 2 } : [1] u2.0 [0, 2]\n"
                                "  %7 = affine %5 1/3 offset 1/2 : [1] s13.9 scaled [-4.71875, 4.744140625]\n"
                                "  %8 = clip %7 0, 1 : [1] open\n"
                                "  %9 = quantise %0 fixed<8,4,RND,SAT> : [4] s8.4 [-8, 7.9375]\n"
                                "  %10 = call pair(%9)\n"
                                "  %11 = out %10 0 : [4] u7.4 [0, 7.9375]\n"
                                "  %12 = reshape %11 [2, 2, 1] : [2, 2, 1] u7.4 [0, 7.9375]\n"
                                "  %13 = transpose %12 (2, 0, 1) : [1, 2, 2] u7.4 [0, 7.9375]\n"
                                "  %14 = max_pool %12 window(2, 2) stride(1, 1) pad(0, 0, 1, 0) : [2, 1, 1] u7.4 [0, 7.9375]\n"
                                "  %15 = softmax %11 : [4] f64\n"
                                "  output y = %6 softmax\n"
                                "  output \"y 2\" = %14\n";

static void test_text_canonical(void **state)
{
    Graph *graph = sound(*state, canonical);
    assert_string_equal(print(*state, graph), canonical);
    assert_string_equal(graph_node(graph_top(graph), 2)->layer, "fc/1");
    assert_true(graph_node(graph_top(graph), 0)->attr.input->is_default);
    assert_true(graph_node(graph_top(graph), 2)->attr.tensor->real[0] == (double)0.1f);
}

typedef struct BadText {
    const char *text, *says;
    DiagCode code;
} BadText;

#define X "graph g\n%0 = input x fixed<8,4,RND,SAT> : [4]\n"
static const BadText bad_texts[] = {
    {"", "no graph", DIAG_SYNTAX},
    {"module m\n%0 = input x open : [1]\noutput y = %0\n", "no graph", DIAG_SYNTAX},
    {"%0 = input x open : [1]", "'graph' or 'module'", DIAG_SYNTAX},
    {X, "no output", DIAG_VERIFY},
    {X "%2 = relu %0 output y = %0", "%2 stands where %1 is due", DIAG_SYNTAX},
    {X "%1 = relu %1 output y = %0", "%1 does not stand before %1", DIAG_SYNTAX},
    {X "%1 = rellu %0 output y = %0", "operator 'rellu' is not known", DIAG_SYNTAX},
    {X "%1 = relu %0, %0 output y = %0", "takes 1 inputs, has 2", DIAG_VERIFY},
    {X "%1 = input x open : [2] output y = %0", "input 'x' is there twice", DIAG_DUPLICATE},
    {X "output y = %0 output y = %0", "output 'y' is there twice", DIAG_DUPLICATE},
    {X "output y = %7", "no %7", DIAG_SYNTAX},
    {X "%1 = relu %0 : [5] output y = %1", "said to be [5]", DIAG_VERIFY},
    {X "%1 = relu %0 : [4] u8.4 [0, 7.9375] output y = %1", "is [4] u7.4", DIAG_VERIFY},
    {X "%1 = relu %0 : [4] u7.4 [0, 7.5] output y = %1", "[0, 7.9375]", DIAG_VERIFY},
    {X "output y = %0 graph h", "behind the top", DIAG_SYNTAX},
    {"graph g %0 = input x open output y = %0", "needs a shape", DIAG_SYNTAX},
    {"graph g %0 = input x open : [0] output y = %0", "dimension", DIAG_SYNTAX},
    {"graph g %0 = input x open : [65536, 65536] output y = %0", "elements", DIAG_SYNTAX},
    {"graph g %0 = input x open : [1,1,1,1,1,1,1] output y = %0", "at most 6 dimensions", DIAG_SYNTAX},
    {"graph g %0 = input x fixed<70,4,RND,SAT> : [1] output y = %0", "fixed<70", DIAG_TYPE},
    {"graph g %0 = input x channel(0) { fixed<8,4,RND,SAT> } : [2] output y = %0", "1 types, not 2", DIAG_SHAPE},
    {"graph g %0 = input x channel(0) { 999999999 * fixed<8,4,RND,SAT> } : [2] output y = %0", "count", DIAG_SYNTAX},
    {"graph g %0 = input x channel(3) { fixed<8,4,RND,SAT> } : [2] output y = %0", "axis 3", DIAG_SHAPE},
    {"graph g %0 = const f32 { 1, 2 } : [3] output y = %0", "2 numbers, not 3", DIAG_SHAPE},
    {"graph g %0 = const f32 { 1, inf } : [2] output y = %0", "not a finite number", DIAG_VALUE},
    {"graph g %0 = const fixed s4.0 { 8 } : [1] output y = %0", "outside s4.0", DIAG_RANGE},
    {"graph g %0 = const fixed s4.0 scale 0 offset 0 { 1 } : [1] output y = %0", "multiplier 0", DIAG_VALUE},
    {"graph g %0 = const fixed s4.0 scale 1/0 offset 0 { 1 } : [1] output y = %0", "not a rational", DIAG_SYNTAX},
    {"graph g %0 = const f64 file \"/etc/passwd\" : [1] output y = %0", "weights-<16", DIAG_SYNTAX},
    {"graph g %0 = const f64 file \"weights-0123456789abcdef.npy\" : [1] output y = %0", "weights-0123456789abcdef.npy", DIAG_FILE},
    {X "%1 = affine %0 element { 1, 1, 1, 1 } offset { 0, 0, 0, 0 } output y = %1", "tensor or channel", DIAG_VERIFY},
    {X "%1 = clip %0 2, 1 output y = %1", "above the upper", DIAG_VALUE},
    {X "%1 = threshold %0 u2.0 { 1, 0 } level { 0, 1, 2 } output y = %1", "do not rise", DIAG_VALUE},
    {X "%1 = threshold %0 u2.0 { 1 strict, 1 } level { 0, 1, 2 } output y = %1", "do not rise", DIAG_VALUE},
    {X "%1 = threshold %0 u2.0 { 1 } level { 0, 4 } output y = %1", "outside u2.0", DIAG_RANGE},
    {X "%1 = threshold %0 u2.0 { 1, 2, 3 } level { 0, 1 } output y = %1", "do not go with", DIAG_SYNTAX},
    {X "%1 = reshape %0 [3] output y = %1", "another number of elements", DIAG_SHAPE},
    {X "%1 = transpose %0 (1) output y = %1", "no permutation", DIAG_SHAPE},
    {X "%1 = max_pool %0 window(1, 1) stride(1, 1) pad(0, 0, 0, 0) output y = %1", "[height, width, channels]", DIAG_SHAPE},
    {"graph g %0 = input x open : [2, 2, 1] %1 = max_pool %0 window(2, 2) stride(1, 1) pad(2, 0, 0, 0) output y = %1", "empty", DIAG_VALUE},
    {"graph g %0 = input x open : [2, 2, 1] %1 = max_pool %0 window(3, 3) stride(1, 1) pad(0, 0, 0, 0) output y = %1", "or none",
     DIAG_LIMIT},
    {"graph g %0 = input x open : [2, 2, 1] %1 = max_pool %0 window(2, 2) stride(0, 1) pad(0, 0, 0, 0) output y = %1", "stride",
     DIAG_SYNTAX},
    {X "%1 = const f32 { 1, 2 } : [2, 1] %2 = dense %0, %1 output y = %2", "x is [4], the weights are [2, 1]", DIAG_SHAPE},
    {X "%1 = const f32 { 1, 2 } : [2] %2 = add %0, %1 output y = %2", "does not broadcast", DIAG_SHAPE},
    {X "%1 = call g(%0) output y = %1", "no value", DIAG_CYCLE},
    {X "%1 = call nobody(%0) output y = %0", "module 'nobody'", DIAG_SYNTAX},
    {X "%1 = out %0 0 output y = %0", "read by out nodes only", DIAG_VERIFY},
};

static void test_bad_texts(void **state)
{
    for (size_t i = 0; i < COUNT_OF(bad_texts); i++) {
        const BadText *bad = &bad_texts[i];
        DiagList diags = diag_init(*state);
        Graph *graph = parse(*state, bad->text, &diags);
        const char *said = messages(*state, &diags);
        bool has_code = false;
        for (uint32_t k = 0; k < diags.list.n; k++)
            has_code |= diags.list.at[k].code == bad->code;
        if (graph || !has_code || (bad->code != DIAG_CYCLE && !strstr(said, bad->says)))
            fail_msg("%s\nwas to say '%s' (%s), said:\n%s", bad->text, bad->says, diag_code_text(bad->code), said);
    }
}

/* Changed bytes, and cut texts: any answer, but no crash; in little memory. */
typedef struct Mutation {
    Arena *arena;
    const char *text;
    size_t n;
} Mutation;

static void parse_mutation(void *context)
{
    Mutation *m = context;
    DiagList diags = diag_init(m->arena);
    Graph *graph = graph_parse(m->arena, (Bytes){(const uint8_t *)m->text, m->n}, "t.graph", &diags);
    assert_true(graph != NULL || diag_failed(&diags));
}

static void test_mutated_texts(void **state)
{
    Rng rng = {seed_of_run() + 1};
    static const char bytes[] = "0123456789%{}[](),:=*/-. \n\"#";
    print_message("KAON_SEED=%#llx\n", (unsigned long long)seed_of_run());
    for (int i = 0; i < 60; i++) {
        const char *text = print(*state, random_graph(*state, &rng, true));
        for (int k = 0; k < 40; k++) {
            Memory memory = {.limit_bytes = 32 << 20};
            Mutation m = {arena_create(&memory), NULL, strlen(text)};
            char *copy = arena_strdup(m.arena, text);
            for (uint32_t c = rng_below(&rng, 4); c > 0; c--)
                copy[rng_below(&rng, (uint32_t)m.n)] = bytes[rng_below(&rng, sizeof bytes - 1)];
            if (rng_chance(&rng, 3))
                copy[m.n = rng_below(&rng, (uint32_t)m.n)] = '\0';
            m.text = copy;
            arena_run(m.arena, parse_mutation, &m);
            arena_destroy(m.arena);
        }
    }
}

static void parse_canonical(void *context)
{
    Mutation m = {context, canonical, strlen(canonical)};
    DiagList diags = diag_init(m.arena);
    Graph *graph = graph_parse(m.arena, (Bytes){(const uint8_t *)m.text, m.n}, NULL, &diags);
    Text text = text_init(m.arena);
    assert_non_null(graph);
    graph_print(&text, graph, NULL);
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        Memory memory = {.fail_at = n};
        Arena *arena = arena_create(&memory);
        if (!arena)
            continue;
        done = arena_run(arena, parse_canonical, arena);
        assert_true(done != arena_failed(arena));
        arena_destroy(arena);
    }
}

/* ---- side files ---- */

static Graph *big_graph(Arena *arena, uint32_t n, bool wide)
{
    Graph *graph = graph_create(arena);
    GraphModule *top = graph_add_module(graph, "big");
    double *real = arena_array(arena, double, n);
    float *single = arena_array(arena, float, n);
    i128 *raw = arena_array(arena, i128, n);
    Rng rng = {seed_of_run() + 2};
    for (uint32_t i = 0; i < n; i++) {
        real[i] = rng_unit(&rng) - 0.5;
        single[i] = (float)real[i];
        raw[i] = wide ? (i128)(rng_u64(&rng) >> 2) : rng_between(&rng, -128, 127);
    }
    double *rounded = arena_array(arena, double, n);
    for (uint32_t i = 0; i < n; i++)
        rounded[i] = single[i];
    static const FixedType narrow = {true, 8, 3}, broad = {true, 64, 3};
    Shape shape = {.rank = 2, .dim = {n / 4, 4}};
    GraphTensor tensors[] = {{.kind = KIND_F64, .real = real},
                             {.kind = KIND_F32, .real = rounded},
                             {.kind = KIND_FIXED, .raw = raw, .type = {SPREAD_ONE, wide ? &broad : &narrow}},
                             {.kind = KIND_INDEX, .raw = raw}};
    for (size_t i = 0; i < COUNT_OF(tensors); i++)
        graph_add_output(top, fmt(arena, "y%zu", i), graph_add_constant(top, shape, &tensors[i], ""), POST_NONE);
    DiagList diags = diag_init(arena);
    assert_true(graph_verify(graph, NULL, &diags) && graph_infer(graph, NULL, &diags));
    return graph;
}

static void check_sides(Arena *arena, bool wide)
{
    DiagList diags = diag_init(arena);
    Graph *graph = big_graph(arena, GRAPH_INLINE_LIMIT + 4, wide);
    const char *folder = folder_temporary(arena, &diags);
    GraphSides sides = {0};
    Text text = text_init(arena);
    graph_print(&text, graph, &sides);
    assert_int_equal(sides.n, 3); /* the fixed and the index constant hold the same integers, so they share a file */
    assert_int_equal((sides.at[2].bytes.n - (GRAPH_INLINE_LIMIT + 4) * (wide ? 8 : 1)) % 64,
                     0); /* bytes or words behind npy's padded header */
    assert_true(text.n < 1000);
    for (uint32_t i = 0; i < sides.n; i++)
        assert_true(file_write(path_join(arena, folder, sides.at[i].name), sides.at[i].bytes.at, sides.at[i].bytes.n, &diags));
    Bytes bytes = {(const uint8_t *)text.at, text.n};
    const char *file = path_join(arena, folder, "big.graph");
    Graph *again = graph_parse(arena, bytes, file, &diags);
    assert_non_null(again);
    assert_true(graph_equal(graph, again));

    char *changed = arena_copy(arena, sides.at[1].bytes.at, sides.at[1].bytes.n, 1);
    changed[sides.at[1].bytes.n - 1] ^= 1;
    assert_true(file_write(path_join(arena, folder, sides.at[1].name), changed, sides.at[1].bytes.n, &diags));
    assert_null(graph_parse(arena, bytes, file, &diags));
    assert_int_equal(diags.n_errors, 1);
    assert_int_equal(diags.list.at[0].code, DIAG_MISMATCH);
}

static void test_side_files(void **state)
{
    check_sides(*state, false);
    check_sides(*state, true);
    Text text = text_init(*state);
    graph_print(&text, big_graph(*state, GRAPH_INLINE_LIMIT + 4, false), NULL);
    assert_null(strstr(text.at, "file"));
}

/* ---- inference by hand ---- */

static const GraphNode *node_of(const Graph *graph, uint32_t ref) { return graph_node(graph_top(graph), ref); }

static void expect_rational(Rational value, int64_t num, int64_t den, Arena *arena)
{
    if (!rational_equal(value, rational_from_i64(arena, num, den))) {
        Text text = text_init(arena);
        text_put_rational(&text, value);
        fail_msg("%s, not %lld/%lld", text.at, (long long)num, (long long)den);
    }
}

/* x = X/3 + 2, X u4.0; w = W * 3/5 and W/7 by output, W s3.0; bias b.
 * y0 = (X0 - 3 X1) / 5 + 2 * (1 - 3) * 3/5, so multiplier 1/5, offset -12/5; y1 = (2 X0) / 21 + 4/7 */
static void test_scales_of_dense(void **state)
{
    Graph *g = sound(*state, "graph g\n"
                             "%0 = input x ufixed<4,4,TRN,SAT> scale 1/3 offset 2 : [2]\n"
                             "%1 = const fixed s3.0 scale channel(1) { 3/5, 1/7 } offset { 0, 0 } { 1, 2, -3, 0 } : [2, 2]\n"
                             "%2 = dense %0, %1\n"
                             "%3 = const fixed s4.1 { 3, 5 } : [2]\n"
                             "%4 = dense %0, %1, %3\n"
                             "%5 = const fixed s8.0 scale channel(0) { 1/5, 1/21 } offset { 1/2, 0 } { 7, -9 } : [2]\n"
                             "%6 = dense %0, %1, %5\n"
                             "%7 = const fixed s8.0 scale channel(0) { 1/6, 1/21 } offset { 0, 0 } { 6, 21 } : [2]\n"
                             "%8 = dense %0, %1, %7\n" /* one of two multipliers fits: absorbed as well */
                             "output y = %2 output z = %4 output v = %6\n");
    assert_true(node_of(g, 8)->last_absorbed);
    expect_rational(scale_offset_at(&node_of(g, 8)->scale, node_of(g, 8)->shape, 0), -7, 5, *state);
    expect_rational(scale_offset_at(&node_of(g, 8)->scale, node_of(g, 8)->shape, 1), 11, 7, *state);
    const GraphNode *y = node_of(g, 2), *z = node_of(g, 4), *v = node_of(g, 6);
    int64_t multiplier[2][2] = {{1, 5}, {1, 21}}, offset[2][2] = {{-12, 5}, {4, 7}}, with_bias[2][2] = {{-9, 10}, {43, 14}};
    for (uint32_t o = 0; o < 2; o++) {
        expect_rational(scale_multiplier_at(&y->scale, y->shape, o), multiplier[o][0], multiplier[o][1], *state);
        expect_rational(scale_offset_at(&y->scale, y->shape, o), offset[o][0], offset[o][1], *state);
        /* 3/2 and 5/2 cannot be counted in fifths: absorbed */
        expect_rational(scale_multiplier_at(&z->scale, z->shape, o), multiplier[o][0], multiplier[o][1], *state);
        expect_rational(scale_offset_at(&z->scale, z->shape, o), with_bias[o][0], with_bias[o][1], *state);
    }
    assert_true(!y->last_absorbed && z->last_absorbed && !v->last_absorbed);
    assert_true(y->range[0].lo == -45 && y->range[0].hi == 15 && y->range[1].lo == 0 && y->range[1].hi == 30 && y->range[1].zeros == 1);
    assert_true(z->range[0].lo == -45 && v->range[0].lo == -38 && v->range[0].hi == 22 && v->range[1].lo == -9 && v->range[1].hi == 21);
    expect_rational(scale_offset_at(&v->scale, v->shape, 0), -12 * 2 + 5, 10, *state);
    RefExecutor *ref = ref_create(*state, g, REF_RAW);
    i128 in[] = {10, 4}, out[6];
    ref_run_raw(ref, in, out);
    assert_true(out[0] == -2 && out[1] == 20 && out[2] == -2 && out[3] == 20 && out[4] == 5 && out[5] == 11);
}

static void test_powers_of_two_are_types(void **state)
{
    Graph *g = sound(*state, "graph g\n"
                             "%0 = input x fixed<8,4,TRN,SAT> scale 1/4 offset 0 : [2] s8.6\n"
                             "%1 = affine %0 channel(0) { 8, 1/2 } offset { 0, 0 } : [2] mixed\n"
                             "%2 = affine %0 2 offset -3/128 : [2] s11.7 [-4.0234375, 3.9453125]\n"
                             "%3 = affine %0 3 offset 0 : [2] s8.6 scaled [-2, 1.984375]\n"
                             "%4 = affine %3 1/3 offset 0 : [2] s8.6 [-2, 1.984375]\n"
                             "%5 = affine %0 0 offset 1/3 : [2] s8.6 scaled [0, 0]\n"
                             "%6 = relu %3\n"
                             "%7 = affine %0 -3 offset 0\n"
                             "%8 = relu %7 : [2] open\n"
                             "%9 = quantise %8 ufixed<4,2,RND,SAT> : [2] u4.2 [0, 3.75]\n"
                             "%10 = quantise %3 ufixed<4,2,RND,SAT> : [2] u4.2 [0, 3.75]\n"
                             "%11 = quantise %3 fixed<8,6,TRN,SAT> : [2] s8.2 [-6, 5.75]\n"
                             "output y = %5");
    assert_int_equal(type_at(&node_of(g, 1)->type, node_of(g, 1)->shape, 0).frac, 3);
    assert_int_equal(type_at(&node_of(g, 1)->type, node_of(g, 1)->shape, 1).frac, 7);
    expect_rational(scale_offset_at(&node_of(g, 5)->scale, node_of(g, 5)->shape, 1), 1, 3, *state);
    expect_rational(scale_multiplier_at(&node_of(g, 5)->scale, node_of(g, 5)->shape, 1), 1, 1, *state); /* never 0 */
}

typedef struct BadGraph {
    const char *text;
    DiagCode code;
} BadGraph;

static const BadGraph bad_graphs[] = {
    {X "%1 = affine %0 1/3 offset 0 %2 = add %1, %0 output y = %2", DIAG_SCALE},
    {X "%1 = affine %0 channel(0) { 1/3, 1/5, 1, 1 } offset { 0, 0, 0, 0 } %2 = const fixed s2.0 { 1, 1, 1, 1 } : [4, 1] %3 = dense %1, %2 "
       "output y = %3",
     DIAG_SCALE},
    {X "%1 = const fixed s2.0 scale 1 offset 1 { 1, 1, 1, 1 } : [4, 1] %2 = dense %0, %1 output y = %2", DIAG_SCALE},
    {X "%1 = const fixed s2.0 scale channel(0) { 1/3, 1, 1, 1 } offset { 0, 0, 0, 0 } { 1, 1, 1, 1 } : [4, 1] %2 = dense %0, %1 output y = "
       "%2",
     DIAG_SCALE},
    {"graph g %0 = input x ufixed<2,2,TRN,SAT> scale 1/3 offset 1 : [2, 2, 1] %1 = const fixed s2.0 { 1 } : [1, 1, 1, 1]"
     "%2 = conv2d %0, %1 stride(1, 1) pad(1, 0, 0, 0) output y = %2",
     DIAG_SCALE},
    {"graph g %0 = input x fixed<60,4,TRN,SAT> : [4] %1 = const fixed s10.0 { 511, 1, 1, 1 } : [4, 1] %2 = dense %0, %1 output y = %2",
     DIAG_WIDTH},
    {"graph g %0 = input x element { fixed<4,200,TRN,SAT>, fixed<4,2,TRN,SAT> } : [2] %1 = relu %0 output y = %1", DIAG_WIDTH},
    {"module m %0 = input a fixed<4,2,TRN,SAT> : [4] output y = %0 " X "%1 = call m(%0) %2 = out %1 0 output y = %2", DIAG_TYPE},
    {"module m %0 = input a fixed<8,4,TRN,SAT> : [2] output y = %0 " X "%1 = call m(%0) %2 = out %1 0 output y = %2", DIAG_SHAPE},
    {"module m %0 = input a fixed<8,4,TRN,SAT> : [4] output y = %0 " X "%1 = call m(%0, %0) %2 = out %1 0 output y = %2", DIAG_VERIFY},
};

static void test_refused(void **state)
{
    for (size_t i = 0; i < COUNT_OF(bad_graphs); i++) {
        DiagList diags = diag_init(*state);
        Graph *graph = parse(*state, bad_graphs[i].text, &diags);
        if (graph || diags.n_errors != 1 || diags.list.at[0].code != bad_graphs[i].code)
            fail_msg("%s\nwas to be refused (%s), said:\n%s", bad_graphs[i].text, diag_code_text(bad_graphs[i].code),
                     messages(*state, &diags));
    }
}

/* a wide sum of a few trailing zeros is no wide value */
static void test_width_counts_without_zeros(void **state)
{
    Graph *g =
        sound(*state, "graph g %0 = input x element { fixed<60,60,TRN,SAT>, fixed<60,30,TRN,SAT> } : [2] %1 = relu %0 output y = %1");
    assert_int_equal(node_of(g, 1)->type.at[0].bits, 89);
    assert_int_equal(node_of(g, 1)->range[0].zeros, 30);
}

/* ---- properties of random graphs ---- */

static i128 random_raw(Rng *rng, Interval range)
{
    return rng_chance(rng, 3) ? (rng_chance(rng, 2) ? range.lo : range.hi)
                              : range.lo + (i128)(rng_u64(rng) % ((uint64_t)(range.hi - range.lo) + 1));
}

typedef struct Ports {
    i128 *in, *out;
    double *in_real, *out_real;
} Ports;

static Ports make_ports(Arena *arena, const GraphModule *top, Rng *rng)
{
    uint32_t n_in = 0, n_out = 0;
    for (uint32_t i = 0; i < top->inputs.n; i++)
        n_in += shape_size(graph_node(top, top->inputs.at[i])->shape);
    for (uint32_t i = 0; i < top->outputs.n; i++)
        n_out += shape_size(graph_node(top, top->outputs.at[i].ref)->shape);
    Ports p = {arena_array(arena, i128, n_in), arena_array(arena, i128, n_out), arena_array(arena, double, n_in),
               arena_array(arena, double, n_out)};
    for (uint32_t i = 0, k = 0; i < top->inputs.n; i++) {
        const GraphNode *node = graph_node(top, top->inputs.at[i]);
        for (uint32_t e = 0; e < shape_size(node->shape); e++, k++) {
            p.in[k] = random_raw(rng, node->range[e]);
            p.in_real[k] =
                rational_to_double(scale_value(arena, &node->scale, node->shape, e, p.in[k], type_at(&node->type, node->shape, e)));
        }
    }
    return p;
}

static void test_ranges_hold(void **state)
{
    Rng rng = {seed_of_run() + 3};
    print_message("KAON_SEED=%#llx\n", (unsigned long long)seed_of_run());
    for (int i = 0; i < 300; i++) {
        Arena *arena = arena_child(*state);
        Graph *graph = random_graph(arena, &rng, i % 2);
        const GraphModule *top = graph_top(graph);
        RefExecutor *ref = ref_create(arena, graph, REF_RAW);
        for (int event = 0; event < 8; event++) {
            Ports p = make_ports(arena, top, &rng);
            ref_run_raw(ref, p.in, p.out);
            for (uint32_t k = 0; k < top->nodes.n; k++) {
                const GraphNode *node = graph_node(top, k);
                const i128 *raw = ref_value_raw(ref, k);
                for (uint32_t e = 0; raw && node->op != GRAPH_call && e < shape_size(node->shape); e++) {
                    Interval range = node->range[e];
                    u128 mask = ((u128)1 << range.zeros) - 1;
                    if (!interval_valid(range) || !interval_has(range, raw[e]) || ((u128)raw[e] & mask) != 0)
                        fail_msg("graph %d, node %u, element %u leaves its range\n%s", i, k, e, print(arena, graph));
                }
            }
        }
        arena_destroy(arena);
    }
}

/* Doubles hold every value of few bits exactly, so the two interpreters must agree until one has more. */
static void test_doubles_agree(void **state)
{
    Rng rng = {seed_of_run() + 4};
    uint64_t compared = 0;
    print_message("KAON_SEED=%#llx\n", (unsigned long long)seed_of_run());
    for (int i = 0; i < 300; i++) {
        Arena *arena = arena_child(*state);
        Graph *graph = random_graph(arena, &rng, false);
        const GraphModule *top = graph_top(graph);
        RefExecutor *raw = ref_create(arena, graph, REF_RAW), *real = ref_create(arena, graph, REF_F64);
        Ports p = make_ports(arena, top, &rng);
        ref_run_raw(raw, p.in, p.out);
        ref_run_f64(real, p.in_real, p.out_real);
        bool *wide = arena_array(arena, bool, top->nodes.n);
        for (uint32_t k = 0; k < top->nodes.n; k++) {
            const GraphNode *node = graph_node(top, k);
            for (uint32_t m = 0; m < node->n_inputs; m++)
                wide[k] |= wide[graph_inputs(top, node)[m]];
            const i128 *value = ref_value_raw(raw, k);
            if (!value || node->op == GRAPH_call)
                continue;
            for (uint32_t m = 0; m < spread_count(node->type.spread, node->shape); m++)
                wide[k] |= node->type.at[m].bits > 44;
            for (uint32_t e = 0; !wide[k] && e < shape_size(node->shape); e++, compared++)
                if (fixed_to_double(value[e], type_at(&node->type, node->shape, e).frac) != ref_value_f64(real, k)[e])
                    fail_msg("graph %d, node %u, element %u\n%s", i, k, e, print(arena, graph));
        }
        arena_destroy(arena);
    }
    assert_true(compared > 10000);
}

/* The exact function of one element, against the interpreter. */
static void test_exact_agrees(void **state)
{
    Rng rng = {seed_of_run() + 5};
    uint32_t met[GRAPH_OP_COUNT] = {0};
    print_message("KAON_SEED=%#llx\n", (unsigned long long)seed_of_run());
    for (int i = 0; i < 200; i++) {
        Arena *arena = arena_child(*state);
        Graph *graph = random_graph(arena, &rng, true);
        const GraphModule *top = graph_top(graph);
        RefExecutor *ref = ref_create(arena, graph, REF_RAW);
        Ports p = make_ports(arena, top, &rng);
        ref_run_raw(ref, p.in, p.out);
        for (uint32_t k = 0; k < top->nodes.n; k++) {
            const GraphNode *node = graph_node(top, k);
            if (node->n_inputs != 1 || node->op == GRAPH_out || !ref_value_raw(ref, graph_inputs(top, node)[0]))
                continue;
            const GraphNode *x = graph_input_node(top, node, 0);
            for (uint32_t e = 0; e < shape_size(node->shape) && e < shape_size(x->shape); e++) {
                Rational in = scale_value(arena, &x->scale, x->shape, e, ref_value_raw(ref, graph_inputs(top, node)[0])[e],
                                          type_at(&x->type, x->shape, e)),
                         out;
                if (!graph_eval_exact(arena, top, node, e, in, &out))
                    break;
                met[node->op]++;
                Rational is =
                    scale_value(arena, &node->scale, node->shape, e, ref_value_raw(ref, k)[e], type_at(&node->type, node->shape, e));
                if (!rational_equal(out, is))
                    fail_msg("graph %d, node %u, element %u\n%s", i, k, e, print(arena, graph));
            }
        }
        arena_destroy(arena);
    }
    assert_true(met[GRAPH_quantise] && met[GRAPH_affine] && met[GRAPH_relu] && met[GRAPH_clip] && met[GRAPH_threshold] &&
                !met[GRAPH_argmax]);
}

/* Each bound of a dense is a value: that of the inputs at the ends that the signs of the weights choose. */
static void test_dense_bounds_are_reached(void **state)
{
    Rng rng = {seed_of_run() + 6};
    print_message("KAON_SEED=%#llx\n", (unsigned long long)seed_of_run());
    for (int i = 0; i < 100; i++) {
        uint32_t n_in = 1 + rng_below(&rng, 6), n_out = 1 + rng_below(&rng, 4);
        Text text = text_init(*state);
        text_add(&text, "graph g %%0 = input x element {");
        for (uint32_t k = 0; k < n_in; k++)
            text_add(&text, "%s %sfixed<%d,%d,TRN,%s>", k ? "," : "", rng_chance(&rng, 2) ? "" : "u", rng_between(&rng, 0, 7),
                     rng_between(&rng, -3, 6), rng_chance(&rng, 2) ? "SAT" : "SAT_SYM");
        text_add(&text, " } : [%u] %%1 = const fixed s5.2 {", n_in);
        for (uint32_t k = 0; k < n_in * n_out; k++)
            text_add(&text, "%s %d", k ? "," : "", rng_between(&rng, -16, 15));
        text_add(&text, " } : [%u, %u] %%2 = dense %%0, %%1 output y = %%2", n_in, n_out);
        Graph *g = sound(*state, text.at);
        RefExecutor *ref = ref_create(*state, g, REF_RAW);
        for (uint32_t o = 0; o < n_out; o++)
            for (int side = 0; side < 2; side++) {
                i128 in[6], out[4];
                for (uint32_t k = 0; k < n_in; k++) {
                    Interval range = node_of(g, 0)->range[k];
                    in[k] = (node_of(g, 1)->attr.tensor->raw[k * n_out + o] > 0) == (side == 1) ? range.hi : range.lo;
                }
                ref_run_raw(ref, in, out);
                Interval range = node_of(g, 2)->range[o];
                assert_true(out[o] == (side == 1 ? range.hi : range.lo));
            }
    }
}

/* ---- the modes of the interpreter ---- */

static void test_float_modes(void **state)
{
    Graph *g = sound(*state, "graph g\n"
                             "%0 = input x fixed<8,4,TRN,SAT> : [2]\n"
                             "%1 = const f32 { 0.3, 1, -1, 0.25 } : [2, 2]\n"
                             "%2 = quantise %1 fixed<4,2,RND,SAT>\n" /* 0.25 1 -1 0.25 */
                             "%3 = dense %0, %2\n"
                             "%4 = quantise %3 fixed<6,4,TRN,SAT>\n"
                             "output y = %4 output z = %3 softmax\n");
    double in[] = {1.03125, 2}, out[4]; /* the input's grid is 1/16: 1 */
    i128 raw_in[] = {16, 32}, raw[4];
    ref_run_f64(ref_create(*state, g, REF_F64), in, out); /* 0.25 - 2, 1 + 0.5 */
    assert_true(out[0] == -1.75 && out[1] == 1.5);
    assert_true(out[2] > 0.0373268 && out[2] < 0.0373270 && out[2] + out[3] > 0.9999999 &&
                out[2] + out[3] < 1.0000001);                   /* 1 / (1 + e^3.25) = 0.0373269 */
    ref_run_f64(ref_create(*state, g, REF_F64_PLAIN), in, out); /* 1.03125/4 - 2, weights still rounded */
    assert_true(out[0] == 0.2578125 - 2 && out[1] == 1.53125);
    RefExecutor *ref = ref_create(*state, g, REF_RAW);
    ref_run_raw(ref, raw_in, raw);
    assert_true(raw[0] == -7 && raw[1] == 6 && raw[2] == -112 && raw[3] == 96);
    assert_true(ref_value_raw(ref, 1) == NULL && ref_value_raw(ref, 2)[0] == 1);
}

/* ---- the verifier on graphs that the builder made ---- */

static GraphModule *small_module(Arena *arena, GraphRef *x)
{
    GraphModule *top = graph_add_module(graph_create(arena), "g");
    GraphInput input = {.type = quant_map_uniform(arena, (Quantiser){.type = {true, 8, 4}})};
    *x = graph_add_input(top, "x", (Shape){.rank = 1, .dim = {4}}, &input);
    graph_add_output(top, "y", *x, POST_NONE);
    return top;
}

static void expect_breach(Arena *arena, const GraphModule *top, DiagCode code)
{
    DiagList diags = diag_init(arena);
    assert_false(graph_verify(top->graph, "f", &diags));
    assert_true(diags.n_errors >= 1);
    assert_int_equal(diags.list.at[0].code, code);
}

static void test_verifier(void **state)
{
    GraphRef x, forward = 9;
    GraphModule *top = small_module(*state, &x);
    DiagList diags = diag_init(*state);
    assert_true(graph_verify(top->graph, NULL, &diags));

    graph_add_node(top, GRAPH_relu, &forward, 1, "r");
    expect_breach(*state, top, DIAG_CYCLE);

    top = small_module(*state, &x);
    graph_add_node(top, GRAPH_quantise, &x, 1, "q");
    expect_breach(*state, top, DIAG_VERIFY); /* no attribute */

    top = small_module(*state, &x);
    GraphAffine affine = {.spread = SPREAD_ONE, .multiplier = &(Rational){.num = {0}}, .offset = &(Rational){.num = {0}}};
    graph_append(top, &(GraphNode){.op = GRAPH_affine, .attr.affine = &affine}, &x, 1);
    expect_breach(*state, top, DIAG_VALUE); /* a zeroed Rational is no number */

    top = small_module(*state, &x);
    vec_push(*state, &top->inputs, x);
    expect_breach(*state, top, DIAG_VERIFY);

    top = small_module(*state, &x);
    top->inputs.n = 0;
    expect_breach(*state, top, DIAG_VERIFY);

    top = small_module(*state, &x);
    graph_append(top, &(GraphNode){.op = GRAPH_call, .attr.index = 0}, &x, 1); /* itself */
    expect_breach(*state, top, DIAG_CYCLE);

    top = small_module(*state, &x);
    static const FixedType type = {true, 65, 0};
    static const i128 raw[] = {0};
    graph_add_constant(top, (Shape){0}, &(GraphTensor){.kind = KIND_FIXED, .raw = raw, .type = {SPREAD_ONE, &type}}, "");
    expect_breach(*state, top, DIAG_TYPE);

    top = small_module(*state, &x);
    static const double real[] = {0.1};
    graph_add_constant(top, (Shape){0}, &(GraphTensor){.kind = KIND_F32, .real = real}, "");
    expect_breach(*state, top, DIAG_VALUE);

    top = small_module(*state, &x);
    graph_add_module(top->graph, "h");
    expect_breach(*state, graph_top(top->graph), DIAG_VERIFY); /* no output */

    expect_breach(*state, &(GraphModule){.graph = graph_create(*state)}, DIAG_VERIFY); /* nothing at all */
}

static void test_tables(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < GRAPH_OP_COUNT; i++) {
        GraphOp op;
        assert_true(graph_op_parse(graph_op_info((GraphOp)i)->text, &op));
        assert_int_equal(op, i);
    }
    GraphOp op;
    assert_false(graph_op_parse("nothing", &op));
    Shape shape = {.rank = 3, .dim = {2, 3, 5}};
    assert_int_equal(spread_index((Spread){SPREAD_CHANNEL, 1}, shape, 23), 1); /* 23 = 1 * 15 + 1 * 5 + 3 */
    assert_int_equal(spread_index((Spread){SPREAD_CHANNEL, 2}, shape, 23), 3);
    assert_int_equal(spread_count((Spread){SPREAD_CHANNEL, 2}, shape), 5);
    uint64_t huge[] = {1u << 20, 1u << 20};
    assert_false(shape_make(huge, 2, &shape));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)
    const struct CMUnitTest tests[] = {
        TEST(test_tables),
        TEST(test_text_canonical),
        TEST(test_text_round_trip),
        TEST(test_bad_texts),
        TEST(test_mutated_texts),
        TEST(test_every_allocation_may_fail),
        TEST(test_side_files),
        TEST(test_scales_of_dense),
        TEST(test_powers_of_two_are_types),
        TEST(test_refused),
        TEST(test_width_counts_without_zeros),
        TEST(test_ranges_hold),
        TEST(test_doubles_agree),
        TEST(test_exact_agrees),
        TEST(test_dense_bounds_are_reached),
        TEST(test_float_modes),
        TEST(test_verifier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
