/* kaon's JSON net description. */
#include "import/import.h"
#include "middle.h"

static void body(Arena *arena, Bytes bytes, DiagList *diags)
{
    Graph *graph = import_net(arena, "x.json", bytes, diags);
    FUZZ_OK_OR_TOLD(graph != NULL, diags);
    if (graph != NULL && graph_infer(graph, "x.json", diags))
        fuzz_graph_through(arena, graph, bytes.n);
}
FUZZ_TARGET(body)
