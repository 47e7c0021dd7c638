/* The text form of the tensor IR, and everything behind it. */
#include "middle.h"

static void body(Arena *arena, Bytes bytes, DiagList *diags)
{
    Graph *graph = graph_parse(arena, bytes, "/nonexistent/x.graph", diags);
    FUZZ_OK_OR_TOLD(graph != NULL, diags);
    if (graph != NULL)
        fuzz_graph_through(arena, graph, bytes.n);
}
FUZZ_TARGET(body)
