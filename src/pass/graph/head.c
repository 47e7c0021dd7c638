/* pass/graph/head.c: what is computed behind the logits, and where.
 *
 *     %9 = softmax %8            output y = %8 softmax           as the model has it: the host applies it
 *     output y = %9        =>    output y = %8                   logits
 *                                %9 = argmax %8, output y = %9   argmax: the index of the first largest logit, which is that of the softmax
 *                                %9 = threshold %8 >= cut        cut, where the output is one value
 *
 * Legal: softmax keeps the order of its inputs; argmax over a uniform positive scale needs none of it. A softmax elsewhere stays and is
 * refused by name when the graph is lowered.
 */
#include "pass/graph/rewrite.h"

static GraphRef add_cut(Rewrite *r, GraphRef logits, Shape shape, const char *name)
{
    if (r->from->outputs.n != 1 || shape_size(shape) != 1) {
        Text text = text_init(r->arena);
        text_put_shape(&text, shape);
        diag_error(r->diags, DIAG_SHAPE, (Place){.file = r->options->file, .layer = name, .kind = "output"},
                   "use the head argmax, or a model with one output value", "a cut needs one output of one value, here %u of shape %s",
                   r->from->outputs.n, text.at);
        return logits;
    }
    static const i128 levels[] = {0, 1};
    Rational *cut = arena_new(r->arena, Rational);
    *cut = rational_from_double(r->arena, r->options->cut);
    GraphThreshold *threshold = arena_new(r->arena, GraphThreshold);
    *threshold = (GraphThreshold){SPREAD_ONE, 1, cut, NULL, {false, 1, 0}, levels};
    return rewrite_add(r, &(GraphNode){.op = GRAPH_threshold, .attr.threshold = threshold, .layer = "cut"}, &logits, 1);
}

Graph *pass_head(Arena *arena, const Graph *graph, const PassOptions *options, DiagList *diags)
{
    Graph *result = pass_copy_graph(arena, graph);
    const GraphModule *from = graph_top(graph);
    GraphModule *top = graph_top(result);
    Rewrite r = {.arena = arena, .options = options, .diags = diags, .from = from, .to = top};
    for (uint32_t i = 0; i < top->outputs.n; i++) {
        GraphOutput *output = &top->outputs.at[i];
        const GraphNode *node = graph_node(from, output->ref);
        if (node->op == GRAPH_softmax) {
            output->ref = graph_inputs(from, node)[0];
            output->post = POST_SOFTMAX;
            node = graph_node(from, output->ref);
        }
        if (options->head != HEAD_MODEL)
            output->post = POST_NONE;
        if (options->head == HEAD_ARGMAX && node->op != GRAPH_argmax)
            output->ref = graph_add_node(top, GRAPH_argmax, &output->ref, 1, "argmax");
        else if (options->head == HEAD_CUT)
            output->ref = add_cut(&r, output->ref, node->shape, output->name);
    }
    if (diag_failed(diags) || !graph_infer(result, options->file, diags))
        return NULL;
    return pass_dead(arena, result, options,
                     diags); /* the softmax, which reads the logits no more: pass types looks at all that read a value */
}
