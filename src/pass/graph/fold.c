/* pass/graph/fold.c: what depends on constants alone is computed, by the evaluators that define it.
 *
 *     %1 = const f32 { 0.26, -0.51 }
 *     %2 = quantise %1 fixed<6,1,RND_CONV,SAT>       =>      %2 = const s6.5 { 8, -16 }
 *
 * Integers stay integers: an affine of a fixed constant changes its scale, not its raw values. Real numbers go through exact rationals, op
 * by op, each result rounded once to binary64; what has no exact form there goes through the double evaluator. A derived type of more than
 * 64 bits is no type of a constant, and a value without integer form (an open scale) no constant: such nodes stay. O(elements).
 */
#include "pass/graph/rewrite.h"

typedef struct Folded {
    const i128 *raw;    /* of a FIXED node, in units of its type */
    const double *real; /* of another */
} Folded;

static bool is_known(const Folded *value) { return value->raw != NULL || value->real != NULL; }

static bool all_known(const Rewrite *r, GraphRef ref)
{
    const Folded *value = r->state;
    const GraphNode *node = rewrite_old(r, ref);
    for (uint32_t i = 0; i < node->n_inputs; i++)
        if (!is_known(&value[rewrite_input(r, ref, i)]))
            return false;
    return node->n_inputs > 0;
}

static const double *reals_of(const Rewrite *r, GraphRef ref)
{
    const Folded *value = r->state;
    if (value[ref].real != NULL)
        return value[ref].real;
    const GraphNode *node = rewrite_old(r, ref);
    uint32_t n = shape_size(node->shape);
    double *real = arena_array(r->arena, double, n);
    for (uint32_t i = 0; i < n; i++)
        real[i] = rational_to_double(
            scale_value(r->arena, &node->scale, node->shape, i, value[ref].raw[i], type_at(&node->type, node->shape, i)));
    return real;
}

/* The assignment of doubles, NaN and infinities included. */
static const i128 *quantise_reals(Arena *arena, const GraphNode *node, const double *real)
{
    uint32_t n = shape_size(node->shape);
    i128 *raw = arena_array(arena, i128, n);
    for (uint32_t i = 0; i < n; i++)
        raw[i] = quantise_double(real[i], quantiser_at(&node->attr.quant->map, node->shape, i), NULL);
    return raw;
}

static bool is_exact_op(GraphOp op) { return op == GRAPH_affine || op == GRAPH_relu || op == GRAPH_clip; }

static const double *eval_reals(const Rewrite *r, GraphRef ref)
{
    const GraphNode *node = rewrite_old(r, ref);
    uint32_t n = shape_size(node->shape);
    double *out = arena_array(r->arena, double, n);
    const double **in = arena_array(r->arena, const double *, node->n_inputs);
    for (uint32_t i = 0; i < node->n_inputs; i++)
        in[i] = reals_of(r, rewrite_input(r, ref, i));
    graph_eval_f64(r->from, node, in, out);
    if (!is_exact_op(node->op))
        return out;
    Arena *scratch = arena_child(r->arena);
    for (uint32_t i = 0; i < n; i++) {
        Rational exact;
        if (__builtin_isfinite(in[0][i]) && graph_eval_exact(scratch, r->from, node, i, rational_from_double(scratch, in[0][i]), &exact))
            out[i] = rational_to_double(exact);
    }
    arena_destroy(scratch);
    return out;
}

static bool fits_64(const GraphNode *node)
{
    for (uint32_t i = 0, n = spread_count(node->type.spread, node->shape); i < n; i++)
        if (node->type.at[i].bits > FIXED_MAX_BITS)
            return false;
    return true;
}

static const i128 *eval_raws(const Rewrite *r, GraphRef ref)
{
    const Folded *value = r->state;
    const GraphNode *node = rewrite_old(r, ref);
    i128 *out = arena_array(r->arena, i128, shape_size(node->shape));
    const i128 **in = arena_array(r->arena, const i128 *, node->n_inputs);
    for (uint32_t i = 0; i < node->n_inputs; i++)
        in[i] = value[rewrite_input(r, ref, i)].raw;
    graph_eval_raw(r->from, node, in, out);
    return out;
}

static bool all_raw(const Rewrite *r, GraphRef ref)
{
    const Folded *value = r->state;
    bool raw = true;
    for (uint32_t i = 0; i < rewrite_old(r, ref)->n_inputs; i++)
        raw &= value[rewrite_input(r, ref, i)].raw != NULL;
    return raw;
}

static Folded evaluate(const Rewrite *r, GraphRef ref)
{
    const GraphNode *node = rewrite_old(r, ref);
    if (node->kind == KIND_INDEX || node->scale_open)
        return (Folded){0};
    if (node->kind != KIND_FIXED)
        return (Folded){.real = eval_reals(r, ref)};
    if (!fits_64(node))
        return (Folded){0};
    if (all_raw(r, ref))
        return (Folded){.raw = eval_raws(r, ref)};
    if (node->op == GRAPH_quantise)
        return (Folded){.raw = quantise_reals(r->arena, node, reals_of(r, rewrite_input(r, ref, 0)))};
    return (Folded){0};
}

static void fold_node(Rewrite *r, GraphRef ref)
{
    const GraphNode *node = rewrite_old(r, ref);
    if (r->state == NULL)
        r->state = arena_array(r->arena, Folded, r->from->nodes.n);
    Folded *value = &((Folded *)r->state)[ref];
    if (node->op == GRAPH_constant && node->kind != KIND_INDEX)
        *value = (Folded){node->attr.tensor->raw, node->attr.tensor->real};
    bool folds = (graph_op_info(node->op)->flags & (GRAPH_STRUCT | GRAPH_HOST)) == 0 && all_known(r, ref);
    if (folds)
        *value = evaluate(r, ref);
    if (!folds || !is_known(value)) {
        rewrite_copy(r, ref);
        return;
    }
    GraphTensor tensor = {.kind = value->raw != NULL ? KIND_FIXED : KIND_F64, .raw = value->raw, .real = value->real};
    if (value->raw != NULL) {
        tensor.type = node->type;
        tensor.scale = node->scale;
        tensor.is_default = node->op == GRAPH_quantise && node->attr.quant->is_default;
    }
    r->map[ref] = graph_add_constant(r->to, node->shape, &tensor, node->layer);
}

Graph *pass_fold(Arena *arena, const Graph *graph, const PassOptions *options, DiagList *diags)
{
    return rewrite_graph(arena, graph, options, diags, fold_node);
}
