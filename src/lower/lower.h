/* lower/lower.h: the only translation from tensors to wires. One file a family of ops; lower_<name>() for every op of graph_ops.def. */
#ifndef KAON_LOWER_LOWER_H
#define KAON_LOWER_LOWER_H

#include "circuit/circuit.h"
#include "graph/graph.h"
#include "part/part.h"

typedef struct LowerOptions {
    const PartModel *part;
    uint64_t work; /* of the adder-graph optimiser, per layer */
    const char *file;
} LowerOptions;

/* A combinational circuit whose ports are the graph's (names, C order, raw integers), every wire's origin its layer and element. The graph
 * is typed: every node FIXED, no open scale. NULL and diagnostics, one for each layer that cannot be lowered. */
Circuit *lower_graph(Arena *arena, const Graph *graph, const LowerOptions *options, DiagList *diags);

#endif
