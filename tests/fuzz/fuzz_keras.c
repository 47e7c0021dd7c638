/* What the child that reads .h5 files sends: a Keras configuration and weights. */
#include "import/keras/keras.h"
#include "middle.h"

static void body(Arena *arena, Bytes bytes, DiagList *diags)
{
    Graph *graph = keras_build_graph(arena, "x.h5", bytes, diags);
    FUZZ_OK_OR_TOLD(graph != NULL, diags);
    if (graph != NULL && graph_infer(graph, "x.h5", diags))
        fuzz_graph_through(arena, graph, bytes.n);
}
FUZZ_TARGET(body)
