/* tests/diff/diff_nets.c: random small nets (nets.h) all the way, each with a target, effort, adders, depth and clock drawn at random:
 *
 *     net == optimised circuit by event == pipelined circuit by clock == Verilog in Icarus (the first of them)
 *
 *     diff_nets [--count N] [--seed S] [--icarus N] [--mutate] [--prove] [--verbose]
 *     diff_nets SEED COUNT
 *
 * Net i is drawn from seed S + i. Few enough input bits are gone through exhaustively. --mutate changes one constant or sign of each
 * circuit and counts how many are found. --prove asks for proofs instead: of a right circuit most are shown and none is
 * refuted, of a mutated one none is shown that an event contradicts. SEED COUNT prints nets and events with the words of the optimised
 * circuit at the outputs, for graph_oracle.py, which works them out from their definitions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "lower/lower.h"
#include "nets.h"
#include "pass/pass.h"
#include "prove/prove.h"
#include "run/ref/ref.h"
#include "time/time.h"
#include "tool/tool.h"

enum { EVENTS = 48, MOST_EVENTS = 1 << 12, CLOCKS = 40, IN_ONE_RUN = 250 };

typedef struct Case {
    Arena *arena;
    uint64_t seed;
    Rng rng;
    const Graph *net, *typed;
    Circuit *circuit, *pipelined;
    BatchCase batch;
} Case;

typedef struct Totals {
    uint32_t compared, simulated, refused, differences, mutated, found, shown;
    uint64_t events;
    bool verbose, mutate, prove;
} Totals;

static void complain(Totals *totals, const Case *c, const char *what)
{
    totals->differences++;
    printf("seed %llu: %s\nrepeat with: diff_nets --count 1 --icarus 1 --verbose --seed %llu\n", (unsigned long long)c->seed, what,
           (unsigned long long)c->seed);
    if (!totals->verbose)
        return;
    Text text = text_init(c->arena);
    graph_print(&text, c->net, NULL);
    circuit_print(&text, c->circuit);
    if (c->pipelined != NULL)
        circuit_print(&text, c->pipelined);
    puts(text.at);
}

/* False: refused by name, which is an answer. */
static bool build(Case *c)
{
    static const char *const PARTS[] = {"xcup", "xc7", "ecp5", "ice40", "generic"};
    const PartModel *part = part_find(PARTS[rng_below(&c->rng, COUNT_OF(PARTS))]);
    bool threes = part_with_primitives(part) != NULL && rng_chance(&c->rng, 2);
    if (threes && rng_chance(&c->rng, 2))
        part = part_with_primitives(part);
    uint32_t draw = rng_below(&c->rng, 64); /* the longer searches take longer */
    LowerOptions lower = {.part = part,
                          .adders = threes ? 3 : 2,
                          .effort = draw == 0   ? 3u
                                    : draw < 3  ? 2u
                                    : draw < 34 ? 1u
                                                : 0u,
                          .depth_extra = rng_below(&c->rng, 4)};
    TimeOptions time = {.part = part,
                        .clock_ps = 1500 + rng_below(&c->rng, 12000),
                        .latency_cycles = rng_chance(&c->rng, 3) ? rng_between(&c->rng, 2, 9) : -1,
                        .register_inputs = rng_chance(&c->rng, 2),
                        .register_outputs = rng_chance(&c->rng, 2)};
    PassOptions passes = pass_options_default();
    DiagList diags = diag_init(c->arena);
    TimeReport report;
    c->net = net_random(c->arena, &c->rng);
    c->typed = c->net != NULL ? pass_run_graph(c->arena, c->net, &passes, &diags) : NULL;
    c->circuit = c->typed != NULL ? lower_graph(c->arena, c->typed, &lower, &diags) : NULL;
    if (c->circuit == NULL || diag_failed(&diags))
        return false;
    c->circuit = pass_run_circuit(c->arena, c->circuit);
    c->pipelined = time_pipeline(c->arena, c->circuit, &time, &report, &diags);
    return c->pipelined != NULL;
}

static bool sound(Totals *totals, const Case *c, const Circuit *circuit)
{
    DiagList diags = diag_init(c->arena);
    uint32_t latency;
    if (circuit_verify(circuit, "diff_nets", &diags) &&
        (circuit->latency_cycles == 0 || (circuit_check_latency(circuit, &latency, &diags) && latency == circuit->latency_cycles)))
        return true;
    Text text = text_init(c->arena);
    diag_print(&text, &diags);
    complain(totals, c, text.at);
    return false;
}

/* All values of the inputs where they are few: in[] counts up. False when it starts again. */
static bool next_event(const CircuitModule *top, i128 *in)
{
    for (uint32_t i = 0; i < top->inputs.n; i++) {
        Interval r = circuit_node(top, top->inputs.at[i])->range;
        if (r.lo == r.hi)
            continue;
        in[i] += (i128)1 << r.zeros;
        if (in[i] <= r.hi)
            return true;
        in[i] = r.lo;
    }
    return false;
}

static uint64_t all_events(const CircuitModule *top, i128 *in)
{
    uint64_t n = 1;
    for (uint32_t i = 0; i < top->inputs.n; i++) {
        Interval r = circuit_node(top, top->inputs.at[i])->range;
        in[i] = r.lo;
        n *= r.lo == r.hi ? 1 : (uint64_t)((r.hi - r.lo) >> r.zeros) + 1;
        if (n > MOST_EVENTS)
            return 0;
    }
    return n;
}

/* The net as it was drawn against the circuit, by event. */
static bool same_by_event(Totals *totals, Case *c, const Circuit *circuit, bool complains)
{
    uint32_t n_in = net_values(c->typed, true), n_out = net_values(c->typed, false);
    i128 *in = arena_array(c->arena, i128, n_in), *want = arena_array(c->arena, i128, n_out), *got = arena_array(c->arena, i128, n_out);
    RefExecutor *ref = ref_create(c->arena, c->net, REF_RAW);
    CircuitExecutor *executor = circuit_executor_create(c->arena, circuit, CIRCUIT_BY_EVENT);
    uint64_t all = all_events(circuit_top(circuit), in), n = all > 0 ? all : EVENTS;
    for (uint64_t k = 0; k < n; k++) {
        if (all == 0)
            net_random_event(c->typed, &c->rng, in);
        else if (k > 0)
            next_event(circuit_top(circuit), in);
        ref_run_raw(ref, in, want);
        circuit_executor_run(executor, in, got);
        totals->events++;
        for (uint32_t i = 0; i < n_out; i++)
            if (want[i] != got[i]) {
                if (complains)
                    complain(totals, c,
                             fmt(c->arena, "output %u of event %llu is %lld, the circuit gives %lld", i, (unsigned long long)k,
                                 (long long)want[i], (long long)got[i]));
                return false;
            }
    }
    return true;
}

/* By clock against by event, and the words that the Verilog must print. */
static bool clock_words(Totals *totals, Case *c)
{
    uint32_t n_in = net_values(c->typed, true), n_out = net_values(c->typed, false), latency = c->pipelined->latency_cycles;
    i128 *in = arena_array(c->arena, i128, (size_t)CLOCKS * n_in), *want = arena_array(c->arena, i128, n_out),
         *got = arena_array(c->arena, i128, n_out);
    const char **expected = arena_array(c->arena, const char *, CLOCKS);
    RefExecutor *ref = ref_create(c->arena, c->net, REF_RAW);
    CircuitExecutor *executor = circuit_executor_create(c->arena, c->pipelined, CIRCUIT_BY_CLOCK);
    for (uint32_t k = 0; k < CLOCKS; k++) {
        net_random_event(c->typed, &c->rng, in + (size_t)k * n_in);
        circuit_executor_run(executor, in + (size_t)k * n_in, got);
        if (k < latency)
            continue;
        ref_run_raw(ref, in + (size_t)(k - latency) * n_in, want);
        expected[k] = batch_word(c->arena, c->pipelined, false, want);
        if (memcmp(want, got, n_out * sizeof *got) != 0) {
            complain(totals, c, fmt(c->arena, "event %u is not what leaves the pipeline %u clocks later", k - latency, latency));
            return false;
        }
    }
    c->batch = (BatchCase){.circuit = c->pipelined, .in = in, .expected = expected};
    return true;
}

/* One sum becomes a difference, or the other way round, or a constant moves by one step. False: there is neither. */
static bool mutate(Rng *rng, const Circuit *circuit)
{
    const CircuitModule *top = circuit_top(circuit);
    for (uint32_t k = 0, at = rng_below(rng, u32_max(1, top->nodes.n)); k < top->nodes.n; k++, at = (at + 1) % top->nodes.n) {
        CircuitNode *node = circuit_node(top, at);
        if (node->op == CIRCUIT_add || node->op == CIRCUIT_sub)
            node->op = node->op == CIRCUIT_add ? CIRCUIT_sub : CIRCUIT_add;
        else if (node->op == CIRCUIT_constant && node->attr.value < fixed_max(node->type))
            node->attr.value++;
        else
            continue;
        return true;
    }
    return false;
}

static ProveVerdict prove(Case *c, const Circuit *design, bool verbose)
{
    LowerOptions plain = {.part = part_find("xcup"), .plain = true};
    ProveOptions options = prove_options_default(c->arena);
    DiagList diags = diag_init(c->arena);
    options.exhaustive_log2 = 14;
    Circuit *model = lower_graph(c->arena, c->typed, &plain, &diags);
    ProveVerdict verdict = model != NULL ? prove_cones(c->arena, model, design, &options, &diags).verdict : PROVE_NOT_SHOWN;
    if (verbose) {
        Text text = text_init(c->arena);
        diag_print(&text, &diags);
        printf("seed %llu: %s\n%s", (unsigned long long)c->seed, prove_verdict_text(verdict), text.at);
    }
    return verdict;
}

static void check_proof(Totals *totals, Case *c)
{
    bool mutated = totals->mutate && mutate(&c->rng, c->circuit);
    ProveVerdict verdict = prove(c, mutated ? c->circuit : c->pipelined, totals->verbose);
    bool same = same_by_event(totals, c, c->circuit, false);
    totals->mutated += mutated;
    totals->found += mutated && !same;
    totals->shown += verdict == PROVE_SHOWN;
    if (mutated ? verdict == PROVE_SHOWN && !same : verdict == PROVE_REFUTED)
        complain(totals, c, mutated ? "a proof says what is not so" : "a right circuit is refuted");
}

static void run_case(Totals *totals, Case *c, bool simulated)
{
    c->rng = (Rng){c->seed};
    if (!build(c)) {
        totals->refused++;
        return;
    }
    totals->compared++;
    if (totals->prove) {
        check_proof(totals, c);
        return;
    }
    if (totals->mutate) {
        bool mutated = mutate(&c->rng, c->circuit);
        totals->mutated += mutated;
        totals->found += mutated && !same_by_event(totals, c, c->circuit, false);
        return;
    }
    if (sound(totals, c, c->circuit) && sound(totals, c, c->pipelined) && same_by_event(totals, c, c->circuit, true) &&
        c->pipelined->latency_cycles < CLOCKS && !clock_words(totals, c))
        c->batch.circuit = NULL;
    if (!simulated)
        c->batch.circuit = NULL;
}

static bool simulate(Totals *totals, Arena *arena, Case *cases, uint32_t n)
{
    BatchCase *batch = arena_array(arena, BatchCase, n);
    Case **of = arena_array(arena, Case *, n);
    uint32_t used = 0;
    for (uint32_t i = 0; i < n; i++)
        if (cases[i].batch.circuit != NULL) {
            of[used] = &cases[i];
            batch[used++] = cases[i].batch;
        }
    DiagList diags = diag_init(arena);
    BatchOptions options = {.clocks = CLOCKS, .folder = folder_temporary(arena, &diags)};
    if (used == 0)
        return true;
    if (options.folder == NULL || !batch_simulate(arena, batch, used, &options, &diags))
        return false;
    for (uint32_t i = 0; i < used; i++) {
        const BatchCase *b = &batch[i];
        if (b->n_seen != CLOCKS)
            complain(totals, of[i], fmt(arena, "%u of %u clocks were printed", b->n_seen, CLOCKS));
        else if (b->differs)
            complain(totals, of[i], fmt(arena, "at clock %u Verilog gives %s, the net %s", b->clock, b->got, b->expected[b->clock]));
    }
    totals->simulated += used;
    return true;
}

static int print_for_oracle(uint64_t seed, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        Arena *arena = arena_create(NULL);
        Case c = {.arena = arena, .seed = seed};
        do /* the next one that is not refused */
            c.rng = (Rng){c.seed += 1000003};
        while (!build(&c));
        seed = c.seed;
        const GraphModule *top = graph_top(c.net);
        GraphRef y = top->outputs.at[0].ref;
        const GraphNode *node = graph_node(top, y);
        uint32_t n_in = net_values(c.net, true), n_out = net_values(c.net, false);
        i128 *in = arena_array(arena, i128, n_in), *out = arena_array(arena, i128, n_out);
        CircuitExecutor *executor = circuit_executor_create(arena, c.circuit, CIRCUIT_BY_EVENT);
        Text text = text_init(arena);
        text_add(&text, "%%graph %u\n", i);
        graph_print(&text, c.net, NULL);
        for (uint32_t k = 0; k < 8; k++) {
            net_random_event(c.net, &c.rng, in);
            circuit_executor_run(executor, in, out);
            text_put(&text, "%event\nin");
            for (uint32_t e = 0; e < n_in; e++)
                text_add(&text, " %s", text_i128(arena, in[e]));
            text_add(&text, "\nnode %u", y);
            for (uint32_t e = 0; e < n_out; e++) {
                Rational value = rational_from_raw(arena, out[e], type_at(&node->type, node->shape, e).frac);
                text_put(&text, " ");
                text_put_big(&text, value.num);
                text_put(&text, "/");
                text_put_big(&text, value.den);
            }
            text_put(&text, "\n");
        }
        fputs(text.at, stdout);
        arena_destroy(arena);
    }
    puts("%end");
    return 0;
}

int main(int argc, char **argv)
{
    int64_t count = 200, seed = 1, icarus = 0, number;
    Totals totals = {0};
    if (argc == 3 && text_to_i64(argv[1], &seed) && text_to_i64(argv[2], &count))
        return print_for_oracle((uint64_t)seed, (uint32_t)count);
    for (int i = 1; i < argc; i++) {
        bool has_number = i + 1 < argc && text_to_i64(argv[i + 1], &number);
        if (has_number && text_equal(argv[i], "--count"))
            count = number, i++;
        else if (has_number && text_equal(argv[i], "--seed"))
            seed = number, i++;
        else if (has_number && text_equal(argv[i], "--icarus"))
            icarus = number, i++;
        else if (text_equal(argv[i], "--mutate"))
            totals.mutate = true;
        else if (text_equal(argv[i], "--prove"))
            totals.prove = true;
        else if (text_equal(argv[i], "--verbose"))
            totals.verbose = true;
        else
            return fprintf(stderr, "usage: diff_nets [--count N] [--seed S] [--icarus N] [--mutate] [--prove] [--verbose]\n"), 2;
    }
    bool ran = true, has_icarus = tool_simulator_present(arena_create(NULL), TOOL_ICARUS);
    for (int64_t at = 0; at < count && ran; at += IN_ONE_RUN) {
        Arena *arena = arena_create(NULL);
        uint32_t n = (uint32_t)(count - at < IN_ONE_RUN ? count - at : IN_ONE_RUN);
        Case *cases = arena_array(arena, Case, n);
        for (uint32_t i = 0; i < n; i++) {
            cases[i] = (Case){.arena = arena_child(arena), .seed = (uint64_t)(seed + at + i)};
            run_case(&totals, &cases[i], has_icarus && at + i < icarus);
        }
        ran = simulate(&totals, arena, cases, n);
        arena_destroy(arena);
    }
    if (totals.prove) {
        printf("seed %lld: %u of %u proofs shown, %u of %u circuits wrong, %u proofs wrong\n", (long long)seed, totals.shown,
               totals.compared, totals.found, totals.compared, totals.differences);
        return totals.differences > 0 || (totals.mutate ? totals.found * 3 <= totals.mutated : totals.shown * 3 < totals.compared * 2);
    }
    if (totals.mutate) {
        printf("seed %lld: %u of %u mutations found\n", (long long)seed, totals.found, totals.mutated);
        return totals.found * 3 > totals.mutated ? 0 : 1; /* many a sum is rounded or saturated away */
    }
    printf("seed %lld: %u of %lld nets, %llu events, %u of them through Icarus, %u refused by name: %u differences\n", (long long)seed,
           totals.compared, (long long)count, (unsigned long long)totals.events, totals.simulated, totals.refused, totals.differences);
    return ran && totals.differences == 0 && totals.compared * 10 > (uint32_t)count * 9 ? 0 : 1;
}
