/* pass/graph/dead.c: nodes that no output needs go.
 *
 *     %2 = relu %1
 *     %3 = clip %1 ...      =>      %2 = relu %1
 *     output y = %2                 output y = %2
 *
 * Legal: nothing has side effects. Ports stay, needed or not: they are the model's signature. A call stays as long as one of its outputs is
 * read. One walk against the order of the nodes: O(nodes).
 */
#include "pass/graph/rewrite.h"

static void keep_needed(Rewrite *r, GraphRef ref)
{
    if (r->n_uses[ref] > 0 || rewrite_old(r, ref)->op == GRAPH_input)
        rewrite_copy(r, ref);
}

/* rewrite_graph counts uses by all nodes; here only needed ones count. */
static void keep_alive(Rewrite *r, GraphRef ref)
{
    if (ref == 0) {
        const GraphModule *from = r->from;
        for (GraphRef i = 0; i < from->nodes.n; i++)
            r->n_uses[i] = 0;
        for (uint32_t i = 0; i < from->outputs.n; i++)
            r->n_uses[from->outputs.at[i].ref]++;
        for (GraphRef i = from->nodes.n; i-- > 0;)
            for (uint32_t k = 0; k < from->nodes.at[i].n_inputs && r->n_uses[i] > 0; k++)
                r->n_uses[rewrite_input(r, i, k)]++;
    }
    keep_needed(r, ref);
}

Graph *pass_dead(Arena *arena, const Graph *graph, const PassOptions *options, DiagList *diags)
{
    return rewrite_graph(arena, graph, options, diags, keep_alive);
}
