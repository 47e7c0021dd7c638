/* graph/ops.c: the table of ops, expanded into names and properties. */
#include "graph/graph.h"

enum { NOTHING = 0, ELEMENT = GRAPH_ELEMENT, MOVE = GRAPH_MOVE, MONOTONE = GRAPH_MONOTONE, HOST = GRAPH_HOST, STRUCT = GRAPH_STRUCT };
enum { MANY = GRAPH_MANY };

static const GraphOpInfo infos[GRAPH_OP_COUNT] = {
#define OP(name, text, min_inputs, max_inputs, flags, attribute, summary)                                                                  \
    [GRAPH_##name] = {#name, text, min_inputs, max_inputs, flags, GRAPH_ATTR_##attribute, summary},
#include "graph/graph_ops.def"
#undef OP
};

const GraphOpInfo *graph_op_info(GraphOp op) { return &infos[op]; }

bool graph_op_parse(const char *text, GraphOp *out)
{
    for (uint32_t i = 0; i < GRAPH_OP_COUNT; i++)
        if (text_equal(text, infos[i].text)) {
            *out = (GraphOp)i;
            return true;
        }
    return false;
}
