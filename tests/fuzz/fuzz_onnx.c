/* ONNX and QONNX models. */
#include "import/import.h"
#include "middle.h"

static void body(Arena *arena, Bytes bytes, DiagList *diags)
{
    Graph *graph = import_onnx(arena, "x.onnx", bytes, diags);
    FUZZ_OK_OR_TOLD(graph != NULL, diags);
    if (graph != NULL)
        fuzz_graph_through(arena, graph, bytes.n);
}
FUZZ_TARGET(body)
