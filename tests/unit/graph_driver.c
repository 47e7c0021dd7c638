/* graph_driver SEED COUNT [scales]: random graphs with random events, for graph_oracle.py: the text, the raw inputs, and the exact value of
 * every node of the top as the reference interpreter has it. */
#include <stdio.h>
#include <stdlib.h>

#include "run/ref/ref.h"

static i128 random_raw(Rng *rng, Interval range)
{
    uint64_t span = (uint64_t)(range.hi - range.lo) + 1;
    return rng_chance(rng, 3) ? (rng_chance(rng, 2) ? range.lo : range.hi) : range.lo + (i128)(rng_u64(rng) % span);
}

static void put_event(Text *text, const Graph *graph, RefExecutor *ref, Rng *rng)
{
    const GraphModule *top = graph_top(graph);
    Arena *arena = arena_child(text->arena);
    VEC(i128) in = {0};
    uint32_t n_out = 0;
    for (uint32_t i = 0; i < top->outputs.n; i++)
        n_out += shape_size(graph_node(top, top->outputs.at[i].ref)->shape);
    text_put(text, "%event\nin");
    for (uint32_t i = 0; i < top->inputs.n; i++) {
        const GraphNode *node = graph_node(top, top->inputs.at[i]);
        for (uint32_t e = 0; e < shape_size(node->shape); e++) {
            vec_push(arena, &in, random_raw(rng, node->range[e]));
            text_put_char(text, ' ');
            text_put_i128(text, *vec_last(&in));
        }
    }
    ref_run_raw(ref, in.at, arena_array(arena, i128, n_out));
    for (uint32_t i = 0; i < top->nodes.n; i++) {
        const GraphNode *node = graph_node(top, i);
        const i128 *raw = ref_value_raw(ref, i);
        if (node->op == GRAPH_call || !raw)
            continue;
        text_add(text, "\nnode %u", i);
        for (uint32_t e = 0; e < shape_size(node->shape); e++) {
            Rational value = scale_value(arena, &node->scale, node->shape, e, raw[e], type_at(&node->type, node->shape, e));
            text_put_char(text, ' ');
            text_put_big(text, value.num);
            text_put_char(text, '/');
            text_put_big(text, value.den);
        }
    }
    text_put(text, "\n");
    arena_destroy(arena);
}

int main(int argc, char **argv)
{
    Rng rng = {argc > 1 ? strtoull(argv[1], NULL, 0) : 1};
    uint32_t count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 10;
    for (uint32_t i = 0; i < count; i++) {
        Arena *arena = arena_create(NULL);
        GraphRandomOptions options = {.n_nodes = 4 + rng_below(&rng, 24),
                                      .max_elements = 8 + rng_below(&rng, 40),
                                      .scales = rng_chance(&rng, 2),
                                      .modules = rng_chance(&rng, 2)};
        Graph *graph = graph_random(arena, &rng, &options);
        RefExecutor *ref = ref_create(arena, graph, REF_RAW);
        Text text = text_init(arena);
        text_add(&text, "%%graph %u\n", i);
        graph_print(&text, graph, NULL);
        for (uint32_t k = 0; k < 6; k++)
            put_event(&text, graph, ref, &rng);
        fputs(text.at, stdout);
        arena_destroy(arena);
    }
    puts("%end");
    return 0;
}
