/* pass/pass.h: the registry of rewrites, and what a user may ask of them. Table: passes.def. One file a pass, in pass/graph or
 * pass/circuit. */
#ifndef KAON_PASS_PASS_H
#define KAON_PASS_PASS_H

#include "circuit/circuit.h"
#include "graph/graph.h"

typedef struct PortType {
    const char *name; /* NULL: every port */
    Quantiser type;
} PortType;

typedef struct LayerType {
    const char *layer;
    bool has_weights, has_bias, has_result;
    Quantiser weights, bias, result; /* result: what the layer's value is assigned to */
} LayerType;

typedef enum Head {
    HEAD_MODEL,
    HEAD_LOGITS,
    HEAD_ARGMAX,
    HEAD_CUT
} Head; /* MODEL: as the model has it, a final softmax done by the host */

typedef struct PassOptions {
    const char *file; /* for diagnostics */
    VEC(PortType) input_types;
    VEC(PortType) output_types;
    VEC(LayerType) layers;
    Quantiser default_type; /* fixed<16,6,RND,SAT> */
    Head head;
    double cut; /* HEAD_CUT: one bit, value >= cut */
} PassOptions;

PassOptions pass_options_default(void);

typedef struct PassInfo {
    const char *name, *summary;
    Graph *(*graph)(Arena *arena, const Graph *graph, const PassOptions *options, DiagList *diags); /* one of the two */
    Circuit *(*circuit)(Arena *arena, const Circuit *circuit);
} PassInfo;
const PassInfo *pass_find(const char *name); /* NULL if unknown */
const PassInfo *pass_table(uint32_t *n);     /* in order */

#define GRAPH_PASS(name, summary)   Graph *pass_##name(Arena *arena, const Graph *graph, const PassOptions *options, DiagList *diags);
#define CIRCUIT_PASS(name, summary) Circuit *pass_##name(Arena *arena, const Circuit *circuit);
#include "pass/passes.def"
#undef GRAPH_PASS
#undef CIRCUIT_PASS

/* The same graph again, not inferred; attributes are shared, here and in all passes, so the old graph must live as long. */
Graph *pass_copy_graph(Arena *arena, const Graph *graph);
/* All passes of a kind in order; the verifier runs after each one in debug builds. NULL and diagnostics. */
Graph *pass_run_graph(Arena *arena, const Graph *graph, const PassOptions *options, DiagList *diags);
Circuit *pass_run_circuit(Arena *arena, const Circuit *circuit);

#endif
