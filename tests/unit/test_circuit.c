/* The scalar IR: text form, verifier, latency, executors, builder. What the ops compute is circuit_oracle.py's to say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "circuit/circuit.h"

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

static uint64_t seed_of_run(void)
{
    const char *given = getenv("KAON_SEED");
    return given ? strtoull(given, NULL, 0) : 0x6b616f6e;
}

static Bytes bytes_of(const char *text) { return (Bytes){(const uint8_t *)text, strlen(text)}; }

static const char *printed(Arena *arena, const Circuit *circuit)
{
    Text text = text_init(arena);
    circuit_print(&text, circuit);
    return text.at;
}

static const char *diagnosed(Arena *arena, const DiagList *diags)
{
    Text text = text_init(arena);
    diag_print(&text, diags);
    return text.at;
}

static Circuit *parsed(Arena *arena, const char *text)
{
    DiagList diags = diag_init(arena);
    Circuit *circuit = circuit_parse(arena, bytes_of(text), "t.circuit", &diags);
    if (!circuit)
        fail_msg("%s\n%s", text, diagnosed(arena, &diags));
    assert_false(diag_failed(&diags));
    return circuit;
}

/* kinds of random circuit, all four of {delays, states} and each number of modules */
static CircuitRandomOptions options_of(uint32_t i)
{
    static const uint32_t bits[] = {3, 8, 20, 64};
    return (CircuitRandomOptions){
        .n_nodes = 10 + i % 60, .n_modules = i % 4, .delays = i / 4 % 2, .states = i / 8 % 2, .max_bits = bits[i / 16 % 4]};
}

/* ---- the table ---- */

static void op_names_are_read_back(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < CIRCUIT_OP_COUNT; i++) {
        CircuitOp op;
        assert_true(circuit_op_parse(circuit_op_info((CircuitOp)i)->text, &op));
        assert_int_equal(op, i);
        assert_false(circuit_op_reserved(circuit_op_info((CircuitOp)i)->text));
    }
    CircuitOp op;
    assert_false(circuit_op_parse("addd", &op));
    assert_true(circuit_op_reserved("mem.read"));
    assert_true(circuit_op_reserved("stream"));
}

/* ---- text ---- */

/* clang-format off */
static const char relu_pair[] = "circuit relu_pair(x[2]: s8.4) -> (y: u9.4)\n"
                                "  %0 = input x[0]                  : s8.4    [-8, 7.9375]\n"
                                "  %1 = input x[1]                  : s8.4    [-8, 7.9375]\n"
                                "  %2 = sub %0, %1 << 1             : s10.4   [-23.875, 23.9375] from dense_1[3] @ 0.9\n"
                                "  %3 = const 0                     : u1.0    [0, 0]\n"
                                "  %4 = max %2, %3                  : u9.4    [0, 23.9375] from \"relu 1\"[3] @ 1.25\n"
                                "  output y = %4\n";

/* One line of everything that the form has. */
static const char all_forms[] = "table sig : u4.2 = { 1, 2, 3, 15 }\n"
                                "table wide : s3.0 = {\n"
                                "  0, -1, 2, 3, 0, -1, 2, 3, 0, -1, 2, 3, 0, -1, 2, -4,\n"
                                "  0, -1, 2, 3, 0, -1, 2, 3, 0, -1, 2, 3, 0, -1, 2, 3\n"
                                "}\n"
                                "module half(a: s4.1, go: u1.0) -> (b[2]: {s4.2, s4.1}, on: u1.0)\n"
                                "  %0 = input a                     : s4.1    [-4, 3.5]\n"
                                "  %1 = input go                    : u1.0    [0, 1]\n"
                                "  %2 = shift %0 << -1              : s4.2    [-2, 1.75]\n"
                                "  %3 = state %0, %1 init -1.5      : s4.1    [-4, 3.5]\n"
                                "  output b[0] = %2\n"
                                "  output b[1] = %3\n"
                                "  output on = %1\n"
                                "circuit top(wrap: s4.1, go: u1.0) -> (y[1]: s2.0, z: u4.2, n: s3.0, m: u6.0) latency=2 ii=1\n"
                                "  %0 = input wrap                  : s4.1    [-3, 3] /2\n"
                                "  %1 = input go                    : u1.0    [0, 1]\n"
                                "  %2 = call half(%0, %1) from \"a \\\"b\\\"\"[0] @ 0\n"
                                "  %3 = out %2 b[1]                 : s4.1    [-4, 3.5]\n"
                                "  %4 = out %2 on                   : u1.0    [0, 1] @ 12.003\n"
                                "  %5 = quant %3 rnd_conv sat_sym   : s2.0    [-1, 1]\n"
                                "  %6 = quant %3 trn wrap(2)        : s2.0    [-2, 1]\n"
                                "  %7 = select %4, %5, %6           : s2.0    [-2, 1]\n"
                                "  %8 = delay %7, 2                 : s2.0    [-2, 1]\n"
                                "  %9 = table sig[%7]               : u4.2    [0.25, 3.75]\n"
                                "  %10 = delay %9, 2                : u4.2    [0.25, 3.75]\n"
                                "  %11 = slice %3 [3:2]             : u2.0    [0, 3]\n"
                                "  %12 = concat %4, %11, %7         : u5.0    [0, 31]\n"
                                "  %13 = table wide[%12]            : s3.0    [-4, 3]\n"
                                "  %14 = delay %13, 2               : s3.0    [-4, 3]\n"
                                "  %15 = neg %0                     : s3.0    [-3, 3]\n"
                                "  %16 = add wrap %12, %15          : u6.0    [0, 63]\n"
                                "  %17 = delay %16, 2               : u6.0    [0, 63]\n"
                                "  %18 = shift %17 << 0             : u6.0    [0, 63]\n"
                                "  output y[0] = %8\n"
                                "  output z = %10\n"
                                "  output n = %14\n"
                                "  output m = %18\n";
/* clang-format on */

static void canonical_text_is_printed_as_it_was(void **state)
{
    assert_string_equal(printed(*state, parsed(*state, relu_pair)), relu_pair);
    assert_string_equal(printed(*state, parsed(*state, all_forms)), all_forms);
}

static void blanks_and_comments_do_not_matter(void **state)
{
    const char *text = "# a comment\ncircuit relu_pair(x [2] : s8.4)->(y:u9.4)\n%0=input x[0]:s8.4[-8,7.9375]\n"
                       "%1=input x[1]:s8.4[-8.0,7.93750] # more\n%2=sub %0,%1<<1:s10.4[-23.875,23.9375]from \"dense_1\"[3]@0.900\n"
                       "%3=const 0.00:u1.0[0,0]%4=max %2,%3:u9.4[0,23.9375]from \"relu 1\"[3]@1.25 output y=%4";
    assert_string_equal(printed(*state, parsed(*state, text)), relu_pair);
}

static void large_fractions_survive(void **state)
{
    Arena *arena = *state;
    static const int32_t fracs[] = {-4096, -1100, -200, 70, 1100, 4096};
    for (uint32_t i = 0; i < COUNT_OF(fracs); i++) {
        Circuit *circuit = circuit_create(arena);
        CircuitModule *top = circuit_add_module(circuit, "top");
        FixedType type = {.is_signed = true, .bits = 64, .frac = fracs[i]};
        circuit_add_input_port(top, "x", false, 1, &type, NULL);
        circuit_add_output_port(top, "y", false, 1, (CircuitRef[]){0});
        Circuit *again = parsed(arena, printed(arena, circuit));
        assert_true(circuit_equal(again, circuit));
    }
}

static void random_circuits_are_sound_and_read_back(void **state)
{
    uint64_t seed = seed_of_run();
    for (uint32_t i = 0; i < 400; i++) {
        Arena *arena = arena_child(*state);
        Rng rng = {seed + i};
        CircuitRandomOptions options = options_of(i);
        Circuit *circuit = circuit_random(arena, &rng, &options);
        DiagList diags = diag_init(arena);
        const char *text = printed(arena, circuit);
        if (!circuit_verify(circuit, NULL, &diags))
            fail_msg("KAON_SEED=%#llx: %s\n%s", (unsigned long long)seed, text, diagnosed(arena, &diags));
        uint32_t latency;
        if (!circuit_check_latency(circuit, &latency, &diags) || latency != circuit->latency_cycles)
            fail_msg("KAON_SEED=%#llx: latency %u\n%s\n%s", (unsigned long long)seed, latency, text, diagnosed(arena, &diags));
        Circuit *again = circuit_parse(arena, bytes_of(text), NULL, &diags);
        if (!again || !circuit_equal(again, circuit) || strcmp(printed(arena, again), text) != 0)
            fail_msg("KAON_SEED=%#llx: %s\n%s", (unsigned long long)seed, text, diagnosed(arena, &diags));
        assert_false(circuit->width_error.any);
        arena_destroy(arena);
    }
}

static bool runs_alike(Arena *arena, const Circuit *a, const Circuit *b, CircuitTime time, uint64_t seed)
{
    const CircuitModule *top = circuit_top(a);
    CircuitExecutor *run_a = circuit_executor_create(arena, a, time), *run_b = circuit_executor_create(arena, b, time);
    i128 *in = arena_array(arena, i128, top->inputs.n), *out_a = arena_array(arena, i128, top->outputs.n),
         *out_b = arena_array(arena, i128, top->outputs.n);
    Rng rng = {seed};
    for (uint32_t event = 0; event < 12; event++) {
        for (uint32_t i = 0; i < top->inputs.n; i++) {
            const Interval *range = &circuit_node(top, top->inputs.at[i])->range;
            uint64_t steps = (uint64_t)((range->hi - range->lo) >> range->zeros);
            in[i] = range->lo + ((i128)(rng_u64(&rng) % (steps + 1)) << range->zeros);
        }
        circuit_executor_run(run_a, in, out_a);
        circuit_executor_run(run_b, in, out_b);
        if (memcmp(out_a, out_b, top->outputs.n * sizeof *out_a) != 0)
            return false;
    }
    return true;
}

static void flat_circuits_run_as_before(void **state)
{
    uint64_t seed = seed_of_run();
    uint32_t opened = 0;
    for (uint32_t i = 0; i < 200; i++) {
        Arena *arena = arena_child(*state);
        Rng rng = {seed + i};
        CircuitRandomOptions options = {.n_nodes = 25, .n_modules = 1 + i % 3, .delays = i % 2, .states = i % 3 == 0, .max_bits = 12};
        const Circuit *circuit = circuit_random(arena, &rng, &options), *flat = circuit_flatten(arena, circuit);
        DiagList diags = diag_init(arena);
        assert_int_equal(flat->modules.n, 1);
        opened += circuit_flat_nodes(arena, circuit) > circuit_top(circuit)->nodes.n;
        if (!circuit_verify(flat, NULL, &diags) || !runs_alike(arena, circuit, flat, CIRCUIT_BY_EVENT, seed) ||
            !runs_alike(arena, circuit, flat, CIRCUIT_BY_CLOCK, seed))
            fail_msg("KAON_SEED=%#llx: %s\n%s\n%s", (unsigned long long)seed, printed(arena, circuit), printed(arena, flat),
                     diagnosed(arena, &diags));
        arena_destroy(arena);
    }
    assert_in_range(opened, 50, UINT32_MAX);
}

/* Differential tests lean on it: nothing may be out of the generator's reach. */
static void random_circuits_reach_every_mode(void **state)
{
    static const CircuitOp wrapping[] = {CIRCUIT_add,      CIRCUIT_sub,    CIRCUIT_add3, CIRCUIT_negate, CIRCUIT_shift,
                                         CIRCUIT_multiply, CIRCUIT_select, CIRCUIT_min,  CIRCUIT_max};
    uint32_t ops[CIRCUIT_OP_COUNT] = {0}, wraps[CIRCUIT_OP_COUNT] = {0}, modes[ROUNDING_COUNT][OVERFLOW_COUNT] = {0}, saturated = 0,
             dyadic = 0;
    uint64_t seed = seed_of_run();
    for (uint32_t i = 0; i < 400; i++) {
        Arena *arena = arena_child(*state);
        Rng rng = {seed + i};
        CircuitRandomOptions options = options_of(i);
        const Circuit *circuit = circuit_random(arena, &rng, &options);
        for (uint32_t m = 0; m < circuit->modules.n; m++)
            for (uint32_t j = 0; j < circuit->modules.at[m]->nodes.n; j++) {
                const CircuitNode *node = &circuit->modules.at[m]->nodes.at[j];
                ops[node->op]++;
                wraps[node->op] += node->wrap;
                dyadic += !interval_is_point(node->range) && node->range.zeros > 0;
                if (node->op == CIRCUIT_quantise) {
                    modes[node->rounding][node->overflow]++;
                    saturated += node->saturated_bits > 0;
                }
            }
        arena_destroy(arena);
    }
    for (uint32_t i = 0; i < CIRCUIT_OP_COUNT; i++)
        assert_in_range(ops[i], 20, UINT32_MAX);
    for (uint32_t i = 0; i < COUNT_OF(wrapping); i++)
        assert_in_range(wraps[wrapping[i]], 20, UINT32_MAX);
    for (uint32_t i = 0; i < ROUNDING_COUNT * OVERFLOW_COUNT; i++)
        assert_in_range(modes[i / OVERFLOW_COUNT][i % OVERFLOW_COUNT], 20, UINT32_MAX);
    assert_in_range(saturated, 20, UINT32_MAX);
    assert_in_range(dyadic, 20, UINT32_MAX);
}

static void equal_sees_every_difference(void **state)
{
    static const char *const changes[][2] = {
        {"relu_pair", "relu_pear"},
        {"dense_1[3]", "dense_1[4]"},
        {"dense_1[3]", "dense_2[3]"},
        {"from dense_1[3] ", ""},
        {"@ 0.9", "@ 0.91"},
        {"max %2, %3", "max %3, %2"},
        {"[0, 23.9375]", "[0, 31]"},
        {"-> (y: u9.4)", "-> (y: u9.4) latency=0 ii=2"},
        {"circuit", "table a : u1.0 = { 0, 1 }\ncircuit"},
    };
    Arena *arena = *state;
    const Circuit *original = parsed(arena, relu_pair);
    assert_true(circuit_equal(original, parsed(arena, relu_pair)));
    for (uint32_t i = 0; i < COUNT_OF(changes); i++) {
        const char *at = strstr(relu_pair, changes[i][0]);
        assert_non_null(at);
        const char *text = fmt(arena, "%.*s%s%s", (int)(at - relu_pair), relu_pair, changes[i][1], at + strlen(changes[i][0]));
        assert_false(circuit_equal(original, parsed(arena, text)));
    }
    /* not sound, but different */
    for (uint32_t i = 0; i < 5; i++) {
        CircuitModule *top = circuit_top(parsed(arena, relu_pair));
        switch (i) {
        case 0:
            circuit_node(top, 4)->op = CIRCUIT_min;
            break;
        case 1:
            circuit_node(top, 2)->attr.shift = 0;
            break;
        case 2:
            circuit_node(top, 4)->type.bits = 8;
            break;
        case 3:
            circuit_node(top, 4)->wrap = true;
            break;
        case 4:
            top->outputs.at[0].ref = 3;
            break;
        }
        assert_false(circuit_equal(original, top->circuit));
    }
}

/* ---- what is refused ---- */

typedef struct Refusal {
    const char *text, *message; /* NULL: it is taken */
} Refusal;

/* clang-format off */
#define HEAD "circuit t(x: s4.1, c: u1.0) -> (y: s4.1)\n  %0 = input x : s4.1 [-4, 3.5]\n  %1 = input c : u1.0 [0, 1]\n"
#define TAIL "  output y = %0\n"
#define BODY(lines) HEAD lines TAIL
#define CALLEE "module m(a: s4.1) -> (b: s4.1)\n  %0 = input a : s4.1 [-4, 2]\n  output b = %0\n"

static const Refusal refusals[] = {
    { BODY(""), NULL },
    /* syntax */
    { "", "expected" },
    { "circuit", "a module name" },
    { BODY("") "x", "expected the end of the file" },
    { BODY("  %3 = neg %0 : s5.1 [-3.5, 4]\n"), "expected %2, found %3" },
    { BODY("  %2 = add3 %0 plus %1 << 2 minus %0 << -1 : s9.2 [-64, 63.75]\n"), NULL },
    { BODY("  %2 = add3 %0 plus %1 : s9.2 [-64, 63.75]\n"), "expected 'plus'" },
    { BODY("  %2 = add3 %0, %1, %0 : s9.2 [-64, 63.75]\n"), "expected 'plus'" },
    { BODY("  %2 = add3 %0 plus %1 over %0 : s9.2 [-64, 63.75]\n"), "expected 'plus'" },
    { BODY("  %2 = add3 %0 plus %1 minus %0 << 9000 : s9.2 [-64, 63.75]\n"), "a shift" },
    { BODY("  %2 = add3 %0 plus %1 << 2 minus %0 << 1 : s4.1 [-4, 3.5]\n"), "without a wrap flag" },
    { BODY("  %2 = frobnicate %0 : s5.1 [-3.5, 4]\n"), "there is no op 'frobnicate'" },
    { BODY("  %2 = mem.read %0 : s5.1 [-3.5, 4]\n"), "reserved for folded hardware" },
    { BODY("  %2 = neg %0, : s5.1 [-3.5, 4]\n"), "expected a wire" },
    { BODY("  %2 = neg %0 : s65.1 [-3.5, 4]\n"), "'s65.1' is no type" },
    { BODY("  %2 = neg %0 : s0.1 [0, 0]\n"), "'s0.1' is no type" },
    { BODY("  %2 = neg %0 : s5.1 [-3.25, 4]\n"), "-3.25" },
    { BODY("  %2 = neg %0 : s5.1 [-3.5, 4] /3\n"), "not a power of two" },
    { BODY("  %2 = neg %0 : s5.1 [-3.5, 4] from \"\"[0]\n"), "a layer has a name" },
    { BODY("  %2 = neg %0 : s5.1 [-3.5, 4] @ 0.1234\n"), "an arrival time" },
    { BODY("  %2 = neg %0 : s5.1 [-3.5, 4] @ 9999999\n"), "an arrival time" },
    { BODY("  %2 = neg %0 : s5.1 [-3.5, 4] @ 2147483.647\n"), NULL },
    { BODY("  %2 = quant %0 up_up sat : s3.0 [-4, 3]\n"), "'up_up' is no rounding" },
    { BODY("  %2 = quant %0 rnd never : s3.0 [-4, 3]\n"), "'never' is no overflow" },
    { BODY("  %2 = table none[%0] : s3.0 [-4, 3]\n"), "there is no table 'none'" },
    { BODY("  %2 = call none(%0)\n"), "there is no module 'none'" },
    { BODY("  %2 = call t(%0, %1)\n"), "there is no module 't'" },
    { BODY("  %2 = out %0 y : s4.1 [-4, 3.5]\n"), "%0 is no call" },
    { BODY("  %2 = out %7 y : s4.1 [-4, 3.5]\n"), "%7 is no call" },
    { BODY("  %2 = input z : s4.1 [-4, 3.5]\n"), "there is no input 'z'" },
    { BODY("  %2 = input x : s4.1 [-4, 3.5]\n"), "the input is there twice" },
    { HEAD, "does not say what output 'y' is" },
    { BODY("") TAIL, "the output is there twice" },
    { HEAD "  output y = %9\n", "there is no %9 above" },
    { HEAD "  output y = %1\n", "its type is not the signature's" },
    { "circuit t(x: s4.1) -> (y: s4.1)\n  output y = %0\n", "there is no %0" },
    { "circuit t(x: s4.1) -> ()\n", "has no input node for 'x'" },
    { "circuit t(x: s4.1, x: s4.1) -> ()\n", "two ports 'x'" },
    { "circuit t(x[0]: s4.1) -> ()\n", "a number of values" },
    { "circuit t(x[3000000000]: s4.1) -> ()\n", "more values than the file has room for" },
    { "circuit t(x[2]: {s4.1}) -> ()\n", "expected ','" },
    { "circuit t() -> (y: u1.0)\n  %0 = const 1 : u1.0 [1, 1]\n  output y = %0\n", NULL },
    { "circuit t() -> (y: u1.0)\n  %0 = const 0.5 : u1.0 [1, 1]\n  output y = %0\n", "0.5" },
    { "table a : u1.0 = { 0, 1, 1 }\n" BODY(""), "table 'a' has 3 entries" },
    { "table a : u1.0 = { 0 }\n" BODY(""), "table 'a' has 1 entries" },
    { "table a : u1.0 = { 0, 1 }\ntable a : u1.0 = { 0, 1 }\n" BODY(""), "two tables 'a'" },
    { CALLEE CALLEE BODY(""), "two modules 'm'" },
    /* types, ranges, wrap flags */
    { BODY("  %2 = neg %0 : s5.1 [-3.5, 4]\n"), NULL },
    { BODY("  %2 = neg %0 : s5.1 [-8, 7.5]\n"), NULL },
    { BODY("  %2 = neg %0 : s5.1 [-3.5, 3.5]\n"), "values follow to be in [-3.5, 4]" },
    { BODY("  %2 = neg %0 : s5.1 [-3.5, 8]\n"), "the range leaves the type" },
    { BODY("  %2 = neg %0 : s5.1 [4, -3.5]\n"), "the range is empty" },
    { BODY("  %2 = neg %0 : s5.1 [-3.5, 4] /2\n"), "the range is empty, or its ends are no multiples" },
    { BODY("  %2 = neg %0 : s5.1 [-4, 4] /2\n"), "values follow to be in [-3.5, 4]" },
    { BODY("  %2 = neg %0 : s4.1 [-4, 3.5]\n"), "leaves s4.1 without a wrap flag" },
    { BODY("  %2 = neg wrap %0 : s4.1 [-4, 3.5]\n"), NULL },
    { BODY("  %2 = neg wrap %0 : s4.1 [-3.5, 3.5]\n"), "values follow to be in [-4, 3.5]" },
    { BODY("  %2 = neg wrap %0 : s5.1 [-3.5, 4]\n"), "no wrap is meant" },
    { BODY("  %2 = neg %0 : s4.0 [-4, 4]\n"), "not known to lie on the grid of s4.0" },
    { BODY("  %2 = shift %0 << 1 : s4.0 [-8, 7]\n"), NULL },
    { BODY("  %2 = shift %0 << 9000 : s4.0 [-8, 7]\n"), "a shift" },
    { BODY("  %2 = add %0, %1 << 200 : s64.1 [0, 1]\n"), "more than 126 bits" },
    { BODY("  %2 = lt %0, %1 : u1.0 [0, 1]\n"), NULL },
    { BODY("  %2 = lt %0, %1 : u2.0 [0, 1]\n"), "the type is u2.0, but follows to be u1.0" },
    { BODY("  %2 = lt wrap %0, %1 : u1.0 [0, 1]\n"), "the op cannot wrap" },
    { BODY("  %2 = lt %0, %1 : u1.0 [1, 1]\n"), "values follow to be in [0, 1]" },
    { BODY("  %2 = quant %0 rnd sat : s2.0 [-2, 1]\n"), NULL },
    { BODY("  %2 = quant wrap %0 rnd sat : s2.0 [-2, 1]\n"), "the op cannot wrap" },
    { BODY("  %2 = quant %0 rnd sat(1) : s2.0 [-2, 1]\n"), "saturated bits: wrap has them" },
    { BODY("  %2 = quant %0 rnd wrap(2) : s2.0 [-2, 1]\n"), NULL },
    { BODY("  %2 = quant %0 rnd wrap(3) : s2.0 [-2, 1]\n"), "saturated bits: wrap has them, at most" },
    { BODY("  %2 = const 4 : s4.1 [0, 0]\n"), "the value leaves the type" },
    { BODY("  %2 = const 3 : s4.1 [0, 0]\n"), "values follow to be in [3, 3]" },
    { BODY("  %2 = const 3 : s4.1 [3, 3]\n"), NULL },
    /* operands */
    { BODY("  %2 = neg %0, %1 : s5.1 [-3.5, 4]\n"), "takes 1 operands, has 2" },
    { BODY("  %2 = add %0 : s5.1 [-3.5, 4]\n"), "takes 2 operands, has 1" },
    { BODY("  %2 = concat : u1.0 [0, 1]\n"), "takes at least one operand" },
    { BODY("  %2 = neg %2 : s5.1 [-3.5, 4]\n"), "stands behind its user" },
    { BODY("  %2 = neg %3 : s5.1 [-3.5, 4]\n  %3 = neg %0 : s5.1 [-3.5, 4]\n"), "stands behind its user" },
    { BODY("  %2 = neg %5 : s5.1 [-3.5, 4]\n"), "there is no operand %5" },
    { BODY("  %2 = select %1, %0, %1 : s4.1 [-4, 3.5]\n"), NULL },
    { BODY("  %2 = select %0, %0, %1 : s4.1 [-4, 3.5]\n"), "is a condition: one bit, not 4" },
    /* bits */
    { BODY("  %2 = slice %0 [3:1] : u3.0 [0, 7]\n"), NULL },
    { BODY("  %2 = slice %0 [4:1] : u4.0 [0, 15]\n"), "bits [4:1] of an operand with 4" },
    { BODY("  %2 = slice %0 [1:2] : u2.0 [0, 3]\n"), "bits [1:2]" },
    { BODY("  %2 = slice %0 [3:1] : s3.0 [-4, 3]\n"), "follows to be u3.0" },
    { BODY("  %2 = concat %0, %1 : u5.0 [0, 31]\n"), NULL },
    { BODY("  %2 = concat %0, %1 : u6.0 [0, 31]\n"), "follows to be u5.0" },
    { BODY("  %2 = concat %0, %0, %0, %0, %0, %0, %0, %0, %0, %0, %0, %0, %0, %0, %0, %0, %1 : u64.0 [0, 31]\n"), "65 bits side by side" },
    { BODY("  %2 = and %0, %0 : u4.3 [0, 1.875]\n"), NULL },
    { BODY("  %2 = and %0, %1 : u4.3 [0, 1.875]\n"), "operand 1 has 1 bits, the result 4" },
    { BODY("  %2 = not %0 : u5.3 [0, 1.875]\n"), "operand 0 has 4 bits, the result 5" },
    /* tables */
    { "table a : u2.0 = { 0, 3 }\n" BODY("  %2 = table a[%1] : u2.0 [0, 3]\n"), NULL },
    { "table a : u2.0 = { 0, 3 }\n" BODY("  %2 = table a[%0] : u2.0 [0, 3]\n"), "the address has 4 bits, table 'a' takes 1" },
    { "table a : u2.0 = { 0, 3 }\n" BODY("  %2 = table a[%1] : u2.1 [0, 1.5]\n"), "follows to be u2.0" },
    { "table a : u2.0 = { 0, 3 }\n" BODY("  %2 = table a[%1] : u2.0 [0, 2]\n"), "values follow to be in [0, 3]" },
    { "table a : u2.0 = { 0, 4 }\n" BODY(""), "entry 1 leaves u2.0" },
    { "table a.b : u2.0 = { 0, 3 }\n" BODY(""), "the name is no identifier" },
    /* time */
    { BODY("  %2 = delay %0, 1 : s4.1 [-4, 3.5]\n"), NULL },
    { BODY("  %2 = delay %0, 0 : s4.1 [-4, 3.5]\n"), "a number of clocks" },
    { BODY("  %2 = delay %0, 1 : s5.1 [-4, 3.5]\n"), "follows to be s4.1" },
    { BODY("  %2 = delay %0, 1 : s4.1 [-4, 3]\n"), "values follow" },
    { BODY("  %2 = state %3, %1 init 0 : s4.1 [-4, 3.5]\n  %3 = add wrap %2, %0 : s4.1 [-4, 3.5]\n"), NULL },
    { BODY("  %2 = state %3, %1 init 3.5 : s4.1 [-4, 3]\n  %3 = const 0 : s4.1 [0, 0]\n"), "values follow to be in [0, 3.5]" },
    { BODY("  %2 = state %3, %0 init 0 : s4.1 [-4, 3.5]\n  %3 = const 0 : s4.1 [0, 0]\n"), "is a condition" },
    { BODY("  %2 = state %1, %1 init 0 : s4.1 [-4, 3.5]\n"), "follows to be u1.0" },
    { BODY("  %2 = state %7, %1 init 0 : s4.1 [-4, 3.5]\n"), "there is no operand %7" },
    { "circuit t(x: s4.1) -> (y: s4.1) latency=1 ii=1\n"
      "  %0 = input x : s4.1 [-4, 3.5]\n  %1 = delay %0, 1 : s4.1 [-4, 3.5]\n  output y = %1\n", NULL },
    { "circuit t(x: s4.1) -> (y: s4.1) latency=2 ii=1\n"
      "  %0 = input x : s4.1 [-4, 3.5]\n  %1 = delay %0, 1 : s4.1 [-4, 3.5]\n  output y = %1\n",
      "latency=2 is claimed, but 1 registers" },
    /* modules */
    { CALLEE BODY("  %2 = quant %0 trn sat : s4.1 [-4, 3.5]\n"), NULL },
    { CALLEE "circuit t(x: s4.1) -> (y: s4.1)\n"
      "  %0 = input x : s4.1 [-3, 1]\n  %1 = call m(%0)\n  %2 = out %1 b : s4.1 [-4, 2]\n  output y = %2\n", NULL },
    { CALLEE "circuit t(x: s4.1) -> (y: s4.1)\n"
      "  %0 = input x : s4.1 [-3, 1]\n  %1 = call m(%0)\n  %2 = out %1 b : s4.1 [-4, 1]\n  output y = %2\n",
      "values follow to be in [-4, 2]" },
    { CALLEE BODY("  %2 = call m(%0)\n"), "operand 0 has range [-4, 3.5], the module's input holds for [-4, 2]" },
    { CALLEE BODY("  %2 = call m(%1)\n"), "operand 0 is u1.0, the module's input s4.1" },
    { CALLEE BODY("  %2 = call m(%0, %0)\n"), "has 1 inputs, the call 2 operands" },
    { CALLEE "circuit t(x: s4.1) -> (y: s4.1)\n"
      "  %0 = input x : s4.1 [-3, 1]\n  %1 = call m(%0)\n  %2 = out %1 c : s4.1 [-4, 2]\n  output y = %2\n",
      "there is no output 'c'" },
    { CALLEE "circuit t(x: s4.1) -> (y: s4.1)\n"
      "  %0 = input x : s4.1 [-3, 1]\n  %1 = call m(%0)\n  %2 = out %1 b : u4.1 [0, 2]\n  output y = %0\n",
      "follows to be s4.1" },
    { CALLEE "circuit t(x: s4.1) -> (y: s4.1)\n"
      "  %0 = input x : s4.1 [-3, 1]\n  %1 = call m(%0)\n  %2 = neg %1 : s5.1 [-4, 4]\n  output y = %0\n",
      "is a call: its values are read with out" },
    { CALLEE "circuit t(x: s4.1) -> (y: u1.0)\n  %0 = input x : s4.1 [-3, 1]\n  %1 = call m(%0)\n  output y = %1\n",
      "output 0 is no value" },
    { "circuit t.t(x: s4.1) -> (y: s4.1)\n  %0 = input x : s4.1 [-4, 3.5]\n  output y = %0\n", "module name 't.t' is no identifier" },
    { "circuit t(x.x: s4.1) -> (y: s4.1)\n  %0 = input x.x : s4.1 [-4, 3.5]\n  output y = %0\n", "port name 'x.x' is no identifier" },
    { "circuit t(x: s4.1) -> (x: s4.1)\n  %0 = input x : s4.1 [-4, 3.5]\n  output x = %0\n", "port name 'x' is used twice" },
};
/* clang-format on */

static void each_breach_is_named(void **state)
{
    for (uint32_t i = 0; i < COUNT_OF(refusals); i++) {
        Arena *arena = arena_child(*state);
        DiagList diags = diag_init(arena);
        const Refusal *refusal = &refusals[i];
        Circuit *circuit = circuit_parse(arena, bytes_of(refusal->text), "t.circuit", &diags);
        const char *said = diagnosed(arena, &diags);
        if (!refusal->message && (!circuit || diag_failed(&diags)))
            fail_msg("refused:\n%s\n%s", refusal->text, said);
        if (refusal->message && (circuit || diags.n_errors != 1 || !strstr(said, refusal->message)))
            fail_msg("expected one error '%s':\n%s\n%s", refusal->message, refusal->text, said);
        arena_destroy(arena);
    }
}

/* Breaches that text cannot express. */
static void each_breach_in_memory_is_named(void **state)
{
    static const char *const messages[] = {
        "there is no op 200",
        "there is no layer 9",
        "an arrival time",
        "only quant has modes",
        "another node",
        "there is no table 5",
        "does not stand above its own",
        "the ports have 2 values, the module 1",
        "input 0 has no node",
        "output 0 is no value",
        "no identifier",
        "a type has 1 to 64 bits",
        "outside the module's list",
        "a type has 1 to 64 bits",
    };
    for (uint32_t i = 0; i < COUNT_OF(messages); i++) {
        Arena *arena = arena_child(*state);
        Circuit *circuit =
            parsed(arena, "circuit t(x: s4.1) -> (y: s5.1)\n%0 = input x : s4.1 [-4, 3.5] %1 = neg %0 : s5.1 [-3.5, 4] output y = %1\n");
        CircuitModule *top = circuit_top(circuit);
        CircuitNode *input = circuit_node(top, 0), *neg = circuit_node(top, 1);
        switch (i) {
        case 0:
            neg->op = 200;
            break;
        case 1:
            neg->layer = 9;
            break;
        case 2:
            neg->arrival_ps = -2;
            break;
        case 3:
            neg->rounding = 1;
            break;
        case 4:
            neg->op = CIRCUIT_input, neg->n_operands = 0, neg->attr.index = 0;
            break;
        case 5:
            neg->op = CIRCUIT_table, neg->attr.index = 5;
            break;
        case 6:
            neg->op = CIRCUIT_instance, neg->attr.index = 0;
            break;
        case 7:
            top->in_ports.at[0].is_array = true, top->in_ports.at[0].n = 2;
            break;
        case 8:
            top->inputs.at[0] = 1;
            break;
        case 9:
            top->outputs.at[0].ref = CIRCUIT_NONE;
            break;
        case 10:
            top->name = "1t";
            break;
        case 11:
            input->type.bits = 65;
            break;
        case 12:
            neg->first_operand = 7;
            break;
        case 13:
            neg->type.frac = 5000;
            break;
        }
        DiagList diags = diag_init(arena);
        assert_false(circuit_verify(circuit, NULL, &diags));
        const char *said = diagnosed(arena, &diags);
        if (!strstr(said, messages[i]))
            fail_msg("expected '%s': %s", messages[i], said);
        arena_destroy(arena);
    }
}

static void all_breaches_are_reported_at_once(void **state)
{
    DiagList diags = diag_init(*state);
    const char *text = HEAD "  %2 = neg %0 : s4.1 [-4, 3.5]\n  %3 = neg %9 : s4.1 [-4, 3.5]\n  %4 = neg %3 : s4.1 [-4, 3.5]\n"
                            "  %5 = select %0, %0, %0 : s4.1 [-4, 3.5]\n" TAIL;
    assert_null(circuit_parse(*state, bytes_of(text), "t.circuit", &diags));
    assert_int_equal(diags.n_errors, 3); /* %4 only suffers from %3 */
}

/* Modules that call the one before twice would be 2^60 nodes in all; a chain of calls would be a deep stack. */
static void circuits_that_explode_are_refused(void **state)
{
    static const struct {
        uint32_t n_modules, n_calls;
        bool sound;
    } cases[] = {{60, 2, false}, {18, 2, true}, {1000, 1, false}, {200, 1, true}};
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        Arena *arena = arena_child(*state);
        Text text = text_init(arena);
        for (uint32_t m = 0; m < cases[i].n_modules; m++) {
            text_add(&text, "%s m%u(x: u1.0) -> ()\n%%0 = input x: u1.0 [0, 1]\n", m + 1 == cases[i].n_modules ? "circuit" : "module", m);
            for (uint32_t c = 0; m > 0 && c < cases[i].n_calls; c++)
                text_add(&text, "%%%u = call m%u(%%0)\n", c + 1, m - 1);
        }
        DiagList diags = diag_init(arena);
        Circuit *circuit = circuit_parse(arena, bytes_of(text.at), NULL, &diags);
        assert_int_equal(circuit != NULL, cases[i].sound);
        assert_int_equal(diags.n_errors > 0, !cases[i].sound);
        arena_destroy(arena);
    }
}

/* ---- latency ---- */

typedef struct Timed {
    const char *text, *message; /* NULL: sound */
    uint32_t latency;
} Timed;

/* clang-format off */
#define X "  %0 = input x : u4.0 [0, 15]\n"
#define OF(lines, out) "circuit t(x: u4.0) -> (y: u4.0)\n" X lines "  output y = %" out "\n"
#define D(n, a, k) "  %" n " = delay %" a ", " k " : u4.0 [0, 15]\n"
#define AND(n, a, b) "  %" n " = and %" a ", %" b " : u4.0 [0, 15]\n"
#define CONST(n) "  %" n " = const 7 : u4.0 [7, 7]\n"
#define STATE(n, a, e) "  %" n " = state %" a ", %" e " init 0 : u4.0 [0, 15]\n"
#define ONE(n) "  %" n " = const 1 : u1.0 [1, 1]\n"
#define PAIR                                                                                                                   \
    "module pair(a: u4.0, b: u4.0) -> (early: u4.0, late: u4.0, fixed: u4.0)\n  %0 = input a : u4.0 [0, 15]\n"                 \
    "  %1 = input b : u4.0 [0, 15]\n" AND("2", "0", "1") D("3", "2", "2") "  %4 = const 7 : u4.0 [7, 7]\n"                       \
    "  output early = %2\n  output late = %3\n  output fixed = %4\n"
#define OUT(n, call, name) "  %" n " = out %" call " " name " : u4.0 [0, 15]\n"

static const Timed timed[] = {
    { OF("", "0"), NULL, 0 },
    { OF(D("1", "0", "3"), "1"), NULL, 3 },
    { OF(D("1", "0", "3") AND("2", "0", "0") D("3", "2", "3") AND("4", "1", "3"), "4"), NULL, 3 },
    { OF(D("1", "0", "3") AND("2", "0", "1"), "2"), "values of different events meet: 3 and 0 registers", 0 },
    { OF(CONST("1") D("2", "0", "1") AND("3", "1", "2") AND("4", "0", "1"), "3"), NULL, 1 },
    { OF(CONST("1") D("2", "1", "1") AND("3", "0", "2"), "3"), "a constant comes later than the first event: 1 and 0", 0 },
    { OF(CONST("1") D("2", "1", "1") D("3", "0", "1") AND("4", "2", "3"), "4"), NULL, 1 },
    { OF(CONST("1"), "1"), NULL, 0 },
    { OF(CONST("1") D("2", "1", "4"), "2"), NULL, 4 },
    /* a state is on one stage with what feeds it */
    { OF(ONE("1") STATE("2", "3", "1") AND("3", "2", "0"), "3"), NULL, 0 },
    { OF(ONE("1") STATE("2", "4", "1") D("3", "0", "2") AND("4", "2", "3"), "4"), NULL, 2 },
    { OF(ONE("1") STATE("2", "3", "1") D("3", "0", "2") AND("4", "2", "0"), "4"), "values of different events meet", 0 },
    { OF(ONE("1") STATE("2", "3", "1") D("3", "2", "1"), "3"), "values of different events meet: 1 and 0", 0 },
    { OF(ONE("1") STATE("2", "0", "1") D("3", "2", "2"), "3"), NULL, 2 },
    { OF(ONE("1") STATE("2", "2", "1") D("3", "2", "2") AND("4", "0", "3"), "4"), "stands before the inputs: -2 and 0", 0 },
    { OF(ONE("1") STATE("2", "2", "1") D("3", "2", "2"), "3"), NULL, 2 },
    { OF(ONE("1") STATE("2", "2", "1") STATE("3", "3", "1") D("4", "3", "3") AND("5", "2", "4"), "5"), NULL, 3 },
    /* outputs of a module have stages of their own */
    { PAIR OF("  %1 = call pair(%0, %0)\n" OUT("2", "1", "early") OUT("3", "1", "late") D("4", "2", "2") AND("5", "3", "4"),
      "5"), NULL, 2 },
    { PAIR OF("  %1 = call pair(%0, %0)\n" OUT("2", "1", "early") OUT("3", "1", "late") AND("4", "2", "3"), "4"),
      "values of different events meet", 0 },
    { PAIR OF("  %1 = call pair(%0, %0)\n" OUT("2", "1", "fixed") OUT("3", "1", "late") AND("4", "2", "3"), "4"), NULL, 2 },
    { PAIR OF(D("1", "0", "1") "  %2 = call pair(%0, %1)\n" OUT("3", "2", "late"), "3"), "values of different events meet: 1 and 0", 0 },
    { PAIR OF(D("1", "0", "1") "  %2 = call pair(%1, %1)\n" OUT("3", "2", "late"), "3"), NULL, 3 },
    { PAIR OF(CONST("1") "  %2 = call pair(%1, %1)\n" OUT("3", "2", "late") AND("4", "3", "0"), "4"),
      "a constant comes later than the first event: 2 and 0", 0 },
    { "circuit t(x: u4.0) -> (y: u4.0, z: u4.0)\n" X D("1", "0", "2") "  output y = %0\n  output z = %1\n",
      "outputs come behind different numbers", 0 },
    { "circuit t(x: u4.0) -> (y: u4.0, z: u4.0)\n" X CONST("1") D("2", "1", "2") "  output y = %0\n  output z = %2\n",
      "a constant output comes after 2", 0 },
};
/* clang-format on */

static void latency_is_counted(void **state)
{
    for (uint32_t i = 0; i < COUNT_OF(timed); i++) {
        Arena *arena = arena_child(*state);
        DiagList diags = diag_init(arena);
        uint32_t latency = 99;
        bool sound = circuit_check_latency(parsed(arena, timed[i].text), &latency, &diags);
        const char *said = diagnosed(arena, &diags);
        if (!timed[i].message && (!sound || latency != timed[i].latency))
            fail_msg("%s\nlatency %u, not %u\n%s", timed[i].text, latency, timed[i].latency, said);
        if (timed[i].message && (sound || !strstr(said, timed[i].message)))
            fail_msg("%s\nexpected '%s'\n%s", timed[i].text, timed[i].message, said);
        arena_destroy(arena);
    }
}

/* ---- executors ---- */

static void fill_event(Rng *rng, const CircuitModule *top, i128 *in)
{
    for (uint32_t i = 0; i < top->inputs.n; i++) {
        Interval range = circuit_node(top, top->inputs.at[i])->range;
        uint32_t zeros = interval_is_point(range) ? 0 : range.zeros;
        in[i] = range.lo + (i128)(((u128)rng_u64(rng) % (((u128)(range.hi - range.lo) >> zeros) + 1)) << zeros);
    }
}

/* Every value is where its range says. */
static void check_values(const CircuitModule *module, const i128 *value)
{
    for (uint32_t i = 0; i < module->nodes.n; i++) {
        const CircuitNode *node = circuit_node(module, i);
        if (node->op != CIRCUIT_instance) {
            assert_true(interval_has(node->range, value[i]));
            assert_true(interval_is_point(node->range) || (value[i] & (((i128)1 << node->range.zeros) - 1)) == 0);
        }
    }
}

static void events_and_clocks_agree(void **state)
{
    enum { EVENTS = 24 };
    uint64_t seed = seed_of_run();
    uint32_t deepest = 0;
    for (uint32_t i = 0; i < 300; i++) {
        Arena *arena = arena_child(*state);
        Rng rng = {seed + i};
        CircuitRandomOptions options = options_of(i);
        const Circuit *circuit = circuit_random(arena, &rng, &options);
        const CircuitModule *top = circuit_top(circuit);
        uint32_t n_in = top->inputs.n, n_out = top->outputs.n, latency = circuit->latency_cycles;
        deepest = u32_max(deepest, latency);
        CircuitExecutor *by_event = circuit_executor_create(arena, circuit, CIRCUIT_BY_EVENT);
        CircuitExecutor *by_clock = circuit_executor_create(arena, circuit, CIRCUIT_BY_CLOCK);
        i128 *in = arena_array(arena, i128, n_in), *out = arena_array(arena, i128, n_out);
        i128 *expected = arena_array(arena, i128, EVENTS * n_out);
        uint64_t allocations = arena_memory(arena)->allocations;
        for (uint32_t turn = 0; turn < 2; turn++) { /* twice: reset makes the executors new */
            circuit_executor_reset(by_event);
            circuit_executor_reset(by_clock);
            for (uint32_t clock = 0; clock < EVENTS + latency; clock++) {
                fill_event(&rng, top, in);
                if (clock < EVENTS) {
                    circuit_executor_run(by_event, in, expected + clock * n_out);
                    check_values(top, circuit_executor_values(by_event));
                }
                circuit_executor_run(by_clock, in, out);
                if (clock >= latency && n_out && memcmp(out, expected + (clock - latency) * n_out, n_out * sizeof(i128)) != 0)
                    fail_msg("KAON_SEED=%#llx: circuit %u, clock %u, latency %u\n%s", (unsigned long long)seed, i, clock, latency,
                             printed(arena, circuit));
            }
        }
        assert_int_equal(arena_memory(arena)->allocations, allocations);
        arena_destroy(arena);
    }
    assert_true(deepest > 5); /* pipelines were there to compare */
}

/* acc += x where go, two instances beside each other; z = (a * b) two clocks later */
static const char pipeline[] = "module acc(x: u4.0, go: u1.0) -> (sum: u4.0)\n"
                               "  %0 = input x : u4.0 [0, 15]\n  %1 = input go : u1.0 [0, 1]\n"
                               "  %2 = state %3, %1 init 5 : u4.0 [0, 15]\n  %3 = add wrap %2, %0 : u4.0 [0, 15]\n  output sum = %2\n"
                               "circuit top(x: u4.0, go: u1.0) -> (p: u8.0) latency=2 ii=1\n"
                               "  %0 = input x : u4.0 [0, 15]\n  %1 = input go : u1.0 [0, 1]\n"
                               "  %2 = call acc(%0, %1)\n  %3 = out %2 sum : u4.0 [0, 15]\n  %4 = not %0 : u4.0 [0, 15]\n"
                               "  %5 = call acc(%4, %1)\n  %6 = out %5 sum : u4.0 [0, 15]\n  %7 = delay %3, 1 : u4.0 [0, 15]\n"
                               "  %8 = delay %6, 1 : u4.0 [0, 15]\n  %9 = mul %7, %8 : u8.0 [0, 225]\n  %10 = delay %9, 1 : u8.0 [0, 225]\n"
                               "  output p = %10\n";

static void a_pipeline_by_hand(void **state)
{
    /* sums before each event: 5, 5+3=8, 8 (held), 8+9=17=1;  5, 5+12=17=1, 1 (held), 1+6=7 */
    static const i128 in[][2] = {{3, 1}, {4, 0}, {9, 1}, {0, 1}};
    static const i128 by_event[] = {25, 8, 8, 7}, by_clock[] = {0, 0, 25, 8, 8, 7};
    Circuit *circuit = parsed(*state, pipeline);
    CircuitExecutor *executor = circuit_executor_create(*state, circuit, CIRCUIT_BY_EVENT);
    i128 out;
    for (uint32_t i = 0; i < 4; i++) {
        circuit_executor_run(executor, in[i], &out);
        assert_true(out == by_event[i]);
    }
    executor = circuit_executor_create(*state, circuit, CIRCUIT_BY_CLOCK);
    for (uint32_t i = 0; i < 6; i++) {
        circuit_executor_run(executor, in[i < 4 ? i : 3], &out);
        assert_true(out == by_clock[i]);
    }
}

/* ---- ranges ---- */

static void inferred_ranges_are_sound_and_no_weaker(void **state)
{
    uint64_t seed = seed_of_run();
    for (uint32_t i = 0; i < 200; i++) {
        Arena *arena = arena_child(*state);
        CircuitRandomOptions options = options_of(i);
        Rng rng = {seed + i}, same = rng;
        Circuit *before = circuit_random(arena, &rng, &options), *after = circuit_random(arena, &same, &options);
        circuit_infer_ranges(after);
        DiagList diags = diag_init(arena);
        if (!circuit_verify(after, NULL, &diags))
            fail_msg("KAON_SEED=%#llx: %s\n%s", (unsigned long long)seed, printed(arena, after), diagnosed(arena, &diags));
        for (uint32_t m = 0; m < before->modules.n; m++)
            for (uint32_t j = 0; j < before->modules.at[m]->nodes.n; j++)
                assert_true(interval_within(after->modules.at[m]->nodes.at[j].range, before->modules.at[m]->nodes.at[j].range));
        arena_destroy(arena);
    }
}

/* The range of every lookup between two addresses, of a table that is more than one block. */
static void table_ranges_are_exact(void **state)
{
    enum { BITS = 8, N = 1 << BITS };
    Arena *arena = *state;
    Rng rng = {seed_of_run()};
    Circuit *circuit = circuit_create(arena);
    CircuitModule *top = circuit_add_module(circuit, "top");
    i128 entry[N];
    for (uint32_t i = 0; i < N; i++)
        entry[i] = rng_between(&rng, -500, 500) * (rng_chance(&rng, 2) ? 4 : 2);
    uint32_t table = circuit_add_table(circuit, "lut", (FixedType){.is_signed = true, .bits = 12}, BITS, entry);
    for (uint32_t is_signed = 0; is_signed < 2; is_signed++) {
        FixedType type = {.is_signed = is_signed, .bits = BITS};
        circuit_add_input_port(top, is_signed ? "s" : "u", false, 1, &type, NULL);
        CircuitBuilder b = {.module = top};
        CircuitRef lookup = circuit_lookup(&b, top->inputs.at[is_signed], table);
        for (uint32_t turn = 0; turn < 3000; turn++) {
            i128 lo = rng_between(&rng, (int32_t)fixed_min(type), (int32_t)fixed_max(type));
            i128 hi = rng_between(&rng, (int32_t)lo, (int32_t)fixed_max(type));
            circuit_node(top, top->inputs.at[is_signed])->range = interval_of(lo, hi);
            Interval expected = interval_point(entry[lo & (N - 1)]), found;
            for (i128 i = lo; i <= hi; i++)
                expected = interval_join(expected, interval_point(entry[i & (N - 1)]));
            int32_t frac;
            assert_true(circuit_exact_range(top, circuit_node(top, lookup), &found, &frac));
            assert_true(interval_equal(found, expected));
        }
    }
}

/* ---- builder ---- */

static void assert_node(const CircuitModule *module, CircuitRef ref, const char *type, i128 lo, i128 hi, uint32_t zeros)
{
    const CircuitNode *node = circuit_node(module, ref);
    const char *found = fixed_text(module->circuit->arena, node->type);
    assert_string_equal(found, type);
    assert_true(node->range.lo == lo && node->range.hi == hi && node->range.zeros == zeros && !node->wrap);
}

static void builder_finds_tightest_types(void **state)
{
    Circuit *circuit = circuit_create(*state);
    CircuitModule *top = circuit_add_module(circuit, "top");
    FixedType types[] = {{true, 4, 2}, {false, 3, 0}};
    circuit_add_input_port(top, "x", true, 2, types, NULL); /* -2 .. 1.75 by 1/4, 0 .. 7 */
    CircuitBuilder b = {.module = top, .layer = circuit_add_layer(circuit, "dense"), .element = 7};
    CircuitRef x = top->inputs.at[0], y = top->inputs.at[1];
    assert_node(top, circuit_constant(&b, 0, 5), "u1.0", 0, 0, 127);
    assert_node(top, circuit_constant(&b, 12, 3), "u2.1", 3, 3, 0);
    assert_node(top, circuit_constant(&b, -4, 0), "s1.-2", -1, -1, 0);
    assert_node(top, circuit_add(&b, x, y, 0), "s7.2", -8, 35, 0);
    assert_node(top, circuit_add(&b, x, y, 3), "s9.2", -8, 231, 0);
    assert_node(top, circuit_sub(&b, y, y, 1), "s5.0", -14, 7, 0);
    assert_node(top, circuit_add(&b, circuit_constant(&b, 3, 1), circuit_constant(&b, 1, 1), 0), "u1.-1", 1, 1, 0);
    assert_node(top, circuit_negate(&b, x), "s5.2", -7, 8, 0);
    assert_node(top, circuit_shift(&b, x, 3), "s4.-1", -8, 7, 0);
    assert_node(top, circuit_multiply(&b, x, y), "s7.2", -56, 49, 0);
    CircuitRef twelve = circuit_constant(&b, 12, 0);
    assert_node(top, twelve, "u2.-2", 3, 3, 0);
    assert_node(top, circuit_multiply(&b, y, twelve), "u5.-2", 0, 21, 0);
    assert_node(top, circuit_max(&b, x, circuit_constant(&b, 0, 0)), "u3.2", 0, 7, 0);
    assert_node(top, circuit_min(&b, x, y), "s4.2", -8, 7, 0);
    assert_node(top, circuit_compare(&b, CIRCUIT_less, y, x), "u1.0", 0, 1, 0);
    assert_node(top, circuit_compare(&b, CIRCUIT_less, twelve, x), "u1.0", 0, 0, 127);
    CircuitRef c = circuit_compare(&b, CIRCUIT_equal, x, y);
    assert_node(top, circuit_select(&b, c, y, twelve), "u4.0", 0, 12, 0);
    assert_node(top, circuit_slice(&b, x, 3, 2), "u2.0", 0, 3, 0);
    assert_node(top, circuit_concat(&b, (CircuitRef[]){y, x}, 2), "u7.0", 0, 127, 0);
    assert_node(top, circuit_bitwise(&b, CIRCUIT_and, x, x), "s4.2", -8, 7, 0);
    assert_node(top, circuit_not(&b, y), "u3.0", 0, 7, 0);
    assert_node(top, circuit_quantise(&b, x, &(Quantiser){.type = {true, 8, 1}, .rounding = ROUND_RND, .overflow = OVERFLOW_SAT}), "s8.1",
                -4, 4, 0);
    assert_node(top, circuit_quantise(&b, x, &(Quantiser){.type = {true, 0, 1}}), "u1.0", 0, 0, 127);
    assert_int_equal(circuit_delay(&b, x, 0), x);
    assert_int_equal(vec_last(&top->nodes)->element, 7);
    circuit_add_output_port(top, "y", false, 1, &c);
    DiagList diags = diag_init(*state);
    assert_true(circuit_verify(circuit, NULL, &diags));
    assert_false(circuit->width_error.any);
    assert_string_equal(circuit_port_value_name(*state, top->in_ports.at, top->in_ports.n, 1), "x[1]");
    assert_string_equal(circuit_port_value_name(*state, top->out_ports.at, top->out_ports.n, 0), "y");
}

static void builder_notes_the_first_width_error(void **state)
{
    Circuit *circuit = circuit_create(*state);
    CircuitModule *top = circuit_add_module(circuit, "top");
    FixedType types[] = {{true, 40, 0}, {false, 64, 0}, {false, 1, 200}};
    circuit_add_input_port(top, "x", true, 3, types, NULL);
    CircuitBuilder b = {.module = top, .layer = circuit_add_layer(circuit, "dense"), .element = 7};
    assert_int_equal(circuit_node(top, circuit_add(&b, 0, 0, 20))->type.bits, 61);
    assert_false(circuit->width_error.any);
    CircuitRef wide = circuit_multiply(&b, 0, 0); /* (2^39)^2 = 2^78: drawn from [-2^39, 2^39-1]^2: 80 bits signed */
    assert_true(circuit->width_error.any);
    assert_int_equal(circuit->width_error.bits, 80);
    assert_int_equal(circuit->width_error.layer, b.layer);
    assert_int_equal(circuit->width_error.element, 7);
    assert_int_equal(circuit_node(top, wide)->type.bits, 64);
    assert_true(circuit_node(top, wide)->wrap);
    circuit_multiply(&b, 1, 1);
    CircuitRef sum = circuit_add(&b, 1, 2, 0); /* cannot even be aligned */
    CircuitRef less = circuit_compare(&b, CIRCUIT_less, 1, 2);
    assert_int_equal(circuit->width_error.bits, 80);
    circuit_add_output_port(top, "y", true, 2, (CircuitRef[]){wide, sum});
    DiagList diags = diag_init(*state);
    assert_false(circuit_verify(circuit, NULL, &diags)); /* the compare alone is left unsound */
    assert_int_equal(diags.n_errors, 1);
    (void)less;
}

static void tables_and_layers_are_found_again(void **state)
{
    Circuit *circuit = circuit_create(*state);
    static const i128 a[] = {0, 1}, b[] = {1, 0};
    FixedType bit = {.bits = 1};
    assert_int_equal(circuit_add_table(circuit, "lut", bit, 1, a), 0);
    assert_int_equal(circuit_add_table(circuit, "lut", bit, 1, b), 1);
    assert_int_equal(circuit_add_table(circuit, "other", bit, 1, a), 0);
    assert_string_not_equal(circuit->tables.at[0].name, circuit->tables.at[1].name);
    assert_int_equal(circuit_add_layer(circuit, ""), 0);
    assert_int_equal(circuit_add_layer(circuit, "dense"), 1);
    assert_int_equal(circuit_add_layer(circuit, "relu"), 2);
    assert_int_equal(circuit_add_layer(circuit, "dense"), 1);
}

/* ---- hostile text ---- */

/* A few edits: a byte changed, a stretch dropped or copied elsewhere. */
static Bytes mutated(Arena *arena, Rng *rng, const char *text)
{
    static const char likely[] = "0123456789%:,.[]{}()<>=-/ \n\"suxwrap";
    size_t n = strlen(text);
    char *copy = arena_alloc(arena, 2 * n + 64, 1);
    memcpy(copy, text, n);
    for (uint32_t edits = 1 + rng_below(rng, 3); edits > 0 && n > 16; edits--) {
        size_t at = rng_below(rng, (uint32_t)n - 8), length = 1 + rng_below(rng, 8);
        uint32_t kind = rng_below(rng, 4);
        if (kind < 2) {
            copy[at] = kind ? likely[rng_below(rng, sizeof likely - 1)] : (char)rng_u64(rng);
        } else if (kind == 2) {
            memmove(copy + at, copy + at + length, n - at - length);
            n -= length;
        } else {
            memmove(copy + at + length, copy + at, n - at);
            n += length;
        }
    }
    copy[n] = 0;
    return (Bytes){(const uint8_t *)copy, n};
}

static void damaged_text_is_refused_or_sound(void **state)
{
    uint64_t seed = seed_of_run();
    uint32_t taken = 0;
    for (uint32_t i = 0; i < 3000; i++) {
        Arena *arena = arena_child(*state);
        Rng rng = {seed + i};
        CircuitRandomOptions options = {.n_nodes = 15, .n_modules = i % 2, .delays = i % 3, .states = i % 5 == 0, .max_bits = 12};
        const char *text = i % 4 ? printed(arena, circuit_random(arena, &rng, &options)) : all_forms;
        DiagList diags = diag_init(arena);
        Circuit *circuit = circuit_parse(arena, mutated(arena, &rng, text), "t.circuit", &diags);
        assert_int_equal(circuit == NULL, diag_failed(&diags));
        if (circuit) {
            taken++;
            const char *again = printed(arena, circuit);
            if (!circuit_equal(parsed(arena, again), circuit))
                fail_msg("KAON_SEED=%#llx: %u\n%s", (unsigned long long)seed, i, again);
            const CircuitModule *top = circuit_top(circuit);
            i128 *in = arena_array(arena, i128, top->inputs.n), *out = arena_array(arena, i128, top->outputs.n);
            fill_event(&rng, top, in);
            circuit_executor_run(circuit_executor_create(arena, circuit, CIRCUIT_BY_EVENT), in, out);
        }
        arena_destroy(arena);
    }
    assert_in_range(taken, 50, 2500); /* both ends of the property were met */
}

typedef struct Job {
    Arena *arena;
    DiagList diags;
    Circuit *circuit;
} Job;

static void parse_job(void *context)
{
    Job *job = context;
    job->diags = diag_init(job->arena);
    job->circuit = circuit_parse(job->arena, bytes_of(all_forms), "t.circuit", &job->diags);
    circuit_executor_create(job->arena, job->circuit, CIRCUIT_BY_CLOCK);
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    uint64_t n = 1;
    for (bool done = false; !done; n++) {
        Memory memory = {.fail_at = n};
        Job job = {.arena = arena_create(&memory)};
        done = job.arena && arena_run(job.arena, parse_job, &job);
        arena_destroy(job.arena);
        assert_int_equal(memory.used_bytes, 0);
    }
    assert_true(n > 50);
}

int main(void)
{
    print_message("KAON_SEED=%#llx\n", (unsigned long long)seed_of_run());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(op_names_are_read_back, setup, teardown),
        cmocka_unit_test_setup_teardown(canonical_text_is_printed_as_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(blanks_and_comments_do_not_matter, setup, teardown),
        cmocka_unit_test_setup_teardown(large_fractions_survive, setup, teardown),
        cmocka_unit_test_setup_teardown(random_circuits_are_sound_and_read_back, setup, teardown),
        cmocka_unit_test_setup_teardown(flat_circuits_run_as_before, setup, teardown),
        cmocka_unit_test_setup_teardown(random_circuits_reach_every_mode, setup, teardown),
        cmocka_unit_test_setup_teardown(equal_sees_every_difference, setup, teardown),
        cmocka_unit_test_setup_teardown(each_breach_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(each_breach_in_memory_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(all_breaches_are_reported_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(circuits_that_explode_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(latency_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(events_and_clocks_agree, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pipeline_by_hand, setup, teardown),
        cmocka_unit_test_setup_teardown(inferred_ranges_are_sound_and_no_weaker, setup, teardown),
        cmocka_unit_test_setup_teardown(table_ranges_are_exact, setup, teardown),
        cmocka_unit_test_setup_teardown(builder_finds_tightest_types, setup, teardown),
        cmocka_unit_test_setup_teardown(builder_notes_the_first_width_error, setup, teardown),
        cmocka_unit_test_setup_teardown(tables_and_layers_are_found_again, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_text_is_refused_or_sound, setup, teardown),
        cmocka_unit_test_setup_teardown(any_allocation_may_fail, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
