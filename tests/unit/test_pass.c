/* The passes. Rules over wires: a case where each applies and one where it does not, every circuit evaluated before and after for all
 * inputs; random circuits likewise. Passes over tensors: what becomes of small graphs, by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pass/pass.h"

static Bytes bytes_of(const char *text) { return (Bytes){(const uint8_t *)text, strlen(text)}; }

static void fail_with(Arena *arena, const DiagList *diags, const char *what)
{
    Text text = text_init(arena);
    diag_print(&text, diags);
    fail_msg("%s:\n%s", what, text.at);
}

static uint32_t count_op(const Circuit *circuit, CircuitOp op)
{
    uint32_t n = 0;
    for (uint32_t m = 0; m < circuit->modules.n; m++)
        for (uint32_t i = 0; i < circuit->modules.at[m]->nodes.n; i++)
            n += circuit->modules.at[m]->nodes.at[i].op == op;
    return n;
}

static uint32_t logic_bits(const Circuit *circuit)
{
    uint32_t n = 0;
    for (uint32_t m = 0; m < circuit->modules.n; m++)
        for (uint32_t i = 0; i < circuit->modules.at[m]->nodes.n; i++) {
            const CircuitNode *node = &circuit->modules.at[m]->nodes.at[i];
            if (!(circuit_op_info((CircuitOp)node->op)->flags & (CIRCUIT_FREE | CIRCUIT_STRUCT)))
                n += node->type.bits;
        }
    return n;
}

/* outputs for all values of all inputs (at most 2^16 together) */
static void expect_equal_for_all(Arena *arena, const Circuit *a, const Circuit *b, const char *name)
{
    const CircuitModule *top = circuit_top(a);
    uint32_t n_in = top->inputs.n, n_out = top->outputs.n;
    CircuitExecutor *x = circuit_executor_create(arena, a, CIRCUIT_BY_EVENT), *y = circuit_executor_create(arena, b, CIRCUIT_BY_EVENT);
    i128 *in = arena_array(arena, i128, n_in), *want = arena_array(arena, i128, n_out), *got = arena_array(arena, i128, n_out);
    for (uint32_t i = 0; i < n_in; i++)
        in[i] = circuit_node(top, top->inputs.at[i])->range.lo;
    for (;;) {
        circuit_executor_run(x, in, want);
        circuit_executor_run(y, in, got);
        for (uint32_t i = 0; i < n_out; i++)
            if (want[i] != got[i])
                fail_msg("%s: output %u is %lld, was %lld (x = %lld)", name, i, (long long)got[i], (long long)want[i], (long long)in[0]);
        uint32_t i = 0;
        while (i < n_in && in[i] == circuit_node(top, top->inputs.at[i])->range.hi) {
            in[i] = circuit_node(top, top->inputs.at[i])->range.lo;
            i++;
        }
        if (i == n_in)
            return;
        in[i]++;
    }
}

/* ---- rules over wires ---- */
typedef struct RuleCase {
    const char *name;
    const char *pass;
    const char *body; /* %0: s5.1, %1: u4.2, %2: u1.0 */
    CircuitOp op;     /* counted behind the pass and a sweep */
    uint32_t n;
} RuleCase;

static const RuleCase rules[] = {
    {"x + 0", "simplify", "%3 = const 0 : u1.0\n%4 = add %0, %3\noutput z = %4\n", CIRCUIT_add, 0},
    {"x + 1 stays", "simplify", "%3 = const 1 : u1.0\n%4 = add %0, %3\noutput z = %4\n", CIRCUIT_add, 1},
    {"0 + y << 2", "simplify", "%3 = const 0 : u1.0\n%4 = add %3, %1 << 2\noutput z = %4\n", CIRCUIT_add, 0},
    {"0 - y stays", "simplify", "%3 = const 0 : u1.0\n%4 = sub %3, %1\noutput z = %4\n", CIRCUIT_sub, 1},
    {"x + 0 - y", "simplify", "%3 = const 0 : u1.0\n%4 = add3 %0 plus %3 minus %1 << 1\noutput z = %4\n", CIRCUIT_add3, 0},
    {"x - y + 0", "simplify", "%3 = const 0 : u1.0\n%4 = add3 %0 minus %1 << 1 plus %3\noutput z = %4\n", CIRCUIT_add3, 0},
    {"0 + x - y", "simplify", "%3 = const 0 : u1.0\n%4 = add3 %3 plus %0 << 2 minus %1 << 1\noutput z = %4\n", CIRCUIT_add3, 0},
    {"0 - x + y", "simplify", "%3 = const 0 : u1.0\n%4 = add3 %3 minus %0 plus %1 << 3\noutput z = %4\n", CIRCUIT_add3, 0},
    {"0 - x - y stays", "simplify", "%3 = const 0 : u1.0\n%4 = add3 %3 minus %0 minus %1\noutput z = %4\n", CIRCUIT_add3, 1},
    {"x + y + x stays", "simplify", "%3 = add3 %0 plus %1 plus %0 << 1\noutput z = %3\n", CIRCUIT_add3, 1},
    {"sums of three are one", "cse", "%3 = add3 %0 plus %1 minus %2\n%4 = add3 %0 plus %1 minus %2\n%5 = add %3, %4\noutput z = %5\n",
     CIRCUIT_add3, 1},
    {"signs tell sums of three apart", "cse",
     "%3 = add3 %0 plus %1 minus %2\n%4 = add3 %0 plus %1 plus %2\n%5 = add %3, %4\noutput z = %5\n", CIRCUIT_add3, 2},
    {"shifts tell sums of three apart", "cse",
     "%3 = add3 %0 plus %1 minus %2\n%4 = add3 %0 plus %1 minus %2 << 1\n%5 = add %3, %4\noutput z = %5\n", CIRCUIT_add3, 2},
    {"x + -y", "simplify", "%3 = neg %1\n%4 = add %0, %3\noutput z = %4\n", CIRCUIT_negate, 0},
    {"-x + y", "simplify", "%3 = neg %0\n%4 = add %3, %1\noutput z = %4\n", CIRCUIT_negate, 0},
    {"-(-x)", "simplify", "%3 = neg %0\n%4 = neg %3\noutput z = %4\n", CIRCUIT_negate, 0},
    {"-x stays", "simplify", "%3 = neg %0\noutput z = %3\n", CIRCUIT_negate, 1},
    {"-(x - y)", "simplify", "%3 = sub %0, %1\n%4 = neg %3\noutput z = %4\n", CIRCUIT_negate, 0},
    {"shift of shift", "simplify", "%3 = shift %0 << 1\n%4 = shift %3 << 2\noutput z = %4\n", CIRCUIT_shift, 1},
    {"y * 4", "simplify", "%3 = const 4 : u3.0\n%4 = mul %1, %3\noutput z = %4\n", CIRCUIT_multiply, 0},
    {"y * 3 stays", "simplify", "%3 = const 3 : u2.0\n%4 = mul %1, %3\noutput z = %4\n", CIRCUIT_multiply, 1},
    {"1 ? x : y", "simplify", "%3 = const 1 : u1.0\n%4 = select %3, %0, %1\noutput z = %4\n", CIRCUIT_select, 0},
    {"c ? x : x", "simplify", "%3 = select %2, %0, %0\noutput z = %3\n", CIRCUIT_select, 0},
    {"c ? 1 : 0", "simplify", "%3 = const 1 : u1.0\n%4 = const 0 : u1.0\n%5 = select %2, %3, %4\noutput z = %5\n", CIRCUIT_select, 0},
    {"c ? x : y stays", "simplify", "%3 = select %2, %0, %1\noutput z = %3\n", CIRCUIT_select, 1},
    {"max in order", "simplify", "%3 = const -1 : s1.0\n%4 = max %1, %3\noutput z = %4\n", CIRCUIT_max, 0},
    {"min in order", "simplify", "%3 = const -1 : s1.0\n%4 = min %1, %3\noutput z = %4\n", CIRCUIT_min, 0},
    {"max stays", "simplify", "%3 = max %0, %1\noutput z = %3\n", CIRCUIT_max, 1},
    {"y < -1", "simplify", "%3 = const -1 : s1.0\n%4 = lt %1, %3\noutput z = %4\n", CIRCUIT_less, 0},
    {"x <= x", "simplify", "%3 = le %0, %0\noutput z = %3\n", CIRCUIT_less_equal, 0},
    {"x == y stays", "simplify", "%3 = eq %0, %1\noutput z = %3\n", CIRCUIT_equal, 1},
    {"quantise that changes nothing", "simplify",
     "%3 = quant %0 rnd sat : s8.2\n%4 = quant %0 rnd sat : s8.2\n%5 = add %3, %4\n%6 = quant %5 trn wrap : s8.2\noutput z = %6\n",
     CIRCUIT_quantise, 1},
    {"quantise that rounds stays", "simplify", "%3 = quant %0 rnd sat : s5.0\noutput z = %3\n", CIRCUIT_quantise, 1},
    {"quantise that bends the least stays", "simplify", "%3 = quant %0 trn sat_sym : s5.1\noutput z = %3\n", CIRCUIT_quantise, 1},
    {"not not", "simplify", "%3 = not %1\n%4 = not %3\noutput z = %4\n", CIRCUIT_not, 0},
    {"x | 0", "simplify", "%3 = const 0 : u4.2\n%4 = or %1, %3\noutput z = %4\n", CIRCUIT_or, 0},
    {"x & 0 is 0", "simplify", "%3 = const 0 : u4.2\n%4 = and %1, %3\noutput z = %4\n", CIRCUIT_and, 0},
    {"slice of slice", "simplify", "%3 = slice %1 [3:1]\n%4 = slice %3 [1:1]\noutput z = %4\n", CIRCUIT_slice, 1},
    {"constants fold", "simplify", "%3 = const 5 : u3.0\n%4 = const 7 : u3.0\n%5 = add %3, %4\noutput z = %5\n", CIRCUIT_add, 0},
    {"sums are one, swapped", "cse", "%3 = add %0, %1\n%4 = add %1, %0\n%5 = add %3, %4\noutput z = %5\n", CIRCUIT_add, 2},
    {"differences are two, swapped", "cse", "%3 = sub %0, %1\n%4 = sub %1, %0\n%5 = max %3, %4\n%6 = add %5, %3\noutput z = %6\n",
     CIRCUIT_sub, 2},
    {"shifts tell sums apart", "cse", "%3 = add %0, %1\n%4 = add %0, %1 << 1\n%5 = add %3, %4\noutput z = %5\n", CIRCUIT_add, 3},
    {"constants are one", "cse", "%3 = const 1 : u1.0\n%4 = const 1 : u1.0\n%5 = add %0, %3\n%6 = add %5, %4\noutput z = %6\n",
     CIRCUIT_constant, 1},
    {"a truncating wrap goes", "demand", "%3 = add %0, %1\n%4 = quant %3 trn wrap : s4.2\noutput z = %4\n", CIRCUIT_quantise, 0},
    {"a saturating one stays", "demand", "%3 = add %0, %1\n%4 = quant %3 trn sat : s4.2\noutput z = %4\n", CIRCUIT_quantise, 1},
    {"dead nodes go", "sweep", "%3 = add %0, %1\noutput z = %0\n", CIRCUIT_add, 0},
};

/* "%3 = add %0, %1 << 2", "%4 = quant %3 trn wrap : s4.2", ..., "output z = %4": built, so that types and ranges follow. */
static uint32_t numbers_in(const char *line, int64_t *number)
{
    uint32_t n = 0;
    for (const char *at = strchr(line, '=') + 2; *at != '\0' && *at != ':' && n < 4; at++) {
        bool negative = at[0] == '-' && at[1] >= '0' && at[1] <= '9';
        if ((*at >= '0' && *at <= '9') || negative) {
            char *end;
            number[n++] = strtoll(at, &end, 10);
            at = end - (*end == ':' && end[1] != ' ' ? 0 : 1);
        }
    }
    return n;
}

static FixedType type_in(const char *line)
{
    char text[16] = "";
    const char *at = strstr(line, " : ");
    FixedType type = {0};
    assert_non_null(at);
    size_t n = strcspn(at + 3, "\n");
    assert_true(n < sizeof text);
    memcpy(text, at + 3, n);
    assert_true(fixed_parse(text, &type));
    return type;
}

/* "add3 %0 plus %1 << 2 minus %2" */
static CircuitRef build_three(CircuitBuilder *b, const char *text)
{
    CircuitTerms terms = {0};
    CircuitRef operand[3] = {(CircuitRef)atoi(strchr(text, '%') + 1)};
    const char *at = strchr(text, '%');
    for (uint32_t i = 0; i < 2; i++) {
        const char *next = strchr(at + 1, '%'), *shift = strstr(next, "<<"), *end = strchr(next + 1, '%');
        operand[1 + i] = (CircuitRef)atoi(next + 1);
        terms.minus[i] = strncmp(next - 6, "minus", 5) == 0;
        terms.shift[i] = shift != NULL && (end == NULL || shift < end) ? (int16_t)atoi(shift + 3) : 0;
        at = next;
    }
    return circuit_add3(b, operand[0], operand[1], operand[2], terms);
}

static CircuitRef build_line(CircuitBuilder *b, const char *line)
{
    CircuitOp op;
    int64_t v[4] = {0};
    const char *name = strchr(line, '=') + 2;
    char text[16] = "";
    memcpy(text, name, strcspn(name, " "));
    assert_true(circuit_op_parse(text, &op));
    if (op == CIRCUIT_add3)
        return build_three(b, name);
    uint32_t n = numbers_in(line, v);
    CircuitRef x = (CircuitRef)v[0], y = (CircuitRef)v[1];
    int32_t shift = n > 2 ? (int32_t)v[2] : 0;
    if (op == CIRCUIT_constant) {
        CircuitNode node = {
            .op = CIRCUIT_constant, .type = type_in(line), .range = interval_point(v[0]), .attr.value = v[0], .arrival_ps = -1};
        return circuit_append(b->module, &node, NULL, 0);
    }
    if (op == CIRCUIT_quantise) {
        Quantiser q = {type_in(line), strstr(line, "rnd") ? ROUND_RND : ROUND_TRN,
                       strstr(line, "sat_sym") ? OVERFLOW_SAT_SYM
                       : strstr(line, "sat")   ? OVERFLOW_SAT
                                               : OVERFLOW_WRAP,
                       0};
        return circuit_quantise(b, x, &q);
    }
    if (op == CIRCUIT_slice)
        return circuit_slice(b, x, (uint32_t)v[1], (uint32_t)v[2]);
    if (op == CIRCUIT_shift)
        return circuit_shift(b, x, (int32_t)v[1]);
    if (op == CIRCUIT_select)
        return circuit_select(b, x, y, (CircuitRef)v[2]);
    if (op == CIRCUIT_less || op == CIRCUIT_less_equal || op == CIRCUIT_equal)
        return circuit_compare(b, op, x, y);
    if (op == CIRCUIT_and || op == CIRCUIT_or || op == CIRCUIT_xor)
        return circuit_bitwise(b, op, x, y);
    if (op == CIRCUIT_add || op == CIRCUIT_sub)
        return (op == CIRCUIT_add ? circuit_add : circuit_sub)(b, x, y, shift);
    if (op == CIRCUIT_min || op == CIRCUIT_max)
        return (op == CIRCUIT_min ? circuit_min : circuit_max)(b, x, y);
    if (op == CIRCUIT_multiply)
        return circuit_multiply(b, x, y);
    assert_true(op == CIRCUIT_negate || op == CIRCUIT_not);
    return (op == CIRCUIT_negate ? circuit_negate : circuit_not)(b, x);
}

static Circuit *build_circuit(Arena *arena, const FixedType *inputs, uint32_t n_inputs, const char *lines)
{
    Circuit *circuit = circuit_create(arena);
    CircuitBuilder b = {.module = circuit_add_module(circuit, "t")};
    for (uint32_t i = 0; i < n_inputs; i++)
        circuit_add_input_port(b.module, fmt(arena, "x%u", i), false, 1, &inputs[i], NULL);
    for (const char *line = lines; *line != '\0'; line = strchr(line, '\n') + 1) {
        const char *copy = arena_strndup(arena, line, strcspn(line, "\n"));
        if (strncmp(copy, "output", 6) == 0) {
            CircuitRef ref = (CircuitRef)atoi(strchr(copy, '%') + 1);
            circuit_add_output_port(b.module, "z", false, 1, &ref);
        } else {
            assert_int_equal(build_line(&b, copy), atoi(copy + 1));
        }
    }
    return circuit;
}

static void expect_sound(Arena *arena, const Circuit *circuit, const char *name)
{
    DiagList diags = diag_init(arena);
    if (!circuit_verify(circuit, name, &diags))
        fail_with(arena, &diags, name);
}

static void rules_apply_and_do_not(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(rules); i++) {
        const RuleCase *rule = &rules[i];
        Arena *arena = arena_create(NULL);
        const FixedType inputs[] = {{true, 5, 1}, {false, 4, 2}, {false, 1, 0}};
        Circuit *before = build_circuit(arena, inputs, COUNT_OF(inputs), rule->body);
        Circuit *after = pass_sweep(arena, pass_find(rule->pass)->circuit(arena, before));
        expect_sound(arena, after, rule->name);
        expect_equal_for_all(arena, before, after, rule->name);
        if (count_op(after, rule->op) != rule->n)
            fail_msg("%s: %u left, not %u", rule->name, count_op(after, rule->op), rule->n);
        if (logic_bits(after) > logic_bits(before))
            fail_msg("%s: more logic than before", rule->name);
        arena_destroy(arena);
    }
}

static void wires_narrow_to_what_is_read(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    const FixedType inputs[] = {{true, 6, 2}, {true, 6, 2}, {true, 6, 2}};
    Circuit *before =
        build_circuit(arena, inputs, COUNT_OF(inputs),
                      "%3 = add %0, %1 << 1\n%4 = sub %3, %2\n%5 = add3 %4 plus %1 << 1 minus %0\n%6 = quant %5 trn wrap : s4.2\n"
                      "output z = %6\n");
    Circuit *after = pass_sweep(arena, pass_demand(arena, before));
    expect_sound(arena, after, "demand");
    const CircuitModule *top = circuit_top(after);
    for (uint32_t i = 0; i < top->nodes.n; i++)
        if (top->nodes.at[i].op == CIRCUIT_add || top->nodes.at[i].op == CIRCUIT_sub || top->nodes.at[i].op == CIRCUIT_add3)
            assert_int_equal(top->nodes.at[i].type.bits, 4);
    assert_int_equal(count_op(after, CIRCUIT_quantise), 0);
    CircuitExecutor *x = circuit_executor_create(arena, before, CIRCUIT_BY_EVENT),
                    *y = circuit_executor_create(arena, after, CIRCUIT_BY_EVENT);
    for (int a = -32; a < 32; a += 3)
        for (int b = -32; b < 32; b++)
            for (int c = -32; c < 32; c += 5) {
                i128 in[3] = {a, b, c}, want, got;
                circuit_executor_run(x, in, &want);
                circuit_executor_run(y, in, &got);
                assert_true(want == got);
            }
    arena_destroy(arena);
}

static void random_event(Rng *rng, const CircuitModule *top, i128 *in)
{
    for (uint32_t i = 0; i < top->inputs.n; i++) {
        Interval range = circuit_node(top, top->inputs.at[i])->range;
        i128 step = (i128)1 << (range.zeros < 100 ? range.zeros : 0), n = (range.hi - range.lo) / step;
        in[i] = range.lo + (i128)(rng_u64(rng) % (uint64_t)(n + 1)) * step;
    }
}

static void random_circuits_keep_their_values(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 600; seed++) {
        Arena *arena = arena_create(NULL);
        Rng rng = {seed};
        CircuitRandomOptions options = {
            .n_nodes = 30, .n_modules = (uint32_t)(seed % 3), .states = seed % 4 == 0, .max_bits = 1 + (uint32_t)(seed % 20)};
        Circuit *before = circuit_random(arena, &rng, &options);
        Circuit *after = pass_run_circuit(arena, before);
        expect_sound(arena, after, fmt(arena, "seed %llu", (unsigned long long)seed));
        const CircuitModule *top = circuit_top(before);
        i128 *in = arena_array(arena, i128, top->inputs.n);
        i128 *want = arena_array(arena, i128, top->outputs.n), *got = arena_array(arena, i128, top->outputs.n);
        CircuitExecutor *x = circuit_executor_create(arena, before, CIRCUIT_BY_EVENT);
        CircuitExecutor *y = circuit_executor_create(arena, after, CIRCUIT_BY_EVENT);
        for (uint32_t event = 0; event < 40; event++) {
            random_event(&rng, top, in);
            circuit_executor_run(x, in, want);
            circuit_executor_run(y, in, got);
            for (uint32_t i = 0; i < top->outputs.n; i++)
                if (want[i] != got[i])
                    fail_msg("seed %llu: output %u differs in event %u", (unsigned long long)seed, i, event);
        }
        arena_destroy(arena);
    }
}

/* A circuit that has its registers already goes through every pass (kaon opt): the verifier holds it to its latency, and once the first
 * event is through, the same comes out at every clock. Without states: what they see before the first event is another matter, and kaon opt
 * refuses a pass that would change it. */
static void pipelined_circuits_keep_their_clocks(void **state)
{
    (void)state;
    uint32_t n_passes;
    const PassInfo *passes = pass_table(&n_passes);
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        Arena *arena = arena_create(NULL);
        Rng rng = {seed};
        CircuitRandomOptions options = {
            .n_nodes = 30, .n_modules = (uint32_t)(seed % 3), .delays = true, .max_bits = 1 + (uint32_t)(seed % 7)};
        const Circuit *before = circuit_random(arena, &rng, &options);
        const CircuitModule *top = circuit_top(before);
        i128 *in = arena_array(arena, i128, top->inputs.n);
        i128 *want = arena_array(arena, i128, top->outputs.n), *got = arena_array(arena, i128, top->outputs.n);
        for (uint32_t p = 0; p < n_passes; p++) {
            if (passes[p].circuit == NULL)
                continue;
            const Circuit *now = passes[p].circuit(arena, before);
            const char *name = fmt(arena, "seed %llu, pass %s", (unsigned long long)seed, passes[p].name);
            expect_sound(arena, now, name);
            assert_int_equal(now->latency_cycles, before->latency_cycles);
            CircuitExecutor *x = circuit_executor_create(arena, before, CIRCUIT_BY_CLOCK);
            CircuitExecutor *y = circuit_executor_create(arena, now, CIRCUIT_BY_CLOCK);
            for (uint32_t clock = 0; clock < before->latency_cycles + 20; clock++) {
                random_event(&rng, top, in);
                circuit_executor_run(x, in, want);
                circuit_executor_run(y, in, got);
                for (uint32_t i = 0; i < top->outputs.n && clock >= before->latency_cycles; i++)
                    if (want[i] != got[i])
                        fail_msg("%s: output %u differs at clock %u", name, i, clock);
            }
        }
        arena_destroy(arena);
    }
}

/* Nothing of the input is left: a constant is there at any clock, the one that was claimed too. */
static void a_constant_keeps_its_latency(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    static const char text[] = "circuit t(x: u1.0) -> (y: u1.0) latency=2 ii=1\n"
                               "  %0 = input x : u1.0 [0, 1]\n"
                               "  %1 = const 0 : u1.0 [0, 0]\n"
                               "  %2 = and %0, %1 : u1.0 [0, 0]\n"
                               "  %3 = delay %2, 2 : u1.0 [0, 0]\n"
                               "  output y = %3\n";
    DiagList diags = diag_init(arena);
    Circuit *before = circuit_parse(arena, bytes_of(text), "t.circuit", &diags);
    if (before == NULL)
        fail_with(arena, &diags, text);
    Circuit *after = pass_run_circuit(arena, before);
    assert_int_equal(count_op(after, CIRCUIT_and), 0);
    expect_sound(arena, after, "a constant");
    assert_int_equal(after->latency_cycles, 2);
    arena_destroy(arena);
}

/* ---- passes over tensors ---- */
static Graph *run_graph(Arena *arena, const char *text, const PassOptions *options, DiagList *diags)
{
    Graph *graph = graph_parse(arena, bytes_of(text), "test", diags);
    if (graph == NULL)
        fail_with(arena, diags, text);
    return pass_run_graph(arena, graph, options, diags);
}

static Graph *typed(Arena *arena, const char *text, const PassOptions *options)
{
    DiagList diags = diag_init(arena);
    Graph *graph = run_graph(arena, text, options, &diags);
    if (graph == NULL)
        fail_with(arena, &diags, text);
    return graph;
}

static const GraphNode *only(const Graph *graph, GraphOp op)
{
    const GraphNode *found = NULL;
    for (GraphRef ref = 0; ref < graph_top(graph)->nodes.n; ref++)
        if (graph_node(graph_top(graph), ref)->op == op) {
            assert_null(found);
            found = graph_node(graph_top(graph), ref);
        }
    return found;
}

static void a_final_softmax_leaves(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    const char *text = "graph g\n%0 = input x fixed<8,4,RND,SAT> : [3]\n%1 = softmax %0\noutput y = %1\n";
    PassOptions options = pass_options_default();
    Graph *graph = typed(arena, text, &options);
    assert_null(only(graph, GRAPH_softmax));
    assert_int_equal(graph_top(graph)->outputs.at[0].post, POST_SOFTMAX);
    options.head = HEAD_LOGITS;
    assert_int_equal(graph_top(typed(arena, text, &options))->outputs.at[0].post, POST_NONE);
    options.head = HEAD_ARGMAX;
    assert_non_null(only(typed(arena, text, &options), GRAPH_argmax));
    options.head = HEAD_CUT;
    DiagList diags = diag_init(arena);
    assert_null(run_graph(arena, text, &options, &diags));
    assert_int_equal(diags.list.at[0].code, DIAG_SHAPE);
    options.cut = 0.3;
    graph = typed(arena, "graph g\n%0 = input x fixed<8,4,RND,SAT> : [1]\noutput y = %0\n", &options);
    assert_true(only(graph, GRAPH_threshold)->threshold_raw[0] == 5); /* 0.3 * 16 = 4.8 */
    arena_destroy(arena);
}

static void real_weights_get_types(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    const char *text = "graph g\n%0 = input x open : [2]\n%1 = const f64 { 0.5, 0.25 } : [2, 1] from fc\n%2 = dense %0, %1 from fc\n"
                       "%3 = affine %2 3 offset 1/2 from bn\n%4 = relu %3 from act\n%5 = const f64 { 1 } : [1, 1] from out\n"
                       "%6 = dense %4, %5 from out\noutput y = %6\n";
    PassOptions options = pass_options_default();
    Graph *graph = typed(arena, text, &options);
    assert_null(only(graph, GRAPH_affine)); /* absorbed: weights 1.5, 0.75 */
    const GraphNode *activation = only(graph, GRAPH_quantise);
    assert_true(activation->attr.quant->is_default);
    assert_string_equal(activation->layer, "act");
    const GraphModule *top = graph_top(graph);
    assert_true(graph_node(top, top->inputs.at[0])->attr.input->is_default);
    const GraphNode *first = graph_input_node(top, activation, 0);
    while (first->op != GRAPH_dense)
        first = graph_input_node(top, first, 0);
    const GraphTensor *weights = graph_input_node(top, first, 1)->attr.tensor;
    assert_true(weights->raw[0] == 1536 && weights->raw[1] == 768 && weights->is_default); /* 1.5, 0.75 at 2^-10 */
    LayerType layer = {.layer = "out", .has_weights = true};
    const char *why;
    assert_true(quantiser_parse(arena, "fixed<4,2,RND,SAT>", &layer.weights, &why));
    vec_push(arena, &options.layers, layer);
    PortType input = {NULL, layer.weights};
    vec_push(arena, &options.input_types, input);
    graph = typed(arena, text, &options);
    top = graph_top(graph);
    assert_int_equal(graph_node(top, top->inputs.at[0])->attr.input->type.at[0].type.bits, 4);
    options.layers.at[0].layer = "outt";
    DiagList diags = diag_init(arena);
    assert_null(run_graph(arena, text, &options, &diags));
    assert_non_null(strstr(diags.list.at[0].hint, "out"));
    arena_destroy(arena);
}

static void an_inputs_quantiser_becomes_its_type(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    PassOptions options = pass_options_default();
    Graph *graph =
        typed(arena,
              "graph g\n%0 = input x open : [2, 2]\n%1 = reshape %0 [4]\n%2 = affine %1 4 offset -1\n%3 = affine %2 1/3 offset 0\n"
              "%4 = quantise %3 fixed<5,2,RND,SAT>\noutput y = %4\n",
              &options);
    assert_null(only(graph, GRAPH_quantise));
    const GraphInput *input = only(graph, GRAPH_input)->attr.input;
    assert_int_equal(input->type.at[0].type.bits, 5);
    /* v = (4x - 1) / 3, so x = 3/4 v + 1/4 */
    assert_true(rational_equal(input->scale.multiplier[0], rational_from_i64(arena, 3, 4)));
    assert_true(rational_equal(input->scale.offset[0], rational_from_i64(arena, 1, 4)));
    assert_false(input->is_default);
    arena_destroy(arena);
}

static void scales_become_thresholds(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    PassOptions options = pass_options_default();
    /* floor(x / 3) for 0 <= x < 8: steps at 3 and 6 */
    Graph *graph = typed(arena,
                         "graph g\n%0 = input x ufixed<3,3,TRN,WRAP> : [1]\n%1 = affine %0 1/3 offset 0\n%2 = relu %1\n"
                         "%3 = quantise %2 ufixed<4,4,TRN,SAT>\noutput y = %3\n",
                         &options);
    const GraphNode *threshold = only(graph, GRAPH_threshold);
    assert_int_equal(threshold->attr.threshold->n_steps, 2);
    assert_true(threshold->threshold_raw[0] == 3 && threshold->threshold_raw[1] == 6);
    assert_null(only(graph, GRAPH_affine));
    /* powers of two need none */
    graph = typed(arena,
                  "graph g\n%0 = input x ufixed<3,3,TRN,WRAP> : [1]\n%1 = affine %0 1/4 offset 0\n%2 = quantise %1 "
                  "ufixed<4,4,TRN,SAT>\noutput y = %2\n",
                  &options);
    assert_null(only(graph, GRAPH_threshold));
    /* 2^16 steps are too many */
    DiagList diags = diag_init(arena);
    assert_null(run_graph(arena,
                          "graph g\n%0 = input x fixed<20,20,TRN,WRAP> : [1]\n%1 = affine %0 1/3 offset 0 from bn\n%2 = quantise %1 "
                          "fixed<16,16,TRN,SAT> from q\noutput y = %2\n",
                          &options, &diags));
    assert_int_equal(diags.list.at[0].code, DIAG_UNSUPPORTED);
    assert_string_equal(diags.list.at[0].place.layer, "q");
    arena_destroy(arena);
}

static void constants_fold(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    PassOptions options = pass_options_default();
    Graph *graph =
        typed(arena,
              "graph g\n%0 = input x fixed<8,4,RND,SAT> : [2]\n%1 = const f32 { 0.26, -0.51, 0.3, 9 } : [2, 2]\n"
              "%2 = quantise %1 fixed<4,1,RND_CONV,SAT> from w\n%3 = transpose %2 (1, 0)\n%4 = dense %0, %3 from fc\noutput y = %4\n",
              &options);
    assert_null(only(graph, GRAPH_quantise));
    const GraphNode *w = only(graph, GRAPH_constant);
    assert_true(w->attr.tensor->raw[0] == 2 && w->attr.tensor->raw[1] == 2 && w->attr.tensor->raw[2] == -4 && w->attr.tensor->raw[3] == 7);
    assert_false(w->attr.tensor->is_default);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_apply_and_do_not),
        cmocka_unit_test(wires_narrow_to_what_is_read),
        cmocka_unit_test(random_circuits_keep_their_values),
        cmocka_unit_test(pipelined_circuits_keep_their_clocks),
        cmocka_unit_test(a_constant_keeps_its_latency),
        cmocka_unit_test(a_final_softmax_leaves),
        cmocka_unit_test(real_weights_get_types),
        cmocka_unit_test(an_inputs_quantiser_becomes_its_type),
        cmocka_unit_test(scales_become_thresholds),
        cmocka_unit_test(constants_fold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
