/* lower/need.c: which bits of each element anybody reads.
 *
 *     y = x W          need of y[j]:  bits below 2^3, none above        quantise y[j] to ufixed<4,3> WRAP
 *     q = quantise y   need of y[k]:  none at all                       q[k] is pruned, or only met by zero weights
 *
 * A need is a top: bits from 2^top up are not read. Users are looked at before what they use. A wrapping quantiser reads its own bits
 * only, whatever the rounding does below them, as long as rounding commutes with adding 2^top; so does one that cannot overflow. Matrices
 * read the rows that have weights in columns that are read. All else reads everything, if it is read at all. The sums of a layer are then
 * built modulo what is read of them.
 */
#include "lower/inside.h"

static void ask(int32_t *need, int32_t top)
{
    if (top > *need)
        *need = top;
}

static bool commutes(Rounding rounding, int32_t bits)
{
    return rounding == ROUND_TRN || rounding == ROUND_RND || rounding == ROUND_RND_MIN_INF || (rounding == ROUND_RND_CONV && bits > 1);
}

static void need_quantise(Lower *l, GraphRef ref, const int32_t *own, int32_t *in)
{
    const GraphNode *node = lower_node(l, ref), *x = lower_input_node(l, ref, 0);
    for (uint32_t e = 0, n = shape_size(node->shape); e < n; e++) {
        const Quantiser *q = quantiser_at(&node->attr.quant->map, node->shape, e);
        if (own[e] == LOWER_UNREAD || q->type.bits == 0)
            continue;
        bool wraps = (q->overflow == OVERFLOW_WRAP && q->saturated_bits == 0) || lower_cannot_overflow(x, e, q);
        bool modular = wraps && commutes(q->rounding, q->type.bits) && scale_is_identity(&x->scale);
        ask(&in[e], modular ? (int32_t)q->type.bits - q->type.frac : LOWER_ALL);
    }
}

static void need_dense(Lower *l, GraphRef ref, const int32_t *own, int32_t *in)
{
    const GraphNode *x = lower_input_node(l, ref, 0), *w = lower_input_node(l, ref, 1);
    uint32_t n_in = x->shape.dim[x->shape.rank - 1], n_out = w->shape.dim[w->shape.rank - 1], n = shape_size(x->shape);
    bool known = w->op == GRAPH_constant && w->kind == KIND_FIXED;
    for (uint32_t e = 0; e < n; e++) {
        const int32_t *row = own + (size_t)(e / n_in) * n_out;
        for (uint32_t j = 0; j < n_out; j++)
            if (row[j] != LOWER_UNREAD && (!known || w->attr.tensor->raw[(size_t)(e % n_in) * n_out + j] != 0))
                in[e] = LOWER_ALL;
    }
}

static void need_node(Lower *l, GraphRef ref)
{
    const GraphNode *node = lower_node(l, ref);
    const int32_t *own = l->need[ref];
    uint32_t n = shape_size(node->shape);
    bool alike = node->op == GRAPH_relu || node->op == GRAPH_clip || node->op == GRAPH_reshape;
    for (uint32_t k = 0; k < node->n_inputs; k++) {
        int32_t *in = l->need[lower_input_ref(l, ref, k)];
        uint32_t n_in = shape_size(lower_input_node(l, ref, k)->shape);
        if (node->op == GRAPH_quantise)
            need_quantise(l, ref, own, in);
        else if (node->op == GRAPH_dense && k == 0)
            need_dense(l, ref, own, in);
        else if (alike && n == n_in)
            for (uint32_t e = 0; e < n; e++)
                ask(&in[e], own[e] == LOWER_UNREAD || node->op == GRAPH_reshape ? own[e] : LOWER_ALL);
        else
            for (uint32_t e = 0; e < n_in; e++)
                in[e] = LOWER_ALL;
    }
}

void lower_find_needs(Lower *l)
{
    const GraphModule *module = l->module;
    l->need = arena_array(l->arena, int32_t *, module->nodes.n);
    for (GraphRef ref = 0; ref < module->nodes.n; ref++) {
        uint32_t n = shape_size(lower_node(l, ref)->shape);
        l->need[ref] = arena_array(l->arena, int32_t, n);
        for (uint32_t e = 0; e < n; e++)
            l->need[ref][e] = LOWER_UNREAD;
    }
    for (uint32_t i = 0; i < module->outputs.n; i++) {
        GraphRef ref = module->outputs.at[i].ref;
        for (uint32_t e = 0, n = shape_size(lower_node(l, ref)->shape); e < n; e++)
            l->need[ref][e] = LOWER_ALL;
    }
    for (GraphRef ref = module->nodes.n; ref-- > 0;)
        need_node(l, ref);
}
