/* graph/build.c: nodes, one after the other; nothing is simplified or checked here. */
#include "graph/inside.h"

#include <string.h>

Graph *graph_create(Arena *arena)
{
    Graph *graph = arena_new(arena, Graph);
    graph->arena = arena;
    return graph;
}

GraphModule *graph_add_module(Graph *graph, const char *name)
{
    GraphModule *module = arena_new(graph->arena, GraphModule);
    module->name = arena_strdup(graph->arena, name);
    module->graph = graph;
    vec_push(graph->arena, &graph->modules, module);
    return module;
}

GraphRef graph_append(GraphModule *module, const GraphNode *node, const GraphRef *inputs, uint32_t n_inputs)
{
    Arena *arena = module->graph->arena;
    bool has_shape = node->op == GRAPH_input || node->op == GRAPH_constant;
    GraphNode copy = {.op = node->op,
                      .n_inputs = n_inputs,
                      .first_input = module->inputs_of.n,
                      .attr = node->attr,
                      .layer = node->layer && node->layer[0] ? arena_strdup(arena, node->layer) : "",
                      .shape = has_shape ? node->shape : (Shape){0}};
    if (n_inputs > 0) {
        vec_reserve(arena, &module->inputs_of, n_inputs);
        memcpy(module->inputs_of.at + module->inputs_of.n, inputs, n_inputs * sizeof *inputs);
        module->inputs_of.n += n_inputs;
    }
    vec_push(arena, &module->nodes, copy);
    return module->nodes.n - 1;
}

GraphRef graph_add_input(GraphModule *module, const char *name, Shape shape, const GraphInput *input)
{
    Arena *arena = module->graph->arena;
    GraphInput *copy = arena_copy(arena, input, sizeof *input, alignof(GraphInput));
    copy->name = arena_strdup(arena, name);
    GraphRef ref = graph_append(module, &(GraphNode){.op = GRAPH_input, .attr.input = copy, .shape = shape}, NULL, 0);
    vec_push(arena, &module->inputs, ref);
    return ref;
}

GraphRef graph_add_constant(GraphModule *module, Shape shape, const GraphTensor *tensor, const char *layer)
{
    const GraphTensor *copy = arena_copy(module->graph->arena, tensor, sizeof *tensor, alignof(GraphTensor));
    return graph_append(module, &(GraphNode){.op = GRAPH_constant, .attr.tensor = copy, .shape = shape, .layer = layer}, NULL, 0);
}

GraphRef graph_add_node(GraphModule *module, GraphOp op, const GraphRef *inputs, uint32_t n_inputs, const char *layer)
{
    return graph_append(module, &(GraphNode){.op = op, .layer = layer}, inputs, n_inputs);
}

void graph_add_output(GraphModule *module, const char *name, GraphRef ref, GraphPost post)
{
    Arena *arena = module->graph->arena;
    vec_push(arena, &module->outputs, (GraphOutput){.name = arena_strdup(arena, name), .ref = ref, .post = post});
}

Place graph_place(const char *file, const GraphNode *node)
{
    return (Place){.file = file, .layer = node->layer && node->layer[0] ? node->layer : NULL, .kind = graph_op_info(node->op)->text};
}

QuantMap quant_map_uniform(Arena *arena, Quantiser q)
{
    return (QuantMap){SPREAD_ONE, arena_copy(arena, &q, sizeof q, alignof(Quantiser))};
}

const GraphAffine *affine_uniform(Arena *arena, Rational multiplier, Rational offset)
{
    GraphAffine *affine = arena_new(arena, GraphAffine);
    affine->spread = SPREAD_ONE;
    affine->multiplier = arena_copy(arena, &multiplier, sizeof multiplier, alignof(Rational));
    affine->offset = arena_copy(arena, &offset, sizeof offset, alignof(Rational));
    return affine;
}
