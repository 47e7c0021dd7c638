/* tests/fuzz/middle_circuit.c: a parsed circuit through passes, pipelining and emission. */
#include <string.h>

#include "emit/emit.h"
#include "middle.h"
#include "pass/pass.h"
#include "time/time.h"

enum { MOST_NODES = 2000, MOST_REGISTERS = 1 << 16, MOST_ENTRIES = 1 << 12, MOST_LATENCY = 256, N_EVENTS = 6 };

void fuzz_circuit_text(Arena *arena, const Circuit *circuit)
{
    DiagList diags = diag_init(arena);
    Text text = text_init(arena), again = text_init(arena);
    circuit_print(&text, circuit);
    Circuit *parsed = circuit_parse(arena, fuzz_bytes_of(&text), "printed.circuit", &diags);
    if (parsed == NULL)
        diag_print(&text, &diags);
    FUZZ_MUST_NOTE(parsed != NULL, text.at);
    circuit_print(&again, parsed);
    FUZZ_MUST_EQUAL(&text, &again);
    FUZZ_MUST(circuit_equal(circuit, parsed));
}

/* Nodes and register words with every instance opened; capped. */
typedef struct Size {
    uint64_t nodes, registers, states;
} Size;

static Size size_of(Arena *arena, const Circuit *circuit)
{
    Size *size = arena_array(arena, Size, circuit->modules.n);
    for (uint32_t m = 0; m < circuit->modules.n; m++)
        for (uint32_t i = 0; i < circuit->modules.at[m]->nodes.n; i++) {
            const CircuitNode *node = &circuit->modules.at[m]->nodes.at[i];
            const Size *inner = node->op == CIRCUIT_instance ? &size[node->attr.index] : &(Size){0};
            size[m].nodes += 1 + inner->nodes;
            size[m].registers += inner->registers + (node->op == CIRCUIT_delay ? node->attr.index : node->op == CIRCUIT_state);
            size[m].states += inner->states + (node->op == CIRCUIT_state);
        }
    return size[circuit->modules.n - 1];
}

static bool is_small(Arena *arena, const Circuit *circuit)
{
    Size size = size_of(arena, circuit);
    uint64_t entries = 0, all = 0;
    for (uint32_t t = 0; t < circuit->tables.n; t++)
        entries += 1ull << circuit->tables.at[t].address_bits;
    for (uint32_t m = 0; m < circuit->modules.n; m++)
        all += circuit->modules.at[m]->nodes.n;
    return size.nodes <= MOST_NODES && size.registers <= MOST_REGISTERS && entries <= MOST_ENTRIES && all <= MOST_NODES;
}

/* [N_EVENTS][inputs], within the ranges that the inputs promise: limits first, then anything */
static i128 *make_events(Arena *arena, const Circuit *circuit, uint64_t seed)
{
    const CircuitModule *top = circuit_top(circuit);
    Rng rng = {seed};
    i128 *in = arena_array(arena, i128, (size_t)N_EVENTS * top->inputs.n);
    for (uint32_t event = 0; event < N_EVENTS; event++)
        for (uint32_t i = 0; i < top->inputs.n; i++) {
            Interval range = circuit_node(top, top->inputs.at[i])->range;
            uint32_t zeros = range.zeros > 126 ? 126 : range.zeros;
            u128 steps = (u128)(range.hi - range.lo) >> zeros, any = ((u128)rng_u64(&rng) << 64) | rng_u64(&rng);
            u128 step = event == 0 ? 0 : event == 1 ? steps : steps + 1 == 0 ? any : any % (steps + 1);
            in[event * top->inputs.n + i] = range.lo + (i128)(step << zeros);
        }
    return in;
}

static void check_values(const Circuit *circuit, const CircuitExecutor *executor)
{
    const CircuitModule *top = circuit_top(circuit);
    const i128 *value = circuit_executor_values(executor);
    for (uint32_t i = 0; i < top->nodes.n; i++) {
        const CircuitNode *node = circuit_node(top, i);
        if (node->op != CIRCUIT_instance)
            FUZZ_MUST_NOTE(interval_has(node->range, value[i]), circuit_op_info(node->op)->name);
    }
}

/* [N_EVENTS][outputs] */
static i128 *run_events(Arena *arena, const Circuit *circuit, const i128 *in)
{
    const CircuitModule *top = circuit_top(circuit);
    i128 *out = arena_array(arena, i128, (size_t)N_EVENTS * top->outputs.n);
    CircuitExecutor *executor = circuit_executor_create(arena, circuit, CIRCUIT_BY_EVENT);
    for (uint32_t event = 0; event < N_EVENTS; event++) {
        circuit_executor_run(executor, in + event * top->inputs.n, out + event * top->outputs.n);
        check_values(circuit, executor);
    }
    return out;
}

static i128 *run_clocks(Arena *arena, const Circuit *circuit, const i128 *in)
{
    const CircuitModule *top = circuit_top(circuit);
    i128 *out = arena_array(arena, i128, (size_t)N_EVENTS * top->outputs.n);
    CircuitExecutor *executor = circuit_executor_create(arena, circuit, CIRCUIT_BY_CLOCK);
    for (uint32_t clock = 0; clock < N_EVENTS + circuit->latency_cycles; clock++) {
        uint32_t event = clock < N_EVENTS ? clock : N_EVENTS - 1,
                 done = clock < circuit->latency_cycles ? 0 : clock - circuit->latency_cycles;
        circuit_executor_run(executor, in + event * top->inputs.n, out + done * top->outputs.n);
    }
    return out;
}

static void must_be_same(const Circuit *circuit, const i128 *a, const i128 *b, const char *what)
{
    FUZZ_MUST_NOTE(memcmp(a, b, (size_t)N_EVENTS * circuit_top(circuit)->outputs.n * sizeof *a) == 0, what);
}

static void must_be_sound(Arena *arena, const Circuit *circuit, const char *what)
{
    DiagList diags = diag_init(arena);
    bool ok = circuit_verify(circuit, what, &diags);
    Text text = text_init(arena);
    diag_print(&text, &diags);
    FUZZ_MUST_NOTE(ok, text.at);
}

static void emit(Arena *arena, const Circuit *circuit, uint64_t seed)
{
    DiagList diags = diag_init(arena);
    EmitFiles files = {0};
    EmitOptions options = {.name = "top", .valid = seed & 1, .enable = seed & 2, .reset = seed & 4, .heading = "a\nb */ `x"};
    bool ok = emit_verilog(arena, circuit, &options, &files, &diags) && emit_verilog_testbench(arena, circuit, &options, &files, &diags);
    FUZZ_OK_OR_TOLD(ok, &diags);
    for (uint32_t i = 0; i < files.n; i++)
        FUZZ_MUST_NOTE(strlen(files.at[i].text) == files.at[i].n, files.at[i].name);
}

static Circuit *pipeline(Arena *arena, const Circuit *circuit, uint64_t seed)
{
    static const char *const parts[] = {"xcup", "xc7", "ecp5", "ice40", "generic"};
    DiagList diags = diag_init(arena);
    TimeReport report;
    TimeOptions options = {.part = part_find(parts[seed % COUNT_OF(parts)]),
                           .clock_ps = seed % 3 == 0 ? 0 : 400 + (uint32_t)(seed % 7) * 500,
                           .latency_cycles = seed % 4 == 0 ? (int32_t)(seed % 5) + 2 : -1,
                           .register_inputs = seed & 8,
                           .register_outputs = seed & 16};
    Circuit *pipelined = time_pipeline(arena, circuit, &options, &report, &diags);
    FUZZ_OK_OR_TOLD(pipelined != NULL, &diags);
    return pipelined;
}

void fuzz_circuit_through(Arena *arena, const Circuit *circuit, uint64_t seed)
{
    if (!is_small(arena, circuit))
        return;
    const i128 *in = make_events(arena, circuit, seed), *expected = run_events(arena, circuit, in);
    Circuit *optimised = pass_run_circuit(arena, circuit);
    must_be_sound(arena, optimised, "optimised");
    must_be_same(circuit, expected, run_events(arena, optimised, in), "passes changed an output");

    Circuit *pipelined = pipeline(arena, optimised, seed);
    if (pipelined == NULL || pipelined->latency_cycles > MOST_LATENCY)
        return;
    must_be_sound(arena, pipelined, "pipelined");
    must_be_same(circuit, expected, run_events(arena, pipelined, in), "pipelining changed an output");
    Size size = size_of(arena, pipelined);
    if (size.registers <= 4 * MOST_REGISTERS && size.states == 0)
        must_be_same(circuit, expected, run_clocks(arena, pipelined, in), "by clock an output differs");
    fuzz_circuit_text(arena, pipelined);
    emit(arena, pipelined, seed);
}
