/* tests/diff/diff_verilog.c: random circuits: evaluator by event = evaluator by clock = emitted Verilog in Icarus, or emitted VHDL in
 * GHDL.
 *
 *     diff_verilog [--count N] [--seed S] [--vhdl] [--mutate] [--keep]
 *
 * Circuit i is drawn from seed S + i; hundreds share one simulation: their files, and one test bench that feeds all of them at each clock
 * and prints every output word. Half of them are drawn with their own delays, half without and then pipelined. --mutate changes an operator
 * of each text and succeeds if that shows. Status 0: no difference; 77 (skipped): no simulator. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "time/time.h"
#include "tool/tool.h"

enum { CLOCKS = 24, IN_ONE_RUN = 200 };

typedef struct Case {
    uint64_t seed;
    Circuit *circuit;
    const char *kind;
    BatchCase batch;
} Case;

typedef struct Run {
    Arena *arena;
    DiagList diags;
    bool vhdl, mutate, keep;
    uint32_t differences, mutated, found;
} Run;

static void complain(const Run *run, const Case *c, const char *what)
{
    Text text = text_init(run->arena);
    circuit_print(&text, c->circuit);
    printf("seed %llu (%s): %s\n%s\nrepeat with: diff_verilog --count 1 --seed %llu%s\n", (unsigned long long)c->seed, c->kind, what,
           text.at, (unsigned long long)c->seed, run->vhdl ? " --vhdl" : "");
}

static Circuit *draw(Run *run, Rng *rng, Case *c)
{
    CircuitRandomOptions o = {.n_nodes = 3 + rng_below(rng, 50), .n_modules = rng_below(rng, 4), .max_bits = 1 + rng_below(rng, 64)};
    o.states = rng_chance(rng, 4);
    bool pipelined = rng_chance(rng, 2);
    o.delays = !pipelined && !rng_chance(rng, 4);
    Circuit *circuit = circuit_random(run->arena, rng, &o);
    c->kind = pipelined ? "pipelined" : o.delays ? "own delays" : "plain";
    if (!pipelined)
        return circuit;
    TimeOptions time = {.part = part_find("xcup"), .clock_ps = 1500 + rng_below(rng, 6000), .latency_cycles = -1};
    time.register_inputs = rng_chance(rng, 2);
    time.register_outputs = rng_chance(rng, 2);
    if (rng_chance(rng, 3))
        time.latency_cycles = rng_between(rng, 2, 7);
    TimeReport report;
    Circuit *result = time_pipeline(run->arena, circuit, &time, &report, &run->diags);
    if (!result) { /* a loop through a state and a deep module: no registers may stand there */
        c->kind = "plain";
        return circuit;
    }
    uint32_t latency;
    DiagList diags = diag_init(run->arena);
    c->circuit = result;
    if (!circuit_verify(result, "pipelined", &diags) || !circuit_check_latency(result, &latency, &diags) ||
        latency != result->latency_cycles) {
        Text text = text_init(run->arena);
        diag_print(&text, &diags);
        printf("%s", text.at);
        complain(run, c, "the pipelined circuit is not sound");
        run->differences++;
    }
    return result;
}

/* Expected words by clock; by event they must be the same, latency_cycles earlier. */
static void evaluate(Run *run, Rng *rng, Case *c)
{
    const CircuitModule *top = circuit_top(c->circuit);
    uint32_t n_in = top->inputs.n, n_out = top->outputs.n, latency = c->circuit->latency_cycles;
    i128 *events = arena_array(run->arena, i128, (size_t)CLOCKS * n_in);
    const char **expected = arena_array(run->arena, const char *, CLOCKS);
    EmitPrimitives primitives = (EmitPrimitives)rng_below(rng, EMIT_CARRY4 + 1);
    c->batch = (BatchCase){.circuit = c->circuit, .in = events, .expected = expected, .primitives = primitives};
    i128 *out = arena_array(run->arena, i128, n_out);
    CircuitExecutor *by_clock = circuit_executor_create(run->arena, c->circuit, CIRCUIT_BY_CLOCK);
    CircuitExecutor *by_event = circuit_executor_create(run->arena, c->circuit, CIRCUIT_BY_EVENT);
    for (uint32_t k = 0; k < CLOCKS; k++) {
        i128 *in = events + (size_t)k * n_in;
        for (uint32_t i = 0; i < n_in; i++)
            in[i] = batch_random_value(rng, circuit_node(top, top->inputs.at[i]));
        circuit_executor_run(by_clock, in, out);
        expected[k] = batch_word(run->arena, c->circuit, false, out);
    }
    for (uint32_t k = 0; k + latency < CLOCKS; k++) {
        circuit_executor_run(by_event, events + (size_t)k * n_in, out);
        const char *word = batch_word(run->arena, c->circuit, false, out);
        if (!text_equal(word, expected[k + latency])) {
            complain(run, c, fmt(run->arena, "event %u is %s by event, %s by clock", k, word, expected[k + latency]));
            run->differences++;
            return;
        }
    }
}

/* The last operator of a text replaced, which most outputs need; false if there is none. */
static bool mutate(char *text, const char *const (*pairs)[2], size_t n)
{
    char *found = NULL;
    const char *by = NULL;
    for (size_t i = 0; i < n; i++)
        for (char *at = strstr(text, pairs[i][0]); at != NULL; at = strstr(at + 1, pairs[i][0]))
            if (at > found) {
                found = at;
                by = pairs[i][1];
            }
    if (found != NULL)
        memcpy(found, by, strlen(by));
    return found != NULL;
}

static bool mutate_verilog(char *text)
{
    static const char *const pairs[][2] = {{" + ", " - "}, {" - ", " + "}, {" < ", " > "},  {" * ", " + "},
                                           {" & ", " | "}, {" ^ ", " & "}, {" == ", " != "}};
    return mutate(text, pairs, COUNT_OF(pairs));
}

static bool mutate_vhdl(char *text)
{
    static const char *const pairs[][2] = {{" + ", " - "},     {" - ", " + "},       {" < ", " > "},      {" and ", " or  "},
                                           {" xor ", " and "}, {" = '1'", " = '0'"}, {" = '0'", " = '1'"}};
    return mutate(text, pairs, COUNT_OF(pairs));
}

static void judge(Run *run, Case *c)
{
    const BatchCase *b = &c->batch;
    run->mutated += b->edited;
    if (b->n_seen != CLOCKS) {
        complain(run, c, fmt(run->arena, "%u of %u clocks were printed", b->n_seen, CLOCKS));
        run->differences++;
    } else if (b->differs && run->mutate) {
        run->found += b->edited;
    } else if (b->differs) {
        complain(run, c,
                 fmt(run->arena, "at clock %u %s gives %s, the evaluator %s", b->clock, run->vhdl ? "VHDL" : "Verilog", b->got,
                     b->expected[b->clock]));
        run->differences++;
    }
}

static bool run_chunk(Run *run, uint64_t seed, uint32_t n)
{
    Case *cases = arena_array(run->arena, Case, n);
    BatchCase *batch = arena_array(run->arena, BatchCase, n);
    for (uint32_t i = 0; i < n; i++) {
        Rng rng = {.state = seed + i};
        cases[i].seed = seed + i;
        cases[i].circuit = draw(run, &rng, &cases[i]);
        evaluate(run, &rng, &cases[i]);
        batch[i] = cases[i].batch;
    }
    BatchOptions options = {.clocks = CLOCKS,
                            .vhdl = run->vhdl,
                            .folder = run->keep ? "." : folder_temporary(run->arena, &run->diags),
                            .edit = !run->mutate ? NULL
                                    : run->vhdl  ? mutate_vhdl
                                                 : mutate_verilog};
    if (options.folder == NULL || !batch_simulate(run->arena, batch, n, &options, &run->diags))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        cases[i].batch = batch[i];
        judge(run, &cases[i]);
    }
    return true;
}

int main(int argc, char **argv)
{
    int64_t count = 200, seed = 1;
    bool vhdl = false, mutation = false, keep = false;
    for (int i = 1; i < argc; i++) {
        if (i + 1 < argc && text_equal(argv[i], "--count") && text_to_i64(argv[i + 1], &count))
            i++;
        else if (i + 1 < argc && text_equal(argv[i], "--seed") && text_to_i64(argv[i + 1], &seed))
            i++;
        else if (text_equal(argv[i], "--vhdl"))
            vhdl = true;
        else if (text_equal(argv[i], "--mutate"))
            mutation = true;
        else if (text_equal(argv[i], "--keep"))
            keep = true;
        else
            return fprintf(stderr, "usage: diff_verilog [--count N] [--seed S] [--vhdl] [--mutate] [--keep]\n"), 2;
    }
    printf("seed %lld, %lld circuits of %d clocks\n", (long long)seed, (long long)count, CLOCKS);
    uint32_t differences = 0, mutated = 0, found = 0;
    bool ran = true;
    for (int64_t at = 0; at < count && ran; at += IN_ONE_RUN) {
        Arena *arena = arena_create(NULL);
        if (!tool_simulator_present(arena, vhdl ? TOOL_GHDL : TOOL_ICARUS))
            return printf("skipped: %s is not installed\n", vhdl ? "GHDL" : "Icarus Verilog"), 77;
        Run run = {.arena = arena, .diags = diag_init(arena), .vhdl = vhdl, .mutate = mutation, .keep = keep};
        ran = run_chunk(&run, (uint64_t)(seed + at), (uint32_t)(count - at < IN_ONE_RUN ? count - at : IN_ONE_RUN));
        differences += run.differences;
        mutated += run.mutated;
        found += run.found;
        if (run.diags.n_errors > 0 && !ran) {
            Text text = text_init(arena);
            diag_print(&text, &run.diags);
            printf("%s", text.at);
        }
        arena_destroy(arena);
    }
    if (mutation) {
        printf("%u of %u mutations found\n", found, mutated);
        return ran && differences == 0 && found * 4 > mutated ? 0 : 1; /* many operators of a random circuit feed nothing that is read */
    }
    printf("%u differences\n", differences);
    return ran && differences == 0 ? 0 : 1;
}
