/* tests/diff/diff_graph.c: random graphs all the way: reference interpreter = circuit by event = pipelined circuit by clock = Verilog in
 * Icarus.
 *
 *     diff_graph [--count N] [--seed S] [--verbose]
 *
 * Graph i is drawn from seed S + i: several inputs and outputs, every op, type and mode, functions, scales that are no powers of two; typed
 * by the passes, lowered, optimised, pipelined for a random part and clock, emitted. Status 0: no difference; 77 (skipped): no Icarus. */
#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "lower/lower.h"
#include "pass/pass.h"
#include "run/ref/ref.h"
#include "time/time.h"
#include "tool/tool.h"

enum { EVENTS = 12, IN_ONE_RUN = 250, LATENCY_MAX = 40, CLOCKS = EVENTS + LATENCY_MAX };

typedef struct Case {
    uint64_t seed;
    Graph *graph;
    Circuit *pipelined;
    BatchCase batch;
} Case;

typedef struct Run {
    Arena *arena;
    DiagList diags;
    bool verbose;
    uint32_t differences, compared, refused;
} Run;

static void complain(Run *run, const Case *c, const char *what)
{
    printf("seed %llu: %s\nrepeat with: diff_graph --count 1 --verbose --seed %llu\n", (unsigned long long)c->seed, what,
           (unsigned long long)c->seed);
    run->differences++;
    if (!run->verbose)
        return;
    Text text = text_init(run->arena);
    graph_print(&text, c->graph, NULL);
    circuit_print(&text, c->pipelined);
    puts(text.at);
}

/* Everything between a graph and its registers. NULL: refused by name, which is an answer. */
static Circuit *build(Run *run, Rng *rng, Case *c, DiagList *diags)
{
    static const char *const PARTS[] = {"xcup", "xc7", "ecp5", "ice40", "generic"};
    GraphRandomOptions random = {.n_nodes = 2 + rng_below(rng, 9),
                                 .max_elements = 1 + rng_below(rng, 12),
                                 .scales = rng_chance(rng, 3),
                                 .modules = rng_chance(rng, 4)};
    PassOptions passes = pass_options_default();
    const PartModel *part = part_find(PARTS[rng_below(rng, COUNT_OF(PARTS))]);
    TimeOptions time = {
        .part = part, .clock_ps = 1500 + rng_below(rng, 12000), .latency_cycles = rng_chance(rng, 3) ? rng_between(rng, 2, 9) : -1};
    time.register_inputs = rng_chance(rng, 2);
    time.register_outputs = rng_chance(rng, 2);
    LowerOptions lower = {.part = part};
    TimeReport report;
    c->graph = pass_run_graph(run->arena, graph_random(run->arena, rng, &random), &passes, diags);
    Circuit *circuit = c->graph != NULL ? lower_graph(run->arena, c->graph, &lower, diags) : NULL;
    if (circuit == NULL || diag_failed(diags))
        return NULL;
    return time_pipeline(run->arena, pass_run_circuit(run->arena, circuit), &time, &report, diags);
}

/* Random events through the interpreters; the words that the Verilog must print. False: not to be simulated. */
static bool evaluate(Run *run, Rng *rng, Case *c)
{
    const CircuitModule *top = circuit_top(c->pipelined);
    uint32_t n_in = top->inputs.n, n_out = top->outputs.n, latency = c->pipelined->latency_cycles, check;
    DiagList diags = diag_init(run->arena);
    if (!circuit_verify(c->pipelined, "pipelined", &diags) || !circuit_check_latency(c->pipelined, &check, &diags) || check != latency) {
        Text text = text_init(run->arena);
        diag_print(&text, &diags);
        complain(run, c, fmt(run->arena, "the pipelined circuit is not sound\n%s", text.at));
        return false;
    }
    if (latency > LATENCY_MAX)
        return false;
    i128 *in = arena_array(run->arena, i128, (size_t)CLOCKS * n_in), *want = arena_array(run->arena, i128, (size_t)EVENTS * n_out);
    i128 *got = arena_array(run->arena, i128, n_out);
    const char **expected = arena_array(run->arena, const char *, CLOCKS);
    RefExecutor *ref = ref_create(run->arena, c->graph, REF_RAW);
    CircuitExecutor *by_event = circuit_executor_create(run->arena, c->pipelined, CIRCUIT_BY_EVENT);
    CircuitExecutor *by_clock = circuit_executor_create(run->arena, c->pipelined, CIRCUIT_BY_CLOCK);
    for (uint32_t k = 0; k < EVENTS + latency; k++) {
        i128 *event = in + (size_t)k * n_in;
        for (uint32_t i = 0; i < n_in; i++)
            event[i] = batch_random_value(rng, circuit_node(top, top->inputs.at[i]));
        circuit_executor_run(by_clock, event, got);
        if (k >= latency && memcmp(got, want + (size_t)(k - latency) * n_out, n_out * sizeof *got) != 0 && latency > 0)
            return complain(run, c,
                            fmt(run->arena, "event %u differs between the reference interpreter and the circuit by clock", k - latency)),
                   false;
        if (k >= EVENTS)
            continue;
        i128 *result = want + (size_t)k * n_out;
        ref_run_raw(ref, event, result);
        expected[k + latency] = batch_word(run->arena, c->pipelined, false, result);
        circuit_executor_run(by_event, event, got);
        if (memcmp(got, result, n_out * sizeof *got) != 0)
            return complain(run, c, fmt(run->arena, "event %u differs between the reference interpreter and the circuit by event", k)),
                   false;
    }
    c->batch = (BatchCase){.circuit = c->pipelined, .in = in, .expected = expected};
    return true;
}

static bool run_chunk(Run *run, uint64_t seed, uint32_t n)
{
    Case *cases = arena_array(run->arena, Case, n);
    BatchCase *batch = arena_array(run->arena, BatchCase, n);
    uint32_t used = 0;
    for (uint32_t i = 0; i < n; i++) {
        Rng rng = {seed + i};
        Case *c = &cases[used];
        DiagList diags = diag_init(run->arena);
        *c = (Case){.seed = seed + i};
        c->pipelined = build(run, &rng, c, &diags);
        if (c->pipelined == NULL) {
            run->refused++;
            continue;
        }
        if (evaluate(run, &rng, c))
            batch[used++] = c->batch;
    }
    BatchOptions options = {.clocks = CLOCKS, .folder = folder_temporary(run->arena, &run->diags)};
    if (options.folder == NULL || (used > 0 && !batch_simulate(run->arena, batch, used, &options, &run->diags)))
        return false;
    run->compared += used;
    for (uint32_t i = 0; i < used; i++) {
        const BatchCase *b = &batch[i];
        if (b->n_seen != CLOCKS)
            complain(run, &cases[i], fmt(run->arena, "%u of %u clocks were printed", b->n_seen, CLOCKS));
        else if (b->differs)
            complain(run, &cases[i],
                     fmt(run->arena, "at clock %u Verilog gives %s, the interpreter %s", b->clock, b->got, b->expected[b->clock]));
    }
    return true;
}

int main(int argc, char **argv)
{
    int64_t count = 200, seed = 1;
    bool verbose = false;
    for (int i = 1; i < argc; i++) {
        if (i + 1 < argc && text_equal(argv[i], "--count") && text_to_i64(argv[i + 1], &count))
            i++;
        else if (i + 1 < argc && text_equal(argv[i], "--seed") && text_to_i64(argv[i + 1], &seed))
            i++;
        else if (text_equal(argv[i], "--verbose"))
            verbose = true;
        else
            return fprintf(stderr, "usage: diff_graph [--count N] [--seed S] [--verbose]\n"), 2;
    }
    uint32_t differences = 0, compared = 0, refused = 0;
    bool ran = true;
    for (int64_t at = 0; at < count && ran; at += IN_ONE_RUN) {
        Arena *arena = arena_create(NULL);
        if (!tool_simulator_present(arena, TOOL_ICARUS))
            return puts("skipped: Icarus Verilog is not installed"), 77;
        Run run = {.arena = arena, .diags = diag_init(arena), .verbose = verbose};
        ran = run_chunk(&run, (uint64_t)(seed + at), (uint32_t)(count - at < IN_ONE_RUN ? count - at : IN_ONE_RUN));
        differences += run.differences;
        compared += run.compared;
        refused += run.refused;
        arena_destroy(arena);
    }
    printf("seed %lld: %u of %lld graphs through every engine, %u refused by name: %u differences\n", (long long)seed, compared,
           (long long)count, refused, differences);
    return ran && differences == 0 && compared * 2 > (uint32_t)count ? 0 : 1;
}
