/* graph/infer.c: what follows from a node's inputs, in node order, callees first: its shape (the functions graph_infer_<op> here), its
 * kind, and for what is FIXED its scale, type and proven range (the functions graph_range_<op> of range.c, range_linear.c, range_sum.c and
 * range_move.c).
 *
 * A node that breaks a rule is reported once and marked; what depends on it is skipped in silence, so that a user reads causes only.
 * O(nodes * elements), dense and conv2d O(multiplications).
 */
#include "graph/inside.h"

#include <inttypes.h>

Place infer_place(const GraphInfer *at)
{
    Place place = graph_place(at->file, at->node);
    if (!place.layer) {
        const GraphModule *m = at->module;
        bool stands_in_it = at->node >= m->nodes.at && at->node < m->nodes.at + m->nodes.n;
        place.layer = stands_in_it ? fmt(at->arena, "%%%u", (uint32_t)(at->node - m->nodes.at)) : NULL;
    }
    return place;
}

static const char *shape_in(const GraphInfer *at, uint32_t i) { return shape_text(at->arena, infer_in(at, i)->shape); }

/* ---- shapes ---- */

bool graph_infer_input(GraphInfer *at)
{
    const GraphInput *input = at->node->attr.input;
    Shape shape = at->node->shape;
    if ((!input->type.at || spread_fits(input->type.spread, shape)) &&
        (scale_is_identity(&input->scale) || spread_fits(input->scale.spread, shape)))
        return true;
    diag_error(at->diags, DIAG_SHAPE, infer_place(at), NULL, "a map of input '%s' has an axis that its shape lacks", input->name);
    return false;
}

bool graph_infer_constant(GraphInfer *at)
{
    const GraphTensor *tensor = at->node->attr.tensor;
    Shape shape = at->node->shape;
    if ((!tensor->type.at || spread_fits(tensor->type.spread, shape)) &&
        (scale_is_identity(&tensor->scale) || spread_fits(tensor->scale.spread, shape)))
        return true;
    diag_error(at->diags, DIAG_SHAPE, infer_place(at), NULL, "a map of the constant has an axis that its shape lacks");
    return false;
}

static bool same_shape(GraphInfer *at, Spread spread)
{
    at->node->shape = infer_in(at, 0)->shape;
    if (spread_fits(spread, at->node->shape))
        return true;
    diag_error(at->diags, DIAG_SHAPE, infer_place(at), NULL, "channels are counted along axis %u, the input is %s", spread.axis,
               shape_in(at, 0));
    return false;
}

bool graph_infer_quantise(GraphInfer *at) { return same_shape(at, at->node->attr.quant->map.spread); }
bool graph_infer_affine(GraphInfer *at) { return same_shape(at, at->node->attr.affine->spread); }
bool graph_infer_threshold(GraphInfer *at) { return same_shape(at, at->node->attr.threshold->spread); }
bool graph_infer_relu(GraphInfer *at) { return same_shape(at, SPREAD_ONE); }
bool graph_infer_clip(GraphInfer *at) { return same_shape(at, SPREAD_ONE); }
bool graph_infer_call(GraphInfer *at)
{
    at->node->shape = (Shape){0};
    return true;
}

static bool bias_fits(GraphInfer *at, uint32_t n_out)
{
    if (at->node->n_inputs < 3)
        return true;
    Shape bias = infer_in(at, 2)->shape;
    if (bias.rank == 1 && bias.dim[0] == n_out)
        return true;
    diag_error(at->diags, DIAG_SHAPE, infer_place(at), NULL, "the bias is %s, the layer has %u outputs", shape_in(at, 2), n_out);
    return false;
}

/* keeps a product of dims, each below 2^28, inside SHAPE_MAX_ELEMENTS */
static bool set_shape(GraphInfer *at, const uint64_t *dim, uint32_t rank)
{
    if (shape_make(dim, rank, &at->node->shape))
        return true;
    diag_error(at->diags, DIAG_LIMIT, infer_place(at), NULL, "the result would have more than %u elements, or none", SHAPE_MAX_ELEMENTS);
    return false;
}

/* Ranges are proven and events are run multiplication by multiplication. */
#define WORK_MOST (1ull << 32)

static bool work_fits(GraphInfer *at, uint64_t terms)
{
    if (terms * shape_size(at->node->shape) <= WORK_MOST)
        return true;
    diag_error(at->diags, DIAG_LIMIT, infer_place(at), NULL, "the layer has more than 2^32 terms");
    return false;
}

bool graph_infer_dense(GraphInfer *at)
{
    Shape x = infer_in(at, 0)->shape, w = infer_in(at, 1)->shape;
    if (x.rank < 1 || w.rank != 2 || x.dim[x.rank - 1] != w.dim[0]) {
        diag_error(at->diags, DIAG_SHAPE, infer_place(at), "weights are [inputs, outputs], inputs being the last axis of x",
                   "x is %s, the weights are %s", shape_in(at, 0), shape_in(at, 1));
        return false;
    }
    uint64_t dim[SHAPE_MAX_RANK];
    for (uint32_t i = 0; i < x.rank; i++)
        dim[i] = x.dim[i];
    dim[x.rank - 1] = w.dim[1];
    return bias_fits(at, w.dim[1]) && set_shape(at, dim, x.rank) && work_fits(at, w.dim[0]);
}

/* number of windows along an axis; 0: none fits */
static uint64_t windows(uint64_t n, uint64_t pad_before, uint64_t pad_after, uint64_t kernel, uint64_t stride)
{
    uint64_t padded = n + pad_before + pad_after;
    return padded < kernel ? 0 : (padded - kernel) / stride + 1;
}

bool graph_infer_conv2d(GraphInfer *at)
{
    Shape x = infer_in(at, 0)->shape, w = infer_in(at, 1)->shape;
    const GraphConv *c = at->node->attr.conv;
    if (x.rank != 3 || w.rank != 4 || x.dim[2] != w.dim[2]) {
        diag_error(at->diags, DIAG_SHAPE, infer_place(at),
                   "x is [height, width, n_in], weights are [kernel_height, kernel_width, n_in, n_out]", "x is %s, the weights are %s",
                   shape_in(at, 0), shape_in(at, 1));
        return false;
    }
    uint64_t dim[3] = {windows(x.dim[0], c->pad_top, c->pad_bottom, w.dim[0], c->stride_height),
                       windows(x.dim[1], c->pad_left, c->pad_right, w.dim[1], c->stride_width), w.dim[3]};
    return bias_fits(at, w.dim[3]) && set_shape(at, dim, 3) && work_fits(at, (uint64_t)w.dim[0] * w.dim[1] * w.dim[2]);
}

bool graph_infer_max_pool(GraphInfer *at)
{
    Shape x = infer_in(at, 0)->shape;
    const GraphPool *p = at->node->attr.pool;
    if (x.rank != 3) {
        diag_error(at->diags, DIAG_SHAPE, infer_place(at), NULL, "x is %s, not [height, width, channels]", shape_in(at, 0));
        return false;
    }
    uint64_t dim[3] = {windows(x.dim[0], p->pad_top, p->pad_bottom, p->height, p->stride_height),
                       windows(x.dim[1], p->pad_left, p->pad_right, p->width, p->stride_width), x.dim[2]};
    return set_shape(at, dim, 3) && work_fits(at, (uint64_t)p->height * p->width);
}

static bool infer_broadcast(GraphInfer *at)
{
    Shape x = infer_in(at, 0)->shape, y = infer_in(at, 1)->shape;
    bool fits = y.rank <= x.rank;
    for (uint32_t i = 0; fits && i < y.rank; i++)
        fits = y.dim[y.rank - 1 - i] == 1 || y.dim[y.rank - 1 - i] == x.dim[x.rank - 1 - i];
    at->node->shape = x;
    if (!fits)
        diag_error(at->diags, DIAG_SHAPE, infer_place(at), NULL, "%s does not broadcast to %s", shape_in(at, 1), shape_in(at, 0));
    return fits;
}

bool graph_infer_add(GraphInfer *at) { return infer_broadcast(at); }
bool graph_infer_sub(GraphInfer *at) { return infer_broadcast(at); }

bool graph_infer_reshape(GraphInfer *at)
{
    at->node->shape = at->node->attr.shape;
    if (shape_size(at->node->shape) == shape_size(infer_in(at, 0)->shape))
        return true;
    diag_error(at->diags, DIAG_SHAPE, infer_place(at), NULL, "%s has another number of elements than %s",
               shape_text(at->arena, at->node->shape), shape_in(at, 0));
    return false;
}

bool graph_infer_transpose(GraphInfer *at)
{
    Shape x = infer_in(at, 0)->shape;
    uint32_t seen = 0;
    at->node->shape.rank = x.rank;
    for (uint32_t i = 0; i < x.rank; i++) {
        uint32_t axis = at->node->attr.permutation[i];
        if (axis >= x.rank || seen >> axis & 1) {
            diag_error(at->diags, DIAG_SHAPE, infer_place(at), NULL, "the axes' new order is no permutation of the axes of %s",
                       shape_in(at, 0));
            return false;
        }
        seen |= 1u << axis;
        at->node->shape.dim[i] = x.dim[axis];
    }
    return true;
}

static bool needs_last_axis(GraphInfer *at)
{
    if (infer_in(at, 0)->shape.rank >= 1)
        return true;
    diag_error(at->diags, DIAG_SHAPE, infer_place(at), NULL, "the input has no axis");
    return false;
}

bool graph_infer_argmax(GraphInfer *at)
{
    at->node->shape = infer_in(at, 0)->shape;
    at->node->shape.rank -= at->node->shape.rank > 0;
    return needs_last_axis(at);
}

bool graph_infer_softmax(GraphInfer *at)
{
    at->node->shape = infer_in(at, 0)->shape;
    return needs_last_axis(at);
}

static const GraphModule *callee_of(const GraphInfer *at, const GraphNode *call) { return at->module->graph->modules.at[call->attr.index]; }

bool graph_infer_out(GraphInfer *at)
{
    const GraphNode *call = infer_in(at, 0);
    const GraphModule *callee = callee_of(at, call);
    at->node->shape = callee->nodes.at[callee->outputs.at[at->node->attr.index].ref].shape;
    return true;
}

bool graph_infer_shape(GraphInfer *at)
{
    switch (at->node->op) {
#define OP(name, text, min_inputs, max_inputs, flags, attribute, summary)                                                                  \
    case GRAPH_##name:                                                                                                                     \
        return graph_infer_##name(at);
#include "graph/graph_ops.def"
#undef OP
    case GRAPH_OP_COUNT:
        break;
    }
    return false;
}

/* ---- kinds, and modules ---- */

/* What is passed must be what the callee's input holds: same shape, and for raw values the same frac, inside its declared range. */
static bool argument_fits(GraphInfer *at, uint32_t i)
{
    const GraphModule *callee = callee_of(at, at->node);
    const GraphNode *port = &callee->nodes.at[callee->inputs.at[i]], *value = infer_in(at, i);
    const char *name = port->attr.input->name;
    if (!shape_equal(port->shape, value->shape)) {
        diag_error(at->diags, DIAG_SHAPE, infer_place(at), NULL, "input '%s' of module '%s' is %s and gets %s", name, callee->name,
                   shape_text(at->arena, port->shape), shape_in(at, i));
        return false;
    }
    if (port->kind != KIND_FIXED || value->kind != KIND_FIXED)
        return true;
    if (value->scale_open || !scale_equal(&port->scale, &value->scale, port->shape)) {
        diag_error(at->diags, DIAG_SCALE, infer_place(at), "put a quantiser before the call",
                   "input '%s' of module '%s' has another scale than what it gets", name, callee->name);
        return false;
    }
    for (uint32_t e = 0, n = shape_size(port->shape); e < n; e++) {
        const Interval *range = &value->range[e];
        bool is_zero = range->lo == 0 && range->hi == 0,
             same_frac = type_at(&port->type, port->shape, e).frac == type_at(&value->type, value->shape, e).frac;
        if ((same_frac || is_zero) && range->lo >= port->range[e].lo && range->hi <= port->range[e].hi)
            continue;
        diag_error(at->diags, DIAG_TYPE, infer_place(at),
                   "a module's input type must hold what every call passes, with the same fractional bits",
                   "input '%s' of module '%s' does not hold what it gets (element %u)", name, callee->name, e);
        return false;
    }
    return true;
}

static bool check_call(GraphInfer *at)
{
    const GraphModule *callee = callee_of(at, at->node);
    bool sound = true;
    if (callee->inputs.n != at->node->n_inputs) {
        diag_error(at->diags, DIAG_VERIFY, infer_place(at), NULL, "module '%s' takes %u inputs and gets %u", callee->name, callee->inputs.n,
                   at->node->n_inputs);
        return false;
    }
    for (uint32_t i = 0; i < at->node->n_inputs; i++)
        sound &= argument_fits(at, i);
    return sound;
}

static void copy_derived(const GraphNode *from, GraphNode *to)
{
    to->kind = from->kind;
    to->type = from->type;
    to->scale = from->scale;
    to->scale_open = from->scale_open;
    to->range = from->range;
}

static bool all_inputs_fixed(const GraphInfer *at, bool *open)
{
    *open = false;
    for (uint32_t i = 0; i < at->node->n_inputs; i++) {
        if (infer_in(at, i)->kind != KIND_FIXED)
            return false;
        *open |= infer_in(at, i)->scale_open;
    }
    return true;
}

static bool range_of(GraphInfer *at)
{
    switch (at->node->op) {
#define OP(name, text, min_inputs, max_inputs, flags, attribute, summary)                                                                  \
    case GRAPH_##name:                                                                                                                     \
        return graph_range_##name(at);
#include "graph/graph_ops.def"
#undef OP
    case GRAPH_OP_COUNT:
        break;
    }
    return false;
}

/* Fracs add up along a chain of products; those of sane models stay near 0. */
#define FRAC_MOST (1 << 16)

static bool fracs_are_sane(GraphInfer *at)
{
    const TypeMap *type = &at->node->type;
    for (uint32_t i = 0, n = type->at ? spread_count(type->spread, at->node->shape) : 0; i < n; i++)
        if (type->at[i].frac > FRAC_MOST || type->at[i].frac < -FRAC_MOST) {
            diag_error(at->diags, DIAG_TYPE, infer_place(at), NULL, "values of %d fractional bits", type->at[i].frac);
            return false;
        }
    return true;
}

bool graph_infer_type(GraphInfer *at)
{
    GraphNode *node = at->node;
    copy_derived(&(GraphNode){.kind = KIND_F64}, node);
    node->threshold_raw = NULL;
    node->last_absorbed = false;
    bool open, fixed = all_inputs_fixed(at, &open);
    if (node->op == GRAPH_input)
        fixed = node->attr.input->type.at != NULL;
    else if (node->op == GRAPH_constant)
        node->kind = node->attr.tensor->kind, fixed = node->kind == KIND_FIXED;
    else if (node->op == GRAPH_quantise)
        fixed = true;
    else if (node->op == GRAPH_softmax)
        fixed = false;
    if (node->op == GRAPH_call || node->op == GRAPH_out)
        return range_of(at);
    if (!fixed)
        return true;
    node->kind = KIND_FIXED;
    if (open && node->op != GRAPH_quantise && node->op != GRAPH_threshold) {
        node->scale_open = true;
        return true;
    }
    return range_of(at) && fracs_are_sane(at);
}

bool graph_range_call(GraphInfer *at)
{
    at->node->kind = KIND_FIXED;
    return check_call(at);
}

bool graph_range_out(GraphInfer *at)
{
    const GraphModule *callee = callee_of(at, infer_in(at, 0));
    copy_derived(&callee->nodes.at[callee->outputs.at[at->node->attr.index].ref], at->node);
    return true;
}

static bool infer_module(Graph *graph, GraphModule *module, const char *file, DiagList *diags)
{
    Arena *scratch = arena_child(graph->arena);
    Bitset broken = bitset_create(scratch, module->nodes.n);
    bool sound = true;
    for (uint32_t i = 0; i < module->nodes.n; i++) {
        GraphInfer at = {graph->arena, module, graph_node(module, i), file, diags};
        bool skip = false;
        for (uint32_t k = 0; k < at.node->n_inputs; k++)
            skip |= bitset_has(&broken, graph_inputs(module, at.node)[k]);
        if (!skip && graph_infer_shape(&at) && graph_infer_type(&at))
            continue;
        bitset_add(&broken, i);
        sound = false;
    }
    arena_destroy(scratch);
    return sound;
}

bool graph_infer(Graph *graph, const char *file, DiagList *diags)
{
    for (uint32_t i = 0; i < graph->modules.n; i++)
        if (!infer_module(graph, graph->modules.at[i], file, diags))
            return false; /* a callee without its types leaves nothing to say about its callers */
    return true;
}
