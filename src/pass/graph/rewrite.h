/* pass/graph/rewrite.h: what the passes over tensors share: a walk that builds the new graph node by node.
 *
 * Attributes are immutable and shared between the old graph and the new one, so the old graph's arena must live as long.
 */
#ifndef KAON_PASS_GRAPH_REWRITE_H
#define KAON_PASS_GRAPH_REWRITE_H

#include "pass/pass.h"

typedef struct Rewrite {
    Arena *arena;
    const PassOptions *options;
    DiagList *diags;
    const GraphModule *from;
    GraphModule *to;
    GraphRef *map;    /* [from->nodes.n]: what stands for a node in `to`; GRAPH_NONE: not built */
    uint32_t *n_uses; /* [from->nodes.n], outputs included */
    GraphRef *user;   /* [from->nodes.n]: the last node that reads it; GRAPH_NONE: an output or nobody */
    bool is_top;
    void *state; /* of the pass, for this module; NULL at its start */
} Rewrite;

typedef void (*RewriteNode)(Rewrite *rewrite, GraphRef ref);

/* Every module, every node through `node` (NULL: copied), outputs kept; then inferred.
 * NULL and diagnostics on error; diags NULL: not inferred. */
Graph *rewrite_graph(Arena *arena, const Graph *graph, const PassOptions *options, DiagList *diags, RewriteNode node);

GraphRef rewrite_copy(Rewrite *rewrite, GraphRef ref); /* the node as it is, with mapped inputs; sets and returns map[ref] */
/* A new node like graph_append's, inputs already of `to` */
GraphRef rewrite_add(Rewrite *rewrite, const GraphNode *node, const GraphRef *inputs, uint32_t n_inputs);
GraphRef rewrite_quantise(Rewrite *rewrite, GraphRef input, const Quantiser *q, bool is_default, const char *layer);
static inline const GraphNode *rewrite_old(const Rewrite *rewrite, GraphRef ref) { return &rewrite->from->nodes.at[ref]; }
static inline GraphRef rewrite_input(const Rewrite *rewrite, GraphRef ref, uint32_t i)
{
    return graph_inputs(rewrite->from, rewrite_old(rewrite, ref))[i];
}
/* The constant that feeds input i of a node, NULL if it is something else. */
const GraphNode *rewrite_constant(const Rewrite *rewrite, GraphRef ref, uint32_t i);

#endif
