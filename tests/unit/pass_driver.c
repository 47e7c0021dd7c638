/* Reads graphs of one input from stdin, one behind the other, separated by lines "----"; takes each through all passes and lowers it;
 * prints for every raw value of the input type (the same one at every element) the raw outputs of the circuit:
 *
 *     graph 0 thresholds 1
 *     -128 0 0 3
 *
 * or "refused". For pass_oracle.py. */
#include <stdio.h>
#include <string.h>

#include "lower/lower.h"
#include "pass/pass.h"

static void run(Arena *arena, const Graph *graph, const Circuit *circuit)
{
    const GraphModule *top = graph_top(graph);
    const GraphNode *input = graph_node(top, top->inputs.at[0]);
    FixedType type = input->type.at[0];
    uint32_t n_in = circuit_top(circuit)->inputs.n, n_out = circuit_top(circuit)->outputs.n;
    i128 *in = arena_array(arena, i128, n_in), *out = arena_array(arena, i128, n_out);
    CircuitExecutor *executor = circuit_executor_create(arena, circuit, CIRCUIT_BY_EVENT);
    for (i128 raw = fixed_min(type); raw <= fixed_max(type); raw++) {
        for (uint32_t i = 0; i < n_in; i++)
            in[i] = raw;
        circuit_executor_run(executor, in, out);
        printf("%lld", (long long)raw);
        for (uint32_t i = 0; i < n_out; i++)
            printf(" %lld", (long long)out[i]);
        printf("\n");
    }
}

static void take(uint32_t number, const char *text)
{
    Arena *arena = arena_create(NULL);
    DiagList diags = diag_init(arena);
    PassOptions options = pass_options_default();
    LowerOptions lower = {.part = part_find("xcup")};
    Graph *graph = graph_parse(arena, (Bytes){(const uint8_t *)text, strlen(text)}, "stdin", &diags);
    Graph *typed = graph != NULL ? pass_run_graph(arena, graph, &options, &diags) : NULL;
    Circuit *circuit = typed != NULL ? lower_graph(arena, typed, &lower, &diags) : NULL;
    if (circuit == NULL) {
        Text report = text_init(arena);
        diag_print(&report, &diags);
        printf("refused\n%s", report.at);
    } else {
        uint32_t thresholds = 0;
        for (GraphRef ref = 0; ref < graph_top(typed)->nodes.n; ref++)
            thresholds += graph_node(graph_top(typed), ref)->op == GRAPH_threshold;
        printf("graph %u thresholds %u\n", number, thresholds);
        run(arena, typed, pass_run_circuit(arena, circuit));
    }
    arena_destroy(arena);
}

int main(void)
{
    static char text[1 << 16];
    size_t n = 0;
    uint32_t number = 0;
    while (fgets(text + n, (int)(sizeof text - n), stdin) != NULL) {
        if (strcmp(text + n, "----\n") != 0) {
            n += strlen(text + n);
            continue;
        }
        text[n] = '\0';
        take(number++, text);
        n = 0;
    }
    return 0;
}
