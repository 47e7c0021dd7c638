/* lower/extreme.c: the largest of many: max_pool and argmax, as balanced trees. */
#include "lower/inside.h"

LowerWindow lower_pool_window(const GraphNode *node, Shape x, uint32_t element)
{
    const GraphPool *pool = node->attr.pool;
    uint32_t position = element / x.dim[2], width = node->shape.dim[1];
    return (LowerWindow){.row = (int64_t)(position / width) * pool->stride_height - pool->pad_top,
                         .column = (int64_t)(position % width) * pool->stride_width - pool->pad_left,
                         .channel = element % x.dim[2],
                         .n = pool->height * pool->width,
                         .pool_width = pool->width,
                         .x = x};
}

bool lower_window_element(const LowerWindow *window, uint32_t k, uint32_t *element)
{
    int64_t row = window->row + k / window->pool_width, column = window->column + k % window->pool_width;
    if (row < 0 || row >= window->x.dim[0] || column < 0 || column >= window->x.dim[1])
        return false;
    *element = ((uint32_t)row * window->x.dim[1] + (uint32_t)column) * window->x.dim[2] + window->channel;
    return true;
}

void lower_max_pool(Lower *l, GraphRef ref)
{
    const GraphNode *node = lower_node(l, ref);
    const GraphPool *pool = node->attr.pool;
    Shape x = lower_input_node(l, ref, 0)->shape;
    GraphRef limits = l->limits[ref]; /* of the values, which are limited one a window */
    const CircuitRef *in = lower_in(l, ref, 0);
    CircuitRef *out = lower_new(l, ref), *term = arena_array(l->arena, CircuitRef, (size_t)pool->height * pool->width);
    for (uint32_t e = 0, n = shape_size(node->shape); e < n; e++) {
        LowerWindow window = lower_pool_window(node, x, e);
        uint32_t n_terms = 0, last = 0;
        l->b.element = e;
        for (uint32_t k = 0, source; k < window.n; k++)
            if (lower_window_element(&window, k, &source))
                term[n_terms++] = in[last = source];
        for (; n_terms > 1; n_terms = (n_terms + 1) / 2)
            for (uint32_t i = 0; i < n_terms; i += 2)
                term[i / 2] = i + 1 < n_terms ? lower_max(&l->b, term[i], term[i + 1]) : term[i];
        out[e] = term[0];
        if (limits != GRAPH_NONE)
            out[e] = lower_limited(&l->b, out[e], quantiser_at(&lower_node(l, limits)->attr.quant->map, x, last),
                                   l->floors[limits] == LOWER_FLOORS_POSITIVE);
    }
}

typedef struct Candidate {
    CircuitRef value, index;
} Candidate;

/* The first largest: an equal one further right does not win. Under a negative scale the smallest raw value is the largest. */
static Candidate better(Lower *l, Candidate left, Candidate right, bool falls, bool last)
{
    CircuitRef wins = falls ? circuit_compare(&l->b, CIRCUIT_less, right.value, left.value)
                            : circuit_compare(&l->b, CIRCUIT_less, left.value, right.value);
    Candidate best = {.value = left.value, .index = circuit_select(&l->b, wins, right.index, left.index)};
    if (!last)
        best.value = circuit_select(&l->b, wins, right.value, left.value);
    return best;
}

void lower_argmax(Lower *l, GraphRef ref)
{
    const GraphNode *node = lower_node(l, ref), *x = lower_input_node(l, ref, 0);
    if (!scale_is_uniform(&x->scale, x->shape)) {
        lower_refuse(l, ref, DIAG_SCALE, "put a quantiser before it, or let the host compare the logits",
                     "the values to compare have different scales");
        return;
    }
    bool falls = !scale_is_positive(&x->scale, x->shape);
    const CircuitRef *in = lower_in(l, ref, 0);
    CircuitRef *out = lower_new(l, ref);
    uint32_t n_values = x->shape.dim[x->shape.rank - 1];
    Candidate *at = arena_array(l->arena, Candidate, n_values);
    for (uint32_t e = 0, count = shape_size(node->shape); e < count; e++) {
        l->b.element = e;
        for (uint32_t i = 0; i < n_values; i++)
            at[i] = (Candidate){in[e * n_values + i], circuit_constant(&l->b, i, 0)};
        for (uint32_t n = n_values; n > 1; n = (n + 1) / 2)
            for (uint32_t i = 0; i < n; i += 2)
                at[i / 2] = i + 1 < n ? better(l, at[i], at[i + 1], falls, n == 2) : at[i];
        out[e] = at[0].index;
    }
}
