/* lower/lower.c: the walk from tensors to wires: modules, ports, one node after the other; what cannot be lowered is reported by name, all
 * of it. */
#include "lower/inside.h"

#include <assert.h>

void lower_refuse(Lower *l, GraphRef ref, DiagCode code, const char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = fmt_va(l->arena, format, args);
    va_end(args);
    diag_error(l->diags, code, graph_place(l->options->file, lower_node(l, ref)), hint, "%s", text);
}

CircuitRef *lower_new(Lower *l, GraphRef ref)
{
    return l->value[ref] = arena_array(l->arena, CircuitRef, shape_size(lower_node(l, ref)->shape));
}

static const CircuitRef *wires_of(Lower *l, GraphRef ref)
{
    const GraphNode *node = lower_node(l, ref);
    if (l->value[ref] == NULL && node->op == GRAPH_constant && node->kind == KIND_FIXED) {
        CircuitRef *wires = lower_new(l, ref);
        for (uint32_t e = 0, n = shape_size(node->shape); e < n; e++)
            wires[e] = circuit_constant(&l->b, node->attr.tensor->raw[e], type_at(&node->type, node->shape, e).frac);
    }
    return l->value[ref];
}

const CircuitRef *lower_in(Lower *l, GraphRef ref, uint32_t i) { return wires_of(l, lower_input_ref(l, ref, i)); }

/* Names of the model become names of hardware: letters, digits, underscores; different ones stay different. */
static const char *clean_name(Arena *arena, Map *taken, const char *name)
{
    char *clean = arena_strdup(arena, name[0] != '\0' ? name : "port");
    for (char *c = clean; *c != '\0'; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9')))
            *c = '_';
    const char *unique = clean[0] >= '0' && clean[0] <= '9' ? fmt(arena, "_%s", clean) : clean;
    const char *base = unique;
    for (uint32_t i = 1; map_get(taken, unique) != MAP_NONE; i++)
        unique = fmt(arena, "%s_%u", base, i);
    map_put(taken, unique, 0);
    return unique;
}

uint32_t lower_add_module(Lower *l, const char *name)
{
    circuit_add_module(l->circuit, clean_name(l->arena, &l->module_names, name));
    CircuitModule **last = vec_last(&l->circuit->modules), **before = last - 1;
    CircuitModule *added = *last;
    *last = *before;
    *before = added;
    return l->circuit->modules.n - 2;
}

/* ---- ports ---- */
/* A value of no bits still has a wire: one bit that is 0. */
static FixedType port_type(FixedType type) { return type.bits > 0 ? type : (FixedType){false, 1, type.frac}; }

static void lower_inputs(Lower *l, Map *taken)
{
    for (uint32_t i = 0; i < l->module->inputs.n; i++) {
        GraphRef ref = l->module->inputs.at[i];
        const GraphNode *node = lower_node(l, ref);
        if (node->kind != KIND_FIXED) {
            lower_refuse(l, ref, DIAG_TYPE, "give the input a type", "input '%s' has no fixed-point type", node->attr.input->name);
            continue;
        }
        uint32_t n = shape_size(node->shape);
        FixedType *type = arena_array(l->arena, FixedType, n);
        for (uint32_t e = 0; e < n; e++)
            type[e] = port_type(type_at(&node->type, node->shape, e));
        /* a caller's wires are of these types, but their ranges may be proven less tightly than the tensors' */
        const Interval *ranges = l->is_top ? node->range : NULL;
        uint32_t first =
            circuit_add_input_port(l->b.module, clean_name(l->arena, taken, node->attr.input->name), node->shape.rank > 0, n, type, ranges);
        CircuitRef *wires = lower_new(l, ref);
        for (uint32_t e = 0; e < n; e++)
            wires[e] = l->b.module->inputs.at[first + e];
    }
}

static void lower_outputs(Lower *l, Map *taken)
{
    for (uint32_t i = 0; i < l->module->outputs.n; i++) {
        const GraphOutput *output = &l->module->outputs.at[i];
        const GraphNode *node = lower_node(l, output->ref);
        uint32_t n = shape_size(node->shape);
        CircuitRef *typed = arena_array(l->arena, CircuitRef, n);
        for (uint32_t e = 0; e < n; e++) {
            FixedType type = port_type(type_at(&node->type, node->shape, e));
            if (type.bits > FIXED_MAX_BITS) {
                lower_refuse(l, output->ref, DIAG_WIDTH, "give the output a type", "output '%s' needs %u bits, %u are possible",
                             output->name, type.bits, FIXED_MAX_BITS);
                return;
            }
            l->b.element = e;
            typed[e] = lower_typed(&l->b, l->value[output->ref][e], type);
        }
        circuit_add_output_port(l->b.module, clean_name(l->arena, taken, output->name), node->shape.rank > 0, n, typed);
    }
}

/* ---- nodes ---- */
static void dispatch(Lower *l, GraphRef ref)
{
    switch (lower_node(l, ref)->op) {
#define OP(name, text, min_inputs, max_inputs, flags, attribute, summary)                                                                  \
    case GRAPH_##name:                                                                                                                     \
        lower_##name(l, ref);                                                                                                              \
        break;
#include "graph/graph_ops.def"
#undef OP
    case GRAPH_OP_COUNT:
        break;
    }
}

void lower_input(Lower *l, GraphRef ref)
{
    (void)l;
    (void)ref; /* its port has made it */
}

void lower_constant(Lower *l, GraphRef ref)
{
    (void)l;
    (void)ref; /* lower_in makes what is read as a value; weights are not */
}

void lower_softmax(Lower *l, GraphRef ref)
{
    lower_refuse(l, ref, DIAG_UNSUPPORTED, "a softmax is possible at the model's output only, where the host applies it",
                 "a softmax inside the model cannot become hardware");
}

void lower_call(Lower *l, GraphRef ref)
{
    const GraphNode *node = lower_node(l, ref);
    uint32_t index = l->circuit_module_of[node->attr.index];
    const CircuitModule *callee = l->circuit->modules.at[index];
    CircuitRef *in = arena_array(l->arena, CircuitRef, callee->inputs.n);
    uint32_t n_in = 0;
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        const CircuitRef *wires = lower_in(l, ref, i);
        for (uint32_t e = 0, n = shape_size(lower_input_node(l, ref, i)->shape); e < n; e++, n_in++)
            in[n_in] = lower_typed(&l->b, wires[e], circuit_node(callee, callee->inputs.at[n_in])->type);
    }
    l->call_out[ref] = arena_array(l->arena, CircuitRef, callee->outputs.n);
    circuit_instance(&l->b, index, in, n_in, l->call_out[ref]);
}

void lower_out(Lower *l, GraphRef ref)
{
    GraphRef call = lower_input_ref(l, ref, 0);
    if (l->call_out[call] == NULL)
        return;
    uint32_t index = l->circuit_module_of[lower_node(l, call)->attr.index];
    const CircuitPort *port = &l->circuit->modules.at[index]->out_ports.at[lower_node(l, ref)->attr.index];
    CircuitRef *out = lower_new(l, ref);
    for (uint32_t e = 0; e < port->n; e++)
        out[e] = l->call_out[call][port->first + e];
}

/* False, and a diagnostic, for what has no integers; silently false behind a node that could not be lowered. */
static bool is_lowerable(Lower *l, GraphRef ref)
{
    const GraphNode *node = lower_node(l, ref);
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        GraphRef input = lower_input_ref(l, ref, i);
        GraphOp op = lower_node(l, input)->op;
        if (op != GRAPH_constant && op != GRAPH_call && l->value[input] == NULL)
            return false;
        if (op == GRAPH_constant && lower_node(l, input)->kind != KIND_FIXED && node->op != GRAPH_softmax) {
            lower_refuse(l, ref, DIAG_TYPE, "give the layer types", "the layer has numbers without a fixed-point type");
            return false;
        }
    }
    if (node->op == GRAPH_input || node->op == GRAPH_constant || node->op == GRAPH_call || node->op == GRAPH_softmax)
        return true;
    if (node->kind != KIND_FIXED) {
        lower_refuse(l, ref, DIAG_TYPE, "give the layer a type", "the value has no fixed-point type");
        return false;
    }
    if (node->scale_open) {
        lower_refuse(l, ref, DIAG_SCALE, "put a quantiser behind it, or give the layer a result type",
                     "the value has a scale under which it is no integer, and no quantiser stands behind it");
        return false;
    }
    return true;
}

static void check_width(Lower *l, GraphRef ref)
{
    CircuitWidthError *error = &l->circuit->width_error;
    if (!error->any)
        return;
    lower_refuse(l, ref, DIAG_WIDTH, "quantise the layer's inputs, weights or bias to fewer bits",
                 "element %u needs %u bits, %u are possible", error->element, error->bits, FIXED_MAX_BITS);
    error->any = false;
}

static bool lower_module(Lower *l, const GraphModule *module)
{
    Map taken = map_init(l->arena);
    l->module = module;
    l->value = arena_array(l->arena, CircuitRef *, module->nodes.n);
    l->call_out = arena_array(l->arena, CircuitRef *, module->nodes.n);
    l->b = (CircuitBuilder){.module = circuit_add_module(l->circuit, clean_name(l->arena, &l->module_names, module->name))};
    uint32_t errors = l->diags->n_errors;
    lower_find_needs(l);
    lower_find_leads(l);
    lower_inputs(l, &taken);
    for (GraphRef ref = 0; ref < module->nodes.n; ref++) {
        l->b.layer = circuit_add_layer(l->circuit, module->nodes.at[ref].layer);
        l->b.element = 0;
        if (is_lowerable(l, ref))
            dispatch(l, ref);
        check_width(l, ref);
    }
    if (l->diags->n_errors > errors)
        return false;
    l->b.layer = 0;
    for (uint32_t i = 0; i < module->outputs.n; i++) {
        GraphRef ref = module->outputs.at[i].ref;
        if (wires_of(l, ref) == NULL) {
            lower_refuse(l, ref, DIAG_TYPE, NULL, "output '%s' has no fixed-point value", module->outputs.at[i].name);
            return false;
        }
    }
    lower_outputs(l, &taken);
    return l->diags->n_errors == errors;
}

Circuit *lower_once(Arena *arena, const Graph *graph, const LowerOptions *options, LowerSearch *search, DiagList *diags)
{
    Lower l = {.arena = arena, .options = options, .diags = diags, .search = search, .circuit = circuit_create(arena)};
    l.module_names = map_init(arena);
    l.circuit_module_of = arena_array(arena, uint32_t, graph->modules.n);
    bool sound = true;
    for (uint32_t m = 0; m < graph->modules.n; m++) {
        l.is_top = m + 1 == graph->modules.n;
        l.ready_ps.at.n = 0;
        sound &= lower_module(&l, graph->modules.at[m]);
        l.circuit_module_of[m] = l.circuit->modules.n - 1;
        if (sound)
            lower_end_module(&l, l.circuit_module_of[m]);
    }
    circuit_infer_ranges(l.circuit);
    return sound ? l.circuit : NULL;
}
