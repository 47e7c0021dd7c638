/* tests/diff/diff_verilog.c: random circuits: evaluator by event = evaluator by clock = emitted Verilog in Icarus.
 *
 *     diff_verilog [--count N] [--seed S] [--mutate] [--keep]
 *
 * Circuit i is drawn from seed S + i; hundreds share one simulation: their files, and one test bench that feeds all of them at each clock and prints
 * every output word. Half of them are drawn with their own delays, half without and then pipelined. --mutate changes an operator of each
 * text and succeeds if that shows. Status 0: no difference; 77 (skipped): no Icarus. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit/emit.h"
#include "time/time.h"
#include "tool/tool.h"

enum { CLOCKS = 24, IN_ONE_RUN = 200 };

typedef struct Case {
    uint64_t seed;
    Circuit *circuit;
    const char *top;
    bool clocked;
    i128 *in;             /* [CLOCKS][inputs] */
    const char **expected; /* [CLOCKS] hex words */
    const char *kind;
    bool mutated;
} Case;

typedef struct Run {
    Arena *arena;
    DiagList diags;
    bool mutate, keep;
    uint32_t differences, mutated, found;
} Run;

static i128 random_value(Rng *rng, const CircuitNode *node)
{
    Interval r = node->range;
    if (interval_is_point(r))
        return r.lo;
    if (rng_chance(rng, 6))
        return rng_chance(rng, 2) ? r.lo : r.hi;
    u128 steps = (u128)(r.hi - r.lo) >> r.zeros, draw = (u128)rng_u64(rng) << 64 | rng_u64(rng);
    return r.lo + (i128)((steps + 1 == 0 ? draw : draw % (steps + 1)) << r.zeros);
}

static void complain(const Run *run, const Case *c, const char *what)
{
    Text text = text_init(run->arena);
    circuit_print(&text, c->circuit);
    printf("seed %llu (%s): %s\n%s\nrepeat with: diff_verilog --count 1 --seed %llu\n", (unsigned long long)c->seed, c->kind, what, text.at,
           (unsigned long long)c->seed);
}

static Circuit *draw(Run *run, Rng *rng, Case *c)
{
    CircuitRandomOptions o = { .n_nodes = 3 + rng_below(rng, 50), .n_modules = rng_below(rng, 4), .max_bits = 1 + rng_below(rng, 64) };
    o.states = rng_chance(rng, 4);
    bool pipelined = rng_chance(rng, 2);
    o.delays = !pipelined && !rng_chance(rng, 4);
    Circuit *circuit = circuit_random(run->arena, rng, &o);
    c->kind = pipelined ? "pipelined" : o.delays ? "own delays" : "plain";
    if (!pipelined)
        return circuit;
    TimeOptions time = { .part = part_find("xcup"), .clock_ps = 1500 + rng_below(rng, 6000), .latency_cycles = -1 };
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
    if (!circuit_verify(result, "pipelined", &diags) || !circuit_check_latency(result, &latency, &diags) || latency != result->latency_cycles) {
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
    c->in = arena_array(run->arena, i128, (size_t)CLOCKS * n_in);
    c->expected = arena_array(run->arena, const char *, CLOCKS);
    i128 *out = arena_array(run->arena, i128, n_out);
    CircuitExecutor *by_clock = circuit_executor_create(run->arena, c->circuit, CIRCUIT_BY_CLOCK);
    CircuitExecutor *by_event = circuit_executor_create(run->arena, c->circuit, CIRCUIT_BY_EVENT);
    for (uint32_t k = 0; k < CLOCKS; k++) {
        i128 *in = c->in + (size_t)k * n_in;
        for (uint32_t i = 0; i < n_in; i++)
            in[i] = random_value(rng, circuit_node(top, top->inputs.at[i]));
        circuit_executor_run(by_clock, in, out);
        Text word = text_init(run->arena);
        emit_vector(&word, c->circuit, false, out);
        c->expected[k] = word.at;
    }
    for (uint32_t k = 0; k + latency < CLOCKS; k++) {
        circuit_executor_run(by_event, c->in + (size_t)k * n_in, out);
        Text word = text_init(run->arena);
        emit_vector(&word, c->circuit, false, out);
        if (!text_equal(word.at, c->expected[k + latency])) {
            complain(run, c, fmt(run->arena, "event %u is %s by event, %s by clock", k, word.at, c->expected[k + latency]));
            run->differences++;
            return;
        }
    }
}

/* One operator replaced; false if there is none. */
static bool mutate(char *text)
{
    static const char *const pairs[][2] = { { " + ", " - " }, { " - ", " + " }, { " < ", " > " }, { " * ", " + " }, { " & ", " | " }, { " ^ ", " & " }, { " == ", " != " } };
    for (uint32_t i = 0; i < COUNT_OF(pairs); i++) {
        char *at = strstr(text, pairs[i][0]);
        if (at) {
            memcpy(at, pairs[i][1], strlen(pairs[i][0]));
            return true;
        }
    }
    return false;
}

static void put_case(Run *run, Case *c, uint32_t number, Text *rtl)
{
    EmitOptions options = { .name = fmt(run->arena, "t%u", number) };
    EmitFiles files = { 0 };
    emit_verilog(run->arena, c->circuit, &options, &files, &run->diags);
    c->top = options.name;
    for (uint32_t i = 0; i < files.n; i++) {
        char *text = arena_strndup(run->arena, files.at[i].text, files.at[i].n);
        if (run->mutate && !c->mutated && text_equal(files.at[i].name, fmt(run->arena, "rtl/%s.v", c->top)))
            c->mutated = mutate(text);
        c->clocked = c->clocked || (text_equal(files.at[i].name, fmt(run->arena, "rtl/%s.v", c->top)) && strstr(text, "input wire clk,"));
        text_put(rtl, text);
    }
    run->mutated += c->mutated;
}

static void put_instance(const Case *c, uint32_t number, Text *bench)
{
    const CircuitModule *top = circuit_top(c->circuit);
    uint32_t in_bits = emit_vector_bits(c->circuit, true), out_bits = emit_vector_bits(c->circuit, false);
    text_add(bench, "    reg [%u:0] in%u; wire [%u:0] out%u;\n    %s dut%u (%s", u32_max(in_bits, 1) - 1, number, out_bits - 1, number, c->top, number,
             c->clocked ? ".clk(clk)" : "");
    const char *separator = c->clocked ? ", " : "";
    for (uint32_t side = 0; side < 2; side++) {
        uint32_t lsb = 0;
        for (uint32_t p = 0; p < (side ? top->out_ports.n : top->in_ports.n); p++) {
            const CircuitPort *port = side ? &top->out_ports.at[p] : &top->in_ports.at[p];
            uint32_t bits = 0;
            for (uint32_t i = 0; i < port->n; i++)
                bits += circuit_node(top, side ? top->outputs.at[port->first + i].ref : top->inputs.at[port->first + i])->type.bits;
            text_add(bench, "%s.%s(%s%u[%u:%u])", separator, port->name, side ? "out" : "in", number, lsb + bits - 1, lsb);
            separator = ", ";
            lsb += bits;
        }
    }
    text_put(bench, ");\n");
}

static void put_bench(Run *run, Case *cases, uint32_t n, Text *bench, Text *vectors)
{
    uint32_t widest = 1;
    for (uint32_t i = 0; i < n; i++)
        widest = u32_max(widest, emit_vector_bits(cases[i].circuit, true));
    text_add(bench, "module tb;\n    reg clk = 0;\n    integer k;\n    reg [%u:0] word [0:%u];\n", widest - 1, n * CLOCKS - 1);
    for (uint32_t i = 0; i < n; i++)
        put_instance(&cases[i], i, bench);
    text_add(bench, "    initial begin\n        $readmemh(\"in.hex\", word);\n        for (k = 0; k < %u; k = k + 1) begin\n", CLOCKS);
    for (uint32_t i = 0; i < n; i++)
        text_add(bench, "            in%u = word[%u + k];\n", i, i * CLOCKS);
    text_put(bench, "            #1;\n");
    for (uint32_t i = 0; i < n; i++)
        text_add(bench, "            $display(\"%u %%0d %%h\", k, out%u);\n", i, i);
    text_put(bench, "            clk = 1;\n            #1 clk = 0;\n        end\n        $finish;\n    end\nendmodule\n");
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < CLOCKS; k++) {
            emit_vector(vectors, cases[i].circuit, true, cases[i].in + (size_t)k * circuit_top(cases[i].circuit)->inputs.n);
            text_put(vectors, "\n");
        }
    (void)run;
}

/* Lines "case clock word". */
static void compare(Run *run, Case *cases, uint32_t n, const char *printed)
{
    bool *differs = arena_array(run->arena, bool, n);
    uint32_t *seen = arena_array(run->arena, uint32_t, n);
    for (const char *line = printed; *line; line = strchr(line, '\n') + 1) {
        char word[4096];
        unsigned i, k;
        if (sscanf(line, "%u %u %4095s", &i, &k, word) != 3 || i >= n || k >= CLOCKS)
            continue;
        seen[i]++;
        if (text_equal(word, cases[i].expected[k]) || differs[i])
            continue;
        differs[i] = true;
        run->found += cases[i].mutated;
        if (run->mutate)
            continue;
        complain(run, &cases[i], fmt(run->arena, "at clock %u Verilog gives %s, the evaluator %s", k, word, cases[i].expected[k]));
        run->differences++;
    }
    for (uint32_t i = 0; i < n; i++)
        if (seen[i] != CLOCKS) {
            complain(run, &cases[i], fmt(run->arena, "%u of %u clocks were printed", seen[i], CLOCKS));
            run->differences++;
        }
}

static bool simulate(Run *run, Case *cases, uint32_t n, const char *folder)
{
    Text rtl = text_init(run->arena), bench = text_init(run->arena), vectors = text_init(run->arena);
    for (uint32_t i = 0; i < n; i++)
        put_case(run, &cases[i], i, &rtl);
    put_bench(run, cases, n, &bench, &vectors);
    const char *path = path_join(run->arena, folder, "all.v");
    text_put_bytes(&rtl, bench.at, bench.n);
    if (!file_write(path, rtl.at, rtl.n, &run->diags) || !file_write(path_join(run->arena, folder, "in.hex"), vectors.at, vectors.n, &run->diags))
        return false;
    static const char *const compile[] = { "iverilog", "-g2005-sv", "-s", "tb", "-o", "all.vvp", "all.v", NULL };
    static const char *const go[] = { "vvp", "-n", "all.vvp", NULL };
    ProcessResult result = process_run(run->arena, compile, folder, (ProcessLimits){ .seconds = 1200 });
    if (result.status == 0)
        result = process_run(run->arena, go, folder, (ProcessLimits){ .seconds = 1200, .output_bytes = 1u << 30 });
    if (result.status != 0) {
        printf("Icarus: status %d\n%s\n%s\n", result.status, result.out, result.err);
        return false;
    }
    compare(run, cases, n, result.out);
    return true;
}

static bool run_chunk(Run *run, uint64_t seed, uint32_t n)
{
    Case *cases = arena_array(run->arena, Case, n);
    for (uint32_t i = 0; i < n; i++) {
        Rng rng = { .state = seed + i };
        cases[i].seed = seed + i;
        cases[i].circuit = draw(run, &rng, &cases[i]);
        evaluate(run, &rng, &cases[i]);
    }
    const char *folder = run->keep ? "." : folder_temporary(run->arena, &run->diags);
    return folder && simulate(run, cases, n, folder);
}

int main(int argc, char **argv)
{
    int64_t count = 200, seed = 1;
    bool mutation = false, keep = false;
    for (int i = 1; i < argc; i++) {
        if (i + 1 < argc && text_equal(argv[i], "--count") && text_to_i64(argv[i + 1], &count))
            i++;
        else if (i + 1 < argc && text_equal(argv[i], "--seed") && text_to_i64(argv[i + 1], &seed))
            i++;
        else if (text_equal(argv[i], "--mutate"))
            mutation = true;
        else if (text_equal(argv[i], "--keep"))
            keep = true;
        else
            return fprintf(stderr, "usage: diff_verilog [--count N] [--seed S] [--mutate] [--keep]\n"), 2;
    }
    printf("seed %lld, %lld circuits of %d clocks\n", (long long)seed, (long long)count, CLOCKS);
    uint32_t differences = 0, mutated = 0, found = 0;
    bool ran = true;
    for (int64_t at = 0; at < count && ran; at += IN_ONE_RUN) {
        Arena *arena = arena_create(NULL);
        if (!tool_simulator_present(arena, TOOL_ICARUS))
            return puts("skipped: Icarus Verilog is not installed"), 77;
        Run run = { .arena = arena, .diags = diag_init(arena), .mutate = mutation, .keep = keep };
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
        return ran && differences == 0 && found * 2 > mutated ? 0 : 1; /* some operators feed nothing that is read */
    }
    printf("%u differences\n", differences);
    return ran && differences == 0 ? 0 : 1;
}
