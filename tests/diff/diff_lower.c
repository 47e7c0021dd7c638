/* Random graphs through everything between a model and its wires:
 *
 *     graph --constants folded--> reference interpreter -------------.
 *       \--> all passes --> reference interpreter -------------------+== equal for every event
 *                 \--> lowered --> circuit executor -----------------+
 *                          \--> circuit passes --> circuit executor -'
 *
 *   diff_lower [--count N] [--seed S] [--skip PASS] [--verbose]
 *
 * Prints its seed; on a difference the one line that repeats it. Equal means: the same exact values, under each side's own types and
 * scales. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lower/lower.h"
#include "pass/pass.h"
#include "run/ref/ref.h"

#define N_EVENTS 24u

typedef struct Case {
    Arena *arena;
    Rng rng;
    uint64_t seed;
    bool verbose;
    const char *skip; /* a pass over wires that is left out, to tell whose fault it is; NULL: none */
    DiagList diags;
    uint32_t n_refused, n_compared;
} Case;

static uint32_t port_values(const GraphModule *top, bool inputs)
{
    uint32_t n = 0;
    for (uint32_t i = 0; inputs && i < top->inputs.n; i++)
        n += shape_size(graph_node(top, top->inputs.at[i])->shape);
    for (uint32_t i = 0; !inputs && i < top->outputs.n; i++)
        n += shape_size(graph_node(top, top->outputs.at[i].ref)->shape);
    return n;
}

/* corners, and anything between */
static i128 random_raw(Rng *rng, Interval range)
{
    u128 span = (u128)range.hi - (u128)range.lo, random = (u128)rng_u64(rng) << 64 | rng_u64(rng);
    switch (rng_below(rng, 6)) {
    case 0:
        return range.lo;
    case 1:
        return range.hi;
    case 2:
        return interval_has(range, 0) ? 0 : range.lo;
    default:
        return range.lo + (i128)(span + 1 == 0 ? random : random % (span + 1));
    }
}

static void random_event(Case *c, const GraphModule *top, i128 *in)
{
    for (uint32_t i = 0; i < top->inputs.n; i++) {
        const GraphNode *node = graph_node(top, top->inputs.at[i]);
        for (uint32_t e = 0, n = shape_size(node->shape); e < n; e++)
            *in++ = random_raw(&c->rng, node->range[e]);
    }
}

static bool report(const Case *c, const char *what, uint32_t event, uint32_t value)
{
    printf("%s: event %u, value %u\n  repeat: diff_lower --count 1 --seed %llu --verbose\n", what, event, value,
           (unsigned long long)c->seed);
    return false;
}

static void show(const Case *c, const char *what, const Graph *graph, const Circuit *circuit)
{
    if (!c->verbose)
        return;
    Text text = text_init(c->arena);
    if (graph != NULL)
        graph_print(&text, graph, NULL);
    if (circuit != NULL)
        circuit_print(&text, circuit);
    printf("---- %s\n%s", what, text.at);
}

/* values of both graphs' outputs, as rationals */
static bool values_equal(Case *c, const GraphModule *a, const i128 *raw_a, const GraphModule *b, const i128 *raw_b, uint32_t *where)
{
    *where = 0;
    for (uint32_t i = 0; i < a->outputs.n; i++) {
        const GraphNode *x = graph_node(a, a->outputs.at[i].ref), *y = graph_node(b, b->outputs.at[i].ref);
        for (uint32_t e = 0, n = shape_size(x->shape); e < n; e++, ++*where) {
            Rational u = scale_value(c->arena, &x->scale, x->shape, e, raw_a[*where], type_at(&x->type, x->shape, e));
            Rational v = scale_value(c->arena, &y->scale, y->shape, e, raw_b[*where], type_at(&y->type, y->shape, e));
            if (!rational_equal(u, v))
                return false;
        }
    }
    return true;
}

static bool circuits_equal(Case *c, const Graph *graph, const Circuit *circuit, const char *what)
{
    const GraphModule *top = graph_top(graph);
    uint32_t n_in = port_values(top, true), n_out = port_values(top, false);
    i128 *in = arena_array(c->arena, i128, n_in), *want = arena_array(c->arena, i128, n_out), *got = arena_array(c->arena, i128, n_out);
    if (!circuit_verify(circuit, what, &c->diags)) {
        Text text = text_init(c->arena);
        diag_print(&text, &c->diags);
        printf("%s", text.at);
        return report(c, what, 0, 0);
    }
    RefExecutor *ref = ref_create(c->arena, graph, REF_RAW);
    CircuitExecutor *executor = circuit_executor_create(c->arena, circuit, CIRCUIT_BY_EVENT);
    for (uint32_t event = 0; event < N_EVENTS; event++) {
        random_event(c, top, in);
        ref_run_raw(ref, in, want);
        circuit_executor_run(executor, in, got);
        for (uint32_t i = 0; i < n_out; i++)
            if (want[i] != got[i])
                return report(c, what, event, i);
    }
    return true;
}

static bool has_open_output(const Graph *graph)
{
    const GraphModule *top = graph_top(graph);
    for (uint32_t i = 0; i < top->outputs.n; i++) {
        const GraphNode *node = graph_node(top, top->outputs.at[i].ref);
        if (node->scale_open || node->kind != KIND_FIXED)
            return true;
    }
    return false;
}

static bool graphs_equal(Case *c, const Graph *before, const Graph *after)
{
    const GraphModule *top = graph_top(before);
    i128 *in = arena_array(c->arena, i128, port_values(top, true));
    i128 *want = arena_array(c->arena, i128, port_values(top, false)), *got = arena_array(c->arena, i128, port_values(top, false));
    RefExecutor *a = ref_create(c->arena, before, REF_RAW), *b = ref_create(c->arena, after, REF_RAW);
    for (uint32_t event = 0; event < N_EVENTS; event++) {
        uint32_t where;
        random_event(c, top, in);
        ref_run_raw(a, in, want);
        ref_run_raw(b, in, got);
        if (!values_equal(c, top, want, graph_top(after), got, &where))
            return report(c, "graph passes", event, where);
    }
    return true;
}

static bool all_integer(const Graph *graph)
{
    for (uint32_t m = 0; m < graph->modules.n; m++)
        for (GraphRef ref = 0; ref < graph->modules.at[m]->nodes.n; ref++) {
            const GraphNode *node = graph_node(graph->modules.at[m], ref);
            if (node->op != GRAPH_call && (node->kind != KIND_FIXED || node->scale_open))
                return false;
        }
    return true;
}

static bool run_case(Case *c)
{
    GraphRandomOptions options = {.n_nodes = 2 + rng_below(&c->rng, 14),
                                  .max_elements = 1 + rng_below(&c->rng, 60),
                                  .scales = rng_chance(&c->rng, 2),
                                  .modules = rng_chance(&c->rng, 4)};
    Graph *graph = graph_random(c->arena, &c->rng, &options);
    show(c, "random graph", graph, NULL);
    PassOptions pass = pass_options_default();
    Graph *folded = pass_dead(c->arena, pass_fold(c->arena, graph, &pass, &c->diags), &pass, &c->diags);
    Graph *typed = pass_run_graph(c->arena, graph, &pass, &c->diags);
    LowerOptions lower = {.part = part_find("xcup")};
    Circuit *circuit = typed != NULL ? lower_graph(c->arena, typed, &lower, &c->diags) : NULL;
    if (typed != NULL)
        show(c, "after graph passes", typed, NULL);
    if (typed != NULL && all_integer(folded) && !has_open_output(typed) && ++c->n_compared && !graphs_equal(c, folded, typed))
        return false;
    if (circuit == NULL) {
        Text text = text_init(c->arena);
        diag_print(&text, &c->diags);
        if (c->verbose)
            printf("refused:\n%s", text.at);
        c->n_refused++;
        return diag_failed(&c->diags) || report(c, "no circuit and no diagnostic", 0, 0);
    }
    show(c, "lowered", NULL, circuit);
    if (!circuits_equal(c, typed, circuit, "lowered"))
        return false;
    uint32_t n;
    const PassInfo *table = pass_table(&n);
    for (uint32_t i = 0; i < n; i++) {
        if (table[i].circuit == NULL || (c->skip != NULL && text_equal(table[i].name, c->skip)))
            continue;
        circuit = table[i].circuit(c->arena, circuit);
        show(c, table[i].name, NULL, circuit);
        if (!circuits_equal(c, typed, circuit, table[i].name))
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    uint64_t count = 200, seed = 1;
    bool verbose = false;
    const char *skip = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--count") == 0 && i + 1 < argc)
            count = strtoull(argv[++i], NULL, 0);
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 0);
        else if (strcmp(argv[i], "--skip") == 0 && i + 1 < argc)
            skip = argv[++i];
        else if (strcmp(argv[i], "--verbose") == 0)
            verbose = true;
        else
            return fprintf(stderr, "usage: diff_lower [--count N] [--seed S] [--skip PASS] [--verbose]\n"), 2;
    }
    printf("diff_lower: %llu graphs from seed %llu\n", (unsigned long long)count, (unsigned long long)seed);
    fflush(stdout);
    uint32_t refused = 0, compared = 0;
    for (uint64_t i = 0; i < count; i++) {
        Case c = {.arena = arena_create(NULL), .rng = {seed + i}, .seed = seed + i, .verbose = verbose, .skip = skip};
        c.diags = diag_init(c.arena);
        if (!run_case(&c))
            return 1;
        refused += c.n_refused;
        compared += c.n_compared;
        arena_destroy(c.arena);
    }
    printf("diff_lower: no difference; %u graphs compared before and after the passes over tensors, %u refused by name\n", compared,
           refused);
    return 0;
}
