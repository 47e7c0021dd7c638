/* lower/lower.h: the only translation from tensors to wires. One file a family of ops; lower_<name>() for every op of graph_ops.def. */
#ifndef KAON_LOWER_LOWER_H
#define KAON_LOWER_LOWER_H

#include "circuit/circuit.h"
#include "cmvm/cmvm.h"
#include "graph/graph.h"
#include "part/part.h"

typedef struct LowerOptions {
    const PartModel *part;
    uint32_t effort;      /* of the adder-graph optimiser, 0..CMVM_MOST_EFFORT */
    uint32_t adders;      /* most operands of one: 2 or 3 */
    uint32_t depth_extra; /* adders one after the other in a layer beyond the fewest */
    /* delays of wires already made become arrivals of the adder graphs that read them; NULL: all at once */
    PartPrice (*node_price)(const PartModel *part, const CircuitModule *module, const CircuitNode *node);
    const CmvmSolving *search; /* NULL: here and now */
    bool plain; /* dense and conv2d as products with their weights, summed: nothing shared, nothing clever; what proofs compare with */
    const char *file;
} LowerOptions;

/* A combinational circuit whose ports are the graph's (names, C order, raw integers), every wire's origin its layer and element. The graph
 * is typed: every node FIXED, no open scale. NULL and diagnostics, one for each layer that cannot be lowered. */
Circuit *lower_graph(Arena *arena, const Graph *graph, const LowerOptions *options, DiagList *diags);

/* A matrix alone, solved: a module with inputs x of these types and outputs y. NULL and a diagnostic beyond the widest type. */
Circuit *lower_matrix(Arena *arena, const CmvmProblem *problem, const FixedType *types, const CmvmSolution *solution, DiagList *diags);

#endif
