/* tests/unit/test_trace.c: stages, paths and spans read back from pipelined circuits: by hand (the figures of test_time.c), and against
 * what the scheduler, which knows the delays themselves, says of random ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "time/time.h"
#include "time/trace.h"

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

static Circuit *parse(Arena *arena, const char *text)
{
    DiagList diags = diag_init(arena);
    Circuit *circuit = circuit_parse(arena, (Bytes){(const uint8_t *)text, strlen(text)}, "test", &diags);
    assert_non_null(circuit);
    return circuit;
}

static Circuit *pipeline(Arena *arena, const Circuit *circuit, uint32_t clock_ps, bool registers, TimeReport *report)
{
    DiagList diags = diag_init(arena);
    TimeOptions options = {.part = part_find("xcup"), .clock_ps = clock_ps, .latency_cycles = -1};
    options.register_inputs = options.register_outputs = registers;
    return time_pipeline(arena, circuit, &options, report, &diags);
}

static void assert_step(const TimePath *path, uint32_t i, const char *module, CircuitOp op, uint32_t start_ps, uint32_t end_ps)
{
    assert_true(i < path->n);
    const TimeStep *step = &path->step[i];
    assert_string_equal(step->module->name, module);
    assert_int_equal(circuit_node(step->module, step->ref)->op, op);
    assert_int_equal(step->start_ps, start_ps);
    assert_int_equal(step->end_ps, end_ps);
}

static uint32_t layer_number(const Circuit *circuit, const char *name)
{
    for (uint32_t i = 1; i < circuit->layers.n; i++)
        if (text_equal(circuit->layers.at[i], name))
            return i;
    fail();
    return 0;
}

/* Sums of 9, 10 and 11 bits take 1297, 1322 and 1348 ps: two fit a clock of 3000, the third has one of its own; the ports are registers. */
static void test_chain(void **state)
{
    Arena *arena = *state;
    Circuit *chain = parse(arena, "circuit chain(x[4]: s8.0) -> (y: s11.0)\n"
                                  "  %0 = input x[0] : s8.0 [-128, 127]\n  %1 = input x[1] : s8.0 [-128, 127]\n"
                                  "  %2 = input x[2] : s8.0 [-128, 127]\n  %3 = input x[3] : s8.0 [-128, 127]\n"
                                  "  %4 = add %0, %1 : s9.0 [-256, 254] from a[0]\n  %5 = sub %4, %2 : s10.0 [-383, 382] from b[0]\n"
                                  "  %6 = add %5, %3 : s11.0 [-511, 509] from b[1]\n  output y = %6\n");
    TimeReport report;
    Circuit *circuit = pipeline(arena, chain, 3000, true, &report);
    TimeTrace trace = time_trace(arena, circuit);
    assert_int_equal(trace.n_stages, 4);
    assert_int_equal(trace.path[0].n, 0);
    assert_int_equal(trace.path[1].n, 2);
    assert_step(&trace.path[1], 0, "chain", CIRCUIT_add, 0, 1297);
    assert_step(&trace.path[1], 1, "chain", CIRCUIT_sub, 1297, 1297 + 1322);
    assert_int_equal(trace.path[2].n, 1);
    assert_step(&trace.path[2], 0, "chain", CIRCUIT_add, 0, 1348);
    assert_int_equal(trace.path[3].n, 0);
    uint32_t a = layer_number(circuit, "a"), b = layer_number(circuit, "b");
    assert_int_equal(trace.span[a].first, 1);
    assert_int_equal(trace.span[a].last, 1);
    assert_int_equal(trace.span[b].first, 1);
    assert_int_equal(trace.span[b].last, 2);
    assert_true(trace.span[0].first > trace.span[0].last);
    assert_int_equal(trace.layer_ps[a], 1297);
    assert_int_equal(trace.layer_ps[b], 1322 + 1348);
}

/* The path goes through an instance: a sum before it, its own, a sum behind; cut in front of it where the clock says so. */
static void test_through_an_instance(void **state)
{
    Arena *arena = *state;
    Circuit *source = parse(arena, "module f(a: s9.0) -> (y: s10.0)\n"
                                   "  %0 = input a : s9.0 [-256, 255]\n  %1 = const 1 : u1.0 [1, 1]\n"
                                   "  %2 = add %0, %1 : s10.0 [-255, 256] from inside[0]\n  output y = %2\n"
                                   "circuit t(x[2]: s8.0) -> (z: s11.0)\n"
                                   "  %0 = input x[0] : s8.0 [-128, 127]\n  %1 = input x[1] : s8.0 [-128, 127]\n"
                                   "  %2 = add %0, %1 : s9.0 [-256, 254] from before[0]\n  %3 = call f(%2)\n"
                                   "  %4 = out %3 y : s10.0 [-255, 256]\n  %5 = add %4, %4 << 1 : s11.0 [-765, 768] from behind[0]\n"
                                   "  output z = %5\n");
    TimeReport report;
    Circuit *circuit = pipeline(arena, source, 20000, false, &report);
    assert_int_equal(circuit->latency_cycles, 0);
    TimeTrace trace = time_trace(arena, circuit);
    assert_int_equal(trace.path[0].n, 3);
    assert_step(&trace.path[0], 0, "t", CIRCUIT_add, 0, 1297);
    assert_string_equal(trace.path[0].step[1].module->name, "f");
    assert_int_equal(trace.path[0].step[1].start_ps, 1297);
    assert_int_equal(trace.path[0].step[2].start_ps, trace.path[0].step[1].end_ps);
    assert_int_equal(trace.path[0].step[2].end_ps + 120, report.stage[0].longest_ps);
    circuit = pipeline(arena, source, 3000, false, &report);
    trace = time_trace(arena, circuit);
    assert_int_equal(trace.n_stages, 2);
    uint32_t inside = layer_number(circuit, "inside"), behind = layer_number(circuit, "behind");
    assert_int_equal(trace.span[inside].first, 1); /* 9 bits are stored in front of it, 10 would be behind */
    assert_int_equal(trace.span[inside].last, 1);
    assert_int_equal(trace.span[behind].first, 1);
    assert_int_equal(trace.path[0].n, 1);
    assert_int_equal(trace.path[1].n, 2);
    assert_step(&trace.path[1], 0, "f", CIRCUIT_add, 0, trace.path[1].step[1].start_ps);
}

static bool holds_states(const Circuit *circuit)
{
    for (uint32_t m = 0; m < circuit->modules.n; m++)
        for (uint32_t i = 0; i < circuit->modules.at[m]->nodes.n; i++)
            if (circuit->modules.at[m]->nodes.at[i].op == CIRCUIT_state)
                return true;
    return false;
}

/* Operators, no wiring, follow each other without a gap, from a register on, and the last one ends when the scheduler says that the stage
 * is over. */
static void check_path(uint64_t seed, uint32_t stage, const TimePath *path, uint32_t longest_ps)
{
    uint32_t at = 0;
    bool sound = path->n > 0 || longest_ps <= 120;
    for (uint32_t i = 0; i < path->n; i++) {
        CircuitOp op = (CircuitOp)circuit_node(path->step[i].module, path->step[i].ref)->op;
        bool is_wiring = (circuit_op_info(op)->flags & CIRCUIT_FREE) != 0;
        sound = sound && path->step[i].start_ps == at && path->step[i].end_ps > at && !is_wiring;
        at = path->step[i].end_ps;
    }
    if (!sound || (path->n > 0 && at + 120 != longest_ps)) {
        print_error("seed %llu, stage %u: the path ends at %u ps, the stage takes %u\n", (unsigned long long)seed, stage, at, longest_ps);
        fail();
    }
}

static void test_random(void **state)
{
    Arena *arena = *state;
    uint32_t n_checked = 0;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        Rng rng = {.state = seed};
        CircuitRandomOptions options = {.n_nodes = 40, .n_modules = rng_below(&rng, 4), .states = seed % 5 == 0, .max_bits = 12};
        Circuit *circuit = circuit_random(arena, &rng, &options);
        TimeReport report;
        Circuit *result = pipeline(arena, circuit, 1400 + rng_below(&rng, 3000), rng_below(&rng, 2), &report);
        if (!result)
            continue; /* a loop through a module that needs registers */
        TimeTrace trace = time_trace(arena, result);
        assert_int_equal(trace.n_stages, report.latency_cycles + 1);
        if (holds_states(result))
            continue;
        for (uint32_t s = 0; s < trace.n_stages && s < report.n_stages; s++)
            check_path(seed, s, &trace.path[s], report.stage[s].longest_ps);
        n_checked++;
    }
    assert_true(n_checked > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_chain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_through_an_instance, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_random, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
