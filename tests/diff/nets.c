/* tests/diff/nets.c: see nets.h. */
#include "nets.h"

typedef struct Net {
    Arena *arena;
    Rng *rng;
    GraphModule *module;
} Net;

static uint32_t below(Net *n, uint32_t most) { return rng_below(n->rng, most); }
static bool chance(Net *n, uint32_t one_in) { return rng_chance(n->rng, one_in); }

/* ---- types ---- */

/* One bit in five; fractions below 0 and above the width. */
static FixedType random_type(Net *n, uint32_t most_bits)
{
    uint16_t bits = (uint16_t)(chance(n, 5) ? 1 : 1 + below(n, most_bits));
    return (FixedType){.is_signed = chance(n, 2), .bits = bits, .frac = rng_between(n->rng, -3, (int32_t)bits + 2)};
}

static Quantiser random_quantiser(Net *n, bool may_be_pruned)
{
    Quantiser q = {
        .type = random_type(n, 8), .rounding = (Rounding)below(n, ROUNDING_COUNT), .overflow = (Overflow)below(n, OVERFLOW_COUNT)};
    if (may_be_pruned && chance(n, 16))
        q.type.bits = 0;
    if (q.overflow == OVERFLOW_WRAP && q.type.bits > 0 && chance(n, 5))
        q.saturated_bits = (uint8_t)(1 + below(n, q.type.bits));
    return q;
}

static Spread random_spread(Net *n, Shape shape)
{
    if (chance(n, 2))
        return SPREAD_ONE;
    return chance(n, 2) ? (Spread){SPREAD_ELEMENT, 0} : (Spread){SPREAD_CHANNEL, shape.rank - 1};
}

static QuantMap random_map(Net *n, Shape shape, bool may_be_pruned)
{
    QuantMap map = {.spread = random_spread(n, shape)};
    uint32_t count = spread_count(map.spread, shape);
    Quantiser *q = arena_array(n->arena, Quantiser, count);
    for (uint32_t i = 0; i < count; i++)
        q[i] = i > 0 && chance(n, 3) ? q[i - 1] : random_quantiser(n, may_be_pruned);
    map.at = q;
    return map;
}

/* ---- weights ---- */

static i128 random_weight(Net *n, FixedType type)
{
    i128 lo = fixed_min(type), hi = fixed_max(type), w;
    switch (below(n, 5)) {
    case 0:
        return 0;
    case 1: /* a power of two, or its negative */
        w = (i128)1 << below(n, type.bits);
        w = chance(n, 2) ? -w : w;
        return w < lo || w > hi ? hi : w;
    case 2:
        return chance(n, 2) ? lo : hi;
    default:
        return lo + (i128)(rng_u64(n->rng) % ((uint64_t)(hi - lo) + 1));
    }
}

/* Column j is drawn, pruned, or one of those before it, perhaps negated where the type has the negative. */
static void fill_weights(Net *n, const TypeMap *types, Shape shape, i128 *raw)
{
    uint32_t n_in = shape.dim[0], n_out = shape.dim[1];
    bool one_type = types->spread.kind == SPREAD_UNIFORM;
    for (uint32_t j = 0; j < n_out; j++) {
        uint32_t kind = below(n, 8), source = j > 0 ? below(n, j) : 0;
        for (uint32_t i = 0; i < n_in; i++) {
            FixedType type = type_at(types, shape, i * n_out + j);
            i128 w = random_weight(n, type);
            if (kind == 0)
                w = 0;
            else if (kind < 3 && j > 0 && one_type)
                w = kind == 1 ? raw[i * n_out + source] : -raw[i * n_out + source];
            raw[i * n_out + j] = w < fixed_min(type) || w > fixed_max(type) ? fixed_max(type) : w;
        }
    }
    for (uint32_t i = 0; i < n_in; i++) /* an input that nobody reads */
        for (uint32_t j = 0; j < n_out && i == 0 && n_in > 1; j++)
            if (below(n, 2 * n_out) == 0)
                raw[j] = 0;
}

static GraphRef add_constant(Net *n, Shape shape, bool is_matrix, const char *layer)
{
    GraphTensor *tensor = arena_new(n->arena, GraphTensor);
    *tensor = (GraphTensor){.kind = KIND_FIXED, .type = {.spread = random_spread(n, shape)}};
    uint32_t count = spread_count(tensor->type.spread, shape), size = shape_size(shape);
    FixedType *type = arena_array(n->arena, FixedType, count);
    for (uint32_t i = 0; i < count; i++)
        type[i] = random_type(n, 7);
    tensor->type.at = type;
    i128 *raw = arena_array(n->arena, i128, size);
    if (is_matrix)
        fill_weights(n, &tensor->type, shape, raw);
    else
        for (uint32_t i = 0; i < size; i++)
            raw[i] = random_weight(n, type_at(&tensor->type, shape, i));
    tensor->raw = raw;
    return graph_add_constant(n->module, shape, tensor, layer);
}

/* ---- layers ---- */

static GraphRef add_dense(Net *n, GraphRef x, uint32_t n_in, uint32_t n_out, const char *layer)
{
    GraphRef in[3] = {x};
    in[1] = add_constant(n, (Shape){.rank = 2, .dim = {n_in, n_out}}, true, layer);
    bool has_bias = !chance(n, 3);
    if (has_bias)
        in[2] = add_constant(n, (Shape){.rank = 1, .dim = {n_out}}, false, layer);
    return graph_add_node(n->module, GRAPH_dense, in, has_bias ? 3 : 2, layer);
}

static GraphRef add_quantise(Net *n, GraphRef x, uint32_t size, const char *layer)
{
    GraphQuant *quant = arena_new(n->arena, GraphQuant);
    quant->map = random_map(n, (Shape){.rank = 1, .dim = {size}}, true);
    GraphRef ref = graph_add_node(n->module, GRAPH_quantise, &x, 1, layer);
    graph_node(n->module, ref)->attr.quant = quant;
    return ref;
}

Graph *net_random(Arena *arena, Rng *rng)
{
    Graph *graph = graph_create(arena);
    Net n = {.arena = arena, .rng = rng, .module = graph_add_module(graph, "net")};
    uint32_t size[3] = {1 + below(&n, 7), 1 + below(&n, 8), 1 + below(&n, 5)};
    GraphInput *input = arena_new(arena, GraphInput);
    Shape shape = {.rank = 1, .dim = {size[0]}};
    *input = (GraphInput){.name = "x", .type = random_map(&n, shape, false)};
    GraphRef x = graph_add_input(n.module, "x", shape, input);
    if (chance(&n, 4))
        x = add_quantise(&n, x, size[0], "q0");
    for (uint32_t layer = 1; layer <= 2; layer++) {
        x = add_dense(&n, x, size[layer - 1], size[layer], layer == 1 ? "fc1" : "fc2");
        if (chance(&n, 2))
            x = graph_add_node(n.module, GRAPH_relu, &x, 1, layer == 1 ? "act1" : "act2");
        if (layer == 1 || !chance(&n, 3))
            x = add_quantise(&n, x, size[layer], layer == 1 ? "q1" : "q2");
    }
    graph_add_output(n.module, "y", x, POST_NONE);
    DiagList diags = diag_init(arena);
    return graph_infer(graph, "net", &diags) ? graph : NULL;
}

/* ---- events ---- */

static i128 random_raw(Rng *rng, Interval r)
{
    switch (rng_below(rng, 6)) {
    case 0:
        return r.lo;
    case 1:
        return r.hi;
    case 2:
        return interval_has(r, 0) ? 0 : r.lo;
    default:
        return r.lo + (i128)((u128)(rng_u64(rng) % (uint64_t)(((r.hi - r.lo) >> r.zeros) + 1)) << r.zeros);
    }
}

uint32_t net_random_event(const Graph *graph, Rng *rng, i128 *in)
{
    const GraphModule *top = graph_top(graph);
    uint32_t at = 0;
    for (uint32_t i = 0; i < top->inputs.n; i++) {
        const GraphNode *node = graph_node(top, top->inputs.at[i]);
        for (uint32_t e = 0, n = shape_size(node->shape); e < n; e++)
            in[at++] = random_raw(rng, interval_is_point(node->range[e]) ? interval_point(node->range[e].lo) : node->range[e]);
    }
    return at;
}

uint32_t net_values(const Graph *graph, bool inputs)
{
    const GraphModule *top = graph_top(graph);
    uint32_t n = 0;
    for (uint32_t i = 0; inputs && i < top->inputs.n; i++)
        n += shape_size(graph_node(top, top->inputs.at[i])->shape);
    for (uint32_t i = 0; !inputs && i < top->outputs.n; i++)
        n += shape_size(graph_node(top, top->outputs.at[i].ref)->shape);
    return n;
}
