/* pass/graph/rewrite.c: the walk that all passes over tensors share. */
#include "pass/graph/rewrite.h"

#include <assert.h>

static void count_uses(Rewrite *r)
{
    const GraphModule *from = r->from;
    r->n_uses = arena_array(r->arena, uint32_t, from->nodes.n);
    r->user = arena_array(r->arena, GraphRef, from->nodes.n);
    for (GraphRef ref = 0; ref < from->nodes.n; ref++) {
        r->user[ref] = GRAPH_NONE;
        r->map[ref] = GRAPH_NONE;
    }
    for (GraphRef ref = 0; ref < from->nodes.n; ref++)
        for (uint32_t i = 0; i < from->nodes.at[ref].n_inputs; i++) {
            GraphRef input = rewrite_input(r, ref, i);
            r->n_uses[input]++;
            r->user[input] = ref;
        }
    for (uint32_t i = 0; i < from->outputs.n; i++) {
        r->n_uses[from->outputs.at[i].ref]++;
        r->user[from->outputs.at[i].ref] = GRAPH_NONE;
    }
}

GraphRef rewrite_add(Rewrite *r, const GraphNode *node, const GraphRef *inputs, uint32_t n_inputs)
{
    return graph_append(r->to, node, inputs, n_inputs);
}

GraphRef rewrite_copy(Rewrite *r, GraphRef ref)
{
    const GraphNode *node = rewrite_old(r, ref);
    if (node->op == GRAPH_input)
        return r->map[ref] = graph_add_input(r->to, node->attr.input->name, node->shape, node->attr.input);
    GraphRef *inputs = arena_array(r->arena, GraphRef, node->n_inputs);
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        inputs[i] = r->map[rewrite_input(r, ref, i)];
        assert(inputs[i] != GRAPH_NONE);
    }
    return r->map[ref] = rewrite_add(r, node, inputs, node->n_inputs);
}

GraphRef rewrite_quantise(Rewrite *r, GraphRef input, const Quantiser *q, bool is_default, const char *layer)
{
    GraphQuant *quant = arena_new(r->arena, GraphQuant);
    *quant = (GraphQuant){quant_map_uniform(r->arena, *q), is_default};
    return rewrite_add(r, &(GraphNode){.op = GRAPH_quantise, .attr.quant = quant, .layer = layer}, &input, 1);
}

const GraphNode *rewrite_constant(const Rewrite *r, GraphRef ref, uint32_t i)
{
    const GraphNode *node = rewrite_old(r, ref);
    if (i >= node->n_inputs)
        return NULL;
    const GraphNode *input = rewrite_old(r, rewrite_input(r, ref, i));
    return input->op == GRAPH_constant ? input : NULL;
}

Graph *rewrite_graph(Arena *arena, const Graph *graph, const PassOptions *options, DiagList *diags, RewriteNode node)
{
    Graph *result = graph_create(arena);
    uint32_t errors = diags != NULL ? diags->n_errors : 0;
    for (uint32_t m = 0; m < graph->modules.n; m++) {
        const GraphModule *from = graph->modules.at[m];
        Rewrite r = {.arena = arena, .options = options, .diags = diags, .from = from, .is_top = m + 1 == graph->modules.n};
        r.to = graph_add_module(result, from->name);
        r.map = arena_array(arena, GraphRef, from->nodes.n);
        count_uses(&r);
        for (GraphRef ref = 0; ref < from->nodes.n; ref++) {
            if (node != NULL)
                node(&r, ref);
            else
                rewrite_copy(&r, ref);
        }
        for (uint32_t i = 0; i < from->outputs.n; i++) {
            const GraphOutput *output = &from->outputs.at[i];
            graph_add_output(r.to, output->name, r.map[output->ref], output->post);
        }
    }
    if (diags == NULL)
        return result;
    return diags->n_errors == errors && graph_infer(result, options->file, diags) ? result : NULL;
}

Graph *pass_copy_graph(Arena *arena, const Graph *graph) { return rewrite_graph(arena, graph, NULL, NULL, NULL); }
