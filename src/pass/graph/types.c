/* pass/graph/types.c: what the model leaves open gets a type: the user's, or the default one.
 *
 *     input x                                     input x fixed<16,6,RND,SAT> default
 *     %1 = const f32 { ... }                      %1 = const s16.10 { ... } default
 *     %2 = dense x, %1                      =>    %2 = dense x, %1
 *     %3 = relu %2                                %3 = relu %2
 *     %4 = dense %3, ...                          %5 = quantise %3 fixed<16,6,RND,SAT> default
 *                                                 %4 = dense %5, ...
 *
 * Inputs: the user's type; else what the model says; else, where all that reads an input is one quantiser (behind moves and affines of the
 * whole tensor), that quantiser becomes the port's type and the affines' inverse its scale, so that nothing is rounded twice; else the
 * default. Weights: real numbers of dense and conv2d get their layer's type or the default one. Numbers beside quantised weights (a float
 * bias, say) stay exact. Values: a layer whose weights got a type here has no say of its own about its result, so its value, behind the
 * affines, relus, clips, moves and pools that follow it alone, is assigned to the default type, unless a quantiser or threshold follows
 * anyway or it is an output of the model. What the model quantised itself stays exact.
 */
#include "pass/graph/rewrite.h"

#include <string.h>

/* A bias may have this many bits and stay in the sum; a longer one becomes an offset, which the next quantiser's thresholds take in for
 * nothing. */
#define EXACT_BIAS_BITS 40u

typedef struct TypePlan {
    const GraphInput *input; /* of an input node: its new attribute */
    const GraphInput
        *own; /* and the model's own type for it, where the user gave another: what the model computes starts with that assignment */
    const Quantiser *after; /* assign the node's value to it */
    bool after_default;
    bool skip; /* a quantiser that went into a port */
} TypePlan;

static TypePlan *plan_at(const Rewrite *r, GraphRef ref) { return &((TypePlan *)r->state)[ref]; }

static const LayerType *layer_type(const Rewrite *r, const char *layer)
{
    for (uint32_t i = 0; i < r->options->layers.n; i++)
        if (text_equal(r->options->layers.at[i].layer, layer))
            return &r->options->layers.at[i];
    return NULL;
}

/* ---- inputs ---- */
static const Quantiser *port_type(const PortType *at, uint32_t n, const char *name)
{
    const Quantiser *type = NULL;
    for (uint32_t i = 0; i < n; i++)
        if (at[i].name == NULL || text_equal(at[i].name, name))
            type = type != NULL && at[i].name == NULL ? type : &at[i].type;
    return type;
}

static bool maps_equal(const QuantMap *a, const QuantMap *b, Shape shape)
{
    if (a->spread.kind != b->spread.kind || a->spread.axis != b->spread.axis)
        return false;
    for (uint32_t i = 0, n = spread_count(a->spread, shape); i < n; i++)
        if (!quantiser_equal(a->at[i], b->at[i]))
            return false;
    return true;
}

/* The one map of all quantisers that read `ref`; NULL if anything else does, or they differ. */
static const QuantMap *common_map(const Rewrite *r, GraphRef ref)
{
    const QuantMap *map = NULL;
    uint32_t found = 0;
    for (GraphRef user = ref + 1; user < r->from->nodes.n; user++) {
        const GraphNode *node = rewrite_old(r, user);
        if (node->op != GRAPH_quantise || rewrite_input(r, user, 0) != ref)
            continue;
        found++;
        if (map != NULL && !maps_equal(map, &node->attr.quant->map, node->shape))
            return NULL;
        map = &node->attr.quant->map;
    }
    return found == r->n_uses[ref] ? map : NULL;
}

static bool is_uniform_affine(const GraphNode *node)
{
    return node->op == GRAPH_affine && node->attr.affine->spread.kind == SPREAD_UNIFORM &&
           rational_sign(node->attr.affine->multiplier[0]) != 0;
}

/* the scale under which raw values mean x when they stand for x * multiplier + offset */
static Scale inverse_scale(Arena *arena, Rational multiplier, Rational offset)
{
    Rational one = rational_from_i64(arena, 1, 1);
    Rational *number = arena_array(arena, Rational, 2);
    number[0] = rational_div(arena, one, multiplier);
    number[1] = rational_neg(rational_mul(arena, offset, number[0]));
    return (Scale){SPREAD_ONE, &number[0], &number[1]};
}

/* match: input -> moves and affines of the whole tensor -> quantisers of one map.  result: input of that type; the quantisers are gone. */
static bool take_quantiser(Rewrite *r, GraphRef ref, GraphInput *input)
{
    GraphRef at = ref;
    bool moved = false;
    bool scaled = false;
    Rational multiplier = rational_from_i64(r->arena, 1, 1), offset = rational_from_i64(r->arena, 0, 1);
    const QuantMap *map = common_map(r, at);
    while (map == NULL) {
        GraphRef user = r->n_uses[at] == 1 ? r->user[at] : GRAPH_NONE;
        if (user == GRAPH_NONE)
            return false;
        const GraphNode *node = rewrite_old(r, user);
        if (is_uniform_affine(node)) {
            const GraphAffine *affine = node->attr.affine;
            scaled = true;
            multiplier = rational_mul(r->arena, multiplier, affine->multiplier[0]);
            offset = rational_add(r->arena, rational_mul(r->arena, offset, affine->multiplier[0]), affine->offset[0]);
        } else if (graph_op_info(node->op)->flags & GRAPH_MOVE) {
            moved = true;
        } else {
            return false;
        }
        at = user;
        map = common_map(r, at);
    }
    if (moved && map->spread.kind != SPREAD_UNIFORM)
        return false;
    for (GraphRef user = at + 1; user < r->from->nodes.n; user++)
        if (rewrite_old(r, user)->op == GRAPH_quantise && rewrite_input(r, user, 0) == at)
            plan_at(r, user)->skip = true;
    input->type = *map;
    if (scaled)
        input->scale = inverse_scale(r->arena, multiplier, offset);
    return true;
}

static void plan_input(Rewrite *r, GraphRef ref)
{
    const GraphInput *old = rewrite_old(r, ref)->attr.input;
    GraphInput *input = arena_new(r->arena, GraphInput);
    *input = *old;
    plan_at(r, ref)->input = input;
    const Quantiser *type = port_type(r->options->input_types.at, r->options->input_types.n, old->name);
    if (type != NULL) {
        bool same = old->type.at != NULL && old->type.spread.kind == SPREAD_UNIFORM && scale_is_identity(&old->scale) &&
                    quantiser_equal(old->type.at[0], *type);
        plan_at(r, ref)->own = old->type.at != NULL && !old->is_default && !same ? old : NULL;
        input->type = quant_map_uniform(r->arena, *type);
        input->is_default = false;
        input->scale = (Scale){0};
    } else if (old->type.at == NULL && !take_quantiser(r, ref, input)) {
        input->type = quant_map_uniform(r->arena, r->options->default_type);
        input->is_default = true;
    }
}

/* ---- values ---- */
static bool is_real_constant(const GraphNode *node) { return node != NULL && (node->kind == KIND_F32 || node->kind == KIND_F64); }

static bool is_linear(const GraphNode *node) { return node->op == GRAPH_dense || node->op == GRAPH_conv2d; }

static bool follows(GraphOp op)
{
    return op == GRAPH_affine || op == GRAPH_relu || op == GRAPH_clip || op == GRAPH_max_pool || op == GRAPH_reshape ||
           op == GRAPH_transpose;
}

/* Whether every reader of `ref` assigns it to a type itself, or is the outside world. */
static bool has_say(const Rewrite *r, GraphRef ref)
{
    for (GraphRef user = ref + 1; user < r->from->nodes.n; user++) {
        const GraphNode *node = rewrite_old(r, user);
        for (uint32_t i = 0; i < node->n_inputs; i++) {
            if (rewrite_input(r, user, i) != ref || node->op == GRAPH_quantise || node->op == GRAPH_threshold || node->op == GRAPH_argmax)
                continue;
            return false;
        }
    }
    return true;
}

static void plan_value(Rewrite *r, GraphRef ref)
{
    if (!is_linear(rewrite_old(r, ref)) || !is_real_constant(rewrite_constant(r, ref, 1)))
        return;
    GraphRef at = ref;
    while (r->n_uses[at] == 1 && r->user[at] != GRAPH_NONE && follows(rewrite_old(r, r->user[at])->op)) {
        if (plan_at(r, at)->after != NULL)
            return; /* the user's type of a layer on the way */
        at = r->user[at];
    }
    if (plan_at(r, at)->after != NULL || has_say(r, at))
        return;
    plan_at(r, at)->after = &r->options->default_type;
    plan_at(r, at)->after_default = true;
}

/* the user's types of layers' results: at the last node of each layer */
static void plan_results(Rewrite *r)
{
    for (uint32_t i = 0; i < r->options->layers.n; i++) {
        const LayerType *type = &r->options->layers.at[i];
        GraphRef last = GRAPH_NONE;
        for (GraphRef ref = 0; ref < r->from->nodes.n; ref++)
            if (text_equal(rewrite_old(r, ref)->layer, type->layer) && rewrite_old(r, ref)->op != GRAPH_constant)
                last = ref;
        if (last != GRAPH_NONE && type->has_result)
            plan_at(r, last)->after = &type->result;
    }
}

static void plan(Rewrite *r)
{
    r->state = arena_array(r->arena, TypePlan, r->from->nodes.n);
    plan_results(r);
    for (GraphRef ref = 0; ref < r->from->nodes.n; ref++) {
        if (rewrite_old(r, ref)->op == GRAPH_input && r->is_top)
            plan_input(r, ref);
        else
            plan_value(r, ref);
    }
}

/* ---- constants ---- */
static GraphRef add_constant(Rewrite *r, const GraphNode *node, const Quantiser *q, bool is_default)
{
    uint32_t n = shape_size(node->shape);
    i128 *raw = arena_array(r->arena, i128, n);
    for (uint32_t i = 0; i < n; i++)
        raw[i] = quantise_double(node->attr.tensor->real[i], q, NULL);
    FixedType *type = arena_copy(r->arena, &q->type, sizeof q->type, alignof(FixedType));
    GraphTensor tensor = {.kind = KIND_FIXED, .raw = raw, .type = {SPREAD_ONE, type}, .is_default = is_default};
    return graph_add_constant(r->to, node->shape, &tensor, node->layer);
}

/* The smallest type that holds all numbers exactly; false if it has more than `most` bits. */
static bool exact_type(const GraphNode *node, uint32_t most, FixedType *type)
{
    i128 lo = 0, hi = 0;
    int32_t frac = -FIXED_MAX_FRAC;
    uint32_t n = shape_size(node->shape);
    const double *real = node->attr.tensor->real;
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < n; i++) {
            if (!__builtin_isfinite(real[i]))
                return false;
            if (real[i] == 0)
                continue;
            int exponent;
            i128 raw = (i128)(__builtin_frexp(real[i], &exponent) * 0x1p53);
            int32_t own = 53 - exponent;
            for (; raw % 2 == 0; raw /= 2)
                own--;
            if (pass == 0) {
                frac = own > frac ? own : frac;
            } else {
                if (frac - own > 70)
                    return false;
                raw *= (i128)1 << (frac - own);
                lo = i128_min(lo, raw);
                hi = i128_max(hi, raw);
            }
        }
    if (frac == -FIXED_MAX_FRAC)
        frac = 0;
    *type = fixed_holding(lo, hi, frac);
    return type->bits <= most;
}

static bool add_exact(Rewrite *r, const GraphNode *node, uint32_t most, GraphRef *out)
{
    Quantiser q = {.rounding = ROUND_TRN, .overflow = OVERFLOW_SAT};
    if (!exact_type(node, most, &q.type))
        return false;
    *out = add_constant(r, node, &q, false);
    return true;
}

/* match: dense(x, w, real bias that needs many bits).  result: affine(dense(x, w)) with the bias as its offset, exact. */
static GraphRef add_offset(Rewrite *r, GraphRef sum, const GraphNode *sum_node, const GraphNode *bias)
{
    uint32_t n = shape_size(bias->shape);
    Rational *number = arena_array(r->arena, Rational, 2 * (size_t)n);
    for (uint32_t i = 0; i < n; i++) {
        number[i] = rational_from_i64(r->arena, 1, 1);
        number[n + i] = rational_from_double(r->arena, bias->attr.tensor->real[i]);
    }
    GraphAffine *affine = arena_new(r->arena, GraphAffine);
    *affine = (GraphAffine){{SPREAD_CHANNEL, sum_node->shape.rank - 1}, number, number + n};
    return rewrite_add(r, &(GraphNode){.op = GRAPH_affine, .attr.affine = affine, .layer = sum_node->layer}, &sum, 1);
}

static bool all_finite(const GraphNode *node)
{
    for (uint32_t i = 0, n = shape_size(node->shape); i < n; i++)
        if (!__builtin_isfinite(node->attr.tensor->real[i]))
            return false;
    return true;
}

static void type_linear(Rewrite *r, GraphRef ref)
{
    const GraphNode *node = rewrite_old(r, ref), *w = rewrite_constant(r, ref, 1), *b = rewrite_constant(r, ref, 2);
    const LayerType *type = layer_type(r, node->layer);
    GraphRef inputs[3] = {r->map[rewrite_input(r, ref, 0)], r->map[rewrite_input(r, ref, 1)], GRAPH_NONE};
    uint32_t n_inputs = node->n_inputs;
    const GraphNode *offset = NULL;
    if (is_real_constant(w)) {
        bool own = type != NULL && type->has_weights;
        inputs[1] = add_constant(r, w, own ? &type->weights : &r->options->default_type, !own);
    }
    if (n_inputs == 3)
        inputs[2] = r->map[rewrite_input(r, ref, 2)];
    if (is_real_constant(b)) {
        bool own = type != NULL && type->has_bias;
        if (own || is_real_constant(w)) {
            inputs[2] = add_constant(r, b, own ? &type->bias : &r->options->default_type, !own);
        } else if (!add_exact(r, b, EXACT_BIAS_BITS, &inputs[2])) {
            offset = all_finite(b) ? b : NULL;
            n_inputs = offset != NULL ? 2 : 3;
        }
    }
    r->map[ref] = rewrite_add(r, node, inputs, n_inputs);
    if (offset != NULL)
        r->map[ref] = add_offset(r, r->map[ref], node, offset);
}

/* A real constant beside values: exact where a type can hold it. */
static void type_sum(Rewrite *r, GraphRef ref)
{
    GraphRef inputs[2];
    for (uint32_t i = 0; i < 2; i++) {
        const GraphNode *constant = rewrite_constant(r, ref, i);
        inputs[i] = r->map[rewrite_input(r, ref, i)];
        if (is_real_constant(constant) && !add_exact(r, constant, FIXED_MAX_BITS, &inputs[i]))
            inputs[i] = add_constant(r, constant, &r->options->default_type, true);
    }
    r->map[ref] = rewrite_add(r, rewrite_old(r, ref), inputs, 2);
}

static GraphRef add_affine(Rewrite *r, GraphRef x, Spread spread, const Rational *multiplier, const Rational *offset, const char *layer)
{
    GraphAffine *affine = arena_new(r->arena, GraphAffine);
    *affine = (GraphAffine){spread, multiplier, offset};
    GraphNode node = {.op = GRAPH_affine, .attr.affine = affine, .layer = layer};
    return rewrite_add(r, &node, &x, 1);
}

/* match: a port of the model's own type, and a user's type for it.  result: a port of the user's type, then the model's assignment, its
 * scale around it */
static GraphRef assign_own(Rewrite *r, GraphRef x, const GraphInput *own, Shape shape)
{
    GraphQuant *quant = arena_new(r->arena, GraphQuant);
    quant->map = own->type;
    GraphNode node = {.op = GRAPH_quantise, .attr.quant = quant, .layer = own->name};
    if (scale_is_identity(&own->scale))
        return rewrite_add(r, &node, &x, 1);
    uint32_t n = spread_count(own->scale.spread, shape);
    Rational *multiplier = arena_array(r->arena, Rational, n), *offset = arena_array(r->arena, Rational, n);
    for (uint32_t i = 0; i < n; i++) {
        Scale inverse = inverse_scale(r->arena, own->scale.multiplier[i], own->scale.offset[i]);
        multiplier[i] = inverse.multiplier[0];
        offset[i] = inverse.offset[0];
    }
    x = add_affine(r, x, own->scale.spread, multiplier, offset, own->name);
    x = rewrite_add(r, &node, &x, 1);
    return add_affine(r, x, own->scale.spread, own->scale.multiplier, own->scale.offset, own->name);
}

static void type_node(Rewrite *r, GraphRef ref)
{
    if (r->state == NULL)
        plan(r);
    const GraphNode *node = rewrite_old(r, ref);
    const TypePlan *own = plan_at(r, ref);
    if (own->input != NULL)
        r->map[ref] = graph_add_input(r->to, own->input->name, node->shape, own->input);
    else if (own->skip)
        r->map[ref] = r->map[rewrite_input(r, ref, 0)];
    else if (is_linear(node))
        type_linear(r, ref);
    else if (node->op == GRAPH_add || node->op == GRAPH_sub)
        type_sum(r, ref);
    else
        rewrite_copy(r, ref);
    if (own->own != NULL)
        r->map[ref] = assign_own(r, r->map[ref], own->own, node->shape);
    if (own->after != NULL)
        r->map[ref] = rewrite_quantise(r, r->map[ref], own->after, own->after_default, node->layer);
}

/* ---- what the user asked for must be there ---- */
static void check_port(const PortType *type, const char *what, const char *const *names, uint32_t n, const PassOptions *options,
                       DiagList *diags)
{
    if (type->name == NULL)
        return;
    for (uint32_t i = 0; i < n; i++)
        if (text_equal(names[i], type->name))
            return;
    Text text = text_init(diags->arena);
    for (uint32_t i = 0; i < n; i++)
        text_add(&text, "%s%s", i > 0 ? ", " : "", names[i]);
    diag_error(diags, DIAG_USAGE, (Place){.file = options->file}, fmt(diags->arena, "%ss of this model: %s", what, text.at),
               "a type is given for %s '%s', which the model does not have", what, type->name);
}

/* Whether the layer holds weights (part 1) or a bias (part 2) whose type is open. */
static bool has_open_number(const GraphModule *top, const char *layer, uint32_t part)
{
    for (GraphRef ref = 0; ref < top->nodes.n; ref++) {
        const GraphNode *node = graph_node(top, ref);
        if (!text_equal(node->layer, layer) || !is_linear(node) || node->n_inputs <= part)
            continue;
        const GraphNode *number = graph_input_node(top, node, part);
        if (number->op == GRAPH_constant && is_real_constant(number))
            return true;
    }
    return false;
}

static void check_open(const GraphModule *top, const LayerType *type, const PassOptions *options, DiagList *diags)
{
    const bool asked[] = {type->has_weights, type->has_bias};
    static const char *const what[] = {"weights", "bias"};
    for (uint32_t i = 0; i < 2; i++)
        if (asked[i] && !has_open_number(top, type->layer, i + 1))
            diag_error(diags, DIAG_USAGE, (Place){.file = options->file, .layer = type->layer, .part = what[i]}, "leave the type out",
                       "a type is given, but the layer has none, or its own quantiser gives their type");
}

static void check_layers(const GraphModule *top, const PassOptions *options, DiagList *diags)
{
    const char **names = arena_array(diags->arena, const char *, top->nodes.n);
    for (GraphRef ref = 0; ref < top->nodes.n; ref++)
        names[ref] = top->nodes.at[ref].layer;
    for (uint32_t i = 0; i < options->layers.n; i++) {
        const char *layer = options->layers.at[i].layer;
        bool known = false;
        for (GraphRef ref = 0; ref < top->nodes.n && !known; ref++)
            known = text_equal(names[ref], layer);
        if (known) {
            check_open(top, &options->layers.at[i], options, diags);
            continue;
        }
        const char *near = text_nearest(layer, names, top->nodes.n);
        diag_error(diags, DIAG_USAGE, (Place){.file = options->file}, near != NULL ? fmt(diags->arena, "did you mean '%s'?", near) : NULL,
                   "types are given for layer '%s', which the model does not have", layer);
    }
}

static void check_options(const Graph *graph, const PassOptions *options, DiagList *diags)
{
    const GraphModule *top = graph_top(graph);
    const char **in = arena_array(diags->arena, const char *, top->inputs.n),
               **out = arena_array(diags->arena, const char *, top->outputs.n);
    for (uint32_t i = 0; i < top->inputs.n; i++)
        in[i] = graph_node(top, top->inputs.at[i])->attr.input->name;
    for (uint32_t i = 0; i < top->outputs.n; i++)
        out[i] = top->outputs.at[i].name;
    for (uint32_t i = 0; i < options->input_types.n; i++)
        check_port(&options->input_types.at[i], "input", in, top->inputs.n, options, diags);
    for (uint32_t i = 0; i < options->output_types.n; i++)
        check_port(&options->output_types.at[i], "output", out, top->outputs.n, options, diags);
    check_layers(top, options, diags);
}

Graph *pass_types(Arena *arena, const Graph *graph, const PassOptions *options, DiagList *diags)
{
    check_options(graph, options, diags);
    Graph *result = rewrite_graph(arena, graph, options, diags, type_node);
    if (result == NULL || options->output_types.n == 0)
        return result;
    GraphModule *top = graph_top(result);
    for (uint32_t i = 0; i < top->outputs.n; i++) {
        const Quantiser *type = port_type(options->output_types.at, options->output_types.n, top->outputs.at[i].name);
        if (type == NULL)
            continue;
        if (graph_node(top, top->outputs.at[i].ref)->op == GRAPH_argmax || options->head == HEAD_CUT) {
            diag_error(diags, DIAG_USAGE, (Place){.file = options->file, .layer = top->outputs.at[i].name, .kind = "output"},
                       "leave the output type out: an index or a bit is as wide as it must be; to round the logits, give their layer a "
                       "result type",
                       "an output type is given, but this output is %s",
                       options->head == HEAD_CUT ? "the bit of a cut" : "the index of a class");
            continue;
        }
        Rewrite r = {.arena = arena, .options = options, .diags = diags, .to = top};
        top->outputs.at[i].ref = rewrite_quantise(&r, top->outputs.at[i].ref, type, false, graph_node(top, top->outputs.at[i].ref)->layer);
    }
    return !diag_failed(diags) && graph_infer(result, options->file, diags) ? result : NULL;
}
