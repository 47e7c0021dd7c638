/* graph/verify.c: the rules of the vocabulary that hold before anything is inferred: structure, and attributes one by one. Lists by channel
 * or element are looked through as far as the node's shape is known.
 */
#include "graph/inside.h"

#include <assert.h>
#include <math.h>

typedef struct Verify {
    const Graph *graph;
    const GraphModule *module;
    uint32_t module_index;
    const char *file;
    DiagList *diags;
    Arena *scratch;
    const GraphNode *node;
    bool sound;
} Verify;

static Place place_of(const Verify *v)
{
    return v->node ? infer_place(&(GraphInfer){v->scratch, v->module, (GraphNode *)v->node, v->file, v->diags})
                   : (Place){.file = v->file, .kind = "module", .layer = v->module ? v->module->name : NULL};
}

KAON_PRINTF(3, 4) static void breach(Verify *v, DiagCode code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    diag_error(v->diags, code, place_of(v), NULL, "%s", fmt_va(v->scratch, format, args));
    va_end(args);
    v->sound = false;
}

/* ---- attributes ---- */

static uint32_t known_count(Spread spread, Shape shape) { return spread_fits(spread, shape) ? spread_count(spread, shape) : 0; }

static bool type_is_sound(FixedType type)
{
    return type.bits <= FIXED_MAX_BITS && type.frac <= FIXED_MAX_FRAC && type.frac >= -FIXED_MAX_FRAC;
}

static void check_quantisers(Verify *v, const QuantMap *map)
{
    for (uint32_t i = 0, n = known_count(map->spread, v->node->shape); i < n; i++) {
        const Quantiser *q = &map->at[i];
        bool known = (unsigned)q->rounding < ROUNDING_COUNT && (unsigned)q->overflow < OVERFLOW_COUNT;
        if (known && type_is_sound(q->type) && q->saturated_bits <= q->type.bits)
            continue;
        breach(v, DIAG_TYPE, "type %u of the map is malformed", i);
        return;
    }
}

static bool rational_is_sound(Rational a) { return a.den.n > 0 && !a.den.negative; }

static void check_linear(Verify *v, Spread spread, const Rational *multiplier, const Rational *offset, bool zero_allowed)
{
    for (uint32_t i = 0, n = known_count(spread, v->node->shape); i < n; i++) {
        if (!rational_is_sound(multiplier[i]) || !rational_is_sound(offset[i]))
            breach(v, DIAG_VALUE, "entry %u is not a number", i);
        else if (!zero_allowed && rational_sign(multiplier[i]) == 0)
            breach(v, DIAG_VALUE, "multiplier %u of the scale is 0", i);
        else
            continue;
        return;
    }
}

static void check_scale(Verify *v, const Scale *scale)
{
    if (!scale_is_identity(scale) && !scale->offset)
        breach(v, DIAG_VERIFY, "the scale has multipliers but no offsets");
    else if (!scale_is_identity(scale))
        check_linear(v, scale->spread, scale->multiplier, scale->offset, false);
}

static void check_own_shape(Verify *v)
{
    uint64_t dim[SHAPE_MAX_RANK];
    Shape shape = v->node->shape, out;
    for (uint32_t i = 0; i < shape.rank && i < SHAPE_MAX_RANK; i++)
        dim[i] = shape.dim[i];
    if (!shape_make(dim, shape.rank, &out))
        breach(v, DIAG_SHAPE, "the shape has a dimension 0, more than %u of them, or more than %u elements", SHAPE_MAX_RANK,
               SHAPE_MAX_ELEMENTS);
}

static void check_raw(Verify *v, const GraphTensor *tensor)
{
    Shape shape = v->node->shape;
    if (!tensor->type.at || !spread_fits(tensor->type.spread, shape)) {
        breach(v, DIAG_TYPE, "a fixed-point constant has no type map for its shape");
        return;
    }
    for (uint32_t i = 0, n = spread_count(tensor->type.spread, shape); i < n; i++)
        if (!type_is_sound(tensor->type.at[i])) {
            breach(v, DIAG_TYPE, "type %u of the map is malformed", i);
            return;
        }
    for (uint32_t e = 0, n = shape_size(shape); e < n; e++) {
        FixedType type = type_at(&tensor->type, shape, e);
        if (tensor->raw[e] >= fixed_min(type) && tensor->raw[e] <= fixed_max(type))
            continue;
        breach(v, DIAG_RANGE, "element %u, raw %s, is outside %s", e, text_i128(v->scratch, tensor->raw[e]), fixed_text(v->scratch, type));
        return;
    }
}

static void check_real(Verify *v, const GraphTensor *tensor)
{
    for (uint32_t e = 0, n = shape_size(v->node->shape); e < n; e++) {
        double value = tensor->real[e];
        if (!isfinite(value))
            breach(v, DIAG_VALUE, "element %u is not a finite number", e);
        else if (tensor->kind == KIND_F32 && (double)(float)value != value)
            breach(v, DIAG_VALUE, "element %u is no float32", e);
        else
            continue;
        return;
    }
}

static void check_tensor(Verify *v)
{
    const GraphTensor *tensor = v->node->attr.tensor;
    bool is_raw = tensor->kind == KIND_FIXED || tensor->kind == KIND_INDEX;
    uint32_t errors = v->diags->n_errors;
    check_own_shape(v);
    if (v->diags->n_errors > errors)
        return;
    if (is_raw ? !tensor->raw : !tensor->real) {
        breach(v, DIAG_VERIFY, "the constant has no numbers");
        return;
    }
    check_scale(v, &tensor->scale);
    if (tensor->kind == KIND_FIXED)
        check_raw(v, tensor);
    else if (!is_raw)
        check_real(v, tensor);
    if (tensor->kind != KIND_FIXED && !scale_is_identity(&tensor->scale))
        breach(v, DIAG_VERIFY, "only fixed-point constants have a scale");
}

static void check_input(Verify *v)
{
    const GraphInput *input = v->node->attr.input;
    check_own_shape(v);
    check_scale(v, &input->scale);
    if (input->type.at)
        check_quantisers(v, &input->type);
}

static bool pads_are_sane(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t below)
{
    return a < below && b < below && c < below && d < below;
}

#define WINDOW_MOST (1u << 14) /* of one axis; a product of two fits easily */

static void check_conv(Verify *v)
{
    const GraphConv *c = v->node->attr.conv;
    if (c->stride_height == 0 || c->stride_width == 0)
        breach(v, DIAG_VALUE, "a stride is 0");
    if (!pads_are_sane(c->pad_top, c->pad_left, c->pad_bottom, c->pad_right, WINDOW_MOST))
        breach(v, DIAG_LIMIT, "a padding of %u or more", WINDOW_MOST);
}

static void check_pool(Verify *v)
{
    const GraphPool *p = v->node->attr.pool;
    if (p->stride_height == 0 || p->stride_width == 0 || p->height == 0 || p->width == 0)
        breach(v, DIAG_VALUE, "a stride or a side of the window is 0");
    else if (p->height > WINDOW_MOST || p->width > WINDOW_MOST)
        breach(v, DIAG_LIMIT, "a window larger than %u", WINDOW_MOST);
    else if (!pads_are_sane(p->pad_top, 0, p->pad_bottom, 0, p->height) || !pads_are_sane(p->pad_left, 0, p->pad_right, 0, p->width))
        breach(v, DIAG_VALUE, "the padding is as large as the window, which would be empty there");
}

static void check_clip(Verify *v)
{
    const GraphClip *clip = v->node->attr.clip;
    if (!rational_is_sound(clip->lo) || !rational_is_sound(clip->hi))
        breach(v, DIAG_VALUE, "a limit is not a number");
    else if (rational_compare(v->scratch, clip->lo, clip->hi) > 0)
        breach(v, DIAG_VALUE, "the lower limit is above the upper one");
}

/* rising; where two are equal the one that is reached first (not strict) stands first */
static bool steps_rise(Verify *v, const GraphThreshold *t, size_t i)
{
    int order = rational_compare(v->scratch, t->at[i - 1], t->at[i]);
    return order < 0 || (order == 0 && !(t->strict && t->strict[i - 1] && !t->strict[i]));
}

static void check_threshold(Verify *v)
{
    const GraphThreshold *t = v->node->attr.threshold;
    uint32_t count = known_count(t->spread, v->node->shape);
    if (t->spread.kind == SPREAD_ELEMENT)
        breach(v, DIAG_VERIFY, "thresholds are spread by tensor or channel");
    if (!type_is_sound(t->type) || t->type.bits == 0) {
        breach(v, DIAG_TYPE, "the type of the levels is malformed");
        return;
    }
    for (size_t i = 0, n = (size_t)count * t->n_steps; i < n; i++) {
        if (!rational_is_sound(t->at[i]))
            breach(v, DIAG_VALUE, "threshold %zu is not a number", i);
        else if (i % t->n_steps != 0 && !steps_rise(v, t, i))
            breach(v, DIAG_VALUE, "thresholds do not rise (number %zu)", i);
        else
            continue;
        return;
    }
    for (size_t i = 0, n = (size_t)count * (t->n_steps + 1); i < n; i++)
        if (t->level[i] < fixed_min(t->type) || t->level[i] > fixed_max(t->type)) {
            breach(v, DIAG_RANGE, "level %zu is outside %s", i, fixed_text(v->scratch, t->type));
            return;
        }
}

static void check_reshape(Verify *v)
{
    Shape shape = v->node->attr.shape, out;
    uint64_t dim[SHAPE_MAX_RANK];
    for (uint32_t i = 0; i < shape.rank && i < SHAPE_MAX_RANK; i++)
        dim[i] = shape.dim[i];
    if (!shape_make(dim, shape.rank, &out))
        breach(v, DIAG_SHAPE, "the new shape is malformed");
}

static bool has_attribute(const GraphNode *node)
{
    switch (graph_op_info(node->op)->attribute) {
    case GRAPH_ATTR_INPUT:
        return node->attr.input && node->attr.input->name;
    case GRAPH_ATTR_TENSOR:
        return node->attr.tensor;
    case GRAPH_ATTR_QUANT:
        return node->attr.quant && node->attr.quant->map.at;
    case GRAPH_ATTR_AFFINE:
        return node->attr.affine && node->attr.affine->multiplier && node->attr.affine->offset;
    case GRAPH_ATTR_CONV:
        return node->attr.conv;
    case GRAPH_ATTR_POOL:
        return node->attr.pool;
    case GRAPH_ATTR_CLIP:
        return node->attr.clip;
    case GRAPH_ATTR_THRESHOLD:
        return node->attr.threshold && node->attr.threshold->level && (node->attr.threshold->at || node->attr.threshold->n_steps == 0);
    case GRAPH_ATTR_NONE:
    case GRAPH_ATTR_SHAPE:
    case GRAPH_ATTR_PERMUTATION:
    case GRAPH_ATTR_MODULE:
    case GRAPH_ATTR_OUT:
        return true;
    }
    return false;
}

static void check_attribute(Verify *v)
{
    if (!has_attribute(v->node)) {
        breach(v, DIAG_VERIFY, "the attribute is missing");
        return;
    }
    switch (graph_op_info(v->node->op)->attribute) {
    case GRAPH_ATTR_INPUT:
        check_input(v);
        return;
    case GRAPH_ATTR_TENSOR:
        check_tensor(v);
        return;
    case GRAPH_ATTR_QUANT:
        check_quantisers(v, &v->node->attr.quant->map);
        return;
    case GRAPH_ATTR_AFFINE:
        if (v->node->attr.affine->spread.kind == SPREAD_ELEMENT)
            breach(v, DIAG_VERIFY, "an affine is spread by tensor or channel");
        check_linear(v, v->node->attr.affine->spread, v->node->attr.affine->multiplier, v->node->attr.affine->offset, true);
        return;
    case GRAPH_ATTR_CONV:
        check_conv(v);
        return;
    case GRAPH_ATTR_POOL:
        check_pool(v);
        return;
    case GRAPH_ATTR_CLIP:
        check_clip(v);
        return;
    case GRAPH_ATTR_THRESHOLD:
        check_threshold(v);
        return;
    case GRAPH_ATTR_SHAPE:
        check_reshape(v);
        return;
    case GRAPH_ATTR_NONE:
    case GRAPH_ATTR_PERMUTATION: /* graph_infer knows the rank */
    case GRAPH_ATTR_MODULE:
    case GRAPH_ATTR_OUT:
        return;
    }
}

/* ---- structure ---- */

static uint32_t index_of_module(const GraphModule *module)
{
    const Graph *graph = module->graph;
    for (uint32_t i = 0; i < graph->modules.n; i++)
        if (graph->modules.at[i] == module)
            return i;
    assert(!"a module stands in its graph");
    return 0;
}

static void check_links(Verify *v, GraphRef ref)
{
    const GraphNode *node = v->node;
    const GraphOpInfo *info = graph_op_info(node->op);
    if (node->n_inputs < info->min_inputs || node->n_inputs > info->max_inputs) {
        if (info->min_inputs == info->max_inputs)
            breach(v, DIAG_VERIFY, "takes %u inputs, has %u", info->min_inputs, node->n_inputs);
        else
            breach(v, DIAG_VERIFY, "takes %u to %u inputs, has %u", info->min_inputs, info->max_inputs, node->n_inputs);
        return;
    }
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        GraphRef in = graph_inputs(v->module, node)[i];
        if (in >= ref) {
            breach(v, DIAG_CYCLE, "input %u is %%%u, which does not stand before it", i, in);
            return;
        }
        if ((graph_node(v->module, in)->op == GRAPH_call) != (node->op == GRAPH_out))
            breach(v, DIAG_VERIFY, "a call is read by out nodes only, and they read nothing else");
    }
    if (!v->sound)
        return;
    if (node->op == GRAPH_call) {
        if (node->attr.index >= v->module_index)
            breach(v, DIAG_CYCLE, "a module calls one that does not stand before it");
        else if (v->graph->modules.at[node->attr.index]->inputs.n != node->n_inputs)
            breach(v, DIAG_VERIFY, "module '%s' takes %u inputs and gets %u", v->graph->modules.at[node->attr.index]->name,
                   v->graph->modules.at[node->attr.index]->inputs.n, node->n_inputs);
    } else if (node->op == GRAPH_out) {
        const GraphModule *callee = v->graph->modules.at[graph_input_node(v->module, node, 0)->attr.index];
        if (node->attr.index >= callee->outputs.n)
            breach(v, DIAG_VERIFY, "module '%s' has no output %u", callee->name, node->attr.index);
    }
}

bool graph_verify_links(const GraphModule *module, GraphRef ref, const char *file, DiagList *diags)
{
    Verify v = {module->graph,           module, index_of_module(module), file, diags, arena_child(module->graph->arena),
                graph_node(module, ref), true};
    check_links(&v, ref);
    arena_destroy(v.scratch);
    return v.sound;
}

static void check_name(Verify *v, Map *names, const char *what, const char *name)
{
    if (!name || !name[0])
        breach(v, DIAG_VERIFY, "%s without a name", what);
    else if (map_put(names, name, 0) != MAP_NONE)
        breach(v, DIAG_DUPLICATE, "%s '%s' is there twice", what, name);
}

static void check_ports(Verify *v)
{
    const GraphModule *module = v->module;
    Map inputs = map_init(v->scratch), outputs = map_init(v->scratch);
    uint32_t next = 0;
    for (uint32_t i = 0; i < module->nodes.n; i++) {
        const GraphNode *node = graph_node(module, i);
        if (node->op != GRAPH_input)
            continue;
        if (next >= module->inputs.n || module->inputs.at[next++] != i) {
            breach(v, DIAG_VERIFY, "the list of inputs is not that of the input nodes, in order");
            return;
        }
        if (node->attr.input)
            check_name(v, &inputs, "input", node->attr.input->name);
    }
    if (next != module->inputs.n)
        breach(v, DIAG_VERIFY, "the list of inputs is not that of the input nodes, in order");
    if (module->outputs.n == 0)
        breach(v, DIAG_VERIFY, "there is no output");
    for (uint32_t i = 0; i < module->outputs.n; i++) {
        const GraphOutput *output = &module->outputs.at[i];
        check_name(v, &outputs, "output", output->name);
        if (output->ref >= module->nodes.n || graph_node(module, output->ref)->op == GRAPH_call)
            breach(v, DIAG_VERIFY, "output %u names no value", i);
        if (output->post != POST_NONE && v->module_index + 1 < v->graph->modules.n)
            breach(v, DIAG_VERIFY, "only the top's outputs go to the host");
    }
}

static void verify_module(Verify *v)
{
    for (uint32_t i = 0; i < v->module->nodes.n; i++) {
        bool sound = v->sound;
        v->sound = true;
        v->node = graph_node(v->module, i);
        if ((unsigned)v->node->op >= GRAPH_OP_COUNT) {
            v->node = NULL;
            breach(v, DIAG_VERIFY, "node %u has no known op", i);
        } else {
            check_links(v, i);
            check_attribute(v);
        }
        v->sound &= sound;
    }
    v->node = NULL;
    check_ports(v);
}

bool graph_verify(const Graph *graph, const char *file, DiagList *diags)
{
    Verify v = {.graph = graph, .file = file, .diags = diags, .scratch = arena_child(graph->arena), .sound = true};
    Map names = map_init(v.scratch);
    if (graph->modules.n == 0)
        breach(&v, DIAG_VERIFY, "the graph is empty");
    for (uint32_t i = 0; i < graph->modules.n; i++) {
        v.module = graph->modules.at[i];
        v.module_index = i;
        check_name(&v, &names, "module", v.module->name);
        verify_module(&v);
    }
    arena_destroy(v.scratch);
    return v.sound;
}
