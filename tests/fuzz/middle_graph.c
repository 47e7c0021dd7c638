/* tests/fuzz/middle_graph.c: a parsed graph through inference, typing and lowering. */
#include <string.h>

#include "lower/lower.h"
#include "middle.h"
#include "pass/pass.h"
#include "run/ref/ref.h"

enum { MOST_NODES = 200, MOST_ELEMENTS = 1 << 12, MOST_WIRES = 1 << 15, N_EVENTS = 4 };

void fuzz_graph_text(Arena *arena, const Graph *graph)
{
    DiagList diags = diag_init(arena);
    Text text = text_init(arena), again = text_init(arena);
    graph_print(&text, graph, NULL);
    Graph *parsed = graph_parse(arena, fuzz_bytes_of(&text), "printed.graph", &diags);
    if (parsed == NULL)
        diag_print(&text, &diags);
    FUZZ_MUST_NOTE(parsed != NULL, text.at);
    graph_print(&again, parsed, NULL);
    FUZZ_MUST_EQUAL(&text, &again);
    FUZZ_MUST(graph_equal(graph, parsed));
}

/* Elements and constant numbers in all, and multiplications as far as they are easy to see. */
static bool is_small(const Graph *graph)
{
    uint64_t nodes = 0, elements = 0, products = 0;
    for (uint32_t m = 0; m < graph->modules.n; m++)
        for (uint32_t i = 0; i < graph->modules.at[m]->nodes.n; i++) {
            const GraphModule *module = graph->modules.at[m];
            const GraphNode *node = graph_node(module, i);
            nodes++;
            elements += shape_size(node->shape);
            if (node->op == GRAPH_dense || node->op == GRAPH_conv2d)
                products += (uint64_t)shape_size(node->shape) * shape_size(graph_input_node(module, node, 1)->shape);
            if (node->op == GRAPH_max_pool)
                products += (uint64_t)shape_size(node->shape) * node->attr.pool->height * node->attr.pool->width;
            if (node->op == GRAPH_threshold)
                products += (uint64_t)shape_size(node->shape) * node->attr.threshold->n_steps;
        }
    for (uint32_t m = 0; m < graph->modules.n; m++)
        if (graph->modules.n > 8 || (graph->modules.n > 1 && nodes > 64))
            return false; /* calls of calls multiply */
    return nodes <= MOST_NODES && elements <= MOST_ELEMENTS && products <= MOST_WIRES;
}

static uint32_t width_of_inputs(const GraphModule *top)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < top->inputs.n; i++)
        n += shape_size(graph_node(top, top->inputs.at[i])->shape);
    return n;
}

static uint32_t width_of_outputs(const GraphModule *top)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < top->outputs.n; i++)
        n += shape_size(graph_node(top, top->outputs.at[i].ref)->shape);
    return n;
}

static void run_doubles(Arena *arena, const Graph *graph, RefNumbers numbers, uint64_t seed)
{
    const GraphModule *top = graph_top(graph);
    Rng rng = {seed};
    uint32_t n = width_of_inputs(top);
    double *in = arena_array(arena, double, n), *out = arena_array(arena, double, width_of_outputs(top));
    RefExecutor *executor = ref_create(arena, graph, numbers);
    for (uint32_t event = 0; event < N_EVENTS; event++) {
        for (uint32_t i = 0; i < n; i++)
            in[i] = event == 0 ? 1e300 : (rng_unit(&rng) - 0.5) * 16;
        ref_run_f64(executor, in, out);
    }
}

/* One event of raw inputs: limits of their types, or anything in them. */
static void make_event(const GraphModule *top, Rng *rng, uint32_t event, i128 *in)
{
    for (uint32_t i = 0; i < top->inputs.n; i++) {
        const GraphNode *node = graph_node(top, top->inputs.at[i]);
        for (uint32_t k = 0; k < shape_size(node->shape); k++) {
            FixedType type = type_at(&node->type, node->shape, k);
            i128 any = fixed_wrap((i128)rng_u64(rng), type);
            *in++ = event == 0 ? fixed_min(type) : event == 1 ? fixed_max(type) : any;
        }
    }
}

/* The typed graph's integers are the circuit's, output by output. */
static void compare(Arena *arena, const Graph *typed, const Circuit *circuit, uint64_t seed)
{
    const GraphModule *top = graph_top(typed);
    uint32_t n_in = width_of_inputs(top), n_out = width_of_outputs(top);
    FUZZ_MUST(circuit_top(circuit)->inputs.n == n_in && circuit_top(circuit)->outputs.n == n_out);
    i128 *in = arena_array(arena, i128, n_in), *expected = arena_array(arena, i128, n_out), *got = arena_array(arena, i128, n_out);
    RefExecutor *ref = ref_create(arena, typed, REF_RAW);
    CircuitExecutor *executor = circuit_executor_create(arena, circuit, CIRCUIT_BY_EVENT);
    Rng rng = {seed};
    for (uint32_t event = 0; event < N_EVENTS; event++) {
        make_event(top, &rng, event, in);
        ref_run_raw(ref, in, expected);
        circuit_executor_run(executor, in, got);
        uint32_t at = 0;
        for (uint32_t p = 0; p < top->outputs.n; p++) {
            const GraphNode *node = graph_node(top, top->outputs.at[p].ref);
            for (uint32_t k = 0; k < shape_size(node->shape); k++, at++)
                FUZZ_MUST_NOTE(expected[at] == got[at], top->outputs.at[p].name);
        }
    }
}

static PassOptions options_of(uint64_t seed)
{
    PassOptions options = pass_options_default();
    options.file = "x";
    options.head = (Head)(seed % 4);
    options.cut = 0.5;
    return options;
}

void fuzz_graph_through(Arena *arena, const Graph *graph, uint64_t seed)
{
    if (!is_small(graph))
        return;
    fuzz_graph_text(arena, graph);
    run_doubles(arena, graph, REF_F64, seed);
    run_doubles(arena, graph, REF_F64_PLAIN, seed);

    DiagList diags = diag_init(arena);
    PassOptions options = options_of(seed);
    Graph *typed = pass_run_graph(arena, graph, &options, &diags);
    FUZZ_OK_OR_TOLD(typed != NULL, &diags);
    if (typed == NULL)
        return;
    FUZZ_MUST(graph_verify(typed, "typed", &diags));
    if (!is_small(typed))
        return;
    fuzz_graph_text(arena, typed);
    LowerOptions lower = {.part = part_find("xcup"), .effort = 1, .file = "x"};
    Circuit *circuit = lower_graph(arena, typed, &lower, &diags);
    FUZZ_OK_OR_TOLD(circuit != NULL, &diags);
    if (circuit == NULL)
        return;
    compare(arena, typed, circuit, seed);
    fuzz_circuit_through(arena, circuit, seed);
}
