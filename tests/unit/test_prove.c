/* tests/unit/test_prove.c: the bits that proofs are asked on against the evaluators, and that what is false is never shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "prove/inside.h"

static int set_up(void **state)
{
    *state = arena_create(NULL);
    return 0;
}

static int tear_down(void **state)
{
    arena_destroy(*state);
    return 0;
}

static FixedType type_in(const char *line)
{
    FixedType type;
    const char *at = strstr(line, " : ");
    char text[16] = "";
    assert_non_null(at);
    memcpy(text, at + 3, strcspn(at + 3, "\n"));
    assert_true(fixed_parse(text, &type));
    return type;
}

/* "%4 = add wrap %1, %2 << 3 : s6.1": types and ranges are the builder's where none is written */
static CircuitRef build_line(CircuitBuilder *b, const char *line)
{
    char name[16] = "";
    CircuitOp op;
    int64_t v[3] = {0};
    uint32_t n = 0;
    const char *at = strchr(line, '=') + 2;
    memcpy(name, at, strcspn(at, " \n"));
    assert_true(circuit_op_parse(name, &op));
    for (at += strlen(name); n < 3 && *at != '\n' && strncmp(at, " : ", 3) != 0; at++)
        if ((*at >= '0' && *at <= '9') || (*at == '-' && at[1] >= '0' && at[1] <= '9')) {
            char *end;
            v[n++] = strtol(at, &end, 10);
            at = end - 1;
        }
    CircuitRef x = (CircuitRef)v[0], y = (CircuitRef)v[1];
    CircuitRef out = CIRCUIT_NONE;
    if (op == CIRCUIT_constant)
        out = circuit_constant(b, v[0], 0);
    else if (op == CIRCUIT_quantise)
        out = circuit_quantise(b, x,
                               &(Quantiser){type_in(line),
                                            strstr(line, "rnd_conv") ? ROUND_RND_CONV
                                            : strstr(line, "rnd")    ? ROUND_RND
                                                                     : ROUND_TRN,
                                            strstr(line, " sat ") ? OVERFLOW_SAT : OVERFLOW_WRAP, 0});
    else if (op == CIRCUIT_add || op == CIRCUIT_sub)
        out = (op == CIRCUIT_add ? circuit_add : circuit_sub)(b, x, y, (int32_t)v[2]);
    else if (op == CIRCUIT_multiply)
        out = circuit_multiply(b, x, y);
    else if (op == CIRCUIT_max)
        out = circuit_max(b, x, y);
    else if (op == CIRCUIT_shift)
        out = circuit_shift(b, x, (int32_t)v[1]);
    else if (op == CIRCUIT_equal)
        out = circuit_compare(b, op, x, y);
    else if (op == CIRCUIT_and)
        out = circuit_bitwise(b, op, x, y);
    else if (op == CIRCUIT_not)
        out = circuit_not(b, x);
    else if (op == CIRCUIT_delay)
        out = circuit_delay(b, x, (uint32_t)v[1]);
    assert_int_not_equal(out, CIRCUIT_NONE);
    CircuitNode *node = circuit_node(b->module, out);
    if (strstr(name, "quant") == NULL && strstr(at, " : ") == at) {
        node->type = type_in(line);
        node->range = interval_of_type(node->type);
        node->wrap = true;
    }
    return out;
}

/* "x0 s5.1, x1 s5.1 -> %9", then a line a wire, numbered from behind the inputs */
static Circuit *parse(Arena *arena, const char *text)
{
    Circuit *circuit = circuit_create(arena);
    CircuitBuilder b = {.module = circuit_add_module(circuit, "t")};
    FixedType type;
    char *head = arena_strndup(arena, text, strcspn(text, "\n"));
    uint32_t latency = strstr(head, "latency") != NULL;
    CircuitRef out = (CircuitRef)strtoul(strchr(head, '%') + 1, NULL, 10);
    for (char *word = strtok(head, " ,"); strcmp(word, "->") != 0; word = strtok(NULL, " ,")) {
        assert_true(fixed_parse(word, &type));
        circuit_add_input_port(b.module, fmt(arena, "x%u", b.module->inputs.n), false, 1, &type, NULL);
    }
    for (const char *line = strchr(text, '\n') + 1; *line != '\0'; line = strchr(line, '\n') + 1)
        assert_int_equal(build_line(&b, arena_strndup(arena, line, strcspn(line, "\n") + 1)), strtoul(line + 1, NULL, 10));
    circuit_add_output_port(b.module, "z", false, 1, &out);
    circuit->latency_cycles = latency;
    return circuit;
}

/* ---- BLIF, 64 events at once: gates stand in the order in which they are written ---- */

typedef struct Blif {
    Map names;
    VEC(uint64_t) value;
} Blif;

static uint64_t *value_of(Arena *arena, Blif *b, const char *name)
{
    uint32_t i = map_get(&b->names, name);
    if (i == MAP_NONE) {
        map_put(&b->names, name, i = b->value.n);
        vec_push(arena, &b->value, 0);
    }
    return &b->value.at[i];
}

static void put_cube(Arena *arena, Blif *b, char **in, uint32_t n, const char *out, const char *cube)
{
    uint64_t product = ~0ull;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t v = *value_of(arena, b, in[i]);
        product &= cube[i] == '1' ? v : cube[i] == '0' ? ~v : ~0ull;
    }
    *value_of(arena, b, out) |= product;
}

/* Inputs' values are set by i<k>; outputs' read by o<k>. */
static void run_blif(Arena *arena, Blif *b, const char *text)
{
    char *copy = arena_strdup(arena, text), *end, *words[8], *out = NULL;
    uint32_t n = 0;
    for (char *line = copy; *line != '\0'; line = end + 1) {
        end = line + strcspn(line, "\n");
        *end = '\0';
        if (strncmp(line, ".names", 6) == 0) {
            n = 0;
            for (char *word = strtok(line + 6, " "); word != NULL; word = strtok(NULL, " "))
                words[n++] = word;
            out = words[--n];
            *value_of(arena, b, out) = 0;
        } else if (line[0] != '.') {
            put_cube(arena, b, words, n, out, line);
        }
    }
}

static void set_bits(Arena *arena, Blif *b, const CircuitModule *top, const i128 *in, uint32_t event)
{
    uint32_t bit = 0;
    for (uint32_t i = 0; i < top->inputs.n; i++)
        for (uint32_t k = 0; k < circuit_node(top, top->inputs.at[i])->type.bits; k++) {
            uint64_t *value = value_of(arena, b, fmt(arena, "i%u", bit++));
            *value = (*value & ~(1ull << event)) | (uint64_t)(in[i] >> k & 1) << event;
        }
}

static void expect_bits(Arena *arena, Blif *b, const CircuitModule *top, const i128 *out, uint32_t event, const char *what)
{
    uint32_t bit = 0;
    for (uint32_t i = 0; i < top->outputs.n; i++)
        for (uint32_t k = 0; k < circuit_node(top, top->outputs.at[i].ref)->type.bits; k++)
            if ((*value_of(arena, b, fmt(arena, "o%u", bit++)) >> event & 1) != (uint64_t)(out[i] >> k & 1))
                fail_msg("%s: output %u, bit %u", what, i, k);
}

static void expect_same(Arena *arena, const Circuit *circuit, const i128 *const *events, uint32_t n, const char *what)
{
    const char *why;
    uint32_t n_gates;
    Circuit *flat = prove_flatten(arena, circuit, &why);
    Text text = text_init(arena);
    assert_non_null(flat);
    if (!gates_put_circuit(arena, flat, 0, &text, &n_gates, &why)) {
        print_message("%s: %s\n", what, why);
        return;
    }
    const CircuitModule *top = circuit_top(flat);
    CircuitExecutor *executor = circuit_executor_create(arena, circuit, CIRCUIT_BY_EVENT);
    i128 *out = arena_array(arena, i128, (size_t)n * top->outputs.n);
    Blif b = {.names = map_init(arena)};
    for (uint32_t k = 0; k < n; k++) {
        set_bits(arena, &b, top, events[k], k);
        circuit_executor_run(executor, events[k], out + (size_t)k * top->outputs.n);
    }
    run_blif(arena, &b, text.at);
    for (uint32_t k = 0; k < n; k++)
        expect_bits(arena, &b, top, out + (size_t)k * top->outputs.n, k, what);
}

static i128 random_value(Rng *rng, Interval r)
{
    if (rng_chance(rng, 4))
        return rng_chance(rng, 2) ? r.lo : r.hi;
    u128 steps = r.lo == r.hi ? 0 : (u128)(r.hi - r.lo) >> r.zeros;
    return r.lo == r.hi ? r.lo : r.lo + (i128)((rng_u64(rng) % ((uint64_t)steps + 1 == 0 ? UINT64_MAX : (uint64_t)steps + 1)) << r.zeros);
}

static void gates_are_what_the_evaluators_say(void **state)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        Arena *arena = arena_child(*state);
        Rng rng = {seed};
        CircuitRandomOptions options = {
            .n_nodes = 25, .n_modules = (uint32_t)(seed % 3), .delays = seed % 2, .max_bits = 1 + (uint32_t)(seed % 16)};
        Circuit *circuit = circuit_random(arena, &rng, &options);
        const CircuitModule *top = circuit_top(circuit);
        const i128 *events[64];
        for (uint32_t k = 0; k < COUNT_OF(events); k++) {
            i128 *in = arena_array(arena, i128, top->inputs.n);
            for (uint32_t i = 0; i < top->inputs.n; i++)
                in[i] = random_value(&rng, circuit_node(top, top->inputs.at[i])->range);
            events[k] = in;
        }
        expect_same(arena, circuit, events, COUNT_OF(events), fmt(arena, "seed %llu", (unsigned long long)seed));
        arena_destroy(arena);
    }
}

/* Every mode, every small target, every value of 6 bits. */
static void assignments_are_their_definition(void **state)
{
    static const FixedType TYPES[] = {{true, 1, 1}, {false, 1, 0}, {true, 3, 0}, {false, 3, 1}, {true, 4, 4}, {false, 2, -1}, {true, 9, 5}};
    for (int mode = 0; mode < ROUNDING_COUNT * OVERFLOW_COUNT; mode++)
        for (uint32_t t = 0; t < COUNT_OF(TYPES); t++)
            for (uint32_t is_signed = 0; is_signed < 2; is_signed++) {
                Arena *arena = arena_child(*state);
                FixedType from = {is_signed, 6, 2};
                Quantiser q = {TYPES[t], (Rounding)(mode % ROUNDING_COUNT), (Overflow)(mode / ROUNDING_COUNT), 0};
                if (q.overflow == OVERFLOW_WRAP && TYPES[t].bits > 2)
                    q.saturated_bits = (uint8_t)(t % 3);
                Circuit *circuit = circuit_create(arena);
                CircuitBuilder b = {.module = circuit_add_module(circuit, "t")};
                circuit_add_input_port(b.module, "x", false, 1, &from, NULL);
                CircuitRef y = circuit_quantise(&b, b.module->inputs.at[0], &q);
                circuit_add_output_port(b.module, "y", false, 1, &y);
                i128 value[64];
                const i128 *events[64];
                for (uint32_t k = 0; k < COUNT_OF(events); k++) {
                    value[k] = fixed_min(from) + (i128)k;
                    events[k] = &value[k];
                }
                expect_same(arena, circuit, events, COUNT_OF(events), quantiser_text(arena, &q));
                arena_destroy(arena);
            }
}

/* ---- cones ---- */

static ProveCones prove(Arena *arena, const char *model, const char *design, bool abc, DiagList *diags)
{
    ProveOptions options = prove_options_default(arena);
    options.abc = options.abc && abc;
    options.exhaustive_log2 = abc ? 4 : 16;
    *diags = diag_init(arena);
    return prove_cones(arena, parse(arena, model), parse(arena, design), &options, diags);
}

static void expect(Arena *arena, const char *model, const char *design, ProveVerdict verdict)
{
    DiagList diags;
    for (uint32_t abc = 0; abc < 2; abc++) {
        if (abc && path_of_program(arena, "berkeley-abc") == NULL)
            continue;
        ProveCones cones = prove(arena, model, design, abc, &diags);
        if (cones.verdict != verdict) {
            Text text = text_init(arena);
            diag_print(&text, &diags);
            fail_msg("%s instead of %s (ABC %u)\n%s\n%s", prove_verdict_text(cones.verdict), prove_verdict_text(verdict), abc, design,
                     text.at);
        }
        assert_int_equal(diag_failed(&diags), verdict != PROVE_SHOWN);
    }
}

/* 3 x0 - 5 x1, rounded and saturated, doubled less itself */
static const char MODEL[] =
    "s5.1, s5.1 -> %10\n"
    "%2 = const 3\n%3 = const -5\n%4 = mul %0, %2\n%5 = mul %1, %3\n%6 = add %4, %5\n%7 = const 0\n%8 = max %6, %7\n"
    "%9 = quant %8 rnd_conv sat : u5.0\n%10 = quant %9 trn wrap : s6.1\n";

static void adders_of_any_shape_are_shown(void **state)
{
    /* 4 (x0 - x1) - x0 - x1 */
    expect(*state, MODEL,
           "s5.1, s5.1 -> %9\n"
           "%2 = sub %0, %1\n%3 = add %0, %1\n%4 = sub %2, %3 << -2\n%5 = shift %4 << 2\n%6 = const 0\n%7 = max %5, %6\n"
           "%8 = quant %7 rnd_conv sat : u5.0\n%9 = quant %8 trn wrap : s6.1\n",
           PROVE_SHOWN);
    /* another model: a wire that wraps holds as much as its reader keeps */
    const char *wide = "s5.1, s5.1 -> %5\n"
                       "%2 = const 3\n%3 = mul %0, %2\n%4 = add %3, %1 << 3\n%5 = quant %4 trn wrap : s6.1\n";
    expect(*state, wide,
           "s5.1, s5.1 -> %3\n"
           "%2 = add wrap %0, %0 << 1 : s6.1\n%3 = add wrap %2, %1 << 3 : s6.1\n",
           PROVE_SHOWN);
    expect(*state, wide,
           "s5.1, s5.1 -> %5\n"
           "%2 = sub wrap %0, %0 << 2 : s6.1\n%3 = sub wrap %1, %2 << -3 : s6.4\n%4 = shift %3 << 3 : s6.1\n"
           "%5 = quant %4 trn wrap : s6.1\n",
           PROVE_SHOWN);
}

static void mutations_are_not_shown(void **state)
{
    static const char *const WRONG[] = {
        /* a factor, a sign, the rounding, the limit, the other input */
        "s5.1, s5.1 -> %9\n"
        "%2 = sub %0, %1\n%3 = add %0, %1\n%4 = sub %2, %3 << -1\n%5 = shift %4 << 2\n%6 = const 0\n%7 = max %5, %6\n"
        "%8 = quant %7 rnd_conv sat : u5.0\n%9 = quant %8 trn wrap : s6.1\n",
        "s5.1, s5.1 -> %9\n"
        "%2 = sub %0, %1\n%3 = sub %0, %1\n%4 = sub %2, %3 << -2\n%5 = shift %4 << 2\n%6 = const 0\n%7 = max %5, %6\n"
        "%8 = quant %7 rnd_conv sat : u5.0\n%9 = quant %8 trn wrap : s6.1\n",
        "s5.1, s5.1 -> %9\n"
        "%2 = sub %0, %1\n%3 = add %0, %1\n%4 = sub %2, %3 << -2\n%5 = shift %4 << 2\n%6 = const 0\n%7 = max %5, %6\n"
        "%8 = quant %7 rnd sat : u5.0\n%9 = quant %8 trn wrap : s6.1\n",
        "s5.1, s5.1 -> %9\n"
        "%2 = sub %0, %1\n%3 = add %0, %1\n%4 = sub %2, %3 << -2\n%5 = shift %4 << 2\n%6 = const 0\n%7 = max %5, %6\n"
        "%8 = quant %7 rnd_conv wrap : u5.0\n%9 = quant %8 trn wrap : s6.1\n",
        "s5.1, s5.1 -> %9\n"
        "%2 = sub %1, %0\n%3 = add %0, %1\n%4 = sub %2, %3 << -2\n%5 = shift %4 << 2\n%6 = const 0\n%7 = max %5, %6\n"
        "%8 = quant %7 rnd_conv sat : u5.0\n%9 = quant %8 trn wrap : s6.1\n",
    };
    for (uint32_t i = 0; i < COUNT_OF(WRONG); i++)
        expect(*state, MODEL, WRONG[i], PROVE_REFUTED);
}

/* No random event finds 1 value in 2^36: a proof must. */
static void a_needle_is_found(void **state)
{
    const char *model = "s18.0, s18.0 -> %2\n%2 = const 0\n";
    const char *needle = "s18.0, s18.0 -> %5\n%2 = const 77777\n%3 = eq %0, %2\n%4 = eq %1, %2\n%5 = and %3, %4\n";
    DiagList diags;
    assert_int_equal(prove(*state, model, needle, true, &diags).verdict, PROVE_NOT_SHOWN);
    assert_int_equal(prove(*state, model, needle, false, &diags).verdict, PROVE_NOT_SHOWN);
}

static void states_are_not_shown(void **state)
{
    Circuit *plain = parse(*state, "s4.0 -> %0\n"), *circuit = circuit_create(*state);
    CircuitBuilder b = {.module = circuit_add_module(circuit, "t")};
    FixedType type = {true, 4, 0};
    circuit_add_input_port(b.module, "x0", false, 1, &type, NULL);
    CircuitRef held = circuit_state(&b, type, 0);
    circuit_state_connect(b.module, held, b.module->inputs.at[0], circuit_constant(&b, 1, 0));
    circuit_add_output_port(b.module, "z", false, 1, &held);
    DiagList diags = diag_init(*state);
    ProveOptions options = prove_options_default(*state);
    assert_int_equal(prove_cones(*state, plain, circuit, &options, &diags).verdict, PROVE_NOT_SHOWN);
    assert_int_equal(prove_cones(*state, plain, plain, &options, &diags).verdict, PROVE_SHOWN);
}

/* ---- netlists ---- */

static const char INVERTER[] = "u2.0 -> %2 latency\n%1 = delay %0, 1\n%2 = not %1\n";
#define PORTS ".model t\n.inputs clk clock_enable x[0] x[1]\n.outputs z[0] z[1]\n"

static ProveVerdict netlist(Arena *arena, const char *body, const char *code)
{
    static const char *const ports[] = {"x", "z"};
    const char *text = fmt(arena, "%s%s.end\n", PORTS, body);
    DiagList diags = diag_init(arena);
    ProveControl control = {.enable = true, .ports = ports};
    ProveNetlist result = prove_netlist(arena, parse(arena, INVERTER), &control, (Bytes){(const uint8_t *)text, strlen(text)}, "n", &diags);
    assert_int_equal(diag_failed(&diags), result.verdict != PROVE_SHOWN);
    if (code != NULL)
        assert_string_equal(diag_code_text(diags.list.at[0].code), code);
    return result.verdict;
}

static void netlists_are_pipelines_of_the_circuit(void **state)
{
    if (path_of_program(*state, "berkeley-abc") == NULL)
        skip();
    /* registers before or behind the logic; an enable's feedback, which 1 decides */
    assert_int_equal(netlist(*state, ".latch x[0] a re clk 2\n.latch x[1] b re clk 2\n.names a z[0]\n0 1\n.names b z[1]\n0 1\n", NULL),
                     PROVE_SHOWN);
    assert_int_equal(
        netlist(*state,
                ".names x[0] c\n0 1\n.names clock_enable c z[0] d\n11- 1\n0-1 1\n.latch d z[0] re clk 0\n.latch x[1] b re clk \\\n 2\n"
                ".names b z[1]\n0 1\n",
                NULL),
        PROVE_SHOWN);
    assert_int_equal(
        netlist(*state, ".latch x[0] a re clk 2\n.latch x[1] b re clk 2\n.names a z[0]\n1 1\n.names b z[1]\n0 1\n", "mismatch"),
        PROVE_REFUTED);
    assert_int_equal(
        netlist(*state, ".latch x[0] b re clk 2\n.latch x[1] a re clk 2\n.names a z[0]\n0 1\n.names b z[1]\n0 1\n", "mismatch"),
        PROVE_REFUTED);
}

static void other_structures_are_not_shown(void **state)
{
    /* one register less, two meeting paths, a feedback, a circle, nothing there */
    assert_int_equal(netlist(*state, ".latch x[0] a re clk 2\n.names a z[0]\n0 1\n.names x[1] z[1]\n0 1\n", "mismatch"), PROVE_NOT_SHOWN);
    assert_int_equal(
        netlist(*state, ".latch x[0] a re clk 2\n.names a x[0] z[0]\n11 1\n.latch x[1] b re clk 2\n.names b z[1]\n0 1\n", "timing"),
        PROVE_NOT_SHOWN);
    assert_int_equal(netlist(*state,
                             ".latch d a re clk 2\n.names a x[0] d\n11 1\n.names a z[0]\n0 1\n.latch x[1] b re clk 2\n.names b z[1]\n0 1\n",
                             "cycle"),
                     PROVE_NOT_SHOWN);
    assert_int_equal(netlist(*state, ".names z[1] z[0]\n1 1\n.names z[0] z[1]\n1 1\n", "cycle"), PROVE_NOT_SHOWN);
    assert_int_equal(netlist(*state, ".latch x[0] a re clk 2\n.latch q b re clk 2\n.names a z[0]\n0 1\n.names b z[1]\n0 1\n", "missing"),
                     PROVE_NOT_SHOWN);
    assert_int_equal(netlist(*state, ".latch x[0] a re clk 2\n.names a z[0]\n0 1\n.names a z[0]\n0 1\n", "syntax"), PROVE_NOT_SHOWN);
    assert_int_equal(netlist(*state, ".subckt LUT A=x[0] B=z[0]\n", "syntax"), PROVE_NOT_SHOWN);
    assert_int_equal(netlist(*state, ".names x[0] z[0]\n2 1\n", "syntax"), PROVE_NOT_SHOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gates_are_what_the_evaluators_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(assignments_are_their_definition, set_up, tear_down),
        cmocka_unit_test_setup_teardown(adders_of_any_shape_are_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mutations_are_not_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_needle_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(states_are_not_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(netlists_are_pipelines_of_the_circuit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_structures_are_not_shown, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
