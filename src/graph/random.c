/* graph/random.c: sound random graphs. Nodes are tried one after the other: what graph_infer refuses, leaves open or finds too wide is
 * taken back. */
#include "graph/inside.h"

#include <assert.h>

#define BITS_MOST 58u /* of a value: leaves room for others to compute with 64 */

typedef struct Random {
    Graph *graph;
    GraphModule *module;
    Arena *arena;
    Rng *rng;
    const GraphRandomOptions *options;
} Random;

static uint32_t below(Random *r, uint32_t n) { return rng_below(r->rng, n); }
static GraphNode *node_at(Random *r, GraphRef ref) { return graph_node(r->module, ref); }

/* ---- values ---- */

static Shape random_shape(Random *r)
{
    Shape shape = {.rank = 1 + below(r, 3)};
    uint32_t room = u32_max(1, r->options->max_elements);
    for (uint32_t i = 0; i < shape.rank; i++) {
        shape.dim[i] = 1 + below(r, u32_min(room, shape.rank == 1 ? 12 : 5));
        room /= shape.dim[i];
        room = u32_max(1, room);
    }
    return shape;
}

static Spread random_spread(Random *r, Shape shape, bool by_element)
{
    uint32_t kind = below(r, by_element ? 6 : 4);
    if (kind < 2 || shape.rank == 0)
        return SPREAD_ONE;
    if (kind < 4)
        return (Spread){SPREAD_CHANNEL, below(r, shape.rank)};
    return (Spread){SPREAD_ELEMENT, 0};
}

static Quantiser random_quantiser(Random *r)
{
    Quantiser q = {.rounding = (Rounding)below(r, ROUNDING_COUNT), .overflow = (Overflow)below(r, OVERFLOW_COUNT)};
    q.type = (FixedType){
        .is_signed = below(r, 2), .bits = (uint16_t)(below(r, 12) == 0 ? 0 : 1 + below(r, 8)), .frac = rng_between(r->rng, -3, 7)};
    if (q.overflow == OVERFLOW_WRAP && q.type.bits > 0 && below(r, 4) == 0)
        q.saturated_bits = (uint8_t)(1 + below(r, q.type.bits));
    return q;
}

static QuantMap random_quant_map(Random *r, Shape shape)
{
    QuantMap map = {.spread = random_spread(r, shape, true)};
    uint32_t n = spread_count(map.spread, shape);
    Quantiser *q = arena_array(r->arena, Quantiser, n);
    for (uint32_t i = 0; i < n; i++)
        q[i] = i > 0 && below(r, 2) ? q[i - 1] : random_quantiser(r);
    map.at = q;
    return map;
}

static Rational random_rational(Random *r) { return rational_from_i64(r->arena, rng_between(r->rng, -12, 12), 1 + (int64_t)below(r, 9)); }

static Rational random_dyadic(Random *r) { return rational_from_raw(r->arena, rng_between(r->rng, -40, 40), rng_between(r->rng, -2, 5)); }

static Scale random_scale(Random *r, Shape shape, bool has_offset)
{
    Scale scale = {.spread = random_spread(r, shape, false)};
    uint32_t n = spread_count(scale.spread, shape);
    Rational *m = arena_array(r->arena, Rational, n), *o = arena_array(r->arena, Rational, n);
    for (uint32_t i = 0; i < n; i++) {
        m[i] = rational_from_i64(r->arena, 1 + (int64_t)below(r, 12), 1 + (int64_t)below(r, 9));
        o[i] = has_offset ? random_rational(r) : rational_zero();
    }
    scale.multiplier = m;
    scale.offset = o;
    return scale;
}

static i128 random_within(Random *r, Interval range)
{
    u128 span = (u128)(range.hi - range.lo) + 1;
    return below(r, 4) == 0 ? (below(r, 2) ? range.lo : range.hi) : range.lo + (i128)(rng_u64(r->rng) % span);
}

/* ---- trying ---- */

static bool is_usable(const GraphNode *node)
{
    if (node->op == GRAPH_call)
        return false;
    if (node->kind != KIND_FIXED || node->scale_open || shape_size(node->shape) == 0)
        return false;
    for (uint32_t i = 0, n = spread_count(node->type.spread, node->shape); i < n; i++)
        if (node->type.at[i].bits > BITS_MOST)
            return false;
    return true;
}

static bool infer_last(Random *r, bool must_be_usable)
{
    Arena *scratch = arena_child(r->arena);
    DiagList diags = diag_init(scratch);
    GraphNode *node = node_at(r, r->module->nodes.n - 1);
    GraphInfer at = {r->graph->arena, r->module, node, NULL, &diags};
    bool good = graph_infer_shape(&at) && shape_size(node->shape) <= r->options->max_elements && graph_infer_type(&at);
    arena_destroy(scratch);
    return good && (!must_be_usable || is_usable(node));
}

/* GRAPH_NONE, and nothing added, if it is not sound */
static GraphRef try_node(Random *r, const GraphNode *node, const GraphRef *in, uint32_t n_in)
{
    uint32_t n_links = r->module->inputs_of.n;
    GraphRef ref = graph_append(r->module, node, in, n_in);
    bool is_real = node->op == GRAPH_constant && node->attr.tensor->real;
    if (infer_last(r, node->op != GRAPH_call && !is_real))
        return ref;
    r->module->nodes.n = ref;
    r->module->inputs_of.n = n_links;
    return GRAPH_NONE;
}

/* Some usable node, of this rank or size if they are not UINT32_MAX; GRAPH_NONE if a few tries find none. */
static GraphRef pick(Random *r, uint32_t rank, uint32_t size)
{
    for (uint32_t tries = 0; tries < 20; tries++) {
        uint32_t n = r->module->nodes.n, ref = below(r, 3) ? n - 1 - below(r, u32_min(n, 6)) : below(r, n);
        const GraphNode *node = node_at(r, ref);
        if (is_usable(node) && (rank == UINT32_MAX || node->shape.rank == rank) && (size == UINT32_MAX || shape_size(node->shape) == size))
            return ref;
    }
    return GRAPH_NONE;
}

static GraphRef pick_any(Random *r) { return pick(r, UINT32_MAX, UINT32_MAX); }

static const char *random_layer(Random *r)
{
    static const char *const layers[] = {"", "fc1", "block/conv.2", "relu1", "a \"quoted\" name"};
    return layers[below(r, COUNT_OF(layers))];
}

/* ---- leaves ---- */

static void add_input(Random *r, uint32_t i)
{
    Shape shape = random_shape(r);
    GraphInput input = {.type = random_quant_map(r, shape), .is_default = below(r, 4) == 0};
    if (r->options->scales && below(r, 4) == 0)
        input.scale = random_scale(r, shape, below(r, 2));
    graph_add_input(r->module, fmt(r->arena, i == 1 ? "port %u" : "x%u", i), shape, &input);
    bool good = infer_last(r, false);
    assert(good);
    (void)good;
}

static GraphRef add_fixed(Random *r, Shape shape, bool scaled)
{
    QuantMap map = random_quant_map(r, shape);
    uint32_t n = shape_size(shape), n_types = spread_count(map.spread, shape);
    i128 *raw = arena_array(r->arena, i128, n);
    FixedType *type = arena_array(r->arena, FixedType, n_types);
    for (uint32_t i = 0; i < n_types; i++)
        type[i] = map.at[i].type;
    for (uint32_t e = 0; e < n; e++)
        raw[e] = below(r, 4) == 0 ? 0 : random_within(r, interval_of_type(type[spread_index(map.spread, shape, e)]));
    GraphTensor *tensor = arena_new(r->arena, GraphTensor);
    *tensor = (GraphTensor){.kind = KIND_FIXED, .raw = raw, .type = {map.spread, type}, .is_default = below(r, 5) == 0};
    if (scaled)
        tensor->scale = random_scale(r, shape, false);
    return try_node(r, &(GraphNode){.op = GRAPH_constant, .attr.tensor = tensor, .shape = shape, .layer = random_layer(r)}, NULL, 0);
}

/* real numbers of the model, and their quantiser */
static GraphRef add_real(Random *r, Shape shape)
{
    uint32_t n = shape_size(shape);
    double *real = arena_array(r->arena, double, n);
    bool single = below(r, 2);
    for (uint32_t e = 0; e < n; e++) {
        double value = (rng_unit(r->rng) - 0.5) * (double)(1u << below(r, 6));
        real[e] = single ? (double)(float)value : value;
    }
    GraphTensor *tensor = arena_new(r->arena, GraphTensor);
    *tensor = (GraphTensor){.kind = single ? KIND_F32 : KIND_F64, .real = real};
    GraphRef ref =
        try_node(r, &(GraphNode){.op = GRAPH_constant, .attr.tensor = tensor, .shape = shape, .layer = random_layer(r)}, NULL, 0);
    if (ref == GRAPH_NONE)
        return ref;
    GraphQuant *quant = arena_new(r->arena, GraphQuant);
    quant->map = random_quant_map(r, shape);
    return try_node(r, &(GraphNode){.op = GRAPH_quantise, .attr.quant = quant, .layer = random_layer(r)}, &ref, 1);
}

static GraphRef add_constant(Random *r, Shape shape)
{
    return below(r, 3) == 0 ? add_real(r, shape) : add_fixed(r, shape, r->options->scales && below(r, 4) == 0);
}

/* ---- nodes ---- */

static GraphRef add_quantise(Random *r, GraphRef x)
{
    if (x == GRAPH_NONE)
        return x;
    GraphQuant *quant = arena_new(r->arena, GraphQuant);
    quant->map = random_quant_map(r, node_at(r, x)->shape);
    quant->is_default = below(r, 5) == 0;
    return try_node(r, &(GraphNode){.op = GRAPH_quantise, .attr.quant = quant, .layer = random_layer(r)}, &x, 1);
}

static void add_affine(Random *r, GraphRef x)
{
    Shape shape = node_at(r, x)->shape;
    GraphAffine *affine = arena_new(r->arena, GraphAffine);
    affine->spread = random_spread(r, shape, false);
    uint32_t n = spread_count(affine->spread, shape);
    Rational *m = arena_array(r->arena, Rational, n), *o = arena_array(r->arena, Rational, n);
    bool rational = r->options->scales && below(r, 2), has_offset = below(r, 3) > 0;
    for (uint32_t i = 0; i < n; i++) {
        m[i] = rational           ? random_rational(r)
               : below(r, 8) == 0 ? rational_zero()
                                  : rational_from_raw(r->arena, 1, rng_between(r->rng, -3, 3));
        o[i] = !has_offset ? rational_zero() : rational ? random_rational(r) : random_dyadic(r);
    }
    affine->multiplier = m;
    affine->offset = o;
    GraphRef ref = try_node(r, &(GraphNode){.op = GRAPH_affine, .attr.affine = affine, .layer = random_layer(r)}, &x, 1);
    if (ref != GRAPH_NONE && rational && below(r, 4))
        add_quantise(r, ref);
}

static void add_dense(Random *r, GraphRef x)
{
    Shape shape = node_at(r, x)->shape;
    if (shape.rank == 0)
        return;
    uint32_t n_in = shape.dim[shape.rank - 1], n_out = 1 + below(r, 5);
    GraphRef in[3] = {x, pick(r, 2, UINT32_MAX), GRAPH_NONE};
    if (in[1] == GRAPH_NONE || below(r, 3) || node_at(r, in[1])->shape.dim[0] != n_in)
        in[1] = add_constant(r, (Shape){.rank = 2, .dim = {n_in, n_out}});
    if (in[1] == GRAPH_NONE)
        return;
    n_out = node_at(r, in[1])->shape.dim[1];
    if (below(r, 2))
        in[2] = add_constant(r, (Shape){.rank = 1, .dim = {n_out}});
    try_node(r, &(GraphNode){.op = GRAPH_dense, .layer = random_layer(r)}, in, in[2] == GRAPH_NONE ? 2 : 3);
}

static void add_conv(Random *r, GraphRef x)
{
    Shape shape = node_at(r, x)->shape;
    uint32_t n_out = 1 + below(r, 3);
    GraphRef in[3] = {x, add_constant(r, (Shape){.rank = 4, .dim = {1 + below(r, 3), 1 + below(r, 3), shape.dim[2], n_out}}), GRAPH_NONE};
    if (in[1] == GRAPH_NONE)
        return;
    if (below(r, 2))
        in[2] = add_constant(r, (Shape){.rank = 1, .dim = {n_out}});
    GraphConv *conv = arena_new(r->arena, GraphConv);
    *conv = (GraphConv){.stride_height = 1 + below(r, 2), .stride_width = 1 + below(r, 2)};
    if (below(r, 2)) {
        conv->pad_top = below(r, 2);
        conv->pad_left = below(r, 3);
        conv->pad_bottom = below(r, 3);
        conv->pad_right = below(r, 2);
    }
    try_node(r, &(GraphNode){.op = GRAPH_conv2d, .attr.conv = conv, .layer = random_layer(r)}, in, in[2] == GRAPH_NONE ? 2 : 3);
}

static void add_pool(Random *r, GraphRef x)
{
    GraphPool *pool = arena_new(r->arena, GraphPool);
    *pool =
        (GraphPool){.height = 1 + below(r, 3), .width = 1 + below(r, 3), .stride_height = 1 + below(r, 2), .stride_width = 1 + below(r, 2)};
    pool->pad_top = below(r, pool->height);
    pool->pad_bottom = below(r, pool->height);
    pool->pad_left = below(r, pool->width);
    pool->pad_right = below(r, pool->width);
    try_node(r, &(GraphNode){.op = GRAPH_max_pool, .attr.pool = pool, .layer = random_layer(r)}, &x, 1);
}

static void add_clip(Random *r, GraphRef x)
{
    GraphClip *clip = arena_new(r->arena, GraphClip);
    clip->lo = random_dyadic(r);
    clip->hi = random_dyadic(r);
    if (rational_compare(r->arena, clip->lo, clip->hi) > 0)
        *clip = (GraphClip){clip->hi, clip->lo};
    try_node(r, &(GraphNode){.op = GRAPH_clip, .attr.clip = clip, .layer = random_layer(r)}, &x, 1);
}

static void add_threshold(Random *r, GraphRef x)
{
    Shape shape = node_at(r, x)->shape;
    GraphThreshold *t = arena_new(r->arena, GraphThreshold);
    t->spread = random_spread(r, shape, false);
    t->n_steps = below(r, 5);
    t->type = (FixedType){.is_signed = below(r, 2), .bits = (uint16_t)(1 + below(r, 6)), .frac = rng_between(r->rng, -2, 4)};
    uint32_t count = spread_count(t->spread, shape), n = count * t->n_steps;
    Rational *at = arena_array(r->arena, Rational, n);
    bool *strict = arena_array(r->arena, bool, n);
    i128 *level = arena_array(r->arena, i128, n + count);
    for (uint32_t i = 0; i < n; i++) {
        bool first = i % t->n_steps == 0;
        Rational rise = rational_from_i64(r->arena, below(r, 6), 1 + (int64_t)below(r, 4));
        at[i] = first ? random_rational(r) : rational_add(r->arena, at[i - 1], rise);
        strict[i] = below(r, 2) || (!first && strict[i - 1] && rational_sign(rise) == 0);
    }
    for (uint32_t i = 0; i < n + count; i++)
        level[i] = random_within(r, interval_of_type(t->type));
    t->at = at;
    t->strict = below(r, 2) ? strict : NULL;
    t->level = level;
    try_node(r, &(GraphNode){.op = GRAPH_threshold, .attr.threshold = t, .layer = random_layer(r)}, &x, 1);
}

static void add_sum(Random *r, GraphRef x)
{
    Shape shape = node_at(r, x)->shape, other = shape;
    GraphRef y = pick_any(r);
    if (y == GRAPH_NONE || below(r, 2)) {
        uint32_t drop = below(r, shape.rank + 1); /* leading axes, and some that are broadcast */
        other.rank = shape.rank - drop;
        for (uint32_t i = 0; i < other.rank; i++)
            other.dim[i] = below(r, 4) == 0 ? 1 : shape.dim[i + drop];
        y = add_constant(r, other);
        if (y == GRAPH_NONE)
            return;
    }
    GraphRef in[2] = {x, y};
    try_node(r, &(GraphNode){.op = below(r, 2) ? GRAPH_add : GRAPH_sub, .layer = random_layer(r)}, in, 2);
}

static GraphRef add_reshape(Random *r, GraphRef x, Shape shape)
{
    return try_node(r, &(GraphNode){.op = GRAPH_reshape, .attr.shape = shape, .layer = random_layer(r)}, &x, 1);
}

static Shape random_split(Random *r, uint32_t size)
{
    Shape shape = {.rank = 1 + below(r, 4)};
    for (uint32_t i = 0; i + 1 < shape.rank; i++) {
        uint32_t d = 1 + below(r, 4);
        shape.dim[i] = size % d == 0 ? d : 1;
        size /= shape.dim[i];
    }
    shape.dim[shape.rank - 1] = size;
    return shape;
}

static void add_transpose(Random *r, GraphRef x)
{
    GraphNode node = {.op = GRAPH_transpose, .layer = random_layer(r)};
    uint32_t rank = node_at(r, x)->shape.rank;
    for (uint32_t i = 0; i < rank; i++) { /* an inside-out shuffle */
        uint32_t k = below(r, i + 1);
        node.attr.permutation[i] = node.attr.permutation[k];
        node.attr.permutation[k] = i;
    }
    try_node(r, &node, &x, 1);
}

/* ---- calls ---- */

/* A value that the port of a callee holds: some value of that size, or a constant, assigned to the port's own type. */
static GraphRef add_argument(Random *r, const GraphNode *port)
{
    GraphRef x = pick(r, UINT32_MAX, shape_size(port->shape));
    if (x == GRAPH_NONE)
        x = add_fixed(r, port->shape, false);
    else if (!shape_equal(node_at(r, x)->shape, port->shape))
        x = add_reshape(r, x, port->shape);
    if (x == GRAPH_NONE)
        return x;
    GraphQuant *quant = arena_new(r->arena, GraphQuant);
    quant->map = port->attr.input->type;
    return try_node(r, &(GraphNode){.op = GRAPH_quantise, .attr.quant = quant}, &x, 1);
}

static void add_call(Random *r)
{
    if (r->graph->modules.n < 2)
        return;
    uint32_t index = below(r, r->graph->modules.n - 1);
    const GraphModule *callee = r->graph->modules.at[index];
    GraphRef in[4];
    for (uint32_t i = 0; i < callee->inputs.n; i++) {
        in[i] = add_argument(r, graph_node(callee, callee->inputs.at[i]));
        if (in[i] == GRAPH_NONE)
            return;
    }
    GraphRef call = try_node(r, &(GraphNode){.op = GRAPH_call, .attr.index = index, .layer = random_layer(r)}, in, callee->inputs.n);
    for (uint32_t i = 0; call != GRAPH_NONE && i < callee->outputs.n; i++)
        try_node(r, &(GraphNode){.op = GRAPH_out, .attr.index = i}, &call, 1);
}

static void add_some(Random *r)
{
    static const GraphOp ops[] = {GRAPH_quantise, GRAPH_quantise, GRAPH_affine,    GRAPH_dense,  GRAPH_dense,
                                  GRAPH_conv2d,   GRAPH_max_pool, GRAPH_relu,      GRAPH_clip,   GRAPH_threshold,
                                  GRAPH_add,      GRAPH_reshape,  GRAPH_transpose, GRAPH_argmax, GRAPH_call};
    GraphOp op = ops[below(r, COUNT_OF(ops))];
    bool wants_image = op == GRAPH_conv2d || op == GRAPH_max_pool;
    GraphRef x = pick(r, wants_image ? 3 : UINT32_MAX, UINT32_MAX);
    if (op == GRAPH_call)
        add_call(r);
    else if (x == GRAPH_NONE)
        return;
    else if (op == GRAPH_quantise)
        add_quantise(r, x);
    else if (op == GRAPH_affine)
        add_affine(r, x);
    else if (op == GRAPH_dense)
        add_dense(r, x);
    else if (op == GRAPH_conv2d)
        add_conv(r, x);
    else if (op == GRAPH_max_pool)
        add_pool(r, x);
    else if (op == GRAPH_clip)
        add_clip(r, x);
    else if (op == GRAPH_threshold)
        add_threshold(r, x);
    else if (op == GRAPH_add)
        add_sum(r, x);
    else if (op == GRAPH_reshape)
        add_reshape(r, x, random_split(r, shape_size(node_at(r, x)->shape)));
    else if (op == GRAPH_transpose)
        add_transpose(r, x);
    else
        try_node(r, &(GraphNode){.op = op, .layer = random_layer(r)}, &x, 1); /* relu, argmax */
}

/* The last usable values, and some others. */
static void add_outputs(Random *r)
{
    uint32_t n = 1 + below(r, 3);
    GraphRef last = r->module->nodes.n;
    for (uint32_t i = 0; i < n; i++) {
        GraphRef ref = i == 0 ? last : pick_any(r);
        while (i == 0 && !is_usable(node_at(r, --ref)))
            ;
        if (ref != GRAPH_NONE)
            graph_add_output(r->module, fmt(r->arena, i == 1 ? "out/%u" : "y%u", i), ref, POST_NONE);
    }
}

static void fill_module(Random *r, const char *name, uint32_t n_nodes)
{
    r->module = graph_add_module(r->graph, name);
    for (uint32_t i = 0, n = 1 + below(r, 3); i < n; i++)
        add_input(r, i);
    for (uint32_t tries = 0; r->module->nodes.n < n_nodes && tries < 20 * n_nodes; tries++)
        add_some(r);
    add_outputs(r);
}

Graph *graph_random(Arena *arena, Rng *rng, const GraphRandomOptions *options)
{
    Random r = {.graph = graph_create(arena), .arena = arena, .rng = rng, .options = options};
    GraphRandomOptions callee_options = *options;
    callee_options.scales = false;
    for (uint32_t i = 0, n = options->modules ? below(&r, 3) : 0; i < n; i++) {
        r.options = &callee_options;
        fill_module(&r, fmt(arena, i ? "part %u" : "part%u", i), 2 + options->n_nodes / 3);
    }
    r.options = options;
    fill_module(&r, "top", options->n_nodes);
    DiagList diags = diag_init(arena);
    bool sound = graph_verify(r.graph, NULL, &diags) && graph_infer(r.graph, NULL, &diags);
    assert(sound);
    return sound ? r.graph : NULL;
}
