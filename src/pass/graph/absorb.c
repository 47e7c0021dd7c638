/* pass/graph/absorb.c: a scale or batch norm behind a layer of un-quantised weights goes into them.
 *
 *     %3 = dense %x, w, b                                    %4 = dense %x, w', b'
 *     %4 = affine %3 * m + o                    =>           w'[i][j] = w[i][j] m[j]     b'[j] = b[j] m[j] + o[j]
 *
 * Legal: the affine is the only reader; w (and b) are real constants, so nothing has been rounded yet that the model defines. Each new
 * number is computed exactly and rounded once to binary64. Pays: the affine is gone, and a type is chosen for the numbers that the hardware
 * multiplies by. Ends: one affine less each time; a chain of them goes in one walk.
 */
#include "pass/graph/rewrite.h"

static bool is_real(const GraphNode *node) { return node != NULL && (node->kind == KIND_F32 || node->kind == KIND_F64); }

static bool is_finite(const GraphNode *node)
{
    for (uint32_t i = 0, n = shape_size(node->shape); i < n; i++)
        if (!__builtin_isfinite(node->attr.tensor->real[i]))
            return false;
    return true;
}

static bool has_real_weights(const Rewrite *r, GraphRef ref)
{
    const GraphNode *node = rewrite_old(r, ref), *w = rewrite_constant(r, ref, 1), *b = rewrite_constant(r, ref, 2);
    if ((node->op != GRAPH_dense && node->op != GRAPH_conv2d) || !is_real(w) || !is_finite(w))
        return false;
    return node->n_inputs < 3 || (is_real(b) && is_finite(b));
}

/* The affine that alone reads `ref`, by output channel; GRAPH_NONE if there is none. */
static GraphRef next_affine(const Rewrite *r, GraphRef ref)
{
    GraphRef user = r->n_uses[ref] == 1 ? r->user[ref] : GRAPH_NONE;
    if (user == GRAPH_NONE || rewrite_old(r, user)->op != GRAPH_affine)
        return GRAPH_NONE;
    const GraphNode *node = rewrite_old(r, user);
    Spread spread = node->attr.affine->spread;
    return spread.kind == SPREAD_UNIFORM || (spread.kind == SPREAD_CHANNEL && spread.axis + 1 == node->shape.rank) ? user : GRAPH_NONE;
}

static Rational pick(const GraphAffine *affine, const Rational *list, uint32_t channel)
{
    return list[affine->spread.kind == SPREAD_UNIFORM ? 0 : channel];
}

/* m[j] and o[j] of a chain of affines: of what stands for `first` .. `last` */
static void compose(const Rewrite *r, GraphRef layer, GraphRef last, uint32_t n_out, Rational *multiplier, Rational *offset)
{
    for (uint32_t j = 0; j < n_out; j++) {
        multiplier[j] = rational_from_i64(r->arena, 1, 1);
        offset[j] = rational_from_i64(r->arena, 0, 1);
    }
    for (GraphRef at = layer; at != last;) {
        at = r->user[at];
        const GraphAffine *affine = rewrite_old(r, at)->attr.affine;
        for (uint32_t j = 0; j < n_out; j++) {
            Rational m = pick(affine, affine->multiplier, j), o = pick(affine, affine->offset, j);
            multiplier[j] = rational_mul(r->arena, multiplier[j], m);
            offset[j] = rational_add(r->arena, rational_mul(r->arena, offset[j], m), o);
        }
    }
}

static GraphRef new_weights(Rewrite *r, const GraphNode *w, uint32_t n_out, const Rational *multiplier)
{
    uint32_t n = shape_size(w->shape);
    double *real = arena_array(r->arena, double, n);
    Arena *scratch = arena_child(r->arena);
    for (uint32_t i = 0; i < n; i++) {
        double weight = w->attr.tensor->real[i];
        real[i] = rational_to_double(rational_mul(scratch, rational_from_double(scratch, weight), multiplier[i % n_out]));
    }
    arena_destroy(scratch);
    return graph_add_constant(r->to, w->shape, &(GraphTensor){.kind = KIND_F64, .real = real}, w->layer);
}

static GraphRef new_bias(Rewrite *r, const GraphNode *b, const char *layer, uint32_t n_out, const Rational *multiplier,
                         const Rational *offset)
{
    double *real = arena_array(r->arena, double, n_out);
    for (uint32_t j = 0; j < n_out; j++) {
        Rational old = b == NULL ? rational_from_i64(r->arena, 0, 1) : rational_from_double(r->arena, b->attr.tensor->real[j]);
        real[j] = rational_to_double(rational_add(r->arena, rational_mul(r->arena, old, multiplier[j]), offset[j]));
    }
    return graph_add_constant(r->to, (Shape){1, {n_out}}, &(GraphTensor){.kind = KIND_F64, .real = real}, layer);
}

static void absorb_layer(Rewrite *r, GraphRef ref, GraphRef last)
{
    const GraphNode *node = rewrite_old(r, ref), *w = rewrite_constant(r, ref, 1);
    uint32_t n_out = w->shape.dim[w->shape.rank - 1];
    Rational *multiplier = arena_array(r->arena, Rational, n_out), *offset = arena_array(r->arena, Rational, n_out);
    compose(r, ref, last, n_out, multiplier, offset);
    GraphRef inputs[3] = {r->map[rewrite_input(r, ref, 0)], new_weights(r, w, n_out, multiplier),
                          new_bias(r, rewrite_constant(r, ref, 2), node->layer, n_out, multiplier, offset)};
    r->map[ref] = rewrite_add(r, node, inputs, 3);
}

static void absorb_node(Rewrite *r, GraphRef ref)
{
    if (r->map[ref] != GRAPH_NONE)
        return; /* an affine that went into its layer */
    GraphRef last = ref;
    if (has_real_weights(r, ref))
        for (GraphRef next = next_affine(r, last); next != GRAPH_NONE; next = next_affine(r, last))
            last = next;
    if (last == ref) {
        rewrite_copy(r, ref);
        return;
    }
    absorb_layer(r, ref, last);
    for (GraphRef at = ref; at != last; at = r->user[at])
        r->map[r->user[at]] = r->map[ref];
}

Graph *pass_absorb(Arena *arena, const Graph *graph, const PassOptions *options, DiagList *diags)
{
    return rewrite_graph(arena, graph, options, diags, absorb_node);
}
