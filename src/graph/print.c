/* graph/print.c: a graph as text. The grammar, by example (blanks and line ends are free; '#' starts a comment):
 *
 *     module pair                                           every module before its callers, the top ("graph") last
 *       %0 = input a fixed<8,4,RND,SAT> : [4] s8.4
 *       %1 = relu %0 : [4] u7.4 [0, 7.9375] from r1         shape, type and hull of the proven range; the model's layer
 *       output y = %1
 *
 *     graph jets
 *       %0 = input x channel(0) { 3 * fixed<8,4,RND,SAT>, fixed<0,0,TRN,WRAP> } default : [4] mixed
 *       %1 = input z open scale 1/3 offset 0 : [4] f64
 *       %2 = const f32 { 0.25, -0.5 } : [2, 1]
 *       %3 = const fixed s6.5 default scale channel(1) { 1/3, 5*2^-30 } offset { 0, 0 } { 1, -32 } : [1, 2]
 *       %4 = const index file "weights-0123456789abcdef.npy" : [200, 200]
 *       %5 = quantise %1 element { 4 * fixed<8,4,RND,SAT> } default : [4] mixed
 *       %6 = affine %5 1/3 offset 1/2 : [4] mixed scaled
 *       %7 = conv2d %9, %10, %11 stride(1, 1) pad(0, 0, 1, 1)            top, left, bottom, right
 *       %8 = max_pool %7 window(2, 2) stride(2, 2) pad(0, 0, 0, 0)
 *       %9 = reshape %8 [2, 2] ... transpose %9 (1, 0) ... clip %9 0, 6
 *       %10 = threshold %6 u2.0 channel(0) { -1/3, 1/3 strict, ... } level { 0, 1, 2, ... }    steps and levels of a channel one after the
 * other %11 = call pair(%0) %12 = out %11 0 : [4] u7.4 [0, 7.9375] output y = %12 softmax
 *
 * Lists by channel or element are as long as the shape says, so a graph is printed after graph_infer. Where that failed, nodes without a
 * type end behind their attributes.
 */
#include "graph/inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/npy.h"
#include "base/sha256.h"

#define PER_LINE       16u /* numbers */
#define PER_LINE_TYPES 8u  /* types, rationals */

bool is_plain_name(const char *name)
{
    for (const char *c = name; *c; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
        if (!letter && (c == name || !((*c >= '0' && *c <= '9') || *c == '.')))
            return false;
    }
    return name[0] != '\0';
}

static void put_name(Text *text, const char *name)
{
    if (is_plain_name(name))
        text_put(text, name);
    else
        text_put_quoted(text, name);
}

static void put_separator(Text *text, uint32_t i, uint32_t n, uint32_t per_line)
{
    if (i > 0)
        text_put_char(text, ',');
    text_put(text, n > per_line && i % per_line == 0 ? "\n      " : " ");
}

static void put_end(Text *text, uint32_t n, uint32_t per_line) { text_put(text, n > per_line ? "\n    }" : " }"); }

static void put_spread(Text *text, Spread spread)
{
    if (spread.kind == SPREAD_CHANNEL)
        text_add(text, " channel(%u)", spread.axis);
    else if (spread.kind == SPREAD_ELEMENT)
        text_put(text, " element");
}

static void put_rationals(Text *text, const Rational *list, uint32_t n)
{
    text_put(text, " {");
    for (uint32_t i = 0; i < n; i++) {
        put_separator(text, i, n, PER_LINE_TYPES);
        text_put_rational(text, list[i]);
    }
    put_end(text, n, PER_LINE_TYPES);
}

/* " 1/3 offset 0" or " channel(0) { .. } offset { .. }" */
static void put_linear(Text *text, Spread spread, Shape shape, const Rational *multiplier, const Rational *offset)
{
    put_spread(text, spread);
    if (spread.kind == SPREAD_UNIFORM) {
        text_put_char(text, ' ');
        text_put_rational(text, multiplier[0]);
        text_put(text, " offset ");
        text_put_rational(text, offset[0]);
        return;
    }
    put_rationals(text, multiplier, spread_count(spread, shape));
    text_put(text, " offset");
    put_rationals(text, offset, spread_count(spread, shape));
}

static void put_scale(Text *text, const Scale *scale, Shape shape)
{
    if (scale_is_identity(scale))
        return;
    text_put(text, " scale");
    put_linear(text, scale->spread, shape, scale->multiplier, scale->offset);
}

static uint32_t run_length(const Quantiser *at, uint32_t i, uint32_t n)
{
    uint32_t run = 1;
    while (i + run < n && quantiser_equal(at[i + run], at[i]))
        run++;
    return run;
}

static void put_quantiser(Text *text, const Quantiser *q, bool type_only)
{
    if (type_only)
        text_put_fixed(text, q->type);
    else
        text_put(text, quantiser_text(text->arena, q));
}

/* Equal neighbours are one entry: "8 * fixed<..>". */
static void put_quantisers(Text *text, Spread spread, const Quantiser *at, uint32_t n, bool type_only)
{
    put_spread(text, spread);
    if (spread.kind == SPREAD_UNIFORM) {
        text_put_char(text, ' ');
        put_quantiser(text, at, type_only);
        return;
    }
    uint32_t runs = 0;
    for (uint32_t i = 0; i < n; i += run_length(at, i, n))
        runs++;
    text_put(text, " {");
    for (uint32_t i = 0, k = 0; i < n; k++) {
        uint32_t run = run_length(at, i, n);
        put_separator(text, k, runs, PER_LINE_TYPES);
        if (run > 1)
            text_add(text, "%u * ", run);
        put_quantiser(text, &at[i], type_only);
        i += run;
    }
    put_end(text, runs, PER_LINE_TYPES);
}

static void put_types(Text *text, const TypeMap *map, Shape shape)
{
    uint32_t n = spread_count(map->spread, shape);
    Quantiser *list = arena_array(text->arena, Quantiser, n);
    for (uint32_t i = 0; i < n; i++)
        list[i].type = map->at[i];
    put_quantisers(text, map->spread, list, n, true);
}

/* The shortest decimal that gives the same float when it is read as a double and rounded. */
static void put_float(Text *text, double value)
{
    char number[32];
    if (!isfinite(value) || (fabs(value) < 0x1p24 && value == trunc(value))) { /* small integers as people write them: 100, not 1e+02 */
        text_put_double(text, value);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(number, sizeof number, "%.*g", digits, value);
        if ((double)(float)strtod(number, NULL) == value)
            break;
    }
    text_put(text, number);
}

static void put_numbers(Text *text, const GraphTensor *tensor, uint32_t n)
{
    text_put(text, " {");
    for (uint32_t e = 0; e < n; e++) {
        put_separator(text, e, n, PER_LINE);
        if (tensor->raw)
            text_put_i128(text, tensor->raw[e]);
        else if (tensor->kind == KIND_F32)
            put_float(text, tensor->real[e]);
        else
            text_put_double(text, tensor->real[e]);
    }
    put_end(text, n, PER_LINE);
}

/* ---- side files ---- */

static Bytes side_of_integers(Arena *arena, const i128 *raw, uint32_t n, const uint64_t *dim, uint32_t rank)
{
    i128 least = 0, most = 0;
    for (uint32_t e = 0; e < n; e++) {
        least = i128_min(least, raw[e]);
        most = i128_max(most, raw[e]);
    }
    if (least < INT64_MIN || most > INT64_MAX)
        return (Bytes){0};
    if (least >= INT8_MIN && most <= INT8_MAX) {
        int8_t *at = arena_array(arena, int8_t, n);
        for (uint32_t e = 0; e < n; e++)
            at[e] = (int8_t)raw[e];
        return npy_bytes(arena, NPY_INT, 1, at, dim, rank);
    }
    int64_t *at = arena_array(arena, int64_t, n);
    for (uint32_t e = 0; e < n; e++)
        at[e] = (int64_t)raw[e];
    return npy_bytes(arena, NPY_INT, 8, at, dim, rank);
}

/* No bytes if 64-bit numbers do not hold them: then they stay in the text. */
static Bytes side_of(Arena *arena, const GraphTensor *tensor, Shape shape)
{
    uint64_t dim[SHAPE_MAX_RANK];
    uint32_t n = shape_size(shape);
    for (uint32_t i = 0; i < shape.rank; i++)
        dim[i] = shape.dim[i];
    if (tensor->raw)
        return side_of_integers(arena, tensor->raw, n, dim, shape.rank);
    if (tensor->kind == KIND_F64)
        return npy_bytes(arena, NPY_FLOAT, 8, tensor->real, dim, shape.rank);
    float *at = arena_array(arena, float, n);
    for (uint32_t e = 0; e < n; e++)
        at[e] = (float)tensor->real[e];
    return npy_bytes(arena, NPY_FLOAT, 4, at, dim, shape.rank);
}

static const char *add_side(Arena *arena, GraphSides *sides, Bytes bytes)
{
    char hex[65];
    sha256_hex(bytes.at, bytes.n, hex);
    hex[16] = '\0';
    const char *name = fmt(arena, "weights-%s.npy", hex);
    for (uint32_t i = 0; i < sides->n; i++)
        if (text_equal(sides->at[i].name, name))
            return name;
    vec_push(arena, sides, (GraphSide){name, bytes});
    return name;
}

static void put_tensor(Text *text, const GraphTensor *tensor, Shape shape, GraphSides *sides)
{
    static const char *const kinds[] = {[KIND_FIXED] = " fixed", [KIND_F32] = " f32", [KIND_F64] = " f64", [KIND_INDEX] = " index"};
    text_put(text, kinds[tensor->kind]);
    if (tensor->kind == KIND_FIXED)
        put_types(text, &tensor->type, shape);
    if (tensor->is_default)
        text_put(text, " default");
    put_scale(text, &tensor->scale, shape);
    uint32_t n = shape_size(shape);
    Bytes bytes = sides && n > GRAPH_INLINE_LIMIT ? side_of(text->arena, tensor, shape) : (Bytes){0};
    if (bytes.at)
        text_add(text, " file \"%s\"", add_side(text->arena, sides, bytes));
    else
        put_numbers(text, tensor, n);
}

/* ---- nodes ---- */

static void put_threshold(Text *text, const GraphThreshold *t, Shape shape)
{
    uint32_t count = spread_count(t->spread, shape), n = count * t->n_steps, n_levels = n + count;
    text_put_char(text, ' ');
    text_put_fixed(text, t->type);
    put_spread(text, t->spread);
    text_put(text, " {");
    for (uint32_t i = 0; i < n; i++) {
        put_separator(text, i, n, PER_LINE_TYPES);
        text_put_rational(text, t->at[i]);
        if (t->strict && t->strict[i])
            text_put(text, " strict");
    }
    put_end(text, n, PER_LINE_TYPES);
    text_put(text, " level {");
    for (uint32_t i = 0; i < n_levels; i++) {
        put_separator(text, i, n_levels, PER_LINE);
        text_put_i128(text, t->level[i]);
    }
    put_end(text, n_levels, PER_LINE);
}

static void put_input(Text *text, const GraphInput *input, Shape shape)
{
    text_put_char(text, ' ');
    put_name(text, input->name);
    if (input->type.at)
        put_quantisers(text, input->type.spread, input->type.at, spread_count(input->type.spread, shape), false);
    else
        text_put(text, " open");
    if (input->is_default)
        text_put(text, " default");
    put_scale(text, &input->scale, shape);
}

static void put_permutation(Text *text, const uint32_t *permutation, uint32_t rank)
{
    text_put(text, " (");
    for (uint32_t i = 0; i < rank; i++)
        text_add(text, i ? ", %u" : "%u", permutation[i]);
    text_put_char(text, ')');
}

static void put_attribute(Text *text, const GraphModule *module, const GraphNode *node, GraphSides *sides)
{
    switch (graph_op_info(node->op)->attribute) {
    case GRAPH_ATTR_NONE:
        return;
    case GRAPH_ATTR_INPUT:
        put_input(text, node->attr.input, node->shape);
        return;
    case GRAPH_ATTR_TENSOR:
        put_tensor(text, node->attr.tensor, node->shape, sides);
        return;
    case GRAPH_ATTR_QUANT:
        put_quantisers(text, node->attr.quant->map.spread, node->attr.quant->map.at,
                       spread_count(node->attr.quant->map.spread, node->shape), false);
        text_put(text, node->attr.quant->is_default ? " default" : "");
        return;
    case GRAPH_ATTR_AFFINE:
        put_linear(text, node->attr.affine->spread, node->shape, node->attr.affine->multiplier, node->attr.affine->offset);
        return;
    case GRAPH_ATTR_CONV: {
        const GraphConv *c = node->attr.conv;
        text_add(text, " stride(%u, %u) pad(%u, %u, %u, %u)", c->stride_height, c->stride_width, c->pad_top, c->pad_left, c->pad_bottom,
                 c->pad_right);
        return;
    }
    case GRAPH_ATTR_POOL: {
        const GraphPool *p = node->attr.pool;
        text_add(text, " window(%u, %u) stride(%u, %u) pad(%u, %u, %u, %u)", p->height, p->width, p->stride_height, p->stride_width,
                 p->pad_top, p->pad_left, p->pad_bottom, p->pad_right);
        return;
    }
    case GRAPH_ATTR_SHAPE:
        text_put_char(text, ' ');
        text_put_shape(text, node->attr.shape);
        return;
    case GRAPH_ATTR_PERMUTATION:
        put_permutation(text, node->attr.permutation, graph_input_node(module, node, 0)->shape.rank);
        return;
    case GRAPH_ATTR_CLIP:
        text_put_char(text, ' ');
        text_put_rational(text, node->attr.clip->lo);
        text_put(text, ", ");
        text_put_rational(text, node->attr.clip->hi);
        return;
    case GRAPH_ATTR_THRESHOLD:
        put_threshold(text, node->attr.threshold, node->shape);
        return;
    case GRAPH_ATTR_MODULE:
    case GRAPH_ATTR_OUT:
        text_add(text, " %u", node->attr.index);
        return;
    }
}

static void put_inputs(Text *text, const GraphModule *module, const GraphNode *node)
{
    for (uint32_t i = 0; i < node->n_inputs; i++)
        text_add(text, i ? ", %%%u" : "%%%u", graph_inputs(module, node)[i]);
}

/* Infer leaves every FIXED node with a type or an open scale. */
static bool is_inferred(const GraphNode *node) { return node->kind != KIND_FIXED || node->type.at || node->scale_open; }

void graph_put_derived(Text *text, const GraphNode *node)
{
    static const char *const kinds[] = {[KIND_FIXED] = "", [KIND_F32] = " f32", [KIND_F64] = " f64", [KIND_INDEX] = " index"};
    text_put_shape(text, node->shape);
    if (node->op == GRAPH_constant || !is_inferred(node))
        return;
    text_put(text, kinds[node->kind]);
    if (node->kind != KIND_FIXED)
        return;
    if (node->scale_open) {
        text_put(text, " open");
        return;
    }
    bool uniform = node->type.spread.kind == SPREAD_UNIFORM;
    text_put_char(text, ' ');
    if (uniform)
        text_put_fixed(text, node->type.at[0]);
    else
        text_put(text, "mixed");
    if (!scale_is_identity(&node->scale))
        text_put(text, " scaled");
    int32_t frac = node->type.at[0].frac;
    if (!uniform || node->op == GRAPH_input || frac > 256 || frac < -256) /* thousands of digits tell nobody anything */
        return;
    Interval hull = node->range[0];
    for (uint32_t e = 1, n = shape_size(node->shape); e < n; e++)
        hull = interval_join(hull, node->range[e]);
    hull.zeros = 0;
    text_put_char(text, ' ');
    text_put_interval(text, hull, frac);
}

static void put_node(Text *text, const GraphModule *module, GraphRef ref, GraphSides *sides)
{
    const GraphNode *node = graph_node(module, ref);
    text_add(text, "  %%%u = %s", ref, graph_op_info(node->op)->text);
    if (node->op == GRAPH_call) {
        text_put_char(text, ' ');
        put_name(text, module->graph->modules.at[node->attr.index]->name);
        text_put_char(text, '(');
        put_inputs(text, module, node);
        text_put_char(text, ')');
    } else {
        text_put(text, node->n_inputs ? " " : "");
        put_inputs(text, module, node);
        put_attribute(text, module, node, sides);
        if (node->op == GRAPH_input || node->op == GRAPH_constant || is_inferred(node)) {
            text_put(text, " : ");
            graph_put_derived(text, node);
        }
    }
    if (node->layer[0]) {
        text_put(text, " from ");
        put_name(text, node->layer);
    }
    text_put_char(text, '\n');
}

void graph_print(Text *text, const Graph *graph, GraphSides *sides)
{
    for (uint32_t i = 0; i < graph->modules.n; i++) {
        const GraphModule *module = graph->modules.at[i];
        text_put(text, i > 0 ? "\n" : "");
        text_put(text, i + 1 == graph->modules.n ? "graph " : "module ");
        put_name(text, module->name);
        text_put_char(text, '\n');
        for (uint32_t k = 0; k < module->nodes.n; k++)
            put_node(text, module, k, sides);
        for (uint32_t k = 0; k < module->outputs.n; k++) {
            const GraphOutput *output = &module->outputs.at[k];
            text_put(text, "  output ");
            put_name(text, output->name);
            text_add(text, " = %%%u%s\n", output->ref, output->post == POST_SOFTMAX ? " softmax" : "");
        }
    }
}
